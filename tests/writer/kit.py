"""What the writer's tests share: a story taken through all four doors, with every check a stage would make."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import Analysis, Framing, SceneDraft, SegmentDraft, ShotDraft, Take
from pipeline.writer.protocol import check_scenes, check_script, check_shots
from pipeline.writer.rules import RulesWriter

EXAMPLES = Path(__file__).parents[2] / "examples"
WRITER = RulesWriter()


@dataclass(frozen=True)
class Film:
    analysis: Analysis
    segments: tuple[SegmentDraft, ...]
    scenes: tuple[SceneDraft, ...]
    shots: tuple[tuple[ShotDraft, ...], ...]

    def scene_of(self, words: str) -> SceneDraft:
        """The scene whose segments hold these words."""
        index = next(at for at, segment in enumerate(self.segments) if words in segment.text)
        return next(scene for scene in self.scenes if scene.first_segment <= index <= scene.last_segment)

    def shot_of(self, words: str) -> ShotDraft:
        """The shot in which these words are heard."""
        index = next(at for at, segment in enumerate(self.segments) if words in segment.text)
        at = next(at for at, scene in enumerate(self.scenes) if scene.first_segment <= index <= scene.last_segment)
        return self.shots[at][index - self.scenes[at].first_segment]


def make(story: str, language: str | None = None) -> Film:
    """Takes a story through analysis, script, scenes and shots, one take per segment, and checks each answer."""
    analysis = WRITER.analyse(story, language=language)
    segments = WRITER.script(story, analysis)
    check_script(story, segments, analysis)
    scenes = WRITER.scenes(segments, analysis)
    check_scenes(scenes, segments, analysis)
    previous: Framing | None = None
    shots: list[tuple[ShotDraft, ...]] = []
    for scene in scenes:
        takes = takes_of(scene, segments)
        shots.append(WRITER.shots(scene, takes, analysis, previous=previous))
        check_shots(shots[-1], takes, analysis)
        previous = shots[-1][-1].framing
    return Film(analysis, segments, scenes, tuple(shots))


def takes_of(scene: SceneDraft, segments: tuple[SegmentDraft, ...]) -> tuple[Take, ...]:
    return tuple(
        Take(
            index=index,
            kind=segments[index].kind,
            speaker=segments[index].speaker,
            text=segments[index].text,
            start_ms=index * 1000,
            end_ms=index * 1000 + 1000,
        )
        for index in range(scene.first_segment, scene.last_segment + 1)
    )


def spoken(story: str, language: str = "en") -> list[str]:
    """What is said as dialogue, in order."""
    return [segment.text for segment in make(story, language).segments if segment.kind == "dialogue"]


def speakers(story: str) -> list[str | None]:
    """Who says it."""
    return [segment.speaker for segment in make(story, "en").segments if segment.kind == "dialogue"]
