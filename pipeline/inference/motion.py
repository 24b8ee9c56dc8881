"""Clips from still pictures: the camera moves over the picture, sub-pixel smooth.

Hides that a picture that the drawing engine drew is laid out again, sheet by sheet, with its figures as puppets: the
camera moves past nearer sheets faster, figures breathe, blink and walk, clouds, waves and weather go their way. Any
other picture is one sheet. Planes of Y, U and V are warped one by one, straight into the encoder's buffer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import CameraMove, FilmForm
from pipeline.drawn import ClipMeta, DrawnMeta, Face
from pipeline.film import camera, ffmpeg
from pipeline.inference import drawing, planes
from pipeline.inference.drawing.compose import Apart
from pipeline.inference.drawing.paint import Sheet, Sway
from pipeline.inference.drawing.paper import grain as paper_grain
from pipeline.inference.drawing.weather import Fall
from pipeline.inference.layers import Falling, Layer, halved, layer
from pipeline.inference.planes import Planes
from pipeline.inference.puppets import Puppet

Matrix = NDArray[np.float64]

_ENOUGH = 1.4  # a picture this much larger than the frame stays sharp in every move
_APART = 90  # rows that sheets may move against each other
_CLOUD_PX_S = 5.0  # how fast clouds go, of a picture 1280 wide
_SWELL_PX = (9.0, 3.5)  # how far waves go to either side, and up and down
_SWELL_S = 4.6


def animate(
    image: Path, meta: DrawnMeta, move: CameraMove, frames: int, form: FilmForm, seed: int, out: Path
) -> ClipMeta:
    """Films `image` for exactly `frames` frames into `out`, a clip in film form.

    Raises BadMedia if `image` is no picture, and what ffmpeg raises.
    """
    picture, size = planes.load(image, (_ENOUGH * form.width, _ENOUGH * form.height))
    paper = drawing.sheets_of(image, meta, size, (form.width, form.height))
    if paper is None:
        meta = meta.model_copy(update={"figures": ()})
    shot = _Shot(meta, move, frames, form, seed, size)
    show = _still(picture, shot) if paper is None else _laid_out(paper, shot)
    frame = Planes.of_form(form)
    with ffmpeg.encoder(out, form, frames) as sink:
        for number in range(frames):
            for part in show:
                part(frame, number)
            sink.write(frame.buffer.data)
    return ClipMeta(
        engine="motion-2",
        move=move,
        seed=seed,
        image_width=size[0],
        image_height=size[1],
        picture=meta,
        frames=frames,
    )


def paths(
    move: CameraMove, frames: int, seed: int, size: tuple[int, int], form: FilmForm, meta: DrawnMeta
) -> tuple[Matrix, Matrix]:
    """For each frame the matrix picture → frame (frames, 2, 3), and the same for the planes of U and V."""
    luma = _Shot(meta, move, frames, form, seed, size).camera(1.0)
    return luma, np.stack([halved(matrix) for matrix in luma])


def face_path(clip: ClipMeta, face: Face, form: FilmForm, frames: int) -> Matrix:
    """For each frame the matrix picture → frame (frames, 2, 3) at a face.

    A clip that outlasts its path stands still.
    """
    size = (clip.image_width, clip.image_height)
    length = clip.frames or frames
    shot = _Shot(clip.picture, clip.move, length, form, clip.seed, size)
    figure = next((one for one in clip.picture.figures if one.name == face.name), None)
    if figure is None:
        path = shot.camera(1.0)
    else:
        puppet, view = Puppet(figure, length, form.fps, size), shot.camera(figure.depth)
        path = np.stack([view[number] @ puppet.head(number) for number in range(length)])
    return path[np.minimum(np.arange(frames), length - 1)]


def warp(source: planes.Plane, matrix: Matrix, target: planes.Plane) -> None:
    """Moves one plane by a matrix source → target into `target`."""
    import cv2

    size = (target.shape[1], target.shape[0])
    cv2.warpAffine(source, matrix, size, dst=target, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@dataclass(frozen=True)
class _Shot:
    """What is filmed, and how."""

    meta: DrawnMeta
    move: CameraMove
    frames: int
    form: FilmForm
    seed: int
    size: tuple[int, int]

    def camera(self, depth: float) -> Matrix:
        """Picture → frame, (frames, 2, 3), for what is so near."""
        focus = (self.meta.focus_x, self.meta.focus_y)
        return camera.matrices(
            self.move, self.frames, self.seed, image_size=self.size, form=self.form, focus=focus, depth=depth
        )


Part = Callable[[Planes, int], None]  # lays something over a frame


def _still(picture: Planes, shot: _Shot) -> list[Part]:
    luma, chroma = paths(shot.move, shot.frames, shot.seed, shot.size, shot.form, shot.meta)

    def show(frame: Planes, number: int) -> None:
        warp(picture.y, luma[number], frame.y)
        warp(picture.u, chroma[number], frame.u)
        warp(picture.v, chroma[number], frame.v)

    return [show]


def _laid_out(paper: Apart, shot: _Shot) -> list[Part]:
    grain = paper_grain(*shot.size, paper.grain)
    views = {depth: shot.camera(depth) for depth in {sheet.depth for sheet in paper.sheets}}
    feet = _seen_down_to(paper.sheets)
    parts: list[Part] = []
    puppets: dict[int, tuple[float, list[Layer]]] = {}
    for index, sheet in enumerate(paper.sheets):
        whole = sheet.figure < 0
        pixels = sheet.pixels[: feet[index]] if whole else sheet.pixels
        cut = layer(pixels, grain, sheet.left, sheet.top, solid=index == 0, page=whole)
        if whole:
            parts.append(_sheet(cut, views[sheet.depth], _drift(sheet.sway, sheet.depth, shot)))
        elif sheet.figure in puppets:
            puppets[sheet.figure][1].append(cut)
        else:
            if not puppets and paper.behind is not None:
                parts.append(_falling(paper.behind, shot.form))
            puppets[sheet.figure] = (sheet.depth, [cut])
            parts.append(_puppet(shot, sheet.figure, views[sheet.depth], puppets[sheet.figure][1]))
    if not puppets and paper.behind is not None:
        parts.append(_falling(paper.behind, shot.form))
    if paper.before is not None:
        parts.append(_falling(paper.before, shot.form))
    return parts


def _seen_down_to(sheets: list[Sheet]) -> list[int]:
    """For each sheet the row from which on nearer ones hide it, wherever they move: work that nobody would see."""
    feet, hidden = [0] * len(sheets), sheets[0].pixels.shape[0]
    for index in reversed(range(len(sheets))):
        feet[index] = hidden + _APART
        sheet = sheets[index]
        if sheet.figure < 0:
            solid = (sheet.pixels[:, :, 3] == 255).all(axis=1)
            gaps = np.nonzero(~solid)[0]
            hidden = min(hidden, int(gaps[-1]) + 1 if len(gaps) else 0)
    return feet


def _sheet(cut: Layer, view: Matrix, drift: Callable[[int], tuple[float, float]]) -> Part:
    def show(frame: Planes, number: int) -> None:
        matrix = view[number].copy()
        matrix[:, 2] += drift(number)
        cut.lay(frame, matrix)

    return show


def _puppet(shot: _Shot, figure: int, view: Matrix, poses: list[Layer]) -> Part:
    puppet = Puppet(shot.meta.figures[figure], shot.frames, shot.form.fps, shot.size)

    def show(frame: Planes, number: int) -> None:
        poses[puppet.pose(number) % len(poses)].lay(frame, view[number] @ puppet.place(number))

    return show


def _falling(fall: Fall, form: FilmForm) -> Part:
    page = Falling(fall.sheet.pixels)

    def show(frame: Planes, number: int) -> None:
        across, down = fall.at(number / form.fps)
        page.lay(frame, across * form.height, down * form.height)

    return show


def _drift(sway: Sway, depth: float, shot: _Shot) -> Callable[[int], tuple[float, float]]:
    """How a sheet moves by itself: pixels to the right and down."""
    unit = max(shot.form.width, shot.form.height) / 1280
    if sway == "cloud":
        return lambda number: (_CLOUD_PX_S * unit * number / shot.form.fps, 0.0)
    if sway == "swell":
        begin = 2 * pi * depth * 1.7

        def swell(number: int) -> tuple[float, float]:
            turn = begin + 2 * pi * number / shot.form.fps / _SWELL_S
            return _SWELL_PX[0] * unit * (sin(turn) - sin(begin)), _SWELL_PX[1] * unit * (cos(turn) - cos(begin))

        return swell
    return lambda number: (0.0, 0.0)
