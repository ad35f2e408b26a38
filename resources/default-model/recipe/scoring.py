"""Whether an answer is right, task by task. Lenient about words, strict about facts."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import free_text as ft
import tool_grammar
import words
from scene import Similar, similar_set

LEAST_IOU = 0.5
LEAST_RECALL = 0.5  # of the true nouns, in a caption


@dataclass
class Judge:
    """What all tasks need: boxes by mark (None for a free number), the vocabulary and its near-synonyms."""
    boxes: list
    finder: ft.NounFinder
    similar: Similar

    def same(self, said: str, true: str) -> bool:
        """One thing by another word, or with the same plural; a wolf is no dog."""
        return true in words.synonyms(said) or words.plural(said) == words.plural(true)

    def any_same(self, said: str, nouns: Iterable[str]) -> bool:
        return any(self.same(said, n) for n in nouns)

    def excused(self, said: str, nouns: Iterable[str]) -> bool:
        """Whether `said` is near enough to one of the nouns to be no invention."""
        return any(self.same(said, n) or said in similar_set(self.similar, n) or n in similar_set(self.similar, said) for n in nouns)


def score(task: str, want: dict, answer: str, *, boxes: list | None = None, vocabulary: Iterable[str] = (),
          similar: Similar = None) -> bool:
    """True when `answer` is a right answer of a turn with this `task` and `want`; `boxes[k - 1]` is the box of mark k."""
    if not isinstance(answer, str) or not answer.strip() or task not in _SCORERS:
        return False
    return _SCORERS[task](Judge(list(boxes or []), _finder(tuple(vocabulary), want), similar), want, answer)


@lru_cache(maxsize=16)
def _known_finder(nouns: tuple[str, ...]) -> ft.NounFinder:
    return ft.NounFinder(nouns)


def _finder(vocabulary: tuple[str, ...], want: dict) -> ft.NounFinder:
    """A finder of the vocabulary and of what the answer should name; the same list is prepared once."""
    have = _known_finder(vocabulary)
    missing = [n for n in _nouns_of(want) if n and n not in have.nouns_known]
    return ft.NounFinder([*vocabulary, *missing]) if missing else have


def _nouns_of(want: dict) -> list[str]:
    found = [want.get(k) for k in ("noun", "other", "not") if isinstance(want.get(k), str) and want.get(k) != "background"]
    for key in ("nouns", "also", "first", "second", "options"):
        found += want[key] if isinstance(want.get(key), list) else []
    return found


@dataclass
class CaptionReport:
    named: int
    true: int
    hallucinated: list

    @property
    def recall(self) -> float:
        return self.named / self.true if self.true else 1.0


def caption_report(judge: Judge, want: dict, answer: str) -> CaptionReport:
    """How many of the true nouns a caption names, and which of its nouns are neither true nor near a true one."""
    said = judge.finder.nouns(answer)
    true = list(dict.fromkeys(want.get("nouns", [])))
    allowed = [*true, *want.get("also", [])]
    if ft.hedged(answer):
        allowed += want.get("evidence", [])
    wrong = [n for n in dict.fromkeys(said) if not judge.excused(n, allowed)]
    return CaptionReport(sum(any(judge.same(s, n) for s in said) for n in true), len(true), wrong)


_BLANK_WORDS = {"plain": {"plain", "nothing", "empty", "blank"}, "noise": {"noise", "noisy"}, "text": {"text"},
                "dark": {"black", "dark"}}


def _caption(judge: Judge, want: dict, answer: str) -> bool:
    if want.get("blank") and not _BLANK_WORDS[want["blank"]] & set(ft.word_list(answer)):
        return False
    report = caption_report(judge, want, answer)
    return report.recall >= LEAST_RECALL and not report.hallucinated


def _grounded(judge: Judge, want: dict, answer: str) -> bool:
    """A caption, and most placed things are cited behind their noun with the right box."""
    if not _caption(judge, want, answer) or ft.cited_boxes(answer, judge.boxes) is None:
        return False
    pairs = [(n, judge.boxes[m - 1]) for n, marks in judge.finder.with_marks(answer) for m in marks]
    placed = want.get("placed", [])
    right = sum(any(judge.same(n, noun) and ft.iou(b, box) >= LEAST_IOU for n, b in pairs) for noun, box in placed)
    return right >= LEAST_RECALL * len(placed)


def _yes(judge: Judge, want: dict, answer: str) -> bool:
    return ft.yes_or_no(answer) == "yes" and not ft.denies(answer)


def _no(judge: Judge, want: dict, answer: str) -> bool:
    """A "no" that does not point at the denied thing all the same."""
    shown = [n for n, marks in judge.finder.with_marks(answer) if marks]
    return ft.yes_or_no(answer) == "no" and not any(judge.same(n, want["noun"]) for n in shown)


def _asserts(judge: Judge, want: dict, answer: str) -> bool:
    return ft.yes_or_no(answer) == ("yes" if want["yes"] else "no")


def _count(judge: Judge, want: dict, answer: str) -> bool:
    return ft.stated_number(answer) == want["count"]


def _things(judge: Judge, want: dict, answer: str) -> bool:
    return ft.first_number(answer) == want["count"]


def _colour(judge: Judge, want: dict, answer: str) -> bool:
    return ft.stated_colour(answer, want.get("noun", "")) == want["colour"]


def _is_colour(judge: Judge, want: dict, answer: str) -> bool:
    said = ft.stated_colour(answer, want["noun"])
    return _asserts(judge, want, answer) and said in (None, want["colour"])


def _position(judge: Judge, want: dict, answer: str) -> bool:
    return ft.stated_place(answer) == want["place"]


def _relation(judge: Judge, want: dict, answer: str) -> bool:
    """The stated relation, turned round when the sentence starts from the other thing."""
    said, wanted = ft.stated_relation(answer), want["relation"]
    nouns = judge.finder.find(answer)
    if nouns and nouns[0][0] == want["other"] and nouns[0][1] <= ft.relation_at(answer):
        wanted = {"to the left of": "to the right of", "to the right of": "to the left of", "above": "below", "below": "above"}.get(wanted)
    return said is not None and said == wanted


def _box(judge: Judge, want: dict, answer: str) -> bool:
    cited = ft.cited_boxes(answer, judge.boxes)
    if cited is None:
        return False
    if not want["boxes"]:  # there, but without a mark
        return not cited and judge.any_same(want["noun"], judge.finder.nouns(answer)) and "cannot" in ft.word_list(answer)
    return ft.matches_all(cited, want["boxes"], LEAST_IOU)


def _set_of_nouns(judge: Judge, want: dict, answer: str) -> bool:
    """Exactly the wanted nouns; hedged ones beyond them do not count."""
    said = judge.finder.nouns(answer)
    if not want["nouns"]:
        return ft.hedged(answer) or ft.denies(answer) and not said
    found = all(any(judge.same(s, n) for s in said) for n in want["nouns"])
    return found and (ft.hedged(answer) or all(judge.any_same(s, want["nouns"]) for s in said))


def _kind_what(judge: Judge, want: dict, answer: str) -> bool:
    """"I see no bird": the kind itself may be a noun of the vocabulary."""
    return _set_of_nouns(judge, want, answer) if want["nouns"] else _nothing(judge, want, answer)


def _region(judge: Judge, want: dict, answer: str) -> bool:
    said = judge.finder.nouns(answer)
    return bool(said) and all(judge.same(s, want["noun"]) for s in said) and not ft.hedged(answer)


def _nothing(judge: Judge, want: dict, answer: str) -> bool:
    return ft.denies(answer) and ft.cited_boxes(answer, judge.boxes) == []


def _region_none(judge: Judge, want: dict, answer: str) -> bool:
    return ft.denies(answer) and not judge.finder.nouns(answer)


def _either(judge: Judge, want: dict, answer: str) -> bool:
    said = judge.finder.nouns(answer)
    return bool(said) and judge.same(said[0], want["noun"]) and not any(s == want["not"] for s in said)


def _first_noun(judge: Judge, want: dict, answer: str) -> bool:
    """The named thing leads, unless the sentence says smaller."""
    said = judge.finder.nouns(answer)
    lead = want["other"] if "other" in want and "smaller" in ft.word_list(answer) else want["noun"]
    return bool(said) and judge.same(said[0], lead)


def _unsure(judge: Judge, want: dict, answer: str) -> bool:
    """Doubt in words, with one of the likely nouns if there are any."""
    said, options = judge.finder.nouns(answer), want.get("options", [])
    flat = ft.yes_or_no(answer) is not None and "perhaps" not in ft.plain(answer)
    if not ft.hedged(answer) or flat or ft.yes_or_no(answer) == "no":
        return False
    return "recogni" in ft.plain(answer) or not options or any(judge.any_same(s, options) for s in said)


def _still_no(judge: Judge, want: dict, answer: str) -> bool:
    return ft.denies(answer) and ft.cited_boxes(answer, judge.boxes) == []


def _difference(judge: Judge, want: dict, answer: str) -> bool:
    both = want | {"nouns": [*want["first"], *want["second"]]}
    heads = set(ft.word_list(answer))
    return _caption(judge, both, answer) and bool(heads & ({"both", "same"} if want["same"] else {"first", "second"}))


def _which(judge: Judge, want: dict, answer: str) -> bool:
    said = {w for w in ft.word_list(answer) if w in ("first", "second", "both", "neither", "none")}
    wanted = {(True, True): "both", (True, False): "first", (False, True): "second", (False, False): "neither"}
    return {"neither" if s == "none" else s for s in said} == {wanted[want["first"], want["second"]]}


def _more(judge: Judge, want: dict, answer: str) -> bool:
    listed = ft.word_list(answer)
    if want["first"] == want["second"]:
        return bool({"same", "both", "equal", "equally"} & set(listed))
    said = next((w for w in listed if w in ("first", "second", "both", "same")), None)
    return said == ("first" if want["first"] > want["second"] else "second")


def _cannot(judge: Judge, want: dict, answer: str) -> bool:
    listed = set(ft.word_list(answer))
    return "can" in listed if want["kind"] == "help" else bool({"cannot", "can't", "unable", "not", "don't"} & listed)


def _tool(judge: Judge, want: dict, answer: str) -> bool:
    """A valid call of the right tool with the right parameters."""
    reply = tool_grammar.parse(answer)
    if reply is None or not reply.actions or reply.actions[0]["API_name"] != want["tool"]:
        return False
    said, wanted = reply.actions[0]["API_params"], want["params"]
    if want["tool"] == "detect":
        return _names(said["caption"]) == _names(wanted["caption"])
    if want["tool"] == "search":
        return set(ft.word_list(wanted["query"])) <= set(ft.word_list(said["query"]))
    if "box" in wanted:
        return "box" in said and all(abs(a - b) <= 0.02 for a, b in zip(said["box"], wanted["box"]))
    return said == wanted


def _names(caption: str) -> list[str]:
    return sorted(" ".join(ft.word_list(part)) for part in caption.split(".") if part.strip())


def valid_tool_reply(answer: str) -> bool:
    return isinstance(answer, str) and tool_grammar.parse(answer) is not None


def _no_tool(judge: Judge, want: dict, answer: str) -> bool:
    reply = tool_grammar.parse(answer)
    if reply is None or reply.actions or not reply.value:
        return False
    return want["inner"] == "any" or _SCORERS[want["inner"]](_wider(judge, want["want"]), want["want"], reply.value)


def _wider(judge: Judge, want: dict) -> Judge:
    return Judge(judge.boxes, _finder(judge.finder.vocabulary, want), judge.similar)


def _tool_answer(judge: Judge, want: dict, answer: str) -> bool:
    """The answer says what the tool's result says, without another call."""
    reply = tool_grammar.parse(answer)
    if reply is None or reply.actions:
        return False
    value = ft.plain(reply.value)
    if not all(ft.plain(part) in value for part in want.get("contains", [])):
        return False
    said = _finder(judge.finder.vocabulary, want).nouns(value)
    if not all(judge.any_same(n, said) for n in want.get("nouns", [])):
        return False
    return all(_numbered(value, noun, number) for noun, number in want.get("numbers", {}).items())


