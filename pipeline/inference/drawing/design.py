"""From a character's words to its fixed design: what it looks like in its portrait and in every frame alike.

Everything follows from the name, the appearance text, the age group and the gender; what they leave open is drawn
by lot from the name, so two characters that nobody described still differ, and each stays itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pipeline.contracts import AgeGroup, Gender, Look
from pipeline.inference.drawing import species as kinds
from pipeline.inference.drawing.palette import darker, lighter, lip_on, luma, mix
from pipeline.inference.drawing.species import Species
from pipeline.inference.drawing.words import COLOURS, Lots, Text


@dataclass(frozen=True)
class Design:
    """A character's looks. Lengths are against a grown person of height 1; colours are "#rrggbb"."""

    name: str
    species: Species | None
    age: AgeGroup
    gender: Gender
    height: float
    girth: float
    skin: str
    lip: str
    hair: str
    hair_style: str  # bald short curly long bob braid braids bun ponytail tousled
    beard: str  # "" moustache stubble short full
    glasses: bool
    hat: str  # "" cap hat straw crown scarf helmet bonnet pointed bow turban
    hat_colour: str
    outfit: str  # shirt coat dress robe apron uniform armour suit
    top: str
    bottom: str
    accent: str
    shoes: str
    cloak: str  # colour, or ""
    scarf: str  # colour, or ""
    pattern: str  # "" stripes dots patch
    eyes: str
    coat: str = "#a8835c"  # an animal's fur
    pale: str = "#f1e4cf"  # an animal's muzzle and belly
    clothed: bool = True
    four_legged: bool = False
    collar: str = ""  # an animal's, colour, or ""

    @property
    def human(self) -> bool:
        return self.species is None


_BEARDS = ("beard", "bearded", "moustache", "mustache", "moustached")
_PEOPLE = ("man", "woman", "boy", "girl", "child", "lady", "gentleman", "person", "human", "king", "queen", "prince",
           "princess", "grandmother", "grandfather", "mother", "father", "sailor", "farmer", "baker", "keeper",
               "teacher",
           "lad", "maiden", "teenager", "youth", "baby", "toddler", "knight", "soldier", "wizard", "witch")  # fmt: skip
_NOT_AFTER = {"fur", "skin", "skins", "hair", "feet", "hide", "mask", "wool", "leather", "feather", "brooch", "toy"}
_GIVEN_NAMES = {"robin", "wren", "buck", "colt", "drake", "lark", "crane", "swallow", "dove", "finch", "falcon", "kid",
    "cub",
                "billy", "doe", "martin", "ram", "hawk", "ass", "spirit", "rook", "pup", "raven", "turkey",
                    "cock"}  # fmt: skip

