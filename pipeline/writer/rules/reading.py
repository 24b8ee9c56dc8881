"""One reading of a story: paragraphs, speech, words, figures, and who says what. The same text reads the same."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

from .cast import Cast
from .names import find_mentions
from .quotes import Quote, find_quotes
from .sentences import Paragraph, paragraphs
from .speakers import attribute
from .tags import Line
from .tokens import tokenise


@dataclass(frozen=True)
class Reading:
    story: str
    language: str
    blocks: list[Paragraph]
    quotes: list[Quote]
    cast: Cast
    lines: list[Line]

    def quotes_in(self, block: int) -> list[tuple[int, Quote]]:
        """The quotes of one paragraph, each with its number in the story."""
        first = bisect_left(self.quotes, block, key=lambda quote: quote.paragraph)
        last = bisect_left(self.quotes, block + 1, key=lambda quote: quote.paragraph)
        return list(zip(range(first, last), self.quotes[first:last], strict=True))


@lru_cache(maxsize=2)
def read(story: str, language: str) -> Reading:
    """Reads the story; figures are found in English only, speech in every language."""
    blocks = paragraphs(story)
    quotes = find_quotes(story, blocks)
    tokens = tokenise(story, blocks, quotes) if language == "en" else []
    cast = Cast(tokens, find_mentions(tokens))
    return Reading(story, language, blocks, quotes, cast, attribute(story, cast, quotes))
