"""Captions: what is said, in cues of at most two short lines, as .srt and .vtt. Any script.

Hides where text may be broken (words; single characters in scripts without spaces) and what each format escapes.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from pathlib import Path

from pipeline.contracts import FilmForm
from pipeline.film.timeline import SpokenSegment

LINE_WIDTH = 42  # in Latin letters; East Asian ones count twice
LETTERS = 0.05  # the size of letters in the picture: 48 pixels where it has 1280 x 720
SAFE = 0.92  # of the picture's width: what no screen cuts off
_LATIN = 0.52  # how wide a Latin letter is, in its size
_PAUSE = re.compile(r"[.!?…,;:—。！？、，；：؟،؛۔।]['\"’”»)\]」』]*$")
_NO_LINE_START = ")]}»”’!?,.:;…、。，！？：；」』）】》〉ー々"
_JOINERS = "\u200d\ufe0e\ufe0f"


@dataclass(frozen=True, slots=True)
class Cue:
    """One or two lines, shown in [start_ms, end_ms)."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Captions:
    """A film's cues, in order and without overlap, and their language (ISO 639-1). `by_default`: players show them
    unasked."""

    cues: tuple[Cue, ...]
    language: str = "en"
    by_default: bool = True


@dataclass(frozen=True, slots=True)
class _Piece:
    """The least that stays together on a line. `at`: its place in the segment's text; `spaced`: a space before it."""

    text: str
    at: int
    spaced: bool


def line_width(form: FilmForm) -> int:
    """How wide lines in the picture may be, in Latin letters, so that they can be read on a phone."""
    em = LETTERS * (form.width * form.height) ** 0.5
    return min(LINE_WIDTH, int(SAFE * form.width / (em * _LATIN)))


def cues(segments: Iterable[SpokenSegment], *, width: int = LINE_WIDTH) -> tuple[Cue, ...]:
    """The cues of what is said, in lines of at most `width` Latin letters.

    A segment too long for two lines becomes several cues, cut where its words are spoken.
    """
    made: list[Cue] = []
    for segment in segments:
        groups = _cue_groups(_pieces(segment.text, width), width)
        cuts = [*_starts(segment, [group[0].at for group in groups]), segment.end_ms]
        for group, (start, end) in zip(groups, pairwise(cuts), strict=True):
            if end > start:
                made.append(Cue(start, end, _two_lines(group, width)))
    return tuple(made)


def later(cues: Iterable[Cue], ms: int) -> tuple[Cue, ...]:
    """The cues, so much later."""
    return tuple(Cue(cue.start_ms + ms, cue.end_ms + ms, cue.lines) for cue in cues)


