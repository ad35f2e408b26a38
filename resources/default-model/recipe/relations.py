"""Tasks about where things are: boxes, places, relations of two things, sizes, and the comparison of two pictures."""
from __future__ import annotations

import words
from scene import Thing, Turn, View, marks_of, named
from wordings import WORDINGS, ask_about, follow_about, word

CLEAR = 0.15  # centres that differ by less on an axis stand in no clear relation
BIGGER = 1.3  # ratio of areas from which one thing is clearly bigger
TOUCH = 0.04  # gap within which one box rests on another

_OPPOSITE = {"to the left of": "to the right of", "to the right of": "to the left of", "above": "below", "below": "above"}


def relation_between(a: Thing, b: Thing) -> str | None:
    """How `a` stands to `b`: "to the left of", "above", ...; None when unclear."""
    (ax, ay), (bx, by) = words.center(a.box), words.center(b.box)
    dx, dy = ax - bx, ay - by
    if abs(dx) > CLEAR and abs(dx) > abs(dy):
        return "to the left of" if dx < 0 else "to the right of"
    if abs(dy) > CLEAR and abs(dy) > abs(dx):
        return "above" if dy < 0 else "below"
    return None


def rests_on(a: Thing, b: Thing) -> bool:
    """Whether the foot of `a` touches the top of `b` with most of its width over it."""
    overlap = min(a.box[2], b.box[2]) - max(a.box[0], b.box[0])
    return abs(a.box[3] - b.box[1]) <= TOUCH and overlap > 0.6 * (a.box[2] - a.box[0])


def the(thing: Thing) -> str:
    return f"the {thing.noun}{marks_of([thing])}"


def _says(a: Thing, relation: str, b: Thing) -> str:
    return f"{the(a)} {words.be(a.noun)} {relation} {the(b)}"


def position(view: View) -> Turn | None:
    if not (chosen := view.one_thing()):
        return None
    thing, guess = chosen
    place = words.place_words(thing.box)
    answer = f"I am not sure; perhaps{marks_of([thing])}, {words.at_place(place)}." if guess else position_text(thing)
    return Turn(ask_about(view.rng, "position", thing.noun), answer, "position", {"noun": thing.noun, "place": place}, [] if guess else [thing])


def position_text(thing: Thing) -> str:
    return words.sentence(f"{the(thing)} {words.be(thing.noun)} {words.at_place(words.place_words(thing.box))}")


def what_at(view: View) -> Turn | None:
    """What is at one of the nine places."""
    place = view.rng.choice([words.place_words(t.box) for t in view.seen] * 3 + list(words.PLACES))
    at = f"in the {place}" if place == "center" else f"on the {place}" if place in ("left", "right") else f"at the {place}"
    found = [t for t in sorted(view.seen, key=lambda t: t.mark or 99) if words.place_words(t.box) == place]
    if any(t.mark is None for t in found) or (not found and view.hidden):
        return None
    answer = words.sentence(words.join([named(t, mark=True) for t in found])) if found else "I see nothing there."
    return Turn(word(view.rng, WORDINGS, "what_at", at=at), answer, "what_at",
                {"place": place, "nouns": [t.noun for t in found if t in view.sure], "boxes": [t.box for t in found]})


def box_text(noun: str, group: list[Thing]) -> str:
    """Cites the marks of one or several things; what has none is said so."""
    marked = [t for t in group if t.mark is not None]
    several = len(group) > 1 and words.countable(noun)
    name = words.plural(noun) if several else noun
    verb = "are" if several else words.be(noun)
    if not marked:
        place = words.at_place(words.place_words(group[0].box))
        if several:
            return f"There are {words.counted(len(group), noun)}, but I cannot mark them."
        return f"There {words.there_be(noun)} {words.article(noun)} {place}, but I cannot mark {words.pronoun(noun)}."
    if len(marked) == len(group):
        return f"The {name} {verb} here{marks_of(marked)}."
    missing = len(group) - len(marked)
    first = f"One {noun} is" if len(marked) == 1 else f"{words.sentence(words.counted(len(marked), noun))[:-1]} are"
    return f"{first} here{marks_of(marked)}; I cannot mark {words.number(missing)} more."


def box(view: View) -> Turn | None:
    countable = view.countable_groups()
    clear = {n: g for n, g in view.asked().items() if n in countable or len(g) == 1}
    guesses = {t.noun: t for t in view.supposed()}
    if not clear and not guesses:
        return None
    noun = view.rng.choice([*clear, *guesses])
    if noun in guesses:
        answer = f"I am not sure; perhaps here{marks_of([guesses[noun]])}."
        return Turn(ask_about(view.rng, "box", noun), answer, "box", {"noun": noun, "boxes": [guesses[noun].box]})
    group = clear[noun]
    key = "boxes" if len(group) > 1 and words.countable(noun) and view.rng.random() < 0.8 else "box"
    return Turn(ask_about(view.rng, key, noun), box_text(noun, group), "box",
                {"noun": noun, "boxes": [t.box for t in group if t.mark is not None]}, group)


def absent(view: View) -> Turn | None:
    """Where, what colour or which place of a thing that is not there."""
    noun = view.absent()
    key = view.rng.choice(("box", "box", "boxes", "colour", "position"))
    return noun and Turn(ask_about(view.rng, key, noun), f"I see no {noun}.", "absent", {"noun": noun})


