"""Webhooks as they really arrive: signed by the simulator, posted to us, checked, and turned back into handles."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pytest

from pipeline.contracts import JobRequest
from pipeline.providers import JobAdapter, JobHandle, load_adapter
from pipeline.providers.failures import ProviderFailure
from tests.providers.kit import Files, clip, job, picture, settings_for, wait
from tests.providers.loopback import Loopback, saying, serving
from tests.simulator.simulator import Simulator

SIGNED = ("replicate", "fal")


@dataclass(frozen=True)
class Post:
    """A webhook as our server would see it."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


def received(server: Loopback, simulator: Simulator) -> Post:
    assert simulator.wait_for(lambda: bool(server.requests))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    target = urlsplit(lines[0].split(" ")[1])
    headers = dict(line.split(": ", 1) for line in lines[1:])
    return Post(target.path, dict(parse_qsl(target.query)), headers, body)


def posted(
    provider: str, simulator: Simulator, files: Files, request: JobRequest
) -> tuple[JobAdapter, JobHandle, Post]:
    with serving(saying(200, b"{}")) as server:
        adapter = load_adapter(provider, settings_for(simulator, public_url=server.url))
        handle = adapter.submit(job(request, files, generation="gen-1"))
        assert isinstance(handle, JobHandle)
        return adapter, handle, received(server, simulator)


def wide_prompt(files: Files) -> JobRequest:
    return picture(prompt="über den Klippen “leuchtet” es 🌊")


@pytest.mark.parametrize("provider", SIGNED)
def test_a_signed_webhook_leads_to_the_job(provider: str, simulator: Simulator, files: Files) -> None:
    request = wide_prompt(files)
    adapter, handle, post = posted(provider, simulator, files, request)
    assert post.path == f"/api/webhooks/{provider}"
    told = adapter.webhook(post.headers, post.body, post.query)
    assert told.id == handle.data["id"]
    assert told.generation_id == "gen-1"
    assert told.status in ("succeeded", "OK")
    # The submit's answer may have been lost: the webhook alone is enough to fetch the result.
    assert told.handle is not None
    assert wait(load_adapter(provider, settings_for(simulator)), told.handle, job(request, files)).outputs


@pytest.mark.parametrize("provider", SIGNED)
def test_a_webhook_that_is_not_genuine_is_turned_away(provider: str, simulator: Simulator, files: Files) -> None:
    adapter, _, post = posted(provider, simulator, files, wide_prompt(files))
    lower = {name.lower(): value for name, value in post.headers.items()}
    stamp = next(name for name in lower if name.endswith("timestamp"))
    mark = next(name for name in lower if name.endswith("signature"))
    later = {**lower, stamp: str(int(lower[stamp]) + 1)}
    old = {**lower, stamp: str(int(lower[stamp]) - 3600)}
    other = {**lower, mark: lower[mark][:-4] + "0000"}
    for headers, body in (
        (lower, post.body + b" "),
        (later, post.body),
        (old, post.body),
        (other, post.body),
        ({name: value for name, value in lower.items() if name != mark}, post.body),
        ({}, post.body),
        ({**lower, stamp: "soon"}, post.body),
        ({**lower, mark: "v1,***"}, post.body),
        (lower, b""),
        (lower, b"\xff\xfe"),
    ):
        with pytest.raises(ProviderFailure) as raised:
            adapter.webhook(headers, body, post.query)
        assert raised.value.kind == "auth"
    assert adapter.webhook(lower, post.body, post.query).generation_id == "gen-1"


@pytest.mark.parametrize("provider", SIGNED)
def test_a_webhook_is_genuine_for_five_minutes(
    provider: str, simulator: Simulator, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, _, post = posted(provider, simulator, files, wide_prompt(files))
    import time

    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 400)
    with pytest.raises(ProviderFailure):
        adapter.webhook(post.headers, post.body, post.query)


def test_an_unsigned_address_names_no_slug_that_is_not_ours(simulator: Simulator, files: Files) -> None:
    adapter, _, post = posted("fal", simulator, files, wide_prompt(files))
    told = adapter.webhook(post.headers, post.body, {**post.query, "slug": "evil/../../x"})
    assert told.handle is None
    assert told.id


@pytest.mark.parametrize("provider", ["wavespeed", "atlas", "runpod", "openai"])
def test_a_provider_without_signatures_is_not_believed(
    provider: str, adapters: dict[str, JobAdapter], simulator: Simulator
) -> None:
    with pytest.raises(ProviderFailure) as raised:
        adapters[provider].webhook({}, b"{}", {"generation": "gen-1"})
    assert raised.value.kind == "auth"


def test_no_webhook_is_asked_for_where_none_could_be_checked(simulator: Simulator, files: Files) -> None:
    settings = settings_for(simulator, public_url="https://films.example.org")
    for provider in ("wavespeed", "atlas", "runpod"):
        load_adapter(provider, settings).submit(job(clip(files.picture(1280, 720)), files, generation="gen-1"))
    assert "films.example.org" not in str([(call.body, call.query) for call in simulator.requests()])
