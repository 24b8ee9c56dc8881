"""The simulator's bill held against the money ledger: an independent account of the same film."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import func, select

from pipeline.store import Store
from pipeline.store.models import Generation, MoneyEntry
from tests.simulator import Simulator

HALF_A_CENT = 5_000


def check_bill(simulator: Simulator, store: Store) -> None:
    """Every charge that the program could know of is in the ledger, to the cent in all and to the micro-dollar for each
    generation; charges whose answer never came are no more than the ledger's users have been told of.
    """
    with store.db.read() as session:
        rows = {row.id: row for row in session.scalars(select(Generation)).all()}
        sums = dict(
            session.execute(
                select(MoneyEntry.generation_id, func.sum(MoneyEntry.micros)).group_by(MoneyEntry.generation_id)
            ).all()
        )
    for row in rows.values():
        due = row.estimate_micros if row.ended_at is None else row.actual_micros or 0
        assert sums.get(row.id, 0) == due, (row.id, row.unit_key, row.status)
    jobs = {(row.provider, str((row.handle or {}).get("id"))): row.id for row in rows.values() if row.handle}
    billed: dict[str, int] = defaultdict(int)
    chats = lost = 0
    for charge in simulator.bill.charges():
        known = jobs.get((PROVIDERS.get(charge.provider, charge.provider), charge.job))
        if charge.operation == "chat":
            chats += charge.micro_dollars if charge.answer_delivered else 0
        elif known is None:
            lost += charge.micro_dollars
        else:
            billed[known] += charge.micro_dollars
    for generation_id, micros in billed.items():
        row = rows[generation_id]
        assert abs(sums.get(generation_id, 0) - micros) <= 3, (row.provider, row.model, row.request, row.error, micros)
    asked = sum(sums.get(row.id, 0) for row in rows.values() if row.capability == "text")
    assert abs(asked - chats) < HALF_A_CENT, (asked, chats)
    assert abs(sum(sums.values()) - chats - sum(billed.values())) < HALF_A_CENT


# What the two sides call the same provider, where they differ.
PROVIDERS = {"atlascloud": "atlas"}
