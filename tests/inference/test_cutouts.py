"""Clips of drawn pictures: sheets pass each other, figures breathe, blink and walk, weather falls, nothing jumps."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import CameraMove, FilmForm, FrameBrief
from pipeline.drawn import ClipMeta, DrawnMeta, Face
from pipeline.film import ffmpeg
from pipeline.inference import lips, motion
from pipeline.inference.drawing import draw_frame
from pipeline.inference.planes import Planes
from tests.inference.drawing.kit import FOX, OWL, ROSE, TOM, frame, place
from tests.inference.test_lips import voice

FORM = FilmForm(width=640, height=360)
SIZE = (800, 450)
Film = NDArray[np.int16]  # frames, rows, columns of luma


def filmed(folder: Path, brief: FrameBrief, move: CameraMove, frames: int) -> tuple[ClipMeta, Film]:
    picture, clip = folder / "frame.jpg", folder / "clip.mp4"
    meta = draw_frame(brief, {}, *SIZE, 3, picture)
    made = motion.animate(picture, meta, move, frames, FORM, 5, clip)
    assert made.picture == meta, "the picture was not recognised as the engine's own"
    return made, decoded(clip, frames)


def decoded(clip: Path, frames: int) -> Film:
    with ffmpeg.decoder(clip, FORM, frames) as film:
        return np.stack([Planes.over(np.frombuffer(raw, np.uint8), 640, 360).y for raw in film]).astype(np.int16)


def where(clip: ClipMeta, name: str, frames: int) -> NDArray[np.float64]:
    """Where a mouth is in each frame (x, y), by the path that lip motion goes by."""
    face = face_of(clip, name)
    path = motion.face_path(clip, face, FORM, frames)
    found: NDArray[np.float64] = path @ np.array([face.mouth_x * SIZE[0] - 0.5, face.mouth_y * SIZE[1] - 0.5, 1])
    return found


def face_of(clip: ClipMeta, name: str) -> Face:
    return next(face for face in clip.picture.faces if face.name == name)


def tracked(film: Film, start: NDArray[np.float64], path: NDArray[np.float64], reach: int = 14) -> NDArray[np.float64]:
    """Where what lies about `start` in the first frame is found in every frame, looked for about `path`."""
    x, y = np.round(start).astype(int)
    patch = film[0][y - reach : y + reach, x - reach : x + reach].astype(np.float32)
    found = []
    for picture, (near_x, near_y) in zip(film, np.round(path).astype(int), strict=True):
        left, top = near_x - 2 * reach, near_y - 2 * reach
        window = picture[top : top + 4 * reach, left : left + 4 * reach].astype(np.float32)
        _, _, _, (dx, dy) = cv2.minMaxLoc(cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED))
        found.append((left + dx + reach + start[0] - x, top + dy + reach + start[1] - y))
    return np.array(found)


def test_nearer_sheets_pass_farther_ones(tmp_path: Path) -> None:
    """A camera that goes to the right leaves the near ground behind sooner than the hills."""
    _, film = filmed(tmp_path, frame("wide", at=place("field")), "pan_right", 49)
    first, last = film[0].astype(np.float64), film[-1].astype(np.float64)

    def gone(rows: slice) -> float:
        window = cv2.createHanningWindow((640, rows.stop - rows.start), cv2.CV_64F)
        (dx, _), _ = cv2.phaseCorrelate(first[rows], last[rows], window)
        return -dx

    hills, ground = gone(slice(110, 170)), gone(slice(250, 350))
    assert ground > 8
    assert 0.3 * ground < hills < 0.85 * ground


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> tuple[ClipMeta, Film]:
    brief = frame("wide", ROSE, at=place("snowfield"), action="Rose walks to the hill")
    return filmed(tmp_path_factory.mktemp("walk"), brief, "hold", 60)


def test_who_walks_goes_ahead_and_swings_the_legs(walk: tuple[ClipMeta, Film]) -> None:
    clip, film = walk
    (figure,) = clip.picture.figures
    assert figure.gait == "walk"
    path = where(clip, "Rose", 60)
    steps = np.diff(path[:, 0])
    assert path[-1, 0] - path[0, 0] > 60
    assert (steps > 0).all() and np.ptp(steps) < 1.0  # evenly, without a halt
    feet = round(figure.foot_y * FORM.height)
    wide = []
    for picture, (x, _) in zip(film, path, strict=True):
        below = picture[feet - 14 : feet + 2, round(x) - 50 : round(x) + 50]
        columns = np.nonzero((below < np.median(below) - 45).any(axis=0))[0]
        wide.append(np.ptp(columns))
    assert max(wide) > min(wide) + 12  # apart, and past each other


def test_lip_motion_knows_where_a_walking_face_is(walk: tuple[ClipMeta, Film]) -> None:
    clip, film = walk
    path = where(clip, "Rose", 60)
    face = path + np.array([0.0, -6.0])
    assert np.abs(tracked(film, face[0], face) - face).max() < 2.5


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ClipMeta, Film]:
    folder = tmp_path_factory.mktemp("talk")
    clip, film = filmed(folder, frame("medium", ROSE, TOM, at=place("kitchen"), action="Rose speaks"), "push_in", 96)
    return folder, clip, film


def test_everybody_blinks_now_and_then_and_never_at_a_cut(talk: tuple[Path, ClipMeta, Film]) -> None:
    _, clip, film = talk
    for person in (ROSE, TOM):
        head = next(one.head for one in clip.picture.figures if one.name == person.name) * FORM.height
        dark = []
        for picture, (x, y) in zip(film, where(clip, person.name, 96), strict=True):
            eyes = picture[
                round(y - 0.42 * head) : round(y - 0.2 * head), round(x - 0.3 * head) : round(x + 0.3 * head)
            ]
            dark.append((eyes < 60).sum())
        open_eyes = np.median(dark)
        shut = np.array(dark) < 0.75 * open_eyes
        assert 2 <= shut.sum() <= 24, person.name
        assert not shut[:4].any() and not shut[-4:].any()


def test_who_stands_breathes_and_keeps_the_feet(tmp_path: Path) -> None:
    clip, _ = filmed(tmp_path, frame("close_up", OWL, at=place("forest")), "hold", 96)
    still = clip.model_copy(update={"picture": clip.picture.model_copy(update={"figures": ()})})
    moved = where(clip, "Owl", 96) - where(still, "Owl", 96)
    assert moved[0] == pytest.approx((0, 0), abs=0.01)  # the clip begins as the picture
    assert 1.5 < np.ptp(moved[:, 1]) < 8
    assert np.abs(np.diff(moved, 2, axis=0)).max() < 0.1


@pytest.mark.parametrize(
    ("brief", "move"),
    [
        (frame("wide", ROSE, TOM, at=place("village green", "dusk"), action="they run"), "pan_right"),
        (frame("medium", FOX, OWL, at=place("forest", "day", "snow"), action="argue"), "push_in"),
        (frame("wide", ROSE, at=place("open sea", "night", "storm")), "hold"),
        (frame("wide", OWL, at=place("street", "day", "wind"), action="walks"), "tilt_up"),
    ],
    ids=["running", "talking in snow", "storm at sea", "a windy street"],
)
def test_nothing_jumps_within_a_shot(tmp_path: Path, brief: FrameBrief, move: CameraMove) -> None:
    """A sheet or a figure that jumps changes one frame more than those around it."""
    _, film = filmed(tmp_path, brief, move, 48)
    change = np.array([np.abs(after - before).mean() for before, after in pairwise(film)])
    assert change.min() > 0.05  # it lives
    assert change.max() < 1.6 * np.median(change) + 0.1


def test_rain_falls_for_as_long_as_it_likes(tmp_path: Path) -> None:
    """The page of rain meets itself: its seam is not to be seen."""
    _, film = filmed(tmp_path, frame("wide", at=place("desert", "night", "rain")), "hold", 40)
    change = np.abs(np.diff(film, axis=0)).astype(np.float64)
    rows = change.mean(axis=(0, 2))
    assert rows.min() > 0.35 * np.median(rows)


def test_the_same_drawn_picture_gives_the_same_clip(tmp_path: Path) -> None:
    brief = frame("wide", ROSE, FOX, at=place("beach", "dawn", "snow"), action="Rose walks")
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        filmed(tmp_path / name, brief, "pan_left", 12)
        digests.add(hashlib.sha256((tmp_path / name / "clip.mp4").read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_picture_from_elsewhere_is_one_sheet(tmp_path: Path) -> None:
    """Whatever its comment and its description say."""
    picture = tmp_path / "frame.jpg"
    meta = draw_frame(frame("wide", ROSE), {}, *SIZE, 3, picture)
    pixels = cv2.imread(str(picture))
    assert pixels is not None
    cv2.imwrite(str(tmp_path / "copy.jpg"), pixels)
    for file, said in ((tmp_path / "copy.jpg", meta), (picture, DrawnMeta(engine="elsewhere", figures=meta.figures))):
        made = motion.animate(file, said, "hold", 3, FORM, 5, tmp_path / "clip.mp4")
        assert made.picture.figures == ()


def test_mouths_move_where_the_figure_is_and_nowhere_else(talk: tuple[Path, ClipMeta, Film]) -> None:
    folder, clip, film = talk
    sound = voice(folder / "a.wav", seconds=4.0, spoken=(1.0, 3.0))
    lips.sync(folder / "clip.mp4", clip, sound, "Tom", FORM, 96, folder / "lips.mp4")
    after = decoded(folder / "lips.mp4", 96)
    rows, columns = np.mgrid[: FORM.height, : FORM.width]
    reach = face_of(clip, "Tom").mouth_width * FORM.width
    for number, (x, y) in enumerate(where(clip, "Tom", 96)):
        change = np.abs(after[number] - film[number])
        distance = np.hypot(columns - x, rows - y)
        assert change[distance > 1.6 * reach].mean() < 2.0  # what a second encoding does
        seconds = (number + 0.5) / FORM.fps
        inside = change[distance < 0.4 * reach]
        if 1.2 < seconds < 2.8:
            assert inside.max() > 40, number
        elif not 0.8 < seconds < 3.2:
            assert inside.mean() < 5, number
