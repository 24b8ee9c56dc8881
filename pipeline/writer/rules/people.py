"""From figures to characters: which of them count, what they are called, and how each is described."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pipeline.contracts import Analysis, CharacterDraft

from .figures import Figure
from .lexicon import AXES, TITLES, singular, species
from .looks import Told, Wardrobe
from .reading import Reading
from .tags import FIRST_PERSON

LIMIT = 24
SPEAKERS = 60  # in a long novel, named people who speak more than once keep a voice of their own
TELLER = "the storyteller"
VOICES = ("a voice", "another voice")
_GENERIC = {"female": "a woman", "male": "a man", "neutral": "a voice"}
_DROP = ("the ", "a ", "an ", "his ", "her ", "my ", "our ", "their ", "your ")


@dataclass(frozen=True)
class Person:
    """A figure that made it into the film, by the name it has there."""

    who: int
    name: str
    aliases: tuple[str, ...]


def plain(name: str) -> str:
    """A name for comparison: small letters, no stops ("Mr."), no article or possessive in front."""
    low = " ".join(name.casefold().replace("’", "'").replace(".", " ").split())
    return next((low[len(word) :] for word in _DROP if low.startswith(word)), low)


def people(reading: Reading) -> list[Person]:
    """The figures that speak or act, weightiest first, under distinct names."""
    said = Counter(line.who for line in reading.lines if line.who is not None)
    figures = reading.cast.figures
    for figure in figures:
        figure.said = said[figure.index]
    ranked = sorted((one for one in figures if _counts(one)), key=lambda one: (-_weight(one), one.first_seen))
    chosen = [*ranked[:LIMIT], *(one for one in ranked[LIMIT:SPEAKERS] if one.said > 1 and one.named)]
    taken: set[str] = set()
    found: list[Person] = []
    for figure in chosen:
        name = _unique(_display(figure), taken)
        surfaces = [text for text, _ in figure.surfaces.most_common(12)]
        own = ["I"] if figure.index == reading.cast.teller else []
        aliases = _aliases(name, [*own, *_formal(figure), *surfaces], taken)
        found.append(Person(figure.index, name, aliases))
    if said[FIRST_PERSON]:
        found.append(Person(FIRST_PERSON, TELLER, ("I",)))
    return found


def _counts(figure: Figure) -> bool:
    if figure.said:
        return True
    if figure.noun is not None and figure.noun.kind == "group" and not figure.named:
        return False
    if figure.named:
        return figure.mentions >= 2 or figure.acts >= 1
    return figure.acts >= 2 or (figure.animal is not None and figure.acts >= 1 and figure.mentions >= 2)


def _weight(figure: Figure) -> float:
    return 3.0 * figure.said + figure.acts + 0.5 * figure.mentions + (0.5 if figure.named else 0.0)


def _display(figure: Figure) -> str:
    if figure.named:
        name, _ = min(figure.names.items(), key=lambda item: (-item[1], -len(item[0])))
        full = max(figure.names, key=len)
        if len(full.split()) > 1 and figure.names[full] * 2 >= figure.names[name]:
            name = full
        titled = figure.title in TITLES and figure.title not in {
            "old",
            "young",
            "little",
            "big",
            "poor",
            "dear",
            "master",
        }
        with_title = sum(number for text, number in figure.surfaces.items() if text.split()[1:] == [name])
        if titled and len(name.split()) == 1 and with_title * 3 >= figure.surfaces[name]:
            spelled = (text for text, _ in figure.surfaces.most_common() if text.split()[1:] == [name])
            return next(
                (text for text in spelled if text.split()[0].lower().rstrip(".") in TITLES),
                f"{figure.title.title()} {name}",
            )
        whole = f"{figure.title.title()} {name}"
        return whole if figure.surfaces[whole] * 2 > figure.mentions else name
    noun = _noun_word(figure)
    if figure.key[0] == "kin" and len(figure.key) > 2 and not figure.key[2].startswith("+"):
        return f"{figure.key[2]}'s {noun}"
    common = figure.surfaces.most_common(1)[0][0] if figure.surfaces else noun
    proper = next((text for text, number in figure.surfaces.most_common(4) if number > 1 and _proper(text)), None)
    if proper is not None:
        return f"the {proper.split(' ', 1)[1]}"
    if figure.key[0] in {"kin", "animal"} and common[:1].isupper() and " " not in common:
        return common
    if noun == "voice":
        return VOICES[0]
    if figure.key[0] == "group":
        return f"the {noun}"
    word = next((word for word in figure.adjectives if word in AXES and _defining(figure, word)), "")
    return f"the {word} {noun}" if word else f"the {noun}"


def _noun_word(figure: Figure) -> str:
    """The noun as the story mostly has it: a dormouse is listed as a mouse, but is called a dormouse."""
    listed = figure.noun.word if figure.noun else figure.key[1]
    if figure.key[0] != "animal":
        return listed
    spelled: Counter[str] = Counter()
    for text, number in figure.surfaces.items():
        spelled[text.split()[-1].lower()] += number
    word = spelled.most_common(1)[0][0] if spelled else listed
    return word if species(word) == figure.animal and singular(word) == word else listed


def _proper(text: str) -> bool:
    """Whether it is written like a name: "the March Hare"."""
    words = text.split()
    return len(words) > 2 and words[0].lower() in ("the", "a", "an") and all(word[0].isupper() for word in words[1:])


def _defining(figure: Figure, word: str) -> bool:
    if len(figure.key) > 2:
        return figure.key[2] == "+" + word
    return figure.adjectives[word] * 3 >= figure.mentions


def _formal(figure: Figure) -> list[str]:
    return sorted({*figure.names, *figure.aka}, key=lambda name: (-len(name), name))


def _unique(name: str, taken: set[str]) -> str:
    number, candidate = 2, name
    while plain(candidate) in taken:
        candidate = f"{name} {number}"
        number += 1
    taken.add(plain(candidate))
    return candidate


def _aliases(name: str, names: list[str], taken: set[str]) -> tuple[str, ...]:
    found: list[str] = []
    own = {plain(name)}
    for text in names:
        key = plain(text)
        if key in own or key in taken or not key:
            continue
        own.add(key)
        found.append(text)
    taken.update(own)
    return tuple(found[:8])


def characters(reading: Reading) -> tuple[CharacterDraft, ...]:
    """The character sheet: looks from the text, completed; voices for speech that nobody can be given."""
    told, wardrobe = Told(reading.cast), Wardrobe()
    drafts: list[CharacterDraft] = []
    for person in people(reading):
        if person.who == FIRST_PERSON:
            look = wardrobe.person("neutral", "adult", build=[], phrases={})
            drafts.append(
                CharacterDraft(
                    name=person.name,
                    aliases=person.aliases,
                    appearance=look,
                    description="The one who tells the story.",
                )
            )
            continue
        figure = reading.cast.figures[person.who]
        traits = [word for word, _ in told.personality[person.who].most_common(3)]
        drafts.append(
            CharacterDraft(
                name=person.name,
                aliases=person.aliases,
                description=_introduction(reading, figure),
                appearance=wardrobe.dress(figure, told, person.who),
                personality=", ".join(traits),
                age_group=figure.age,
                gender=figure.gender,
            )
        )
    drafts.extend(_voices(reading, {draft.name for draft in drafts}, wardrobe))
    return tuple(drafts)


def _introduction(reading: Reading, figure: Figure) -> str:
    tokens = reading.cast.tokens
    if not tokens:
        return ""
    sentence = tokens[figure.first_seen].sentence
    first = last = figure.first_seen
    while first > 0 and tokens[first - 1].sentence == sentence:
        first -= 1
    while last + 1 < len(tokens) and tokens[last + 1].sentence == sentence:
        last += 1
    text = " ".join(reading.story[tokens[first].start : tokens[last].end].split())
    return text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + "…"


def _voices(reading: Reading, names: set[str], wardrobe: Wardrobe) -> list[CharacterDraft]:
    if reading.language != "en":
        return []
    known = {person.who for person in people(reading)}
    used = {spoken_by(reading, index, known) for index in range(len(reading.lines))}
    needed = [name for name in (*VOICES, *_GENERIC.values()) if name in used and name not in names]
    drafts = []
    for name in dict.fromkeys(needed):
        gender = next((key for key, value in _GENERIC.items() if value == name), "neutral")
        look = wardrobe.person(gender, "adult", build=[], phrases={})  # type: ignore[arg-type]
        drafts.append(CharacterDraft(name=name, appearance=look, gender=gender))  # type: ignore[arg-type]
    return drafts


def spoken_by(reading: Reading, index: int, known: set[int]) -> int | str | None:
    """Who says line `index`: a figure of the film, the name of a voice for the rest, None for the narrator."""
    line = reading.lines[index]
    if line.who is not None and line.who in known:
        return line.who
    if reading.language != "en":
        return None
    if line.who is not None and line.who >= 0:
        return _GENERIC[reading.cast.figures[line.who].gender]
    turns = dict.fromkeys(
        one.quote.paragraph for one in reading.lines[max(0, index - 40) : index + 1] if one.who is None
    )
    return VOICES[(len(turns) - 1) % 2]


def speaker_names(reading: Reading, analysis: Analysis) -> list[str | None]:
    """For every quote the name of its speaker in `analysis` (matched by name and alias), or None for the narrator."""
    by_name: dict[str, str] = {}
    for character in analysis.characters:
        by_name.setdefault(plain(character.name), character.name)
    for character in analysis.characters:
        for alias in character.aliases:
            by_name.setdefault(plain(alias), character.name)
    chosen = people(reading)
    known = {person.who for person in chosen}
    named: dict[int, str | None] = {
        person.who: next(
            (by_name[key] for text in (person.name, *person.aliases) if (key := plain(text)) in by_name), None
        )
        for person in chosen
    }
    result: list[str | None] = []
    for index in range(len(reading.lines)):
        speaker = spoken_by(reading, index, known)
        result.append(named[speaker] if isinstance(speaker, int) else by_name.get(plain(speaker)) if speaker else None)
    return result
