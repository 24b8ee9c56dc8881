"""One simulator for all tests of a file; each test begins with an empty bill and no faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.providers import ADAPTERS, JobAdapter, load_adapter
from tests.providers.kit import Files, settings_for
from tests.simulator.simulator import Simulator


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator
        assert simulator.errors == []


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    running.world.reset()
    return running


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("files"))


@pytest.fixture
def adapters(simulator: Simulator, tmp_path: Path) -> Iterator[dict[str, JobAdapter]]:
    settings = settings_for(simulator)
    loaded = {name: load_adapter(name, settings) for name in ADAPTERS if name != "local"}
    yield loaded
    for adapter in loaded.values():
        adapter.close()
