"""Making the film: start, pause, resume, cancel, and how far it is."""

from __future__ import annotations

import time
from typing import Any, Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from pipeline.projects import live_project
from pipeline.store.models import Run
from server.http import body_as, json_object, services, unchanged, versioned

room = Blueprint("runs", __name__, url_prefix="/api/projects/<int:project_id>")

_RUNNING_TICK_S = 10  # how long an unchanged answer may hold while a film is made: time to go moves without events


class Start(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    from_stage: str | None = Field(None, alias="from", max_length=40)
    stale: Literal["redo"] | None = None
    force: bool = False


@room.post("/yolo")
def start(project_id: int) -> tuple[Response, int]:
    parts, body = services(), json_object()
    asked = body_as(Start, body)
    with parts.answers.turn(request.headers.get("Idempotency-Key"), request.path, body) as turn:
        if turn.answer is not None:
            status, answer = turn.answer
            return _accepted(project_id, answer), status
        run_id = parts.runner.start(project_id, from_stage=asked.from_stage, stale=asked.stale, force=asked.force)
        answer = {"run_id": run_id, "project_id": project_id, "status_url": f"{_address(project_id)}/yolo-status"}
        with parts.store.db.write() as session:
            turn.keep(session, 202, answer)
    return _accepted(project_id, answer), 202


def _address(project_id: int) -> str:
    return f"/api/projects/{project_id}"


def _accepted(project_id: int, answer: dict[str, Any]) -> Response:
    response = jsonify(answer | services().runner.status(project_id))
    response.headers["Location"] = f"{_address(project_id)}/yolo-status"
    return response


@room.post("/yolo/<any(pause, resume, cancel):command>")
def steer(project_id: int, command: Literal["pause", "resume", "cancel"]) -> tuple[Response, int]:
    parts = services()
    with parts.store.db.read() as session:
        live_project(session, project_id)
    {"pause": parts.runner.pause, "resume": parts.runner.resume, "cancel": parts.runner.cancel}[command](project_id)
    return jsonify(parts.runner.status(project_id)), 202


@room.get("/yolo-status")
def status(project_id: int) -> Response:
    """The version is the project's event cursor, so an unchanged answer costs two index look-ups."""
    parts = services()
    with parts.store.db.read() as session:
        live_project(session, project_id)
        running = session.scalar(select(Run.id).where(Run.project_id == project_id, Run.state == "running"))
    tick = int(time.monotonic()) // _RUNNING_TICK_S if running else 0
    etag = f"{parts.store.boot_id}-{parts.store.events.newest(project_id)}-{tick}"
    return unchanged(etag) or versioned(jsonify(parts.runner.status(project_id)), etag)
