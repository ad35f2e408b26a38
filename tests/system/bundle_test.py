#!/usr/bin/env python3
"""The bundle for GPU machines: made from a build, moved away, and checked by its own gpu-check.  usage: bundle_test.py BUILD ROOT

Where the system lets it, the checkout is hidden from what the bundle runs. The device is Vulkan where a driver is installed (Mesa's software driver will do),
else the processor.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

BUILD, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
failures = []


def check(name, ok, detail=""):
    print(("ok    " if ok else "FAILED") + " " + name + ("" if ok else f": {detail}"), flush=True)
    if not ok:
        failures.append(name)


class Away:
    """A place far from the build, with a home of its own, from which the checkout cannot be seen."""

    def __init__(self, folder):
        self.folder = folder
        home = folder / "home"
        home.mkdir()
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(folder)}
        empty = folder / "empty"
        empty.mkdir()
        script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
        self.hide = []
        for rights in ([], ["--user", "--map-root-user"]):
            hide = ["unshare", *rights, "--mount", "sh", "-c", script, "sh", str(empty), str(ROOT)]
            if subprocess.run([*hide, "test", "!", "-e", ROOT / "dev"], capture_output=True, check=False).returncode == 0:
                self.hide = hide
                break
        if not self.hide:
            print("note: this system lets nobody hide a folder: the checkout stays visible to the bundle")

    def run(self, *command, **environment):
        done = subprocess.run([*self.hide, *map(str, command)], cwd=self.folder, env={**self.environment, **environment}, capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def make_bundle():
    out = BUILD / "tests/bundle"
    done = subprocess.run([sys.executable, ROOT / "installer/bundle/make.py", BUILD, out], capture_output=True, text=True, check=False)
    print(done.stdout + done.stderr, end="")
    check("the bundle is made", done.returncode == 0, done.stderr)
    archives = list(out.glob("lavascope-*-linux-x86_64.tar.xz"))
    if done.returncode != 0 or len(archives) != 1:
        sys.exit(1)
    check("the archive is small enough", archives[0].stat().st_size <= 60_000_000, archives[0].stat().st_size)
    return archives[0]


def unpack(archive, folder):
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    archive.unlink()
    shutil.rmtree(archive.parent)
    return next(folder.glob("lavascope-*-linux-x86_64"))


def check_contents(bundle):
    for name in ("README.txt", "LICENSE", "gpu-check", "bin/lavascope-engine", "bin/lavascope-cli", "lib/runtime/libstdc++.so.6", "share/lavascope/models/default/model.json",
                 "share/lavascope/models/ssdlite/LICENSE", "share/lavascope/demo/cat.png", "share/doc/lavascope/libraries.txt", "share/doc/lavascope/licences/libqt6core6.txt"):
        check(f"it holds {name}", (bundle / name).exists())
    check("the README has all its values", not re.search("@[a-z]+@", (bundle / "README.txt").read_text()))


def check_libraries(away, bundle):
    for program in ("lavascope-engine", "lavascope-cli"):
        code, out = away.run("ldd", bundle / "libexec" / program)
        outside = [line for line in out.splitlines() if "=>" in line and str(bundle) not in line
                   and not re.search(r"lib(c|m|mvec|pthread|dl|rt|resolv|util|stdc\+\+|gcc_s)\.so", line)]
        check(f"{program} takes its libraries from the bundle", code == 0 and not outside, outside or out)
        code, out = away.run("ldd", bundle / "libexec" / program, LD_LIBRARY_PATH=str(bundle / "lib/runtime"))
        check(f"{program} runs with the bundle's C++ runtime", code == 0 and f"{bundle}/lib/runtime/libstdc++" in out and "not found" not in out, out)


def results_of(text):
    return {name: result for result, name in re.findall(r"^(pass|FAIL|not tried) +(.*?) \(\d+ s\)", text, re.M)}


def check_gpu_check(away, bundle):
    code, out = away.run(bundle / "bin/lavascope-engine", "devices")
    device = "vulkan" if code == 0 and "vulkan:0" in out else "cpu"
    print(f"note: the device is {device}; devices: {out.strip()}")
    report = away.folder / "report.txt"
    code, out = away.run(bundle / "gpu-check", "--quick", "--device", device, report)
    print(out)
    results = results_of(out)
    parts = ["machine", "devices", "programs", *(f"{device}: {part}" for part in ("selftest", "recorded answers", "over the wire", "speed, smollm2-135m Q4_0"))]
    check("gpu-check passes", code == 0 and all(results.get(part) == "pass" for part in parts), report.read_text()[-6000:])
    text = report.read_text()
    check("the report holds what was measured", "tokens_per_s" in text and "=== Summary" in text and "worst nmse" in text, text[-2000:])
    check("nothing is left behind", not list(away.folder.glob("lavascope-check.*")))


def check_failures(away, bundle):
    code, out = away.run(bundle / "gpu-check", "--device", "toaster")
    check("a wrong device is refused", code == 2 and "toaster is no device" in out, (code, out))
    code, out = away.run(bundle / "gpu-check", "--limit", "soon")
    check("a wrong limit is refused", code == 2 and "seconds" in out, (code, out))
    cases = bundle / "share/lavascope/check/cases"
    lines = cases.read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("quick"))
    fields = lines[first].split("\t")
    fields[-1] = "1," + fields[-1].split(",", 1)[1]
    lines[first] = "\t".join(fields)
    cases.write_text("\n".join(lines) + "\n")
    (bundle / "share/lavascope/demo/cat.png").write_bytes(b"no picture")
    report = away.folder / "bad.txt"
    code, out = away.run(bundle / "gpu-check", "--quick", "--device", "cpu", report)
    results = results_of(out)
    check("a wrong answer and a broken picture fail, and the rest goes on", code == 1 and results.get("programs") == "FAIL" and results.get("cpu: recorded answers") == "FAIL"
          and results.get("cpu: selftest") == "pass" and results.get("cpu: over the wire") == "pass" and "DIFFERENT  llava15" in report.read_text(), (code, out))
    (bundle / "bin/lavascope-cli").write_text("#!/bin/sh\nexec sleep 60\n")
    code, out = away.run(bundle / "gpu-check", "--quick", "--device", "cpu", "--limit", "2", report)
    check("a part that hangs is ended", code == 1 and "took longer than its 2 seconds" in out and results_of(out).get("programs") == "FAIL", (code, out))


def main():
    archive = make_bundle()
    with tempfile.TemporaryDirectory(prefix="lavascope-bundle-test-") as folder:
        folder = pathlib.Path(folder)
        bundle = unpack(archive, folder)
        away = Away(folder)
        check_contents(bundle)
        check_libraries(away, bundle)
        check_gpu_check(away, bundle)
        check_failures(away, bundle)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
