"""How well the embedded writer reads prose: who says what, who there is, and that no sentence is lost.

    python -m bench.writer [FOLDER] [--mistakes]

FOLDER (default: tests/writer/gold) holds one JSON file per story:

    {"text": the story,
     "quotes": [{"start": 0, "end": 12, "speaker": "Tom", "kind": "explicit"}, ...],
     "characters": [{"name": "Tom", "aliases": ["Mr. Brown", "the old man"]}, ...]}

`start` and `end` are offsets in characters of the story, with or without the quotation marks. `speaker` is a name or
an alias of `characters`, or else a name that counts for its quotes alone. `kind` is `explicit` where a tag names the
speaker by a name or a noun ("said Tom", "the fox asked"), `anaphoric` where it does by a pronoun ("she said"),
`implicit` where nothing but the context tells. The parts of one speech are of one kind. The teller of a story is a
character with the alias "I".

A quote is right when the segment at its middle is dialogue of the character that stands for its speaker. Found
characters stand for labelled ones by a name or an alias that they share, one for one, so that neither a figure split in
two nor two taken for one goes unpunished. Who is found but not labelled counts against precision.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentencex import get_sentence_boundaries

from bench._process import ROOT, row
from pipeline.contracts import CharacterDraft, SegmentDraft
from pipeline.writer.rules import RulesWriter
from pipeline.writer.rules.people import plain

STORIES = ROOT / "tests" / "writer" / "gold"
KINDS = ("explicit", "anaphoric", "implicit")
EXPLICIT, ALL = 0.9, 0.7


@dataclass(frozen=True)
class Quote:
    start: int
    end: int
    speaker: str
    kind: str


@dataclass(frozen=True)
class Labelled:
    """A story with its labels. `characters` is name → every plain spelling of it."""

    name: str
    text: str
    quotes: tuple[Quote, ...]
    characters: dict[str, frozenset[str]]


@dataclass
class Score:
    """Counts, so that scores add up. `quotes` is kind → (right, all)."""

    quotes: dict[str, tuple[int, int]] = field(default_factory=lambda: dict.fromkeys(KINDS, (0, 0)))
    labelled: int = 0
    found: int = 0
    shared: int = 0
    sentences: int = 0
    covered: int = 0
    mistakes: list[str] = field(default_factory=list)

    def add(self, other: Score) -> None:
        for kind, (right, total) in other.quotes.items():
            self.quotes[kind] = (self.quotes[kind][0] + right, self.quotes[kind][1] + total)
        self.labelled += other.labelled
        self.found += other.found
        self.shared += other.shared
        self.sentences += other.sentences
        self.covered += other.covered

    def accuracy(self, *kinds: str) -> float:
        """Share of the quotes of these kinds (none: of all) that have the right speaker."""
        counted = [self.quotes[kind] for kind in kinds or KINDS]
        return _share(sum(right for right, _ in counted), sum(total for _, total in counted))

    @property
    def precision(self) -> float:
        return _share(self.shared, self.found)

    @property
    def recall(self) -> float:
        return _share(self.shared, self.labelled)

    @property
    def coverage(self) -> float:
        return _share(self.covered, self.sentences)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def load(folder: Path) -> list[Labelled]:
    """The folder's stories by name. Raises ValueError, saying where, for labels that cannot be right."""
    stories = [_labelled(path) for path in sorted(folder.glob("*.json"))]
    if not stories:
        raise ValueError(f"{folder} holds no labelled stories (*.json).")
    return stories


