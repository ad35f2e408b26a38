"""Tasks about what is there: captions, yes/no, counts, colours, regions, doubt, and pictures that hold nothing."""
from __future__ import annotations

import words
from scene import Thing, Turn, View, certainty, marks_of, may_be, named, similar_set
from wordings import FOLLOW, WORDINGS, ask_about, follow_about, styled, word

NOTHING = "I see nothing in it."


def blank(view: View) -> str | None:
    """The honest description of a picture that holds no things; None for a scene with things."""
    scene = view.scene
    if scene.kind == "noise":
        return "I see only noise."
    if scene.kind == "dark":
        return "The picture is almost black."
    if scene.kind == "text":
        return "I see text. I cannot read it myself; the OCR tool can."
    if scene.kind == "plain" or not view.seen:
        plain = f"plain {scene.background}" if scene.background else "plain"
        return f"The picture is {plain}; {NOTHING}" if scene.kind == "plain" else "I see nothing that I know."
    return None


def caption_want(view: View) -> dict:
    return {"nouns": [n for n, g in view.groups.items() if any(t.mark for t in g)], "also": sorted({t.noun for t in view.scene.things}),
            "evidence": maybe_nouns(view), "blank": view.scene.kind if view.scene.kind != "scene" else ""}


def maybe_nouns(view: View) -> list[str]:
    """Nouns that a hedged part of an answer may name."""
    return sorted({n for t in view.unsure for n, _ in t.evidence[:2]})


def group_words(noun: str, group: list[Thing]) -> str:
    """"a red car", "two dogs": the colour only when all share it."""
    colours = {t.colour for t in group}
    colour = group[0].colour if len(colours) == 1 else None
    if len(group) > 1 and not words.countable(noun):
        return words.article(noun, colour)
    return words.counted(len(group), noun, colour)


def caption_text(view: View) -> str:
    """One line, the largest first, doubtful things last."""
    parts = [group_words(n, g) for n, g in view.groups.items()] + [named(t, mark=False) for t in view.unsure]
    if view.unknown:
        parts.append("something I do not recognise")
    return words.sentence(words.join(parts))


def caption(view: View) -> Turn:
    return Turn(word(view.rng, WORDINGS, "caption"), blank(view) or caption_text(view), "caption", caption_want(view))


def in_mark_order(view: View) -> list[Thing]:
    return sorted(view.seen, key=lambda t: (t.mark is None, t.mark or 0))


def grounded(view: View) -> Turn:
    """Every noun followed by its mark, in order of the marks."""
    answer = blank(view) or words.sentence(words.join([named(t, mark=True) for t in in_mark_order(view)]))
    want = caption_want(view) | {"placed": [(t.noun, tuple(t.box)) for t in view.sure if t.mark]}
    return Turn(word(view.rng, WORDINGS, "grounded"), answer, "grounded", want)


def detail(view: View) -> Turn:
    """Two to five sentences: what, colour, where, how the main things relate, the background."""
    return Turn(word(view.rng, WORDINGS, "detail"), blank(view) or detail_text(view), "detail", caption_want(view))


def detail_text(view: View) -> str:
    from relations import relation_between  # the relation of the two main things closes the description
    groups = list(view.groups.items())
    told = [_placed(n, g) for n, g in groups[:3]]
    rest = [group_words(n, g) for n, g in groups[3:]] + [named(t, mark=False) for t in view.unsure]
    if view.unknown:
        rest.append("something I do not recognise")
    if rest:
        told.append(("I also see " if told else "I see ") + words.join(rest))
    pair = [g[0] for _, g in groups[:2] if len(g) == 1]
    if len(pair) == 2 and (relation := relation_between(pair[1], pair[0])):
        told.append(f"the {pair[1].noun} {words.be(pair[1].noun)} {relation} the {pair[0].noun}")
    if view.scene.background:
        told.append(f"the background is {view.scene.background}")
    return " ".join(words.sentence(t) for t in told)


def _placed(noun: str, group: list[Thing]) -> str:
    places = list(dict.fromkeys(words.at_place(words.place_words(t.box)) for t in group))
    many = len(group) > 1 or words.there_be(noun) == "are"
    return f"{group_words(noun, group)} {'are' if many else 'is'} {words.join(places)}"


def yes_text(noun: str, group: list[Thing]) -> str:
    if len(group) > 1 and words.countable(noun):
        return f"Yes, there are {words.counted(len(group), noun)}{marks_of(group)}."
    return f"Yes, there {words.there_be(noun)} {words.article(noun)}{marks_of(group)}."


