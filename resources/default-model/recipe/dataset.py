"""Scenes and what the towers see of them, computed once and kept in shards of npz files."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

import proposals
from features import Seen, Towers
from scenes import Library, Placed, compose, odd_picture

SHARD = 200
ODD_SHARE = 0.08
MATCH = 0.5  # IoU at which a found box is a thing


@dataclass
class Example:
    """One picture: its truth, and boxes with features. Boxes are the whole picture, the found ones (largest first), then given ones."""

    kind: str
    background: str | None
    text: str | None
    things: list[Placed]
    seen: Seen
    photo: bool = False

    @property
    def found(self) -> int:
        return int((self.seen.region == 0).sum()) - 1


def iou(a, b) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h)


def match(things: list[Placed], boxes: np.ndarray) -> list[int]:
    """For every thing the index of its box, -1 where none covers it; every box is used once, best pairs first."""
    pairs = sorted(((iou(t.box, b), i, k) for i, t in enumerate(things) for k, b in enumerate(boxes)), reverse=True)
    result, taken = [-1] * len(things), set()
    for overlap, i, k in pairs:
        if overlap < MATCH:
            break
        if result[i] < 0 and k not in taken:
            result[i] = k
            taken.add(k)
    return result


def given_boxes(rng: random.Random, things: list[Placed]) -> np.ndarray:
    """What a user might draw: around every thing with a loose hand, and once somewhere else."""
    boxes = []
    for thing in things:
        w, h = thing.box[2] - thing.box[0], thing.box[3] - thing.box[1]
        boxes.append([thing.box[i] + rng.gauss(0, 0.06) * (w if i % 2 == 0 else h) for i in range(4)])
    x, y, w, h = rng.uniform(0, 0.8), rng.uniform(0, 0.8), rng.uniform(0.1, 0.4), rng.uniform(0.1, 0.4)
    boxes.append([x, y, x + w, y + h])
    boxes = np.clip(np.array(boxes, np.float32), 0, 1)
    keep = (boxes[:, 2] - boxes[:, 0] > 0.02) & (boxes[:, 3] - boxes[:, 1] > 0.02)
    return boxes[keep]


def _save(path: Path, examples: list[Example]) -> None:
    seen = [e.seen for e in examples]
    meta = [{"kind": e.kind, "background": e.background, "text": e.text, "photo": e.photo, "n": len(e.seen.boxes),
             "things": [[t.noun, list(map(float, t.box)), t.colour, t.cutout] for t in e.things]} for e in examples]
    part = path.with_suffix(".part")
    with open(part, "wb") as out:
        np.savez(out, boxes=np.concatenate([s.boxes for s in seen]), scores=np.concatenate([s.scores for s in seen]), features=np.concatenate([s.features for s in seen]).astype(np.float16),
                 imagenet=np.concatenate([s.imagenet for s in seen]).astype(np.float16), region=np.concatenate([s.region for s in seen]), meta=np.frombuffer(json.dumps(meta).encode(), np.uint8))
    os.replace(part, path)


def load(folder: Path) -> list[Example]:
    examples = []
    for path in sorted(folder.glob("*.npz")):
        data = np.load(path)
        meta, at = json.loads(data["meta"].tobytes()), 0
        arrays = {name: data[name] for name in ("boxes", "scores", "features", "imagenet", "region")}
        for entry in meta:
            part = {name: value[at : at + entry["n"]] for name, value in arrays.items()}
            at += entry["n"]
            examples.append(Example(entry["kind"], entry["background"], entry["text"], [Placed(n, tuple(b), c, i) for n, b, c, i in entry["things"]], Seen(**part), entry["photo"]))
    return examples


def load_head(file: Path) -> proposals.ProposalHead:
    head = proposals.ProposalHead()
    state = load_file(str(file))
    head.load_state_dict({name.replace(".weight", ".conv.weight").replace(".bias", ".conv.bias"): value.float() for name, value in state.items()})
    return head.eval().requires_grad_(False)


def _shard(job: tuple[Path, Path, Path, Path, str, int, int]) -> str:
    work, folder, detector_file, classifier_file, split, seed, shard = job
    target = folder / f"{shard:04d}.npz"
    if target.exists():
        return f"{target.name} was there"
    torch.set_num_threads(1)
    global _state
    if _state is None or _state[0] != split:
        _state = (split, Library(work, split), Towers(detector_file, classifier_file, 1, precision="bf16"), load_head(work / "proposals.safetensors"))
    _, library, towers, head = _state
    examples: list[Example] = []
    for start in range(0, SHARD, 8):
        scenes, given = [], []
        for i in range(start, min(start + 8, SHARD)):
            rng = random.Random((seed * 10_007 + shard) * 1_009 + i)
            scene = odd_picture(rng, library) if rng.random() < ODD_SHARE else compose(rng, library)
            scenes.append(scene)
            given.append(given_boxes(rng, scene.things))
        for scene, seen in zip(scenes, towers.look([s.picture for s in scenes], head, given)):
            examples.append(Example(scene.kind, scene.background, scene.text, scene.things, seen))
    _save(target, examples)
    return target.name


_state: tuple | None = None


def build(work: Path, name: str, detector_file: Path, classifier_file: Path, split: str, shards: range, seed: int, workers: int = 2, log=print) -> None:
    """Computes the shards of features/NAME that are not there yet; a run that was stopped goes on where it was."""
    folder = work / "features" / name
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(work, folder, detector_file, classifier_file, split, seed, shard) for shard in shards]
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for i, done in enumerate(pool.imap_unordered(_shard, jobs)):
            log(f"features {name} {i + 1}/{len(jobs)} {done}")


VIEWS = 6  # of every training photograph


def photograph_views(work: Path, name: str, detector_file: Path, classifier_file: Path, seed: int, log=print) -> None:
    """Parts of the training photographs with what was found in them and loose boxes: no labels, but the look of photographs."""
    folder = work / "features" / name
    target = folder / "0000.npz"
    if target.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    library = Library(work, "train")
    paths = [*library.backgrounds, *sorted((work / "photos_train").glob("*.jpg"))]
    towers, head, rng = Towers(detector_file, classifier_file, 1, precision="bf16"), load_head(work / "proposals.safetensors"), random.Random(seed)
    examples: list[Example] = []
    for i, path in enumerate(paths):
        photograph = library.photograph(path)
        views, given = [], []
        for k in range(VIEWS):
            share = 1.0 if k == 0 else rng.uniform(0.35, 0.9)
            w, h = int(photograph.width * share), int(photograph.height * (share if rng.random() < 0.5 else min(1.0, share * rng.uniform(0.8, 1.25))))
            x, y = rng.randrange(photograph.width - w + 1), rng.randrange(photograph.height - h + 1)
            view = photograph.crop((x, y, x + w, y + h))
            view.thumbnail((512, 512), Image.BILINEAR)
            views.append(view)
            given.append(np.concatenate([given_boxes(rng, []) for _ in range(3)]))
        examples += [Example("scene", None, None, [], seen, True) for seen in towers.look(views, head, given)]
        if i % 20 == 0:
            log(f"photographs {i}/{len(paths)}")
    _save(target, examples)
