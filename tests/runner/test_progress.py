"""Percent and time to go are within bounds and move forward; the step is the earliest stage with work left."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.runner.progress import StageCount, progress
from pipeline.stages import ORDER

counts = st.dictionaries(
    st.sampled_from(ORDER),
    st.tuples(st.integers(0, 50), st.integers(0, 50)).map(lambda two: StageCount(max(two), min(two), 0, 0)),
)


@given(counts, st.integers(0, 30_000))
def test_percent_is_a_hundred_only_when_nothing_is_left(known, words):
    now = progress(ORDER, known, words=words, measured={}, parallel=2)
    left = any(known.get(stage, StageCount(1, 0, 0, 0)).left for stage in ORDER)
    assert 0 <= now.percent <= 100
    assert (now.percent == 100) == (not left)
    assert now.eta_seconds is not None and now.eta_seconds >= 0


@given(st.integers(1, 40))
def test_percent_never_falls_as_one_stage_goes_on(total):
    seen = [
        progress(ORDER, {"videos": StageCount(total, done, 0, 0)}, words=600, measured={}, parallel=2).percent
        for done in range(total + 1)
    ]
    assert seen == sorted(seen)


def test_the_step_is_the_earliest_stage_with_work_left():
    done = {stage: StageCount(2, 2, 0, 0) for stage in ORDER}
    done["frames"] = StageCount(4, 3, 1, 0)
    done["export"] = StageCount(3, 0, 0, 0)
    assert progress(ORDER, done, words=100, measured={}, parallel=2).step == "frames"
