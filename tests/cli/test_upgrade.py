"""`upgrade`: a shot of the film that was made last, in paid quality, and the film put together anew."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.exits import DONE, USAGE
from pipeline.film.ffmpeg import probe
from tests.server.kit import ROOT
from tests.simulator import Simulator

STORY = "The bell was lost for a long year. “It has been in the forest all the time,” said Mira."


def command(folder: Path, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments, "--data-dir", str(folder / "data")],
        cwd=ROOT,
        env={**os.environ, "MODERATION_CHECKERS": "bundled", **(env or {})},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.slow
def test_a_shot_is_upgraded_once_and_the_film_with_it(tmp_path: Path) -> None:
    nothing = command(tmp_path, "upgrade", "1")
    assert nothing.returncode == USAGE and "no film to upgrade" in nothing.stderr
    (tmp_path / "story.txt").write_text(STORY)
    film = tmp_path / "film.mp4"
    assert command(tmp_path, "film", f"{tmp_path}/story.txt", "-o", str(film)).returncode == DONE
    before, plain = probe(film), film.read_bytes()
    without = command(tmp_path, "upgrade", "2")
    assert without.returncode != DONE and "REPLICATE_API_TOKEN" in without.stdout + without.stderr
    with Simulator() as simulator:
        unknown = command(tmp_path, "upgrade", "9", env=simulator.env())
        assert unknown.returncode == USAGE and "no shot 9" in unknown.stderr
        assert simulator.requests(operation="submit") == []
        for _ in range(2):  # the second time, what is paid for is there already
            done = command(tmp_path, "upgrade", "2", env=simulator.env())
            assert done.returncode == DONE, done.stdout + done.stderr
            assert [f"Shot 2, {kind}: made." in done.stdout for kind in ("frame", "video", "lipsync")] == [True] * 3
            assert len(simulator.bill.charges()) == 3 == len({charge.model for charge in simulator.bill.charges()})
    after = probe(film)
    assert film.read_bytes() != plain
    assert (after.duration_ms, after.frames) == (before.duration_ms, before.frames), "nothing moves"
