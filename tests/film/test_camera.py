"""The camera: smooth, sub-pixel, never outside its picture, and equal for whoever asks."""

from __future__ import annotations

import typing
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.contracts import CameraMove, FilmForm
from pipeline.film import camera, ffmpeg

MOVES: tuple[CameraMove, ...] = typing.get_args(CameraMove)
FORMS = [FilmForm.of("16:9"), FilmForm.of("9:16"), FilmForm.of("1:1"), FilmForm(width=320, height=180)]
MOST_JITTER = 0.06  # pixels per frame per frame

share = st.floats(0, 1)


def tracked(matrices: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Where nine points of the picture lie in each frame, shape (frames, 9, 2)."""
    points = np.array([(size[0] * x, size[1] * y) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9)])
    return np.einsum("nij,pj->npi", matrices[:, :, :2], points) + matrices[:, None, :, 2]


@given(
    st.sampled_from(MOVES),
    st.integers(1, 190),
    st.integers(0, 2**32),
    st.sampled_from([(1600, 900), (900, 1600), (1200, 1200), (640, 361), (3000, 900)]),
    st.sampled_from(FORMS),
    st.tuples(share, share),
)
def test_every_move_stays_inside_and_is_smooth(
    move: CameraMove, frames: int, seed: int, size: tuple[int, int], form: FilmForm, focus: tuple[float, float]
) -> None:
    matrices = camera.matrices(move, frames, seed, image_size=size, form=form, focus=focus)
    assert matrices.shape == (frames, 2, 3)
    edges = np.array([(-0.5, -0.5), (form.width - 0.5, form.height - 0.5)])
    seen = np.stack([np.linalg.solve(m[:, :2], (edges - m[:, 2]).T).T for m in matrices])
    assert seen.min() >= -0.5 - 1e-6
    assert (seen <= np.array(size) - 0.5 + 1e-6).all()
    # A picture much larger or of another shape than the form has points far outside the frame; judge what is seen.
    places = tracked(matrices, size)
    visible = ((places >= 0) & (places <= (form.width, form.height))).all(axis=(0, 2))
    if frames > 2 and visible.any():
        acceleration = np.diff(places[:, visible], n=2, axis=0)
        assert np.hypot(acceleration[..., 0], acceleration[..., 1]).max() <= MOST_JITTER


def test_moves_go_where_their_names_say() -> None:
    form, size = FORMS[0], (1600, 900)
    ways = {
        move: np.subtract(*tracked(camera.matrices(move, 120, 1, image_size=size, form=form), size)[[-1, 0]])
        for move in MOVES
    }
    assert (ways["pan_left"][:, 0] > 100).all()  # the camera goes left, things go right
    assert (ways["pan_right"][:, 0] < -100).all()
    assert (ways["tilt_up"][:, 1] > 50).all()
    assert (ways["tilt_down"][:, 1] < -50).all()
    zooms = {move: [view.zoom for view in camera.path(move, 120, 1, image_size=size, form=form)] for move in MOVES}
    assert zooms["push_in"] == sorted(zooms["push_in"])
    assert zooms["push_in"][-1] > 1.08 * zooms["push_in"][0]
    assert zooms["pull_out"] == sorted(zooms["pull_out"], reverse=True)
    assert max(zooms["pan_left"]) == min(zooms["pan_left"])


@pytest.mark.parametrize("move", MOVES)
def test_nothing_looks_frozen_or_is_enlarged(move: CameraMove) -> None:
    """Over any half second something moves; a picture drawn 1.25 times as large is never scaled up."""
    form, size = FORMS[0], (1600, 900)
    for frames in (12, 60, 180):
        matrices = camera.matrices(move, frames, 5, image_size=size, form=form)
        way = np.diff(tracked(matrices, size)[::12], axis=0)
        assert (np.hypot(way[..., 0], way[..., 1]).max(axis=1) > 0.5).all()
        assert matrices[:, 0, 0].max() <= 1.0


def test_equal_arguments_give_equal_paths() -> None:
    form, size = FORMS[1], (900, 1600)
    again = [camera.matrices("hold", 50, 7, image_size=size, form=form, focus=(0.3, 0.6)) for _ in range(2)]
    assert (again[0] == again[1]).all()
    assert not (camera.matrices("hold", 50, 8, image_size=size, form=form, focus=(0.3, 0.6)) == again[0]).all()


def test_motion_keeps_the_focus_in_view() -> None:
    form, size = FORMS[0], (1600, 900)
    views = camera.path("push_in", 144, 0, image_size=size, form=form, focus=(0.2, 0.7))
    assert views[-1].x < 0.5
    assert views[-1].y > 0.5


@pytest.mark.parametrize("move", ["push_in", "pan_left", "hold"])
def test_jitter_on_the_decoded_picture(move: CameraMove, tmp_path: Path) -> None:
    """A picture warped along the path, encoded and decoded, moves as smoothly as the numbers say."""
    form, size, frames = FilmForm(width=640, height=360), (800, 450), 48
    chance = np.random.default_rng(1)
    picture = np.full(size[::-1], 110, np.uint8)
    for x, y, radius, light in zip(
        chance.uniform(0, 800, 120),
        chance.uniform(0, 450, 120),
        chance.uniform(4, 30, 120),
        chance.integers(40, 220, 120),
        strict=True,
    ):
        cv2.circle(picture, (int(x), int(y)), int(radius), int(light), -1, cv2.LINE_AA)
    grey = np.full(form.width * form.height // 2, 128, np.uint8).tobytes()
    with ffmpeg.encoder(tmp_path / "moving.mp4", form, frames) as sink:
        for matrix in camera.matrices(move, frames, 3, image_size=size, form=form, focus=(0.4, 0.4)):
            sink.write(cv2.warpAffine(picture, matrix, (form.width, form.height)).tobytes() + grey)
    with ffmpeg.decoder(tmp_path / "moving.mp4", form, frames) as film:
        seen = [np.frombuffer(raw, np.uint8)[: form.width * form.height].reshape(360, 640) for raw in film]
    steps = np.array([step(a, b) for a, b in pairwise(seen)])
    jitter = np.diff(steps, axis=0)
    assert np.sqrt((jitter**2).sum(axis=-1).mean()) <= MOST_JITTER
    assert np.hypot(*steps.reshape(-1, 2).T).max() > 0.2


def step(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far nine places of one frame have moved in the next, from all that can be tracked."""
    points = cv2.goodFeaturesToTrack(before, 200, 0.01, 8)
    found, state, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, winSize=(21, 21))
    ok = state.ravel() == 1
    motion, _ = cv2.estimateAffinePartial2D(points[ok], found[ok], ransacReprojThreshold=0.5)
    places = np.array([(x, y) for x in (80, 320, 560) for y in (45, 180, 315)], float)
    return np.asarray(places @ motion[:, :2].T + motion[:, 2] - places)


def test_halved_planes_move_alike() -> None:
    """A colour edge stays on its brightness edge: half the position, counted from the corner."""
    form, size = FORMS[0], (1600, 900)
    full = camera.matrices("pull_out", 9, 2, image_size=size, form=form, focus=(0.1, 0.9))
    point = np.array([700.0, 300.0])
    corner = full[:, :, :2] @ (point - 0.5) + full[:, :, 2] + 0.5
    half = camera.halved(full)
    chroma = half[:, :, :2] @ (point / 2 - 0.5) + half[:, :, 2] + 0.5
    assert np.allclose(corner, 2 * chroma)
    assert np.allclose(camera.halved(full[3]), half[3])
