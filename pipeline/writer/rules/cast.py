"""Who is who: mentions are gathered into figures with aliases, gender, age and species; pronouns are resolved."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict

from .figures import GROWN, Figure, Key, Mention, same
from .lexicon import (
    ELDER_WORDS,
    NUMBERS,
    SPEECH_VERBS,
    TITLES,
    TRADE_SAME,
    Noun,
    species,
    word_set,
)
from .register import Register
from .tokens import FUNCTION, GENERIC, SUBJECT_PRONOUNS, Token

_MALE = word_set("he him his himself")
_FEMALE = word_set("she her hers herself")
_NO_ROLE = GENERIC | {"voice"}
_CREATURES = word_set("robot monster dragon ghost creature voice genie giant baby unicorn troll demon thing")
_REACH = 40  # how many sentences back a pronoun may point
_MEMORY = 60  # how many mentions back anything may point


class Cast(Register):
    """All figures of a story, with every mention and pronoun of the narration assigned to one of them."""

    def __init__(self, story: str, tokens: list[Token], mentions: list[Mention]) -> None:
        super().__init__(tokens, mentions)
        self._story = story
        self.at: dict[int, Mention] = {index: one for one in mentions for index in range(one.first, one.last + 1)}
        self.pronouns: dict[int, int] = {}
        self.teller: int | None = None  # the figure that is the story's "I", once it is known
        self._same: dict[int, int] = {}
        self._learned: list[tuple[int, str]] = []
        self._recent: list[tuple[int, int, bool]] = []
        self._recent_at: list[int] = []
        self._starts = [token.start for token in tokens]
        self._noun_votes: defaultdict[Key, Counter[str]] = defaultdict(Counter)
        self._introduced: set[tuple[str, bool]] = set()
        self._vote()
        self._read()

    # --- gender --------------------------------------------------------------------------------------

    def _vote(self) -> None:
        """A pronoun that follows the only figure named so far in its stretch votes for that figure's gender."""
        last: Mention | None = None
        alone = True  # nobody else is named in that figure's sentence
        meant_before = -1  # the sentence of the latest "he" or "she"
        for index, token in enumerate(self.tokens):
            if token.quote >= 0:
                continue
            mention = self.at.get(index)
            if token.low in {"he", "she"} and mention is None and (last is None or last.first < index):
                known = last is not None and alone and token.sentence - self.tokens[last.first].sentence <= 1
                meant_before = meant_before if known else token.sentence
            if mention is not None and mention.first == index:
                self._vote_named(mention)
                near = last is not None and token.sentence - self.tokens[last.first].sentence <= 1
                if last is not None and near and alone and mention.determiner in {"his", "her"}:
                    self._vote_for(last, mention.determiner)
                together = last is not None and token.sentence == self.tokens[last.first].sentence
                alone = not together or (alone and last is not None and same(last, mention))
                alone = alone and token.sentence != meant_before  # "She looks at Dev, and she laughs"
                last = mention
            elif mention is None and last is not None and alone and token.low in _MALE | _FEMALE:
                apart = token.sentence - self.tokens[last.first].sentence
                lately = apart == 1 and token.first and (bool(last.names) or self.is_subject(last))
                if lately or (apart == 0 and not self._is_object(index)):
                    self._vote_for(last, token.low)

    def _is_object(self, index: int) -> bool:
        """Whether a "him" or "her" is whom somebody acts on, and so another than who acts in the clause."""
        token = self.tokens[index]
        if token.low != "her" or index + 1 == len(self.tokens):
            return token.low == "him"
        following = self.tokens[index + 1]
        return following.start - token.end > 1 or following.low in FUNCTION or following.sentence != token.sentence

    def _vote_for(self, mention: Mention, pronoun: str) -> None:
        gender = "male" if pronoun in _MALE else "female"
        points = 2 if pronoun in {"he", "she"} else 1
        if mention.names:
            self.figures[mention.who].votes[gender] += points
        elif mention.noun is not None:
            key = self._noun_key(mention.noun, mention.variant, mention.owner)
            self._noun_votes[key][gender] += points

    def _vote_named(self, mention: Mention) -> None:
        """ "So she came to be known as Red Cap.", "They called him Ash." """
        before = [token.low for token in self.tokens[max(0, mention.first - 8) : mention.first]]
        if not mention.names or not {"known", "called", "named"}.intersection(before[-2:]):
            return
        for low in before:
            if low in _MALE | _FEMALE:
                self.figures[mention.who].votes["male" if low in _MALE else "female"] += 2

    # --- reading in order ----------------------------------------------------------------------------

    def _read(self) -> None:
        for key, votes in self._noun_votes.items():
            if key in self._by_key:
                self.figures[self._by_key[key]].votes.update(votes)
        for index, token in enumerate(self.tokens):
            mention = self.at.get(index)
            if mention is not None:
                if mention.first == index:
                    self._meet(mention, token)
            elif token.quote < 0 and token.low in _MALE | _FEMALE:
                meant = self.pronoun(index)
                if meant is not None:
                    self.pronouns[index] = meant
                    self._remember(meant, index, token.low in SUBJECT_PRONOUNS)
            elif token.low in NUMBERS or token.low.isdecimal():
                self._years(index, token)

    def _years(self, index: int, token: Token) -> None:
        """ "She was ten years old", "Jonah was only six", "a girl of nine"."""
        following = [one.low for one in self.tokens[index + 1 : index + 3]]
        before = [one.low for one in self.tokens[max(0, index - 3) : index]]
        told = following == ["years", "old"] or before[-2:] in (["was", "only"], ["was", "just"], ["was", "nearly"])
        told = told or before[-1:] in (["aged"], ["turned"]) or (before[-1:] == ["of"] and index - 2 in self.at)
        value = NUMBERS.get(token.low) or int(token.low if token.low.isdecimal() and len(token.low) < 4 else 0)
        if not told or token.quote >= 0 or not 0 < value < 120:
            return
        for at in range(index - 1, max(-1, index - 8), -1):
            if self.tokens[at].sentence != token.sentence:
                return
            mention = self.at.get(at)
            who = mention.who if mention is not None and not mention.possessive else self.pronouns.get(at)
            if who is not None and who >= 0:
                self.figures[who].years = self.figures[who].years or value
                return

    def _meet(self, mention: Mention, token: Token) -> None:
        if mention.who < 0:
            mention.who = self._noun_figure(mention, token)
        figure = self.figures[mention.who]
        if figure.named and not figure.acts and token.quote < 0:
            self._unmask(figure, token)
        figure.mentions += 1
        if figure.mentions == 1:
            figure.first_seen = mention.first
        if mention.noun is not None:
            figure.nouns[mention.noun.word] += 1
            figure.adjectives.update(mention.adjectives)
            figure.noun = figure.noun or mention.noun
            if mention.noun.kind == "animal":
                figure.animal = figure.animal or species(mention.noun.word)
        figure.surfaces[self.surface(mention)] += 1
        if mention.names and token.quote >= 0 and self._called(mention, token):
            self._remember(mention.who, mention.first, False)
        if token.quote < 0 and mention.possessive and mention.names:
            self._remember(mention.who, mention.first, False)
        if token.quote < 0 and not mention.possessive:
            subject = self.is_subject(mention)
            figure.acts += subject
            self._remember(mention.who, mention.first, subject)

    def _unmask(self, figure: Figure, token: Token) -> None:
        """ "A boy sat on the steps. … cried Emil." The nameless one who has just come in is the one now named."""
        before = (
            self.tokens[token_before] if (token_before := bisect_left(self._starts, token.start) - 1) >= 0 else None
        )
        if before is None or before.low not in SPEECH_VERBS or before.quote >= 0:
            return
        for who, index, _ in reversed(self._recent[-6:]):
            other = self.figures[who]
            met = self.at.get(index)
            if token.sentence - self.tokens[index].sentence > 6 or met is None or other.named or other.noun is None:
                continue
            alike = other.noun.word in GENERIC and met.indefinite and other.mentions <= 3
            if alike and other.gender in (figure.gender, "neutral") and other.gender != "neutral":
                self._link(met, figure.index)
                figure.surfaces[self.surface(met)] += 1
                for one in self.mentions:
                    if one.who == who:
                        one.who = figure.index
                self._linked[other.key] = figure.index
                other.mentions = other.acts = 0
                return

    def _called(self, mention: Mention, token: Token) -> bool:
        """Whether somebody is spoken to by name: marks on both sides ("Well, Joel, …")."""
        before, after = mention.first - 1, mention.last + 1
        left = before < 0 or self.tokens[before].quote != token.quote or token.start - self.tokens[before].end > 1
        right = after >= len(self.tokens) or self.tokens[after].quote != token.quote
        return left and (right or self.tokens[after].start - mention.end > 1)

    def surface(self, mention: Mention) -> str:
        """How the story spells it: "Mr. Brown", "the old man"."""
        text = " ".join(self._story[mention.start : mention.end].split())
        return text[:-2] if mention.possessive else text

    def _remember(self, who: int, index: int, subject: bool) -> None:
        self._recent.append((who, index, subject))
        self._recent_at.append(index)

    def _noun_figure(self, mention: Mention, token: Token) -> int:
        noun = mention.noun
        assert noun is not None
        key = self._noun_key(noun, mention.variant, mention.owner)
        described = self._described(mention, token)
        if described is not None:
            self._link(mention, described)
            return described
        if key in self._linked and noun.word not in GENERIC:
            return self._linked[key]
        if noun.word in GENERIC and token.quote < 0:
            kind = (noun.word, bool(set(mention.adjectives) & ELDER_WORDS))
            if mention.indefinite:
                self._introduced.add(kind)
                if key in self._linked:
                    return self._new((*key, str(len(self.figures)))).index
            elif kind not in self._introduced and (who := self._named_like(mention, token)) is not None:
                return who
        if key not in self._by_key and not mention.indefinite and not mention.variant:
            known = [
                self._by_key[alike]
                for word in sorted(TRADE_SAME.get(noun.word, ()))
                if (alike := (noun.kind, word)) in self._by_key
            ]
            if len(known) == 1 and {self.figures[known[0]].gender, noun.gender} != {"female", "male"}:
                return known[0]
        if key not in self._by_key:
            similar = self._latest_of(noun, mention)
            if similar is not None:
                return similar
            figure = self._new(key)
            figure.noun = noun
            figure.votes.update(self._noun_votes[key])
        return self._by_key[key]

    def _described(self, mention: Mention, token: Token) -> int | None:
        """Whom "She was ten, a thin girl" or "He was a broad man" describes."""
        if not mention.indefinite or token.quote >= 0:
            return None
        at = mention.first
        while at > 0 and self.tokens[at - 1].sentence == token.sentence and mention.first - at < 8:
            at -= 1
        opens = self.tokens[at].low in {"he", "she"} and self.tokens[at + 1].low in {"was", "is"}
        return self.pronouns.get(at) if opens and self.tokens[at].sentence == token.sentence else None

    def _latest_of(self, noun: Noun, mention: Mention) -> int | None:
        """A bare "the bear" means the bear met last, when there are a big one and a small one."""
        if mention.indefinite or mention.variant in self._variants[noun.word]:
            return None
        for who, _, _ in reversed(self._recent[-_MEMORY:]):
            known = self.figures[who].noun
            if known is not None and known.word == noun.word and not self.figures[who].named:
                return who
        return None

    def _named_like(self, mention: Mention, token: Token) -> int | None:
        noun = mention.noun
        assert noun is not None
        for who, index, _ in reversed(self._recent[-_MEMORY:]):
            figure = self.figures[who]
            if token.sentence - self.tokens[index].sentence > _REACH:
                break
            noun_known = figure.noun
            role = noun_known is not None and noun_known.kind in ("kin", "person") and noun_known.word not in _NO_ROLE
            aged = noun_known is not None and noun_known.kind == "person" and noun_known.age == "adult"
            grown = noun.age == "child" and (aged or figure.title in GROWN)
            if (
                grown
                or not (figure.named or role)
                or (figure.animal is None) == (noun.word in {"animal", "creature", "bird"})
            ):
                continue
            old = bool(set(mention.adjectives) & ELDER_WORDS)
            titled = figure.title in TITLES and figure.age == "adult"
            fits_age = (
                (figure.age == "elder" or titled) if old else (noun.age == "adult" or figure.age in (noun.age, "adult"))
            )
            if fits_age and figure.gender in (noun.gender, "neutral"):
                if noun.gender != "neutral":
                    figure.votes[noun.gender] += 1
                return who
        return None

    def pronoun(self, index: int, *, avoid: frozenset[int] = frozenset()) -> int | None:
        """The figure that the pronoun at token `index` most likely means, from the narration before it."""
        token = self.tokens[index]
        wanted = "male" if token.low in _MALE else "female"
        best: tuple[float, int] | None = None
        seen: set[int] = set()
        before = bisect_left(self._recent_at, index)
        for who, at, subject in reversed(self._recent[max(0, before - _MEMORY) : before]):
            distance = token.sentence - self.tokens[at].sentence
            if distance > _REACH:
                break
            figure = self.figures[who]
            gender = figure.gender
            if (
                who in avoid
                or who == self.teller
                or gender not in (wanted, "neutral")
                or (figure.noun and figure.noun.kind == "group")
            ):
                continue
            likely = 2.5 if gender == wanted else figure.leaning * (2.0 if wanted == "male" else -0.4)
            passing = not subject and not figure.named and figure.mentions <= 1 and gender == "neutral"
            score = -0.5 * distance + 0.9 * subject + likely - 0.05 * len(seen) - 1.0 * passing
            seen.add(who)
            if best is None or score > best[0]:
                best = (score, who)
        return best[1] if best else None

    def merge(self, same: dict[int, int]) -> None:
        """Makes each figure of `same` one with the figure that it leads to; below 0, it is the teller of the story."""
        for who, into in same.items():
            root, into = self.settled(who), self.settled(into)
            if into < 0:
                into = self.teller = root if self.teller is None else self.settled(self.teller)
            if root != into:
                self._same[root] = into
                self.figures[into].absorb(self.figures[root])
        for one in self.mentions:
            one.who = self.settled(one.who)
        if self.teller is not None:
            self.teller = self.settled(self.teller)

    def settled(self, who: int) -> int:
        """Who `who` has turned out to be."""
        while who in self._same:
            who = self._same[who]
        return who

    def learn(self, who: int, gender: str) -> None:
        """Takes the sex of a figure of which nothing is known from the pronoun of a speech given to it."""
        if self.figures[who].gender == "neutral":
            self.figures[who].votes[gender] += 2
            self._learned.append((who, gender))

    def hear(self, spoken: dict[int, int]) -> None:
        """Reads the pronouns anew, now that it is known who speaks from which tokens on: a speaker may be meant too."""
        self._recent, self._recent_at, self.pronouns = [], [], {}
        for who, gender in self._learned:  # that was a guess, which is made better now
            self.figures[self.settled(who)].votes[gender] -= 2
        self._learned = []
        for index, token in enumerate(self.tokens):
            mention = self.at.get(index)
            if spoken.get(index, -1) >= 0:
                self._remember(self.settled(spoken[index]), index, True)
            if mention is not None:
                if mention.first == index and not mention.possessive and token.quote < 0:
                    self._remember(mention.who, index, self.is_subject(mention))
            elif token.quote < 0 and token.low in _MALE | _FEMALE:
                meant = self.pronoun(index)
                if meant is not None:
                    self.pronouns[index] = meant
                    self._remember(meant, index, token.low in SUBJECT_PRONOUNS)

    def creature(self, index: int) -> int | None:
        """The animal or thing that "it" at token `index` means."""
        before = bisect_left(self._recent_at, index)
        for who, _, _ in reversed(self._recent[max(0, before - _MEMORY) : before]):
            noun = self.figures[who].noun
            if self.figures[who].animal is not None or (noun is not None and noun.word in _CREATURES):
                return who
        return None
