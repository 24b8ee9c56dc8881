"""Outputs in every shape that providers give them."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.providers.outputs import details, flagged, media, word_times

URL = "https://files.example.com/a.mp4"


def test_files_are_found_wherever_they_stand() -> None:
    shapes = (
        URL,
        [URL],
        {"video": {"url": URL}},
        {"video_url": URL, "cost": 0.3},
        {"images": [{"url": URL, "content_type": "image/png", "file_size": 12}]},
        {"image": {"url": URL}},
        {"audio": {"url": URL}},
    )
    for shape in shapes:
        assert [one.url for one in media(shape, "video")] == [URL], shape
    for empty in (None, [], {}, {"images": []}, {"error": "x"}, "data:image/png;base64,AA", 4, [None]):
        assert media(empty, "image") == ()
    (one,) = media({"images": [{"url": URL, "content_type": "image/png", "file_size": 12, "width": 4}]}, "image")
    assert (one.kind, one.content_type, one.size, one.meta) == ("image", "image/png", 12, {"width": 4})


def test_a_result_may_say_that_it_was_withheld() -> None:
    assert flagged({"has_nsfw_concepts": [False, True]})
    assert flagged({"has_nsfw_contents": [True]})
    assert not flagged({"has_nsfw_concepts": [False]})
    assert not flagged({"images": []})
    assert not flagged([URL])


def test_word_times_lie_on_the_text() -> None:
    text = "“The tide,” she said, turns. İt turns!"
    stamps = [
        {"word": "The", "start": 0.0, "end": 0.2},
        {"text": " tide", "start": 0.2, "end": 0.5},
        {"word": " ", "start": 0.5, "end": 0.5},
        {"word": "she", "start": 0.7, "end": 0.9},
        {"word": "missing", "start": 0.9, "end": 1.0},
        {"word": "turns", "start": 1.1, "end": 1.4},
        {"word": "turns", "start": 1.9, "end": None},
        "noise",
    ]
    words = word_times(stamps, text)
    assert [text[word.start : word.end] for word in words] == ["The", "tide", "she", "turns"]
    assert [word.start_ms for word in words] == [0, 200, 700, 1100]
    assert details({"seed": 3, "timestamps": stamps}, text)["words"][1]["end_ms"] == 500


@given(st.lists(st.tuples(st.sampled_from(["a", "tide", "The", "x y", ""]), st.floats(0, 60), st.floats(0, 60))))
def test_word_times_never_run_backwards(stamps: list[tuple[str, float, float]]) -> None:
    words = word_times([{"word": w, "start": s, "end": e} for w, s, e in stamps], "The tide a tide x y The a")
    for before, after in pairwise(words):
        assert before.end <= after.start
        assert before.start_ms <= after.start_ms
    assert all(word.start_ms <= word.end_ms for word in words)
