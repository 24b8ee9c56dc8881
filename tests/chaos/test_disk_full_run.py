"""A disk that fills up under a run: it pauses and says so, and goes on when there is space again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.store import open_store
from pipeline.store.models import Project
from tests.chaos.film_child import FORM, STORY
from tests.chaos.test_disk_full_store import disk, fill_up

pytestmark = pytest.mark.root
WAIT_S = 120.0
MEGABYTE = 1 << 20


@pytest.mark.parametrize("room", [900_000, 3 * MEGABYTE])
def test_a_full_disk_pauses_the_run_and_space_lets_it_go_on(tmp_path: Path, room: int) -> None:
    with disk(tmp_path / "disk", "48m") as small, open_store(small / "data") as store:
        runner = Runner(store, load_settings(data_dir=small / "data", engine_workers=2))
        with store.db.write() as session:
            session.add(Project(title="Full", story=STORY, options={"form": FORM}))
        ballast = fill_up(small, leave=room)
        runner.start(1)
        assert runner.wait(1, WAIT_S) == "paused"
        status = runner.status(1)
        assert status["code"] == "disk_full"
        done = {key for key, record in store.ledger.records(1).items() if record.status == "done"}
        ballast.unlink()
        runner.resume(1)
        assert runner.wait(1, WAIT_S) == "done", runner.status(1)
        records = store.ledger.records(1)
        assert all(records[key].starts == 1 for key in done), "what was done stayed done"
        runner.close()
