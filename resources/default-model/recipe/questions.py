"""Questions and answers about a scene: the training conversations and the single questions of an evaluation."""
from __future__ import annotations

import random
from collections.abc import Iterable

import categories
import relations
import seeing
from compare import compare_turns  # noqa: F401  part of this module's interface
from scene import Chain, Scene, Similar, Thing, Turn, View, certainty  # noqa: F401

TASKS = {
    "yes": seeing.yes, "no": seeing.no, "either": seeing.either, "count": seeing.count, "count_none": seeing.count_none,
    "things": seeing.things, "colour": seeing.colour, "is_colour": seeing.is_colour, "what_colour": seeing.what_colour,
    "background": seeing.background, "position": relations.position, "what_at": relations.what_at, "box": relations.box,
    "absent": relations.absent, "relation": relations.relation, "is_relation": relations.is_relation,
    "what_relation": relations.what_relation, "extreme": relations.extreme, "bigger": relations.bigger, "caption": seeing.caption,
    "detail": seeing.detail, "grounded": seeing.grounded, "unsure": seeing.unsure, "region": seeing.region,
    "region_none": seeing.region_none, "region_yes": seeing.region_yes, "region_colour": seeing.region_colour, "cannot": seeing.cannot,
    "kind_yesno": categories.kind_yesno, "kind_what": categories.kind_what, "kind_count": categories.kind_count,
}
WEIGHTS = {
    "yes": 11, "no": 9, "either": 3, "count": 7, "count_none": 2, "things": 3, "colour": 6, "is_colour": 4, "what_colour": 3,
    "background": 1, "position": 6, "what_at": 3, "box": 9, "absent": 4, "relation": 4, "is_relation": 3, "what_relation": 2,
    "extreme": 2, "bigger": 2, "caption": 8, "detail": 5, "grounded": 6, "unsure": 4, "region": 6, "region_none": 2,
    "region_yes": 4, "region_colour": 3, "cannot": 2,
    "kind_yesno": 4, "kind_what": 4, "kind_count": 2,
}
BLANK_WEIGHTS = {"no": 5, "count_none": 3, "absent": 4, "caption": 6, "detail": 3, "grounded": 2, "things": 1, "background": 1, "cannot": 2,
                 "region_none": 2}
CHAINED = 0.3  # share of conversations with two or three turns
_LONG = {"caption", "detail", "grounded"}
_FOLLOW = (seeing.follow_colour, seeing.follow_count, seeing.follow_else, seeing.follow_certain, relations.follow_box,
           relations.follow_position)


def ask(rng: random.Random, scene: Scene, task: str, vocabulary: Iterable[str], similar: Similar = None,
        companions: Similar = None) -> Turn | None:
    """One question of the named task, or of "tool" / "no_tool" under TOOL_SYSTEM; None where the scene has no fair question of it."""
    view = View(rng, scene, vocabulary, similar, companions)
    if task in ("tool", "no_tool"):
        from tool_questions import ask_tool  # builds on this module
        return ask_tool(view, needed=task == "tool")
    return TASKS[task](view) or None


def turns(rng: random.Random, scene: Scene, vocabulary: Iterable[str], similar: Similar = None, count: int = 6,
          companions: Similar = None) -> list[Chain]:
    """`count` conversations about the scene, no two of the same first task while there are others."""
    view = View(rng, scene, vocabulary, similar, companions)
    weights = dict(WEIGHTS if view.seen else BLANK_WEIGHTS)
    if any(t.region for t in view.seen):
        weights |= {name: 4 * weights[name] for name in ("region", "region_yes", "region_colour")}
    chains: list[Chain] = []
    while weights and len(chains) < count:
        task = rng.choices(list(weights), list(weights.values()))[0]
        del weights[task]
        if first := TASKS[task](view):
            chains.append(Chain(_continued(view, first) if rng.random() < CHAINED else [first]))
    return chains


def _continued(view: View, first: Turn) -> list[Turn]:
    """One or two more turns: back to the thing just spoken of, to another task, or a long description after a short answer."""
    chain = [first]
    for _ in range(view.rng.choice((1, 1, 2))):
        if turn := _next(view, chain[-1], {t.task for t in chain}):
            chain.append(turn)
    return chain


def _next(view: View, last: Turn, done: set[str]) -> Turn | None:
    group = last.about
    roll = view.rng.random()
    if last.task in ("no", "absent", "count_none") and roll < 0.5:
        return seeing.follow_absent(view, last.want["noun"])
    if last.task not in _LONG and roll > 0.8:
        return view.rng.choice((seeing.detail, seeing.detail, seeing.caption, seeing.grounded))(view)
    if group and roll < 0.65 and all(certainty(t) == "sure" for t in group):
        for make in view.rng.sample(_FOLLOW, len(_FOLLOW)):
            turn = make(view, group)
            if turn and (turn.task not in done or make is seeing.follow_certain):
                return turn
    weights = {k: w for k, w in (WEIGHTS if view.seen else BLANK_WEIGHTS).items() if k not in done}
    return TASKS[view.rng.choices(list(weights), list(weights.values()))[0]](view) or None