def in_lines(text: str, most: int) -> tuple[str, ...]:
    """The text in at most so many lines, about equally long."""
    whole = _width(text)
    pieces = _pieces(text, max(16, -(-whole // most)))
    limit = -(-_width(_text(pieces)) // most)
    while len(lines := _filled(pieces, limit)) > most:
        limit += 1
    return lines


def _filled(pieces: Sequence[_Piece], width: int) -> tuple[str, ...]:
    """Lines filled one after the other."""
    lines: list[list[_Piece]] = [[]]
    for piece in pieces:
        if lines[-1] and _width(_text([*lines[-1], piece])) > width:
            lines.append([])
        lines[-1].append(piece)
    return tuple(_text(line) for line in lines)


def write_srt(cues: Sequence[Cue], path: Path) -> None:
    """Writes SubRip (UTF-8). It knows no escapes: what players would take for a tag gets look-alike brackets."""
    table = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
    blocks = (
        f"{number}\n{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}\n{_joined(cue).translate(table)}\n"
        for number, cue in enumerate(cues, start=1)
    )
    _write(path, "\n".join(blocks))


def write_vtt(cues: Sequence[Cue], path: Path, *, for_muxing: bool = False) -> None:
    """Writes WebVTT (UTF-8). `for_muxing`: also without the characters that ffmpeg would turn into something else."""
    table = str.maketrans(
        {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | ({"{": "(", "}": ")", "\\": "⧵"} if for_muxing else {})
    )
    blocks = (
        f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}\n{_joined(cue).translate(table)}\n" for cue in cues
    )
    _write(path, "\n".join(["WEBVTT\n", *blocks]))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def _joined(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _clock(ms: int, point: str) -> str:
    seconds, part = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{part:03}"


def _width(text: str) -> int:
    return sum(0 if _clings(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _clings(char: str) -> bool:
    """Whether a character belongs to the one before it (an accent, a vowel sign, a part of an emoji)."""
    return char in _JOINERS or unicodedata.category(char) in ("Mn", "Me", "Mc")


def _pieces(text: str, width: int) -> list[_Piece]:
    pieces: list[_Piece] = []
    for match in re.finditer(r"[^\s\x00-\x1f\x7f-\x9f]+", text):
        word, at = match.group(), match.start()
        for start, end in _breaks(word, width):
            pieces.append(_Piece(word[start:end], at + start, spaced=start == 0 and bool(pieces)))
    return pieces


def _breaks(word: str, width: int) -> list[tuple[int, int]]:
    """The spans that a run without spaces may be broken into: between wide characters, and where it is too long."""
    spans: list[tuple[int, int]] = []
    start = 0
    for at in range(1, len(word) + 1):
        if at < len(word):
            before, after = word[at - 1], word[at]
            if _clings(after) or before == "\u200d" or after in _NO_LINE_START:
                continue
            wide = "W" in (unicodedata.east_asian_width(before), unicodedata.east_asian_width(after))
            if not wide and _width(word[start : at + 1]) <= width:
                continue
        spans.append((start, at))
        start = at
    return spans


def _cue_groups(pieces: Sequence[_Piece], width: int) -> list[list[_Piece]]:
    """The pieces of each cue: equal shares of what is left, moved to a pause if one is near."""
    groups: list[list[_Piece]] = []
    rest = list(pieces)
    while rest and _line_break(rest, width) is None:
        left = _width(_text(rest))
        share = left / max(2, -(-left // (2 * width)))
        best, best_cost = 1, inf
        for count in range(1, min(len(rest), 2 * width)):
            if _line_break(rest[:count], width) is None:
                break
            cost = abs(_width(_text(rest[:count])) - share)
            if not _PAUSE.search(rest[count - 1].text):
                cost += LINE_WIDTH / 2
            if cost < best_cost:
                best, best_cost = count, cost
        groups.append(rest[:best])
        rest = rest[best:]
    return [*groups, rest] if rest else groups


def _line_break(pieces: Sequence[_Piece], width: int) -> int | None:
    """After how many pieces the first line ends (all, if one line is enough); None if two lines do not hold them."""
    whole = _width(_text(pieces))
    if whole <= width:
        return len(pieces)
    if whole > 2 * width + 1:
        return None
    best: tuple[int, int] | None = None
    for count in range(1, len(pieces)):
        widest = max(_width(_text(pieces[:count])), _width(_text(pieces[count:])))
        if widest <= width and (best is None or widest < best[0]):
            best = (widest, count)
    return best[1] if best else None


def _text(pieces: Sequence[_Piece]) -> str:
    return "".join(f" {piece.text}" if piece.spaced and number else piece.text for number, piece in enumerate(pieces))


def _two_lines(pieces: Sequence[_Piece], width: int) -> tuple[str, ...]:
    count = _line_break(pieces, width) or len(pieces)
    return tuple(_text(part) for part in (pieces[:count], pieces[count:]) if part)


def _starts(segment: SpokenSegment, places: Sequence[int]) -> list[int]:
    """When what stands at each place of the text is said: by the words' times, else by its share of the text."""
    length = segment.end_ms - segment.start_ms
    starts = [segment.start_ms + length * at // max(1, len(segment.text)) for at in places]
    if segment.words:
        spans = [word.start for word in segment.words]
        spoken = [segment.words[max(0, bisect_right(spans, at) - 1)].start_ms for at in places]
        if all(a < b for a, b in pairwise(spoken)) and (not spoken or spoken[-1] < length):
            starts = [segment.start_ms + ms for ms in spoken]
    return [segment.start_ms, *starts[1:]] if starts else []
