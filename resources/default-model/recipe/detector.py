"""SSDLite-MobileNetV2 (COCO weights, Apache-2.0): the frozen tower that says where things are.

Input 300 x 300, RGB * 2 / 255 - 1. Gives box codes and class logits per anchor and the maps that the proposal head reads.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from efficientnet import Conv

SIDE = 300
MAP_SIDES = (19, 10, 5, 3, 2, 1)
CLASSES = 91  # 0 is background, the rest are COCO ids
INNER, HEAD = 576, 1280  # channels of blocks.13.expand and of the head
# expansion, channels out, stride of the 17 blocks
BLOCKS = [(1, 16, 1), (6, 24, 2), (6, 24, 1), (6, 32, 2), (6, 32, 1), (6, 32, 1), (6, 64, 2), (6, 64, 1), (6, 64, 1), (6, 64, 1), (6, 96, 1), (6, 96, 1),
          (6, 96, 1), (6, 160, 2), (6, 160, 1), (6, 160, 1), (6, 320, 1)]
EXTRA = [(256, 512), (128, 256), (128, 256), (64, 128)]


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        self.expand = Conv(inputs, inner, 1) if expansion > 1 else None
        self.depthwise = Conv(inner, inner, 3, stride, groups=inner)
        self.project = Conv(inner, outputs, 1, relu6=False)
        self.residual = stride == 1 and inputs == outputs


class Extra(nn.Module):
    def __init__(self, inputs: int, middle: int, outputs: int):
        super().__init__()
        self.reduce = Conv(inputs, middle, 1)
        self.depthwise = Conv(middle, middle, 3, 2, groups=middle)
        self.expand = Conv(middle, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.expand(self.depthwise(self.reduce(x)))


class Predictor(nn.Module):
    def __init__(self, inputs: int, anchors: int):
        super().__init__()
        self.box = nn.ModuleDict({"depthwise": Conv(inputs, inputs, 3, groups=inputs), "out": Conv(inputs, anchors * 4, 1, relu6=False)})
        self.cls = nn.ModuleDict({"depthwise": Conv(inputs, inputs, 3, groups=inputs), "out": Conv(inputs, anchors * CLASSES, 1, relu6=False)})

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        def run(branch: nn.ModuleDict, width: int) -> Tensor:
            return branch["out"](branch["depthwise"](x)).permute(0, 2, 3, 1).reshape(x.shape[0], -1, width)

        return run(self.box, 4), run(self.cls, CLASSES)


class Detector(nn.Module):
    """Pixels [n, 3, 300, 300] -> box codes [n, anchors, 4], logits [n, anchors, 91], and the six maps."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        blocks, channels = [], 32
        for expansion, out, stride in BLOCKS:
            blocks.append(InvertedResidual(channels, out, stride, expansion))
            channels = out
        self.blocks = nn.ModuleList(blocks)
        self.head = Conv(channels, HEAD, 1)
        self.extra = nn.ModuleList()
        widths, channels = [INNER, HEAD], HEAD
        for middle, out in EXTRA:
            self.extra.append(Extra(channels, middle, out))
            channels = out
            widths.append(out)
        self.predict = nn.ModuleList(Predictor(width, 3 if i == 0 else 6) for i, width in enumerate(widths))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.stem(x)
        maps = []
        for i, block in enumerate(self.blocks):
            y = block.expand(x) if block.expand is not None else x
            if i == 13:
                maps.append(y)
            y = block.project(block.depthwise(y))
            x = x + y if block.residual else y
        maps.append(self.head(x))
        for stage in self.extra:
            maps.append(stage(maps[-1]))
        predictions = [predict(m) for predict, m in zip(self.predict, maps)]
        return torch.cat([p[0] for p in predictions], 1), torch.cat([p[1] for p in predictions], 1), *maps


def load(file: Path) -> Detector:
    model = Detector()
    state = {}
    for name, value in load_file(str(file)).items():
        layer, kind = name.rsplit(".", 1)
        layer = layer.replace(".class.", ".cls.")
        parts = layer.split(".")
        if parts[0] == "extra":  # numbered from 2 in the file
            parts[1] = str(int(parts[1]) - 2)
        state[".".join(parts) + ".conv." + kind] = value.float()
    model.load_state_dict(state)
    return model.eval().requires_grad_(False)


def anchors() -> Tensor:
    """[anchors, 4]: centre y, centre x, height, width; row by row, cell by cell, of all maps."""
    scales = [0.2 + 0.75 * i / 5 for i in range(6)] + [1.0]
    result = []
    for level, side in enumerate(MAP_SIDES):
        if level == 0:
            shapes = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)]
        else:
            shapes = [(scales[level], ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 1 / 3)] + [(math.sqrt(scales[level] * scales[level + 1]), 1.0)]
        for y in range(side):
            for x in range(side):
                for scale, ratio in shapes:
                    result.append(((y + 0.5) / side, (x + 0.5) / side, scale / math.sqrt(ratio), scale * math.sqrt(ratio)))
    return torch.tensor(result)


def decode(codes: Tensor, at: Tensor) -> Tensor:
    """Box codes [..., anchors, 4] -> boxes x1 y1 x2 y2, not clamped."""
    cy, cx = at[:, 0] + codes[..., 0] / 10 * at[:, 2], at[:, 1] + codes[..., 1] / 10 * at[:, 3]
    h, w = at[:, 2] * (codes[..., 2] / 5).exp(), at[:, 3] * (codes[..., 3] / 5).exp()
    return torch.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], -1)


def normalise(rgb: Tensor) -> Tensor:
    return rgb.float() * (2 / 255) - 1
