"""Who says each quote: by its tag, by the action beside it, by who was addressed, and by the turns of the talk."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict

from .cast import Cast
from .lexicon import word_set
from .quotes import Quote
from .tags import Line, Tags

_RUN_GAP = 2  # paragraphs without speech that still belong to one conversation
_TOLD = word_set("said answered replied asked told explained declared observed remarked assured begged inquired")
_SILENT = re.compile(
    r"\b(?:said nothing|(?:could|did|would) not (?:answer|reply|speak)|made no (?:answer|reply)"
    r"|gave no answer|was silent)\b"
)
_NEAR = 600  # words back within which somebody still counts as present


def attribute(story: str, cast: Cast, quotes: list[Quote], fresh: frozenset[int]) -> list[Line]:
    """One line per quote, in order. No talk goes on across the start of a paragraph in `fresh`."""
    reader = _Attribution(story, cast, quotes, fresh)
    return reader.lines


class _Attribution(Tags):
    def __init__(self, story: str, cast: Cast, quotes: list[Quote], fresh: frozenset[int]) -> None:
        super().__init__(story, cast, quotes)
        self._fresh = fresh
        self._by_paragraph: dict[int, list[Line]] = defaultdict(list)
        for line in self.lines:
            self._by_paragraph[line.quote.paragraph].append(line)
        self._paragraphs = [token.paragraph for token in self._tokens]
        self._order = [line.first for line in self.lines]
        self._settle()

    # --- what follows from the talk around it --------------------------------------------------------

    def _settle(self) -> None:
        run: list[Line] = []
        last_paragraph = -10
        for paragraph in sorted(self._by_paragraph):
            between = range(max(last_paragraph + 1, paragraph - _RUN_GAP - 1), paragraph)
            if paragraph - last_paragraph > _RUN_GAP + 1 or not self._fresh.isdisjoint((*between, paragraph)):
                run = []
            run.extend(told for at in between if (told := self._indirect(at)) is not None)
            self._paragraph(self._by_paragraph[paragraph], run)
            last_paragraph = paragraph
            lines = self._by_paragraph[paragraph]
            lines[-1].addressed.update(*(line.addressed for line in lines))
            run.append(lines[-1])
        self._backward()

    def _paragraph(self, lines: list[Line], run: list[Line]) -> None:
        """Settle one paragraph's quotes; `run` has the last quote of each paragraph of this talk so far."""
        previous = run[-1] if run else None
        lines[0].told = self._subjects_before(lines[0])
        if not run and lines[0].quote.paragraph not in self._fresh:
            lines[0].led = self._told_before(lines[0])
        tagged = next((line.who for line in lines if line.how == "tag"), None)
        for line in lines:
            if line.pronoun is not None:
                shared = next(
                    (other.who for other in lines if other is not line and other.pronoun == line.pronoun), None
                )
                line.who = self._pronoun_speaker(line, tagged, run) if shared is None else shared
                self._learn_gender(line)
            elif line.how == "other":
                line.who = next((other.who for other in lines if other.who is not None), None) or self._turn(line, run)
            if line.own is not None and line.how != "tag" and not self._nameless(line.who):
                line.who, line.how = line.own, "tag"
        told = next((line for line in lines if line.who is not None), None)
        if told is None and lines[0].how == "crowd":
            return
        if told is None and lines[0].quote.continues and previous is not None:
            lines[0].who, lines[0].how = previous.who, "paragraph"
            told = lines[0] if previous.who is not None else None
        if told is None:
            beat = self._beat(lines)
            if beat is not None:
                lines[0].who, lines[0].how, told = beat, "beat", lines[0]
        if told is None:
            turn = self._turn(lines[0], run)
            if turn is not None:
                lines[0].who, lines[0].how, told = turn, "turn", lines[0]
        current = told.who if told else None
        for line in lines:
            if line.who is None:
                line.who, line.how = current, "paragraph" if current is not None else ""
            current = line.who

    def _indirect(self, paragraph: int) -> Line | None:
        """A turn that is only told of: "She said that she should not go out.", "I could not answer her." """
        first, end = (bisect_left(self._paragraphs, number) for number in (paragraph, paragraph + 1))
        words = list(range(first, min(end, first + 60)))
        told = any(self._tokens[at].low in _TOLD for at in words[:-1])
        silent = bool(words) and _SILENT.search(self._story, self._tokens[first].start, self._tokens[end - 1].end)
        who = self._actor(words) if told or silent else None
        if who is None:
            return None
        return Line(
            Quote(self._tokens[first].start, self._tokens[end - 1].end, 0, 0, paragraph), first, end, who, "tag"
        )

    def _pronoun_speaker(self, line: Line, tagged: int | None, run: list[Line]) -> int | None:
        assert line.pronoun is not None
        avoid = frozenset(line.addressed)
        if tagged is not None and self._fits(tagged, line.pronoun):
            return tagged
        acts = self._acts_before(line)
        if acts is not None and not self._fits(acts, line.pronoun):
            acts = self._nearest_before(line)
        if acts is None and line.quote.paragraph not in self._fresh:
            acts = self._told_before(line)
            acts = None if run and acts == run[-1].who else acts
        if acts not in (None, self._teller) and acts not in avoid and self._fits(acts, line.pronoun):
            return acts
        previous = run[-1].who if run else None
        usual = self._cast.pronoun(line.pronoun, avoid=avoid)
        if previous == self._teller and (usual is None or not self._sure(usual, line.pronoun)):
            partner = next((other.who for other in reversed(run) if self._fits(other.who, line.pronoun)), None)
            usual = usual if partner is None else partner
        elif usual is None or not self._sure(usual, line.pronoun):
            called = self._called_later(line)
            usual = usual if called is None else called
        if usual is not None and usual == previous and usual not in (self._told_before(line), self._acts_before(line)):
            earlier = [other.who for other in reversed(run[:-1]) if other.who not in (None, previous)]
            rival = next(
                (who for who in earlier[:3] if self._rivals(who, usual, line.pronoun) and who not in avoid), None
            )
            if rival is not None:
                return rival
            other = self._cast.pronoun(line.pronoun, avoid=avoid | {usual})
            if other is not None and self._sure(other, line.pronoun) and other in self._near(line, 3):
                return other
        return usual

    def _rivals(self, who: int | None, usual: int, pronoun: int) -> bool:
        """Whether `who` can be meant as well as the usual one."""
        return (
            who is not None
            and self._fits(who, pronoun)
            and (self._sure(who, pronoun) or not self._sure(usual, pronoun))
        )

    def _acts_before(self, line: Line) -> int | None:
        """Who acts in the narration right before the quote, in its own paragraph."""
        before = self._before(line)
        own = before and self._tokens[before[0]].paragraph == line.quote.paragraph
        return self._actor(before) if own else None

    def _subjects_before(self, line: Line) -> frozenset[int]:
        """Everybody who acts in the narration of the line's own paragraph before it."""
        at, found = line.first - 1, set[int]()
        while at >= 0 and self._tokens[at].quote < 0 and self._tokens[at].paragraph == line.quote.paragraph:
            mention = self._cast.at.get(at)
            if mention is not None and self._subject_at(mention.first) is not None and self._cast.is_subject(mention):
                found.add(mention.who)
            at -= 1
        return frozenset(found)

    def _nearest_before(self, line: Line) -> int | None:
        """The latest in the narration of the line's own paragraph before it whom its pronoun is known to fit."""
        at = line.first - 1
        while at >= 0 and self._tokens[at].quote < 0 and self._tokens[at].paragraph == line.quote.paragraph:
            mention = self._cast.at.get(at)
            sure = mention is not None and not mention.possessive and self._sure(mention.who, line.pronoun or 0)
            if mention is not None and sure:
                return mention.who
            at -= 1
        return None

    def _nameless(self, who: int | None) -> bool:
        return who is not None and who >= 0 and not self._cast.figures[who].named

    def _learn_gender(self, line: Line) -> None:
        if line.who is not None and line.who >= 0 and line.pronoun is not None:
            self._cast.learn(line.who, "female" if self._tokens[line.pronoun].low == "she" else "male")

    def _called_later(self, line: Line) -> int | None:
        """Whom the others call by name in the next few speeches: "he" who is not named otherwise."""
        at = self.lines.index(line, max(0, bisect_left(self._order, line.first) - 1))
        for other in self.lines[at + 1 : at + 9]:
            if other.quote.paragraph - line.quote.paragraph > 8:
                break
            fitting = [who for who in sorted(other.addressed) if self._cast.figures[who].named]
            wanted = [who for who in fitting if who not in line.addressed and self._fits(who, line.pronoun or 0)]
            if wanted and other.how == "tag":
                return wanted[0]
        return None

    def _near(self, line: Line, paragraphs: int) -> set[int]:
        """Figures named in the narration of the last few paragraphs or addressed in their talk."""
        found: set[int] = set()
        at = line.first - 1
        while at >= max(0, line.first - _NEAR) and self._tokens[at].paragraph >= line.quote.paragraph - paragraphs:
            mention = self._cast.at.get(at)
            if mention is not None and self._tokens[at].quote < 0:
                found.add(mention.who)
            at -= 1
        return found

    def _fits(self, who: int | None, pronoun: int) -> bool:
        if who is None or who < 0:
            return False
        wanted = "female" if self._tokens[pronoun].low == "she" else "male"
        return self._cast.figures[who].gender in (wanted, "neutral")

    def _sure(self, who: int, pronoun: int) -> bool:
        wanted = "female" if self._tokens[pronoun].low == "she" else "male"
        return self._cast.figures[who].gender == wanted

    def _beat(self, lines: list[Line]) -> int | None:
        """Who acts in the paragraph's narration beside the quote: before it first, then after it."""
        line = lines[0]
        before = self._before(line)
        while before and self._tokens[before[0]].paragraph == line.quote.paragraph:
            who = self._actor(before)
            if who is not None and who not in line.addressed:
                return who
            before = self._sentence_up_to(before[0] - 1)
        for other in lines:
            after = self._first_sentence(self._run(other.last, len(self._story), other.quote.paragraph))
            who = self._actor(after) if after else None
            if who is not None and who not in other.addressed:
                return who
        return None

    def _turn(self, line: Line, run: list[Line]) -> int | None:
        """A, B, A, B: not the one who spoke last, but the one before; or whom the last speaker addressed."""
        if not run or run[-1].who is None:
            told = self._told_before(line)
            return told if told not in line.addressed else None
        previous = run[-1].who
        told = self._told_before(line)
        if told is not None and told not in line.addressed and told != previous:
            return told
        entered = self._entered_since(run[-1], line)
        if entered is not None:
            return entered
        called = [who for who in sorted(run[-1].addressed) if who != previous and who not in line.addressed]
        if called:
            teller = any(other.who == self._teller for other in run) and not self._cast.figures[called[0]].acts
            return self._teller if teller and previous != self._teller else called[0]
        heard = {other.who for other in run[:-1]}
        if self._teller in heard and previous not in heard and previous != self._teller:
            return self._teller  # whoever comes in speaks to the teller
        for other in reversed(run[-7:-1]):
            if other.who not in (None, previous) and other.who not in line.addressed:
                return other.who
        recent = self._recent_people(line, exclude={previous, *line.addressed})
        return recent

    def _entered_since(self, spoken: Line, line: Line) -> int | None:
        """Who came in, in the sentences after the last speech and its tag: "… said Ann. A wolf came up." """
        words = [at for at in range(max(spoken.last, line.first - 80), line.first) if self._tokens[at].quote < 0]
        if not words:
            return None
        first = self._tokens[words[0]].sentence
        present = {spoken.who, *line.addressed}
        for at in reversed(words):
            mention = self._cast.at.get(at)
            if self._tokens[at].sentence == first or mention is None or mention.first != at or mention.possessive:
                continue
            if mention.indefinite and mention.who not in present and self._cast.is_subject(mention):
                return mention.who if self._alive(mention.who) else None
        return None

    def _told_before(self, line: Line) -> int | None:
        """Who acts last in the paragraph of narration right before the quote's, if that has no speech."""
        at = line.first - 1
        if at < 0 or self._tokens[at].quote >= 0 or self._tokens[at].paragraph != line.quote.paragraph - 1:
            return None
        if line.quote.paragraph - 1 in self._by_paragraph:
            return None
        last = self._tokens[at]
        who: int | None = None
        while who is None and at >= max(0, line.first - 60) and self._tokens[at].paragraph == last.paragraph:
            first = at
            while first > 0 and self._tokens[first - 1].sentence == self._tokens[at].sentence:
                first -= 1
            who = self._actor(list(range(first, at + 1)))
            at = first - 1
        return who

    def _recent_people(self, line: Line, exclude: set[int]) -> int | None:
        """The figure named latest in the narration of the last paragraphs, for a talk's second voice."""
        at = line.first - 1
        while at >= max(0, line.first - _NEAR) and self._tokens[at].paragraph >= line.quote.paragraph - 6:
            token = self._tokens[at]
            mention = self._cast.at.get(at)
            here = token.quote < 0 and mention is not None and not mention.possessive
            if here and mention is not None and mention.who not in exclude and self._alive(mention.who):
                return mention.who
            if token.quote < 0 and token.low in {"i", "me", "my"} and self._teller not in exclude:
                return self._teller
            at -= 1
        return None

    def _backward(self) -> None:
        """Quotes at the start of a talk that are still open: two turns ahead is the same voice."""
        turns = [lines for _, lines in sorted(self._by_paragraph.items())]
        for index in range(len(turns) - 1, -1, -1):
            if turns[index][0].who is not None or turns[index][0].how == "crowd":
                continue
            here = turns[index][0].quote.paragraph
            ahead = [lines[0] for lines in turns[index + 1 : index + 3] if lines[0].quote.paragraph - here <= 4]
            who: int | None = None
            if len(ahead) == 2 and ahead[1].who != ahead[0].who and ahead[1].who not in turns[index][0].addressed:
                who = ahead[1].who
            if who is None:
                exclude = {line.who for line in ahead[:1] if line.who is not None} | turns[index][0].addressed
                who = self._recent_people(turns[index][0], exclude)
            if who is None and ahead and ahead[0].addressed:
                who = next(iter(sorted(ahead[0].addressed)))
            for line in turns[index]:
                line.who, line.how = who, "turn" if who is not None else ""
