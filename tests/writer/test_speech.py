"""What counts as speech, in every style of marks."""

from __future__ import annotations

import pytest

from tests.writer.kit import make, spoken


@pytest.mark.parametrize(
    ("story", "said"),
    [
        ('"Hello," said Tom. "It is late."', ["Hello,", "It is late."]),
        ("“Hello,” said Tom. “It is late.”", ["Hello,", "It is late."]),
        ("'Hello,' said Tom. 'It's late, isn't it?'", ["Hello,", "It's late, isn't it?"]),
        ("‘Hello,’ said Tom. ‘It’s the dogs’ dinner.’", ["Hello,", "It’s the dogs’ dinner."]),
        ("«Hello», said Tom. « It is late. »", ["Hello", "It is late."]),
        ("»Hello«, said Tom. »It is late.«", ["Hello", "It is late."]),
        ("„Hello“, said Tom. „It is late.”", ["Hello", "It is late."]),
        ("”Hello”, said Tom. ”It is late.”", ["Hello", "It is late."]),
        ("— Hello, said Tom. — It is late.\n\n- Yes, it is.", ["Hello,", "It is late.", "Yes, it is."]),
        ("— Hello.\n— Is it late? she asked.", ["Hello.", "Is it late?"]),
        ("He said, “She called me ‘a goose’ today.”", ["She called me ‘a goose’ today."]),
        ("TOM: Hello.\nANN: It is late.\nTOM: Is it?", ["Hello.", "It is late.", "Is it?"]),
        ('Tom looked at the "so-called" castle.', []),
        ("The dogs' bowls and the cats' beds stood in Tom's kitchen.", []),
        ("'Twas night, and the boys' lamps were out.", []),
        ("Tom didn't say it. He couldn't.", []),
    ],
)
def test_styles(story: str, said: list[str]) -> None:
    assert spoken(story) == said


@pytest.mark.parametrize(
    ("language", "story", "said"),
    [
        (
            "zh",
            "狐狸说：“你好，乌鸦！”乌鸦没有回答。「你为什么不说话？」狐狸问。",
            ["你好，乌鸦！", "你为什么不说话？"],
        ),
        ("ja", "「桃が流れてきた」とおばあさんは言いました。", ["桃が流れてきた"]),
        ("ar", "قال الملك: «أين حصاني؟» فأجاب الخادم.", ["أين حصاني؟"]),
        ("es", "—Hola —dijo Ana—. ¿Cómo estás?", ["Hola", "¿Cómo estás?"]),
        ("fr", "— Bonjour, dit Marie.\n« Où vas-tu ? » demanda-t-elle.", ["Bonjour,", "Où vas-tu ?"]),
        ("de", "„Wo ist mein Pferd?“, fragte er. »Im Stall.«", ["Wo ist mein Pferd?", "Im Stall."]),
    ],
)
def test_other_languages_are_read_by_the_narrator(language: str, story: str, said: list[str]) -> None:
    film = make(story, language)
    talk = [segment for segment in film.segments if segment.kind == "dialogue"]
    assert [segment.text for segment in talk] == said
    assert {segment.speaker for segment in talk} == {None}


def test_an_open_quote_ends_with_its_paragraph() -> None:
    story = '"I never shut this, said Tom.\n\nThe rain fell.\n\n"But this I do," said Ann.'
    assert spoken(story) == ["I never shut this, said Tom.", "But this I do,"]


def test_a_speech_over_several_paragraphs_keeps_its_speaker() -> None:
    story = (
        "“This is long,” said Anna. “It goes on.\n\n“And on.\n\n“And then it ends.”\n\nTom clapped. “Good,” said Tom."
    )
    film = make(story)
    said = [(one.speaker, one.text) for one in film.segments if one.kind == "dialogue"]
    assert said[1:4] == [("Anna", "It goes on."), ("Anna", "And on."), ("Anna", "And then it ends.")]


def test_long_narration_is_cut_between_sentences() -> None:
    story = "The road ran on through the grey hills and nobody was on it at all that day. " * 12
    film = make(story)
    assert all(len(one.text) <= 340 and one.text.endswith(".") for one in film.segments)


def test_an_endless_sentence_is_cut_too() -> None:
    for story in ("and so it went, " * 200, "x" * 2000, "你" * 2000):
        assert all(len(one.text) <= 340 for one in make(story, "en").segments)


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    story = (
        "The fisherman went down to the harbour with his\nnets upon his shoulder, and he sang as he\n"
        'went. "What a fine\nmorning it is," he said, "for\nherring."\n\nThe gulls followed him.'
    )
    assert spoken(story) == ["What a fine morning it is,", "for herring."]


def test_a_break_leaves_a_gap_between_spans_and_nothing_else_does() -> None:
    film = make("Tom slept in the barn.\n\nHe woke.\n\n* * *\n\nAnn walked to the market.", "en")
    gaps = [b.start - a.end for a, b in zip(film.segments, film.segments[1:], strict=False)]
    assert [gap > 0 for gap in gaps] == [False, True]


def test_control_characters_are_not_spoken() -> None:
    film = make("Tom\x00 ran\x1b[31m home.\x07", "en")
    assert all(char.isprintable() for one in film.segments for char in one.text)
