"""The word lists behind the rules: loads `words/*.toml` once and answers what a word can be."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

from pipeline.contracts import AgeGroup, Gender, TimeOfDay, Weather


@dataclass(frozen=True)
class Noun:
    """A word that can name a figure. `kind` is person, kin, animal or group."""

    word: str
    kind: str
    gender: Gender
    age: AgeGroup


@dataclass(frozen=True)
class Place:
    """A family of places, e.g. harbour: `look` describes one, `indoors` says whether there is a roof.

    `apart`: its nouns name different places (an inn and a tavern); else they are one (a harbour and its quay).
    """

    family: str
    indoors: bool
    look: str
    apart: bool


def _load(name: str) -> dict[str, Any]:
    with (Path(__file__).parent / "words" / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


def word_set(text: str) -> frozenset[str]:
    """The words of a space-separated list."""
    return frozenset(text.split())


_PEOPLE = _load("people")
_ANIMALS = _load("animals")
_CUES = _load("cues")
LOOKS = _load("looks")
PROPS: dict[str, str] = _load("props")

FEMALE_NAMES = word_set(_PEOPLE["names"]["female"])
MALE_NAMES = word_set(_PEOPLE["names"]["male"])
SPEECH_VERBS = word_set(_PEOPLE["speech"]["said"])
TITLES: dict[str, Gender] = {
    word: cast(Gender, gender) for gender, text in _PEOPLE["titles"].items() for word in text.split()
}
ELDER_WORDS = word_set(_PEOPLE["adjectives"]["elder"])
CHILD_WORDS = word_set(_PEOPLE["adjectives"]["child"])
AXES: dict[str, int] = {
    word: number for number, axis in enumerate(_PEOPLE["adjectives"]["axis"].split()) for word in axis.split(":")
}
TRADE_SAME: dict[str, frozenset[str]] = {
    word: frozenset((trade, *text.split())) - {word}
    for trade, text in _PEOPLE["trade_same"].items()
    for word in (trade, *text.split())
}
# Short forms that are not English, by the name that they stand for.
DIMINUTIVES: dict[str, str] = {short: full for full, text in _PEOPLE["diminutives"].items() for short in text.split()}
KIN_SAME: dict[str, str] = {word: kin for kin, text in _PEOPLE["kin_same"].items() for word in text.split()}
ANIMAL_LOOKS: dict[str, str] = {word: look for word, look in _ANIMALS.items() if isinstance(look, str)}
ANIMAL_SAME: dict[str, str] = _ANIMALS["same"]

SPEECH_MANNER: dict[str, frozenset[str]] = {key: word_set(text) for key, text in _CUES["speech_manner"].items()}
PRESENT: dict[str, str] = _CUES["present"]
ARRIVE = word_set(_CUES["motion"]["arrive"])
STAY = word_set(_CUES["motion"]["stay"])
LOOK_VERBS = word_set(_CUES["motion"]["look"])
UNREAL = word_set(_CUES["motion"]["unreal"])
MOODS: dict[str, frozenset[str]] = {key: word_set(text) for key, text in _CUES["mood"].items()}
TIMES: dict[str, TimeOfDay] = {
    word: cast(TimeOfDay, time) for time, text in _CUES["time"].items() for word in text.split()
}
TIME_PHRASES: dict[TimeOfDay, list[str]] = _CUES["time_phrases"]
WEATHERS: dict[str, Weather] = {
    word: cast(Weather, weather) for weather, text in _CUES["weather"].items() for word in text.split()
}

SCENE_OPENINGS = "|".join(
    re.sub(r"\{(number|period|part)\}", lambda match: str(_CUES["pattern"][match[1]]), opening)
    for opening in _CUES["scene_change"]["openings"]
)

NUMBERS: dict[str, int] = {word: number for number, word in enumerate(_CUES["pattern"]["count"].split(), 1)} | {
    word: 10 * number for number, word in enumerate(_CUES["pattern"]["tens"].split(), 2)
}
_IRREGULAR_PLURAL = {
    "mice": "mouse", "geese": "goose", "wolves": "wolf", "men": "man", "women": "woman", "children": "child",
    "oxen": "ox", "thieves": "thief", "knives": "knife", "loaves": "loaf", "elves": "elf", "dwarves": "dwarf",
    "calves": "calf", "wives": "wife", "flies": "fly", "puppies": "puppy", "ladies": "lady", "scarves": "scarf",
    "fishermen": "fisherman", "glasses": "spectacles",
}  # fmt: skip


def singular(word: str) -> str:
    """A noun's singular by rule: mice → mouse, foxes → fox, keys → key; other words unchanged."""
    if word in _IRREGULAR_PLURAL:
        return _IRREGULAR_PLURAL[word]
    if word.endswith(("ches", "shes", "xes", "sses")):
        return word[:-2]
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


@cache
def figure_nouns() -> dict[str, Noun]:
    """Every singular or group noun that can be a figure, animals included."""
    nouns: dict[str, Noun] = {}
    for word, base in ANIMAL_SAME.items():
        gender: Gender = {"vixen": "female", "lioness": "female", "mare": "female"}.get(word, "neutral")  # type: ignore[assignment]
        nouns[word] = Noun(base if gender == "neutral" else word, "animal", gender, "adult")
    for word in ANIMAL_LOOKS:
        young = word in {"kitten", "puppy", "cub", "foal", "calf", "lamb"}
        nouns[word] = Noun(word, "animal", "neutral", "child" if young else "adult")
    for table, kind in (("nouns", "person"), ("kin", "kin")):
        for label, text in _PEOPLE[table].items():
            if label == "plural":
                nouns.update({word: Noun(word, "group", "neutral", _group_age(word)) for word in text.split()})
                continue
            gender_name, age = label.split("_")
            for word in text.split():
                base = KIN_SAME.get(word, word)
                nouns[word] = Noun(base, kind, cast(Gender, gender_name), cast(AgeGroup, age))
    return nouns


def _group_age(word: str) -> AgeGroup:
    return "child" if word in {"children", "boys", "girls", "pupils", "students"} else "adult"


def species(word: str) -> str | None:
    """The animal that `word` names ("hound" → "dog"), or None."""
    low = word.lower()
    low = low if low in ANIMAL_LOOKS or low in ANIMAL_SAME else singular(low)
    low = ANIMAL_SAME.get(low, low)
    return low if low in ANIMAL_LOOKS else None


@cache
def place_nouns() -> dict[str, Place]:
    """Every noun that names a place, with its family."""
    places: dict[str, Place] = {}
    for key, entry in _load("places").items():
        place = Place(
            entry.get("name", key), bool(entry.get("in", False)), entry["look"], bool(entry.get("apart", False))
        )
        places.update(dict.fromkeys(entry["words"].split(), place))
    return places


@cache
def implied_places() -> dict[str, str]:
    """What is found in a place → a noun for that place: "throne" → "hall"."""
    entries = _load("places").values()
    return {word: entry["words"].split()[0] for entry in entries for word in entry.get("implied", "").split()}


def name_gender(word: str) -> Gender | None:
    """What a given name tells about gender; None for an unknown name."""
    low = word.lower()
    if low in FEMALE_NAMES:
        return "female"
    return "male" if low in MALE_NAMES else None


def tally(words: Iterable[str], lists: dict[str, frozenset[str]]) -> str | None:
    """The key whose list has the most of `words`; None when no word is listed. Ties go to the earlier key."""
    counts = dict.fromkeys(lists, 0)
    for word in words:
        for key, members in lists.items():
            counts[key] += word in members
    best = max(counts, key=lambda key: counts[key])
    return best if counts[best] else None
