"""What the text says outright of who speaks: tags such as "said Tom", and the subjects of sentences beside a quote."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field

from .cast import Cast
from .figures import Mention
from .lexicon import SPEECH_VERBS, word_set
from .quotes import Quote
from .tokens import FUNCTION, GENERIC, SUBJECT_PRONOUNS, is_verb

FIRST_PERSON = -2  # the teller, where the story has an "I"
_INNER_OPEN = re.compile(r"(?<=[\s—(])['‘\"“](?=\w)")
_INNER_CLOSE = re.compile(r"[.,!?…—]['’\"”]")
_WHO = re.compile(r"\b(?:your names?|who are you|and you)\b[^.!?]*\W*$", re.IGNORECASE)
_DEAR = re.compile(r"(?:\bmy\s+)?\b(?:dear(?:est)?|old|poor|little|good|young)?\s*$", re.IGNORECASE)
_SUBORDINATE = word_set("before when after as while if until once since because although though")
_SELF = (["my", "name", "is"], ["my", "name's"], ["i", "am"], ["i'm"], ["call", "me"])
_YOU = (["are", "you"], ["you", "are"], ["you're"], ["you", "must", "be"])
_LINKS = word_set("and but then so when while as after before")
_OTHERS = word_set("other latter former")
_CROWD = word_set("they we all everybody everyone several some both many")
_TELLS = word_set("told tells asked asks informed assured reminded answered begged warned advised")
_PARTICLES = word_set("in on out up back forth away")
_GOVERNORS = word_set(
    "to at with for of behind beside near from by toward towards after past against upon on in into about over"
)


@dataclass(slots=True)
class Line:
    """A quote with what is known of its speaker: an index into the cast's figures, FIRST_PERSON, or None.

    `how` is tag, pronoun, other ("said the latter"), crowd ("they cried"), beat, paragraph, turn or "".
    """

    quote: Quote
    first: int
    last: int
    who: int | None = None
    how: str = ""
    pronoun: int | None = None
    own: int | None = None  # whom the speaker says to be
    told: frozenset[int] = frozenset()  # who acts before it in its paragraph
    led: int | None = None  # who acts in the paragraph before it, where a talk begins
    asked: set[int] = field(default_factory=set)  # "Are you Lucy?"
    addressed: set[int] = field(default_factory=set)


def _led_by(cast: Cast, line: Line, mention: Mention, leads: tuple[list[str], ...]) -> bool:
    lead = [cast.tokens[at].low for at in range(max(line.first, mention.first - 3), mention.first)]
    return any(lead[-len(words) :] == words for words in leads)


class Tags:
    """Reads tags and actors; `lines` has one line per quote, with a speaker where the text names one."""

    def __init__(self, story: str, cast: Cast, quotes: list[Quote]) -> None:
        self._story = story
        self._cast = cast
        self._teller = FIRST_PERSON if cast.teller is None else cast.teller
        self._tokens = cast.tokens
        self._starts = [token.start for token in self._tokens]
        self.lines: list[Line] = []
        for quote in quotes:
            self.lines.append(self._line(quote))
        for index, line in enumerate(self.lines):
            self._explicit(line, index)

    def _line(self, quote: Quote) -> Line:
        last = self.lines[-1] if self.lines else None
        line = Line(quote, bisect_left(self._starts, quote.inner_start), bisect_left(self._starts, quote.inner_end))
        for mention in {id(m): m for at in range(line.first, line.last) if (m := self._cast.at.get(at))}.values():
            if mention.determiner == "the" and _led_by(self._cast, line, mention, _SELF):
                line.own = mention.who  # "I am the ferryman."
            if mention.determiner not in ("", "my"):
                continue
            before = _DEAR.sub("", self._story[quote.inner_start : mention.start]).rstrip()[-1:]
            after = self._story[mention.end : quote.inner_end].lstrip()[:1]
            named = bool(mention.names) and not self._nested(quote.inner_start, mention.start)
            if mention.noun is not None and mention.noun.word in GENERIC and not self._cast.figures[mention.who].acts:
                continue  # "child", "man": whoever is there
            alone = before in ("", ",", ".", "!", "?", "—", ";", ":", "…") and (named or not mention.names)
            answers = mention.first == line.first and last is not None and self._asks_name(last)
            if named and (answers or _led_by(self._cast, line, mention, _SELF)):
                line.own = mention.who if after in ("", ",", ".", "!", ";") else None
            elif named and _led_by(self._cast, line, mention, _YOU):
                line.asked.add(mention.who)
            elif alone and after in ("", ",", ".", "!", "?", "—", "–", "…", ";") and not mention.possessive:
                line.addressed.add(mention.who)
        return line

    def _asks_name(self, line: Line) -> bool:
        """Whether the next to speak may give a name alone: after "Who are you?" or another's own name."""
        text = self._story[line.quote.inner_start : line.quote.inner_end]
        return line.own is not None or _WHO.search(text) is not None

    def _nested(self, start: int, end: int) -> bool:
        """Whether a speech within the speech is open at `end`: "He told me, ‘Davy, …"."""
        opened = [match.end() for match in _INNER_OPEN.finditer(self._story, start, end)]
        return bool(opened) and _INNER_CLOSE.search(self._story, opened[-1], end) is None

    # --- what the text says outright -----------------------------------------------------------------

    def _explicit(self, line: Line, index: int) -> None:
        quote = line.quote
        if quote.label is not None:
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
        assert line.quote.label is not None
        at = bisect_left(self._starts, line.quote.label[0])
        mention = self._cast.at.get(at)
        return mention.who if mention is not None else None

    def _tag_after(self, line: Line, limit: int) -> bool:
        """`… said Tom`, `… Tom said`, `… she asked softly`."""
        words = self._first_sentence(self._run(line.last, limit, line.quote.paragraph))
        if not words:
            return False
        if self._keep(line, self._heard(words)):
            return True
        verb = next((at for at in words[:9] if self._tokens[at].low in SPEECH_VERBS), None)
        if verb is not None and not self._clause_broken(words[0], verb):
            subject = self._subject_between(words[0], verb)
            if subject is None and verb - words[0] <= 1:
                subject = self._inverted(verb, words[-1])
            if self._keep(line, subject):
                self._listener(line, verb, words)
                return True
        return self._runs_on(line, words[0]) and self._keep(line, self._teller_of(words))

    def _heard(self, words: list[int]) -> int | None:
        """Whom "they heard her cry" or "I heard Tom call" hears."""
        for at in words[:4]:
            if self._tokens[at].low not in {"heard", "hear", "hears"} or at + 1 > words[-1]:
                continue
            mention = self._cast.at.get(at + 1)
            if mention is not None and mention.first == at + 1 and not mention.possessive:
                return at + 1
            return at + 1 if self._tokens[at + 1].low in {"him", "her"} else None
        return None

    def _listener(self, line: Line, verb: int, words: list[int]) -> None:
        """Who is spoken to in the tag: "he told his wife", "said the fox to the crow"."""
        for at in words:
            mention = self._cast.at.get(at)
            if mention is None or mention.first != at or at <= verb or at - verb > 6 or mention.possessive:
                continue
            lead = self._tokens[at - 1].low
            if (lead == "to" or (at == verb + 1 and lead in _TELLS)) and mention.who != line.who:
                line.addressed.add(mention.who)

    def _runs_on(self, line: Line, after: int) -> bool:
        """Whether the sentence goes on after the quote, so that what follows is a tag whatever its verb."""
        ends = self._story[line.quote.inner_start : line.quote.inner_end].rstrip()[-1:]
        token = self._tokens[after]
        return ends == "," or (ends in set("?!…—–-") and not token.capital and token.low not in {"and", "but"})

    def _teller_of(self, words: list[int]) -> int | None:
        """The subject of a tag with a verb that is no verb of speech: "the box wanted to know", "put in Tom"."""
        subject = self._subject_at(words[0])
        if subject is not None:
            return subject
        token = self._tokens[words[0]]
        opens = token.low not in FUNCTION and not token.capital and not token.low.endswith("ing")
        if opens and (subject := self._inverted(words[0], words[-1])) is not None:
            return subject
        return next((found for at in words[1:8] if (found := self._subject_at(at)) is not None), None)

    def _inverted(self, verb: int, last: int) -> int | None:
        """The subject after its verb: "said Tom", "said softly the fox", "put in Tom"."""
        for at in range(verb + 1, min(verb + 4, last + 1)):
            mention = self._cast.at.get(at)
            named = mention is not None and mention.first == at and not mention.possessive
            if named or self._subject_at(at) is not None:
                return at
            low = self._tokens[at].low
            if not low.endswith("ly") and low not in _PARTICLES:
                return None
        return None

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
            line.who, line.how = self._teller, "tag"
        elif token.low in _CROWD and subject not in self._cast.at:
            line.how = "crowd"
        elif token.low == "the" and subject not in self._cast.at:
            line.how = "other"
        elif token.low == "it" and subject not in self._cast.at:
            line.who, line.how = self._cast.creature(subject), "tag"
            return line.who is not None
        elif subject in self._cast.at:
            line.who, line.how = self._cast.at[subject].who, "tag"
            line.addressed.discard(line.who)
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

    def _sentence_up_to(self, at: int) -> list[int]:
        """Narration tokens of the sentence that ends at `at`, from its start or the last speech in it."""
        first = at
        while first >= 0 and self._tokens[first].quote < 0 and at - first < 60:
            if self._tokens[first].sentence != self._tokens[at].sentence:
                break
            first -= 1
        return list(range(first + 1, at + 1))

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
        token = self._tokens[at]
        if token.quote >= 0:
            return None
        if token.low == "the" and at + 1 < len(self._tokens) and self._tokens[at + 1].low in _OTHERS:
            return at
        return at if token.low in SUBJECT_PRONOUNS or token.low in _CROWD else None

    def _governed(self, at: int) -> bool:
        before = self._tokens[at - 1]
        if before.sentence != self._tokens[at].sentence or before.quote >= 0:
            return False
        return before.low in _GOVERNORS

    # --- who acts in a sentence ----------------------------------------------------------------------

    def _actor(self, words: list[int]) -> int | None:
        """Who acts in a sentence: in its last clause that has a subject of its own, else in its first."""
        words = self._main_clause(words)
        for position in range(len(words) - 1, 0, -1):
            if self._opens_clause(words[position - 1], words[position]):
                who = self._actor_of(words[position + (self._tokens[words[position]].low in _LINKS) :], strict=True)
                if who is not None:
                    return who
        return self._actor_of(words, strict=False)

    def _opens_clause(self, before: int, at: int) -> bool:
        gap = self._story[self._tokens[before].end : self._tokens[at].start]
        low = self._tokens[at].low
        return ";" in gap or ("," in gap and low in {"and", "but"}) or low == "when"

    def _actor_of(self, words: list[int], *, strict: bool) -> int | None:
        """The clause's subject; with `strict`, only if it opens with one that has its verb."""
        for position, at in enumerate(words[: 1 if strict else 14]):
            subject = self._subject_at(at)
            if subject is None:
                continue
            token = self._tokens[subject]
            mention = self._cast.at.get(subject)
            end = mention.last if mention else subject
            following = [self._tokens[index] for index in range(end + 1, min(end + 4, words[-1] + 1))]
            acts = any(is_verb(word.low) for word in following) or (
                mention is not None and self._cast.is_subject(mention)
            )
            if (strict or position > 0) and not acts:
                continue
            if token.low == "i":
                return self._teller
            if token.low == "it" and position > 0:
                continue
            who = mention.who if mention else self._cast.pronouns.get(subject)
            return who if who is not None and self._alive(who) else None
        return None if strict else self._possessor(words)

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
