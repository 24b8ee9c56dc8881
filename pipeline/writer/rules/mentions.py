"""Finds an analysis' characters and props in any text by their names and aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.contracts import Analysis, CharacterDraft

from .lexicon import singular
from .people import plain

_PRONOUN_NAMES = frozenset({"i", "he", "she", "they", "it", "we", "you", ""})


class Finder:
    """Looks names up by one pattern per kind, so a search is linear in the text."""

    def __init__(self, analysis: Analysis) -> None:
        self.people: dict[str, CharacterDraft] = {one.name: one for one in analysis.characters}
        self._who = _index((one.name, (one.name, *one.aliases)) for one in analysis.characters)
        self._what = _index((one.name, (one.name, *_plurals(one.name))) for one in analysis.props)
        self._people = _pattern(self._who)
        self._things = _pattern(self._what)

    def characters(self, text: str) -> list[str]:
        """Names of the characters that the text names, in order of first mention."""
        return list(dict.fromkeys(name for name, _, _ in self.mentions(text)))

    def mentions(self, text: str) -> list[tuple[str, int, int]]:
        """Every naming of a character, with its span in the text; "a goat's bell" names nobody."""
        if self._people is None:
            return []
        return [
            (self._who[plain(match[0])], match.start(), match.end())
            for match in self._people.finditer(text)
            if match[0][0].isupper() or text[match.end() : match.end() + 2] not in ("'s", "’s")
        ]

    def props(self, text: str) -> list[str]:
        """Names of the props that the text names, in order of first mention."""
        if self._things is None:
            return []
        return list(dict.fromkeys(self._what[plain(match[0])] for match in self._things.finditer(text)))


def _index(entries: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, spellings in entries:
        for spelling in spellings:
            key = plain(spelling)
            if key not in _PRONOUN_NAMES:
                found.setdefault(key, name)
    return found


def _plurals(name: str) -> tuple[str, ...]:
    one = singular(name)
    return (one, f"{one}s", f"{one}es", f"{one[:-1]}ies")


def _pattern(index: dict[str, str]) -> re.Pattern[str] | None:
    if not index:
        return None
    choices = "|".join(
        re.escape(key).replace(r"\ ", r"\.?\s+") for key in sorted(index, key=lambda key: (-len(key), key))
    )
    return re.compile(rf"(?<![\w-])(?:{choices})(?![\w-])", re.IGNORECASE)
