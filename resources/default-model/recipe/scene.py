"""What a question is asked about, what an asked question is, and how sure the answer may be."""
from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import words

UNSURE_TOP = 0.35  # another noun leads with less than this: the answer names both
UNSURE_TRUE = 0.10  # the true noun has less than this: the answer may not assert it
UNKNOWN_TOP = 0.12  # nothing reaches this: the answer says that it does not recognise the thing
UNMARKED_AREA = 0.02  # a thing without a mark and smaller than this cannot be seen: never asked about, never denied

Similar = Callable[[str], Iterable[str]] | Mapping[str, Iterable[str]] | None


@dataclass
class Thing:
    noun: str
    box: tuple  # x1 y1 x2 y2 in 0..1
    colour: str | None = None
    mark: int | None = None  # 1-based; None when the tower proposed no box for it
    evidence: list = field(default_factory=list)  # [(noun, probability)] of that mark, best first
    region: bool = False  # the user drew it


@dataclass
class Scene:
    things: list
    kind: str = "scene"  # scene, plain, noise, text, dark
    background: str | None = None
    text: str | None = None
    spare: list = field(default_factory=list)  # marks that hold no thing


@dataclass
class Turn:
    question: str
    answer: str
    task: str
    want: dict = field(default_factory=dict)  # what the scorer needs; JSON data only
    about: list = field(default_factory=list)  # the things a later "it" may refer to


@dataclass
class Chain:
    turns: list
    system: str | None = None


def certainty(thing: Thing) -> str:
    """"sure", "unsure" or "unknown", from the evidence the model will see beside this thing."""
    if thing.mark is None or not thing.evidence:
        return "sure"
    top, top_p = thing.evidence[0]
    if top_p < UNKNOWN_TOP:
        return "unknown"
    if top == thing.noun:
        return "sure"
    true_p = dict(thing.evidence).get(thing.noun, 0.0)
    return "unsure" if top_p < UNSURE_TOP or true_p < UNSURE_TRUE else "sure"


def similar_set(similar: Similar, noun: str) -> set[str]:
    """Nouns that may stand for `noun`, itself included."""
    if similar is None:
        return {noun}
    found = similar(noun) if callable(similar) else similar.get(noun, ())
    return {noun, *found}


def marks_of(things: Iterable[Thing]) -> str:
    """" [1] [3]" in order of the numbers; empty when nothing has one."""
    return "".join(f" [{m}]" for m in sorted({t.mark for t in things if t.mark is not None}))


def may_be(thing: Thing) -> str:
    """"a wolf or a dog" of the two best nouns."""
    return words.join([words.kind(noun) for noun, _ in thing.evidence[:2]], "or")


def named(thing: Thing, mark: bool, colour: bool = True) -> str:
    """How a list names one thing, with its mark when wanted and known."""
    tag = marks_of([thing]) if mark else ""
    state = certainty(thing)
    if state == "unknown":
        return f"something{tag} I do not recognise"
    if state == "unsure":
        return f"something that could be {words.kind(thing.evidence[0][0])}{tag}"
    return words.article(thing.noun, thing.colour if colour else None) + tag


class View:
    """A scene with everything the tasks look up: what can be seen, by noun, and which nouns may be denied."""

    def __init__(self, rng: random.Random, scene: Scene, vocabulary: Iterable[str], similar: Similar = None,
                 companions: Similar = None):
        self.rng, self.scene, self.vocabulary, self.similar = rng, scene, list(vocabulary), similar
        self.companions = companions
        things = scene.things if scene.kind == "scene" else []
        self.seen = [t for t in things if t.mark is not None or words.area(t.box) >= UNMARKED_AREA]
        self.hidden = [t for t in things if t not in self.seen]
        self.sure = [t for t in self.seen if certainty(t) == "sure"]
        self.unsure = [t for t in self.seen if certainty(t) == "unsure"]
        self.unknown = [t for t in self.seen if certainty(t) == "unknown"]
        self.groups: dict[str, list[Thing]] = {}
        for thing in sorted(self.sure, key=lambda t: -words.area(t.box)):
            self.groups.setdefault(thing.noun, []).append(thing)
        doubtful = {n for t in self.unsure + self.unknown for n in [t.noun, *(e[0] for e in t.evidence)]}
        self.doubtful = {s for n in doubtful for s in similar_set(similar, n)}
        present = {t.noun for t in things}
        self.taken = {s for n in present for s in similar_set(similar, n)} | self.doubtful

    def countable_groups(self) -> dict[str, list[Thing]]:
        """Nouns whose number is certain: no doubtful, hidden or similarly named thing beside them."""
        unclear = self.doubtful | {s for t in self.hidden for s in similar_set(self.similar, t.noun)}
        return {n: g for n, g in self.groups.items() if n not in unclear and words.countable(n)
                and not any(o != n and n in similar_set(self.similar, o) for o in self.groups)}

    def singles(self) -> list[Thing]:
        """Things that "the NOUN" names without doubt and that carry a mark."""
        return [g[0] for n, g in self.groups.items() if len(g) == 1 and g[0].mark is not None and n not in self.doubtful
                and not any(t.noun == n for t in self.hidden)]

    def absent(self) -> str | None:
        """A noun to deny: half the time one that is likely in such a scene, else any; never near a present one."""
        rng = self.rng
        allowed = [n for n in self.likely() if self.deniable(n)] if rng.random() < 0.6 else []
        if not allowed:
            allowed = [n for n in rng.sample(self.vocabulary, min(12, len(self.vocabulary))) if self.deniable(n)]
        return rng.choice(allowed) if allowed else None

    def deniable(self, noun: str) -> bool:
        return noun not in self.taken and not any(t.noun in similar_set(self.similar, noun) for t in self.scene.things)

    def likely(self) -> list[str]:
        """Vocabulary nouns that go with the present ones: companions, and what strong evidence nearly took them for."""
        found = [n for t in self.seen for n in companions_of(t.noun, self.companions)]
        found += [n for t in self.sure for n, _ in t.evidence[1:] if t.evidence[0][0] == t.noun and t.evidence[0][1] > 0.5]
        known = set(self.vocabulary)
        return [n for n in found if n in known]


