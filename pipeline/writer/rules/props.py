"""Props: things that the story returns to, with what it says of their looks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

from pipeline.contracts import PropDraft

from .lexicon import PROPS, figure_nouns, place_nouns, singular, word_set
from .tokens import DETERMINERS, FUNCTION, is_verb

LIMIT = 16
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_HANDLED = word_set(
    "took take held hold carried carry found find lost gave give brought bring picked lifted opened open closed dropped"
    " hid lit stole wore put set kept handed pulled drew grabbed caught threw broke clutched bought sold with"
)
_NOT_LOOKS = word_set("other same own only last next first second many few such very more little")


def props(story: str) -> tuple[PropDraft, ...]:
    """At most LIMIT props, the most returned to first: named twice, or once where somebody handles them."""
    words = [match[0].lower().replace("’", "'") for match in _WORD.finditer(story)]
    weight: Counter[str] = Counter()
    adjectives: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for index, word in enumerate(words):
        name = word if word in PROPS else singular(word)
        if name not in PROPS or (word != name and word not in {name + "s", name + "es"}):
            continue
        if not _is_thing(words, index):
            continue
        weight[name] += 2 + bool(_HANDLED.intersection(words[max(0, index - 4) : index]))
        adjectives[name].update(_qualities(words, index))
    short = len(words) < 400
    chosen = [name for name, points in weight.most_common() if points >= (3 if short else 4)]
    return tuple(PropDraft(name=name, description=_look(name, adjectives[name])) for name in chosen[:LIMIT])


def _is_thing(words: list[str], index: int) -> bool:
    """A noun in a phrase, not a verb ("they ring", "set sail") or an adjective ("orange light")."""
    before = words[index - 1] if index else ""
    following = words[index + 1] if index + 1 < len(words) else ""
    if following in place_nouns() or following in figure_nouns() or following in PROPS:
        return False
    if "like" in words[max(0, index - 3) : index] or "as" in words[max(0, index - 3) : index]:
        return False
    if before in {"to", "they", "we", "you", "i", "he", "she", "will", "would", "could", "and"} and before != "and":
        return False
    if words[index] in {"orange", "stone", "rose", "watch", "pot", "bow", "set"}:
        return before in {"the", "a", "an", "his", "her", "my", "your", "their", "that", "this", "small", "red", "old"}
    return True


def _qualities(words: list[str], index: int) -> list[str]:
    """The adjectives between an article and the noun: "an old brass lantern" → old, brass."""
    at = index - 1
    while at >= 0 and index - at <= 3 and _tells(words[at]):
        at -= 1
    return words[at + 1 : index] if at >= 0 and words[at] in DETERMINERS else []


def _tells(word: str) -> bool:
    return (
        word not in FUNCTION
        and word not in _NOT_LOOKS
        and not is_verb(word)
        and not word.endswith(("'s", "ly"))
        and word not in PROPS
        and word not in place_nouns()
    )


def _look(name: str, told: Counter[str]) -> str:
    words = [word for word, _ in told.most_common(3)]
    if not words:
        return PROPS[name]
    text = " ".join([*words, name])
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
