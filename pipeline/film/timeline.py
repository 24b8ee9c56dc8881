"""The clock of the film: where its cuts lie, and how long each take is. Pure.

Audio is the clock. Times are integer milliseconds of the narration; a time t lies on frame round(t * fps / 1000),
half up, always from absolute time, so the error at a cut is at most half a frame and never adds up.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

from pipeline.contracts import SegmentKind, WordTime
from pipeline.errors import InvalidInput

MAX_SLOT_MS = 7_500
_AIM_MS = 6_000  # a slot that has to be split is split into parts no longer than this, where words allow it
_SHORT_MS = 2_500  # a segment shorter than this is joined with its like
_LEAST_PART_MS = 1_000
_WAN_FLOOR_MS = 5_060
_WAN_CEILING_MS = 7_560
_SENTENCE_END = re.compile(r"[.!?…。！？؟۔।]['\"’”»)\]」』]*\s*$")
_CLAUSE_END = re.compile(r"[,;:—–、，；：،؛]['\"’”»)\]」』]*\s*$")


@dataclass(frozen=True, slots=True)
class SpokenSegment:
    """A segment as it was spoken. `words` count from `start_ms`; their spans are places in `text`."""

    index: int
    scene: int
    kind: SegmentKind
    speaker: str | None
    text: str
    start_ms: int
    end_ms: int
    words: tuple[WordTime, ...] = ()


@dataclass(frozen=True, slots=True)
class TakePlan:
    """A slot of the film: [start_ms, end_ms) of the narration, and which segments are heard in it (a part of one,
    or several whole ones). `text` is what is said in it."""

    scene: int
    kind: SegmentKind
    speaker: str | None
    text: str
    start_ms: int
    end_ms: int
    segments: tuple[int, ...]

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


def frame_at(ms: int, fps: int) -> int:
    """The frame on whose grid place the time lies: round(ms * fps / 1000), half up."""
    return (2 * ms * fps + 1000) // 2000


def ms_of_frame(frame: int, fps: int) -> int:
    """When a frame starts, to the nearest millisecond; frame_at(ms_of_frame(k)) is k."""
    return (2000 * frame + fps) // (2 * fps)


def slot_frames(start_ms: int, end_ms: int, fps: int) -> tuple[int, int]:
    """(first frame, number of frames) of a slot. Slots that tile time give frames that tile the film."""
    first = frame_at(start_ms, fps)
    return first, frame_at(end_ms, fps) - first


def covering_ms(frames: int, fps: int) -> int:
    """The least whole number of milliseconds that covers so many frames: the `duration_ms` to ask a provider for."""
    return -(-1000 * frames // fps)


def ask_seconds(duration_ms: int) -> float:
    """What to ask of an API that takes seconds: rounded up to 0.5 s."""
    return max(1, -(-duration_ms // 500)) / 2


def wan_fast_frames(duration_ms: int) -> int:
    """What to ask of WAN 2.2 fast, which takes frames at 16 fps.

    Raises InvalidInput above 7.56 s, which that model cannot give.
    """
    if duration_ms > _WAN_CEILING_MS:
        raise InvalidInput(
            f"A clip of {duration_ms / 1000:.2f} s is longer than this model can make (7.56 s).",
            hint="Split the shot.",
            field="duration_ms",
        )
    if duration_ms <= _WAN_FLOOR_MS:
        return 81
    return -(-16 * duration_ms // 1000) + 1


def plan_takes(
    segments: Sequence[SpokenSegment], narration_ms: int, *, max_slot_ms: int = MAX_SLOT_MS, fps: int = 24
) -> tuple[TakePlan, ...]:
    """Cuts the narration into takes that tile [0, narration_ms] exactly.

    A take runs from its first segment's start to the next take's start. It never mixes narration and dialogue, two
    speakers or two scenes; short neighbours that share all three become one take; none is longer than
    `max_slot_ms` or shorter than one frame (to give a soundless segment its frame a cut may move by one).
    Raises InvalidInput when the segments are out of order, or the narration has fewer frames than takes.
    """
    _check(segments, narration_ms, fps)
    takes = [take for run in _runs(segments, narration_ms, max_slot_ms) for take in _takes_of(run, max_slot_ms)]
    return _at_least_a_frame(takes, narration_ms, fps)


@dataclass(slots=True)
class _Run:
    """Segments that share a slot."""

    segments: list[SpokenSegment]
    start_ms: int
    end_ms: int

    def take(self, text: str, start_ms: int, end_ms: int) -> TakePlan:
        first = self.segments[0]
        heard = tuple(segment.index for segment in self.segments)
        return TakePlan(first.scene, first.kind, first.speaker, text, start_ms, end_ms, heard)


@dataclass(frozen=True, slots=True, order=True)
class _Cut:
    """A place where a slot may be cut. `char`: where the text is cut then."""

    ms: int
    penalty: float
    char: int


def _check(segments: Sequence[SpokenSegment], narration_ms: int, fps: int) -> None:
    if not segments or frame_at(narration_ms, fps) < 1:
        raise InvalidInput("There is no narration to make a film from.", hint="Add some text to the story.")
    last = 0
    for segment in segments:
        if segment.start_ms < last or not segment.start_ms <= segment.end_ms <= narration_ms:
            raise InvalidInput(f"Segment {segment.index} lies outside its place in the narration.")
        last = segment.end_ms


def _runs(segments: Sequence[SpokenSegment], narration_ms: int, max_slot_ms: int) -> list[_Run]:
    starts = [0, *(segment.start_ms for segment in segments[1:]), narration_ms]
    most = min(_AIM_MS, max_slot_ms)
    runs: list[_Run] = []
    for segment, start, end in zip(segments, starts, starts[1:], strict=False):
        last = runs[-1] if runs else None
        if (
            last
            and _alike(last.segments[-1], segment)
            and end - last.start_ms <= most
            and (end - start < _SHORT_MS or last.end_ms - last.start_ms < _SHORT_MS)
        ):
            last.segments.append(segment)
            last.end_ms = end
        else:
            runs.append(_Run([segment], start, end))
    return runs


def _alike(a: SpokenSegment, b: SpokenSegment) -> bool:
    return (a.scene, a.kind, a.speaker) == (b.scene, b.kind, b.speaker)


def _takes_of(run: _Run, max_slot_ms: int) -> list[TakePlan]:
    length = run.end_ms - run.start_ms
    if length <= max_slot_ms:
        return [run.take(" ".join(s.text.strip() for s in run.segments), run.start_ms, run.end_ms)]
    segment = run.segments[0]  # runs of several segments are never longer than the longest slot
    parts = -(-length // min(_AIM_MS, max_slot_ms))
    cuts = _best_cuts(_places(run, segment, parts), length / parts, max_slot_ms)
    return [run.take(segment.text[a.char : b.char].strip(), a.ms, b.ms) for a, b in pairwise(cuts)]


def _places(run: _Run, segment: SpokenSegment, parts: int) -> list[_Cut]:
    """Where the slot may be cut, its two ends included: before words, and (dearly) at even places for silence."""
    text, start, end = segment.text, run.start_ms, run.end_ms
    words: list[tuple[int, int]] = []
    for word in segment.words:
        ms = segment.start_ms + word.start_ms
        if max(start, words[-1][0] if words else 0) < ms < end and word.start > (words[-1][1] if words else 0):
            words.append((ms, word.start))
    places = {ms: _Cut(ms, _penalty(text[max(0, char - 8) : char]), char) for ms, char in words}
    gaps = [match.end() for match in re.finditer(r"\s+", text)]
    steps = parts * 8
    for step in range(1, steps):
        ms = start + (end - start) * step // steps
        if segment.words:
            at = bisect_left(words, (ms, 0))
            char = words[at][1] if at < len(words) else len(text)
        else:
            char = _nearest(gaps, len(text) * step // steps)
        places.setdefault(ms, _Cut(ms, 3.0, char))
    return [_Cut(start, 0, 0), *sorted(places.values()), _Cut(end, 0, len(text))]


def _penalty(before: str) -> float:
    """How much a cut after this text disturbs the ear, beside parts of unequal length."""
    return 0.0 if _SENTENCE_END.search(before) else 0.04 if _CLAUSE_END.search(before) else 0.2


def _nearest(gaps: Sequence[int], near: int) -> int:
    """The gap between words nearest to a place in the text; the place itself in a script without spaces."""
    at = bisect_left(gaps, near)
    return min(gaps[max(0, at - 1) : at + 1], key=lambda gap: abs(gap - near), default=near)


def _best_cuts(places: Sequence[_Cut], ideal_ms: float, max_slot_ms: int) -> list[_Cut]:
    """The cheapest way through the places: parts near the ideal length, cut where speech pauses."""
    least = min(_LEAST_PART_MS, max_slot_ms // 4)
    cost, came_from = [0.0], [0]
    first = 0
    for here, place in enumerate(places[1:], start=1):
        while place.ms - places[first].ms > max_slot_ms:
            first += 1
        best, best_from = inf, first
        for there in range(first, here):
            length = place.ms - places[there].ms
            over = max(0, length - _AIM_MS) / 500
            total = cost[there] + place.penalty + ((length - ideal_ms) / ideal_ms) ** 2 + over**2
            if length >= least and total < best:
                best, best_from = total, there
        cost.append(best)
        came_from.append(best_from)
    route = [len(places) - 1]
    while route[-1]:
        route.append(came_from[route[-1]])
    return [places[at] for at in reversed(route)]


def _at_least_a_frame(takes: Sequence[TakePlan], narration_ms: int, fps: int) -> tuple[TakePlan, ...]:
    cuts = [take.start_ms for take in takes] + [narration_ms]
    for at in range(1, len(takes)):
        if slot_frames(cuts[at - 1], cuts[at], fps)[1] < 1:
            cuts[at] = ms_of_frame(frame_at(cuts[at - 1], fps) + 1, fps)
    for at in range(len(takes) - 1, 0, -1):
        if slot_frames(cuts[at], cuts[at + 1], fps)[1] < 1:
            cuts[at] = ms_of_frame(frame_at(cuts[at + 1], fps) - 1, fps)
    if any(slot_frames(start, end, fps)[1] < 1 for start, end in pairwise(cuts)):
        raise InvalidInput("The narration is too short to show all that is said in it.")
    return tuple(
        replace(take, start_ms=start, end_ms=end) for take, (start, end) in zip(takes, pairwise(cuts), strict=True)
    )
