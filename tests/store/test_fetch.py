"""Fetching a provider's result: what an address may lead to, and that it always ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.contracts import RemoteMedia
from pipeline.errors import BadMedia
from pipeline.store import fetch as fetching
from pipeline.store.fetch import FetchFailed, FetchGone, Forbidden, fetch

BODY = b"\x89PNG\r\n\x1a\n" + bytes(5000)


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind = self.path.strip("/")
        if kind == "away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
            self.end_headers()
            return
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


def test_a_drip_is_cut_off(host: str, tmp_path: Path) -> None:
    """FAULT 17: bytes keep coming, and yet it ends."""
    began = time.monotonic()
    with pytest.raises(FetchFailed):
        fetch(image(f"{host}/drip"), tmp_path / "file", local=True, total_s=0.6)
    assert time.monotonic() - began < 10


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
        "http://example.com/a.png",
        "file:///etc/passwd",
        "ftp://example.com/a.png",
    ],
)
def test_nothing_leads_into_a_private_network(url: str, tmp_path: Path) -> None:
    """FAULT 32."""
    with pytest.raises(Forbidden):
        fetch(image(url), tmp_path / "file")
