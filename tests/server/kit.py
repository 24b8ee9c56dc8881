"""A real server process, and requests to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240.0

SHORT = """The Lost Bell

Mira ran down to the harbour at dawn. "Have you seen my bell?" asked Mira.

"I heard it ring in the forest," said old Tomas."""


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ServerProcess:
    """`python -m server` over a data folder, in a process group of its own."""

    data_dir: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[str] | None = None
    url: str = ""

    def start(self) -> ServerProcess:
        self.process = self._spawn()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line, f"the server said {line!r} and {self._errors()}"
        self.url = line.split()[-1]
        return self

    def _spawn(self) -> subprocess.Popen[str]:
        env = {**os.environ, "DATA_DIR": str(self.data_dir), "PORT": str(self.port), **self.env}
        self.errors = (self.data_dir.parent / f"{self.data_dir.name}.log").open("a+")
        return subprocess.Popen(
            [sys.executable, "-m", "server"],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
        )

    def run_to_end(self) -> tuple[int, str]:
        """For a server that is to refuse: its exit code and what it said."""
        self.process = self._spawn()
        code = self.process.wait(60)
        return code, self._errors()

    def _errors(self) -> str:
        self.errors.seek(0)
        return self.errors.read()

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 30) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout_s)

    def kill_group(self) -> None:
        """SIGKILL to the server and everything that it started."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        self.gone()

    def gone(self) -> None:
        """Waits for the moment that the system needs to take ended processes away; fails when one lives on."""
        deadline = time.monotonic() + 5
        while self.group():
            assert time.monotonic() < deadline, f"still there: {self.group()}"
            time.sleep(0.05)

    def group(self) -> list[str]:
        """The command lines of the processes of the server's group that are alive."""
        assert self.process is not None
        alive = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.process.pid and state != "Z":
                    alive.append((entry / "cmdline").read_text().replace("\0", " "))
            except (OSError, ValueError):
                continue
        return alive

    def __enter__(self) -> ServerProcess:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill_group()
        self.errors.close()

    # --- Requests ---------------------------------------------------------------------------------

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return Answer(response.status, dict(response.headers), response.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self.ask("GET", path, headers=headers)

    def new_film(self, story: str = SHORT, **fields: Any) -> int:
        """Creates a project and starts its film; returns the project's id."""
        made = self.ask("POST", "/api/projects", {"story": story, **fields})
        assert made.status == 201, made.body
        started = self.ask("POST", f"/api/projects/{made.json['id']}/yolo", {})
        assert started.status == 202, started.body
        return int(made.json["id"])

    def status(self, project_id: int) -> dict[str, Any]:
        answer = self.get(f"/api/projects/{project_id}/yolo-status")
        assert answer.status == 200, answer.body
        status: dict[str, Any] = answer.json
        return status

    def until(self, project_id: int, reached: Any, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """Looks at the status until `reached(status)`; fails when the run has ended otherwise, or after the limit."""
        deadline = time.monotonic() + timeout_s
        while True:
            status = self.status(project_id)
            if reached(status):
                return status
            assert status["state"] == "running", f"{status['state']}: {status['problems']} {self._errors()[-2000:]}"
            assert time.monotonic() < deadline, f"still {status['yoloStep']} at {status['percent']} %"
            time.sleep(0.1)

    def until_done(self, project_id: int) -> dict[str, Any]:
        return self.until(project_id, lambda status: status["state"] == "done")


def in_the_middle(status: dict[str, Any]) -> bool:
    """Some clips are made, and more are to come."""
    clips = status["stages"]["videos"]
    return 0 < clips["done"] < clips["total"]
