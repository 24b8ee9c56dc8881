"""The clock of the film: where its cuts lie, and how long each take is. Pure.

Audio is the clock. Times are integer milliseconds of the narration; a time t lies on frame round(t * fps / 1000),
half up, always from absolute time, so the error at a cut is at most half a frame and never adds up.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
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
# Words that a phrase begins with, in the languages that most stories are in: a sentence can take breath before them.
_JOINING_WORD = re.compile(
    r"(?:and|but|or|who|which|that|with|while|when|where|as|because|until|before|after|into|through|under|over|from|for"
    r"|und|oder|aber|mit|als|wenn|weil|et|ou|mais|qui|que|avec|quand|dans|pour|y|o|pero|con|cuando|para|en"
    r"|e|ma|che|quando|per|mas|com)\b",
    re.IGNORECASE,
)


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
    return (ms * fps + 500) // 1000


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
    fps: int = 24,
    own_cuts: Mapping[int, Sequence[OwnCut]] | None = None,
) -> tuple[TakePlan, ...]:
    """Cuts the narration into takes that tile [0, narration_ms] exactly.

    A take runs from its first segment's start to the next take's start. It never mixes narration and dialogue, two
    speakers or two scenes; short neighbours that share all three become one take; none is longer than
    MAX_SLOT_MS or shorter than one frame (to give a soundless segment its frame a cut may move by one).
    A scene in `own_cuts` is cut there instead, and besides only where these rules demand it.
    Raises InvalidInput when the segments are out of order, or the narration has fewer frames than takes.
    """
    _check(segments, narration_ms, fps)
    starts = [0, *(segment.start_ms for segment in segments[1:]), narration_ms]
    slots = [_Run([segment], *span) for segment, span in zip(segments, pairwise(starts), strict=True)]
    takes: list[TakePlan] = []
    for scene, group in groupby(slots, key=lambda slot: slot.segments[0].scene):
        if own_cuts is not None and scene in own_cuts:
            takes += _cut_by_hand(list(group), own_cuts[scene])
        else:
            takes += [take for run in _runs(list(group)) for take in _takes_of(run)]
    return _at_least_a_frame(takes, fps)


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
    char: int
    penalty: float = 0.0


def _check(segments: Sequence[SpokenSegment], narration_ms: int, fps: int) -> None:
    if not segments or frame_at(narration_ms, fps) < 1:
        raise InvalidInput("There is no narration to make a film from.", hint="Add some text to the story.")
    last = 0
    for segment in segments:
        if segment.start_ms < last or not segment.start_ms <= segment.end_ms <= narration_ms:
            raise InvalidInput(f"Segment {segment.index} lies outside its place in the narration.")
        last = segment.end_ms


def _runs(slots: Sequence[_Run]) -> list[_Run]:
    runs: list[_Run] = []
    for slot in slots:
        last = runs[-1] if runs else None
        start, end = slot.start_ms, slot.end_ms
        if (
            last
            and _alike(last.segments[-1], slot.segments[0])
            and end - last.start_ms <= _AIM_MS
            and (end - start < _SHORT_MS or last.end_ms - last.start_ms < _SHORT_MS)
        ):
            last.segments += slot.segments
            last.end_ms = end
        else:
            runs.append(slot)
    return runs


def _cut_by_hand(slots: Sequence[_Run], cuts: Sequence[OwnCut]) -> list[TakePlan]:
    """One scene's takes where the user wants them. A cut that would leave nothing on one side of it is passed over."""
    begins: list[tuple[int, int, int]] = []  # (slot, place in its text, ms)
    for at, slot in enumerate(slots):
        mine = sorted(cut for cut in cuts if cut.segment == slot.segments[0].index)
        demanded = at == 0 or not _alike(slots[at - 1].segments[0], slot.segments[0])
        if demanded or (any(cut.char <= 0 for cut in mine) and slot.start_ms > begins[-1][2]):
            begins.append((at, 0, slot.start_ms))
        for cut in mine:
            if cut.char > 0 and max(slot.start_ms, begins[-1][2]) < cut.ms < slot.end_ms:
                begins.append((at, cut.char, cut.ms))
    ends = [*begins[1:], (len(slots), 0, slots[-1].end_ms)]
    takes = []
    for (first, char, start), (last, end_char, end) in zip(begins, ends, strict=True):
        heard = [
            _part(slots[at], char if at == first else 0, end_char if at == last else None)
            for at in range(first, last + (end_char > 0))
        ]
        takes += _not_too_long(heard, start, end, char)
    return takes


def _part(slot: _Run, begin: int, end: int | None) -> _Run:
    """The slot with what is said of its segment between two places in its text."""
    segment = slot.segments[0]
    text = segment.text[:end]
    words = tuple(
        word.model_copy(update={"start": word.start - begin, "end": word.end - begin})
        for word in segment.words
        if begin <= word.start and word.end <= len(text)
    )
    return _Run([replace(segment, text=text[begin:], words=words)], slot.start_ms, slot.end_ms)


