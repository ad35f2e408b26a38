"""Conversations in which the system text offers tools: when to call one, how, and what to make of its result."""
from __future__ import annotations

import random
from collections.abc import Iterable

import questions
import words
from scene import Chain, Scene, Similar, Turn, View, certainty
from seeing import caption_text, doubt_text
from tool_grammar import TOOL_SYSTEM, TOOLS, call, outputs_turn, reply, tool_system  # noqa: F401
from wordings import noun_slots, styled, word

ASK: dict[str, str] = {
    "find": "Where {is} {the}?|Find {the}.|Can you find {the}?|Locate {the}.|Detect {the}.|Find all {s}.|Show me the {s}.|Mark all {s}."
        "|Where are the {s}?|Point to {the}.|Detect all the {s} in the {pic}.|Search the {pic} for {s}."
        "|Is there {a} hidden somewhere? Find it.|Please locate every {noun}.|find the {s}",
    "find_two": "Find {the}.|Locate {the}.|Where are {the}?|Show me {the}.|Detect {s}.|Find all {s}.|Can you find {the}?|Mark {the}."
        "|Point to {the}.|Where can I see {the}?|Detect {the}.|find {s}",
    "count": "How many {s} are there?|Count the {s}.|How many {s} can you find?|How many {s}?|Tell me how many {s} there are."
        "|What is the number of {s}?|How many {s} are in the {pic}?|Count all {s}, even small ones.|how many {s} r there|Number of {s}?"
        "|Please count every {noun}.|Can you count the {s}?",
    "detector": "Use the detector to find {s}.|Run detection for {s}.|Detect {s} with the tool.|Use a tool to find {the}."
        "|Run the detector on {s}.|Find tiny {s} in the {pic} with the detector.|Please use detect for {s}.|Call detect: {s}."
        "|Let the detector look for {s}.|Look for very small {s}.|Check with the detector for {s}.|use detect to find {s}",
    "read": "What does the sign say?|Read the text.|What is written there?|What does it say?|Can you read this?|Please read the label."
        "|What words are in the {pic}?|Transcribe the text.|What text is in this {pic}?|Read it to me.|whats written here|Use OCR."
        "|Run ocr on this {pic}.|What does the writing say?|Read everything that is written here.|Is there any text? What does it say?",
    "closer": "Look closer at {mark}.|Zoom in on {mark}.|Crop {mark}.|Take a closer look at {mark}.|What is {mark}? Zoom in."
        "|Enlarge {mark}.|Show me the details of {mark}.|Can you zoom into {mark}?|Crop region {mark} and describe it."
        "|Look at {mark} more closely.|zoom {mark}|Please inspect {mark} up close.|Magnify {mark}.",
}
FACTS: tuple[tuple[str, str, str, str], ...] = (  # wordings, query, sentence found, unit range
    ("How much {does} {a} usually cost?|What is the usual price of {a}?|What do {s} cost on average?|Typical price of {a}?",
     "{noun} price", "The usual price of {a} is about {n} dollars.", "5 900"),
    ("Who invented {the}?|Who made the first {noun}?|Who is the inventor of {the}?|Look up who invented {the}.",
     "{noun} inventor", "The first {noun} is credited to {name}.", "1 9"),
    ("What is the history of {the}?|Tell me the history of {the}.|When did {s} first appear?|How old is the idea of {a}?",
     "{noun} history", "The word {noun} is recorded since the year {n}.", "1100 1900"),
    ("How heavy is {a} usually?|What does {a} weigh on average?|Look up the typical weight of {a}.|Average weight of {a}?",
     "{noun} weight", "The average weight of {a} is {n} kilograms.", "2 700"),
    ("Tell me a fact about {s}.|Look up facts about {s}.|Search for information about {s}.|What is known about {s}?",
     "{noun} facts", "There are {n} known kinds of {noun} in the world.", "3 80"),
    ("Where is the largest {noun} in the world?|Which place has the largest {noun}?|Look up the largest {noun} in the world."
     "|Largest {noun} on Earth?",
     "largest {noun}", "The largest {noun} in the world is in {place}.", "1 9"),
)
_NAMES = ("Ada Brown", "Karl Weiss", "Maria Rossi", "John Carter", "Li Wei", "Anna Novak", "Omar Haddad", "Jane Miller")
_PLACES = ("Peru", "Norway", "Kenya", "Canada", "Japan", "Chile", "Spain", "India", "Vienna", "Ohio", "Kyoto", "Québec")
_SIGNS = (
    "STOP", "OPEN", "Exit", "Welcome", "Café", "No parking", "Platform 9", "SALE 50%", "Bakery", "Hotel", "Main St", "Please wait",
    "Push", "Danger", "TAXI", "24 hours", "Straße", "Library", "Room 12", "Fresh fish", "Bus stop", "Do not enter", "Tickets",
    "Chapter 3", "WC")
