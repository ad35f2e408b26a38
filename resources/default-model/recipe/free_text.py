"""What a free sentence says: nouns, colours, numbers, places, relations, marks and boxes."""
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import words

_TOKEN = re.compile(r"\[[^\[\]]*\]|[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:[.,]\d+)*")
_MARK = re.compile(r"\[\s*(\d{1,3})\s*\]")
_BOX = re.compile(r"\[\s*((?:\d*\.?\d+\s*[, ]\s*){3}\d*\.?\d+)\s*\]")
_NUMBER_WORDS = {w: i for i, w in enumerate((*words.NUMBERS, *(
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split())))} | {
        "no": 0, "none": 0, "single": 1, "dozen": 12, "a": 1, "an": 1}
_COLOUR_WORDS = {c: c for c in words.COLOURS} | {"grey": "gray", "violet": "purple", "golden": "yellow"}
_HORIZONTAL = {"left": "left", "right": "right", "lefthand": "left", "righthand": "right"}
_VERTICAL = {"top": "top", "bottom": "bottom", "upper": "top", "lower": "bottom"}
_CENTER = {"center", "centre", "middle", "central"}
_RELATIONS = {"left": "to the left of", "right": "to the right of", "above": "above", "over": "above", "higher": "above", "below": "below",
              "under": "below", "beneath": "below", "underneath": "below", "lower": "below", "atop": "above"}
_VERBS = {"can", "saw", "present", "fly", "light"}  # nouns only behind a word that announces a noun, or before a mark
_COLOUR_LEADS = {"is", "are", "plain", "all", "and", "nothing", "something", "anything"}  # before a colour that ends a sentence
_DETERMINERS = {"a", "an", "the", "no", "any", "some", "this", "that", "another", "one", "and", "or", "of"}
_DENIALS = {"no", "not", "none", "nothing", "cannot", "don't", "isn't", "neither", "zero", "can't", "nobody"}
_HEDGES = (
    "not sure", "could be", "might be", "may be", "not certain", "unsure", "not recognise", "not recognize", "don't recognise",
    "don't recognize", "cannot tell", "can't tell", "cannot say", "possibly", "perhaps", "hard to tell", "don't know", "do not know")


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("’", "'").lower()


def tokens(text: str) -> list[str]:
    """Lower-case words, numbers, and whole bracketed parts."""
    return _TOKEN.findall(plain(text))


def word_list(text: str) -> list[str]:
    return [t for t in tokens(text) if not t.startswith("[")]


class NounFinder:
    """Finds vocabulary nouns, singular or plural, the longest at each place; "hot dog" holds no dog."""

    def __init__(self, vocabulary: Iterable[str]):
        self.vocabulary = tuple(vocabulary)
        self.nouns_known = frozenset(self.vocabulary)
        known = dict.fromkeys(s for noun in self.vocabulary for s in (noun, *sorted(words.synonyms(noun))))
        plurals = {tuple(word_list(words.plural(noun))): noun for noun in known}
        self.forms: dict[tuple[str, ...], str] = plurals | {tuple(word_list(noun)): noun for noun in known}  # "glasses" over two a glass
        self.longest = max(map(len, self.forms), default=0)

    def _at(self, listed: list[str], i: int) -> tuple[str, int] | None:
        for length in range(min(self.longest, len(listed) - i), 0, -1):
            if noun := self.forms.get(tuple(listed[i:i + length])):
                return noun, length
        return None

    def find(self, text: str) -> list[tuple[str, int]]:
        """(noun, index of the token behind it), in order."""
        listed, found, i = tokens(text), [], 0
        while i < len(listed):
            match = self._at(listed, i)
            if match and not self._is_colour(listed, i, match) and not self._is_verb(listed, i, match):
                found.append((match[0], i + match[1]))
                i += match[1]
            else:
                i += 1
        return found

    def _is_colour(self, listed: list[str], i: int, match: tuple[str, int]) -> bool:
        """"orange" before a noun or behind "is" is a colour."""
        if match[0] not in _COLOUR_WORDS:
            return False
        before = listed[i - 1] if i else ""
        behind = self._at(listed, i + match[1]) if i + match[1] < len(listed) else None
        return behind is not None or before in _COLOUR_LEADS and i + match[1] == len(listed)

    def _is_verb(self, listed: list[str], i: int, match: tuple[str, int]) -> bool:
        """"the OCR tool can" holds no can."""
        if match[1] > 1 or listed[i] not in _VERBS:
            return False
        before, behind = listed[i - 1] if i else "", listed[i + 1] if i + 1 < len(listed) else ""
        return not (before in _DETERMINERS or before in _COLOUR_WORDS or number_of(before) is not None or behind.startswith("["))

    def nouns(self, text: str) -> list[str]:
        return [n for n, _ in self.find(text)]

    def with_marks(self, text: str) -> list[tuple[str, list[int]]]:
        """Every noun with the marks that follow it at once."""
        listed, pairs = tokens(text), []
        for noun, i in self.find(text):
            marks = []
            while i < len(listed) and (m := _MARK.fullmatch(listed[i])):
                marks.append(int(m[1]))
                i += 1
            pairs.append((noun, marks))
        return pairs


def iou(a: Iterable[float], b: Iterable[float]) -> float:
    (ax, ay, aX, aY), (bx, by, bX, bY) = a, b
    shared = max(0.0, min(aX, bX) - max(ax, bx)) * max(0.0, min(aY, bY) - max(ay, by))
    both = max(0.0, aX - ax) * max(0.0, aY - ay) + max(0.0, bX - bx) * max(0.0, bY - by) - shared
    return shared / both if both > 0 else 0.0


