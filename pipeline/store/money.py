"""The money ledger: what provider work costs, in micro-dollars, line by line.

Hides which line a change of state calls for. A generation counts with its estimate while it is open and with what the
provider bills once it has ended; `book` writes the one line that brings the sum of its lines there. So a line is never
changed, a repeat writes nothing, and the sum over any set of generations is what they cost. `generation_state` books
with every move; who adds a generation, or corrects a bill, books it in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from pipeline.store.models import Generation, MoneyEntry, Project

Kind = Literal["estimate", "settle", "release"]

OPEN: Final = ("prepared", "submitting", "accepted", "ambiguous")
MICROS_PER_CENT: Final = 10_000


@dataclass(frozen=True)
class Overrun:
    """A limit that the next piece of work would pass. `whose`: "project" or "cap"."""

    whose: Literal["project", "cap"]
    spent_micros: int
    more_micros: int
    limit_micros: int


def standing(status: str, estimate_micros: int, actual_micros: int | None) -> int:
    """What a generation counts with: its bill once that is known, its estimate before, 0 where it ended without."""
    if actual_micros is not None:
        return actual_micros
    return estimate_micros if status in (*OPEN, "held") else 0


def line(status: str, due: int, booked: int) -> tuple[Kind, int] | None:
    """The line (kind, micro-dollars) that takes a generation from `booked` to `due`; None: they agree.

    A settle is the bill minus the estimate, so it may take away as well as add; a release takes all.
    """
    change = due - booked
    if change == 0:
        return None
    if status in OPEN:
        return "estimate", change
    return ("settle" if due else "release"), change


def book(session: Session, generation_id: str) -> None:
    """Writes the line that the generation's present state calls for, if any: in the transaction that changed it."""
    session.flush()
    generation = session.get_one(Generation, generation_id)
    due = standing(generation.status, generation.estimate_micros, generation.actual_micros)
    wanted = line(generation.status, due, spent(session, MoneyEntry.generation_id == generation_id))
    if wanted is None:
        return
    session.add(
        MoneyEntry(
            generation_id=generation_id,
            project_id=generation.project_id,
            unit_key=generation.unit_key,
            provider=generation.provider,
            model=generation.model,
            kind=wanted[0],
            micros=wanted[1],
        )
    )
    session.flush()


def spent(session: Session, *where: ColumnElement[bool]) -> int:
    """Micro-dollars spent and reserved, of all or of the lines that `where` (over MoneyEntry) chooses."""
    return int(session.scalar(select(func.coalesce(func.sum(MoneyEntry.micros), 0)).where(*where)) or 0)


@dataclass(frozen=True)
class Spent:
    """What one unit of work has cost at one model of one provider; `open_micros`: how much of it is still reserved."""

    stage: str
    unit: str
    provider: str
    model: str
    micros: int
    open_micros: int
    generations: int


def breakdown(session: Session, project_id: int) -> list[Spent]:
    """A project's money by unit and model, the dearest first; work that cost nothing is left out."""
    still_open = case((Generation.status.in_(OPEN), MoneyEntry.micros), else_=0)
    total = func.sum(MoneyEntry.micros)
    query = (
        select(
            MoneyEntry.unit_key,
            MoneyEntry.provider,
            MoneyEntry.model,
            total,
            func.sum(still_open),
            func.count(MoneyEntry.generation_id.distinct()),
        )
        .outerjoin(Generation, Generation.id == MoneyEntry.generation_id)
        .where(MoneyEntry.project_id == project_id)
        .group_by(MoneyEntry.unit_key, MoneyEntry.provider, MoneyEntry.model)
        .having(total != 0)
        .order_by(total.desc(), MoneyEntry.unit_key)
    )
    return [Spent(unit.split("/")[0], unit, *rest) for unit, *rest in session.execute(query).all()]


def overrun(session: Session, project_id: int | None, more_micros: int, spend_cap_micros: int | None) -> Overrun | None:
    """The limit that spending so much more would pass; None: it fits.

    Holds against any number of threads only inside the write transaction that then books the claim.
    """
    if more_micros <= 0:
        return None
    project = None if project_id is None else session.get(Project, project_id)
    if project is not None and project.budget_cents is not None:
        so_far, limit = spent(session, MoneyEntry.project_id == project_id), project.budget_cents * MICROS_PER_CENT
        if so_far + more_micros > limit:
            return Overrun("project", so_far, more_micros, limit)
    if spend_cap_micros is not None:
        so_far = spent(session)
        if so_far + more_micros > spend_cap_micros:
            return Overrun("cap", so_far, more_micros, spend_cap_micros)
    return None
