"""The API under load, as ratios against a bare Flask route and a plain ORM route of the same process.

    python -m bench.server

Measured while a writer is as busy as a film in the making: the shots of a long project by eight clients at once, the
unchanged answer, the list of a thousand projects, and fifty clients that watch, by polling and by streams.
"""

from __future__ import annotations

import http.client
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench._process import PYTHON, ROOT, row

CLIENTS = 8
LOAD_S = 3.0
WATCHERS = 50
WATCH_S = 12.0
POLL_S = 3.0
CATCH_UP = 10  # looks that read all there is
TICK = os.sysconf("SC_CLK_TCK")


class Client:
    """One kept-alive connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes, str]:
        self._connection.request("GET", path, headers=headers or {})
        answer = self._connection.getresponse()
        return answer.status, answer.read(), answer.getheader("ETag") or ""

    def stream(self, path: str, stop: threading.Event) -> int:
        self._connection.request("GET", path, headers={"Accept": "text/event-stream"})
        answer = self._connection.getresponse()
        assert answer.status == 200, answer.status
        events = 0
        while not stop.is_set():
            events += answer.readline().startswith(b"id:")
        self._connection.close()
        return events


@contextmanager
def serving() -> Iterator[tuple[str, int, int]]:
    """The server's address, the long project's id, and the process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [PYTHON, "-m", "bench._server", str(Path(folder) / "data")]
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdout is not None and child.stdin is not None
            url, project_id = child.stdout.readline().split()
            yield url, int(project_id), child.pid
            child.stdin.close()
            child.wait(30)
        finally:
            child.kill()


def load(url: str, path: str) -> tuple[float, float]:
    """(answers a second, 99th percentile in ms) with all clients asking as fast as they can."""
    took: list[float] = []
    until = time.monotonic() + LOAD_S

    def ask() -> None:
        client = Client(url)
        while time.monotonic() < until:
            began = time.perf_counter()
            status, _, _ = client.get(path)
            assert status == 200, status
            took.append(time.perf_counter() - began)

    together([ask] * CLIENTS)
    return len(took) / LOAD_S, statistics.quantiles(took, n=100)[98] * 1000


def together(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def unchanged_ratio(url: str, path: str) -> float:
    """How much longer an unchanged answer takes than a bare route; the two take turns."""
    client = Client(url)
    bare, same = [], []
    for _ in range(1500):
        etag = client.get(path)[2]
        began = time.perf_counter()
        client.get("/bare")
        bare.append(time.perf_counter() - began)
        began = time.perf_counter()
        status, _, _ = client.get(path, {"If-None-Match": etag})
        if status == 304:  # the writer may have come between
            same.append(time.perf_counter() - began)
    return statistics.median(same) / statistics.median(bare)


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def watched(url: str, pid: int, watch: Callable[[Client, threading.Event], None]) -> tuple[float, float]:
    """(share of a core that the watchers cost, 99th percentile in ms of other requests meanwhile)."""
    idle = share_of_core(pid)
    stop = threading.Event()
    threads = [threading.Thread(target=watch, args=(Client(url), stop), daemon=True) for _ in range(WATCHERS)]
    for thread in threads:
        thread.start()
    time.sleep(POLL_S)
    busy = share_of_core(pid)
    client, took = Client(url), []
    for _ in range(100):
        began = time.perf_counter()
        client.get("/api/projects?limit=20")
        took.append(time.perf_counter() - began)
        time.sleep(0.02)
    stop.set()
    for thread in threads:
        thread.join(10)
    return busy - idle, statistics.quantiles(took, n=100)[98] * 1000


def share_of_core(pid: int) -> float:
    before = processor_s(pid)
    time.sleep(WATCH_S)
    return (processor_s(pid) - before) / WATCH_S


def main() -> int:
    with serving() as (url, project_id, pid):
        address = f"/api/projects/{project_id}"
        held = []
        print(
            f"a bare route, 8 clients, 99th percentile: {load(url, '/bare')[1]:.0f} ms, by which to judge the machine"
        )
        plain, _ = load(url, "/orm/shots")
        ours, p99 = load(url, f"{address}/shots")
        ratio = ours / plain
        held.append(row("200 shots, 8 clients: times the plain ORM route", f"{ratio:.1f}x", ">= 5x", holds=ratio >= 5))
        held.append(row("  99th percentile", f"{p99:.0f} ms", "<= 30 ms", holds=p99 <= 30))
        ratio = unchanged_ratio(url, f"{address}/shots")
        held.append(row("unchanged (304): times a bare route", f"{ratio:.2f}x", "<= 1.25x", holds=ratio <= 1.25))
        plain, _ = load(url, "/orm/projects")
        ours, p99 = load(url, "/api/projects?limit=100")
        ratio = ours / plain
        held.append(row("100 of 1,000 projects: times the ORM route", f"{ratio:.1f}x", ">= 2x", holds=ratio >= 2))
        held.append(row("  99th percentile", f"{p99:.0f} ms", "<= 250 ms", holds=p99 <= 250))

        def poll(client: Client, stop: threading.Event) -> None:
            """Catches up first; then looks at what is new, each watcher at a moment of its own."""
            cursor, pauses = (
                "0",
                itertools.chain([0.0] * CATCH_UP, [random.uniform(0, POLL_S)], itertools.repeat(POLL_S)),
            )
            while not stop.wait(next(pauses)):
                _, body, _ = client.get(f"{address}/events?after={cursor}")
                cursor = body.rpartition(b'"cursor":"')[2].partition(b'"')[0].decode()

        def stream(client: Client, stop: threading.Event) -> None:
            assert client.stream(f"{address}/events", stop) > 0

        for name, watch in (("poll every 3 s", poll), ("stream", stream)):
            share, p99 = watched(url, pid, watch)
            what = f"{WATCHERS} watchers {name}: share of a core"
            held.append(row(what, f"{share:.1%}", "<= 3 %", holds=share <= 0.03))
            held.append(row("  other requests, 99th percentile", f"{p99:.0f} ms", "<= 250 ms", holds=p99 <= 250))
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
