"""A 24-shot film while every call is 20 % likely to meet a fault: it is finished, and no job bought twice."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.runner import Runner
from pipeline.store import Store, open_store
from pipeline.store.models import Generation, Project, Shot
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.paid.kit import LONG_STORY, QUICK, STUCK_S, new_project, run_to_end, settings_at
from tests.paid.money import check_bill
from tests.simulator import Simulator
from tests.simulator.bill import Charge
from tests.writer.answering import Answering

SPOILED = {"truncated_output", "wrong_type_output", "bit_flipped_output", "expired_output"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_film_in_a_storm(seed: int, data_dir: Path) -> None:
    with Simulator(seed=seed) as simulator, open_store(data_dir) as store:
        simulator.respond("chat", Answering(LONG_STORY))
        simulator.storm(0.2, seed)
        runner = Runner(store, settings_at(simulator.env(), data_dir), timing=QUICK)
        try:
            project_id = new_project(store, story=LONG_STORY)
            resolved = run_to_end(runner, project_id)
            _check_film(store, project_id)
            _check_bill(simulator, store, resolved)
            simulator.calm()
            _settle_lips(runner, project_id)
            _wait_until_nothing_is_open(store)
            # What was wasted at a provider is bought again only because the user starts the film again: once is enough.
            run_to_end(runner, project_id)
            _make_short_clips_again(runner, store, project_id)
            assert _wrong(runner, project_id) == []
            _wait_until_nothing_is_open(store)
            check_bill(simulator, store)
        finally:
            runner.close()
        assert simulator.errors == []


def _make_short_clips_again(runner: Runner, store: Store, project_id: int) -> None:
    """As a user would who sees that a clip is too short: it is kept, and another version asked for."""
    shots = [one["about"]["shot_id"] for one in _wrong(runner, project_id) if one["code"] == "short_clip"]
    client = create_app(Services(runner.settings, store, runner, Answers(store.db))).test_client()
    for shot_id in set(shots):
        asked = client.post(f"/api/shots/{shot_id}/video", json={"render": "paid"})
        assert asked.status_code == 202, asked.get_json()
        deadline = time.monotonic() + STUCK_S
        while (job := client.get(f"/api/jobs/{asked.get_json()['id']}").get_json())["status"] in ("queued", "running"):
            assert time.monotonic() < deadline, job
            time.sleep(0.1)
        assert job["status"] == "done", job
    if shots:
        run_to_end(runner, project_id)


def _wrong(runner: Runner, project_id: int) -> list[dict[str, Any]]:
    return [one for one in runner.status(project_id)["problems"] if one["code"] != "moderation_refused"]


def _wait_until_nothing_is_open(store: Store) -> None:
    """Jobs that nobody waits for any more are fetched and kept all the same; requests that nobody wants are closed."""
    deadline = time.monotonic() + 60
    while left := _open(store):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _open(store: Store) -> list[tuple[Any, ...]]:
    query = select(Generation).where(Generation.status.not_in(("finished", "failed", "cancelled")))
    with store.db.read() as session:
        return [(one.unit_key, one.status, one.model, one.error) for one in session.scalars(query)]


def _settle_lips(runner: Runner, project_id: int) -> None:
    """Lip sync never stops a run, so its lost answers are still there to be settled when the film is done."""
    for row in runner.generator.unresolved(project_id):
        assert row.capability == "lipsync"
        runner.loose.resolve(row.id, "abandon")


def _check_film(store: Store, project_id: int) -> None:
    with store.db.read() as session:
        project = session.get_one(Project, project_id)
        shots = session.scalars(select(Shot).where(Shot.project_id == project_id)).all()
    assert len(shots) >= 24
    assert project.film_url and store.media.exists(project.film_url)


def jobs(simulator: Simulator) -> list[Charge]:
    """Everything accepted but questions to language models, which may be asked again."""
    return [charge for charge in simulator.bill.charges() if charge.operation != "chat"]


def _check_bill(simulator: Simulator, store: Store, resolved: list[str]) -> None:
    """Every accepted job is known by its handle, or was a case that the user settled; none was bought twice but so."""
    with store.db.read() as session:
        rows = session.scalars(select(Generation)).all()
    known = {row.handle["id"] for row in rows if row.handle}
    provider = {row.id: row.provider for row in rows}
    settled = Counter(provider[one] for one in resolved)  # one may lose its answer more than once
    unknown = Counter(charge.provider for charge in jobs(simulator) if charge.job not in known)
    assert unknown <= settled, (unknown, settled)
    for group in simulator.bill.duplicates():
        bought = [one for one in group if one.job in known and one.micro_dollars and one.provider != "fal"]
        assert len(bought) <= 1, bought
