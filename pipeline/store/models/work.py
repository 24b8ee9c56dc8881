"""The making: runs, their units, jobs that a person asked for, and the record of all provider work."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.models.base import Base, Object, Objects, Timed, utc_now


class Run(Base):
    """One making of a film. At most one run of a project is live (running or paused)."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("uq_runs_live", "project_id", unique=True, sqlite_where=text("state IN ('running', 'paused')")),
        Index(None, "project_id", "started_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default="running")
    code: Mapped[str | None]
    from_stage: Mapped[str | None]
    stale: Mapped[str | None]
    force: Mapped[bool] = mapped_column(default=False)
    boot_id: Mapped[str]
    started_at: Mapped[str] = mapped_column(default=utc_now)
    ended_at: Mapped[str | None]
    problems: Mapped[Objects] = mapped_column(default=list)
    spend_micros: Mapped[int] = mapped_column(default=0)
    estimate_micros: Mapped[int] = mapped_column(default=0)


class Step(Base):
    """The run ledger: one row for each unit of work. `attempts` counts the present digest, `starts` every start."""

    __tablename__ = "steps"
    __table_args__ = (Index(None, "project_id", "stage", "status"), {"sqlite_with_rowid": False})

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str]
    digest: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="pending")
    run_id: Mapped[str | None]
    boot_id: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    starts: Mapped[int] = mapped_column(default=0)
    provider: Mapped[str | None]
    handle: Mapped[Object | None]
    output: Mapped[Object | None]
    error: Mapped[Object | None]
    started_at: Mapped[str | None]
    ended_at: Mapped[str | None]
    seconds: Mapped[float | None]


class Generation(Base):
    """One piece of provider work, from the intent to the bill. Rows outlive their project: they are the account."""

    __tablename__ = "generations"
    __table_args__ = (
        Index(None, "request_digest", "status"),
        Index(None, "project_id", "unit_key"),
        Index("ix_generations_open", "status", sqlite_where=text("status NOT IN ('finished', 'failed', 'cancelled')")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="SET NULL"))
    unit_key: Mapped[str] = mapped_column(default="")
    capability: Mapped[str]
    provider: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    request: Mapped[Object] = mapped_column(default=dict)
    request_digest: Mapped[str]
    status: Mapped[str] = mapped_column(default="prepared")
    handle: Mapped[Object | None]
    output: Mapped[Object | None]
    verdict: Mapped[Object | None]
    error: Mapped[Object | None]
    attempt: Mapped[int] = mapped_column(default=1)
    estimate_micros: Mapped[int] = mapped_column(default=0)
    actual_micros: Mapped[int | None]
    boot_id: Mapped[str] = mapped_column(default="")
    prepared_at: Mapped[str] = mapped_column(default=utc_now)
    submitted_at: Mapped[str | None]
    accepted_at: Mapped[str | None]
    ended_at: Mapped[str | None]


class Job(Timed, Base):
    """A piece of work that a person asked for: a picture made or looked at, a shot's clip made again. It survives a
    restart.

    `target_type` and `target_id` say what it is for (characters/12, shots/7); `inputs` is all that its making needs.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        Index(
            "uq_jobs_live",
            "kind",
            "target_type",
            "target_id",
            "inputs_digest",
            unique=True,
            sqlite_where=text("status IN ('queued', 'running')"),
        ),
        Index(None, "project_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    kind: Mapped[str]
    target_type: Mapped[str]
    target_id: Mapped[int]
    status: Mapped[str] = mapped_column(default="queued")
    phase: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    inputs: Mapped[Object] = mapped_column(default=dict)
    inputs_digest: Mapped[str] = mapped_column(default="")
    estimate_micros: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int | None]
    result: Mapped[Object | None]
    error: Mapped[Object | None]
    attempt: Mapped[int] = mapped_column(default=1)
    boot_id: Mapped[str] = mapped_column(default="")
    started_at: Mapped[str | None]
    ended_at: Mapped[str | None]
