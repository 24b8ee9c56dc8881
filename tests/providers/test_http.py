"""The wire itself: time limits that hold whatever the server does, what counts as sent, and where the key may go."""

from __future__ import annotations

import socket
import struct
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipeline.providers.failures import FailureKind, ProviderFailure
from pipeline.providers.http import Reply, Wire, authenticated, by_status, by_words, message_of, retry_after
from tests.providers.loopback import Behaviour, Loopback, response, saying, serving

LIMIT_S = 0.6


def wire(*urls: str, limit_s: float = LIMIT_S) -> Wire:
    client = authenticated({"Authorization": "Bearer secret-key"})
    return Wire("acme", client, base_urls=urls, secret="secret-key", timeout_s=limit_s)


def failure_of(server: Loopback, *, submit: bool = True, limit_s: float = LIMIT_S) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as raised:
        if submit:
            wire(server.url, limit_s=limit_s).submit(f"{server.url}/jobs", {"prompt": "x"})
        else:
            wire(server.url, limit_s=limit_s).look(f"{server.url}/jobs/1")
    return raised.value


def drip_head(connection: socket.socket, request: bytes) -> None:
    for byte in response(200, b'{"id":"1"}'):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def drip_body(connection: socket.socket, request: bytes) -> None:
    whole = response(200, b'{"id":"1", "padding": "' + b"x" * 200 + b'"}')
    connection.sendall(whole[:-200])
    for byte in whole[-200:]:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def hang(connection: socket.socket, request: bytes) -> None:
    time.sleep(LIMIT_S * 4)


def hang_in_body(connection: socket.socket, request: bytes) -> None:
    connection.sendall(response(200, b'{"id":"1"}')[:-3])
    time.sleep(LIMIT_S * 4)


def reset(connection: socket.socket, request: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut(connection: socket.socket, request: bytes) -> None:
    connection.sendall(response(200, b'{"id":"1"}')[:-3])


@pytest.mark.parametrize("behave", [drip_head, drip_body, hang, hang_in_body])
@pytest.mark.parametrize("submit", [True, False])
def test_no_exchange_outlives_its_limit(behave: Behaviour, submit: bool) -> None:
    with serving(behave) as server:
        begun = time.monotonic()
        failure = failure_of(server, submit=submit)
        assert time.monotonic() - begun < LIMIT_S * 3
    assert failure.kind == ("ambiguous" if submit else "transient")
    assert failure.accepted is False


BROKEN = [
    reset,
    cut,
    saying(200, b"<html>", content_type="text/html"),
    saying(200, b"[1]"),
    saying(502, b"<html>bad gateway"),
    saying(500, b"{}"),
    saying(408, b"{}"),
]


@pytest.mark.parametrize("behave", BROKEN)
def test_a_lost_answer_is_ambiguous_for_a_submit_and_nothing_for_a_look(behave: Behaviour) -> None:
    with serving(behave) as server:
        assert failure_of(server).kind == "ambiguous"
        assert len(server.requests) == 1
    with serving(behave) as server:
        try:
            wire(server.url).look(f"{server.url}/jobs/1")
        except ProviderFailure as failure:
            assert (failure.kind, failure.accepted) == ("transient", False)


def test_a_request_that_did_not_leave_in_full_was_not_sent() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    # Nobody reads: the body does not fit into the buffers, and the limit strikes while it is being written.
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ProviderFailure) as raised:
        wire(url, limit_s=0.5).submit(f"{url}/jobs", {"prompt": "x" * 40_000_000})
    listener.close()
    assert (raised.value.kind, raised.value.accepted) == ("transient", False)
    with pytest.raises(ProviderFailure) as raised:
        wire(url).submit(f"{url}/jobs", {"prompt": "x"})
    assert raised.value.kind == "transient"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"detail":"no"}', "auth"),
        (403, b'{"detail":"no"}', "auth"),
        (403, b'{"detail":"User is locked. Reason: Exhausted balance."}', "billing"),
        (403, b'{"detail":"Flagged by content policy"}', "moderation"),
        (402, b'{"detail":"x"}', "billing"),
        (400, b'{"message":"Insufficient balance, please top up"}', "billing"),
        (422, b'{"detail":"voice_id is case-sensitive"}', "invalid_input"),
        (429, b'{"detail":"slow down"}', "rate_limit"),
        (422, b'{"detail":"input.width: too large"}', "invalid_input"),
        (404, b'{"detail":"no such model"}', "invalid_input"),
        (307, b"", "invalid_input"),
    ],
)
def test_a_refusal_was_not_accepted(status: int, body: bytes, kind: FailureKind) -> None:
    with serving(saying(status, body)) as server:
        failure = failure_of(server)
    assert (failure.kind, failure.accepted) == (kind, False)


