"""The camera: where each frame of a shot looks in its picture. Pure, and the same for whoever asks.

Motion warps a picture along this path, and lip motion finds the faces again by it, so both have to get equal
numbers for equal arguments. Positions are sub-pixel; a window never leaves its picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, pi, sin
from random import Random

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import CameraMove, FilmForm

_FULL_MOVE_FRAMES = 144  # a shot this long gets a move's full extent, a shorter one its share
_PUSH = 0.11  # how much larger things get in a full push in
_DRIFT = 0.03  # the same for "hold", which never stands quite still
_PAN_PX = 1.15  # per frame, at a frame 1280 wide
_TILT_PX = 0.85
_PARALLAX = 0.5  # of the camera's way that what is farthest is left behind by
_MARGIN = 1.02  # zoom that is always kept, so that a drift has somewhere to go
_PAN_MOST = 0.15  # of the frame's side
_EASE_PX = 0.03  # the most acceleration that easing may bring, in pixels per frame per frame
_EASE_MOST = 0.6  # of the speed: a move never quite stops, or a cut would look like a halt


@dataclass(frozen=True, slots=True)
class View:
    """What one frame shows: a window of the film's shape, centred at (`x`, `y`), fractions of the picture.

    `zoom` 1 is the largest such window that fits; at 2 the window is half as wide.
    """

    zoom: float
    x: float
    y: float


def path(
    move: CameraMove,
    frames: int,
    seed: int,
    *,
    image_size: tuple[int, int],
    form: FilmForm,
    focus: tuple[float, float] = (0.5, 0.5),
) -> list[View]:
    """One View a frame. `image_size` is (width, height) in pixels, `focus` what to keep in view (fractions)."""
    lens = _Lens(image_size, form, focus)
    return _path(lens, move, frames, seed)


def _path(lens: _Lens, move: CameraMove, frames: int, seed: int) -> list[View]:
    start, end = _ends(move, frames, Random(seed), lens)
    ease = _easing(frames, lens.travel(start, end))
    steps = [frame / max(1, frames - 1) for frame in range(frames)]
    return [lens.between(start, end, step - ease * sin(2 * pi * step) / (2 * pi)) for step in steps]


def matrices(
    move: CameraMove,
    frames: int,
    seed: int,
    *,
    image_size: tuple[int, int],
    form: FilmForm,
    focus: tuple[float, float] = (0.5, 0.5),
    depth: float = 1.0,
) -> NDArray[np.float64]:
    """The same path as affine matrices picture → frame, shape (frames, 2, 3), for `cv2.warpAffine`.

    They act on pixel positions as OpenCV counts them: a pixel's centre lies at whole numbers. What is farther than
    `depth` 1 moves less, what is nearer more; at the first frame everything lies as in the picture. A window for
    something nearer may leave the picture.
    """
    lens = _Lens(image_size, form, focus)
    views = _path(lens, move, frames, seed)
    first, share = views[0], 1 + _PARALLAX * (depth - 1)
    return np.stack([lens.matrix(_towards(first, view, share)) for view in views])


def _towards(start: View, end: View, share: float) -> View:
    """So much of the way from the one view to the other."""
    zoom = start.zoom * (end.zoom / start.zoom) ** share
    return View(zoom, start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share)


def halved(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same motion for planes of half the width and height (U and V), for one matrix or many."""
    chroma = matrix.copy()
    scale = matrix[..., 0, 0, None]
    chroma[..., 2] = (matrix[..., 2] + 0.5 - 0.5 * scale) / 2 + 0.5 * scale - 0.5
    return chroma


