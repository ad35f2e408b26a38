"""What the tests of lavascope-engine as a whole program share: running it, and saying what held.  usage of each: TEST.py ENGINE ROOT"""
import pathlib
import subprocess
import sys

ENGINE, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
failures = []


def engine(*arguments):
    done = subprocess.run([ENGINE, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def check(name, ok, detail=""):
    print(("ok    " if ok else "FAILED") + " " + name + ("" if ok else f": {detail}"))
    if not ok:
        failures.append(name)
