"""Where things are, whatever they are: a small class-agnostic head on the frozen detector's maps, and what is kept of its boxes.

The detector's own scores know 80 classes of photographs; on drawings and on things of other kinds they find half of what is there. The head gives
every anchor one more score, "something stands here", and corrects its box. An anchor's score is the chance that either is right; its box is corrected
unless the detector is the surer of the two.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import detector
from efficientnet import Conv

CHANNELS = (576, 1280, 512, 256, 256, 128)
MIDDLE = 64
MAX_OBJECTS = 9
MIN_AREA = 0.001
CANDIDATES = 150
IOU = 0.5
THRESHOLD = 0.3


class ProposalHead(nn.Module):
    """Maps -> per anchor [5]: objectness logit, corrections of ty tx th tw."""

    def __init__(self) -> None:
        super().__init__()
        self.proposals = nn.ModuleList()
        for i, channels in enumerate(CHANNELS):
            per_cell = 3 if i == 0 else 6
            level = nn.ModuleDict({"reduce": Conv(channels, MIDDLE, 1), "depthwise": Conv(MIDDLE, MIDDLE, 3, groups=MIDDLE), "out": Conv(MIDDLE, per_cell * 5, 1, relu6=False)})
            nn.init.zeros_(level["out"].conv.weight)
            nn.init.zeros_(level["out"].conv.bias)
            with torch.no_grad():
                level["out"].conv.bias.view(per_cell, 5)[:, 0] = -4.0
            self.proposals.append(level)

    def forward(self, maps: list[Tensor]) -> Tensor:
        out = []
        for level, x in zip(self.proposals, maps):
            y = level["out"](level["depthwise"](level["reduce"](x)))
            out.append(y.permute(0, 2, 3, 1).reshape(x.shape[0], -1, 5))
        return torch.cat(out, 1)

    def export(self) -> dict[str, Tensor]:
        return {name.replace(".conv.", "."): value for name, value in self.state_dict().items()}


def iou_matrix(a: Tensor, b: Tensor) -> Tensor:
    """[n, 4], [m, 4] -> [n, m]."""
    top, bottom = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = (bottom - top).clamp(min=0).prod(-1)
    area = lambda x: (x[:, 2:] - x[:, :2]).clamp(min=0).prod(-1)
    return inter / (area(a)[:, None] + area(b)[None] - inter).clamp(min=1e-9)


def encode(boxes: Tensor, at: Tensor) -> Tensor:
    """Boxes x1 y1 x2 y2 -> codes of the anchors they are assigned to."""
    cy, cx = (boxes[:, 1] + boxes[:, 3]) / 2, (boxes[:, 0] + boxes[:, 2]) / 2
    h, w = (boxes[:, 3] - boxes[:, 1]).clamp(min=1e-3), (boxes[:, 2] - boxes[:, 0]).clamp(min=1e-3)
    return torch.stack([(cy - at[:, 0]) / at[:, 2] * 10, (cx - at[:, 1]) / at[:, 3] * 10, (h / at[:, 2]).log() * 5, (w / at[:, 3]).log() * 5], -1)


def anchor_boxes(at: Tensor) -> Tensor:
    return torch.stack([at[:, 1] - at[:, 3] / 2, at[:, 0] - at[:, 2] / 2, at[:, 1] + at[:, 3] / 2, at[:, 0] + at[:, 2] / 2], -1)


def targets(truth: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """Truth boxes [m, 4] -> per anchor: 1 something, 0 nothing, -1 not counted; and the index of its box."""
    n = at.shape[0]
    if len(truth) == 0:
        return torch.zeros(n), torch.zeros(n, dtype=torch.long)
    overlap = iou_matrix(anchor_boxes(at), truth)
    best, which = overlap.max(1)
    label = torch.full((n,), -1.0)
    label[best < 0.4] = 0.0
    label[best >= 0.5] = 1.0
    for j in range(len(truth)):  # the best four anchors of every thing belong to it
        top = overlap[:, j].topk(4).indices
        label[top], which[top] = 1.0, j
    return label, which


def loss(out: Tensor, codes: Tensor, truth: list[Tensor], at: Tensor, ignore: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Focal loss of the scores and distance of the boxes. `ignore`: boxes in which an unlabelled thing may stand."""
    score_loss, box_loss = out.new_zeros(()), out.new_zeros(())
    for k, boxes in enumerate(truth):
        label, which = targets(boxes, at)
        if len(ignore[k]):
            unsure = iou_matrix(anchor_boxes(at), ignore[k]).max(1).values > 0.3
            label[unsure & (label == 0)] = -1
        counted, positive = label >= 0, label == 1
        p = out[k, :, 0].sigmoid()
        right = torch.where(positive, p, 1 - p)
        focal = (1 - right) ** 2 * F.binary_cross_entropy_with_logits(out[k, :, 0], label.clamp(min=0), reduction="none") * torch.where(positive, 0.5, 0.5)
        score_loss = score_loss + (focal * counted).sum() / positive.sum().clamp(min=1)
        if positive.any():
            want = encode(boxes[which[positive]], at[positive])
            box_loss = box_loss + F.smooth_l1_loss(codes[k, positive] + out[k, positive, 1:], want, beta=1.0)
    return score_loss / len(truth), box_loss / len(truth)


def keep(boxes: Tensor, scores: Tensor, threshold: float = THRESHOLD, maximum: int = MAX_OBJECTS) -> list[int]:
    """Indices of the anchors that stay, best first: greedy suppression, whatever the class. `boxes` are clamped to 0..1."""
    kept: list[int] = []
    order = torch.argsort(scores, descending=True, stable=True)[:CANDIDATES].tolist()
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(-1)
    for i in order:
        if scores[i] < threshold or len(kept) == maximum:
            break
        if area[i] < MIN_AREA or (kept and iou_matrix(boxes[i : i + 1], boxes[kept]).max() > IOU):
            continue
        kept.append(i)
    return kept


def candidates(out: Tensor, codes: Tensor, known: Tensor, at: Tensor) -> tuple[Tensor, Tensor]:
    """One picture's [anchors, 5], [anchors, 4] and the detector's best scores [anchors] -> boxes and scores of all anchors."""
    own = out[:, 0].sigmoid()
    return detector.decode(codes + out[:, 1:] * (own >= known)[:, None], at).clamp(0, 1), own + known - own * known


def propose(out: Tensor, codes: Tensor, logits: Tensor, at: Tensor, threshold: float = THRESHOLD, maximum: int = MAX_OBJECTS) -> tuple[Tensor, Tensor, list[int]]:
    """One picture's [anchors, 5], [anchors, 4], [anchors, 91] -> boxes [n, 4], scores [n] and anchors, the largest box first: its mark is 1."""
    boxes, scores = candidates(out, codes, logits[:, 1:].max(-1).values.sigmoid(), at)
    kept = keep(boxes, scores, threshold, maximum)
    if not kept:
        return boxes[:0], scores[:0], []
    area = (boxes[kept, 2:] - boxes[kept, :2]).prod(-1)
    kept = [kept[i] for i in torch.argsort(area, descending=True, stable=True).tolist()]
    return boxes[kept], scores[kept], kept
