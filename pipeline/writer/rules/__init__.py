"""The embedded writer: a story becomes structure by rules and word lists alone, with no model and no network.

The same text always gives the same answer. Figures, places and props are found in English; in other languages speech
is told from narration by its marks and read by the narrator.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.contracts import Analysis, Framing, SceneDraft, SegmentDraft, ShotDraft, Take

from .grammar import shots
from .language import detect
from .people import characters, speaker_names
from .props import props
from .reading import read
from .scenes import scenes, sets
from .segments import script


class RulesWriter:
    """The rule-based Writer. Any story with a letter or a digit gives an answer."""

    def analyse(self, story: str, *, language: str | None = None) -> Analysis:
        code = (language or detect(story)).split("-")[0].lower()
        reading = read(story, code)
        segments = script(reading, [None] * len(reading.quotes))
        return Analysis(
            language=code,
            characters=characters(reading),
            sets=sets(segments if code == "en" else ()),
            props=props(story) if code == "en" else (),
        )

    def script(self, story: str, analysis: Analysis) -> tuple[SegmentDraft, ...]:
        reading = read(story, analysis.language)
        return script(reading, speaker_names(reading, analysis))

    def scenes(self, segments: Sequence[SegmentDraft], analysis: Analysis) -> tuple[SceneDraft, ...]:
        return scenes(segments, analysis)

    def shots(
        self, scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, *, previous: Framing | None = None
    ) -> tuple[ShotDraft, ...]:
        return shots(scene, takes, analysis, previous=previous)
