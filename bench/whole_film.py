"""The 600-word example as a film: how fast beside real time, and how quick the page stays meanwhile.

Run by hand or by `make bench`. The baseline is the film's own length; for the page it is the same server at rest.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench._process import PYTHON, ROOT, measure, row

STORY = ROOT / "examples" / "crow-and-fiddle.txt"  # 600 words


def film_speed(folder: Path) -> bool:
    report = folder / "report.json"
    command = [PYTHON, "-m", "pipeline", "film", str(STORY), "-o", str(folder / "film.mp4"), "--report", str(report)]
    measured = measure(command, env={"DATA_DIR": str(folder / "data")})
    made = json.loads(report.read_text())
    ratio = made["duration_ms"] / 1000 / measured.wall_s
    print(
        f"{STORY.name}: {made['duration_ms'] / 1000:.1f} s of film, {len(made['shots'])} shots, {measured.wall_s:.1f} s"
    )
    print("seconds of work by stage:", json.dumps(made["stages"]))
    return row("film seconds per second of making it", f"{ratio:.2f}x", ">= 1x, aim 3x", holds=ratio >= 1) & row(
        "memory of all processes", f"{measured.peak_mb:.0f} MB", "<= 1500 MB", holds=measured.peak_mb <= 1500
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def health_times(base: str, seconds: float) -> list[float]:
    times = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        with urllib.request.urlopen(f"{base}/healthz", timeout=10) as answer:
            answer.read()
        times.append((time.perf_counter() - began) * 1000)
        time.sleep(0.02)
    return sorted(times)


def p99(times: list[float]) -> float:
    return times[min(len(times) - 1, int(len(times) * 0.99))]


def post(url: str, body: dict[str, str]) -> dict[str, object]:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        made: dict[str, object] = json.loads(answer.read() or b"{}")
    return made


def page_while_filming(folder: Path) -> bool:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    env = {**os.environ, "DATA_DIR": str(folder / "server"), "PORT": str(port)}
    server = subprocess.Popen([PYTHON, "-m", "server"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"{base}/healthz", timeout=1).close()
                break
            except OSError:
                time.sleep(0.2)
        at_rest = health_times(base, 3)
        project = post(f"{base}/api/projects", {"story": STORY.read_text(), "title": "Bench"})
        post(f"{base}/api/projects/{project['id']}/yolo", {})
        busy = health_times(base, 25)
    finally:
        server.terminate()
        server.wait(30)
    print(f"/healthz p99: {p99(at_rest):.1f} ms at rest, {p99(busy):.1f} ms while a film is made")
    return row("/healthz p99 while a film is made", f"{p99(busy):.1f} ms", "<= 50 ms", holds=p99(busy) <= 50)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        held = [film_speed(Path(name)), page_while_filming(Path(name))]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
