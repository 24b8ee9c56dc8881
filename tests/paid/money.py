"""The simulator's bill held against the money ledger: an independent account of the same film."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import func, select

from pipeline.store import Store, lost_answers
from pipeline.store.models import Generation, MoneyEntry
from tests.simulator import Simulator
from tests.simulator.bill import Charge

HALF_A_CENT = 5_000
ROUNDING = 3  # micro-dollars of one job
# Work whose answer is the result, by capability: the simulator's name for asking.
AT_ONCE = {"text": "chat", "check": "moderate", "speech": "speech"}
# What the two sides call the same provider, where they differ.
PROVIDERS = {"atlascloud": "atlas", "compatible": "openai_compatible", "aws": "rekognition"}


def check_bill(simulator: Simulator, store: Store) -> None:
    """The bill is the ledger, but for answers that were lost: these alone are on the bill and in no line.

    Every job to the micro-dollar, questions and looks to the cent in all. Of each provider no more charges are
    unaccounted for than its records say that answers were lost, and they come to no more than users are told.
    (A look whose answer was lost is booked with the most that it may cost.)
    """
    with store.db.read() as session:
        rows = {row.id: row for row in session.scalars(select(Generation)).all()}
        by_generation = select(MoneyEntry.generation_id, func.sum(MoneyEntry.micros)).group_by(MoneyEntry.generation_id)
        sums: dict[str, int] = dict(session.execute(by_generation).all())
        told = lost_answers.unbooked(session)
    for row in rows.values():
        due = row.estimate_micros if row.ended_at is None else row.actual_micros or 0
        assert sums.get(row.id, 0) == due, (row.id, row.unit_key, row.status)

    billed, answered, lost = _sorted(simulator, rows)
    for generation_id, micros in billed.items():
        row = rows[generation_id]
        assert abs(sums.get(generation_id, 0) - micros) <= ROUNDING, (row.provider, row.model, row.error, micros)
    booked, guessed = Counter[str](), 0
    for row in rows.values():
        if row.capability == "check" and row.status != "finished":
            guessed += sums.get(row.id, 0)
        elif not row.handle and row.capability in AT_ONCE:
            booked[AT_ONCE[row.capability]] += sums.get(row.id, 0)
    for operation in AT_ONCE.values():
        assert abs(booked[operation] - answered[operation]) < HALF_A_CENT, (operation, booked, answered)

    known = sum(sums.values()) - guessed
    unaccounted = sum(charge.micro_dollars for charge in lost)
    assert abs(simulator.bill.total() - known - unaccounted) < HALF_A_CENT, (simulator.bill.total(), known, unaccounted)
    _check_lost(lost, list(rows.values()), most=told.most_micros + guessed)


def _sorted(simulator: Simulator, rows: dict[str, Generation]) -> tuple[dict[str, int], Counter[str], list[Charge]]:
    """(micro-dollars by generation, of what was answered at once by operation, charges whose answers were lost)."""
    jobs = {(row.provider, str(row.handle.get("id"))): row.id for row in rows.values() if row.handle}
    billed: dict[str, int] = defaultdict(int)
    answered = Counter[str]()
    lost: list[Charge] = []
    for charge in simulator.bill.charges():
        known = jobs.get((_provider(charge), charge.job))
        if known is not None:
            billed[known] += charge.micro_dollars
        elif charge.operation in AT_ONCE.values() and charge.answer_delivered and not _broke_off(charge):
            answered[charge.operation] += charge.micro_dollars
        elif charge.micro_dollars:
            lost.append(charge)
    return billed, answered, lost


def _provider(charge: Charge) -> str:
    return PROVIDERS.get(charge.provider, charge.provider)


def _broke_off(charge: Charge) -> bool:
    """An answer that is an error tells nothing of what was used up until then."""
    return "embedded_error" in charge.faults


def _check_lost(lost: list[Charge], rows: list[Generation], *, most: int) -> None:
    counted = Counter[str]()
    for row in rows:
        counted[row.provider] += sum(int((said or {}).get(lost_answers.KEY, 0)) for said in (row.error, row.output))
        counted[row.provider] += row.status == "ambiguous" or (row.capability == "check" and row.status == "failed")
        most += row.estimate_micros if row.status == "ambiguous" else 0
    found = Counter(_provider(charge) for charge in lost)
    assert found <= counted, (found, counted, lost)
    assert sum(charge.micro_dollars for charge in lost) <= most, (lost, most)