_SKINS = {
    "#8a5636": ("black skin", "dark skin", "dark skinned", "african", "ebony skin", "black woman", "black man",
        "nigerian", "kenyan", "ghanaian", "deep brown skin", "dark complexion"),
    "#b07a4f": ("brown skin", "brown skinned", "indian", "latina", "latino", "arab", "egyptian", "mexican",
        "bronze skin", "tanned", "weathered", "sunburnt", "suntanned", "tan skin", "olive skin", "swarthy"),
    "#e8b98f": ("asian", "chinese", "japanese", "korean", "golden skin"),
    "#f3d3bb": ("pale", "fair skin", "fair skinned", "white skin", "porcelain", "freckled", "rosy"),
}  # fmt: skip
_SKIN_LOTS = ("#f0c6a2", "#eab78f", "#e3ab80", "#d1966b", "#b5794f", "#8f5b3a")
_HAIR_STYLES: Mapping[str, tuple[str, ...]] = {
    "bald": ("bald", "hairless", "shaven head"),
    "braids": ("braids", "plaits", "pigtails", "two braids"),
    "braid": ("braid", "plait", "braided", "plaited"),
    "bun": ("bun", "chignon", "hair up", "pinned hair", "knot", "topknot"),
    "ponytail": ("ponytail", "pony tail", "tied back"),
    "curly": ("curly", "curls", "curled", "frizzy", "afro", "ringlets", "coiled"),
    "bob": ("bob", "chin length", "shoulder length", "bobbed"),
    "long": ("long hair", "flowing hair", "long", "wavy", "locks"),
    "tousled": ("tousled", "messy", "wild", "unruly", "untidy", "spiky", "shaggy"),
    "short": ("short hair", "cropped", "short", "crew cut", "neat"),
}
_HATS: Mapping[str, tuple[str, ...]] = {
    "crown": ("crown", "tiara", "crowned", "diadem", "king", "queen", "coronet"),
    "scarf": ("headscarf", "head scarf", "hijab", "kerchief", "shawl over her head", "veil"),
    "helmet": ("helmet", "knight", "astronaut", "armour", "fireman", "firefighter"),
    "pointed": ("wizard", "witch", "pointed hat", "gnome", "elf", "pointed cap"),
    "straw": ("straw hat", "sun hat", "sunhat", "farmer", "gardener"),
    "cap": ("cap", "flat cap", "beret", "captain", "sailor", "conductor", "policeman", "police", "guard", "soldier",
        "postman", "beanie", "woolly hat", "officer", "chef"),
    "bonnet": ("bonnet", "hood", "hooded", "riding hood", "nun"),
    "turban": ("turban",),
    "bow": ("bow in her hair", "ribbon", "hair bow", "hairband"),
    "hat": ("hat", "top hat", "bowler", "fedora", "tricorne", "pirate", "detective", "cowboy"),
}  # fmt: skip
_OUTFITS: Mapping[str, tuple[str, ...]] = {
    "apron": ("apron", "baker", "cook", "chef", "blacksmith", "shopkeeper", "innkeeper", "cobbler", "carpenter", "maid",
        "clockmaker", "potter", "butcher", "waitress"),
    "armour": ("armour", "armor", "knight", "breastplate", "spacesuit", "space suit", "astronaut"),
    "uniform": ("uniform", "soldier", "captain", "guard", "police", "policeman", "conductor", "officer", "postman",
        "sailor", "nurse", "pilot", "admiral", "stationmaster"),
    "suit": ("suit", "tie", "waistcoat", "tuxedo", "banker", "lawyer", "businessman", "mayor", "bow tie"),
    "robe": ("robe", "robes", "gown", "wizard", "monk", "priest", "king", "queen", "tunic", "toga", "kimono", "sari",
        "nun", "cassock"),
    "dress": ("dress", "skirt", "frock", "pinafore", "princess", "nightgown"),
    "coat": ("coat", "overcoat", "raincoat", "jacket", "parka", "anorak", "cardigan", "oilskin", "oilskins",
        "trenchcoat", "lab coat"),
    "shirt": ("shirt", "sweater", "jumper", "blouse", "t shirt", "pullover", "hoodie", "tunic", "jersey", "overalls",
        "dungarees"),
}  # fmt: skip
_WORN = tuple(word for words in _OUTFITS.values() for word in words)
_CLOTHES = (*_WORN, "clothes", "cloak", "cape", "scarf", "boots")
_NECKWEAR = ("scarf", "shawl", "neckerchief", "muffler")
_TOPS = ("#b4503f", "#3f6e8f", "#5b8259", "#c98a3c", "#7a5a8c", "#3d7f7c", "#a8506a", "#4a5a86", "#8a6a44", "#c46a4a")
_BOTTOMS = ("#4a4a58", "#5e4a3c", "#3d4a5f", "#6a5a48", "#56504a")
_HAIRS = ("#4a3124", "#2f2728", "#7a4b2c", "#a8693a", "#d3a85c", "#5d3a2c", "#8a3f28", "#3a3036")
_NATURAL_HAIR = {"dark": "#33282a", "black": "#2b272d", "fair": "#e0bf7a", "red": "#b04a26", "white": "#ece9e2",
                 "grey": "#a7a7ab", "gray": "#a7a7ab", "brown": "#6a432b"}  # fmt: skip


