"""Trees, plants, rocks and water: the pieces that outdoor places are made of."""

from __future__ import annotations

from pipeline.inference.drawing.paint import NEAR, Art
from pipeline.inference.drawing.palette import Light, darker, lighter, mix
from pipeline.inference.drawing.shapes import arc, box, hill, oval, poly, smooth
from pipeline.inference.drawing.sky import steps, sun_side
from pipeline.inference.drawing.words import Lots

GREENS = ("#5f8f55", "#4c7f52", "#6f9a52", "#3f7355", "#7fa35a")


def ground(
    art: Art, lots: Lots, y: float, colour: str, *, bumps: float = 20, name: str = "ground", haze: float = 0.0
) -> None:
    """A sheet of ground from about `y` down, nearer the lower it begins."""
    art.sheet(min(NEAR, max(0.2, 0.2 + 6 * (art.page_of(0, y)[1] - 0.5))))
    points = [(x, y + bumps * (lots.number(f"{name} {k}") - 0.5) * 2) for k, x in enumerate(steps(-60, art.w + 60, 6))]
    art.fill(hill(points, art.h + 40), colour, shade=0.22, shadow=10, haze=haze)


def round_tree(art: Art, x: float, y: float, size: float, colour: str, haze: float = 0.0, lot: float = 0.5) -> None:
    art.dim(x, y, size * 0.5, 0.28 * (1 - haze), 0.18)
    art.fill(smooth([(x - size * 0.05, y - size * 0.6), (x + size * 0.05, y - size * 0.6), (x + size * 0.075, y),
        (x - size * 0.075, y)]), "#6b4a33", haze=haze, shade=0.25)  # fmt: skip
    for dx, dy, r in ((-0.2, -0.56, 0.21), (0.2, -0.58, 0.21), (0.0, -0.5, 0.22), (-0.1 + lot * 0.05, -0.78, 0.23),
        (0.12, -0.76, 0.2)):  # fmt: skip
        art.fill(oval(x + dx * size, y + dy * size, r * size, r * size * 0.95),
            darker(colour, 0.06) if dy > -0.6 else colour, haze=haze, shade=0.22,
            shadow=size * 0.012 if haze < 0.4 else 0.0)  # fmt: skip
    art.fill(
        oval(x - size * 0.12, y - size * 0.84, size * 0.09, size * 0.05), lighter(colour, 0.3), alpha=0.35, haze=haze
    )


def pine(art: Art, x: float, y: float, size: float, colour: str, haze: float = 0.0, snow: bool = False) -> None:
    art.fill(box(x - size * 0.035, y - size * 0.2, size * 0.07, size * 0.2), "#5d4232", haze=haze)
    for k in range(4):
        base, top, half = y - size * (0.12 + 0.2 * k), y - size * (0.44 + 0.19 * k), size * (0.27 - 0.05 * k)
        art.fill(smooth_tri(x, base, top, half), lighter(colour, 0.05 * k), haze=haze, shade=0.25)
        if snow:
            art.fill(smooth_tri(x, (base + top * 2) / 3, top - 2, half * 0.42), "#f4f7fb", haze=haze)


def smooth_tri(x: float, base: float, top: float, half: float) -> object:
    return poly([(x, top), (x + half * 0.55, base - (base - top) * 0.32), (x + half, base), (x + half * 0.4, base - 8),
        (x, base + 5), (x - half * 0.4, base - 8), (x - half, base), (x - half * 0.55,
        base - (base - top) * 0.32)])  # fmt: skip


def trunk(art: Art, x: float, y: float, width: float, colour: str, haze: float = 0.0) -> None:
    """A tall trunk that leaves the sheet at its top."""
    art.fill(smooth([(x - width * 0.42, -60), (x + width * 0.42, -60), (x + width * 0.5, y * 0.6),
        (x + width * 0.72, y - 20), (x + width * 1.2, y + 16), (x - width * 1.2, y + 16), (x - width * 0.72, y - 20),
        (x - width * 0.5, y * 0.6)]), colour, haze=haze, shadow=9, shade=0.2)  # fmt: skip
    for k in range(5):
        ly = y * (0.15 + 0.17 * k)
        art.line(smooth([(x - width * 0.2, ly), (x - width * 0.12, ly + 40), (x - width * 0.2, ly + 76)], False),
            darker(colour, 0.25), 3.5, alpha=0.55, haze=haze)  # fmt: skip


