"""One whole film of the middle example story, small, shared by the tests that measure it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import FilmForm
from pipeline.film import ffmpeg
from pipeline.projects import create_project, report
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.store import open_store
from pipeline.store.models import Project

FORM = FilmForm(width=320, height=180)
STORY = Path(__file__).resolve().parents[2] / "examples" / "crow-and-fiddle.txt"


@dataclass(frozen=True)
class WholeFilm:
    path: Path
    report: dict[str, Any]
    luma: NDArray[np.uint8]  # (frames, height, width)
    files: dict[str, Path]


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeFilm]:
    data_dir = tmp_path_factory.mktemp("whole")
    with open_store(data_dir) as store:
        runner = Runner(store, load_settings(data_dir=data_dir))
        with store.db.write() as session:
            fields = {"title": 'The Crow\'s "Fiddle"; part=1', "story": STORY.read_text()}
            options = {"form": FORM.model_dump()}
            project_id = create_project(session, fields, max_story_words=30_000, options=options).id
        runner.start(project_id)
        assert runner.wait(project_id, 400) == "done", runner.status(project_id)["problems"]
        runner.close()
        with store.db.read() as session:
            project = session.get_one(Project, project_id)
            urls = {"film": project.film_url, "poster": project.poster_url, "narration": project.narration_wav_url}
            urls |= {"srt": (project.film_meta or {})["srt_url"]}
        files = {name: store.media.path(url or "") for name, url in urls.items()}
        yield WholeFilm(files["film"], report(store, project_id), _luma(files["film"]), files)


def _luma(path: Path) -> NDArray[np.uint8]:
    """Every frame of the film, as a viewer's player would decode it."""
    raw = ffmpeg.run(
        ["-i", str(path), "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-fps_mode", "passthrough", "pipe:1"],
        timeout_s=300,
    ).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, FORM.height, FORM.width)
