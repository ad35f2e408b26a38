#!/usr/bin/env python3
"""Makes the bundle for GPU machines from a build.  usage: make.py BUILD OUT

It installs the component `bundle` of BUILD into OUT/lavascope-VERSION-linux-x86_64, adds the libraries that a bare system lacks, recorded answers for gpu-check
and licence texts, and packs the folder. Needs Debian's packages (licence texts), binutils, tar and xz.
"""
import pathlib
import re
import shutil
import subprocess
import sys

import cases
import libraries

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST_BYTES = 60_000_000
DRIVERS = {"12": "525", "13": "580"}  # the oldest NVIDIA driver for each major version of the toolkit


class BundleError(Exception):
    """A sentence with cause and remedy."""


def run(*command):
    try:
        return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError as error:
        raise BundleError(f"{command[0]} is not here: {error}. Install it and run this again.") from error
    except subprocess.CalledProcessError as error:
        raise BundleError(f"{' '.join(map(str, command[:3]))} ... failed: {(error.stderr or error.stdout).strip()}") from error


def facts_of(build):
    file = build / "installer/bundle.facts"
    if not file.exists():
        raise BundleError(f"{build} holds no build with the command line and without sanitizers. Make one with ./dev build, then run ./dev bundle again.")
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def commit():
    try:
        return run("git", "-C", ROOT, "describe", "--always", "--dirty").strip()
    except BundleError:  # an unpacked release has no history
        return "no commit"


def modules_text(folder, cuda):
    there = [name for name in ("cuda", "vulkan") if (folder / f"lib/lavascope/lavascope-{name}.so").exists()]
    if not there:
        raise BundleError("Neither the CUDA nor the Vulkan backend was built, and the bundle is for GPUs. Install glslang-tools and libvulkan-dev, or the CUDA toolkit; "
                          "then run this again.")
    words = {"cuda": f"CUDA {cuda} (an NVIDIA driver {DRIVERS.get(cuda.split('.')[0], 'that fits')} or newer)", "vulkan": "Vulkan 1.2"}
    missing = [name for name in words if name not in there]
    text = "Backends in it: " + ", ".join(words[name] for name in there) + ", and the processor."
    return text + ("" if not missing else f" Without {missing[0].upper()}: what builds it was not there."), missing


def pack(folder, archive):
    run("tar", "--create", "--file", archive, "--use-compress-program", "xz -6 -T0", "--owner=root:0", "--group=root:0", "--sort=name", "-C", folder.parent, folder.name)
    size = archive.stat().st_size
    if size > MOST_BYTES:
        archive.unlink()
        raise BundleError(f"The bundle is too large: {size / 1e6:.1f} MB packed, at most {MOST_BYTES / 1e6:.0f} MB are allowed. The folder is kept for a look: {folder}")
    return size


def make(build, out):
    facts = facts_of(build)
    folder = out / f"lavascope-{facts['version']}-linux-x86_64"
    archive = out / (folder.name + ".tar.xz")
    shutil.rmtree(folder, ignore_errors=True)
    archive.unlink(missing_ok=True)
    run("cmake", "--install", build, "--component", "bundle", "--strip", "--prefix", folder)
    backends, missing = modules_text(folder, facts["cuda"])
    packages = libraries.add(folder, BundleError)
    libraries.add_licences(folder, packages, BundleError)
    glibc = libraries.check(folder, BundleError)
    check = folder / "share/lavascope/check"
    cases.write(ROOT / "tests/fixtures", check)
    (check / "glibc").write_text(glibc + "\n")
    (check / "version").write_text(f"{facts['version']} ({commit()})\n")
    words = {"version": facts["version"], "glibc": glibc, "modules": backends}
    text = re.sub("@([a-z]+)@", lambda m: words[m[1]], (ROOT / "installer/bundle/README.txt").read_text())
    (folder / "README.txt").write_text(text)
    size = pack(folder, archive)
    unpacked = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink())
    for name in missing:
        print(f"The bundle has no {name} backend: what builds it is not installed here.", file=sys.stderr)
    print(f"{archive}: {size / 1e6:.1f} MB, {unpacked / 1e6:.1f} MB unpacked, needs glibc {glibc}")


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        out = pathlib.Path(sys.argv[2]).absolute()
        out.mkdir(parents=True, exist_ok=True)
        make(pathlib.Path(sys.argv[1]).absolute(), out)
        return 0
    except (BundleError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
