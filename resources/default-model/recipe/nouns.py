"""The default model's vocabulary of nouns, and which of them must not be used as a certain "no" for one another."""
from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
FEWEST_PICTURES = 2  # a noun known only from cut-outs needs this many training pictures

# The COCO detector's classes (number of the 91-class list -> noun as people say it).
COCO = {
    1: "person", 2: "bicycle", 3: "car", 4: "motorcycle", 5: "airplane", 6: "bus", 7: "train", 8: "truck", 9: "boat",
    10: "traffic light", 11: "fire hydrant", 13: "stop sign", 14: "parking meter", 15: "bench", 16: "bird", 17: "cat",
    18: "dog", 19: "horse", 20: "sheep", 21: "cow", 22: "elephant", 23: "bear", 24: "zebra", 25: "giraffe",
    27: "backpack", 28: "umbrella", 31: "handbag", 32: "necktie", 33: "suitcase", 34: "frisbee", 35: "skis",
    36: "snowboard", 37: "ball", 38: "kite", 39: "baseball bat", 40: "baseball glove", 41: "skateboard",
    42: "surfboard", 43: "tennis racket", 44: "bottle", 46: "wine glass", 47: "cup", 48: "fork", 49: "knife",
    50: "spoon", 51: "bowl", 52: "banana", 53: "apple", 54: "sandwich", 55: "orange", 56: "broccoli", 57: "carrot",
    58: "hot dog", 59: "pizza", 60: "donut", 61: "cake", 62: "chair", 63: "couch", 64: "potted plant", 65: "bed",
    67: "table", 70: "toilet", 72: "television", 73: "laptop", 74: "mouse", 75: "remote control", 76: "keyboard",
    77: "phone", 78: "microwave", 79: "oven", 80: "toaster", 81: "sink", 82: "refrigerator", 84: "book", 85: "clock",
    86: "vase", 87: "scissors", 88: "teddy bear", 89: "hair dryer", 90: "toothbrush",
}

# Nouns that name a plural or a mass: no "a" before them.
NO_ARTICLE = frozenset({
    "bacon", "beans", "beer", "binoculars", "blocks", "bread", "bubbles", "butter", "candy", "cheese", "chips", "chocolate",
    "chopsticks", "coral", "corn", "fire", "fries", "garlic", "ginger", "glasses", "grapes", "hay", "headphones", "hedge shears",
    "honey", "ice cream", "jeans", "lettuce", "lightning", "lungs", "maracas", "meat", "milk", "money", "noodles", "onion rings",
    "pajamas", "paper", "peas", "perfume", "popcorn", "salt", "scissors", "shorts", "skis", "soap", "soup",
    "sushi", "thread", "toilet paper", "underwear", "wood", "yarn",
})

