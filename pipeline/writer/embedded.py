"""The rule-based writer behind the writer's protocol. Hides that its work is done in another process.

Reading a long story takes seconds of pure Python, which would make every page wait if it ran in the server's process.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pipeline.contracts import Analysis, Framing, SceneDraft, SegmentDraft, ShotDraft, Take
from pipeline.generation.chain import ProviderChain
from pipeline.writer.rules import RulesWriter

BUILT_IN = "built-in"
TIMEOUT_S = 300.0


class EmbeddedWriter:
    name: ClassVar[str] = BUILT_IN

    def __init__(self, chain: ProviderChain) -> None:
        self._chain = chain
        self._rules = RulesWriter()

    def analyse(self, story: str, *, language: str | None = None) -> Analysis:
        return self._chain.compute(_analyse, self._rules, story, language, timeout_s=TIMEOUT_S)

    def script(self, story: str, analysis: Analysis) -> tuple[SegmentDraft, ...]:
        return self._chain.compute(self._rules.script, story, analysis, timeout_s=TIMEOUT_S)

    def scenes(self, segments: Sequence[SegmentDraft], analysis: Analysis) -> tuple[SceneDraft, ...]:
        return self._chain.compute(self._rules.scenes, segments, analysis, timeout_s=TIMEOUT_S)

    def shots(
        self, scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, *, previous: Framing | None = None
    ) -> tuple[ShotDraft, ...]:
        return self._chain.compute(_shots, self._rules, scene, takes, analysis, previous, timeout_s=TIMEOUT_S)


def _analyse(rules: RulesWriter, story: str, language: str | None) -> Analysis:
    return rules.analyse(story, language=language)


def _shots(
    rules: RulesWriter, scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, previous: Framing | None
) -> tuple[ShotDraft, ...]:
    return rules.shots(scene, takes, analysis, previous=previous)
