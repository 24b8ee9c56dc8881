"""Who speaks: measured on labelled stories in many styles, and by single rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.writer import STORIES, Labelled, Score, judge, load
from pipeline.writer.rules import RulesWriter
from tests.writer.kit import EXAMPLES, make, speakers

# Floors just under what the rules reach on the labelled stories, per kind of quote.
FLOORS = {"explicit": 0.96, "anaphoric": 0.93, "implicit": 0.9}
TEXTS = load(STORIES)


@pytest.fixture(scope="module")
def scores() -> dict[str, Score]:
    return {story.name: judge(story) for story in TEXTS}


def test_speakers_and_characters_of_all_stories(scores: dict[str, Score]) -> None:
    everything = Score()
    for score in scores.values():
        everything.add(score)
    assert {kind: everything.accuracy(kind) >= floor for kind, floor in FLOORS.items()} == dict.fromkeys(FLOORS, True)
    assert everything.accuracy() >= 0.94
    assert everything.recall >= 0.95
    assert everything.precision >= 0.92
    assert everything.coverage == 1


@pytest.mark.parametrize("name", [story.name for story in TEXTS])
def test_each_story(scores: dict[str, Score], name: str) -> None:
    assert scores[name].accuracy() >= 0.6, scores[name].mistakes
    assert scores[name].coverage == 1


@pytest.mark.parametrize("story", TEXTS, ids=lambda story: story.name)
def test_labels_are_of_speech_by_labelled_characters(story: Labelled) -> None:
    ends = [end for quote in story.quotes for end in (quote.start, quote.end)]
    assert ends == sorted(ends)
    assert {quote.speaker for quote in story.quotes} <= story.characters.keys()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda path: path.stem)
def test_the_examples_are_among_them(path: Path) -> None:
    labelled = next(story for story in TEXTS if story.name == path.stem)
    assert labelled.text == path.read_text(encoding="utf-8")


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
        (
            'Denise and Kat sat down.\n\n"It is late, Dee," said Kat.\n\n"So?" Denise said.\n\n"Go, Dee."',
            ["Kat", "Denise", "Kat"],
        ),
        (
            '"Mudge!" called Mr. Fenn.\n\nTobias Mudge rose. "Sir."\n\n"The post."\n\n"Yes, sir," said Mudge.',
            ["Mr. Fenn", "Tobias Mudge", "Mr. Fenn", "Tobias Mudge"],
        ),
        ('I met Tom.\n\n"Is it you, Martin?" said Tom.\n\n"It is," I said.', ["Tom", "Martin"]),
        ('"You are late," said Anna.\n\nTom sat down. "Sorry," said the other.', ["Anna", "Tom"]),
        (
            'A box lay beside a doll.\n\n"Is it you?" the box wanted to know.\n\n"It is," put in the doll.',
            ["the box", "the doll"],
        ),
        ('An old clerk sat there. A girl came in.\n\n"My name is Ruth Hale," she said.', ["Ruth Hale"]),
        ('"Go," said Anna.\n\nTom did not answer.\n\n"Go now!"', ["Anna", "Anna"]),
        (
            "—You are late, said Corrigan. I pay on the nail.\n\n—Are you sure? asked Leary.",
            ["Corrigan", "Corrigan", "Leary"],
        ),
        ("ANN. Are you there?\n\nTOM. (rising) I am.\n\nANN. Good.\n\nTOM. Is it?", ["Ann", "Tom", "Ann", "Tom"]),
        ("ANN\nAre you there?\n\nTOM\nI am.\n\nANN\nGood.\n\nTOM\nIs it?", ["Ann", "Tom", "Ann", "Tom"]),
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
