"""Houses and other built things seen from outside. x is the middle, y the ground; sizes in units."""

from __future__ import annotations

from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import Light, darker, lighter
from pipeline.inference.drawing.shapes import Shape, arch, box, oval, poly, smooth
from pipeline.inference.drawing.words import Lots

LAMP = "#ffd27a"


def window(
    art: Art,
    shape: Shape,
    light: Light,
    *,
    lit: bool = True,
    frame: str = "#f0e6d2",
    haze: float = 0.0,
    cross: bool = True,
) -> None:
    """A window seen from outside: bright when lamps are lit behind it."""
    rect = shape.getBounds()
    x, y, w, h = rect.left(), rect.top(), rect.width(), rect.height()
    if light.lamp > 0.4 and lit:
        art.fill(shape, LAMP, shining=True)
        art.glow(x + w / 2, y + h / 2, max(w, h) * 1.7, "#ff9f3d", 0.42 * light.lamp)
    else:
        art.fill(shape, "#7fa3b8" if not light.night else "#3d4c6b", shade=0.3, haze=haze)
    art.line(shape, frame, max(3.0, w * 0.09), haze=haze)
    if cross:
        art.line(poly([(x + w / 2, y), (x + w / 2, y + h)], False), frame, max(2.0, w * 0.06), haze=haze)
        art.line(poly([(x, y + h * 0.5), (x + w, y + h * 0.5)], False), frame, max(2.0, w * 0.06), haze=haze)


def cottage(
    art: Art,
    x: float,
    y: float,
    size: float,
    light: Light,
    lots: Lots,
    name: str,
    haze: float = 0.0,
    snow: bool = False,
) -> None:
    wall = lots.pick(f"{name} wall", ("#ecdcc0", "#e3cba6", "#d9bfa0", "#e9d2c0", "#cfd3c4"))
    roof = "#eef2f7" if snow else lots.pick(f"{name} roof", ("#a8533f", "#8a4a3a", "#6f5a4c", "#b06a48", "#7a6152"))
    w, h = size, size * 0.56
    art.fill(box(x - w / 2, y - h, w, h), wall, shade=0.25, shadow=8, haze=haze)
    art.fill(box(x + w * 0.2, y - h * 2.05, w * 0.11, h * 0.6), darker(wall, 0.35), haze=haze, shadow=3)
    if light.lamp > 0.3 or snow:
        for k in range(3):
            art.fill(oval(x + w * (0.26 + 0.03 * k), y - h * (2.2 + 0.25 * k), 14 + 7 * k, 12 + 5 * k), "#d9dbe2",
                alpha=0.4, haze=haze)  # fmt: skip
    art.fill(poly([(x - w * 0.58, y - h * 0.96), (x - w * 0.36, y - h * 1.78), (x + w * 0.36, y - h * 1.78),
        (x + w * 0.58, y - h * 0.96)]), roof, shade=0.25, shadow=8, haze=haze)  # fmt: skip
    for k in range(1, 4):
        ly = y - h * (0.96 + 0.2 * k)
        art.line(poly([(x - w * (0.57 - 0.055 * k), ly), (x + w * (0.57 - 0.055 * k), ly)], False), darker(roof, 0.2),
            3, alpha=0.5, haze=haze)  # fmt: skip
    art.fill(arch(x - w * 0.09, y - h * 0.66, w * 0.18, h * 0.66), darker(roof, 0.25) if not snow else "#6b4a38",
        haze=haze, shadow=3)  # fmt: skip
    art.fill(oval(x + w * 0.05, y - h * 0.3, w * 0.012), "#e3b341", haze=haze)
    for side in (-1, 1):
        window(art, box(x + side * w * 0.29 - w * 0.08, y - h * 0.70, w * 0.16, h * 0.32), light, haze=haze)