def yes(view: View) -> Turn | None:
    if not view.groups:
        return None
    noun = view.rng.choice(list(view.groups))
    group = view.groups[noun]
    clear = noun in view.countable_groups() or not words.countable(noun)
    answer = yes_text(noun, group if clear else group[:1])
    return Turn(ask_about(view.rng, "yesno", noun), answer, "yes", {"noun": noun, "boxes": [t.box for t in group]}, group)


def no(view: View) -> Turn | None:
    noun = view.absent()
    return noun and Turn(ask_about(view.rng, "yesno", noun), f"No, I see no {noun}.", "no", {"noun": noun})


def either(view: View) -> Turn | None:
    """Two nouns, one of them there: the answer names that one."""
    singles, other = view.singles(), view.absent()
    if not singles or not other:
        return None
    thing = view.rng.choice(singles)
    pair = [words.article(thing.noun), words.article(other)]
    view.rng.shuffle(pair)
    only = len(view.seen) == 1
    be = words.there_be(thing.noun)
    head = "They are" if only and be == "are" else "It is" if only else f"There {be}"
    answer = f"{head} {words.kind(thing.noun) if only else words.article(thing.noun)}{marks_of([thing])}."
    question = word(view.rng, WORDINGS, "either_one" if only else "either", one=pair[0], two=pair[1])
    return Turn(question, answer, "either", {"noun": thing.noun, "not": other}, [thing])


def count(view: View) -> Turn | None:
    groups = view.countable_groups()
    if not groups:
        return None
    several = [n for n, g in groups.items() if len(g) > 1]
    noun = view.rng.choice(several if several and view.rng.random() < 0.7 else list(groups))
    return Turn(ask_about(view.rng, "count", noun), count_text(noun, groups[noun]), "count",
                {"noun": noun, "count": len(groups[noun])}, groups[noun])


def count_text(noun: str, group: list[Thing]) -> str:
    if noun.split()[-1] in words.PAIRS:
        return words.sentence(("one pair of " + noun if len(group) == 1 else words.counted(len(group), noun)) + marks_of(group))
    name = noun if len(group) == 1 else words.plural(noun)
    return words.sentence(f"{words.number(len(group))} {name}{marks_of(group)}")


def count_none(view: View) -> Turn | None:
    noun = view.absent()
    if not noun or not words.countable(noun):
        return None
    return Turn(ask_about(view.rng, "count", noun), f"No {words.plural(noun)}.", "count", {"noun": noun, "count": 0})


def things(view: View) -> Turn | None:
    """Every thing with a number: "Three: a car [1], a dog [2] and a cat [3].\""""
    if view.hidden or any(not words.countable(t.noun) for t in view.sure):
        return None
    listed = in_mark_order(view)
    text = f"{words.number(len(listed))}: {words.join([named(t, mark=True, colour=False) for t in listed])}" if listed else "none"
    answer = words.sentence(text) if listed else "None. " + (blank(view) or "")
    return Turn(word(view.rng, WORDINGS, "things"), answer, "things", {"count": len(listed)})


def colour(view: View) -> Turn | None:
    if not (chosen := view.one_thing(lambda t: bool(t.colour) and t.colour != t.noun)):
        return None
    thing, guess = chosen
    answer = f"I am not sure; perhaps{marks_of([thing])}, which {words.be(thing.noun)} {thing.colour}." if guess else colour_text(thing)
    return Turn(ask_about(view.rng, "colour", thing.noun), answer, "colour", {"noun": thing.noun, "colour": thing.colour}, [] if guess else [thing])


def colour_text(thing: Thing) -> str:
    return f"The {thing.noun}{marks_of([thing])} {words.be(thing.noun)} {thing.colour}."


def is_colour(view: View) -> Turn | None:
    known = [t for t in view.singles() if t.colour and t.colour != t.noun]
    if not known:
        return None
    thing = view.rng.choice(known)
    right = view.rng.random() < 0.5
    hue = thing.colour if right else view.rng.choice([c for c in words.COLOURS if not words.confusable(c, thing.colour)])
    text = colour_text(thing)
    answer = ("Yes, " if right else "No, ") + text[0].lower() + text[1:]
    return Turn(ask_about(view.rng, "is_colour", thing.noun, hue=hue), answer, "is_colour",
                {"noun": thing.noun, "colour": thing.colour, "yes": right}, [thing])


def what_colour(view: View) -> Turn | None:
    """Which things have a colour; only where every seen thing's colour is known."""
    if not view.sure or view.unsure or view.unknown or any(not t.colour or t.mark is None for t in view.seen):
        return None
    present = sorted({t.colour for t in view.seen})
    hue = view.rng.choice(present)
    if view.rng.random() < 0.25:
        free = [c for c in words.COLOURS if not any(words.confusable(c, p) for p in present)]
        hue = view.rng.choice(free) if free else hue
    found = sorted((t for t in view.sure if t.colour == hue), key=lambda t: t.mark)
    answer = words.sentence(words.join([f"the {t.noun}{marks_of([t])}" for t in found])) if found else f"I see nothing {hue}."
    return Turn(word(view.rng, WORDINGS, "what_colour", hue=hue), answer, "what_colour",
                {"colour": hue, "nouns": [t.noun for t in found], "boxes": [t.box for t in found]})


