"""A sheet of paper as planes with a cover, laid over a frame's planes where a matrix puts it.

Everything is premultiplied: a plane's samples are already weighted by their cover, so laying a sheet is one
multiplication and one addition, and its edges are right however the sheet is moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.planes import FROM_RGB, Plane, Planes

Matrix = NDArray[np.float64]

# H.264 puts a U or V sample above the left two of its four pixels, a picture's planes have it in their middle.
CHROMA_SHIFT = 0.25
_SOLID = 255
_FROM_BGRA = np.hstack([FROM_RGB[:, [2, 1, 0]], FROM_RGB[:, 3:] / 255]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Layer:
    """Planes weighted by their covers (0..255), U, V and `half` at half width and height; `cover` None: solid."""

    y: Plane
    u: Plane
    v: Plane
    cover: Plane | None
    half: Plane | None
    left: int
    top: int
    page: bool  # a sheet as wide as the picture, whose edges go on beyond it

    def lay(self, frame: Planes, matrix: Matrix) -> None:
        """Lays the sheet over `frame` by a matrix (2x3 or 3x3) from the picture that it is a part of."""
        full = np.array(matrix[:2], np.float64)
        full[:, 2] += full[:, :2] @ (self.left, self.top)
        half = halved(full)
        _lay(self.y, self.cover, frame.y, full, self.page)
        _lay(self.u, self.half, frame.u, half, self.page)
        _lay(self.v, self.half, frame.v, half, self.page)


def layer(pixels: NDArray[np.uint8], grain: NDArray[np.uint8] | None, left: int, top: int, *,
          solid: bool = False, page: bool = False) -> Layer:  # fmt: skip
    """A sheet from its BGRA pixels (premultiplied), with the paper's grain (BGR around 128) on it.

    `page`: it is as wide as the picture, and what it does not cover at its top and foot is left out.
    """
    import cv2

    if page and not solid:
        _, top, _, high = cv2.boundingRect(pixels[:, :, 3])
        pixels = pixels[top : top + max(high, 2)]

    if left % 2 or top % 2 or pixels.shape[0] % 2 or pixels.shape[1] % 2:
        pixels = _bytes(cv2.copyMakeBorder(
            pixels, top % 2, (pixels.shape[0] + top) % 2, left % 2, (pixels.shape[1] + left) % 2,
            cv2.BORDER_CONSTANT, value=(0, 0, 0, 0),
        ))  # fmt: skip
        left, top = left - left % 2, top - top % 2
    height, width = pixels.shape[:2]
    cover = np.ascontiguousarray(pixels[:, :, 3])
    if solid:
        cover = np.full_like(cover, _SOLID)
    if grain is not None:
        own = grain[top : top + height, left : left + width]
        rows, columns = own.shape[:2]
        pixels = pixels.copy()
        pixels[:rows, :columns, :3] = _grained(pixels[:rows, :columns, :3], own, cover[:rows, :columns])
    if solid:
        pixels = np.dstack([pixels[:, :, :3], cover])
    yuv = cv2.transform(pixels, _FROM_BGRA)
    size = (width // 2, height // 2)
    u, v, half = (
        _bytes(cv2.resize(plane, size, interpolation=cv2.INTER_AREA)) for plane in (yuv[..., 1], yuv[..., 2], cover)
    )
    return Layer(
        np.ascontiguousarray(yuv[..., 0]), u, v, None if solid else cover, None if solid else half, left, top, page
    )  # fmt: skip


def _grained(pixels: NDArray[np.uint8], grain: NDArray[np.uint8], cover: Plane) -> NDArray[np.uint8]:
    """Premultiplied pixels with as much of the grain as they cover."""
    import cv2

    share = cv2.merge([cover, cover, cover])
    more = cv2.add(pixels, cv2.multiply(grain, share, scale=1 / _SOLID), dtype=cv2.CV_16S)
    return _bytes(cv2.subtract(more, cv2.convertScaleAbs(share, alpha=128 / _SOLID), dtype=cv2.CV_8U))


def halved(matrix: Matrix) -> Matrix:
    """The same motion for planes of half the width and height (U and V)."""
    chroma = np.array(matrix, np.float64)
    chroma[:, 2] = (matrix[:, 2] + matrix[:, :2] @ (0.5, 0.5) - 0.5) / 2
    chroma[0, 2] += CHROMA_SHIFT
    return chroma


def _lay(source: Plane, cover: Plane | None, target: Plane, matrix: Matrix, page: bool) -> None:
    import cv2

    height, width = source.shape
    corners = matrix @ np.array([[-1, width, -1, width], [-1, -1, height, height], [1, 1, 1, 1]], np.float64)
    left, top = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
    right = min(int(np.ceil(corners[0].max())) + 1, target.shape[1])
    bottom = min(int(np.ceil(corners[1].max())) + 1, target.shape[0])
    if page:
        left, right = 0, target.shape[1]
    if cover is None:
        left, top, bottom = 0, 0, min(bottom, target.shape[0])
    if right <= left or bottom <= top:
        return
    border = cv2.BORDER_REPLICATE if page else cv2.BORDER_CONSTANT
    moved = matrix.copy()
    moved[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    if cover is None:
        cv2.warpAffine(source, moved, size, dst=target[:bottom], flags=cv2.INTER_LINEAR, borderMode=border)
        return
    colour = _bytes(cv2.warpAffine(source, moved, size, flags=cv2.INTER_LINEAR, borderMode=border))
    share = _bytes(cv2.warpAffine(cover, moved, size, flags=cv2.INTER_LINEAR, borderMode=border))
    _blend(colour, share, target[top:bottom, left:right])


def _blend(colour: Plane, share: Plane, under: Plane) -> None:
    import cv2

    kept = cv2.multiply(under, cv2.bitwise_not(share), scale=1 / _SOLID)
    cv2.add(kept, colour, dst=under)


class Falling:
    """A page that meets itself at its edges, laid over frames of its own size wherever it has come to."""

    def __init__(self, pixels: NDArray[np.uint8]) -> None:
        whole = layer(pixels, None, 0, 0, page=False)
        assert whole.cover is not None and whole.half is not None
        self._planes = [
            (np.tile(plane, (2, 2)), np.tile(cover, (2, 2)))
            for plane, cover in ((whole.y, whole.cover), (whole.u, whole.half), (whole.v, whole.half))
        ]

    def lay(self, frame: Planes, x: float, y: float) -> None:
        """Lays it over the frame, moved by so many pixels to the right and down."""
        for (plane, cover), target, share in zip(
            self._planes, (frame.y, frame.u, frame.v), (1.0, 0.5, 0.5), strict=True
        ):
            _blend(_window(plane, target, x * share, y * share), _window(cover, target, x * share, y * share), target)


def _window(tiles: Plane, target: Plane, x: float, y: float) -> Plane:
    """The part of a page laid four times that is seen when it has moved by (x, y)."""
    import cv2

    height, width = target.shape
    left, top = -x % width, -y % height
    whole_x, whole_y = min(int(left), width - 1), min(int(top), height - 1)
    part = tiles[whole_y : whole_y + height + 1, whole_x : whole_x + width + 1]
    shift = np.array([[1, 0, whole_x - left], [0, 1, whole_y - top]], np.float64)
    return _bytes(cv2.warpAffine(part, shift, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _bytes(plane: NDArray[Any]) -> Plane:
    return np.asarray(plane, np.uint8)