def _not_too_long(heard: Sequence[_Run], start_ms: int, end_ms: int, char: int) -> list[TakePlan]:
    """One take, or several when it would be too long: cut between segments first, then inside them."""
    if end_ms - start_ms > MAX_SLOT_MS and len(heard) > 1:
        middle = (start_ms + end_ms) / 2
        at = min(range(1, len(heard)), key=lambda one: abs(heard[one].start_ms - middle))
        cut = heard[at].start_ms
        return [*_not_too_long(heard[:at], start_ms, cut, char), *_not_too_long(heard[at:], cut, end_ms, 0)]
    run = _Run([segment for slot in heard for segment in slot.segments], start_ms, end_ms)
    return [replace(take, char=take.char + char) for take in _takes_of(run)]


def _alike(a: SpokenSegment, b: SpokenSegment) -> bool:
    return (a.scene, a.kind, a.speaker) == (b.scene, b.kind, b.speaker)


def _takes_of(run: _Run) -> list[TakePlan]:
    length = run.end_ms - run.start_ms
    if length <= MAX_SLOT_MS:
        return [run.take(" ".join(s.text.strip() for s in run.segments), run.start_ms, run.end_ms)]
    segment = run.segments[0]  # runs of several segments are never longer than the longest slot
    parts = -(-length // _AIM_MS)
    cuts = _best_cuts(_places(run, segment, parts), length / parts)
    return [run.take(segment.text[a.char : b.char].strip(), a.ms, b.ms, a.char) for a, b in pairwise(cuts)]


def _places(run: _Run, segment: SpokenSegment, parts: int) -> list[_Cut]:
    """Where the slot may be cut, its two ends included: before words, and (dearly) at even places for silence."""
    text = segment.text
    places: dict[int, _Cut] = {}
    ms, char = run.start_ms, 0
    for word in segment.words:  # a time that goes back, in the sound or in the text, is no place to cut
        heard = segment.start_ms + word.start_ms
        if ms < heard < run.end_ms and char < word.start:
            ms, char = heard, word.start
            places[ms] = _Cut(ms, char, _penalty(text[max(0, char - 8) : char], text[char : char + 12]))
    words = list(places.values())
    gaps = [match.end() for match in re.finditer(r"\s+", text)]
    steps = parts * 8
    for step in range(1, steps):
        ms = run.start_ms + (run.end_ms - run.start_ms) * step // steps
        if segment.words:
            at = bisect_left(words, ms, key=lambda place: place.ms)
            char = words[at].char if at < len(words) else len(text)
        else:
            char = _nearest(gaps, len(text) * step // steps)
        places.setdefault(ms, _Cut(ms, char, 3.0))
    return [_Cut(run.start_ms, 0), *sorted(places.values()), _Cut(run.end_ms, len(text))]


def _penalty(before: str, after: str) -> float:
    """How much a cut between these texts disturbs the ear, beside parts of unequal length."""
    if _SENTENCE_END.search(before):
        return 0.0
    if _CLAUSE_END.search(before):
        return 0.04
    return 0.08 if _JOINING_WORD.match(after) else 0.2


def _nearest(gaps: Sequence[int], near: int) -> int:
    """The gap between words nearest to a place in the text; the place itself in a script without spaces."""
    at = bisect_left(gaps, near)
    return min(gaps[max(0, at - 1) : at + 1], key=lambda gap: abs(gap - near), default=near)


def _best_cuts(places: Sequence[_Cut], ideal_ms: float) -> list[_Cut]:
    """The cheapest way through the places: parts near the ideal length, cut where speech pauses."""
    times = [place.ms for place in places]
    ways: list[tuple[float, int]] = [(0.0, 0)]  # to each place: (what it costs, from which place)
    for place in places[1:]:
        nearest = bisect_right(times, place.ms - _LEAST_PART_MS)
        farthest = bisect_left(times, place.ms - MAX_SLOT_MS)
        steps = (
            (_with_part(ways[at][0] + place.penalty, place.ms - times[at], ideal_ms), at)
            for at in range(farthest, nearest)
        )
        ways.append(min(steps, default=(inf, 0)))
    route = [len(places) - 1]
    while route[-1]:
        route.append(ways[route[-1]][1])
    return [places[at] for at in reversed(route)]


def _with_part(cost: float, length_ms: int, ideal_ms: float) -> float:
    """What a way costs with one part more, of this length."""
    over = max(0, length_ms - _AIM_MS) / 500
    return cost + ((length_ms - ideal_ms) / ideal_ms) ** 2 + over**2


def _at_least_a_frame(takes: Sequence[TakePlan], fps: int) -> tuple[TakePlan, ...]:
    cuts = [*(take.start_ms for take in takes), takes[-1].end_ms]
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
