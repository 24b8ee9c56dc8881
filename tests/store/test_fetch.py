"""Fetching a provider's result: what an address may lead to, and that it always ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.addresses import located, looked_up
from pipeline.contracts import RemoteMedia
from pipeline.errors import BadMedia
from pipeline.store import fetch as fetching
from pipeline.store.fetch import FetchFailed, FetchGone, Forbidden, fetch, post

BODY = b"\x89PNG\r\n\x1a\n" + bytes(5000)


class Files(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Only answers with a head that drips."""
        self.wfile.write(b"HTTP/1.1 204 No Content\r\n")
        for number in range(1000):
            self.wfile.write(b"X-%d: x\r\n" % number if self.path == "/head" else b"X")
            time.sleep(0.05)

    def do_GET(self) -> None:
        kind = self.path.strip("/")
        if kind == "away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
            self.end_headers()
            return
        if kind == "rebind":
            self.send_response(302)
            self.send_header("Location", "/named")
            self.end_headers()
            return
        if kind == "head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for number in range(1000):
                self.wfile.write(b"X-%d: x\r\n" % number)
                time.sleep(0.05)
        if kind == "loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
            return
        self.send_response({"gone": 404, "down": 503}.get(kind, 200))
        self.send_header("Content-Type", "text/html" if kind == "page" else "image/png")
        self.send_header("Content-Length", str(len(BODY) * (2 if kind == "short" else 1)))
        self.end_headers()
        if kind == "drip":
            for byte in BODY:
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)
        else:
            self.wfile.write(BODY)

    def log_message(self, *_: object) -> None:
        """Nothing to tell."""


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def image(url: str) -> RemoteMedia:
    return RemoteMedia(url=url, kind="image")


def test_a_file_is_fetched_whole(host: str, tmp_path: Path) -> None:
    fetch(image(f"{host}/whole"), tmp_path / "file", local=True)
    assert (tmp_path / "file").read_bytes() == BODY


@pytest.mark.parametrize(
    ("name", "failure"),
    [
        ("gone", FetchGone),
        ("down", FetchFailed),
        ("page", BadMedia),
        ("short", FetchFailed),
        ("away", Forbidden),
        ("loop", Forbidden),
    ],
)
def test_what_is_refused_leaves_no_file(host: str, tmp_path: Path, name: str, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        fetch(image(f"{host}/{name}"), tmp_path / "file", local=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["drip", "head"])
def test_a_drip_is_cut_off(host: str, tmp_path: Path, where: str) -> None:
    """FAULT 17: bytes keep coming, and yet it ends."""
    began = time.monotonic()
    with pytest.raises(FetchFailed):
        fetch(image(f"{host}/{where}"), tmp_path / "file", local=True, total_s=0.6)
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("where", ["drip", "head"])
def test_a_message_is_given_up_when_its_answer_drips(host: str, where: str) -> None:
    with pytest.raises(FetchFailed):
        post(f"{host}/{where}", b"{}", {}, private=True, total_s=0.6)


def test_a_name_that_nobody_finds_in_time_is_given_up() -> None:
    asked = threading.Event()

    def resolver(host: str, port: int) -> list[str]:
        asked.wait(60)
        return ["93.184.216.34"]

    with pytest.raises(OSError, match="not found in"):
        located("https://files.example/", resolve=resolver, within_s=0.05)
    asked.set()


def test_a_file_may_not_be_larger_than_its_kind(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fetching.MOST_BYTES, "image", 1000)
    with pytest.raises(BadMedia):
        fetch(image(f"{host}/whole"), tmp_path / "file", local=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/a.png",
        "https://[::1]/a.png",
        "https://10.1.2.3/a.png",
        "https://192.168.0.1/a.png",
        "https://169.254.169.254/a.png",
        "https://0x7f.1/a.png",
        "https://2130706433/a.png",
        "https://[::ffff:127.0.0.1]/a.png",
        "https://100.64.0.1/a.png",
        "https://0.0.0.0/a.png",
        "https://[::]/a.png",
        "https://[64:ff9b::7f00:1]/a.png",
        "https://[2002:7f00:1::]/a.png",
        "https://[fe80::1]/a.png",
        "https://[fd00:ec2::254]/a.png",
        "https://224.0.0.1/a.png",
        "https://[::127.0.0.1]/a.png",
        "https://[::a9fe:a9fe]/a.png",
        "https://[fec0::1]/a.png",
        "https://[ff02::1]/a.png",
        "https://localhost/a.png",
        "https://user:word@127.0.0.1/a.png",
        "https://example.com@127.0.0.1/a.png",
        "https://127.0.0.1:99999/a.png",
        "https://[::1/a.png",
        "concat:/etc/passwd",
        "data:image/png;base64,aaaa",
        "http://example.com/a.png",
        "file:///etc/passwd",
        "ftp://example.com/a.png",
    ],
)
def test_nothing_leads_into_a_private_network(url: str, tmp_path: Path) -> None:
    """FAULT 32."""
    with pytest.raises(Forbidden):
        fetch(image(url), tmp_path / "file")


class Names:
    """A resolver whose names mean something else each time they are asked for."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self._answers.pop(0)


def test_a_name_is_asked_once_and_the_connection_goes_where_it_then_led(host: str, tmp_path: Path) -> None:
    """DNS rebinding: by the time of the connection the name means another machine, and it must not matter."""
    port = host.rpartition(":")[2]
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    fetch(image(f"http://files.example:{port}/whole"), tmp_path / "file", local=True, resolve=names)
    assert (tmp_path / "file").read_bytes() == BODY
    assert names.asked == ["files.example"]


def test_each_redirect_is_looked_up_anew(host: str, tmp_path: Path) -> None:
    port = host.rpartition(":")[2]
    names = Names(["127.0.0.1"], ["127.0.0.1"])
    fetch(image(f"http://files.example:{port}/rebind"), tmp_path / "file", local=True, resolve=names)
    assert names.asked == ["files.example", "files.example"]
    for turned in (["169.254.169.254"], ["127.0.0.1", "fe80::1"], ["0.0.0.0"]):
        names = Names(["127.0.0.1"], turned)
        with pytest.raises(Forbidden):
            fetch(image(f"http://files.example:{port}/rebind"), tmp_path / "other", local=True, resolve=names)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    "found",
    [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["93.184.216.34", "::1"], ["::ffff:10.0.0.1"], ["100.100.100.200"]],
)
def test_every_address_of_a_name_has_to_be_public(found: list[str], tmp_path: Path) -> None:
    with pytest.raises(Forbidden):
        fetch(image("https://files.example/a.png"), tmp_path / "file", resolve=Names(found))
    assert list(tmp_path.iterdir()) == []


def test_public_addresses_are_allowed_and_ipv4_is_taken_first() -> None:
    names = Names(["2606:4700::1111", "93.184.216.34"], ["64:ff9b::5db8:d822"])
    assert looked_up("files.example", 443, resolve=names) == "93.184.216.34"
    assert looked_up("files.example", 443, resolve=names) == "64:ff9b::5db8:d822"


def test_a_local_provider_may_be_in_the_same_network() -> None:
    for address in ("127.0.0.1", "192.168.1.20", "10.0.0.3", "::1", "fd12::1"):
        assert looked_up("gpu.local", 80, "local", resolve=Names([address])) == address
