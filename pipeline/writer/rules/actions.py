"""What is seen in a take, as one plain sentence in the present: who does what."""

from __future__ import annotations

import re

from .lexicon import ARRIVE, MOODS, PRESENT, SPEECH_MANNER, SPEECH_VERBS, STAY, singular, word_set
from .tokens import FUNCTION, is_verb

_MOST_WORDS = 14
_SENTENCE = re.compile(r"[^.!?…。！？]+")
_CLAUSE = re.compile(r"[,;:—–]| and (?=\w+ed\b)| but | until | because | so that ")
_SEEN_SPEECH = word_set("laughed sighed sang began called cried thought wondered pressed offered hummed gasped sniffed")
_APPOSITION = re.compile(r",[^,.;:!?]{3,90},")
_WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")
_FEELINGS = (
    ("worried", MOODS["tense"] - {"storm", "dark", "knife", "thief", "hid", "crept", "alone", "lost", "danger"}),
    ("sad", MOODS["sad"] - {"died", "dead", "grave", "funeral"}),
    ("angry", MOODS["angry"] - {"shouted"}),
    ("happy", MOODS["joyful"] - {"party", "feast", "celebration", "song"}),
)
_PREPOSITIONS = word_set(
    "in on under at by near beside behind before above below beneath among between inside out down up"
)
_PLURAL = {"is": "are", "has": "have", "was": "were"}
_UNFINISHED = word_set("the a an and of to in with his her their my its at on for from by that as or into over")


def feeling(text: str) -> str | None:
    """How somebody looks, told by a text: worried, sad, angry, happy; or None."""
    words = {match[0].lower() for match in _WORD.finditer(text)}
    return next((name for name, signs in _FEELINGS if words & signs), None)


def present(verb: str) -> str:
    """A verb's third person present from its past: walked → walks, ran → runs; anything else is returned as it is."""
    low = verb.lower()
    if low in PRESENT:
        return PRESENT[low]
    if not low.endswith("ed") or len(low) < 4:
        return verb
    if low.endswith("ied"):
        return low[:-3] + "ies"
    stem = low[:-2]
    vowels = len(re.findall(r"[aeiouy]+", stem))
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "lsfz":
        stem = stem[:-1]
    elif (
        re.search(r"(?:[vcuz]|[^s]s|[^n]g|ng(?<=[ae]ng)|[^aeiou]l|[^aeo]at)$", stem)
        and not re.search(r"(?:[lr]l|ll)$", stem)
    ) or (vowels == 1 and re.search(r"[^aeiou][aeiou][klmnprtd]$|^[aeiou][klmnprtd]$", stem)):
        stem += "e"
    if re.search(r"(?:s|x|z|ch|sh|o)$", stem):
        return stem + "es"
    return stem + "s"


def plural(verb: str) -> str:
    """A present verb for several: walks → walk, goes → go, is → are."""
    if verb in _PLURAL:
        return _PLURAL[verb]
    if verb.endswith("ies"):
        return verb[:-3] + "y"
    if verb.endswith(("ches", "shes", "sses", "xes", "oes")):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb


def sentence(text: str, subject: str, start: int, end: int) -> str | None:
    """The clause of `text` whose subject stands at start..end, renamed `subject`, its verb in the present."""
    apposition = _APPOSITION.match(text, end)
    end = apposition.end() if apposition else end
    tail = _CLAUSE.split(_SENTENCE.match(text, end)[0] if _SENTENCE.match(text, end) else "", maxsplit=1)[0]  # type: ignore[index]
    words = tail.split()
    at = next(
        (at for at, word in enumerate(words[:4]) if is_verb(word.lower()) and not word.lower().endswith("ly")), None
    )
    if at is None or not (apposition or text[end : end + 1].isspace()):
        return None
    low = words[at].lower()
    if (low in SPEECH_VERBS and low not in _SEEN_SPEECH) or low == "had":
        return None
    if (low in FUNCTION and low not in {"was", "were", "is", "did"}) or low in {"could", "would", "should", "might"}:
        return None
    verb = present(words[at])
    several = "and" in words[:at] or (
        subject.startswith("the ") and singular(subject.split()[-1]) != subject.split()[-1]
    )
    words[at] = plural(verb) if several and verb != words[at] else verb
    for later, word in enumerate(words[at + 1 :], at + 1):
        if words[later - 1].lower() == "and" and is_verb(word.lower()):
            words[later] = present(word)
    if words[at:] in (["is"], ["are"], ["has"], ["have"]):
        return None
    words, cut = words[:_MOST_WORDS], len(words) > _MOST_WORDS
    while cut and len(words) > at + 1 and words[-1].lower() in _UNFINISHED:
        words.pop()
    return capitalised(f"{subject} {' '.join(words)}")


