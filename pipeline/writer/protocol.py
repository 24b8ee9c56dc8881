"""What a writer is, and what every writer's answer must satisfy before a stage keeps it.

The checks are pure and know nothing of how an answer came about; a failed check says what is wrong in words that
the writer can be asked again with. No writer ever decides a time: `shots` fills takes that the timeline has cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Protocol

from pipeline.contracts import Analysis, Framing, SceneDraft, SegmentDraft, ShotDraft, Take
from pipeline.providers.failures import BadAnswer


class WriterFault(BadAnswer):
    """A writer's answer breaks a rule; `detail` says which, precisely enough to be asked again with."""

    code = "writer_fault"


class Writer(Protocol):
    """Turns a story into structure. Every method is a pure function of its arguments.

    `script` covers every sentence in order. `scenes` covers every segment. `shots` answers exactly one shot per
    take; `previous` is the framing that ends the scene before, so that two equal framings need not meet at a cut.
    """

    name: ClassVar[str]

    def analyse(self, story: str, *, language: str | None = None) -> Analysis: ...

    def script(self, story: str, analysis: Analysis) -> tuple[SegmentDraft, ...]: ...

    def scenes(self, segments: Sequence[SegmentDraft], analysis: Analysis) -> tuple[SceneDraft, ...]: ...

    def shots(
        self, scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, *, previous: Framing | None = None
    ) -> tuple[ShotDraft, ...]: ...


def check_script(story: str, segments: Sequence[SegmentDraft], analysis: Analysis | None = None) -> None:
    """Spans in order, within the story and not overlapping; every letter and digit covered; speakers known.

    A dialogue without a speaker is read by the narrator's voice. Raises WriterFault.
    """
    if not segments:
        raise WriterFault("The script has no segments.")
    position = 0
    for index, segment in enumerate(segments):
        if not any(char.isalnum() for char in segment.text):
            raise WriterFault(f"Segment {index} has nothing to say.")
        if not position <= segment.start < segment.end <= len(story):
            raise WriterFault(
                f"Segment {index} spans {segment.start}..{segment.end}; it must start at {position} or later, end after"
                f" its start, and stay within the story's {len(story)} characters."
            )
        _check_covered(story, position, segment.start)
        position = segment.end
        if segment.kind == "narration" and segment.speaker is not None:
            raise WriterFault(f"Segment {index} is narration, so it must not name a speaker.")
    _check_covered(story, position, len(story))
    if analysis is not None:
        speakers = (segment.speaker for segment in segments if segment.speaker is not None)
        _check_known("speaker", speakers, (one.name for one in analysis.characters))


def check_adapted(segments: Sequence[SegmentDraft]) -> None:
    """The rules of a script that may rewrite the story: there are segments, each with words. Raises WriterFault."""
    if not segments:
        raise WriterFault("The script has no segments.")
    for index, segment in enumerate(segments):
        if not any(char.isalnum() for char in segment.text):
            raise WriterFault(f"Segment {index} has nothing to say.")


def check_scenes(scenes: Sequence[SceneDraft], segments: Sequence[SegmentDraft], analysis: Analysis) -> None:
    """Scenes are contiguous and gap-free from the first segment to the last, in known sets. Raises WriterFault."""
    if not scenes:
        raise WriterFault("There are no scenes.")
    expected = 0
    for index, scene in enumerate(scenes):
        if scene.first_segment != expected or scene.last_segment < scene.first_segment:
            raise WriterFault(
                f"Scene {index} covers segments {scene.first_segment}..{scene.last_segment}; it must start at"
                f" {expected} and hold at least one segment."
            )
        expected = scene.last_segment + 1
    if expected != len(segments):
        raise WriterFault(f"The scenes end at segment {expected - 1}; the last segment is {len(segments) - 1}.")
    _check_known("set", (scene.set_name for scene in scenes), (one.name for one in analysis.sets))
    present = (name for scene in scenes for name in scene.characters)
    _check_known("character", present, (one.name for one in analysis.characters))
    seen = (name for scene in scenes for name in scene.props)
    _check_known("prop", seen, (one.name for one in analysis.props))


def check_shots(shots: Sequence[ShotDraft], takes: Sequence[Take], analysis: Analysis) -> None:
    """Exactly one shot per take, showing only characters and props of the analysis. Raises WriterFault."""
    if len(shots) != len(takes):
        raise WriterFault(f"There are {len(takes)} takes but {len(shots)} shots; give exactly one shot for each take.")
    known = [one.name for one in analysis.characters] + [one.name for one in analysis.props]
    _check_known("subject", (name for shot in shots for name in shot.subjects), known)


def _check_covered(story: str, start: int, end: int) -> None:
    missing = story[start:end]
    if any(char.isalnum() for char in missing):
        raise WriterFault(f"The script leaves out this part of the story: {' '.join(missing.split())[:200]!r}.")


def _check_known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    allowed = set(known)
    for name in names:
        if name not in allowed:
            raise WriterFault(f"Unknown {what} {name!r}; use one of: {', '.join(sorted(allowed)) or '(none)'}.")
