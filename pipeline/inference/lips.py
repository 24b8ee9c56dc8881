"""Lip motion: the speaker's mouth moves to the voice, and nothing else in the clip changes.

Hides where the mouth is: the drawing says where it lies in the picture, and the camera's path, computed again, takes
it to every frame. The drawn, closed mouth is taken away once, and an open one laid over the frame's planes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import FilmForm
from pipeline.drawn import ClipMeta, Face
from pipeline.errors import EngineFailed
from pipeline.film import ffmpeg
from pipeline.inference import lip_shapes, motion, planes
from pipeline.inference.lip_shapes import LEFT, TOP, Colours
from pipeline.inference.lip_timing import Mouth, mouths

_LEAST_PX = 5.0  # a mouth narrower than this cannot be seen to move
_STEPS = 20  # openings that are told apart
_WIDTHS = 4
_FINER = 1.25  # patch pixels to a frame pixel

Matrix = NDArray[np.float64]


def sync(clip: Path, meta: ClipMeta, audio: Path, speaker: str, form: FilmForm, frames: int, out: Path) -> ClipMeta:
    """Makes `speaker` say `audio` in `clip`: `frames` frames in film form into `out`.

    Raises EngineFailed with the code "no_face" where the speaker's mouth is not to be seen, BadMedia.
    """
    face = _face(meta, speaker)
    path = motion.face_path(meta, face, form, frames)
    brush = _Brush(face, meta, path[0])
    _check_seen(face, brush, path, form)
    shapes = mouths(audio, form, frames)
    with ffmpeg.decoder(clip, form, frames) as film, ffmpeg.encoder(out, form, frames) as sink:
        for number, raw in enumerate(film):
            frame = planes.Planes.over(np.frombuffer(bytearray(raw), np.uint8), form.width, form.height)
            if number == 0:
                brush.look_at(frame)
            brush.paint(frame, shapes[number], path[number])
            sink.write(frame.buffer.data)
    return meta.model_copy(update={"engine": "lips-1"})


def _face(meta: ClipMeta, speaker: str) -> Face:
    name = speaker.strip().casefold()
    for face in meta.picture.faces:
        if face.name.strip().casefold() == name:
            return face
    raise _no_face(f"{speaker or 'The speaker'} is not seen in this shot.")


def _no_face(detail: str) -> EngineFailed:
    return EngineFailed(detail, hint="The clip stays as it is.", code="no_face")


def _check_seen(face: Face, brush: _Brush, path: Matrix, form: FilmForm) -> None:
    centre = np.array([face.mouth_x * brush.image_width, face.mouth_y * brush.image_height, 1.0])
    seen = path @ centre
    inside = (seen > 0).all(axis=1) & (seen[:, 0] < form.width) & (seen[:, 1] < form.height)
    if inside.mean() < 0.5:
        raise _no_face(f"{face.name} is out of the picture for most of this shot.")
    if brush.mouth_px < _LEAST_PX:
        raise _no_face(f"{face.name} is too far away in this shot for lips to be seen.")


@dataclass(frozen=True, slots=True)
class _Layer:
    """A painted mouth as planes at one resolution, U and V softened to what theirs can show, each with its cover."""

    y: Colours
    u: Colours
    v: Colours
    cover: Colours
    soft_cover: Colours


class _Brush:
    """Paints one face's mouth onto frames. Patches are made once for each shape and moved with the camera."""

    def __init__(self, face: Face, meta: ClipMeta, first: Matrix) -> None:
        self._face = face
        self.image_width, self.image_height = meta.image_width, meta.image_height
        self.mouth_px = face.mouth_width * meta.image_width * float(first[0, 0])
        self._resolution = max(8, round(self.mouth_px * _FINER))
        self._to_picture = self._placed(face)
        self._first = first
        self._layers: dict[tuple[int, int], _Layer] = {}
        self._bare: Colours | None = None

    def _placed(self, face: Face) -> Matrix:
        """Patch pixels → picture pixels, 3x3."""
        scale = face.mouth_width * self.image_width / self._resolution
        c, s = scale * cos(radians(face.tilt)), scale * sin(radians(face.tilt))
        x, y = (LEFT * self._resolution - 0.5), (TOP * self._resolution - 0.5)
        left, top = face.mouth_x * self.image_width - 0.5, face.mouth_y * self.image_height - 0.5
        return np.array([[c, -s, left - c * x + s * y], [s, c, top - s * x - c * y], [0, 0, 1]])

    def look_at(self, frame: planes.Planes) -> None:
        """Learns from the first frame what the face is like without its mouth."""
        import cv2

        size = lip_shapes.patch_size(self._resolution)
        full, half = self._onto(self._first)
        sources = ((frame.y, full), (frame.u, half), (frame.v, half))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        yuv = [cv2.warpAffine(p, m, size, flags=flags, borderMode=cv2.BORDER_REPLICATE) for p, m in sources]
        rgb = planes.to_rgb(np.stack(yuv, axis=-1))
        self._bare = lip_shapes.without_mouth(rgb, self._resolution)

    def _onto(self, view: Matrix) -> tuple[Matrix, Matrix]:
        """Patch pixels → pixels of a frame's plane, 2x3, for Y and for U and V."""
        full: Matrix = view @ self._to_picture
        half = full / 2
        half[1, 2] -= 0.25  # a U or V sample lies above the left two of its four pixels
        return full, half

    def paint(self, frame: planes.Planes, mouth: Mouth, view: Matrix) -> None:
        """Lays the mouth over a frame; a closed one leaves the frame as it is."""
        step = round(mouth.open * _STEPS)
        if step == 0:
            return
        layer = self._layer(step, round(mouth.width * _WIDTHS))
        full, half = self._onto(view)
        _lay(frame.y, layer.y, layer.cover, full)
        _lay(frame.u, layer.u, layer.soft_cover, half)
        _lay(frame.v, layer.v, layer.soft_cover, half)

    def _layer(self, step: int, width: int) -> _Layer:
        import cv2

        if (step, width) not in self._layers:
            assert self._bare is not None
            mouth = Mouth(step / _STEPS, width / _WIDTHS)
            patch = lip_shapes.painted(self._face, mouth, self._bare, self._resolution)
            yuv = planes.from_rgb(patch.rgb)
            u, v, soft = (
                np.asarray(cv2.blur(plane, (3, 3)), np.float32) for plane in (yuv[..., 1], yuv[..., 2], patch.cover)
            )
            self._layers[step, width] = _Layer(np.ascontiguousarray(yuv[..., 0]), u, v, patch.cover, soft)
        return self._layers[step, width]


def _lay(plane: planes.Plane, layer: Colours, cover: Colours, matrix: Matrix) -> None:
    """Blends a patch into a plane where `matrix` puts it."""
    import cv2

    height, width = layer.shape
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    left, top = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0)
    right = min(int(np.ceil(corners[0].max())) + 1, plane.shape[1])
    bottom = min(int(np.ceil(corners[1].max())) + 1, plane.shape[0])
    if right <= left or bottom <= top:
        return
    moved = matrix.copy()
    moved[:, 2] -= (left, top)
    size = (right - left, bottom - top)
    colour = cv2.warpAffine(layer, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.warpAffine(cover, moved, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    under = plane[top:bottom, left:right]
    under[:] = np.round(under + (colour - under) * share).astype(np.uint8)
