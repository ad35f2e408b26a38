"""What the towers saw, in words of the language model: two rows for the picture, eight for every object.

One row says one thing, as a word in a text would: an object is its mark, the three nouns that it most likely is, a mixture of colours, how far down and across
it stands, and how many of its kind there are. What lies in one row with another thing is not read apart by a small adapter. After MG-LLaVA's object tokens
(Zhao et al. 2024) and set-of-mark prompting (Yang et al. 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EMBEDDING, CLASSES, COLOUR_FEATURES = 1280, 90, 39
FEATURES = EMBEDDING + CLASSES + COLOUR_FEATURES + 2  # score, is_region
IMAGENET = 1000
HIDDEN, COLOUR_HIDDEN = 512, 64
OCTAVES = 4
KINDS = ("scene", "plain", "noise", "text", "dark")
POSITION_WORDS = ("left", "middle", "right", "top", "middle", "bottom")
NUMBER_WORDS = ("one", "two", "three", "four", "five")
PLACE = 8 * OCTAVES + 3 + len(POSITION_WORDS) + 2
COUNTS = 4 + 4 + 3
GUESSES = 3  # nouns that an object may be
ROLES = ("mark", "noun", "second noun", "third noun", "colour", "down", "across", "count")  # the rows of an object in their order
ROWS_PER_OBJECT, PICTURE_ROWS = len(ROLES), 2
IMAGENET_FLOOR, COCO_FLOOR = 1e-3, 1e-2  # of probabilities before their log-odds
IMAGENET_SHARE, COCO_SHARE = 0.6, 0.5  # of the towers' own probabilities, squared, in the mixture with what the heads say
NOTHING = 0.4  # "nothing" counts so much less: the heads learnt it on backgrounds that are photographs


@dataclass
class Words:
    """The vocabulary of the connector and how the towers' classes map to it."""

    nouns: list[str]
    colours: list[str]
    coco: list[int]  # 90 indices into nouns for COCO ids 1..90, -1 for none
    imagenet: list[int]  # 1000 indices into nouns, -1 for none


def _group(indices: list[int], count: int) -> Tensor:
    matrix = torch.zeros(len(indices), count)
    for source, target in enumerate(indices):
        if target >= 0:
            matrix[source, target] = 1
    return matrix


def log_odds(p: Tensor, floor: float) -> Tensor:
    return ((p + floor) / (1 - p + floor)).log()


