"""A picture as the film form's planes: 8-bit Y, U and V (BT.709, limited range), U and V at half width and height.

Frames are warped and painted in planes, because that is what the encoder takes: no conversion per frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import FilmForm
from pipeline.errors import BadMedia

Plane = NDArray[np.uint8]

BLACK = (16, 128, 128)
# Rows give Y, U, V from R, G, B in 0..255.
FROM_RGB = np.array(
    [
        [0.182586, 0.614231, 0.062007, 16],
        [-0.100644, -0.338572, 0.439216, 128],
        [0.439216, -0.398942, -0.040274, 128],
    ],
    dtype=np.float32,
)


@dataclass(frozen=True, slots=True)
class Planes:
    """Three planes that are views of one buffer, as the encoder wants it; of odd sizes the last line is left out."""

    buffer: Plane
    y: Plane
    u: Plane
    v: Plane

    @staticmethod
    def empty(width: int, height: int) -> Planes:
        return Planes.over(np.empty(width * height * 3 // 2, np.uint8), width, height)

    @staticmethod
    def over(buffer: Plane, width: int, height: int) -> Planes:
        luma, chroma = width * height, width * height // 4
        half = (height // 2, width // 2)
        return Planes(
            buffer,
            buffer[:luma].reshape(height, width),
            buffer[luma : luma + chroma].reshape(half),
            buffer[luma + chroma :].reshape(half),
        )

    @staticmethod
    def of_form(form: FilmForm) -> Planes:
        return Planes.empty(form.width, form.height)


def load(picture: Path, enough: tuple[float, float]) -> tuple[Planes, tuple[int, int]]:
    """A picture file's planes, and their (width, height) as loaded. U and V lie in the middle of their four pixels.

    A picture larger than `enough` (width, height) both ways is made smaller first: warping it as it is would flicker.
    Raises BadMedia for what is no picture.
    """
    import cv2

    pixels = cv2.imread(str(picture), cv2.IMREAD_COLOR)
    if pixels is None:
        raise BadMedia(f"{picture.name} is no picture that can be read.")
    height, width = pixels.shape[:2]
    scale = max(enough[0] / width, enough[1] / height)
    if scale < 1:
        width, height = round(width * scale), round(height * scale)
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    if height % 2 or width % 2:
        pixels = cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    full = np.clip(cv2.transform(pixels, FROM_RGB[:, [2, 1, 0, 3]]), 0, 255).astype(np.uint8)
    planes = Planes.empty(full.shape[1], full.shape[0])
    planes.y[:] = full[:, :, 0]
    half = (full.shape[1] // 2, full.shape[0] // 2)
    planes.u[:] = cv2.resize(full[:, :, 1], half, interpolation=cv2.INTER_AREA)
    planes.v[:] = cv2.resize(full[:, :, 2], half, interpolation=cv2.INTER_AREA)
    return planes, (width, height)


def from_rgb(pixels: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """R, G, B in 0..255 along the last axis → Y, U, V there."""
    yuv: NDArray[np.floating[Any]] = pixels @ FROM_RGB[:, :3].T + FROM_RGB[:, 3]
    return yuv


def to_rgb(yuv: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The other way round."""
    rgb = (yuv - FROM_RGB[:, 3]) @ np.linalg.inv(FROM_RGB[:, :3]).T
    return np.clip(np.round(rgb), 0, 255).astype(np.uint8)