def townhouse(
    art: Art, x: float, y: float, w: float, h: float, light: Light, lots: Lots, name: str, haze: float = 0.0
) -> None:
    wall = lots.pick(f"{name} wall", ("#c98a6a", "#d9b98f", "#b5746a", "#8fa3a0", "#d2a08a", "#a8937c", "#b9a5b0"))
    art.fill(box(x - w / 2, y - h, w, h), wall, shade=0.25, shadow=9, haze=haze)
    roof = lots.pick(f"{name} roof", ("#6a4a48", "#54505e", "#7d4f42"))
    if lots.number(f"{name} gable") > 0.45:
        art.fill(poly([(x - w * 0.54, y - h), (x, y - h - w * 0.5), (x + w * 0.54, y - h)]), roof, shade=0.2, shadow=6,
            haze=haze)  # fmt: skip
    else:
        art.fill(poly([(x - w * 0.54, y - h + 6), (x - w * 0.46, y - h - w * 0.2), (x + w * 0.46, y - h - w * 0.2),
            (x + w * 0.54, y - h + 6)]), roof, shade=0.2, shadow=6, haze=haze)  # fmt: skip
    rows = max(1, int((h - 150) / 130))
    for row in range(rows):
        for column in (-1, 0, 1) if w > 190 else (-0.7, 0.7):
            lit = lots.number(f"{name} {row} {column}") > 0.32
            window(art, box(x + column * w * 0.3 - 24, y - h + 34 + row * 130, 48, 76, 4), light, lit=lit, haze=haze)
    shop = lots.number(f"{name} shop") > 0.5
    art.fill(
        box(x - w * 0.08 - (w * 0.24 if shop else 0), y - 112, w * 0.2, 112, 4), darker(wall, 0.5), haze=haze, shadow=3
    )
    if shop:
        window(art, box(x - w * 0.02, y - 104, w * 0.42, 74, 4), light, haze=haze, cross=False)
        awning(art, x - w * 0.04, y - 128, w * 0.48, 34, lots.pick(f"{name} awning",
            ("#b5453f", "#3f7a6a", "#c98a3c", "#4a6a9a")), haze)  # fmt: skip


def awning(art: Art, x: float, y: float, w: float, drop: float, colour: str, haze: float = 0.0) -> None:
    stripes = max(4, int(w / 26))
    step = w / stripes
    for k in range(stripes):
        tone = colour if k % 2 == 0 else "#f3ead8"
        left, right = x + k * step, x + (k + 1) * step
        art.fill(smooth_strip(left, right, y, drop, x + w / 2), tone, haze=haze, shadow=2 if k % 2 == 0 else 0)


def smooth_strip(left: float, right: float, y: float, drop: float, middle: float) -> Shape:
    spread = 1.08
    bl, br = middle + (left - middle) * spread, middle + (right - middle) * spread
    return smooth([(left, y), (right, y), (br, y + drop * 0.8), ((bl + br) / 2, y + drop * 1.1), (bl, y + drop * 0.8)])


def street_lamp(art: Art, x: float, y: float, tall: float, light: Light) -> None:
    art.line(poly([(x, y), (x, y - tall)], False), "#34323e", 9, shadow=4)
    art.fill(box(x - 18, y - 14, 36, 16, 4), "#34323e")
    shape = poly([(x - 20, y - tall), (x + 20, y - tall), (x + 27, y - tall - 52), (x - 27, y - tall - 52)])
    if light.lamp > 0.4:
        art.fill(shape, "#ffe7a8", shining=True)
        art.glow(x, y - tall - 26, 210, "#ffb24d", 0.75 * light.lamp)
        art.glow(x, y - 6, 170, "#ffb24d", 0.18 * light.lamp)
    else:
        art.fill(shape, "#dfe6e2")
    art.line(shape, "#34323e", 5)
    art.fill(poly([(x - 34, y - tall - 52), (x + 34, y - tall - 52), (x, y - tall - 82)]), "#34323e")


def church(art: Art, x: float, y: float, size: float, light: Light, haze: float = 0.0) -> None:
    wall = "#c9bfae"
    art.fill(box(x - size * 0.1, y - size * 0.42, size * 0.5, size * 0.42), wall, shade=0.2, haze=haze, shadow=6)
    art.fill(poly([(x - size * 0.14, y - size * 0.42), (x + size * 0.15, y - size * 0.66),
        (x + size * 0.44, y - size * 0.42)]), "#6f6470", haze=haze, shadow=4)  # fmt: skip
    art.fill(
        box(x - size * 0.3, y - size * 0.8, size * 0.22, size * 0.8), lighter(wall, 0.1), shade=0.2, haze=haze, shadow=6
    )
    art.fill(poly([(x - size * 0.33, y - size * 0.8), (x - size * 0.19, y - size * 1.22),
        (x - size * 0.05, y - size * 0.8)]), "#6f6470", haze=haze, shadow=4)  # fmt: skip
    art.line(
        poly([(x - size * 0.19, y - size * 1.22), (x - size * 0.19, y - size * 1.36)], False), "#5a5560", 5, haze=haze
    )
    art.line(
        poly([(x - size * 0.23, y - size * 1.31), (x - size * 0.15, y - size * 1.31)], False), "#5a5560", 5, haze=haze
    )
    for dx in (0.02, 0.16, 0.30):
        window(art, arch(x + size * dx, y - size * 0.3, size * 0.07, size * 0.18, True), light, haze=haze, cross=False)
    window(art, arch(x - size * 0.23, y - size * 0.66, size * 0.08, size * 0.16), light, haze=haze, cross=False)


