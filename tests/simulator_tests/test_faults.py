"""Every kind of fault bites where it says, and the bill and the log tell what happened."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.simulator import Fault, Simulator, faults, media
from tests.simulator_tests.conftest import picture

KEY = {"Authorization": "Bearer r8_x"}
INPUT = {"input": {"prompt": "a fox"}}


@pytest.fixture
def submit_url(simulator: Simulator) -> str:
    return f"{simulator.base_urls()['REPLICATE_BASE_URL']}/v1/models/black-forest-labs/flux-2-pro/predictions"


def submit(http: httpx.Client, url: str, **more: Any) -> httpx.Response:
    return http.post(url, json=INPUT, headers=KEY, **more)


def output(simulator: Simulator, http: httpx.Client, url: str, **more: Any) -> bytes:
    """The content of the output of a new job."""
    where = submit(http, url).json()["urls"]["get"]
    assert simulator.wait_for(lambda: http.get(where, headers=KEY).json()["status"] == "succeeded")
    return http.get(http.get(where, headers=KEY).json()["output"]).content


@pytest.mark.parametrize(
    ("kind", "more", "status", "told"),
    [
        ("rate_limit", {"retry_after": 7}, 429, "throttled"),
        ("server_error", {}, 500, '"status": 500'),
        ("server_error", {"status": 502, "html": True}, 502, "<h1>"),
        ("html", {}, 200, "<!DOCTYPE html>"),
        ("unauthorised", {}, 401, "Unauthenticated"),
        ("no_credit", {}, 402, "insufficient credit"),
        ("embedded_error", {}, 200, "An error occurred"),
    ],
)
def test_turned_away_is_not_billed(
    simulator: Simulator, http: httpx.Client, submit_url: str, kind: str, more: dict[str, Any], status: int, told: str
) -> None:
    simulator.script(kind, **more)
    answer = submit(http, submit_url)
    assert answer.status_code == status and told in answer.text
    assert answer.headers.get("retry-after") == ("7" if kind == "rate_limit" else None)
    assert simulator.bill.charges() == []
    assert submit(http, submit_url).status_code == 201


@pytest.mark.parametrize(
    "kind", ["reset_after", "server_error_after", "html_after", "half_json", "malformed_json", "cut_body", "hang_after"]
)
def test_an_answer_that_is_lost_leaves_a_job_behind(
    simulator: Simulator, http: httpx.Client, submit_url: str, kind: str
) -> None:
    simulator.script(kind)
    with pytest.raises((httpx.HTTPError, ValueError)):
        submit(http, submit_url, timeout=0.5).raise_for_status().json()
    (charge,) = simulator.bill.charges()
    assert not charge.answer_delivered and simulator.bill.lost() == [charge]
    assert simulator.bill.duplicates() == []
    again = submit(http, submit_url).json()
    assert [[one.job for one in group] for group in simulator.bill.duplicates()] == [[charge.job, again["id"]]]
    listed = http.get(simulator.base_urls()["REPLICATE_BASE_URL"] + "/v1/predictions", headers=KEY).json()["results"]
    assert [one["id"] for one in listed] == [again["id"], charge.job]


def test_a_reset_is_a_reset(simulator: Simulator, http: httpx.Client, submit_url: str) -> None:
    simulator.script("reset_before")
    with pytest.raises(httpx.ReadError, match="reset"):
        submit(http, submit_url)
    assert simulator.bill.charges() == []


def test_a_hang_is_silence(simulator: Simulator, http: httpx.Client, submit_url: str) -> None:
    simulator.script("hang")
    with pytest.raises(httpx.ReadTimeout):
        submit(http, submit_url, timeout=0.3)
    simulator.script("hang", seconds=0.2)
    with pytest.raises(httpx.ReadError):
        submit(http, submit_url)


def test_a_drip_comes_byte_by_byte(simulator: Simulator, http: httpx.Client) -> None:
    simulator.script("drip", seconds=0.002)
    url = simulator.base_urls()["REPLICATE_BASE_URL"] + "/v1/account"
    with http.stream("GET", url, headers=KEY) as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 20 and b"".join(pieces).endswith(b"}")


def test_outputs_are_spoiled(simulator: Simulator, http: httpx.Client, submit_url: str) -> None:
    def film() -> bytes:
        url = submit_url.replace("black-forest-labs/flux-2-pro", "wan-video/wan-2.2-i2v-fast")
        body = {"input": {"prompt": "x", "image": picture(), "seed": next(seeds)}}
        where = http.post(url, json=body, headers=KEY).json()["urls"]["get"]
        assert simulator.wait_for(lambda: http.get(where, headers=KEY).json()["status"] == "succeeded")
        return http.get(http.get(where, headers=KEY).json()["output"]).content

    seeds = iter(range(10))
    whole = film()
    simulator.script("truncated_output")
    assert len(film()) < len(whole) * 0.7
    simulator.script("wrong_type_output", content="html")
    assert film().startswith(b"<!DOCTYPE")
    simulator.script("wrong_type_output", content="png")
    assert film().startswith(b"\x89PNG")
    simulator.script("bit_flipped_output")
    flipped = film()
    assert abs(len(flipped) - len(whole)) < 10 and flipped[:1000] == whole[:1000] and flipped[:-100] != whole[:-100]
    simulator.script("short_output")
    assert media.probe(film()).frames == 27
    simulator.script("expired_output")
    assert film() == b"Not Found"
    simulator.script("wrong_type_output", content="mp4")
    assert output(simulator, http, submit_url)[4:8] == b"ftyp"


def test_faults_are_addressed(simulator: Simulator, http: httpx.Client, submit_url: str) -> None:
    simulator.script("rate_limit", provider="replicate", operation="submit", model="*flux*", nth=2, times=2)
    simulator.script("server_error", provider="fal", times=0)
    assert [submit(http, submit_url).status_code for _ in range(4)] == [201, 429, 429, 201]
    assert http.get(simulator.base_urls()["REPLICATE_BASE_URL"] + "/v1/account", headers=KEY).status_code == 200
    with pytest.raises(ValueError, match="no fault of kind"):
        simulator.script("earthquake")


def test_a_stuck_job_never_ends(simulator: Simulator, http: httpx.Client, submit_url: str) -> None:
    simulator.script("stuck")
    where = submit(http, submit_url).json()["urls"]["get"]
    simulator.advance(86_400)
    assert http.get(where, headers=KEY).json()["status"] == "processing"


def test_a_download_can_fail_and_be_resumed(simulator: Simulator, http: httpx.Client, submit_url: str) -> None:
    where = submit(http, submit_url).json()["urls"]["get"]
    assert simulator.wait_for(lambda: http.get(where, headers=KEY).json()["status"] == "succeeded")
    url = http.get(where, headers=KEY).json()["output"]
    simulator.script("cut_body", operation="download")
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(url)
    assert not simulator.bill.charges()[0].output_fetched
    whole = http.get(url).content
    assert simulator.bill.charges()[0].output_fetched
    assert http.get(url, headers={"Range": "bytes=5-9"}).content == whole[5:10]


def test_a_storm_depends_on_the_seed_alone(submit_url: str) -> None:
    def met(seed: int, order: list[int]) -> dict[int, list[str]]:
        with Simulator() as one, httpx.Client(trust_env=False) as http:
            one.storm(0.5, seed, kinds=("rate_limit", "server_error"))
            url = f"{one.base_urls()['REPLICATE_BASE_URL']}/v1/models/black-forest-labs/flux-2-pro/predictions"
            for number in order:
                http.post(url, json={"input": {"prompt": str(number)}}, headers=KEY)
            return {int(call.body["input"]["prompt"]): [fault.kind for fault in call.faults] for call in one.requests()}

    first = met(1, list(range(20)))
    assert first == met(1, list(reversed(range(20)))) != met(2, list(range(20)))
    assert 4 <= sum(bool(kinds) for kinds in first.values()) <= 16


def test_a_storm_only_draws_what_suits() -> None:
    for operation, kinds in faults.STORM.items():
        for kind in kinds:
            assert "*" in faults.KINDS[kind] or operation in faults.KINDS[kind], (operation, kind)
    assert Fault("reset_before").shown()["kind"] == "reset_before"


def test_nobody_answers_while_it_is_unreachable(simulator: Simulator, http: httpx.Client, submit_url: str) -> None:
    with simulator.unreachable(), pytest.raises(httpx.ConnectError):
        submit(http, submit_url)
    assert submit(http, submit_url).status_code == 201


def test_latency_is_scaled(submit_url: str) -> None:
    with Simulator(scale=0.02) as slow, httpx.Client(trust_env=False) as http:
        before = time.monotonic()
        url = slow.base_urls()["OPENAI_COMPATIBLE_BASE_URL"] + "/chat/completions"
        http.post(url, json={"model": "m", "messages": [{"role": "user", "content": "x"}]})
        assert time.monotonic() - before >= 0.16
