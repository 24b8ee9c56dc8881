"""Mentions: where the text names somebody, by a proper name or by a noun such as "the old fox"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from .evidence import named_people
from .figures import INDEFINITE, Mention
from .lexicon import (
    AXES,
    NUMBERS,
    PROPS,
    SPEECH_VERBS,
    TITLES,
    Noun,
    figure_nouns,
    name_gender,
    place_nouns,
    singular,
    word_set,
)
from .tokens import CALENDAR, DETERMINERS, FUNCTION, GENERIC, NOT_NAMES, Token, is_verb

_ADJECTIVE_LIMIT = 3
_ARTICLES = frozenset({"the", "a", "an", "another"})
RANKS = word_set("eldest youngest oldest")  # "the youngest", by itself or of daughters, brothers, kids
_PARTICLES = word_set("de du del della di da von van der den zu la le bin ibn")
_SOUNDS = word_set("whisper murmur shout cry call answer reply")
_ALONE = word_set("madame monsieur mademoiselle signor signora")
_NOBODY = word_set("somebody someone nobody anybody anyone everybody everyone else")


def find_mentions(tokens: list[Token]) -> list[Mention]:
    """Every mention in order, proper names that are most likely places or things left out."""
    nouns = {
        **_open_nouns(tokens),
        **figure_nouns(),
        **{word: Noun(word, "person", "neutral", "child") for word in RANKS},
    }
    candidates = [*_cue_names(tokens), *_noun_mentions(tokens, nouns), *_name_runs(tokens)]
    candidates.sort(key=lambda one: (one.first, one.first - one.last))
    people = named_people(tokens, candidates)
    found: list[Mention] = []
    free = 0
    for mention in candidates:
        if mention.first < free or (mention.names and mention.names not in people):
            continue
        found.append(mention)
        free = mention.last + 1
    return found


def _cue_names(tokens: list[Token]) -> Iterator[Mention]:
    """The names before the speeches of a play, whatever they are: "FIRST WITCH", "MRS. ALVING"."""
    index = 0
    while index < len(tokens):
        last = index
        while last + 1 < len(tokens) and tokens[last + 1].cue and tokens[last + 1].quote == tokens[index].quote:
            last += 1
        if tokens[index].cue:
            words = [tokens[at].base for at in range(index, last + 1)]
            title = words[0] if words[0] in TITLES and len(words) > 1 else ""
            names = tuple(word.title() for word in words[bool(title) :])
            yield _mention(tokens, index, last, names=names, title=title)
        index = last + 1


def _name_runs(tokens: list[Token]) -> Iterator[Mention]:
    lower = Counter(token.base for token in tokens if not token.capital)
    given = {left.base for left, right in pairwise(tokens) if left.capital and right.capital and _adjacent(left, right)}
    middle = Counter(token.base for token in tokens if token.capital and not token.first)
    index = 0
    while index < len(tokens):
        if not _can_be_name(tokens[index], lower, middle):
            index += 1
            continue
        last = index
        while (
            last + 1 < len(tokens)
            and not tokens[last].possessive
            and last - index < 3
            and _adjacent(tokens[last], tokens[last + 1])
            and _can_be_name(tokens[last + 1], lower, middle)
        ):
            last += 1
        if _goes_on_noble(tokens, last) and _can_be_name(tokens[last + 2], lower, middle):
            last += 2
        mention = _name_mention(tokens, index, last, given)
        if mention is not None:
            yield mention
        index = last + 1


def _goes_on_noble(tokens: list[Token], last: int) -> bool:
    """Whether "de Bourgh", "von Tarn" or the like follows."""
    if last + 2 >= len(tokens) or tokens[last + 1].low not in _PARTICLES or tokens[last].possessive:
        return False
    return all(_adjacent(tokens[at], tokens[at + 1]) for at in (last, last + 1))


def _adjacent(left: Token, right: Token) -> bool:
    gap = right.start - left.end
    return (
        left.sentence == right.sentence
        and left.quote == right.quote
        and (gap == 1 or (gap == 2 and (left.low in TITLES or len(left.text) == 1)))
    )


def _can_be_name(token: Token, lower: Counter[str], middle: Counter[str]) -> bool:
    base = token.base
    if not token.capital or base == "i" or (len(base) < 2 and not token.text.isupper()):
        return False
    if base in TITLES:
        return True
    if base.split("-")[0] in NUMBERS:
        return False
    if base in CALENDAR and base not in {"june", "april", "may", "august", "summer", "autumn"}:
        return False
    if base in NOT_NAMES:
        return False
    if not token.first:
        return len(base) > 1
    if name_gender(base) is not None:
        return lower[base] < 3 or middle[base] > 0
    return lower[base] == 0 or middle[base] > 2 * lower[base]


def _name_mention(tokens: list[Token], first: int, last: int, given: set[str]) -> Mention | None:
    """The mention in first..last; `given` holds words that stand before another name, so that Nan Doyle is no gran."""
    words = [tokens[at].base for at in range(first, last + 1)]
    title = ""
    if words[0] in TITLES and (len(words) > 1 or words[0] not in figure_nouns()):
        title, words = words[0], words[1:]
    if not words and title in _ALONE and tokens[first].quote < 0:
        title, words = "", [title]  # "Madame sat upright."
    if not words:
        return None
    before = tokens[first - 1] if first > 0 else None
    called = before is not None and not before.capital and before.low in {"old", "young", "little"}
    if before is not None and called and _adjacent(before, tokens[first]):
        title, first = title or before.low, first - 1  # "old Pike"
    nouns = figure_nouns()
    known = name_gender(words[0]) is not None or (words[0] in given and words[0] not in TITLES)
    if len(words) == 1 and not title and words[0] in nouns and not known:
        return _mention(tokens, first, last, noun=nouns[words[0]], determiner="the")
    spelled = tuple(
        word.title() if word.isupper() else _spelling(tokens[last - len(words) + 1 + at], word)
        for at, word in enumerate(words)
    )
    return _mention(tokens, first, last, names=spelled, title=title)


def _spelling(token: Token, base: str) -> str:
    text = token.text[: len(base)]
    return text.title() if text.isupper() and len(text) > 2 else text


def _mention(tokens: list[Token], first: int, last: int, **fields: object) -> Mention:
    return Mention(
        first,
        last,
        tokens[first].start,
        tokens[last].end,
        possessive=tokens[last].possessive,
        **fields,  # type: ignore[arg-type]
    )


def _open_nouns(tokens: list[Token]) -> dict[str, Noun]:
    """Nouns outside the word lists that speak in this story: "said the hatter", "the oak replied"."""
    found: dict[str, Noun] = {}
    for index, token in enumerate(tokens[1:], 1):
        if _quoted_before(tokens, index) and not token.capital:
            noun = _running_on(tokens, index)
            if noun is not None:
                found[noun.base] = Noun(noun.base, "person", "neutral", "adult")
        if token.low not in SPEECH_VERBS or token.quote >= 0:
            continue
        noun = _after_verb(tokens, index) if tokens[index - 1].quote >= 0 else _before_verb(tokens, index)
        if noun is not None and len(noun.base) > 2 and noun.base not in NOT_NAMES:
            found[noun.base] = Noun(noun.base, "person", "neutral", "adult")
    return found


def _quoted_before(tokens: list[Token], index: int) -> bool:
    return index > 0 and tokens[index - 1].quote >= 0 and tokens[index].quote < 0


def _after_verb(tokens: list[Token], verb: int, *, stop: bool = False) -> Token | None:
    """The last word of "the old toymaker" in "said the old toymaker, smiling"; with `stop`, a verb ends it."""
    at = verb + 1
    if at >= len(tokens) or tokens[at].low not in _ARTICLES:
        return None
    noun: Token | None = None
    for following in tokens[at + 1 : at + 4]:
        apart = noun is not None and following.start - noun.end > 1
        if (
            (stop and noun is not None and is_verb(following.low))
            or apart
            or following.quote >= 0
            or following.low in FUNCTION
            or following.low.endswith(("ly", "ing"))
        ):
            break
        noun = following
    return noun


def _running_on(tokens: list[Token], index: int) -> Token | None:
    """The noun of "… the matchbox wanted to know" or "… put in the pewter spoon", right after a quote."""
    if tokens[index].low in FUNCTION and tokens[index].low != "the":
        return None
    start = index - 1 if tokens[index].low == "the" else index
    if index + 1 < len(tokens) and tokens[index + 1].low in {"in", "on", "out", "up", "back"}:
        start += 1
    noun = _after_verb(tokens, start, stop=tokens[index].low == "the")
    known = noun is None or noun.capital or len(noun.base) < 3 or noun.base in FUNCTION or is_verb(noun.base)
    return None if known else noun


def _before_verb(tokens: list[Token], verb: int) -> Token | None:
    """The noun of "the toymaker said" right after a quote."""
    first = verb - 1
    while first >= 0 and tokens[first].quote < 0 and verb - first < 4:
        first -= 1
    opened = tokens[first + 1] if first >= 0 and tokens[first].quote >= 0 else None
    noun = tokens[verb - 1]
    if opened is None or opened.low not in _ARTICLES or noun is opened or noun.low.endswith("ly"):
        return None
    return None if noun.low in FUNCTION or is_verb(noun.low) else noun


def _noun_mentions(tokens: list[Token], nouns: dict[str, Noun]) -> Iterator[Mention]:
    for index, token in enumerate(tokens):
        noun = nouns.get(token.base)
        if token.low in _SOUNDS and any(tokens[at].low == "came" for at in range(max(0, index - 3), index)):
            noun = Noun("voice", "person", "neutral", "adult")  # "came a whisper from the next bed"
        if noun is None or (token.capital and not token.first and not _after_article(tokens, index)):
            continue
        titled = index + 1 < len(tokens) and token.base in TITLES and _adjacent(token, tokens[index + 1])
        if token.capital and titled and tokens[index + 1].capital:
            continue  # "the Lady Isolde"
        if index + 1 < len(tokens) and not token.possessive and _is_compound(tokens, index):
            continue
        mention = _noun_phrase(tokens, index, noun)
        if mention is not None:
            yield mention


def _after_article(tokens: list[Token], index: int) -> bool:
    return any(tokens[at].low in {"the", "a", "an", "my", "his", "her"} for at in range(max(0, index - 3), index))


def _is_compound(tokens: list[Token], index: int) -> bool:
    """Whether the noun only qualifies the next word: "the captain's" no, "the ship captain" no, "fox hole" yes."""
    following = tokens[index + 1]
    return (
        following.start - tokens[index].end == 1
        and following.sentence == tokens[index].sentence
        and not following.capital
        and (following.base in place_nouns() or following.base in figure_nouns() or singular(following.base) in PROPS)
        and not is_verb(following.low)
    )


def _noun_phrase(tokens: list[Token], index: int, noun: Noun) -> Mention | None:
    adjectives: list[str] = []
    at = index - 1
    while at >= 0 and len(adjectives) <= _ADJECTIVE_LIMIT and tokens[at].sentence == tokens[index].sentence:
        token = tokens[at]
        if tokens[at + 1].start - token.end > 2 or token.quote != tokens[index].quote:
            break
        if noun.word == "voice" and token.possessive and token.base in figure_nouns():
            at -= 1  # "a woman's voice" is a voice
            continue
        if noun.word == "voice" and (token.possessive or (token.low in DETERMINERS and token.low not in _ARTICLES)):
            return None
        if token.low in INDEFINITE and at > 0 and _is_likeness(tokens, at, noun):
            return None
        if token.low in DETERMINERS:
            return _mention(tokens, at, index, noun=noun, determiner=token.low, adjectives=tuple(reversed(adjectives)))
        if token.possessive:
            return _owned(tokens, at, index, noun, adjectives)
        if (token.low in FUNCTION and token.low not in AXES) or token.low in SPEECH_VERBS:
            break
        adjectives.append(token.low)
        at -= 1
    spoken_to = tokens[index].quote >= 0 and noun.kind != "group"
    if (noun.kind == "kin" and tokens[index].capital) or spoken_to:
        return _mention(tokens, index, index, noun=noun, determiner="")
    if noun.kind == "group" and tokens[index].first:
        return _mention(tokens, index, index, noun=noun, determiner="the")
    return None


def _is_likeness(tokens: list[Token], at: int, noun: Noun) -> bool:
    """Whether nobody is there: "like a baby", "as though it were a king", "with the tread of a man"."""
    before = [token.low for token in tokens[max(0, at - 4) : at] if token.sentence == tokens[at].sentence]
    as_if = any(pair in (("as", "though"), ("as", "if")) for pair in pairwise(before))
    return as_if or before[-1:] in (["like"], ["than"]) or (before[-1:] in (["of"], ["as"]) and noun.word in GENERIC)


def _owned(tokens: list[Token], owner: int, index: int, noun: Noun, adjectives: list[str]) -> Mention | None:
    name = tokens[owner]
    if name.base in _NOBODY:
        return None
    if name.capital and name.base not in NOT_NAMES and name.base not in figure_nouns():
        return _mention(
            tokens,
            owner,
            index,
            noun=noun,
            determiner="his",
            owner=(_spelling(name, name.base),),
            adjectives=tuple(reversed(adjectives)),
        )
    first = owner
    while first > 0 and tokens[first - 1].sentence == name.sentence and owner - first < 3:
        first -= 1
        if tokens[first].low in DETERMINERS:
            break
    else:
        first = owner
    return _mention(tokens, first, index, noun=noun, determiner="his", adjectives=tuple(reversed(adjectives)))
