"""Questions about kinds of things: is there an animal, what fruit is it, how many vehicles."""
from __future__ import annotations

import words
from scene import Thing, Turn, View, marks_of
from wordings import word

ANIMALS = frozenset(
    "ant antelope armadillo badger bear beaver bee beetle bird bison butterfly camel cat caterpillar centipede chicken cockroach "
    "cougar cow crab crocodile deer dodo dog dolphin donkey dragonfly duck eagle elephant fish flamingo fly fox frog giraffe gnu "
    "goat goose gorilla grasshopper hamster hedgehog heron hippopotamus horse hummingbird hyena jellyfish kangaroo koala ladybug "
    "lemur leopard lion lizard llama lobster lynx mammoth mantis meerkat monkey moose mosquito octopus orangutan ostrich otter owl "
    "panda parrot peacock pelican penguin pig rabbit raccoon rhinoceros scorpion seahorse seal shark sheep shrimp skunk sloth snail "
    "snake spider squid squirrel starfish stingray stork swan tiger toucan turkey turtle vulture weasel whale wolf worm zebra yak "
    "puppy kitten rooster hen pigeon sparrow crow".split()
) | {"guinea pig", "red panda", "sea urchin"}
BIRDS = frozenset("bird chicken dodo duck eagle flamingo goose heron hummingbird ostrich owl parrot peacock pelican penguin stork "
                  "swan toucan turkey vulture pigeon sparrow crow rooster hen".split())
INSECTS = frozenset("ant bee beetle butterfly cockroach dragonfly fly grasshopper ladybug mantis mosquito".split())
FRUIT = frozenset("apple banana blueberry cherry coconut fig grapes kiwi lemon lime mango melon orange peach pear pineapple plum "
                  "pomegranate strawberry watermelon".split())
VEGETABLES = frozenset("artichoke beans broccoli cabbage carrot cauliflower cucumber eggplant garlic lettuce onion peas potato radish "
                       "zucchini".split())
FOOD = FRUIT | VEGETABLES | frozenset(
    "bacon bagel bread burrito butter cake candy cheese chips chocolate cookie croissant donut dumpling fries hamburger honey "
    "marshmallow meat muffin noodles omelette pancake pie pizza popcorn pretzel pudding salad sandwich sausage soup sushi taco "
    "tomato waffle corn mushroom".split()) | {"hot dog", "ice cream", "onion rings"}
VEHICLES = frozenset("airplane airship ambulance bicycle boat bus car forklift go-kart helicopter motorcycle rickshaw scooter ship "
                     "snowmobile snowplow submarine taxi tractor train tricycle truck unicycle tram".split()) | {
                         "fire truck", "golf cart", "hot air balloon", "police car", "space shuttle"}
FURNITURE = frozenset("bed bench bookcase cabinet chair couch crib table wardrobe desk stool sofa".split()) | {"filing cabinet"}
INSTRUMENTS = frozenset("accordion banjo drum flute guitar harmonica harp maracas piano saxophone trombone trumpet violin "
                        "xylophone".split()) | {"french horn", "postal horn"}
TOOLS = frozenset("axe chainsaw drill hammer pickaxe pruner rake saw screwdriver shovel trowel wrench pliers".split()) | {"hedge shears"}
CLOTHING = frozenset("coat dress glove hat jeans kimono necktie pajamas sari scarf shirt shoe shorts skirt sock suit sweater "
                     "swimsuit underwear vest".split()) | {"bow tie", "chef hat", "martial arts uniform"}

