"""The script: narration and speech in order, each piece short enough for one breath, every letter of the story kept."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pipeline.contracts import SegmentDraft, SegmentKind

from .places import changes_scene
from .reading import Reading
from .sentences import Span, pieces

_EDGE = re.compile(r"^[\s\"“”„«»「」『』‘’',;.:!?*_#=~|<>\[\]{}()—–―\-]+|[\s\"“”„«»「」『』*_#=~|—–―]+$")
_TAG = 60  # narration up to this many characters joins the paragraph after it
_JOINED = 220


@dataclass(frozen=True)
class _Piece:
    kind: SegmentKind
    span: Span
    text: str
    speaker: str | None
    block: int
    fresh: bool = False


def script(reading: Reading, speakers: list[str | None]) -> tuple[SegmentDraft, ...]:
    """The story's segments. Spans touch, except where a break (asterisks, a heading, a wide gap) lies between."""
    names = {quote.label[0] for quote in reading.quotes if quote.label is not None}
    told = [
        index
        for index, block in enumerate(reading.blocks)
        if block.start not in names or reading.quotes_in(index)  # a play's name on a line of its own is not told
    ]
    parts = _join([part for index in told for part in _block(reading, index, speakers)])
    segments = []
    for position, part in enumerate(parts):
        following = parts[position + 1] if position + 1 < len(parts) else None
        end = part.span[1]
        if following is not None and not following.fresh:
            end = following.span[0]
        segments.append(SegmentDraft(kind=part.kind, text=part.text, speaker=part.speaker, start=part.span[0], end=end))
    return tuple(segments)


def _block(reading: Reading, index: int, speakers: list[str | None]) -> list[_Piece]:
    block = reading.blocks[index]
    parts: list[_Piece] = []
    position = block.start
    for number, quote in reading.quotes_in(index):
        parts += _narration(reading, index, position, quote.start)
        for span in pieces(reading.story, quote.inner_start, quote.inner_end, reading.language):
            text = _clean(reading.story[span[0] : span[1]], "dialogue")
            parts.append(_Piece("dialogue", span, text, speakers[number], index))
        if quote.label is not None:
            first = next(at for at, part in enumerate(parts) if part.span[0] >= quote.inner_start)
            parts[first] = _starting_at(parts[first], quote.start)
        position = quote.end
    parts += _narration(reading, index, position, block.end)
    if parts and block.fresh:
        first_part = parts[0]
        parts[0] = _Piece(first_part.kind, first_part.span, first_part.text, first_part.speaker, index, fresh=True)
    return parts


def _starting_at(piece: _Piece, start: int) -> _Piece:
    return _Piece(piece.kind, (start, piece.span[1]), piece.text, piece.speaker, piece.block, piece.fresh)


def _narration(reading: Reading, index: int, start: int, end: int) -> list[_Piece]:
    if not any(char.isalnum() for char in reading.story[start:end]):
        return []
    spans = pieces(reading.story, start, end, reading.language)
    return [
        _Piece("narration", span, _clean(reading.story[span[0] : span[1]], "narration"), None, index) for span in spans
    ]


def _join(parts: list[_Piece]) -> list[_Piece]:
    """A speech tag that ends its paragraph joins the next paragraph's narration, unless the scene changes there."""
    joined: list[_Piece] = []
    for part in parts:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.kind == part.kind == "narration"
            and not part.fresh
            and last.block != part.block
            and len(last.text) <= _TAG
            and len(last.text) + len(part.text) <= _JOINED
            and last.text[:1].islower()
            and not changes_scene(part.text)
        ):
            joined[-1] = _Piece(
                "narration", (last.span[0], part.span[1]), f"{last.text} {part.text}", None, part.block, last.fresh
            )
        else:
            joined.append(part)
    return joined


def _clean(text: str, kind: SegmentKind) -> str:
    """Speakable: white space and control characters collapsed, marks at the edges dropped, nothing else changed."""
    visible = "".join(" " if unicodedata.category(char) in ("Cc", "Cs") else char for char in text)
    collapsed = " ".join(visible.split())
    trimmed = _EDGE.sub("", collapsed) if kind == "narration" else collapsed.strip(' "“”„«»「」『』')
    return trimmed or collapsed
