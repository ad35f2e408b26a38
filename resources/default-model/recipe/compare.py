"""Questions about two pictures at once; answers carry no marks, which count per picture."""
from __future__ import annotations

import random
from collections.abc import Iterable

import words
from scene import Chain, Scene, Similar, Turn, View, named, similar_set
from seeing import group_words, maybe_nouns
from wordings import noun_slots, word

COMPARE: dict[str, str] = {
    "difference": "What is different?|What is the difference?|Compare the pictures.|Compare the two images.|How do the pictures differ?"
        "|What are the differences between the two pictures?|Tell me how these images differ.|Compare both photos.|What changed?"
        "|How is the second picture different from the first?|What does each picture show?|Describe both pictures.|whats the difference"
        "|Contrast the two images.|What do you see in each picture?|Can you compare these two?",
    "which": "Which picture has {a}?|In which picture do you see {a}?|Which image shows {a}?|Which of the two has {a}?"
        "|Which one contains {a}?|{Therebe} there {a} in the first or the second picture?|Where is there {a}: first or second picture?"
        "|First or second: which has {a}?|In which image is there {a}?|Which photo shows {a}?|which pic has {a}"
        "|Tell me which picture has {a}.|Do both pictures show {a}?",
    "more": "Which picture has more {s}?|Where are there more {s}?|Are there more {s} in the first or in the second picture?"
        "|In which image do you see more {s}?|Which one has more {s}?|Which photo shows more {s}?|More {s}: first or second?"
        "|Compare the number of {s}.|Which of the two has the most {s}?|Does the first or the second picture have more {s}?"
        "|which pic has more {s}|Tell me which picture has more {s}.",
    "common": "What do the pictures have in common?|What is in both pictures?|What do both images show?|Which things are in both?"
        "|What is the same in both?|What do they share?|Name what is in both images.|Is anything the same in both pictures?"
        "|What appears in both?|Which objects appear in both photos?|what's common to both|Tell me what both pictures show.",
}
_BLANK = {"noise": "only noise", "dark": "almost nothing, it is nearly black", "text": "text"}


def shown(view: View) -> str:
    """What one picture shows, as a noun phrase."""
    if view.scene.kind in _BLANK:
        return _BLANK[view.scene.kind]
    if view.scene.kind == "plain" or not view.seen:
        return f"a plain {view.scene.background} area" if view.scene.background else "nothing that I know"
    parts = [group_words(n, g) for n, g in view.groups.items()] + [named(t, mark=False) for t in view.unsure]
    return words.join(parts + ["something I do not recognise"] * bool(view.unknown))


def compare_turns(rng: random.Random, a: Scene, b: Scene, vocabulary: Iterable[str], similar: Similar = None,
                  count: int = 3) -> list[Chain]:
    """Up to `count` one-turn conversations about the pair."""
    nouns = list(vocabulary)
    first, second = View(rng, a, nouns, similar), View(rng, b, nouns, similar)
    makers = [_difference, _which, _which, _more, _common]
    found = [turn for make in rng.sample(makers, len(makers)) if (turn := make(first, second))]
    return [Chain([turn]) for turn in found[:count]]


def _difference(a: View, b: View) -> Turn:
    one, two = shown(a), shown(b)
    answer = f"Both pictures show {one}." if one == two else f"The first picture shows {one}; the second shows {two}."
    return Turn(word(a.rng, COMPARE, "difference"), answer, "difference",
                {"first": list(a.groups), "second": list(b.groups), "same": one == two, "also": sorted({*_present(a), *_present(b)}),
                 "evidence": sorted({*maybe_nouns(a), *maybe_nouns(b)})})


def _present(view: View) -> set[str]:
    return {t.noun for t in view.scene.things}


def _has(view: View, noun: str) -> bool | None:
    """Whether the picture shows the noun; None when that is unclear."""
    if noun in view.groups and noun not in view.doubtful:
        return True
    return False if view.deniable(noun) else None


def _which(a: View, b: View) -> Turn | None:
    known = [*a.groups, *b.groups]
    noun = a.rng.choice(known) if known and a.rng.random() < 0.85 else a.absent()
    if not noun or None in (has := (_has(a, noun), _has(b, noun))):
        return None
    answer = {(True, True): "Both.", (True, False): "Only the first.", (False, True): "Only the second.", (False, False): "Neither."}[has]
    return Turn(word(a.rng, COMPARE, "which", **noun_slots(noun)), answer, "which", {"noun": noun, "first": has[0], "second": has[1]})


def _number(view: View, noun: str) -> int | None:
    groups = view.countable_groups()
    return len(groups[noun]) if noun in groups else 0 if view.deniable(noun) else None


def _more(a: View, b: View) -> Turn | None:
    known = [n for n in dict.fromkeys([*a.groups, *b.groups]) if words.countable(n)]
    if not known:
        return None
    noun = a.rng.choice(known)
    one, two = _number(a, noun), _number(b, noun)
    if one is None or two is None:
        return None
    head = "Both have the same number" if one == two else "The first" if one > two else "The second"
    most, least = (words.number(n) if n else "none" for n in (max(one, two), min(one, two)))
    answer = f"{head}: {most} each." if one == two else f"{head}: {most} against {least}."
    return Turn(word(a.rng, COMPARE, "more", **noun_slots(noun)), answer, "more", {"noun": noun, "first": one, "second": two})


def _common(a: View, b: View) -> Turn | None:
    shared = [n for n in a.groups if n in b.groups]
    near = {s for n in _present(a) - set(shared) for s in similar_set(a.similar, n)} & (_present(b) - set(shared))
    if near or a.unsure or b.unsure or a.unknown or b.unknown or a.hidden or b.hidden:
        return None
    answer = f"Both show {words.join([words.article(n) for n in shared])}." if shared else "Nothing that I see is in both."
    return Turn(word(a.rng, COMPARE, "common"), answer, "common", {"nouns": shared})
