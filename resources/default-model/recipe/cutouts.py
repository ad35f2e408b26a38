"""Collects the cut-outs: named pictures of single things with a transparent background.

The catalogue files beside this script say which picture counts as which noun; this script finds the pictures in the
packages, drops what cannot serve (no transparency, line art, exact copies), crops and scales them, and writes

    WORK/cutouts/00000.png ...   RGBA, cropped to what is opaque, long side at most 256
    WORK/cutouts/meta.json       [{"file", "noun", "source", "licence", "photo", "split"}, ...]

A picture named in held.txt has split "held" and must never be used in training; all others have split "train".
"""
from __future__ import annotations

import argparse
import fnmatch
import hashlib
import io
import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

HERE = Path(__file__).resolve().parent
LONG_SIDE = 256
Image.MAX_IMAGE_PIXELS = None  # some drawings were exported at 15,000 pixels a side; opened() has the limit
MOST_PIXELS = 200_000_000
EMOJI_PIXELS = 109  # the one size the bitmap font has


# Series of one drawing in many variants, which the comparison of pictures does not always recognise.
SERIES = ("people_juliane", "smiley0", "smiley1", "ppl", "glace_", "cone", "clock0", "clock1", "tree_-_rpg", "mountain_-_rpg",
          "gift0", "baloon", "balloon-", "candy_", "simple_teddy", "stylized_teddy", "lightning_jon", "buddy", "mouth_-", "woman_police",
          "moon-", "gps_geko", "pinkhome", "chesspieces", "lemon_", "lime_", "orange_simple", "hummer", "pin_-", "eclipse", "foglie",
          "muffin", "pie_", "head", "kubek", "zielony", "tiger_", "dog_0", "traslocatore", "lightbulb_jon", "cfbulb", "ruota", "trumpet_")


@dataclass
class CutOut:
    """One picture: `group` ties near-duplicates together, which stay on one side of the split."""

    noun: str
    source: str
    licence: str
    image: Image.Image
    photo: bool = False
    group: int = field(default=-1)


def read_catalogue(name: str) -> list[tuple[str, list[str]]]:
    """Lines `noun: item item ...` of a catalogue file; `#` starts a comment line."""
    entries = []
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            noun, _, items = line.partition(":")
            entries.append((noun.strip(), items.split()))
    return entries


def read_lines(name: str) -> set[str]:
    """The first words of a list file's lines (the rest of a line is a remark)."""
    path = HERE / name
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def emoji(font_path: Path) -> Iterator[CutOut]:
    """Noto Color Emoji glyphs, drawn at the font's own size."""
    font = ImageFont.truetype(str(font_path), EMOJI_PIXELS)
    for noun, signs in read_catalogue("catalogue_emoji.txt"):
        for sign in signs:
            image = Image.new("RGBA", (300, 150), (0, 0, 0, 0))
            ImageDraw.Draw(image).text((8, 8), sign, font=font, embedded_color=True)
            if image.getbbox() is None or image.getbbox()[2] > 150:  # unknown, or a sequence without a glyph of its own
                print(f"emoji: the font has no single glyph for {sign} ({noun})", file=sys.stderr)
                continue
            code = "-".join(f"{ord(c):x}" for c in sign if ord(c) != 0xFE0F)
            yield CutOut(noun, f"noto-emoji:{code}", "OFL-1.1", image)


def opened(path: Path) -> Image.Image | None:
    """The picture, or None (with a word on stderr) if it is too large to unpack."""
    image = Image.open(path)
    if image.width * image.height > MOST_PIXELS:
        print(f"dropped: {image.width} x {image.height} pixels: {path}", file=sys.stderr)
        return None
    return image


def openclipart(root: Path) -> Iterator[CutOut]:
    """Open Clip Art Library drawings, found by their file stems; a stem is used once (topics overlap)."""
    by_stem: dict[str, Path] = {}
    for path in sorted(root.rglob("*.png")):
        by_stem.setdefault(path.stem, path)
    used: set[str] = set()
    for noun, patterns in read_catalogue("catalogue_openclipart.txt"):
        for pattern in patterns:
            stems = fnmatch.filter(by_stem, pattern)
            if not stems:
                print(f"openclipart: nothing matches {pattern} ({noun})", file=sys.stderr)
            for stem in sorted(set(stems) - used):
                used.add(stem)
                path = by_stem[stem]
                source = f"openclipart:{path.relative_to(root).with_suffix('')}"
                image = opened(path)
                if image is not None:
                    yield CutOut(noun, source, "public domain", image)