def _pair(view: View) -> tuple[Thing, Thing, str] | None:
    singles = view.singles()
    pairs = [(a, b, r) for a in singles for b in singles if a is not b and (r := relation_between(a, b))]
    return view.rng.choice(pairs) if pairs else None


def relation(view: View) -> Turn | None:
    """Asked openly or as a choice of two; the answer says the relation in full."""
    if not (pair := _pair(view)):
        return None
    a, b, rel = pair
    choice = "which_height" if rel in ("above", "below") else "which_side"
    key = choice if view.rng.random() < 0.6 else "relation"
    question = word(view.rng, WORDINGS, key, one=f"the {a.noun}", two=f"the {b.noun}")
    return Turn(question, words.sentence(_says(a, rel, b)), "relation", {"noun": a.noun, "other": b.noun, "relation": rel}, [a])


def is_relation(view: View) -> Turn | None:
    if not (pair := _pair(view)):
        return None
    a, b, rel = pair
    right = view.rng.random() < 0.5
    asked = rel if right else _OPPOSITE[rel]
    spoken = asked.replace("to the ", "") if view.rng.random() < 0.3 else asked
    resting = [(s, t) for s in view.singles() for t in view.singles() if s is not t and rests_on(s, t)]
    if resting and view.rng.random() < 0.5:
        (a, b), rel, spoken, right = view.rng.choice(resting), "on top of", "on top of", True
    elif rel.startswith("to the") and view.rng.random() < 0.15:
        spoken, right = "on top of", False
    question = word(view.rng, WORDINGS, "is_relation", one=f"the {a.noun}", two=f"the {b.noun}", rel=spoken)
    return Turn(question, ("Yes, " if right else "No, ") + _says(a, rel, b) + ".", "is_relation",
                {"noun": a.noun, "other": b.noun, "relation": rel, "yes": right}, [a])


def what_relation(view: View) -> Turn | None:
    """What is left of the car? Everything that clearly is; only where no unclear neighbour could be meant."""
    singles = view.singles()
    if not singles or view.hidden:
        return None
    b = view.rng.choice(singles)
    others = [t for t in view.seen if t is not b]
    there = [r for t in others if (r := relation_between(t, b))]
    rel = view.rng.choice(there if there and view.rng.random() < 0.75 else list(_OPPOSITE))
    axis = 0 if "left" in rel or "right" in rel else 1
    sign = -1 if rel in ("to the left of", "above") else 1
    found = [t for t in others if relation_between(t, b) == rel]
    slanted = [t for t in others if t not in found and sign * (words.center(t.box)[axis] - words.center(b.box)[axis]) > CLEAR / 2]
    if slanted or any(t.mark is None for t in found):
        return None
    found.sort(key=lambda t: t.mark)
    answer = words.sentence(words.join([named(t, mark=True) for t in found])) if found else "I see nothing there."
    spoken = rel.replace("to the ", "") if view.rng.random() < 0.5 else rel
    return Turn(word(view.rng, WORDINGS, "what_relation", rel=spoken, two=f"the {b.noun}"), answer, "what_relation",
                {"noun": b.noun, "relation": rel, "nouns": [t.noun for t in found if t in view.sure], "boxes": [t.box for t in found]})


def extreme(view: View) -> Turn | None:
    """The biggest or the smallest thing, where it is clear."""
    if len(view.seen) < 2 or view.unsure or view.unknown or view.hidden or any(t.mark is None for t in view.seen):
        return None
    key = view.rng.choice(("biggest", "biggest", "smallest"))
    ranked = sorted(view.seen, key=lambda t: words.area(t.box), reverse=key == "biggest")
    first, second = words.area(ranked[0].box), words.area(ranked[1].box)
    if max(first, second) < BIGGER * min(first, second):
        return None
    thing = ranked[0]
    return Turn(word(view.rng, WORDINGS, key), words.sentence(f"{the(thing)} {words.be(thing.noun)} the {key}"), "extreme",
                {"noun": thing.noun, "boxes": [thing.box]}, [thing])


def bigger(view: View) -> Turn | None:
    singles = view.singles()
    if len(singles) < 2:
        return None
    a, b = view.rng.sample(singles, 2)
    question = word(view.rng, WORDINGS, "bigger", one=f"the {a.noun}", two=f"the {b.noun}")
    big, small = sorted((a, b), key=lambda t: -words.area(t.box))
    if words.area(big.box) < BIGGER * words.area(small.box):
        return None
    be = words.be(big.noun)
    return Turn(question, f"{words.sentence(the(big))[:-1]} {be} bigger than {the(small)}.", "bigger",
                {"noun": big.noun, "other": small.noun}, [big])


def follow_box(view: View, group: list[Thing]) -> Turn:
    noun = group[0].noun
    key = "boxes" if len(group) > 1 and words.countable(noun) else "box"
    return Turn(follow_about(view.rng, key, noun), box_text(noun, group), "box",
                {"noun": noun, "boxes": [t.box for t in group if t.mark is not None]}, group)


def follow_position(view: View, group: list[Thing]) -> Turn | None:
    if len(group) != 1 or group[0].mark is None:
        return None
    thing = group[0]
    return Turn(follow_about(view.rng, "position", thing.noun), position_text(thing), "position",
                {"noun": thing.noun, "place": words.place_words(thing.box)}, group)
