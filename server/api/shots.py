"""One shot at a time: its frame, its clip, its lips made again, e.g. in paid quality; the lips of a whole film."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, request
from sqlalchemy import select

from pipeline.contracts import Render
from pipeline.errors import Conflict
from pipeline.generation.lipsync import estimate_micros
from pipeline.projects import live_project
from pipeline.projects.editing.arrangement import find, refuse_before_spoken
from pipeline.stage import lipsync_key
from pipeline.store.models import Job, Scene, Shot
from server.api.jobs import JobView, job_view
from server.contract import WORK_PROBLEMS, Answer, Body, Page, Turn, Version, api
from server.http import services

room = Blueprint("shots", __name__, url_prefix="/api")

LIPSYNC_WAIT_S = 120.0


class Wish(Body):
    """`render`: for this once, in place of the project's own."""

    render: Render | None = None


class Anew(Wish):
    """`force`: what you have changed in the scene's shots by hand, and your cuts, are given up."""

    force: bool = False
    version: Version = None


class MadeShot(Answer):
    """The lips that were made."""

    shot_id: int
    status: Literal["done"]
    lipsync_url: str | None
    lipsync_status: str
    lipsync_problem: str | None


class LipsOfShot(Answer):
    """`phase`: where the work stands at the provider, null while nothing is on."""

    id: int
    idx: int
    duration_ms: int
    lipsync_status: str
    lipsync_url: str | None
    lipsync_problem: str | None
    phase: str | None


class LipsyncStatus(Page[LipsOfShot]):
    """`halted` is the code of what stopped the queue; the estimates are of all dialogue shots, and of those left."""

    halted: str | None
    estimate_micros: int
    left_estimate_micros: int


@room.post("/shots/<int:shot_id>/<any(frame, video, lipsync):what>")
@api(
    body=Wish,
    answers={202: JobView, 200: (JobView, MadeShot)},
    problems=WORK_PROBLEMS,
    spends=True,
    headers={"Prefer": "`respond-async`: do not wait for lip sync."},
)
def make(
    shot_id: int, what: Literal["frame", "video", "lipsync"], body: Wish, turn: Turn
) -> tuple[JobView | MadeShot, int]:
    """Makes one shot's frame, clip or lip sync again: 202 with the job, 200 with one that is at it already.

    Of a finished frame or clip another version is made; lips are reused while their clip and their sound are the same.
    What the user gave there gives way to it, and stays among the versions.
    Lip sync answers 200 with the result when it comes within two minutes.
    """
    parts = services()
    with parts.store.db.write(durable=True) as session:
        row, fresh = parts.runner.units[what].ask(session, shot_id, render=body.render)
        answer, status = job_view(row), 202 if fresh else 200
        turn.keep(session, answer, status)
    if fresh:
        parts.runner.jobs.start(row.id)
    if what != "lipsync" or "respond-async" in request.headers.get("Prefer", ""):
        return answer, status
    row = parts.runner.jobs.wait(row.id, LIPSYNC_WAIT_S)
    return (_result(row), 200) if row.status in ("done", "failed") else (job_view(row), status)


def _result(row: Job) -> MadeShot:
    """Raises Conflict with what went wrong."""
    if row.status == "failed":
        error = row.error or {}
        raise Conflict(error["detail"], hint=error["hint"], code=error["code"])
    with services().store.db.read() as session:
        shot = session.get_one(Shot, row.target_id)
    return MadeShot(
        shot_id=shot.id,
        status="done",
        lipsync_url=shot.lipsync_url,
        lipsync_status=shot.lipsync_status,
        lipsync_problem=shot.lipsync_problem,
    )


@room.post("/scenes/<int:scene_id>/shots")
@api(
    body=Anew,
    answers={202: JobView, 200: JobView},
    problems=(*WORK_PROBLEMS, "stale_version"),
    spends=True,
)
def film_anew(scene_id: int, body: Anew, turn: Turn) -> tuple[JobView, int]:
    """Films a scene anew: plans its shots again from its text. 202 with the job, 200 with one that is at it already.

    Shots that you have changed by hand stay as they are, unless by `force`; own pictures and clips, pinned references
    and all versions stay in any case. Pictures and clips of shots that are staged otherwise now stay in use, and are
    marked `stale` until they are made anew. The job's `result` names the shots that were `changed`, `added`, `removed`
    and `kept`. Refused while the film, or a shot of the scene, is being made, and before the script has been spoken.
    """
    parts = services()
    with parts.store.db.write(durable=True) as session:
        project, _ = find(session, Scene, scene_id, body.version)
        refuse_before_spoken(session, project)
        row, fresh = parts.runner.scenes.film(session, scene_id, force=body.force, render=body.render)
        answer, status = job_view(row), 202 if fresh else 200
        turn.keep(session, answer, status)
    if fresh:
        parts.runner.jobs.start(row.id)
    return answer, status


@room.get("/projects/<int:project_id>/lipsync-status")
@api(answers={200: LipsyncStatus})
def lipsync_status(project_id: int) -> dict[str, Any]:
    """Tells where each dialogue shot's lips stand, and what the rest is expected to cost."""
    return _lips(project_id)


@room.post("/projects/<int:project_id>/lipsync-all")
@api(body=Wish, answers={202: LipsyncStatus}, problems=WORK_PROBLEMS, spends=True)
def lipsync_all(project_id: int, body: Wish) -> dict[str, Any]:
    """Starts a job for the lips of every dialogue shot that has a clip and no lips yet."""
    parts = services()
    left = [shot for shot in _dialogue(project_id) if shot.video_url and shot.lipsync_status not in ("done", "skipped")]
    for shot in left:
        with parts.store.db.write(durable=True) as session:
            row, fresh = parts.runner.units["lipsync"].ask(session, shot.id, render=body.render)
        if fresh:
            parts.runner.jobs.start(row.id)
    return _lips(project_id)


def _dialogue(project_id: int) -> list[Shot]:
    query = (
        select(Shot)
        .where(Shot.project_id == project_id, Shot.kind == "dialogue", Shot.speaker_id.is_not(None))
        .order_by(Shot.idx)
    )
    with services().store.db.read() as session:
        live_project(session, project_id)
        return list(session.scalars(query))


def _lips(project_id: int) -> dict[str, Any]:
    generator = services().runner.generator
    shots = _dialogue(project_id)
    left = [shot.duration_ms for shot in shots if shot.lipsync_status not in ("done", "skipped")]
    items = [
        {
            "id": shot.id,
            "idx": shot.idx,
            "duration_ms": shot.duration_ms,
            "lipsync_status": shot.lipsync_status,
            "lipsync_url": shot.lipsync_url,
            "lipsync_problem": shot.lipsync_problem,
            "phase": generator.phase(project_id, lipsync_key(shot.id)),
        }
        for shot in shots
    ]
    return {
        "items": items,
        "next": None,
        "halted": generator.halted("lipsync"),
        "estimate_micros": estimate_micros(shot.duration_ms for shot in shots),
        "left_estimate_micros": estimate_micros(left),
    }