def background(view: View) -> Turn | None:
    if not view.scene.background or view.scene.kind not in ("scene", "plain"):
        return None
    return Turn(word(view.rng, WORDINGS, "background"), f"The background is {view.scene.background}.", "colour",
                {"noun": "background", "colour": view.scene.background})


def doubt_text(thing: Thing) -> str:
    if certainty(thing) == "unknown":
        return f"There is something{marks_of([thing])} I do not recognise."
    return f"I am not sure; it could be {may_be(thing)}{marks_of([thing])}."


def unsure(view: View) -> Turn | None:
    """Is there one of the two nouns an unclear thing may be; never one that its evidence does not show."""
    clear = [t for t in view.unsure if not any(n in view.groups for n, _ in t.evidence[:2])]
    if not clear:
        return None
    thing = view.rng.choice(clear)
    options = [n for n, _ in thing.evidence[:2]]
    answer = f"Yes, perhaps: it could be {may_be(thing)}{marks_of([thing])}."  # who asks for it has a reason to think that it is there
    return Turn(ask_about(view.rng, "yesno", view.rng.choice(options)), answer, "unsure", {"options": options}, [thing])


def _pointed_at(view: View, things: list[Thing]) -> Thing:
    """One of the things, the user's own regions first."""
    return view.rng.choice([t for t in things if t.region] or things)


def _doubted(question: str, thing: Thing) -> Turn:
    return Turn(question, doubt_text(thing), "unsure", {"options": [n for n, _ in thing.evidence[:2]]}, [thing])


def region(view: View) -> Turn | None:
    """What a mark holds; the user's own regions first."""
    marked = [t for t in view.seen if t.mark is not None]
    if not marked:
        return None
    thing = _pointed_at(view, marked)
    if sum(t.region for t in marked) == 1 and view.rng.random() < 0.3:
        question = word(view.rng, WORDINGS, "drawn")
    else:
        question = word(view.rng, WORDINGS, "region", mark=f"[{thing.mark}]")
    if certainty(thing) != "sure":
        return _doubted(question, thing)
    return Turn(question, words.sentence(words.article(thing.noun, thing.colour)), "region",
                {"noun": thing.noun, "colour": thing.colour}, [thing])


def region_none(view: View) -> Turn | None:
    if not view.scene.spare:
        return None
    mark = view.rng.choice(view.scene.spare)
    return Turn(word(view.rng, WORDINGS, "region", mark=f"[{mark}]"), "I see nothing particular there.", "region_none", {"mark": mark})


def region_yes(view: View) -> Turn | None:
    marked = [t for t in view.seen if t.mark is not None]
    if not marked:
        return None
    thing = _pointed_at(view, marked)
    right = view.rng.random() < 0.5
    others = [n for n in view.groups if n not in similar_set(view.similar, thing.noun)]  # another thing of the same picture
    wrong = view.rng.choice(others) if others and view.rng.random() < 0.5 else view.absent()
    noun = thing.noun if right else wrong
    if not noun or (not right and thing.noun in similar_set(view.similar, noun)):
        return None
    question = word(view.rng, WORDINGS, "region_yes", mark=f"[{thing.mark}]", a=words.kind(noun))
    if certainty(thing) != "sure":
        return _doubted(question, thing)
    subject = "they are" if words.there_be(thing.noun) == "are" else "it is"
    answer = f"{'Yes' if right else 'No'}, {subject} {words.kind(thing.noun)}."
    return Turn(question, answer, "region_yes", {"noun": thing.noun, "yes": right}, [thing])


def region_colour(view: View) -> Turn | None:
    known = [t for t in view.sure if t.mark is not None and t.colour]
    if not known:
        return None
    thing = _pointed_at(view, known)
    return Turn(word(view.rng, WORDINGS, "region_colour", mark=f"[{thing.mark}]"), colour_text(thing), "colour",
                {"noun": thing.noun, "colour": thing.colour}, [thing])


# Questions that refer back to the thing of the turn before.

def follow_colour(view: View, group: list[Thing]) -> Turn | None:
    if len(group) != 1 or not group[0].colour or group[0].mark is None:
        return None
    return Turn(follow_about(view.rng, "colour", group[0].noun), colour_text(group[0]), "colour",
                {"noun": group[0].noun, "colour": group[0].colour}, group)


