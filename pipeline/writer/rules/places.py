"""Where the story is: places out of prepositional phrases, with the change of place and time that ends a scene."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipeline.contracts import TimeOfDay, Weather

from .lexicon import (
    ARRIVE,
    LOOK_VERBS,
    SCENE_OPENINGS,
    STAY,
    TIME_PHRASES,
    TIMES,
    UNREAL,
    WEATHERS,
    Place,
    implied_places,
    place_nouns,
    singular,
    word_set,
)
from .tokens import DETERMINERS, FUNCTION, NOT_NAMES, is_verb

_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?…;:]")
_INSIDE = word_set("in into inside at on onto aboard within")
_ALONG = word_set("to through across along up down over under by beside near behind around towards toward")
_DIRECT = word_set("reached reaches entered enters crossed crosses")
_PARTS = word_set(
    "edge middle heart end foot top bottom side corner mouth bank banks shore centre center back gate gates"
    " door doors floor steps wall walls entrance part depths far window"
)
# Words that are places only right after an article: they are also adjectives, verbs or adverbs.
_DOUBTFUL = word_set("well plain flat fair keep pass car stable pool mine ward strand forge ford home")
_HOME_VERBS = word_set("went came walked ran hurried returned got go goes comes runs walks rode drove at stayed sailed")
_WEATHER_RANK: tuple[Weather, ...] = ("storm", "snow", "rain", "fog", "wind", "cloudy", "clear")
_TIME_PHRASES = [(re.compile("|".join(patterns), re.I), time) for time, patterns in TIME_PHRASES.items()]
_TRANSITION = re.compile(rf"(?:but |and |then |so )?(?:{SCENE_OPENINGS})", re.IGNORECASE)
_BEING = word_set("was were smelled smelt lay stood is looked")
_WAYS_GO = word_set("led leads ran runs wound winds climbed stretched")
_SIMILE = re.compile(r"\b(?:like|as if|as though)\b[^.,;!?]*|\bas \w+ as\b[^.,;!?]*")
_CLEARED = re.compile(
    r"\b(?:rain|storm|snow|wind|fog|mist|thunder|clouds) (?:had |has )?"
    r"(?:stopped|passed|ended|lifted|cleared|melted|died)"
    r"|\bstopped (?:raining|snowing)|\bsky (?:had )?cleared",
    re.IGNORECASE,
)
_NEW_DAY = re.compile(
    r"next|following|days? later|weeks?|months?|years?|dawn|sunrise|daybreak|morning came|in the morning", re.IGNORECASE
)


@dataclass(frozen=True)
class Cue:
    """A place that a text moves to or is in. `noun` is the lexicon's word, `name` what to call it."""

    noun: str
    name: str
    place: Place
    strength: int  # 2: arrives or stays there; 1: is told of as the place; 0: may be there
    position: int
    adjectives: tuple[str, ...] = ()

    @property
    def strong(self) -> bool:
        return self.strength > 0

    @property
    def key(self) -> str:
        """Equal for cues that mean one place."""
        named = any(char.isupper() for char in self.name)
        return self.name.lower() if named else self.noun if self.place.apart else self.place.family


def place_cues(text: str) -> list[Cue]:
    """The places that a narration is in or moves to, in order; not those only seen, left or wished for."""
    words = list(_WORD.finditer(text))
    lows = [word[0].lower().replace("’", "'") for word in words]
    starts = _sentence_starts(text, words)
    nouns = place_nouns()
    cues: list[Cue] = []
    for index, low in enumerate(lows):
        noun = low if low in nouns else singular(low)
        if noun not in nouns or (low.endswith("'s") and low not in nouns):
            continue
        cue = _cue(text, words, lows, starts[index], index, noun)
        if cue is not None and not (cues and cues[-1].position >= cue.position):
            cues.append(cue)
    return cues