def species_of(look: Look) -> Species | None:
    """None for people; else the kind of animal or being that the appearance, or failing that the name, speaks of."""
    text = Text(look.appearance)
    person = min((p for w in _PEOPLE if (p := text.place(w)) is not None), default=None)
    best: tuple[int, Species] | None = None
    for kind in kinds.ALL:
        for word in kind.words:
            place = text.place(word)
            if place is None or (person is not None and person < place):
                continue
            before = text.tokens[max(0, place - 2) : place]
            after = text.tokens[place + 1 : place + 2]
            if "like" in before or before[:1] == ("as",) or "pet" in before or (after and after[0] in _NOT_AFTER):
                continue
            if best is None or place < best[0]:
                best = (place, kind)
    if best is not None:
        return best[1]
    if person is not None:
        return None
    named = Text(look.name)
    for kind in kinds.ALL:
        for word in kind.words:
            if named.place(word) is not None and (word not in _GIVEN_NAMES or named.has("the")):
                return kind
    return None


def design_of(look: Look, sampled: tuple[str, str] | None = None) -> Design:
    """The design of a character. `sampled` are the (hair, clothes) colours of a picture that the user supplied."""
    text = Text(look.appearance)
    lots = Lots("design", look.name.lower())
    kind = species_of(look)
    age, gender = _age(look, text), _gender(look, text, lots)
    design = _person(look, text, lots, age, gender)
    if kind is not None:
        design = _animal(design, kind, text, lots)
    if sampled is not None:
        hair, clothes = sampled
        design = replace(design, top=clothes) if kind else replace(design, hair=hair, top=clothes)
    return design


def _age(look: Look, text: Text) -> AgeGroup:
    if look.age_group != "adult":
        return look.age_group
    if text.has("old", "elderly", "aged", "ancient", "grandmother", "grandfather", "wrinkled", "granny", "grandpa"):
        return "elder"
    if text.has("boy", "girl", "child", "baby", "toddler", "kid"):
        return "child"
    return "teen" if text.has("teenager", "teenage", "teen") else "adult"


def _gender(look: Look, text: Text, lots: Lots) -> Gender:
    if look.gender != "neutral":
        return look.gender
    if text.has(
        "woman", "girl", "lady", "she", "her", "queen", "princess", "mother", "grandmother", "witch", "maid", "dress"
    ):
        return "female"
    if text.has(
        "man",
        "boy",
        "he",
        "his",
        "king",
        "prince",
        "father",
        "grandfather",
        "gentleman",
        "beard",
        "bearded",
        "moustache",
        "mustache",
    ):
        return "male"
    return lots.pick("gender", ("female", "male"))


def _person(look: Look, text: Text, lots: Lots, age: AgeGroup, gender: Gender) -> Design:
    words = Text(look.appearance, look.name)
    skin = text.first(_SKINS) or lots.pick("skin", _SKIN_LOTS)
    hair, style = _hair(text, lots, age, gender, skin)
    outfit = words.first(_OUTFITS) or _usual_outfit(lots, age, gender)
    accent = lots.pick("accent", ("#f0e2c4", "#e0b04c", "#c9574a", "#6fa3b5", "#e8d9b0"))
    top = _clothes_colour(text, outfit, lots)
    bottom = text.colour_of("trousers", "pants", "breeches", "jeans", "shorts", "leggings") or lots.pick(
        "bottom", _BOTTOMS
    )
    if abs(luma(top) - luma(bottom)) < 0.08:
        bottom = darker(bottom, 0.35) if luma(top) > 0.25 else lighter(bottom, 0.3)
    hat = "" if text.has("hatless", "bareheaded") else words.first(_HATS) or ""
    hat_noun = text.colour_of(
        "hat", "cap", "headscarf", "kerchief", "bonnet", "hood", "beret", "turban", "ribbon", "bow"
    )
    heights = {"child": 0.64, "teen": 0.87, "adult": 1.0, "elder": 0.93}
    height = (
        heights[age] * (0.955 if gender == "female" and age != "child" else 1.0) * lots.between("height", 0.97, 1.03)
    )
    girth = 1.0
    if text.has("tall", "giant", "towering", "lanky"):
        height *= 1.09
    if text.has("small", "short man", "tiny", "little", "petite") and age != "child":
        height *= 0.93
    if text.has(
        "stout", "fat", "plump", "round", "burly", "broad", "heavy", "portly", "large", "chubby", "big", "sturdy"
    ):
        girth = 1.24
    elif text.has("thin", "slim", "slender", "skinny", "lean", "gaunt", "wiry", "bony"):
        girth = 0.88
    cloak = ""
    if text.has("cloak", "cape", "mantle") or words.has("riding hood", "superhero"):
        cloak = text.colour_of("cloak", "cape", "mantle", "hood") or (
            "#b5362e" if words.has("red") else darker(top, 0.2)
        )
    scarf = ""
    if text.has(*_NECKWEAR) and hat != "scarf":
        scarf = text.colour_of(*_NECKWEAR) or accent
    return Design(
        name=look.name, species=None, age=age, gender=gender, height=height, girth=girth, skin=skin,
        lip=lip_on(skin, 0.55 if gender == "female" else 0.38), hair=hair, hair_style=style,
        beard=_beard(words, age, gender, lots), glasses=text.has("glasses", "spectacles", "bespectacled", "monocle"),
        hat=hat, hat_colour=hat_noun or _hat_default(hat, top, cloak, accent), outfit=outfit, top=top, bottom=bottom,
        accent=accent, shoes=text.colour_of("boots", "shoes", "slippers") or lots.pick("shoes", ("#4a3328", "#332b30",
            "#6a4630")),
        cloak=cloak, scarf=scarf, pattern="stripes" if text.has("striped", "stripes", "stripy") else
        "dots" if text.has("dotted", "spotted dress", "polka") else "patch" if text.has("patched", "ragged",
            "patches") else "",
        eyes=text.colour_of("eyes", "eyed", reach=2) or "#3a2a26",
    )  # fmt: skip


