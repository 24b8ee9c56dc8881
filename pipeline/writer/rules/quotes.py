"""Where speech is: every style of quotation mark and dash, as spans of the story.

Apostrophes are told from single quotes, scare quotes from speech, and an unbalanced mark ends with its paragraph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .lexicon import PRESENT, SPEECH_VERBS, word_set
from .plays import Cue, cues, speeches
from .sentences import DASH_OPEN, Paragraph, Span

_OPENERS = {"“": "”", "„": "“”", "«": "»", "「": "」", "『": "』", "〝": "〞", "‟": "”"}
_SPOKEN_END = ".,!?…—–-:;。！？，、；"
_LONGEST = 2_000  # characters within which a single quote has to close, or a dash's speech to end
_ELISIONS = word_set("tis twas em til cause bout round twere tisn twill n neath gainst")
_DASH_INNER = re.compile(r"\s[—–―-]\s?(?=\w)|(?<=\w)[—–―](?=\w)|\s?[—–―](?=[.,;:!?]\s)")
_SPEECH = "|".join(sorted((re.escape(verb) for verb in SPEECH_VERBS), key=len, reverse=True))
_REOPENS = re.compile(r"^[ \t]*[—–―-][^\n]*[.,!?…]\s?[—–―]\s?\w", re.MULTILINE)
_TO_EACH_OTHER = re.compile(r"\b(?:I|me|my|mine|you|your|yours|we|us|our)\b")
_PAST = re.compile(rf"(?i:\w{{2,}}ed|was|were|had|did|{'|'.join(sorted(PRESENT))})")
_FOREIGN = word_set(
    "dijo preguntó respondió contestó gritó susurró exclamó murmuró disse perguntou respondeu gritou sussurrou exclamou"
    " dit demanda répondit cria murmura fit chiese rispose gridò sussurrò esclamò sagte fragte rief antwortete"
    " powiedział powiedziała zapytał zapytała сказал сказала спросил спросила ответил ответила крикнул крикнула"
    " zei vroeg"
)
_TAG = re.compile(
    r"(?<=[,!?.…])\s+(?:"
    rf"(?:{_SPEECH})\s+(?:[A-Z][\w'’]*|he|she|they|I|it|the|an?|his|her|my|their)\b"
    rf"|(?:he|she|they|I|it|[A-Z][\w'’]+|(?:the|his|her|my)\s+(?:\w+\s+)?\w+)\s+(?:{_SPEECH})\b"
    rf"|(?:{'|'.join(sorted(_FOREIGN))})\b"
    r")"
)


@dataclass(frozen=True)
class Quote:
    """A stretch of speech. `start`..`end` has the marks, `inner_start`..`inner_end` only the words.

    `continues`: it goes on with the speech that the paragraph before left open. `label`: in a play, where the speaker's
    name stands.
    """

    start: int
    end: int
    inner_start: int
    inner_end: int
    paragraph: int
    continues: bool = False
    label: Span | None = None


def find_quotes(story: str, blocks: list[Paragraph]) -> list[Quote]:
    """Every stretch of speech in the paragraphs, in order, never crossing a paragraph's end."""
    labelled = cues(story, blocks)
    scanner = _Scanner(story, blocks)
    reopens = _REOPENS.search(story) is not None
    quotes: list[Quote] = []
    for index, block in enumerate(blocks):
        if (cue := labelled.get(index)) is not None:
            quotes.extend(_spoken(story, cue, block))
            continue
        if block.kind == "heading":
            continue
        found = scanner.paragraph(index)
        if not found and (match := DASH_OPEN.match(story, block.start, block.end)):
            found = _dashed(story, index, block, match.end(), reopens=reopens)
        quotes.extend(found)
    return [quote for quote in quotes if _has_words(story, quote)]


def _spoken(story: str, cue: Cue, block: Paragraph) -> list[Quote]:
    """A play's speech in its parts; the first starts at the speaker's name, so that the name is not told besides."""
    found: list[Quote] = []
    for start, end in speeches(story, cue, block.end):
        if any(char.isalnum() for char in story[start:end]):
            opened = start if found else cue.name[0]
            found.append(Quote(opened, end, start, end, cue.block, label=cue.name))
    return found


def _has_words(story: str, quote: Quote) -> bool:
    return any(char.isalnum() for char in story[quote.inner_start : quote.inner_end])


