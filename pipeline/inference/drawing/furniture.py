"""What rooms are furnished with. x is a piece's middle, y the floor under it; sizes in units."""

from __future__ import annotations

from pipeline.inference.drawing.buildings import LAMP
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import Light, darker, lighter, mix
from pipeline.inference.drawing.shapes import arch, box, oval, poly, smooth, star
from pipeline.inference.drawing.sky import cloud
from pipeline.inference.drawing.weather import falling
from pipeline.inference.drawing.words import Lots

WOOD = "#8a5f3c"


def outside(
    art: Art,
    shape: object,
    light: Light,
    lots: Lots,
    frame: str = "#efe4ce",
    panes: tuple[int, int] = (2, 2),
    ground: str = "#7fa066",
    width: float = 13,
) -> None:
    """A window seen from inside, with the hour and the weather outside."""
    rect = shape.getBounds()  # type: ignore[attr-defined]  # a skia.Path
    x, y, w, h = rect.left(), rect.top(), rect.width(), rect.height()
    top, middle, bottom = light.sky
    with art.inside(shape):
        art.blend(box(x, y, w, h), [(top, 1), (middle, 1), (bottom, 1)], shining=True)
        clear = light.weather in ("clear", "wind", "cloudy")
        if light.night and clear:
            for k in range(14):
                art.fill(oval(x + w * lots.number(f"ws{k}"), y + h * 0.8 * lots.number(f"wt{k}"), 2.2), "#fdf6dc",
                    shining=True)  # fmt: skip
            art.glow(x + w * 0.7, y + h * 0.28, w * 0.5, "#bcd0ff", 0.6)
            art.fill(oval(x + w * 0.7, y + h * 0.28, min(w, h) * 0.13), "#f7f2da", shining=True)
        elif clear:
            high = {"dawn": 0.68, "morning": 0.42, "day": 0.22, "dusk": 0.66}[light.time]
            art.glow(x + w * 0.68, y + h * high, w * 0.8, light.sun, 0.8)
            art.fill(oval(x + w * 0.68, y + h * high, min(w, h) * 0.11),
                "#ffd27a" if light.time == "dusk" else light.sun, shining=True)  # fmt: skip
        if light.weather != "clear":
            cloud(art, x + w * 0.3, y + h * 0.3, w * 0.4, light, 0.4)
        else:
            cloud(art, x + w * 0.26, y + h * 0.30, w * 0.2, light, 0.4)
        lit = (darker(ground, 0.7) if light.night else mix(ground, bottom, 0.3) if light.time in ("dusk",
            "dawn") else ground)  # fmt: skip
        art.fill(smooth([(x - 10, y + h * 0.84), (x + w * 0.3, y + h * 0.76), (x + w * 0.7, y + h * 0.84),
            (x + w + 10, y + h * 0.78), (x + w + 10, y + h + 20), (x - 10, y + h + 20)]), lit,
            shining=True)  # fmt: skip
        if light.weather in ("rain", "storm", "snow"):
            falling(art, light, lots, 0.9)
    art.line(shape, frame, width, shadow=7)
    for k in range(1, panes[0]):
        art.line(poly([(x + w * k / panes[0], y), (x + w * k / panes[0], y + h)], False), frame, width * 0.5)
    for k in range(1, panes[1]):
        art.line(poly([(x, y + h * k / panes[1]), (x + w, y + h * k / panes[1])], False), frame, width * 0.5)
    if light.time in ("day", "morning") and light.weather == "clear":
        shaft = poly(
            [(x + w * 0.1, y + h), (x + w * 0.9, y + h), (x + w * 0.5, y + h + 420), (x - w * 0.7, y + h + 420)]
        )
        art.blend(shaft, [("#fff3c8", 0.20), ("#fff3c8", 0.0)], shining=True)


