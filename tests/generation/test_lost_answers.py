"""Answers that were lost: what they may cost stays in the record and is told, whatever becomes of the request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contracts import SpeechRequest
from pipeline.generation.outcomes import Abandoned, Unresolved
from pipeline.providers import JobHandle
from pipeline.runner import Runner
from pipeline.store import lost_answers
from pipeline.store.lost_answers import Unbooked
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.generation.kit import Bench, bench
from tests.paid.kit import QUICK, settings_at
from tests.paid.money import check_bill
from tests.simulator import Simulator


def unbooked(desk: Bench) -> Unbooked:
    with desk.store.db.read() as session:
        return lost_answers.unbooked(session)


@pytest.fixture
def fal(simulator: Simulator, data_dir: Path) -> Iterator[Bench]:
    """Pictures go to fal, which cannot list its jobs: a lost answer is the user's to settle."""
    without = dict.fromkeys(("replicate_api_token", "wavespeed_api_key", "atlascloud_api_key", "runpod_api_key"), "")
    with bench(simulator, data_dir, **without) as opened:
        yield opened


def lose(desk: Bench, times: int = 1) -> str:
    """The record of a picture whose answer has been lost."""
    desk.simulator.script("reset_after", provider="fal", operation="submit", times=times)
    with pytest.raises(Unresolved) as lost:
        desk.make(desk.picture())
    return lost.value.generation_id


def test_what_was_sent_again_may_be_charged_twice_and_says_so(fal: Bench) -> None:
    generation = lose(fal, times=2)
    assert unbooked(fal) == Unbooked(0, 0), "while it is open its estimate is in the ledger"
    fal.generator.resolve(generation, "resend")
    with pytest.raises(Unresolved):
        fal.make(fal.picture())
    fal.generator.resolve(generation, "resend")
    fal.make(fal.picture())
    [row] = fal.rows()
    assert row.status == "finished" and unbooked(fal) == Unbooked(2, 2 * row.estimate_micros)
    assert fal.simulator.bill.total() == 3 * (row.actual_micros or 0), "here they were charged indeed"
    check_bill(fal.simulator, fal.store)


def test_what_is_found_before_it_is_sent_again_costs_nothing_more(fal: Bench) -> None:
    generation = lose(fal)
    fal.generator.resolve(generation, "resend")
    assert unbooked(fal).charges == 1
    row = fal.generator.records.row(generation)
    assert row is not None
    # As a webhook tells it.
    assert fal.generator.records.accepted(row, JobHandle("fal", {"id": fal.simulator.bill.charges()[0].job}))
    assert unbooked(fal) == Unbooked(0, 0)


def test_what_was_given_up_may_be_charged_too(fal: Bench) -> None:
    fal.generator.resolve(lose(fal), "abandon")
    [row] = fal.rows()
    assert row.status == "cancelled" and unbooked(fal) == Unbooked(1, row.estimate_micros)
    check_bill(fal.simulator, fal.store)
    with pytest.raises(Abandoned):
        fal.make(fal.picture())
    fal.simulator.script("job_failed", provider="fal", operation="submit", times=3)
    with pytest.raises(Exception, match="fal"):
        fal.make(fal.picture())
    assert unbooked(fal).charges == 1, "other requests lose nothing"


def test_a_voice_that_is_asked_again_by_itself_says_so(simulator: Simulator, data_dir: Path) -> None:
    others = ("fal_key", "replicate_api_token", "wavespeed_api_key", "atlascloud_api_key", "runpod_api_key")
    with bench(simulator, data_dir, **dict.fromkeys(others, "")) as desk:
        voice = desk.generator.voices("en", "paid")[0].id
        simulator.script("reset_after", provider="openai", operation="speech", times=1)
        desk.make(SpeechRequest(text="Hello.", voice=voice, language="en"), unit="audio/1")
        assert desk.rows()[0].status == "finished" and unbooked(desk).charges == 1
        simulator.script("reset_after", provider="openai", operation="speech", times=0)
        with pytest.raises(Exception, match="OpenAI"):
            desk.make(SpeechRequest(text="Good night.", voice=voice, language="en"), unit="audio/2")
        assert desk.rows()[1].status == "failed"
        assert unbooked(desk).charges == len(simulator.bill.lost()) == 4


def test_the_spending_tells_it(fal: Bench, data_dir: Path) -> None:
    fal.generator.resolve(lose(fal), "abandon")
    settings = settings_at(fal.simulator.env(), data_dir)
    runner = Runner(fal.store, settings, timing=QUICK)
    client = create_app(Services(settings, fal.store, runner, Answers(fal.store.db))).test_client()
    spend = client.get(f"/api/projects/{fal.project_id}/spend").get_json()
    assert (spend["spent_micros"], spend["possible_extra_charges"]) == (0, 1)
    assert spend["possible_extra_micros"] == fal.rows()[0].estimate_micros > 0
    runner.close()
