"""Questions with known answers about pictures that training never saw, and what answers are compared with."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

import questions
import words
from dataset import Example, match
from scene import Scene, Thing, Turn
from seeing import ask_about
from wordings import WORDINGS, word

COMPOSITE_TASKS = ("yes", "no", "count", "count_none", "colour", "position", "box", "caption", "relation", "region", "tool", "no_tool")


@dataclass
class Question:
    picture: int
    turn: Turn
    boxes: list[list[float]] = field(default_factory=list)  # of the marks that the model sees
    region: int = -1  # the given box that is asked about


def truth(example: Example, found: list[int]) -> Scene:
    """All things certain and marked: a thing that the tower missed is asked about like any other, and counts as an error."""
    pairs = match(example.things, example.seen.boxes[found])
    things = [Thing(t.noun, t.box, t.colour, k + 1 if k >= 0 else 90 + i) for i, (t, k) in enumerate(zip(example.things, pairs))]
    return Scene(things, example.kind, example.background, example.text)


def composite_questions(examples: list[Example], vocabulary: list[str], similar, seed: int) -> list[Question]:
    """One question of every task about every picture that has a fair one."""
    result = []
    for i, example in enumerate(examples):
        rng = random.Random(seed * 7919 + i)
        found = list(range(1, 1 + example.found))
        scene = truth(example, found)
        boxes = [example.seen.boxes[k].tolist() for k in found]
        for task in COMPOSITE_TASKS:
            if task == "region":
                if question := _region(rng, example, i, boxes):
                    result.append(question)
                continue
            turn = questions.ask(rng, scene, task, vocabulary, similar)
            if turn is not None:
                result.append(Question(i, turn, boxes))
    return result


def _region(rng: random.Random, example: Example, picture: int, boxes: list[list[float]]) -> Question | None:
    given = list(range(1 + example.found, len(example.seen.boxes)))
    pairs = [(t, k) for t, k in zip(example.things, match(example.things, example.seen.boxes[given])) if k >= 0] if given else []
    if not pairs:
        return None
    thing, k = rng.choice(pairs)
    mark = len(boxes) + 1
    turn = Turn(word(rng, WORDINGS, "region", mark=f"[{mark}]"), "", "region", {"noun": thing.noun, "colour": thing.colour})
    return Question(picture, turn, boxes + [example.seen.boxes[given[k]].tolist()], given[k])


def spoken(thing: dict, known: set[str]) -> str | None:
    """The first of a labelled thing's names that the vocabulary has."""
    return next((n for n in [thing["noun"], *thing.get("also", [])] if n in known), None)


def photograph_questions(labels: list[dict], seen: list, vocabulary: list[str], similar, seed: int) -> list[Question]:
    """From labels made by eye: presence, absence, numbers, colours, places, boxes and captions. Absent nouns are never near a present one."""
    result, known = [], set(vocabulary)
    for i, label in enumerate(labels):
        rng = random.Random(seed * 7919 + i)
        boxes = seen[i].boxes[1:].tolist()
        things = [o for o in label["objects"] if not o.get("crowd")]
        add = lambda question, task, want: result.append(Question(i, Turn(question, "", task, want), boxes))
        present = {*label["yes"], *(n for o in label["objects"] for n in [o["noun"], *o.get("also", [])])}
        near = {s for noun in present for s in similar(noun)} | present
        for noun in label["yes"]:
            if noun in known:
                add(ask_about(rng, "yesno", noun), "yes", {"noun": noun})
        for noun in label["no"]:
            if noun in known and noun not in near:
                add(ask_about(rng, "yesno", noun), "no", {"noun": noun})
        for noun in label["count_ok"]:
            if noun not in known:
                continue
            add(ask_about(rng, "count", noun), "count", {"noun": noun, "count": sum(o["noun"] == noun for o in label["objects"])})
        for o in things:
            noun = spoken(o, known)
            if noun is None or sum(p["noun"] == o["noun"] for p in label["objects"]) != 1:
                continue
            if o.get("colour"):
                add(ask_about(rng, "colour", noun), "colour", {"noun": noun, "colour": o["colour"]})
            add(ask_about(rng, "position", noun), "position", {"noun": noun, "place": words.place_words(tuple(o["box"]))})
            add(ask_about(rng, "box", noun), "box", {"noun": noun, "boxes": [tuple(o["box"])]})
        if nouns := [n for n in label["caption_nouns"] if n in known]:
            also = sorted(present - set(nouns))
            add(word(rng, WORDINGS, "caption"), "caption", {"nouns": nouns, "also": also})
    return result


def detector_template(question: Question, found: list[tuple[str, float, list[float], str]]) -> str:
    """What a detector and a form letter would say. `found`: noun, score, box, colour of each."""
    task, want = question.turn.task, question.turn.want
    if task == "caption":
        return ("I see " + words.join([words.article(f[0]) for f in found]) + ".") if found else "Nothing."
    noun = want.get("noun")
    mine = [f for f in found if f[0] == noun]
    if task in ("yes", "no"):
        return "Yes." if mine else "No."
    if task == "count":
        return f"{words.number(len(mine))}." if mine else "None."
    if not mine:
        return f"I see no {noun}."
    best = max(mine, key=lambda f: f[1])
    if task == "colour":
        return f"The {noun} is {best[3]}."
    if task == "position":
        return f"The {noun} is {words.at_place(words.place_words(tuple(best[2])))}."
    if task == "box":
        marks = [question.boxes.index(f[2]) + 1 for f in mine if f[2] in question.boxes]
        return f"The {noun} is here" + "".join(f" [{m}]" for m in marks) + "."
    return ""


def caption_shares(captions: list[tuple[int, int, int, int]]) -> tuple[float, float]:
    """(named, true, hallucinated, said) of each caption -> share of true nouns named, share of said nouns that are not there."""
    total = np.array(captions).sum(0)
    return float(total[0] / max(total[1], 1)), float(total[2] / max(total[3], 1))
