"""Cuts a long text into windows that a model can answer for in one go. Pure."""

from __future__ import annotations

import re

# Better places to cut come first: between paragraphs, lines, sentences, words.
_CUTS = (
    re.compile(r"\n[ \t]*\n\s*"),
    re.compile(r"\n\s*"),
    re.compile(r"(?<=[.!?…。！？।])[\"”’»」』)]*\s*"),
    re.compile(r"\s+"),
)
_DENSE = 0x2E80  # from here on one character carries about as many tokens as three Latin ones


def weight(text: str) -> int:
    """The length of a text in Latin characters that take as many tokens."""
    return len(text) + 2 * sum(ord(char) >= _DENSE for char in text)


def windows(text: str, most: int) -> list[tuple[int, int]]:
    """Spans that tile the text, each at most `most` in weight, cut at the best place in their last half."""
    spans: list[tuple[int, int]] = []
    start = 0
    while start < len(text):
        end = _reach(text, start, most)
        if end < len(text):
            end = _best_cut(text, start, end)
        spans.append((start, end))
        start = end
    return spans or [(0, 0)]


def _reach(text: str, start: int, most: int) -> int:
    spent = 0
    for at in range(start, len(text)):
        spent += 3 if ord(text[at]) >= _DENSE else 1
        if spent > most:
            return max(at, start + 1)
    return len(text)


def _best_cut(text: str, start: int, end: int) -> int:
    for pattern in _CUTS:
        cuts = [match.end() for match in pattern.finditer(text, start, end) if match.end() - start > (end - start) // 2]
        if cuts and cuts[-1] > start:
            return cuts[-1]
    return end
