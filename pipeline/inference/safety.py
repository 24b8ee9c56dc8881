"""The check of pictures that needs no key and no network: is a great part of it one bare body?

It is no trained model. It looks for what is skin-coloured, connected, large, softly shaded, and without the detail that
a face, a crowd or fur has. So it finds near photographs of undressed bodies that fill much of the picture; it misses
small or drawn ones, and tells nothing of violence, ages or persons. docs/moderation.md says so to users.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.errors import BadMedia
from pipeline.film import ffmpeg

SEEN_SIDE = 1280  # what checkers get: large enough for all, small enough for each one's limit
_MS_PER_FRAME = 1_500
_FEWEST, _MOST = 3, 8
_SAMPLE_TIMEOUT_S = 60.0
_SIDE = 256
# Shares of the picture between which the largest piece of skin counts for nothing and for all.
_SMALL, _LARGE = 0.25, 0.45
# Shares of that piece that are edges: bare skin has few, a face in close-up or fur has more.
_SMOOTH, _DETAILED = 0.03, 0.08
# How much the light varies over it: a flat colour is a drawing, a wall or a sky.
_FLAT, _SHADED = 4.0, 10.0


def views(path: Path, kind: str, duration_ms: int, folder: Path) -> tuple[Path, ...]:
    """What is to be looked at, as JPEG files in `folder`: the picture itself, or frames from all over a clip.

    `kind` is image or video. Raises BadMedia.
    """
    if kind == "video":
        return _frames(path, duration_ms, folder)
    return (view(path, folder, SEEN_SIDE),)


def view(path: Path, folder: Path, side: int) -> Path:
    """The picture as a JPEG file in `folder`, its longer side at most `side`. Raises BadMedia."""
    seen = folder / "seen.jpg"
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as image:
            image.thumbnail((side, side))
            _over_white(image).save(seen, quality=90)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadMedia("The picture cannot be looked at.") from error
    return seen


def _over_white(image: Image.Image) -> Image.Image:
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    with_alpha = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), with_alpha).convert("RGB")


def _frames(path: Path, duration_ms: int, folder: Path) -> tuple[Path, ...]:
    report = ffmpeg.probe(path)
    length = max(1, duration_ms)
    number = min(_MOST, max(_FEWEST, math.ceil(length / _MS_PER_FRAME)))
    rate = Fraction(number * 1000, length)
    picture = ffmpeg.source(path, report.container).video
    picture = picture.filter("fps", fps=f"{rate.numerator}/{rate.denominator}", start_time=0)
    side = {"w": f"min({SEEN_SIDE},iw)", "h": f"min({SEEN_SIDE},ih)"}
    picture = picture.filter("scale", **side, force_original_aspect_ratio="decrease", out_range="full")
    options = {"pix_fmt": "yuvj420p", "q:v": 3, "frames:v": number}
    graph = picture.output(str(folder / "seen-%d.jpg"), f="image2", **options)
    ffmpeg.run(graph.get_args(), timeout_s=_SAMPLE_TIMEOUT_S)
    found = tuple(sorted(folder.glob("seen-*.jpg")))
    if not found:
        raise BadMedia("The clip has no frame that could be looked at.")
    return found


def bare_skin(pictures: Sequence[Path]) -> float:
    """0 to 1: how much the worst of these pictures looks like one bare body. Raises BadMedia."""
    return max(_bare(_small(picture)) for picture in pictures)


def _small(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as image:
            image.draft("RGB", (_SIDE * 2, _SIDE * 2))
            image.thumbnail((_SIDE, _SIDE))
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise BadMedia("The picture cannot be looked at.") from error


def _bare(picture: NDArray[np.uint8]) -> float:
    import cv2

    skin: Any = _skin(picture)
    kernel: Any = np.ones((3, 3), np.uint8)
    skin = cv2.morphologyEx(cv2.morphologyEx(skin, cv2.MORPH_OPEN, kernel), cv2.MORPH_CLOSE, kernel, iterations=2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(skin)
    if count < 2:
        return 0.0
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    piece: NDArray[Any] = labels == largest
    share = float(piece.mean())
    if share <= _SMALL:
        return 0.0
    luma: Any = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    # Its own outline is no detail, but what it encloses (eyes, a mouth, a collar) is.
    inside = cv2.erode(_filled(piece), kernel, iterations=3) > 0
    if not inside.any():
        return 0.0
    edges = float((cv2.Canny(luma, 40, 120) > 0)[inside].mean())
    shading = float(cv2.GaussianBlur(luma, (0, 0), 4)[piece].std())
    return _ramp(share, _SMALL, _LARGE) * (1 - _ramp(edges, _SMOOTH, _DETAILED)) * _ramp(shading, _FLAT, _SHADED)


def _skin(picture: NDArray[np.uint8]) -> NDArray[Any]:
    """Where the colour is that of skin of any tone, by its hue and how strong it is; sand and sunsets are yellower."""
    import cv2

    ycc = cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    luma, red, blue = (ycc[..., at].astype(np.int16) for at in range(3))
    hue, strength = hsv[..., 0], hsv[..., 1]
    mask = (red >= 138) & (red <= 175) & (blue >= 90) & (blue <= 126) & (luma >= 50) & (luma <= 240)
    mask &= ((hue <= 13) | (hue >= 174)) & (strength >= 40) & (strength <= 170)
    found: NDArray[Any] = mask.astype(np.uint8)
    return found


def _filled(piece: NDArray[Any]) -> NDArray[Any]:
    import cv2

    outlines, _ = cv2.findContours(piece.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled: Any = np.zeros(piece.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, thickness=cv2.FILLED)
    outline: NDArray[Any] = filled
    return outline


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
