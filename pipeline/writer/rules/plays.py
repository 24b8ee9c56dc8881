"""Plays: who speaks stands before the speech, as "TOM: Hello.", "MRS. ALVING. (rising) Hello." or on a line of its own.

What stands in brackets inside a speech is a direction, told and not spoken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .sentences import Paragraph, Span

_NAME = r"[A-Z][A-Z'’.-]*(?: [A-Z][A-Z'’.-]*){0,3}"
_BRACKETS = r"(?:\([^()]{1,200}\)|\[[^\[\]]{1,200}\])"
_PLAIN = re.compile(rf"([A-Z][\w.'’ -]{{0,28}}?)\s?(?:{_BRACKETS}\s?)?:\s+(?=\S)")
_CAPITALS = re.compile(rf"({_NAME})(?:,? ?{_BRACKETS})?\s?[.:—–]+\s+(?:{_BRACKETS}[.,]?\s+)?(?=\S)")
_ALONE = re.compile(rf"({_NAME})[.:]?(?:\s?{_BRACKETS})?[.:]?$")
_DIRECTION = re.compile(_BRACKETS)


@dataclass(frozen=True)
class Cue:
    """`name` is the span of the speaker's name, in `block` or in the one before; the speech is from `speech` on."""

    block: int
    name: Span
    speech: int


def cues(story: str, blocks: list[Paragraph]) -> dict[int, Cue]:
    """Block → its cue; empty where the story is no play."""
    texts = [story[block.start : block.end] for block in blocks]
    plain = dict(_matches(_PLAIN, texts, blocks))
    if len(plain) >= max(3, 0.4 * len(texts)):
        return plain
    capitals = dict(_matches(_CAPITALS, texts, blocks))
    if _recur(story, capitals) and len(capitals) >= max(3, 0.25 * len(texts)):
        return capitals
    alone = dict(_alone(texts, blocks))
    return alone if _recur(story, alone) and len(alone) >= max(3, 0.2 * len(texts)) else {}


def _matches(pattern: re.Pattern[str], texts: list[str], blocks: list[Paragraph]) -> Iterator[tuple[int, Cue]]:
    for index, text in enumerate(texts):
        match = pattern.match(text)
        if match is not None:
            at = blocks[index].start
            yield index, Cue(index, (at + match.start(1), at + match.end(1)), at + match.end())


def _alone(texts: list[str], blocks: list[Paragraph]) -> Iterator[tuple[int, Cue]]:
    """Names on a line of their own, each with the paragraph after it."""
    for index, text in enumerate(texts[:-1]):
        match = _ALONE.match(text)
        if match is not None and len(text) <= 60 and _ALONE.match(texts[index + 1]) is None:
            at = blocks[index].start
            yield index + 1, Cue(index + 1, (at + match.start(1), at + match.end(1)), blocks[index + 1].start)


def _recur(story: str, found: dict[int, Cue]) -> bool:
    """Whether at least two speakers speak more than once, as headings and signs do not."""
    counts = Counter(story[slice(*cue.name)] for cue in found.values())
    return sum(number > 1 for number in counts.values()) >= 2


def speeches(story: str, cue: Cue, end: int) -> Iterator[Span]:
    """The spoken parts from the cue to `end`, without the directions in brackets."""
    start = cue.speech
    for match in _DIRECTION.finditer(story, cue.speech, end):
        yield start, match.start()
        start = match.end()
    yield start, end