# Kind -> (plural, its nouns, nouns that some would count in and some would not: neither a yes nor a no).
KINDS: dict[str, tuple[str, frozenset[str], frozenset[str]]] = {
    "animal": ("animals", ANIMALS, frozenset((
        "bat", "coral", "crane", "cricket", "dinosaur", "dragon", "egg", "mermaid", "mouse", "nest", "person", "rubber duck",
        "shell", "teddy bear", "unicorn", "piggy bank", "feather", "meat", "alien", "carousel", "statue", "doll", "pinata", "angel",
        "smiley", "spider web", "wing", "chess piece"))),
    "bird": ("birds", BIRDS, frozenset((
        "crane", "rubber duck", "egg", "nest", "feather", "birdhouse", "bat", "wing", "angel", "dinosaur", "statue", "meat"))),
    "insect": ("insects", INSECTS, frozenset((
        "bat", "caterpillar", "centipede", "cricket", "scorpion", "spider", "worm", "snail", "spider web", "honey"))),
    "fruit": ("fruits", FRUIT, FOOD - FRUIT | {
        "avocado", "olive", "pumpkin", "pepper", "nut", "acorn", "juice box", "basket", "bowl", "tree"}),
    "vegetable": ("vegetables", VEGETABLES, FOOD - VEGETABLES | {"avocado", "ginger", "olive", "pepper", "pumpkin", "tomato", "plant"}),
    "vehicle": ("vehicles", VEHICLES, frozenset((
        "balloon", "cart", "crane", "flying saucer", "lawn mower", "parachute", "rocket", "satellite", "shopping cart",
        "skateboard", "sled", "tank", "wagon", "wheelbarrow", "wheelchair", "elevator", "roller coaster", "surfboard", "snowboard",
        "skis", "roller skate", "paper plane", "wheel", "ferris wheel", "carousel", "ice skate", "stadium", "paddle"))),
    "piece of furniture": ("pieces of furniture", FURNITURE, frozenset((
        "lamp", "mirror", "pool table", "ironing board", "bathtub", "sink", "toilet", "stove", "refrigerator", "pillow", "chest",
        "wheelchair", "picture frame", "curtain", "safe", "swing", "sleeping bag", "blanket", "box", "oven", "dishwasher",
        "washing machine", "television", "clock", "basket", "door", "window"))),
    "musical instrument": ("musical instruments", INSTRUMENTS, frozenset((
        "bell", "whistle", "gramophone", "jukebox", "megaphone", "microphone", "speaker", "boombox", "keyboard", "bow"))),
    "tool": ("tools", TOOLS, frozenset((
        "anvil", "brush", "broom", "mop", "knife", "scissors", "ladder", "level", "ruler", "screw", "nail", "toolbox", "paintbrush",
        "paint roller", "flashlight", "magnifying glass", "spatula", "plunger", "lawn mower", "needle", "pen", "pencil", "scalpel",
        "razor", "iron", "sewing machine", "hook", "comb", "compass", "tape", "stapler", "fork", "spoon", "rope", "sword", "gear",
        "microscope", "hair dryer", "toothbrush", "chopsticks", "meat grinder", "wheelbarrow", "pencil sharpener", "safety pin",
        "mouse trap", "lock", "key", "chain", "pushpin", "paperclip", "throwing star", "boomerang", "drum", "paddle", "gun",
        "tripod", "scale", "eraser"))),
    "piece of clothing": ("clothes", CLOTHING, frozenset((
        "apron", "helmet", "crown", "mask", "glasses", "ring", "necklace", "watch", "handbag", "backpack", "person", "doll",
        "ribbon", "wig", "baseball glove", "boxing glove", "gas mask", "diving mask", "ice skate", "roller skate", "scarecrow",
        "clown", "mermaid", "angel", "christmas stocking", "earring", "umbrella", "snowman", "teddy bear", "robot", "statue",
        "diving tank", "blanket", "rosette", "headphones", "washing machine", "wardrobe"))),
}