def drawn(path: Path) -> Image.Image | None:
    """A PNG as it is, an SVG drawn by rsvg-convert (Debian: librsvg2-bin) at twice the size that is kept."""
    if path.suffix != ".svg":
        return opened(path)
    size = str(2 * LONG_SIDE)
    run = subprocess.run(["rsvg-convert", "--keep-aspect-ratio", "-w", size, "-h", size, str(path)], capture_output=True, check=True)
    return Image.open(io.BytesIO(run.stdout))


def listed(catalogue: str, root: Path, prefix: str, licence: str) -> Iterator[CutOut]:
    """Pictures that a catalogue names by file; a `!` after the name says that it is a photograph."""
    for noun, names in read_catalogue(catalogue):
        for name in names:
            image = drawn(root / name.rstrip("!"))
            if image is not None:
                yield CutOut(noun, f"{prefix}:{name.rstrip('!').rsplit('.', 1)[0]}", licence, image, photo=name.endswith("!"))


def normalised(image: Image.Image) -> Image.Image | None:
    """RGBA, cropped to the opaque part and scaled down; None if hardly anything is opaque."""
    image = image.convert("RGBA")
    image.thumbnail((4 * LONG_SIDE, 4 * LONG_SIDE), Image.Resampling.LANCZOS)
    opaque = np.asarray(image)[..., 3] > 24
    if opaque.sum() < 400:
        return None
    ys, xs = np.where(opaque.any(1))[0], np.where(opaque.any(0))[0]
    image = image.crop((int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1))
    image.thumbnail((LONG_SIDE, LONG_SIDE), Image.Resampling.LANCZOS)
    return image


def defect(image: Image.Image) -> str | None:
    """Why a picture cannot serve as a cut-out, or None."""
    pixels = np.asarray(image).astype(np.int32)
    alpha, rgb = pixels[..., 3], pixels[..., :3]
    opaque = alpha > 128
    if max(image.size) < 32 or min(image.size) < 12:
        return "too small"
    if max(image.size) > 8 * min(image.size):
        return "too long"
    if opaque.mean() < 0.12:
        return "only lines"
    inside = rgb[opaque]
    chroma = (inside.max(1) - inside.min(1)).mean()
    white, black = (inside.min(1) > 225).mean(), (inside.max(1) < 60).mean()
    if chroma < 8 and (white > 0.6 or black > 0.8 or white + black > 0.9):
        return "line art or silhouette"
    return None


def signature(image: Image.Image) -> np.ndarray:
    """24 x 24 brightness (on grey) and alpha of a picture squeezed to a square: compares drawings, not colours."""
    small = np.asarray(image.resize((24, 24), Image.Resampling.BOX)).astype(np.float32) / 255
    alpha = small[..., 3]
    grey = small[..., :3].mean(-1) * alpha + 0.5 * (1 - alpha)
    return np.stack([grey - grey.mean(), alpha - alpha.mean()])


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """The weaker of the two correlations (brightness, outline); filled squares have no outline to compare."""
    values = []
    for x, y in zip(a, b):
        norm = float(np.sqrt((x * x).sum() * (y * y).sum()))
        if norm > 1.0:
            values.append(float((x * y).sum()) / norm)
    return min(values) if values else 1.0


def family(source: str) -> str:
    """What file names of variants have in common: the name without digits, colours and size words."""
    stem = source.split(":", 1)[1].split("/")[-1].lower()
    for start in SERIES:
        if stem.startswith(start):
            return start
    words = "".join(c if c.isalpha() else " " for c in stem).split()
    colours = {"red", "blue", "green", "yellow", "black", "white", "orange", "purple", "pink", "gray", "grey", "bw", "colour"}
    return " ".join(w for w in words if w not in colours) if not source.startswith("noto") else stem.split("-")[0]