def test_a_redirect_never_carries_a_submit_or_the_key_elsewhere() -> None:
    with serving(saying(200, b'{"id":"2"}')) as other:
        with serving(saying(307, b"", f"Location: {other.url}/steal")) as server:
            failure_of(server)
            failure_of(server, submit=False)
        assert other.requests == []


def test_the_key_goes_to_the_providers_own_address_only() -> None:
    with serving(saying(200, b'{"id":"2"}')) as other, serving(saying(200, b"{}")) as own:
        mine = wire(own.url)
        assert mine.trusted(f"{other.url}/jobs/1") is None
        assert mine.trusted(f"{own.url}/jobs/1") is not None
        assert mine.trusted("https://queue.fal.run@evil.example/x") is None
        assert mine.trusted(None) is None
        for ask in (mine.look, lambda url: mine.submit(url, {}), lambda url: mine.ask("PUT", url)):
            with pytest.raises(ProviderFailure):
                ask(f"{other.url}/jobs/1")
        assert other.requests == []
        mine.put_elsewhere("PUT", f"{other.url}/upload", content=b"x")
        assert b"secret-key" not in other.requests[0]


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "https://localhost/x", "https://169.254.169.254/x",
                                 "https://[::1]/x", "http://example.com/x", "https://10.0.0.1/x"])  # fmt: skip
def test_an_upload_goes_to_no_private_address(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.providers.http.UPLOAD_ATTEMPTS", 1)
    with pytest.raises(ProviderFailure) as raised:
        wire("https://api.acme.example").put_elsewhere("PUT", url, content=b"x")
    assert "refused" not in raised.value.raw.lower()


def test_what_is_said_has_no_key_and_no_files_in_it() -> None:
    body = b'{"detail":"bad key secret-key for data:image/png;base64,' + b"A" * 5000 + b'"}'
    with serving(saying(422, body)) as server:
        failure = failure_of(server)
    said = failure.sentence + failure.raw
    assert "secret-key" not in said
    assert "AAAA" not in said
    assert len(failure.raw) <= 300


def test_an_answer_has_a_largest_size() -> None:
    def endless(connection: socket.socket, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            connection.sendall(b" " * 65536)

    with serving(endless) as server:
        assert failure_of(server, submit=False, limit_s=20).kind == "transient"


def test_every_submit_has_a_connection_of_its_own() -> None:
    """A kept connection that the server closes at the moment of its reuse would turn a submit ambiguous."""

    def keep_then_close(connection: socket.socket, request: bytes) -> None:
        connection.sendall(response(200, b'{"id":"1"}', "Connection: keep-alive"))
        time.sleep(0.05)

    with serving(keep_then_close) as server:
        mine = wire(server.url)
        for _ in range(5):
            assert mine.submit(f"{server.url}/jobs", {}).fields == {"id": "1"}
        assert len(server.requests) == 5


def test_retry_after_is_read_in_all_its_forms() -> None:
    def told(value: str, body: bytes = b"", status: int = 429) -> float | None:
        return retry_after(Reply(status, {"retry-after": value} if value else {}, body))

    assert told("3") == 3.0
    assert told("0.5") == 0.5
    assert told("-4") == 0.0
    assert told("soon") is None
    assert told("") is None
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 25 < (told(later) or 0) <= 30
    noon = datetime(2020, 2, 2, 12, tzinfo=UTC)  # a date counts from the provider's own clock, whatever ours says
    dates = {"date": format_datetime(noon, usegmt=True), "retry-after": format_datetime(noon + timedelta(minutes=2))}
    assert retry_after(Reply(429, dates, b"")) == 120.0
    assert told("", b'{"detail":"Request was throttled. Your rate limit resets in ~30s."}') == 30.0


def test_unknown_words_may_work_the_next_time() -> None:
    assert by_words("CUDA out of memory") == "transient"
    assert by_words("The input or output was flagged as sensitive. (E005) (abc)") == "moderation"
    assert by_words("NSFW content detected in image") == "moderation"
    assert by_words("safety_tolerance must be at most 5") == "invalid_input"
    assert by_words("Video is too short: at least 2 s") == "invalid_input"
    assert by_words("") == "transient"
    assert by_status(500, "") == "transient"
    assert message_of(Reply(400, {}, b'{"error":{"message":"no"}}')) == "no"
    assert message_of(Reply(400, {}, b"<html>")) == ""
