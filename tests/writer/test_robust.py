"""No text with a letter or a digit in it makes the writer fail, whatever else is in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.writer import STORIES, load
from pipeline.writer.protocol import check_scenes, check_script
from pipeline.writer.text import count_words
from tests.naughty import STRINGS
from tests.writer.kit import EXAMPLES, WRITER, make

PIECES = st.sampled_from(
    [
        *"\"“”‘’'«»„「」『』—.!?…。,:;()[]*_#\n\t\r\x00\x1b\u200f\u202e\ud83d²",
        *["\n\n", "\r\n\r\n", "***\n", "- ", "Tom", "Anna ", "said ", "she asked ", "the old man ", "Mr. Brown "],
        *[
            "in the kitchen ",
            "The next morning ",
            "It was night. ",
            "Chapter 1\n",
            "TOM: ",
            "😀",
            "你好",
            "مرحبا",
            "नमस्ते",
        ],
        *["I ", "fox ", "'tis ", "x" * 400, "Ǆ", "İ", "ß", "１", "had a key. ", "ran to the forest. "],
    ]
)


@settings(max_examples=40)
@given(st.lists(PIECES, min_size=1, max_size=60).map("".join), st.sampled_from(["en", "zh", "fr"]))
def test_any_jumble_of_story_pieces(story: str, language: str) -> None:
    if any(char.isalnum() for char in story):
        make(story, language)


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=300))
def test_any_text(story: str) -> None:
    if any(char.isalnum() for char in story):
        make(story, "en")


@pytest.mark.parametrize("story", [text for text in STRINGS if any(char.isalnum() for char in text)])
def test_naughty_strings(story: str) -> None:
    make(story, "en")
    make(f'Tom said, "{story}" and went to the {story}.\n\n{story}', "en")


@pytest.mark.parametrize(
    "story", ["Hello", "7", '"Hi."', "“", "a“", '"a" "b" "c"', "He said nothing.", "\n\n\n x \n\n\n", "* a *"]
)
def test_the_least_of_stories(story: str) -> None:
    if any(char.isalnum() for char in story):
        assert make(story, "en").scenes


def test_the_same_text_gives_the_same_film() -> None:
    story = (EXAMPLES / "lantern.txt").read_text(encoding="utf-8")
    assert make(story) == make(story)


def test_thirty_thousand_words() -> None:
    story = "\n\n".join((EXAMPLES / "the-tide-clock.txt").read_text(encoding="utf-8") for _ in range(14))
    film = make(story)
    assert len(film.segments) > 2000
    assert len(film.analysis.characters) <= 25


def test_a_hundred_thousand_words() -> None:
    texts = [story.text for story in load(STORIES) if "play" not in story.name]
    one = "\n\n***\n\n".join(texts)
    story = "\n\n***\n\n".join([one] * (100_000 // count_words(one) + 1))
    analysis = WRITER.analyse(story, language="en")
    segments = WRITER.script(story, analysis)
    check_script(story, segments, analysis)
    check_scenes(WRITER.scenes(segments, analysis), segments, analysis)
    assert count_words(story) >= 100_000
    assert len(analysis.characters) <= 61


@pytest.mark.parametrize(
    "piece", ["'a ", '"a ', "“a” ", "Tom said ", "- a\n", "— hi said he ", "he ", '"Hi," she said. ']
)
def test_long_monotony(piece: str) -> None:
    make(piece * 1500, "en")