def palm(art: Art, x: float, y: float, size: float, haze: float = 0.0) -> None:
    art.line(smooth([(x, y), (x + size * 0.05, y - size * 0.4), (x + size * 0.16, y - size * 0.8)], False), "#8a6a46",
        size * 0.06, haze=haze, shadow=5)  # fmt: skip
    for k, turn in enumerate((-150, -115, -75, -40, -5, 30, 170)):
        with art.at(x + size * 0.16, y - size * 0.8, turn=turn):
            art.fill(smooth([(0, 0), (size * 0.2, -size * 0.08), (size * 0.42, size * 0.03),
                (size * 0.2, -size * 0.01)]), GREENS[k % 3], haze=haze, shadow=3)  # fmt: skip


def bush(art: Art, x: float, y: float, size: float, colour: str, haze: float = 0.0, berries: str = "") -> None:
    for dx, dy, r in ((-0.42, -0.2, 0.3), (0.42, -0.2, 0.3), (-0.14, -0.38, 0.34), (0.2, -0.36, 0.32),
        (0, -0.16, 0.36)):  # fmt: skip
        art.fill(oval(x + dx * size, y + dy * size, r * size, r * size * 0.86), colour, haze=haze, shade=0.3,
            shadow=3 if not haze else 0)  # fmt: skip
    if berries:
        for k in range(7):
            art.fill(oval(x + size * (-0.5 + k * 0.165), y - size * (0.2 + 0.3 * ((k * 0.61) % 1)), size * 0.06),
                berries, haze=haze)  # fmt: skip


def grass(art: Art, lots: Lots, y: float, colour: str, count: int = 26, tall: float = 34) -> None:
    for k in range(count):
        x = (k + lots.number(f"grass {k}")) / count * art.w
        up = tall * lots.between(f"blade {k}", 0.5, 1.2)
        for lean in (-0.5, 0.1, 0.6):
            art.line(
                smooth([(x, y), (x + lean * up * 0.3, y - up * 0.6), (x + lean * up * 0.8, y - up)], False), colour, 4
            )


def flowers(
    art: Art,
    lots: Lots,
    y0: float,
    y1: float,
    count: int = 30,
    colours: tuple[str, ...] = ("#e8b53f", "#d9647a", "#f2ede2", "#8f7fc0"),
) -> None:
    for k in range(count):
        x, t = lots.number(f"flower x {k}") * art.w, lots.number(f"flower y {k}")
        y, r = y0 + (y1 - y0) * t, 5 + 7 * t
        art.line(poly([(x, y), (x, y + r * 3)], False), "#4c7f46", r * 0.3)
        tone = colours[k % len(colours)]
        for dx, dy in ((-0.8, 0), (0.8, 0), (0, -0.8), (0, 0.8)):
            art.fill(oval(x + dx * r, y + dy * r, r * 0.62), tone)
        art.fill(oval(x, y, r * 0.5), "#f0c24a" if tone != "#e8b53f" else "#8a5a2c")


def rock(art: Art, x: float, y: float, size: float, colour: str = "#8b8a88", haze: float = 0.0) -> None:
    art.fill(smooth([(x - size * 0.6, y), (x - size * 0.5, y - size * 0.3), (x - size * 0.1, y - size * 0.5),
        (x + size * 0.4, y - size * 0.36), (x + size * 0.6, y)]), colour, haze=haze, shade=0.35, shadow=5)  # fmt: skip
    art.fill(poly([(x - size * 0.3, y - size * 0.34), (x - size * 0.05, y - size * 0.44),
        (x + size * 0.12, y - size * 0.3), (x - size * 0.1, y - size * 0.22)]), lighter(colour, 0.3), alpha=0.6,
        haze=haze)  # fmt: skip


def water(art: Art, light: Light, lots: Lots, y0: float, y1: float, deep: str = "#3f86a6") -> None:
    """Water from y0 down to y1, bright towards the horizon, with paper waves."""
    art.blend(box(-20, y0, art.w + 40, y1 - y0), [(mix(deep, "#ffffff", 0.35), 1), (deep, 1), (darker(deep, 0.25), 1)],
        haze=0.12)  # fmt: skip
    if light.time in ("dusk", "dawn", "night"):
        side = sun_side(lots)
        for k in range(9):
            half = 26 + k * 11 + 22 * lots.number(f"glint {k}")
            art.fill(oval(art.w * side, y0 + 8 + (y1 - y0) * k / 9.5, half, 3.6), light.sun, alpha=0.55 - 0.04 * k,
                shining=True)  # fmt: skip
    rows = max(3, int((y1 - y0) / 55))
    for row in range(rows):
        t = (row + 0.5) / rows
        y = y0 + (y1 - y0) * t * t
        for k in range(int(5 + 2 * (1 - t))):
            x = (k + lots.number(f"wave {row} {k}")) / 6 * art.w * 1.1
            half = 26 + 60 * t
            art.line(smooth([(x - half, y), (x - half * 0.3, y - 4 - 4 * t), (x + half * 0.3, y + 3),
                (x + half, y - 2)], False), mix(deep, "#ffffff", 0.55), 2 + 2.4 * t, alpha=0.55)  # fmt: skip


