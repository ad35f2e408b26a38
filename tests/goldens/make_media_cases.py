#!/usr/bin/env python3
"""Writes tests/fixtures/media with Pillow: small pictures of every kind, and hashes of what resizing must give.

    pip install numpy pillow
    python3 tests/goldens/make_media_cases.py
"""
import hashlib
import json
import pathlib
import shutil
import struct
import zlib

import numpy as np
from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "media"
EXPECT: dict = {"exact": {}, "near": {}, "resize": []}


def noise(width: int, height: int) -> Image.Image:
    """The tests compute the same picture."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    mixed = (x * 1103515245 + y * 747796405 + c * 277803737 + x * y * 1566083941 + 12345) & 0xFFFFFFFF
    return Image.fromarray(((mixed >> 16) & 255).astype(np.uint8), "RGB")


def digest(image: Image.Image) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def on_white(image: Image.Image) -> Image.Image:
    rgba = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", rgba.size, (255, 255, 255)), rgba).convert("RGB")


def exact(name: str, upright: Image.Image, **facts) -> None:
    EXPECT["exact"][name] = {"size": list(upright.size), "sha256": digest(upright), **facts}


def near(name: str, upright: Image.Image, **facts) -> None:
    """A lossy file: nine pixels in the middles of a 3 x 3 grid."""
    w, h = upright.size
    places = [((2 * i + 1) * w // 6, (2 * j + 1) * h // 6) for j in range(3) for i in range(3)]
    EXPECT["near"][name] = {"size": [w, h], "pixels": [[x, y, *upright.getpixel((x, y))] for x, y in places], **facts}


def fields() -> Image.Image:
    """Six plain colours in 3 x 2 fields: no symmetry."""
    image = Image.new("RGB", (24, 16))
    colours = [(220, 40, 40), (40, 200, 60), (50, 60, 210), (230, 220, 60), (30, 30, 30), (240, 240, 240)]
    for i, colour in enumerate(colours):
        image.paste(colour, (i % 3 * 8, i // 3 * 8, i % 3 * 8 + 8, i // 3 * 8 + 8))
    return image


# How the stored picture is made from the upright one, so that orientation n turns it back.
STORE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def turned_pictures() -> None:
    upright = fields()
    for turn, method in STORE.items():
        stored = upright.transpose(method) if method is not None else upright
        exif = Image.Exif()
        exif[0x0112] = turn
        stored.save(FOLDER / f"turn{turn}.jpg", quality=95, subsampling=0, exif=exif)
        near(f"turn{turn}.jpg", upright, turn=turn)
        if turn in (5, 6):
            stored.save(FOLDER / f"turn{turn}.png", exif=exif, optimize=True)
            exact(f"turn{turn}.png", upright, turn=turn)
            stored.save(FOLDER / f"turn{turn}.webp", lossless=True, exif=exif.tobytes())
            exact(f"turn{turn}.webp", upright, turn=turn)
    (FOLDER / "big-endian.jpg").write_bytes(with_big_endian_exif((FOLDER / "turn1.jpg").read_bytes(), 3))
    near("big-endian.jpg", upright.transpose(Image.Transpose.ROTATE_180), turn=3)


def with_big_endian_exif(jpeg: bytes, turn: int) -> bytes:
    tiff = b"MM\0\x2a" + struct.pack(">IHHHIHH", 8, 1, 0x0112, 3, 1, turn, 0) + b"\0\0\0\0"
    segment = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + jpeg[2:]


def png(width: int, height: int, depth: int, kind: int, passes: list[bytes], interlace: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"".join(passes), 9)) + chunk(b"IEND", b"")


def rows_of(pixels: np.ndarray) -> bytes:
    return b"".join(b"\0" + row.tobytes() for row in pixels)


def hand_made_png() -> None:
    image = noise(13, 11)
    pixels = np.asarray(image)
    adam7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    passes = [rows_of(pixels[y::dy, x::dx]) for x, y, dx, dy in adam7]
    (FOLDER / "interlaced.png").write_bytes(png(13, 11, 8, 2, passes, 1))
    exact("interlaced.png", image)
    deep = (pixels.astype(np.uint16) << 8 | 0x7F).astype(">u2")
    (FOLDER / "deep.png").write_bytes(png(13, 11, 16, 2, [rows_of(deep)], 0))
    exact("deep.png", image)
    grey = pixels[:, :, 0]
    (FOLDER / "deep-grey.png").write_bytes(png(13, 11, 16, 0, [rows_of((grey.astype(np.uint16) << 8 | 3).astype(">u2"))], 0))
    exact("deep-grey.png", Image.fromarray(grey, "L").convert("RGB"))
    # A header that promises far more than the data holds.
    (FOLDER / "bomb.png").write_bytes(png(65535, 65535, 8, 2, [b"\0" * 1000], 0))
    # Data that unfolds to far more than the header promises.
    (FOLDER / "unfolding.png").write_bytes(png(8, 8, 8, 2, [b"\0" * (24 << 20)], 0))


def ordinary_pictures() -> None:
    image = noise(21, 17)
    image.save(FOLDER / "rgb.png", optimize=True)
    exact("rgb.png", image)
    for name, mode in (("grey.png", "L"), ("bits.png", "1")):
        converted = image.convert(mode)
        converted.save(FOLDER / name, optimize=True)
        exact(name, converted.convert("RGB"))
    rgba = image.convert("RGBA")
    rgba.putalpha(noise(21, 17).transpose(Image.Transpose.ROTATE_180).getchannel(1))
    rgba.save(FOLDER / "alpha.png", optimize=True)
    exact("alpha.png", on_white(rgba), alpha=True)
    rgba.save(FOLDER / "alpha.webp", lossless=True, exact=True)
    exact("alpha.webp", on_white(rgba), alpha=True)
    rgba.convert("LA").save(FOLDER / "grey-alpha.png", optimize=True)
    exact("grey-alpha.png", on_white(rgba.convert("LA")), alpha=True)
    palette = image.quantize(16)
    palette.save(FOLDER / "palette.png", transparency=bytes(range(0, 256, 16)), optimize=True)
    exact("palette.png", on_white(Image.open(FOLDER / "palette.png")), alpha=True)
    palette.save(FOLDER / "plain.gif")
    exact("plain.gif", palette.convert("RGB"), alpha=True)
    palette.save(FOLDER / "frames.gif", save_all=True, append_images=[image.transpose(Image.Transpose.ROTATE_180).quantize(16)], duration=100)
    exact("frames.gif", Image.open(FOLDER / "frames.gif").convert("RGB"), alpha=True)
    image.save(FOLDER / "rgb.bmp")
    exact("rgb.bmp", image)
    image.save(FOLDER / "rgb.ppm")
    exact("rgb.ppm", image)
    image.convert("L").save(FOLDER / "grey.pgm")
    exact("grey.pgm", image.convert("L").convert("RGB"))
    image.save(FOLDER / "rgb.webp", lossless=True)
    exact("rgb.webp", image)
    image.save(FOLDER / "animated.webp", save_all=True, append_images=[image.transpose(Image.Transpose.ROTATE_180)], lossless=True)
    plain = fields()
    plain.save(FOLDER / "lossy.webp", quality=90)
    near("lossy.webp", Image.open(FOLDER / "lossy.webp").convert("RGB"))
    plain.save(FOLDER / "progressive.jpg", quality=95, progressive=True, subsampling=0)
    near("progressive.jpg", plain)
    plain.save(FOLDER / "half-colour.jpg", quality=95, subsampling=2)
    near("half-colour.jpg", Image.open(FOLDER / "half-colour.jpg").convert("RGB"))
    plain.convert("L").save(FOLDER / "grey.jpg", quality=95)
    near("grey.jpg", plain.convert("L").convert("RGB"))
    plain.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=95)
    near("cmyk.jpg", Image.open(FOLDER / "cmyk.jpg").convert("RGB"))


SIZES = [
    ((64, 48), (20, 30)), ((64, 48), (128, 96)), ((37, 91), (56, 56)), ((200, 3), (7, 5)), ((3, 200), (5, 7)), ((1, 1), (14, 14)),
    ((1, 300), (20, 20)), ((300, 1), (20, 20)), ((64, 48), (64, 20)), ((64, 48), (20, 48)), ((64, 48), (64, 48)), ((5, 5), (224, 224)),
    ((640, 480), (336, 336)), ((500, 333), (384, 384)), ((97, 211), (76, 152)), ((33, 17), (32, 18)),
]


def resizing() -> None:
    for size, target in SIZES:
        for name, method in (("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)):
            EXPECT["resize"].append({"from": size, "to": target, "filter": name, "sha256": digest(noise(*size).resize(target, method))})


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    turned_pictures()
    hand_made_png()
    ordinary_pictures()
    resizing()
    (FOLDER / "expect.json").write_text(json.dumps(EXPECT, indent=0) + "\n")


if __name__ == "__main__":
    main()
