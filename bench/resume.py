"""A server killed in the middle of a film, and started again: how soon the film goes on, and that nothing is redone.

The film is made by the embedded engines. SIGKILL takes the server's whole group once some lines are spoken; the next
process counts from its start until the ledger has a unit that it began. Beside it, in turn, a Python that only imports
the libraries no server of this kind can do without.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

from bench._process import PYTHON, ROOT, row

TURNS = 5
AT_MOST_S = 2.0
BARE = "import flask, waitress, sqlalchemy.orm, pydantic_settings, numpy"
ENGINES_S = 60.0
STORY = ROOT / "examples" / "crow-and-fiddle.txt"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    env = {name: value for name, value in os.environ.items() if not name.endswith(("_KEY", "_TOKEN"))}
    env |= {"DATA_DIR": str(folder), "PORT": str(port), "HOST": "127.0.0.1"}
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        [PYTHON, "-m", "server"], env=env, cwd=ROOT, stdout=quiet, stderr=quiet, start_new_session=True
    )


def kill(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def ask(port: int, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def steps(ledger: sqlite3.Connection) -> dict[str, tuple[str, str, int]]:
    """(status, boot, starts) by key."""
    found = ledger.execute("SELECT key, status, boot_id, starts FROM steps")
    return {key: (status, boot, starts) for key, status, boot, starts in found}


def until(true: Any, seconds: float = ENGINES_S) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.005)
    return found


def resumed(folder: Path) -> float:
    """Seconds from the start of a process over this folder until it has begun a unit. It is killed then."""
    with closing(sqlite3.connect(f"file:{folder / 'video-story.db'}?mode=ro", uri=True)) as ledger:
        before = steps(ledger)
        boots = {boot for _, boot, _ in before.values()}
        began = time.monotonic()
        server = serve(folder, free_port())
        try:
            until(lambda: any(boot not in boots for _, boot, _ in steps(ledger).values()))
            took = time.monotonic() - began
            time.sleep(0.3)
        finally:
            kill(server)
        after = steps(ledger)
    redone = [key for key, (status, _, starts) in before.items() if status == "done" and after[key][2] != starts]
    if redone:
        raise RuntimeError(f"redone: {', '.join(redone)}")
    return took


def bare() -> float:
    began = time.monotonic()
    subprocess.run([PYTHON, "-c", BARE], check=True, cwd=ROOT)
    return time.monotonic() - began


def begin(folder: Path) -> None:
    """A film that is killed once some of its lines are spoken."""
    port = free_port()
    server = serve(folder, port)
    try:
        until(lambda: _listens(port))
        project = ask(port, "/api/projects", {"title": "The bell", "story": STORY.read_text()})
        ask(port, f"/api/projects/{project['id']}/yolo", {})
        with closing(sqlite3.connect(f"file:{folder / 'video-story.db'}?mode=ro", uri=True)) as ledger:
            spoken = "SELECT count(*) FROM steps WHERE stage = 'audio' AND status = 'done'"
            until(lambda: ledger.execute(spoken).fetchone()[0] >= 20)
    finally:
        kill(server)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main() -> int:
    home = ROOT / "data"
    home.mkdir(exist_ok=True)
    ours, least = list[float](), list[float]()
    with tempfile.TemporaryDirectory(dir=home, prefix="bench-") as made:  # a real disk: /tmp may be memory
        folder = Path(made)
        begin(folder)
        for _ in range(TURNS):
            least.append(bare())
            ours.append(resumed(folder))
    took, alone = statistics.median(ours), statistics.median(least)
    print(f"      {TURNS} kills; importing the libraries alone takes {alone:.2f} s")
    held = row("from exec to the first resumed unit", f"{took:.2f} s", f"{AT_MOST_S:.0f} s", holds=took <= AT_MOST_S)
    row("  beside importing the libraries alone", f"{took / alone:.2f} x", "none", holds=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
