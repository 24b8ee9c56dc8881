"""Halls, holds, and the insides of machines and mountains. `horizon` is the foot of the back wall."""

from __future__ import annotations

from pipeline.inference.drawing import furniture as f
from pipeline.inference.drawing.interiors_home import globe, shell
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter
from pipeline.inference.drawing.places_town import wall_clock, wheel
from pipeline.inference.drawing.scene import Scene
from pipeline.inference.drawing.shapes import arc, arch, box, oval, poly, smooth, star
from pipeline.inference.drawing.sky import steps


def library(art: Art, s: Scene) -> None:
    y = shell(art, s, "#a98f6a", "#7d5a3c", panel="#7d5a3c")
    f.outside(art, arch(art.w * 0.5 - 110, y - 480, 220, 380), s.light, s.lots, "#5f4029", (2, 3))
    count = 2 if art.w > 1100 else 1
    width = (art.w * 0.5 - 150) / count
    for k in range(count):
        for side in (-1, 1):
            x = art.w * 0.5 + side * (140 + width * (k + 0.5))
            f.shelf(art, x, y + 14, width * 0.97, y + 40, s.lots, 6, "books", name=f"case {k} {side}")
    lx = art.w * 0.24
    for dx in (-34, 34):
        art.line(poly([(lx + dx * 0.7, 40), (lx + dx + 30, y + 70)], False), "#c79a5c", 11, shadow=6)
    for k in range(8):
        t = k / 8
        art.line(
            poly([(lx - 26 + 26 * t, 80 + (y - 40) * t), (lx + 30 + 36 * t, 80 + (y - 40) * t)], False), "#c79a5c", 8
        )
    f.rug(art, art.w * 0.5, y + 200, min(720, art.w * 0.7), 120, "#7a3f4a")
    f.table(art, art.w * 0.62, y + 110, 320, 140)
    f.lamp(art, art.w * 0.58, y - 28, 110, s.light, "#5f8f6a")
    for k in range(3):
        art.fill(box(art.w * 0.66, y - 48 - k * 20, 96 - k * 10, 20, 3), ("#a8483f", "#3f6a84", "#c79a4c")[k], shadow=2)


def hall(art: Art, s: Scene) -> None:
    """A palace or castle hall: columns, tall windows, banners, a carpet to a throne."""
    y = shell(art, s, "#c9b896" if not s.text.has("castle", "stone") else "#a8a29a", "#b5a284", boards=False)
    count = 4 if art.w > 1100 else 2
    for k in range(count):
        x = art.w * (k + 0.5) / count
        if abs(x - art.w / 2) > 120 or count == 2:
            f.outside(art, arch(x - 70, y - 480, 140, 380, True), s.light, s.lots, "#8a7a5c", (2, 4))
    art.fill(poly([(art.w * 0.5 - 120, y + 10), (art.w * 0.5 + 120, y + 10), (art.w * 0.5 + 320, art.h + 20),
        (art.w * 0.5 - 320, art.h + 20)]), "#a8303a", shade=0.2, shadow=5)  # fmt: skip
    for side in (-1, 1):
        art.line(
            poly([(art.w * 0.5 + side * 108, y + 10), (art.w * 0.5 + side * 290, art.h + 20)], False), "#e3b84c", 8
        )
    if not s.text.has("museum", "theatre", "theater", "ballroom", "gallery", "corridor"):
        f.throne(art, art.w * 0.5, y + 40, 330)
    for k in range(count + 1):
        if 2 * k != count:  # none before the throne
            f.column(
                art, art.w * k / count, -20, y + 50, 74, "#d9cfbc" if not s.text.has("castle", "stone") else "#b5b0a8"
            )
    for side in (-1, 1):
        x = art.w * 0.5 + side * min(230, art.w * 0.3)
        art.fill(poly([(x - 54, 40), (x + 54, 40), (x + 54, 300), (x, 350), (x - 54, 300)]),
            "#7a2f4a" if side < 0 else "#2f4a7a", shade=0.25, shadow=7)  # fmt: skip
        art.fill(star(x, 160, 32), "#e3b84c")
    art.line(poly([(art.w * 0.5, -20), (art.w * 0.5, 90)], False), "#6b5a34", 6)
    art.line(arc(art.w * 0.5, 60, 130, 60, 0, 180), "#c79a3c", 10, shadow=4)
    for k in range(5):
        x = art.w * 0.5 - 128 + k * 64
        art.fill(box(x - 6, 30 + 50 * (1 - abs(k - 2) / 2), 12, 36, 3), "#f4ead2")
        art.glow(x, 24 + 50 * (1 - abs(k - 2) / 2), 90, "#ffc46b", 0.6 if s.light.lamp > 0.3 else 0.25)


