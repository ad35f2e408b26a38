"""English for the recipe: plurals, articles, colours, places. Nouns are lower case and singular unless English has no singular."""
from __future__ import annotations

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gray")
PLACES = ("top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right")

_CONFUSABLE = {frozenset(pair.split()) for pair in (
    "red orange|red pink|red brown|orange yellow|orange brown|yellow green|yellow white|yellow brown|green blue|blue purple|"
    "purple pink|purple red|pink white|brown black|brown gray|black gray|white gray|black blue|gray blue|orange pink").split("|")}

PAIRS = frozenset("scissors shears maracas glasses sunglasses eyeglasses jeans pants trousers shorts leggings tights binoculars "
                  "pliers tongs tweezers headphones earphones socks boots gloves mittens shoes sandals slippers sneakers goggles "
                  "skis chopsticks pajamas".split())
MASS = frozenset("broccoli bread popcorn sushi money honey milk corn bacon meat garlic lettuce chocolate soap cheese rice pasta "
                 "spaghetti guacamole hay grass water sand snow ice fire smoke jewelry furniture clothing food fruit cotton celery "
                 "spinach salt butter toast ham beef pork kale parsley mud paper wood coal gold lava lightning coral ginger perfume "
                 "soup thread underwear yarn poop".split())
INVARIANT = frozenset("sheep fish deer shrimp squid bison moose salmon trout aircraft spacecraft hovercraft dice".split())
_SINGULAR_S = frozenset("bus minibus school lens gas canvas cactus octopus walrus asparagus compass iris tennis platypus hippopotamus "
                        "rhinoceros abacus hibiscus crocus lotus citrus mantis chess atlas trellis pancreas chassis molasses "
                        "christmas ibis cosmos thermos papyrus mattress gps".split())
_IRREGULAR = {
    "person": "people", "man": "men", "woman": "women", "child": "children", "mouse": "mice", "goose": "geese", "foot": "feet",
    "tooth": "teeth", "ox": "oxen", "knife": "knives", "leaf": "leaves", "wolf": "wolves", "loaf": "loaves",
    "shelf": "shelves", "bookshelf": "bookshelves", "half": "halves", "thief": "thieves", "calf": "calves", "scarf": "scarves",
    "hoof": "hooves", "elf": "elves", "tomato": "tomatoes", "potato": "potatoes", "mango": "mangoes", "volcano": "volcanoes",
    "hero": "heroes", "buffalo": "buffaloes", "torpedo": "torpedoes", "domino": "dominoes", "penknife": "penknives",
    "paintbrush": "paintbrushes", "quiz": "quizzes", "axis": "axes", "cloverleaf": "cloverleaves", "werewolf": "werewolves",
    "toothbrush": "toothbrushes", "police": "police", "cattle": "cattle", "stomach": "stomachs"}
_AN_EXCEPTIONS = ("uni", "usb", "use", "uke", "ura", "ute", "eu", "ewe", "one", "ukulele")
_SILENT_H = ("hour", "heir", "honest", "honor", "honour")

# Other words for exactly the same thing, asked and accepted; the vocabulary's own word comes first.
_EXACT = tuple(group.split("/") for group in (
    "couch/sofa|television/tv|phone/cell phone/mobile phone/telephone|airplane/plane/aeroplane|bicycle/bike|motorcycle/motorbike"
    "|donut/doughnut|necktie/tie|refrigerator/fridge|remote control/remote|hair dryer/hair drier|rabbit/bunny|handbag/purse|car/automobile"
    "|potted plant/houseplant|taxi/cab|traffic light/stoplight|trash can/garbage can|glasses/eyeglasses|gift/present|hamburger/burger"
    "|fries/french fries|backpack/rucksack|flashlight/torch|faucet/tap|stove/cooker|bookcase/bookshelf|eggplant/aubergine"
    "|zucchini/courgette|sweater/jumper|pitcher/jug|hippopotamus/hippo|rhinoceros/rhino|mosquito/gnat|hourglass/sandglass"
    "|washing machine/washer|vacuum cleaner/vacuum|crib/cot|shovel/spade").split("|"))
# Narrower or looser words that an answer may use for the first one, but no question does.
_LOOSE = tuple(frozenset(group.split("/")) for group in (
    "person/man/woman/boy/girl/child/human/guy/lady/kid/baby|table/dining table/desk|ball/sports ball/football/basketball|cup/mug"
    "|truck/lorry|mouse/computer mouse|ship/vessel|hat/cap|cat/kitten|dog/puppy|chicken/hen/rooster|cow/bull/calf|horse/pony/foal"
    "|sheep/lamb|wine glass/wineglass|couch/settee|phone/smartphone|crocodile/alligator|boat/rowboat/sailboat|suitcase/luggage"
    "|lamp/light|mushroom/toadstool|turtle/tortoise|pig/hog/piglet|donkey/mule|bird/pigeon/sparrow/crow").split("|"))


