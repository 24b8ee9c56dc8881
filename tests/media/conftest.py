"""The media generator behind a server, at simulated providers or with the built-in engines alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from pipeline.generation.moderation.clearances import uploaded
from pipeline.runner import Runner
from pipeline.store import open_store
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.paid.kit import QUICK, settings_at
from tests.simulator import Simulator


@dataclass
class Shop:
    simulator: Simulator
    services: Services
    client: FlaskClient

    def grant(self, credits: int) -> None:
        assert self.client.post("/api/credits/grants", json={"credits": credits}).status_code == 201

    def balance(self) -> int:
        return int(self.client.get("/api/credits").get_json()["balance"])

    def lines(self) -> list[tuple[str, int]]:
        items = self.client.get("/api/credits").get_json()["items"]
        return [(one["kind"], one["credits"]) for one in items]

    def order(self, **wanted: Any) -> dict[str, Any]:
        answer = self.client.post("/api/media", json=wanted)
        assert answer.status_code == 202, answer.get_json()
        return dict(answer.get_json())

    def made(self, **wanted: Any) -> dict[str, Any]:
        """The item when it has ended."""
        return self.ended(self.order(**wanted)["id"])

    def ended(self, item_id: int) -> dict[str, Any]:
        deadline = time.monotonic() + 60
        while (now := self.client.get(f"/api/media/{item_id}").get_json())["status"] not in ("finished", "failed"):
            assert time.monotonic() < deadline, now
            time.sleep(0.05)
        return dict(now)

    def picture(self) -> str:
        with self.services.store.media.draft(".png") as path:
            Image.new("RGB", (800, 450), (90, 120, 160)).save(path)
            measured = {"measured": {"width": 800, "height": 450}}
            return self.services.store.media.publish(
                path, ext="png", origin="upload", verdict=uploaded(), meta=measured
            ).url


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    opened: list[Services] = []
    simulators: list[Simulator] = []

    def opener(*, keys: bool = True, **settings: Any) -> Shop:
        simulator = Simulator(seed=1).start()
        simulators.append(simulator)
        folder = tmp_path / "data"
        known = settings_at(simulator.env() if keys else {}, folder, **settings)
        store = open_store(folder)
        services = Services(known, store, Runner(store, known, timing=QUICK), Answers(store.db))
        opened.append(services)
        return Shop(simulator, services, create_app(services).test_client())

    yield opener
    for services in opened:
        services.close(5)
    for simulator in simulators:
        simulator.stop()


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop()
