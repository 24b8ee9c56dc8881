"""One shot at a time: its frame, its clip, its lips made again, e.g. in paid quality; and the lips of a whole film."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from pipeline.contracts import Render
from pipeline.errors import Conflict, NotFound
from pipeline.generation.lipsync import estimate_micros
from pipeline.projects import live_project
from pipeline.runner.single import Single
from pipeline.stage import frame_key, lipsync_key, video_key
from pipeline.store.models import Shot
from server.http import body_as, json_object, services

room = Blueprint("shots", __name__, url_prefix="/api")

LIPSYNC_WAIT_S = 120.0
_KEYS = {"frame": frame_key, "video": video_key, "lipsync": lipsync_key}
_COLUMNS = {
    "frame": ("first_frame_url",),
    "video": ("video_url", "video_status", "video_problem"),
    "lipsync": ("lipsync_url", "lipsync_status", "lipsync_problem"),
}


class Wish(BaseModel):
    """`render`: for this once, in place of the project's own."""

    model_config = ConfigDict(extra="forbid", strict=True)

    render: Render | None = None


@room.post("/shots/<int:shot_id>/<any(frame, video, lipsync):what>")
def make(shot_id: int, what: Literal["frame", "video", "lipsync"]) -> tuple[Response, int]:
    """202 with the job at once; lip sync answers 200 with the result when it comes within two minutes, unless the
    client prefers not to wait (`Prefer: respond-async`)."""
    parts, body = services(), json_object()
    wish = body_as(Wish, body)
    shot = _shot(shot_id)
    with parts.answers.turn(request.headers.get("Idempotency-Key"), request.path, body) as turn:
        if turn.answer is not None:
            status, answer = turn.answer
            return jsonify(answer), status
        key = _KEYS[what](shot_id)
        single = parts.runner.loose.make(shot.project_id, key, render=wish.render)
        answer = {"project_id": shot.project_id, "shot_id": shot_id, "unit": key, "status": "running"}
        with parts.store.db.write() as session:
            turn.keep(session, 202, answer)
    wait = what == "lipsync" and "respond-async" not in request.headers.get("Prefer", "")
    if wait and single.done.wait(LIPSYNC_WAIT_S):
        return _result(single, shot_id, what)
    return jsonify(answer), 202


def _result(single: Single, shot_id: int, what: str) -> tuple[Response, int]:
    """Raises Conflict with what went wrong."""
    failure = single.failure
    if failure is not None:
        raise Conflict(failure["text"], code=failure["code"])
    shot = _shot(shot_id)
    return jsonify({"shot_id": shot_id, "status": "done"} | {name: getattr(shot, name) for name in _COLUMNS[what]}), 200


def _shot(shot_id: int) -> Shot:
    with services().store.db.read() as session:
        shot = session.get(Shot, shot_id)
        if shot is None:
            raise NotFound("There is no such shot.")
        live_project(session, shot.project_id)
        return shot


@room.get("/projects/<int:project_id>/lipsync-status")
def lipsync_status(project_id: int) -> Response:
    """Each dialogue shot's lips, at which phase the work is, and what the rest is expected to cost."""
    return jsonify(_lips(project_id))


@room.post("/projects/<int:project_id>/lipsync-all")
def lipsync_all(project_id: int) -> tuple[Response, int]:
    """Starts the lips of every dialogue shot that has a clip and no lips yet."""
    parts, body = services(), json_object()
    wish = body_as(Wish, body)
    with parts.answers.turn(request.headers.get("Idempotency-Key"), request.path, body) as turn:
        if turn.answer is not None:
            status, answer = turn.answer
            return jsonify(answer), status
        for shot in _dialogue(project_id):
            if shot.video_url and shot.lipsync_status not in ("done", "skipped"):
                parts.runner.loose.make(project_id, lipsync_key(shot.id), render=wish.render, force=False)
        answer = _lips(project_id)
        with parts.store.db.write() as session:
            turn.keep(session, 202, answer)
    return jsonify(answer), 202


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
