"""Paper: the grain on every picture, and the file that a picture is written to, with the score it was drawn from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.errors import EngineFailed

Pixels = np.ndarray[Any, Any]

_COMMENT = b"\xff\xfe"  # a JPEG's comment segment; its length, these two bytes not counted, follows
_LONGEST = 0xFFFF - 2


def grained(flat: Pixels, strength: float) -> Pixels:
    """The BGR picture with the paper's grain on it."""
    return cv2.addWeighted(flat, 1.0, grain(flat.shape[1], flat.shape[0], strength), 1.0, -128.0)


@cache
def grain(width: int, height: int, strength: float) -> Any:
    """Fine grain and faint cloudiness around 128 (BGR), the same for every picture of a size."""
    noise = np.random.default_rng(7)
    fine, broad = (
        cv2.GaussianBlur(noise.normal(0.0, 1.0, (512, 512)).astype(np.float32), (0, 0), sigma) for sigma in (0.8, 9.0)
    )
    tile = 128 + strength * (3.0 * fine / fine.std() + 1.1 * broad / broad.std())
    tiled = np.tile(np.clip(tile, 0, 255).astype(np.uint8), (height // 512 + 1, width // 512 + 1))
    return np.repeat(tiled[:height, :width, None], 3, axis=2)


def write(flat: Pixels, out: Path) -> None:
    """Writes a BGR picture as the suffix says (.png, .jpg, .jpeg). Raises EngineFailed for another."""
    suffix = out.suffix.lower()
    if suffix == ".png":
        options = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    elif suffix in (".jpg", ".jpeg"):
        options = [cv2.IMWRITE_JPEG_QUALITY, 92]
    else:
        raise EngineFailed(f"The drawing engine writes PNG and JPEG, not {suffix or 'a file without suffix'}.")
    done, data = cv2.imencode(suffix, flat, options)
    if not done:
        raise EngineFailed("The drawing could not be encoded.")
    out.write_bytes(data.tobytes())


def annotate(picture: Path, note: bytes) -> None:
    """Leaves a note in a JPEG file, as a comment. One that is too long for it, or for another kind of file, is not
    left."""
    data = picture.read_bytes()
    if len(note) <= _LONGEST and data[:2] == b"\xff\xd8":
        picture.write_bytes(data[:2] + _COMMENT + (len(note) + 2).to_bytes(2, "big") + note + data[2:])


def note_in(picture: Path) -> bytes:
    """The note that `annotate` left in a file; empty where there is none."""
    with picture.open("rb") as file:
        head = file.read(6)
        if head[:2] != b"\xff\xd8" or head[2:4] != _COMMENT:
            return b""
        return file.read(int.from_bytes(head[4:], "big") - 2)