def _hair(text: Text, lots: Lots, age: AgeGroup, gender: Gender, skin: str) -> tuple[str, str]:
    nouns = ("hair", "haired", "curls", "braid", "braids", "plait", "bun", "ponytail", "locks", "pigtails", "bob")
    hair = text.colour_of(*nouns)
    if hair is None and text.place("hair") is None:
        hair = text.colour_of(*_BEARDS)
    place = text.place("hair")
    near = text.tokens[max(0, place - 4) : place + 1] if place is not None else ()
    for word, natural in _NATURAL_HAIR.items():
        if word in near or text.has(f"{word} haired"):
            hair = natural
            break
    if hair is None and text.has("blonde", "blond"):
        hair = "#e0bf7a"
    if hair is None and text.has("redhead", "ginger", "auburn"):
        hair = "#b04a26"
    if hair is None:
        grey = age == "elder" or (text.has("grey", "gray", "white", "silver") and text.has("old", "elderly"))
        dark_skin = luma(skin) < 0.5
        hair = (
            lots.pick("grey", ("#d8d6d2", "#b4b3b6", "#ebe8e1"))
            if grey
            else lots.pick("hair", _HAIRS[:2] if dark_skin else _HAIRS)
        )
    style = text.first(_HAIR_STYLES)
    if style == "long" and not text.has("long hair", "flowing hair", "wavy", "locks", "long haired"):
        style = "long" if {"long"} & set(near) else None
    if style == "short" and not ({"short", "cropped", "neat"} & set(near)):
        style = None
    if style is None:
        if gender == "female":
            usual: tuple[str, ...] = (
                ("bun", "bun", "bob") if age == "elder" else ("long", "bob", "braid", "ponytail", "braids", "curly")
            )
        else:
            usual = ("short", "bald", "short") if age == "elder" else ("short", "tousled", "short", "curly")
        style = lots.pick("style", usual)
    return hair, style


def _usual_outfit(lots: Lots, age: AgeGroup, gender: Gender) -> str:
    if gender == "female":
        return lots.pick(
            "outfit", ("dress", "dress", "shirt") if age == "child" else ("dress", "coat", "dress", "shirt")
        )
    return lots.pick("outfit", ("shirt", "shirt", "coat") if age in ("child", "teen") else ("coat", "shirt", "suit"))


def _clothes_colour(text: Text, outfit: str, lots: Lots) -> str:
    nouns = (*_OUTFITS[outfit], *_CLOTHES) if outfit != "apron" else ("shirt", "dress", "blouse", "clothes", "sweater")
    colour = text.colour_of(*[noun for noun in nouns if noun not in ("cloak", "cape", "scarf", "boots")])
    if colour is None and outfit == "armour":
        return "#a9b2bf"
    if colour is None and outfit == "uniform":
        return lots.pick("uniform", ("#2f4266", "#33495c", "#7c2f33"))
    if colour is None and text.has("nurse", "doctor", "scientist", "lab coat"):
        return "#e9eef0"
    return colour or lots.pick("top", _TOPS)