def curtains(art: Art, x: float, y: float, w: float, h: float, colour: str) -> None:
    art.line(poly([(x - w * 0.62, y - 20), (x + w * 0.62, y - 20)], False), "#6b4a33", 9)
    for side in (-1, 1):
        edge = x + side * w * 0.60
        art.fill(smooth([(edge, y - 20), (x + side * w * 0.34, y - 18), (x + side * w * 0.42, y + h * 0.5),
            (x + side * w * 0.50, y + h * 1.1), (edge + side * 12, y + h * 1.12)]), colour, shade=0.25,
            shadow=6)  # fmt: skip


def table(art: Art, x: float, y: float, w: float, h: float, colour: str = WOOD, cloth: str = "") -> None:
    art.dim(x, y, w * 0.6, 0.35, 0.12)
    for dx in (-0.43, 0.38):
        art.fill(box(x + dx * w, y - h + 10, w * 0.055, h - 10), darker(colour, 0.15), shade=0.3)
    art.fill(box(x - w / 2, y - h, w, 24, 6), colour, shade=0.2, shadow=7)
    if cloth:
        art.fill(smooth([(x - w * 0.46, y - h - 2), (x + w * 0.46, y - h - 2), (x + w * 0.47, y - h * 0.62),
            (x + w * 0.2, y - h * 0.56), (x - w * 0.2, y - h * 0.62), (x - w * 0.47, y - h * 0.56)]), cloth, shade=0.2,
            shadow=5)  # fmt: skip


def chair(art: Art, x: float, y: float, h: float, colour: str = WOOD, flip: bool = False) -> None:
    with art.at(x, y, h / 200, flip=flip):
        art.fill(box(-46, -200, 14, 200, 4), darker(colour, 0.1), shade=0.2)
        art.fill(box(-42, -192, 10, 92), colour)
        for dy in (-188, -156):
            art.fill(box(-48, dy, 20, 18, 4), colour, shadow=2)
        art.fill(box(32, -100, 13, 100, 4), darker(colour, 0.2), shade=0.2)
        art.fill(box(-50, -108, 102, 18, 6), colour, shadow=4)


def armchair(art: Art, x: float, y: float, size: float, colour: str) -> None:
    with art.at(x, y, size / 200):
        art.dim(0, 0, 130, 0.35, 0.14)
        art.fill(box(-76, -210, 152, 190, 44), colour, shade=0.25, shadow=8)
        art.fill(box(-70, -104, 140, 66, 20), lighter(colour, 0.12), shade=0.2, shadow=5)
        for side in (-1, 1):
            art.fill(box(side * 82 - 26, -128, 52, 116, 24), darker(colour, 0.08), shade=0.25, shadow=6)
        for side in (-1, 1):
            art.fill(box(side * 70 - 8, -16, 16, 18), "#4a3328")


def fireplace(art: Art, x: float, y: float, size: float, light: Light) -> None:
    stone = "#a09488"
    art.fill(box(x - size * 0.5, y - size * 0.95, size, size * 0.95), stone, shade=0.2, shadow=10)
    for row in range(6):
        for k in range(4):
            art.fill(box(x - size * 0.48 + k * size * 0.25 - (row % 2) * size * 0.06, y - size * (0.93 - row * 0.155),
                size * 0.21, size * 0.125, 10), darker(stone, 0.07 + 0.06 * ((row + k) % 3)), alpha=0.8)  # fmt: skip
    art.fill(box(x - size * 0.58, y - size * 1.02, size * 1.16, size * 0.09, 6), "#6f4a30", shade=0.2, shadow=8)
    art.fill(arch(x - size * 0.3, y - size * 0.62, size * 0.6, size * 0.62), "#2a2024")
    for dx in (-0.12, 0.1):
        art.line(poly([(x + dx * size - size * 0.1, y - size * 0.05), (x + dx * size + size * 0.12, y - size * 0.09)],
            False), "#6b4630", size * 0.07)  # fmt: skip
    for k, (dx, h, w, tone) in enumerate(((-0.09, 0.30, 0.12, "#e8742c"), (0.09, 0.27, 0.12, "#e8742c"),
        (0.0, 0.40, 0.16, "#f08a2e"), (0.0, 0.24, 0.09, "#ffd060"))):  # fmt: skip
        cx = x + dx * size
        art.fill(smooth([(cx, y - size * (h + 0.06)), (cx + size * w * 0.6, y - size * (h * 0.45)),
            (cx + size * w * 0.7, y - size * 0.08), (cx - size * w * 0.7, y - size * 0.08),
            (cx - size * w * 0.6, y - size * h * 0.4)]), tone, shining=True)  # fmt: skip
        del k
    art.glow(x, y - size * 0.2, size * (1.5 if light.lamp > 0.4 else 0.9), "#ff8a2c", 0.6 if light.lamp > 0.4 else 0.35)


