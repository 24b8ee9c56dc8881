"""The page that shapes are laid down on, sheet by sheet. Only this module and `shapes` know Skia.

Positions are in units, 1000 to the shorter side of the picture, so nothing else here knows pixels. Every colour
goes through the picture's Grade. Soft shadows are blurred masks for small shapes and stacked strokes for large
ones (a blurred full-width mask costs 12 ms, the strokes 2).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np

from pipeline.inference.drawing import paper
from pipeline.inference.drawing.palette import RGB, Grade
from pipeline.inference.drawing.shapes import Point, Shape, bounds, skia

FAR, NEAR = 0.0, 1.0  # the sky, and where figures stand
Sway = Literal["", "cloud", "swell"]


@dataclass(frozen=True)
class Sheet:
    """A sheet of paper of a page: BGRA pixels, premultiplied, where they lie on the page, and how near they are.

    A puppet's sheets are one for each `pose` of `figure`, an index.
    """

    pixels: np.ndarray[Any, Any]
    depth: float
    sway: Sway = ""
    left: int = 0
    top: int = 0
    figure: int = -1
    pose: int = 0


class Art:
    """A page of `w` by `h` units on which shapes are laid, back to front.

    Drawn `apart`, it keeps the sheets of paper that painters tell apart with `sheet`, for a camera that moves past
    them, those of about the same depth (`thin`) as one; else everything lands on one.
    """

    def __init__(
        self, width: int, height: int, grade: Grade, haze: str = "#ffffff", *, far: float = FAR,
        apart: bool = False, thin: float = 0.07,
    ) -> None:  # fmt: skip
        self._sk = skia()
        self.px_width, self.px_height = width, height
        self.scale = min(width, height) / 1000
        self.w, self.h = width / self.scale, height / self.scale
        self.grade = grade
        self.haze = haze
        self.apart, self._thin = apart, thin
        self._lit: dict[tuple[str, float], RGB] = {}
        self.sheets: list[Sheet] = []
        self.figures = 0  # drawn so far
        self.depth = far  # of what is being drawn
        self._sway: Sway = ""
        self._open()
        self._canvas.scale(self.scale, self.scale)

    def _open(self) -> None:
        self._pixels = self._blank()
        self.sheets.append(Sheet(self._pixels, self.depth, self._sway))

    def _blank(self) -> np.ndarray[Any, Any]:
        """Fresh paper under the brush, clear where pages are drawn apart."""
        pixels = np.zeros((self.px_height, self.px_width, 4), np.uint8)
        alpha = self._sk.kPremul_AlphaType if self.apart else self._sk.kOpaque_AlphaType
        info = self._sk.ImageInfo.Make(self.px_width, self.px_height, self._sk.kBGRA_8888_ColorType, alpha)
        self._surface = self._sk.Surface.MakeRasterDirect(info, pixels)
        self._canvas = self._surface.getCanvas()
        return pixels

    def sheet(self, depth: float, sway: Sway = "") -> None:
        """What follows lies on a sheet that is no farther than `depth`, and moves by itself as `sway` says."""
        depth = max(depth, self.depth)
        if depth - self.depth > self._thin or sway != self._sway or self.sheets[-1].figure >= 0:
            self.depth, self._sway = depth, sway
            if self.apart:
                matrix = self._canvas.getTotalMatrix()
                self._open()
                self._canvas.setMatrix(matrix)

    @contextmanager
    def puppet(self, depth: float, figure: int, pose: int) -> Iterator[None]:
        """What is drawn inside is one pose of a figure, on a sheet of its own size."""
        if not self.apart:
            yield
            return
        surface, canvas = self._surface, self._canvas
        matrix = canvas.getTotalMatrix()
        pixels = self._blank()
        self._canvas.setMatrix(matrix)
        try:
            yield
        finally:
            self._surface.flushAndSubmit()
            self._surface, self._canvas = surface, canvas
        left, top, width, height = cv2.boundingRect(pixels[:, :, 3])
        part = pixels[top : top + height, left : left + width].copy()
        self.sheets.append(Sheet(part, depth, "", left, top, figure, pose))

    # Colour

    def lit(self, colour: str, haze: float = 0.0) -> RGB:
        """The colour of a surface in this picture's light."""
        key = (colour, haze)
        if key not in self._lit:
            self._lit[key] = self.grade.lit(colour, haze, self.haze)
        return self._lit[key]

    def _argb(self, colour: RGB, alpha: float) -> int:
        r, g, b = (round(c * 255) for c in colour)
        return (round(max(0.0, min(1.0, alpha)) * 255) << 24) | (r << 16) | (g << 8) | b

    def _paint(self, colour: RGB, alpha: float) -> Any:
        return self._sk.Paint(AntiAlias=True, Color=self._argb(colour, alpha))

    def _down(self, shape: Shape, top: RGB, bottom: RGB, alpha: float) -> Any:
        rect = shape.getBounds()
        shader = self._sk.GradientShader.MakeLinear([(0, rect.top()), (0, max(rect.bottom(), rect.top() + 1))],
            [self._argb(top, alpha), self._argb(bottom, alpha)])  # fmt: skip
        return self._sk.Paint(AntiAlias=True, Dither=True, Shader=shader)

    # Laying shapes

    def fill(
        self, shape: Shape, colour: str, *, alpha: float = 1.0, shade: float = 0.0, shadow: float = 0.0,
        haze: float = 0.0, shining: bool = False,
    ) -> None:  # fmt: skip
        """Lays a shape. `shade` 0..1 darkens it towards its foot, `shadow` is its height above the sheet in units."""
        base = self.grade.glowing(colour) if shining else self.lit(colour, haze)
        if shadow:
            self._shadow(shape, shadow, alpha)
        if shade:
            top = tuple(c + (1 - c) * shade * 0.30 for c in base)
            foot = tuple(c * (1 - shade * 0.62) for c in base)
            paint = self._down(shape, (top[0], top[1], top[2]), (foot[0], foot[1], foot[2]), alpha)
        else:
            paint = self._paint(base, alpha)
        self._canvas.drawPath(shape, paint)
        if self.grade.style.ink and shadow:
            ink = tuple(c * 0.25 for c in base)
            self._stroke(shape, self._paint((ink[0], ink[1], ink[2]), alpha * 0.85), self.grade.style.ink)

    def line(self, shape: Shape, colour: str, width: float, *, alpha: float = 1.0, haze: float = 0.0,
             shining: bool = False, shadow: float = 0.0) -> None:  # fmt: skip
        """Strokes a shape with round ends."""
        if shadow:
            self._stroke(shape, self._paint((0.08, 0.06, 0.16), 0.13 * alpha), width + shadow)
        base = self.grade.glowing(colour) if shining else self.lit(colour, haze)
        self._stroke(shape, self._paint(base, alpha), width)

    def _stroke(self, shape: Shape, paint: Any, width: float) -> None:
        paint.setStyle(self._sk.Paint.kStroke_Style)
        paint.setStrokeWidth(width)
        paint.setStrokeCap(self._sk.Paint.kRound_Cap)
        paint.setStrokeJoin(self._sk.Paint.kRound_Join)
        self._canvas.drawPath(shape, paint)

    def _shadow(self, shape: Shape, height: float, alpha: float) -> None:
        dark: RGB = (0.07, 0.05, 0.16)
        _, _, w, h = bounds(shape)
        self._canvas.save()
        self._canvas.translate(height * 0.25, height * 0.45)
        reach = self._canvas.getTotalMatrix().mapRadius(math.sqrt(max(w * h, 1.0)))
        if reach > 420:
            for k in range(4):
                self._stroke(shape, self._paint(dark, 0.055 * alpha), height * (0.5 + 0.75 * k))
        else:
            paint = self._paint(dark, 0.34 * alpha)
            paint.setMaskFilter(self._sk.MaskFilter.MakeBlur(self._sk.kNormal_BlurStyle, height * 0.55))
            self._canvas.drawPath(shape, paint)
        self._canvas.restore()

    def blend(self, shape: Shape, stops: Sequence[tuple[str, float]], *, shining: bool = False,
              across: bool = False, haze: float = 0.0) -> None:  # fmt: skip
        """Fills a shape with a gradient of (colour, alpha) stops, from its top down or, `across`, from its left."""
        rect = shape.getBounds()
        ends = [(rect.left(), 0), (rect.right(), 0)] if across else [(0, rect.top()), (0, rect.bottom())]
        pick = self.grade.glowing if shining else (lambda colour: self.lit(colour, haze))
        colours = [self._argb(pick(colour), alpha) for colour, alpha in stops]
        shader = self._sk.GradientShader.MakeLinear(ends, colours)
        self._canvas.drawPath(shape, self._sk.Paint(AntiAlias=True, Dither=True, Shader=shader))

    def glow(self, x: float, y: float, r: float, colour: str, alpha: float = 0.6) -> None:
        """Light spilling around a point."""
        lit = self.grade.glowing(colour)
        stops = [self._argb(lit, alpha), self._argb(lit, alpha * 0.38), self._argb(lit, 0)]
        shader = self._sk.GradientShader.MakeRadial((x, y), r, stops, [0.0, 0.35, 1.0])
        paint = self._sk.Paint(AntiAlias=True, Dither=True, Shader=shader, BlendMode=self._sk.BlendMode.kScreen)
        self._canvas.drawCircle(x, y, r, paint)

    def dim(self, x: float, y: float, r: float, alpha: float, squash: float = 1.0) -> None:
        """A soft dark patch: the shadow that something throws on the ground."""
        with self.at(x, y):
            self._canvas.scale(1.0, squash)
            stops = [self._argb((0.06, 0.05, 0.14), alpha), self._argb((0.06, 0.05, 0.14), 0)]
            shader = self._sk.GradientShader.MakeRadial((0, 0), r, stops)
            self._canvas.drawCircle(0, 0, r, self._sk.Paint(AntiAlias=True, Shader=shader))

    # Where shapes land

    @contextmanager
    def at(self, x: float, y: float, scale: float = 1.0, turn: float = 0.0, flip: bool = False) -> Iterator[None]:
        """Draws inside with the origin at (x, y), scaled, turned by degrees clockwise, mirrored."""
        before = self._canvas.getTotalMatrix()
        self._canvas.translate(x, y)
        if turn:
            self._canvas.rotate(turn)
        self._canvas.scale(-scale if flip else scale, scale)
        try:
            yield
        finally:
            self._canvas.setMatrix(before)  # not `restore`: a new sheet may have begun inside

    @contextmanager
    def graded(self, grade: Grade) -> Iterator[None]:
        """Draws inside in another light."""
        before, self.grade, self._lit = (self.grade, self._lit), grade, {}
        try:
            yield
        finally:
            self.grade, self._lit = before

    @contextmanager
    def nearer(self, factor: float) -> Iterator[None]:
        """Draws inside with fewer, larger units to the sheet: everything comes out `factor` times larger."""
        width, height = self.w, self.h
        self.w, self.h = width / factor, height / factor
        try:
            with self.at(0, 0, factor):
                yield
        finally:
            self.w, self.h = width, height

    @contextmanager
    def inside(self, shape: Shape) -> Iterator[None]:
        """Shows what is drawn inside only where the shape is."""
        canvas = self._canvas
        canvas.save()
        canvas.clipPath(shape, doAntiAlias=True)
        try:
            yield
        finally:
            canvas.restore()

    @contextmanager
    def sheer(self, alpha: float) -> Iterator[None]:
        """Lays what is drawn inside as one translucent sheet."""
        self._canvas.saveLayerAlpha(None, round(alpha * 255))
        try:
            yield
        finally:
            self._canvas.restore()

    def page_of(self, x: float, y: float) -> Point:
        """A point of the present coordinates as fractions of the whole picture."""
        point = self._canvas.getTotalMatrix().mapXY(x, y)
        return point.x() / self.px_width, point.y() / self.px_height

    def stretch(self) -> tuple[float, float]:
        """The present scale as a fraction of the picture's width per unit, and the turn in degrees clockwise."""
        matrix = self._canvas.getTotalMatrix()
        a, b = matrix.getScaleX(), matrix.getSkewY()
        mirrored = a * matrix.getScaleY() - b * matrix.getSkewX() < 0
        turn = math.degrees(math.atan2(-b, -a) if mirrored else math.atan2(b, a))
        return math.hypot(a, b) / self.px_width, turn

    # The whole sheet

    def cover(self, pixels: np.ndarray[Any, Any]) -> None:
        """Covers the sheet with a BGR picture of the same aspect or another (cropped to the middle)."""
        height, width = pixels.shape[:2]
        factor = max(self.px_width / width, self.px_height / height)
        size = (max(self.px_width, round(width * factor)), max(self.px_height, round(height * factor)))
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        scaled = cv2.resize(pixels, size, interpolation=method)
        x, y = (size[0] - self.px_width) // 2, (size[1] - self.px_height) // 2
        self._pixels[:, :, :3] = scaled[y : y + self.px_height, x : x + self.px_width, :3]
        self._pixels[:, :, 3] = 255

    def soften(self, radius: float) -> None:
        """Puts what is drawn so far out of focus; `radius` in units."""
        size = (self.px_width, self.px_height)
        self._surface.flushAndSubmit()
        for sheet in self.sheets:
            small = cv2.resize(sheet.pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
            small = cv2.GaussianBlur(small, (0, 0), max(0.6, radius * self.scale / 4))
            cv2.resize(small, size, dst=sheet.pixels, interpolation=cv2.INTER_LINEAR)

    def finish(self, out: Path) -> None:
        """Adds the paper's grain and writes the picture as the suffix says (.png, .jpg, .jpeg)."""
        self._surface.flushAndSubmit()
        flat = cv2.cvtColor(self._pixels, cv2.COLOR_BGRA2BGR)
        paper.write(paper.grained(flat, self.grade.style.grain), out)
