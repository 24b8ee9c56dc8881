"""Paragraphs, sentences and pieces of a size fit for speaking, all as spans of the story."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from sentencex import get_sentence_boundaries

Span = tuple[int, int]
PIECE = 300
_CLAUSE_END = re.compile(r"[;:,—–،、，；：।]\s*|\s[–—-]\s")
_TERMINATORS = ".!?…:。！？؟।॥"
_CLOSERS = "\"'”’»«“」』)]*_"
_CHAPTER = re.compile(
    r"\W*(?:(?:chapter|part|book|act|scene|prologue|epilogue|kapitel|chapitre|capítulo|capitolo)\b.{0,60}"
    r"|[IVXLC]{1,6}|\d{1,3})\W*$",
    re.IGNORECASE,
)
_SURROGATE = re.compile("[\ud800-\udfff]")  # halves of characters, which the splitter cannot encode
DASH_OPEN = re.compile(r"\s*(?:[—–―]\s*|-\s+)(?=\S)")


@dataclass(frozen=True)
class Paragraph:
    """A paragraph's span without outer space. `fresh`: a break, heading or gap sets it off from what came before."""

    start: int
    end: int
    kind: Literal["text", "heading"] = "text"
    fresh: bool = False


def paragraphs(story: str) -> list[Paragraph]:
    """The story's paragraphs in order: those with anything to say. Hard-wrapped lines are joined."""
    lines = [(match.start(), match.end()) for match in re.finditer(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+", story)]
    blocks = _blocks(story, lines)
    found: list[Paragraph] = []
    fresh, after_heading = False, False
    usual_gap = _usual_gap(story, blocks)
    previous_end = 0
    for start, end in blocks:
        text = story[start:end]
        if not any(char.isalnum() for char in text):
            fresh = fresh or bool(text.strip())
            previous_end = end
            continue
        fresh = fresh or (bool(found) and story.count("\n", previous_end, start) > usual_gap)
        heading = _is_heading(story, text, first=not found)
        if heading and not found and len(blocks) < 2:
            heading = False
        found.append(Paragraph(start, end, "heading" if heading else "text", fresh or (heading and not after_heading)))
        fresh, after_heading, previous_end = False, heading, end
    return found


def _blocks(story: str, lines: list[Span]) -> list[Span]:
    trimmed = [_trim(story, start, end) for start, end in lines]
    solid = [span for span in trimmed if span[0] < span[1]]
    wrapped = _is_wrapped(story, solid)
    blocks: list[Span] = []
    for start, end in solid:
        if blocks and wrapped:
            last_start, last_end = blocks[-1]
            same = story.count("\n", last_end, start) < 2 and not _stands_alone(story, last_start, last_end, start, end)
            if same:
                blocks[-1] = (last_start, end)
                continue
        blocks.append((start, end))
    return blocks


def _stands_alone(story: str, last_start: int, last_end: int, start: int, end: int) -> bool:
    if not any(char.isalnum() for char in story[start:end]) or not any(
        char.isalnum() for char in story[last_start:last_end][-80:]
    ):
        return True
    ended = story[last_start:last_end].rstrip(_CLOSERS)[-1:] in _TERMINATORS
    return bool(_CHAPTER.match(story[start:end][:90])) or (ended and bool(DASH_OPEN.match(story, start)))


def _is_wrapped(story: str, lines: list[Span]) -> bool:
    """Whether single line breaks are only typesetting: most lines that run on do not end a sentence."""
    running = open_ended = 0
    for (start, end), (next_start, _) in pairwise(lines):
        if story.count("\n", end, next_start) < 2 and end - start > 30:
            running += 1
            open_ended += story[start:end].rstrip(_CLOSERS)[-1:] not in _TERMINATORS
    return running > 0 and open_ended * 2 > running


def _usual_gap(story: str, blocks: list[Span]) -> int:
    gaps = sorted(story.count("\n", end, start) for (_, end), (start, _) in pairwise(blocks))
    return max(gaps[len(gaps) // 2], 1) if len(gaps) > 2 else 2


def _is_heading(story: str, text: str, *, first: bool) -> bool:
    if len(text) > 90 or "\n" in text:
        return False
    if _CHAPTER.match(text):
        return True
    bare = text.strip().rstrip(_CLOSERS)
    if bare[-1:] in _TERMINATORS + "," or text[:1] in '"“‘«„「『—–-' or text[-1:] in "\"”’»」』'":
        return False
    if first:
        return len(bare.split()) <= 10 and len(text) < len(story.strip())
    return len(bare.split()) <= 8 and bare.isupper() and len(bare) > 3


def is_heading_text(text: str) -> bool:
    """Whether a segment's text reads like a chapter heading."""
    return len(text) <= 90 and bool(_CHAPTER.match(text))


def sentences(story: str, start: int, end: int, language: str) -> list[Span]:
    """Spans of the sentences in story[start:end], trimmed, in order; each holds a letter or digit."""
    spans: list[Span] = []
    text = _SURROGATE.sub("\ufffd", story[start:end])
    for found in get_sentence_boundaries(language, text):
        span = _trim(story, start + int(found["start_index"]), start + int(found["end_index"]))
        if not any(char.isalnum() for char in story[span[0] : span[1]]):
            if spans:
                spans[-1] = (spans[-1][0], max(span[1], spans[-1][1]))
            continue
        spans.append(span)
    if not spans and any(char.isalnum() for char in text):
        spans.append(_trim(story, start, end))
    return spans


def pieces(story: str, start: int, end: int, language: str) -> list[Span]:
    """story[start:end] in spans of 1-3 sentences and about PIECE characters; an overlong sentence is cut at clauses."""
    result: list[Span] = []
    count = 0
    for span in (part for found in sentences(story, start, end, language) for part in _cut(story, *found)):
        if result and count < 3 and span[1] - result[-1][0] <= PIECE:
            result[-1] = (result[-1][0], span[1])
            count += 1
        else:
            result.append(span)
            count = 1
    return _balanced(story, result)


def _balanced(story: str, spans: list[Span]) -> list[Span]:
    """A very short last piece joins the one before it, unless that makes it too long."""
    if len(spans) > 1 and spans[-1][1] - spans[-1][0] < 25 and spans[-1][1] - spans[-2][0] <= PIECE + 40:
        spans[-2:] = [(spans[-2][0], spans[-1][1])]
    return spans


def _cut(story: str, start: int, end: int) -> list[Span]:
    parts: list[Span] = []
    while end - start > PIECE + 40:
        window = story[start : start + PIECE]
        cuts = [match.end() for match in _CLAUSE_END.finditer(window) if match.end() > PIECE // 3]
        spaces = [match.end() for match in re.finditer(r"\s+", window) if match.end() > PIECE // 3]
        cut = start + (cuts or spaces or [PIECE])[-1]
        if any(char.isalnum() for char in story[start:cut]):
            parts.append(_trim(story, start, cut))
        start = cut
    if any(char.isalnum() for char in story[start:end]):
        parts.append(_trim(story, start, end))
    return parts


def _trim(story: str, start: int, end: int) -> Span:
    while start < end and story[start].isspace():
        start += 1
    while end > start and story[end - 1].isspace():
        end -= 1
    return start, end
