"""How people ask. One entry per task, its wordings divided by "|".

Slots: {a} "a dog" / "any grapes", {the} "the dog", {noun}, {s} plural, {is} {Is} agree with the noun, {therebe} {Therebe} with its article,
{Sbe} with {s}, {it} it/they, {obj} it/them, {pic} a word for the picture, {color} its two spellings, {mark} "[4]", {at} "at the top";
questions about two things use {one}, {two} and {rel}.
"""
from __future__ import annotations

import random

import words

WORDINGS: dict[str, str] = {
    "caption": "Describe the {pic}.|What is in this {pic}?|What do you see?|What does the {pic} show?|Give a short caption."
        "|Caption this {pic}.|Tell me what is in the {pic}.|What can you see here?|Describe this {pic} in one sentence."
        "|What's in the {pic}?|What is this?|Summarize the {pic} briefly.|What is shown here?|Short description, please."
        "|What am I looking at?|Whats in here|In a few words, what is this?|Give me a one-line description.|Can you describe this {pic}?"
        "|Write a caption for the {pic}.|what do u see|Name what you see.|Briefly describe what you see.|Write alt text for this {pic}.",
    "detail": "Describe the {pic} in detail.|Tell me more about the {pic}.|Give a detailed description.|Describe everything you see."
        "|What is in the {pic}? Be detailed.|Describe the {pic} as fully as you can.|Explain the whole scene.|Give me all the details."
        "|Can you describe this {pic} in more detail?|Write a long description of the {pic}.|Describe what you see and where it is."
        "|Please give a thorough description.|What is going on in this {pic}?|Walk me through the {pic}."
        "|Describe the scene for a blind person.|Say more about what is in the {pic}.|Describe the {pic}, with colors and places."
        "|Write a few sentences about the {pic}.|Tell me everything about this {pic}.|What exactly is in the {pic}?"
        "|Describe the scene carefully.",
    "grounded": "Describe the {pic} with boxes.|Give a grounded caption.|List the objects with their boxes."
        "|What is in the {pic} and where?|Describe the {pic} and mark each object.|Name everything and show where it is."
        "|Which objects are there, and where?|Caption the {pic} with marks.|Mark all the things you see."
        "|List all objects and point to them.|Detect everything in the {pic}.|Find all objects.|Show me every object."
        "|Locate all the things in this {pic}.|Point out everything you see.|Box everything.|Give me the objects and their boxes."
        "|What things can you mark?|Label every object in the {pic}.",
    "things": "How many things are there?|How many objects do you see?|Count the objects.|How many things are in the {pic}?"
        "|What is the number of objects?|How many items can you see?|Count everything.|How many objects are in this {pic}?"
        "|Total number of things?|Tell me how many objects there are.|how many things r there"
        "|How many separate things does the {pic} show?",
    "yesno": "{Therebe} there {a}?|Do you see {a}?|{Therebe} there {a} in the {pic}?|Does the {pic} show {a}?|Can you see {a} here?"
        "|{Therebe} there {a} anywhere?|Does this {pic} contain {a}?|Any {s} in the {pic}?|{Sbe} there any {s}?|Do you see any {s}?"
        "|Can you spot {a}?|I wonder if there {therebe} {a} here?|{noun} in the {pic}?|Is it true that there {therebe} {a}?"
        "|Tell me if you see {a}.|Can you find {a}?|{Therebe} {a} visible?|{Sbe} any {s} visible?|Could there be {a}?"
        "|Have you got {a} in there?|any {s}?|Would you say there {therebe} {a} in this {pic}?|There {therebe} {a}, right?|See {a}?"
        "|Do I have {a} in this {pic}?",
    "either_one": "Is it {one} or {two}?|Is this {one} or {two}?|What is it, {one} or {two}?|Do you see {one} or {two}?|{one} or {two}?"
        "|Would you call this {one} or {two}?|Which is it: {one} or {two}?|Does the {pic} show {one} or {two}?"
        "|Am I looking at {one} or {two}?|Is that {one} or {two}?|Tell me whether it is {one} or {two}.|Is the thing {one} or {two}?",
    "either": "Is there {one} or {two}?|Do you see {one} or {two}?|Which do you see, {one} or {two}?"
        "|Is there {one} or {two} in the {pic}?|Does the {pic} have {one} or {two}?|Can you see {one} or {two} here?|{one} or {two}?"
        "|Is {one} or {two} in the {pic}?|Which one is in the {pic}: {one} or {two}?|Tell me whether there is {one} or {two}."
        "|Is it {one} or {two} that you see?|Any sign of {one} or {two}?",
    "count": "How many {s} are there?|How many {s} do you see?|Count the {s}.|How many {s} are in the {pic}?|What is the number of {s}?"
        "|Tell me how many {s} there are.|How many {s} are visible?|Give the number of {s}.|Number of {s}?|How many {s}?"
        "|how many {s} r there|Can you count the {s}?|How many {s} can you find?|How many {s} does the {pic} show?"
        "|I need the number of {s} in the {pic}.|Please count all {s}.|So how many {s} are here?",
    "colour": "What {color} {is} {the}?|Which {color} {is} {the}?|What is the {color} of {the}?|Tell me the {color} of {the}."
        "|What {color} would you say {the} {is}?|Name the {color} of {the}.|{the} {is} what {color}?|{color} of {the}?"
        "|Which {color} do you see on {the}?|{Is} {the} red, blue or another {color}?|Do you know the {color} of {the}?"
        "|What's the {color} of {the} in the {pic}?|Say what {color} {the} {is}.|What {color} {is} {the} in this {pic}?"
        "|Give the {color} of {the}.|How would you describe the {color} of {the}?",
    "is_colour": "{Is} {the} {hue}?|Would you say {the} {is} {hue}?|{the} {is} {hue}, right?|Is the {color} of {the} {hue}?"
        "|{Is} {the} {hue} in {color}?|{Is} {the} in the {pic} {hue}?|Is it true that {the} {is} {hue}?|Can you see if {the} {is} {hue}?"
        "|Do you think {the} {is} {hue}?|Tell me if {the} {is} {hue}.|{Is} {the} {hue} or not?|does {the} look {hue}?",
    "what_colour": "What is {hue}?|What is {hue} in the {pic}?|Which thing is {hue}?|Which things are {hue}?|Find something {hue}."
        "|What do you see that is {hue}?|Is anything {hue}? What?|Show me what is {hue}.|Name the {hue} things.|Which object is {hue}?"
        "|Point to the {hue} thing.|what's {hue} here?|Tell me everything that is {hue}.",
    "position": "Which part of the {pic} {is} {the} in?|In which part of the {pic} {is} {the}?|What is the position of {the}?"
        "|{Is} {the} left, right, top or bottom?|Roughly where {is} {the}?|Tell me the position of {the}."
        "|Which corner or side {is} {the} in?|Say in words where {the} {is}.|On which side {is} {the}?"
        "|Describe where {the} {is} in the {pic}.|{the}: left or right, top or bottom?|Whereabouts in the {pic} {is} {the}?"
        "|What area of the {pic} {is} {the} in?|Is the position of {the} at the top, the bottom or the middle?"
        "|Where in the frame {is} {the}?|What side of the {pic} {is} {the} on?",
    "what_at": "What is {at}?|What do you see {at}?|What is {at} of the {pic}?|Name what is {at}.|Which thing is {at}?"
        "|Is there something {at}?|What can you see {at}?|Tell me what is {at}.|Anything {at}?|What object is {at} of the {pic}?"
        "|Look {at}: what is there?|what's {at}",
    "box": "Where {is} {the}?|Show me {the}.|Find {the}.|Locate {the}.|Point to {the}.|Mark {the}.|Give the box of {the}."
        "|Box around {the}?|Where can I see {the}?|Can you find {the}?|Highlight {the}.|Put a box around {the}.|Ground {the}."
        "|where's {the}?|Please point out {the}.|Where {is} {the} in the {pic}?|Could you show me where {the} {is}?|Detect {the}."
        "|Select {the}.|I can't find {the}.|Draw a box on {the}.|Circle {the} for me.",
    "boxes": "Where are the {s}?|Show me the {s}.|Find the {s}.|Find all {s}.|Locate every {noun}.|Point to the {s}.|Mark all {s}."
        "|Give the boxes of the {s}.|Put boxes around the {s}.|Highlight the {s}.|where r the {s}|Could you show me all the {s}?"
        "|Detect {s}.|Select all {s}.|Where are the {s} in the {pic}?|Mark each {noun} you see.",
    "which_side": "Is {one} left or right of {two}?|Is {one} to the left or to the right of {two}?|On which side of {two} is {one}?"
        "|Left or right of {two}: where is {one}?|Is {one} on the left or on the right of {two}?|Which side of {two} is {one} on?"
        "|{one}: left or right of {two}?|Tell me if {one} is left or right of {two}.|Do you see {one} left or right of {two}?"
        "|From {two}, is {one} to the left or the right?|is {one} left of {two} or right of it"
        "|Would you say {one} is left or right of {two}?",
    "which_height": "Is {one} above or below {two}?|Is {one} higher or lower than {two}?|Above or below {two}: where is {one}?"
        "|Tell me if {one} is above or below {two}.|{one}: above or below {two}?|Is {one} over or under {two}?"
        "|Do you see {one} above or below {two}?|Which is it: is {one} above or below {two}?|is {one} above {two} or below it"
        "|Would you say {one} is above or below {two}?|In the {pic}, is {one} above or below {two}?"
        "|Relative to {two}, is {one} above or below?",
    "relation": "Where is {one} relative to {two}?|Where is {one} compared to {two}?|How is {one} placed relative to {two}?"
        "|What is the position of {one} relative to {two}?|Seen from {two}, where is {one}?"
        "|Describe where {one} is in relation to {two}.|Where do you see {one} with respect to {two}?"
        "|Tell me where {one} is relative to {two}.|How are {one} and {two} arranged?|In what direction from {two} is {one}?"
        "|Where's {one} in relation to {two}?|What is the spatial relation of {one} to {two}?",
    "is_relation": "Is {one} {rel} {two}?|{one} is {rel} {two}, right?|Is it true that {one} is {rel} {two}?"
        "|Would you say {one} is {rel} {two}?|Do you see {one} {rel} {two}?|Tell me if {one} is {rel} {two}."
        "|Can you confirm that {one} is {rel} {two}?|In the {pic}, is {one} {rel} {two}?|is {one} {rel} {two} or not?"
        "|Does {one} appear {rel} {two}?|Is {one} really {rel} {two}?|So {one} is {rel} {two}?",
    "what_relation": "What is {rel} {two}?|What do you see {rel} {two}?|Which thing is {rel} {two}?|What's {rel} {two}?"
        "|Name what is {rel} {two}.|Is there something {rel} {two}?|What can be seen {rel} {two}?|Tell me what is {rel} {two}."
        "|Which object is {rel} {two}?|Anything {rel} {two}?|what's there {rel} {two}|What things are {rel} {two}?",
    "biggest": "Which is the biggest thing?|What is the largest object?|Which thing is biggest?|What is the biggest thing in the {pic}?"
        "|Which object takes the most room?|Name the largest thing.|What's the biggest object?|Tell me which thing is the largest."
        "|Which object looks biggest?|What is the main object?|What stands out most?|Show me the biggest thing.",
    "smallest": "Which is the smallest thing?|What is the smallest object?|Which thing is smallest?"
        "|What is the smallest thing in the {pic}?|Name the smallest thing.|What's the tiniest object?"
        "|Tell me which thing is the smallest.|Which object looks smallest?|Find the smallest object.|Which object takes the least room?"
        "|smallest thing?|Show me the smallest thing.",
    "bigger": "Which is bigger, {one} or {two}?|Is {one} bigger than {two}?|Which is larger: {one} or {two}?"
        "|What is bigger, {one} or {two}?|Does {one} look bigger than {two}?|Is {one} larger or smaller than {two}?"
        "|Which one is bigger in the {pic}, {one} or {two}?|Compare the sizes of {one} and {two}."
        "|Tell me which is bigger: {one} or {two}.|Which takes more room, {one} or {two}?|{one} or {two}: which is bigger?"
        "|Which looks larger, {one} or {two}?",
    "background": "What {color} is the background?|What is the background?|Tell me the {color} of the background."
        "|Describe the background.|What's behind the things?|Background {color}?|Which {color} does the background have?"
        "|What is the {color} behind everything?|What does the background look like?|Is the background plain? What {color}?"
        "|Name the {color} of the background.|What {color} do you see behind?",
    "region": "What is in region {mark}?|What is this {mark}?|What is {mark}?|Describe the marked area {mark}."
        "|What do you see in {mark}?|{mark}?|What is in the box {mark}?|Tell me what {mark} is.|Name the thing in {mark}."
        "|What does region {mark} show?|Describe {mark}.|What is the object at {mark}?|Can you describe region {mark}?|whats {mark}"
        "|Which object is marked {mark}?|What have I marked as {mark}?|Look at {mark}. What is it?|Identify {mark}."
        "|What's inside {mark}?|Give a short description of region {mark}.",
    "drawn": "What did I mark?|What is in the box I drew?|What is in the marked region?|Describe the area I marked."
        "|What is inside my box?|What have I selected?|Describe the marked region.|What is this thing that I marked?"
        "|Name the thing in my selection.|What did I circle?|What is in the selected area?|Tell me what I marked.",
    "region_yes": "Is {mark} {a}?|Is there {a} in {mark}?|Is {mark} showing {a}?|Is the thing in {mark} {a}?"
        "|Do you see {a} in region {mark}?|{mark} is {a}, right?|Does {mark} show {a}?|Would you call {mark} {a}?|Is region {mark} {a}?"
        "|Could {mark} be {a}?|Tell me if {mark} is {a}.|Is it true that {mark} is {a}?",
    "region_colour": "What {color} is {mark}?|Which {color} is the thing in {mark}?|What is the {color} of {mark}?"
        "|Tell me the {color} of region {mark}.|{color} of {mark}?|What {color} do you see in {mark}?|Name the {color} of {mark}."
        "|What {color} has the object in {mark}?|The thing in {mark} is what {color}?|Say which {color} {mark} is."
        "|What's the {color} of the object marked {mark}?|Which {color} is region {mark}?",
}

