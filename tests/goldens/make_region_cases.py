#!/usr/bin/env python3
"""Writes tests/fixtures/regions/cases.json: what the recipe of the default model computes for a few pictures with made-up weights of the
proposal head and the connector, in float32. Made-up weights follow from the tensor's name (tests/support/engine/made_weights.h), so the
fixture holds their names and shapes only. Needs torch, numpy, pillow and safetensors.

    python3 tests/goldens/make_region_cases.py
"""
import argparse
import hashlib
import json
import math
import pathlib
import sys

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ROOT / "resources/models"
WIDTH = 64
NOUNS = ["cat", "cup", "spoon", "dog", "traffic light", "bird", "car", "shoe", "flower", "house", "person", "fish", "wine glass", "book", "table"]
# Picture, the part of it that is shown, places that are pointed at.
PICTURES = [("cat.png", None, []), ("coffee.png", [0, 60, 290, 211], []), ("coffee.png", None, [[0.1, 0.2, 0.5, 0.65]]), ("cat.png", [40, 10, 95, 180], [[0.4, 0.3, 0.44, 0.33]]),
            ("coffee.png", [400, 100, 550, 250], [[0.0, 0.0, 1.0, 1.0]])]


def made(name: str, count: int) -> np.ndarray:
    """`count` numbers in -1..1 that depend on the name and the place only."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xFFFFFFFF
    x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)


def made_tensor(name: str, shape: list[int]) -> torch.Tensor:
    count = math.prod(shape)
    values = made(name, count)
    if name.endswith(".weight"):
        values *= np.float32(1.5 / math.sqrt(count // shape[0]))
    elif name.endswith("deviation"):
        values = values * np.float32(0.5) + np.float32(1)
    else:
        values *= np.float32(0.25)
    return torch.from_numpy(values.reshape(shape))


def embed(text: str) -> torch.Tensor:
    return torch.from_numpy(made("text:" + text, WIDTH))


def fill(module: torch.nn.Module, rename=lambda name: name) -> dict[str, list[int]]:
    """Gives the module made-up weights; names and shapes as they stand in a file."""
    shapes = {name: list(value.shape) for name, value in module.state_dict().items()}
    module.load_state_dict({name: made_tensor(rename(name), shape) for name, shape in shapes.items()})
    return {rename(name): shape for name, shape in shapes.items()}


def numbers(values, digits: int = 5) -> list[float]:
    return [round(float(v), digits) for v in values]


def describe(seen, evidence, rows: torch.Tensor, crops: list[np.ndarray], connector) -> dict:
    regions = []
    for i in range(len(seen.boxes)):
        x = seen.features[i]
        regions.append({
            "box": numbers(seen.boxes[i], 6), "score": round(float(seen.scores[i]), 6), "crop_sha256": hashlib.sha256(crops[i].tobytes()).hexdigest(),
            "embedding": numbers(x[0:1280:40]), "roots": numbers(x[1280:1370:9]), "colours": numbers(x[1370:1409], 6), "last": numbers(x[1409:1411], 6),
            "best_class": int(seen.imagenet[i].argmax()), "best_probability": round(float(seen.imagenet[i].max()), 5),
            "nouns": numbers(evidence.nouns[i]), "tint": numbers(evidence.colours[i]),
        })
    return {"regions": regions, "rows": [{"start": numbers(r[:6]), "mean": round(float(r.mean()), 5), "rms": round(float(r.square().mean().sqrt()), 5)} for r in rows]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=pathlib.Path, default=ROOT / "resources/default-model/recipe")
    sys.path.insert(0, str(parser.parse_args().recipe))
    import colours
    import features
    import proposals
    from connector import Connector, Words
    from scenes import pad_to_square
    from train_heads import evidence

    torch.set_num_threads(1)
    towers = features.Towers(MODELS / "ssdlite/ssdlite-mobilenet-v2-coco.safetensors", MODELS / "default/classifier.safetensors", fast=False)
    head = proposals.ProposalHead()
    head_shapes = fill(head, lambda name: name.replace(".conv.", "."))
    coco = {16: "bird", 17: "cat", 18: "dog", 3: "car", 10: "traffic light", 47: "cup", 50: "spoon", 46: "wine glass", 1: "person", 84: "book"}
    words = Words(NOUNS, colours.NAMES, [NOUNS.index(coco[i]) if i in coco else -1 for i in range(1, 91)], [i % 20 if i % 20 < len(NOUNS) else -1 for i in range(1000)])
    connector = Connector(words, embed, WIDTH, 0.1)
    connector_shapes = fill(connector)

    cases = []
    for name, part, given in PICTURES:
        picture = Image.open(ROOT / "resources/demo" / name).convert("RGB")
        picture = picture.crop(part) if part else picture
        seen = towers.look([picture], head, [np.array(given, np.float32).reshape(-1, 4)])[0]
        square = pad_to_square(picture)
        said = evidence(connector.heads, torch.from_numpy(seen.features), torch.from_numpy(seen.imagenet))
        with torch.no_grad():
            whole = connector.picture_rows(said.nouns[0], said.kind, torch.from_numpy(seen.features[0, 1381:1392]))
            objects = connector.object_rows(*(torch.from_numpy(v[1:]).float() for v in (seen.boxes, seen.scores, seen.region)), said.nouns[1:], said.colours[1:])
        crops = [features.crop(square, box)[0] for box in seen.boxes]
        cases.append({"picture": name, "part": part, "given": given, **describe(seen, said, torch.cat([whole, objects]), crops, connector)})
    colour_of = [[r, g, b, int(colours.name_pixels(np.array([[r, g, b]], np.uint8))[0])] for r in range(0, 256, 36) for g in range(0, 256, 36) for b in range(0, 256, 36)]
    config = {"nouns": words.nouns, "colours": words.colours, "coco": {str(i): noun for i, noun in coco.items()}, "imagenet": words.imagenet,
              "proposals": {"threshold": proposals.THRESHOLD, "iou": proposals.IOU, "min_area": proposals.MIN_AREA, "max": proposals.MAX_OBJECTS, "candidates": proposals.CANDIDATES}}
    out = {"width": WIDTH, "config": config, "proposals": head_shapes, "connector": connector_shapes, "colours": colour_of, "cases": cases}
    (ROOT / "tests/fixtures/regions/cases.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
