from __future__ import annotations

import pytest

from tests.writer.kit import EXAMPLES, make

JOURNEY = """The Journey

Anna woke in the kitchen. It was early morning and rain ran down the window. She ate her bread.

At noon she walked to the market. The sun shone on the stalls. "Apples!" cried the baker.

That night Anna lay in the forest under the stars. An owl hooted. "Who is there?" asked Anna.

The next morning snow lay everywhere. She went down to the harbour. Anna looked at the castle on the far hill.
"""


def test_scenes_follow_place_time_and_weather() -> None:
    film = make(JOURNEY)
    seen = [(one.set_name, one.time_of_day, one.weather) for one in film.scenes]
    assert seen == [
        ("kitchen", "morning", "rain"),
        ("market", "day", "clear"),
        ("forest", "night", "clear"),
        ("harbour", "morning", "snow"),
    ]
    assert film.scene_of("Apples!").characters[0] == "the baker"
    assert "The market by day" in film.scene_of("Apples!").title


def test_sets_say_what_they_look_like() -> None:
    sets = {one.name: one.description for one in make(JOURNEY).analysis.sets}
    assert set(sets) == {"kitchen", "market", "forest", "harbour"}
    assert "indoors" in sets["kitchen"] and "stove" in sets["kitchen"]
    assert "outdoors" in sets["harbour"] and "boats" in sets["harbour"]


@pytest.mark.parametrize(
    "story",
    [
        "Anna looked at the forest. She thought of the sea. She would go to the harbour, if it stopped raining.",
        "He spoke of the castle. 'In the castle it is cold,' said Tom.",
        "Words. More words.",
    ],
)
def test_places_only_seen_or_wished_for_are_no_sets(story: str) -> None:
    assert [one.name for one in make(story).analysis.sets] == ["a quiet place"]


def test_breaks_and_chapters_begin_scenes() -> None:
    film = make(
        "Chapter One\n\nTom sat in the barn.\n\nHe slept.\n\n***\n\nTom ran.\n\nChapter Two\n\nTom ate in the inn."
    )
    firsts = [film.segments[one.first_segment].text for one in film.scenes]
    assert firsts == ["Chapter One", "Tom ran.", "Chapter Two"]
    assert film.scenes[2].title.startswith("Chapter Two")


def test_a_similar_word_is_no_weather() -> None:
    film = make("Tom walked through the forest. His voice was like thunder in a storm. He was as quick as lightning.")
    assert {one.weather for one in film.scenes} == {"clear"}


def test_props_are_what_the_story_handles() -> None:
    film = make("Mira lifted the old brass lantern. The lantern shone. She hid the silver key. The key was cold.")
    props = {one.name: one.description for one in film.analysis.props}
    assert props == {"lantern": "an old brass lantern", "key": "a silver key"}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda path: path.stem)
def test_examples_film_well(path: object) -> None:
    film = make((EXAMPLES / str(path)).read_text(encoding="utf-8"))
    assert "a quiet place" not in {one.name for one in film.analysis.sets}
    assert 2 <= len(film.analysis.sets) <= 12
    assert len(film.analysis.characters) <= 24
    assert len(film.analysis.props) <= 16
    assert all(one.characters for one in film.scenes[1:])
    assert len({one.time_of_day for one in film.scenes}) >= 2
    assert not {segment.speaker for segment in film.segments} & {"a voice", "another voice"}
