"""Long stories are worked on in windows: they tile the story, and joining their scenes leaves no gap."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import SceneDraft
from pipeline.stages.scenes import join_windows
from pipeline.stages.script import windows

paragraphs = st.lists(
    st.sampled_from(["Once.", "A longer paragraph of words. " * 9, "***", "", "é中文。"]), max_size=40
)


@given(paragraphs, st.integers(1, 600))
def test_windows_tile_the_story_and_each_has_something_to_say(parts: list[str], limit: int) -> None:
    story = "\n\n".join(parts)
    spans = windows(story, limit)
    assert spans[0][0] == 0 and spans[-1][1] == len(story)
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    if len(spans) > 1:
        assert all(any(char.isalnum() for char in story[start:end]) for start, end in spans)


@given(st.lists(st.lists(st.sampled_from(["kitchen", "forest"]), min_size=1, max_size=4), min_size=1, max_size=5))
def test_joined_scenes_cover_every_segment_once(windows_of_sets: list[list[str]]) -> None:
    parts: list[list[SceneDraft]] = []
    at = 0
    for names in windows_of_sets:
        parts.append([])
        for name in names:
            parts[-1].append(SceneDraft(first_segment=at, last_segment=at + 1, title=name, set_name=name))
            at += 2
    scenes = join_windows(parts)
    assert scenes[0].first_segment == 0 and scenes[-1].last_segment == at - 1
    assert all(before.last_segment + 1 == after.first_segment for before, after in pairwise(scenes))
