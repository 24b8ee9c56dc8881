"""A submit whose answer was lost, found again in the provider's own list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.providers import JobAdapter, JobHandle
from pipeline.providers.failures import ProviderFailure
from tests.providers.kit import Files, clip, job, lips, picture, speech, wait
from tests.simulator.simulator import Simulator


def ago(seconds: float = 0) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@pytest.fixture(params=[True, False], ids=["with-inputs", "without-inputs"])
def listing(request: pytest.FixtureRequest, simulator: Simulator) -> bool:
    simulator.world.options["list_shows_input"] = request.param
    return bool(request.param)


@pytest.mark.parametrize("fault", ["reset_after", "server_error_after", "half_json"])
def test_replicate_finds_the_job_of_a_lost_answer(
    fault: str, listing: bool, simulator: Simulator, adapters: dict[str, JobAdapter], files: Files
) -> None:
    adapter = adapters["replicate"]
    image = files.picture(1280, 720)
    asked = [picture(seed=1), picture(seed=2, refs=(image,)), clip(image, 6000), lips(files), speech("minimax/Abbess")]
    begun = ago()
    for request in asked:
        adapter.submit(job(request, files))
    work = job(picture(seed=3, refs=(image,)), files)
    simulator.script(fault, operation="submit")
    with pytest.raises(ProviderFailure) as raised:
        adapter.submit(work)
    assert raised.value.kind == "ambiguous"
    adapter.submit(job(picture(seed=4, refs=(image,)), files))
    found = adapter.lookup(work, begun)
    assert found is not None
    lost = simulator.bill.lost()
    assert [charge.job for charge in lost] == [found.data["id"]]
    assert wait(adapter, found, work).outputs


def test_lips_are_told_apart_by_their_files(
    listing: bool, simulator: Simulator, adapters: dict[str, JobAdapter], files: Files
) -> None:
    """Their inputs have no words: two shots differ in nothing but clip and sound."""
    adapter = adapters["replicate"]
    begun = ago()
    works = [job(lips(files, ms, model), files) for model in ("kling-lipsync", "sync-lipsync-2") for ms in (2500, 3500)]
    handles = [adapter.submit(work) for work in works]
    for work, handle in zip(works, handles, strict=True):
        found = adapter.lookup(work, begun)
        assert isinstance(handle, JobHandle) and found is not None
        assert found.data["id"] == handle.data["id"]
    assert adapter.lookup(job(lips(files, 4500), files), begun) is None


def test_what_was_never_taken_is_not_found(
    listing: bool, simulator: Simulator, adapters: dict[str, JobAdapter], files: Files
) -> None:
    adapter = adapters["replicate"]
    adapter.submit(job(picture(seed=11), files))
    simulator.script("reset_before", operation="submit")
    work = job(picture(seed=12), files)
    with pytest.raises(ProviderFailure):
        adapter.submit(work)
    assert adapter.lookup(work, ago(60)) is None


def test_an_older_job_with_the_same_input_is_not_taken_for_it(
    simulator: Simulator, adapters: dict[str, JobAdapter], files: Files
) -> None:
    adapter = adapters["replicate"]
    work = job(picture(seed=21), files)
    adapter.submit(work)
    assert adapter.lookup(work, ago(30)) is not None
    assert adapter.lookup(work, ago(-30)) is None
    # A time without a zone is UTC.
    assert adapter.lookup(work, ago(30).replace(tzinfo=None)) is not None


def test_lists_of_many_pages_are_read_on(simulator: Simulator, adapters: dict[str, JobAdapter], files: Files) -> None:
    adapter = adapters["replicate"]
    simulator.world.options["list_shows_input"] = True
    work = job(picture(seed=31), files)
    begun = ago(1)
    first = adapter.submit(work)
    for seed in range(120):
        adapter.submit(job(picture(seed=1000 + seed), files))
    found = adapter.lookup(work, begun)
    assert isinstance(first, JobHandle) and found is not None
    assert found.data["id"] == first.data["id"]


def test_providers_without_a_list_know_nothing(
    simulator: Simulator, adapters: dict[str, JobAdapter], files: Files
) -> None:
    for name in ("fal", "wavespeed", "atlas", "runpod", "openai"):
        assert adapters[name].lookup(job(picture(), files), ago(60)) is None
