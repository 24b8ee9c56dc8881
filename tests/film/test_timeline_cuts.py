"""Where a take that would be too long is cut, and what the cuts that a user has made do to a scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import WordTime
from pipeline.film.timeline import OwnCut, SpokenSegment, plan_takes
from tests.film.test_timeline import (
    TEXT,
    assert_nothing_is_mixed_or_lost,
    assert_they_tile,
    in_a_row,
    narrations,
    spoken,
)


def said(words: Mapping[int, str], end_ms: int) -> SpokenSegment:
    """A segment of words by the millisecond at which each begins."""
    text = " ".join(words.values())
    times, at = [], 0
    for ms, word in words.items():
        times.append(WordTime(start=at, end=at + len(word), start_ms=ms, end_ms=ms + 200))
        at += len(word) + 1
    return SpokenSegment(0, 0, "narration", None, text, 0, end_ms, tuple(times))


def cuts_of(segments: Sequence[SpokenSegment], length: int, own: dict[int, list[OwnCut]] | None = None) -> list[int]:
    return [take.start_ms for take in plan_takes(segments, length, own_cuts=own)][1:]


# --- Inside a segment --------------------------------------------------------------------------------------------


def test_a_long_segment_is_cut_where_speech_pauses() -> None:
    takes = plan_takes([spoken(TEXT, 0, 8_000)], 8_000)
    assert [take.text for take in takes] == [
        "The old boat, patched twice, lay by the harbour wall.",
        "Nobody had sailed it for years, and nobody would.",
    ]
    assert all(2_500 <= take.duration_ms <= 6_000 for take in takes)


def test_what_is_as_long_as_a_slot_may_be_is_one_take() -> None:
    assert cuts_of([spoken(TEXT, 0, 7_500)], 7_500) == []
    assert len(cuts_of([spoken(TEXT, 0, 7_501)], 7_501)) == 1


@pytest.mark.parametrize(
    ("words", "length", "cut"),
    [
        ({0: "One", 3_000: "two,", 3_040: "three", 3_800: "four"}, 7_600, 3_040),
        ({0: "One", 2_000: "two,", 2_470: "three", 3_800: "four"}, 7_600, 3_800),
        ({0: "One", 3_000: "two.", 3_230: "three,", 3_420: "four"}, 7_600, 3_230),
        ({0: "One", 2_000: "two.”", 2_660: "three", 3_800: "four"}, 7_600, 2_660),
        ({0: "One", 2_000: "two.", 2_546: "three", 3_800: "four"}, 7_600, 3_800),
        ({0: "One", 3_040: "and", 3_500: "two", 3_800: "three"}, 7_600, 3_040),
        ({0: "One", 2_660: "and", 3_500: "two", 3_800: "three"}, 7_600, 3_800),
        ({0: "One", 3_040: "android", 3_500: "two", 3_800: "three"}, 7_600, 3_800),
        ({0: "One", 3_000: "two.", 3_900: "three", 5_000: "four"}, 10_000, 3_900),
        ({0: "One", 3_000: "two", 3_250: "three"}, 10_000, 3_250),
        ({0: "One", 3_000: "two", 3_150: "three"}, 10_000, 5_000),
        ({0: "One", 900: "two.", 1_000: "three"}, 8_000, 4_000),
        ({4_000: "Now", 4_600: "it", 5_200: "starts"}, 8_000, 4_600),
    ],
    ids=[
        "a comma near the middle",
        "a comma too far from it",
        "a sentence's end before a comma that is nearer",
        "a sentence's end behind its quotation mark",
        "a sentence's end too far from the middle",
        "a word that joins, near the middle",
        "a word that joins, too far from it",
        "a word that only begins like one that joins",
        "a sentence's end that leaves a little more than six seconds",
        "a word that leaves more, before silence",
        "silence, before a word that leaves much more",
        "silence, before a part that is far too short",
        "no silence is left alone while something is said beside it",
    ],
)
def test_a_pause_is_weighed_against_parts_of_unequal_length(words: dict[int, str], length: int, cut: int) -> None:
    assert cuts_of([said(words, length)], length) == [cut]


def test_an_even_cut_where_there_are_no_words() -> None:
    assert cuts_of([spoken("", 0, 30_000)], 30_000) == [6_000, 12_000, 18_000, 24_000]
    two = plan_takes([spoken(TEXT, 0, 12_000, words=False)], 12_000)
    assert [take.duration_ms for take in two] == [6_000, 6_000]
    assert " ".join(take.text for take in two) == TEXT


@pytest.mark.parametrize(
    "parts",
    [("a bbbb", "cccccc"), ("aaaaa", "bbbbbb c"), ("aaaaaaa bbb", "c ddddd e f"), ("你好世界这是", "一个很长的句")],
)
def test_without_times_of_words_the_text_is_cut_at_the_gap_nearest_to_the_place_in_time(
    parts: tuple[str, str],
) -> None:
    text = " ".join(parts) if parts[0].isascii() else "".join(parts)
    takes = plan_takes([spoken(text, 0, 8_000, words=False)], 8_000)
    assert tuple(take.text for take in takes) == parts


def test_a_silence_inside_a_segment_is_cut_too() -> None:
    takes = plan_takes([spoken(TEXT, 0, 6_000)], 30_000)
    assert max(take.duration_ms for take in takes) <= 7_500
    assert " ".join(take.text for take in takes).strip() == TEXT


def test_what_is_said_after_a_silence_is_heard_after_its_cuts() -> None:
    segment = said({0: "One", 1_000: "two.", 16_000: "Three", 16_500: "four."}, 18_000)
    takes = plan_takes([segment], 18_000)
    assert [(take.text, take.start_ms, take.char) for take in takes] == [
        ("One two.", 0, 0),
        ("", 6_000, 9),
        ("Three four.", 12_000, 9),
    ]


@pytest.mark.parametrize("kind", ["sound", "text"])
def test_a_time_that_goes_back_is_no_place_to_cut(kind: str) -> None:
    good = said({0: "One", 2_000: "two", 4_000: "three.", 4_500: "four", 6_000: "five"}, 8_000)
    wrong = {"start_ms": 1_500} if kind == "sound" else {"start": 4, "end": 7}
    words = [word.model_copy(update=wrong) if at == 3 else word for at, word in enumerate(good.words)]
    segment = SpokenSegment(0, 0, "narration", None, good.text, 0, 8_000, tuple(words))
    takes = plan_takes([segment], 8_000)
    assert [take.text for take in takes] == ["One two", "three. four five"]
    assert takes[1].start_ms == 4_000


# --- By hand -----------------------------------------------------------------------------------------------------


def a_scene_and_another() -> list[SpokenSegment]:
    return [
        spoken("The door opened.", 0, 3_000, index=0),
        spoken("Nobody came in.", 3_000, 6_000, index=1),
        spoken("Hello?", 6_000, 8_000, index=2, kind="dialogue", speaker="Anna"),
        spoken("It was", 8_000, 10_000, index=3, scene=1),
        spoken("the wind.", 10_000, 12_000, index=4, scene=1),
    ]


@pytest.mark.parametrize(
    ("cuts", "takes"),
    [
        ([], ["The door opened. Nobody came in.", "Hello?"]),
        ([OwnCut(1, 0, 3_000)], ["The door opened.", "Nobody came in.", "Hello?"]),
        ([OwnCut(0, 4, 1_000)], ["The", "door opened. Nobody came in.", "Hello?"]),
        ([OwnCut(1, 7, 4_000)], ["The door opened. Nobody", "came in.", "Hello?"]),
        ([OwnCut(0, 1, 100)], ["T", "he door opened. Nobody came in.", "Hello?"]),
        ([OwnCut(1, 1, 3_100)], ["The door opened. N", "obody came in.", "Hello?"]),
        (
            [OwnCut(1, 12, 5_000), OwnCut(0, 4, 1_000), OwnCut(1, 0, 3_000), OwnCut(0, 9, 2_000)],
            ["The", "door", "opened.", "Nobody came", "in.", "Hello?"],
        ),
        ([OwnCut(0, 9, 2_000), OwnCut(1, 7, 4_000)], ["The door", "opened. Nobody", "came in.", "Hello?"]),
    ],
)
def test_a_scene_is_cut_where_the_user_wants_it(cuts: list[OwnCut], takes: list[str]) -> None:
    found = plan_takes(a_scene_and_another(), 12_000, own_cuts={0: cuts})
    assert [take.text for take in found] == [*takes, "It was the wind."]
    assert_nothing_is_mixed_or_lost(found, a_scene_and_another())
    wanted = {0, 6_000, 8_000, *(cut.ms for cut in cuts)}
    assert {take.start_ms for take in found} == wanted


def test_the_other_scenes_are_cut_as_ever() -> None:
    assert cuts_of(a_scene_and_another(), 12_000, {1: [OwnCut(4, 0, 10_000)]}) == [3_000, 6_000, 8_000, 10_000]
    assert cuts_of(a_scene_and_another(), 12_000, {}) == cuts_of(a_scene_and_another(), 12_000)


@pytest.mark.parametrize(
    "cut",
    [
        OwnCut(0, 0, 0),
        OwnCut(0, 0, 500),
        OwnCut(0, 4, 0),
        OwnCut(0, 4, 3_000),
        OwnCut(1, 7, 3_000),
        OwnCut(1, 7, 6_000),
        OwnCut(1, 7, 2_000),
        OwnCut(2, 0, 6_000),
        OwnCut(3, 0, 8_000),
    ],
)
def test_a_cut_that_leaves_nothing_on_one_side_is_passed_over(cut: OwnCut) -> None:
    assert cuts_of(a_scene_and_another(), 12_000, {0: [cut]}) == [6_000, 8_000]


def test_of_cuts_that_cross_the_first_in_the_text_counts() -> None:
    crossed = [OwnCut(0, 9, 1_000), OwnCut(0, 4, 2_000)]
    assert cuts_of(a_scene_and_another(), 12_000, {0: crossed}) == [2_000, 6_000, 8_000]
    twice = [OwnCut(0, 4, 2_000), OwnCut(0, 9, 2_000)]
    assert cuts_of(a_scene_and_another(), 12_000, {0: twice}) == [2_000, 6_000, 8_000]


def test_without_sound_two_speakers_still_do_not_share_a_take() -> None:
    segments = [
        spoken("It was late.", 0, 3_000, index=0),
        spoken("…", 3_000, 3_000, index=1, kind="dialogue", speaker="Anna"),
        spoken("…", 3_000, 3_000, index=2, kind="dialogue", speaker="Tom"),
        spoken("They went home.", 3_000, 6_000, index=3),
    ]
    takes = plan_takes(segments, 6_000, own_cuts={0: [OwnCut(3, 0, 3_000)]})
    assert [take.speaker for take in takes] == [None, "Anna", "Tom", None]
    assert_they_tile(takes, 6_000)


def test_a_cut_right_behind_a_segment_without_sound_is_passed_over() -> None:
    segments = [
        spoken("It was late.", 0, 3_000, index=0),
        spoken("…", 3_000, 3_000, index=1),
        spoken("They went home.", 3_000, 6_000, index=2),
    ]
    takes = plan_takes(segments, 6_000, own_cuts={0: [OwnCut(1, 0, 3_000), OwnCut(2, 0, 3_000)]})
    assert [(take.segments, take.start_ms) for take in takes] == [((0,), 0), ((1, 2), 3_000)]


@pytest.mark.parametrize(
    ("lengths", "cuts"),
    [
        ([4_000, 3_500], []),
        ([4_000, 3_501], [4_000]),
        ([5_000, 2_000, 5_000, 2_000], [7_000]),
        ([3_000, 4_000, 5_000, 1_000], [7_000]),
        ([1_000, 3_000, 3_000, 3_000], [4_000]),
        ([2_000, 10_000], [2_000, 7_000]),
    ],
)
def test_what_is_too_long_by_hand_is_cut_between_segments_first(lengths: list[int], cuts: list[int]) -> None:
    before = [spoken("Before.", 0, 5_000, index=0)]
    segments = before + [
        SpokenSegment(one.index + 1, 1, one.kind, None, "Rain fell.", one.start_ms + 5_000, one.end_ms + 5_000)
        for one in in_a_row(lengths)
    ]
    found = plan_takes(segments, 5_000 + sum(lengths), own_cuts={1: []})
    assert [take.start_ms - 5_000 for take in found[2:]] == cuts
    assert_nothing_is_mixed_or_lost(found, segments)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("The keeper lit his lamp again that evening", "because the ships were still far away on the sea"),
        ("Das kleine Kind trug die Laterne heim", "und der kalte Wind zog ihm den roten Mantel fort"),
    ],
)
def test_without_a_pause_a_cut_comes_before_a_word_that_joins(before: str, after: str) -> None:
    takes = plan_takes([spoken(f"{before} {after}", 0, 9_000)], 9_000)
    assert [take.text for take in takes] == [before, after]


def test_what_is_left_of_a_long_segment_is_cut_by_its_own_words() -> None:
    segment = spoken(TEXT, 0, 20_000)
    takes = plan_takes([segment], 20_000, own_cuts={0: [OwnCut(0, TEXT.index("lay"), 5_631)]})
    starts = {word.start: word.start_ms for word in segment.words}
    assert [take.text for take in takes] == [
        "The old boat, patched twice,",
        "lay by the harbour wall.",
        "Nobody had sailed it",
        "for years, and nobody would.",
    ]
    assert [starts[take.char] for take in takes] == [take.start_ms for take in takes]
    assert_nothing_is_mixed_or_lost(takes, [segment])


@st.composite
def cut_by_hand(draw: st.DrawFn) -> tuple[list[SpokenSegment], int, dict[int, list[OwnCut]]]:
    """Narrations with cuts in some of their scenes, sensible ones and others."""
    segments, length = draw(narrations())
    own: dict[int, list[OwnCut]] = {}
    for segment in segments:
        if draw(st.booleans()):
            place = st.tuples(
                st.integers(0, len(segment.text) + 2), st.integers(segment.start_ms - 50, segment.end_ms + 200)
            )
            own.setdefault(segment.scene, []).extend(
                OwnCut(segment.index, *one) for one in draw(st.lists(place, max_size=3))
            )
    return segments, length, own


@given(cut_by_hand())
def test_by_hand_too_slots_tile_and_nothing_is_mixed_or_lost(
    narration: tuple[list[SpokenSegment], int, dict[int, list[OwnCut]]],
) -> None:
    segments, length, own = narration
    takes = plan_takes(segments, length, own_cuts=own)
    assert_they_tile(takes, length)
    assert_nothing_is_mixed_or_lost(takes, segments)
    slots = dict(zip((one.index for one in segments), pairwise([*(s.start_ms for s in segments), length]), strict=True))
    if all(end - start > 100 for start, end in slots.values()):  # else a cut may make way for a frame
        for cuts in own.values():
            for cut in cuts:
                start, end = slots[cut.segment]
                alone = sum(other.segment == cut.segment for other in cuts) == 1
                if alone and cut.char > 0 and start + 100 < cut.ms < end - 100:
                    assert cut.ms in {take.start_ms for take in takes}
