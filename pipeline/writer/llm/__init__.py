"""The writer that asks language models. Hides its questions, and everything that an answer is held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pipeline.contracts import Analysis, Framing, SceneDraft, SegmentDraft, ShotDraft, Take
from pipeline.writer.llm.analysis import analyse
from pipeline.writer.llm.desk import Desk
from pipeline.writer.llm.scenes import scenes
from pipeline.writer.llm.script import script
from pipeline.writer.llm.shots import shots
from pipeline.writer.llm.story import Story, story_from

__all__ = ["Desk", "LlmWriter", "Story"]


class LlmWriter:
    """A Writer for one errand. `mode` is the project's script mode: faithful or adapt."""

    name: ClassVar[str] = "language model"

    def __init__(self, desk: Desk, *, mode: str = "faithful") -> None:
        self._desk = desk
        self._mode = mode

    def story(self, idea: str, language: str, *, most_words: int) -> Story:
        """A story from an idea that leaves out what characters look like."""
        return story_from(self._desk, idea, language, most_words=most_words)

    def analyse(self, story: str, *, language: str | None = None) -> Analysis:
        return analyse(self._desk, story, language or "")

    def script(self, story: str, analysis: Analysis) -> tuple[SegmentDraft, ...]:
        return script(self._desk, story, analysis, self._mode)

    def scenes(self, segments: Sequence[SegmentDraft], analysis: Analysis) -> tuple[SceneDraft, ...]:
        return scenes(self._desk, segments, analysis)

    def shots(
        self, scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, *, previous: Framing | None = None
    ) -> tuple[ShotDraft, ...]:
        return shots(self._desk, scene, takes, analysis, previous)
