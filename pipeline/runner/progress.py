"""How far a run is, in the words of the status answer: counts, percent, the earliest stage with work left, time to go.

Pure arithmetic over counts. Until a stage's units are listed, their number is estimated from the story's length, so
that the percentage does not jump back when shots are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Seconds of one core per unit, measured on the embedded engines; they weigh the stages against each other until the
# run has measured its own.
UNIT_SECONDS: Mapping[str, float] = {
    "story": 10.0,
    "analysis": 0.5,
    "voices": 0.02,
    "script": 0.3,
    "audio": 0.15,
    "scenes": 0.2,
    "shots": 0.1,
    "refs": 0.4,
    "frames": 0.4,
    "videos": 2.2,
    "lipsync": 1.6,
    "export": 1.5,
}
WORDS_PER_SHOT = 11
WORDS_PER_SEGMENT = 13


@dataclass(frozen=True)
class StageCount:
    total: int
    done: int
    running: int
    failed: int

    @property
    def left(self) -> int:
        return max(0, self.total - self.done - self.failed)


@dataclass(frozen=True)
class Progress:
    step: str
    percent: int
    eta_seconds: int | None


def expected_units(stage: str, words: int) -> int:
    """How many units a stage is likely to have for a story of so many words."""
    shots = max(1, words // WORDS_PER_SHOT)
    return {
        "story": 0 if words else 1,
        "analysis": 1,
        "voices": 5,
        "script": 2,
        "audio": max(1, words // WORDS_PER_SEGMENT) + 1,
        "scenes": 2,
        "shots": max(2, words // 90) + 1,
        "refs": 12,
        "frames": shots,
        "videos": shots,
        "lipsync": max(1, shots // 3),
        "export": 3,
    }.get(stage, 1)


def progress(
    order: Sequence[str],
    counts: Mapping[str, StageCount],
    *,
    words: int,
    measured: Mapping[str, float],
    parallel: int,
) -> Progress:
    """`counts` has the stages whose units are listed; `measured` the mean seconds per unit of this project so far."""
    spent = left = 0.0
    left_now = 0.0
    step = ""
    for stage in order:
        count = counts.get(stage)
        if count is None:
            expected = expected_units(stage, words)
            count = StageCount(expected, 0, 0, 0)
        weight = UNIT_SECONDS.get(stage, 1.0)
        spent += weight * (count.total - count.left)
        left += weight * count.left
        left_now += measured.get(stage, weight) * count.left
        if count.left and not step:
            step = stage
    whole = spent + left
    percent = 100 if not left else min(99, int(100 * spent / whole)) if whole else 0
    return Progress(step or order[-1], percent, round(left_now / max(1, parallel)) if left else 0)