def _hat_default(hat: str, top: str, cloak: str, accent: str) -> str:
    plain = {
        "crown": "#e3b341",
        "straw": "#dfc07a",
        "helmet": "#a4adba",
        "pointed": "#4a3d74",
        "hat": "#4a3a36",
        "cap": darker(top, 0.25),
    }
    return plain.get(hat) or cloak or (accent if luma(accent) < 0.75 else "#b5503f")


def _beard(text: Text, age: AgeGroup, gender: Gender, lots: Lots) -> str:
    if text.has("clean shaven", "beardless", "shaven") or age in ("child", "teen"):
        return ""
    if text.has("beard", "bearded", "whiskers"):
        return (
            "full" if text.has("long beard", "full beard", "white beard", "bushy", "big beard", "wizard") else "short"
        )
    if text.has("moustache", "mustache", "moustached"):
        return "moustache"
    if text.has("stubble", "unshaven"):
        return "stubble"
    if gender != "male":
        return ""
    return lots.pick(
        "beard", ("", "short", "moustache", "full") if age == "elder" else ("", "", "", "short", "moustache")
    )


def _animal(person: Design, kind: Species, text: Text, lots: Lots) -> Design:
    clothed = _dressed(text) or not text.tokens
    coat = text.colour_of(
        "fur", *(() if _dressed(text) else ("coat",)), "feathers", "furred", "scales", "wool", *kind.words
    )
    worn = (person.scarf, text.colour_of("ribbon", "bow", "collar", "hat", "cap"))
    if coat is None and not clothed and text.colour() not in worn:
        coat = text.colour()
    coat = _natural(coat, kind) or lots.pick("coat", kind.coats)
    pale = kind.pale if abs(luma(kind.pale) - luma(coat)) > 0.1 else lighter(coat, 0.45)
    age = person.age
    height = kind.size * {"child": 0.68, "teen": 0.85, "adult": 1.0, "elder": 0.95}[age]
    scarf = person.scarf or text.colour_of("ribbon", "bow") or ""
    collar = (text.colour_of("collar") or "#b5403a") if text.has("collar") and not scarf else ""
    hat = "" if person.hat == "bow" else person.hat if Text(person.hat).tokens and text.has(*_HATS[person.hat]) else ""
    skin = pale if kind.muzzle not in ("beak", "hook") else coat
    outfit = person.outfit
    upright = kind.body == "upright" or (
        kind.body == "four" and _dressed(text) and kind.name not in ("horse", "dragon", "unicorn")
    )
    if kind.body == "four" and upright:
        height = max(height, 0.6)
    return replace(
        person, species=kind, coat=coat, pale=pale, skin=skin, lip=darker(mix(skin, "#8a3a3a", 0.4), 0.35),
            height=height,
        hair=darker(coat, 0.45), beard="", hat=hat, scarf=scarf,
            clothed=(clothed and kind.name not in _BARE) or _dressed(text),
            outfit=outfit,
        four_legged=kind.body == "four" and not upright, eyes="#2a2024", collar=collar,
    )  # fmt: skip


def _dressed(text: Text) -> bool:
    """Whether an animal wears clothes; "a chestnut coat" is its fur, "in a green coat" is not, nor is it
    where the text tells of the fur besides."""
    if text.has(*(word for word in _WORN if word != "coat"), "trousers", "clothed", "dressed", "waistcoat"):
        return True
    place = text.place("coat")
    if place is not None and text.has("fur", "feathers", "wool", "spines"):
        return True
    return place is not None and bool({"in", "wearing", "wears"} & set(text.tokens[max(0, place - 4) : place]))


def _natural(told: str | None, kind: Species) -> str | None:
    """A red fox or a brown hare is not the red or the brown of paint."""
    natural = {"red": "#c4602a", "brown": "#94694a", "golden": "#cf9f4e", "yellow": "#dcb54e"}
    if told is None or kind.name in ("dragon", "fish", "parrot", "bird", "robot", "monster", "snake"):
        return told
    return next((fur for word, fur in natural.items() if COLOURS[word] == told), told)


_BARE = {"ghost", "robot", "monster", "frog", "panda", "bear", "monkey"}
