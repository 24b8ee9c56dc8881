"""The event log, and the settings that change at run time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.models.base import Base, Object


class Event(Base):
    """A line of the event log; `seq` is the cursor. No foreign key: the log outlives what it speaks of."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "project_id", "kind", "seq"), {"sqlite_autoincrement": True})

    seq: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int | None]
    run_id: Mapped[str | None]
    at: Mapped[str]
    level: Mapped[str] = mapped_column(default="info")
    kind: Mapped[str] = mapped_column(default="log")
    stage: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    data: Mapped[Object | None]


class Setting(Base):
    """A runtime setting; `value` is any JSON value."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON())


class Answer(Base):
    """What was answered under an Idempotency-Key, so that a repeat gets the same. `at` is in Unix seconds."""

    __tablename__ = "answers"
    __table_args__ = (Index(None, "at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    request: Mapped[str]
    status: Mapped[int]
    body: Mapped[Object]
    at: Mapped[int]