def cited_boxes(text: str, boxes: list) -> list | None:
    """Boxes an answer cites, by mark or by four numbers; None when a mark or box does not exist."""
    found = []
    for part in re.findall(r"\[[^\[\]]*\]", unicodedata.normalize("NFKC", text)):
        if m := _MARK.fullmatch(part):
            mark = int(m[1])
            if not 1 <= mark <= len(boxes) or boxes[mark - 1] is None:
                return None
            box = tuple(boxes[mark - 1])
        elif m := _BOX.fullmatch(part):
            box = tuple(float(v) for v in re.split(r"[,\s]+", m[1].strip()))
            if not (all(0 <= v <= 1 for v in box) and box[0] < box[2] and box[1] < box[3]):
                return None
        else:
            return None
        if box not in found:
            found.append(box)
    return found


def matches_all(cited: list, wanted: list, least: float = 0.5) -> bool:
    """Whether every wanted box has its own cited box at this IoU and nothing else is cited."""
    left = list(cited)
    for box in wanted:
        best = max(left, key=lambda c: iou(c, box), default=None)
        if best is None or iou(best, box) < least:
            return False
        left.remove(best)
    return not left


def first_word(text: str) -> str:
    listed = word_list(text)
    return listed[0] if listed else ""


def yes_or_no(text: str) -> str | None:
    """"yes" or "no" from the first word; None for neither and for "yes and no"."""
    listed = word_list(text)[:3]
    first = {"yes": "yes", "yep": "yes", "yeah": "yes", "no": "no", "nope": "no"}.get(listed[0]) if listed else None
    if first and {"yes": "no", "no": "yes"}[first] in listed[1:] and not (first == "yes" and "i" in listed):
        return None
    return first


def stated_number(text: str) -> int | None:
    """The number an answer gives; None when it gives none or several different ones."""
    found = []
    for token in word_list(text):
        if token.isdigit() and len(token) < 7:
            found.append(int(token))
        elif token in _NUMBER_WORDS and token not in ("a", "an"):
            found.append(_NUMBER_WORDS[token])
        elif any(c.isdigit() for c in token):
            return None
    if not found:
        articles = [t for t in word_list(text) if t in ("a", "an")]
        return 1 if len(articles) == 1 else None
    return found[0] if len(set(found)) == 1 and "-" not in plain(text).split(str(found[0]))[0][-1:] else None


def number_of(token: str) -> int | None:
    return int(token) if token.isdigit() and len(token) < 7 else _NUMBER_WORDS.get(token)


def first_number(text: str) -> int | None:
    """The first number word or digits."""
    for token in word_list(text):
        if token.isdigit() and len(token) < 7:
            return int(token)
        if token in _NUMBER_WORDS and token not in ("a", "an", "single", "dozen"):
            return _NUMBER_WORDS[token]
    return None


def stated_colour(text: str, noun: str = "") -> str | None:
    """The first colour word outside the noun; None for none, a denied one, or "red or blue"."""
    own = word_list(noun)
    listed = word_list(text)
    for i in range(len(listed)):
        if own and listed[i:i + len(own)] == own:
            listed[i:i + len(own)] = [""] * len(own)
            break
    at = [i for i, t in enumerate(listed) if t in _COLOUR_WORDS]
    if not at or at[0] and listed[at[0] - 1] in ("not", "isn't", "aren't", "never"):
        return None
    hedged = len(at) > 1 and listed[at[1] - 1] in ("or", "and") and at[1] - at[0] <= 2
    same = len(at) > 1 and _COLOUR_WORDS[listed[at[0]]] == _COLOUR_WORDS[listed[at[1]]]
    return None if hedged and not same else _COLOUR_WORDS[listed[at[0]]]


def stated_place(text: str) -> str | None:
    """One of the nine places; None when it names none or opposite ones."""
    listed = word_list(text.replace("-", " "))
    across = {_HORIZONTAL[t] for t in listed if t in _HORIZONTAL}
    down = {_VERTICAL[t] for t in listed if t in _VERTICAL}
    if len(across) > 1 or len(down) > 1 or "or" in listed:
        return None
    place = " ".join([*down, *across])
    return place or ("center" if _CENTER & set(listed) else None)


def stated_relation(text: str) -> str | None:
    """"to the left of", "above", ...; None when it states none or several."""
    listed = word_list(text)
    found = {_RELATIONS[t] for t in listed if t in _RELATIONS} | ({"above"} if "on top of" in plain(text) else set())
    return found.pop() if len(found) == 1 and "or" not in listed and "not" not in listed else None


def relation_at(text: str) -> int:
    """Index of the first relation word among the tokens; -1 without one."""
    return next((i for i, t in enumerate(tokens(text)) if t in _RELATIONS or t == "top"), -1)


_GUESS = re.compile(r"\b(?:something|it)\b[^,.;]*?\b(?:could|might|may) be\b[^,.;]*?(?= and |[,.;]|$)")


def asserted(text: str) -> str:
    """The text without its guesses: "a cat and something that could be a box" says that there is a cat."""
    return _GUESS.sub(" ", plain(text))


def hedged(text: str) -> bool:
    return any(h in plain(text) for h in _HEDGES)


def denies(text: str) -> bool:
    """Whether the answer says that something is not there."""
    return bool(_DENIALS & set(word_list(text)))
