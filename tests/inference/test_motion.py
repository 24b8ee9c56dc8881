"""Motion: exactly the frames asked for, in film form, gliding, with colour and light in the same place."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import CameraMove, FilmForm
from pipeline.drawn import ClipMeta, DrawnMeta
from pipeline.errors import BadMedia
from pipeline.film import ffmpeg
from pipeline.inference import motion
from pipeline.inference.planes import Planes

FORM = FilmForm(width=640, height=360)
SMOOTH_PX = 0.06  # per frame per frame
META = DrawnMeta(engine="test")


def textured(path: Path, width: int = 800, height: int = 450) -> Path:
    noise = np.random.default_rng(5).random((height, width, 3)).astype(np.float32)
    picture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    cv2.imwrite(str(path), picture.astype(np.uint8))
    return path


def decoded(clip: Path, form: FilmForm, frames: int) -> list[Planes]:
    with ffmpeg.decoder(clip, form, frames) as film:
        return [Planes.over(np.frombuffer(raw, np.uint8), form.width, form.height) for raw in film]


@pytest.mark.parametrize("move", get_args(CameraMove))
def test_a_clip_has_its_frames_and_the_film_form(tmp_path: Path, move: CameraMove) -> None:
    picture = textured(tmp_path / "picture.png")
    meta = motion.animate(picture, META, move, 37, FORM, 11, tmp_path / "clip.mp4")
    assert meta == ClipMeta(
        engine=meta.engine, move=move, seed=11, image_width=800, image_height=450, picture=META, frames=37
    )
    film = ffmpeg.decode_check(tmp_path / "clip.mp4")
    assert (film.frames, film.steady) == (37, True)
    clip = ffmpeg.probe(tmp_path / "clip.mp4")
    assert (clip.codec, clip.pix_fmt, clip.width, clip.height) == ("h264", "yuv420p", 640, 360)
    assert (clip.fps, clip.frames, clip.duration_ms) == (24, 37, 1542)


@pytest.mark.parametrize("size", [(300, 200), (451, 803), (3000, 1000), (64, 64)])
def test_pictures_of_any_size_fill_the_frame(tmp_path: Path, size: tuple[int, int]) -> None:
    picture = textured(tmp_path / "picture.png", *size)
    motion.animate(picture, META, "push_in", 3, FORM, 1, tmp_path / "clip.mp4")
    for frame in decoded(tmp_path / "clip.mp4", FORM, 3):
        assert frame.y[:, [0, -1]].min() > 20 and frame.y[[0, -1]].min() > 20


def test_the_same_request_gives_the_same_clip(tmp_path: Path) -> None:
    picture = textured(tmp_path / "picture.png")
    for name in ("a.mp4", "b.mp4"):
        motion.animate(picture, META, "hold", 12, FORM, 3, tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


@pytest.mark.parametrize("move", ["hold", "push_in", "pan_left", "tilt_down"])
def test_the_camera_glides(tmp_path: Path, move: CameraMove) -> None:
    """The jitter that is seen: how the picture's step from frame to frame changes, measured in the decoded clip."""
    picture = textured(tmp_path / "picture.png")
    frames = 60
    motion.animate(picture, META, move, frames, FORM, 4, tmp_path / "clip.mp4")
    film = [frame.y.astype(np.float64) for frame in decoded(tmp_path / "clip.mp4", FORM, frames)]
    steps = np.array([shift(before, after) for before, after in pairwise(film)])
    jitter = np.sqrt((np.diff(steps, axis=0)[1:-1] ** 2).mean())
    assert jitter <= SMOOTH_PX


def shift(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the middle of the picture has moved (x, y), by least squares over the gradients."""
    window = np.s_[80:280, 160:480]
    down, across = np.gradient((before + after) / 2)
    gradients = np.stack([across[window].ravel(), down[window].ravel()], axis=1)
    moved: NDArray[np.float64] = np.linalg.lstsq(gradients, (before - after)[window].ravel(), rcond=None)[0]
    return moved


def test_frames_follow_the_cameras_path_to_a_hundredth_of_a_pixel() -> None:
    """The warp by itself, against sampling in double precision."""
    picture = cv2.GaussianBlur(np.random.default_rng(2).integers(0, 256, (450, 800)).astype(np.uint8), (0, 0), 4)
    picture = cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)
    path, _ = motion.paths("push_in", 24, 9, (800, 450), FORM, META)
    warped = Planes.of_form(FORM).y
    rows, columns = np.mgrid[100:260, 200:440].astype(np.float64)
    for matrix in path[::5]:
        motion.warp(picture, matrix, warped)
        x, y = (columns - matrix[0, 2]) / matrix[0, 0], (rows - matrix[1, 2]) / matrix[1, 1]
        exact = sampled(picture.astype(np.float64), x, y)
        down, across = np.gradient(exact)
        gradients = np.stack([across.ravel(), down.ravel()], axis=1)
        off = np.linalg.lstsq(gradients, (warped[100:260, 200:440] - exact).ravel(), rcond=None)[0]
        assert np.abs(off).max() < 0.01


def sampled(plane: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, down = x - left, y - top
    upper = plane[top, left] * (1 - right) + plane[top, left + 1] * right
    lower = plane[top + 1, left] * (1 - right) + plane[top + 1, left + 1] * right
    exact: NDArray[np.float64] = upper * (1 - down) + lower * down
    return exact


@pytest.mark.parametrize("move", ["push_in", "pan_right"])
def test_colour_stays_on_its_shape(tmp_path: Path, move: CameraMove) -> None:
    """A bright red disc on blue: its middle is the same in Y, in U and in V (which H.264 sites on the left)."""
    picture = np.full((450, 800, 3), (120, 40, 20), np.uint8)
    cv2.circle(picture, (390, 215), 90, (40, 40, 230), -1, cv2.LINE_AA)
    cv2.imwrite(str(tmp_path / "disc.png"), picture)
    motion.animate(tmp_path / "disc.png", META, move, 9, FORM, 2, tmp_path / "clip.mp4")
    for frame in decoded(tmp_path / "clip.mp4", FORM, 9):
        x, y = middle(frame.y.astype(float))
        for plane in (255 - frame.u.astype(float), frame.v.astype(float)):
            half_x, half_y = middle(plane)
            assert abs(2 * half_x - x) < 0.2
            assert abs(2 * half_y + 0.5 - y) < 0.2


def middle(plane: NDArray[np.float64]) -> tuple[float, float]:
    weight = plane - np.median(plane[:20])
    rows, columns = np.indices(plane.shape)
    return float((weight * columns).sum() / weight.sum()), float((weight * rows).sum() / weight.sum())


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "page.png").write_text("<html>")
    for name in ("page.png", "missing.png"):
        with pytest.raises(BadMedia):
            motion.animate(tmp_path / name, META, "hold", 3, FORM, 1, tmp_path / "clip.mp4")
    assert not (tmp_path / "clip.mp4").exists()
