"""Reading plain words: tokens, colours, and which of a vocabulary's entries a text speaks of first.

A vocabulary is a table of (answer, words). Words match whole tokens, plurals included; a word with a space in it
matches as a phrase. Nothing here ever fails, whatever the text holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")
_TOKEN = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
LONGEST_TEXT = 4000  # code points read of one field; the rest says nothing about looks


@lru_cache(maxsize=2048)
def tokens(text: str) -> tuple[str, ...]:
    return tuple(token.lower() for token in _TOKEN.findall(text[:LONGEST_TEXT]))


def stems(token: str) -> tuple[str, ...]:
    """The token and what it may be the plural of."""
    found = [token]
    if token.endswith("s") and len(token) > 3:
        found.append(token[:-1])
        if token.endswith("es"):
            found.append(token[:-2])
        if token.endswith("ies"):
            found.append(token[:-3] + "y")
        if token.endswith("ves"):
            found += [token[:-3] + "f", token[:-3] + "fe"]
    if token.endswith(("'s", "\u2019s")):
        found.append(token[:-2])
    return tuple(found)


class Text:
    """A text that can be asked whether, and where, it has a word."""

    def __init__(self, *parts: str) -> None:
        self.tokens = tuple(token for part in parts for token in tokens(part))
        self._places: dict[str, int] = {}
        for place, token in enumerate(self.tokens):
            for stem in stems(token):
                self._places.setdefault(stem, place)
        self._joined = " " + " ".join(self.tokens) + " "

    def place(self, word: str) -> int | None:
        """The index of the token where a word or phrase first stands."""
        if " " in word:
            at = self._joined.find(f" {word} ")
            if at < 0:
                at = self._joined.find(f" {word}s ")
            return None if at < 0 else self._joined[:at].count(" ")
        return self._places.get(word)

    def has(self, *words: str) -> bool:
        return any(self.place(word) is not None for word in words)

    def first(self, vocabulary: Mapping[str, Iterable[str]]) -> str | None:
        """The answer whose word stands first (a longer phrase wins at the same place)."""
        best: tuple[int, int, str] | None = None
        for answer, words in vocabulary.items():
            for word in words:
                place = self.place(word)
                if place is not None and (best is None or (place, -len(word)) < best[:2]):
                    best = (place, -len(word), answer)
        return None if best is None else best[2]

    def colour_of(self, *nouns: str, reach: int = 4) -> str | None:
        """The colour named shortly before one of the nouns ("a long dark-green coat")."""
        for noun in nouns:
            place = self.place(noun)
            if place is None:
                continue
            for back in range(1, reach + 1):
                index = place - back
                if index < 0 or (back > 1 and self.tokens[index] in _BREAKS):
                    break
                if self.tokens[index] in COLOURS:
                    return self._shaded(index)
        return None

    def colour(self) -> str | None:
        """The first colour named anywhere."""
        for index, token in enumerate(self.tokens):
            if token in COLOURS and token not in _ALSO_NOUNS:
                return self._shaded(index)
        return None

    def _shaded(self, index: int) -> str:
        colour = COLOURS[self.tokens[index]]
        before = self.tokens[index - 1] if index else ""
        if before in ("dark", "deep"):
            return _blend(colour, "#141020", 0.35)
        if before in ("light", "pale", "soft"):
            return _blend(colour, "#ffffff", 0.4)
        return colour


def _blend(a: str, b: str, t: float) -> str:
    pairs = ((int(a[i : i + 2], 16), int(b[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(x + (y - x) * t):02x}" for x, y in pairs)


_BREAKS = {"and", "with", "has", "wears", "wearing", "in", "hair", "eyes", "skin", "beard"}
_ALSO_NOUNS = {
    "rose",
    "gold",
    "silver",
    "copper",
    "sand",
    "straw",
    "honey",
    "olive",
    "violet",
    "peach",
    "brass",
    "bronze",
}

COLOURS: dict[str, str] = {
    "red": "#c0392f", "crimson": "#a82338", "scarlet": "#cf3a2c", "maroon": "#7c2b35", "burgundy": "#76263a",
    "pink": "#e395a6", "rose": "#d77f8f", "orange": "#e08438", "peach": "#f0b48c", "copper": "#b8693a",
    "rust": "#a9532d", "russet": "#9e5431", "amber": "#dc9c34", "yellow": "#ecc048", "gold": "#d9a83e",
    "golden": "#dcae4c", "mustard": "#cf9f35", "honey": "#d8a24c", "straw": "#dfc27a", "sand": "#d9c096",
    "sandy": "#d4b27c", "blonde": "#e3c47c", "blond": "#e3c47c", "cream": "#f1e5c8", "ivory": "#f2ead6",
    "beige": "#d9c6a5", "tan": "#c79a68", "brown": "#7a5136", "chestnut": "#78432c", "auburn": "#8f432b",
    "hazel": "#8a6a3c", "chocolate": "#573626", "brunette": "#5a3a28", "ginger": "#c56a32", "tawny": "#b88748",
    "green": "#4f8a55", "emerald": "#2f8a63", "olive": "#7d8048", "moss": "#6a7c43", "mint": "#9fd0b0",
    "turquoise": "#3fa8a5", "teal": "#2d7f86", "blue": "#3d6ea8", "navy": "#27375f", "azure": "#4f9bd0",
    "indigo": "#3d3b7c", "violet": "#75549a", "purple": "#6d4690", "lavender": "#a898c8", "lilac": "#b8a3cf",
    "plum": "#6a3a60", "grey": "#8b8d93", "gray": "#8b8d93", "silver": "#c3c8cf", "silvery": "#c3c8cf",
    "white": "#f3f0e8", "snowy": "#f3f3f0", "black": "#2e2b33", "dark": "#3a3240", "ebony": "#29252a",
    "raven": "#26242e", "bronze": "#a5713c", "brass": "#c49a45",
}  # fmt: skip


def stable(*parts: str) -> int:
    """A 64-bit number that only depends on the texts."""
    text = "\x1f".join(part[:LONGEST_TEXT] for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")


class Lots:
    """Choices that follow from a number alone; each has a name, so a new one never changes the others."""

    def __init__(self, *parts: str) -> None:
        self._parts = parts

    def number(self, name: str) -> float:
        """0 <= x < 1."""
        return (stable(*self._parts, name) >> 11) / (1 << 53)

    def between(self, name: str, low: float, high: float) -> float:
        return low + (high - low) * self.number(name)

    def pick(self, name: str, choices: Sequence[T]) -> T:
        return choices[int(self.number(name) * len(choices))]
