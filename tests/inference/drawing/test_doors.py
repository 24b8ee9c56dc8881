"""The two doors: the same request gives the same bytes, in every size and format, whatever the words."""

from __future__ import annotations

import hashlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts import FrameBrief, Look, MediaRef, ReferenceBrief
from pipeline.errors import EngineFailed, NeedsSetup
from pipeline.inference.drawing import draw_frame, draw_reference, shapes
from tests.inference.drawing.kit import FOX, KEY, OWL, ROSE, TOM, frame, place, read

SIZES = [(640, 360), (360, 640), (480, 480)]
FRAMINGS = ["wide", "medium", "close_up", "over_shoulder", "insert"]


def _digest(brief: FrameBrief, out: Path) -> str:
    draw_frame(brief, {}, 640, 360, 5, out)
    return hashlib.sha256(out.read_bytes()).hexdigest()


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_the_same_request_gives_the_same_bytes_in_every_process(tmp_path: Path, suffix: str) -> None:
    brief = frame("medium", ROSE, TOM, at=place("kitchen", "night"), props=(KEY,), action="Rose holds a key")
    here = [_digest(brief, tmp_path / f"{k}{suffix}") for k in range(2)]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = pool.submit(_digest, brief, tmp_path / f"there{suffix}").result()
    assert {*here, there} == {here[0]}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_every_framing_in_every_aspect(tmp_path: Path, framing: str, size: tuple[int, int]) -> None:
    out = tmp_path / "frame.jpg"
    for cast in ((), (ROSE,), (ROSE, TOM, FOX, OWL)):
        meta = draw_frame(frame(framing, *cast, props=(KEY,)), {}, *size, 1, out)
        assert read(out).shape == (size[1], size[0], 3)
        assert meta.engine == "drawing/3"
        assert 0 <= meta.focus_x <= 1 and 0 <= meta.focus_y <= 1


@pytest.mark.parametrize(("look", "size"), [(ROSE, (192, 240)), (place("harbour"), (320, 180)), (KEY, (192, 192))])
def test_references_of_every_kind(tmp_path: Path, look: Look, size: tuple[int, int]) -> None:
    out = tmp_path / "reference.png"
    meta = draw_reference(ReferenceBrief(subject=look), *size, 1, out)
    assert read(out).shape == (size[1], size[0], 3)
    assert len(meta.faces) == (1 if look.kind == "character" else 0)


def test_a_format_it_does_not_write_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed, match="PNG and JPEG"):
        draw_reference(ReferenceBrief(subject=KEY), 64, 64, 1, tmp_path / "key.gif")


def test_missing_graphics_libraries_name_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "skia", None)
    shapes.skia.cache_clear()
    with pytest.raises(NeedsSetup) as raised:
        draw_reference(ReferenceBrief(subject=KEY), 64, 64, 1, tmp_path / "key.png")
    assert "libegl1" in raised.value.hint and "libgl1" in raised.value.hint
    monkeypatch.undo()
    shapes.skia.cache_clear()


ODD = [
    *("", " ", "😀🦊👑", "小红帽在森林里", "الليل في المدينة", "🏳️‍🌈", "\x00\x1b[31m", "\ud800", "'\"\\;--"),
    *("a" * 10_000, "old " * 2_500, "fox-like boy's hat's"),
]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_never_fails(tmp_path: Path, text: str) -> None:
    who = Look(kind="character", name=text, appearance=text, mood=text)
    what = Look(kind="prop", name=text, appearance=text)
    where = Look(kind="set", name=text, appearance=text, mood=text)
    for look in (who, what, where):
        draw_reference(ReferenceBrief(subject=look, style=text), 96, 96, 1, tmp_path / "reference.png")
    brief = frame("medium", who, at=where, props=(what,), action=text, mood=text, style=text, speaker=text)
    draw_frame(brief, {}, 160, 90, 1, tmp_path / "frame.png")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), seed=st.integers(0, 2**63))
def test_any_text_gives_a_picture(tmp_path: Path, text: str, seed: int) -> None:
    who = Look(kind="character", name=text, appearance=text)
    brief = frame("wide", who, ROSE, at=place(text, description=text), action=text, mood=text)
    draw_frame(brief, {}, 160, 90, seed, tmp_path / "frame.png")
    assert read(tmp_path / "frame.png").std() > 5


def test_a_picture_that_the_user_supplied_becomes_the_background(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    draw_reference(ReferenceBrief(subject=place("desert")), 320, 240, 1, photo)
    supplied = MediaRef(sha256="0" * 64, ext="png", size=1, meta={"uploaded": True})
    own = MediaRef(sha256="0" * 64, ext="png", size=1, meta={"engine": "drawing/3"})
    pictures = []
    for image in (supplied, own):
        where = place("forest").model_copy(update={"image": image})
        draw_frame(frame("wide", at=where), {"forest": photo}, 320, 180, 1, tmp_path / "frame.png")
        pictures.append(read(tmp_path / "frame.png").mean(axis=(0, 1)))
    red, green = pictures[0][0] - pictures[0][1], pictures[1][0] - pictures[1][1]
    assert red > green + 10, "the desert's sand, not the forest's green"