def church(art: Art, s: Scene) -> None:
    y = shell(art, s, "#b9b0a4", "#9a9088", boards=False)
    for k, x in enumerate(steps(art.w * 0.14, art.w * 0.86, 5 if art.w > 1100 else 3)):
        shape = arch(x - 62, y - 470, 124, 330, True)
        with art.inside(shape):
            for row in range(6):
                for column in range(3):
                    tone = ("#c0564a", "#4a7fb5", "#e3b04c", "#5f9a6a", "#8a5a9a")[(row * 2 + column + k) % 5]
                    if s.light.night:
                        tone = darker(tone, 0.55)
                    art.fill(box(x - 62 + column * 42, y - 500 + row * 62, 40, 60), tone, shining=True)
        art.line(shape, "#6f675f", 12, shadow=5)
    art.fill(box(art.w * 0.5 - 150, y - 90, 300, 110, 4), "#e6dfd0", shade=0.2, shadow=8)
    art.fill(box(art.w * 0.5 - 170, y - 110, 340, 24, 4), "#f6f1e6", shadow=4)
    for dx in (-120, 120):
        _candle(art, art.w * 0.5 + dx, y - 110, 70)
    art.line(poly([(art.w * 0.5, y - 116), (art.w * 0.5, y - 210)], False), "#c79a3c", 12)
    art.line(poly([(art.w * 0.5 - 30, y - 180), (art.w * 0.5 + 30, y - 180)], False), "#c79a3c", 12)
    for row in range(3):
        py, width = y + 110 + row * 96, 0.30 + row * 0.05
        for side in (-1, 1):
            x0 = art.w * 0.5 + side * art.w * (0.13 + 0.02 * row)
            w = art.w * width
            art.fill(
                box(min(x0, x0 + side * w), py - 96 - row * 10, w, 106 + row * 10, 8), "#7a5336", shade=0.25, shadow=8
            )
    for x in (0.0, 1.0):
        f.column(art, art.w * x, -20, y + 60, 90, "#c3bab0")


def _candle(art: Art, x: float, y: float, tall: float) -> None:
    art.fill(box(x - tall * 0.13, y - tall, tall * 0.26, tall, 4), "#f6efdc", shade=0.2, shadow=3)
    art.fill(smooth([(x, y - tall * 1.5), (x + tall * 0.12, y - tall * 1.15), (x, y - tall),
        (x - tall * 0.12, y - tall * 1.15)]), "#ffc24a", shining=True)  # fmt: skip
    art.glow(x, y - tall * 1.2, tall * 2.2, "#ffb24d", 0.6)


