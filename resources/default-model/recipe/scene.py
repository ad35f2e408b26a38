"""What a question is asked about, what an asked question is, and how sure the answer may be."""
from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import words

UNSURE_TOP = 0.25  # another noun leads with less than this: the answer names both
UNSURE_TRUE = 0.10  # the true noun has less than this: the answer may not assert it
UNKNOWN_TOP = 0.05  # nothing reaches this: the answer says that it does not recognise the thing
ASKED_TRUE = 0.03  # a question that names the true noun needs no more evidence: who asks has a reason to think that it is there
UNMARKED_AREA = 0.02  # a thing without a mark and smaller than this cannot be seen: never asked about, never denied

Similar = Callable[[str], Iterable[str]] | Mapping[str, Iterable[str]] | None


@dataclass
class Thing:
    noun: str
    box: tuple  # x1 y1 x2 y2 in 0..1
    colour: str | None = None
    mark: int | None = None  # 1-based; None when the tower proposed no box for it
    evidence: list = field(default_factory=list)  # [(noun, probability)] of that mark, best first
    region: bool = False  # the user drew it


@dataclass
class Scene:
    things: list
    kind: str = "scene"  # scene, plain, noise, text, dark
    background: str | None = None
    text: str | None = None
    spare: list = field(default_factory=list)  # marks that hold no thing


@dataclass
class Turn:
    question: str
    answer: str
    task: str
    want: dict = field(default_factory=dict)  # what the scorer needs; JSON data only
    about: list = field(default_factory=list)  # the things a later "it" may refer to


@dataclass
class Chain:
    turns: list
    system: str | None = None


def certainty(thing: Thing) -> str:
    """"sure", "unsure" or "unknown", from the evidence the model will see beside this thing."""
    if thing.mark is None or not thing.evidence:
        return "sure"
    top, top_p = thing.evidence[0]
    if top_p < UNKNOWN_TOP:
        return "unknown"
    if top == thing.noun:
        return "sure"
    true_p = dict(thing.evidence).get(thing.noun, 0.0)
    return "unsure" if top_p < UNSURE_TOP or true_p < UNSURE_TRUE else "sure"


def similar_set(similar: Similar, noun: str) -> set[str]:
    """Nouns that are no certain "no" beside `noun`: itself, its synonyms and what looks or counts like it."""
    found = () if similar is None else similar(noun) if callable(similar) else similar.get(noun, ())
    return words.synonyms(noun).union(found)


def marks_of(things: Iterable[Thing]) -> str:
    """" [1] [3]" in order of the numbers; empty when nothing has one."""
    return "".join(f" [{m}]" for m in sorted({t.mark for t in things if t.mark is not None}))


def may_be(thing: Thing) -> str:
    """"a wolf or a dog" of the two best nouns."""
    return words.join([words.kind(noun) for noun, _ in thing.evidence[:2]], "or")


def named(thing: Thing, mark: bool, colour: bool = True) -> str:
    """How a list names one thing, with its mark when wanted and known."""
    tag = marks_of([thing]) if mark else ""
    state = certainty(thing)
    if state == "unknown":
        return f"something{tag} I do not recognise"
    if state == "unsure":
        return f"something that could be {words.kind(thing.evidence[0][0])}{tag}"
    return words.article(thing.noun, thing.colour if colour else None) + tag