def inverted(text: str, subject: str, start: int) -> str | None:
    """The same for a verb before its subject: "Under the pine sat a fox" → "The fox sits under the pine"."""
    before = text[:start]
    clause = re.split(r"[.!?…;:]|, and ", before)[-1].strip()
    words = clause.split()
    if not 3 <= len(words) <= _MOST_WORDS or "," in clause or words[-1].lower() not in STAY | ARRIVE:
        return None
    if words[0].lower() not in _PREPOSITIONS:
        return None
    place = " ".join([words[0].lower(), *words[1:-1]])
    return capitalised(f"{subject} {present(words[-1])} {place}")


def view(text: str, place: str) -> str:
    """A sentence for a take in which nobody acts: its first clause, in the present, or a plain view of the place."""
    if text[-1:].isalnum() and len(text) < 90:
        return f"A view of {the(place)}"
    clause = _CLAUSE.split((_SENTENCE.findall(text) or [""])[0], maxsplit=1)[0].strip()
    words = clause.split()
    if not 3 <= len(words) <= _MOST_WORDS + 6:
        return f"A view of {the(place)}"
    at = next(
        (at for at, word in enumerate(words) if at and (word.lower() in PRESENT or word.lower().endswith("ed"))), None
    )
    if at is not None:
        verb, before = present(words[at]), words[at - 1].lower()
        many = singular(before) != before or before in {"people", "they"}
        words[at] = plural(verb) if many and verb != words[at] else verb
    words, cut = words[:_MOST_WORDS], len(words) > _MOST_WORDS
    while cut and words[-1].lower() in _UNFINISHED:
        words.pop()
    return capitalised(" ".join(words))


def speaking(speaker: str, listener: str | None, text: str, manner: str | None) -> str:
    """A sentence for a take of speech."""
    to = f" {listener}" if listener else ""
    look = feeling(text)
    if manner == "whispers":
        action = f"{speaker} whispers to{to}" if listener else f"{speaker} whispers"
    elif manner == "shouts" or text.rstrip().endswith("!"):
        action = f"{speaker} calls out to{to}" if listener else f"{speaker} calls out"
    elif manner == "laughs":
        action, look = f"{speaker} laughs and speaks to{to}" if listener else f"{speaker} laughs", "happy"
    elif manner == "sighs":
        action, look = f"{speaker} speaks to{to}" if listener else f"{speaker} speaks", "sad"
    elif text.rstrip().endswith(("?", "？", "؟")):
        action = f"{speaker} asks{to} a question"
    else:
        action = f"{speaker} speaks to{to}" if listener else f"{speaker} speaks"
    return capitalised(action + (f", looking {look}" if look else ""))


def manner(text: str) -> str | None:
    """How something is said, told by a tag such as "whispered Anna"."""
    words = {match[0].lower() for match in _WORD.finditer(text)}
    return next((name for name, verbs in SPEECH_MANNER.items() if words & verbs), None)


def the(name: str) -> str:
    """A place's or thing's name in a sentence: "harbour" → "the harbour"; names and phrases with an article stay."""
    return name if name[:1].isupper() or name.split(" ")[0] in {"a", "an", "the"} or "'s " in name else f"the {name}"


def capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