def lamp(art: Art, x: float, y: float, size: float, light: Light, shade: str = "#e8cf9c") -> None:
    """A standing or table lamp with a cloth shade."""
    art.fill(box(x - size * 0.04, y - size * 0.6, size * 0.08, size * 0.6), "#6b4a33")
    art.fill(box(x - size * 0.18, y - size * 0.06, size * 0.36, size * 0.07, 5), "#6b4a33")
    cap = poly([(x - size * 0.17, y - size), (x + size * 0.17, y - size), (x + size * 0.32, y - size * 0.56),
        (x - size * 0.32, y - size * 0.56)])  # fmt: skip
    _shine(art, cap, x, y - size * 0.7, size, light, shade)


def hanging_lamp(art: Art, x: float, drop: float, size: float, light: Light) -> None:
    art.line(poly([(x, -20), (x, drop)], False), "#3a3034", 5)
    cap = poly([(x - size * 0.2, drop), (x + size * 0.2, drop), (x + size * 0.5, drop + size * 0.4),
        (x - size * 0.5, drop + size * 0.4)])  # fmt: skip
    if light.lamp > 0.4:
        art.fill(oval(x, drop + size * 0.42, size * 0.2), "#fff0c0", shining=True)
        art.glow(x, drop + size * 0.5, size * 4.2, "#ffb24d", 0.6)
    art.fill(cap, "#4a5a56", shade=0.2, shadow=5)


def lantern(art: Art, x: float, y: float, size: float, lit: bool = True) -> None:
    if lit:
        art.glow(x, y - size * 0.45, size * 2.2, "#ffab45", 0.65)
        art.fill(box(x - size * 0.24, y - size * 0.74, size * 0.48, size * 0.56, size * 0.06), "#ffe0a0", shining=True)
        art.fill(smooth([(x, y - size * 0.62), (x + size * 0.10, y - size * 0.38), (x, y - size * 0.24),
            (x - size * 0.10, y - size * 0.38)]), "#f0882c", shining=True)  # fmt: skip
    else:
        art.fill(box(x - size * 0.24, y - size * 0.74, size * 0.48, size * 0.56, size * 0.06), "#cfd9d6")
    for dx in (-0.24, 0.0, 0.20):
        art.fill(box(x + dx * size, y - size * 0.74, size * 0.045, size * 0.58), "#4a3d38")
    art.fill(box(x - size * 0.32, y - size * 0.2, size * 0.64, size * 0.2, size * 0.05), "#4a3d38", shadow=4)
    art.fill(poly([(x - size * 0.32, y - size * 0.72), (x + size * 0.32, y - size * 0.72),
        (x + size * 0.12, y - size * 0.92), (x - size * 0.12, y - size * 0.92)]), "#4a3d38", shadow=3)  # fmt: skip
    art.line(oval(x, y - size * 1.0, size * 0.13), "#4a3d38", size * 0.05)


def _shine(art: Art, cap: object, x: float, y: float, size: float, light: Light, colour: str) -> None:
    if light.lamp > 0.4:
        art.glow(x, y, size * 2.6, "#ffb24d", 0.55)
        art.fill(cap, LAMP, shining=True)
    else:
        art.fill(cap, colour, shade=0.2, shadow=4)