class View:
    """A scene with everything the tasks look up: what can be seen, by noun, and which nouns may be denied."""

    def __init__(self, rng: random.Random, scene: Scene, vocabulary: Iterable[str], similar: Similar = None,
                 companions: Similar = None):
        self.rng, self.scene, self.vocabulary, self.similar = rng, scene, list(vocabulary), similar
        self.companions = companions
        things = scene.things if scene.kind == "scene" else []
        self.seen = [t for t in things if t.mark is not None or words.area(t.box) >= UNMARKED_AREA]
        self.hidden = [t for t in things if t not in self.seen]
        self.sure = [t for t in self.seen if certainty(t) == "sure"]
        self.unsure = [t for t in self.seen if certainty(t) == "unsure"]
        self.unknown = [t for t in self.seen if certainty(t) == "unknown"]
        self.groups: dict[str, list[Thing]] = {}
        for thing in sorted(self.sure, key=lambda t: -words.area(t.box)):
            self.groups.setdefault(thing.noun, []).append(thing)
        self.guessed = [t for t in self.unsure if dict(t.evidence).get(t.noun, 0.0) >= ASKED_TRUE]
        self.doubts = [(t, {s for n in [t.noun, *(e[0] for e in t.evidence)] for s in similar_set(similar, n)}) for t in self.unsure + self.unknown]
        self.doubtful = set().union(*(nouns for _, nouns in self.doubts))
        present = {t.noun for t in things}
        self.taken = {s for n in present for s in similar_set(similar, n)} | self.doubtful

    def asked(self) -> dict[str, list[Thing]]:
        """What a question may name: sure things, or doubtful ones of which its noun is a guess; nothing that another doubtful thing may be one more of."""
        guessed: dict[str, list[Thing]] = {}
        for thing in sorted(self.guessed, key=lambda t: -words.area(t.box)):
            guessed.setdefault(thing.noun, []).append(thing)
        return {n: g for n, g in (guessed | self.groups).items() if not any(n in nouns for t, nouns in self.doubts if t not in g)}

    def countable_groups(self) -> dict[str, list[Thing]]:
        """Nouns whose number is certain: no doubtful or hidden thing may be one more."""
        hidden = {s for t in self.hidden for s in similar_set(self.similar, t.noun)}
        return {n: g for n, g in self.asked().items() if n not in hidden and words.countable(n)}

    def singles(self) -> list[Thing]:
        """Things that "the NOUN" names without doubt and that carry a mark."""
        return [g[0] for n, g in self.asked().items() if len(g) == 1 and g[0].mark is not None and not any(t.noun == n for t in self.hidden)]

    def supposed(self) -> list[Thing]:
        """Doubtful things that were taken for something else: a question that names one is answered with a guess, but for its noun."""
        taken = [t.noun for t in self.scene.things]
        return [t for t in self.unsure + self.unknown if t.mark is not None and t not in self.guessed and taken.count(t.noun) == 1]

    def one_thing(self, known: Callable[[Thing], bool] = lambda thing: True) -> tuple[Thing, bool] | None:
        """A thing to ask about by its noun, and whether the answer can only be a guess."""
        fair = [(t, False) for t in self.singles() if known(t)] + [(t, True) for t in self.supposed() if known(t)]
        return self.rng.choice(fair) if fair else None

    def absent(self) -> str | None:
        """A noun to deny: half the time one that is likely in such a scene, else any; never near a present one."""
        rng = self.rng
        allowed = [n for n in self.likely() if self.deniable(n)] if rng.random() < 0.6 else []
        if not allowed:
            allowed = [n for n in rng.sample(self.vocabulary, min(12, len(self.vocabulary))) if self.deniable(n)]
        return rng.choice(allowed) if allowed else None

    def deniable(self, noun: str) -> bool:
        return noun not in self.taken and not any(t.noun in similar_set(self.similar, noun) for t in self.scene.things)

    def likely(self) -> list[str]:
        """Vocabulary nouns that go with the present ones: companions, and what strong evidence nearly took them for."""
        found = [n for t in self.seen for n in companions_of(t.noun, self.companions)]
        found += [n for t in self.sure for n, _ in t.evidence[1:] if t.evidence[0][0] == t.noun and t.evidence[0][1] > 0.5]
        known = set(self.vocabulary)
        return [n for n in found if n in known]


