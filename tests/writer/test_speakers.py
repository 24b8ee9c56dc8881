"""Who speaks: measured on labelled passages in many styles, and by single rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import Analysis
from pipeline.writer.rules import RulesWriter
from pipeline.writer.rules.people import plain
from tests.writer.kit import make, speakers

PASSAGES = sorted((Path(__file__).parent / "passages").glob("*.json"))


def load(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def names(analysis: Analysis) -> dict[str, set[str]]:
    return {one.name: {plain(one.name), *map(plain, one.aliases)} for one in analysis.characters}


def score(passage: dict[str, Any]) -> list[tuple[str, bool]]:
    """(kind, right) for every labelled quote."""
    writer = RulesWriter()
    analysis = writer.analyse(passage["text"])
    segments = writer.script(passage["text"], analysis)
    known = names(analysis)
    result = []
    for quote in passage["quotes"]:
        middle = (quote["start"] + quote["end"]) // 2
        segment = next(one for one in segments if one.start <= middle < one.end)
        right = segment.kind == "dialogue" and plain(quote["speaker"]) in known.get(segment.speaker or "", set())
        result.append((quote["kind"], right))
    return result


def share(results: list[bool]) -> float:
    return sum(results) / len(results)


def test_speakers_of_all_passages() -> None:
    results = [one for path in PASSAGES for one in score(load(path))]
    assert len(PASSAGES) >= 6
    assert share([right for kind, right in results if kind == "explicit"]) >= 0.9
    assert share([right for _, right in results]) >= 0.7


@pytest.mark.parametrize("path", PASSAGES, ids=lambda path: path.stem)
def test_each_passage(path: Path) -> None:
    passage = load(path)
    assert share([right for _, right in score(passage)]) >= 0.6
    found = set().union(*names(RulesWriter().analyse(passage["text"])).values())
    assert {plain(name) for name in passage["characters"]} <= found


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ('"Go," said Anna. "Why?" asked Tom.', ["Anna", "Tom"]),
        ('"Go," Anna whispered. Tom shook his head.\n\n"No," he replied.', ["Anna", "Tom"]),
        ('Anna met Tom.\n\n"Go," said Anna.\n\n"Why?"\n\n"Because."\n\n"I see."', ["Anna", "Tom", "Anna", "Tom"]),
        ('Tom was by the fire with Anna. She put down the cup. "Well?"', ["Anna"]),
        ('Anna sat with Tom.\n\n"Tom, are you cold?"\n\n"A little."', ["Anna", "Tom"]),
        ('"It rains," the old man said. "It does," said the guard.', ["the old man", "the guard"]),
        ('A voice came from the well. "Help," said the voice.', ["a voice"]),
        ('"I did it," I said. "You did not," said my sister.', ["the storyteller", "the sister"]),
        ('Anna turned to Tom and said, "Go." Tom said: "No."', ["Anna", "Tom"]),
        ('"Come," said Mrs Hale, and she rose. "Now," said Mr Hale.', ["Mrs Hale", "Mr Hale"]),
    ],
)
def test_rules(story: str, expected: list[str]) -> None:
    assert speakers(story) == expected


def test_talk_with_nobody_named_has_two_voices() -> None:
    assert speakers('"Who is there?"\n\n"Nobody."\n\n"Then go away."') == ["a voice", "another voice", "a voice"]


def test_a_renamed_or_removed_character_keeps_the_script_whole() -> None:
    story = '"Go," said Anna. "Why?" asked Tom.'
    writer = RulesWriter()
    analysis = writer.analyse(story)
    anna = next(one for one in analysis.characters if one.name == "Anna")
    renamed = analysis.model_copy(
        update={"characters": (anna.model_copy(update={"name": "Hannah", "aliases": ("Anna",)}),)}
    )
    talk = [one for one in writer.script(story, renamed) if one.kind == "dialogue"]
    assert [one.speaker for one in talk] == ["Hannah", None]


def test_gender_and_age_come_from_the_text() -> None:
    film = make(
        "Old Bram was a fisherman. Robin, a girl of nine, sat beside him. 'Cast off,' said Robin. 'Aye,' said Bram.\n\n"
        "Kestrel laughed, and she pulled the rope. Her brother Ash, who was fifteen years old, steered."
    )
    told = {one.name: (one.gender, one.age_group) for one in film.analysis.characters}
    assert told["Bram"] == ("male", "elder")
    assert told["Robin"] == ("female", "child")
    assert told["Kestrel"][0] == "female"


def test_titles_and_roles_are_one_person() -> None:
    film = make("Captain Reyes came on deck. 'Sail!' cried the captain. Captain Reyes raised the telescope.")
    captain = next(one for one in film.analysis.characters if one.name == "Captain Reyes")
    assert "the captain" in captain.aliases


def test_days_places_and_openings_are_nobody() -> None:
    film = make(
        "Then Monday came. Lamps burned in London. Snow lay on Baker Street. However, Christmas passed in Paris."
    )
    assert film.analysis.characters == ()
