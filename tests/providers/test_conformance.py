"""One suite over every adapter and kind of work: whoever joins the registry behaves like this.

The simulator makes the faults; what is checked is what the core decides on: the kind of a failure, whether a job had
been accepted, and that the paid request left once.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest

from pipeline.contracts import Capability, JobRequest
from pipeline.providers import ADAPTERS, Finished, Job, JobAdapter, JobHandle, Pending, load_adapter
from pipeline.providers.failures import FailureKind, ProviderFailure
from pipeline.settings import load_settings
from tests.providers.kit import Case, Files, carry_out, clip, job, larger, lips, picture, settings_for, speech, wait
from tests.simulator.simulator import Simulator

NAMES = {"atlas": "atlascloud"}


@dataclass(frozen=True)
class Kind:
    """One kind of work at one provider."""

    provider: str
    capability: Capability
    ask: Case

    @property
    def simulated(self) -> str:
        return NAMES.get(self.provider, self.provider)

    def __str__(self) -> str:
        return f"{self.provider}-{self.capability}"


ASK: dict[Capability, Case] = {
    "image": lambda files: picture(refs=(files.picture(),)),
    "video": lambda files: clip(files.picture(1280, 720)),
    "lipsync": lips,
    "upscale": lambda files: larger(files.picture(320, 200)),
}


def kinds() -> Iterator[Kind]:
    """Whatever each adapter says it has models for; speech in the first voice that it offers."""
    for name in ADAPTERS:
        if name == "local":
            continue
        adapter = load_adapter(name, load_settings(env_files=[]))
        for capability in dict.fromkeys(model.capability for model in adapter.models()):
            voice = next(iter(adapter.voices("en")), None) if capability == "speech" else None
            yield Kind(name, capability, partial(_spoken, voice.id) if voice else ASK[capability])


def _spoken(voice: str, files: Files) -> JobRequest:
    return speech(voice)


KINDS = list(kinds())
# One kind for each provider is enough where the way is the same for all.
ONE_EACH = [next(kind for kind in KINDS if kind.provider == name) for name in ADAPTERS if name != "local"]
WITH_JOBS = [kind for kind in ONE_EACH if kind.provider != "openai"]

each_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
each_provider = pytest.mark.parametrize("kind", ONE_EACH, ids=str)
each_with_jobs = pytest.mark.parametrize("kind", WITH_JOBS, ids=str)


@pytest.fixture
def work(kind: Kind, files: Files) -> Job:
    return job(kind.ask(files), files)


@pytest.fixture
def adapter(kind: Kind, adapters: dict[str, JobAdapter]) -> JobAdapter:
    return adapters[kind.provider]


@pytest.fixture
def hurried(kind: Kind, simulator: Simulator) -> Iterator[JobAdapter]:
    """An adapter with little patience."""
    adapter = load_adapter(kind.provider, settings_for(simulator, provider_timeout_s=0.5))
    yield adapter
    adapter.close()


def failure_of(adapter: JobAdapter, work: Job) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as raised:
        carry_out(adapter, work)
    return raised.value


def paid_requests(simulator: Simulator, kind: Kind) -> int:
    operation = "speech" if kind.provider == "openai" else "submit"
    return len(simulator.requests(kind.simulated, operation))


def test_every_kind_of_work_of_every_adapter_is_in_this_suite() -> None:
    settings = load_settings(env_files=[])
    registered = [load_adapter(name, settings) for name in ADAPTERS if name != "local"]
    served = {(one.name, model.capability) for one in registered for model in one.models()}
    assert served == {(kind.provider, kind.capability) for kind in KINDS}


@each_kind
def test_it_says_what_it_is(kind: Kind, adapter: JobAdapter, work: Job) -> None:
    assert adapter.ready(kind.capability) is None
    bare = load_adapter(kind.provider, load_settings(env_files=[]))
    missing = bare.ready(kind.capability)
    assert missing is not None and "Set " in missing
    names = [model.name for model in bare.models() if model.capability == kind.capability]
    assert bare.model(work.request) in names
    assert all(model.label for model in bare.models())
    assert not any("pulid" in model.label.lower() for model in bare.models())
    assert bare.estimate(work.request, bare.model(work.request)) > 0
    assert bare.base_urls()


@each_kind
def test_work_is_done_with_one_paid_request(kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator) -> None:
    finished = carry_out(adapter, work)
    assert len(finished.outputs) == 1
    assert paid_requests(simulator, kind) == len(simulator.bill.charges()) == 1


@each_with_jobs
def test_a_handle_is_json_and_enough_for_another_process(
    kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator
) -> None:
    handle = adapter.submit(work)
    assert isinstance(handle, JobHandle)
    saved = json.loads(json.dumps(handle.data))
    assert isinstance(saved["id"], str)
    other = load_adapter(kind.provider, settings_for(simulator))
    assert wait(other, JobHandle(kind.provider, saved), work).outputs
    # The addresses that were saved may have moved: the id is enough.
    bare = {key: value for key, value in saved.items() if not key.endswith("_url")}
    assert wait(other, JobHandle(kind.provider, bare), work).outputs
    assert paid_requests(simulator, kind) == 1


REFUSED: list[tuple[str, FailureKind]] = [
    ("rate_limit", "rate_limit"),
    ("unauthorised", "auth"),
    ("no_credit", "billing"),
]
LOST = [
    "server_error",
    "html",
    "reset_before",
    "reset_after",
    "server_error_after",
    "html_after",
    "cut_body",
]
UNREADABLE = ["malformed_json", "half_json", "embedded_error"]


@each_provider
@pytest.mark.parametrize(("fault", "expected"), REFUSED)
def test_a_refused_submit_says_why(
    fault: str, expected: FailureKind, kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator
) -> None:
    simulator.script(fault, operation="speech" if kind.provider == "openai" else "submit")
    failure = failure_of(adapter, work)
    assert (failure.kind, failure.accepted) == (expected, False)
    assert failure.retry_after_s == (1.0 if fault == "rate_limit" else None)
    assert simulator.bill.charges() == []
    assert paid_requests(simulator, kind) == 1
    again = pickle.loads(pickle.dumps(failure))
    assert (again.kind, again.code, again.raw, again.detail) == (
        failure.kind,
        failure.code,
        failure.raw,
        failure.detail,
    )
    assert "simulated" not in failure.sentence + failure.raw


@each_provider
@pytest.mark.parametrize("fault", LOST)
def test_a_submit_whose_answer_is_lost_is_ambiguous_and_never_repeated(
    fault: str, kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator
) -> None:
    simulator.script(fault, operation="speech" if kind.provider == "openai" else "submit")
    failure = failure_of(adapter, work)
    assert (failure.kind, failure.accepted) == ("ambiguous", False)
    assert paid_requests(simulator, kind) == 1


@each_with_jobs
@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_submit_whose_answer_cannot_be_read_is_ambiguous(
    fault: str, kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator
) -> None:
    simulator.script(fault, operation="submit")
    assert failure_of(adapter, work).kind == "ambiguous"
    assert paid_requests(simulator, kind) == 1


@each_provider
@pytest.mark.parametrize("fault", ["hang", "hang_after", "drip"])
def test_a_submit_that_hangs_or_drips_ends_at_the_deadline(
    fault: str, kind: Kind, hurried: JobAdapter, work: Job, simulator: Simulator
) -> None:
    operation = "speech" if kind.provider == "openai" else "submit"
    simulator.script(fault, operation=operation, seconds=0.3 if fault == "drip" else 5)
    assert failure_of(hurried, work).kind == "ambiguous"
    assert paid_requests(simulator, kind) == 1


@each_provider
def test_nothing_is_ambiguous_while_nothing_was_sent(kind: Kind, files: Files) -> None:
    with Simulator() as simulator:
        settings = settings_for(simulator, provider_timeout_s=2.0)
    failure = failure_of(load_adapter(kind.provider, settings), job(kind.ask(files), files))
    assert (failure.kind, failure.accepted) == ("transient", False)


ENDED: list[tuple[str, FailureKind]] = [("moderation", "moderation"), ("job_failed", "transient")]


@each_with_jobs
@pytest.mark.parametrize(("fault", "expected"), ENDED)
def test_a_job_that_fails_says_so_and_has_ended(
    fault: str, expected: FailureKind, kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator
) -> None:
    simulator.script(fault, operation="submit")
    failure = failure_of(adapter, work)
    assert (failure.kind, failure.accepted) == (expected, True)


@each_with_jobs
def test_a_result_without_a_file_is_a_failure(kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator) -> None:
    simulator.script("empty_output", operation="submit")
    failure = failure_of(adapter, work)
    assert failure.accepted
    assert failure.kind in ("moderation", "transient")


@each_with_jobs
def test_an_unknown_status_is_waited_through(kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator) -> None:
    simulator.script("unknown_status", operation="submit", polls=2)
    handle = adapter.submit(work)
    assert isinstance(handle, JobHandle)
    first = adapter.poll(handle, work)
    assert isinstance(first, Pending) and first.raw_status
    assert wait(adapter, handle, work).outputs


@each_with_jobs
@pytest.mark.parametrize("fault", ["rate_limit", "server_error", "html", "reset_before", "malformed_json", "cut_body"])
def test_a_look_that_fails_is_not_the_jobs_end(
    fault: str, kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator
) -> None:
    handle = adapter.submit(work)
    assert isinstance(handle, JobHandle)
    simulator.script(fault, operation="status")
    with pytest.raises(ProviderFailure) as raised:
        adapter.poll(handle, work)
    assert raised.value.accepted is False
    assert raised.value.kind == ("rate_limit" if fault == "rate_limit" else "transient")
    assert isinstance(wait(adapter, handle, work), Finished)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.provider == "fal"], ids=str)
@pytest.mark.parametrize("fault", ["rate_limit", "server_error", "html", "reset_before", "malformed_json", "cut_body"])
def test_a_result_that_cannot_be_had_for_a_moment_is_not_the_jobs_end(
    fault: str, kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator
) -> None:
    """fal's results are fetched from an address of their own, whose troubles look like a job's."""
    handle = adapter.submit(work)
    assert isinstance(handle, JobHandle)
    simulator.script(fault, operation="result")
    with pytest.raises(ProviderFailure) as raised:
        wait(adapter, handle, work)
    assert raised.value.accepted is False
    assert wait(adapter, handle, work).outputs
    assert len(simulator.bill.charges()) == 1


@each_with_jobs
def test_a_job_that_is_gone_has_expired(kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator) -> None:
    handle = adapter.submit(work)
    assert isinstance(handle, JobHandle)
    lost = "0" * 8 if kind.provider != "fal" else "00000000-0000-4000-8000-000000000000"
    data = {**{key: value for key, value in handle.data.items() if not key.endswith("_url")}, "id": lost}
    with pytest.raises(ProviderFailure) as raised:
        adapter.poll(JobHandle(kind.provider, data), work)
    assert (raised.value.kind, raised.value.accepted) == ("expired", True)


@each_with_jobs
def test_cancelling_is_never_a_failure(kind: Kind, adapter: JobAdapter, work: Job, simulator: Simulator) -> None:
    handle = adapter.submit(work)
    assert isinstance(handle, JobHandle)
    adapter.cancel(handle)
    adapter.cancel(handle)
    carry_out_if_it_can(adapter, handle, work)
    adapter.cancel(handle)


def carry_out_if_it_can(adapter: JobAdapter, handle: JobHandle, work: Job) -> None:
    try:
        wait(adapter, handle, work)
    except ProviderFailure as failure:
        assert failure.accepted


@pytest.mark.parametrize("kind", [kind for kind in WITH_JOBS if kind.provider != "runpod"], ids=str)
@pytest.mark.parametrize("fault", ["server_error", "reset_before", "rate_limit"])
def test_uploads_are_tried_again(
    fault: str, kind: Kind, adapter: JobAdapter, simulator: Simulator, files: Files
) -> None:
    large = files.noise(1280, 720)
    request = picture(refs=(large,)) if kind.capability == "image" else clip(large)
    simulator.script(fault, operation="upload", retry_after=0.1)
    assert carry_out(adapter, job(request, files)).outputs
    assert len(simulator.bill.charges()) == 1


@each_provider
def test_an_embedded_engines_voice_or_a_lone_prompt_is_refused_before_anything_is_sent(
    kind: Kind, adapter: JobAdapter, simulator: Simulator, files: Files
) -> None:
    if kind.capability == "speech":
        work = job(speech("en-us+f3"), files)
    elif kind.capability == "image":
        work = job(picture(), files, "pulid")
    else:
        work = job(clip(files.picture(1280, 720), 60_000), files)
    failure = failure_of(adapter, work)
    assert (failure.kind, failure.accepted) == ("invalid_input", False)
    assert simulator.requests() == []
