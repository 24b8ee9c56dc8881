"""Paid work over HTTP: one shot upgraded, lips of a film, lost answers settled by the user or by a webhook."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import make_server

from pipeline.runner import Runner
from pipeline.store import open_store
from pipeline.store.models import Shot
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.paid.kit import KINDS, QUICK, new_project, settings_at
from tests.simulator import Simulator

STORY = 'Mira ran down to the harbour. "Have you seen my little bell, dear Tomas?" asked Mira.'
PREVIEW = {f"render_{kind}": "preview" for kind in KINDS}


@dataclass
class Site:
    simulator: Simulator
    services: Services
    client: FlaskClient
    project_id: int

    def shots(self, kind: str) -> list[Shot]:
        query = select(Shot).where(Shot.project_id == self.project_id, Shot.kind == kind).order_by(Shot.idx)
        with self.services.store.db.read() as session:
            return list(session.scalars(query))

    def until(self, reached: Callable[[], Any], timeout_s: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (found := reached()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found

    def unresolved(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.client.get(f"/api/projects/{self.project_id}/unresolved").get_json()["items"]
        return items


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that the built-in engines have made."""
    folder = tmp_path_factory.mktemp("preview") / "data"
    with open_store(folder) as store:
        runner = Runner(store, settings_at({}, folder))
        project_id = new_project(store, story=STORY, **PREVIEW)
        runner.start(project_id)
        assert runner.wait(project_id, 120) == "done"
        runner.close()
    return folder


@pytest.fixture
def site(preview: Path, tmp_path: Path) -> Iterator[Site]:
    """The film in a folder of its own, behind a server that providers can call back."""
    folder = tmp_path / "data"
    shutil.copytree(preview, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Simulator() as simulator:
        settings = settings_at(simulator.env(), folder, public_url=f"http://127.0.0.1:{port}")
        store = open_store(folder)
        services = Services(settings, store, Runner(store, settings, timing=QUICK), Answers(store.db))
        app = create_app(services)
        web = make_server("127.0.0.1", port, app, threaded=True)
        threading.Thread(target=web.serve_forever, daemon=True).start()
        try:
            yield Site(simulator, services, app.test_client(), 1)
        finally:
            web.shutdown()
            web.server_close()
            services.close(5)
        assert simulator.errors == []


def test_one_shot_is_upgraded_and_nothing_moves(site: Site) -> None:
    shot = site.shots("narration")[0]
    before = (shot.start_ms, shot.end_ms)
    asked = [site.client.post(f"/api/shots/{shot.id}/video", json={"render": "paid"}) for _ in range(3)]
    assert [one.status_code for one in asked] == [202, 202, 202]
    site.until(lambda: (now := site.shots("narration")[0]).video_url != shot.video_url and now.video_status == "done")
    assert len(site.simulator.bill.charges()) == 1
    after = site.shots("narration")[0]
    assert (after.start_ms, after.end_ms) == before
    assert after.actual_video_duration_ms and after.actual_video_duration_ms > 5000
    film = site.services.runner
    film.start(site.project_id)
    assert film.wait(site.project_id, 60) == "done"
    assert len(site.simulator.bill.charges()) == 1, "the film is put together anew, and nothing else is made"


def test_lips_wait_for_their_result_and_requests_join(site: Site) -> None:
    shot = site.shots("dialogue")[0]
    answers = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(
                create_app(site.services).test_client().post(f"/api/shots/{shot.id}/lipsync", json={"render": "paid"})
            )
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert [one.status_code for one in answers] == [200, 200, 200], [one.get_json() for one in answers]
    assert len({one.get_json()["lipsync_url"] for one in answers}) == 1
    assert len(site.simulator.bill.charges()) == 1
    status = site.client.get(f"/api/projects/{site.project_id}/lipsync-status").get_json()
    assert status["items"][0]["lipsync_status"] == "done" and status["left_estimate_micros"] == 0


def test_a_lost_answer_is_told_by_the_webhook(site: Site) -> None:
    site.simulator.script("reset_after", provider="fal", operation="submit")
    _only_fal(site)
    shot = site.shots("narration")[0]
    site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "paid"})
    site.until(lambda: site.shots("narration")[0].first_frame_url != shot.first_frame_url)
    assert len(site.simulator.requests(operation="submit")) == 1
    assert site.unresolved() == []


@pytest.mark.parametrize("choice", ["resend", "abandon"])
def test_a_lost_answer_is_settled_by_the_user(site: Site, choice: str) -> None:
    site.simulator.script("reset_after", provider="fal", operation="submit")
    site.simulator.script("webhook_lost", provider="fal", operation="submit")
    _only_fal(site)
    shot = site.shots("narration")[0]
    site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "paid"})
    [case] = site.until(site.unresolved)
    assert case["status"] == "ambiguous" and case["provider"] == "fal"
    assert site.client.post(f"/api/generations/{case['id']}/resolve", json={}).status_code == 422
    settled = site.client.post(f"/api/generations/{case['id']}/resolve", json={"choice": choice})
    assert settled.status_code == 200
    if choice == "resend":
        site.until(lambda: site.shots("narration")[0].first_frame_url != shot.first_frame_url)
    submits = len(site.simulator.requests(operation="submit"))
    assert submits == (2 if choice == "resend" else 1)
    assert site.client.post(f"/api/generations/{case['id']}/resolve", json={"choice": choice}).status_code == 409


@pytest.mark.parametrize("kind", ["webhook_repeated", "webhook_out_of_order", "webhook_forged"])
def test_what_a_webhook_says_of_known_work_changes_nothing(site: Site, kind: str) -> None:
    """FAULT 26: repeated, in a wrong order or forged."""
    site.simulator.script(kind, operation="submit")
    shot = site.shots("narration")[0]
    site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "paid"})
    site.until(lambda: site.shots("narration")[0].first_frame_url != shot.first_frame_url)
    site.until(lambda: site.simulator.webhooks)
    assert len(site.simulator.bill.charges()) == 1
    assert site.unresolved() == []


def test_a_webhook_without_a_right_signature_is_refused(site: Site) -> None:
    forged = site.client.post("/api/webhooks/fal?generation=x", json={"request_id": "x", "status": "OK"})
    assert forged.status_code == 403
    assert site.client.post("/api/webhooks/nobody", json={}).status_code == 404


def _only_fal(site: Site) -> None:
    """Pictures go to fal, which cannot list its jobs."""
    chain = site.services.runner.generator._chain
    chain.adapter("replicate").ready = lambda capability: "not set up"
