"""Shapes, as outlines in units: what `paint.Art` lays down. Only this module and `paint` know Skia."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from pipeline.errors import NeedsSetup

Point = tuple[float, float]
Shape = Any  # a skia.Path


@cache
def skia() -> Any:
    """The Skia module, or NeedsSetup naming the system packages that its shared libraries come in."""
    try:
        import skia as module
    except ImportError as error:
        raise NeedsSetup(
            f"The drawing engine cannot load its graphics library ({error}).",
            hint="Install the system packages it needs: apt-get install libegl1 libgl1 (Debian, Ubuntu).",
        ) from error
    return module


def poly(points: Sequence[Point], closed: bool = True) -> Shape:
    path = skia().Path()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    if closed:
        path.close()
    return path


def smooth(points: Sequence[Point], closed: bool = True) -> Shape:
    """A curve through the points (Catmull-Rom)."""
    path = skia().Path()
    count = len(points)
    path.moveTo(*points[0])
    for i in range(count if closed else count - 1):
        if closed:
            p0, p1, p2, p3 = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        else:
            p0, p1, p2, p3 = (points[min(max(i + k, 0), count - 1)] for k in (-1, 0, 1, 2))
        path.cubicTo(
            p1[0] + (p2[0] - p0[0]) / 6, p1[1] + (p2[1] - p0[1]) / 6,
            p2[0] - (p3[0] - p1[0]) / 6, p2[1] - (p3[1] - p1[1]) / 6, *p2,
        )  # fmt: skip
    if closed:
        path.close()
    return path


def ribbon(points: Sequence[tuple[float, float, float]]) -> Shape:
    """A band along a smooth line of points, each (x, y, half breadth), its ends cut straight."""
    sides: list[list[Point]] = [[], []]
    for k, (x, y, half) in enumerate(points):
        before, after = points[max(k - 1, 0)], points[min(k + 1, len(points) - 1)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        length = math.hypot(dx, dy) or 1.0
        for side, way in zip(sides, (1, -1), strict=True):
            side.append((x - way * dy / length * half, y + way * dx / length * half))
    path = smooth(sides[0], closed=False)
    back = smooth(sides[1][::-1], closed=False)
    path.addPath(back, skia().Path.AddPathMode.kExtend_AddPathMode)
    path.close()
    return path


def hill(points: Sequence[Point], bottom: float) -> Shape:
    """Ground under a smooth line of points (left to right), down to `bottom`."""
    path = smooth(points, closed=False)
    path.lineTo(points[-1][0], bottom)
    path.lineTo(points[0][0], bottom)
    path.close()
    return path


def oval(cx: float, cy: float, rx: float, ry: float | None = None) -> Shape:
    ry = rx if ry is None else ry
    path = skia().Path()
    path.addOval(skia().Rect.MakeXYWH(cx - rx, cy - ry, 2 * rx, 2 * ry))
    return path


def box(x: float, y: float, w: float, h: float, r: float = 0.0) -> Shape:
    path = skia().Path()
    rect = skia().Rect.MakeXYWH(x, y, w, h)
    if r:
        path.addRoundRect(rect, r, r)
    else:
        path.addRect(rect)
    return path


def arch(x: float, y: float, w: float, h: float, pointed: bool = False) -> Shape:
    """A window or door shape whose top is round (or gothic); x, y is its top left corner."""
    r = w / 2
    path = skia().Path()
    path.moveTo(x, y + h)
    path.lineTo(x, y + r)
    if pointed:
        path.cubicTo(x, y + r * 0.5, x + r * 0.6, y + r * 0.1, x + r, y - r * 0.35)
        path.cubicTo(x + w - r * 0.6, y + r * 0.1, x + w, y + r * 0.5, x + w, y + r)
    else:
        path.arcTo(skia().Rect.MakeXYWH(x, y, w, w), 180, 180, False)
    path.lineTo(x + w, y + h)
    path.close()
    return path


def arc(cx: float, cy: float, rx: float, ry: float, start: float, sweep: float) -> Shape:
    """An open arc; degrees, clockwise from the right."""
    path = skia().Path()
    path.addArc(skia().Rect.MakeXYWH(cx - rx, cy - ry, 2 * rx, 2 * ry), start, sweep)
    return path


def star(cx: float, cy: float, r: float, points: int = 5, inner: float = 0.45) -> Shape:
    return poly([
        (cx + math.sin(math.pi * k / points) * r * (1 if k % 2 == 0 else inner),
         cy - math.cos(math.pi * k / points) * r * (1 if k % 2 == 0 else inner))
        for k in range(points * 2)
    ])  # fmt: skip


def joined(*shapes: Shape) -> Shape:
    path = skia().Path()
    for shape in shapes:
        path.addPath(shape)
    return path


def cut(shape: Shape, hole: Shape) -> Shape:
    """The shape without what the hole covers."""
    return skia().Op(shape, hole, skia().PathOp.kDifference_PathOp)


def bounds(shape: Shape) -> tuple[float, float, float, float]:
    """x, y, width, height."""
    rect = shape.getBounds()
    return rect.left(), rect.top(), rect.width(), rect.height()
