"""Pictures that a user supplied for an entity: what a frame takes over from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.contracts import Look
from pipeline.inference.drawing.palette import hexed

Pixels = np.ndarray[Any, Any]


def picture_of(look: Look, images: dict[str, Path]) -> Pixels | None:
    """The entity's picture as BGR, if it came from the user or another engine and can be read; else None."""
    path = images.get(look.name)
    if look.image is None or path is None or str(look.image.meta.get("engine", "")).startswith("drawing/"):
        return None
    return cv2.imread(str(path), cv2.IMREAD_COLOR) if path.is_file() else None


def colours_of(portrait: Pixels) -> tuple[str, str]:
    """The (hair, clothes) colours of a portrait: those of its upper and of its lower middle."""
    return _median(portrait, 0.06, 0.20), _median(portrait, 0.68, 0.94)


def _median(pixels: Pixels, top: float, bottom: float) -> str:
    height, width = pixels.shape[:2]
    rows = pixels[int(height * top) : max(int(height * bottom), int(height * top) + 1)]
    part = rows[:, int(width * 0.36) : max(int(width * 0.64), int(width * 0.36) + 1)]
    b, g, r = np.median(part.reshape(-1, 3), axis=0)
    return hexed((float(r) / 255, float(g) / 255, float(b) / 255))


def cropped(pixels: Pixels, zoom: float, at: tuple[float, float]) -> Pixels:
    """The part of a picture that a camera at `zoom` sees around a point (fractions of the picture)."""
    height, width = pixels.shape[:2]
    cut_w, cut_h = max(1, int(width / zoom)), max(1, int(height / zoom))
    left, top = int((width - cut_w) * at[0]), int((height - cut_h) * at[1])
    return pixels[top : top + cut_h, left : left + cut_w]
