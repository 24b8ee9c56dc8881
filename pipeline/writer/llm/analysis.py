"""Who and what is in a story, by a language model. Hides that long stories are read in windows.

Each window is asked with the figures known from those before, and what comes back is joined by name and alias, so that
a character met in chapter one is the same one in chapter nine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pipeline.contracts import Analysis, CharacterDraft, PropDraft, SetDraft
from pipeline.prompts import writing
from pipeline.providers.failures import BadAnswer
from pipeline.writer.llm.answers import ANALYSIS, LONGEST_NAME, known_as, name_list, plain
from pipeline.writer.llm.desk import Desk
from pipeline.writer.llm.windows import windows

Draft = TypeVar("Draft", CharacterDraft, SetDraft, PropDraft)

WINDOW = 24_000
MOST_CHARACTERS, MOST_SETS, MOST_PROPS = 40, 40, 40
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:-[A-Za-z0-9]+)*")


def analyse(desk: Desk, story: str, language: str) -> Analysis:
    """The whole story's figures, places and things. `language` is the user's choice, or what the text looks like."""
    found: Analysis | None = None
    for start, end in windows(story, WINDOW):
        if not any(char.isalnum() for char in story[start:end]):
            continue
        part = _ask(desk, story[start:end], found)
        found = part if found is None else joined(found, part)
    if found is None:
        raise BadAnswer("The story has no words.")
    return found.model_copy(update={"language": language or found.language})


def _ask(desk: Desk, text: str, known: Analysis | None) -> Analysis:
    prompt = writing.question(
        "analysis",
        most_characters=MOST_CHARACTERS,
        most_sets=MOST_SETS,
        most_props=MOST_PROPS,
        known=writing.question("analysis_known", known=_roster(known)) + "\n" if known else "",
        story=writing.material("story", text),
    )
    return desk.ask("analysis", prompt, ANALYSIS, lambda data: read(data, later=known is not None), most_tokens=12_000)


def _roster(known: Analysis) -> str:
    people = []
    for one in known.characters:
        aliases = f" (also: {', '.join(one.aliases)})" if one.aliases else ""
        people.append(f"{one.name}{aliases}: {one.age_group}, {one.gender}; {plain(one.appearance, 120)}")
    return "\n".join(
        (
            "Characters:",
            name_list(people),
            "Sets:",
            name_list(one.name for one in known.sets),
            "Props:",
            name_list(one.name for one in known.props),
        )
    )


def read(data: Mapping[str, Any], *, later: bool = False) -> Analysis:
    """The answer as an Analysis. Raises BadAnswer: too many entries, no set, a character without a name or looks."""
    for kind, most in (("characters", MOST_CHARACTERS), ("sets", MOST_SETS), ("props", MOST_PROPS)):
        if len(data[kind]) > most:
            raise BadAnswer(f"There are {len(data[kind])} {kind}; give at most {most}, the most important ones.")
    analysis = Analysis(
        language=_language(data["language"]),
        characters=_once([_character(one) for one in data["characters"]]),
        sets=_once([_place(one) for one in data["sets"]]),
        props=_once([_thing(one) for one in data["props"]]),
    )
    if not analysis.sets and not later:
        raise BadAnswer("There are no sets; name at least one place where the story happens.")
    return analysis


def _language(code: str) -> str:
    match = _LANGUAGE.fullmatch(code.strip())
    if match is None:
        raise BadAnswer(f"{plain(code, 20)!r} is no ISO 639-1 code of a language.")
    return match.group(1)


def _name(text: str, what: str) -> str:
    name = plain(text, LONGEST_NAME)
    if not any(char.isalnum() for char in name):
        raise BadAnswer(f"A {what} has no name.")
    return name


def _character(one: Mapping[str, Any]) -> CharacterDraft:
    name = _name(one["name"], "character")
    appearance = plain(one["appearance"])
    if not appearance:
        raise BadAnswer(f"The appearance of {name!r} is empty; say what a painter must know.")
    aliases = (plain(alias, LONGEST_NAME) for alias in one["aliases"])
    own = known_as(name)
    return CharacterDraft(
        name=name,
        aliases=tuple(dict.fromkeys(alias for alias in aliases if alias and known_as(alias) != own))[:12],
        description=plain(one["description"]),
        appearance=appearance,
        personality=plain(one["personality"], 200),
        age_group=one["age_group"],
        gender=one["gender"],
    )


def _place(one: Mapping[str, Any]) -> SetDraft:
    return SetDraft(
        name=_name(one["name"], "set"),
        description=plain(one["description"]),
        mood=plain(one["mood"], 200),
        time_of_day=one["time_of_day"],
    )


def _thing(one: Mapping[str, Any]) -> PropDraft:
    return PropDraft(name=_name(one["name"], "prop"), description=plain(one["description"]))


def _once(drafts: Iterable[Draft]) -> tuple[Draft, ...]:
    first: dict[str, Draft] = {}
    for draft in drafts:
        first.setdefault(known_as(draft.name), draft)
    return tuple(first.values())


def joined(known: Analysis, more: Analysis) -> Analysis:
    """Both, each figure once: matched by name and alias; what was known first stands, gaps are filled."""
    return Analysis(
        language=known.language,
        characters=_joined_characters(known.characters, more.characters),
        sets=_once((*known.sets, *more.sets)),
        props=_once((*known.props, *more.props)),
    )


def _joined_characters(known: Sequence[CharacterDraft], more: Sequence[CharacterDraft]) -> tuple[CharacterDraft, ...]:
    cast = list(known)
    for one in more:
        names = {known_as(name) for name in (one.name, *one.aliases)}
        # A shared name is surer than a shared alias: two figures may both be "the boy" to somebody.
        at = _place_of(cast, {known_as(one.name)}, aliases=False)
        at = _place_of(cast, {known_as(one.name)}, aliases=True) if at is None else at
        at = _place_of(cast, names, aliases=False) if at is None else at
        if at is None:
            cast.append(one)
        else:
            cast[at] = _enriched(cast[at], one)
    return tuple(cast)


def _place_of(cast: Sequence[CharacterDraft], names: set[str], *, aliases: bool) -> int | None:
    for at, one in enumerate(cast):
        own = {known_as(name) for name in ((one.name, *one.aliases) if aliases else (one.name,))}
        if own & names:
            return at
    return None


def _enriched(known: CharacterDraft, more: CharacterDraft) -> CharacterDraft:
    taken = {known_as(known.name)} | {known_as(alias) for alias in known.aliases}
    fresh = tuple(alias for alias in (more.name, *more.aliases) if known_as(alias) not in taken)
    return known.model_copy(
        update={
            "aliases": tuple(dict.fromkeys((*known.aliases, *fresh)))[:20],
            "description": known.description or more.description,
            "appearance": known.appearance or more.appearance,
            "personality": known.personality or more.personality,
            "gender": more.gender if known.gender == "neutral" else known.gender,
        }
    )