_ERRORS = ("the tool timed out", "the service is not available", "no such picture", "out of memory", "the request was refused",
           "the model is not loaded")
SEE = "I can see this myself; no tool is needed."
_PLAIN_TASKS = ("yes", "no", "either", "count", "colour", "is_colour", "position", "box", "relation", "caption", "detail", "grounded",
                "region", "region_yes", "what_at", "unsure")


def tool_turns(rng: random.Random, scene: Scene, vocabulary: Iterable[str], similar: Similar = None, count: int = 3) -> list[Chain]:
    """`count` conversations: about two thirds need a tool; some offer only a part of the tools."""
    view = View(rng, scene, vocabulary, similar)
    chains: list[Chain] = []
    for _ in range(count):
        offered = list(TOOLS) if rng.random() < 0.8 else sorted(rng.sample(list(TOOLS), rng.randint(1, 3)), key=list(TOOLS).index)
        turns = _with_tool(view, offered) if rng.random() < 0.65 else []
        if (not turns or rng.random() < 0.2) and (plain := no_tool(view)):
            turns = [*turns, plain]
        if turns:
            chains.append(Chain(turns, tool_system(offered)))
    return chains


def ask_tool(view: View, needed: bool) -> Turn | None:
    """One evaluation question under TOOL_SYSTEM: the call that is needed, or an answer without one."""
    if not needed:
        return no_tool(view)
    turns = _with_tool(view, list(TOOLS), follow=False)
    return turns[0] if turns else None


def no_tool(view: View) -> Turn | None:
    """Any question the eyes can answer, in the three lines with no action."""
    for task in view.rng.sample(_PLAIN_TASKS, len(_PLAIN_TASKS)):
        if view.scene.kind == "text" and task in ("caption", "detail", "grounded"):
            continue  # its answer names the OCR tool, which would contradict the thought
        if turn := questions.TASKS[task](view):
            return Turn(turn.question, reply(SEE, [], turn.answer), "no_tool", {"inner": turn.task, "want": turn.want}, turn.about)
    return None


def _with_tool(view: View, offered: list[str], follow: bool = True) -> list[Turn]:
    """Question and call, then the tool's result and the answer from it; an honest answer where the tool is not offered."""
    make = view.rng.choice((_detect, _detect, _ocr, _closer, _search))
    made = make(view)
    if not made:
        return []
    question, name, params, value, missing, outputs, answer, want = made
    if name not in offered:
        return [Turn(question, reply(f"The {name} tool is not offered.", [], missing), "no_tool", {"inner": "any", "want": {}})]
    calls = call(name, **params)
    turns = [Turn(question, reply(f"I need the {name} tool for this.", calls, value), "tool", {"tool": name, "params": params})]
    if follow and view.rng.random() < 0.8:
        if view.rng.random() < 0.12:
            error = view.rng.choice(_ERRORS)
            outputs, answer, want = {"error": error}, f"The {name} tool failed: {error}. I cannot answer that.", {"contains": [error]}
        turns.append(Turn(outputs_turn(name, outputs, question), reply(f"I have the result of {name}.", [], answer), "tool_answer", want))
    return turns


def _detect(view: View) -> tuple | None:
    """A thing the eyes did not find, or any thing when the user wants the detector."""
    rng = view.rng
    asked = rng.choice(("find", "find", "count", "detector"))
    noun = rng.choice(list(view.groups)) if asked == "detector" and view.groups and rng.random() < 0.5 else view.absent()
    if not noun or not words.countable(noun):
        return None
    nouns = [noun]
    slots = noun_slots(noun)
    if asked == "find" and rng.random() < 0.25 and (second := view.absent()) and second != noun and words.countable(second):
        nouns.append(second)
        slots["the"] = f"the {noun} and the {second}"
        slots["s"] = f"{words.plural(noun)} and {words.plural(second)}"
        question = word(rng, ASK, "find_two", **slots)
    else:
        question = word(rng, ASK, asked, **slots)
    many = words.join([words.plural(n) for n in nouns])
    outputs, answer, want = _found(rng, nouns)
    missing = words.join([f"I see no {n}" for n in nouns]) + "." if nouns[0] not in view.groups else caption_text(view)
    value = f"I will look for {many} with the detect tool."
    return question, "detect", {"caption": " . ".join(nouns)}, value, missing, outputs, answer, want


