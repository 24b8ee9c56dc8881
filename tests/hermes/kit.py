"""A server that takes orders, and a film in it that nobody had to make."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.generation.moderation.clearances import assembled
from pipeline.store import open_store
from pipeline.store.deliveries import show_film
from pipeline.store.models import Project
from pipeline.store.states import new_run, run_state
from tests.server.kit import Answer, ServerProcess

TOKEN = "a-token-for-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ORDERS = "/api/hermes/projects/create-and-run"


def open_server(data_dir: Path, **env: str) -> ServerProcess:
    return ServerProcess(data_dir, env={"HERMES_TOKEN": TOKEN, "ENGINE_WORKERS": "2", **env})


def finished(data_dir: Path, size: int, *, project: int | None = None, callback_url: str | None = None) -> int:
    """A project with a film of so many random bytes, written into a data folder that nobody has open."""
    with open_store(data_dir) as store:
        with store.media.draft(".mp4") as draft:
            draft.write_bytes(os.urandom(size))
            film = store.media.publish(draft, ext="mp4", verdict=assembled())
        with store.db.write() as session:
            row = session.get(Project, project) if project is not None else Project(title="The Bell", story="Ding.")
            assert row is not None
            session.add(row)
            row.callback_url = callback_url
            session.flush()
            show_film(session, row, film)
            run_id = os.urandom(8).hex()
            new_run(session, run_id=run_id, project_id=row.id, boot_id="before")
            run_state(session, run_id, "done")
            return row.id


def status_of(server: ServerProcess, project: int) -> dict[str, Any]:
    answer = server.get(f"/api/hermes/projects/{project}/status", BEARER)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def part(server: ServerProcess, project: int, asked: str | None = None, method: str = "GET") -> Answer:
    headers = {**BEARER, "Range": f"bytes={asked}"} if asked else BEARER
    return server.ask(method, f"/api/hermes/projects/{project}/export", headers=headers)


@contextmanager
def raw(server: ServerProcess, project: int, asked: str = "") -> Iterator[socket.socket]:
    """A connection on which the film, or a part of it, has been asked for, with small buffers on our side."""
    port = int(server.url.rsplit(":", 1)[1])
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        client.settimeout(60)
        client.connect(("127.0.0.1", port))
        lines = [
            f"GET /api/hermes/projects/{project}/export HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {TOKEN}",
            *([f"Range: bytes={asked}"] if asked else []),
        ]
        client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        yield client
