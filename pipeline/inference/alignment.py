"""When each word of a text is heard, out of the marks that a speech engine leaves. Pure.

Engines merge words ("to the"), split them ("1984") and pass over some; here every word gets its time all the same.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.contracts import WordTime

_INNER = frozenset("'’-‐‑\u200c\u200d·_@")  # may stand between two letters of one word
_INNER_NUMBER = frozenset(".,:/")


@dataclass(frozen=True, slots=True)
class Mark:
    """What begins at `ms`: the word at `position` of the text (code points from 0), some sound, or a pause."""

    kind: Literal["word", "sound", "pause"]
    position: int
    ms: float


def words(text: str) -> Iterator[tuple[int, int]]:
    """The spans of a text's words, in order. In scripts that set no spaces each sign counts as a word."""
    start = 0
    while start < len(text):
        if not _is_letter(text[start]):
            start += 1
            continue
        end = start + 1
        while end < len(text) and not _is_sign(text[start]) and _goes_on(text, end):
            end += 1
        yield start, end
        start = end


def _goes_on(text: str, at: int) -> bool:
    """Whether the word that reaches up to `at` includes the character there."""
    if _is_letter(text[at]):
        return not _is_sign(text[at])
    if at + 1 >= len(text) or not _is_letter(text[at + 1]) or _is_sign(text[at + 1]):
        return False
    return text[at] in _INNER or (text[at] in _INNER_NUMBER and text[at - 1].isdigit() and text[at + 1].isdigit())


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _is_sign(character: str) -> bool:
    """Chinese characters and Japanese kana, which are written without spaces."""
    return "\u3041" <= character <= "\u30ff" or "\u3400" <= character <= "\u9fff" or character >= "\U00020000"


def aligned(text: str, marks: Sequence[Mark], duration_ms: int) -> tuple[WordTime, ...]:
    """Every word of `text` with its time: in order, without overlap, within 0..`duration_ms`."""
    spans = list(words(text))
    if not spans:
        return ()
    marks = sorted(marks, key=_when)
    anchors = _anchors(spans, marks, duration_ms)
    times: list[WordTime] = []
    for (first, begin), (after, limit) in zip(anchors, [*anchors[1:], (len(spans), float(duration_ms))], strict=True):
        end = _silent_from(marks, begin, limit)
        times += _shared(spans[first:after], begin, end)
    return tuple(times)


def _anchors(spans: list[tuple[int, int]], marks: Sequence[Mark], duration_ms: int) -> list[tuple[int, float]]:
    """(word number, ms) for each word whose start is known, both rising; the first word is always among them."""
    starts = [start for start, _ in spans]
    anchors: list[tuple[int, float]] = []
    for mark in marks:
        number = bisect_right(starts, mark.position) - 1
        if mark.kind != "word" or number < 0 or mark.position >= spans[number][1]:
            continue
        ms = min(max(0.0, mark.ms), float(duration_ms))
        if not anchors or (number > anchors[-1][0] and ms > anchors[-1][1]):
            anchors.append((number, ms))
    if not anchors or anchors[0][0] > 0:
        anchors.insert(0, (0, 0.0))
    return anchors


def _silent_from(marks: Sequence[Mark], begin: float, limit: float) -> float:
    """Where the sound that begins at `begin` falls silent for good before `limit`. Marks are in order of time."""
    end = limit
    at = bisect_left(marks, limit, key=_when) - 1
    while at >= 0 and marks[at].ms > begin and marks[at].kind == "pause":
        end = marks[at].ms
        at -= 1
    return end


def _when(mark: Mark) -> float:
    return mark.ms


def _shared(spans: list[tuple[int, int]], begin: float, end: float) -> Iterator[WordTime]:
    """The time from `begin` to `end` dealt out by the words' lengths."""
    total = sum(stop - start for start, stop in spans)
    passed = 0
    for start, stop in spans:
        times = [round(begin + (end - begin) * share / total) for share in (passed, passed + stop - start)]
        yield WordTime(start=start, end=stop, start_ms=times[0], end_ms=times[1])
        passed += stop - start