# Within a group things look alike, name the same thing, or one comes with the other: when one noun is in a picture,
# the others are neither a certain yes nor a certain no. A noun may stand in several groups.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("dog", "wolf", "fox", "hyena"), ("cat", "lynx", "cougar", "leopard", "tiger", "lion"), ("wolf", "fox", "hyena"),
    ("horse", "donkey", "zebra", "unicorn", "moose", "carousel"), ("cow", "bison", "yak", "goat", "sheep", "moose"),
    ("sheep", "goat", "llama"), ("deer", "antelope", "moose", "goat", "gnu"), ("camel", "llama", "giraffe"),
    ("elephant", "mammoth", "rhinoceros", "hippopotamus"), ("bear", "panda", "red panda", "teddy bear", "koala", "sloth"),
    ("mouse", "hamster", "guinea pig", "squirrel", "beaver", "weasel", "hedgehog", "rabbit", "kangaroo"), ("mouse", "computer"),
    ("weasel", "otter", "badger", "skunk", "raccoon", "beaver", "meerkat", "marmot"), ("seal", "otter", "dolphin", "whale", "walrus"),
    ("monkey", "gorilla", "orangutan", "lemur"), ("fish", "shark", "whale", "dolphin", "seahorse", "stingray"),
    ("bird", "chicken", "turkey", "duck", "rubber duck", "goose", "swan", "owl", "flamingo", "peacock", "parrot", "penguin", "dodo",
     "eagle", "vulture", "hummingbird", "toucan", "stork", "heron", "pelican", "ostrich", "egg", "nest", "wing", "feather"),
    ("lizard", "crocodile", "dinosaur", "dragon", "snake", "frog", "turtle"), ("snake", "worm", "eel"), ("snail", "shell", "worm"),
    ("octopus", "squid", "jellyfish"), ("crab", "lobster", "shrimp", "scorpion"), ("coral", "starfish", "sea urchin", "shell"),
    ("bee", "fly", "mosquito", "ant", "beetle", "ladybug", "cockroach", "cricket", "grasshopper", "mantis", "dragonfly", "butterfly",
     "caterpillar", "spider", "centipede", "scorpion"), ("caterpillar", "worm", "centipede"), ("spider", "spider web"),
    ("person", "mermaid", "angel", "doll", "clown", "snowman", "scarecrow", "statue", "robot", "alien", "smiley", "mask", "uniform"),
    ("person", "hand", "arm", "leg", "foot", "eye", "ear", "nose", "mouth", "tongue", "tooth"), ("mouth", "tongue", "tooth"),
    ("person", "hat", "helmet", "crown", "glasses", "shirt", "vest", "coat", "suit", "dress", "skirt", "shorts", "jeans", "shoe",
     "sock", "necktie", "bow tie", "scarf", "glove", "swimsuit", "kimono", "sari", "sweater", "pajamas", "apron", "wig", "necklace"),
    ("shirt", "vest", "coat", "sweater", "suit", "dress", "kimono", "apron", "uniform", "pajamas"), ("dress", "skirt", "sari", "kimono"),
    ("shorts", "jeans", "underwear", "swimsuit"), ("shoe", "ice skate", "roller skate", "sock", "skis", "christmas stocking"),
    ("hat", "helmet", "crown"), ("helmet", "gas mask", "mask", "diving mask", "glasses"), ("glove", "baseball glove", "boxing glove"),
    ("necktie", "bow tie", "scarf", "ribbon"), ("ring", "necklace", "gem", "earring", "crown"), ("skull", "bone", "person"),
    ("alien", "robot", "ghost", "smiley", "mask", "flying saucer"),
    ("car", "taxi", "police car", "truck", "bus", "ambulance", "fire truck", "go-kart", "golf cart", "tractor", "wheel"),
    ("truck", "bus", "ambulance", "fire truck", "tractor", "snowplow", "forklift", "tank", "crane"), ("train", "bus"),
    ("boat", "ship", "paddle", "submarine", "lifebuoy", "anchor"), ("airplane", "helicopter", "airship", "paper plane", "wing"),
    ("rocket", "space shuttle", "satellite", "airplane"), ("satellite", "satellite dish", "antenna"),
    ("balloon", "hot air balloon", "airship", "parachute", "kite"),
    ("bicycle", "motorcycle", "tricycle", "unicycle", "scooter", "wheel", "wheelchair"), ("motorcycle", "scooter"),
    ("skateboard", "scooter", "roller skate", "surfboard", "snowboard", "skis", "sled"), ("sled", "snowmobile"),
    ("cart", "wheelbarrow", "wagon", "shopping cart", "rickshaw"), ("traffic light", "stop sign", "sign"), ("gas pump", "parking meter"),
    ("house", "building", "store", "barn", "hut", "church", "castle", "palace", "temple", "mosque", "factory", "tower", "igloo", "stadium",
     "birdhouse", "tent", "door", "window"), ("tower", "lighthouse", "water tower", "castle", "church", "totem pole"),
    ("mountain", "volcano", "cliff", "hill", "rock", "pyramid"), ("beach", "lake", "wave", "pier", "bridge"), ("fence", "wall", "brick"),
    ("sun", "moon", "star", "planet", "globe", "smiley"), ("moon", "planet", "globe", "ball"), ("globe", "map", "compass"),
    ("cloud", "lightning", "rainbow", "sun", "tornado", "wave"), ("snowflake", "star", "ice cube"), ("fire", "candle", "campfire", "match"),
    ("flower", "bouquet", "potted plant", "plant", "leaf", "wreath", "vase"), ("tree", "christmas tree", "plant", "leaf", "wood", "bamboo"),
    ("plant", "leaf", "fern", "cactus", "potted plant", "bamboo"), ("cactus", "potted plant"), ("christmas tree", "wreath", "star"),
    ("apple", "peach", "tomato", "cherry", "plum", "pomegranate", "pear", "mango"), ("orange", "lemon", "lime", "peach", "kiwi", "melon"),
    ("melon", "watermelon", "pumpkin"), ("grapes", "blueberry", "cherry", "olive", "plum"), ("strawberry", "cherry"),
    ("cucumber", "zucchini", "eggplant", "pepper", "avocado"), ("pepper", "tomato", "carrot"), ("potato", "ginger", "egg", "onion"),
    ("onion", "garlic", "radish"), ("lettuce", "cabbage", "broccoli", "cauliflower", "artichoke"), ("nut", "acorn", "coconut"),
    ("bread", "sandwich", "hamburger", "hot dog", "bagel", "croissant", "pretzel", "burrito", "taco", "pie", "cake", "muffin"),
    ("cake", "pie", "muffin", "pudding", "donut", "cookie", "pancake", "waffle", "chocolate", "ice cream", "butter", "candle"),
    ("cookie", "pancake", "waffle", "donut", "bagel"), ("pizza", "pie", "cheese"), ("cheese", "butter", "cake"),
    ("meat", "bacon", "sausage", "hot dog", "chicken", "turkey", "hamburger"), ("fries", "chips", "onion rings"),
    ("bowl", "soup", "noodles", "plate", "pot", "pan", "salad", "cup"), ("noodles", "soup", "spaghetti"), ("sushi", "dumpling", "shrimp"),
    ("candy", "chocolate", "lollipop", "ice cream", "cookie"), ("egg", "pan", "omelette"),
    ("cup", "glass", "mug", "wine glass", "beer", "teapot", "coffee maker", "bowl", "milk", "juice box"),
    ("glass", "bottle", "wine glass", "beer"),
    ("bottle", "jar", "can", "milk", "juice box", "pitcher", "honey", "spray can", "soap", "perfume", "flask", "wine glass"),
    ("teapot", "pitcher", "vase", "jar", "urn", "coffee maker"), ("can", "barrel", "trash can", "bucket", "basket", "battery"),
    ("box", "package", "gift", "paper bag", "chest", "suitcase", "toolbox", "safe", "cabinet", "basket"),
    ("handbag", "suitcase", "backpack", "wallet", "paper bag", "plastic bag", "basket"), ("money", "coin", "wallet", "credit card"),
    ("fork", "knife", "spoon", "spatula", "chopsticks", "plate"), ("knife", "sword", "saw", "scissors"), ("sword", "shield", "bow", "axe"),
    ("hammer", "axe", "pickaxe", "wrench", "screwdriver", "drill", "saw", "chainsaw", "toolbox", "shovel"),
    ("screw", "nail", "screwdriver"),
    ("broom", "mop", "brush", "paintbrush", "rake", "shovel", "toothbrush", "paint roller"), ("gun", "cannon", "tank"),
    ("bomb", "firecracker", "ball"),
    ("chair", "couch", "bench", "bed", "table", "pillow", "crib", "wheelchair"),
    ("table", "cabinet", "wardrobe", "bookcase", "filing cabinet"),
    ("bed", "blanket", "pillow", "sleeping bag"), ("door", "window", "mirror", "picture frame", "curtain"),
    ("sink", "bathtub", "toilet", "shower", "fountain"),
    ("stove", "oven", "microwave", "toaster", "refrigerator", "dishwasher", "washing machine"),
    ("toilet paper", "paper towel", "towel", "paper"),
    ("television", "computer", "laptop", "phone", "radio", "music player", "server"),
    ("keyboard", "laptop", "computer", "typewriter", "piano", "calculator"),
    ("phone", "remote control", "calculator", "gps", "music player", "pager"),
    ("camera", "film projector", "projector", "binoculars", "webcam", "telescope"),
    ("printer", "fax machine", "scanner"), ("disc", "record", "floppy disk", "cassette", "video cassette"),
    ("radio", "speaker", "cassette player", "boombox"),
    ("clock", "watch", "alarm clock", "stopwatch", "hourglass", "compass", "thermometer", "scale"), ("joystick", "remote control"),
    ("book", "notebook", "newspaper", "paper", "folder", "calendar", "envelope", "clipboard", "scroll", "menu", "binder"),
    ("envelope", "mailbox", "stamp", "paper"), ("ticket", "paper", "money"), ("pen", "pencil", "crayon", "paintbrush", "palette"),
    ("paperclip", "pushpin", "safety pin", "needle", "nail"), ("ruler", "level"), ("pencil", "pencil sharpener", "eraser"),
    ("magnifying glass", "telescope", "microscope", "binoculars"), ("flask", "test tube", "jar", "bottle"), ("syringe", "pill", "bandage"),
    ("lock", "key", "safe"), ("lamp", "light bulb", "flashlight", "candle", "lighthouse"), ("gear", "wheel", "disc"),
    ("chain", "necklace", "hook"),
    ("guitar", "violin", "banjo", "harp"), ("trumpet", "trombone", "french horn", "saxophone", "flute", "postal horn"),
    ("piano", "accordion", "xylophone"),
    ("drum", "maracas", "barrel"), ("megaphone", "speaker", "postal horn"), ("microphone", "headphones"), ("bell", "hat"),
    ("ball", "globe", "golf flag", "dart board", "goal"),
    ("tennis racket", "table tennis paddle", "ball", "baseball bat", "cricket bat", "hockey stick"),
    ("baseball bat", "cricket bat", "ball"), ("frisbee", "plate", "ball"), ("trophy", "medal", "cup"),
    ("flag", "kite", "sign", "golf flag"),
    ("gift", "ribbon", "box"), ("dice", "chess piece", "playing card", "puzzle piece", "rubik's cube", "blocks"),
    ("yarn", "thread", "ball"),
    ("heart", "broken heart"), ("mask", "smiley", "clown"), ("umbrella", "tent", "parachute"), ("rock", "brick", "gem"),
    ("star", "medal", "starfish"),
    ("tent", "hut", "igloo"), ("carousel", "ferris wheel", "roller coaster", "swing", "slide"), ("trash can", "mailbox"),
    ("fire hydrant", "fire extinguisher"),
    ("dragonfly", "butterfly", "bird"), ("christmas tree", "gift"), ("comb", "brush", "razor"), ("fan", "electric fan"),
    ("leaf", "feather"),
)

