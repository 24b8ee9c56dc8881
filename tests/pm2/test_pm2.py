"""The real process manager: started from ecosystem.config.cjs, restarted and killed in the middle of a film."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.kit import ROOT, SHORT, ServerProcess, in_the_middle

PM2 = ROOT / "tests/pm2/node_modules/.bin/pm2"
NAME = "video-story"
STORY = SHORT + "".join(
    f' The fox of hill {n} looked up and sang. "Come back, number {n}!" cried Mira.' for n in range(6)
)


class Manager:
    """pm2 with a home, a data folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        own = {"PM2_HOME": str(folder / "pm2"), "DATA_DIR": str(folder / "data"), "PORT": str(port)}
        self.env = {**os.environ, **own}
        self.server = ServerProcess(folder / "data")
        self.server.url = f"http://127.0.0.1:{port}"
        self.server.errors = (folder / "data.log").open("a+")

    def pm2(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(PM2), *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def entry(self) -> dict[str, Any]:
        listed = self.pm2("jlist")
        found: dict[str, Any] = next(one for one in json.loads(listed[listed.index("[") :]) if one["name"] == NAME)
        return found

    def answering(self) -> None:
        """Waits until the server answers again."""
        deadline = time.monotonic() + 90
        while True:
            try:
                if self.server.get("/healthz").json["status"] == "ok":
                    return
            except OSError:
                pass
            assert time.monotonic() < deadline, self.pm2("logs", "--nostream", "--lines", "40")
            time.sleep(0.2)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    assert PM2.exists(), "pm2 is not installed: run `make pm2`"
    manager = Manager(tmp_path)
    try:
        yield manager
    finally:
        manager.pm2("kill")
        manager.server.errors.close()


@pytest.mark.slow
def test_a_film_outlives_a_restart_and_a_kill(manager: Manager) -> None:
    manager.pm2("start", "ecosystem.config.cjs")
    manager.answering()
    entry = manager.entry()
    assert (entry["pm2_env"]["exec_mode"], entry["pm2_env"]["kill_timeout"]) == ("fork_mode", 15000)
    server = manager.server
    film = server.new_film(STORY)
    before = server.until(film, in_the_middle)

    manager.pm2("restart", NAME)
    manager.answering()
    assert manager.entry()["pid"] != entry["pid"]
    middle = server.until(film, lambda status: status["stages"]["videos"]["done"] > before["stages"]["videos"]["done"])
    assert middle["stages"]["audio"]["done"] == before["stages"]["audio"]["done"]

    os.kill(manager.entry()["pid"], signal.SIGKILL)
    manager.answering()
    done = server.until_done(film)
    assert done["stages"]["videos"]["done"] == before["stages"]["videos"]["total"]
    assert {problem["code"] for problem in done["problems"]} <= {"preview_used"}
    assert server.get(f"/api/projects/{film}/download-video").body[4:8] == b"ftyp"
    manager.pm2("stop", NAME)
    assert manager.entry()["pm2_env"]["status"] == "stopped"
