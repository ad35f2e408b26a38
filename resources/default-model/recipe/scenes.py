"""Composite pictures with exact labels: cut-outs on photographs, plain colours, gradients and patterns.

A scene is reproducible from (seed, index) and the cut-out library alone.
"""

from __future__ import annotations

import io
import json
import math
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import colours

LONG_SIDE = 512
RATIOS = (1.0, 1.0, 1.0, 4 / 3, 4 / 3, 3 / 4, 3 / 2, 2 / 3, 16 / 9)
COUNT_WEIGHTS = (0.27, 0.3, 0.2, 0.15, 0.08)
MAX_OVERLAP = 0.12  # of the smaller box
FONTS = "/usr/share/fonts/truetype/dejavu"
WORDS = ("OPEN", "EXIT", "SALE", "HELLO", "MENU", "TAXI", "COFFEE", "STOP", "NEWS", "MUSIC", "PARK", "HOTEL", "WELCOME", "MONDAY", "2026", "BUS 12", "READ ME", "GARDEN", "NORTH")


@dataclass
class Placed:
    noun: str
    box: tuple[float, float, float, float]  # on the padded square, 0..1
    colour: str | None
    cutout: int


@dataclass
class Scene:
    picture: Image.Image
    kind: str = "scene"  # scene, plain, noise, text, dark
    things: list[Placed] = field(default_factory=list)
    background: str | None = None
    text: str | None = None


class Library:
    """The cut-outs of one split, by noun, and background photographs."""

    def __init__(self, work: Path, split: str, nouns: set[str] | None = None):
        meta = json.loads((work / "cutouts/meta.json").read_text())
        self.folder = work / "cutouts"
        self.entries = [dict(entry, index=i) for i, entry in enumerate(meta)]
        self.by_noun: dict[str, list[int]] = {}
        for i, entry in enumerate(self.entries):
            if entry["split"] == split and (nouns is None or entry["noun"] in nouns):
                self.by_noun.setdefault(entry["noun"], []).append(i)
        self.nouns = sorted(self.by_noun)
        self.weights = [(len(self.by_noun[noun]) ** 0.5) for noun in self.nouns]
        photographs = sorted((work / "backgrounds").glob("*.jpg"))
        self.backgrounds = [path for i, path in enumerate(photographs) if (i % 6 == 5) == (split == "held")]
        self._images: dict[int, Image.Image] = {}
        self._photographs: dict[Path, Image.Image] = {}

    def image(self, index: int) -> Image.Image:
        if index not in self._images:
            self._images[index] = Image.open(self.folder / self.entries[index]["file"]).convert("RGBA")
        return self._images[index]

    def photograph(self, path: Path) -> Image.Image:
        if path not in self._photographs:
            self._photographs[path] = Image.open(path).convert("RGB")
        return self._photographs[path]


def _gradient(rng: random.Random, width: int, height: int) -> np.ndarray:
    corners = [np.array([rng.randrange(256) for _ in range(3)], np.float32) for _ in range(4)]
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    return corners[0] * (1 - x) * (1 - y) + corners[1] * x * (1 - y) + corners[2] * (1 - x) * y + corners[3] * x * y


def _pattern(rng: random.Random, width: int, height: int) -> Image.Image:
    """Stripes, checks, blobs, or a wall over a floor: shapes that are nothing nameable."""
    image = Image.new("RGB", (width, height), tuple(rng.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    second = tuple(rng.randrange(256) for _ in range(3))
    kind = rng.random()
    if kind < 0.3:
        draw.rectangle([0, int(height * rng.uniform(0.4, 0.75)), width, height], fill=second)
    elif kind < 0.55:
        step = rng.randrange(12, 90)
        for i in range(-height, width, 2 * step):
            slant = height if rng.random() < 0.5 else 0
            draw.polygon([(i, 0), (i + step, 0), (i + step + slant, height), (i + slant, height)], fill=second)
    elif kind < 0.7:
        step = rng.randrange(16, 80)
        for i in range(0, width, step):
            for j in range((i // step) % 2 * step, height, 2 * step):
                draw.rectangle([i, j, i + step - 1, j + step - 1], fill=second)
    else:
        for _ in range(rng.randrange(5, 40)):
            r, x, y = rng.uniform(0.02, 0.25) * width, rng.uniform(0, width), rng.uniform(0, height)
            draw.ellipse([x - r, y - r, x + r, y + r], fill=tuple(min(255, max(0, c + rng.randrange(-40, 41))) for c in second))
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 14)))
    return image


def background(rng: random.Random, library: Library, width: int, height: int) -> tuple[Image.Image, str | None]:
    """A picture to paste on, and the name of its colour when it has one."""
    choice = rng.random()
    if choice < 0.42 and library.backgrounds:
        photograph = library.photograph(rng.choice(library.backgrounds))
        scale = rng.uniform(0.4, 1) * min(photograph.width / width, photograph.height / height)
        w, h = max(1, int(width * scale)), max(1, int(height * scale))
        x, y = rng.randrange(photograph.width - w + 1), rng.randrange(photograph.height - h + 1)
        image = photograph.resize((width, height), Image.BILINEAR, box=(x, y, x + w, y + h))
        return (image.transpose(Image.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image), None
    if choice < 0.66:
        tone = rng.random()
        colour = (255, 255, 255) if tone < 0.35 else (rng.randrange(256),) * 3 if tone < 0.5 else tuple(rng.randrange(256) for _ in range(3))
        image = Image.new("RGB", (width, height), colour)
        return image, colours.NAMES[int(colours.name_pixels(np.array([colour], np.uint8))[0])]
    if choice < 0.82:
        return _pattern(rng, width, height), None
    values = _gradient(rng, width, height)
    if rng.random() < 0.5:
        cells = rng.choice((6, 16, 50))
        noise = np.random.RandomState(rng.randrange(1 << 30)).randint(0, 100, (cells, cells, 3)).astype(np.uint8)
        values = values + np.asarray(Image.fromarray(noise).resize((width, height), Image.BILINEAR), np.float32) - 50
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8)), None


