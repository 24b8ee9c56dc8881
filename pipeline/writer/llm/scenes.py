"""Scenes by a language model: it says where each begins; where it ends follows, so no segment can be lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pipeline.contracts import Analysis, SceneDraft, SegmentDraft
from pipeline.prompts import writing
from pipeline.providers.failures import BadAnswer
from pipeline.writer.llm.answers import SCENES, cast_list, name_list, people, places, plain, things
from pipeline.writer.llm.desk import Desk
from pipeline.writer.protocol import check_scenes


def scenes(desk: Desk, segments: Sequence[SegmentDraft], analysis: Analysis) -> tuple[SceneDraft, ...]:
    prompt = writing.question(
        "scenes",
        last=len(segments) - 1,
        sets=name_list(f"{one.name}: {plain(one.description, 120)}" for one in analysis.sets),
        characters=cast_list(analysis.characters),
        props=name_list(one.name for one in analysis.props),
        segments=writing.material("script", "\n".join(_line(at, one) for at, one in enumerate(segments))),
    )
    return desk.ask("scenes", prompt, SCENES, lambda data: read(data, segments, analysis), most_tokens=12_000)


def _line(at: int, segment: SegmentDraft) -> str:
    speaker = f"{segment.speaker or 'somebody'}: " if segment.kind == "dialogue" else ""
    return f"{at}. {speaker}{segment.text}"


def read(data: Mapping[str, Any], segments: Sequence[SegmentDraft], analysis: Analysis) -> tuple[SceneDraft, ...]:
    """The answer as scenes over all segments. Raises BadAnswer."""
    answered = data["scenes"]
    starts = [one["first_segment"] for one in answered]
    if not starts:
        raise BadAnswer("There are no scenes; give at least one, beginning at segment 0.")
    if starts[0] != 0 or any(before >= after for before, after in pairwise(starts)):
        raise BadAnswer("The scenes' first segments must begin with 0 and rise from scene to scene.")
    if starts[-1] >= len(segments):
        raise BadAnswer(f"A scene begins at segment {starts[-1]}; the last segment is {len(segments) - 1}.")
    who, where, what = people(analysis), places(analysis), things(analysis)
    found = tuple(
        SceneDraft(
            first_segment=one["first_segment"],
            last_segment=end - 1,
            title=plain(one["title"], 120),
            set_name=where.exact(one["set_name"], f"Scene {at}"),
            characters=who.all_exact(one["characters"], f"Scene {at}"),
            props=what.all_exact(one["props"], f"Scene {at}"),
            time_of_day=one["time_of_day"],
            weather=one["weather"],
            mood=plain(one["mood"], 120),
        )
        for at, (one, end) in enumerate(zip(answered, [*starts[1:], len(segments)], strict=True))
    )
    check_scenes(found, segments, analysis)
    return found
