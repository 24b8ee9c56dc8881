"""The clock: slots tile the narration, cuts stay on the grid at any length, takes never mix."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import SegmentKind, WordTime
from pipeline.errors import InvalidInput
from pipeline.film.timeline import (
    SpokenSegment,
    TakePlan,
    ask_seconds,
    covering_ms,
    frame_at,
    ms_of_frame,
    plan_takes,
    slot_frames,
    wan_fast_frames,
)

TEXT = "The old boat, patched twice, lay by the harbour wall. Nobody had sailed it for years, and nobody would."


def spoken(
    text: str,
    start_ms: int,
    end_ms: int,
    *,
    index: int = 0,
    scene: int = 0,
    kind: SegmentKind = "narration",
    speaker: str | None = None,
    words: bool = True,
) -> SpokenSegment:
    """A segment whose words are spoken at an even pace."""
    times = []
    at = 0
    for word in text.split() if words else ():
        at = text.index(word, at)
        ms = [(end_ms - start_ms) * place // len(text) for place in (at, at + len(word))]
        times.append(WordTime(start=at, end=at + len(word), start_ms=ms[0], end_ms=ms[1]))
        at += len(word)
    return SpokenSegment(index, scene, kind, speaker, text, start_ms, end_ms, tuple(times))


@st.composite
def narrations(draw: st.DrawFn) -> tuple[list[SpokenSegment], int]:
    """Segments with gaps between them, of all lengths from nothing to far too long, with and without word times."""
    segments = []
    at = scene = 0
    for index in range(draw(st.integers(1, 25))):
        length = draw(st.sampled_from([0, 1, 30, 400, 1_900, 3_000, 7_400, 7_501, 20_000]) | st.integers(0, 30_000))
        speaker = draw(st.sampled_from([None, None, "Anna", "Tom"]))
        scene += draw(st.booleans())
        text = draw(st.sampled_from([TEXT, TEXT * 3, "No.", "你好世界，这是一个很长的句子。", "", "word " * 40]))
        kind: SegmentKind = "dialogue" if speaker else "narration"
        words = draw(st.booleans())
        segments.append(
            spoken(text, at, at + length, index=index, scene=scene, kind=kind, speaker=speaker, words=words)
        )
        at += length + draw(st.sampled_from([150, 150, 150, 0]))
    return segments, segments[-1].end_ms + 2_000


@given(narrations(), st.sampled_from([24, 25, 30]))
def test_slots_tile_the_narration_on_the_grid(narration: tuple[list[SpokenSegment], int], fps: int) -> None:
    segments, length = narration
    assert_they_tile(plan_takes(segments, length, fps=fps), length, fps)


def assert_they_tile(takes: Sequence[TakePlan], length: int, fps: int = 24) -> None:
    assert takes[0].start_ms == 0
    assert takes[-1].end_ms == length
    assert all(a.end_ms == b.start_ms for a, b in pairwise(takes))
    assert all(isinstance(take.start_ms, int) for take in takes)
    slots = [slot_frames(take.start_ms, take.end_ms, fps) for take in takes]
    assert all(count >= 1 for _, count in slots)
    assert sum(count for _, count in slots) == frame_at(length, fps)
    assert all(first + count == after for (first, count), (after, _) in pairwise(slots))
    assert max(take.duration_ms for take in takes) <= 7_500
    assert max(covering_ms(count, fps) for _, count in slots) <= 7_560


@given(narrations())
def test_a_take_never_mixes_and_loses_nothing(narration: tuple[list[SpokenSegment], int]) -> None:
    segments, length = narration
    assert_nothing_is_mixed_or_lost(plan_takes(segments, length), segments)


def assert_nothing_is_mixed_or_lost(takes: Sequence[TakePlan], segments: Sequence[SpokenSegment]) -> None:
    for take in takes:
        for number in take.segments:
            one = segments[number]
            assert (one.scene, one.kind, one.speaker) == (take.scene, take.kind, take.speaker)
        first = segments[take.segments[0]].text[take.char :].strip()
        assert first.startswith(take.text) if len(take.segments) == 1 else take.text.startswith(first)
    heard = [number for take in takes for number in take.segments]
    assert [number for number, _ in groupby(heard)] == [segment.index for segment in segments]
    said = "".join(take.text for take in takes)
    assert "".join(said.split()) == "".join("".join(segment.text.split()) for segment in segments)


@given(narrations())
def test_a_shot_starts_where_its_segment_does(narration: tuple[list[SpokenSegment], int]) -> None:
    segments, length = narration
    starts = {segment.index: segment.start_ms for segment in segments}
    seen: set[int] = set()
    for take in plan_takes(segments, length):
        if take.segments[0] not in seen and take.segments[0]:
            assert abs(take.start_ms - starts[take.segments[0]]) <= 42 * len(segments)
            if all(one.end_ms - one.start_ms > 100 for one in segments):
                assert take.start_ms == starts[take.segments[0]]
        seen.update(take.segments)


@given(st.integers(0, 10**8), st.sampled_from([8, 16, 24, 25, 30, 60]))
def test_a_time_and_its_frame_are_half_a_frame_apart_at_most(ms: int, fps: int) -> None:
    frame = frame_at(ms, fps)
    assert abs(2 * frame * 1000 - 2 * ms * fps) <= 1000
    assert frame_at(ms_of_frame(frame, fps), fps) == frame
    assert frame_at(covering_ms(frame, fps), fps) == frame
    assert covering_ms(frame, fps) * fps >= frame * 1000


def test_a_half_is_rounded_up() -> None:
    assert [frame_at(ms, 24) for ms in (0, 20, 21, 62, 63, 125 // 2, 1000)] == [0, 0, 1, 1, 2, 1, 24]
    assert [frame_at(ms, 1) for ms in (499, 500, 1_499, 1_500)] == [0, 1, 1, 2]


def test_a_frame_starts_at_a_whole_millisecond() -> None:
    assert [ms_of_frame(frame, 24) for frame in (0, 1, 2, 24)] == [0, 42, 83, 1_000]
    assert ms_of_frame(1, 16) == 63, "a half is rounded up"
    assert [covering_ms(frames, 24) for frames in (0, 1, 24, 25)] == [0, 42, 1_000, 1_042]


def test_no_drift_after_a_thousand_shots() -> None:
    """4,321 ms a shot is 103.7 frames: rounding each length would be 296 frames off at the end."""
    slots = [slot_frames(4_321 * n, 4_321 * (n + 1), 24) for n in range(1000)]
    assert sum(count for _, count in slots) == frame_at(4_321_000, 24) == 103_704
    assert max(abs(first * 1000 - 24 * 4_321 * n) for n, (first, _) in enumerate(slots)) <= 500


def test_short_narration_of_one_scene_shares_a_take() -> None:
    segments = [
        spoken("It was late.", 0, 1_000, index=0),
        spoken("Rain fell.", 1_150, 2_100, index=1),
        spoken("Come in.", 2_250, 3_000, index=2, kind="dialogue", speaker="Anna"),
        spoken("She smiled.", 3_150, 4_000, index=3),
        spoken("Later.", 4_150, 5_000, index=4, scene=1),
    ]
    takes = plan_takes(segments, 5_000)
    assert [take.segments for take in takes] == [(0, 1), (2,), (3,), (4,)]
    assert takes[0] == TakePlan(0, "narration", None, "It was late. Rain fell.", 0, 2_250, (0, 1))


def test_a_soundless_segment_still_gets_a_frame() -> None:
    segments = [
        spoken("First.", 0, 3_000, index=0),
        spoken("", 3_000, 3_000, index=1, kind="dialogue", speaker="Anna"),
        spoken("", 3_000, 3_001, index=2, kind="dialogue", speaker="Tom"),
    ]
    takes = plan_takes(segments, 3_001)
    assert [slot_frames(take.start_ms, take.end_ms, 24)[1] for take in takes] == [70, 1, 1]


@pytest.mark.parametrize(
    ("lengths", "takes"),
    [
        ([2_499, 3_501], [(0, 1)]),
        ([3_501, 2_499], [(0, 1)]),
        ([2_499, 3_502], [(0,), (1,)]),
        ([2_500, 2_500], [(0,), (1,)]),
        ([5_000, 3_000, 2_000], [(0,), (1, 2)]),
        ([5_000, 2_000, 3_000], [(0,), (1, 2)]),
        ([1_000, 1_000, 1_000, 3_000, 1_000], [(0, 1, 2), (3, 4)]),
    ],
)
def test_only_what_is_short_is_joined_and_to_six_seconds_at_most(lengths: list[int], takes: list[tuple[int]]) -> None:
    assert [take.segments for take in plan_takes(in_a_row(lengths), sum(lengths))] == takes


def in_a_row(lengths: Sequence[int], scene: int = 0) -> list[SpokenSegment]:
    ends = list(accumulate(lengths, initial=0))
    return [spoken("Rain fell.", *span, index=index, scene=scene) for index, span in enumerate(pairwise(ends))]


@pytest.mark.parametrize(
    ("starts", "length", "cuts"),
    [
        ([0, 0, 3_000], 6_000, [0, 42, 3_000, 6_000]),
        ([0, 3_000, 3_000], 6_000, [0, 3_000, 3_042, 6_000]),
        ([0, 3_000, 3_050], 6_000, [0, 3_000, 3_050, 6_000]),
        ([0, 2_900, 3_000, 3_000], 3_000, [0, 2_875, 2_917, 2_958, 3_000]),
        ([0, 2_958, 2_958], 3_000, [0, 2_917, 2_958, 3_000]),
        ([0, 2_950], 3_000, [0, 2_950, 3_000]),
        ([0], 21, [0, 21]),
    ],
)
def test_a_take_without_sound_gets_one_frame(starts: list[int], length: int, cuts: list[int]) -> None:
    ends = [*starts[1:], starts[-1]]
    segments = [
        spoken("", *span, index=index, kind="dialogue", speaker=f"{index}")
        for index, span in enumerate(zip(starts, ends, strict=True))
    ]
    takes = plan_takes(segments, length)
    assert [*(take.start_ms for take in takes), takes[-1].end_ms] == cuts


@pytest.mark.parametrize(
    ("segments", "length", "problem"),
    [
        ([], 5_000, "There is no narration"),
        ([spoken("x", 0, 0)], 0, "There is no narration"),
        ([spoken("x", 0, 20)], 20, "There is no narration"),
        ([spoken("x", 0, 900)], 800, "Segment 0 lies outside"),
        ([spoken("x", 900, 800)], 1_000, "Segment 0 lies outside"),
        ([spoken("x", 500, 900), spoken("y", 600, 1_000, index=1)], 1_000, "Segment 1 lies outside"),
        ([spoken("x", 0, 0, kind="dialogue", speaker=name) for name in "abc"], 50, "The narration is too short"),
    ],
)
def test_what_cannot_be_a_film_is_refused(segments: list[SpokenSegment], length: int, problem: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{problem}") as refused:
        plan_takes(segments, length)
    assert refused.value.hint.startswith("Add some text") == (problem == "There is no narration")


def test_what_a_provider_is_asked_for() -> None:
    assert [ask_seconds(ms) for ms in (1, 500, 501, 5_000, 5_001, 7_500)] == [0.5, 0.5, 1.0, 5.0, 5.5, 7.5]
    lengths = (100, 5_060, 5_061, 5_125, 5_126, 6_000, 7_500, 7_560)
    assert [wan_fast_frames(ms) for ms in lengths] == [81, 81, 82, 83, 84, 97, 121, 122]
    with pytest.raises(InvalidInput, match=r"^A clip of 7\.60 s") as refused:
        wan_fast_frames(7_600)
    assert (refused.value.field, refused.value.hint) == ("duration_ms", "Split the shot.")
    with pytest.raises(InvalidInput):
        wan_fast_frames(7_561)
