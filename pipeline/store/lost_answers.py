"""What may be on providers' bills beyond the money ledger: requests that were sent, and whose answers never came.

Hides where a record keeps their number. A request that was sent again, or given up, may be charged for all the same;
nobody here can know, so it is no line of the ledger but counted beside it, with the most that it can come to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from pipeline.store.models import Generation

KEY: Final = "possible_extra_charges"


@dataclass(frozen=True)
class Unbooked:
    """`charges`: requests whose answers were lost; `most_micros`: what they come to if all were charged."""

    charges: int
    most_micros: int


def kept(generation: Generation, to: str, error: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of its cause when it moves on: the number of answers lost so far stays with it.

    One more is lost where it leaves `ambiguous` to be sent again or given up, or where the last send that is allowed
    has failed so; one less where the job of a request that was to be sent again has been found.
    """
    lost = int((generation.error or {}).get(KEY, 0))
    lost += generation.status == "ambiguous" and to in ("prepared", "cancelled")
    lost += generation.status == "submitting" and to == "failed" and error.get("code") == "submit_ambiguous"
    lost -= generation.status == "prepared" and to == "accepted" and lost > 0
    return {**error, KEY: lost} if lost else {name: value for name, value in error.items() if name != KEY}


def unbooked(session: Session, *where: ColumnElement[bool]) -> Unbooked:
    """Of all generations, or of those that `where` (over Generation) chooses."""
    told = [func.coalesce(column[KEY].as_integer(), 0) for column in (Generation.error, Generation.output)]
    lost = told[0] + told[1]
    query = select(func.coalesce(func.sum(lost), 0), func.coalesce(func.sum(lost * Generation.estimate_micros), 0))
    charges, micros = session.execute(query.where(*where)).one()
    return Unbooked(int(charges), int(micros))
