"""The gate, through the generator: what is refused, what is hidden, what is final, and what it costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from pipeline.contracts import MediaRef
from pipeline.errors import Conflict, NeedsSetup, NotFound
from pipeline.generation.moderation.clearances import assembled, uploaded
from pipeline.generation.outcomes import ContentRefused, ModerationUnavailable
from pipeline.store.clearance import Clearance, Finding, NotCleared
from pipeline.store.models import MediaFile, MoneyEntry, Project, Verdict
from tests.generation.kit import Bench, bench
from tests.simulator import Simulator

NUDE = {"ModerationLabels": [{"Name": "Explicit Nudity", "ParentName": "Explicit", "Confidence": 99.0}]}


@pytest.fixture
def checked(simulator: Simulator, data_dir: Path) -> Iterator[Bench]:
    """A generator whose checkers are AWS and the bundled one."""
    settings = {"moderation_checkers": "rekognition", "provider_timeout_s": 5.0}
    without = dict.fromkeys(("fal_key", "wavespeed_api_key", "atlascloud_api_key", "runpod_api_key"), "")
    with bench(simulator, data_dir, **without, **settings) as opened:
        yield opened
        opened.generator.close()


def verdicts(desk: Bench) -> list[tuple[str, str, str, str | None]]:
    with desk.store.db.read() as session:
        rows = session.scalars(select(Verdict).order_by(Verdict.id))
        return [(row.checkpoint, row.check, row.outcome, row.reason) for row in rows if row.check != "none"]


def rate(desk: Bench, rating: str) -> None:
    with desk.store.db.write() as session:
        session.get_one(Project, desk.project_id).rating = rating


def shown(desk: Bench) -> set[str]:
    """Every file that has an address."""
    return {path.name for path in desk.store.folder.media.rglob("*") if path.is_file()}


def given(desk: Bench, colour: tuple[int, int, int] = (90, 120, 160)) -> MediaRef:
    with desk.store.media.draft(".png") as path:
        Image.new("RGB", (640, 360), colour).save(path)
        return desk.store.media.publish(path, ext="png", origin="upload", verdict=uploaded())


def test_what_passes_has_its_verdicts(checked: Bench) -> None:
    made = checked.make(checked.picture())
    assert verdicts(checked) == [("output", "visual", "passed", None), ("output", "age", "unknown", None)]
    with checked.store.db.read() as session:
        rows = list(session.scalars(select(Verdict)))
        file = session.get_one(MediaFile, made.media.sha256)
    assert {row.sha256 for row in rows} == {made.media.sha256}
    assert {row.generation_id for row in rows} == {checked.rows()[0].id}
    assert rows[0].thresholds["nudity"] == 0.5
    assert file.verdict == {"source": "checked", "flagged": False, "rating": "general"}


def test_looks_are_on_the_bill(checked: Bench, simulator: Simulator) -> None:
    checked.make(checked.picture())
    with checked.store.db.read() as session:
        spent = sum(session.scalars(select(MoneyEntry.micros)))
        looks = session.scalars(select(MoneyEntry.micros).where(MoneyEntry.provider == "rekognition")).all()
    assert looks == [1_000, 1_000]
    assert spent == simulator.bill.total()


def test_a_flagged_result_fails_and_is_not_shown(checked: Bench, simulator: Simulator) -> None:
    simulator.respond("DetectModerationLabels", lambda picture: NUDE, provider="aws")
    with pytest.raises(ContentRefused) as caught:
        checked.make(checked.picture())
    assert (caught.value.code, caught.value.reason) == ("moderation_refused", "nudity")
    assert "Soften the prompt" in caught.value.hint
    row = checked.rows()[0]
    assert (row.status, row.error["code"], row.error["reason"]) == ("failed", "moderation_refused", "nudity")
    assert row.actual_micros and row.actual_micros > 0
    assert shown(checked) == set()
    assert ("output", "decision", "flagged", "nudity") in verdicts(checked)


def test_our_own_refusal_is_final(checked: Bench, simulator: Simulator) -> None:
    simulator.respond("DetectModerationLabels", lambda picture: NUDE, provider="aws", times=1)
    for _ in range(2):
        with pytest.raises(ContentRefused):
            checked.make(checked.picture())
    assert checked.submits() == 1


def test_what_nobody_could_check_is_hidden_and_checked_again(checked: Bench, simulator: Simulator) -> None:
    simulator.script("server_error", provider="aws", operation="moderate", times=2)
    with pytest.raises(ModerationUnavailable) as caught:
        checked.make(checked.picture())
    row = checked.rows()[0]
    assert (row.status, row.error["code"]) == ("held", "moderation_unavailable")
    assert caught.value.generation_id == row.id
    assert shown(checked) == set()
    assert [path.stem for path in checked.store.folder.held.iterdir()] == [row.id]
    bill = row.actual_micros
    after = checked.generator.recheck(row.id, threading.Event())
    assert after.status == "finished"
    assert list(checked.store.folder.held.iterdir()) == []
    assert checked.rows()[0].actual_micros == bill
    again = checked.make(checked.picture())
    assert again.cached
    assert shown(checked) == {f"{again.media.sha256}.{again.media.ext}"}
    assert checked.submits() == 1


def test_a_hidden_result_stays_hidden_over_a_restart(checked: Bench, simulator: Simulator, data_dir: Path) -> None:
    simulator.script("server_error", provider="aws", operation="moderate", times=4)
    for _ in range(2):
        with pytest.raises(ModerationUnavailable):
            checked.make(checked.picture())
    assert [row.status for row in checked.rows() if row.capability != "check"] == ["held"]
    assert checked.generator.left_behind() == []
    assert checked.make(checked.picture()).provider == "replicate"
    assert checked.submits() == 1


def test_a_hidden_result_may_be_refused_later(checked: Bench, simulator: Simulator) -> None:
    simulator.script("server_error", provider="aws", operation="moderate", times=2)
    with pytest.raises(ModerationUnavailable):
        checked.make(checked.picture())
    simulator.respond("DetectModerationLabels", lambda picture: NUDE, provider="aws")
    row = checked.rows()[0]
    with pytest.raises(ContentRefused):
        checked.generator.recheck(row.id, threading.Event())
    assert [row.status for row in checked.rows() if row.capability == "image"] == ["failed"]
    assert list(checked.store.folder.held.iterdir()) == []
    with pytest.raises(Conflict):
        checked.generator.recheck(row.id, threading.Event())
    with pytest.raises(NotFound):
        checked.generator.recheck("nothing", threading.Event())


def test_a_childs_picture_passes_and_an_undressed_one_does_not(checked: Bench, simulator: Simulator) -> None:
    child = {"FaceDetails": [{"AgeRange": {"Low": 6, "High": 10}}]}
    simulator.respond("DetectFaces", lambda picture: child, provider="aws")
    assert checked.make(checked.picture("a child with a kite")).media.ext
    simulator.respond("DetectModerationLabels", lambda picture: NUDE, provider="aws")
    with pytest.raises(ContentRefused) as caught:
        checked.make(checked.picture("another"))
    assert caught.value.reason == "underage"


def test_a_users_picture_is_checked_before_anything_is_sent(checked: Bench, simulator: Simulator) -> None:
    simulator.respond("DetectModerationLabels", lambda picture: NUDE, provider="aws")
    request = checked.picture(references=(given(checked),))
    for _ in range(2):  # the second time by its verdict
        with pytest.raises(ContentRefused) as caught:
            checked.make(request)
    assert "Swap the reference picture" in caught.value.hint
    assert checked.submits() == 0
    assert [row.capability for row in checked.rows()] == ["check"]
    assert len(simulator.requests(provider="aws")) == 1


def test_a_users_picture_is_looked_at_once(checked: Bench, simulator: Simulator) -> None:
    picture = given(checked)
    checked.make(checked.picture("one", references=(picture,)))
    looks = len(simulator.requests(provider="aws"))
    checked.make(checked.picture("two", references=(picture,)))
    assert len(simulator.requests(provider="aws")) == looks + 2  # the result's own, visual and age
    assert ("input", "visual", "passed", None) in verdicts(checked)


def test_built_in_engines_use_no_unchecked_picture_either(checked: Bench, simulator: Simulator) -> None:
    simulator.respond("DetectModerationLabels", lambda picture: NUDE, provider="aws")
    request = checked.clip().model_copy(update={"image": given(checked)})
    with pytest.raises(ContentRefused):
        checked.make(request, unit="videos/1", render="preview")


def test_mature_needs_all_three_checks(desk: Bench) -> None:
    rate(desk, "mature")
    with pytest.raises(NeedsSetup) as caught:
        desk.make(desk.picture())
    assert caught.value.field == "rating"
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    assert (desk.submits(), desk.rows()) == (0, [])


def test_mature_lets_no_likely_minor_pass(checked: Bench, simulator: Simulator) -> None:
    rate(checked, "mature")
    simulator.respond("DetectModerationLabels", lambda picture: NUDE, provider="aws")
    adult = {"FaceDetails": [{"AgeRange": {"Low": 30, "High": 40}}]}
    simulator.respond("DetectFaces", lambda picture: adult, provider="aws")
    checked.make(checked.picture("a dancer"))
    assert ("output", "celebrity", "passed", None) in verdicts(checked)
    young = {"FaceDetails": [{"AgeRange": {"Low": 12, "High": 18}}]}
    simulator.respond("DetectFaces", lambda picture: young, provider="aws")
    with pytest.raises(ContentRefused) as caught:
        checked.make(checked.picture("a second dancer"))
    assert caught.value.reason == "underage"


def test_clips_are_looked_at_in_several_frames(checked: Bench, simulator: Simulator) -> None:
    seen: list[bytes] = []
    simulator.respond("DetectModerationLabels", seen.append, provider="aws")
    checked.make(checked.clip(), unit="videos/1")
    assert 3 <= len(set(seen)) <= 8


@pytest.mark.parametrize(
    "verdict",
    [
        None,
        {"flagged": False},
        Clearance("checked", ()),
        Clearance("checked", (Finding("visual", "bundled", "passed"),), sha256="0" * 64),
        Clearance("checked", (Finding("visual", "bundled", "flagged", "nudity"),)),
    ],
    ids=["nothing", "words", "no findings", "another file", "flagged"],
)
def test_nothing_is_published_around_the_gate(desk: Bench, verdict: Any) -> None:
    with desk.store.media.draft(".png") as path:
        Image.new("RGB", (8, 8)).save(path)
        with pytest.raises(NotCleared):
            desk.store.media.publish(path, ext="png", verdict=verdict)
    assert shown(desk) == set()
    with desk.store.db.read() as session:
        assert session.scalars(select(MediaFile)).all() == []


def test_a_file_and_its_verdict_come_together(desk: Bench) -> None:
    with desk.store.media.draft(".png") as path:
        Image.new("RGB", (8, 8)).save(path)
        ref = desk.store.media.publish(path, ext="png", verdict=assembled())
    with desk.store.db.read() as session:
        row = session.scalars(select(Verdict)).one()
    assert (row.sha256, row.check, row.provider) == (ref.sha256, "none", "assembled")
