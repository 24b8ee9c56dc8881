"""One request through the generation core against the wire simulator: every fault on its way, and what is billed."""

from __future__ import annotations

import threading
import time

import pytest

from pipeline.errors import Cancelled, NeedsSetup, ProductError
from pipeline.generation.attendance import BadOutput
from pipeline.generation.outcomes import Abandoned, BudgetReached, DownloadFailed, Halted, Unresolved
from pipeline.providers import ADAPTERS, load_adapter
from pipeline.providers.failures import ProviderFailure
from pipeline.settings import load_settings
from pipeline.store.models import Project
from tests.generation.kit import Bench, bench


def paid(desk: Bench) -> int:
    """How many accepted jobs there are."""
    return len(desk.simulator.bill.charges())


def test_a_picture_is_made_once_for_equal_requests(desk):
    first = desk.make(desk.picture())
    again = desk.make(desk.picture(), unit="refs/prop/2")
    assert again.cached and again.media == first.media
    assert desk.submits() == 1
    [row] = desk.rows()
    assert (row.status, row.provider, row.model) == ("finished", "replicate", "flux-2-pro")
    assert row.actual_micros == row.estimate_micros > 0
    assert row.handle and row.handle["id"]
    assert row.request["prompt"] == "a red boat" and row.request["seed"] == 7