def lighthouse(art: Art, x: float, y: float, tall: float, light: Light) -> None:
    art.fill(smooth([(x - tall * 0.5, y + 20), (x - tall * 0.3, y - tall * 0.08), (x, y - tall * 0.12),
        (x + tall * 0.34, y - tall * 0.07), (x + tall * 0.55, y + 20)]), "#6f7276", shade=0.35, shadow=8)  # fmt: skip
    base, top = tall * 0.15, tall * 0.095
    tower = poly(
        [(x - base, y - tall * 0.08), (x - top, y - tall * 0.8), (x + top, y - tall * 0.8), (x + base, y - tall * 0.08)]
    )
    art.fill(tower, "#f3ede0", shadow=9)
    with art.inside(tower):
        for k in range(3):
            art.fill(box(x - tall, y - tall * (0.76 - 0.24 * k), tall * 2, tall * 0.12), "#c04a3c")
        art.blend(box(x - base, y - tall, base * 2, tall), [("#000000", 0.0), ("#1a1430", 0.28)], across=True)
    art.fill(box(x - top * 1.35, y - tall * 0.82, top * 2.7, tall * 0.028, 4), "#3d3a46", shadow=4)
    lamp = box(x - top * 0.72, y - tall * 0.92, top * 1.44, tall * 0.10)
    if light.lamp > 0.3:
        for side in (-1, 1):
            beam = poly([(x, y - tall * 0.87), (x + side * tall * 2.2, y - tall * 1.12),
                (x + side * tall * 2.2, y - tall * 0.68)])  # fmt: skip
            art.blend(beam, [("#fff0b8", 0.62), ("#fff0b8", 0.0)] if side > 0 else [("#fff0b8", 0.0),
                ("#fff0b8", 0.62)], shining=True, across=True)  # fmt: skip
        art.fill(lamp, "#fff3c0", shining=True)
        art.glow(x, y - tall * 0.87, tall * 0.5, "#ffe28a", 0.9)
    else:
        art.fill(lamp, "#d9e6ea")
    art.line(lamp, "#3d3a46", 4)
    art.fill(smooth([(x - top, y - tall * 0.92), (x - top * 0.5, y - tall * 0.98), (x, y - tall * 1.01),
        (x + top * 0.5, y - tall * 0.98), (x + top, y - tall * 0.92)]), "#b5403a", shade=0.2, shadow=4)  # fmt: skip
    window(art, arch(x - tall * 0.025, y - tall * 0.6, tall * 0.05, tall * 0.09), light, cross=False)
    art.fill(arch(x - tall * 0.04, y - tall * 0.22, tall * 0.08, tall * 0.14), "#5a4a48")


def castle(art: Art, x: float, y: float, size: float, light: Light, haze: float = 0.0) -> None:
    wall = "#a9a5ad"
    for dx, w, h, cap in ((-0.44, 0.16, 0.74, "#8a4656"), (0.44, 0.16, 0.82, "#8a4656"), (-0.16, 0.17, 1.02, "#7a3f5a"),
        (0.16, 0.15, 0.92, "#7a3f5a")):  # fmt: skip
        cx = x + dx * size
        art.fill(box(cx - w * size / 2, y - h * size, w * size, h * size), lighter(wall, 0.08), shade=0.22, haze=haze,
            shadow=7)  # fmt: skip
        art.fill(poly([(cx - w * size * 0.62, y - h * size), (cx, y - (h + 0.30) * size),
            (cx + w * size * 0.62, y - h * size)]), cap, shade=0.2, haze=haze, shadow=5)  # fmt: skip
        art.line(poly([(cx, y - (h + 0.30) * size), (cx, y - (h + 0.40) * size)], False), "#4a4048", 4, haze=haze)
        art.fill(poly([(cx, y - (h + 0.40) * size), (cx + 0.08 * size, y - (h + 0.37) * size), (cx,
            y - (h + 0.34) * size)]), "#d9a23c", haze=haze)  # fmt: skip
        for k in (0.2, 0.44):
            window(art, arch(cx - 0.022 * size, y - (h - k) * size, 0.044 * size, 0.09 * size), light, haze=haze,
                cross=False)  # fmt: skip
    art.fill(box(x - 0.5 * size, y - 0.46 * size, size, 0.46 * size), wall, shade=0.25, haze=haze, shadow=8)
    for k in range(11):
        art.fill(box(x + (-0.5 + k * 0.094) * size, y - 0.52 * size, 0.055 * size, 0.075 * size), wall, haze=haze)
    art.fill(arch(x - 0.1 * size, y - 0.3 * size, 0.2 * size, 0.3 * size), "#4f3a30", haze=haze, shadow=4)
    for k in range(1, 4):
        art.line(poly([(x + (-0.1 + 0.05 * k) * size, y - 0.28 * size), (x + (-0.1 + 0.05 * k) * size, y)], False),
            "#2f2420", 3, haze=haze)  # fmt: skip


