"""What the text says outright of who speaks: tags such as "said Tom", and the subjects of sentences beside a quote."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field

from .cast import Cast
from .lexicon import SPEECH_VERBS, word_set
from .quotes import Quote
from .tokens import SUBJECT_PRONOUNS, is_verb

FIRST_PERSON = -2  # the teller, where the story has an "I"
_DEAR = re.compile(r"(?:\bmy\s+)?\b(?:dear(?:est)?|old|poor|little|good|young)?\s*$", re.IGNORECASE)
_SUBORDINATE = word_set("before when after as while if until once since because although though")
_LINKS = word_set("and but then so when while as after before")


@dataclass(slots=True)
class Line:
    """A quote with what is known of its speaker: an index into the cast's figures, FIRST_PERSON, or None."""

    quote: Quote
    first: int
    last: int
    who: int | None = None
    how: str = ""
    pronoun: int | None = None
    addressed: set[int] = field(default_factory=set)


class Tags:
    """Reads tags and actors; `lines` has one line per quote, with a speaker where the text names one."""

    def __init__(self, story: str, cast: Cast, quotes: list[Quote]) -> None:
        self._story = story
        self._cast = cast
        self._tokens = cast.tokens
        self._starts = [token.start for token in self._tokens]
        self.lines = [self._line(quote) for quote in quotes]
        for index, line in enumerate(self.lines):
            self._explicit(line, index)

    def _line(self, quote: Quote) -> Line:
        line = Line(quote, bisect_left(self._starts, quote.inner_start), bisect_left(self._starts, quote.inner_end))
        for mention in {id(m): m for at in range(line.first, line.last) if (m := self._cast.at.get(at))}.values():
            if mention.determiner not in ("", "my") and not (
                mention.noun and mention.determiner == "the" and self._tokens[mention.first].capital
            ):
                continue
            before = _DEAR.sub("", self._story[quote.inner_start : mention.start]).rstrip()[-1:]
            after = self._story[mention.end : quote.inner_end].lstrip()[:1]
            alone = before in ("", ",", ".", "!", "?", "—") and after in ("", ",", ".", "!", "?", "—", "…")
            if alone and not mention.possessive:
                line.addressed.add(mention.who)
        return line

    # --- what the text says outright -----------------------------------------------------------------

    def _explicit(self, line: Line, index: int) -> None:
        quote = line.quote
        if quote.label:
            line.who, line.how = self._labelled(line), "tag"
            return
        following = self.lines[index + 1].quote if index + 1 < len(self.lines) else None
        limit = following.start if following and following.paragraph == quote.paragraph else len(self._story)
        lead = self._story[max(0, quote.start - 2) : quote.start].strip()
        if lead[-1:] in {",", ":"} and self._tag_before(line):
            return
        if not self._tag_after(line, limit):
            self._tag_before(line)

    def _labelled(self, line: Line) -> int | None:
        at = bisect_left(self._starts, line.quote.start)
        mention = self._cast.at.get(at)
        return mention.who if mention is not None else None

    def _tag_after(self, line: Line, limit: int) -> bool:
        """`… said Tom`, `… Tom said`, `… she asked softly`."""
        words = self._run(line.last, limit, line.quote.paragraph)
        words = self._first_sentence(words)
        verb = next((at for at in words[:9] if self._tokens[at].low in SPEECH_VERBS), None)
        if verb is None or self._clause_broken(words[0], verb):
            return False
        subject = self._subject_between(words[0], verb)
        if subject is None and verb - words[0] <= 1 and verb + 1 <= words[-1]:
            subject = self._subject_at(verb + 1)
            if subject is None and verb + 2 <= words[-1] and self._tokens[verb + 1].low.endswith("ly"):
                subject = self._subject_at(verb + 2)
        return self._keep(line, subject)

    def _tag_before(self, line: Line) -> bool:
        """`Tom said, …`, `She turned to him and whispered: …`."""
        words = self._before(line)
        if not words:
            return False
        lead = self._story[self._tokens[words[-1]].end : line.quote.start].strip()
        verbs = [at for at in words if self._tokens[at].low in SPEECH_VERBS]
        if lead[:1] in {".", "!", "?", "…"} or not (verbs or lead[:1] == ":"):
            return False
        stop = verbs[-1] if verbs else words[-1] + 1
        if verbs and lead[:1] not in {",", ":", "—", "–", ""}:
            return False
        subject = self._clause_subject(words[0], stop)
        if subject is None and verbs and stop + 1 <= words[-1]:
            subject = self._subject_at(stop + 1)
        return self._keep(line, subject)

    def _keep(self, line: Line, subject: int | None) -> bool:
        if subject is None:
            return False
        token = self._tokens[subject]
        if token.low == "i":
            line.who, line.how = FIRST_PERSON, "tag"
        elif token.low in {"they", "we"}:
            return False
        elif token.low == "it" and subject not in self._cast.at:
            line.who, line.how = self._cast.creature(subject), "tag"
            return line.who is not None
        elif subject in self._cast.at:
            line.who, line.how = self._cast.at[subject].who, "tag"
        else:
            line.pronoun, line.how = subject, "pronoun"
        return True

    def _run(self, first: int, limit: int, paragraph: int) -> list[int]:
        """Narration tokens from `first` on, in the paragraph, before story position `limit`."""
        found: list[int] = []
        for at in range(first, min(first + 30, len(self._tokens))):
            token = self._tokens[at]
            if token.quote >= 0 or token.paragraph != paragraph or token.start >= limit:
                break
            found.append(at)
        return found

    def _first_sentence(self, words: list[int]) -> list[int]:
        for position, at in enumerate(words[1:], 1):
            if self._tokens[at].sentence != self._tokens[words[0]].sentence:
                return words[:position]
        return words

    def _before(self, line: Line) -> list[int]:
        """Narration tokens of the sentence right before the quote, in its paragraph (or one that ends in a colon)."""
        at = line.first - 1
        if at < 0 or self._tokens[at].quote >= 0:
            return []
        last = self._tokens[at]
        if last.paragraph != line.quote.paragraph:
            colon = self._story[last.end : line.quote.start].lstrip()[:1] in {":", ","}
            if not colon or last.paragraph + 1 != line.quote.paragraph:
                return []
        first = at
        while (
            first > 0
            and at - first < 60
            and self._tokens[first - 1].quote < 0
            and self._tokens[first - 1].paragraph == last.paragraph
            and self._tokens[first - 1].sentence == last.sentence
        ):
            first -= 1
        return list(range(first, at + 1))

    def _clause_broken(self, first: int, verb: int) -> bool:
        """Whether a full stop or dash lies between the quote and the verb, so that it is no tag."""
        text = self._story[self._tokens[first].start : self._tokens[verb].start]
        return bool(re.search(r"[;:]", text))

    def _subject_between(self, first: int, verb: int) -> int | None:
        """The first subject; an "it" only where nobody else is ("It was no wonder that he said …")."""
        it: int | None = None
        for at in range(first, verb):
            subject = self._subject_at(at)
            if subject is not None and self._tokens[subject].low != "it":
                return subject
            it = subject if it is None else it
        return it

    def _clause_subject(self, first: int, stop: int) -> int | None:
        """The subject nearest before `stop` that opens a clause, else the sentence's first."""
        clause = first
        for at in range(first + 1, stop):
            gap = self._story[self._tokens[at - 1].end : self._tokens[at].start]
            if "," in gap or ";" in gap or self._tokens[at].low in _LINKS:
                opened = at + (self._tokens[at].low in _LINKS)
                if opened < stop and self._subject_at(opened) is not None:
                    clause = opened
        return self._subject_between(clause, stop)

    def _subject_at(self, at: int) -> int | None:
        """`at`, if somebody is named there who can be a subject (not "Tom's", not "to Tom", not "him")."""
        mention = self._cast.at.get(at)
        if mention is not None:
            if mention.first != at or mention.possessive:
                return None
            return None if at > 0 and self._governed(at) else at
        return at if self._tokens[at].low in SUBJECT_PRONOUNS and self._tokens[at].quote < 0 else None

    def _governed(self, at: int) -> bool:
        before = self._tokens[at - 1]
        if before.sentence != self._tokens[at].sentence or before.quote >= 0:
            return False
        return before.low in {
            "to",
            "at",
            "with",
            "for",
            "of",
            "behind",
            "beside",
            "near",
            "from",
            "by",
            "toward",
            "towards",
            "after",
            "past",
            "against",
            "upon",
            "on",
            "in",
            "into",
            "about",
            "over",
        }

    # --- who acts in a sentence ----------------------------------------------------------------------

    def _actor(self, words: list[int]) -> int | None:
        words = self._main_clause(words)
        for position, at in enumerate(words[:14]):
            subject = self._subject_at(at)
            if subject is None:
                continue
            token = self._tokens[subject]
            mention = self._cast.at.get(subject)
            end = mention.last if mention else subject
            following = [self._tokens[index] for index in range(end + 1, min(end + 4, words[-1] + 1))]
            if position > 0 and not any(is_verb(word.low) for word in following):
                continue
            if token.low == "i":
                return FIRST_PERSON
            who = mention.who if mention else self._cast.pronouns.get(subject)
            return who if who is not None and self._alive(who) else None
        return self._possessor(words)

    def _main_clause(self, words: list[int]) -> list[int]:
        """Without an opening subordinate clause: "Before she could reply the door opened, and Tully came in"."""
        if self._tokens[words[0]].low not in _SUBORDINATE:
            return words
        for position, at in enumerate(words[1:], 1):
            if "," in self._story[self._tokens[at - 1].end : self._tokens[at].start]:
                return words[position:]
        return words

    def _possessor(self, words: list[int]) -> int | None:
        """ "Anna's hands shook." and "Her eyes filled with tears." act for Anna."""
        first = words[0]
        mention = self._cast.at.get(first)
        if mention is not None and mention.possessive and mention.first == first:
            return mention.who
        return self._cast.pronouns.get(first) if self._tokens[first].low in {"his", "her"} else None

    def _alive(self, who: int) -> bool:
        figure = self._cast.figures[who]
        group = figure.noun is not None and figure.noun.kind == "group"
        return (figure.named or figure.acts > 0) and not group