def workshop(art: Art, s: Scene) -> None:
    y = shell(art, s, "#bda680", "#8a6a4a", beams=True)
    f.outside(art, box(art.w * 0.5 - 130, y - 400, 260, 220, 5), s.light, s.lots)
    art.fill(box(art.w * 0.80 - 170, y - 420, 340, 230, 6), "#8a6440", shade=0.15, shadow=6)
    tools(art, art.w * 0.80, y - 310)
    if s.text.has("clock", "clocks", "watch", "clockmaker", "watchmaker"):
        for k, (x, dy, r) in enumerate(
            ((0.10, -390, 56), (0.20, -330, 70), (0.30, -420, 48), (0.12, -230, 46), (0.27, -210, 54))
        ):
            del k
            wall_clock(art, art.w * x, y + dy, r)
    elif s.text.has("forge", "smithy", "blacksmith"):
        f.fireplace(art, art.w * 0.18, y + 16, 340, s.light)
    else:
        for k in range(5):
            art.fill(box(art.w * 0.06 + k * 44, y - 470 + k * 22, 30, 490 - k * 22), lighter("#a87a4e", 0.05 * k),
                shade=0.2, shadow=6)  # fmt: skip
    art.fill(box(art.w * 0.5 - 380, y - 16, 760, 34, 5), "#a87a4e", shadow=9)
    for dx in (-350, 300):
        art.fill(box(art.w * 0.5 + dx, y + 18, 50, 130), "#7d5838", shade=0.3)
    art.fill(box(art.w * 0.5 - 330, y + 70, 660, 22), "#7d5838", shadow=4)
    gear(art, art.w * 0.5 - 200, y - 66, 52, "#b98a4a")
    gear(art, art.w * 0.5 - 120, y - 46, 32, "#8a949a")
    f.lamp(art, art.w * 0.5 + 250, y - 14, 130, s.light)
    art.fill(box(art.w * 0.5 + 20, y - 76, 110, 60, 4), "#9a5b3a", shade=0.2, shadow=4)
    f.hanging_lamp(art, art.w * 0.36, 110, 100, s.light)
    f.crate(art, art.w * 0.92, y + 150, 150)


def tools(art: Art, x: float, y: float) -> None:
    """Hammer, saw and pliers on a board."""
    art.fill(box(x - 118, y - 40, 14, 120, 4), "#d9b98a", shadow=3)
    art.fill(box(x - 146, y - 62, 70, 32, 6), "#5f666e", shadow=3)
    art.fill(
        poly([(x - 40, y - 60), (x - 10, y - 60), (x + 4, y + 80), (x - 34, y + 80)]), "#c3c9cf", shade=0.2, shadow=3
    )
    art.fill(box(x - 46, y - 92, 44, 36, 10), "#a8643a", shadow=3)
    for side in (-1, 1):
        art.line(smooth([(x + 66 + side * 14, y + 80), (x + 66 + side * 18, y + 10), (x + 66 - side * 4, y - 20),
            (x + 66 + side * 12, y - 60)], False), "#b5453f" if side < 0 else "#8a949a", 11, shadow=3)  # fmt: skip
    art.line(oval(x + 128, y - 20, 26), "#d9b98a", 10)


def gear(art: Art, x: float, y: float, r: float, colour: str) -> None:
    for k in range(10):
        with art.at(x, y, turn=k * 36):
            art.fill(box(-r * 0.15, -r * 1.18, r * 0.3, r * 0.36, 2), colour)
    art.fill(oval(x, y, r), colour, shade=0.2, shadow=4)
    art.fill(oval(x, y, r * 0.4), darker(colour, 0.4))


def carriage(art: Art, s: Scene) -> None:
    """Inside a train: a row of windows with the land outside, seats, racks."""
    y = shell(art, s, "#b5806a", "#8f857c", boards=False, panel="#96544a")
    count = 4 if art.w > 1100 else 2
    for k in range(count):
        x = art.w * (k + 0.5) / count
        f.outside(art, box(x - art.w / count * 0.38, y - 410, art.w / count * 0.76, 230, 22), s.light, s.lots,
            "#d9b98a", (1, 1), width=15)  # fmt: skip
    art.fill(box(-20, -20, art.w + 40, 70), "#d9c9a5", shade=0.2, shadow=8)
    art.fill(box(-20, 92, art.w + 40, 14), "#c79a4c", shadow=6)
    for k in range(int(art.w / 320)):
        art.fill(box(60 + k * 320, 42, 130, 52, 8), ("#7a5336", "#3f5f6a", "#8a6a4a")[k % 3], shade=0.2, shadow=4)
    for k in range(count):
        for side in (-1, 1):
            x = art.w * (k + 0.5) / count + side * art.w / count * 0.36
            art.fill(box(x - 46, y - 150, 92, 190, 26), "#3f6a5f", shade=0.25, shadow=8)
            art.fill(box(x - 54 - side * 30, y - 20, 108, 56, 16), lighter("#3f6a5f", 0.1), shade=0.2, shadow=6)
    for k in range(count):
        x = art.w * (k + 1) / count
        if s.light.lamp > 0.4:
            art.fill(oval(x, 66, 20, 14), "#ffe2a0", shining=True)
            art.glow(x, 66, 300, "#ffc46b", 0.55)


