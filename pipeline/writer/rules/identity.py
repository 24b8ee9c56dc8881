"""Which figures turn out to be one person, told by the talk: who answers to a name, and whose turn a description takes.

"It's the same number, Dee." – "So," Denise said: Dee is Denise. "Mudge!" – "And if it is a legacy?" inquired the clerk:
the clerk is Mudge. "My name is Vivienne Marsh", says the blonde. Names that the teller answers to are the teller's own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise

from nicknames import NickNamer

from .cast import Cast
from .figures import Figure
from .lexicon import DIMINUTIVES, name_gender, word_set
from .tags import FIRST_PERSON, Line
from .tokens import GENERIC

_TALK = 3  # paragraphs within which the next speech answers the one before
_SURE = {"tag": 1.0, "pronoun": 0.9, "beat": 0.8, "other": 0.8, "paragraph": 0.6, "turn": 0.6}
_SHARE = 0.6  # of all evidence about a figure, what must speak for one other
# How much evidence it takes: for a name or title that somebody is called by, for a description, for one of a beast.
_CALLED, _DESCRIBED, _BEAST = 0.6, 0.8, 1.2
# Whoever serves is seldom told of by name: their description alone does not make them whose turn it is.
_SERVING = word_set(
    "butler waiter waitress maid servant footman porter driver coachman guard sentry policeman constable officer"
    " soldier sailor boy girl child man woman voice messenger nurse cook conductor innkeeper landlord stranger"
)
_FRIENDS = word_set("friend companion")
_LAST = 6  # turns back within which somebody still takes part
_BACK = 120  # words back within which somebody is still there to be called
_INTRODUCED = 20  # paragraphs back within which whoever gives their name may have been talking already
_TITLED = (("mother", {"mrs", "lady", "madam"}), ("father", {"mr", "sir"}))
# What anybody can be for a while, whatever their trade.
_SITUATIONS = word_set(
    "witness patient passenger visitor client guest host hostess stranger prisoner suspect victim caller customer"
    " traveller tenant lodger widow bride bridegroom captive convict"
)
# Kin whom a name may stand for; "the nephew" or "the orphan's guardian" are left alone.
_RELATIVES = word_set(
    "mother father grandmother grandfather aunt uncle wife husband brother sister cousin son daughter friend companion"
    " partner"
)
_PARENTS = word_set("mother father grandmother grandfather aunt uncle")


def same_people(cast: Cast, lines: list[Line]) -> dict[int, int]:
    """Figures that are somebody else → that other figure, or FIRST_PERSON."""
    return _Identity(cast, lines).merges()


class _Identity:
    def __init__(self, cast: Cast, lines: list[Line]) -> None:
        self._cast = cast
        self._lines = lines
        self._votes: defaultdict[int, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
        self._narrated: Counter[int] = Counter()
        self._sentences: defaultdict[int, set[int]] = defaultdict(set)
        self._introduced: set[int] = set()
        self._first: dict[int, int] = {}  # who → the word at which they are first met
        self._last: dict[int, int] = {}
        self._callers: defaultdict[int, set[int]] = defaultdict(set)
        self._first_person = any(line.who == FIRST_PERSON for line in lines)
        self._read_mentions()
        self._turns = self._first_of_paragraphs()
        self._apart = {
            frozenset((left.who, right.who))
            for left, right in pairwise(self._turns)
            if left.how == right.how == "tag" and right.quote.paragraph - left.quote.paragraph == 1
        }
        self._listen()

    def _read_mentions(self) -> None:
        for one in self._cast.mentions:
            token = self._cast.tokens[one.first]
            if token.quote < 0 or token.cue:
                self._narrated[one.who] += 1
                self._sentences[one.who].add(token.sentence)
            self._first.setdefault(one.who, one.first)
            self._last[one.who] = one.first
            if one.indefinite and token.quote < 0:
                self._introduced.add(one.who)

    def _first_of_paragraphs(self) -> list[Line]:
        turns: list[Line] = []
        for line in self._lines:
            if turns and turns[-1].quote.paragraph == line.quote.paragraph:
                turns[-1].addressed.update(line.addressed)
            else:
                turns.append(line)
        return turns

    # --- evidence ------------------------------------------------------------------------------------

    def _listen(self) -> None:
        for index, line in enumerate(self._turns):
            if line.who is None:
                continue
            before = self._turns[index - 1] if index and self._answers(self._turns[index - 1], line) else None
            after = self._turns[index + 1] if index + 1 < len(self._turns) else None
            if after is not None and not self._answers(line, after):
                after = None
            for name in line.asked:
                if after is not None and after.who == FIRST_PERSON and not self._narrated[name]:
                    self._votes[name][FIRST_PERSON] += 0.8  # "You are Hale," she said.
            for name in line.addressed | line.asked:
                self._callers[name].add(line.who)
                self._hear_called(index, name, before, after)
            if line.how == "tag" or (line.how == "beat" and line.who in line.told):
                self._hear_described(index, line, before)
        for line in self._lines:
            self._hear_introduced(line)
        self._hear_friend()
        self._know_parents()
        self._know_kin()
        self._know_short_names()

    @staticmethod
    def _answers(line: Line, following: Line) -> bool:
        return following.quote.paragraph - line.quote.paragraph <= _TALK

    @staticmethod
    def _answers_within(line: Line, following: Line) -> bool:
        return following.quote.paragraph - line.quote.paragraph <= 3 * _TALK

    def _hear_called(self, index: int, name: int, before: Line | None, after: Line | None) -> None:
        """Whoever is called answers; or has just spoken, if nobody does; or is the "I", who is called only in talk."""
        line = self._turns[index]
        near = after is not None and after.quote.paragraph - line.quote.paragraph == 1
        if after is not None and after.who not in (None, name, line.who) and after.how not in ("turn", "paragraph"):
            self._vote(name, after, 1.0 if near else 0.5)
            if near:
                return
        if before is not None and before.who not in (None, name, line.who):
            self._vote(name, before, 0.7 if line.quote.paragraph - before.quote.paragraph == 1 else 0.5)
        led = line.led if before is None and line.led not in (name, line.who) else None
        if led is not None and not self._narrated[name]:
            self._votes[name][led] += 0.6
        if line.first <= self._first[name] < line.last and self._cast.figures[name].named:
            turns = self._turns[max(0, index - _LAST) : index]
            nameless = self._nameless_of([one for one in turns if self._answers_within(one, line)], name)
            if len(nameless) == 1:
                self._votes[name][nameless.pop()] += 0.7
        if not self._narrated[name] and not self._cast.figures[name].named and not self._votes[name]:
            self._hear_title(name, line)
        told_by = self._first_person and self._cast.teller is None and line.who != FIRST_PERSON
        if told_by and not self._narrated[name] and name not in line.asked:
            self._votes[name][FIRST_PERSON] += 0.8

    def _hear_title(self, name: int, line: Line) -> None:
        """ "Lieutenant!" calls the one who acted last before it, if nothing else tells whom."""
        for at in range(line.first - 1, max(-1, line.first - _BACK), -1):
            mention = self._cast.at.get(at)
            if mention is None or mention.first != at or self._cast.tokens[at].quote >= 0 or not mention.names:
                continue
            if mention.who not in (line.who, name) and not mention.possessive:
                self._votes[name][mention.who] += 0.55
                return

    def _vote(self, name: int, line: Line, weight: float) -> None:
        if line.who is not None:
            self._votes[name][line.who] += weight * _SURE.get(line.how, 0.5)

    def _hear_described(self, index: int, line: Line, before: Line | None) -> None:
        """ "inquired the clerk", where it was Mudge's turn."""
        figure = self._cast.figures[line.who] if line.who is not None and line.who >= 0 else None
        if figure is None or figure.named or figure.noun is None or figure.animal:
            return
        others = line.told - {figure.index}
        told = [who for who in sorted(others) if who >= 0 and self._can_be(figure.index, who)]
        if len(told) > 1:
            told = [who for who in told if self._cast.figures[who].gender == figure.gender]
        if len(told) == 1 and told[0] != line.who:
            self._votes[figure.index][told[0]] += 1  # "Hannah put her head in. … said the maid."
            return
        if before is None or figure.noun.word in _SERVING:
            return
        called = [who for who in before.addressed if who != line.who]
        expected, weight = (called[0], 0.8) if len(called) == 1 else (None, 0.5)
        if expected is None and index > 1 and self._answers(self._turns[index - 2], before):
            expected = self._turns[index - 2].who
        if expected is not None and expected not in (line.who, before.who) and expected >= 0:
            rival = self._cast.figures[expected]
            alike = figure.gender == rival.gender != "neutral"
            self._votes[figure.index][expected] += weight + 0.3 * alike
        turns = [one for one in self._turns[max(0, index - _LAST) : index] if self._answers_within(one, line)]
        speakers = {one.who for one in turns if one.who not in (None, line.who, before.who)}
        speakers.discard(self._owner(line))
        fitting = [who for who in speakers if who is not None and who >= 0 and self._can_be(figure.index, who)]
        if len(fitting) == 1:
            rival = self._cast.figures[fitting[0]]
            alike = figure.gender == rival.gender != "neutral" or (figure.gender == "male" and rival.leaning)
            self._votes[figure.index][fitting[0]] += 0.5 + 0.3 * alike

    def _owner(self, line: Line) -> int | None:
        """Whom "his" means in "squealed his passenger", right after the speech."""
        for at in range(line.last, min(line.last + 8, len(self._cast.tokens))):
            mention = self._cast.at.get(at)
            if mention is not None and mention.who == line.who:
                return self._cast.pronoun(at) if mention.determiner in {"his", "her"} else None
        return None

    def _hear_introduced(self, line: Line) -> None:
        """ "My name is Vivienne Marsh." """
        if line.own is None:
            return
        if line.who != line.own and line.who is not None:
            self._votes[line.own][line.who] += 3
        else:
            here = bisect_right(self._turns, line.quote.paragraph, key=lambda one: one.quote.paragraph)
            first = bisect_left(self._turns, line.quote.paragraph - _INTRODUCED, key=lambda one: one.quote.paragraph)
            before = self._turns[first:here]
            nameless = self._nameless_of(before, line.own)
            if len(nameless) == 1:
                self._votes[line.own][nameless.pop()] += 2

    def _nameless_of(self, turns: list[Line], who: int) -> set[int]:
        """The nameless speakers of these turns that can be `who`."""
        return {
            one.who for one in turns if one.who is not None and self._nameless(one.who) and self._can_be(who, one.who)
        }

    def _nameless(self, who: int) -> bool:
        return who >= 0 and not self._cast.figures[who].named

    def _hear_friend(self) -> None:
        """ "My friend" is whoever talks most beside the teller."""
        if not self._first_person and self._cast.teller is None:
            return
        teller = {FIRST_PERSON, self._cast.teller}
        said = Counter(line.who for line in self._turns if line.who is not None and line.who not in teller)
        named = [who for who, _ in said.most_common() if who >= 0 and self._cast.figures[who].named]
        for one in self._cast.mentions:
            mine = one.noun is not None and one.noun.word in _FRIENDS and one.determiner == "my"
            if mine and named and self._nameless(one.who) and self._cast.tokens[one.first].quote < 0:
                self._votes[one.who][named[0]] += 1

    def _know_parents(self) -> None:
        """ "Her mother" is the only Mrs of the story, or the one who shares a surname with somebody else."""
        figures = [figure for figure in self._cast.figures if figure.named]
        surnames = Counter(name for figure in figures for name in {full.split()[-1] for full in figure.names})
        for parent, titles in _TITLED:
            titled = [figure for figure in figures if figure.title in titles]
            kin = [one for one in titled if any(surnames[name.split()[-1]] > 1 for name in one.names)]
            chosen = kin if len(kin) == 1 else titled if parent == "mother" else []
            for who, figure in enumerate(self._cast.figures):
                if figure.key[:2] == ("kin", parent) and figure.mentions and len(chosen) == 1:
                    self._votes[who][chosen[0].index] += 1

    def _know_kin(self) -> None:
        """ "hissed her brother. … Jory only pointed": the one who is named soon after, as if known, is the brother."""
        named = {who: at for who, at in self._first.items() if self._cast.figures[who].named}
        for who, figure in enumerate(self._cast.figures):
            told = (
                figure.noun is not None and figure.noun.kind == "kin" and not figure.named and 0 < figure.mentions <= 3
            )
            if not told or figure.noun is None or figure.noun.word in _PARENTS or not self._narrated[who]:
                continue
            last = self._last[who]
            tokens = self._cast.tokens
            soon = [
                other
                for other, at in named.items()
                if last < at
                and tokens[at].paragraph - tokens[last].paragraph <= 2 * _TALK
                and tokens[at].quote < 0
                and not self._cast.figures[other].title
                and self._can_be(who, other)
            ]
            if len(soon) == 1:
                self._votes[who][soon[0]] += 1

    def _know_short_names(self) -> None:
        """A name heard only in talk is the short or long form of the only told one that it can be: Vanya, Ivan."""
        told: defaultdict[str, set[int]] = defaultdict(set)
        for figure in self._cast.figures:
            if figure.named and self._narrated[figure.index]:
                for word in _words(figure):
                    for full in _full(word):
                        told[full].add(figure.index)
        for figure in self._cast.figures:
            if figure.named and figure.mentions and not self._narrated[figure.index]:
                alike = set().union(*(told[full] for word in _words(figure) for full in _full(word) if full in told))
                if len(alike) == 1:
                    self._votes[figure.index][alike.pop()] += 2

    # --- judgement -----------------------------------------------------------------------------------

    def merges(self) -> dict[int, int]:
        found: dict[int, int] = {}
        for who in sorted(self._votes):
            votes = {other: weight for other, weight in self._votes[who].items() if self._can_be(who, other)}
            if not votes:
                continue
            other, weight = max(votes.items(), key=lambda item: (item[1], -item[0]))
            if weight >= _SHARE * sum(votes.values()) and self._may_be(who, other, weight):
                root = other
                while root in found:
                    root = found[root]
                if root != who:
                    found[who] = root
        return found

    def _can_be(self, who: int, other: int) -> bool:
        """Whether nothing tells them apart: calling or answering each other, one sentence with both, their sex."""
        if other in self._callers[who] or who in self._callers[other] or frozenset((who, other)) in self._apart:
            return False
        figure = self._cast.figures[who]
        group = figure.noun is not None and figure.noun.kind == "group"
        if group or self._cast.teller in (who, other):
            return self._cast.teller == other and not group and figure.named and not self._narrated[who]
        if other == FIRST_PERSON:
            return not self._narrated[who] and figure.named
        rival = self._cast.figures[other]
        if rival.noun is not None and (rival.noun.kind == "group" or rival.noun.word == "voice"):
            return False
        return {figure.gender, rival.gender} != {"female", "male"} and not self._sentences[who] & self._sentences[other]

    def _may_be(self, who: int, other: int, weight: float) -> bool:
        if other == FIRST_PERSON:
            return True
        figure, rival = self._cast.figures[who], self._cast.figures[other]
        unseen = not self._narrated[who]
        if figure.named and rival.named:
            return unseen and self._names_agree(figure, rival, weight)
        if figure.named:
            return weight >= _CALLED and (unseen or self._cast.tokens[self._first[who]].quote >= 0)
        enough = 0.5 if unseen else _CALLED if self._callers[who] else _DESCRIBED
        return weight >= enough and self._description_fits(figure, rival, weight)

    def _description_fits(self, figure: Figure, rival: Figure, weight: float) -> bool:
        """Whether a nameless figure can be the other: not brought in as somebody new, and of no other trade or kind."""
        if figure.noun is None or figure.index in self._introduced:
            return False
        kin = figure.noun.kind == "kin"
        if kin and self._narrated[figure.index] and figure.noun.word not in _RELATIVES:
            return False
        if figure.animal is not None and figure.animal != rival.animal and not self._callers[figure.index]:
            return False
        situation = figure.noun.word in _SITUATIONS
        trade = (
            not situation and rival.noun is not None and rival.noun.kind == "person" and rival.noun.word not in GENERIC
        )
        beast = rival.animal is not None and figure.noun.kind == "person"  # "the ferryman" of a fable is the frog
        if not rival.named and not (beast and weight >= _BEAST):
            return False
        return not (trade and not kin and figure.noun.word not in GENERIC)

    def _names_agree(self, figure: Figure, rival: Figure, weight: float) -> bool:
        """A short name beside its long one; else a name beside a title and surname; else what is heard often."""
        ours, theirs = _words(figure), _words(rival)
        if any(related(left, right) for left in ours for right in theirs):
            return True
        given = [len(words) > 1 or any(name_gender(word) is not None for word in words) for words in (ours, theirs)]
        if not all(given):
            return weight >= 0.4
        alike = any(left[:1] == right[:1] for left in ours for right in theirs)
        return weight >= (1.0 if alike else 2.5)


def _words(figure: Figure) -> set[str]:
    return {word.lower() for name in figure.names for word in name.split()}


@cache
def _namer() -> NickNamer:
    return NickNamer()


def related(left: str, right: str) -> bool:
    """Whether two given names can be one person's: Kat and Katherine, Ned and Edward."""
    if left == right or (min(len(left), len(right)) > 2 and (left.startswith(right) or right.startswith(left))):
        return True
    return bool(_full(left) & _full(right))


def _full(name: str) -> set[str]:
    """The names that a short form can stand for, itself among them."""
    known = DIMINUTIVES.get(name)
    return {name, *_namer().canonicals_of(name), *([known] if known else [])}
