"""What the film's sound is made from: the narration, who speaks when, and the scenes that the bed under it follows."""

from __future__ import annotations

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from pipeline.contracts import digest
from pipeline.film.options import film_options
from pipeline.inference.soundtrack import Score, Setting, Speech
from pipeline.store.models import MediaFile, Project, Scene, ScriptSegment, Set
from pipeline.store.spoken import spoken_segments

MAKING_S = 120.0
MAKING_PER_MS = 0.002  # a twentieth of that is usual


def score_of(session: Session, project: Project) -> Score:
    """The whole sound of the project's film, on the film's clock."""
    options = film_options(project.options)
    lead, length = options.lead_ms, options.lead_ms + (project.narration_ms or 0) + options.tail_ms
    said = spoken_segments(session, project.id)
    wanted = options.sound_bed == "on" or (options.sound_bed == "auto" and not _is_bought(session, project.id))
    return Score(
        duration_ms=length,
        lead_ms=lead,
        speech=tuple(
            Speech(start_ms=one.start_ms + lead, end_ms=one.end_ms + lead, speaker=one.speaker or "") for one in said
        ),
        settings=_settings(session, project.id, lead, length) if wanted else (),
        seed=int(digest(project.story)[:6], 16),
    )


def _is_bought(session: Session, project_id: int) -> bool:
    """Whether any of the voices came from a provider; nothing is laid under those unasked."""
    sha256 = func.substr(ScriptSegment.audio_url, 8, 64)
    bought = exists().where(
        ScriptSegment.project_id == project_id, MediaFile.sha256 == sha256, MediaFile.origin == "provider"
    )
    return bool(session.scalar(select(bought)))


def _settings(session: Session, project_id: int, lead_ms: int, end_ms: int) -> tuple[Setting, ...]:
    rows = session.execute(
        select(Scene, ScriptSegment.start_time_ms, Set)
        .join(
            ScriptSegment,
            (ScriptSegment.project_id == Scene.project_id) & (ScriptSegment.idx == Scene.first_segment_idx),
        )
        .join(Set, Set.id == Scene.set_id, isouter=True)
        .where(Scene.project_id == project_id)
        .order_by(Scene.idx)
    ).all()
    starts = [0, *((start or 0) + lead_ms for _, start, _ in rows[1:]), end_ms]
    return tuple(
        Setting.model_validate(
            {
                "start_ms": starts[number],
                "end_ms": starts[number + 1],
                "mood": scene.mood or (place.mood if place else ""),
                "place": place.name if place else "",
                "about": place.description if place else "",
                "time_of_day": scene.time_of_day,
                "weather": scene.weather,
            }
        )
        for number, (scene, _, place) in enumerate(rows)
    )