def cabin(art: Art, s: Scene) -> None:
    """A ship's cabin: portholes, a bunk, charts, a swinging lantern."""
    y = shell(art, s, "#8f6844", "#7d5838", beams=True)
    for row in range(int(y / 70)):
        art.line(poly([(-20, 60 + row * 70), (art.w + 20, 60 + row * 70)], False), "#6b4a2e", 4, alpha=0.6)
    for x in (0.34, 0.62) if art.w > 1100 else (0.5,):
        f.outside(art, oval(art.w * x, y - 300, 104), s.light, s.lots, "#c79a4c", (1, 1), ground="#3a7f9e", width=24)
        for k in range(8):
            with art.at(art.w * x, y - 300, turn=k * 45):
                art.fill(oval(0, -104, 7), "#8a6a2e")
    f.bed(art, art.w * 0.14 if art.w > 1100 else art.w * 0.24, y + 60, 400, "#4f6f8f")
    f.table(art, art.w * 0.56, y + 120, 340, 140)
    art.fill(poly([(art.w * 0.56 - 130, y - 22), (art.w * 0.56 + 90, y - 22), (art.w * 0.56 + 120, y - 4),
        (art.w * 0.56 - 150, y - 4)]), "#ecdcae", shadow=3)  # fmt: skip
    globe(art, art.w * 0.56 + 130, y - 20, 0.9)
    art.line(poly([(art.w * 0.48, 40), (art.w * 0.48, 110)], False), "#3a3034", 4)
    f.lantern(art, art.w * 0.48, 206, 96, True)
    wheel(art, art.w * 0.86, y - 220, 90)
    f.barrel(art, art.w * 0.92, y + 130, 180)


def spaceship(art: Art, s: Scene) -> None:
    y = s.horizon
    art.fill(box(-20, -20, art.w + 40, art.h + 40), "#a3b7c9", shade=0.2)
    for k in range(int(art.w / 240) + 1):
        art.line(poly([(k * 240.0 + 20, -20), (k * 240.0 + 20, y)], False), "#8396aa", 5)
        art.fill(box(k * 240 + 50, y - 60, 180, 16, 8), "#f0a860", shining=True, alpha=0.85)
    window = box(art.w * 0.5 - min(430, art.w * 0.42), 90, min(860, art.w * 0.84), y - 250, 90)
    with art.inside(window):
        art.blend(box(-20, 0, art.w + 40, art.h), [("#080a20", 1), ("#241a52", 1)], shining=True)
        for k in range(80):
            art.fill(oval(s.lots.number(f"x{k}") * art.w, s.lots.number(f"y{k}") * y, s.lots.between(f"r{k}", 1, 3)),
                "#ffffff", shining=True)  # fmt: skip
        art.blend(oval(art.w * 0.62, y * 0.62, 150), [("#5fb0d9", 1), ("#2a4f8a", 1)], shining=True)
        art.fill(smooth([(art.w * 0.62 - 90, y * 0.62 - 60), (art.w * 0.62, y * 0.62 - 90),
            (art.w * 0.62 + 20, y * 0.62 - 20), (art.w * 0.62 - 60, y * 0.62 + 10)]), "#7fb56a",
            shining=True)  # fmt: skip
    art.line(window, "#d3dce4", 26, shadow=10)
    art.fill(box(-20, y, art.w + 40, art.h), "#6b7f9c", shade=0.25, shadow=10)
    for k in range(13):
        x = art.w * (k - 6) / 6
        art.line(poly([(art.w / 2 + x * 0.6, y), (art.w / 2 + x * 1.3, art.h + 20)], False), "#55616f", 4, alpha=0.7)
    for x in (0.16, 0.84):
        cx = art.w * x
        art.fill(smooth([(cx - 210, y + 60), (cx - 190, y - 110), (cx + 190, y - 110), (cx + 210, y + 60)]), "#4f5a6a",
            shade=0.25, shadow=9)  # fmt: skip
        art.fill(box(cx - 150, y - 88, 130, 76, 8), "#58c4b0", shining=True, alpha=0.9)
        art.line(smooth([(cx - 140, y - 40), (cx - 110, y - 66), (cx - 80, y - 36), (cx - 34, y - 70)], False),
            "#eafff8", 4, shining=True)  # fmt: skip
        for row in range(2):
            for k in range(4):
                art.fill(oval(cx + 14 + k * 42, y - 70 + row * 44, 13),
                    ("#e0564a", "#ecc048", "#58b078", "#5f9ad9")[(k + row) % 4], shining=True)  # fmt: skip
    art.fill(box(art.w * 0.1, 20, art.w * 0.8, 30, 14), "#e9f4f8", shining=True)
    art.glow(art.w * 0.5, 36, 420, "#cfe8f4", 0.25)