ASK: dict[str, str] = {
    "yesno": "Is there {a}?|Do you see {a}?|Is there {a} in the {pic}?|Does the {pic} show {a}?|Are there any {s}?|Do you see any {s}?"
             "|Any {s} in the {pic}?|Can you see {a} here?|Does this {pic} contain any {s}?|any {s}?|Can you spot {a}?|Is {a} visible?"
             "|Would you say there is {a} here?|Tell me if there is {a}.|Is there any {kind} in this {pic}?",
    "what": "What {s} do you see?|Which {s} are there?|What {kind} is this?|Which {kind} is it?|What {kind} do you see?|Name the {s}."
            "|What kind of {kind} is it?|Which {s} can you see in the {pic}?|List the {s}.|What {s} are in the {pic}?"
            "|Which {kind} is in the {pic}?|Tell me which {s} you see.|what {kind} is that|What is the name of the {kind}?"
            "|Do you know what {kind} this is?|What {s} does the {pic} show?|Show me the {s}.|Find the {s}.",
    "count": "How many {s} are there?|How many {s} do you see?|Count the {s}.|How many {s} are in the {pic}?|What is the number of {s}?"
             "|Number of {s}?|How many {s}?|Tell me how many {s} there are.|how many {s} r there|Can you count the {s}?"
             "|How many {s} does the {pic} show?|Please count all {s}.",
}


def members(view: View, kind: str) -> list[Thing] | None:
    """The seen things of a kind, by mark; None where it is unclear what belongs to it."""
    _, nouns, maybe = KINDS[kind]
    if view.unsure or view.unknown or any(t.mark is None for t in view.scene.things if t.noun in nouns):
        return None
    if view.scene.kind == "scene" and any(t.noun in maybe for t in view.scene.things):
        return None
    return sorted((t for t in view.sure if t.noun in nouns), key=lambda t: t.mark or 0)


def _choose(view: View, present: float) -> tuple[str, list[Thing]] | None:
    """A kind, with probability `present` one that is there."""
    found = {kind: m for kind in KINDS if (m := members(view, kind)) is not None}
    there = [k for k, m in found.items() if m]
    missing = [k for k, m in found.items() if not m]
    pool = (there or missing) if view.rng.random() < present else (missing or there)
    if not pool:
        return None
    kind = view.rng.choice(pool)
    return kind, found[kind]


def listed(things: list[Thing]) -> str:
    """"two dogs [1] [3] and a cat [2]"."""
    groups: dict[str, list[Thing]] = {}
    for thing in things:
        groups.setdefault(thing.noun, []).append(thing)
    return words.join([(words.counted(len(g), n) if words.countable(n) else words.article(n)) + marks_of(g) for n, g in groups.items()])


def _ask(view: View, key: str, kind: str) -> str:
    return word(view.rng, ASK, key, a=words.a_or_an(kind), s=KINDS[kind][0], kind=kind)


def kind_yesno(view: View) -> Turn | None:
    if not (chosen := _choose(view, 0.5)):
        return None
    kind, things = chosen
    if not things:
        return Turn(_ask(view, "yesno", kind), f"No, I see no {kind}.", "kind_yesno", {"yes": False})
    first = things[0].noun
    many = sum(t.noun == first for t in things) > 1 and words.countable(first) or words.there_be(first) == "are"
    return Turn(_ask(view, "yesno", kind), f"Yes, there {'are' if many else 'is'} {listed(things)}.", "kind_yesno", {"yes": True},
                things if len({t.noun for t in things}) == 1 else [])


def kind_what(view: View) -> Turn | None:
    if not (chosen := _choose(view, 0.9)):
        return None
    kind, things = chosen
    answer = words.sentence(listed(things)) if things else f"I see no {kind}."
    nouns = sorted({t.noun for t in things})
    return Turn(_ask(view, "what", kind), answer, "kind_what", {"nouns": nouns, "boxes": [t.box for t in things]},
                things if len(nouns) == 1 else [])


def kind_count(view: View) -> Turn | None:
    if not (chosen := _choose(view, 0.85)):
        return None
    kind, things = chosen
    if any(not words.countable(t.noun) for t in things):
        return None
    many = KINDS[kind][0] if len(things) != 1 else kind
    if kind == "piece of clothing" and things:
        many = "pieces of clothing" if len(things) > 1 else kind
    answer = words.sentence(f"{words.number(len(things)) if things else 'no'} {many}{marks_of(things)}")
    return Turn(_ask(view, "count", kind), answer, "kind_count", {"count": len(things)})
