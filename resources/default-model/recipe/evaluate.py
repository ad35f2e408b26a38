"""Scores of the model on composites of known and of new cut-outs and on photographs, beside what a detector with form letters says and beside a control.

The control asks the same question with the rows of another picture: what is right then is not due to seeing.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

import colours
import exam
import scoring
from connector import CLASSES, EMBEDDING, Connector
from conversation import Look, Talk
from dataset import Example
from exam import Question
from features import Seen, Towers
from free_text import NounFinder, asserted
from language import LanguageModel, generate
from proposals import ProposalHead
from tool_grammar import TOOL_SYSTEM
from train_heads import evidence

BATCH = 32
LIMITS = {"caption": 40, "tool": 110, "no_tool": 110}
DETECTOR_THRESHOLD = 0.3
CONTROL_EVERY = 3  # questions


def look_at(connector: Connector, seen: Seen, example: Example | None = None, region: int = -1) -> Look:
    """What the shipped heads say about the found boxes, and about a given one."""
    holder = example or Example("scene", None, None, [], seen, True)
    e = evidence(connector.heads, torch.from_numpy(seen.features).float(), torch.from_numpy(seen.imagenet).float())
    found = list(range(1, 1 + holder.found))
    return Look(holder, e, found + ([region] if region >= 0 else []), int(region >= 0))


@torch.no_grad()
def answer_all(model: LanguageModel, connector: Connector, talk: Talk, looks: list[Look], asked: list[Question], log=None) -> list[str]:
    prompts: list[Tensor] = []
    for look_, question in zip(looks, asked):
        system = TOOL_SYSTEM if question.turn.task in ("tool", "no_tool") else None
        before = model.rows(talk.before(system))
        after = model.rows(talk.question(question.turn.question))
        prompts.append(torch.cat([before, look_.rows(connector).to(model.embeddings.dtype), after]))
    limit = lambda i: LIMITS.get(asked[i].turn.task, 24)
    order = sorted(range(len(asked)), key=lambda i: (limit(i), len(prompts[i])))
    answers = [""] * len(asked)
    for start in range(0, len(order), BATCH):
        group = order[start : start + BATCH]
        for i, ids in zip(group, generate(model, [prompts[i] for i in group], max(limit(i) for i in group))):
            answers[i] = model.text(ids)
        if log and start % (8 * BATCH) == 0:
            log(f"answered {start + len(group)} of {len(order)}")
    return answers


def score_all(asked: list[Question], answers: list[str], vocabulary: list[str], similar) -> dict[str, float]:
    """Share of right answers per task; captions as nouns named and nouns invented, with and without guesses."""
    right, captions, sure_captions = defaultdict(list), [], []
    for question, text in zip(asked, answers):
        task, want = question.turn.task, question.turn.want
        if task == "caption":
            judge = scoring.Judge(question.boxes, NounFinder([*vocabulary, *want["nouns"], *want.get("also", [])]), similar)
            for said, kept in ((text, captions), (asserted(text), sure_captions)):
                report = scoring.caption_report(judge, want, said)
                if report.true:
                    kept.append((report.named, report.true, len(report.hallucinated), len(judge.finder.nouns(said))))
            continue
        if task in ("tool", "no_tool"):
            right["tool valid"].append(scoring.valid_tool_reply(text))
        key = "count" if task == "count_none" else task
        good = scoring.score(task, want, text, boxes=question.boxes, vocabulary=vocabulary, similar=similar)
        right[key].append(good)
        if task == "count" and want["count"] > 1:
            right["count above one"].append(good)
    result = {task: float(np.mean(values)) for task, values in right.items()}
    if "yes" in result and "no" in result:
        result["yes/no balanced"] = (result["yes"] + result["no"]) / 2
    if captions:
        result["caption named"], result["caption invented"] = exam.caption_shares(captions)
        result["caption asserted"] = exam.caption_shares(sure_captions)[1]
    result["questions"] = len(asked)
    return result


def detector_names(seen: Seen, coco: dict[int, str]) -> list[tuple[str, float, list[float], str]]:
    found = []
    for k in range(1, len(seen.boxes)):
        classes = seen.features[k, EMBEDDING : EMBEDDING + CLASSES].astype(np.float32) ** 2
        best = int(classes.argmax())
        if seen.region[k] == 0 and classes[best] >= DETECTOR_THRESHOLD and best + 1 in coco:
            inner = (seen.features[k, -8:-5].astype(np.float32) * 255).astype(np.uint8)
            found.append((coco[best + 1], float(classes[best]), seen.boxes[k].tolist(), colours.NAMES[int(colours.name_pixels(inner[None])[0])]))
    return found


def judge(name: str, model: LanguageModel, connector: Connector, talk: Talk, seen: list[Seen], examples: list[Example] | None, asked: list[Question], coco: dict[int, str],
          vocabulary: list[str], similar, out: Path, log=print) -> dict[str, dict[str, float]]:
    looks = [look_at(connector, seen[q.picture], examples[q.picture] if examples else None, q.region) for q in asked]
    other = random.Random(5)
    swapped = []
    for q in asked:
        k = other.randrange(len(seen) - 1)
        k += k >= q.picture
        swapped.append(look_at(connector, seen[k], examples[k] if examples else None))
    answers = answer_all(model, connector, talk, looks, asked, log)
    template = [exam.detector_template(q, detector_names(seen[q.picture], coco)) for q in asked]
    checked = [i for i, q in enumerate(asked) if q.turn.task not in ("tool", "no_tool", "region")]
    controlled = checked[::CONTROL_EVERY]
    control = answer_all(model, connector, talk, [swapped[i] for i in controlled], [asked[i] for i in controlled])
    with open(out / f"answers-{name}.jsonl", "w") as file:
        for q, text, plain in zip(asked, answers, template):
            good = scoring.score(q.turn.task, q.turn.want, text, boxes=q.boxes, vocabulary=vocabulary, similar=similar)
            file.write(json.dumps({"picture": q.picture, "task": q.turn.task, "question": q.turn.question, "want": q.turn.want, "answer": text, "right": bool(good), "detector": plain}) + "\n")
    return {"model": score_all(asked, answers, vocabulary, similar), "detector and template": score_all([asked[i] for i in checked], [template[i] for i in checked], vocabulary, similar),
            "another picture": score_all([asked[i] for i in controlled], control, vocabulary, similar)}


def photographs(folder: Path, towers: Towers, head: ProposalHead) -> tuple[list[dict], list[Seen]]:
    labels = json.loads((folder / "labels.json").read_text())
    labels = labels["photographs"] if isinstance(labels, dict) else labels
    seen = []
    for label in labels:
        path = next(p for p in folder.glob(f"{label['id']}.*"))
        seen.append(towers.look([Image.open(path)], head)[0])
    return labels, seen