FOLLOW: dict[str, str] = {
    "colour": "What {color} {is} {it}?|And what {color} {is} {it}?|Which {color}?|What's the {color}?|Tell me the {color}."
        "|And the {color}?|What {color}?|Do you know what {color} {is} {it}?|What {color} would you say?|{color}?"
        "|What about the {color}?|OK, and which {color} {is} {it}?",
    "position": "Which side {is} {it} on?|In which part of the {pic}?|Which part of the {pic} {is} {it} in?|Roughly where in the {pic}?"
        "|What is the position?|Left, right, top or bottom?|Say in words where.|And on which side?|Whereabouts in the {pic}?"
        "|Describe the position in words.|In which corner or side?|Top or bottom, left or right?",
    "box": "Where {is} {it}?|Show me.|Show {obj} to me.|Where?|Point to {obj}.|Mark {obj}.|And where {is} {it}?|Can you mark {obj}?"
        "|Put a box around {obj}.|Find {obj} for me.|Highlight {obj}, please.|Where exactly {is} {it}?",
    "boxes": "Where are they?|Show me.|Show them to me.|Where?|Point to them.|Mark them.|And where are they?|Can you mark them?"
        "|Put boxes around them.|Find them for me.|Highlight them, please.|Where exactly are they?",
    "count": "How many?|How many of them are there?|How many are there?|Count them.|And how many?|What is their number?"
        "|How many do you see?|Just one, or more?|how many exactly|Could you count them?|How many in total?|Tell me how many.",
    "else": "What else is there?|What else do you see?|Anything else?|Is there anything else?|And besides that?"
        "|What other things are there?|Do you see other things?|Name the other things.|What else is in the {pic}?"
        "|Tell me what else you see.|Other objects?|Else?",
    "instead": "What is there instead?|What do you see then?|So what is there?|Then what is in the {pic}?|What is it then?"
        "|OK, what do you see?|What does it show then?|Well, what is there?|Tell me what you do see.|Hm. What is in it?"
        "|So what's in the {pic}?|What else is there?",
    "certain": "Are you sure?|Really?|Are you certain?|Is that right?|You sure?|Look again.|Can you check again?"
        "|Are you sure about that?|Please check.|Hmm, are you sure?|Is that so?|Sure?",
}

