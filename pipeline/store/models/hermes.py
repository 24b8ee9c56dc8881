"""What the automation client has got: which bytes of which film, and which messages it was sent."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.models.base import Base, Object, Spans, Timed


class Delivery(Timed, Base):
    """A film (by its ETag, the SHA-256 of the file) on its way to the client.

    `covered` are the bytes that were written in full, as [first, end) pairs in order that neither touch nor overlap.
    """

    __tablename__ = "deliveries"

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    etag: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    covered: Mapped[Spans] = mapped_column(default=list)
    delivered_at: Mapped[str | None]


class Callback(Timed, Base):
    """A message to a project's callback URL about one event. It waits while neither sent nor given up.

    `next_at` is in Unix seconds; `problem` says why the last attempt failed.
    """

    __tablename__ = "callbacks"
    __table_args__ = (
        Index("ix_callbacks_waiting", "next_at", sqlite_where=text("sent_at IS NULL AND given_up_at IS NULL")),
        Index(None, "project_id", "event_seq"),
    )

    event_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    url: Mapped[str]
    body: Mapped[Object]
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[int]
    sent_at: Mapped[str | None]
    given_up_at: Mapped[str | None]
    problem: Mapped[str | None]
