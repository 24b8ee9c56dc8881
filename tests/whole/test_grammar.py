"""The film's grammar, as its report tells it: lengths that breathe, framings that change, sides that stay."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.whole.conftest import WholeFilm

Shot = dict[str, Any]


def seconds(shot: Shot) -> float:
    return float(shot["end_ms"] - shot["start_ms"]) / 1000


def alike(one: Shot, other: Shot) -> bool:
    """Whether the two could have been one take: of the same scene, kind and speaker."""
    return all(one[name] == other[name] for name in ("scene", "kind", "speaker"))


def test_shots_breathe(film: WholeFilm) -> None:
    shots = film.report["shots"]
    lengths = [seconds(shot) for shot in shots]
    assert max(lengths) <= 7.5
    assert sum(length > 6 for length in lengths) <= 0.08 * len(lengths)
    assert 2 <= sum(lengths) / len(lengths) <= 4


def test_a_shot_is_short_only_where_what_is_said_is(film: WholeFilm) -> None:
    """A take has one speaker: a short answer and "said the crow" are short shots; nothing else is cut so small."""
    shots = film.report["shots"]
    for number, shot in enumerate(shots):
        if seconds(shot) < 1.5:
            near = [one for at, one in enumerate(shots) if abs(at - number) == 1 and alike(one, shot)]
            joined = [seconds(shot) + seconds(one) for one in near]
            assert all(length > 6 for length in joined), f"shot {shot['index']} could be part of its neighbour"


def test_long_sentences_are_cut_where_a_phrase_begins(film: WholeFilm) -> None:
    shots = film.report["shots"]
    parts = [(a, b) for a, b in pairwise(shots) if a["segments"][-1] == b["segments"][0]]
    assert parts
    assert all(seconds(shot) >= 1 for pair in parts for shot in pair)


def test_no_framing_twice_in_a_row(film: WholeFilm) -> None:
    assert all(a["framing"] != b["framing"] for a, b in pairwise(film.report["shots"]))


def test_scenes_open_wide_and_talk_is_seen_from_several_sides(film: WholeFilm) -> None:
    shots = film.report["shots"]
    for before, shot in pairwise([{"scene": None, "framing": ""}, *shots]):
        if before["scene"] != shot["scene"]:
            assert shot["framing"] == "wide" or before["framing"] == "wide", f"shot {shot['index']}"
    assert {shot["framing"] for shot in shots if shot["kind"] == "dialogue"} >= {"medium", "close_up", "over_shoulder"}
