"""Stories of every kind, small ones: each becomes a whole film, whatever it is written in and whatever it is called."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.film import ffmpeg
from pipeline.projects import create_project, report
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.store import Store, open_store
from pipeline.store.models import Project
from tests.naughty import STRINGS

FORM = {"width": 320, "height": 180, "fps": 24}
STORIES = {
    "one word": "Bell",
    "no dialogue": "The bell rang at dawn. A fox crossed the snowy field and went into the forest.",
    "only dialogue": "“Who is there?”\n\n“It is I, Tomas.”\n\n“Come in then!”",
    "Chinese": "清晨，米拉跑到港口。“你见过我的铃吗？”米拉问。老渔夫说：“我在森林里听见了它。”",
    "Arabic": "ركضت ميرا إلى الميناء عند الفجر. قالت ميرا: «هل رأيت جرسي؟»",
    "emoji": "😀 The fox 🦊 found a 🔔 in the forest 🌲. “Ding! 🔔” said the fox.",
    "control characters": "The\x07 bell\x1b[31m rang.\x00 It\x08 rang again.",
    "unbalanced quotes": "“Where is my bell? asked Mira. \"In the forest, said Tomas. 'Come,' she said”.",
    "odd line ends": "The bell rang.\r\n\r\nNobody came.\rThe end.",
    "one long sentence": "The bell rang " + "and rang " * 60 + "until dawn.",
    "numbers and marks": "1984... 3.14159? -- *** 100% & more; $5.00 @ noon.",
    "a line for each word": "\n".join(["Once", "there", "was", "a", "bell."]),
    "naughty": " ".join(text[:80] for text in STRINGS if text.isprintable())[:1200],
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("stories") / "data") as opened:
        yield opened


@pytest.fixture(scope="module")
def films(store: Store) -> Iterator[dict[str, int]]:
    """All of them, made side by side by one runner."""
    settings = load_settings(data_dir=store.folder.path)
    runner = Runner(store, settings)
    ids = {}
    for name, story in STORIES.items():
        title = f'{name}: it\'s "a" = b; c # d \\ e %d\n[Chapter]\n;FFMETADATA1 \u202e🔔'
        with store.db.write() as session:
            fields = {"story": story, "title": title}
            project = create_project(session, fields, max_story_words=1000, options={"form": FORM})
            ids[name] = project.id
        runner.start(project.id)
    for name, project_id in ids.items():
        state = runner.wait(project_id, 240)
        status = runner.status(project_id)
        assert state == "done", (name, status["code"], status["problems"])
    yield ids
    runner.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
def test_it_becomes_a_whole_film(store: Store, films: dict[str, int], name: str) -> None:
    summary = report(store, films[name])
    assert {problem["code"] for problem in summary["problems"]} <= {"preview_used"}, summary["problems"]
    assert all(unit["status"] in ("done", "skipped") for unit in summary["units"])
    with store.db.read() as session:
        project = session.get_one(Project, films[name])
    path = store.media.path(project.film_url or "")
    seen = ffmpeg.probe(path, count=True)
    frames = summary["shots"][-1]["last_frame"] + 1
    assert (seen.width, seen.height, seen.frames) == (320, 180, frames)
    assert abs(frames / 24 - summary["duration_ms"] / 1000) <= 0.5 / 24 + 0.001
    spoken = "".join(segment["text"] for segment in summary["segments"])
    kept = {char for char in project.story if char.isalnum()}
    assert kept <= set(spoken)
    _check_tags(path, project.title)


def _check_tags(path: Path, title: str) -> None:
    """The title went into the file as text, and nothing of it became a chapter or a tag of its own."""
    command = [str(ffmpeg.tools().ffprobe), "-v", "error", "-show_format", "-show_chapters", "-of", "json", str(path)]
    told: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert told["format"]["tags"]["title"].split() == title.split()
    assert "artist" not in told["format"]["tags"]
    assert all(chapter["tags"]["title"] for chapter in told["chapters"])
