"""Money over HTTP and the wire: an estimate before anything is sent, a budget that pauses, and where it all went."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from pipeline.errors import ProductError
from pipeline.runner import Runner
from pipeline.store import money, open_store
from pipeline.store.models import Project
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.generation.kit import bench
from tests.paid.kit import QUICK, STORY, new_project, settings_at
from tests.paid.money import check_bill
from tests.simulator import Simulator
from tests.writer.answering import Answering


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(seed=1) as running:
        running.respond("chat", Answering(STORY))
        yield running


def _served(simulator: Simulator, folder: Path, **settings: object) -> tuple[Services, FlaskClient]:
    known = settings_at(simulator.env(), folder, **settings)
    store = open_store(folder)
    services = Services(known, store, Runner(store, known, timing=QUICK), Answers(store.db))
    return services, create_app(services).test_client()


def test_a_film_that_would_pass_its_budget_pauses_and_goes_on_when_it_is_raised(
    simulator: Simulator, tmp_path: Path
) -> None:
    services, client = _served(simulator, tmp_path)
    try:
        project_id = new_project(services.store, budget_cents=60)
        at = f"/api/projects/{project_id}"
        before = client.get(f"{at}/estimate").get_json()
        assert before["low_cents"] <= before["high_cents"] and before["over_budget"]
        assert {one["stage"]: one["known"] for one in before["stages"]}["frames"] is False
        assert simulator.requests(operation="submit") == [] and simulator.bill.charges() == []
        assert client.post(f"{at}/yolo").status_code == 202
        assert services.runner.wait(project_id, 120) == "paused"
        paused = client.get(f"{at}/yolo-status").get_json()
        assert paused["code"] == "budget_reached" and 0 < paused["spendCents"] <= 60
        assert paused["estimateCents"] > 60
        [said] = [one for one in paused["problems"] if one["code"] == "budget_reached"][:1]
        assert "budget" in said["text"] and "resume" in (said["text"] + said["hint"]).lower()
        assert simulator.bill.total() <= 600_000
        kept = len(simulator.bill.charges())
        middle = client.get(f"{at}/estimate").get_json()
        assert {one["stage"]: one["known"] for one in middle["stages"]}["frames"] is True
        assert client.patch(at, json={"budget_cents": 1000}).status_code == 200
        assert client.post(f"{at}/yolo/resume").status_code == 202
        assert services.runner.wait(project_id, 120) == "done"
        assert len(simulator.bill.charges()) > kept and simulator.bill.duplicates() == []
        check_bill(simulator, services.store)
        _check_spend(client, at, simulator)
        after = client.get(f"{at}/estimate").get_json()
        assert after["high_micros"] == 0, "what is done costs nothing more"
        whole = middle["spent_micros"] + middle["low_micros"], middle["spent_micros"] + middle["high_micros"]
        assert whole[0] * 0.7 <= simulator.bill.total() <= whole[1] * 1.3
    finally:
        services.close(5)


def _check_spend(client: FlaskClient, at: str, simulator: Simulator) -> None:
    spend = client.get(f"{at}/spend").get_json()
    assert abs(spend["spent_micros"] - simulator.bill.total()) < 5_000
    for parts in ("stages", "models", "units"):
        assert sum(one["micros"] for one in spend[parts]) == spend["spent_micros"], parts
    assert spend["spendCents"] == client.get(f"{at}/yolo-status").get_json()["spendCents"]
    assert {"frames", "videos", "lipsync", "audio", "refs"} <= {one["name"] for one in spend["stages"]}
    assert spend["shots"] and not any(one["open_micros"] for one in spend["units"])


def test_the_spend_cap_names_its_setting(simulator: Simulator, tmp_path: Path) -> None:
    services, client = _served(simulator, tmp_path, spend_cap_cents=5)
    try:
        project_id = new_project(services.store)
        services.runner.start(project_id)
        assert services.runner.wait(project_id, 120) == "paused"
        status = client.get(f"/api/projects/{project_id}/yolo-status").get_json()
        assert status["code"] == "budget_reached"
        assert any("SPEND_CAP_CENTS" in one["text"] for one in status["problems"])
        assert simulator.bill.total() <= 50_000
    finally:
        services.close(5)


def test_fifty_threads_race_for_the_last_cents_of_a_budget(data_dir: Path) -> None:
    with Simulator(seed=1) as simulator, bench(simulator, data_dir) as room:
        with room.store.db.write() as session:
            session.get_one(Project, room.project_id).budget_cents = 20
        start, outcomes = threading.Barrier(50), list[str]()

        def order(number: int) -> None:
            start.wait()
            try:
                room.make(room.picture(f"boat {number}"), unit=f"refs/prop/{number}")
                outcomes.append("made")
            except ProductError as failure:
                outcomes.append(failure.code)

        threads = [threading.Thread(target=order, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert outcomes.count("budget_reached") == 50 - len(simulator.bill.charges())
        assert simulator.bill.total() <= 200_000 < simulator.bill.total() + 16_536, "nothing over, and all of it used"
        with room.store.db.read() as session:
            assert money.spent(session) == simulator.bill.total()
