"""A short film with everything that can be chosen about it, measured on its decoded frames and its sound."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import FilmForm
from pipeline.film import ffmpeg
from pipeline.projects import change_project, create_project, report
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.store import Store, open_store
from pipeline.store.models import Project
from tests.ears import PER_MS, heard, level, metered

FORM = FilmForm(width=320, height=180)
STORY = """Mira sat on the pier in the bright morning. "Good day," said the fox.

"Good day to you," said Mira.

That night Mira lit her lantern in the kitchen. "It is late," said Mira.
"""
CARD_FRAMES = 72


class Made:
    """One finished film: its report, its picture's luma (frames, height, width) and its files."""

    def __init__(self, store: Store, project_id: int) -> None:
        self.report: dict[str, Any] = report(store, project_id)
        with store.db.read() as session:
            project = session.get_one(Project, project_id)
            self.path = store.media.path(project.film_url or "")
            self.srt = store.media.path((project.film_meta or {})["srt_url"]).read_text("utf-8")
        options = ["-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-fps_mode", "passthrough", "pipe:1"]
        raw = ffmpeg.run(["-i", str(self.path), *options], timeout_s=120).stdout
        self.luma: NDArray[np.uint8] = np.frombuffer(raw, np.uint8).reshape(-1, FORM.height, FORM.width)

    def stream(self, kind: str) -> dict[str, Any]:
        streams = json.loads(ffmpeg.ffprobe(self.path, "mp4", "-show_streams", "-of", "json"))["streams"]
        found: dict[str, Any] = next(one for one in streams if one["codec_type"] == kind)
        return found


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Made]:
    """(plain, finished): the second is the first after its options were changed."""
    data_dir = tmp_path_factory.mktemp("finished")
    with open_store(data_dir) as store:
        runner = Runner(store, load_settings(data_dir=data_dir))
        with store.db.write() as session:
            fields = {"title": "The Lantern", "story": STORY, "fades": False, "sound_bed": "off"}
            options = {"form": FORM.model_dump()}
            project_id = create_project(session, fields, max_story_words=200, options=options).id
        plain = _run(runner, store, project_id)
        with store.db.write() as session:
            chosen = {"captions": "burned", "title_card": True, "end_card": True, "fades": True, "sound_bed": "auto"}
            change_project(session, project_id, chosen, max_story_words=200)
        finished = _run(runner, store, project_id)
        runner.close()
    return plain, finished


def _run(runner: Runner, store: Store, project_id: int) -> Made:
    runner.start(project_id)
    assert runner.wait(project_id, 300) == "done", runner.status(project_id)["problems"]
    return Made(store, project_id)


def test_cards_come_before_and_after_and_move_no_cut(films: tuple[Made, Made]) -> None:
    plain, finished = films
    assert len(finished.luma) == len(plain.luma) + 2 * CARD_FRAMES
    assert finished.report["duration_ms"] == plain.report["duration_ms"] + 6_000
    assert [card["kind"] for card in finished.report["cards"]] == ["title", "end"]
    spans = [(one["first_frame"], one["last_frame"]) for one in [*finished.report["cards"], *finished.report["shots"]]]
    spans.sort()
    assert spans[0][0] == 0 and spans[-1][1] == len(finished.luma) - 1
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(spans))
    before = [(shot["first_frame"], shot["last_frame"]) for shot in plain.report["shots"]]
    after = [(shot["first_frame"] - CARD_FRAMES, shot["last_frame"] - CARD_FRAMES) for shot in finished.report["shots"]]
    assert before == after
    middle = finished.luma[36, 60:120, 60:260]
    assert np.median(middle) > 180 and middle.min() < 90, "dark words on a plate of paper"


def test_captions_and_chapters_follow_the_cards(films: tuple[Made, Made]) -> None:
    plain, finished = films
    times = [[int(ms) + 1000 * int(s) for s, ms in re.findall(r"00:00:(\d\d),(\d{3}) -->", made.srt)] for made in films]
    assert [ms + 3_000 for ms in times[0]] == times[1]
    chapters = json.loads(ffmpeg.ffprobe(finished.path, "mp4", "-show_chapters", "-of", "json"))["chapters"]
    assert len(chapters) == len(finished.report["scenes"])
    assert float(chapters[0]["start_time"]) == 0
    assert abs(float(chapters[-1]["end_time"]) * 1000 - finished.report["duration_ms"]) < 50
    assert plain.stream("subtitle")["disposition"]["default"] == 1
    assert finished.stream("subtitle")["disposition"]["default"] == 0, "nobody reads the same words twice"


def test_the_sound_is_as_long_as_the_film_and_has_a_bed_where_one_is_wanted(films: tuple[Made, Made]) -> None:
    plain, finished = (heard(made.path) for made in films)
    for made, sound in zip(films, (plain, finished), strict=True):
        assert abs(len(sound) / PER_MS - made.report["duration_ms"]) <= 1000 / FORM.fps
        measured = metered(made.path)
        assert abs(measured.loudness + 14) <= 0.5 and measured.peak <= -1
    first, second = films[0].report["segments"][:2]
    gap = plain[(first["end_time_ms"] + 40) * PER_MS : (second["start_time_ms"] - 40) * PER_MS]
    assert level(gap) < -70, "nothing lies under the voices"
    title, end = finished[1_000 * PER_MS : 2_000 * PER_MS], finished[-2_500 * PER_MS : -2_000 * PER_MS]
    beside = [level(card) - level(finished[3_000 * PER_MS : -3_000 * PER_MS]) for card in (title, end)]
    assert min(beside) > -30 and max(beside) < -5, "music while a card is seen"


def test_words_are_in_the_picture_while_they_are_said(films: tuple[Made, Made]) -> None:
    plain, finished = films
    foot = np.s_[:, 132:172, 40:280]
    for segment in finished.report["segments"]:
        middle = (segment["start_time_ms"] + segment["end_time_ms"]) // 2 * FORM.fps // 1000
        lettered = (finished.luma[foot][middle] > 235).mean()
        without = (plain.luma[foot][middle - CARD_FRAMES] > 235).mean()
        assert lettered > without + 0.01, segment["text"]


def test_the_picture_dims_where_night_falls_and_nowhere_else(films: tuple[Made, Made]) -> None:
    plain, finished = films
    dimmed = [shot for shot in finished.report["shots"] if shot["fade_ms"]]
    assert len(dimmed) == 2
    out, in_ = dimmed
    assert (out["fade_in_ms"], in_["fade_out_ms"]) == (0, 0) and out["fade_out_ms"] > 200 and in_["fade_in_ms"] > 200
    assert out["scene"] + 1 == in_["scene"] and out["index"] + 1 == in_["index"]
    assert all(shot["fade_ms"] == 0 for shot in plain.report["shots"])
    upper = np.s_[:, :120]
    cut = in_["first_frame"]
    spread = finished.luma[upper].std(axis=(1, 2))
    assert max(spread[cut - 1], spread[cut]) < 0.5 * min(spread[cut - 20], spread[cut + 20]), "almost dark at the cut"
    assert finished.luma.mean(axis=(1, 2)).min() > 20, "dusk, never black"


def test_only_what_was_asked_for_was_made_again(films: tuple[Made, Made]) -> None:
    counts = {unit["key"]: unit["times_started"] for unit in films[1].report["units"]}
    assert {count for key, count in counts.items() if not key.startswith("export/")} == {1}
