"""Work that a person asked for: listed, cancelled, made again."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from pipeline.errors import InvalidInput, NotFound
from pipeline.projects import live_project
from pipeline.runner.job_kinds import LIVE, asked
from pipeline.store.models import Job
from server.contract import WORK_PROBLEMS, Answer, Page, Paged, Text, Whole, api, of_everything
from server.http import services

room = Blueprint("jobs", __name__, url_prefix="/api/jobs")


class JobError(Answer):
    """What went wrong. `generation_id`: the request whose answer was lost, to be settled by the user."""

    code: str
    detail: str
    hint: str = ""
    field: str | None = None
    generation_id: str | None = None


class JobView(Answer):
    """`phase`: where the work stands; empty once it has ended. `model`: as users choose it, empty for the default.
    `unit`: its name in the events, and in what the work has cost."""

    id: str
    project_id: int | None
    kind: str
    target_type: str
    target_id: int
    unit: str
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    phase: str
    model: str
    estimate_micros: int
    cost_micros: int | None
    result: dict[str, Any] | None
    error: JobError | None
    attempt: int
    created_at: str
    updated_at: str
    started_at: str | None
    ended_at: str | None


class Wanted(Paged):
    """`active`: only what is queued or running."""

    project_id: Annotated[Whole, Field(ge=1)] | None = None
    active: Literal["true", "false"] = "false"
    kind: Annotated[Text, Field(max_length=60)] | None = None
    target_type: Literal["characters", "sets", "props", "shots", "scenes", "segments", "images"] | None = None
    target_id: Annotated[Whole, Field(ge=0)] | None = None


def job_view(row: Job) -> JobView:
    return JobView(
        id=row.id,
        project_id=row.project_id,
        kind=row.kind,
        target_type=row.target_type,
        target_id=row.target_id,
        unit=asked(row).unit_key,
        status=row.status,  # type: ignore[arg-type]
        phase=services().runner.jobs.phase(row),
        model=row.model,
        estimate_micros=row.estimate_micros,
        cost_micros=row.cost_micros,
        result=row.result,
        error=JobError.model_validate(row.error) if row.error else None,
        attempt=row.attempt,
        created_at=row.created_at,
        updated_at=row.updated_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


@room.get("")
@api(query=Wanted, answers={200: Page[JobView]}, problems=("not_found",), polled=of_everything)
def index(query: Wanted) -> Page[JobView]:
    """Lists jobs, newest first."""
    with services().store.db.read() as session:
        if query.project_id is not None:
            live_project(session, query.project_id)
        rows = _page(session, query)
    page, more = rows[: query.limit], len(rows) > query.limit
    return Page[JobView](
        items=[job_view(row) for row in page], next=f"{page[-1].created_at}~{page[-1].id}" if more else None
    )


def _page(session: Session, wanted: Wanted) -> list[Job]:
    rows = select(Job).order_by(Job.created_at.desc(), Job.id.desc()).limit(wanted.limit + 1)
    for column in ("project_id", "kind", "target_type", "target_id"):
        value = getattr(wanted, column)
        if value is not None:
            rows = rows.where(getattr(Job, column) == value)
    if wanted.active == "true":
        rows = rows.where(Job.status.in_(LIVE))
    if wanted.cursor is not None:
        at, found, job_id = wanted.cursor.partition("~")
        if not found or not wanted.cursor.isascii():
            raise InvalidInput("This cursor is not one of ours.", hint="Start again without it.", field="cursor")
        rows = rows.where(tuple_(Job.created_at, Job.id) < (at, job_id))
    return list(session.scalars(rows))


@room.get("/<job_id>")
@api(answers={200: JobView})
def read(job_id: str) -> JobView:
    """Shows a job."""
    with services().store.db.read() as session:
        row = session.get(Job, job_id)
        if row is None:
            raise NotFound("There is no such job.")
        return job_view(row)


@room.post("/<job_id>/cancel")
@api(answers={200: JobView}, problems=("conflict",))
def cancel(job_id: str) -> JobView:
    """Cancels a job that has not ended.

    What a provider has begun already is paid for; its result is kept as a version when it comes, and not shown.
    """
    return job_view(services().runner.jobs.cancel(job_id))


@room.post("/<job_id>/retry")
@api(answers={202: JobView}, problems=WORK_PROBLEMS, spends=True)
def retry(job_id: str) -> JobView:
    """Makes a job again that failed or was cancelled, from the same inputs."""
    return job_view(services().runner.jobs.retry(job_id))
