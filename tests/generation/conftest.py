"""One simulator for each test; nothing takes simulated time unless a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.generation.kit import Bench, bench
from tests.simulator import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running
    assert running.errors == []


@pytest.fixture
def desk(simulator: Simulator, data_dir: Path) -> Iterator[Bench]:
    without = {f"{name}": "" for name in ("fal_key", "wavespeed_api_key", "atlascloud_api_key", "runpod_api_key")}
    with bench(simulator, data_dir, **without) as opened:
        yield opened