_SIMILAR: dict[str, frozenset[str]] = {}
for _group in GROUPS:
    for _noun in _group:
        _SIMILAR[_noun] = (_SIMILAR.get(_noun, frozenset()) | frozenset(_group)) - {_noun}


def imagenet_nouns() -> list[str | None]:
    """For each of the 1000 ImageNet classes, in the usual order, the noun it counts as; None where there is none."""
    return json.loads((HERE / "imagenet_nouns.json").read_text(encoding="utf-8"))


def training_pictures(work: Path) -> Counter[str]:
    """How many training cut-outs each noun has."""
    meta = json.loads((work / "cutouts" / "meta.json").read_text(encoding="utf-8"))
    return Counter(m["noun"] for m in meta if m["split"] == "train")


def vocabulary(work: Path) -> list[str]:
    """All nouns the model may name, sorted: COCO, ImageNet groups, and cut-outs with enough training pictures."""
    pictures = training_pictures(work)
    drawn = {noun for noun, count in pictures.items() if count >= FEWEST_PICTURES}
    return sorted(drawn | set(COCO.values()) | {noun for noun in imagenet_nouns() if noun})


def similar(noun: str) -> frozenset[str]:
    """Nouns that are no certain "no" when `noun` is in the picture (never contains `noun` itself)."""
    return _SIMILAR.get(noun, frozenset())


def with_article(noun: str) -> str:
    """`a dog`, `an apple`, `scissors`."""
    if noun in NO_ARTICLE:
        return noun
    vowel = noun[0] in "aeiou" and not noun.startswith(("unicorn", "unicycle", "uniform", "usb"))
    return ("an " if vowel or noun.startswith("hour") else "a ") + noun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder with cutouts/meta.json")
    args = parser.parse_args()
    words, pictures = vocabulary(args.work), training_pictures(args.work)
    for noun in words:
        print(f"{with_article(noun)}\t{pictures[noun]}\t{', '.join(sorted(similar(noun) & set(words)))}")


if __name__ == "__main__":
    main()
