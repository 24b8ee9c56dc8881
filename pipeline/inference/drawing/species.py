"""What kinds of figure there are besides people, and the marks by which each is known at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Ears = Literal["pointed", "round", "long", "floppy", "tuft", "small", "none"]
Muzzle = Literal["snout", "long", "short", "beak", "hook", "disc", "wide", "flat"]
Tail = Literal["bush", "thin", "tuft", "stub", "hair", "curl", "fan", "fin", "spike", "thick", "none"]
Body = Literal["upright", "four", "bird", "owl", "shell", "fish", "coil"]


@dataclass(frozen=True)
class Species:
    """`size` is the height of a grown one against a grown person's; colours are for what the text leaves open."""

    name: str
    words: tuple[str, ...]
    coats: tuple[str, ...]
    pale: str = "#f1e4cf"
    ears: Ears = "round"
    muzzle: Muzzle = "short"
    tail: Tail = "thin"
    body: Body = "upright"
    size: float = 0.7
    marks: tuple[str, ...] = ()


def _s(name: str, words: str, coats: str, *marks: str, **facts: object) -> Species:
    return Species(name, (name, *words.split(",")) if words else (name,), tuple(coats.split()), marks=marks, **facts)  # type: ignore[arg-type]  # facts are field values written in the table below


ALL: tuple[Species, ...] = (
    _s("fox", "vixen,fox cub", "#cf6a2e #c75f2a", "mask", "socks", ears="pointed", muzzle="long", tail="bush",
        body="four", size=0.55),
    _s("wolf", "wolves,werewolf", "#7d8088 #6b6f78", "mask", ears="pointed", muzzle="long", tail="bush", body="four",
        size=0.68),
    _s("bear", "cub,grizzly,teddy", "#7b5236 #6a4630", ears="round", muzzle="short", tail="stub", size=1.05,
        pale="#d8b58a"),
    _s("panda", "", "#f2efe8", "panda", ears="round", tail="stub", size=0.9, pale="#f7f4ec"),
    _s("rabbit", "hare,bunny,leveret", "#b9a08a #a58a70 #d9cdbd", "teeth", ears="long", tail="stub", size=0.55),
    _s("mouse", "rat,vole,shrew,hamster,dormouse,mice", "#a29a95 #9a8672", ears="round", muzzle="long", tail="thin",
        size=0.42),
    _s("mole", "", "#4e4650", ears="none", muzzle="long", tail="stub", size=0.45),
    _s("squirrel", "chipmunk", "#b5622f", "mask", ears="tuft", tail="bush", size=0.48),
    _s("hedgehog", "porcupine", "#8a6a4c", "spines", ears="none", muzzle="long", tail="none", size=0.45,
        pale="#e8cfa9"),
    _s("badger", "skunk", "#4a4a52", "stripe", ears="small", muzzle="long", tail="stub", size=0.6),
    _s("raccoon", "", "#8a8078", "bandit", ears="small", tail="bush", size=0.5),
    _s("otter", "beaver,weasel,ferret,stoat,marten,mink,seal,walrus", "#7a5c42", "whiskers", ears="small", tail="thick",
        size=0.5, pale="#e3cda8"),
    _s("cat", "kitten,tomcat,lynx", "#d08a45 #8b8d93 #3a363e #c9b59a", "whiskers", ears="pointed", tail="curl",
        body="four", size=0.42),
    _s("tiger", "", "#dd8a35", "whiskers", "stripes", ears="round", tail="curl", body="four", size=0.75),
    _s("lion", "lioness", "#d9a957", "mane", ears="round", tail="tuft", body="four", size=0.8),
    _s("leopard", "panther,jaguar,cheetah,puma", "#d8aa5a #35323c", "whiskers", "spots", ears="round", tail="curl",
        body="four", size=0.7),
    _s("dog", "puppy,hound,terrier,spaniel,sheepdog,collie,mutt,pup", "#a9784a #d8b98c #6b4a34 #efe6d6", ears="floppy",
        muzzle="long", tail="curl", body="four", size=0.52),
    _s("horse", "mare,stallion,foal,colt,steed", "#8a5535 #6b4430 #c8b59c", "hairmane", ears="tuft", muzzle="wide",
        tail="hair", body="four", size=1.08),
    _s("pony", "", "#a06a42 #c9a06a", "hairmane", ears="small", muzzle="wide", tail="hair", body="four", size=0.8),
    _s("donkey", "mule,ass", "#8d867f", "hairmane", ears="long", muzzle="wide", tail="tuft", body="four", size=0.88),
    _s("unicorn", "", "#f4f0f2", "hairmane", "horn", ears="small", muzzle="wide", tail="hair", body="four", size=1.05),
    _s("cow", "bull,ox,calf,buffalo,oxen", "#f0e9de #8a5a3c", "horns", "patches", ears="floppy", muzzle="wide",
        tail="tuft", body="four", size=0.9, pale="#e9b7a8"),
    _s("pig", "piglet,hog,boar,sow", "#eda9a4", ears="floppy", muzzle="disc", tail="curl", size=0.6, pale="#f4c3bb"),
    _s("goat", "kid goat,billy", "#e6dccb #a08a70", "horns", "goatee", ears="floppy", muzzle="long", tail="stub",
        body="four", size=0.65),
    _s("sheep", "ram,ewe", "#efe8d9", "wool", ears="floppy", muzzle="long", tail="stub", body="four", size=0.62,
        pale="#4a4148"),
    _s("lamb", "", "#f4eee2", "wool", ears="floppy", muzzle="short", tail="stub", body="four", size=0.45,
        pale="#e9d3c0"),
    _s("deer", "doe,fawn,hind,antelope,gazelle", "#b47a48", "freckles", ears="floppy", muzzle="long", tail="stub",
        body="four", size=0.85),
    _s("stag", "reindeer,elk,moose,buck", "#96633c", "antlers", ears="floppy", muzzle="long", tail="stub", body="four",
        size=1.0),
    _s("elephant", "", "#8f95a3", "trunk", ears="round", muzzle="flat", tail="tuft", body="four", size=1.25,
        pale="#a7adb9"),
    _s("giraffe", "", "#dfb060", "spots", "horns", ears="small", muzzle="wide", tail="tuft", body="four", size=1.5),
    _s("monkey", "ape,gorilla,chimpanzee,baboon", "#7a5236", "apeface", ears="round", muzzle="flat", tail="curl",
        size=0.6, pale="#e4b88c"),
    _s("frog", "toad", "#6f9f4a #7d8f4c", "popeyes", ears="none", muzzle="flat", tail="none", size=0.42,
        pale="#e3e3a8"),
    _s("owl", "owlet", "#8d6c4c #b49a78", "disc", ears="tuft", muzzle="hook", tail="fan", body="owl", size=0.5),
    _s("crow", "raven,rook,magpie,jackdaw,blackbird", "#34323e", ears="none", muzzle="beak", tail="fan", body="bird",
        size=0.4, pale="#4a4858"),
    _s("eagle", "hawk,falcon,vulture", "#6b4a30", "whitehead", ears="none", muzzle="hook", tail="fan", body="bird",
        size=0.6),
    _s("duck", "duckling,drake", "#e9c94f #f1ece0", ears="none", muzzle="flat", tail="fan", body="bird", size=0.38),
    _s("heron", "stork,crane,flamingo,egret,ibis", "#8d9aa8 #f2efe8 #d98f8f", "wader", ears="none", muzzle="beak",
        tail="fan", body="bird", size=0.74),
    _s("goose", "swan,geese", "#f4f0e8", "neck", ears="none", muzzle="beak", tail="fan", body="bird",
        size=0.55),
    _s("hen", "cock,rooster,chicken,chick,cockerel,turkey", "#c06a3a #efe2cd", "comb", ears="none", muzzle="beak",
        tail="fan", body="bird", size=0.4),
    _s("parrot", "", "#3f9a58 #cf4037", ears="none", muzzle="hook", tail="fan", body="bird", size=0.38, pale="#f0d24e"),
    _s("penguin", "", "#2f3440", ears="none", muzzle="beak", tail="none", body="owl", size=0.5, pale="#f7f3ea"),
    _s("bird", "sparrow,robin,wren,pigeon,dove,lark,swallow,nightingale,finch,gull,seagull,thrush",
        "#7f93a8 #a9744c #6d8db0", "bib", ears="none", muzzle="beak", tail="fan", body="bird", size=0.36),
    _s("tortoise", "turtle,terrapin", "#8fa25a #9a9a62", ears="none", muzzle="flat", tail="stub", body="shell",
        size=0.42, pale="#d9d39c"),
    _s("snail", "", "#c9a679", ears="none", muzzle="flat", tail="none", body="shell", size=0.3, pale="#ead9b8"),
    _s("fish", "salmon,carp,trout,whale,dolphin,shark,goldfish", "#5f93b0 #e08a3c", ears="none", muzzle="flat",
        tail="fin", body="fish", size=0.45),
    _s("snake", "serpent,viper,python,worm,eel", "#6f9a50", "stripes", ears="none", muzzle="flat", tail="none",
        body="coil", size=0.45),
    _s("crocodile", "alligator,lizard,dinosaur", "#5f8a52", "spikes", ears="none", muzzle="wide", tail="spike",
        body="four", size=0.7, pale="#d8d69a"),
    _s("dragon", "wyvern,wyrm", "#3f8a6a #a8433c", "spikes", "horns", "wings", ears="small", muzzle="wide",
        tail="spike", body="four", size=1.2, pale="#ecd68a"),
    _s("robot", "android,automaton,cyborg,droid", "#a9b4bf #8fa3b5", "robot", ears="none", muzzle="flat", tail="none",
        size=0.9, pale="#d7dfe5"),
    _s("ghost", "spirit,spectre,phantom", "#e9eef5", "ghost", ears="none", muzzle="flat", tail="none", size=0.9),
    _s("monster", "troll,ogre,goblin,creature,beast,alien,demon,imp", "#7a9a68 #8a78a8 #6a9aa0", "horns", "teeth",
        ears="pointed", muzzle="flat", tail="thin", size=1.1, pale="#c9d3a8"),
    _s("animal", "", "#a8835c", ears="round", tail="thin", size=0.6),
)  # fmt: skip

BY_NAME = {species.name: species for species in ALL}
