"""A film with a key that the provider does not know: it stops with words, and goes on in a process that has another."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from pipeline.runner import Runner
from pipeline.store import open_store
from pipeline.store.models import Generation, Run
from tests.paid.kit import STORY, settings_at
from tests.paid.money import check_bill
from tests.paid.test_kill import DONE, run_child
from tests.simulator import Simulator
from tests.writer.answering import Answering

STOPPED = 4
WRONG = "r8_wr0ngkey"


@pytest.mark.slow
def test_a_film_with_a_wrong_key_stops_and_another_process_with_the_right_one_finishes_it(tmp_path: Path) -> None:
    with Simulator(seed=1) as simulator:
        simulator.respond("chat", Answering(STORY))
        simulator.world.options["refused_keys"] = (WRONG,)
        assert run_child(tmp_path, simulator, None, REPLICATE_API_TOKEN=WRONG) == STOPPED
        bought = len(simulator.bill.charges())
        assert simulator.bill.charges("replicate") == [] and bought > 0, "the script and its speech are made"
        _check_words(tmp_path, simulator)

        assert run_child(tmp_path, simulator, None, REPLICATE_API_TOKEN=WRONG) == STOPPED
        assert len(simulator.bill.charges()) == bought, "as long as the key is wrong nothing else is bought"

        assert run_child(tmp_path, simulator, None) == DONE
        assert simulator.bill.duplicates() == [] and simulator.bill.charges("replicate")
        with open_store(tmp_path) as store:
            check_bill(simulator, store)
            with store.db.read() as session:
                [run] = session.scalars(select(Run))
                assert run.state == "done", "it is the run that stopped, and no other"
        assert simulator.errors == []


def _check_words(data_dir: Path, simulator: Simulator) -> None:
    """What a user reads: which key, and what to do; never the key itself."""
    with open_store(data_dir) as store:
        runner = Runner(store, settings_at(simulator.env(), data_dir))
        status = runner.status(1)
        runner.close()
        with store.db.read() as session:
            failed = session.scalars(select(Generation.error).where(Generation.status == "failed")).all()
    assert (status["state"], status["code"]) == ("paused", "queue_halted")
    said = [one["text"] for one in status["problems"] if one["code"] == "queue_halted"]
    assert said and all("REPLICATE_API_TOKEN" in one and "start the program again" in one for one in said), said
    assert any("Replicate" in one for one in said)
    assert failed and {one["code"] for one in failed if one} == {"provider_auth"}
    assert WRONG not in str(status) + str(failed)
