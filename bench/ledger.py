"""A durable step: a unit is claimed and settled, each with its event, each on the disk before the next line runs.

Beside it the least that SQLite itself can do for the same rows (plain statements on one bare connection, the same
tables, the same two syncs), turn by turn in the same run. The disk's own sync is printed, because most of a step is two
of them.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench._process import ROOT, row
from pipeline.store import Store, open_store
from pipeline.store.models import Project

STEPS, TURNS = 200, 10
P50_MS, P99_MS = 1.0, 5.0

CLAIM = (
    "INSERT INTO steps (project_id, key, stage, digest, status, run_id, boot_id, attempts, starts)"
    " VALUES (1, ?, 'audio', 'd', 'running', 'r', 'b', 1, 1)"
)
SETTLE = "UPDATE steps SET status = 'done', output = '{}' WHERE project_id = 1 AND key = ? AND status = 'running'"
EVENT = (
    "INSERT INTO events (project_id, run_id, at, level, kind, stage, unit, text, data)"
    " VALUES (1, 'r', '2030-01-01T00:00:00.000Z', 'info', 'step', 'audio', ?, '', '{}')"
)


def timed(work: Callable[[str], None], keys: list[str]) -> list[float]:
    """Milliseconds for each key."""
    times = []
    for key in keys:
        began = time.perf_counter()
        work(key)
        times.append((time.perf_counter() - began) * 1000)
    return times


def opened(folder: Path) -> Store:
    store = open_store(folder)
    with store.db.write() as session:
        session.add(Project(title="A film"))
    return store


def step_of(store: Store) -> Callable[[str], None]:
    def step(key: str) -> None:
        assert store.ledger.claim(1, key, stage="audio", digest="d", run_id="r")
        assert store.ledger.settle(1, key, "done", digest="d", output={})

    return step


def bare_step(path: Path) -> Callable[[str], None]:
    driver = sqlite3.connect(path, isolation_level=None)
    driver.execute("PRAGMA synchronous=FULL")
    driver.execute("PRAGMA foreign_keys=ON")
    driver.execute("PRAGMA wal_autocheckpoint=4000")

    def step(key: str) -> None:
        for statement in (CLAIM, SETTLE):
            driver.execute("BEGIN IMMEDIATE")
            driver.execute(statement, (key,))
            driver.execute(EVENT, (key,))
            driver.execute("COMMIT")

    return step


def sync_ms(path: Path) -> float:
    """The median of writing a page and syncing it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT)

    def sync(key: str) -> None:
        os.pwrite(handle, bytes(4096), int(key) * 4096)
        os.fsync(handle)

    times = timed(sync, [str(number) for number in range(100)])
    os.close(handle)
    return statistics.median(times)


def percentile(times: list[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def main() -> int:
    home = ROOT / "data"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as made:  # a real disk: /tmp may be memory
        folder = Path(made)
        opened(folder / "bare").close()
        ours, theirs = list[float](), list[float]()
        with opened(folder / "ours") as store:
            step, bare = step_of(store), bare_step(folder / "bare" / "video-story.db")
            for turn in range(TURNS):
                keys = [f"shot/{turn:03}/{number:03}" for number in range(STEPS)]
                ours += timed(step, keys)
                theirs += timed(bare, keys)
        sync = sync_ms(folder / "sync")
    p50, p99 = percentile(ours, 50), percentile(ours, 99)
    print(f"      {len(ours)} steps; one sync of this disk takes {sync:.2f} ms, and a step makes two")
    held = [
        row("durable step, p50", f"{p50:.2f} ms", f"{P50_MS:.0f} ms", holds=p50 <= P50_MS),
        row("durable step, p99", f"{p99:.2f} ms", f"{P99_MS:.0f} ms", holds=p99 <= P99_MS),
    ]
    for percent in (50, 99):
        ratio = percentile(ours, percent) / percentile(theirs, percent)
        row(f"the same beside bare sqlite3, p{percent}", f"{ratio:.2f} x", "none", holds=True)
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
