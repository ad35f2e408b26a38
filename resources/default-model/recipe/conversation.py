"""Examples of the dataset as token sequences: rows of the picture, then conversations that each see the picture and themselves only."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import questions
import tool_questions
from connector import PICTURE_ROWS, ROWS_PER_OBJECT, Connector
from dataset import Example, iou, match
from language import END, LanguageModel
from scene import Chain, Scene, Thing
from train_heads import Evidence

USER, TURN_END = "<|im_start|>user\n", "<|im_end|>"
ASSISTANT = "<|im_end|>\n<|im_start|>assistant\n"
NEXT_TURN = "<|im_end|>\n" + USER
REGION_TASKS = ("region", "region", "region_yes", "region_colour", "region_none")


@dataclass
class Look:
    """What the language model is shown of one example: which boxes, and what is said about them."""

    example: Example
    evidence: Evidence
    boxes: list[int]  # indices into the example's boxes, in the order of their marks
    regions: int = 0  # how many at the end are given ones

    def rows(self, connector: Connector) -> Tensor:
        seen = self.example.seen
        at = torch.tensor(self.boxes, dtype=torch.long)
        whole = connector.picture_rows(self.evidence.nouns[0], self.evidence.kind, torch.from_numpy(seen.features[0, 1370 + 11 : 1370 + 22].astype(np.float32)))
        objects = connector.object_rows(torch.from_numpy(seen.boxes)[at].float(), torch.from_numpy(seen.scores)[at].float(), torch.from_numpy(seen.region)[at].float(),
                                        self.evidence.nouns[at], self.evidence.colours[at])
        return torch.cat([whole, objects])

    def mark_boxes(self) -> list[list[float]]:
        return [self.example.seen.boxes[i].tolist() for i in self.boxes]


def look(example: Example, evidence: Evidence, rng: random.Random | None = None, region: bool = False) -> Look:
    """All found boxes; in training some are lost now and then, as a detector loses them."""
    found = list(range(1, 1 + example.found))
    if rng is not None and found and rng.random() < 0.15:
        found.remove(rng.choice(found))
    given = list(range(1 + example.found, len(example.seen.boxes)))
    if region and given and rng is not None:
        return Look(example, evidence, found + [rng.choice(given)], 1)
    return Look(example, evidence, found)


def evidence_of(look_: Look, box: int, nouns: list[str]) -> list[tuple[str, float]]:
    top = look_.evidence.nouns[box, :-1].topk(3)
    return [(nouns[i], float(p)) for p, i in zip(top.values, top.indices)]


def scene_of(look_: Look, nouns: list[str], region: bool = False) -> Scene:
    """The truth with marks. With `region`, the given box stands for the thing in it (or for nothing)."""
    example, found = look_.example, look_.boxes[: len(look_.boxes) - look_.regions]
    pairs = match(example.things, look_.example.seen.boxes[found])
    things, used = [], set()
    for thing, k in zip(example.things, pairs):
        mark = k + 1 if k >= 0 else None
        used.add(k)
        things.append(Thing(thing.noun, thing.box, thing.colour, mark, evidence_of(look_, found[k], nouns) if mark else []))
    spare = [k + 1 for k in range(len(found)) if k not in used]
    if region and look_.regions:
        box, mark = look_.boxes[-1], len(look_.boxes)
        overlaps = [(iou(example.seen.boxes[box], t.box), i) for i, t in enumerate(example.things)]
        best, which = max(overlaps, default=(0.0, -1))
        if best >= 0.5:
            t = things[which]
            things[which] = Thing(t.noun, t.box, t.colour, mark, evidence_of(look_, box, nouns), True)
            spare = []
        else:
            spare = [mark] if best < 0.1 else []
    return Scene(things, example.kind, example.background, example.text, spare)


class Talk:
    """Makes conversations; `nouns` are those that questions may be about."""

    def __init__(self, model: LanguageModel, nouns: list[str], vocabulary: list[str], similar=None):
        self.model, self.nouns, self.vocabulary, self.similar = model, nouns, vocabulary, similar
        self.user, self.end = model.ids(USER), [END]

    def chains(self, rng: random.Random, look_: Look, count: int) -> list[Chain]:
        plain = scene_of(look_, self.nouns)
        chains: list[Chain] = []
        if look_.regions:
            drawn = scene_of(look_, self.nouns, region=True)
            asked = [questions.ask(rng, drawn, task, self.vocabulary, self.similar) for task in rng.sample(REGION_TASKS, len(REGION_TASKS))]
            chains = [Chain([turn]) for turn in asked if turn is not None and turn.want][:3]
        return chains + questions.turns(rng, plain, self.vocabulary, self.similar, count - len(chains))

    def compared(self, rng: random.Random, first: Look, second: Look, count: int = 4) -> list[Chain]:
        return questions.compare_turns(rng, scene_of(first, self.nouns), scene_of(second, self.nouns), self.vocabulary, self.similar, count)

    def with_tools(self, rng: random.Random, look_: Look) -> list[Chain]:
        """One system text for all: the first chain's."""
        chains = tool_questions.tool_turns(rng, scene_of(look_, self.nouns), self.vocabulary, self.similar, 3)
        return [c for c in chains if c.system == chains[0].system] if chains else []

    def before(self, system: str | None = None) -> list[int]:
        return (self.model.ids(f"<|im_start|>system\n{system}<|im_end|>\n") if system else []) + self.user

    def question(self, text: str, first: bool = True) -> list[int]:
        return self.model.ids(("\n" if first else NEXT_TURN[len(TURN_END) :]) + text + ASSISTANT)

    def segment(self, chain: Chain) -> tuple[list[int], list[int]]:
        """Tokens of a conversation and, per token, the token to be predicted there (-1: none)."""
        ids: list[int] = []
        labels: list[int] = []
        for i, turn in enumerate(chain.turns):
            question, answer = self.question(turn.question, i == 0), self.model.ids(turn.answer) + self.end
            ids += question + answer
            labels += [-1] * (len(question) - 1) + answer + [-1]
        return ids, labels


