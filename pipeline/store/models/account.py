"""The two meters, money and credits, and the media items that credits pay for.

Both ledgers are append-only (triggers refuse UPDATE and DELETE), and sum to the balance.
"""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.models.base import Base, Object, Timed, utc_now


class MoneyEntry(Base):
    """A line of the money ledger, in micro-dollars. The lines of one generation sum to what it costs.

    `kind` is estimate (reserved when claimed, +), settle (bill minus estimate) or release (the estimate taken back, -).
    No foreign key: the account outlives what it paid for.
    """

    __tablename__ = "money_entries"
    __table_args__ = (
        Index(None, "project_id"),
        Index(None, "generation_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(default=utc_now)
    generation_id: Mapped[str]
    project_id: Mapped[int | None]
    unit_key: Mapped[str] = mapped_column(default="")
    provider: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    kind: Mapped[str]
    micros: Mapped[int]
    note: Mapped[str] = mapped_column(default="")


class CreditEntry(Base):
    """A line of the credit ledger: grants and refunds are positive, charges negative. 1 credit is 1 cent of price."""

    __tablename__ = "credit_entries"
    __table_args__ = (
        Index(None, "media_id"),
        Index("uq_credit_entries_once", "media_id", "kind", unique=True, sqlite_where=text("media_id IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[str] = mapped_column(default=utc_now)
    kind: Mapped[str]
    credits: Mapped[int]
    media_id: Mapped[int | None]
    note: Mapped[str] = mapped_column(default="")


class Media(Timed, Base):
    """What the user sees of one item of the media generator; the generation record owns the provider's side."""

    __tablename__ = "media"
    __table_args__ = (Index(None, "created_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    type: Mapped[str]
    status: Mapped[str] = mapped_column(default="accepted")
    rating: Mapped[str] = mapped_column(default="general")
    inputs: Mapped[Object] = mapped_column(default=dict)
    price_credits: Mapped[int] = mapped_column(default=0)
    source_id: Mapped[int | None] = mapped_column(ForeignKey("media.id", ondelete="SET NULL"))
    workflow_name: Mapped[str | None]
    result: Mapped[Object | None]
    failure_reason: Mapped[str | None]
    failure_detail: Mapped[str | None]
    events: Mapped[Object | None]
    ended_at: Mapped[str | None]
