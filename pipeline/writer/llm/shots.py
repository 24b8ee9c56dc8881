"""A scene's shots by a language model: it decides the cinematography of takes whose times are fixed.

Hides that long scenes are filmed in parts, and what is put right without asking again: a speaker is always seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.contracts import Analysis, Framing, SceneDraft, ShotDraft, Take
from pipeline.prompts import writing
from pipeline.providers.failures import BadAnswer
from pipeline.writer.llm.answers import SHOTS, cast_list, everything_seen, name_list, people, plain
from pipeline.writer.llm.desk import Desk
from pipeline.writer.protocol import check_shots

MOST_TAKES = 40  # in one question
MOST_SUBJECTS = 4


def shots(
    desk: Desk, scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, previous: Framing | None
) -> tuple[ShotDraft, ...]:
    """Exactly one shot for each take."""
    found: list[ShotDraft] = []
    for start in range(0, len(takes), MOST_TAKES):
        part = takes[start : start + MOST_TAKES]
        found += _ask(desk, scene, part, analysis, found[-1].framing if found else previous)
    return tuple(found)


def _ask(
    desk: Desk, scene: SceneDraft, takes: Sequence[Take], analysis: Analysis, previous: Framing | None
) -> tuple[ShotDraft, ...]:
    present = [one for one in analysis.characters if one.name in scene.characters]
    prompt = writing.question(
        "shots",
        last=len(takes) - 1,
        previous=f" The shot before these is a {previous} shot." if previous else "",
        title=plain(scene.title, 120),
        place=_place(scene, analysis),
        time=scene.time_of_day,
        weather=scene.weather,
        mood=scene.mood or "as the words suggest",
        characters=cast_list(present or analysis.characters),
        props=name_list(scene.props or [one.name for one in analysis.props]),
        takes=writing.material("takes", "\n".join(_line(at, take) for at, take in enumerate(takes))),
    )
    return desk.ask("shots", prompt, SHOTS, lambda data: read(data, takes, analysis), most_tokens=12_000)


def _place(scene: SceneDraft, analysis: Analysis) -> str:
    told = next((one.description for one in analysis.sets if one.name == scene.set_name), "")
    return f"{scene.set_name} ({plain(told, 200)})" if told else scene.set_name or "unknown"


def _line(at: int, take: Take) -> str:
    speaker = f"{take.speaker or 'somebody'} says: " if take.kind == "dialogue" else ""
    return f"{at}. ({take.duration_ms / 1000:.1f} s) {speaker}{take.text}"


def read(data: Mapping[str, Any], takes: Sequence[Take], analysis: Analysis) -> tuple[ShotDraft, ...]:
    """The answer as shots, in the order of the takes. Raises BadAnswer: not exactly one for each, unknown names."""
    answered = data["shots"]
    if len(answered) != len(takes):
        raise BadAnswer(f"There are {len(takes)} takes but {len(answered)} shots; give exactly one shot for each take.")
    if [one["take"] for one in answered] != list(range(len(takes))):
        raise BadAnswer(f"The shots' takes must be 0 to {len(takes) - 1}, each once and in order.")
    seen, who = everything_seen(analysis), people(analysis)
    found = tuple(
        _speaker_seen(
            ShotDraft(
                framing=one["framing"],
                angle=one["angle"],
                move=one["move"],
                subjects=seen.all_exact(one["subjects"], f"Shot {at}")[:MOST_SUBJECTS],
                action=plain(one["action"], 400),
            ),
            who.find(take.speaker) if take.speaker else None,
        )
        for at, (one, take) in enumerate(zip(answered, takes, strict=True))
    )
    check_shots(found, takes, analysis)
    return found


def _speaker_seen(shot: ShotDraft, speaker: str | None) -> ShotDraft:
    """Lips can only be moved where the speaker's face is in the picture."""
    if speaker is None:
        return shot
    others = [name for name in shot.subjects if name != speaker]
    framing: Framing = "close_up" if shot.framing == "insert" else shot.framing
    return shot.model_copy(update={"subjects": (speaker, *others)[:MOST_SUBJECTS], "framing": framing})