def recolour(rng: random.Random, image: Image.Image) -> Image.Image:
    pixels = np.asarray(image)
    hsv = np.asarray(Image.fromarray(pixels[..., :3]).convert("HSV")).copy()
    hsv[..., 0] = (hsv[..., 0].astype(int) + rng.randrange(30, 226)) % 256
    return Image.fromarray(np.dstack([np.asarray(Image.fromarray(hsv, "HSV").convert("RGB")), pixels[..., 3]]), "RGBA")


def vary(rng: random.Random, image: Image.Image) -> Image.Image:
    if rng.random() < 0.5:
        image = image.transpose(Image.FLIP_LEFT_RIGHT)
    if rng.random() < 0.5:
        image = image.rotate(rng.uniform(-14, 14), Image.BICUBIC, expand=True)
        image = image.crop(image.getchannel("A").point(lambda v: 255 * (v > 24)).getbbox())
    if rng.random() < 0.4:  # brightness and contrast of another light
        pixels = np.asarray(image).astype(np.float32)
        pixels[..., :3] = (pixels[..., :3] - 128) * rng.uniform(0.75, 1.2) + 128 + rng.uniform(-18, 18)
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")
    return image


def _choose(rng: random.Random, library: Library) -> list[int]:
    count = rng.choices((1, 2, 3, 4, 5), COUNT_WEIGHTS)[0]
    chosen: list[int] = []
    while len(chosen) < count:
        noun = rng.choices(library.nouns, library.weights)[0]
        repeats = rng.randrange(2, count - len(chosen) + 1) if rng.random() < 0.4 and count - len(chosen) > 1 else 1
        same = rng.random() < 0.5
        first = rng.choice(library.by_noun[noun])
        for _ in range(repeats):
            chosen.append(first if same else rng.choice(library.by_noun[noun]))
    return chosen


def _overlap(a: tuple[int, ...], b: tuple[int, ...]) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


def _place(rng: random.Random, cutout: Image.Image, count: int, taken: list[tuple[int, ...]], width: int, height: int) -> tuple[int, int, int, int] | None:
    largest = (0.9, 0.6, 0.5, 0.45, 0.4)[count - 1]
    for attempt in range(16):
        scale = rng.uniform(0.18, largest) * 0.94**attempt * min(width, height) / max(cutout.size)
        w, h = max(int(cutout.width * scale), 6), max(int(cutout.height * scale), 6)
        if w > width or h > height:
            continue
        x, y = rng.randrange(width - w + 1), rng.randrange(height - h + 1)
        box = (x, y, x + w, y + h)
        if all(_overlap(box, other) <= MAX_OVERLAP for other in taken):
            return box
    return None


def _weather(rng: random.Random, image: Image.Image) -> Image.Image:
    """What cameras and files do: blur, noise, compression."""
    if rng.random() < 0.2:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.3)))
    if rng.random() < 0.2:
        noise = np.random.RandomState(rng.randrange(1 << 30)).normal(0, rng.uniform(2, 9), (image.height, image.width, 1))
        image = Image.fromarray(np.clip(np.asarray(image, np.float32) + noise, 0, 255).astype(np.uint8))
    if rng.random() < 0.4:
        data = io.BytesIO()
        image.save(data, "JPEG", quality=rng.randrange(35, 92))
        image = Image.open(data).convert("RGB")
    return image


def on_square(box: tuple[float, ...], width: int, height: int) -> tuple[float, float, float, float]:
    """Pixels of a picture -> 0..1 on the centred square it is padded to."""
    side = max(width, height)
    dx, dy = (side - width) // 2, (side - height) // 2
    return ((box[0] + dx) / side, (box[1] + dy) / side, (box[2] + dx) / side, (box[3] + dy) / side)


