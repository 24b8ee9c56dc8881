"""Clips whose every frame tells its own number, and how to read it back from a decoded picture.

A number is drawn as 4 x 4 dark and light cells in the middle of the frame, so that it survives H.264, scaling, and the
crop to another shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import FilmForm
from pipeline.film import ffmpeg

SMALL = FilmForm(width=192, height=108)
_BITS = 16
_SHARE = 0.6  # of the shorter side


def picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """A grey picture (height, width) that shows a number below 65,536."""
    frame = np.full((height, width), 120, np.uint8)
    side = int(min(width, height) * _SHARE) // 4 * 4
    top, left, cell = (height - side) // 2, (width - side) // 2, side // 4
    for bit in range(_BITS):
        y, x = top + bit // 4 * cell, left + bit % 4 * cell
        frame[y : y + cell, x : x + cell] = 200 if number >> bit & 1 else 50
    return frame


def read(frames: NDArray[np.uint8], source: tuple[int, int] | None = None) -> list[int]:
    """The numbers in frames (n, height, width); `source`: the (width, height) they were drawn at, if the frames cover
    another shape."""
    _, height, width = frames.shape
    across, down = source or (width, height)
    side = min(across, down) * _SHARE * max(width / across, height / down)
    numbers = np.zeros(len(frames), int)
    for bit in range(_BITS):
        y = int(height / 2 + side * ((bit // 4 + 0.5) / 4 - 0.5))
        x = int(width / 2 + side * ((bit % 4 + 0.5) / 4 - 0.5))
        numbers |= (frames[:, y - 1 : y + 2, x - 1 : x + 2].mean(axis=(1, 2)) > 125).astype(int) << bit
    return [int(number) for number in numbers]


def make_clip(
    out: Path,
    numbers: Iterable[int],
    *,
    size: tuple[int, int] = (192, 108),
    fps: int = 24,
    codec: Sequence[str] = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
    extra: Sequence[str] = (),
    inputs: Sequence[str] = (),
) -> Path:
    """A clip as a provider might send it: its frames show `numbers`."""
    raw = b"".join(picture(number, *size).tobytes() for number in numbers)
    source = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "pipe:0"]
    ffmpeg.run([*source, *inputs, *codec, *extra, str(out)], timeout_s=60, stdin=raw)
    return out


def luma(clip: Path, form: FilmForm) -> NDArray[np.uint8]:
    """Every frame of a clip as it is decoded, brightness only: (frames, height, width)."""
    args = ["-i", str(clip), "-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1"]
    raw = np.frombuffer(ffmpeg.run(args, timeout_s=60).stdout, np.uint8)
    return raw.reshape(-1, form.height, form.width)


def numbers_in(clip: Path, form: FilmForm, source: tuple[int, int] | None = None) -> list[int]:
    """The number that each frame of a clip shows."""
    return read(luma(clip, form), source)