def cave(art: Art, s: Scene) -> None:
    y = s.horizon
    art.fill(box(-20, -20, art.w + 40, art.h + 40), "#5f5866", shade=0.3)
    for row, tone in enumerate(("#544d5c", "#463f50")):
        inset = 0.10 + 0.02 * row
        top = [(x, 70 + 60 * row + 150 * abs(k / 6 - 0.5) + 60 * s.lots.number(f"roof {row} {k}")) for k,
            x in enumerate(steps(art.w * inset, art.w * (1 - inset), 7))]  # fmt: skip
        del top
        for k, x in enumerate(steps(0, art.w, 9)):
            long = s.lots.between(f"stal {row} {k}", 120, 300) * (1.2 - row * 0.3)
            art.fill(
                poly([(x - 70, -20), (x + 70, -20), (x + 14, long), (x - 4, long + 12)]), tone, shade=0.2, shadow=8
            )
    mouth = smooth([(art.w * 0.5 - 170, y + 10), (art.w * 0.5 - 180, y - 150), (art.w * 0.5 - 90, y - 290),
        (art.w * 0.5 + 60, y - 310), (art.w * 0.5 + 170, y - 190), (art.w * 0.5 + 190, y + 10)])  # fmt: skip
    if not s.text.has("deep", "underground", "mine", "tunnel", "burrow"):
        f.outside(art, mouth, s.light, s.lots, "#3d3747", (1, 1), width=20)
    else:
        art.fill(mouth, "#2c2733", shade=0.3)
    art.fill(smooth([(-40, y + 26), (art.w * 0.3, y), (art.w * 0.7, y + 8), (art.w + 40, y + 26),
        (art.w + 40, art.h + 40), (-40, art.h + 40)]), "#6f6672", shade=0.3, shadow=10)  # fmt: skip
    for k, (x, size) in enumerate(((0.08, 210), (0.22, 110), (0.84, 160), (0.95, 240))):
        cx, cy = art.w * x, y + 60 + 40 * (k % 2)
        art.fill(poly([(cx - size * 0.4, cy), (cx - size * 0.06, cy - size), (cx + size * 0.1, cy - size * 0.94),
            (cx + size * 0.4, cy)]), "#4f4858", shade=0.3, shadow=8)  # fmt: skip
    for x, tone in ((0.17, "#7fd0d9"), (0.78, "#c99ae0")):
        cx = art.w * x
        for dx, tall, turn in ((-26, 90, -18), (0, 130, 0), (28, 84, 20)):
            with art.at(cx + dx, y + 90, turn=turn):
                art.fill(poly([(-16, 0), (-16, -tall * 0.8), (0, -tall), (16, -tall * 0.8), (16, 0)]), tone,
                    shining=True, alpha=0.9)  # fmt: skip
        art.glow(cx, y + 30, 190, tone, 0.45)