def _numbered(value: str, noun: str, number: int) -> bool:
    """Whether the number word before the noun is right."""
    listed, finder = ft.tokens(value), ft.NounFinder([noun])
    for _, end in finder.find(value):
        said = next((n for t in reversed(listed[max(0, end - 5):end]) if (n := ft.number_of(t)) is not None), None)
        if said == number:
            return True
    return False


_SCORERS: dict[str, Callable[[Judge, dict, str], bool]] = {
    "yes": _yes, "no": _no, "either": _either, "count": _count, "things": _things, "colour": _colour, "is_colour": _is_colour,
    "what_colour": _set_of_nouns, "position": _position, "what_at": _set_of_nouns, "box": _box, "absent": _nothing, "relation": _relation,
    "is_relation": _asserts, "what_relation": _set_of_nouns, "extreme": _first_noun, "bigger": _first_noun, "caption": _caption,
    "detail": _caption, "grounded": _grounded, "unsure": _unsure, "region": _region, "region_none": _region_none, "region_yes": _asserts,
    "cannot": _cannot, "else": _caption, "still_no": _still_no, "difference": _difference, "which": _which, "more": _more,
    "common": _set_of_nouns, "kind_yesno": _asserts, "kind_what": _kind_what, "kind_count": _count,
    "tool": _tool, "no_tool": _no_tool, "tool_answer": _tool_answer,
}
