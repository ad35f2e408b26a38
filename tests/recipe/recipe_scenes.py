"""Scenes for the recipe's tests: one fixed, many random ones."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "resources" / "default-model" / "recipe"))

import words  # noqa: E402
from scene import Scene, Thing  # noqa: E402

VOCABULARY = [
    "dog",
    "cat",
    "horse",
    "car",
    "truck",
    "cup",
    "bowl",
    "apple",
    "banana",
    "grapes",
    "scissors",
    "person",
    "tree",
    "wolf",
    "fox",
    "bus",
    "broccoli",
    "sheep",
    "owl",
    "hat",
    "traffic light",
    "wine glass",
    "hot dog",
    "orange",
    "mouse",
    "puppy",
]
SIMILAR = {"dog": ["puppy", "wolf"], "car": ["truck", "bus"]}
BLANKS = ("plain", "noise", "text", "dark")


def fixed() -> Scene:
    """A red car [1], a sure dog [2], a dog that looks like a wolf [3], grapes [4], a cup too small to see, and an empty mark [5]."""
    return Scene(
        [
            Thing("car", (0.05, 0.1, 0.4, 0.5), "red", 1, [("car", 0.8), ("truck", 0.1)]),
            Thing("dog", (0.6, 0.6, 0.9, 0.9), None, 2, [("dog", 0.5), ("wolf", 0.2)]),
            Thing("dog", (0.5, 0.1, 0.7, 0.3), "brown", 3, [("wolf", 0.3), ("dog", 0.05)]),
            Thing("grapes", (0.1, 0.6, 0.4, 0.95), "green", 4, [("grapes", 0.9)]),
            Thing("cup", (0.45, 0.45, 0.5, 0.5), "white"),
        ],
        background="blue",
        spare=[5],
    )


def simple() -> Scene:
    """A red car [1] at the top left, a blue cup [2] at the bottom right; both certain."""
    return Scene(
        [Thing("car", (0.05, 0.05, 0.4, 0.4), "red", 1, [("car", 0.9)]), Thing("cup", (0.75, 0.7, 0.95, 0.9), "blue", 2, [("cup", 0.9)])]
    )


def random_scene(rng: random.Random) -> Scene:
    if rng.random() < 0.15:
        return Scene([], kind=rng.choice(BLANKS), background=rng.choice([None, "gray"]), spare=rng.choice([[], [1, 2]]))
    things = []
    number = rng.randrange(0, 9)
    for i in range(number):
        x, y = rng.uniform(0, 0.8), rng.uniform(0, 0.8)
        noun = rng.choice(VOCABULARY[:8] if rng.random() < 0.6 else VOCABULARY)
        p = rng.random()
        evidence = [(noun if rng.random() < 0.8 else rng.choice(VOCABULARY), p * 0.9)] + [
            (v, p * 0.05) for v in rng.sample(VOCABULARY, 2)
        ]
        mark = i + 1 if rng.random() < 0.9 else None
        box = (x, y, min(1, x + rng.uniform(0.05, 0.5)), min(1, y + rng.uniform(0.05, 0.5)))
        things.append(
            Thing(noun, box, rng.choice([*words.COLOURS, None]), mark, evidence if mark else [], rng.random() < 0.1 and mark is not None)
        )
    return Scene(things, background=rng.choice([None, "green"]), spare=[number + 1] if rng.random() < 0.5 else [])


def boxes_of(scene: Scene) -> list:
    """The box of each mark; None for a mark that holds nothing."""
    boxes = [None] * max([t.mark or 0 for t in scene.things] + scene.spare + [0])
    for thing in scene.things:
        if thing.mark:
            boxes[thing.mark - 1] = thing.box
    return boxes
