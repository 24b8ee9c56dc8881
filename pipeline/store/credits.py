"""The credit ledger: grants, charges and refunds that sum to the balance. 1 credit is 1 US cent of list price.

Hides how requests that race for the last credits are told apart: a charge reads the balance and writes its line inside
one write transaction, and there is only one of those at a time. Charge and refund of a media item exist once each,
which an index sees to, whoever asks and however often.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.store.models import CreditEntry


@dataclass(frozen=True)
class CreditLine:
    """A line as it stands. `kind`: grant, charge or refund; `credits`: charges are negative."""

    id: int
    at: str
    kind: str
    credits: int
    media_id: int | None
    note: str


def balance(session: Session) -> int:
    return int(session.scalar(select(func.coalesce(func.sum(CreditEntry.credits), 0))) or 0)


def lines(session: Session, *, before: int | None, limit: int) -> list[CreditLine]:
    """The newest first; `before`: only lines with a smaller id."""
    query = select(CreditEntry).order_by(CreditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(CreditEntry.id < before)
    return [CreditLine(one.id, one.at, one.kind, one.credits, one.media_id, one.note) for one in session.scalars(query)]


def grant(session: Session, credits: int, note: str = "") -> CreditLine:
    """Adds credits. Raises ValueError unless there are any."""
    if credits <= 0:
        raise ValueError("a grant is of at least one credit")
    entry = CreditEntry(kind="grant", credits=credits, note=note)
    session.add(entry)
    session.flush()
    return CreditLine(entry.id, entry.at, entry.kind, entry.credits, None, entry.note)


def charge(session: Session, credits: int, media_id: int) -> bool:
    """Takes the price of an item; False, and nothing is written, when the balance is too small. Free items pass."""
    if credits == 0:
        return True
    if credits < 0 or balance(session) < credits:
        return False
    session.add(CreditEntry(kind="charge", credits=-credits, media_id=media_id))
    session.flush()
    return True


def given_back(session: Session, media_id: int) -> bool:
    """Whether an item's charge was given back."""
    query = select(CreditEntry.id).where(CreditEntry.media_id == media_id, CreditEntry.kind == "refund")
    return session.scalars(query).first() is not None


def refund(session: Session, media_id: int, note: str) -> int:
    """Gives back what was charged for an item; the credits that came back now: 0 where nothing was charged, or all of
    it was given back before."""
    charged = -int(
        session.scalar(select(func.coalesce(func.sum(CreditEntry.credits), 0)).where(CreditEntry.media_id == media_id))
        or 0
    )
    if charged <= 0:
        return 0
    session.add(CreditEntry(kind="refund", credits=charged, media_id=media_id, note=note))
    session.flush()
    return charged
