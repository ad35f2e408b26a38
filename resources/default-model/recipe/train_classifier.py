"""Fine-tunes the last stages of the classifier on cut-outs: it was made for photographs and takes drawings for other things.

What it says of photographs must not change: parts of the training photographs are shown beside, and its ImageNet probabilities on them held to those of
the network as it was (learning without forgetting, Li and Hoiem 2016).
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

import efficientnet
from features import CROP
from scenes import Library, background, recolour, vary

FIRST_TRAINED = 9  # block: the last two thirds of the weights
CUTOUTS, PHOTOGRAPHS = 24, 8
SHEET = 256
KEEP = 2.0  # weight of what photographs are taken for
HOLD = 2e-3  # pull towards the weights as they were


def pasted(rng: random.Random, library: Library, index: int) -> Image.Image:
    """A cut-out as a crop shows it: most of the picture, not quite in the middle, sometimes from few pixels."""
    image = vary(rng, library.image(index))
    if rng.random() < 0.15:
        image = recolour(rng, image)
    sheet, _ = background(rng, library, SHEET, SHEET)
    scale = rng.uniform(0.7, 0.9) * SHEET / max(image.size)
    image = image.resize((max(4, int(image.width * scale)), max(4, int(image.height * scale))), Image.BICUBIC)
    x, y = (SHEET - image.width) // 2 + rng.randrange(-12, 13), (SHEET - image.height) // 2 + rng.randrange(-12, 13)
    sheet.paste(image, (x, y), image)
    if (small := rng.choice((SHEET, SHEET, 144, 80))) < SHEET:
        sheet = sheet.resize((small, small), Image.BILINEAR)
    return sheet.resize((CROP, CROP), Image.BILINEAR)


def photograph_part(rng: random.Random, library: Library, paths: list[Path]) -> Image.Image:
    image = library.photograph(rng.choice(paths))
    side = int(min(image.size) * rng.uniform(0.3, 1.0))
    x, y = rng.randrange(image.width - side + 1), rng.randrange(image.height - side + 1)
    return image.resize((CROP, CROP), Image.BILINEAR, box=(x, y, x + side, y + side))


def tensor(images: list[Image.Image]) -> Tensor:
    pixels = torch.from_numpy(np.stack([np.asarray(i) for i in images])).permute(0, 3, 1, 2)
    return efficientnet.normalise(pixels).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def accuracy(model: efficientnet.EfficientNetLite0, head: nn.Linear, images: list[Image.Image], labels: Tensor) -> tuple[float, float]:
    model.eval()
    top = torch.cat([head(model(tensor(images[i : i + 32]))).topk(5, -1).indices for i in range(0, len(images), 32)])
    right = top == labels[:, None]
    return right[:, 0].float().mean().item(), right.any(1).float().mean().item()


def train(work: Path, folded: dict[str, Tensor], nouns: list[str], seconds: float, seed: int = 1, log=print) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    rng, index = random.Random(seed), {noun: i for i, noun in enumerate(nouns)}
    library, held = Library(work, "train", set(nouns)), Library(work, "held", set(nouns))
    paths = [*library.backgrounds, *sorted((work / "photos_train").glob("*.jpg"))]
    teacher, model = efficientnet.load(folded).to(memory_format=torch.channels_last), efficientnet.load(folded).to(memory_format=torch.channels_last)
    trained = [p for block in model.blocks[FIRST_TRAINED:] for p in block.parameters()] + list(model.head.parameters())
    for parameter in trained:
        parameter.requires_grad_(True)
    before = [p.detach().clone() for p in trained]
    head = nn.Linear(efficientnet.HEAD, len(nouns))
    nn.init.zeros_(head.weight)
    optimiser = torch.optim.AdamW([{"params": trained, "rate": 2e-4}, {"params": head.parameters(), "rate": 2e-3}], weight_decay=0.0)
    checks = [(pasted(rng, held, i), index[noun]) for noun in held.nouns for i in held.by_noun[noun]]
    check_images, check_labels = [c[0] for c in checks], torch.tensor([c[1] for c in checks])
    start, step, told = time.time(), 0, 0.0
    while (share := (time.time() - start) / seconds) < 1:
        for group in optimiser.param_groups:
            group["lr"] = group["rate"] * min(1, (step + 1) / 50) * (1 - share) + 1e-6
        chosen = [rng.choice(library.by_noun[n]) for n in rng.choices(library.nouns, library.weights, k=CUTOUTS)]
        labels = torch.tensor([index[library.entries[i]["noun"]] for i in chosen])
        x = tensor([pasted(rng, library, i) for i in chosen] + [photograph_part(rng, library, paths) for _ in range(PHOTOGRAPHS)])
        embedding = model(x)
        loss = F.cross_entropy(head(F.dropout(embedding[:CUTOUTS], 0.3)), labels, label_smoothing=0.1)
        with torch.no_grad():
            wanted = teacher.classifier(teacher(x[CUTOUTS:])).softmax(-1)
        kept = F.kl_div(model.classifier(embedding[CUTOUTS:]).log_softmax(-1), wanted, reduction="batchmean")
        held_back = sum((p - q).square().sum() for p, q in zip(trained, before))
        optimiser.zero_grad()
        (loss + KEEP * kept + HOLD * held_back).backward()
        optimiser.step()
        step += 1
        if time.time() - told > 60:
            told = time.time()
            log(f"classifier {step} {told - start:.0f} s loss {loss.item():.3f} photographs {kept.item():.4f}")
    first, five = accuracy(model, head, check_images, check_labels)
    log(f"held-out cut-outs right {first:.3f}, in five {five:.3f}")
    state = {}
    for name, value in model.state_dict().items():
        state[name.replace(".conv.weight", ".weight").replace(".conv.bias", ".bias")] = value.detach().contiguous()
    return state
