"""The mouth as it is painted: a small picture with soft edges, for any opening, in the face's own colours.

Everything is in the mouth's own frame: x along it, 1 is its width when closed, the middle of the closed line is (0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.drawn import Face
from pipeline.inference.lip_timing import Mouth

LEFT, TOP = 0.95, 0.62  # how far the painted patch reaches from the middle
DROP = 0.98
_FINE = 4  # drawn this much larger, then averaged: anti-aliasing
_SIDES = 48
_UNLIKE_SKIN = 16
_INSIDE = (0.24, 0.07, 0.09)
_TEETH = (0.95, 0.93, 0.88)
_TONGUE = (0.72, 0.33, 0.35)

Colours = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Patch:
    """What is laid over the face: `rgb` (height, width, 3) in 0..255, and how much of it covers (0..1)."""

    rgb: Colours
    cover: Colours


def patch_size(resolution: int) -> tuple[int, int]:
    """(width, height) of a patch whose mouth is `resolution` pixels wide."""
    return round(2 * LEFT * resolution), round((TOP + DROP) * resolution)


def without_mouth(rgb: NDArray[np.uint8], resolution: int) -> Colours:
    """A patch of the face with the drawn, closed mouth taken away: what differs from the skin is filled from around."""
    import cv2

    height, width = rgb.shape[:2]
    x = np.abs((np.arange(width) + 0.5) / resolution - LEFT)[None, :]
    y = ((np.arange(height) + 0.5) / resolution - TOP)[:, None]
    near = (x / 0.74) ** 2 + (y / np.where(y < 0, 0.21, 0.3)) ** 2 < 1  # a moustache may be close above
    skin = np.median(rgb[near], axis=0)
    other = near & (np.abs(rgb - skin).max(axis=-1) > _UNLIKE_SKIN)
    reach = max(3, resolution // 24 * 2 + 1)
    mask = cv2.dilate(other.astype(np.uint8), np.ones((reach, reach), np.uint8))
    return cv2.inpaint(np.ascontiguousarray(rgb), mask, reach, cv2.INPAINT_TELEA).astype(np.float32)


def painted(face: Face, mouth: Mouth, bare: Colours, resolution: int) -> Patch:
    """The mouth on `bare`: the face around it without a mouth, `patch_size(resolution)` large."""
    import cv2

    width, height = patch_size(resolution)
    canvas: Any = cv2.resize(bare, (width * _FINE, height * _FINE), interpolation=cv2.INTER_LINEAR)
    unit = resolution * _FINE
    outer, inner = _outlines(mouth)
    lip = _colour(face.lip)
    inside = _filled(canvas, inner, unit)
    canvas[_filled(canvas, outer, unit)] = lip
    canvas[inside] = 255 * np.array(_INSIDE) * 0.75 + lip * 0.12
    canvas[inside & _filled(canvas, _tongue(mouth), unit)] = 255 * np.array(_TONGUE)
    canvas[inside & _filled(canvas, _teeth(mouth), unit)] = 255 * np.array(_TEETH)
    rgb: Any = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return Patch(rgb, _cover(width, height, resolution, mouth))


def _outlines(mouth: Mouth) -> tuple[Colours, Colours]:
    """The outer and the inner edge of the lips."""
    half = 0.30 + 0.20 * mouth.width * (1 - 0.25 * mouth.open) + 0.05 * (1 - mouth.open)
    up, down = 0.10 * mouth.open, 0.16 * mouth.open**0.8 + 0.36 * mouth.open * (1.12 - 0.35 * mouth.width)
    lip = 0.055 + 0.02 * (1 - mouth.width)
    return _lens(half + lip * 0.8, up + lip * 0.8, down + lip * 1.1), _lens(half, up, down)


def _lens(half: float, up: float, down: float) -> Colours:
    turn = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    x = half * np.cos(turn)
    y = np.where(np.sin(turn) < 0, up, down) * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.9
    return np.stack([x, y], axis=1).astype(np.float32)


def _teeth(mouth: Mouth) -> Colours:
    _, inner = _outlines(mouth)
    half = float(inner[:, 0].max()) * 0.86
    top = float(inner[:, 1].min())
    depth = top + (0.045 + 0.075 * mouth.width) * min(1.0, mouth.open * 3)
    return np.array([[-half, top - 0.1], [half, top - 0.1], [half * 0.94, depth], [-half * 0.94, depth]], np.float32)


def _tongue(mouth: Mouth) -> Colours:
    _, inner = _outlines(mouth)
    bottom = float(inner[:, 1].max())
    middle = _lens(float(inner[:, 0].max()) * 0.62, 0.42 * bottom, 0.3 * bottom)
    return middle + np.array([0, bottom], np.float32)


def _filled(canvas: Colours, outline: Colours, unit: int) -> NDArray[np.bool_]:
    """Which pixels of the canvas lie inside an outline."""
    import cv2

    mask = np.zeros(canvas.shape[:2], np.uint8)
    points = np.round((outline + np.array([LEFT, TOP], np.float32)) * unit).astype(np.int32)
    cv2.fillPoly(mask, [points], 1)
    return mask > 0


def _cover(width: int, height: int, resolution: int, mouth: Mouth) -> Colours:
    """Full over the mouth, closed or open, and softly nothing towards the edge of the patch."""
    x = (np.arange(width) + 0.5) / resolution - LEFT
    y = (np.arange(height) + 0.5) / resolution - TOP
    low = max(0.36, float(_outlines(mouth)[0][:, 1].max()) + 0.04)
    reach = np.where(y < 0, 0.24, low)
    away = np.sqrt((x[None, :] / 0.74) ** 2 + (y[:, None] / reach[:, None]) ** 2)
    return np.clip((1.22 - away) / 0.22, 0, 1).astype(np.float32)


def _colour(text: str) -> Colours:
    """A colour as "#rrggbb" in numbers of 0..255."""
    return np.array([int(text[at : at + 2], 16) for at in (1, 3, 5)], np.float32)
