"""What is on the screen, measured on the decoded film: cuts in their place, nothing missing, black or frozen."""

from __future__ import annotations

import itertools
import wave

import numpy as np

from pipeline.film import ffmpeg
from tests.whole.conftest import FORM, WholeFilm

HALF_FRAME_MS = 500 / FORM.fps
WAYS = ("in", "out")


def test_every_cut_is_seen_on_its_frame(film: WholeFilm) -> None:
    shots = film.report["shots"]
    assert len(shots) > 60
    change = np.abs(np.diff(film.luma.astype(np.int16), axis=0)).mean(axis=(1, 2))
    for before, shot in itertools.pairwise(shots):
        cut = shot["first_frame"]
        assert cut == before["last_frame"] + 1
        assert abs(cut * 1000 / FORM.fps - shot["start_ms"]) <= HALF_FRAME_MS + 1e-6
        if shot["fade_in_ms"]:
            # Both pictures are in the dark at the cut: least is to be seen there.
            spread = film.luma[cut - 12 : cut + 12].std(axis=(1, 2))
            assert abs(int(spread.argmin()) - 12) <= 1, f"shot {shot['index']} does not dim at frame {cut}"
            continue
        # The change between the frames around a cut stands out of those of its neighbours, which only drift.
        near = change[max(0, cut - 5) : cut + 4]
        assert int(near.argmax()) == min(cut, 5) - 1, f"shot {shot['index']} is not cut on frame {cut}"


def test_slots_tile_the_narration(film: WholeFilm) -> None:
    shots = film.report["shots"]
    assert shots[0]["start_ms"] == 0
    assert shots[-1]["end_ms"] == film.report["duration_ms"]
    assert all(before["end_ms"] == after["start_ms"] for before, after in itertools.pairwise(shots))
    assert all(shot["end_ms"] - shot["start_ms"] <= 7500 for shot in shots)
    kinds = {segment["index"]: (segment["kind"], segment["speaker"]) for segment in film.report["segments"]}
    assert all(len({kinds[index] for index in shot["segments"]}) == 1 for shot in shots)


def test_picture_and_sound_are_as_long_as_the_narration(film: WholeFilm) -> None:
    with wave.open(str(film.files["narration"])) as narration:
        narration_ms = narration.getnframes() * 1000 / narration.getframerate()
    sound = ffmpeg.run(["-i", str(film.path), "-map", "0:a", "-f", "s16le", "pipe:1"], timeout_s=60).stdout
    sound_ms = len(sound) / 2 * 1000 / 48_000
    picture_ms = len(film.luma) * 1000 / FORM.fps
    assert narration_ms == film.report["duration_ms"]
    assert abs(picture_ms - narration_ms) <= HALF_FRAME_MS
    assert abs(sound_ms - narration_ms) <= 1000 / FORM.fps


def test_nothing_is_black_or_frozen(film: WholeFilm) -> None:
    brightness = film.luma.mean(axis=(1, 2))
    assert brightness.min() > 20, "a frame is black"
    for shot in film.report["shots"]:
        rise, fall = (shot[f"fade_{way}_ms"] * FORM.fps // 1000 + 1 if shot[f"fade_{way}_ms"] else 0 for way in WAYS)
        first, last = shot["first_frame"] + rise, shot["last_frame"] - fall
        if last - first < FORM.fps // 2:
            continue
        drift = np.abs(film.luma[first].astype(np.int16) - film.luma[last]).mean()
        assert drift > 0.3, f"shot {shot['index']} ({shot['framing']}) is frozen"
        assert film.luma[first : last + 1].std(axis=(1, 2)).min() > 4, f"shot {shot['index']} shows nothing"


def test_the_film_carries_captions_chapters_and_its_title(film: WholeFilm) -> None:
    found = ffmpeg.ffprobe(
        film.path, "mp4", "-show_chapters", "-show_streams", "-show_entries", "format_tags=title", "-of", "json"
    )
    assert found.count('"mov_text"') == 1
    assert found.count('"start_time"') >= len(film.report["scenes"])
    assert 'The Crow\'s \\"Fiddle\\"; part=1' in found
    cues = film.files["srt"].read_text(encoding="utf-8")
    assert all(segment["text"].split()[0] in cues for segment in film.report["segments"])
    assert film.files["poster"].read_bytes()[:3] == b"\xff\xd8\xff"


def test_nothing_was_made_twice(film: WholeFilm) -> None:
    assert {unit["times_started"] for unit in film.report["units"]} == {1}
    assert film.report["cost_cents"] == 0
    assert [problem["code"] for problem in film.report["problems"]] == ["preview_used"]
