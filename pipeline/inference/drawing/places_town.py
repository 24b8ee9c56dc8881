"""Outdoor places that people have built, each painted from the sky forward in paper layers."""

from __future__ import annotations

from pipeline.inference.drawing import buildings, nature
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter
from pipeline.inference.drawing.places_outdoor import bench, boat, fountain
from pipeline.inference.drawing.scene import Scene
from pipeline.inference.drawing.shapes import arc, arch, box, cut, hill, joined, oval, poly, smooth
from pipeline.inference.drawing.sky import far_hills, sky


def street(art: Art, s: Scene) -> None:
    """A city street: a far row, houses either side, a road to the middle distance, lamps."""
    sky(art, s.light, s.lots, s.horizon)
    for k in range(int(art.w / 120) + 1):
        height = s.lots.between(f"far {k}", 150, 330)
        art.fill(box(k * 124 - 20, s.horizon - height, 112, height + 40), "#7f8595", haze=0.58)
    base = s.horizon + 66
    count = max(3, int(art.w / 270))
    art.sheet(0.55)
    for k in range(count):
        x = (k + 0.5) * art.w / count
        buildings.townhouse(art, x, base, art.w / count * 0.98, s.lots.between(f"house {k}", 330, 500), s.light, s.lots,
            f"house {k}", 0.06)  # fmt: skip
    art.sheet(0.8)
    art.fill(box(-20, base - 4, art.w + 40, 56), "#b5aaa0" if not s.snowy else "#eef1f6", shadow=5)
    art.fill(box(-20, base + 44, art.w + 40, art.h), "#77747a" if not s.snowy else "#dfe5ee", shade=0.2, shadow=6)
    if s.text.has("cobbled", "cobblestone", "cobbles", "old", "narrow") or s.lots.number("cobbles") > 0.5:
        for row in range(7):
            y = base + 70 + row * (16 + row * 6)
            for k in range(int(art.w / (54 + row * 14)) + 2):
                width = 44 + row * 12
                art.fill(box(k * (width + 12) - (row % 2) * width * 0.5 - 20, y, width, 10 + row * 4, 6), "#8b8688",
                    alpha=0.6)  # fmt: skip
    else:
        for k in range(int(art.w / 210) + 1):
            art.fill(poly([(k * 210 + 20, base + 150), (k * 210 + 120, base + 150), (k * 210 + 112, base + 162),
                (k * 210 + 8, base + 162)]), "#e0d8bd", alpha=0.85)  # fmt: skip
    for x in (0.1, 0.9):  # not in the middle, where a lamp would grow out of somebody's head
        buildings.street_lamp(art, art.w * x, base + 44, 270, s.light)
    if s.light.wet:
        for x in (0.3, 0.7):
            art.fill(oval(art.w * x, base + 200, 190, 22), "#a9bccb", alpha=0.55)


def square(art: Art, s: Scene) -> None:
    """A town square: old houses round it, cobbles, a fountain."""
    sky(art, s.light, s.lots, s.horizon)
    base = s.horizon + 40
    count = max(3, int(art.w / 230))
    art.sheet(0.5)
    for k in range(count):
        height = s.lots.between(f"house {k}", 240, 400)
        buildings.townhouse(
            art, (k + 0.5) * art.w / count, base, art.w / count, height, s.light, s.lots, f"side {k}", 0.14
        )
    art.sheet(0.8)
    art.fill(box(-20, base - 4, art.w + 40, art.h), "#b8aa96" if not s.snowy else "#e6ebf2", shade=0.2, shadow=8)
    cobble = "#a39581" if not s.snowy else "#cfd6e0"
    for row in range(8):
        y = base + 10 + row * (12 + row * 6)
        width = 38 + row * 13
        for k in range(int(art.w / (width + 10)) + 2):
            art.fill(box(k * (width + 10) - (row % 2) * width * 0.5 - 20, y, width, 9 + row * 4, 6), cobble, alpha=0.5)
    # Not in the middle, where it would grow like wings from whoever stands before it.
    fountain(art, art.w * (0.24 if art.w >= art.h else 0.3), base + 76, 0.95)
    for share in (0.12, 0.88):
        buildings.street_lamp(art, art.w * share, base + 60, 230, s.light)