class _Scanner:
    """Reads one paragraph after another, remembering whether speech was left open."""

    def __init__(self, story: str, blocks: list[Paragraph]) -> None:
        self._story = story
        self._blocks = blocks
        self._open_before: str | None = None
        self._reversed = 0 <= story.find("»") < (story.find("«") % (len(story) + 1))
        self._same_marks = "“" not in story and "„" not in story and "”" in story
        doubles = sum(story.count(mark) for mark in '"“„«「»') // (2 if '"' in story else 1)
        singles = len(re.findall(r"(?:^|[\s(—–])['‘](?=\w)", story))
        self._single_first = singles > doubles

    def paragraph(self, index: int) -> list[Quote]:
        block = self._blocks[index]
        styles = (self._singles, self._doubles) if self._single_first else (self._doubles, self._singles)
        before, self._open_before = self._open_before, None
        for style in styles:
            found = style(index, block)
            if found:
                if before is not None and self._story[block.start] == before:
                    found[0] = _with_continues(found[0])
                return found
        return []

    def _doubles(self, index: int, block: Paragraph) -> list[Quote]:
        story, position, found = self._story, block.start, []
        while position < block.end:
            closers = self._closers(story, position)
            if closers is None:
                position += 1
                continue
            close = self._close(position, block.end, closers)
            if close is None:
                self._open_before = story[position]
                found.append(Quote(position, block.end, position + 1, block.end, index))
                break
            end = close + (story[close] in closers)
            quote = Quote(position, end, position + 1, close, index)
            if self._is_speech(quote, block):
                found.append(quote)
            position = max(end, position + 1)
        return found

    def _closers(self, story: str, position: int) -> str | None:
        char = story[position]
        if char == '"' or (char == "”" and self._same_marks):
            stray = position + 1 >= len(story) or story[position + 1] in "\r\n"
            return None if stray else char
        if self._reversed and char in "«»":
            return "«" if char == "»" else None
        return _OPENERS.get(char)

    def _close(self, opened: int, limit: int, closers: str) -> int | None:
        """Where the quote opened at `opened` closes: at its mark, or before a new opening one. None: not at all."""
        story, depth = self._story, 0
        mark = story[opened]
        for position in range(opened + 1, limit):
            char = story[position]
            if char == mark and mark not in closers:
                if mark in "「『":
                    depth += 1
                elif char == "“":
                    return position
            elif char in closers:
                if depth:
                    depth -= 1
                    continue
                reopens = mark == '"' and story[position - 1].isspace() and story[position + 1 : position + 2].isalnum()
                if char == '"' and reopens and position > opened + 1:
                    return position - 1
                return position
        return None

    def _singles(self, index: int, block: Paragraph) -> list[Quote]:
        story, position, found = self._story, block.start, []
        while position < block.end:
            if not self._opens_single(position, block):
                position += 1
                continue
            close = self._close_single(position, block)
            if close is None:
                if position == block.start and self._single_first and not self._is_elision(position, block):
                    self._open_before = story[position]
                    found.append(Quote(position, block.end, position + 1, block.end, index))
                    break
                position += 1
                continue
            quote = Quote(position, close + 1, position + 1, close, index)
            if self._is_speech(quote, block):
                found.append(quote)
            position = close + 1
        return found

    def _opens_single(self, position: int, block: Paragraph) -> bool:
        story = self._story
        if story[position] not in "'‘" or position + 1 >= block.end:
            return False
        before = story[position - 1] if position > block.start else " "
        after = story[position + 1]
        return (before.isspace() or before in '—–-("“…') and (after.isalnum() or after in '"“…—.')

    def _is_elision(self, position: int, block: Paragraph) -> bool:
        word = re.match(r"[^\W\d_]+", self._story[position + 1 : min(position + 12, block.end)])
        return word is not None and word[0].lower() in _ELISIONS

    def _close_single(self, opened: int, block: Paragraph) -> int | None:
        """The closing mark: the first after punctuation, else (no later speech opens first) the first after a word."""
        story, fallback = self._story, None
        close = "’'" if story[opened] == "‘" else "'"
        for position in range(opened + 1, min(block.end, opened + _LONGEST)):
            if story[position] not in close:
                if position > opened + 1 and self._opens_single(position, block) and fallback is not None:
                    break
                continue
            after = story[position + 1] if position + 1 < block.end else " "
            if after.isalnum():
                continue
            if story[position - 1] in _SPOKEN_END + '"”':
                return position
            if fallback is None and story[position - 1].isalnum() and story[position - 1].lower() != "s":
                fallback = position
        return None if self._is_elision(opened, block) else fallback

    def _is_speech(self, quote: Quote, block: Paragraph) -> bool:
        """Scare quotes, titles of songs and written signs stay with the narration."""
        story = self._story
        inner = story[quote.inner_start : quote.inner_end].strip()
        if not inner:
            return False
        before = story[max(block.start, quote.start - 40) : quote.start].rstrip()
        after = story[quote.end : min(block.end, quote.end + 60)].lstrip()
        if inner[-1:] in _SPOKEN_END or not before or before[-1:] in ",:：，—–":
            return True
        if len(inner.split()) > 6 or not inner[:1].isascii():
            return True
        if before[-1:] in _SPOKEN_END + '"”’»' and inner[:1].isupper():
            return True
        words = re.findall(r"[\w'’]+", story[max(block.start, quote.start - 24) : quote.start].lower())
        next_words = re.findall(r"[\w'’]+", after[:40].lower())[:3]
        return bool(words and words[-1] in SPEECH_VERBS - {"called"}) or (
            not after[:1].isupper() and bool(SPEECH_VERBS.intersection(next_words[:2])) and inner[:1].isupper()
        )