def _found(rng: random.Random, nouns: list[str]) -> tuple[dict, str, dict]:
    """A made-up detector result and what it says."""
    boxes, scores, phrases, said, numbers = [], [], [], [], {}
    for noun in nouns:
        number = rng.choice((0, 1, 1, 1, 2, 2, 3, 4) if len(nouns) == 1 else (0, 1, 1, 2))
        places = []
        for _ in range(number):
            x, y, w, h = rng.uniform(0, 0.85), rng.uniform(0, 0.85), rng.uniform(0.04, 0.4), rng.uniform(0.04, 0.4)
            boxes.append([round(v, 2) for v in (x, y, min(1.0, x + w), min(1.0, y + h))])
            scores.append(round(rng.uniform(0.3, 0.98), 2))
            phrases.append(noun)
            places.append(words.at_place(words.place_words(tuple(boxes[-1]))))
        numbers[noun] = number
        where = f" {words.join(list(dict.fromkeys(places)))}" if places else ""
        said.append((words.counted(number, noun) if number > 1 else f"one {noun}" if number else f"no {noun}") + where)
    answer = f"I found {words.join(said)}."
    return {"boxes": boxes, "logits": scores, "phrases": phrases}, answer, {"numbers": numbers}


def _ocr(view: View) -> tuple:
    rng = view.rng
    texts = [view.scene.text] if view.scene.text else rng.sample(_SIGNS, rng.choice((0, 1, 1, 2, 3)))
    quoted = [f'"{t}"' for t in texts]
    answer = f"It says {words.join(quoted)}." if texts else "The tool found no text."
    missing = "I cannot read text myself."
    return (word(rng, ASK, "read"), "ocr", {}, "I will read the text with the ocr tool.", missing, {"texts": texts}, answer,
            {"contains": texts or ["no text"]})


def _closer(view: View) -> tuple | None:
    """A mark, or a box typed by the user."""
    rng = view.rng
    marked = [t for t in view.seen if t.mark is not None]
    if rng.random() < 0.25:
        x, y = rng.uniform(0, 0.6), rng.uniform(0, 0.6)
        box = [round(v, 2) for v in (x, y, x + rng.uniform(0.1, 0.4), y + rng.uniform(0.1, 0.4))]
        question = word(rng, ASK, "closer", mark=str(box))
        return (question, "crop", {"box": box}, f"I will look closer at {box}.", "I cannot look closer without the crop tool.",
                {"message": "The crop has processed the image."}, "Here is the enlarged part.", {"contains": ["enlarged"]})
    if not marked:
        return None
    thing = rng.choice(marked)
    tag = f"[{thing.mark}]"
    sure = certainty(thing) == "sure"
    text = words.sentence(words.article(thing.noun, thing.colour)) if sure else doubt_text(thing)
    want = {"nouns": [thing.noun]} if sure else {"contains": ["not"]}
    return (word(rng, ASK, "closer", mark=tag), "crop", {"mark": thing.mark}, f"I will look closer at {tag}.", text,
            {"message": "The crop has processed the image."}, text, want)


def _search(view: View) -> tuple | None:
    """Facts that no picture shows; the made-up result keeps the answer from being recalled instead of read."""
    rng = view.rng
    single = [n for n in view.groups if words.countable(n) and not words.plural_only(n)]
    noun = rng.choice(single) if single else view.absent()
    if not noun or not words.countable(noun) or words.plural_only(noun):
        return None
    asked, query, fact, limits = rng.choice(FACTS)
    low, high = map(int, limits.split())
    slots = noun_slots(noun) | {"does": "does", "n": str(rng.randint(low, high)), "name": rng.choice(_NAMES), "place": rng.choice(_PLACES)}
    found, query = fact.format(**slots), query.format(**slots)
    other = rng.choice(FACTS)[2].format(**(slots | {"n": str(rng.randint(low, high))}))
    texts = [found] if rng.random() < 0.6 or other.split()[:4] == found.split()[:4] else [found, other]
    question = styled(rng, rng.choice(asked.split("|")).format(**slots))
    outputs = {"texts": texts} if rng.random() < 0.5 else {"results": [{"title": words.sentence(noun)[:-1], "snippet": t} for t in texts]}
    return question, "search", {"query": query}, f"I will look up {query}.", "I cannot look that up without a search.", outputs, found, {
        "contains": [found.rstrip(".")]}
