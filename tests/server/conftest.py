"""A server without a process: the application over a real store, with stages that make nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.stage import Unit
from pipeline.store import open_store
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.runner.plain_stages import PlainStage
from tests.server.studio import Studio, open_studio
from tests.simulator import Simulator


@pytest.fixture
def stage() -> PlainStage:
    """The one stage of every film here; `stage.work` may wait or raise."""
    return PlainStage("script", [Unit("script/1", "one"), Unit("script/2", "two", ("script/1",))])


@pytest.fixture
def parts(tmp_path: Path, stage: PlainStage) -> Iterator[Services]:
    settings = load_settings(data_dir=tmp_path / "data", engine_workers=2, max_story_words=200)
    store = open_store(settings.data_dir)
    services = Services(settings, store, Runner(store, settings, stages=(stage,)), Answers(store.db))
    yield services
    services.close(5)


@pytest.fixture
def client(parts: Services) -> FlaskClient:
    return create_app(parts).test_client()


@pytest.fixture
def project(client: FlaskClient) -> int:
    made = client.post("/api/projects", json={"story": "Once upon a time there was a bell."})
    assert made.status_code == 201
    return int(made.get_json()["id"])


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    with Simulator(scale=1.0) as simulator:
        opened = open_studio(simulator, tmp_path / "data")
        yield opened
        opened.services.close(5)
        assert simulator.errors == []


@pytest.fixture
def elsewhere(tmp_path: Path, stage: PlainStage) -> Iterator[FlaskClient]:
    """Another installation."""
    settings = load_settings(data_dir=tmp_path / "elsewhere", engine_workers=2, max_story_words=200)
    store = open_store(settings.data_dir)
    services = Services(settings, store, Runner(store, settings, stages=(stage,)), Answers(store.db))
    yield create_app(services).test_client()
    services.close(5)