def barn(art: Art, x: float, y: float, size: float, light: Light) -> None:
    art.fill(poly([(x - size * 0.5, y), (x - size * 0.5, y - size * 0.42), (x - size * 0.34, y - size * 0.68),
        (x, y - size * 0.82), (x + size * 0.34, y - size * 0.68), (x + size * 0.5, y - size * 0.42),
        (x + size * 0.5, y)]), "#a8432f", shade=0.25, shadow=8, haze=0.1)  # fmt: skip
    art.line(poly([(x - size * 0.55, y - size * 0.40), (x - size * 0.36, y - size * 0.70), (x, y - size * 0.86),
        (x + size * 0.36, y - size * 0.70), (x + size * 0.55, y - size * 0.40)], False), "#5a3a34", 15,
        haze=0.1)  # fmt: skip
    art.fill(box(x - size * 0.17, y - size * 0.36, size * 0.34, size * 0.36), "#7a2f26", haze=0.1)
    for a, b in (((-0.17, -0.36), (0.17, 0)), ((0.17, -0.36), (-0.17, 0))):
        art.line(poly([(x + a[0] * size, y + a[1] * size), (x + b[0] * size, y + b[1] * size)], False), "#f0e6d2", 6,
            haze=0.1)  # fmt: skip
    art.line(box(x - size * 0.17, y - size * 0.36, size * 0.34, size * 0.36), "#f0e6d2", 6, haze=0.1)
    window(art, box(x - size * 0.06, y - size * 0.62, size * 0.12, size * 0.13), light, haze=0.1)


def windmill(art: Art, x: float, y: float, tall: float, light: Light) -> None:
    art.fill(poly([(x - tall * 0.17, y), (x - tall * 0.10, y - tall * 0.62), (x + tall * 0.10, y - tall * 0.62),
        (x + tall * 0.17, y)]), "#e3d6bd", shade=0.3, shadow=7, haze=0.12)  # fmt: skip
    art.fill(smooth([(x - tall * 0.12, y - tall * 0.61), (x, y - tall * 0.78), (x + tall * 0.12, y - tall * 0.61)]),
        "#7d4f42", shadow=4, haze=0.12)  # fmt: skip
    for turn in (20, 110, 200, 290):
        with art.at(x, y - tall * 0.64, turn=turn):
            art.line(poly([(0, 0), (0, -tall * 0.46)], False), "#5a4438", 6, haze=0.1)
            art.fill(box(4, -tall * 0.45, tall * 0.09, tall * 0.34), "#f1e7d2", alpha=0.92, shadow=3, haze=0.1)
    window(art, arch(x - tall * 0.03, y - tall * 0.42, tall * 0.06, tall * 0.1), light, haze=0.12)
    art.fill(arch(x - tall * 0.045, y - tall * 0.16, tall * 0.09, tall * 0.16), "#5a4438", haze=0.12)


def stall(art: Art, x: float, y: float, w: float, colour: str, goods: tuple[str, ...], light: Light) -> None:
    """A market stall with heaped goods under a striped awning."""
    for dx in (-w * 0.46, w * 0.44):
        art.fill(box(x + dx, y - w * 0.86, 12, w * 0.86), "#7d5a3c", shadow=3)
    art.fill(box(x - w * 0.5, y - w * 0.34, w, w * 0.34), "#9a6b42", shade=0.3, shadow=6)
    for k in range(4):
        art.line(poly([(x - w * 0.5 + w * 0.25 * (k + 0.5), y - w * 0.32), (x - w * 0.5 + w * 0.25 * (k + 0.5), y)],
            False), "#6f4a2e", 3, alpha=0.6)  # fmt: skip
    for k in range(3):
        cx = x + (k - 1) * w * 0.31
        for row, count in ((0, 5), (1, 4), (2, 2)):
            for n in range(count):
                art.fill(oval(cx + (n - (count - 1) / 2) * w * 0.056, y - w * (0.37 + 0.046 * row), w * 0.034),
                    goods[k % len(goods)], shade=0.25, shadow=1.5)  # fmt: skip
        art.fill(poly([(cx - w * 0.145, y - w * 0.37), (cx + w * 0.145, y - w * 0.37), (cx + w * 0.12, y - w * 0.28),
            (cx - w * 0.12, y - w * 0.28)]), "#c79a5c", shade=0.2, shadow=3)  # fmt: skip
    awning(art, x - w * 0.54, y - w * 0.98, w * 1.08, w * 0.24, colour)
    if light.lamp > 0.4:
        art.fill(oval(x, y - w * 0.66, 14, 18), "#ffe2a0", shining=True)
        art.glow(x, y - w * 0.66, w * 0.7, "#ffb24d", 0.6 * light.lamp)