class _Lens:
    """A picture seen through a film form: what fits, and how far things move."""

    def __init__(self, image_size: tuple[int, int], form: FilmForm, focus: tuple[float, float]) -> None:
        self.width, self.height = image_size
        self.form = form
        self.focus = focus
        window = min(self.width, self.height * form.width / form.height)
        self.window = (window / self.width, window * form.height / form.width / self.height)

    def inside(self, zoom: float, x: float, y: float, *, spare_x: float = 0.0, spare_y: float = 0.0) -> View:
        """The View nearest to this one that shows nothing beyond the picture, with so much to spare each way."""
        half_x, half_y = self.window[0] / zoom / 2 + spare_x, self.window[1] / zoom / 2 + spare_y
        return View(zoom, min(max(x, half_x), 1 - half_x), min(max(y, half_y), 1 - half_y))

    def matrix(self, view: View) -> NDArray[np.float64]:
        scale = self.form.width * view.zoom / (self.window[0] * self.width)
        left = view.x * self.width - self.form.width / scale / 2
        top = view.y * self.height - self.form.height / scale / 2
        return np.array([[scale, 0, scale * (0.5 - left) - 0.5], [0, scale, scale * (0.5 - top) - 0.5]])

    def between(self, start: View, end: View, at: float) -> View:
        """The view at a share of the way: zoom grows evenly to the eye, and the centre moves straight with it."""
        zoom = start.zoom * (end.zoom / start.zoom) ** at
        way = at
        if abs(end.zoom - start.zoom) > 1e-9:
            way = (1 / start.zoom - 1 / zoom) / (1 / start.zoom - 1 / end.zoom)
        return self.inside(zoom, start.x + (end.x - start.x) * way, start.y + (end.y - start.y) * way)

    def travel(self, start: View, end: View) -> float:
        """How many frame pixels the fastest corner moves from the one view to the other."""
        a, b = self.matrix(start), self.matrix(end)
        corners = [(x, y) for x in (0, self.form.width) for y in (0, self.form.height)]
        moves = (b[:, :2] @ np.linalg.solve(a[:, :2], corner - a[:, 2]) + b[:, 2] - corner for corner in corners)
        return max(hypot(*move) for move in moves)


def _ends(move: CameraMove, frames: int, chance: Random, lens: _Lens) -> tuple[View, View]:
    share = min(1.0, frames / _FULL_MOVE_FRAMES)
    focus_x, focus_y = lens.focus
    if move in ("push_in", "pull_out"):
        close = lens.inside(_MARGIN * (1 + _PUSH * share), focus_x, focus_y)
        wide = lens.inside(_MARGIN, close.x, close.y)
        return (wide, close) if move == "push_in" else (close, wide)
    if move == "hold":
        angle = chance.uniform(0, 2 * pi)
        reach = _DRIFT * share / 4
        near = lens.inside(_MARGIN * (1 + _DRIFT * share), focus_x, focus_y)
        far = lens.inside(_MARGIN, near.x + reach * cos(angle), near.y + reach * sin(angle))
        return (far, near) if chance.random() < 0.7 else (near, far)
    sideways = move in ("pan_left", "pan_right")
    side = lens.form.width if sideways else lens.form.height
    speed = (_PAN_PX if sideways else _TILT_PX) * max(lens.form.width, lens.form.height) / 1280
    extent = min(_PAN_MOST, speed * frames / side)
    zoom = _MARGIN + extent
    reach = extent / zoom * lens.window[0 if sideways else 1] / 2
    x, y = (reach, 0.0) if sideways else (0.0, reach)
    middle = lens.inside(zoom, focus_x, focus_y, spare_x=x, spare_y=y)
    before, after = View(zoom, middle.x - x, middle.y - y), View(zoom, middle.x + x, middle.y + y)
    return (before, after) if move in ("pan_right", "tilt_down") else (after, before)


def _easing(frames: int, travel_px: float) -> float:
    """How much of the speed is taken from the ends of the move (0.._EASE_MOST): as much as keeps the motion smooth."""
    if travel_px < 1e-6:
        return 0.0
    return min(_EASE_MOST, _EASE_PX * frames**2 / (2 * pi * travel_px))