def _labelled(path: Path) -> Labelled:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        text = str(data["text"])
        characters = {
            str(one["name"]): frozenset(map(plain, [one["name"], *one.get("aliases", [])]))
            for one in data["characters"]
        }
        quotes = tuple(
            Quote(int(one["start"]), int(one["end"]), _speaker(one["speaker"], characters), str(one["kind"]))
            for one in data["quotes"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a labelled story: {error!r}.") from error
    for quote in quotes:
        if not 0 <= quote.start < quote.end <= len(text) or quote.kind not in KINDS:
            raise ValueError(f"{path}: the quote {quote} lies outside the text or is of no kind.")
    return Labelled(path.stem, text, quotes, characters)


def _speaker(name: str, characters: dict[str, frozenset[str]]) -> str:
    if name in characters:
        return name
    return next((key for key, spellings in characters.items() if plain(name) in spellings), name)


def judge(story: Labelled) -> Score:
    """Takes one story through the writer and counts what is right."""
    writer = RulesWriter()
    analysis = writer.analyse(story.text)
    segments = writer.script(story.text, analysis)
    others = {quote.speaker: frozenset({plain(quote.speaker)}) for quote in story.quotes}
    stands_for = matched(analysis.characters, others | story.characters)
    score = Score(
        labelled=len(story.characters),
        found=len(analysis.characters),
        shared=sum(name in story.characters for name in stands_for.values()),
    )
    for quote in story.quotes:
        middle = (quote.start + quote.end) // 2
        segment = next((one for one in segments if one.start <= middle < one.end), None)
        speaker = segment.speaker if segment is not None and segment.kind == "dialogue" else None
        right = stands_for.get(speaker or "") == quote.speaker
        so_far, total = score.quotes[quote.kind]
        score.quotes[quote.kind] = (so_far + right, total + 1)
        if not right:
            said = " ".join(story.text[quote.start : quote.end].split())
            score.mistakes.append(
                f"{quote.kind:<9} {quote.speaker} said {said[:70]!r}; found: {speaker or 'narration'}"
            )
    found = [one.name for one in analysis.characters if one.name not in stands_for]
    missed = [name for name in story.characters if name not in stands_for.values()]
    score.mistakes += [f"character {name!r} is nobody who is labelled" for name in found]
    score.mistakes += [f"character {name!r} is not found" for name in missed]
    _count_sentences(story, segments, score)
    return score


def matched(found: Sequence[CharacterDraft], labelled: dict[str, frozenset[str]]) -> dict[str, str]:
    """Found name → labelled name, one for one: those that share most spellings first."""
    pairs = [
        (len(shared), plain(one.name) in spellings, -order, one.name, name)
        for order, one in enumerate(found)
        for name, spellings in labelled.items()
        if (shared := spellings & set(map(plain, (one.name, *one.aliases))))
    ]
    stands_for: dict[str, str] = {}
    for _, _, _, ours, theirs in sorted(pairs, reverse=True):
        if ours not in stands_for and theirs not in stands_for.values():
            stands_for[ours] = theirs
    return stands_for


def _count_sentences(story: Labelled, segments: Iterable[SegmentDraft], score: Score) -> None:
    """A sentence is covered when each of its letters and digits lies in a segment that speaks it, to the span's end."""
    spoken = bytearray(len(story.text))
    for segment in segments:
        span = story.text[segment.start : segment.end]
        if _letters(span).endswith(_letters(segment.text)):
            spoken[segment.start : segment.end] = b"\x01" * len(span)
    for sentence in get_sentence_boundaries("en", story.text):
        letters = [at for at in range(sentence["start_index"], sentence["end_index"]) if story.text[at].isalnum()]
        score.sentences += bool(letters)
        score.covered += bool(letters) and all(spoken[at] for at in letters)


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum())


def _line(name: str, score: Score) -> str:
    kinds = "  ".join(f"{right:>4}/{total:<4}" for right, total in score.quotes.values())
    return (
        f"{name:<22} {kinds}  {score.accuracy():>5.0%}  {score.precision:>5.0%}  {score.recall:>5.0%}"
        f"  {score.coverage:>5.0%}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.writer", description="How well the embedded writer reads.")
    parser.add_argument("folder", nargs="?", type=Path, default=STORIES, help="labelled stories (default: %(default)s)")
    parser.add_argument("--mistakes", action="store_true", help="print every mistake below its story")
    given = parser.parse_args()
    try:
        stories = load(given.folder)
    except ValueError as error:
        parser.error(str(error))
    everything = Score()
    print(
        f"{'story':<22} {'explicit':>9}  {'anaphoric':>9}  {'implicit':>9}  {'all':>5}  {'prec':>5}  {'rec':>5}  cover"
    )
    for story in stories:
        score = judge(story)
        everything.add(score)
        print(_line(story.name, score))
        if given.mistakes:
            print("".join(f"    {mistake}\n" for mistake in score.mistakes), end="")
    print(_line(f"{len(stories)} stories", everything))
    for kind in KINDS[1:]:
        print(f"      {kind} quotes with the right speaker: {everything.accuracy(kind):.1%}")
    print(f"      characters: precision {everything.precision:.1%}, recall {everything.recall:.1%}")
    explicit, all_, covered = everything.accuracy("explicit"), everything.accuracy(), everything.coverage
    holds = [
        row(
            "explicit quotes with the right speaker",
            f"{explicit:.1%}",
            f">= {EXPLICIT:.0%}",
            holds=explicit >= EXPLICIT,
        ),
        row("all quotes with the right speaker", f"{all_:.1%}", f">= {ALL:.0%}", holds=all_ >= ALL),
        row("sentences covered", f"{covered:.1%}", "100%", holds=covered == 1),
    ]
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