_THEMES = (
    "dog cat horse cow sheep goat pig chicken duck rabbit donkey goose turkey rooster hen",
    "lion tiger bear elephant zebra giraffe monkey wolf fox leopard kangaroo camel rhinoceros hippopotamus panda deer",
    "bird owl eagle parrot penguin swan duck pigeon flamingo peacock ostrich crow sparrow",
    "fish shark dolphin whale octopus crab lobster turtle seal starfish jellyfish",
    "butterfly bee ant spider beetle snail ladybug dragonfly fly mosquito caterpillar",
    "snake lizard frog turtle crocodile alligator toad dinosaur",
    "car bus truck bicycle motorcycle train;traffic light;stop sign;fire hydrant;parking meter;taxi person tram scooter bench",
    "boat ship sailboat airplane helicopter kite surfboard balloon rocket canoe",
    "apple banana orange pear strawberry lemon pineapple watermelon grapes cherry peach mango kiwi lime plum",
    "carrot broccoli tomato potato onion pepper cucumber mushroom corn cabbage eggplant pumpkin garlic lettuce",
    "pizza cake donut sandwich;hot dog;hamburger fries cookie bread cheese;ice cream;egg pancake",
    "cup bowl plate fork knife spoon bottle;wine glass;glass teapot kettle pan pot mug jug",
    "chair table couch bed lamp;potted plant;vase clock book mirror shelf candle sofa stool desk",
    "tv laptop;cell phone;keyboard mouse remote camera computer printer microphone headphones radio monitor",
    "oven microwave toaster sink refrigerator blender kettle",
    "shirt hat shoe sock tie dress jacket glove scarf boot jeans glasses handbag backpack umbrella suitcase",
    "hammer screwdriver saw wrench axe drill pliers scissors ladder rope shovel nail screw",
    "guitar piano violin drum trumpet flute saxophone accordion harp",
    "frisbee;sports ball;baseball bat;baseball glove;tennis racket;skateboard skis snowboard surfboard football basketball ball",
    "pen pencil book notebook ruler eraser scissors paintbrush crayon",
    "person man woman boy girl child baby", "tree flower leaf bush cactus mushroom rose tulip sunflower",
    "house castle church tower bridge tent windmill lighthouse barn", "teddy bear;doll toy;toy car;kite balloon dice robot puzzle",
    "toilet sink toothbrush;hair drier;towel soap mirror bathtub comb")


def _theme_words(theme: str) -> list[str]:
    """Single words split at blanks; a part between semicolons that holds a known two-word noun stays whole."""
    found: list[str] = []
    for part in theme.split(";"):
        found += [part] if part in _TWO_WORDS else part.split()
    return found


_TWO_WORDS = frozenset((
    "traffic light", "stop sign", "fire hydrant", "parking meter", "hot dog", "ice cream", "wine glass", "potted plant", "cell phone",
    "sports ball", "baseball bat", "baseball glove", "tennis racket", "teddy bear", "toy car", "hair drier"))
_COMPANIONS: dict[str, list[str]] = {}
for _theme in _THEMES:
    _members = _theme_words(_theme)
    for _noun in _members:
        _COMPANIONS.setdefault(_noun, []).extend(m for m in _members if m != _noun)


def companions_of(noun: str, companions: Similar = None) -> list[str]:
    """Nouns that are often seen with `noun`: the caller's own, or the built-in themes."""
    if companions is None:
        return _COMPANIONS.get(noun, [])
    return list(companions(noun) if callable(companions) else companions.get(noun, ()))