def shelf(
    art: Art,
    x: float,
    y: float,
    w: float,
    h: float,
    lots: Lots,
    rows: int = 4,
    goods: str = "books",
    wood: str = "#7a5336",
    name: str = "shelf",
) -> None:
    """A standing shelf full of books or jars; y is its foot."""
    art.fill(box(x - w / 2, y - h, w, h, 5), darker(wood, 0.3), shadow=9)
    step = h / rows
    for row in range(rows):
        foot = y - h + step * (row + 1) - 10
        at, k = x - w / 2 + 14, 0
        while at < x + w / 2 - 30:
            lot = lots.number(f"{name} {row} {k}")
            tall = step * (0.5 + 0.32 * lot)
            colour = ("#a8483f", "#3f6a84", "#5f7f4f", "#c79a4c", "#6b4a72", "#8a5a3c", "#d9c9a5")[int(lot * 97) % 7]
            if goods == "books":
                wide = 14 + 16 * lots.number(f"{name} w {row} {k}")
                art.fill(box(at, foot - tall, wide, tall, 2), colour, shade=0.15)
                art.fill(box(at + 2, foot - tall * 0.8, wide - 4, 4), lighter(colour, 0.4), alpha=0.7)
                at += wide + 2
            else:
                wide = 34 + 16 * lots.number(f"{name} w {row} {k}")
                art.fill(
                    box(at, foot - tall * 0.8, wide, tall * 0.8, 9), mix(colour, "#e9e2cf", 0.25), shade=0.25, shadow=2
                )
                art.fill(box(at + 5, foot - tall * 0.8 - 9, wide - 10, 12, 4), "#e0cfa8")
                at += wide + 12
            k += 1
        art.fill(box(x - w / 2, foot, w, 12), wood, shadow=3)
    art.line(box(x - w / 2, y - h, w, h, 5), wood, 12)


def bed(art: Art, x: float, y: float, w: float, cover: str, head_left: bool = True) -> None:
    with art.at(x, y, w / 400, flip=not head_left):
        art.dim(0, 0, 240, 0.35, 0.12)
        art.fill(box(-214, -216, 26, 220, 8), "#7a5336", shade=0.2, shadow=5)
        art.fill(box(190, -140, 22, 144, 8), "#7a5336", shade=0.2, shadow=5)
        art.fill(box(-200, -96, 400, 70, 10), "#efe7d6", shade=0.2, shadow=5)
        art.fill(smooth([(-190, -98), (-176, -148), (-90, -150), (-70, -98)]), "#fbf6ea", shade=0.2, shadow=4)
        art.fill(smooth([(-96, -110), (-60, -126), (60, -122), (196, -116), (204, -30), (190, -22), (-90, -22),
            (-100, -60)]), cover, shade=0.3, shadow=6)  # fmt: skip
        for k in range(4):
            art.fill(box(-60 + k * 64, -104, 26, 70, 4), lighter(cover, 0.25), alpha=0.55)


def rug(art: Art, x: float, y: float, w: float, h: float, colour: str) -> None:
    art.fill(oval(x, y, w / 2, h / 2), colour, shadow=3)
    art.line(oval(x, y, w * 0.43, h * 0.40), lighter(colour, 0.4), 6)
    art.line(oval(x, y, w * 0.30, h * 0.27), mix(colour, "#e3b04c", 0.5), 8)


def picture(art: Art, x: float, y: float, w: float, h: float, lots: Lots) -> None:
    art.fill(box(x - w / 2, y - h / 2, w, h, 4), "#8a6238", shadow=6)
    art.fill(box(x - w * 0.42, y - h * 0.4, w * 0.84, h * 0.8), "#d9e3dc")
    with art.inside(box(x - w * 0.42, y - h * 0.4, w * 0.84, h * 0.8)):
        art.fill(oval(x + w * 0.16, y - h * 0.1, w * 0.12), "#ecc05a")
        art.fill(smooth([(x - w * 0.6, y + h * 0.2), (x - w * 0.1, y - h * 0.1), (x + w * 0.2, y + h * 0.16),
            (x + w * 0.6, y), (x + w * 0.6, y + h), (x - w * 0.6, y + h)]), lots.pick("picture",
            ("#6f9a6a", "#7f8fa8", "#b5855c")))  # fmt: skip


