"""The figures of a story by name and by noun: which names are one person's, which nouns mean whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

from .figures import Figure, Key, Mention, key_of, owners, title_class, variants
from .lexicon import LOOK_VERBS, TITLES, Noun, figure_nouns, name_gender, species, word_set
from .names import RANKS
from .tokens import SUBJECT_PRONOUNS, Token, is_verb

_COMES = word_set(
    "came comes went goes entered enters appeared appears stood stands sat sits lay lived lives stepped strode rushed"
)
_REACTS = LOOK_VERBS | word_set("turned jumped started gasped froze opened went ran listened")
_COMES_WITHIN = 6  # paragraphs
_GOVERNS = word_set("behind beside near above below to at with from of by in on under")


class Register:
    """Gathers proper names into figures, then ties nouns to them by apposition, title and introduction."""

    def __init__(self, tokens: list[Token], mentions: list[Mention]) -> None:
        self.tokens = tokens
        self.mentions = mentions
        self.figures: list[Figure] = []
        self._by_key: dict[Key, int] = {}
        self._by_name: dict[tuple[str, ...], int] = {}
        self._linked: dict[Key, int] = {}
        self._variants = variants(mentions)
        self._owners = owners(mentions)
        self._ranks = {one.noun.word for one in mentions if one.noun is not None} & RANKS
        self._gather_names()
        self._first_met = {one.who: one.first for one in reversed(mentions) if one.names}
        self._link_nouns()

    # --- names ---------------------------------------------------------------------------------------

    def _gather_names(self) -> None:
        counts: Counter[tuple[str, tuple[str, ...]]] = Counter(
            (title_class(one.title), one.names) for one in self.mentions if one.names
        )
        alone = {names for _, names in counts if len(names) == 1 and names[0].lower() in TITLES}
        order = sorted(counts, key=lambda item: (-len(item[1]), item[0] == "", -counts[item], item[1]))
        for title, names in sorted(order, key=lambda item: item[1] in alone):
            known = self._of_title(names[0]) if names in alone else self._same_person(title, names)
            if known is None:
                known = self._new((*names, title)).index
            figure = self.figures[known]
            figure.names[" ".join(names)] += counts[(title, names)]
            figure.title = figure.title or title
            self._by_name[(title, *names)] = known
        for one in self.mentions:
            if one.names:
                one.who = self._by_name[(title_class(one.title), *one.names)]

    def _of_title(self, word: str) -> int | None:
        """The only one of a title: "Madame" where there is one Madame Duval."""
        held = [figure.index for figure in self.figures if figure.title and figure.title == title_class(word.lower())]
        return held[0] if len(held) == 1 else None

    def _same_person(self, title: str, names: tuple[str, ...]) -> int | None:
        gender = TITLES.get(title, "neutral")
        best: tuple[float, int] | None = None
        for figure in self.figures:
            words = {word for name in figure.names for word in name.split()}
            if not words.intersection(names) or (len(names) > 1 and not set(names) <= words):
                continue
            own = TITLES.get(figure.title, "neutral")
            formal = title in {"mr", "mrs", "miss", "ms"} and figure.title in {"mr", "mrs", "miss", "ms"}
            if formal and title != figure.title:
                continue
            if "neutral" not in (gender, own) and gender != own:
                continue
            ranked = title and figure.title and title_class(title) != figure.title
            if ranked and (len(names) > 1 or any(" " in name for name in figure.names)):
                continue  # "the late Captain Josiah Snapwell" is not "Mr. Snapwell"
            given = name_gender(next(iter(figure.names)).split()[0])
            if gender != "neutral" and own == "neutral" and given not in (None, gender):
                continue
            weight = sum(figure.names.values()) + 0.5 * (names == figure.key[:-1])
            if best is None or weight > best[0]:
                best = (weight, figure.index)
        return best[1] if best else None

    def _new(self, key: Key) -> Figure:
        figure = Figure(len(self.figures), key)
        self.figures.append(figure)
        self._by_key[key] = figure.index
        return figure

    # --- nouns ---------------------------------------------------------------------------------------

    def _link_nouns(self) -> None:
        """Appositions: "a girl named Mira", "her brother Tom", "Tom was a fisherman"."""
        for left, right in pairwise(self.mentions):
            if left.names and right.noun and self._apposed(left, right):
                self._link(right, left.who)
            elif left.noun and right.names and self._apposed(left, right):
                self._link(left, right.who)
            elif left.noun and right.noun and right.indefinite and not left.indefinite and self._apposed(left, right):
                self._link(right, self._own_figure(left))
        self._link_introductions()
        self._link_trades()
        self._link_titles()

    def _link_titles(self) -> None:
        """The only Captain Reyes is "the captain", the only Uncle Bruno "my uncle", Mrs Hale the wife of Mr Hale."""
        nouns = figure_nouns()
        holders: defaultdict[str, set[int]] = defaultdict(set)
        for one in self.mentions:
            if one.names and title_class(one.title) in nouns:
                holders[title_class(one.title)].add(one.who)
        for title, who in holders.items():
            if len(who) == 1:
                self._linked.setdefault(self._noun_key(nouns[title], "", ()), next(iter(who)))
        for spouse, title, other in (("wife", "mrs", "mr"), ("husband", "mr", "mrs")):
            names = {name for figure in self.figures if figure.title == other for name in figure.names}
            married = [figure for figure in self.figures if figure.title == title and names & figure.names.keys()]
            if len(married) == 1:
                self._linked.setdefault(("kin", spouse), married[0].index)

    def _link_trades(self) -> None:
        """ "Tobias Mudge, who had been clerk to the house": a trade without an article."""
        nouns = figure_nouns()
        for one in self.mentions:
            after = self.tokens[one.last + 1 : one.last + 6]
            lows = [token.low for token in after]
            if not one.names or lows[:1] != ["who"] or len(lows) < 3:
                continue
            at = 3 if lows[1:3] in (["had", "been"], ["has", "been"]) else 2 if lows[1] in {"was", "is"} else 0
            noun = nouns.get(lows[at]) if 0 < at < len(lows) else None
            if noun is not None and noun.kind == "person":
                self._linked.setdefault(self._noun_key(noun, "", ()), one.who)

    def _link_introductions(self) -> None:
        """ "Her name was Oda." names the woman before it; "It was the crow." says whose voice was heard."""
        for left, right in pairwise(self.mentions):
            lead = [token.low for token in self.tokens[max(0, right.first - 3) : right.first]]
            near = self.tokens[right.first].sentence - self.tokens[left.first].sentence
            if left.noun is None or near > 2:
                continue
            met_now = (
                right.names and self._first_met[right.who] == right.first and near == 1 and left.determiner == "the"
            )
            following = self.tokens[right.last + 1].low if right.last + 1 < len(self.tokens) else ""
            if met_now and right.title and following in {"was", "is"} and not left.possessive:
                self._link(left, right.who)  # "The curate came in. Mr Fenwick was a tall man."
            if right.names and len(lead) == 3 and lead[1:] in (["name", "was"], ["name", "is"]):
                self._link(left, right.who)
        for index, one in enumerate(self.mentions):
            if one.noun is not None and one.noun.word == "voice" and one.indefinite:
                self._find_voice(one, self.mentions[index + 1 : index + 4])
                if one.who < 0:
                    self._find_comer(one, self.mentions[index + 1 : index + 20])

    def _find_voice(self, voice: Mention, following: list[Mention]) -> None:
        """ "said a voice behind Anna. Mrs Abbott stood in the doorway": whoever acts next has spoken."""
        for one in following:
            near = self.tokens[one.first].sentence - self.tokens[voice.last].sentence <= 1
            if self.tokens[one.first].quote >= 0:
                continue
            if not near:
                return
            verb = self.tokens[one.last + 1].low if one.last + 1 < len(self.tokens) else ""
            apart = verb not in _REACTS
            lead = [token.low for token in self.tokens[max(0, one.first - 3) : one.first] if token.low != "the"]
            if lead[-2:] == ["it", "was"] or (apart and self.is_subject(one) and not _GOVERNS.intersection(lead[-1:])):
                voice.who = one.who if one.names else self._own_figure(one)
                return

    def _find_comer(self, voice: Mention, following: list[Mention]) -> None:
        """ "called a voice. … In the doorway stood a woman": the one who comes to be seen next has spoken."""
        for one in following:
            away = self.tokens[one.first].paragraph - self.tokens[voice.last].paragraph
            if away > _COMES_WITHIN:
                return
            if one.indefinite and self.tokens[one.first].quote < 0 and self.tokens[one.first - 1].low in _COMES:
                voice.who = self._own_figure(one) if one.noun is not None else one.who
                return

    def _own_figure(self, mention: Mention) -> int:
        noun = mention.noun
        assert noun is not None
        key = self._noun_key(noun, mention.variant, mention.owner)
        if key in self._linked:
            return self._linked[key]
        if key not in self._by_key:
            self._new(key).noun = noun
        mention.who = self._by_key[key]
        return mention.who

    def _apposed(self, left: Mention, right: Mention) -> bool:
        tokens = self.tokens
        if tokens[left.first].sentence != tokens[right.last].sentence or left.possessive or right.possessive:
            return False
        if tokens[left.first].quote != tokens[right.first].quote:
            return False
        between = [tokens[at].low for at in range(left.last + 1, right.first)]
        gap = right.start - left.end
        if left.noun and right.names:
            named = between in (["named"], ["called"], ["whose", "name", "was"], ["by", "the", "name", "of"])
            touching = not between and (gap == 1 or (gap == 2 and left.noun.kind == "kin"))
            return named or (touching and left.noun.kind != "group")
        if between in (["was"], ["is"]):
            return right.indefinite or right.determiner == "the"
        if not between and gap == 1 and left.names and right.determiner == "the":
            return True  # "Mrs Pardoe the baker"
        return not between and gap == 2 and right.determiner in {"a", "an", "the", "his", "her", "their"}

    def _link(self, mention: Mention, who: int) -> None:
        noun, figure = mention.noun, self.figures[who]
        if noun is None or {noun.gender, TITLES.get(figure.title, "neutral")} >= {"female", "male"}:
            return
        figure.noun = figure.noun or noun
        figure.animal = figure.animal or (species(noun.word) if noun.kind == "animal" else None)
        if key_of(noun) == figure.key[:2] or noun.word in ("animal", "creature", "bird"):
            return
        figure.adjectives.update(mention.adjectives)
        key = self._noun_key(noun, mention.variant, mention.owner)
        if noun.kind != "kin" or not mention.owner:
            self._linked.setdefault(key, who)
        mention.who = who

    def _noun_key(self, noun: Noun, variant: str, owner: tuple[str, ...]) -> Key:
        if noun.kind == "kin" and owner and len(self._owners[noun.word]) > 1:
            return (noun.kind, noun.word, *owner)
        if variant in self._ranks:
            return ("person", variant)
        if variant and variant in self._variants[noun.word]:
            return (noun.kind, noun.word, "+" + variant)
        return (noun.kind, noun.word)

    def is_subject(self, mention: Mention) -> bool:
        """Whether it acts: a verb follows, or an arrival with nobody else to arrive stands before it."""
        tokens = self.tokens
        if mention.indefinite and mention.first > 1 and tokens[mention.first - 1].low in _COMES:
            lead = tokens[mention.first - 2]
            if lead.low not in SUBJECT_PRONOUNS and (lead.first or not lead.capital):
                return True
        following = tokens[mention.last + 1 : mention.last + 4]
        if following and following[0].low in {"himself", "herself", "itself"}:
            following = following[1:]
        if following and following[0].low == "who" and tokens[mention.first].first and not mention.possessive:
            return True  # "The boy, who had crept under the table, …"
        following = following[:2]
        if following and following[0].low in _GOVERNS and not mention.possessive:
            following = tokens[mention.last + 2 : mention.last + 7]  # "the old man in bed six sits up"
            if any(token.capital or token.low in SUBJECT_PRONOUNS for token in following):
                return False
        sentence = tokens[mention.last].sentence
        return any(is_verb(token.low) for token in following if token.sentence == sentence and token.quote < 0)