# Things that are seen together; a fair "no" is one of these that is missing.
_THEMES = (
    "dog,cat,horse,cow,sheep,goat,pig,chicken,duck,rabbit,donkey,goose,turkey,hay,tractor,barn,fence,llama",
    "lion,tiger,bear,elephant,zebra,giraffe,monkey,wolf,fox,leopard,kangaroo,camel,rhinoceros,hippopotamus,panda,deer,gorilla,hyena,"
    "lynx,koala,antelope",
    "bird,owl,eagle,parrot,penguin,swan,duck,flamingo,peacock,ostrich,toucan,pelican,stork,heron,vulture,tree,cloud,nest",
    "squirrel,hedgehog,raccoon,badger,skunk,otter,beaver,mouse,hamster,guinea pig,weasel,meerkat,rabbit,sloth,armadillo,acorn,"
    "mushroom",
    "fish,shark,dolphin,whale,octopus,crab,lobster,turtle,seal,starfish,jellyfish,squid,seahorse,stingray,sea urchin,coral,shell,"
    "boat,anchor",
    "butterfly,bee,ant,spider,beetle,snail,ladybug,dragonfly,fly,mosquito,caterpillar,grasshopper,worm,leaf,flower,spider web",
    "snake,lizard,frog,turtle,crocodile,dinosaur,dragon,scorpion,rock",
    "car,bus,truck,bicycle,motorcycle,train,traffic light,stop sign,fire hydrant,parking meter,taxi,person,scooter,bench,ambulance,"
    "police car,fire truck,building,gas pump,wheel",
    "boat,ship,airplane,helicopter,kite,surfboard,balloon,rocket,submarine,lighthouse,lifebuoy,beach,hot air balloon,parachute,"
    "airship",
    "apple,banana,orange,pear,strawberry,lemon,pineapple,watermelon,grapes,cherry,peach,mango,kiwi,lime,plum,coconut,blueberry,melon,"
    "fig,pomegranate,basket",
    "carrot,broccoli,tomato,potato,onion,pepper,cucumber,mushroom,corn,cabbage,eggplant,pumpkin,garlic,lettuce,radish,peas,beans,"
    "avocado,cauliflower,knife",
    "pizza,cake,donut,sandwich,hot dog,hamburger,fries,cookie,bread,cheese,ice cream,egg,pancake,waffle,taco,burrito,bacon,sausage,"
    "pie,pretzel,popcorn,plate",
    "cup,bowl,plate,fork,knife,spoon,bottle,wine glass,glass,teapot,pot,pan,pitcher,jar,spatula,milk,coffee maker,can",
    "chair,table,couch,bed,lamp,potted plant,vase,clock,book,mirror,candle,pillow,picture frame,curtain,bookcase,wardrobe,television,"
    "cat",
    "television,laptop,phone,keyboard,mouse,remote control,camera,computer,printer,microphone,headphones,radio,speaker,webcam,"
    "joystick,usb stick,floppy disk,calculator",
    "oven,microwave,toaster,sink,refrigerator,blender,stove,dishwasher,washing machine,faucet,kettle",
    "shirt,hat,shoe,sock,necktie,dress,coat,glove,scarf,jeans,glasses,handbag,backpack,umbrella,suitcase,skirt,suit,watch,ring,"
    "necklace,bow tie,person",
    "hammer,screwdriver,saw,wrench,axe,drill,scissors,ladder,shovel,nail,screw,toolbox,pickaxe,paint roller,tape,level,gear",
    "guitar,piano,violin,drum,trumpet,flute,saxophone,accordion,harp,trombone,banjo,xylophone,maracas,french horn,harmonica,"
    "microphone",
    "frisbee,ball,baseball bat,baseball glove,tennis racket,skateboard,skis,snowboard,surfboard,boxing glove,trophy,medal,goal,"
    "roller skate,ice skate,dumbbell,hockey stick",
    "pen,pencil,book,notebook,ruler,eraser,scissors,paintbrush,crayon,paperclip,stapler,envelope,pushpin,calculator,pencil sharpener,"
    "folder,clipboard,stamp",
    "person,hand,foot,eye,ear,nose,mouth,tooth,leg,arm,heart,brain,bone,skull,glasses,hat,dog",
    "tree,flower,leaf,cactus,mushroom,fern,plant,bouquet,potted plant,butterfly,bee,rake,trowel",
    "sun,moon,star,cloud,rainbow,lightning,planet,snowflake,globe,mountain,wave,tornado",
    "house,castle,church,tower,bridge,tent,lighthouse,barn,building,factory,temple,mosque,stadium,store,fountain,palace,tree,car,"
    "fence",
    "teddy bear,doll,balloon,dice,robot,puzzle piece,kite,blocks,yo-yo,pinwheel,rubik's cube,rubber duck,chess piece,playing card,"
    "carousel,slide,swing",
    "toilet,sink,toothbrush,hair dryer,towel,soap,mirror,bathtub,comb,sponge,razor,toilet paper,shower,plunger,perfume,lipstick",
    "syringe,pill,bandage,stethoscope,thermometer,microscope,test tube,flask,scalpel,wheelchair,crutch,magnet,telescope",
    "key,lock,wallet,coin,money,credit card,handbag,safe,ticket,cash machine,piggy bank,gem,ring,crown",
    "gift,christmas tree,candle,snowman,bell,wreath,ribbon,star,cake,balloon,party popper,christmas ball,christmas stocking,sled",
    "sword,shield,castle,crown,dragon,bow,ghost,angel,mermaid,unicorn,alien,robot,flying saucer,magic wand,skull,coffin",
    "box,basket,bucket,barrel,broom,mop,trash can,ladder,vacuum cleaner,brush,light bulb,flashlight,battery,fire extinguisher,fan,"
    "iron",
)
_COMPANIONS: dict[str, list[str]] = {}
for _theme in _THEMES:
    _members = _theme.split(",")
    for _noun in _members:
        _COMPANIONS.setdefault(_noun, []).extend(m for m in _members if m != _noun)


def companions_of(noun: str, companions: Similar = None) -> list[str]:
    """Nouns that are often seen with `noun`: the caller's own, or the built-in themes."""
    if companions is None:
        return _COMPANIONS.get(noun, [])
    return list(companions(noun) if callable(companions) else companions.get(noun, ()))
