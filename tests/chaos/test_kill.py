"""SIGKILL to the whole process group in the middle of each stage: nothing that was finished is made again or lost."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.projects import report
from pipeline.stages import ORDER
from pipeline.store import open_store

CHILD = [sys.executable, "-m", "tests.chaos.film_child"]
ROOT = Path(__file__).resolve().parents[2]
# Short for stages whose units take milliseconds, so that the kill falls inside one; the first falls on its very start.
DELAYS_MS = {"voices": 0, "script": 0, "scenes": 0, "shots": 0, "audio": 20, "export": 60}


def run_child(data_dir: Path, *args: str, timeout: float = 180) -> int:
    """Runs the child as the leader of its own process group; its exit code, negative for a signal."""
    child = subprocess.Popen([*CHILD, str(data_dir), *args], cwd=ROOT, start_new_session=True)
    try:
        return child.wait(timeout)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        raise


@dataclass(frozen=True)
class Settled:
    digest: str
    starts: int
    media: tuple[str, ...]


@dataclass(frozen=True)
class State:
    film: dict[str, Any]
    settled: dict[str, Settled]


def look(data_dir: Path) -> State:
    with open_store(data_dir) as store:
        records = store.ledger.records(1)
        settled = {
            key: Settled(one.digest, one.starts, tuple((one.output or {}).get("media", ())))
            for key, one in records.items()
            if one.status in ("done", "skipped")
        }
        whole = report(store, 1)
    film = {name: whole[name] for name in ("duration_ms", "fps", "segments", "scenes", "shots")}
    return State(film, settled)


def sha256_of(data_dir: Path, url: str) -> str:
    name = url.removeprefix("/media/")
    return hashlib.sha256((data_dir / "media" / name[:2] / name).read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> State:
    data_dir = tmp_path_factory.mktemp("undisturbed")
    assert run_child(data_dir) == 0
    return look(data_dir)


@pytest.mark.parametrize("stage", ORDER)
def test_a_kill_inside_a_stage_loses_nothing(stage: str, tmp_path: Path, undisturbed: State) -> None:
    delay = DELAYS_MS.get(stage, 40)
    assert run_child(tmp_path, stage, str(delay)) == -signal.SIGKILL
    before = look(tmp_path)
    assert any(key.startswith(f"{stage}/") for key in before.settled), "the kill came before anything had settled"
    assert len(before.settled) < len(undisturbed.settled), "the kill came too late"

    assert run_child(tmp_path) == 0

    after = look(tmp_path)
    assert after.film == undisturbed.film
    assert set(after.settled) == set(undisturbed.settled)
    for key, unit in before.settled.items():
        assert after.settled[key] == unit, f"{key} was settled and yet was started again"
        for url in unit.media:
            assert sha256_of(tmp_path, url) == url.removeprefix("/media/").partition(".")[0]
    assert list((tmp_path / "tmp").iterdir()) == [], "temporary files were swept"
