"""Trains the connector's heads, features -> nouns, colours and kinds of picture, without the language model.

What the language model is trained on must be as uncertain as what it will meet: heads that have seen a cut-out are surer of it than they will be of a new
one. Therefore the heads are trained several times, each time without a part of the cut-outs, and the language model is shown what the heads say that did not
know the picture (cross-fitting). The heads that ship are trained on all of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import colours
from connector import CLASSES, EMBEDDING, IMAGENET, KINDS, Heads, Words
from dataset import Example, iou

FOLDS = 3
BATCH = 512
NOISE, DROPOUT, CLASS_DROPOUT = 0.2, 0.3, 0.25
# Without its part a noun of two or three cut-outs has hardly any left, and heads do worse than they will on new ones of the nouns they know well.
# For this share of the cut-outs the final heads speak, so that evidence in training is right about as often as on new cut-outs.
FAMILIAR = 1 / 3
PHOTO_REPEATS = 3  # parts of photographs are few


def fold_of(cutout: int) -> int:
    return (cutout * 2_654_435_761 >> 7) % FOLDS


@dataclass
class Boxes:
    """Every box of every example, flat."""

    features: Tensor
    imagenet: Tensor
    noun: Tensor  # index, len(nouns) for nothing, -1 for not counted
    colour: Tensor  # -1 where unknown
    fold: Tensor  # -1: may be used by all
    kind: Tensor  # of whole pictures, else -1
    photo: Tensor  # whether it is a part of a photograph


SURE_IMAGENET, SURE_COCO, DIFFUSE_IMAGENET, DIFFUSE_COCO = 0.7, 0.5, 0.25, 0.1


def label_photograph(example: Example, words: Words) -> list[tuple[int, int, int]]:
    """Photographs have no labels of their own: the towers' classes where they are sure; nothing where a loose box is far from all of them."""
    count = len(words.nouns) + 1
    known = np.zeros((2, max(IMAGENET, CLASSES), count), np.float32)
    for table, indices in ((known[0], words.imagenet), (known[1], words.coco)):
        for source, target in enumerate(indices):
            if target >= 0:
                table[source, target] = 1
    g = example.seen.imagenet.astype(np.float32) @ known[0][:IMAGENET]
    c = example.seen.features[:, EMBEDDING : EMBEDDING + CLASSES].astype(np.float32) ** 2 @ known[1][:CLASSES]
    result = []
    for k in range(len(example.seen.boxes)):
        noun = -1
        if c[k].max() >= SURE_COCO:
            noun = int(c[k].argmax())
        elif g[k].max() >= SURE_IMAGENET:
            noun = int(g[k].argmax())
        elif k and example.seen.region[k] and g[k].max() < DIFFUSE_IMAGENET and c[k].max() < DIFFUSE_COCO:
            noun = len(words.nouns)
        result.append((noun, -1, -1))
    return result


def label_boxes(example: Example, words: Words) -> list[tuple[int, int, int]]:
    """Per box (noun, colour, fold): the thing that it covers well, nothing where it covers none, not counted in between."""
    if example.photo:
        return label_photograph(example, words)
    result = [(-1, -1, -1)]
    index = {noun: i for i, noun in enumerate(words.nouns)}
    for box in example.seen.boxes[1:]:
        overlaps = [(iou(box, t.box), i) for i, t in enumerate(example.things)]
        best, which = max(overlaps, default=(0.0, -1))
        if best >= 0.5:
            thing = example.things[which]
            tint = colours.NAMES.index(thing.colour) if thing.colour else -1
            result.append((index.get(thing.noun, -1), tint, fold_of(thing.cutout)))
        else:
            result.append((len(words.nouns) if best < 0.15 else -1, -1, -1))
    return result


def flatten(examples: list[Example], words: Words) -> Boxes:
    labels = [label for e in examples for label in label_boxes(e, words)]
    kinds = [k for e in examples for k in [-1 if e.photo else KINDS.index(e.kind)] + [-1] * (len(e.seen.boxes) - 1)]
    photo = torch.tensor([e.photo for e in examples for _ in e.seen.boxes])
    noun, colour, fold = (torch.tensor(column) for column in zip(*labels))
    features, imagenet = (torch.from_numpy(np.concatenate(column)) for column in zip(*((e.seen.features, e.seen.imagenet) for e in examples)))
    return Boxes(features, imagenet, noun, colour, fold, torch.tensor(kinds), photo)


