"""What a film is made of and what the making took, as one plain object: the content of report.json."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.film.finish import Dimming
from pipeline.film.options import FilmOptions, film_options
from pipeline.film.timeline import frame_at, ms_of_frame
from pipeline.generation.entities import film_form
from pipeline.projects.views import scenes_view, segments_view, shots_view
from pipeline.stages.shown import dimmings
from pipeline.store import Store
from pipeline.store.models import Generation, Project, Run, Step


def report(store: Store, project_id: int) -> dict[str, Any]:
    """One consistent reading of the project. Raises NotFound.

    Times are milliseconds of the film: the narration's clock, later by the title card where there is one. `first_frame`
    and `last_frame` are frames of the film, counted from 0, both shown in the shot (inclusive), so a shot's
    `last_frame` + 1 is the next one's `first_frame`. `fade_in_ms` and `fade_out_ms` say for how long a shot's picture
    comes out of the dark and goes into it; `fade_ms` is the longer of the two.
    `wall_seconds` runs from the last run's start to its end, pauses included.
    """
    with store.db.read() as session:
        project = session.get(Project, project_id)
        if project is None:
            raise NotFound("There is no such project.")
        form = film_form(project)
        options = film_options(project.options)
        lead, told = options.lead_ms, project.narration_ms
        dimmed = dimmings(session, project)
        run = session.scalars(select(Run).where(Run.project_id == project_id).order_by(Run.started_at.desc())).first()
        return {
            "title": project.title,
            "duration_ms": told + lead + options.tail_ms if told is not None else None,
            "quality": options.quality,
            "captions": options.captions,
            "sound_bed": options.sound_bed,
            "fps": form.fps,
            "width": form.width,
            "height": form.height,
            "segments": [_segment(row, lead) for row in segments_view(session, project_id)],
            "scenes": [_scene(row) for row in scenes_view(session, project_id)],
            "shots": [
                _shot(row, form.fps, lead, dimmed.get(row["id"], Dimming())) for row in shots_view(session, project_id)
            ],
            "cards": _cards(options, told or 0, form.fps),
            "stages": _stages(session, project_id),
            "units": _units(session, project_id),
            "wall_seconds": _wall_seconds(run),
            "cost_cents": _cost_cents(session, project_id),
            "problems": list(run.problems) if run else [],
        }


def _cards(options: FilmOptions, told_ms: int, fps: int) -> list[dict[str, Any]]:
    ends = told_ms + options.lead_ms
    spans = [("title", 0, options.lead_ms), ("end", ends, ends + options.tail_ms)]
    return [
        {
            "kind": kind,
            "start_ms": start,
            "end_ms": end,
            "first_frame": frame_at(start, fps),
            "last_frame": frame_at(end, fps) - 1,
        }
        for kind, start, end in spans
        if end > start
    ]


def _segment(row: dict[str, Any], lead_ms: int) -> dict[str, Any]:
    times = {name: row[name] + lead_ms if row[name] is not None else None for name in ("start_time_ms", "end_time_ms")}
    return {
        "index": row["idx"],
        "kind": row["segment_type"],
        "speaker": row["speaker"],
        "text": row["text"],
        **times,
    }


def _scene(row: dict[str, Any]) -> dict[str, Any]:
    kept = ("title", "set", "characters", "props", "time_of_day", "weather", "mood")
    span = {"first_segment": row["first_segment_idx"], "last_segment": row["last_segment_idx"]}
    return {"index": row["idx"]} | span | {name: row[name] for name in kept}


def _shot(row: dict[str, Any], fps: int, lead_ms: int, dimming: Dimming) -> dict[str, Any]:
    start, end = row["start_ms"] + lead_ms, row["end_ms"] + lead_ms
    rise, fall = (ms_of_frame(frames, fps) for frames in (dimming.rise, dimming.fall))
    return {
        "index": row["idx"],
        "scene": row["scene"],
        "kind": row["kind"],
        "speaker": row["speaker"],
        "start_ms": start,
        "end_ms": end,
        "first_frame": frame_at(start, fps),
        "last_frame": frame_at(end, fps) - 1,
        "framing": row["framing"],
        "angle": row["angle"],
        "move": row["move"],
        "subjects": row["subjects"],
        "segments": row["segments"],
        "fade_ms": max(rise, fall),
        "fade_in_ms": rise,
        "fade_out_ms": fall,
        "video_status": row["video_status"],
        "lipsync_status": row["lipsync_status"],
    }


def _stages(session: Session, project_id: int) -> dict[str, float]:
    """Seconds of work per stage; stages overlap, so they add up to more than the wall's."""
    query = select(Step.stage, func.sum(Step.seconds)).where(Step.project_id == project_id).group_by(Step.stage)
    return {stage: round(float(seconds or 0), 3) for stage, seconds in session.execute(query)}


def _units(session: Session, project_id: int) -> list[dict[str, Any]]:
    columns = (Step.key, Step.stage, Step.status, Step.starts)
    query = select(*columns).where(Step.project_id == project_id).order_by(Step.key)
    return [
        {"key": key, "stage": stage, "status": status, "times_started": starts}
        for key, stage, status, starts in session.execute(query)
    ]


def _wall_seconds(run: Run | None) -> float | None:
    if run is None or run.ended_at is None:
        return None
    spent = datetime.fromisoformat(run.ended_at) - datetime.fromisoformat(run.started_at)
    return round(spent.total_seconds(), 3)


def _cost_cents(session: Session, project_id: int) -> int:
    micros = session.scalar(
        select(func.coalesce(func.sum(Generation.actual_micros), 0)).where(Generation.project_id == project_id)
    )
    return -(-int(micros or 0) // 10_000)
