#!/usr/bin/env python3
"""Writes tests/fixtures/efficientnet/cases.json: what torch computes with the fp16 weights of resources/models/default/classifier.safetensors in
float32 for pictures of tests/fixtures, resized to 224 x 224 by Pillow. Needs torch, numpy, pillow and safetensors.

    python3 tests/goldens/make_efficientnet_cases.py
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
PICTURES = ["default/chelsea.png", "default/coffee.png", "transformers/llava15/scene.png"]
SIDE = 224


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=pathlib.Path, default=ROOT / "resources/default-model/recipe", help="folder of efficientnet.py")
    sys.path.insert(0, str(parser.parse_args().recipe))
    import efficientnet

    torch.set_num_threads(1)
    model = efficientnet.load(load_file(str(ROOT / "resources/models/default/classifier.safetensors")))
    cases = []
    for name in PICTURES:
        picture = Image.open(ROOT / "tests/fixtures" / name).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None]
        with torch.no_grad():
            embedding = model(efficientnet.normalise(pixels))
            probability = model.classifier(embedding).softmax(-1)[0]
        top = probability.topk(5)
        cases.append({
            "picture": name,
            "embedding_every_8th": [round(v, 6) for v in embedding[0, ::8].tolist()],
            "embedding_mean": float(embedding.mean()),
            "embedding_rms": float(embedding.square().mean().sqrt()),
            "top": [[int(i), round(float(p), 7)] for p, i in zip(top.values, top.indices)],
        })
    out = ROOT / "tests/fixtures/efficientnet/cases.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