class Heads(nn.Module):
    """Features -> nouns, colours, kind of picture. Trained first, alone."""

    def __init__(self, words: Words):
        super().__init__()
        count = len(words.nouns) + 1  # the last is "nothing"
        self.mean = nn.Parameter(torch.zeros(EMBEDDING + CLASSES), requires_grad=False)
        self.deviation = nn.Parameter(torch.ones(EMBEDDING + CLASSES), requires_grad=False)
        self.trunk = nn.Linear(EMBEDDING + CLASSES, HIDDEN)
        self.noun = nn.Linear(HIDDEN, count)
        self.trust = nn.Parameter(torch.full((2,), 0.5))  # in ImageNet's and COCO's classes, on drawings
        self.colour_hidden = nn.Linear(COLOUR_FEATURES, COLOUR_HIDDEN)
        self.colour = nn.Linear(COLOUR_HIDDEN, len(words.colours))
        self.kind = nn.Linear(HIDDEN, len(KINDS))
        self.register_buffer("imagenet_groups", _group(words.imagenet, count), persistent=False)
        self.register_buffer("coco_groups", _group(words.coco, count), persistent=False)

    def hidden(self, x: Tensor, dropout: float = 0.0) -> Tensor:
        z = (x[..., : EMBEDDING + CLASSES] - self.mean) / self.deviation
        return F.dropout(F.gelu(self.trunk(z)), dropout, dropout > 0)

    def towers(self, x: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
        """The classes of classifier and detector as probabilities of nouns; where several stand for one noun their sum can pass 1."""
        return (p @ self.imagenet_groups).clamp(max=1), (x[..., EMBEDDING : EMBEDDING + CLASSES].square() @ self.coco_groups).clamp(max=1)

    def _logits(self, g: Tensor, c: Tensor, h: Tensor) -> Tensor:
        return self.noun(h) + self.trust[0] * log_odds(g, IMAGENET_FLOOR) + self.trust[1] * log_odds(c, COCO_FLOOR)

    def noun_logits(self, x: Tensor, p: Tensor, h: Tensor) -> Tensor:
        """The classes of the towers count by their log-odds: little when they are diffuse, much when they are sure."""
        return self._logits(*self.towers(x, p), h)

    def nouns(self, x: Tensor, p: Tensor, h: Tensor) -> Tensor:
        """Probabilities. The heads, trained on drawings, are certain and wrong about photographs that the towers know well: in this mixture a tower that is
        sure is not outvoted."""
        g, c = self.towers(x, p)
        mixed = self._logits(g, c, h).softmax(-1)
        mixed = torch.cat([mixed[..., :-1], NOTHING * mixed[..., -1:]], -1) + torch.maximum(IMAGENET_SHARE * g.square(), COCO_SHARE * c.square())
        return mixed / mixed.sum(-1, keepdim=True)

    def colour_logits(self, x: Tensor) -> Tensor:
        return self.colour(F.gelu(self.colour_hidden(x[..., EMBEDDING + CLASSES : EMBEDDING + CLASSES + COLOUR_FEATURES])))


def place_features(boxes: Tensor, scores: Tensor, region: Tensor) -> Tensor:
    """Boxes [n, 4], scores [n], region flags [n] -> [n, PLACE]."""
    cx, cy = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    w, h = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    angle = (torch.stack([cx, cy, w, h], 1)[:, :, None] * (2.0 ** torch.arange(OCTAVES)) * math.pi).reshape(len(boxes), -1)
    found = (1 - region)[None, :] * (1 - torch.eye(len(boxes)))  # which others count: the found ones, not regions

    def rank(v: Tensor) -> Tensor:
        return ((25 * (v[:, None] - v[None, :])).sigmoid() * found).sum(1) / 8

    def thirds(v: Tensor) -> list[Tensor]:
        low, high = (30 * (0.4 - v)).sigmoid(), (30 * (v - 0.6)).sigmoid()
        return [low, 1 - low - high, high]

    ranks = [rank(cx), rank(cy), rank((w * h).clamp(min=0).sqrt())]
    return torch.cat([angle.sin(), angle.cos(), torch.stack(ranks + thirds(cx) + thirds(cy) + [scores, region], 1)], 1)


def count_features(nouns: Tensor, region: Tensor) -> Tensor:
    """Noun probabilities [n, N] -> [n, COUNTS]: how many of its kind come before it, how many others there are, and how sure the noun is."""
    root = nouns.clamp(min=0).sqrt()
    alike = (12 * (root @ root.T - 0.6)).sigmoid() * (1 - region)[None, :]
    earlier = torch.tril(alike, -1).sum(1)
    others = (alike * (1 - torch.eye(len(nouns)))).sum(1)

    def steps(v: Tensor) -> list[Tensor]:
        return [(v - i).clamp(0, 1) for i in range(4)]

    best = nouns.topk(2, dim=1).values
    entropy = -(nouns * (nouns + 1e-9).log()).sum(1) / 5
    return torch.stack(steps(earlier) + steps(others) + [best[:, 0], best[:, 1], entropy], 1)


class Connector(nn.Module):
    """`embed(text)` gives the mean embedding of the tokens of a text at the width of the language model."""

    def __init__(self, words: Words, embed, width: int, spread: float):
        super().__init__()
        self.words, self.width = words, width
        self.heads = Heads(words)
        self.mark, self.down, self.across = (nn.Linear(PLACE, width) for _ in range(3))
        self.certain = nn.Linear(GUESSES + 1, GUESSES * width)
        self.count = nn.Linear(COUNTS, width)
        self.kind_rows = nn.Parameter(torch.randn(len(KINDS), width) * spread * 0.5)
        self.role = nn.Parameter(torch.randn(ROWS_PER_OBJECT + PICTURE_ROWS, width) * spread * 0.25)
        self._start_with_words(embed, spread)
        self.register_buffer("noun_words", torch.stack([embed(" " + noun) for noun in words.nouns + ["nothing"]]), persistent=False)
        self.register_buffer("colour_words", torch.stack([embed(" " + colour) for colour in words.colours]), persistent=False)
        self.register_buffer("digits", torch.stack([embed(str(k)) for k in range(1, 11)]), persistent=False)

    @torch.no_grad()
    def _start_with_words(self, embed, spread: float) -> None:
        """Places and numbers begin as the words for them, which the language model can read at once; the finer features begin near zero."""
        for layer in (self.mark, self.down, self.across, self.certain, self.count):
            nn.init.normal_(layer.weight, std=spread * 0.02)
            nn.init.zeros_(layer.bias)
        for layer, first in ((self.across, 0), (self.down, 3)):
            for i in range(first, first + 3):
                layer.weight[:, 8 * OCTAVES + 3 + i] += embed(" " + POSITION_WORDS[i])
        numbers = [embed(" " + word) for word in NUMBER_WORDS]
        self.count.bias += numbers[0]
        for i in range(4):  # step i of "how many others" turns the word for i + 1 into the one for i + 2
            self.count.weight[:, 4 + i] += numbers[i + 1] - numbers[i]

    def noun_rows(self, nouns: Tensor) -> Tensor:
        """Probabilities [n, N] -> [n, GUESSES, width]: the likeliest nouns as words, and how sure each is."""
        best = nouns.topk(GUESSES, dim=1)
        sure = torch.cat([best.values, -(nouns * (nouns + 1e-9).log()).sum(1, keepdim=True) / 5], 1)
        return self.noun_words[best.indices] + self.certain(sure).view(len(nouns), GUESSES, self.width)

    def object_rows(self, boxes: Tensor, scores: Tensor, region: Tensor, nouns: Tensor, colours: Tensor) -> Tensor:
        """Of n objects in the order of their marks -> [ROWS_PER_OBJECT n, width]."""
        n = len(boxes)
        if n == 0:
            return self.role.new_zeros((0, self.width))
        place = place_features(boxes, scores, region)
        rest = [colours @ self.colour_words, self.down(place), self.across(place), self.count(count_features(nouns, region))]
        rows = torch.cat([(self.digits[:n] + self.mark(place))[:, None], self.noun_rows(nouns), torch.stack(rest, 1)], 1)
        return (rows + self.role[:ROWS_PER_OBJECT]).reshape(ROWS_PER_OBJECT * n, self.width)

    def picture_rows(self, nouns: Tensor, kind: Tensor, border: Tensor) -> Tensor:
        """Noun probabilities [N], kind probabilities [5] and border colours [11] of the whole picture -> [2, width]."""
        return torch.stack([nouns @ self.noun_words + kind @ self.kind_rows, border @ self.colour_words]) + self.role[ROWS_PER_OBJECT:]