def size_of(rng: random.Random) -> tuple[int, int]:
    ratio = rng.choice(RATIOS)
    return (LONG_SIDE, round(LONG_SIDE / ratio)) if ratio >= 1 else (round(LONG_SIDE * ratio), LONG_SIDE)


def compose(rng: random.Random, library: Library) -> Scene:
    """One to five cut-outs with little overlap."""
    width, height = size_of(rng)
    image, ground = background(rng, library, width, height)
    chosen, taken, things = _choose(rng, library), [], []
    for index in chosen:
        cutout = library.image(index)
        if rng.random() < 0.2 and not library.entries[index].get("photo"):
            cutout = recolour(rng, cutout)
        cutout = vary(rng, cutout)
        box = _place(rng, cutout, len(chosen), taken, width, height)
        if box is None:
            continue
        pasted = cutout.resize((box[2] - box[0], box[3] - box[1]), Image.BICUBIC)
        if rng.random() < 0.3:  # a soft edge
            alpha = pasted.getchannel("A").filter(ImageFilter.GaussianBlur(0.8))
            pasted.putalpha(alpha)
        image.paste(pasted, box[:2], pasted)
        taken.append(box)
        things.append(Placed(library.entries[index]["noun"], on_square(box, width, height), colours.dominant(np.asarray(pasted)), index))
    return Scene(_weather(rng, image), "scene", things, ground)


def _text_picture(rng: random.Random, library: Library, width: int, height: int) -> tuple[Image.Image, str]:
    image, _ = background(rng, library, width, height) if rng.random() < 0.4 else (Image.new("RGB", (width, height), (250, 250, 247)), None)
    draw = ImageDraw.Draw(image)
    ink = (15, 15, 20) if np.asarray(image.resize((1, 1)))[0, 0].mean() > 110 else (245, 245, 240)
    face = rng.choice(("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"))
    if rng.random() < 0.5:
        text = rng.choice(WORDS)
        font = ImageFont.truetype(f"{FONTS}/{face}", max(12, int(0.9 * width / (0.75 * len(text)))))
        draw.text((width / 2, height / 2), text, ink, font, anchor="mm")
        return image, text
    size = rng.randrange(14, 34)
    font = ImageFont.truetype(f"{FONTS}/{face}", size)
    text = ""
    for y in range(10, height - size, int(size * 1.4)):
        line = " ".join(rng.choice(("the", "and", "of", "a", "window", "river", "number", "please", "market", "letter", "on", "is", "we", "2", "17", "quiet", "price")) for _ in range(8))
        draw.text((10, y), line, ink, font)
        text = text or line
    return image, text


def odd_picture(rng: random.Random, library: Library) -> Scene:
    """Pictures that show nothing: plain, noise, almost black, a background alone, or only text."""
    width, height = size_of(rng)
    kind = rng.choice(("plain", "noise", "dark", "empty", "text", "text"))
    if kind == "plain":
        colour = (rng.randrange(256),) * 3 if rng.random() < 0.4 else tuple(rng.randrange(256) for _ in range(3))
        name = colours.NAMES[int(colours.name_pixels(np.array([colour], np.uint8))[0])]
        return Scene(Image.new("RGB", (width, height), colour), "dark" if max(colour) < 30 else "plain", [], name)
    if kind == "noise":
        state = np.random.RandomState(rng.randrange(1 << 30))
        grey = state.randint(0, 256, (height, width, 1 if rng.random() < 0.5 else 3)).astype(np.uint8)
        return Scene(Image.fromarray(np.broadcast_to(grey, (height, width, 3)).copy()), "noise")
    if kind == "dark":
        state = np.random.RandomState(rng.randrange(1 << 30))
        return Scene(Image.fromarray(state.randint(0, rng.randrange(2, 22), (height, width, 3)).astype(np.uint8)), "dark", [], "black")
    if kind == "text":
        image, text = _text_picture(rng, library, width, height)
        return Scene(_weather(rng, image), "text", [], None, text)
    image, ground = background(rng, library, width, height)
    return Scene(_weather(rng, image), "scene", [], ground)


def pad_to_square(picture: Image.Image) -> Image.Image:
    side = max(picture.size)
    if picture.width == picture.height:
        return picture
    sheet = Image.new("RGB", (side, side), (128, 128, 128))
    sheet.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return sheet


def contact_sheet(scenes: list[Scene], columns: int = 4, side: int = 256) -> Image.Image:
    """Scenes with their labels drawn, to look at."""
    rows = math.ceil(len(scenes) / columns)
    sheet = Image.new("RGB", (columns * side, rows * side))
    for i, scene in enumerate(scenes):
        square = pad_to_square(scene.picture).resize((side, side))
        draw = ImageDraw.Draw(square)
        for thing in scene.things:
            draw.rectangle([v * side for v in thing.box], outline=(255, 0, 0))
            draw.text((thing.box[0] * side, thing.box[1] * side), f"{thing.noun} {thing.colour}", (255, 0, 0))
        sheet.paste(square, (i % columns * side, i // columns * side))
    return sheet
