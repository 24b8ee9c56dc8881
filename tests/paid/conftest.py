"""Films with paid work, each in a data folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paid.site import Site, make_preview, open_site
from tests.simulator import Simulator


@pytest.fixture(scope="session")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film that the built-in engines have made; to be copied."""
    folder = tmp_path_factory.mktemp("preview") / "data"
    make_preview(folder)
    return folder


@pytest.fixture
def previewed(preview: Path, tmp_path: Path) -> Path:
    """A copy of that film's data folder, to be worked in."""
    folder = tmp_path / "data"
    shutil.copytree(preview, folder)
    return folder


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running
    assert running.errors == []


@pytest.fixture
def site(previewed: Path, simulator: Simulator) -> Iterator[Site]:
    with open_site(previewed, simulator) as opened:
        yield opened


@pytest.fixture
def fal_site(previewed: Path, simulator: Simulator) -> Iterator[Site]:
    """Pictures and lips go to fal, which cannot list its jobs."""
    with open_site(previewed, simulator, replicate_api_token="") as opened:
        yield opened
