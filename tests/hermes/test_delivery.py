"""An order is done when every byte of its film has reached the client, and not before."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hermes.kit import BEARER, finished, open_server, part, raw, status_of
from tests.server.kit import ServerProcess

SIZE = 3_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("delivery") / "data"


@pytest.fixture(scope="module")
def films(folder: Path) -> list[int]:
    return [finished(folder, SIZE) for _ in range(6)] + [finished(folder, 100_000)]


@pytest.fixture(scope="module")
def server(folder: Path, films: list[int]) -> Iterator[ServerProcess]:
    with open_server(folder) as opened:
        yield opened


def soon(look: Callable[[], Any]) -> Any:
    """The answer's last byte is with the client a moment before the note of it is with us."""
    deadline = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def missing(server: ServerProcess, project: int) -> list[tuple[int, int]]:
    return [(one["first"], one["last"]) for one in status_of(server, project)["film"]["missing"]]


def test_a_whole_download_delivers_and_a_head_does_not(server: ServerProcess, films: list[int]) -> None:
    project = films[0]
    head = part(server, project, method="HEAD")
    assert (head.status, head.headers["Content-Length"]) == (200, str(SIZE))
    assert status_of(server, project)["delivered_at"] is None
    assert missing(server, project) == [(0, SIZE - 1)]
    got = part(server, project)
    assert (got.status, len(got.body)) == (200, SIZE)
    delivered_at = soon(lambda: status_of(server, project)["delivered_at"])
    assert status_of(server, project)["film"] == {"etag": got.headers["Etag"], "size": SIZE, "missing": []}
    assert server.get(f"/api/projects/{project}").json["delivered_at"] == delivered_at
    assert part(server, project, "0-9").status == 206
    assert status_of(server, project)["delivered_at"] == delivered_at
    same = server.get(f"/api/hermes/projects/{project}/export", {**BEARER, "If-None-Match": got.headers["Etag"]})
    assert same.status == 304


def test_ranges_in_any_order_deliver_once_they_cover_the_film(server: ServerProcess, films: list[int]) -> None:
    project = films[1]
    for asked in (f"{SIZE // 2}-", "0-99", "50-1000"):
        assert part(server, project, asked).status == 206
    assert soon(lambda: missing(server, project) == [(1001, SIZE // 2 - 1)])
    assert part(server, project, f"{SIZE}-").status == 416
    assert status_of(server, project)["delivered_at"] is None
    assert part(server, project, f"900-{SIZE // 2}").status == 206
    assert soon(lambda: status_of(server, project)["delivered_at"])


@pytest.mark.parametrize("which", [2, 6])
def test_a_client_that_leaves_early_has_got_nothing(server: ServerProcess, films: list[int], which: int) -> None:
    """The last film is small enough for the system's buffers to take all of it: they are no client."""
    project = films[which]
    with raw(server, project) as client:
        assert client.recv(2000)
    with raw(server, project) as client:
        assert client.recv(2000)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with raw(server, project) as client:
        assert client.recv(2000)
        time.sleep(0.5)  # long enough for everything to be handed to the system that it takes
    size = SIZE if which == 2 else 100_000
    for _ in range(20):
        assert missing(server, project) == [(0, size - 1)]
        time.sleep(0.02)


def test_a_slow_client_counts_when_it_has_all_even_if_it_leaves_at_once(
    server: ServerProcess, films: list[int]
) -> None:
    project = films[3]
    with raw(server, project) as client:
        got = b""
        while b"\r\n\r\n" not in got:
            got += client.recv(500)
        left = SIZE - len(got.split(b"\r\n\r\n", 1)[1])
        time.sleep(0.3)
        assert status_of(server, project)["delivered_at"] is None
        while left:
            left -= len(client.recv(min(left, 65536)))
    assert soon(lambda: status_of(server, project)["delivered_at"])


def test_what_is_delivered_outlives_the_server_and_a_new_film_starts_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    project = finished(data, 50_000)
    with open_server(data) as server:
        assert part(server, project, "0-29999").status == 206
        soon(lambda: missing(server, project) == [(30_000, 49_999)])
        server.kill_group()
    with open_server(data) as server:
        assert missing(server, project) == [(30_000, 49_999)]
        assert part(server, project, "30000-").status == 206
        first = soon(lambda: status_of(server, project)["delivered_at"])
        etag = status_of(server, project)["film"]["etag"]
        assert server.stop() == 0
    finished(data, 60_000, project=project)
    with open_server(data) as server:
        now = status_of(server, project)
        assert first and now["delivered_at"] is None and now["film"]["etag"] != etag
        assert now["film"]["missing"] == [{"first": 0, "last": 59_999}]
        headers = {**BEARER, "Range": "bytes=0-9", "If-Range": etag}
        assert server.get(f"/api/hermes/projects/{project}/export", headers).status == 200
        assert soon(lambda: status_of(server, project)["delivered_at"])