def lantern_room(art: Art, s: Scene) -> None:
    """The top of a lighthouse: the great lamp, glass all round, the sea outside."""
    y = shell(art, s, "#e3ddd0", "#7d6a5a")
    count = 5 if art.w > 1100 else 3
    for k in range(count):
        x = art.w * (k + 0.5) / count
        f.outside(art, box(x - art.w / count * 0.46, 60, art.w / count * 0.92, y - 150), s.light, s.lots, "#b5403a",
            (1, 2), ground="#2f7499", width=16)  # fmt: skip
    art.fill(box(art.w * 0.5 - 110, y - 120, 220, 160, 10), "#5a5f66", shade=0.25, shadow=9)
    lens = smooth([(art.w * 0.5, y - 440), (art.w * 0.5 + 110, y - 340), (art.w * 0.5 + 110, y - 210),
        (art.w * 0.5, y - 116), (art.w * 0.5 - 110, y - 210), (art.w * 0.5 - 110, y - 340)])  # fmt: skip
    on = s.light.lamp > 0.3
    art.fill(lens, "#ffeeb0" if on else "#cfe3e6", shining=on, shade=0.0 if on else 0.2, shadow=6)
    for k in range(6):
        art.line(smooth([(art.w * 0.5 - 96, y - 360 + k * 42), (art.w * 0.5, y - 350 + k * 42),
            (art.w * 0.5 + 96, y - 360 + k * 42)], False), "#c79a4c", 6)  # fmt: skip
    art.line(lens, "#c79a4c", 10)
    if on:
        art.glow(art.w * 0.5, y - 280, 560, "#ffdf8a", 0.8)
    for k in range(2):
        art.fill(box(-20, y - 96 - k * 0, art.w * 0.32, 14, 5), "#8a8f96", shadow=4)
        art.fill(box(art.w * 0.68 + 20, y - 96, art.w * 0.34, 14, 5), "#8a8f96", shadow=4)


def cellar(art: Art, s: Scene) -> None:
    """Stone walls, a barred window, barrels, a torch."""
    y = shell(art, s, "#7d7884", "#6a6470", boards=False)
    for row in range(int(y / 66) + 1):
        for k in range(int(art.w / 130) + 2):
            if s.lots.number(f"stone {row} {k}") > 0.3:
                art.fill(box(k * 132 - (row % 2) * 66 - 20, row * 66, 118, 54, 12), darker("#7d7884",
                    0.06 + 0.1 * s.lots.number(f"tone {row} {k}")))  # fmt: skip
    f.outside(art, arch(art.w * 0.5 - 70, y - 430, 140, 170), s.light, s.lots, "#4f4a58", (4, 1))
    for x in (0.26, 0.74):
        cx = art.w * x
        art.fill(box(cx - 10, y - 300, 20, 90), "#6b4a33", shadow=4)
        art.fill(
            smooth([(cx, y - 384), (cx + 26, y - 330), (cx, y - 296), (cx - 26, y - 330)]), "#f0882c", shining=True
        )
        art.glow(cx, y - 336, 300, "#ff9a3c", 0.6)
    for x, dy, tall in ((0.10, 50, 210), (0.21, 90, 180), (0.90, 60, 220)):
        f.barrel(art, art.w * x, y + dy, tall)
    f.crate(art, art.w * 0.78, y + 90, 170)


def tent(art: Art, s: Scene) -> None:
    y = shell(art, s, "#d9b98a", "#b58a5c", boards=False)
    for k in range(9):
        x = art.w * (k - 4) / 4
        tone = "#c9574a" if k % 2 else "#ecdcb8"
        art.fill(poly([(art.w * 0.5, -140), (art.w * 0.5 + x * 1.1 - art.w * 0.15, y + 10),
            (art.w * 0.5 + x * 1.1 + art.w * 0.15, y + 10)]), tone, shade=0.2)  # fmt: skip
    f.outside(art, poly([(art.w * 0.5, y - 380), (art.w * 0.5 + 120, y + 6), (art.w * 0.5 - 120, y + 6)]), s.light,
        s.lots, "#8a5a3c", (1, 1))  # fmt: skip
    f.lantern(art, art.w * 0.26, y - 140, 110, True)
    f.rug(art, art.w * 0.5, y + 170, 600, 120, "#7a3f4a")
    f.crate(art, art.w * 0.85, y + 90, 160)
