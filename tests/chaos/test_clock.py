"""FAULT 35: the clock jumps by an hour, forth and back, while a film is made at providers. Needs libfaketime."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.store import open_store
from pipeline.store.models import Generation
from tests.paid.kit import STORY
from tests.simulator import Simulator
from tests.writer.answering import Answering

pytestmark = pytest.mark.root
ROOT = Path(__file__).resolve().parents[2]
JUMPS = ("+3600", "-3600", "+0", "-3600", "+3600")


def find_library() -> Path | None:
    return next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


@pytest.fixture(scope="module")
def library() -> Path:
    """libfaketime, installed if need be. Fails, never skips, where that cannot be done."""
    if find_library() is None:
        subprocess.run(["apt-get", "install", "-y", "-q", "libfaketime"], check=False, capture_output=True)
    found = find_library()
    assert found is not None, "libfaketime is missing: sudo apt-get update && sudo apt-get install -y libfaketime"
    return found


@contextmanager
def jumping(clock: Path, simulator: Simulator) -> Iterator[list[str]]:
    """Whenever some more requests have come, the child's time of day jumps; the jumps that were made."""
    made, over = list[str](), threading.Event()

    def jump() -> None:
        for number, offset in enumerate(JUMPS, 1):
            while len(simulator.requests(operation="status")) < 30 * number:
                if over.wait(0.05):
                    return
            clock.write_text(offset)
            made.append(offset)

    thread = threading.Thread(target=jump)
    thread.start()
    try:
        yield made
    finally:
        over.set()
        thread.join()


def test_a_clock_that_jumps_neither_ends_a_wait_nor_sends_anything_twice(library: Path, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("+0")
    with Simulator(scale=0.03) as simulator, jumping(clock, simulator) as jumps:
        simulator.respond("chat", Answering(STORY))
        for text in ("date", "seconds"):
            simulator.script("rate_limit", operation="submit", model="*flux*", nth=2, retry_after=1, text=text)
        env = {
            **os.environ,
            **simulator.env(),
            "MODERATION_CHECKERS": "bundled",  # looks are asked for again without harm, and would stand in the bill
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            # A kernel's monotonic clock does not jump when the time of day is set.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        command = [sys.executable, "-m", "tests.paid.film_child", str(tmp_path / "data")]
        assert subprocess.run(command, cwd=ROOT, env=env, timeout=240).returncode == 0
        assert tuple(jumps) == JUMPS, "the film was over before the clock had jumped"
        assert simulator.bill.duplicates() == [] == simulator.errors
    with open_store(tmp_path / "data") as store, store.db.read() as session:
        rows = session.scalars(select(Generation)).all()
    # Kling takes no clip as small as this film's: the next model stands in for it.
    failed = {row.error["code"] for row in rows if row.status != "finished" and row.error}
    assert failed <= {"provider_invalid_input"}
    assert all(row.attempt == 1 or row.capability == "lipsync" for row in rows)
    times = [datetime.fromisoformat(row.prepared_at) for row in rows]
    assert max(times) - min(times) > timedelta(hours=1), "the film's process has seen the jumps"