def village(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    far_hills(art, s.light, s.lots, s.horizon)
    green = "#e9eef5" if s.snowy else "#84a862"
    buildings.church(art, art.w * 0.55, s.horizon + 16, 210, s.light, 0.3)
    nature.ground(art, s.lots, s.horizon + 6, green, bumps=10, name="far", haze=0.25)
    for k in range(4):
        buildings.cottage(
            art, art.w * (0.12 + 0.26 * k), s.horizon + 26, 150, s.light, s.lots, f"far {k}", 0.25, s.snowy
        )
    nature.ground(art, s.lots, s.horizon + 44, green, bumps=8, name="mid", haze=0.08)
    spots = (0.13, 0.44, 0.88) if art.w > 1200 else (0.14, 0.9)
    for k, x in enumerate(spots):
        nature.round_tree(art, art.w * x + 150, s.horizon + 60, 210, "#5f8f55" if not s.snowy else "#8fa7a0", 0.08, 0.3)
        buildings.cottage(
            art, art.w * x, s.horizon + 96 + 14 * (k % 2), 270, s.light, s.lots, f"near {k}", 0.0, s.snowy
        )
    nature.ground(art, s.lots, s.horizon + 108, green, bumps=8, name="near")
    nature.path_to(art, art.w * 0.62, s.horizon + 100, "#d0b585" if not s.snowy else "#d5dde8", 0.5, 460)
    if s.text.has("well"):
        _well(art, art.w * 0.3, s.horizon + 210)
    if not s.snowy:
        nature.flowers(art, s.lots, art.h - 120, art.h - 20, 22)


def _well(art: Art, x: float, y: float) -> None:
    for dx in (-70, 60):
        art.fill(box(x + dx, y - 180, 12, 150), "#6b4a33", shadow=3)
    art.fill(poly([(x - 104, y - 170), (x, y - 236), (x + 104, y - 170)]), "#a8533f", shade=0.2, shadow=6)
    art.fill(box(x - 84, y - 70, 168, 76, 14), "#a39d96", shade=0.35, shadow=6)
    art.fill(oval(x, y - 70, 84, 16), "#4a4650")


def market(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    base = s.horizon + 50
    count = max(3, int(art.w / 260))
    art.sheet(0.4)
    for k in range(count):
        buildings.townhouse(art, (k + 0.5) * art.w / count, base, art.w / count, s.lots.between(f"h{k}", 260, 420),
            s.light, s.lots, f"m{k}", 0.34)  # fmt: skip
    art.sheet(0.75)
    art.fill(box(-20, base - 6, art.w + 40, art.h), "#c9b797" if not s.snowy else "#e9edf3", shade=0.2, shadow=8)
    for k in range(int(art.w / 110)):
        art.line(poly([(k * 110.0, base + 4), (k * 110.0 + 46, base - 46), (k * 110.0 + 110, base + 4 - 60)], False),
            "#8a6a4a", 2, alpha=0.0)  # fmt: skip
    goods = (("#c0392f", "#e0a23c", "#7fa34a"), ("#e8b53f", "#8a4a8a", "#d9744a"), ("#cf9a5c", "#b5643a", "#e3c48a"),
        ("#6f9a4a", "#d9d3b8", "#c0392f"))  # fmt: skip
    colours = ("#b5453f", "#3f7a6a", "#c98a3c", "#4a6a9a")
    stalls = max(2, int(art.w / 420))
    for k in range(stalls):
        x = (k + 0.5) * art.w / stalls + (-30 if k % 2 else 20)
        buildings.stall(
            art, x, base + 96 + 20 * (k % 2), min(320, art.w / stalls * 0.82), colours[k % 4], goods[k % 4], s.light
        )
    bunting(art, base - 250)
    for x in (0.04, 0.95):
        _barrel(art, art.w * x, art.h * 0.90, 150)


def bunting(art: Art, y: float) -> None:
    art.line(smooth([(-20, y), (art.w * 0.5, y + 60), (art.w + 20, y)], False), "#6b5a4a", 3)
    for k in range(int(art.w / 70)):
        x = k * 70 + 20
        t = x / art.w
        dy = 240 * t * (1 - t)
        art.fill(poly([(x, y + dy), (x + 40, y + dy), (x + 20, y + dy + 42)]),
            ("#c0564a", "#e3b04c", "#5a8fa3", "#7fa35a")[k % 4], shadow=2)  # fmt: skip


def _barrel(art: Art, x: float, y: float, tall: float) -> None:
    art.fill(smooth([(x - tall * 0.32, y - tall), (x + tall * 0.32, y - tall), (x + tall * 0.42, y - tall * 0.5),
        (x + tall * 0.32, y), (x - tall * 0.32, y), (x - tall * 0.42, y - tall * 0.5)]), "#8f5f38", shade=0.3,
        shadow=6)  # fmt: skip
    for k in (0.2, 0.8):
        art.fill(box(x - tall * 0.39, y - tall * k - 8, tall * 0.78, 14), "#4f4a50")


def harbour(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    for k in range(int(art.w / 150)):
        buildings.townhouse(art, art.w * 0.04 + k * 128, s.horizon + 12, 124, s.lots.between(f"h{k}", 130, 210),
            s.light, s.lots, f"q{k}", 0.42)  # fmt: skip
        if k * 128 > art.w * 0.42:
            break
    quay = art.h * 0.74
    nature.water(art, s.light, s.lots, s.horizon + 6, quay + 30, "#3d7f9e")
    if s.text.has("lighthouse"):
        buildings.lighthouse(art, art.w * 0.84, s.horizon + 30, 330, s.light)
    for k, (x, size) in enumerate(((0.30, 0.62), (0.74, 0.95), (0.50, 0.5))):
        boat(art, art.w * x, s.horizon + 60 + 70 * size, size, sail=True, colour=("#a8533f", "#3f6a8a", "#5f7a4a")[k])
    nature.birds(art, s.lots, s.horizon * 0.34)
    art.sheet(0.9)
    art.fill(box(-20, quay, art.w + 40, art.h), "#a8845c" if not s.snowy else "#dfe4ea", shade=0.25, shadow=12)
    for k in range(7):
        y = quay + 10 + k * k * 6.5
        art.line(poly([(-20, y), (art.w + 20, y)], False), "#7d5f40", 3, alpha=0.6)
    for x in (0.10, 0.36, 0.64, 0.90):
        art.fill(box(art.w * x - 18, quay - 60, 36, 96, 10), "#6b4f38", shade=0.3, shadow=5)
        art.line(oval(art.w * x, quay - 26, 21, 8), "#d9c69a", 8)
    _barrel(art, art.w * 0.95, art.h * 0.92, 150)
    art.fill(box(art.w * 0.02, art.h * 0.82, 150, 110, 4), "#9a7148", shade=0.3, shadow=6)


def lighthouse(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    nature.water(art, s.light, s.lots, s.horizon, art.h, "#2f7499")
    art.sheet(0.45)
    art.fill(smooth([(art.w * 0.38, art.h * 0.80), (art.w * 0.55, s.horizon + 60), (art.w * 0.8, s.horizon + 30),
        (art.w * 1.1, s.horizon + 70), (art.w * 1.1, art.h), (art.w * 0.38, art.h)]),
        "#7d8a66" if not s.snowy else "#e6ebf2", shade=0.35, shadow=10)  # fmt: skip
    buildings.lighthouse(art, art.w * 0.74, s.horizon + 80, min(560, s.horizon * 1.0), s.light)
    buildings.cottage(art, art.w * 0.93, s.horizon + 110, 170, s.light, s.lots, "keeper", 0.0, s.snowy)
    nature.ground(art, s.lots, art.h * 0.78, "#8a9668" if not s.snowy else "#eef2f7", bumps=18, name="near")
    nature.path_to(art, art.w * 0.72, s.horizon + 150, "#c9b58a", 0.5, 330)
    for x, size in ((0.08, 190), (0.24, 110), (0.94, 140)):
        nature.rock(art, art.w * x, art.h * 0.90, size, "#77757a")
    if not s.light.night:
        nature.birds(art, s.lots, s.horizon * 0.3)


def road(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    far_hills(art, s.light, s.lots, s.horizon)
    green = "#e6ebf3" if s.snowy else "#8aa85f"
    nature.ground(art, s.lots, s.horizon + 6, green, bumps=18, name="far", haze=0.2)
    for k in range(6):
        nature.round_tree(art, art.w * (k + 0.5 * s.lots.number(f"t{k}")) / 6, s.horizon + 26, 170,
            "#5f8f55" if not s.snowy else "#8fa7a0", 0.22)  # fmt: skip
    nature.ground(art, s.lots, s.horizon + 54, green, bumps=12, name="near")
    nature.path_to(art, art.w * 0.56, s.horizon + 44, "#cbb084" if not s.snowy else "#d5dde8", 0.48, 620)
    x, y = art.w * 0.80, s.horizon + 210
    art.fill(box(x - 8, y - 190, 16, 196, 4), "#7d5a3c", shadow=4)
    art.fill(poly([(x - 20, y - 184), (x + 90, y - 184), (x + 116, y - 160), (x + 90, y - 136), (x - 20, y - 136)]),
        "#a8794c", shade=0.2, shadow=5)  # fmt: skip
    for fx in (0.06, 0.2, 0.94):
        nature.bush(art, art.w * fx, art.h * 0.92, 100, "#5a8a4f" if not s.snowy else "#dfe6ef")
    nature.grass(art, s.lots, art.h + 6, darker(green, 0.3), 24, 44)


def bridge(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    far_hills(art, s.light, s.lots, s.horizon, tall=1.4)
    for k in range(8):
        nature.round_tree(art, art.w * (k + 0.5 * s.lots.number(f"t{k}")) / 7.5, s.horizon + 20, 200,
            "#5f8f55" if not s.snowy else "#8fa7a0", 0.3)  # fmt: skip
    nature.water(art, s.light, s.lots, s.horizon + 16, art.h + 20, "#4a8aa0")
    art.sheet(0.6)
    _stone_bridge(art, s.horizon + 96, s)
    green = "#e6ebf3" if s.snowy else "#86a55c"
    nature.ground(art, s.lots, art.h * 0.80, green, bumps=12, name="bank")
    for x in (0.04, 0.16):
        nature.reeds(art, art.w * x, art.h * 0.84, 120)
    nature.grass(art, s.lots, art.h + 6, darker(green, 0.3), 24, 44)


def _stone_bridge(art: Art, y: float, s: Scene) -> None:
    """A bridge of three arches across the whole view; y is the middle of its roadway."""
    stone, w = "#b3a694", art.w
    top = [(-60.0, y + 30), (w * 0.25, y - 14), (w * 0.5, y - 30), (w * 0.75, y - 14), (w + 60, y + 30)]
    body = hill(top, y + 130)
    openings = joined(*(arch(w * (x - half), y + 26 - lift, w * half * 2, 260) for x, half, lift in _ARCHES))
    wall = cut(body, openings)
    art.fill(wall, stone, shade=0.2, shadow=10)
    with art.inside(wall):
        for row in range(5):
            for k in range(int(w / 70) + 2):
                tone = darker(stone, 0.05 + 0.1 * s.lots.number(f"stone {row} {k}"))
                art.fill(box(k * 74 - (row % 2) * 36 - 30, y - 10 + row * 34, 64, 26, 8), tone, alpha=0.8)
    for x, half, lift in _ARCHES:
        art.line(arc(w * x, y + 26 - lift + w * half, w * half, w * half, 180, 180), darker(stone, 0.3), 13)
    rail = [(px, py - 46) for px, py in top]
    art.line(smooth(rail, False), lighter(stone, 0.12), 20, shadow=8)
    for k in range(int(w / 46) + 2):
        x = k * 46 - 20
        lift = y + 30 - 60 * (1 - (2 * x / w - 1) ** 2)
        art.fill(box(x - 7, lift - 44, 14, 46), darker(stone, 0.06))
    for x in (0.2, 0.8):
        buildings.street_lamp(art, w * x, y - 40, 120, s.light)


_ARCHES = ((0.2, 0.085, 0.0), (0.5, 0.105, 22.0), (0.8, 0.085, 0.0))


def castle(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    far_hills(art, s.light, s.lots, s.horizon, tall=1.3)
    green = "#e9eef5" if s.snowy else "#7fa35f"
    nature.ground(art, s.lots, s.horizon + 10, green, bumps=14, name="far", haze=0.2)
    buildings.castle(art, art.w * 0.5, s.horizon + 60, min(560, s.horizon * 0.86), s.light, 0.08)
    nature.ground(art, s.lots, s.horizon + 56, green, bumps=8, name="near")
    nature.path_to(art, art.w * 0.5, s.horizon + 56, "#cbb48c", 0.5, 420)
    for x in (0.08, 0.2, 0.82, 0.94):
        nature.round_tree(art, art.w * x, s.horizon + 110, 240, "#4f7f52" if not s.snowy else "#8fa7a0")
    for x in (0.04, 0.96):
        nature.bush(art, art.w * x, art.h * 0.93, 100, "#4c7f52")


def platform(art: Art, s: Scene) -> None:
    """A station: train at the far edge, canopy, clock, benches."""
    sky(art, s.light, s.lots, s.horizon)
    far_hills(art, s.light, s.lots, s.horizon)
    base = s.horizon + 90
    art.sheet(0.6)
    art.fill(box(-20, base - 20, art.w + 40, 40), "#5a5356")
    train(art, base + 6, s)
    art.sheet(0.85)
    art.fill(box(-20, base + 4, art.w + 40, art.h), "#bdb3a4" if not s.snowy else "#e4e9f0", shade=0.2, shadow=12)
    art.fill(box(-20, base + 22, art.w + 40, 14), "#ecc65a")
    for k in range(int(art.w / 150) + 2):
        art.line(poly([(k * 150 - 60, base + 44), (art.w / 2 + (k * 150 - 60 - art.w / 2) * 2.2, art.h + 20)], False),
            "#958b7d", 3, alpha=0.5)  # fmt: skip
    roof = poly([(-20, -20), (art.w + 20, -20), (art.w + 20, 96), (-20, 96)])
    art.fill(roof, "#5f4a48", shade=0.2, shadow=12)
    for k in range(int(art.w / 46) + 1):
        art.fill(poly([(k * 46.0 - 20, 96), (k * 46.0 + 26, 96), (k * 46.0 + 3, 132)]), "#8a5a48")
    for x in (0.12, 0.88):
        art.fill(box(art.w * x - 14, 96, 28, base + 90), "#4a5a5a", shade=0.3, shadow=8)
        art.fill(smooth([(art.w * x - 90, 98), (art.w * x, 190), (art.w * x + 90, 98)]), "#4a5a5a", shadow=4)
    wall_clock(art, art.w * 0.5, 196, 62)
    art.line(poly([(art.w * 0.5, 96), (art.w * 0.5, 134)], False), "#3a3438", 10)
    bench(art, art.w * 0.24, base + 190, 1.1)
    if s.light.lamp > 0.4:
        for x in (0.3, 0.7):
            art.fill(oval(art.w * x, 150, 24, 16), "#ffe2a0", shining=True)
            art.glow(art.w * x, 150, 280, "#ffb24d", 0.5)


def wall_clock(art: Art, x: float, y: float, r: float) -> None:
    art.fill(oval(x, y, r), "#3a3438", shadow=6)
    art.fill(oval(x, y, r * 0.86), "#f6f0e2")
    for k in range(12):
        with art.at(x, y, turn=k * 30):
            art.fill(box(-r * 0.025, -r * 0.78, r * 0.05, r * 0.14), "#3a3438")
    art.line(poly([(x, y), (x + r * 0.3, y - r * 0.26)], False), "#2a2428", r * 0.09)
    art.line(poly([(x, y), (x - r * 0.1, y - r * 0.6)], False), "#2a2428", r * 0.06)


def train(art: Art, y: float, s: Scene) -> None:
    for k in range(3):
        x = -120 + k * 640
        art.fill(box(x, y - 250, 610, 236, 26), "#7c2f38", shade=0.25, shadow=8)
        art.fill(box(x, y - 150, 610, 18), "#e3c48a")
        art.fill(box(x - 6, y - 268, 622, 34, 14), "#4a4048", shadow=4)
        for n in range(4):
            buildings.window(art, box(x + 44 + n * 140, y - 226, 96, 62, 8), s.light, frame="#e3c48a", cross=False)
        for share in (0.16, 0.3, 0.7, 0.84):
            art.fill(oval(x + 610 * share, y - 12, 30), "#35323a")


def graveyard(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    buildings.church(art, art.w * 0.6, s.horizon + 30, 330, s.light, 0.25)
    nature.ground(art, s.lots, s.horizon + 20, "#7d9168" if not s.snowy else "#e6ebf3", bumps=14)
    for k in range(9):
        x, y = art.w * (k + 0.5) / 9, s.horizon + 90 + 120 * (k % 3)
        art.fill(arch(x - 34, y - 96, 68, 100), "#9a9a9e", shade=0.3, shadow=6)
    for x in (0.06, 0.94):
        nature.trunk(art, art.w * x, art.h * 0.8, 56, "#4f4038")


def ship_deck(art: Art, s: Scene) -> None:
    """On deck: planks, mast, sail, rail, sea all round."""
    sky(art, s.light, s.lots, s.horizon)
    nature.water(art, s.light, s.lots, s.horizon, art.h, "#2f7499")
    deck = art.h * 0.70
    art.sheet(0.85)
    art.fill(box(-20, deck - 96, art.w + 40, 14, 5), "#8f5f38", shadow=5)
    for k in range(int(art.w / 66) + 1):
        art.fill(smooth([(k * 66 - 8, deck - 86), (k * 66 + 8, deck - 86), (k * 66 + 12, deck - 44),
            (k * 66 + 6, deck + 4), (k * 66 - 6, deck + 4), (k * 66 - 12, deck - 44)]), "#a8764a",
            shade=0.2)  # fmt: skip
    art.fill(box(-20, deck, art.w + 40, art.h), "#b98a58", shade=0.25, shadow=8)
    for k in range(17):
        x = art.w * (k - 8) / 8
        art.line(
            poly([(art.w / 2 + x * 0.42, deck), (art.w / 2 + x * 1.1, art.h + 20)], False), "#8a6038", 3, alpha=0.6
        )
    mast = art.w * 0.30
    art.fill(box(mast - 19, -20, 38, deck + 90), "#7a5232", shade=0.2, shadow=9)
    art.fill(box(mast - 290, 92, 580, 18, 8), "#6b4a2e", shadow=4)
    art.fill(smooth([(mast - 270, 106), (mast + 270, 106), (mast + 230, 240), (mast + 262, 380), (mast, 344),
        (mast - 262, 380), (mast - 230, 240)]), "#f1e7d0", shade=0.25, shadow=10)  # fmt: skip
    for k in range(5):
        art.line(poly([(art.w * 0.62 + k * 40, deck), (art.w * 0.98, 40 - k * 16)], False), "#5f4a38", 3, alpha=0.7)
    art.line(smooth([(art.w * 0.86, deck - 20), (art.w * 0.86, deck + 60)], False), "#5a3d28", 16)
    wheel(art, art.w * 0.86, deck - 50, 92)
    _barrel(art, art.w * 0.06, deck + 130, 170)


def wheel(art: Art, x: float, y: float, r: float) -> None:
    for k in range(8):
        with art.at(x, y, turn=k * 45):
            art.line(poly([(0, 0), (0, -r * 1.22)], False), "#6b4527", r * 0.1, shadow=3)
    art.line(oval(x, y, r * 0.84), "#8a5a34", r * 0.17, shadow=5)
    art.fill(oval(x, y, r * 0.2), "#c79a4c", shadow=3)
