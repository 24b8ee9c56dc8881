"""What a film costs: estimated before it is made, and what was spent on what."""

from __future__ import annotations

from collections import Counter

from flask import Blueprint

from pipeline.projects import live_project
from pipeline.store import lost_answers, money
from pipeline.store.models import Generation
from server.contract import Answer, api
from server.http import services

room = Blueprint("money", __name__, url_prefix="/api/projects/<int:project_id>")


class StageEstimateAnswer(Answer):
    """`units`: how many pieces are left; `known`: they are counted, not guessed. `problem` says why it cannot be done
    as things are. Money is in micro-dollars."""

    stage: str
    units: int
    known: bool
    provider: str
    model: str
    low_micros: int
    high_micros: int
    low_seconds: int
    high_seconds: int
    problem: str


class EstimateAnswer(Answer):
    """What is left to be paid and waited for, from low to high; `spent_micros` is what it has cost so far.

    `over_budget`: the high end would pass the project's budget. `notes` has sentences on prices that are assumed or not
    known.
    """

    stages: list[StageEstimateAnswer]
    low_micros: int
    high_micros: int
    low_cents: int
    high_cents: int
    low_seconds: int
    high_seconds: int
    spent_micros: int
    budget_cents: int | None
    over_budget: bool
    notes: list[str]


class Share(Answer):
    """`cents` are rounded up."""

    name: str
    micros: int
    cents: int


class UnitSpend(Answer):
    """A unit (frames/7: the frame of shot 7) at one model. `open_micros`: reserved, and not billed yet."""

    stage: str
    unit: str
    provider: str
    model: str
    micros: int
    open_micros: int
    generations: int


class SpendAnswer(Answer):
    """The whole is the sum of the units, which are the lines of the ledger. `shots`: by the shot's id.

    `possible_extra_charges`: how many requests were sent again or given up after their answers were lost. Providers may
    charge for them too, at most `possible_extra_micros` in all, which is in no sum here. `notes` has sentences on
    prices that are assumed or not known.
    """

    spent_micros: int
    spendCents: int
    possible_extra_charges: int
    possible_extra_micros: int
    notes: list[str]
    stages: list[Share]
    models: list[Share]
    shots: list[Share]
    units: list[UnitSpend]


@room.get("/estimate")
@api(answers={200: EstimateAnswer})
def estimate(project_id: int) -> EstimateAnswer:
    """Says what is left of the film in money and time, stage by stage; nothing is sent."""
    parts = services()
    found = parts.runner.estimate(project_id)
    with parts.store.db.read() as session:
        budget = live_project(session, project_id).budget_cents
    low_seconds, high_seconds = found.seconds
    whole = found.spent_micros + found.high_micros
    return EstimateAnswer(
        stages=[StageEstimateAnswer(**vars(one)) for one in found.stages],
        low_micros=found.low_micros,
        high_micros=found.high_micros,
        low_cents=_cents(found.low_micros),
        high_cents=_cents(found.high_micros),
        low_seconds=low_seconds,
        high_seconds=high_seconds,
        spent_micros=found.spent_micros,
        budget_cents=budget,
        over_budget=budget is not None and whole > budget * money.MICROS_PER_CENT,
        notes=list(found.notes),
    )


@room.get("/spend")
@api(answers={200: SpendAnswer})
def spend(project_id: int) -> SpendAnswer:
    """Says what was spent, by stage, by model, by shot and by unit; work under way counts at its estimate."""
    parts = services()
    with parts.store.db.read() as session:
        live_project(session, project_id)
        units = money.breakdown(session, project_id)
        unbooked = lost_answers.unbooked(session, Generation.project_id == project_id)
    stages, models, shots = Counter[str](), Counter[str](), Counter[str]()
    for one in units:
        stages[one.stage] += one.micros
        models[f"{one.provider}/{one.model}"] += one.micros
        if one.stage in ("frames", "videos", "lipsync"):
            shots[one.unit.split("/")[1]] += one.micros
    total = sum(one.micros for one in units)
    return SpendAnswer(
        spent_micros=total,
        spendCents=_cents(total),
        possible_extra_charges=unbooked.charges,
        possible_extra_micros=unbooked.most_micros,
        notes=parts.runner.price_notes(project_id),
        stages=_shares(stages),
        models=_shares(models),
        shots=_shares(shots),
        units=[UnitSpend(**vars(one)) for one in units],
    )


def _shares(counted: Counter[str]) -> list[Share]:
    return [Share(name=name, micros=micros, cents=_cents(micros)) for name, micros in counted.most_common()]


def _cents(micros: int) -> int:
    return -(-micros // money.MICROS_PER_CENT)
