"""Making the film: start, pause, resume, cancel, and how far it is."""

from __future__ import annotations

import time
from typing import Any, Literal

from flask import Blueprint
from pydantic import Field

from pipeline.projects import live_project
from pipeline.projects.documents import RunState
from server.contract import Answer, Body, Turn, api, of_project
from server.http import services

room = Blueprint("runs", __name__, url_prefix="/api/projects/<int:project_id>")

_RUNNING_TICK_S = 10  # how long an unchanged answer may hold while a film is made: time to go moves without events
_SHARED_S = 0.25
_RUNNING = "SELECT 1 FROM runs WHERE project_id = ? AND state = 'running'"
_STATUS_URL = "/api/projects/{project_id}/yolo-status"


class Start(Body):
    """`from`: this stage and the later ones are made again; `stale`: so is what edits have made stale; `force`: even
    what would come out the same.
    """

    from_stage: str | None = Field(None, alias="from", max_length=40)
    stale: Literal["redo"] | None = None
    force: bool = False


class StageCount(Answer):
    total: int
    done: int
    running: int
    failed: int


class RunProblem(Answer):
    """`stage` and `unit` say where, as far as that is known. `text` is whole; `hint` is its part that says what to do.

    `about` names the input: `label`, `shot` and `shot_id`, `scene`, `segment`, `entity_type` and `entity_id`, `field`,
    `provider`, `generation`, as far as they apply.
    """

    code: str
    text: str
    stage: str | None = None
    unit: str | None = None
    hint: str = ""
    about: dict[str, str | int] = Field(default_factory=dict)


class LogLine(Answer):
    seq: int
    at: str
    level: str
    stage: str
    unit: str
    text: str


class RunStatus(Answer):
    """`code` says why a run stopped by itself; `stages` counts units by stage."""

    state: RunState
    code: str | None
    yoloStep: str | None
    percent: int
    stages: dict[str, StageCount]
    etaSeconds: int | None
    spendCents: int
    estimateCents: int
    problems: list[RunProblem]
    logs: list[LogLine]


class StartedRun(RunStatus):
    run_id: str
    project_id: int
    status_url: str


@room.post("/yolo")
@api(
    body=Start,
    answers={202: StartedRun},
    problems=("conflict", "needs_setup", "budget_reached"),
    spends=True,
    location=_STATUS_URL,
)
def start(project_id: int, body: Start, turn: Turn) -> dict[str, Any]:
    """Starts the making of the film, or goes on with it.

    Two starts give one run.
    """
    parts = services()
    run_id = parts.runner.start(project_id, from_stage=body.from_stage, stale=body.stale, force=body.force)
    named = {"run_id": run_id, "project_id": project_id, "status_url": _STATUS_URL.format(project_id=project_id)}
    answer = named | parts.runner.status(project_id)
    with parts.store.db.write() as session:
        turn.keep(session, answer)
    return answer


@room.post("/yolo/<any(pause, resume, cancel):command>")
@api(answers={202: RunStatus}, problems=("conflict",))
def steer(project_id: int, command: Literal["pause", "resume", "cancel"]) -> dict[str, Any]:
    """Pauses, resumes or cancels the making; what is done is kept."""
    parts = services()
    with parts.store.db.read() as session:
        live_project(session, project_id)
    {"pause": parts.runner.pause, "resume": parts.runner.resume, "cancel": parts.runner.cancel}[command](project_id)
    return parts.runner.status(project_id)


def progress_version(project_id: int) -> str:
    """The project's events, and while a film is made a slow clock."""
    with services().store.db.reading() as connection:
        running = connection.exec_driver_sql(_RUNNING, (project_id,)).first()
    return f"{of_project(project_id)}-{int(time.monotonic()) // _RUNNING_TICK_S if running else 0}"


@room.get("/yolo-status")
@api(answers={200: RunStatus}, polled=progress_version, shared_s=_SHARED_S)
def status(project_id: int) -> dict[str, Any]:
    """Tells how far the making is."""
    return services().runner.status(project_id)
