"""A mention, and a figure while it is put together from its mentions: its names, nouns, and what they tell of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from pipeline.contracts import AgeGroup, Gender

from .lexicon import AXES, CHILD_WORDS, ELDER_WORDS, TITLES, Noun, figure_nouns, name_gender, word_set

Key = tuple[str, ...]
GROWN = word_set("mr mrs dr doctor sir lady lord captain colonel major general professor inspector judge reverend")
_MEN_MOSTLY = word_set(
    "captain colonel general major admiral commander lieutenant sergeant corporal inspector detective superintendent"
    " sheriff constable judge bishop reverend rev cardinal squire professor doctor"
)
INDEFINITE = frozenset({"a", "an", "another", "some", "one"})


@dataclass(slots=True)
class Mention:
    """Tokens first..last (inclusive) name somebody. `names` holds a proper name's words, `noun` a common noun.

    `owner` is the proper name in "Tom's mother"; `who` is filled by the cast: an index into its figures.
    """

    first: int
    last: int
    start: int
    end: int
    names: tuple[str, ...] = ()
    title: str = ""
    noun: Noun | None = None
    determiner: str = ""
    adjectives: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    possessive: bool = False
    who: int = -1

    @property
    def indefinite(self) -> bool:
        return self.determiner in INDEFINITE

    @property
    def variant(self) -> str:
        """The adjective that tells two figures of one noun apart ("old" in "the old man"), or ""."""
        return next((word for word in self.adjectives if word in AXES), "")


@dataclass(slots=True)
class Figure:
    """One figure while it is being put together.

    `aka` has names that it turned out to have besides, `surfaces` counts the ways it is named, `said` its speeches.
    """

    index: int
    key: Key
    names: Counter[str] = field(default_factory=Counter)
    aka: Counter[str] = field(default_factory=Counter)
    nouns: Counter[str] = field(default_factory=Counter)
    adjectives: Counter[str] = field(default_factory=Counter)
    surfaces: Counter[str] = field(default_factory=Counter)
    votes: Counter[str] = field(default_factory=Counter)
    noun: Noun | None = None
    title: str = ""
    animal: str | None = None
    first_seen: int = 0
    mentions: int = 0
    acts: int = 0
    said: int = 0
    years: int | None = None

    @property
    def named(self) -> bool:
        return bool(self.names)

    def absorb(self, other: Figure) -> None:
        """Takes over all that is known of `other`, which is the same figure and is left empty."""
        (self.aka if self.names else self.names).update(other.names)
        self.aka.update(other.aka)
        other.names.clear()
        for mine, theirs in (
            (self.nouns, other.nouns),
            (self.adjectives, other.adjectives),
            (self.surfaces, other.surfaces),
            (self.votes, other.votes),
        ):
            mine.update(theirs)
            theirs.clear()
        self.noun, self.title = self.noun or other.noun, self.title or other.title
        self.animal, self.years = self.animal or other.animal, self.years or other.years
        self.first_seen = min(self.first_seen, other.first_seen)
        self.mentions, self.acts = self.mentions + other.mentions, self.acts + other.acts
        other.mentions = other.acts = 0

    @property
    def gender(self) -> Gender:
        fixed = self.noun.gender if self.noun else "neutral"
        if fixed != "neutral":
            return fixed
        if TITLES.get(self.title, "neutral") != "neutral":
            return TITLES[self.title]
        female, male = self.votes["female"], self.votes["male"]
        given = next(
            (gender for name in self.names for word in name.split()[:1] if (gender := name_gender(word))), None
        )
        if given == "female":
            female += 3
        elif given == "male":
            male += 3
        if female == male or (max(female, male) < 2 and not self.named):
            return "neutral"
        return "female" if female > male else "male"

    @property
    def leaning(self) -> bool:
        """Whether nothing is known of its sex but a title that most stories give to men."""
        return self.gender == "neutral" and self.title in _MEN_MOSTLY

    @property
    def age(self) -> AgeGroup:
        if self.years is not None and self.animal is None:
            return (
                "child" if self.years < 13 else "teen" if self.years < 18 else "adult" if self.years < 62 else "elder"
            )
        words = set(self.adjectives)
        titled = figure_nouns().get(self.title)
        if words & ELDER_WORDS or self.title == "old" or (titled is not None and titled.age == "elder"):
            return "elder"
        if (
            self.noun is not None
            and (self.noun.kind != "group" or self.noun.age == "child")
            and self.noun.age != "adult"
        ):
            return self.noun.age
        grown = self.noun is not None and (self.noun.kind == "person" and self.noun.gender != "neutral")
        if self.animal is None and not grown and (words & CHILD_WORDS or self.title == "little"):
            return "child"
        return "adult"


def key_of(noun: Noun) -> Key:
    return (noun.kind, noun.word)


def same(left: Mention, right: Mention) -> bool:
    return left.names == right.names and left.noun == right.noun


def title_class(title: str) -> str:
    alike = {"mister": "mr", "madam": "mrs", "madame": "mrs", "dr": "doctor", "prof": "professor", "auntie": "aunt"}
    return alike.get(title, title)


def variants(mentions: list[Mention]) -> defaultdict[str, set[str]]:
    """Per noun the adjectives that tell several of its kind apart (two of one axis, e.g. old and young)."""
    used: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in mentions:
        if one.noun is not None and one.variant:
            used[one.noun.word][one.variant] += 1
    distinct: defaultdict[str, set[str]] = defaultdict(set)
    for noun, words in used.items():
        axes = Counter(AXES[word] for word in words)
        distinct[noun] = {word for word in words if axes[AXES[word]] > 1 or word == "other"}
    return distinct


def owners(mentions: list[Mention]) -> defaultdict[str, set[tuple[str, ...]]]:
    owners: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for one in mentions:
        if one.noun is not None and one.owner:
            owners[one.noun.word].add(one.owner)
    return owners
