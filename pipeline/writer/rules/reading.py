"""One reading of a story: paragraphs, speech, words, figures, and who says what. The same text reads the same."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

from .cast import Cast
from .identity import same_people
from .names import find_mentions
from .quotes import Quote, find_quotes
from .sentences import Paragraph, paragraphs
from .speakers import attribute
from .tags import Line
from .tokens import tokenise

_ROUNDS = 2  # who is one with whom changes whose turn it is, which may tell more


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
    cast = Cast(story, tokens, find_mentions(tokens))
    fresh = frozenset(index for index, block in enumerate(blocks) if block.fresh)
    lines = attribute(story, cast, quotes, fresh)
    for _ in range(_ROUNDS):
        cast.merge(same_people(cast, lines))
        cast.hear({line.first: line.who for line in lines if line.who is not None})
        lines = attribute(story, cast, quotes, fresh)
    return Reading(story, language, blocks, quotes, cast, lines)
