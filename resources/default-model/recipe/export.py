"""Writes what ships: half-precision safetensors of the trained parts, config.json, model.json, and recorded answers that the engine is compared with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import proposals
from connector import Connector, Words
from conversation import Talk
from evaluate import look_at
from features import Towers
from language import LanguageModel, generate
from train_language import ALPHA, RANK



def half(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().half().contiguous() for name, value in state.items()}


def connector_state(connector: Connector) -> dict[str, torch.Tensor]:
    """Trained tensors only; what follows from the configuration is made again by whoever loads it."""
    return {name: value for name, value in connector.state_dict().items()}


def round_to_half(connector: Connector, model: LanguageModel) -> None:
    """The trainer's copy gets the values of the files, so that both compute with the same numbers."""
    for parameter in [*connector.parameters(), *(p for p in model.parameters())]:
        parameter.data = parameter.data.half().float()


def config(words: Words) -> dict:
    coco = {str(i + 1): words.nouns[k] for i, k in enumerate(words.coco) if k >= 0}
    return {
        "nouns": words.nouns,
        "colours": words.colours,
        "coco": coco,
        "imagenet": words.imagenet,
        "proposals": {"threshold": proposals.THRESHOLD, "iou": proposals.IOU, "min_area": proposals.MIN_AREA, "max": proposals.MAX_OBJECTS, "candidates": proposals.CANDIDATES},
    }


def manifest() -> dict:
    return {
        "name": "Lavascope default",
        "text": {"gguf": "smollm2-135m-instruct-q4_1/SmolLM2-135M-Instruct.Q4_1.gguf"},
        "vision": {
            "encoder": "detector_regions",
            "encoder_file": "../ssdlite/ssdlite-mobilenet-v2-coco.safetensors",
            "classifier_file": "classifier.safetensors",
            "proposals_file": "proposals.safetensors",
            "connector": "object_words",
            "connector_file": "connector.safetensors",
            "config": "config.json",
        },
        "adapters": [{"path": "adapter.safetensors", "rank": RANK, "alpha": ALPHA, "when": "picture"}],
        "chat": "chatml",
        "compute": "float32",
        "grounding": "marks",
    }


def write(folder: Path, work: Path, model: LanguageModel, connector: Connector) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    save_file(half(connector_state(connector)), str(folder / "connector.safetensors"))
    save_file(half(model.adapter()), str(folder / "adapter.safetensors"))
    for name in ("proposals.safetensors", "classifier.safetensors"):
        save_file(half(load_file(str(work / name))), str(folder / name))
    for file in folder.glob("*.safetensors"):
        file.chmod(0o644)
    (folder / "config.json").write_text(json.dumps(config(connector.words), indent=0) + "\n")
    (folder / "model.json").write_text(json.dumps(manifest(), indent=2) + "\n")


@torch.no_grad()
def record(model: LanguageModel, connector: Connector, talk: Talk, towers: Towers, head, pictures: list[tuple[str, object]], asked: dict[str, list[str]]) -> list[dict]:
    """What the trainer answers, float32: `asked` maps a picture's name to its questions."""
    lines = []
    for name, picture in pictures:
        seen = towers.look([picture], head)[0]
        look_ = look_at(connector, seen)
        rows = look_.rows(connector)
        for question in asked[name]:
            before, after = talk.before(), talk.question(question)
            prompt = torch.cat([model.rows(before), rows, model.rows(after)])
            ids, first = generate(model, [prompt], 64)[0], first_logits(model, prompt)
            values, tokens = first.topk(5)
            lines.append(
                {
                    "picture": name,
                    "question": question,
                    "visual_rows": len(rows),
                    "objects": [{"box": [round(float(v), 6) for v in b], "score": round(float(s), 4)} for b, s in zip(seen.boxes[1:], seen.scores[1:])],
                    "prompt_before": before,
                    "prompt_after": after,
                    "visual_row_means": [round(float(v), 5) for v in rows.mean(1)],
                    "answer_ids": ids,
                    "answer": model.text(ids),
                    "with_boxes": with_boxes(model.text(ids), seen.boxes[1:]),
                    "top5": [[int(t), round(float(v), 4)] for t, v in zip(tokens, values)],
                }
            )
    return lines


def with_boxes(text: str, boxes) -> str:
    """Marks as the places that a reader sees."""

    def place(found: re.Match) -> str:
        k = int(found[1])
        return "[" + ", ".join(f"{float(v):.2f}" for v in boxes[k - 1]) + "]" if 1 <= k <= len(boxes) else found[0]

    return re.sub(r"\[(\d+)\]", place, text)


def first_logits(model: LanguageModel, prompt: torch.Tensor) -> torch.Tensor:
    length = len(prompt)
    mask = torch.zeros(1, 1, length, length).masked_fill(~torch.tril(torch.ones(length, length, dtype=torch.bool)), -1e9)
    return model.logits(model.hidden(prompt[None], mask, torch.arange(length)[None])[0, -1])
