"""The status answer: one project's run as clients see it. Reads the live driver where there is one, else the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.runner.driver import Driver
from pipeline.runner.problems import general
from pipeline.runner.progress import StageCount, progress
from pipeline.stage import Stage
from pipeline.store import Store, money
from pipeline.store.models import MoneyEntry, Project, Run, Step

LOG_LINES = 40
WAITING_S = 1.0
# They come before the ten steps: the status names them in `yoloStep`, but does not count them.
PREPARATION = ("story", "analysis")


def run_status(
    store: Store, project_id: int, *, stages: Sequence[Stage], driver: Driver | None, parallel: int
) -> dict[str, Any]:
    """The object of GET yolo-status. Raises NotFound."""
    with store.db.read() as session:
        project = session.get(Project, project_id)
        if project is None or project.deleted_at is not None:
            raise NotFound("There is no such project.")
        run = session.scalars(select(Run).where(Run.project_id == project_id).order_by(Run.started_at.desc())).first()
        counts = _live_counts(driver) if driver else _ledger_counts(session, project_id)
        measured = _measured(session, project_id)
        spend = money.spent(session, MoneyEntry.project_id == project_id)
        words = len(project.story.split())
        state = run.state if run else "idle"
        code, problems = (run.code, list(run.problems or ())) if run else (None, [])
        estimate = run.estimate_micros if run else 0
    order = [stage.name for stage in stages]
    now = progress(order, counts, words=words, measured=measured, parallel=parallel)
    percent = driver.percent(now.percent) if driver else now.percent
    done = state == "done"
    return {
        "state": state,
        "code": code,
        "yoloStep": None if done or run is None else now.step,
        "percent": 100 if done else percent if run else 0,
        "stages": {name: _stage_json(counts.get(name)) for name in order if name not in PREPARATION},
        "etaSeconds": now.eta_seconds if state == "running" else None,
        "spendCents": _cents(spend),
        "estimateCents": _cents(estimate or 0),
        "problems": [*_waiting(store), *(driver.problems if driver else problems)],
        "logs": [
            {name: line[name] for name in ("seq", "at", "level", "stage", "unit", "text")}
            for line in store.events.lines(project_id, LOG_LINES)
        ],
    }


def progress_of(
    store: Store,
    ids: Sequence[int],
    *,
    stages: Sequence[Stage],
    driver: Callable[[int], Driver | None],
    parallel: int,
) -> dict[int, tuple[int, str | None]]:
    """(percent, step) of several projects, by id, as `run_status` has them; the number of queries does not grow."""
    if not ids:
        return {}
    tallies: dict[int, dict[str, dict[str, int]]] = {}
    seconds: dict[int, dict[str, float]] = {}
    columns = (Step.project_id, Step.stage, Step.status)
    query = select(*columns, func.count(), func.avg(Step.seconds)).where(Step.project_id.in_(ids)).group_by(*columns)
    with store.db.reading() as connection:
        words = {row.id: len(row.story.split()) for row in connection.execute(_STORIES.where(Project.id.in_(ids)))}
        for project_id, stage, status, number, mean in connection.execute(query):
            tallies.setdefault(project_id, {}).setdefault(stage, {})[status] = number
            if status == "done" and mean is not None:
                seconds.setdefault(project_id, {})[stage] = float(mean)
    found: dict[int, tuple[int, str | None]] = {}
    order = [stage.name for stage in stages]
    for project_id, length in words.items():
        live = driver(project_id)
        counts = _live_counts(live) if live else _counts(tallies.get(project_id, {}))
        now = progress(order, counts, words=length, measured=seconds.get(project_id, {}), parallel=parallel)
        found[project_id] = live.percent(now.percent) if live else now.percent, now.step
    return found


_STORIES = select(Project.id, Project.story)


def _waiting(store: Store) -> list[dict[str, Any]]:
    if store.db.blocked_s < WAITING_S:
        return []
    return [general("store_waiting", "Waiting for another program to let go of the database.")]


def _cents(micros: int) -> int:
    return -(-micros // 10_000)


def _stage_json(count: StageCount | None) -> dict[str, int]:
    known = count or StageCount(0, 0, 0, 0)
    return {"total": known.total, "done": known.done, "running": known.running, "failed": known.failed}


def _live_counts(driver: Driver) -> dict[str, StageCount]:
    counts = {}
    for stage in driver.graph.order:
        if driver.graph.listed(stage.name):
            tally = driver.graph.counts(stage.name)
            total = sum(tally.values())
            counts[stage.name] = StageCount(total, tally["done"] + tally["skipped"], tally["running"], tally["failed"])
    return counts


def _ledger_counts(session: Session, project_id: int) -> dict[str, StageCount]:
    tallies: dict[str, dict[str, int]] = {}
    rows = session.execute(
        select(Step.stage, Step.status, func.count())
        .where(Step.project_id == project_id)
        .group_by(Step.stage, Step.status)
    )
    for stage, status, number in rows:
        tallies.setdefault(stage, {})[status] = number
    return _counts(tallies)


def _counts(tallies: Mapping[str, Mapping[str, int]]) -> dict[str, StageCount]:
    return {
        stage: StageCount(
            sum(tally.values()),
            tally.get("done", 0) + tally.get("skipped", 0),
            tally.get("running", 0) + tally.get("parked", 0),
            tally.get("failed", 0),
        )
        for stage, tally in tallies.items()
    }


def _measured(session: Session, project_id: int) -> dict[str, float]:
    rows = session.execute(
        select(Step.stage, func.avg(Step.seconds))
        .where(Step.project_id == project_id, Step.status == "done", Step.seconds.is_not(None))
        .group_by(Step.stage)
    )
    return {stage: float(seconds) for stage, seconds in rows}
