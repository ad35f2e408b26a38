"""The shared libraries of the bundle: which are needed, where they lie, what they ask of the system, under which licences."""
import os
import pathlib
import re
import shutil
import subprocess

# Parts of glibc and the kernel's own: they come with every system and belong to its C library.
SYSTEM = re.compile(r"(linux-vdso|ld-linux-x86-64|lib(c|m|mvec|pthread|dl|rt|resolv|util|anl|nsl))\.so")
RUNTIME = ("libstdc++.so.6", "libgcc_s.so.1")
HEADERS_ONLY = ("nlohmann-json3-dev", "libcli11-dev", "libstb-dev", "libhwy-dev", "libexpected-dev")
CUDA_RUNTIME = """lib/lavascope/lavascope-cuda.so contains NVIDIA's CUDA runtime (libcudart_static), which the CUDA Toolkit's licence agreement lets applications pass
on (Attachment A, "CUDA Runtime"): https://docs.nvidia.com/cuda/eula/
"""
PLAIN = {**os.environ, "LC_ALL": "C"}


def output(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, env=PLAIN).stdout


def needed_by(program, error):
    """Name -> file of all libraries that the loader would take for a program."""
    found = {}
    for line in output("ldd", program).splitlines():
        name, _, rest = line.strip().partition(" => ")
        if SYSTEM.match(pathlib.PurePath(name).name):
            continue
        if rest.startswith("not found"):
            raise error(f"{program.name} needs {name}, which is not installed. Install its package and run this again.")
        if rest:
            found[name] = pathlib.Path(rest.split(" (")[0])
    return found


def loader_of_vulkan(error):
    for line in output("/sbin/ldconfig", "-p").splitlines():
        name, _, path = line.strip().partition(" => ")
        if name.startswith("libvulkan.so.1 ") and "x86-64" in name:
            return pathlib.Path(path)
    raise error("Vulkan's loader is not installed. Install libvulkan1 and run this again.")


def packages_of(files, error):
    """File -> Debian package, by one question: each reads the whole list of installed files."""
    names = {file: {str(file), "/usr" + str(file), os.path.realpath(file)} for file in files}
    asked = sorted(set().union(*names.values()))
    answer = subprocess.run(["dpkg-query", "-S", *asked], capture_output=True, text=True, check=False, env=PLAIN).stdout
    owners = {path: package.split(":")[0].split(",")[0] for package, path in (line.rsplit(": ", 1) for line in answer.splitlines() if ": " in line)}
    found = {file: next((owners[name] for name in paths if name in owners), None) for file, paths in names.items()}
    for file, package in found.items():
        if package is None:
            raise error(f"{file} belongs to no Debian package, so its licence is not known. Build the bundle on Debian, with its own libraries.")
    return found


def add(folder, error):
    """Copies the libraries; returns (file in the bundle, package) of each."""
    engine = needed_by(folder / "libexec/lavascope-engine", error)
    both = needed_by(folder / "libexec/lavascope-cli", error)
    places = {"engine": {n: f for n, f in engine.items() if n not in RUNTIME},
              "cli": {n: f for n, f in both.items() if n not in RUNTIME and n not in engine},
              "runtime": {n: f for n, f in both.items() if n in RUNTIME},
              "vulkan": {"libvulkan.so.1": loader_of_vulkan(error)}}
    owners = packages_of({file for files in places.values() for file in files.values()}, error)
    packages = []
    for place, files in places.items():
        target = folder / "lib" / place
        target.mkdir(parents=True)
        for name, file in sorted(files.items()):
            shutil.copyfile(file, target / name)
            (target / name).chmod(0o644)
            packages.append((f"lib/{place}/{name}", owners[file]))
    return packages


def add_licences(folder, packages, error):
    target = folder / "share/doc/lavascope/licences"
    target.mkdir(parents=True)
    names = sorted({package for _, package in packages} | set(HEADERS_ONLY))
    versions = dict(line.split("\t") for line in output("dpkg-query", "-W", "-f", "${Package}\t${Version} (source: ${source:Package} ${source:Version})\n", *names).splitlines())
    for name in names:
        text = pathlib.Path("/usr/share/doc") / name / "copyright"
        if not text.exists():
            raise error(f"The licence of {name} is missing: {text}. Install the package again.")
        shutil.copyfile(text, target / f"{name}.txt")
    if (folder / "lib/lavascope/lavascope-cuda.so").exists():
        (target / "cuda-runtime.txt").write_text(CUDA_RUNTIME)
    common = {match for name in names for match in re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", (target / f"{name}.txt").read_text(errors="replace"))}
    for name in sorted(common):
        if (pathlib.Path("/usr/share/common-licenses") / name).exists():
            shutil.copyfile(pathlib.Path("/usr/share/common-licenses") / name, target / f"common-{name}.txt")
    table = "".join(f"{file:<36} {package} {versions[package]}\n" for file, package in packages)
    inside = "".join(f"{'inside the programs':<36} {package} {versions[package]}\n" for package in HEADERS_ONLY)
    (target.parent / "libraries.txt").write_text("The shared libraries, unchanged files of Debian's packages; sources: https://sources.debian.org\n\n" + table + inside)


def is_elf(path):
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def check(folder, error):
    """All that is needed is inside or part of glibc; returns the newest version of glibc that is asked for."""
    files = [f for f in folder.rglob("*") if f.is_file() and is_elf(f)]
    inside = {f.name for f in files}
    newest = (2, 0)
    for file in files:
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", file)):
            if name not in inside and not SYSTEM.match(name):
                raise error(f"{file.relative_to(folder)} needs {name}, which is not in the bundle")
        for version in re.findall(r"\bGLIBC_([0-9.]+)", output("readelf", "--version-info", file)):
            newest = max(newest, tuple(map(int, version.split("."))))
    for program in ("lavascope-engine", "lavascope-cli"):
        if "(RPATH)" not in output("readelf", "-d", folder / "libexec" / program):
            raise error(f"{program} has no RPATH and would not find its libraries. Configure the build again.")
    return ".".join(map(str, newest))
