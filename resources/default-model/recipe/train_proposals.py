"""Trains the proposal head on composites; the detector's maps are computed once and kept in memory."""

from __future__ import annotations

import multiprocessing
import random
import time
from pathlib import Path

import numpy as np
import torch

import detector
import proposals
from features import Towers
from scenes import Library, compose, odd_picture, pad_to_square

BATCH = 16


def _compose(job: tuple[Path, str, int, int]) -> tuple[np.ndarray, np.ndarray]:
    work, split, seed, index = job
    library = _library(work, split)
    rng = random.Random(seed * 1_000_003 + index)
    scene = odd_picture(rng, library) if rng.random() < 0.06 else compose(rng, library)
    square = pad_to_square(scene.picture).resize((detector.SIDE, detector.SIDE), 2)
    return np.asarray(square), np.array([t.box for t in scene.things], np.float32).reshape(-1, 4)


_libraries: dict[tuple[Path, str], Library] = {}


def _library(work: Path, split: str) -> Library:
    if (work, split) not in _libraries:
        _libraries[work, split] = Library(work, split)
    return _libraries[work, split]


class Maps:
    """Half-precision maps, codes and class scores of a set of scenes."""

    def __init__(self, work: Path, towers: Towers, split: str, count: int, seed: int, workers: int):
        self.truth: list[torch.Tensor] = []
        self.codes, self.known, self.maps = [], [], [[] for _ in proposals.CHANNELS]
        with multiprocessing.Pool(workers) as pool:
            pixels: list[np.ndarray] = []
            for i, (square, boxes) in enumerate(pool.imap(_compose, [(work, split, seed, i) for i in range(count)], chunksize=8)):
                pixels.append(square)
                self.truth.append(torch.from_numpy(boxes))
                if len(pixels) == BATCH or i == count - 1:
                    codes, logits, *maps = towers.detect_pixels(np.stack(pixels))
                    self.codes.append(codes.half())
                    self.known.append(logits[:, :, 1:].max(-1).values.half())
                    for level, m in zip(self.maps, maps):
                        level.append(m.half())
                    pixels = []
        self.codes, self.known = torch.cat(self.codes), torch.cat(self.known)
        self.maps = [torch.cat(level) for level in self.maps]

    def batch(self, indices: list[int]) -> tuple[list[torch.Tensor], torch.Tensor, list[torch.Tensor]]:
        return [m[indices].float() for m in self.maps], self.codes[indices].float(), [self.truth[i] for i in indices]


@torch.no_grad()
def recall(head: proposals.ProposalHead, data: Maps, at: torch.Tensor, threshold: float) -> tuple[float, float, float]:
    """Share of true things with a kept box at IoU .5, the same for the detector's own scores, and kept boxes per thing."""
    found = own = total = kept_boxes = 0
    for start in range(0, len(data.truth), BATCH):
        maps, codes, truth = data.batch(list(range(start, min(start + BATCH, len(data.truth)))))
        out = head(maps)
        for k, boxes in enumerate(truth):
            if len(boxes) == 0:
                continue
            known = data.known[start + k].float().sigmoid()
            for (places, scores), mine, limit in ((proposals.candidates(out[k], codes[k], known, at), True, threshold), ((detector.decode(codes[k], at).clamp(0, 1), known), False, 0.12)):
                kept = proposals.keep(places, scores, limit)
                hit = int((proposals.iou_matrix(boxes, places[kept]).max(1).values >= 0.5).sum()) if kept else 0
                found, own = found + hit * mine, own + hit * (not mine)
                kept_boxes += len(kept) * mine
            total += len(boxes)
    return found / total, own / total, kept_boxes / total


def train(work: Path, towers: Towers, seconds: float, scenes: int, seed: int = 1, workers: int = 1, log=print) -> proposals.ProposalHead:
    torch.manual_seed(seed)
    start = time.time()
    data, held = Maps(work, towers, "train", scenes, seed, workers), Maps(work, towers, "held", 200, seed + 1, workers)
    log(f"maps of {scenes} scenes in {time.time() - start:.0f} s")
    head, at = proposals.ProposalHead(), detector.anchors()
    optimiser = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=1e-3)
    rng, start, step = random.Random(seed), time.time(), 0
    while (share := (time.time() - start) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - share) * min(1, (step + 1) / 50) + 1e-5
        maps, codes, truth = data.batch(rng.sample(range(scenes), BATCH))
        maps = [m + 0.05 * m.std() * torch.randn_like(m) for m in maps]
        score_loss, box_loss = proposals.loss(head(maps), codes, truth, at, [torch.zeros(0, 4)] * BATCH)
        optimiser.zero_grad()
        (score_loss + 0.3 * box_loss).backward()
        optimiser.step()
        step += 1
        if step % 50 == 0:
            log(f"proposals {step} {time.time() - start:.0f} s score {score_loss.item():.3f} box {box_loss.item():.3f}")
    for threshold in (0.2, 0.3, 0.4, 0.5):
        mine, own, boxes = recall(head, held, at, threshold)
        log(f"held-out things found at {threshold}: {mine:.3f} ({boxes:.2f} boxes per thing), the detector's own scores {own:.3f}")
    return head