@dataclass
class Sequence:
    before: list[int]
    looks: list[Look]
    segments: list[tuple[list[int], list[int]]]

    @property
    def prefix(self) -> int:
        return len(self.before) + sum(PICTURE_ROWS + ROWS_PER_OBJECT * len(look_.boxes) for look_ in self.looks) + len(self.looks) - 1

    @property
    def length(self) -> int:
        return self.prefix + sum(len(s[0]) for s in self.segments)


@dataclass
class Batch:
    x: Tensor
    mask: Tensor
    positions: Tensor
    labels: Tensor


def collate(sequences: list[Sequence], model: LanguageModel, connector: Connector) -> Batch:
    """Embeddings and a mask in which a conversation sees the picture and its own past; positions of each go on from the picture's."""
    longest, dtype, device = max(s.length for s in sequences), model.embeddings.dtype, model.embeddings.device
    newline = model.rows(model.ids("\n"))
    segment, positions, labels = (torch.full((len(sequences), longest), fill, dtype=torch.long) for fill in (-1, 0, -1))
    rows = []
    for b, s in enumerate(sequences):
        parts = [model.rows(s.before)]
        for i, look_ in enumerate(s.looks):
            parts += ([newline] if i else []) + [look_.rows(connector).to(device, dtype)]
        segment[b, : s.prefix], positions[b, : s.prefix] = 0, torch.arange(s.prefix)
        at = s.prefix
        for k, (ids, wanted) in enumerate(s.segments):
            parts.append(model.rows(ids))
            stop = at + len(ids)
            segment[b, at:stop], positions[b, at:stop], labels[b, at:stop] = k + 1, torch.arange(s.prefix, s.prefix + len(ids)), torch.tensor(wanted)
            at = stop
        row = torch.cat(parts)
        assert len(row) == s.length
        rows.append(torch.nn.functional.pad(row, (0, 0, 0, longest - len(row))))
    visible = (segment[:, None, :] == 0) | (segment[:, None, :] == segment[:, :, None])
    visible &= torch.tril(torch.ones(longest, longest, dtype=torch.bool))
    visible |= torch.eye(longest, dtype=torch.bool)
    mask = torch.zeros(len(sequences), 1, longest, longest, dtype=dtype).masked_fill(~visible[:, None], -1e4)
    return Batch(torch.stack(rows), mask.to(device), positions.to(device), labels.to(device))
