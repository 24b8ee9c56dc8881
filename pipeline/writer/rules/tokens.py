"""The story as words that know where they stand: span, sentence, paragraph, inside or outside speech."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from . import lexicon
from .lexicon import word_set
from .quotes import Quote
from .sentences import Paragraph

_TOKEN = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*|\d+")
_STOP = re.compile(r"[.!?…。！？]")

with (Path(__file__).parent / "words" / "english.toml").open("rb") as _file:
    _ENGLISH = {key: frozenset(text.split()) for key, text in tomllib.load(_file).items()}
FUNCTION = _ENGLISH["function"]
EXCLAIM = _ENGLISH["exclaim"]
CALENDAR = _ENGLISH["calendar"]
AUXILIARY = _ENGLISH["verbs"]
GENERIC = _ENGLISH["generic"]
NOT_NAMES = FUNCTION | EXCLAIM | CALENDAR
SUBJECT_PRONOUNS = word_set("he she they it i we")
DETERMINERS = word_set("the a an this that his her my your our their its another some one every each no")


@dataclass(slots=True)
class Token:
    """`base` is the lower-case word without a possessive ending; `quote` is -1 outside speech."""

    start: int
    end: int
    text: str
    low: str
    base: str
    possessive: bool
    first: bool
    sentence: int
    paragraph: int
    quote: int
    cue: bool  # in the name before a speech, in a play

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


def tokenise(story: str, blocks: list[Paragraph], quotes: list[Quote]) -> list[Token]:
    """Every word of the paragraphs, in order."""
    tokens: list[Token] = []
    starts = [quote.start for quote in quotes]
    sentence = -1
    for number, block in enumerate(blocks):
        previous: Token | None = None
        for match in _TOKEN.finditer(story, block.start, block.end):
            at = bisect_right(starts, match.start()) - 1
            inside = at if at >= 0 and match.start() < quotes[at].end else -1
            gap = story[previous.end : match.start()] if previous else ""
            fresh = previous is None or _ends(previous, gap, match[0], inside)
            sentence += fresh
            first = fresh or (previous is not None and (previous.quote != inside or ":" in gap))
            label = quotes[inside].label if inside >= 0 else None
            cue = label is not None and label[0] <= match.start() < label[1]
            token = _token(match, first, sentence, number, inside, cue=cue)
            tokens.append(token)
            previous = token
    return tokens


def _ends(previous: Token, gap: str, word: str, quote: int) -> bool:
    if previous.quote != quote and quote >= 0:
        return bool(_STOP.search(gap))
    if not _STOP.search(gap) or word[0].islower():
        return False
    abbreviated = previous.low in lexicon.TITLES or (len(previous.text) == 1 and previous.low not in {"i", "a"})
    return not (gap.strip() == "." and abbreviated and previous.capital)


def _token(match: re.Match[str], first: bool, sentence: int, paragraph: int, quote: int, *, cue: bool) -> Token:
    text = match[0]
    low = text.lower().replace("’", "'")
    possessive = low.endswith("'s") and low not in {"it's", "he's", "she's", "that's", "what's", "there's", "let's"}
    base = low[:-2] if possessive else low
    return Token(match.start(), match.end(), text, low, base, possessive, first, sentence, paragraph, quote, cue)


def is_verb(word: str) -> bool:
    """Whether a lower-case word reads as a verb of a person's doing."""
    return (
        word in lexicon.SPEECH_VERBS
        or word in lexicon.ARRIVE
        or word in lexicon.STAY
        or word in lexicon.LOOK_VERBS
        or word in lexicon.PRESENT
        or word in AUXILIARY
        or (word.endswith("ed") and len(word) > 4 and word not in {"indeed", "hundred", "naked", "sacred", "wicked"})
    )