def _loss(heads: Heads, data: Boxes, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    x, p = data.features[rows].float(), data.imagenet[rows].float()
    known = EMBEDDING + CLASSES
    x = torch.cat([x[:, :EMBEDDING] + NOISE * heads.deviation[:EMBEDDING] * torch.randn_like(x[:, :EMBEDDING]),
                   x[:, EMBEDDING:known] * (torch.rand(len(x), 1) > CLASS_DROPOUT), x[:, known:]], 1)
    h = heads.hidden(x, DROPOUT)
    noun, colour, kind = data.noun[rows], data.colour[rows], data.kind[rows]
    zero = h.sum() * 0
    noun_loss = F.cross_entropy(heads.noun_logits(x, p, h)[noun >= 0], noun[noun >= 0], label_smoothing=0.04) if (noun >= 0).any() else zero
    colour_loss = F.cross_entropy(heads.colour_logits(x)[colour >= 0], colour[colour >= 0]) if (colour >= 0).any() else zero
    kind_loss = F.cross_entropy(heads.kind(h)[kind >= 0], kind[kind >= 0]) if (kind >= 0).any() else zero
    return noun_loss, colour_loss, kind_loss


def fit(words: Words, data: Boxes, seconds: float, without: int = -1, seed: int = 1, log=print) -> Heads:
    torch.manual_seed(seed)
    heads = Heads(words)
    use = (data.noun >= 0) | (data.kind >= 0)
    if without >= 0:
        use &= data.fold != without
    rows = use.nonzero()[:, 0]
    # nothing is by far the most common label: a part of it is enough
    rows = rows[(data.noun[rows] != len(words.nouns)) | (torch.rand(len(rows)) < 0.3)]
    rows = torch.cat([rows, rows[data.photo[rows]].repeat(PHOTO_REPEATS)])
    with torch.no_grad():
        sample = data.features[rows[torch.randperm(len(rows))[:20_000]]].float()[:, : EMBEDDING + CLASSES]
        heads.mean.copy_(sample.mean(0))
        heads.deviation.copy_(sample.std(0) + 0.05)
        heads.noun.weight.mul_(0.2)
    plain = [heads.trust]
    others = [p for p in heads.parameters() if p.requires_grad and p is not heads.trust]
    optimiser = torch.optim.AdamW([{"params": others, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=1e-3)
    start, step = time.time(), 0
    while (share := (time.time() - start) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 1.5e-3 * (1 - share) + 1e-5
        noun, colour, kind = _loss(heads, data, rows[torch.randint(0, len(rows), (BATCH,))])
        optimiser.zero_grad()
        (noun + colour + 0.5 * kind).backward()
        optimiser.step()
        step += 1
        if step % 400 == 0:
            log(f"heads{'' if without < 0 else f' without part {without}'} {step} {time.time() - start:.0f} s noun {noun.item():.3f} colour {colour.item():.3f} kind {kind.item():.3f}")
    return heads.eval()


@dataclass
class Evidence:
    """What heads say about the boxes of one example."""

    nouns: Tensor  # [boxes, N + 1]
    colours: Tensor  # [boxes, 11]
    kind: Tensor  # [5], of the whole picture


@torch.no_grad()
def evidence(heads: Heads, features: Tensor, imagenet: Tensor) -> Evidence:
    h = heads.hidden(features)
    return Evidence(heads.nouns(features, imagenet, h), heads.colour_logits(features).softmax(-1), heads.kind(h[0]).softmax(-1))


@torch.no_grad()
def accuracy(heads: Heads, data: Boxes, nouns: int, part: int = -1) -> dict[str, float]:
    """Shares of right first and first five guesses. `part`: only boxes of this part."""
    x, p = data.features.float(), data.imagenet.float()
    h = heads.hidden(x)
    scores, tint, kind = heads.nouns(x, p, h), heads.colour_logits(x), heads.kind(h)
    here = torch.ones(len(x), dtype=torch.bool) if part < 0 else data.fold == part
    things, nothing, tinted, whole = (data.noun >= 0) & (data.noun < nouns) & here, (data.noun == nouns) & here, (data.colour >= 0) & here, data.kind >= 0
    top = scores[things].topk(5, -1).indices
    right = top == data.noun[things][:, None]
    return {"noun": right[:, 0].float().mean().item(), "noun in 5": right.any(1).float().mean().item(), "thing called nothing": (top[:, 0] == nouns).float().mean().item(),
            "nothing": (scores[nothing].argmax(-1) == nouns).float().mean().item(), "colour": (tint[tinted].argmax(-1) == data.colour[tinted]).float().mean().item(),
            "kind": (kind[whole].argmax(-1) == data.kind[whole]).float().mean().item()}


def covered(example: Example, box: np.ndarray) -> int:
    """The cut-out that the box covers best."""
    return max(((iou(box, t.box), t.cutout) for t in example.things), default=(0.0, 0))[1]


def cross_fitted(work: Path, heads: Heads, words: Words, examples: list[Example]) -> list[Evidence]:
    """For every box what heads say that were trained without its cut-out; boxes of nothing and whole pictures from the final heads."""
    parts = []
    for part in range(FOLDS):
        other = Heads(words)
        other.load_state_dict(torch.load(work / f"heads{part}.pt", weights_only=True))
        parts.append(other.eval())
    result = []
    for example in examples:
        x, p = torch.from_numpy(example.seen.features).float(), torch.from_numpy(example.seen.imagenet).float()
        final = evidence(heads, x, p)
        folds = torch.tensor([label[2] for label in label_boxes(example, words)])
        cutouts = torch.tensor([covered(example, box) for box in example.seen.boxes])
        folds[(cutouts * 40_503 % 1_000) < 1_000 * FAMILIAR] = -1
        for part, other in enumerate(parts):
            mine = folds == part
            if mine.any():
                said = evidence(other, x, p)
                final.nouns[mine], final.colours[mine] = said.nouns[mine], said.colours[mine]
        result.append(final)
    return result