def test_equal_requests_at_once_are_one_job(desk):
    desk.simulator.world.clock.scale = 0.05
    results = []
    threads = [threading.Thread(target=lambda: results.append(desk.make(desk.picture()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == 6 and len({one.media.url for one in results}) == 1
    assert desk.submits() == 1


def test_what_is_left_at_the_provider_by_a_dead_process_is_taken_up(simulator, data_dir):
    """FAULT 3: the handle is saved before the waiting, and no second job is bought."""
    simulator.world.clock.scale = 1.0
    stop = threading.Event()
    with bench(simulator, data_dir, fal_key="") as desk:
        thread = threading.Thread(target=lambda: _make_until(desk, stop))
        thread.start()
        deadline = time.monotonic() + 20
        while desk.statuses() != ["accepted"] and time.monotonic() < deadline:
            time.sleep(0.02)
        stop.set()
        thread.join(20)
        assert desk.statuses() == ["accepted"], "stopping leaves the job with the provider"
    simulator.world.clock.scale = 0.0
    simulator.world.clock.advance(600)
    with bench(simulator, data_dir, fal_key="") as desk:
        assert [row.status for row in desk.generator.left_behind()] == ["accepted"]
        made = desk.make(desk.picture())
        assert not made.cached
        assert desk.submits() == 1 and paid(desk) == 1


def _make_until(desk: Bench, stop: threading.Event) -> None:
    with pytest.raises(Cancelled):
        desk.make(desk.picture(), cancel=stop)


@pytest.mark.parametrize("reached", [True, False])
def test_a_kill_before_the_answer_is_saved_is_looked_up(simulator, data_dir, reached):
    """FAULT 2: found again where the provider lists jobs; else it is the user's to settle."""
    with bench(simulator, data_dir, fal_key="") as desk:
        request = desk.picture()
        with pytest.raises(KeyboardInterrupt):
            _make_and_die(desk, request, reached=reached)
        assert desk.statuses() == ["submitting"]
    with bench(simulator, data_dir, fal_key="") as desk:
        assert [row.status for row in desk.generator.left_behind()] == ["ambiguous"]
        if reached:
            desk.make(request)
            assert desk.submits() == 1 and paid(desk) == 1
        else:
            with pytest.raises(Unresolved):
                desk.make(request)
            assert desk.submits() == 0
            desk.generator.resolve(desk.rows()[0].id, "resend")
            desk.make(request)
            assert desk.submits() == 1 and desk.statuses() == ["finished"]


def _make_and_die(desk: Bench, request: object, *, reached: bool) -> None:
    """The process dies in `submit`: after the request has arrived, or before it has left."""
    adapter = desk.chain.adapter("replicate")
    real = adapter.submit

    def dying(job):
        if reached:
            real(job)
        raise KeyboardInterrupt

    adapter.submit = dying
    desk.make(request)


def test_a_lost_answer_that_cannot_be_looked_up_waits_for_the_user(simulator, data_dir):
    with bench(simulator, data_dir, replicate_api_token="") as desk:
        simulator.script("reset_after", provider="fal", operation="submit")
        with pytest.raises(Unresolved) as lost:
            desk.make(desk.picture())
        with pytest.raises(Unresolved):
            desk.make(desk.picture())
        assert desk.submits() == 1, "it is never sent again by itself"
        assert lost.value.generation_id == desk.rows()[0].id
        desk.generator.resolve(lost.value.generation_id, "abandon")
        with pytest.raises(Abandoned):
            desk.make(desk.picture())
        desk.make(desk.picture())
        assert desk.submits() == 2, "asked for anew, it is sent anew"
        with pytest.raises(ProductError):
            desk.generator.resolve(lost.value.generation_id, "resend")


def test_a_lost_answer_is_found_in_the_providers_list(desk):
    desk.simulator.script("reset_after", operation="submit")
    desk.make(desk.picture())
    assert desk.submits() == 1 and paid(desk) == 1
    assert desk.statuses() == ["finished"]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_pause_that_the_provider_asks_for_is_kept(desk, form):
    """FAULT 15: Retry-After is honoured, by every request to that provider; a date counts from the provider's clock."""
    desk.simulator.script("rate_limit", operation="submit", retry_after=1, text=form)
    began = time.monotonic()
    desk.make(desk.picture())
    assert time.monotonic() - began >= 0.9
    assert desk.statuses() == ["finished"] and paid(desk) == 1


@pytest.mark.parametrize("kind", ["server_error", "html", "reset_before", "malformed_json", "reset_after"])
def test_looks_and_downloads_are_repeated(desk, kind):
    """FAULT 16: polls and downloads are retried, and a web page is never kept as a picture."""
    for operation in ("status", "download"):
        if not (operation == "download" and kind == "malformed_json"):
            desk.simulator.script(kind, operation=operation, times=2)
    made = desk.make(desk.picture())
    assert desk.store.media.path(made.media.url).read_bytes()[:4] in (b"\x89PNG", b"RIFF", b"\xff\xd8\xff\xe0")
    assert paid(desk) == 1


@pytest.mark.parametrize("kind", ["server_error_after", "html_after", "half_json"])
def test_a_submit_with_a_bad_answer_is_ambiguous_and_never_repeated(simulator, data_dir, kind):
    with bench(simulator, data_dir, replicate_api_token="") as desk:
        simulator.script(kind, provider="fal", operation="submit")
        with pytest.raises(Unresolved):
            desk.make(desk.picture())
        assert desk.submits() == 1 and desk.statuses() == ["ambiguous"]


@pytest.mark.parametrize("kind", ["cut_body", "html"])
def test_a_download_that_is_cut_short_is_fetched_again(desk, kind):
    """FAULTS 4 and 18: nothing half is ever published, and nothing is paid for again."""
    desk.simulator.script(kind, operation="download", times=2)
    desk.make(desk.clip(), unit="videos/1")
    assert paid(desk) == 1 and desk.statuses() == ["finished"]


def test_a_file_server_that_is_down_leaves_a_paid_result_to_be_fetched_later(desk):
    fault = desk.simulator.script("server_error", operation="download", times=0)
    with pytest.raises(DownloadFailed):
        desk.make(desk.picture())
    assert desk.statuses() == ["accepted"]
    desk.simulator.calm()
    assert fault.met >= 2
    desk.make(desk.picture())
    assert desk.submits() == 1 and paid(desk) == 1


@pytest.mark.parametrize("content", ["html", "png"])
def test_a_clip_of_another_type_is_refused_by_its_content(desk, content):
    """FAULT 20: it is paid for, so it is only bought again when asked for again."""
    desk.simulator.script("wrong_type_output", operation="submit", content=content)
    with pytest.raises(BadOutput):
        desk.make(desk.clip(), unit="videos/1")
    [row] = desk.rows()
    assert row.status == "failed" and row.actual_micros == row.estimate_micros > 0
    assert paid(desk) == 1
    desk.make(desk.clip(), unit="videos/1")
    assert desk.statuses() == ["failed", "finished"]


def test_a_picture_far_smaller_than_asked_is_another_picture_and_refused(desk: Bench) -> None:
    desk.simulator.script("wrong_type_output", operation="submit", content="png")
    with pytest.raises(BadOutput, match="64×64 pixels where 320×320"):
        desk.make(desk.picture())
    [row] = desk.rows()
    assert row.status == "failed" and row.actual_micros == desk.simulator.bill.total() > 0


@pytest.mark.parametrize("kind", ["truncated_output", "bit_flipped_output"])
def test_a_damaged_clip_is_refused_though_it_looks_whole(desk, kind):
    """FAULTS 18 and 19."""
    desk.simulator.script(kind, operation="submit")
    with pytest.raises(BadOutput):
        desk.make(desk.clip(), unit="videos/1")
    assert len(desk.simulator.requests(operation="download")) > 1, "it was fetched more than once"
    assert desk.make(desk.clip(), unit="videos/1").details["frames"] == 81


def test_a_job_that_fails_is_made_anew_and_then_given_up(desk):
    desk.simulator.script("job_failed", operation="submit", times=2)
    desk.make(desk.picture())
    assert [(row.status, row.attempt) for row in desk.rows()] == [("failed", 1), ("failed", 2), ("finished", 3)]
    desk.simulator.script("job_failed", operation="submit", times=0)
    with pytest.raises(ProviderFailure) as failure:
        desk.make(desk.picture("another boat"))
    assert failure.value.kind == "transient"
    assert len(desk.rows()) == 6


def test_a_refusal_goes_to_one_other_model_and_then_to_the_user(desk):
    """FAULT 24."""
    desk.simulator.script("moderation", operation="submit")
    desk.make(desk.picture())
    models = [row.model for row in desk.rows()]
    assert len(set(models)) == 2 and desk.statuses() == ["failed", "finished"]
    desk.simulator.script("moderation", operation="submit", times=0)
    with pytest.raises(ProviderFailure) as refused:
        desk.make(desk.picture("another boat"))
    assert refused.value.code == "moderation_refused"
    assert len(desk.rows()) == 4, "two models were asked, each once"
    with pytest.raises(ProviderFailure):
        desk.make(desk.picture("another boat"))
    assert len(desk.rows()) == 4, "neither is ever asked the same again"


@pytest.mark.parametrize(("kind", "word"), [("unauthorised", "auth"), ("no_credit", "billing")])
def test_a_refusal_of_everything_halts_the_rest(desk, kind, word):
    desk.simulator.script(kind, operation="submit")
    with pytest.raises(Halted):
        desk.make(desk.clip(), unit="videos/1")
    submits = desk.submits()
    with pytest.raises(Halted):
        desk.make(desk.clip("another"), unit="videos/2")
    assert desk.submits() == submits, "the rest is not sent"
    assert "replicate" in (desk.generator.halted("video") or "")
    desk.generator.clear_halts()
    desk.make(desk.clip("another"), unit="videos/2")
    assert desk.generator.halted("video") is None


def test_a_budget_is_never_overrun(desk):
    with desk.store.db.write() as session:
        session.get_one(Project, desk.project_id).budget_cents = 2
    desk.make(desk.picture())
    with pytest.raises(BudgetReached):
        desk.make(desk.picture("another boat"))
    assert desk.submits() == 1


def test_preview_never_goes_out_and_paid_needs_a_key(simulator, data_dir):
    keys = [load_adapter(name, load_settings(env_files=[])).key_setting for name in ADAPTERS if name != "local"]
    with bench(simulator, data_dir) as desk:
        made = desk.make(desk.picture(), render="preview")
        assert made.provider == "local" and simulator.requests() == []
    with bench(simulator, data_dir, **dict.fromkeys(keys, "")) as desk:
        assert desk.make(desk.picture("two"), render="auto").provider == "local"
        with pytest.raises(NeedsSetup) as missing:
            desk.make(desk.picture("three"), render="paid")
        assert missing.value.hint.startswith("Set REPLICATE_API_TOKEN or FAL_KEY, or ")


def test_the_clock_on_the_wall_decides_nothing(desk, monkeypatch):
    """FAULT 35: an hour forward or back changes no time limit."""
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600 * (1 if int(real() * 20) % 2 else -1))
    desk.make(desk.clip(), unit="videos/1")
    assert desk.statuses() == ["finished"]


def test_what_is_known_of_a_picture_beside_its_content_makes_no_other_request(desk):
    """Equal content is published again by somebody who has more to say of it."""
    plain = desk.image()
    made = desk.make(desk.picture(references=(plain,)))
    known = plain.model_copy(update={"meta": {"measured": {"width": 1280, "height": 720}}})
    again = desk.make(desk.picture(references=(known,)))
    assert again.cached and again.media == made.media
    assert desk.submits() == 1


def test_a_request_that_was_not_sent_is_not_left_open(desk):
    """The provider has asked to be left alone, and the film is stopped meanwhile."""
    desk.chain.hold("replicate", 60)
    stop = threading.Event()
    thread = threading.Thread(target=lambda: _make_until(desk, stop))
    thread.start()
    assert desk.simulator.wait_for(lambda: desk.statuses() == ["prepared"])
    stop.set()
    thread.join(20)
    assert desk.statuses() == ["cancelled"] and desk.submits() == 0
