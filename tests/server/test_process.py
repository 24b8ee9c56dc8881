"""The server as a process: one per data folder, gone within ten seconds, and careful with what it finds."""

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.kit import ROOT, SHORT, ServerProcess, in_the_middle

LONGER = SHORT + "".join(
    f' The fox of hill number {n} looked up at the moon and sang. "Come back, number {n}!" cried Mira.'
    for n in range(4)
)


def test_a_second_server_on_a_data_folder_exits_with_3(tmp_path: Path) -> None:
    """Fault 9: no double run, and the first is not disturbed."""
    with ServerProcess(tmp_path / "data") as first:
        code, said = ServerProcess(tmp_path / "data").run_to_end()
        assert code == 3
        assert "in use" in said and "Traceback" not in said
        assert first.get("/healthz").json == {"status": "ok"}
        assert first.stop() == 0


@pytest.mark.slow
def test_sigterm_in_the_middle_of_a_film_leaves_nothing_running_and_nothing_lost(tmp_path: Path) -> None:
    """Fault 8: within ten seconds, no orphans; the next start picks the film up by itself."""
    with ServerProcess(tmp_path / "data") as server:
        film = server.new_film(LONGER)
        before = server.until(film, in_the_middle)
        asked = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0
        assert time.monotonic() - asked < 10
        server.gone()
    assert list((tmp_path / "data" / "tmp").iterdir()) == []
    with ServerProcess(tmp_path / "data") as server:
        assert server.status(film)["state"] in ("running", "done")
        server.until_done(film)
        after = server.get(f"/api/projects/{film}/shots").json["items"]
        assert len(after) == before["stages"]["videos"]["total"]
        assert all(shot["video_status"] == "done" for shot in after)


def test_a_damaged_database_is_not_touched_and_the_way_back_is_told(tmp_path: Path) -> None:
    """Fault 14: read-only start with a restore offer, never silently a new database."""
    data = tmp_path / "data"
    with ServerProcess(data) as server:
        made = server.ask("POST", "/api/projects", {"story": SHORT})
        assert made.status == 201
        assert server.stop() == 0
    backup = care(data, "backup")
    assert backup.returncode == 0, backup.stderr
    database = data / "video-story.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:4096] + b"\xa5" * 8192 + whole[12288:])
    spoilt = database.read_bytes()
    assert care(data, "check").returncode == 4
    with ServerProcess(data) as server:
        health = server.get("/healthz").json
        assert health["status"] == "damaged" and "restore" in health["detail"]
        assert health["backups"]
        for method, path in (
            ("GET", "/api/projects"),
            ("POST", "/api/projects"),
            ("GET", "/api/events"),
            ("GET", "/readyz"),
        ):
            answer = server.ask(method, path, {"story": "x"} if method == "POST" else None)
            assert (answer.status, answer.json["code"]) == (503, "store_damaged")
            assert "restore" in answer.json["hint"]
        assert server.get("/").status == 200
        assert server.stop() == 0
    assert database.read_bytes() == spoilt
    restored = care(data, "restore", health["backups"][0])
    assert restored.returncode == 0, restored.stderr
    with ServerProcess(data) as server:
        assert [item["id"] for item in server.get("/api/projects").json["items"]] == [made.json["id"]]


def care(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server", "--data-dir", str(data), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ServerProcess(data) as server:
        assert server.stop() == 0
    connection = sqlite3.connect(data / "video-story.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    code, said = ServerProcess(data).run_to_end()
    assert code == 4 and "newer" in said and "Traceback" not in said


def test_settings_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, value, code in (("PORT", "many", 2), ("HOST", "0.0.0.0", 2), ("DATA_DIR", str(tmp_path / "file"), 4)):
        server = ServerProcess(tmp_path / "data", env={name: value})
        assert server.run_to_end()[0] == code
        said = server._errors()
        assert name in said or value in said
        assert "Traceback" not in said


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = ServerProcess(tmp_path / "data", port=port).run_to_end()
    assert code == 5 and str(port) in said and "Traceback" not in said


def test_a_running_server_can_be_backed_up_and_checked_but_not_restored(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with ServerProcess(data) as server:
        server.ask("POST", "/api/projects", {"story": SHORT})
        copy = tmp_path / "copy"
        done = care(data, "backup", str(copy))
        assert done.returncode == 0, done.stderr
        assert (copy / "video-story.db").is_file()
        assert care(data, "check").returncode == 0
        refused = care(data, "restore", str(copy))
        assert refused.returncode == 3
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_idle_server_goes_at_once_even_while_pages_watch(tmp_path: Path, number: int) -> None:
    with ServerProcess(tmp_path / "data") as server:
        port = int(server.url.rsplit(":", 1)[1])
        watchers = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        for watcher in watchers:
            watcher.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
            assert b"200 OK" in watcher.recv(4096)
        asked = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - asked < 5
        for watcher in watchers:
            watcher.close()


@pytest.mark.slow
def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        film = server.new_film(LONGER)
        server.until(film, in_the_middle)
        made = {shot["idx"]: shot["video_url"] for shot in server.get(f"/api/projects/{film}/shots").json["items"]}
        server.kill_group()
    with ServerProcess(tmp_path / "data") as server:
        server.until_done(film)
        shots = server.get(f"/api/projects/{film}/shots").json["items"]
        assert all(shot["video_url"] == made[shot["idx"]] for shot in shots if made[shot["idx"]])
        assert list((tmp_path / "data" / "tmp").iterdir()) == []


def test_a_film_started_while_the_server_starts_is_driven_once(tmp_path: Path) -> None:
    """A request can arrive as soon as the port is bound; what it starts is not what a dead process left."""
    with ServerProcess(tmp_path / "data") as server:
        project = server.ask("POST", "/api/projects", {"story": SHORT}).json["id"]
        assert server.stop() == 0
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    waiting = ServerProcess(tmp_path / "data", port=port, url=f"http://127.0.0.1:{port}")
    with ThreadPoolExecutor() as threads:
        started = threads.submit(_as_soon_as_it_listens, waiting, f"/api/projects/{project}/yolo")
        with waiting as server:
            assert started.result(60) == 202
            lines = server.get(f"/api/projects/{project}/events").json["items"]
            assert not [line for line in lines if "Picked up" in line["text"]]


def _as_soon_as_it_listens(server: ServerProcess, path: str) -> int:
    deadline = time.monotonic() + 30
    while True:
        try:
            return server.ask("POST", path, {}).status
        except OSError:
            assert time.monotonic() < deadline, "the server never listened"
            time.sleep(0.002)
