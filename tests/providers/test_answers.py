"""Answers that the documents speak of and the simulator does not give, served as they stand in the documents."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.providers import Finished, JobAdapter, JobHandle, Pending, load_adapter
from pipeline.providers.failures import FailureKind, ProviderFailure
from pipeline.settings import load_settings
from tests.providers.kit import Files, job, picture, remote, speech
from tests.providers.loopback import response, serving

KEYS = {
    "replicate_api_token": "r8_x",
    "fal_key": "a:b",
    "wavespeed_api_key": "x",
    "atlascloud_api_key": "x",
    "runpod_api_key": "x",
}
BASES = ("replicate", "fal_queue", "fal_rest", "fal_cdn", "wavespeed", "atlascloud", "runpod")
FLAGGED = "The input or output was flagged as sensitive. Please try again with different inputs. (E005) (uIJ6l3ruRD)"
URL = "https://replicate.delivery/x/out.png"
HTML = b"<html><title>502 Bad Gateway</title></html>"


@contextmanager
def at(provider: str, *answers: tuple[int, Any, dict[str, str]]) -> Iterator[JobAdapter]:
    """An adapter whose provider gives these answers, one after the other; the last one from then on."""
    left = list(answers)

    def behave(connection: socket.socket, request: bytes) -> None:
        status, body, headers = left.pop(0) if len(left) > 1 else left[0]
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.sendall(response(status, raw, *(f"{name}: {value}" for name, value in headers.items())))

    with serving(behave) as server:
        bases = {f"{name}_base_url": server.url for name in BASES}
        adapter = load_adapter(provider, load_settings(env_files=[], provider_timeout_s=5.0, **bases, **KEYS))
        yield adapter
        adapter.close()


def ok(body: Any) -> tuple[int, Any, dict[str, str]]:
    return 200, body, {}


def polled(adapter: JobAdapter, files: Files, **data: str) -> Pending | Finished:
    return adapter.poll(
        JobHandle(adapter.name, {"id": "1", "model": "fal-ai/flux-2-pro", **data}), job(picture(), files)
    )


def prediction(**fields: Any) -> dict[str, Any]:
    return {"id": "1", "status": "succeeded", "output": None, "error": None, "data_removed": False, **fields}


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (prediction(status="failed", error=FLAGGED), "moderation"),
        (prediction(status="failed", error="NSFW content detected. Try running it again."), "moderation"),
        (prediction(status="failed", error="Prediction interrupted; please retry (code: PA)"), "transient"),
        (prediction(status="failed", error="CUDA out of memory"), "transient"),
        (prediction(status="failed", error="video must be at least 2 seconds"), "invalid_input"),
        (prediction(status="failed"), "transient"),
        (prediction(status="canceled"), "transient"),
        (prediction(status="aborted"), "transient"),
        (prediction(output=[]), "moderation"),
        (prediction(output=None), "moderation"),
        (prediction(output=None, data_removed=True), "expired"),
    ],
)
def test_replicates_ends(found: dict[str, Any], kind: FailureKind, files: Files) -> None:
    with at("replicate", ok(found)) as adapter, pytest.raises(ProviderFailure) as raised:
        polled(adapter, files)
    assert (raised.value.kind, raised.value.accepted) == (kind, True)


@pytest.mark.parametrize("output", [URL, [URL], [URL, URL]])
def test_replicates_output_is_an_address_or_a_list(output: Any, files: Files) -> None:
    with at("replicate", ok(prediction(output=output))) as adapter:
        found = polled(adapter, files)
    assert isinstance(found, Finished)
    assert remote(found).url == URL


def test_an_unknown_status_is_no_end(files: Files) -> None:
    with at("replicate", ok(prediction(status="warming"))) as adapter:
        assert polled(adapter, files) == Pending("running", "warming")
    with at("fal", ok({"status": "WARMING"})) as adapter:
        assert polled(adapter, files) == Pending("running", "WARMING")
    with at("fal", (202, {"status": "IN_QUEUE"}, {})) as adapter:
        assert polled(adapter, files) == Pending("queued", "IN_QUEUE")


DONE = ok({"status": "COMPLETED"})


def detail(kind: str, **more: Any) -> dict[str, Any]:
    return {"detail": [{"loc": ["body", "image_urls"], "msg": "it says why", "type": kind, **more}]}


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (422, detail("content_policy_violation"), {}, "moderation"),
        (422, detail("no_media_generated"), {}, "moderation"),
        (422, detail("image_too_small", ctx={"min_width": 384}), {}, "invalid_input"),
        (422, detail("file_too_large", ctx={"max_size": 10}), {}, "invalid_input"),
        (422, {"detail": "Maximum 3 reference images allowed"}, {}, "invalid_input"),
        (422, {"detail": "The content was flagged by a content checker."}, {}, "moderation"),
        (422, {"detail": "x"}, {"x-fal-error-type": "content_policy_violation"}, "moderation"),
        (422, detail("literal_error", msg="safety_tolerance: Input should be '1' to '5'"), {}, "invalid_input"),
        (504, detail("generation_timeout"), {"x-fal-error-type": "generation_timeout"}, "transient"),
    ],
)
def test_fals_completed_is_not_success(
    status: int, body: dict[str, Any], headers: dict[str, str], kind: FailureKind, files: Files
) -> None:
    with at("fal", DONE, (status, body, headers)) as adapter, pytest.raises(ProviderFailure) as raised:
        polled(adapter, files)
    assert (raised.value.kind, raised.value.accepted) == (kind, True)


FAILED = ok({"status": "COMPLETED", "error": "Internal server error", "error_type": "internal_server_error"})
TROUBLE = (503, {"detail": "x", "error_type": "runner_connection_error"}, {"x-fal-error-type": "runner_error"})


def test_a_job_that_failed_says_so_in_its_status(files: Files) -> None:
    for result in (TROUBLE, (502, HTML, {}), ok({})):
        with at("fal", FAILED, result) as adapter, pytest.raises(ProviderFailure) as raised:
            polled(adapter, files)
        assert (raised.value.kind, raised.value.accepted) == ("transient", True)


def test_a_servers_error_is_believed_only_when_it_stays(files: Files) -> None:
    """A job that is done must not be bought again because its result could not be had for a moment."""
    ended = []
    with at("fal", *[DONE, TROUBLE] * 6) as adapter:
        for _ in range(6):
            with pytest.raises(ProviderFailure) as raised:
                polled(adapter, files)
            ended.append(raised.value.accepted)
    assert ended == [False] * 5 + [True]
    with at("fal", DONE, TROUBLE, DONE, ok({"images": [{"url": URL}]})) as adapter:
        with pytest.raises(ProviderFailure):
            polled(adapter, files)
        assert isinstance(polled(adapter, files), Finished)


def test_fal_names_the_field(files: Files) -> None:
    with at("fal", DONE, (422, detail("image_too_small"), {})) as adapter, pytest.raises(ProviderFailure) as raised:
        polled(adapter, files)
    assert raised.value.field == "image_urls"
    assert "it says why" in raised.value.detail


@pytest.mark.parametrize("answer", [(502, HTML, {}), (200, HTML, {}), (504, {"detail": "x"}, {}), (429, {}, {})])
def test_a_gateways_bad_moment_is_not_the_jobs_end(answer: tuple[int, Any, dict[str, str]], files: Files) -> None:
    with at("fal", DONE, answer) as adapter, pytest.raises(ProviderFailure) as raised:
        polled(adapter, files)
    assert raised.value.accepted is False
    assert raised.value.kind in ("transient", "rate_limit")


def test_a_result_that_is_not_there_yet_is_waited_for(files: Files) -> None:
    with at("fal", DONE, (400, {"detail": "Request is still in progress"}, {})) as adapter:
        assert isinstance(polled(adapter, files), Pending)


def test_a_blackened_picture_is_a_refusal(files: Files) -> None:
    body = {"images": [{"url": URL}], "has_nsfw_concepts": [True]}
    with at("fal", DONE, ok(body)) as adapter, pytest.raises(ProviderFailure) as raised:
        polled(adapter, files)
    assert raised.value.kind == "moderation"


def test_fal_without_addresses_of_its_own_is_asked_where_its_requests_live(files: Files) -> None:
    """The reply names another host: the key does not go there, and the job is not lost."""
    reply = {
        "request_id": "r-1",
        "status_url": "https://evil.example/status",
        "response_url": "https://evil.example/",
        "cancel_url": None,
    }
    with at("fal", ok(reply)) as adapter:
        handle = adapter.submit(job(picture(), files))
    assert isinstance(handle, JobHandle)
    assert handle.data["status_url"].endswith("/fal-ai/flux-2-pro/requests/r-1/status")
    assert "evil" not in json.dumps(handle.data)


@pytest.mark.parametrize(("form", "name"), [("word", "word"), ("text", "text")])
def test_word_times_come_with_the_speech(form: str, name: str, files: Files) -> None:
    stamps = [{name: "The", "start": 0, "end": 0.2}, {name: "tide", "start": 0.2, "end": 0.6}]
    work = job(speech("elevenlabs/Rachel"), files)
    with at("fal", DONE, ok({"audio": {"url": URL}, "timestamps": stamps})) as adapter:
        found = adapter.poll(JobHandle("fal", {"id": "1", "model": "fal-ai/elevenlabs/tts/turbo-v2.5"}), work)
    assert isinstance(found, Finished)
    assert [word["end_ms"] for word in found.meta["words"]] == [200, 600]


@pytest.mark.parametrize(
    ("provider", "found", "kind"),
    [
        ("wavespeed", {"code": 200, "data": {"status": "failed", "error": "flagged as NSFW"}}, "moderation"),
        ("wavespeed", {"code": 200, "data": {"status": "timeout"}}, "transient"),
        ("wavespeed", {"code": 200, "data": {"status": "deleted"}}, "expired"),
        ("wavespeed", {"code": 200, "data": {"status": "completed", "outputs": []}}, "transient"),
        ("atlas", {"code": 200, "data": {"status": "failed", "error": "image is invalid"}}, "invalid_input"),
        ("atlas", {"code": 200, "data": {"status": "succeeded", "outputs": []}}, "transient"),
        ("runpod", {"id": "1", "status": "TIMED_OUT"}, "transient"),
        ("runpod", {"id": "1", "status": "CANCELLED"}, "transient"),
        ("runpod", {"id": "1", "status": "FAILED", "error": "worker died"}, "transient"),
        ("runpod", {"id": "1", "status": "COMPLETED", "output": {"error": "content policy"}}, "moderation"),
    ],
)
def test_the_smaller_providers_ends(provider: str, found: dict[str, Any], kind: FailureKind, files: Files) -> None:
    with at(provider, ok(found)) as adapter, pytest.raises(ProviderFailure) as raised:
        polled(adapter, files, endpoint="e")
    assert (raised.value.kind, raised.value.accepted) == (kind, True)


@pytest.mark.parametrize("provider", ["wavespeed", "atlas"])
@pytest.mark.parametrize("status", ["completed", "succeeded"])
def test_both_words_for_done(provider: str, status: str, files: Files) -> None:
    with at(provider, ok({"code": 200, "data": {"status": status, "outputs": [URL]}})) as adapter:
        found = polled(adapter, files)
    assert isinstance(found, Finished)


@pytest.mark.parametrize("provider", ["wavespeed", "atlas"])
@pytest.mark.parametrize(("code", "kind"), [(429, "rate_limit"), (500, "transient"), (502, "transient")])
def test_an_error_inside_a_good_status_is_only_a_failed_look(
    provider: str, code: int, kind: FailureKind, files: Files
) -> None:
    answer = ok({"code": code, "message": "x", "msg": "x", "data": None})
    with at(provider, answer) as adapter, pytest.raises(ProviderFailure) as raised:
        polled(adapter, files)
    assert (raised.value.kind, raised.value.accepted) == (kind, False)
