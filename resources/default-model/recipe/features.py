"""Pictures -> what the two frozen towers see: boxes, and for every box an embedding, class probabilities and colours.

This is the reference of the engine's encoder; both must give the same numbers from the same file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

import colours
import detector
import efficientnet
import proposals
from scenes import pad_to_square

CROP = 224
CONTEXT = 1.2
SMALLEST = 0.06
SAMPLES = np.arange(2, CROP, 4)  # rows and columns that the colours are read from
BORDER = 5  # samples from each edge that are the surroundings of a whole picture
INNER = 0.35  # half sides of the part of a box whose colours are the thing's


@dataclass
class Seen:
    """Boxes of one picture (the whole picture first) and the features of each."""

    boxes: np.ndarray  # [n, 4]
    scores: np.ndarray  # [n]
    features: np.ndarray  # [n, FEATURES], see connector.py
    imagenet: np.ndarray  # [n, 1000] probabilities
    region: np.ndarray  # [n] 1 where the box was given, not found


def crop_window(box: np.ndarray) -> tuple[int, int, int]:
    """Side of the resized square S and the corner of the CROP x CROP window in it that shows the box with some context."""
    side = min(1.0, max(CONTEXT * max(float(box[2] - box[0]), float(box[3] - box[1])), SMALLEST))
    whole = max(CROP, math.floor(CROP / side + 0.5))
    centre = ((float(box[0]) + float(box[2])) / 2 * whole, (float(box[1]) + float(box[3])) / 2 * whole)
    x, y = (min(max(math.floor(c - CROP / 2 + 0.5), 0), whole - CROP) for c in centre)
    return whole, x, y


def crop(square: Image.Image, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The window's pixels [CROP, CROP, 3] and the box in it, in pixels."""
    whole, x, y = crop_window(box)
    scale = square.width / whole
    pixels = square.resize((CROP, CROP), Image.BILINEAR, box=(x * scale, y * scale, (x + CROP) * scale, (y + CROP) * scale))
    return np.asarray(pixels), np.asarray(box, np.float32) * whole - np.array([x, y, x, y], np.float32)


def _shares(names: np.ndarray, mask: np.ndarray) -> np.ndarray:
    counts = np.bincount(names[mask], minlength=len(colours.NAMES)).astype(np.float32)
    return counts / max(counts.sum(), 1)


def colour_features(pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
    """[39]: shares of colour names inside, around, inside but not around; mean colours inside and around."""
    sample = pixels[SAMPLES][:, SAMPLES]
    names = colours.name_pixels(sample)
    at = SAMPLES.astype(np.float32) + 0.5
    x, y = np.broadcast_to(at[None, :], names.shape), np.broadcast_to(at[:, None], names.shape)
    cx, cy, w, h = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]
    inner = (np.abs(x - cx) <= INNER * w) & (np.abs(y - cy) <= INNER * h)
    ring = (x < box[0]) | (x > box[2]) | (y < box[1]) | (y > box[3])
    if not inner.any():
        nearest = np.unravel_index(np.argmin((x - cx) ** 2 + (y - cy) ** 2), names.shape)
        inner[nearest] = True
    if not ring.any():
        ring = np.ones(names.shape, bool)
        ring[BORDER:-BORDER, BORDER:-BORDER] = False
    inside, around = _shares(names, inner), _shares(names, ring)
    front = inside * (1 - around)
    front = front / front.sum() if front.sum() > 1e-6 else inside
    rgb = sample.astype(np.float32) / 255
    return np.concatenate([inside, around, front, rgb[inner].mean(0), rgb[ring].mean(0)]).astype(np.float32)


class Towers:
    """Both frozen networks. OpenVINO runs them several times faster than torch where it is installed; in f32 the numbers differ in the sixth digit."""

    def __init__(self, detector_file: Path, classifier_file: Path, threads: int = 1, fast: bool = True, precision: str = "f32"):
        self.detector = detector.load(detector_file)
        self.classifier = efficientnet.load(load_file(str(classifier_file)))
        self.anchors = detector.anchors()
        self._run_detector, self._run_classifier = self.detector, self.classifier
        if fast:
            self._compile(threads, precision)

    def _compile(self, threads: int, precision: str) -> None:
        try:
            import openvino
        except ImportError:
            return
        core = openvino.Core()
        options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}

        def compiled(model: torch.nn.Module, side: int):
            converted = openvino.convert_model(model, example_input=torch.rand(2, 3, side, side), input=[-1, 3, side, side])
            program = core.compile_model(converted, "CPU", options)
            return lambda x: [torch.from_numpy(np.array(o)) for o in program(x.numpy()).values()]

        self._run_detector = compiled(self.detector, detector.SIDE)
        classify = compiled(self.classifier, CROP)
        self._run_classifier = lambda x: classify(x)[0]

    @torch.no_grad()
    def detect(self, squares: list[Image.Image]) -> tuple[Tensor, ...]:
        pixels = np.stack([np.asarray(s.resize((detector.SIDE, detector.SIDE), Image.BILINEAR)) for s in squares])
        return self.detect_pixels(pixels)

    @torch.no_grad()
    def detect_pixels(self, pixels: np.ndarray) -> tuple[Tensor, ...]:
        """Squares of the detector's size, [n, 300, 300, 3] bytes."""
        return tuple(self._run_detector(detector.normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2)).contiguous()))

    @torch.no_grad()
    def describe(self, square: Image.Image, boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, region: np.ndarray) -> Seen:
        """Features of boxes of one picture. `classes`: the detector's 90 probabilities of each, zeros where there are none."""
        crops = [crop(square, box) for box in boxes]
        pixels = torch.from_numpy(np.stack([c[0] for c in crops])).permute(0, 3, 1, 2)
        embedding = self._run_classifier(efficientnet.normalise(pixels).contiguous())
        imagenet = self.classifier.classifier(embedding).softmax(-1)
        tint = np.stack([colour_features(*c) for c in crops])
        features = np.concatenate([embedding.numpy(), np.sqrt(classes), tint, scores[:, None], region[:, None]], 1).astype(np.float32)
        return Seen(boxes, scores, features, imagenet.numpy(), region)

    @torch.no_grad()
    def look(self, pictures: list[Image.Image], head: proposals.ProposalHead, given: list[np.ndarray] | None = None, threshold: float = proposals.THRESHOLD) -> list[Seen]:
        """Pictures -> the whole picture, what was found (largest first), then the boxes that were given."""
        squares = [pad_to_square(p.convert("RGB")) for p in pictures]
        codes, logits, *maps = self.detect(squares)
        out = head([m.float() for m in maps])
        result = []
        for k, square in enumerate(squares):
            boxes, scores, kept = proposals.propose(out[k], codes[k], logits[k], self.anchors, threshold)
            extra = given[k] if given is not None else np.zeros((0, 4))
            n, m = len(kept), len(extra)
            classes = np.zeros((1 + n + m, detector.CLASSES - 1), np.float32)
            if n:
                classes[1 : 1 + n] = logits[k, kept, 1:].sigmoid().numpy()
            all_boxes = np.concatenate([np.array([[0, 0, 1, 1]], np.float32), boxes.numpy(), extra.astype(np.float32)])
            all_scores = np.concatenate([[1.0], scores.numpy(), np.ones(m)]).astype(np.float32)
            result.append(self.describe(square, all_boxes, all_scores, classes, np.array([0] * (1 + n) + [1] * m, np.float32)))
        return result
