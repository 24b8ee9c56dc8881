from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.store import Store, open_store
from tests.store.kit import new_project


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Where a data folder may be made."""
    return tmp_path / "data"


@pytest.fixture
def store(data: Path) -> Iterator[Store]:
    with open_store(data) as opened:
        yield opened


@pytest.fixture
def project(store: Store) -> int:
    return new_project(store)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for property tests, which make a project of their own in each example."""
    with open_store(tmp_path_factory.mktemp("shared") / "data") as opened:
        yield opened
