"""Appearances: what the text tells of a figure's looks, completed so that no two figures look alike.

The words are for engines that draw: a build, an age, hair and clothes with colours; for animals the species first.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from pipeline.contracts import AgeGroup, Gender

from .cast import Cast
from .figures import Figure
from .lexicon import ANIMAL_LOOKS, LOOKS, singular, word_set
from .tokens import Token

_WORDS = {key: frozenset(text.split()) for key, text in LOOKS["words"].items()}
_PERSONALITY = frozenset(LOOKS["words"]["personality"].split())
_PLAIN = word_set(
    "long short curly wavy straight thick thin old new worn torn ragged bright shiny heavy big small round square"
    " woollen woolen leather silk velvet cotton straw wooden silver iron patched fine soft bushy white-tipped knitted"
)
_NOUN: dict[tuple[Gender, str], str] = {
    ("female", "child"): "girl", ("male", "child"): "boy", ("neutral", "child"): "child",
    ("female", "teen"): "teenage girl", ("male", "teen"): "teenage boy", ("neutral", "teen"): "teenager",
    ("female", "adult"): "woman", ("male", "adult"): "man", ("neutral", "adult"): "person",
    ("female", "elder"): "old woman", ("male", "elder"): "old man", ("neutral", "elder"): "old person",
}  # fmt: skip
_TELLING = word_set("beard moustache spectacles apron")  # with no word before them
_MACHINES = word_set("robot android")
_NUMBERS = word_set("two three four six eight")
_HIS: dict[Gender, str] = {"female": "her", "male": "his", "neutral": "their"}
_DECADES = ("thirties", "forties", "twenties", "fifties")
_SINGULAR_FEATURES = word_set("face nose skin fur tail beak hair")


class Told:
    """What the narration says about each figure's looks, in the order told: build words, and phrases by kind."""

    def __init__(self, cast: Cast) -> None:
        self.build: defaultdict[int, list[str]] = defaultdict(list)
        self.phrases: defaultdict[int, dict[str, str]] = defaultdict(dict)
        self.personality: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._last: tuple[int, int, int | None] = (-10, -1, None)  # where the last feature was told, and whose
        self._cast = cast
        for mention in cast.mentions:
            for word in mention.adjectives:
                if word in _WORDS["build"] or word in _WORDS["colour"]:
                    self._add(mention.who, word)
                if word in _PERSONALITY:
                    self.personality[mention.who][word] += 1
        self._scan()

    def _add(self, who: int, word: str) -> None:
        if word not in self.build[who]:
            self.build[who].append(word)

    def _scan(self) -> None:
        tokens = self._cast.tokens
        subject: int | None = None
        sentence = -1
        for index, token in enumerate(tokens):
            if token.quote >= 0:
                continue
            if token.sentence != sentence:
                sentence, subject = token.sentence, None
            mention = self._cast.at.get(index)
            met = mention.who if mention is not None else self._cast.pronouns.get(index)
            if met is not None and (subject is None or token.possessive):
                subject = met
            self._predicate(index, token)
            kind = self._kind(token)
            if kind is None or mention is not None:
                continue
            self._feature(index, token, kind, subject)

    def _kind(self, token: Token) -> str | None:
        for kind in ("hair", "garment", "body"):
            if token.base in _WORDS[kind] or singular(token.base) in _WORDS[kind]:
                return kind
        return None

    def _predicate(self, index: int, token: Token) -> None:
        """ "Anna was tall", "he was very old"."""
        if token.low not in {"was", "is", "looked"} or index == 0:
            return
        before = self._cast.at.get(index - 1)
        who = before.who if before and not before.possessive else self._cast.pronouns.get(index - 1)
        following = [one for one in self._cast.tokens[index + 1 : index + 7] if one.sentence == token.sentence]
        if who is None or not following:
            return
        for one in following:
            if one.low in _WORDS["build"]:
                self._add(who, one.low)
            elif one.low in _PERSONALITY:
                self.personality[who][one.low] += 1
            elif one.low not in {"very", "so", "and", "a", "quite", "rather", "too"}:
                break

    def _feature(self, index: int, token: Token, kind: str, subject: int | None) -> None:
        tokens = self._cast.tokens
        words: list[str] = []
        at = index - 1
        while at >= 0 and len(words) < 3 and tokens[at].sentence == token.sentence and tokens[at].quote < 0:
            if tokens[at].low in _WORDS["colour"] or tokens[at].low in _PLAIN or tokens[at].low in _WORDS["build"]:
                words.insert(0, tokens[at].low)
                at -= 1
            elif tokens[at].low == "and" and words:
                at -= 1
            else:
                break
        telling = bool(words) or tokens[at].low in _NUMBERS or token.base in _TELLING
        if at < 0 or not telling:
            return
        opener = tokens[at]
        owner = self._owner(at, opener, subject)
        if owner is None and index - self._last[0] <= 6 and self._last[1] == token.sentence:
            owner = self._last[2]
        if opener.low in _NUMBERS:
            words.insert(0, opener.low)
        if owner is None:
            return
        self._last = (index, token.sentence, owner)
        text = " ".join([*words, token.low])
        plain = (kind == "hair" and token.base in {"hair", "braids", "curls", "plaits"}) or (
            token.low.endswith("s") and not token.low.endswith("ss")
        )
        article = "" if plain or token.base in _SINGULAR_FEATURES else ("an " if text[0] in "aeiou" else "a ")
        self.phrases[owner].setdefault(token.base if kind != "hair" else "hair", article + text)

    def _owner(self, at: int, opener: Token, subject: int | None) -> int | None:
        mention = self._cast.at.get(at)
        if opener.possessive and mention is not None:
            return mention.who
        if opener.low in {"his", "her"}:
            return self._cast.pronouns.get(at)
        previous = self._cast.tokens[at - 1].low if at > 0 else ""
        wears = {"with", "in", "wore", "wearing", "had", "wears", "has"}
        if opener.low in wears or ((opener.low in {"a", "an", "the"} or opener.low in _NUMBERS) and previous in wears):
            at = at if opener.low in wears else at - 1
            beside = self._cast.at.get(at - 1)
            if beside is not None and not beside.possessive:
                return beside.who
            named = self._named_before(at)
            return subject if named is None else named
        if opener.low in {"a", "an"} and previous == "and":
            if at - self._last[0] <= 3 and self._last[1] == opener.sentence:
                return self._last[2]
            near = self._cast.tokens[max(0, at - 8) : at]
            return (
                subject if any(one.low in wears - {"in"} and one.sentence == opener.sentence for one in near) else None
            )
        return None

    def _named_before(self, at: int) -> int | None:
        """ "Aisha, a girl with two braids": who is named before the comma."""
        tokens = self._cast.tokens
        for index in range(at - 1, max(0, at - 6), -1):
            if tokens[index].sentence != tokens[at].sentence:
                return None
            if tokens[index].low in {"a", "an", "the"}:
                named = self._cast.at.get(index - 1)
                apart = tokens[index].start - tokens[index - 1].end == len(", ")
                return named.who if named is not None and apart and not named.possessive else None
        return None