_PICTURES = ("picture", "picture", "picture", "image", "image", "photo", "photograph", "pic", "scene")
_BEFORE = ("Please tell me: ", "Hi! ", "Hello, ", "Hey, ", "Quick question: ", "Could you tell me: ", "OK, ", "Now: ",
           "One more thing: ", "Sorry, ", "Can you help me? ", "Question: ")
_AFTER = (" Thanks.", " Thank you!", " please", " Please.", " Cheers.", " Be brief.", " Thx", " :)")


_SPELLINGS = (("color", "colour"), ("Color", "Colour"), ("gray", "grey"), ("Gray", "Grey"), ("center", "centre"), ("ecognize", "ecognise"))


def spelled(rng: random.Random, text: str) -> str:
    """British or American spelling of the few words that differ."""
    if rng.random() < 0.4:
        for american, british in _SPELLINGS:
            text = text.replace(american, british)
    return text


def styled(rng: random.Random, question: str) -> str:
    """The same question as different people type it: case, punctuation, courtesy."""
    question = spelled(rng, question[:1].upper() + question[1:])
    roll = rng.random()
    if roll < 0.60:
        return question
    if roll < 0.70:
        return question[:1].lower() + question[1:]
    if roll < 0.80:
        return question.lower().rstrip(".?!")
    if roll < 0.84:
        return question.rstrip(".?!")
    if roll < 0.86:
        return question.rstrip(".?!") + rng.choice(("??", " ?", "?!", "...", "!"))
    if roll < 0.94:
        return rng.choice(_BEFORE) + question[:1].lower() + question[1:]
    return question + rng.choice(_AFTER)