def tie_groups(cuts: list[CutOut]) -> None:
    """Gives near-duplicates of one noun the same group: variants of a name when alike, any two when very alike."""
    parent = list(range(len(cuts)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    by_noun: dict[str, list[int]] = {}
    for i, cut in enumerate(cuts):
        by_noun.setdefault(cut.noun, []).append(i)
    for members in by_noun.values():
        names = {i: family(cuts[i].source) for i in members}
        views = {i: signature(cuts[i].image) for i in members}
        for n, i in enumerate(members):
            for j in members[:n]:
                same_name = names[i] == names[j]
                alike = max(likeness(views[i], views[j]), likeness(views[i], views[j][..., ::-1]))
                if alike > (0.6 if same_name else 0.9) or (same_name and names[i] in SERIES):
                    parent[find(i)] = find(j)
    for i, cut in enumerate(cuts):
        cut.group = find(i)


def collect(args: argparse.Namespace) -> list[CutOut]:
    """All usable cut-outs of all sources, exact copies and excluded ones dropped."""
    excluded, kept, seen, dropped, cuts = read_lines("excluded.txt"), read_lines("kept.txt"), set(), Counter(), []
    sources = [
        emoji(args.emoji_font),
        openclipart(args.openclipart),
        listed("catalogue_tuxpaint.txt", args.tuxpaint, "tuxpaint", "public domain"),
        listed("catalogue_tango.txt", args.tango, "tango", "public domain"),
        listed("catalogue_kenney.txt", args.arcade / "arcade/resources/assets/images", "kenney", "CC0-1.0"),
    ]
    for cut in (cut for source in sources for cut in source):
        if cut.source in excluded:
            dropped["excluded by eye"] += 1
            continue
        image = normalised(cut.image)
        fault = "empty" if image is None else None if cut.source in kept else defect(image)
        digest = None if image is None else hashlib.sha256(image.tobytes()).hexdigest()
        fault = fault or ("copy" if digest in seen else None)
        if fault:
            dropped[fault] += 1
            print(f"dropped: {fault}: {cut.source} ({cut.noun})", file=sys.stderr)
            continue
        seen.add(digest)
        cut.image = image
        cuts.append(cut)
    print("dropped:", dict(dropped))
    return cuts


def draw(group: list[CutOut]) -> float:
    """A fixed number in 0..1 for a group, from the name of its first picture."""
    digest = hashlib.sha256(("held " + min(c.source for c in group)).encode()).hexdigest()
    return int(digest[:8], 16) / 2**32


def propose_held(cuts: list[CutOut], share: float, known: dict[str, str]) -> list[str]:
    """Sources to hold out: those held before, a fixed share of the new groups, and one group of a noun that has none.

    A noun keeps at least three training pictures; no picture changes sides.
    """
    groups: dict[int, list[CutOut]] = {}
    for cut in cuts:
        groups.setdefault(cut.group, []).append(cut)
    training = Counter(cut.noun for cut in cuts)
    held: set[str] = set()
    fresh = []
    for group in sorted(groups.values(), key=draw):
        sides = {known[c.source] for c in group if c.source in known}
        if not sides:
            fresh.append(group)
        elif "held" in sides:
            held |= {c.source for c in group if known.get(c.source) != "train"}
            training[group[0].noun] -= sum(c.source in held for c in group)
        if len(sides) == 2:
            print("a group is on both sides:", [c.source for c in group], file=sys.stderr)
    covered = {c.noun for c in cuts if c.source in held}
    for group in fresh:
        noun = group[0].noun
        if training[noun] - len(group) >= 3 and (draw(group) < share or noun not in covered):
            held |= {c.source for c in group}
            covered.add(noun)
            training[noun] -= len(group)
    return sorted(held)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="folder to write cutouts/ into")
    parser.add_argument("--openclipart", type=Path, default=Path("/usr/share/openclipart/png"))
    parser.add_argument("--tuxpaint", type=Path, default=Path("/usr/share/tuxpaint/stamps"))
    parser.add_argument("--tango", type=Path, default=Path("/usr/share/icons/Tango/scalable"))
    parser.add_argument("--arcade", type=Path, required=True, help="folder that the wheel of the Python package arcade was unpacked into")
    parser.add_argument("--emoji-font", type=Path, default=Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"))
    parser.add_argument("--propose-held", action="store_true", help="rewrite held.txt; pictures of an earlier meta.json keep their side")
    args = parser.parse_args()
    folder = args.work / "cutouts"
    folder.mkdir(parents=True, exist_ok=True)
    meta_path = folder / "meta.json"
    cuts = collect(args)
    tie_groups(cuts)
    if args.propose_held:
        known = {m["source"]: m["split"] for m in json.loads(meta_path.read_text())} if meta_path.exists() else {}
        text = "# sources held out of every training, whole groups of near-duplicates together\n"
        (HERE / "held.txt").write_text(text + "".join(s + "\n" for s in propose_held(cuts, 0.17, known)), encoding="utf-8")
    held = read_lines("held.txt")
    meta = []
    for i, cut in enumerate(cuts):
        name = f"{i:05d}.png"
        cut.image.save(folder / name)
        meta.append({"file": name, "noun": cut.noun, "source": cut.source, "licence": cut.licence, "photo": cut.photo,
                     "split": "held" if cut.source in held else "train", "group": cut.group})
    meta_path.write_text(json.dumps(meta, indent=0, ensure_ascii=False), encoding="utf-8")
    print(len(meta), "cut-outs,", len({m["noun"] for m in meta}), "nouns,", Counter(m["split"] for m in meta),
          Counter(m["source"].split(":")[0] for m in meta))


if __name__ == "__main__":
    main()
