"""The shapes of answers that language models are asked for, and how names in them are known again.

The shapes use only what every provider's strict mode can hold: closed objects with all properties required, lists, and
choices. Numbers of items and lengths are limits of ours, held against the answer afterwards.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from pipeline.contracts import (
    AgeGroup,
    Analysis,
    Angle,
    CameraMove,
    CharacterDraft,
    Framing,
    Gender,
    SegmentKind,
    TimeOfDay,
    Weather,
)
from pipeline.providers.failures import BadAnswer

Schema = dict[str, Any]

LONGEST_NAME = 80
LONGEST_TEXT = 800
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _choice(kind: Any) -> Schema:
    return {"type": "string", "enum": list(get_args(kind))}


STORY = _object(title=TEXT, story=TEXT)
LOOKS = _object(places=_list(TEXT))
ANALYSIS = _object(
    language=TEXT,
    characters=_list(
        _object(
            name=TEXT,
            aliases=_list(TEXT),
            description=TEXT,
            appearance=TEXT,
            personality=TEXT,
            age_group=_choice(AgeGroup),
            gender=_choice(Gender),
        )
    ),
    sets=_list(_object(name=TEXT, description=TEXT, mood=TEXT, time_of_day=_choice(TimeOfDay))),
    props=_list(_object(name=TEXT, description=TEXT)),
)
SCRIPT = _object(segments=_list(_object(kind=_choice(SegmentKind), speaker=TEXT, text=TEXT)))
SCENES = _object(
    scenes=_list(
        _object(
            first_segment=NUMBER,
            title=TEXT,
            set_name=TEXT,
            characters=_list(TEXT),
            props=_list(TEXT),
            time_of_day=_choice(TimeOfDay),
            weather=_choice(Weather),
            mood=TEXT,
        )
    )
)
SHOTS = _object(
    shots=_list(
        _object(
            take=NUMBER,
            framing=_choice(Framing),
            angle=_choice(Angle),
            move=_choice(CameraMove),
            subjects=_list(TEXT),
            action=TEXT,
        )
    )
)


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """One line, without characters that cannot be shown or kept, cut at a word when it is too long."""
    visible = "".join(" " if unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") else char for char in text)
    line = " ".join(visible.split())
    if len(line) <= longest:
        return line
    return line[:longest].rsplit(" ", 1)[0] if " " in line[:longest] else line[:longest]


def known_as(name: str) -> str:
    """What two ways of writing one name have in common."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split()).strip(" .,:;\"'“”‘’«»")


class Names:
    """Exact names by anything that they are called."""

    def __init__(self, what: str, names: Mapping[str, Iterable[str]]) -> None:
        self._what = what
        self._exact: dict[str, str] = {}
        for name in names:
            self._exact.setdefault(known_as(name), name)
        for name, aliases in names.items():
            for alias in aliases:
                self._exact.setdefault(known_as(alias), name)
        self._all = list(names)

    def find(self, name: str) -> str | None:
        return self._exact.get(known_as(name))

    def exact(self, name: str, where: str) -> str:
        """Raises BadAnswer, naming those there are."""
        found = self.find(name)
        if found is None:
            allowed = ", ".join(self._all[:60]) or "(none: use no such name)"
            raise BadAnswer(f"{where}: there is no {self._what} {plain(name, 80)!r}. Use exactly one of: {allowed}.")
        return found

    def all_exact(self, names: Iterable[str], where: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.exact(name, where) for name in names if name.strip()))


def people(analysis: Analysis) -> Names:
    return Names("character", {one.name: one.aliases for one in analysis.characters})


def places(analysis: Analysis) -> Names:
    return Names("set", {one.name: () for one in analysis.sets})


def things(analysis: Analysis) -> Names:
    return Names("prop", {one.name: () for one in analysis.props})


def everything_seen(analysis: Analysis) -> Names:
    seen: dict[str, Iterable[str]] = {one.name: one.aliases for one in analysis.characters}
    return Names("character or prop", seen | {one.name: () for one in analysis.props if one.name not in seen})


def cast_list(characters: Sequence[CharacterDraft]) -> str:
    """The characters as questions list them, one a line."""
    lines = []
    for one in characters:
        aliases = f" (also: {', '.join(one.aliases[:8])})" if one.aliases else ""
        lines.append(f"- {one.name}{aliases}: {one.age_group}, {one.gender}. {plain(one.description, 160)}".rstrip())
    return "\n".join(lines) or "(none)"


def name_list(names: Iterable[str]) -> str:
    return "\n".join(f"- {name}" for name in names) or "(none)"