def synonyms(noun: str) -> set[str]:
    """Other words for the same thing, the noun itself included."""
    return {noun}.union(*(group for group in (*_EXACT, *_LOOSE) if noun in group))


def asked_words(noun: str) -> list[str]:
    """Words a question may use for a noun of the vocabulary, the noun itself first."""
    return next((group for group in _EXACT if group[0] == noun), [noun])


def plural_only(noun: str) -> bool:
    """True for nouns that are already plural: grapes, scissors."""
    last = noun.split()[-1]
    if last in PAIRS or last in ("people", "police", "cattle", "teeth"):
        return True
    return last.endswith("s") and not last.endswith(("ss", "us", "is")) and last not in _SINGULAR_S


def countable(noun: str) -> bool:
    """Whether "two X" is natural for single things of this noun."""
    last = noun.split()[-1]
    return last in PAIRS or not (plural_only(noun) or last in MASS)


def plural(noun: str) -> str:
    """"dog" -> "dogs", "person" -> "people", "cup of tea" -> "cups of tea"."""
    if " of " in noun:
        head, tail = noun.split(" of ", 1)
        return f"{plural(head)} of {tail}"
    before, _, last = noun.rpartition(" ")
    return f"{before} {_plural_word(last)}" if before else _plural_word(last)


def _plural_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in INVARIANT or word in MASS or plural_only(word) or word.endswith(("fish", "craft")):
        return word
    if word.endswith(("woman", "fireman", "policeman", "snowman", "fisherman", "gentleman", "superman", "postman")):
        return word[:-2] + "en"
    if word.endswith("mouse"):
        return word[:-5] + "mice"
    if word.endswith("child"):
        return word + "ren"
    if word.endswith("y") and len(word) > 1 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "ch", "sh", "z")):
        return word + "es"
    return word + "s"


def a_or_an(words: str) -> str:
    """Puts the indefinite article before words that take one."""
    low = words.lower()
    vowel = low[:1] in tuple("aeiou") and not low.startswith(_AN_EXCEPTIONS)
    return ("an " if vowel or low.startswith(_SILENT_H) or low.startswith(("x-ray", "mp3")) else "a ") + words


def article(noun: str, colour: str | None = None) -> str:
    """"a dog", "an orange car", "some green grapes", "a pair of red scissors"."""
    named = f"{colour} {noun}" if colour and colour != noun else noun
    last = noun.split()[-1]
    if last in PAIRS:
        return f"a pair of {named}"
    if plural_only(noun) or last in MASS:
        return f"some {named}"
    return a_or_an(named)


def kind(noun: str) -> str:
    """What something is: "a dog", but "grapes" and "broccoli" without "some"."""
    named = article(noun)
    return named.removeprefix("some ")


def number(count: int) -> str:
    """Number word up to nine, digits beyond."""
    return NUMBERS[count] if 0 <= count < len(NUMBERS) else str(count)


def counted(count: int, noun: str, colour: str | None = None) -> str:
    """"two red cars", "two pairs of scissors"; one thing gets its article."""
    if count == 1:
        return article(noun, colour)
    named = plural(noun)
    named = f"{colour} {named}" if colour and colour != noun else named
    return f"{number(count)} pairs of {named}" if noun.split()[-1] in PAIRS else f"{number(count)} {named}"


def be(noun: str) -> str:
    """Verb for "the NOUN ...": is or are."""
    return "are" if plural_only(noun) else "is"


def there_be(noun: str) -> str:
    """Verb for "there ... ARTICLE NOUN": a pair of scissors is one."""
    return "are" if plural_only(noun) and noun.split()[-1] not in PAIRS else "is"


def pronoun(noun: str) -> str:
    return "them" if plural_only(noun) else "it"


def join(parts: list[str], word: str = "and") -> str:
    """"a, b and c"."""
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + f" {word} " + parts[-1] if parts else ""


def sentence(words: str) -> str:
    """Capital at the start, full stop at the end."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def confusable(a: str, b: str) -> bool:
    """Whether two colours may be taken for each other; such a pair makes no fair "is it red?" question."""
    return a == b or frozenset((a, b)) in _CONFUSABLE


def center(box: tuple) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def area(box: tuple) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def place_words(box: tuple) -> str:
    """Nine places by the centre of a box x1 y1 x2 y2 in 0..1: below .4 is left/top, above .6 right/bottom."""
    x, y = center(box)
    across = "left" if x < 0.4 else "right" if x > 0.6 else ""
    down = "top" if y < 0.4 else "bottom" if y > 0.6 else ""
    return f"{down} {across}".strip() or "center"


def at_place(place: str) -> str:
    """"at the top left", "on the left", "in the center"."""
    return {"center": "in the center", "left": "on the left", "right": "on the right"}.get(place, f"at the {place}")