def _sentence_starts(text: str, words: list[re.Match[str]]) -> list[int]:
    starts: list[int] = []
    first = 0
    for index, word in enumerate(words):
        if index and _SENTENCE_END.search(text, words[index - 1].end(), word.start()):
            first = index
        elif index > 1 and words[index - 1][0].lower() in {"and", "but", "so", "while", "where"}:
            comma = "," in text[words[index - 2].end() : words[index - 1].start()]
            first = index if comma else first
        starts.append(first)
    return starts


def _cue(text: str, words: list[re.Match[str]], lows: list[str], first: int, index: int, noun: str) -> Cue | None:
    if noun == "home":
        return _home(lows, first, index, words)
    at = index - 1
    modifiers: list[int] = []
    while at >= first and len(modifiers) < 4 and lows[at] not in DETERMINERS and _may_qualify(lows[at]):
        modifiers.insert(0, at)
        at -= 1
    article = at >= first and (lows[at] in DETERMINERS or lows[at].endswith(("'s", "s'")))
    if noun in _DOUBTFUL and (not article or modifiers):
        return None
    if _followed_by_noun(lows, index) and noun in _DOUBTFUL:
        return None
    before = at - 1 if article else at
    if article and lows[at].endswith("'s"):
        while (
            before >= first
            and (words[before][0][0].isupper() or lows[before] in DETERMINERS)
            and lows[before] not in _INSIDE
        ):
            before -= 1
    strong = _strength(lows, first, before, index)
    if strong is None:
        return None
    return Cue(
        noun,
        _name(words, lows, modifiers, index, noun, at if article else -1),
        _place(lows, modifiers, noun),
        strong,
        words[index].start(),
        tuple(lows[at] for at in modifiers if lows[at] not in place_nouns() and words[at][0].islower()),
    )


def _may_qualify(low: str) -> bool:
    return (
        low in {"back", "front"}
        or low.endswith("ed")
        or not (low in FUNCTION or low in _INSIDE or low in _ALONG or is_verb(low))
    )


def _followed_by_noun(lows: list[str], index: int) -> bool:
    return index + 1 < len(lows) and lows[index + 1] not in FUNCTION and not is_verb(lows[index + 1])


def _home(lows: list[str], first: int, index: int, words: list[re.Match[str]]) -> Cue | None:
    if index == first or not _HOME_VERBS.intersection(lows[max(first, index - 3) : index]):
        return None
    if _unreal(lows, first, index):
        return None
    return Cue("home", "home", place_nouns()["home"], 2, words[index].start())


def _strength(lows: list[str], first: int, before: int, index: int) -> int | None:
    """The Cue's strength; None: the text is not there."""
    if before < first or lows[before] in {"and", "but", "while"}:
        following = lows[index + 1 : index + 6]
        near = index - max(first, before + 1) <= 4
        opens = near and any(low in _BEING for low in following[:1] + following[3:])
        return 1 if opens else None
    word = lows[before]
    if before > first and word in _INSIDE and lows[before - 1] in place_nouns():
        return None  # "the market in the village" is the market
    if word == "of" and before - 1 >= first and lows[before - 1] in _PARTS:
        back = before - 2
        while back >= first and (lows[back] in DETERMINERS or lows[back] not in _INSIDE | _ALONG) and before - back < 5:
            back -= 1
        if back < first or lows[back] not in _INSIDE | _ALONG:
            return None
        word, before = lows[back], back
    if word in _DIRECT:
        return None if _unreal(lows, first, before) else 2
    if word not in _INSIDE and word not in _ALONG and word != "round":
        return None
    if _unreal(lows, first, before):
        return None
    verbs = [low for low in lows[max(first, before - 8) : before] if _is_cue_verb(low)]
    if verbs and verbs[-1] in LOOK_VERBS:
        return 1 if word in {"round", "around"} else None  # "looked round the room"
    moved = next((at for at in range(before - 1, first - 1, -1) if lows[at] in _WAYS_GO), first)
    if any(low in place_nouns() for low in lows[first:moved]):
        return None  # "the path led to the stream" goes nowhere by itself
    moving = bool(verbs) and verbs[-1] in ARRIVE
    staying = bool(verbs) and verbs[-1] in STAY
    if word in _INSIDE:
        return 2 if moving or staying or before - first <= 1 else 0
    return 2 if moving else (0 if before - first <= 1 and word not in {"to", "by", "near", "over"} else None)


