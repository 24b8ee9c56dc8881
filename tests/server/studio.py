"""A server over simulated providers, and a user who makes pictures with it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from PIL import Image

from pipeline.runner import Runner
from pipeline.store import open_store
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.paid.kit import QUICK, new_project, settings_at
from tests.server import pictures
from tests.simulator import Simulator
from tests.simulator.call import Call

PATIENCE_S = 180.0
COLOURS = [(30 * number, 255 - 30 * number, 120) for number in range(9)]


@dataclass
class Studio:
    """A server whose providers are simulated; their jobs take a minute each, until `ready` lets the minute pass."""

    simulator: Simulator
    folder: Path
    services: Services
    client: FlaskClient
    project: int

    def ready(self) -> None:
        """The jobs at providers are done now; no more time passes than that takes, for results expire."""
        clock = self.simulator.world.clock
        left = max((job.ready_at - clock.now() for job in self.simulator.jobs()), default=0.0)
        if left > 0:
            self.simulator.advance(left)

    def add(self, kind: str, name: str, guides: int = 0, **fields: Any) -> str:
        """The address of a new entity with so many guides, each of a colour of its own."""
        made = self.client.post(f"/api/projects/{self.project}/{kind}", json={"name": name, **fields})
        address = f"/api/{kind}/{made.get_json()['id']}"
        if guides:
            assert self.upload(f"{address}/guide-images", *COLOURS[:guides]).status_code == 201
        return address

    def upload(self, address: str, *colours: tuple[int, int, int]) -> Any:
        data = [(io.BytesIO(pictures.png(Image.new("RGB", (64, 48), colour))), "p.png") for colour in colours]
        return self.client.post(address, data={"file": data}, content_type="multipart/form-data")

    def ask(self, address: str, how: str = "generate", status: int = 202, **body: Any) -> dict[str, Any]:
        answer = self.client.post(f"{address}/{how}", json=body)
        assert answer.status_code == status, answer.get_json()
        job: dict[str, Any] = answer.get_json()
        return job

    def until(self, reached: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := reached()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    def job(self, job_id: str) -> dict[str, Any]:
        job: dict[str, Any] = self.client.get(f"/api/jobs/{job_id}").get_json()
        return job

    def ended(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job once it has ended; the provider's minute passes meanwhile."""

        def look() -> dict[str, Any] | None:
            self.ready()
            now = self.job(job["id"])
            return now if now["status"] in ("done", "failed", "cancelled") else None

        found: dict[str, Any] = self.until(look)
        return found

    def made(self, address: str, how: str = "generate", **body: Any) -> dict[str, Any]:
        job = self.ended(self.ask(address, how, **body))
        assert job["status"] == "done", job
        return job

    def at_provider(self, number: int = 1) -> list[Call]:
        """What was sent, once so many requests were taken."""
        self.until(lambda: len(self.submits()) >= number and all(call.status for call in self.submits()))
        return self.submits()

    def submits(self) -> list[Call]:
        return self.simulator.requests(operation="submit")

    def see(self, address: str, **query: Any) -> dict[str, Any]:
        seen: dict[str, Any] = self.client.get(address, query_string=query).get_json()
        return seen

    def versions(self, address: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.client.get(f"{address}/versions").get_json()["items"]
        return items


def open_studio(
    simulator: Simulator,
    folder: Path,
    project: int | None = None,
    *,
    render: str = "paid",
    start: bool = True,
    **settings: Any,
) -> Studio:
    """As a process that starts over the folder; close its `services`. A new project unless one is named.

    `start`: whether it takes up at once what another process left.
    """
    known = settings_at(simulator.env(), folder, **settings)
    store = open_store(folder)
    services = Services(known, store, Runner(store, known, timing=QUICK), Answers(store.db))
    if start:
        services.runner.recover()
    chosen = project or new_project(store, story="A bell rang.", style="woodcut", render_image=render)
    return Studio(simulator, folder, services, create_app(services).test_client(), chosen)
