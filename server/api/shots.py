"""One shot at a time: its frame, its clip, its lips made again, e.g. in paid quality; and the lips of a whole film."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, request
from sqlalchemy import select

from pipeline.contracts import Render
from pipeline.errors import Conflict, NotFound
from pipeline.generation.lipsync import estimate_micros
from pipeline.projects import live_project
from pipeline.projects.editing import let_go
from pipeline.runner.single import Single
from pipeline.stage import frame_key, lipsync_key, video_key
from pipeline.store.models import Shot
from pipeline.store.places import ShotSlot
from server.contract import WORK_PROBLEMS, Answer, Body, Page, Turn, api
from server.http import services

room = Blueprint("shots", __name__, url_prefix="/api")

LIPSYNC_WAIT_S = 120.0
_SLOTS: dict[str, ShotSlot] = {"frame": "first_frame", "video": "video", "lipsync": "lipsync"}
_KEYS = {"frame": frame_key, "video": video_key, "lipsync": lipsync_key}


class Wish(Body):
    """`render`: for this once, in place of the project's own."""

    render: Render | None = None


class ShotJob(Answer):
    """The work that was started; `unit` is its name in the events."""

    project_id: int
    shot_id: int
    unit: str
    status: Literal["running"]


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
    answers={202: ShotJob, 200: MadeShot},
    problems=WORK_PROBLEMS,
    spends=True,
    headers={"Prefer": "`respond-async`: do not wait for lip sync."},
)
def make(
    shot_id: int, what: Literal["frame", "video", "lipsync"], body: Wish, turn: Turn
) -> tuple[dict[str, Any], int]:
    """Makes one shot's frame, clip or lip sync again.

    Of a finished frame or clip another version is made; lips are reused while their clip and their sound are the same.
    What the user gave there gives way to it, and stays among the versions.
    202 with the job at once; lip sync answers 200 with the result when it comes within two minutes.
    """
    parts = services()
    shot = _shot(shot_id)
    key = _KEYS[what](shot_id)
    with parts.store.db.write() as session:
        let_go(session, shot_id, _SLOTS[what])
    single = parts.runner.loose.make(shot.project_id, key, render=body.render, another=True)
    answer = {"project_id": shot.project_id, "shot_id": shot_id, "unit": key, "status": "running"}
    with parts.store.db.write() as session:
        turn.keep(session, answer, 202)
    wait = what == "lipsync" and "respond-async" not in request.headers.get("Prefer", "")
    if wait and single.done.wait(LIPSYNC_WAIT_S):
        return _result(single, shot_id), 200
    return answer, 202


def _result(single: Single, shot_id: int) -> dict[str, Any]:
    """Raises Conflict with what went wrong."""
    failure = single.failure
    if failure is not None:
        said = failure["text"].removesuffix(failure["hint"]).strip()
        raise Conflict(said, hint=failure["hint"], code=failure["code"])
    shot = _shot(shot_id)
    return {
        "shot_id": shot_id,
        "status": "done",
        "lipsync_url": shot.lipsync_url,
        "lipsync_status": shot.lipsync_status,
        "lipsync_problem": shot.lipsync_problem,
    }


def _shot(shot_id: int) -> Shot:
    with services().store.db.read() as session:
        shot = session.get(Shot, shot_id)
        if shot is None:
            raise NotFound("There is no such shot.")
        live_project(session, shot.project_id)
        return shot


@room.get("/projects/<int:project_id>/lipsync-status")
@api(answers={200: LipsyncStatus})
def lipsync_status(project_id: int) -> dict[str, Any]:
    """Tells where each dialogue shot's lips stand, and what the rest is expected to cost."""
    return _lips(project_id)


@room.post("/projects/<int:project_id>/lipsync-all")
@api(body=Wish, answers={202: LipsyncStatus}, problems=WORK_PROBLEMS, spends=True)
def lipsync_all(project_id: int, body: Wish) -> dict[str, Any]:
    """Starts the lips of every dialogue shot that has a clip and no lips yet."""
    for shot in _dialogue(project_id):
        if shot.video_url and shot.lipsync_status not in ("done", "skipped"):
            services().runner.loose.make(project_id, lipsync_key(shot.id), render=body.render, force=False)
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
