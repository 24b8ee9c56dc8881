"""What is heard, measured on the finished film: its loudness, its peaks, its joins, the bed under the voices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from tests.ears import PER_MS, Sound, heard, largest_jump, level, metered
from tests.whole.conftest import WholeFilm


def test_the_film_is_as_loud_as_films_online_and_does_not_clip(film: WholeFilm) -> None:
    sound = metered(film.path)
    assert abs(sound.loudness + 14) <= 0.5
    assert sound.peak <= -1.0


def test_every_voice_is_about_as_loud(film: WholeFilm) -> None:
    samples = heard(film.path)
    said: dict[str | None, list[Sound]] = {}
    for one in film.report["segments"]:
        part = samples[one["start_time_ms"] * PER_MS : one["end_time_ms"] * PER_MS]
        said.setdefault(one["speaker"], []).append(part)
    assert len(said) >= 3
    levels = [level(np.concatenate(parts)) for parts in said.values()]
    assert max(levels) - min(levels) < 4


def test_no_join_between_two_voices_clicks(film: WholeFilm) -> None:
    samples = heard(film.path)
    for before, after in pairwise(film.report["segments"]):
        for edge in (before["end_time_ms"], after["start_time_ms"]):
            around = samples[(edge - 5) * PER_MS : (edge + 5) * PER_MS]
            own = largest_jump(samples[before["start_time_ms"] * PER_MS : after["end_time_ms"] * PER_MS])
            assert largest_jump(around) < 0.3 * own


def test_something_quiet_lies_under_the_voices(film: WholeFilm) -> None:
    """The narration is silent between two segments; the film is not, and is still far below its voices there."""
    narration, samples = heard(film.files["narration"]), heard(film.path)
    gaps = [(before["end_time_ms"], after["start_time_ms"]) for before, after in pairwise(film.report["segments"])]
    inner = [slice((end + 20) * PER_MS, (start - 20) * PER_MS) for end, start in gaps]
    assert not any(narration[gap].any() for gap in inner)
    between = [level(samples[gap]) for gap in inner]
    assert min(between) > -60
    assert level(samples) - max(between) > 10
