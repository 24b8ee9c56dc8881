"""A film that the built-in engines have made, behind a server whose providers are simulated and can call it back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.serving import make_server

from pipeline.runner import Runner
from pipeline.store import open_store
from pipeline.store.models import Generation, Shot
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

    def jobs(self, **wanted: Any) -> list[dict[str, Any]]:
        """What was asked for by hand, newest first."""
        items: list[dict[str, Any]] = self.client.get("/api/jobs", query_string=wanted).get_json()["items"]
        return items

    def finish_jobs(self) -> None:
        """Until nothing that was asked for by hand is at work."""
        self.until(lambda: not self.jobs(active="true"))

    def unresolved(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.client.get(f"/api/projects/{self.project_id}/unresolved").get_json()["items"]
        return items

    def generations(self) -> list[Generation]:
        """Provider work, oldest first; what the built-in engines made is left out."""
        query = select(Generation).where(Generation.provider != "local").order_by(Generation.prepared_at)
        with self.services.store.db.read() as session:
            return list(session.scalars(query))

    def submits(self) -> int:
        return len(self.simulator.requests(operation="submit"))


def make_preview(folder: Path) -> None:
    with open_store(folder) as store:
        runner = Runner(store, settings_at({}, folder))
        project_id = new_project(store, story=STORY, **PREVIEW)
        runner.start(project_id)
        assert runner.wait(project_id, 120) == "done"
        runner.close()


@contextmanager
def open_site(folder: Path, simulator: Simulator, **settings: Any) -> Iterator[Site]:
    """The film in `folder`, served; leaving it is a shutdown of the server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    known = settings_at(simulator.env(), folder, **({"public_url": f"http://127.0.0.1:{port}"} | settings))
    store = open_store(folder)
    services = Services(known, store, Runner(store, known, timing=QUICK), Answers(store.db))
    app = create_app(services)
    web = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    try:
        yield Site(simulator, services, app.test_client(), 1)
    finally:
        web.shutdown()
        web.server_close()
        services.close(5)
