"""Objects by their nouns. Each is drawn about 100 units tall with its foot's middle at the origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.contracts import Look
from pipeline.inference.drawing import furniture, prop_shapes
from pipeline.inference.drawing.interiors_home import bread, globe, mug
from pipeline.inference.drawing.nature import round_tree
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.places_outdoor import boat
from pipeline.inference.drawing.places_town import wall_clock, wheel
from pipeline.inference.drawing.words import Lots, Text

Painter = Callable[[Art, str], None]

_DEFAULT_COLOURS = ("#b5503f", "#3f6f8f", "#5f8a55", "#c98a3c", "#7a5a8c")

# (words, usual colour or "" for a lot, painter)
_FAMILIES: Mapping[str, tuple[tuple[str, ...], str, Painter]] = {
    "lantern": (("lantern", "lamp", "torch", "light", "beacon", "flashlight"), "#4a3d38", lambda a, c:
        furniture.lantern(a, 0, 0, 96)),
    "key": (("key",), "#d9a83e", prop_shapes.key),
    "letter": (("letter", "envelope", "note", "message", "card", "ticket", "telegram", "invitation"), "#f4ead2",
        prop_shapes.letter),
    "map": (("map", "chart", "scroll", "parchment", "treasure map", "paper", "newspaper", "contract", "recipe",
        "drawing"), "#e8d3a0", prop_shapes.map_),
    "book": (("book", "diary", "journal", "notebook", "bible", "novel", "spellbook", "ledger"), "", prop_shapes.book),
    "sword": (("sword", "dagger", "knife", "blade", "spear", "axe", "staff", "wand"), "#c9d2da", prop_shapes.sword),
    "ring": (("ring", "bracelet", "bangle"), "#e3b341", prop_shapes.ring),
    "necklace": (("necklace", "locket", "amulet", "pendant", "medal", "medallion", "compass", "pearl"), "#e3b341",
        prop_shapes.necklace),
    "bread": (("bread", "loaf", "pie", "cake", "bun", "pastry", "biscuit", "cookie", "cheese", "sandwich", "food"),
        "#c98a48", lambda a, c: bread(a, 0, 0, 0.9)),
    "fruit": (("apple", "pear", "fruit", "grape", "grapes", "berry", "cherry", "acorn", "nut", "seed"), "#c0392f",
        prop_shapes.fruit),
    "round fruit": (("orange", "tomato", "peach", "plum", "pumpkin", "lemon", "melon", "egg", "potato", "onion"),
        "#cf4a32", prop_shapes.round_fruit),
    "pencil": (("pencil", "crayon", "brush", "paintbrush", "chalk"), "#e3b341", prop_shapes.pencil),
    "seedling": (("seedling", "sprout", "shoot", "plant", "bud"), "#5f9f4a", prop_shapes.seedling),
    "bicycle": (("bicycle", "bike", "tricycle"), "#3f6f8f", furniture.bicycle),
    "basket": (("basket", "hamper", "picnic"), "#c79a5c", prop_shapes.basket),
    "cup": (("cup", "mug", "goblet", "glass", "teacup", "tankard", "chalice", "bowl", "tea", "soup", "coffee"),
        "#c79a5c", lambda a, c: mug(a, 0, 0, 1.5)),
    "teapot": (("teapot", "kettle", "pot", "jug", "pitcher", "cauldron", "pan", "watering can"), "#5f8f9a",
        prop_shapes.teapot),
    "boat": (("boat", "ship", "raft", "canoe", "sailboat"), "#9a5b3a", lambda a, c: boat(a, 0, -10, 0.46, True, c)),
    "clock": (("clock", "watch", "pocket watch", "timepiece", "sundial", "dial"), "#c79a4c", lambda a, c: wall_clock(a,
        0, -52, 52)),
    "hourglass": (("hourglass",), "#c79a4c", prop_shapes.hourglass),
    "box": (("box", "chest", "trunk", "crate", "coffer", "casket", "treasure", "music box", "jewellery box"),
        "#8a5a34", prop_shapes.chest),
    "violin": (("violin", "fiddle", "cello", "guitar", "lute", "instrument", "banjo", "harp"), "#a8602f",
        prop_shapes.violin),
    "bow": (("bow", "fiddle bow", "violin bow"), "#7a4a2c", prop_shapes.fiddle_bow),
    "flute": (("flute", "whistle", "pipe", "trumpet", "horn", "bugle"), "#d9a83e", prop_shapes.horn),
    "drum": (("drum",), "#b5453f", prop_shapes.drum),
    "umbrella": (("umbrella", "parasol"), "", prop_shapes.umbrella),
    "ball": (("ball", "football", "marble", "yarn", "wool"), "", prop_shapes.ball),
    "flower": (("flower", "rose", "bouquet", "tulip", "daisy", "lily", "blossom", "sunflower", "poppy"), "#d9647a",
        prop_shapes.flower),
    "bag": (("bag", "sack", "satchel", "backpack", "purse", "pouch", "suitcase", "luggage", "bundle"), "#8a6238",
        prop_shapes.bag),
    "hat": (("hat", "cap", "bonnet", "helmet"), "", prop_shapes.hat),
    "crown": (("crown", "tiara"), "#e3b341", prop_shapes.crown),
    "candle": (("candle", "candlestick", "candles"), "#f6efdc", prop_shapes.candle),
    "phone": (("phone", "telephone", "mobile", "smartphone", "radio", "camera"), "#34363e", prop_shapes.phone),
    "coin": (("coin", "coins", "money", "gold", "penny", "silver"), "#e3b341", prop_shapes.coin),
    "bottle": (("bottle", "potion", "vial", "flask", "medicine", "jar", "wine", "perfume"), "#5f9a7a",
        prop_shapes.bottle),
    "kite": (("kite",), "#c9574a", prop_shapes.kite),
    "bell": (("bell",), "#d9a83e", prop_shapes.bell),
    "mirror": (("mirror", "portrait", "photograph", "painting", "picture", "photo", "frame"), "#c79a4c",
        prop_shapes.mirror),
    "rope": (("rope", "net", "string", "thread", "chain"), "#c9a76a", prop_shapes.rope),
    "shell": (("shell", "seashell", "conch"), "#eec3a8", prop_shapes.shell),
    "stone": (("stone", "rock", "pebble", "gem", "jewel", "crystal", "diamond", "ruby", "emerald"), "#6fb5c9",
        prop_shapes.gem),
    "feather": (("feather", "quill", "pen"), "#e9eef2", prop_shapes.feather),
    "hammer": (("hammer", "tool", "tools", "wrench", "saw", "spade", "shovel", "gear", "cog", "machine", "broom",
        "oar"), "#8a949a", prop_shapes.hammer),
    "wheel": (("wheel", "cart", "wagon", "barrow"), "#8a5a34", lambda a, c: wheel(a, 0, -54, 44)),
    "globe": (("globe",), "#4f8fb5", lambda a, c: globe(a, 0, 0, 0.95)),
    "chair": (("chair", "stool", "throne", "bench"), "#8a5f3c", lambda a, c: furniture.chair(a, 0, 0, 110, c)),
    "table": (("table", "desk"), "#8a5f3c", lambda a, c: furniture.table(a, 0, 0, 150, 90, c)),
    "barrel": (("barrel", "keg", "bucket", "pail"), "#8f5f38", lambda a, c: furniture.barrel(a, 0, 0, 100)),
    "tree": (("tree", "sapling"), "#5f8f55", lambda a, c: round_tree(a, 0, 0, 110, c)),
    "doll": (("doll", "toy", "teddy", "puppet", "teddy bear"), "#b98a58", prop_shapes.toy),
    "scarf": (("scarf", "shawl", "cloak", "coat", "blanket", "dress", "cloth", "flag", "ribbon", "sail"), "",
        prop_shapes.cloth),
    "shoe": (("shoe", "boot", "slipper", "boots", "shoes"), "#7a4a30", prop_shapes.shoe),
    "telescope": (("telescope", "spyglass", "binoculars"), "#c79a4c", prop_shapes.telescope),
    "fish": (("fish",), "#5f93b0", prop_shapes.fish),
}  # fmt: skip
_WORDS = {family: words for family, (words, _, _) in _FAMILIES.items()}


_ARCHERY = ("arrow", "arrows", "archer", "archery", "longbow", "crossbow", "hunter", "hunting", "quiver")
_RIBBON = ("hair", "ribbon", "silk", "satin", "gift")


def family_of(look: Look) -> str | None:
    """The family of objects: the last noun of the name that is known, else the first in the description."""
    text = Text(look.name)
    best: tuple[int, str] | None = None
    for family, words in _WORDS.items():
        for word in words:
            place = text.place(word)
            if place is not None and (best is None or place >= best[0]):
                best = (place, family)
    return best[1] if best else Text(look.appearance).first(_WORDS)


_TOO_LARGE = {"bicycle", "boat", "chair", "table", "barrel", "tree", "wheel", "chest", "drum"}


_BULK = {"bicycle": 2.3, "boat": 2.2, "tree": 2.6, "table": 1.6, "chair": 1.5, "barrel": 1.3, "wheel": 1.4}


def bulk(look: Look) -> float:
    """How much larger than a thing for a hand it is, beside people."""
    return _BULK.get(family_of(look) or "", 1.0)


def held_bulk(look: Look) -> float:
    """The same for what a hand holds: an umbrella covers whoever holds it."""
    return {"umbrella": 2.2, "kite": 1.5, "flower": 0.8, "candle": 0.8}.get(family_of(look) or "", 1.0)


def fits_a_hand(look: Look) -> bool:
    return family_of(look) not in _TOO_LARGE


def overhead(look: Look) -> float:
    """How far above the hand the middle of what is held over a head is, in its own units; 0 for all else."""
    return 150.0 if family_of(look) == "umbrella" else 0.0


def grip(look: Look) -> float:
    """How far below a hand that holds it an object's foot is, in its own units."""
    return -4.0 if family_of(look) in ("clock", "mirror", "globe") else 16.0


def draw(art: Art, look: Look, held: bool = False) -> None:
    """Draws the object, `held` in a hand or standing; one without a known noun becomes a bundle tied up in cloth."""
    family = family_of(look)
    lots = Lots("prop", look.name.lower())
    told = Text(look.name, look.appearance).colour()
    words = Text(look.name, look.appearance)
    if family == "bow" and words.has(*_ARCHERY):
        prop_shapes.archer_bow(art, told or "#8a5a34")
        return
    if family == "bow" and words.has(*_RIBBON) and not words.has("fiddle", "violin"):
        family = "scarf"
    if family is None:
        prop_shapes.bundle(art, told or lots.pick("colour", _DEFAULT_COLOURS))
        return
    _, usual, painter = _FAMILIES[family]
    colour = told or usual or lots.pick("colour", _DEFAULT_COLOURS)
    if family == "umbrella" and held:
        prop_shapes.umbrella(art, colour, shaft=84)
    else:
        painter(art, colour)
