"""What the tests of lavascope-engine as a whole program share: running it, and saying what held.  usage of each: TEST.py ENGINE ROOT"""
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

ENGINE, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
failures = []


def engine(*arguments):
    done = subprocess.run([ENGINE, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def check(name, ok, detail=""):
    print(("ok    " if ok else "FAILED") + " " + name + ("" if ok else f": {detail}"))
    if not ok:
        failures.append(name)


def call(url, token, body=None):
    """Status and JSON of an engine that serves."""
    request = urllib.request.Request(url, data=body and json.dumps(body).encode(), headers={"Authorization": "Bearer " + token})
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