def noun_slots(noun: str) -> dict[str, str]:
    """Slots of a question about one noun."""
    single = not words.plural_only(noun)
    pair = noun.split()[-1] in words.PAIRS
    asked = words.article(noun) if single or pair else f"any {noun}"
    mass = noun.split()[-1] in words.MASS
    if mass:
        asked = f"any {noun}"
    verb = words.be(noun)
    return {"noun": noun, "a": asked, "the": f"the {noun}", "s": words.plural(noun), "is": verb, "Is": verb.capitalize(),
            "therebe": words.there_be(noun), "Sbe": "Is" if mass else "Are",
            "Therebe": words.there_be(noun).capitalize(), "it": "it" if single else "they", "obj": words.pronoun(noun)}


def word(rng: random.Random, table: dict[str, str], key: str, **slots: str) -> str:
    """A styled question of `table[key]` with its slots filled."""
    pattern = rng.choice(table[key].split("|"))
    return styled(rng, pattern.format(pic=rng.choice(_PICTURES), color="color", **slots))


def ask_about(rng: random.Random, key: str, noun: str, **slots: str) -> str:
    """A question about a noun, one time in six by another word for it."""
    asked = words.asked_words(noun)
    return word(rng, WORDINGS, key, **noun_slots(rng.choice(asked) if rng.random() < 0.25 else asked[0]), **slots)


def follow_about(rng: random.Random, key: str, noun: str, **slots: str) -> str:
    """A question that refers back to `noun` with it or them."""
    return word(rng, FOLLOW, key, **noun_slots(noun), **slots)
