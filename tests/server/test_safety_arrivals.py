"""FAULT 30, on the wire: what comes too slowly, is too much, or never ends, and what it costs the server."""

from __future__ import annotations

import functools
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import waitress
from flask import Flask

from server.app import create_app
from server.channel import Channel, room_of
from server.wiring import Services
from tests.server.kit import ServerProcess

PASSPHRASE = "four words and a bell"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server with a passphrase at an address that is not known to be loopback (it is: no other can be used here)."""
    env = {"HOST": "0x7f.1", "APP_PASSPHRASE": PASSPHRASE, "TRUSTED_PROXY": "127.0.0.1"}
    process = ServerProcess(tmp_path_factory.mktemp("arrivals") / "data", env=env).start()
    process.url = f"http://127.0.0.1:{urlsplit(process.url).port}"
    yield process
    assert process.stop() == 0
    assert PASSPHRASE not in process._errors()
    process.errors.close()


@pytest.fixture(scope="module")
def cookie(server: ServerProcess) -> str:
    answer = server.ask("POST", "/api/login", {"passphrase": PASSPHRASE})
    assert answer.status == 200
    return answer.headers["Set-Cookie"].split(";")[0]


def memory(server: ServerProcess) -> int:
    """What the server's process holds, in bytes."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return 1024 * int(status.split("VmRSS:")[1].split()[0])


def raw(server: ServerProcess, head: str, body: bytes = b"") -> tuple[int, dict[str, object]]:
    """Sends a request as it stands; returns the answer's status and problem."""
    port = urlsplit(server.url).port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        return answer.status, json.loads(answer.read())


def test_a_server_with_a_passphrase_starts_beyond_loopback_and_asks_for_it(server: ServerProcess, cookie: str) -> None:
    assert server.get("/healthz").json == {"status": "ok"}
    assert server.get("/api/projects").status == 401
    assert server.get("/api/projects", headers={"Cookie": cookie}).status == 200


def test_a_trusted_proxy_is_believed(server: ServerProcess, cookie: str) -> None:
    """It says who the client is, so one who guesses does not shut out the others, and that TLS is in front."""
    there = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    for _ in range(10):
        assert server.ask("POST", "/api/login", {"passphrase": "guess"}, there).status == 401
    assert server.ask("POST", "/api/login", {"passphrase": PASSPHRASE}, there).status == 429
    answer = server.ask("POST", "/api/login", {"passphrase": PASSPHRASE}, there | {"X-Forwarded-For": "203.0.113.10"})
    assert answer.status == 200 and "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers


def test_a_stranger_brings_little(server: ServerProcess) -> None:
    for path in ("/api/projects", "/api/projects/import", "/api/login", "/nothing"):
        head = f"POST {path} HTTP/1.1\nHost: 127.0.0.1\nContent-Type: application/json\nContent-Length: 4000000000"
        status, problem = raw(server, head)
        assert (status, problem["code"]) == (401, "login_required"), path


def test_what_is_too_much_is_refused_before_it_has_come(server: ServerProcess, cookie: str) -> None:
    too_much = [("POST /api/projects", 50 << 20), ("POST /nothing", 50 << 20), ("POST /api/projects/import", 9 << 30)]
    too_much += [("GET /api/projects", 100 << 10), ("POST /api/projects/1/yolo/pause", 100 << 10), ("GET /", 1 << 20)]
    for path, length in too_much:
        head = f"{path} HTTP/1.1\nHost: 127.0.0.1\nCookie: {cookie}\nContent-Length: {length}"
        status, problem = raw(server, head)
        assert (status, problem["code"]) == (413, "too_large"), path


def test_a_body_without_a_length_ends_and_memory_stays_flat(server: ServerProcess, cookie: str) -> None:
    before = memory(server)
    port = urlsplit(server.url).port
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    head = f"POST /api/projects HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(head.encode())
        sent = 0
        try:
            while sent < 1 << 30:
                line.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
    assert sent < 256 << 20
    assert memory(server) - before < 64 << 20


def test_ten_thousand_parts_are_refused_and_memory_stays_flat(server: ServerProcess, cookie: str) -> None:
    made = server.ask("POST", "/api/projects", {"story": "A bell rang."}, {"Cookie": cookie})
    place = f"/api/projects/{made.json['id']}/props"
    prop = server.ask("POST", place, {"name": "Bell"}, {"Cookie": cookie})
    before = memory(server)
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nx\r\n'
    headers = {"Cookie": cookie, "Content-Type": "multipart/form-data; boundary=b"}
    answer = server.ask("POST", f"/api/props/{prop.json['id']}/guide-images", part * 10_000 + b"--b--\r\n", headers)
    assert (answer.status, answer.json["code"]) == (413, "too_large")
    assert memory(server) - before < 64 << 20


@pytest.fixture
def hasty(parts: Services) -> Iterator[int]:
    """A web server over our application that waits for nobody longer than 0.3 s; its port."""
    app: Flask = create_app(parts)
    listener = waitress.create_server(app, host="127.0.0.1", port=0, threads=2)
    listener.channel_class = functools.partial(Channel, room=room_of(app), grace_s=0.3, slowest=1 << 30)
    threading.Thread(target=listener.run, daemon=True).start()
    yield int(listener.effective_port)
    listener.task_dispatcher.shutdown()


@pytest.mark.parametrize(
    "start",
    [
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n",
        b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    ],
)
def test_a_request_that_drips_is_given_up(hasty: int, start: bytes) -> None:
    """Slow-loris: many of these would use up the connections."""
    with socket.create_connection(("127.0.0.1", hasty), timeout=30) as line:
        line.sendall(start)
        line.settimeout(0.05)
        answer = b""
        for _ in range(400):
            try:
                line.sendall(b"a")
                answer = line.recv(4096)
                break
            except TimeoutError:
                continue
        line.settimeout(30)
        while b"}" not in answer and (more := line.recv(4096)):
            answer += more
        assert answer.startswith(b"HTTP/1.0 408") or answer.startswith(b"HTTP/1.1 408"), answer
        assert b'"code": "timeout"' in answer


def test_patience_is_for_each_request_anew(hasty: int) -> None:
    """A connection that is kept open between requests is no slow request."""
    line = http.client.HTTPConnection("127.0.0.1", hasty, timeout=30)
    for _ in range(3):
        line.request("GET", "/healthz")
        answer = line.getresponse()
        assert (answer.status, json.loads(answer.read())) == (200, {"status": "ok"})
        time.sleep(0.2)
    line.close()


@pytest.mark.parametrize(
    ("start", "status", "code"),
    [
        (b"NONSENSE\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 300_000 + b"\r\n\r\n", 431, "too_large"),
    ],
)
def test_what_is_no_request_gets_a_problem_too(hasty: int, start: bytes, status: int, code: str) -> None:
    with socket.create_connection(("127.0.0.1", hasty), timeout=30) as line:
        line.sendall(start)
        answer = http.client.HTTPResponse(line)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (status, code)
        assert answer.headers["Content-Type"] == "application/problem+json"