def mountain(
    art: Art, x: float, y: float, half: float, tall: float, colour: str, haze: float, snow: bool = True
) -> None:
    peak = (x, y - tall)
    art.fill(poly([(x - half, y), (x - half * 0.62, y - tall * 0.42), (x - half * 0.4, y - tall * 0.5),
        (x - half * 0.14, y - tall * 0.9), peak, (x + half * 0.2, y - tall * 0.74), (x + half * 0.46, y - tall * 0.5),
        (x + half, y)]), colour, haze=haze, shade=0.15, shadow=10)  # fmt: skip
    art.fill(poly([peak, (x + half * 0.2, y - tall * 0.74), (x + half * 0.46, y - tall * 0.5), (x + half, y),
        (x + half * 0.25, y), (x + half * 0.12, y - tall * 0.4), (x - half * 0.02, y - tall * 0.62)]),
        darker(colour, 0.25), haze=haze)  # fmt: skip
    if snow:
        art.fill(poly([(x - half * 0.20, y - tall * 0.8), (x - half * 0.14, y - tall * 0.9), peak,
            (x + half * 0.2, y - tall * 0.74), (x + half * 0.1, y - tall * 0.72), (x + half * 0.03, y - tall * 0.64),
            (x - half * 0.06, y - tall * 0.76), (x - half * 0.12, y - tall * 0.7)]), "#f3f6fa",
            haze=haze * 0.6)  # fmt: skip


def path_to(art: Art, x: float, y: float, colour: str, foot: float = 0.5, wide: float = 420) -> None:
    """A winding path from a far point (x, y) to the foot of the sheet."""
    bottom = art.h + 20
    mid = art.w * foot
    art.fill(smooth_path(x, y, mid, bottom, wide), colour, shade=0.2, shadow=4)


def smooth_path(x: float, y: float, mid: float, bottom: float, wide: float) -> object:
    h = bottom - y
    left = [(x - 8, y), (x - 40, y + h * 0.18), (x + 50, y + h * 0.42), (mid - wide * 0.42, y + h * 0.74),
        (mid - wide * 0.6, bottom)]  # fmt: skip
    right = [(mid + wide * 0.6, bottom), (mid + wide * 0.3, y + h * 0.7), (x + 140, y + h * 0.4), (x - 4, y + h * 0.18),
        (x + 10, y)]  # fmt: skip
    return smooth(left + right)


def reeds(art: Art, x: float, y: float, tall: float) -> None:
    for k in range(5):
        dx = (k - 2) * 16
        art.line(smooth([(x + dx, y), (x + dx * 1.2, y - tall * 0.6), (x + dx * 1.7, y - tall)], False), "#5f8047", 5)
        if k % 2 == 0:
            art.line(poly([(x + dx * 1.66, y - tall * 0.98), (x + dx * 1.75, y - tall * 1.2)], False), "#6b4a30", 12)


def cactus(art: Art, x: float, y: float, tall: float) -> None:
    for points, width in (([(x, y), (x, y - tall)], 0.17), ([(x, y - tall * 0.4), (x - tall * 0.26, y - tall * 0.42),
        (x - tall * 0.27, y - tall * 0.72)], 0.11), ([(x, y - tall * 0.3), (x + tall * 0.25, y - tall * 0.32),
        (x + tall * 0.26, y - tall * 0.56)], 0.11)):  # fmt: skip
        art.line(poly(points, False), "#5f8f5a", tall * width, shadow=5)
    art.line(poly([(x, y - 12), (x, y - tall)], False), "#79a86c", tall * 0.03)


def birds(art: Art, lots: Lots, y: float, count: int = 4) -> None:
    for k in range(count):
        x, dy, r = (lots.between(f"gull {k}", 0.1, 0.9) * art.w, lots.between(f"gull y {k}", 0, 110),
            lots.between(f"gull r {k}", 12, 22))  # fmt: skip
        for side in (-1, 1):
            art.line(arc(x + side * r, y + dy, r, r * 0.7, 190 if side < 0 else 230, 120), "#4a4a58", 3, alpha=0.75)