def _is_cue_verb(low: str) -> bool:
    return low in ARRIVE or low in STAY or low in LOOK_VERBS


def _unreal(lows: list[str], first: int, before: int) -> bool:
    return bool(UNREAL.intersection(lows[max(first, before - 7) : before]))


def _name(words: list[re.Match[str]], lows: list[str], modifiers: list[int], index: int, noun: str, owner: int) -> str:
    nouns = place_nouns()
    capital = [words[at][0] for at in modifiers if words[at][0][0].isupper() and lows[at] not in NOT_NAMES]
    if capital and words[index][0][0].isupper():
        return " ".join([*capital, words[index][0]])
    if owner >= 0 and lows[owner].endswith("'s") and words[owner][0][0].isupper():
        return f"{words[owner][0]} {noun}"
    qualifier = lows[modifiers[-1]] if modifiers else ""
    if qualifier in nouns or (noun == "room" and qualifier and not qualifier.endswith("ed")):
        return f"{qualifier} {noun}"
    return noun


def _place(lows: list[str], modifiers: list[int], noun: str) -> Place:
    """A "market square" is a market, a "forest path" a forest, but a "village street" is a street."""
    nouns = place_nouns()
    own = nouns[noun]
    qualifier = nouns.get(lows[modifiers[-1]]) if modifiers else None
    general = own.family in {"square", "street", "path", "field", "living room", "village"}
    return qualifier if qualifier is not None and general and qualifier.family != "village" else own


def implied_cue(text: str) -> Cue | None:
    """The place told by what is in it, where a text names none: the one with most of its things."""
    words = Counter(
        low if (low := match[0].lower()) in implied_places() else singular(low) for match in _WORD.finditer(text)
    )
    counts: Counter[str] = Counter()
    for word, number in words.items():
        if word in implied_places():
            counts[implied_places()[word]] += number
    if not counts:
        return None
    noun = max(counts, key=lambda one: (counts[one], place_nouns()[one].family != "living room", one))
    return Cue(noun, noun, place_nouns()[noun], 0, 0)


def changes_scene(text: str) -> bool:
    """Whether a narration begins with a change of time or moves to a place."""
    return _TRANSITION.match(text) is not None or any(cue.strong for cue in place_cues(text))


def transition(text: str) -> str | None:
    """The words of time that a narration begins with, if they begin a new scene ("The next morning")."""
    match = _TRANSITION.match(text)
    return match[0] if match else None


def begins_day(words: str) -> bool:
    """Whether a transition leads into another day, so that yesterday's weather is over."""
    return _NEW_DAY.search(words) is not None


def time_of_day(text: str) -> TimeOfDay | None:
    """The time of day that a narration tells last, if any."""
    found: list[tuple[int, TimeOfDay]] = []
    for match in _WORD.finditer(text):
        low = match[0].lower()
        if low in TIMES and not re.search(
            r"\b(?:every|last|yesterday|since|each|until|till|all)\s$", text[: match.start()][-12:]
        ):
            found.append((match.start(), TIMES[low]))
    for pattern, time in _TIME_PHRASES:
        if time == "dusk" and found:
            continue
        found.extend((match.start(), time) for match in pattern.finditer(text))
    return max(found, key=lambda item: item[0])[1] if found else None


def weather(text: str) -> Weather | None:
    """The weather that a narration tells, the fiercest first, if any."""
    if _CLEARED.search(text):
        return "clear"
    told = _SIMILE.sub(" ", text)
    found = {WEATHERS[low] for match in _WORD.finditer(told) if (low := match[0].lower()) in WEATHERS}
    return next((one for one in _WEATHER_RANK if one in found), None)