def throne(art: Art, x: float, y: float, size: float) -> None:
    with art.at(x, y, size / 300):
        art.fill(box(-190, -30, 380, 34, 4), "#a8484a", shade=0.2, shadow=5)
        art.fill(smooth([(-84, -40), (-92, -290), (-60, -340), (0, -384), (60, -340), (92, -290), (84, -40)]),
            "#d9a83e", shade=0.3, shadow=9)  # fmt: skip
        art.fill(box(-62, -290, 124, 210, 26), "#9c2f3f", shade=0.2)
        art.fill(box(-90, -124, 180, 46, 14), "#b5384a", shadow=5)
        for side in (-1, 1):
            art.fill(box(side * 92 - 16, -170, 32, 148, 10), "#d9a83e", shade=0.3, shadow=4)
        art.fill(star(0, -330, 24), "#f4e2a0")


def barrel(art: Art, x: float, y: float, tall: float) -> None:
    art.fill(smooth([(x - tall * 0.32, y - tall), (x + tall * 0.32, y - tall), (x + tall * 0.42, y - tall * 0.5),
        (x + tall * 0.32, y), (x - tall * 0.32, y), (x - tall * 0.42, y - tall * 0.5)]), "#8f5f38", shade=0.3,
        shadow=6)  # fmt: skip
    for k in (0.2, 0.8):
        art.fill(box(x - tall * 0.39, y - tall * k - 8, tall * 0.78, 14), "#4f4a50")


def crate(art: Art, x: float, y: float, size: float) -> None:
    art.fill(box(x - size / 2, y - size * 0.8, size, size * 0.8, 4), "#a57a4c", shade=0.25, shadow=6)
    art.line(box(x - size * 0.44, y - size * 0.74, size * 0.88, size * 0.68), "#7d5a36", 8)
    art.line(poly([(x - size * 0.42, y - size * 0.7), (x + size * 0.42, y - size * 0.1)], False), "#7d5a36", 8)


def column(art: Art, x: float, top: float, y: float, w: float, colour: str = "#d6ccb8") -> None:
    art.fill(box(x - w / 2, top, w, y - top), colour, shadow=9)
    art.blend(box(x - w / 2, top, w, y - top), [("#ffffff", 0.25), ("#ffffff", 0.0), ("#2a1c3a", 0.3)], across=True)
    for dy, height in ((top, 40), (y - 44, 46)):
        art.fill(box(x - w * 0.72, dy, w * 1.44, height, 6), lighter(colour, 0.1), shade=0.2, shadow=5)


def bicycle(art: Art, colour: str) -> None:
    for x in (-48, 48):
        art.line(oval(x, -30, 29), "#34303a", 6, shadow=4)
        for turn in (0, 60, 120):
            with art.at(x, -30, turn=turn):
                art.line(poly([(-27, 0), (27, 0)], False), "#9a9aa2", 1.5)
    for a, b in (((-48, -30), (-18, -72)), ((-18, -72), (34, -74)), ((34, -74), (-4, -30)), ((-4, -30), (-48, -30)),
        ((-4, -30), (-22, -80)), ((48, -30), (32, -86))):  # fmt: skip
        art.line(poly([a, b], False), colour, 6.5, shadow=3)
    art.line(smooth([(18, -90), (32, -88), (46, -94)], False), "#34303a", 6)
    art.fill(box(-36, -88, 28, 8, 4), "#5a3d30", shadow=2)
    art.fill(oval(-4, -30, 8), "#9a9aa2")
