"""Finds, in an English story, the places that tell what a character looks like, and takes them out.

Looks live in a character's `appearance` alone; a story that tells them too would fight every edit made there. Hides the
grammar: looks are told by adjectives before a person ("the red-haired girl"), by phrases ("in her forties", "with a
grey beard"), and by whole sentences ("She was tall."). The same words said of houses, prices and nights are left alone.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Way = Literal["word", "phrase", "sentence"]


@dataclass(frozen=True)
class Finding:
    """A place that tells looks: its span, its words, and how much has to go with it."""

    start: int
    end: int
    text: str
    way: Way


_WORDS: dict[str, str] = tomllib.loads((Path(__file__).parent / "looks_words.toml").read_text(encoding="utf-8"))


def _any(name: str) -> str:
    words = sorted(_WORDS[name].split(), key=len, reverse=True)
    return "(?:" + "|".join(re.escape(word) for word in words) + ")"


_COLOUR, _SHAPE, _BUILD, _FAIR, _AGED, _WORN = map(_any, ("colour", "shape", "build", "fair", "aged", "worn"))
_PERSON, _ANIMAL, _PART, _GROWN = map(_any, ("person", "animal", "part", "grown"))
_GARMENT, _MATERIAL, _TENS = map(_any, ("garment", "material", "tens"))
_NUMBER = (
    r"(?:\d{1,3}|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-\w+)?|one|two|three|four|five|six|seven|eight"
    r"|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|a hundred)"
)
_ABOUT = r"(?:(?:about|around|only|barely|almost|nearly|just|over|some|past|not yet) )*"
_HIS = r"(?:his|her|their|my|your|its|\w+['’]s)"
_VERY = r"(?:(?:very|so|quite|rather|too|unusually|strikingly|a little|still|already|no longer) )*"
_HE = rf"(?:he|she|they|I|(?:the|an?) (?:\w+ )?{_PERSON}|(?-i:[A-Z])[a-z]+)"
_WAS = r"(?:was|were|is|are|looked|looks|had been|seemed)"
_LOOK = rf"(?:{_COLOUR}|{_SHAPE})"
_LOOKS = rf"{_LOOK}(?:(?:, | and | ){_LOOK})*"
_DRESS = rf"(?:(?:{_COLOUR}|{_MATERIAL}|{_SHAPE}),? )*"
_OF_CLOTH = r"(?! of (?:paint|snow|frost|ice|mist|fog|dust|dark|night|silence|arms|green|ivy|moss|stars|light|secre))"
_COMPOUND = (
    r"(?!wide-|bright-|sharp-|clear-|dry-|eagle-|starry-|misty-|teary-|straight-faced|bare-faced|long-nosed pliers)"
    r"\w+-(?:haired|eyed|bearded|skinned|faced|cheeked|nosed|legged|shouldered|chested|lipped|furred|bellied|browed)"
)
_LIMB = r"(?:shoulders|arms?|hands?|legs?|fingers|chest|back|figure)"
_DESCRIBER = rf"(?:{_BUILD}|{_FAIR}|{_AGED}|{_WORN}|{_COMPOUND}|small|tiny|huge|big|little(?= {_BUILD}| {_AGED}))"

# (how much has to go, what is looked for); a group called `cut` is what goes, where that is less than the whole.
_PATTERNS: tuple[tuple[Way, str], ...] = (
    ("word", rf"\b{_COMPOUND}\b"),
    ("word", rf"\b(?P<cut>{_DESCRIBER}(?:(?:,| and|, and)? {_DESCRIBER})*) (?:(?!{_PART}\b)\w+ )?{_PERSON}\b"),
    ("word", rf"\b(?P<cut>{_NUMBER}-years?-old)(?= (?:{_PERSON}|{_ANIMAL})\b|[.,;!?]| (?:who|with|had|was)\b)"),
    ("word", rf"\b(?P<cut>(?:black|white|gr[ea]y|brown|ginger|spotted|striped|tabby)(?:(?:,| and)? \w+)?) {_ANIMAL}\b"),
    ("word", rf"\b{_HIS} (?:\w+ )?(?P<cut>{_LOOKS}) {_PART}\b"),
    ("word", rf"\b{_HIS} (?P<cut>(?:{_COLOUR}|{_MATERIAL})(?:(?:,| and)? (?:{_COLOUR}|{_MATERIAL}))*) {_GARMENT}\b"),
    ("word", rf"\b(?P<cut>{_NUMBER}-years?-old) (?-i:[A-Z])\w"),
    ("word", rf"\b(?P<cut>{_LOOKS}) (?:hair|beard|curls|braids?|moustache|eyebrows|complexion|eyes|skin|cheeks)\b"),
    ("word", rf"\b{_HIS} (?P<cut>{_BUILD}|wrinkled|scarred|freckled|weathered|{_COLOUR}) {_LIMB}\b"),
    ("phrase", rf"\b(?:{_PERSON}|(?-i:[A-Z])\w+)(?P<cut>, {_DESCRIBER}(?:(?:,| and|, and) {_DESCRIBER})*,)(?= )"),
    ("phrase", rf"\b(?-i:[A-Z])\w+(?P<cut>, {_NUMBER},)(?= [a-z])"),
    ("sentence", rf"\b(?:was|is|were|are) (?:somewhere )?in {_HIS} (?:early |mid-?|middle |late )?{_TENS}\b"),
    (
        "sentence",
        rf"\b(?:was|is|were|are) (?:dressed|clad|clothed|wrapped) in (?:\w+ ){{0,4}}?(?:{_GARMENT}|{_COLOUR})\b",
    ),
    ("sentence", rf"\b(?:giant|bear|slip|wisp|mountain|beanpole|bull) of an? {_PERSON}\b"),
    ("sentence", r"\bscars? (?:ran|across|on|over|marked|crossed)\b"),
    ("sentence", r"\b(?:the|an?) (?:redhead|brunette|blonde)\b"),
    ("phrase", rf",? ?\b(?:somewhere )?in {_HIS} (?:early |mid-?|middle |late )?{_TENS}\b"),
    ("phrase", rf",? ?\baged {_ABOUT}{_NUMBER}\b"),
    ("phrase", rf"\b{_PERSON}(?P<cut> of {_ABOUT}{_NUMBER})\b(?! (?:words|the|them|us|those|these|\w+s)\b)"),
    (
        "phrase",
        rf",? ?\bwith (?:an? |the |{_HIS} )?(?:[\w-]+(?:,| and)? ){{0,4}}?(?:(?:{_GROWN}|hair)\b(?! in (?:the|her|his))"
        rf"|{_LOOK} (?:eyes|face|skin|cheeks|nose|fur|feathers|tail|paws)\b)"
        rf"(?: and (?:an? )?{_LOOKS} {_PART}\b)*(?: (?:across|on|over|around|down) (?:his|her|their) \w+)?",
    ),
    (
        "phrase",
        rf",? ?\b(?:(?:dressed|clad|clothed|wrapped) )?in (?:an? |the |{_HIS} )?{_DRESS}{_GARMENT}\b{_OF_CLOTH}",
    ),
    (
        "phrase",
        rf",? ?\bwith (?:an? |{_HIS} )?{_DRESS}{_GARMENT}\b{_OF_CLOTH}(?! (?:in|under) (?:hand|his|her|their|one))",
    ),
    ("phrase", rf",? ?\b(?:dressed|clad|clothed) (?:all )?in {_COLOUR}\b"),
    ("sentence", rf"\b{_HIS} (?:\w+ )?{_GROWN}\b"),
    (
        "sentence",
        rf"\b(?:wore|wears|wearing|donned) (?:an? |the |{_HIS} )?(?:[\w-]+,? ){{0,4}}?{_GARMENT}\b{_OF_CLOTH}",
    ),
    ("sentence", rf"\b{_HIS} {_GARMENT} {_WAS} {_VERY}(?:{_COLOUR}|{_MATERIAL}|made of)\b"),
    (
        "sentence",
        rf"\b{_HIS} hair (?:was|is|fell|hung|flowed|cascaded|gleamed|shone|glowed|curled|reached|had (?:gone|turned))\b"
        r"(?! (?:standing|on end|wet|dripping|full of|in the way))",
    ),
    ("sentence", r"\b(?:hair|skin|fur) (?:the colou?r of|as \w+ as|like) "),
    ("sentence", rf"\b{_HIS} (?:eyes|skin|face|complexion|cheeks|fur|lips|nose|{_LIMB}) {_WAS} {_VERY}{_LOOK}\b"),
    (
        "sentence",
        rf"\b{_HE} {_WAS} {_VERY}(?:{_BUILD}|bald|blonde?|bearded|freckled|middle-aged|elderly)\b"
        r"(?! (?:with|of|on|for|in|to|ice)\b)",
    ),
    ("sentence", rf"\b(?:he|she|the {_PERSON}) (?:was|is) {_VERY}(?:old|young)\b(?! (?:enough|at|again|for|and|to)\b)"),
    ("sentence", rf"\b(?:he|she|the (?:\w+ )?{_PERSON}) {_WAS} {_VERY}(?:{_FAIR})\b(?! (?:to|with)\b)"),
    ("sentence", rf"\b{_HE} (?:was|were|is|turned|had turned) {_ABOUT}{_NUMBER} years (?:old|of age)\b"),
    ("sentence", rf"\b(?:he|she|the {_PERSON}) (?:was|is|had just turned) {_ABOUT}{_NUMBER}(?=[.,;!?])"),
    (
        "sentence",
        rf"\b{_HE} (?:stood|was|is) {_ABOUT}{_NUMBER} (?:feet|foot|metres|meters)\b"
        r"(?! (?:away|from|above|below|behind|deep))",
    ),
    ("sentence", rf"\b{_HE} ha(?:d|s) (?:an? )?(?:[\w-]+(?:,| and)? ){{0,3}}?(?:{_LOOK} {_PART}|{_GROWN})\b"),
)
_COMPILED = tuple((way, re.compile(pattern, re.IGNORECASE)) for way, pattern in _PATTERNS)
_SENTENCE_END = re.compile(r"[.!?…]+[\"”’»']*(?=\s|$)|\n+")
_OPENING = '"“‘«'


def find_looks(text: str) -> tuple[Finding, ...]:
    """Every place in the English text that tells looks, in order; overlapping places are told once."""
    found: list[Finding] = []
    for way, pattern in _COMPILED:
        for match in pattern.finditer(text):
            start, end = match.span("cut") if "cut" in pattern.groupindex else match.span()
            found.append(Finding(start, end, text[start:end].strip(" ,"), way))
    found.sort(key=lambda one: (one.start, -one.end))
    kept: list[Finding] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


def without_looks(text: str) -> str:
    """The English text without what `find_looks` finds: words and phrases are cut out, else the whole sentence goes."""
    for way in ("word", "phrase"):
        for one in reversed([one for one in find_looks(text) if one.way == way]):
            text = _cut(text, one.start, one.end)
    while places := find_looks(text):
        start, end = _sentence(text, places[0].start)
        text = text[:start] + text[end:].lstrip(" ")
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _cut(text: str, start: int, end: int) -> str:
    """Without the span; blanks and a/an around it are put right."""
    left, right = text[:start].rstrip(" "), text[end:]
    right = right.lstrip(" ") if not left or left[-1] in " \n" else right
    if not right[:1].isspace() and right[:1].isalnum():
        right = " " + right
    right = re.sub(r"^ +", " ", re.sub(r"^,(?= \w+ (?:man|woman|boy|girl)\b)", "", right))
    article = re.search(r"\b([Aa])n?$", left)
    following = re.match(r" *(\w)", right)
    if article and following:
        left = left[: article.start()] + article.group(1) + ("n" if following.group(1).lower() in "aeiou" else "")
    if not left or left[-1] in "\n" + _OPENING:
        right = right.lstrip(" ")
    if not left or left.rstrip(" " + _OPENING)[-1:] in ("", ".", "!", "?", "\n"):
        right = re.sub(r"^(\s*), ", r"\1", right)
        right = re.sub(r"^(\s*)(\w)", lambda match: match.group(1) + match.group(2).upper(), right, count=1)
    return left + right


def _sentence(text: str, at: int) -> tuple[int, int]:
    """The span of the sentence around a place, quotation marks of a longer speech left out."""
    start = max((match.end() for match in _SENTENCE_END.finditer(text) if match.end() <= at), default=0)
    while start < len(text) and text[start] in " \t":
        start += 1
    following = _SENTENCE_END.search(text, at)
    end = following.end() if following else len(text)
    while end > start and text[end - 1] == "\n":
        end -= 1
    body = text[start:end]
    if body[:1] in _OPENING and not any(mark in body[1:] for mark in '"”’»'):
        start += 1  # a speech that goes on keeps its opening mark
    elif body[-1:] in '"”’»' and body[:1] not in _OPENING:
        end -= 1
    return start, end