def follow_count(view: View, group: list[Thing]) -> Turn | None:
    noun = group[0].noun
    if len(view.countable_groups().get(noun, [])) != len(group):
        return None
    return Turn(follow_about(view.rng, "count", noun), count_text(noun, group), "count", {"noun": noun, "count": len(group)}, group)


def follow_else(view: View, group: list[Thing]) -> Turn | None:
    noun = group[0].noun
    others = [t for t in in_mark_order(view) if t.noun != noun]
    if any(t.noun == noun and certainty(t) != "sure" for t in others):
        return None
    answer = f"I also see {words.join([named(t, mark=True) for t in others])}." if others else "Nothing else."
    sure = sorted({t.noun for t in others if certainty(t) == "sure"})
    return Turn(word(view.rng, FOLLOW, "else"), answer, "else", caption_want(view) | {"nouns": sure})


def follow_certain(view: View, group: list[Thing]) -> Turn:
    noun = group[0].noun
    return Turn(word(view.rng, FOLLOW, "certain"), f"Yes, I see {words.article(noun)}{marks_of(group[:1])}.", "yes",
                {"noun": noun}, group)


def follow_absent(view: View, noun: str) -> Turn:
    """After a "no": a second look, or what is there instead."""
    if view.rng.random() < 0.35:
        return Turn(word(view.rng, FOLLOW, "certain"), f"Yes, I see no {noun}.", "still_no", {"noun": noun})
    return Turn(word(view.rng, FOLLOW, "instead"), blank(view) or caption_text(view), "caption", caption_want(view))


# Questions no small model can answer from a picture, with the honest sentence.
CANNOT: dict[str, tuple[str, str]] = {
    "who": ("Who is this?|Who is this person?|Do you know who that is?|What is the name of the person?|Is this someone famous?"
            "|Who am I looking at?|Who's in the picture?|Name the person in the photo.|Which celebrity is this?"
            "|Do you recognize this person?|who is that guy|What is his name?", "I cannot tell who a person is."),
    "read": ("What does the sign say?|Read the text.|What is written there?|What does it say?|Can you read this?|Please read the label."
             "|What words are in the picture?|Transcribe the text.|What is the number on it?|Read it to me.|whats written here"
             "|What does the writing say?|Read the license plate.", "I cannot read text myself; the OCR tool can."),
    "when": ("When was this taken?|What year is this from?|How old is this photo?|What date was it taken?|Which decade is this?"
             "|What time is it there?|In which season was it taken?|Was this taken in the morning?|What year is it?|when is this from"
             "|On which day was this photographed?|Is this an old picture?", "I cannot tell when the picture was taken."),
    "where": ("Where was this taken?|Which country is this?|What city is this?|In which place was the photo taken?"
              "|Where in the world is this?|What is the name of this place?|Which street is this?|Do you know this place?"
              "|where is this place|Is this in France or in Spain?|What are the GPS coordinates?|Name the location.",
              "I cannot tell where the picture was taken."),
    "brand": ("What brand is it?|Which company made this?|What model is this?|Who is the manufacturer?|What make is it?"
              "|Is it an expensive brand?|Which brand do you see?|What is the exact model?|Name the maker.|what brand"
              "|Which label is it from?|Who designed it?",
              "I cannot tell the brand or the maker."),
    "price": ("How much does it cost?|What is it worth?|What is the price?|Is it expensive?|How much would I pay for it?"
              "|Can you estimate the value?|What would it sell for?|Give me the price.|how much is it|How many dollars is it?"
              "|Is it cheap?|What's its market value?",
              "I cannot tell a price from a picture."),
    "mind": ("What is it thinking?|Is it happy?|How does it feel?|What mood is it in?|Is it angry?|What will happen next?"
             "|Why is it there?|What happened before?|What does it want?|Is it tired?|What sound does it make now?|Who put it there?",
             "I cannot tell that from a picture."),
    "measure": ("How tall is it in meters?|How much does it weigh?|How far away is it?|What is its size in centimeters?"
                "|How long is it exactly?|What is its weight?|How many miles away is it?|How fast is it going?|What temperature is it?"
                "|How heavy is it?|How deep is it?|how tall is it", "I cannot measure that from a picture."),
    "help": ("What can you do?|Who are you?|How can you help me?|What are you?|Help|What should I ask?|What kind of questions can I ask?"
             "|Tell me what you can do.|Are you a robot?|what can u do|How do I use you?|What are you good at?",
             "I am a small assistant that looks at pictures. I can describe them, name, count and mark things, and tell their colors "
             "and places."),
}


def cannot(view: View) -> Turn:
    key = view.rng.choice(list(CANNOT))
    asked, answer = CANNOT[key]
    return Turn(styled(view.rng, view.rng.choice(asked.split("|"))), answer, "cannot", {"kind": key, "text": answer})
