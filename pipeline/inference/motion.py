"""Clips from still pictures: the camera moves over the picture, sub-pixel smooth.

Hides that the picture's Y, U and V planes are warped one by one, straight into the encoder's buffer.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import CameraMove, ClipMeta, DrawnMeta, FilmForm
from pipeline.film import camera, ffmpeg
from pipeline.inference import planes

# H.264 puts a U or V sample above the left two of its four pixels, a picture's planes have it in their middle.
_CHROMA_SHIFT = 0.25
_ENOUGH = 1.4  # a picture this much larger than the frame stays sharp in every move


def animate(
    image: Path, meta: DrawnMeta, move: CameraMove, frames: int, form: FilmForm, seed: int, out: Path
) -> ClipMeta:
    """Films `image` for exactly `frames` frames into `out`, a clip in film form.

    Raises BadMedia if `image` is no picture, and what ffmpeg raises.
    """
    picture, size = planes.load(image, (_ENOUGH * form.width, _ENOUGH * form.height))
    luma, chroma = paths(move, frames, seed, size, form, meta)
    frame = planes.Planes.of_form(form)
    with ffmpeg.encoder(out, form, frames) as sink:
        for number in range(frames):
            warp(picture.y, luma[number], frame.y)
            warp(picture.u, chroma[number], frame.u)
            warp(picture.v, chroma[number], frame.v)
            sink.write(frame.buffer.data)
    return ClipMeta(
        engine="motion-1",
        move=move,
        seed=seed,
        image_width=size[0],
        image_height=size[1],
        picture=meta,
        frames=frames,
    )


def paths(
    move: CameraMove, frames: int, seed: int, size: tuple[int, int], form: FilmForm, meta: DrawnMeta
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each frame the matrix picture → frame (frames, 2, 3), and the same for the planes of U and V."""
    luma = camera.matrices(move, frames, seed, image_size=size, form=form, focus=(meta.focus_x, meta.focus_y))
    chroma = camera.halved(luma)
    chroma[:, 0, 2] += _CHROMA_SHIFT
    return luma, chroma


def warp(source: planes.Plane, matrix: NDArray[np.float64], target: planes.Plane) -> None:
    """Moves one plane by a matrix source → target into `target`."""
    import cv2

    size = (target.shape[1], target.shape[0])
    cv2.warpAffine(source, matrix, size, dst=target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