def _with_continues(quote: Quote) -> Quote:
    return Quote(quote.start, quote.end, quote.inner_start, quote.inner_end, quote.paragraph, continues=True)


def _dashed(story: str, index: int, block: Paragraph, opened: int, *, reopens: bool) -> list[Quote]:
    """Dash style: speech to the paragraph's end, but for tags like ", said Tom" and asides between dashes.

    Where the story never opens speech again with a second dash (`reopens`), speech goes on by itself after the tag.
    """
    found: list[Quote] = []
    start, inner = block.start, opened
    while inner < block.end:
        limit = min(block.end, inner + _LONGEST)
        tag = _TAG.search(story, inner, limit)
        dash = _DASH_INNER.search(story, inner, limit)
        if dash is not None and not _is_aside(story, dash.end(), block.end):
            dash = None
        if tag is None and dash is None:
            found.append(Quote(start, block.end, inner, block.end, index))
            break
        stop = min(match.start() for match in (tag, dash) if match is not None)
        found.append(Quote(start, stop, inner, stop, index))
        again = _DASH_INNER.search(
            story, max(stop + 3, tag.end() if tag and tag.start() == stop else stop + 3), block.end
        )
        if again is None:
            rest = None if reopens or tag is None or tag.start() != stop else _resumed(story, tag, block.end)
            if rest is not None:
                found.append(Quote(rest, block.end, rest, block.end, index))
            break
        start, inner = again.start(), again.end()
        while inner < block.end and story[inner] in " \t.,;:":
            inner += 1
    return found


def _resumed(story: str, tag: re.Match[str], end: int) -> int | None:
    """Where speech goes on after a dash's tag: "said Corrigan. I pay on the nail."; None where the teller goes on."""
    after = story[tag.end() : end]
    comma = re.match(r",\s+", after)
    clause = re.match(r"[^.!?…]*", after[comma.end() :]) if comma else None
    if comma is not None and clause is not None and _TO_EACH_OTHER.search(clause[0]):
        return tag.end() + comma.end()
    stop = re.search(r"[.!?…]\s+(?=\S)", after)
    if stop is None:
        return None
    sentence = re.match(r"[^.!?…]*[.!?…]?", after[stop.end() :])
    told = [word for word in re.findall(r"[\w'’]+", sentence[0])[:6] if _PAST.fullmatch(word)] if sentence else []
    mine = re.search(r"\bI\b", tag[0]) is not None
    spoken = sentence is not None and (
        sentence[0][-1:] in "!?" or (_TO_EACH_OTHER.search(sentence[0]) is not None and not (mine and told)) or not told
    )
    return tag.end() + stop.end() if spoken else None


def _is_aside(story: str, start: int, end: int) -> bool:
    """Whether what follows a dash inside dash speech is the teller's: it begins with a small letter and a verb."""
    text = story[start : min(end, start + 60)]
    words = re.findall(r"[\w'’]+", text)
    return any(word.lower() in SPEECH_VERBS for word in words[:3]) or (bool(words) and words[0].lower() in _FOREIGN)
