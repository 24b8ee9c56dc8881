"""`film --estimate`: what a film would cost, and nothing is made."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cli.test_film import STORY, Command
from tests.simulator import Simulator


def _said(tmp_path: Path) -> str:
    story, film = tmp_path / "story.txt", tmp_path / "film.mp4"
    story.write_text(STORY, encoding="utf-8")
    command = Command(tmp_path, "film", str(story), "-o", str(film), "--estimate")
    assert command.end() == 0, command.lines
    assert not film.exists()
    return "".join(command.lines)


def test_without_keys_a_film_is_free(tmp_path: Path) -> None:
    said = _said(tmp_path)
    assert "built in" in said and "In all free" in said


def test_with_keys_it_says_stages_models_and_a_range_and_sends_nothing(tmp_path: Path) -> None:
    with Simulator(seed=1) as simulator:
        before = dict(os.environ)
        os.environ.update(simulator.env())
        try:
            said = _said(tmp_path)
        finally:
            os.environ.clear()
            os.environ.update(before)
        assert simulator.bill.charges() == [] and simulator.requests() == []
    assert "replicate flux-2-pro" in said and "videos" in said and "$" in said and "~" in said
