"""Which capitalised words are somebody, and which a place, a thing or only the start of a sentence."""

from __future__ import annotations

from collections import Counter

from .figures import Mention
from .lexicon import PROPS, SPEECH_VERBS, TIMES, WEATHERS, name_gender, place_nouns, singular, word_set
from .tokens import Token, is_verb

_PLACE_PREPOSITIONS = word_set("in at into near through across around throughout outside inside of")
_FORMAL = word_set("mr mrs miss ms dr doctor sir lady lord madam captain colonel major professor")


def named_people(tokens: list[Token], candidates: list[Mention]) -> set[tuple[str, ...]]:
    """The proper names with enough evidence of being somebody."""
    score: Counter[tuple[str, ...]] = Counter()
    for mention in candidates:
        if mention.names:
            score[mention.names] += _evidence(tokens, mention)
    weak = _only_opening(tokens, candidates)
    for name in weak:
        score[name] = min(score[name], 1)
    titled = {one.names for one in candidates if one.title in _FORMAL}
    single = {name[0] for name, points in score.items() if points >= 2 and len(name) == 1}
    return {
        name
        for name, points in score.items()
        if (
            name[-1].lower() not in place_nouns()
            or name in titled
            or (len(name) > 1 and name_gender(name[0]) is not None)
        )
        and (points >= 2 or (len(name) > 1 and bool(single.intersection(name))))
    }


def _only_opening(tokens: list[Token], candidates: list[Mention]) -> set[tuple[str, ...]]:
    """Unknown single names that stand only where any word has a capital, and neither speak nor act twice."""
    acts: Counter[tuple[str, ...]] = Counter()
    firm: set[tuple[str, ...]] = set()
    for one in candidates:
        if tokens[one.first].cue or len(one.names) != 1 or one.title or name_gender(one.names[0]) is not None:
            firm.add(one.names)
            continue
        near = [tokens[at].low for at in (one.first - 1, one.last + 1) if 0 <= at < len(tokens)]
        if not tokens[one.first].first or any(low in SPEECH_VERBS for low in near):
            firm.add(one.names)
        low = one.names[0].lower()
        known = low in WEATHERS or low in TIMES or singular(low) in PROPS or singular(low) != low
        acts[one.names] += bool(near) and is_verb(near[-1]) and not known
    return {one.names for one in candidates if one.names and one.names not in firm and acts[one.names] < 2}


def _evidence(tokens: list[Token], mention: Mention) -> int:
    """Half points for and against: 2 is enough on its own."""
    before = tokens[mention.first - 1] if mention.first > 0 else None
    after = tokens[mention.last + 1] if mention.last + 1 < len(tokens) else None
    if before is not None and before.sentence != tokens[mention.first].sentence:
        before = None
    if tokens[mention.first].cue:
        return 4
    points = (
        4
        if mention.title and mention.title not in {"old", "young", "little", "big", "poor", "dear", "st", "saint"}
        else 0
    )
    lead = [token.low for token in tokens[max(0, mention.first - 3) : mention.first]]
    points += 2 * (lead[1:] == ["name", "is"] or lead[2:] == ["i'm"] or lead[1:] == ["i", "am"])
    points += 2 if mention.title in {"old", "young", "little", "poor", "dear"} else 0
    points += 2 if name_gender(mention.names[0]) is not None else 0
    if after is not None and after.sentence == tokens[mention.last].sentence and not mention.possessive:
        direct = after.start - mention.end <= 2
        if direct and is_verb(after.low):
            points += (
                2 if after.low in SPEECH_VERBS or after.low not in {"is", "was", "are", "were", "has", "had"} else 1
            )
    if before is not None:
        if before.low in SPEECH_VERBS and before.quote < 0:
            points += 3
        elif before.low in {"named", "called"}:
            points += 2
        elif before.low == "of" and mention.first > 1 and tokens[mention.first - 2].base in place_nouns():
            points -= 4  # "the village of Little Staunton"
        elif before.low in _PLACE_PREPOSITIONS:
            points -= 2 if before.low != "of" else 1
        elif before.low in {"the", "a", "an"}:
            points -= 3
    if mention.possessive:
        points += 1
    if tokens[mention.first].quote >= 0:
        start = before is None or before.quote < 0 or tokens[mention.first].start - before.end > 1
        end = after is None or after.quote != tokens[mention.last].quote or after.start - mention.end > 1
        dear = before is not None and before.low == "dear"
        points += 2 * dear + ((start or dear) and end)
    return points
