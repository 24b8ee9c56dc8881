"""The command line's choices about a film: they are made, and the report says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.film.ffmpeg import probe
from tests.cli.test_film import Command


@pytest.mark.slow
def test_a_draft_with_cards_and_captions_in_the_picture(tmp_path: Path) -> None:
    story, out, report = tmp_path / "story.txt", tmp_path / "film.mp4", tmp_path / "report.json"
    story.write_text('The bell rang at dawn. "Who is there?" asked the fox.', encoding="utf-8")
    options = ["--quality", "draft", "--captions", "burned", "--title-card", "--end-card", "--no-fades"]
    command = Command(
        tmp_path, "film", str(story), "-o", str(out), "--report", str(report), "--title", "Bell", *options
    )
    assert command.end() == 0, command.lines
    assert "is ready, a draft" in command.lines[-1]
    told = json.loads(report.read_text())
    assert (told["quality"], told["captions"], told["width"], told["height"]) == ("draft", "burned", 640, 360)
    assert [card["kind"] for card in told["cards"]] == ["title", "end"]
    assert {shot["fade_ms"] for shot in told["shots"]} == {0}
    found = probe(out)
    assert (found.width, found.height) == (640, 360)
    assert abs(found.duration_ms - told["duration_ms"]) <= 21
    assert out.with_suffix(".srt").read_text("utf-8").splitlines()[1].startswith("00:00:03,")


def test_a_choice_that_there_is_not_is_refused_at_once(tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text("The bell rang.", encoding="utf-8")
    command = Command(
        tmp_path, "film", str(story), "-o", str(tmp_path / "film.mp4"), "--quality", "draft", "--render", "paid"
    )
    assert command.end() == 2
    assert "draft" in command.lines[-1]
    assert not (tmp_path / "film.mp4").exists()
