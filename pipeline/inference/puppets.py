"""How the figures of a picture move in its clip: they breathe, blink, walk, run and fly. Pure, and the same for whoever
asks, because lip motion has to find each face again where motion has put it.
"""

from __future__ import annotations

from hashlib import sha256
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

from pipeline.drawn import Figure
from pipeline.inference.drawing.pose import PERIOD_S, STRIDES, Pose, drop, later

Matrix = NDArray[np.float64]

_OPEN, _SHUT = 0, 1  # the poses of one who stays
_BREATH = 0.013  # of the head's height, how far it rises
_SWAY = 0.016  # of the head's height, how far it leans to either side
_BLINK_S = 0.13
_SEEN_BLINKING = 0.03  # of the picture's height: smaller heads do not blink
_SLOWEST_S = {"walk": 1.6, "run": 0.95, "fly": 0.55}  # a double step, where there is little room
_BOB = 0.035  # of the head's height, in a walk seen from the waist up


class Puppet:
    """One figure over the frames of a clip of a picture of `size` (width, height) pixels."""

    def __init__(self, figure: Figure, frames: int, fps: int, size: tuple[int, int]) -> None:
        self._figure, self._fps, self._size = figure, fps, size
        lots = sha256(figure.name.casefold().encode("utf-8", "surrogatepass")).digest()
        self._lots = [lot / 256 for lot in lots]
        self._frames = frames
        self._travel, self._period_s = _journey(figure, frames / fps)

    def pose(self, frame: int) -> int:
        """Which of the figure's drawn poses is seen."""
        if self._figure.gait in PERIOD_S:
            return round(frame / self._fps / self._period_s * STRIDES) % STRIDES
        blinks = self._figure.gait != "sleep" and self._figure.head >= _SEEN_BLINKING
        return _SHUT if blinks and self._blinks(frame) else _OPEN

    def _blinks(self, frame: int) -> bool:
        """Every few seconds, now and then twice; never at a cut."""
        time = frame / self._fps + 7.0 * self._lots[0]
        every = 2.6 + 1.8 * self._lots[1]
        since = time % every
        twice = int(time / every) % 3 == 1 and 2.2 * _BLINK_S <= since < 3.2 * _BLINK_S
        return 5 < frame < self._frames - 5 and (since < _BLINK_S or twice)

    def place(self, frame: int) -> Matrix:
        """Picture → picture (3x3, pixel positions as OpenCV counts them): where the figure is by then."""
        figure, (width, height) = self._figure, self._size
        foot_x, foot_y = figure.foot_x * width - 0.5, figure.foot_y * height - 0.5
        time, rise, head = frame / self._fps, max(figure.rise, 0.01), figure.head
        start = self._breath(0.0) if figure.gait != "bob" else (0.0, 0.0)
        lift, lean = (now - then for now, then in zip(self._breath(time), start, strict=True))
        stretch, tilt = lift * head / rise, lean * head / rise
        if figure.gait == "sleep":
            stretch, tilt = lift * 0.6, 0.0
        move_x, move_y = self._travel * width * frame / max(1, self._frames - 1), 0.0
        if figure.gait in ("walk", "run"):
            stretch = tilt = 0.0
        elif figure.gait == "bob":
            stretch, tilt = 0.0, 0.4 * tilt
            move_y = -_BOB * head * height * (1 - cos(4 * pi * time / PERIOD_S["walk"])) / 2
        elif figure.gait == "fly":
            stretch, tilt = 0.0, 0.0
            move_y = 0.25 * head * height * (sin(2 * pi * time / self._period_s + 4.4) - sin(4.4))
        # Leaning by shearing keeps the feet where they are, and uprights nearly upright.
        a = np.array([[1 - 0.3 * stretch, -tilt, 0.0], [0.0, 1 + stretch, 0.0], [0.0, 0.0, 1.0]])
        a[:2, 2] = (foot_x + move_x, foot_y + move_y) - a[:2, :2] @ (foot_x, foot_y)
        return a

    def head(self, frame: int) -> Matrix:
        """The same for what is on the head, which sinks and rises with the steps within the drawn poses."""
        a = self.place(frame)
        if self._figure.gait in ("walk", "run") and self._figure.leg:
            step = Pose(stance=self._figure.gait)
            sunk = drop(later(step, self.pose(frame))) - drop(later(step, 0))
            a[1, 2] += sunk * self._figure.leg * self._size[1]
        return a

    def _breath(self, time: float) -> tuple[float, float]:
        """(rise, lean) in heads."""
        breath = sin(2 * pi * (time / (3.1 + self._lots[2]) + self._lots[3]))
        sway = sin(2 * pi * (time / (5.2 + 2 * self._lots[4]) + self._lots[5]))
        return _BREATH * breath, _SWAY * sway


def _journey(figure: Figure, seconds: float) -> tuple[float, float]:
    """How far the figure goes, as a share of the picture's width, and how long it takes for a double step."""
    if figure.gait not in PERIOD_S:
        return 0.0, 1.0
    gone = min(figure.pace * seconds, abs(figure.reach))
    period = figure.stride * seconds / gone if gone > 0 else _SLOWEST_S[figure.gait]
    period = min(_SLOWEST_S[figure.gait], max(0.8 * PERIOD_S[figure.gait], period))
    return (gone if figure.reach >= 0 else -gone), period
