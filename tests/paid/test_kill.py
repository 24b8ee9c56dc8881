"""SIGKILL at seeded instants of a paid film: it is finished, and only requests whose answer was lost are sent again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.generation.chain import ProviderChain
from pipeline.generation.generate import Generator
from pipeline.store import open_store
from pipeline.store.models import Generation
from tests.paid.kit import KINDS, STORY, settings_at
from tests.simulator import Simulator
from tests.simulator.bill import Charge
from tests.writer.answering import Answering

ROOT = Path(__file__).resolve().parents[2]
DONE, WAITS = 0, 5
# The first seconds of a process load packages; a kill later than that falls into the work.
EARLIEST_S, LATEST_S = 2.0, 7.0


def run_child(data_dir: Path, simulator: Simulator, seconds: float | None, **more: str) -> int:
    """The child's exit code; after `seconds` its whole process group is killed. `more` is added to its environment."""
    env = {**os.environ, **simulator.env(), "MODERATION_CHECKERS": "bundled", **more}
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.paid.film_child", str(data_dir)], cwd=ROOT, env=env, start_new_session=True
    )
    try:
        return child.wait(seconds or 240)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
        assert seconds is not None, "the film was not finished in time"
        return code


def settle(data_dir: Path, simulator: Simulator) -> list[tuple[str, str]]:
    """Has every case that waits for the user sent again; (provider, generation) of each."""
    with open_store(data_dir) as store:
        generator = Generator(store, ProviderChain(settings_at(simulator.env(), data_dir)))
        rows = generator.unresolved(1)
        for row in rows:
            generator.resolve(row.id, "resend")
        return [(row.provider, row.id) for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("KILL_SEEDS", "1"))))
def test_kills_buy_nothing_twice(seed: int, tmp_path: Path) -> None:
    """KILL_SEEDS=15 by hand gives more than 50 kills."""
    chance = random.Random(seed)
    kills, settled = 0, list[tuple[str, str]]()
    with Simulator(scale=0.03, seed=seed) as simulator:
        simulator.respond("chat", Answering(STORY))
        while True:
            code = run_child(tmp_path, simulator, chance.uniform(EARLIEST_S, LATEST_S) if kills < 8 else None)
            if code in (WAITS, DONE):
                shown = settle(tmp_path, simulator)  # lips wait for the user beside a film that is done
                settled += shown
                if code == DONE and not shown:
                    break
            else:
                assert code == -signal.SIGKILL
                kills += 1
        _check(tmp_path, simulator, settled)
        assert simulator.errors == []
        extra = sum(len(group) - 1 for group in simulator.bill.duplicates() if group[0].operation != "chat")
        print(f"{kills} kills, {len(jobs(simulator))} jobs, {extra} bought again, {len(settled)} shown to the user")
    assert kills >= 2


def jobs(simulator: Simulator) -> list[Charge]:
    """Everything accepted but questions to language models, which may be asked again."""
    return [charge for charge in simulator.bill.charges() if charge.operation != "chat"]


def _check(data_dir: Path, simulator: Simulator, settled: list[tuple[str, str]]) -> None:
    """Each job at a provider is known by its handle, or belongs to a case that was shown to the user."""
    with open_store(data_dir) as store, store.db.read() as session:
        rows = session.scalars(select(Generation)).all()
    assert {row.capability for row in rows if row.provider != "local"} == set(KINDS), "every stage was paid"
    known = {row.handle["id"] for row in rows if row.handle}
    unknown = Counter(charge.provider for charge in jobs(simulator) if charge.job not in known)
    assert unknown <= Counter(provider for provider, _ in settled)
    for group in simulator.bill.duplicates():
        assert len([one for one in group if one.job in known]) <= 1, group
    assert not [row for row in rows if row.status in ("prepared", "submitting", "accepted", "ambiguous")]
