"""Trains the adapter of the language model and the connector's rows on conversations about composites. Goes on from its last checkpoint."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.nn import functional as F

from connector import Connector
from conversation import Sequence, Talk, collate, look
from dataset import Example
from language import LanguageModel
from train_heads import Evidence

RANK, ALPHA = 8, 16
BATCH, POOL = 16, 4  # sequences of a step at most; steps whose sequences are sorted by length together
TOKENS = 4096  # of a step at most, padding included: the long conversations with tools come in smaller steps
CONVERSATIONS = 6
RATE, ROWS_RATE, WARM_UP = 1e-3, 1e-3, 20
CLIP = 1.0
TOOLS, PAIRS, REGIONS = 0.10, 0.06, 0.25  # shares of sequences


class Feed:
    """Endless batches of sequences, nearly equal in length within a batch."""

    def __init__(self, examples: list[Example], evidence: list[Evidence], talk: Talk):
        self.examples, self.evidence, self.talk = examples, evidence, talk
        self.start(0)

    def start(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.order: list[int] = []
        self.waiting: list[list[Sequence]] = []

    def _next(self) -> int:
        if not self.order:
            self.order = list(range(len(self.examples)))
            self.rng.shuffle(self.order)
        return self.order.pop()

    def _look(self, region: bool = False):
        i = self._next()
        return look(self.examples[i], self.evidence[i], self.rng, region)

    def _sequence(self) -> Sequence:
        while True:
            kind = self.rng.random()
            if kind < TOOLS:
                looks = [self._look()]
                chains = self.talk.with_tools(self.rng, looks[0])
            elif kind < TOOLS + PAIRS:
                looks = [self._look(), self._look()]
                chains = self.talk.compared(self.rng, *looks)
            else:
                looks = [self._look(self.rng.random() < REGIONS)]
                chains = self.talk.chains(self.rng, looks[0], CONVERSATIONS)
            if chains:
                return Sequence(self.talk.before(chains[0].system), looks, [self.talk.segment(c) for c in chains])

    def batch(self) -> list[Sequence]:
        if not self.waiting:
            pool = sorted((self._sequence() for _ in range(BATCH * POOL)), key=lambda s: s.length)
            self.waiting = [[]]
            for sequence in pool:
                group = self.waiting[-1]
                if group and (len(group) == BATCH or (len(group) + 1) * sequence.length > TOKENS):
                    self.waiting.append([])
                self.waiting[-1].append(sequence)
            self.rng.shuffle(self.waiting)
        return self.waiting.pop()


def step_loss(model: LanguageModel, connector: Connector, sequences: list[Sequence]) -> tuple[torch.Tensor, int]:
    batch = collate(sequences, model, connector)
    h = model.hidden(batch.x, batch.mask, batch.positions)
    at = batch.labels >= 0
    return F.cross_entropy(model.logits(h[at]).float(), batch.labels[at]), batch.x.shape[0] * batch.x.shape[1]


def checkpoint(path: Path, model: LanguageModel, connector: Connector, optimiser, done: dict) -> None:
    trained = {"adapter": [p for p in model.parameters() if p.requires_grad], "connector": connector.state_dict(), "optimiser": optimiser.state_dict(), "done": done}
    part = path.with_suffix(".part")
    torch.save(trained, part)
    part.replace(path)


def restore(path: Path, model: LanguageModel, connector: Connector, optimiser=None) -> dict:
    saved = torch.load(path, map_location=model.embeddings.device, weights_only=True)
    for mine, theirs in zip((p for p in model.parameters() if p.requires_grad), saved["adapter"]):
        mine.data.copy_(theirs)
    rows = {name: value for name, value in saved["connector"].items() if not name.startswith("heads.")}
    connector.load_state_dict(rows | {f"heads.{name}": value for name, value in connector.heads.state_dict().items()})
    if optimiser is not None:
        optimiser.load_state_dict(saved["optimiser"])
    return saved["done"]


def train(work: Path, model: LanguageModel, connector: Connector, feed: Feed, seconds: float, seed: int = 1, log: Callable[[str], None] = print) -> None:
    """`seconds` of training in all, those before the checkpoint included."""
    torch.manual_seed(seed)
    connector.heads.requires_grad_(False)
    rows = [p for p in connector.parameters() if p.requires_grad]
    groups = [{"params": [p for p in model.parameters() if p.requires_grad], "rate": RATE}, {"params": rows, "rate": ROWS_RATE}]
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98), weight_decay=0.0)
    path, done = work / "language.pt", {"seconds": 0.0, "steps": 0}
    if path.exists():
        done = restore(path, model, connector, optimiser)
        log(f"going on after {done['steps']} steps")
    feed.start(seed * 1_000_003 + done["steps"])  # a run that goes on does not repeat the beginning
    curve, saved = open(work / "loss.jsonl", "a"), time.time()
    parameters = [p for group in groups for p in group["params"]]
    while done["seconds"] < seconds:
        start, share = time.time(), done["seconds"] / seconds
        for group in optimiser.param_groups:
            group["lr"] = group["rate"] * min(1, (done["steps"] + 1) / WARM_UP) * (0.04 + 0.96 * 0.5 * (1 + math.cos(math.pi * share)))
        loss, tokens = step_loss(model, connector, feed.batch())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimiser.step()
        done["steps"], done["seconds"] = done["steps"] + 1, done["seconds"] + time.time() - start
        curve.write(json.dumps({"step": done["steps"], "seconds": round(done["seconds"], 1), "loss": round(loss.item(), 4), "tokens": tokens}) + "\n")
        curve.flush()
        if done["steps"] % 10 == 0:
            log(f"language {done['steps']} {done['seconds']:.0f} s loss {loss.item():.3f} {tokens} tokens, {time.time() - start:.1f} s")
        if time.time() - saved > 180:
            checkpoint(path, model, connector, optimiser, done)
            saved = time.time()
    checkpoint(path, model, connector, optimiser, done)
