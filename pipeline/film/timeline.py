"""The clock of the film: where its cuts lie, and how long each take is. Pure.

Audio is the clock. Times are integer milliseconds of the narration; a time t lies on frame round(t * fps / 1000),
half up, always from absolute time, so the error at a cut is at most half a frame and never adds up.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
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
    """A slot of the film: [start_ms, end_ms) of the narration, and which segments are heard in it (whole ones, and at
    its ends parts of them). `text` is what is said in it; it begins at place `char` in its first segment's text."""

    scene: int
    kind: SegmentKind
    speaker: str | None
    text: str
    start_ms: int
    end_ms: int
    segments: tuple[int, ...]
    char: int = 0

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True, order=True)
class OwnCut:
    """Where a user wants a take to begin: at place `char` of a segment's text, `ms` of the narration."""

    segment: int
    char: int
    ms: int


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
    segments: Sequence[SpokenSegment],
    narration_ms: int,
    *,
    max_slot_ms: int = MAX_SLOT_MS,
    fps: int = 24,
    own_cuts: Mapping[int, Sequence[OwnCut]] | None = None,
) -> tuple[TakePlan, ...]:
    """Cuts the narration into takes that tile [0, narration_ms] exactly.

    A take runs from its first segment's start to the next take's start. It never mixes narration and dialogue, two
    speakers or two scenes; short neighbours that share all three become one take; none is longer than
    `max_slot_ms` or shorter than one frame (to give a soundless segment its frame a cut may move by one).
    A scene in `own_cuts` is cut there instead, and besides only where these rules demand it.
    Raises InvalidInput when the segments are out of order, or the narration has fewer frames than takes.
    """
    _check(segments, narration_ms, fps)
    starts = [0, *(segment.start_ms for segment in segments[1:]), narration_ms]
    slots = [_Run([segment], *span) for segment, span in zip(segments, pairwise(starts), strict=True)]
    takes: list[TakePlan] = []
    for scene, group in groupby(slots, key=lambda slot: slot.segments[0].scene):
        if own_cuts is not None and scene in own_cuts:
            takes += _cut_by_hand(list(group), own_cuts[scene], max_slot_ms)
        else:
            takes += [take for run in _runs(list(group), max_slot_ms) for take in _takes_of(run, max_slot_ms)]
    return _at_least_a_frame(takes, narration_ms, fps)


@dataclass(slots=True)
class _Run:
    """Segments that share a slot."""

    segments: list[SpokenSegment]
    start_ms: int
    end_ms: int

    def take(self, text: str, start_ms: int, end_ms: int, char: int = 0) -> TakePlan:
        first = self.segments[0]
        heard = tuple(segment.index for segment in self.segments)
        return TakePlan(first.scene, first.kind, first.speaker, text, start_ms, end_ms, heard, char)


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


def _runs(slots: Sequence[_Run], max_slot_ms: int) -> list[_Run]:
    most = min(_AIM_MS, max_slot_ms)
    runs: list[_Run] = []
    for slot in slots:
        last = runs[-1] if runs else None
        start, end = slot.start_ms, slot.end_ms
        if (
            last
            and _alike(last.segments[-1], slot.segments[0])
            and end - last.start_ms <= most
            and (end - start < _SHORT_MS or last.end_ms - last.start_ms < _SHORT_MS)
        ):
            last.segments += slot.segments
            last.end_ms = end
        else:
            runs.append(slot)
    return runs


def _cut_by_hand(slots: Sequence[_Run], cuts: Sequence[OwnCut], max_slot_ms: int) -> list[TakePlan]:
    """One scene's takes where the user wants them. A cut that would leave nothing on one side of it is passed over."""
    begins: list[tuple[int, int, int]] = []  # (slot, place in its text, ms)
    for at, slot in enumerate(slots):
        index = slot.segments[0].index
        mine = sorted(cut for cut in cuts if cut.segment == index)
        if at == 0 or not _alike(slots[at - 1].segments[0], slot.segments[0]) or any(cut.char <= 0 for cut in mine):
            begins.append((at, 0, slot.start_ms))
        begins += [(at, cut.char, cut.ms) for cut in mine if cut.char > 0 and slot.start_ms < cut.ms < slot.end_ms]
    kept = [one for at, one in enumerate(begins) if at == 0 or one[2] > max(before[2] for before in begins[:at])]
    ends = [*kept[1:], (len(slots), 0, slots[-1].end_ms)]
    takes = []
    for (first, char, start), (last, end_char, end) in zip(kept, ends, strict=True):
        heard = [
            _part(slots[at], at == first, char, at == last, end_char) for at in range(first, last + (end_char > 0))
        ]
        takes += _not_too_long(heard, start, end, char, max_slot_ms)
    return takes


def _part(slot: _Run, is_first: bool, char: int, is_last: bool, end_char: int) -> _Run:
    """The slot with what is said of its segment between two places."""
    segment = slot.segments[0]
    begin, end = char if is_first else 0, end_char if is_last else len(segment.text)
    words = tuple(
        word.model_copy(update={"start": word.start - begin, "end": word.end - begin})
        for word in segment.words
        if begin <= word.start and word.end <= end
    )
    return _Run([replace(segment, text=segment.text[begin:end], words=words)], slot.start_ms, slot.end_ms)


def _not_too_long(heard: Sequence[_Run], start_ms: int, end_ms: int, char: int, max_slot_ms: int) -> list[TakePlan]:
    """One take, or several when it would be too long: cut between segments first, then inside them."""
    if end_ms - start_ms > max_slot_ms and len(heard) > 1:
        middle = (start_ms + end_ms) / 2
        at = min(range(1, len(heard)), key=lambda one: abs(heard[one].start_ms - middle))
        cut = heard[at].start_ms
        before = _not_too_long(heard[:at], start_ms, cut, char, max_slot_ms)
        return [*before, *_not_too_long(heard[at:], cut, end_ms, 0, max_slot_ms)]
    run = _Run([segment for slot in heard for segment in slot.segments], start_ms, end_ms)
    return [replace(take, char=take.char + char) for take in _takes_of(run, max_slot_ms)]


def _alike(a: SpokenSegment, b: SpokenSegment) -> bool:
    return (a.scene, a.kind, a.speaker) == (b.scene, b.kind, b.speaker)


def _takes_of(run: _Run, max_slot_ms: int) -> list[TakePlan]:
    length = run.end_ms - run.start_ms
    if length <= max_slot_ms:
        return [run.take(" ".join(s.text.strip() for s in run.segments), run.start_ms, run.end_ms)]
    segment = run.segments[0]  # runs of several segments are never longer than the longest slot
    parts = -(-length // min(_AIM_MS, max_slot_ms))
    cuts = _best_cuts(_places(run, segment, parts), length / parts, max_slot_ms)
    return [run.take(segment.text[a.char : b.char].strip(), a.ms, b.ms, a.char) for a, b in pairwise(cuts)]


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