class Wardrobe:
    """Hands out looks one figure after another, so that each is different from those before it."""

    def __init__(self) -> None:
        self._given: Counter[str] = Counter()
        self._number = 0

    def dress(self, figure: Figure, told: Told, who: int) -> str:
        """The appearance of one figure, e.g. "a tall woman in her thirties with red hair, a green coat and boots"."""
        self._number += 1
        build = told.build.get(who, [])
        phrases = told.phrases.get(who, {})
        if figure.animal is not None:
            return self._animal(figure, build, phrases)
        return self.person(figure.gender, figure.age, role=self._role(figure), build=build, phrases=phrases)

    def _role(self, figure: Figure) -> str:
        words = [*figure.nouns, figure.title, *([figure.noun.word] if figure.noun else [])]
        return next((word for word in words if word in LOOKS["roles"]), "")

    def person(
        self, gender: Gender, age: AgeGroup, *, role: str = "", build: list[str], phrases: dict[str, str]
    ) -> str:
        if role in _MACHINES:
            size = next((word for word in build if word in _WORDS["build"]), "tall")
            return f"{_article(size)} {size} {role} with {LOOKS['roles'][role]}"
        noun = _NOUN[(gender, age)]
        sizes = [word for word in build if word in _WORDS["build"]]
        size = sizes[0] if sizes else self._next("build_child" if age in ("child", "teen") else f"build_{age}")
        decade = "forties" if role in LOOKS["roles"] else _DECADES[(self._number - 1) % 4]
        years = f" in {_HIS[gender]} {decade}" if age == "adult" else ""
        hair = phrases.get("hair") or self._next(_hair_list(gender, age))
        return f"{_article(size)} {size} {noun}{years} with {hair}{self._clothes(gender, age, role, phrases)}"

    def _clothes(self, gender: Gender, age: AgeGroup, role: str, phrases: dict[str, str]) -> str:
        worn = [phrase for kind, phrase in phrases.items() if kind in _WORDS["garment"]]
        body = [phrase for kind, phrase in phrases.items() if kind in _WORDS["body"]]
        if not worn and role:
            worn = [LOOKS["roles"][role]]
        elif not any(
            word in phrase
            for phrase in worn
            for word in (
                "coat",
                "dress",
                "jacket",
                "cloak",
                "shirt",
                "gown",
                "robe",
                "uniform",
                "jersey",
                "jumper",
                "suit",
            )
        ):
            kind = "top_child" if age in ("child", "teen") else "top_woman" if gender == "female" else "top_man"
            colour = self._next("colours")
            worn.insert(0, f"{_article(colour)} {colour} {self._next(kind)}")
        if not any(
            word in phrase
            for phrase in worn
            for word in ("boots", "shoes", "trousers", "skirt", "dress", "robe", "gown")
        ):
            worn.append(self._next("lower_woman" if gender == "female" and age != "child" else "lower"))
        items = [*body[:2], *worn[:4]]
        return ", " + ", ".join(items[:-1]) + " and " + items[-1] if len(items) > 1 else " and " + items[0]

    def _animal(self, figure: Figure, build: list[str], phrases: dict[str, str]) -> str:
        kind = figure.animal or "animal"
        sizes = [word for word in build if word in _WORDS["build"]]
        colours = [word for word in build if word in _WORDS["colour"]]
        size = sizes[0] if sizes else "small" if figure.age == "child" else self._next("animal_size")
        old = " old" if figure.age == "elder" else ""
        colour = f" {colours[0]}" if colours else ""
        look = ANIMAL_LOOKS[kind]
        if colours:
            look = _recolour(look, colours[0])
        told = [
            phrase
            for key, phrase in phrases.items()
            if singular(key) not in look and key not in look and key not in ("tail", "fur", "feathers")
        ][:2]
        extra = ", ".join(told) or self._next("animal_extra")
        return f"{_article(size)} {size}{old}{colour} {kind} with {look}, and {extra}"

    def _next(self, name: str) -> str:
        values: list[str] = LOOKS[name]
        value = values[self._given[name] % len(values)]
        self._given[name] += 1
        return value


def _hair_list(gender: Gender, age: AgeGroup) -> str:
    if gender == "neutral":
        return "hair_elder_man" if age == "elder" else "hair_person"
    if age == "elder":
        return "hair_elder_woman" if gender == "female" else "hair_elder_man"
    if age in ("child", "teen"):
        return "hair_girl" if gender == "female" else "hair_boy"
    return "hair_woman" if gender == "female" else "hair_man"


def _recolour(look: str, colour: str) -> str:
    """The species' usual look in the colour that the text gives: "red fur" → "white fur"."""
    words = look.split(" ")
    for at, word in enumerate(words[1:], 1):
        if word.rstrip(",") in {"fur", "feathers", "wool", "coat", "scales", "skin"}:
            if words[at - 1] in _WORDS["colour"] | {"tawny", "sandy", "russet", "bronze"}:
                words[at - 1] = colour
            break
    return " ".join(words)


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
