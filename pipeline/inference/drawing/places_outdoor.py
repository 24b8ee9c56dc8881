"""Natural outdoor places, each painted from the sky forward in paper layers."""

from __future__ import annotations

from pipeline.inference.drawing import nature
from pipeline.inference.drawing.nature import GREENS
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter, mix
from pipeline.inference.drawing.scene import Scene
from pipeline.inference.drawing.shapes import box, hill, oval, poly, smooth
from pipeline.inference.drawing.sky import far_hills, sky, steps


def _open(art: Art, s: Scene, colour: str = "#7f9a86", tall: float = 1.0) -> None:
    sky(art, s.light, s.lots, s.horizon)
    far_hills(art, s.light, s.lots, s.horizon, colour, tall)


def _green(s: Scene, base: str) -> str:
    if s.snowy:
        return "#e9eef5"
    return mix(base, "#c2923f", 0.5) if s.text.has("autumn", "fallen leaves", "harvest") else base


def forest(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon, orb=0.5 if s.light.time not in ("dawn", "dusk") else 0.55)
    dense = s.text.has("deep", "dark", "dense", "thick", "jungle", "ancient")
    conifer = s.snowy or s.text.has("pine", "pines", "fir", "mountain") or s.lots.number("conifer") < 0.25
    for row, (haze, lift, size) in enumerate(((0.70, 10, 300), (0.48, 26, 380), (0.25, 54, 470))):
        count = int(art.w / (105 + 26 * row)) + 1
        for k in range(count):
            x = (k + 0.2 + 0.6 * s.lots.number(f"tree {row} {k}")) / count * (art.w + 120) - 60
            gap = 1 - 0.62 * max(0.0, 1 - abs(x / art.w - 0.5) / 0.24)  # the sky shows in the middle
            tall = size * s.lots.between(f"tall {row} {k}", 0.8, 1.2) * gap
            tone = _green(s, GREENS[(k + row) % len(GREENS)]) if not s.snowy else "#54785f"
            if conifer:
                nature.pine(art, x, s.horizon + lift, tall, darker(tone, 0.16), haze, s.snowy)
            else:
                nature.round_tree(art, x, s.horizon + lift, tall, darker(tone, 0.08 if not dense else 0.25), haze,
                    s.lots.number(f"shape {k}"))  # fmt: skip
        nature.ground(art, s.lots, s.horizon + lift - 4, _green(s, mix("#5f8a52", "#3f6a4a", 0.4)), bumps=9,
            name=f"row {row}", haze=haze * 0.7)  # fmt: skip
    nature.ground(art, s.lots, s.horizon + 96, _green(s, "#5d8650"), bumps=14, name="floor")
    if s.text.has("path", "road", "trail", "track", "clearing", "edge") or s.lots.number("path") > 0.4:
        nature.path_to(art, art.w * 0.5, s.horizon + 92, "#b59a70" if not s.snowy else "#d5dde8")
    spots = [-0.01, 0.15, 0.86, 1.01] if art.w > 1100 else [0.0, 1.0]
    for k, spot in enumerate(spots):
        nature.trunk(art, art.w * spot, art.h * (0.80 if k in (1, 2) and len(spots) > 2 else 0.92),
            52 + 26 * (k % 3 == 0), "#5f4434", 0.0)  # fmt: skip
    _undergrowth(art, s)
    tops = steps(-60, art.w + 60, int(art.w / 110))
    crown = [(x, (30 if k % 2 else 84) + 150 * abs(x / art.w - 0.5)) for k, x in enumerate(tops)]
    leaves = darker(_green(s, "#3f6f4a") if not s.snowy else "#4f7360", 0.15)
    art.fill(smooth([(-80, -80), *crown, (art.w + 80, -80)]), leaves, shadow=12, shade=0.2)
    for k, spot in enumerate(spots):  # the trunks end in leaves of their own, not in the canopy's edge
        for dx, dy, r in ((-120, 40, 105), (110, 30, 110), (-40, 96, 100), (60, 104, 92), (0, 30, 120)):
            art.fill(oval(art.w * spot + dx, dy, r, r * 0.86), lighter(leaves, 0.03 + 0.05 * ((dx + k) % 3 == 0)),
                shade=0.2)  # fmt: skip


def _undergrowth(art: Art, s: Scene) -> None:
    """Bushes at the foot of the trees, ferns and mushrooms in front."""
    for k in range(int(art.w / 120)):
        x = (k + s.lots.number(f"bush {k}")) / int(art.w / 120) * art.w
        if abs(x / art.w - 0.5) > 0.12:
            nature.bush(art, x, s.horizon + 104 + 14 * (k % 2), 62, darker(_green(s, GREENS[k % 5]), 0.12), 0.1)
    for k, share in enumerate((0.04, 0.13, 0.24, 0.78, 0.88, 0.97)):
        x, y = art.w * share, art.h * (0.90 + 0.05 * (k % 2))
        if k % 3 == 1 and not s.snowy:
            for dx, size in ((-16, 0.8), (14, 1.0)):
                art.fill(box(x + dx - 6 * size, y - 30 * size, 12 * size, 32 * size, 5), "#f1e7d2", shadow=2)
                art.fill(smooth([(x + dx - 24 * size, y - 26 * size), (x + dx, y - 56 * size),
                    (x + dx + 24 * size, y - 26 * size)]), "#c04a3c", shadow=3)  # fmt: skip
        else:
            for turn in (-56, -30, -6, 18, 42, 62):
                with art.at(x, y, turn=turn):
                    frond = smooth([(0, 0), (-13, -46), (0, -110), (13, -46)])
                    art.fill(frond, darker(_green(s, "#4f8a52"), 0.05 + 0.05 * (k % 2)), shade=0.2)


def field(art: Art, s: Scene) -> None:
    _open(art, s)
    wheat = s.text.has("wheat", "corn", "barley", "harvest", "hay", "farm")
    base = _green(s, "#9db35c" if not wheat else "#cfae56")
    nature.ground(art, s.lots, s.horizon + 6, _green(s, "#86a862"), bumps=22, name="far", haze=0.25)
    for k in range(5):
        nature.round_tree(
            art, art.w * (0.08 + 0.2 * k + 0.1 * s.lots.number(f"t{k}")), s.horizon + 16, 110, _green(s, GREENS[k]), 0.3
        )
    if s.text.has("farm", "barn", "farmhouse", "farmyard", "farmer"):
        from pipeline.inference.drawing.buildings import barn

        barn(art, art.w * 0.74, s.horizon + 70, 300, s.light)
    if s.text.has("mill", "windmill"):
        from pipeline.inference.drawing.buildings import windmill

        windmill(art, art.w * 0.22, s.horizon + 60, 330, s.light)
    nature.ground(art, s.lots, s.horizon + 66, base, bumps=16, name="near")
    if wheat and not s.snowy:
        for row in range(7):
            y = s.horizon + 90 + row * row * 9
            for k in range(int(art.w / 34)):
                x = (k + s.lots.number(f"w{row}{k}")) * 36
                art.line(poly([(x, y), (x + 5, y - 20 - row * 5)], False),
                    lighter(base, 0.22) if k % 2 else darker(base, 0.15), 2.5 + row * 0.5)  # fmt: skip
    elif not s.snowy:
        nature.flowers(art, s.lots, s.horizon + 110, art.h - 20, 34)
        nature.grass(art, s.lots, art.h + 6, darker(base, 0.25), 30, 46)
    _fence(art, s, s.horizon + 92)


def _fence(art: Art, s: Scene, y: float, colour: str = "#8a6a4a") -> None:
    for k in range(int(art.w * 0.46 / 80)):
        art.fill(box(k * 80 - 10, y - 66, 13, 78, 4), colour, shadow=3, shade=0.2)
    for dy in (-50, -24):
        art.fill(box(-20, y + dy, art.w * 0.46, 9, 3), lighter(colour, 0.1), shadow=2)


def garden(art: Art, s: Scene) -> None:
    _open(art, s)
    nature.ground(art, s.lots, s.horizon + 4, _green(s, "#7fa65c"), bumps=8, name="lawn", haze=0.2)
    for k in range(7):
        nature.round_tree(art, art.w * (k + 0.3 * s.lots.number(f"t{k}")) / 6.2, s.horizon + 20,
            220 * s.lots.between(f"s{k}", 0.8, 1.25), _green(s, GREENS[k % 5]), 0.22)  # fmt: skip
    hedge = _green(s, "#4f8250")
    for x, width in ((-20.0, art.w * 0.36), (art.w * 0.64, art.w * 0.4)):
        art.fill(box(x, s.horizon - 6, width, 92, 26), hedge, shade=0.3, shadow=8)
    nature.ground(art, s.lots, s.horizon + 72, _green(s, "#8bb062"), bumps=6, name="near")
    nature.path_to(art, art.w * 0.5, s.horizon + 70, "#d8c39a", 0.5, 340)
    if s.text.has("fountain"):
        fountain(art, art.w * 0.5, s.horizon + 150)
    elif not s.text.has("vegetable"):
        bench(art, art.w * 0.80, s.horizon + 170, 1.0)
    if s.text.has("pond"):
        art.fill(oval(art.w * 0.22, s.horizon + 190, 210, 52), "#5fa3b5", shade=0.2)
    if not s.snowy:
        nature.flowers(art, s.lots, s.horizon + 104, s.horizon + 150, 24)
        for x in (0.06, 0.2, 0.9):
            nature.bush(art, art.w * x, art.h * 0.93, 80, hedge, berries="#d9647a")
        nature.flowers(art, s.lots, art.h - 110, art.h - 20, 26)


def bench(art: Art, x: float, y: float, scale: float) -> None:
    with art.at(x, y, scale):
        for dx in (-96, 84):
            art.fill(box(dx, -60, 14, 62), "#4a4048", shadow=3)
        for dy in (-118, -92):
            art.fill(box(-116, dy, 232, 18, 5), "#9a6b42", shadow=3)
        art.fill(box(-122, -66, 244, 18, 5), "#a8764a", shadow=4)


def fountain(art: Art, x: float, y: float, scale: float = 1.0) -> None:
    with art.at(x, y, scale):
        art.dim(0, 20, 190, 0.3, 0.16)
        art.fill(smooth([(-150, -30), (150, -30), (120, 26), (-120, 26)]), "#b9b3a6", shade=0.3, shadow=8)
        art.fill(oval(0, -32, 146, 26), "#7fb6c9", shade=0.2)
        art.fill(box(-14, -130, 28, 100), "#c6c0b2", shade=0.3)
        art.fill(oval(0, -130, 64, 18), "#b9b3a6", shadow=4)
        for dx in (-60, -30, 30, 60):
            jet = smooth([(0, -170), (dx * 0.6, -190), (dx, -130), (dx * 1.3, -50)], False)
            art.line(jet, "#d8ecf4", 5, alpha=0.8)


def mountain(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    for k in range(3):
        nature.mountain(
            art, art.w * (0.1 + 0.42 * k), s.horizon + 10, 380, 330 + 90 * s.lots.number(f"m{k}"), "#7f8ba3", 0.5
        )
    art.sheet(0.2)
    for k, x in enumerate((0.26, 0.72)):
        nature.mountain(art, art.w * x, s.horizon + 60, 420, 400 + 80 * s.lots.number(f"n{k}"), "#66708a", 0.22)
    nature.ground(art, s.lots, s.horizon + 50, _green(s, "#7f9468"), bumps=34, name="slope")
    for k in range(9):
        nature.pine(art, art.w * (k + s.lots.number(f"p{k}")) / 9, s.horizon + 92, 150, "#41684f", 0.14, s.snowy)
    nature.ground(art, s.lots, s.horizon + 120, _green(s, "#8d9a6b"), bumps=22, name="near")
    nature.path_to(art, art.w * 0.56, s.horizon + 116, "#bcab8c", 0.45, 300)
    for x, size in ((0.06, 190), (0.93, 230), (0.82, 110)):
        nature.rock(art, art.w * x, art.h * 0.94, size, "#85837f")


def desert(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    for row, (lift, haze, tone) in enumerate(
        ((0, 0.5, "#e3b878"), (40, 0.25, "#dcaa66"), (96, 0.0, "#e6bd80"), (200, 0.0, "#d9a45f"))
    ):
        points = [(x, s.horizon + lift + 46 * (s.lots.number(f"dune {row} {k}") - 0.5)) for k,
            x in enumerate(steps(-60, art.w + 60, 5))]  # fmt: skip
        art.sheet(0.2 + 0.22 * row)
        art.fill(hill(points, art.h + 20), tone, haze=haze, shade=0.26, shadow=10)
    if s.text.has("oasis", "palm", "palms"):
        art.fill(oval(art.w * 0.5, s.horizon + 110, 240, 36), "#4f9aa8", shade=0.2)
        for x in (0.36, 0.42, 0.63):
            nature.palm(art, art.w * x, s.horizon + 104, 280)
    else:
        for x, tall in ((0.14, 240), (0.86, 300), (0.70, 130)):
            nature.cactus(art, art.w * x, s.horizon + 150 + tall * 0.25, tall)
    nature.rock(art, art.w * 0.3, s.horizon + 150, 90, "#b98a5c")


def river(art: Art, s: Scene) -> None:
    _open(art, s, tall=1.3)
    nature.ground(art, s.lots, s.horizon + 2, _green(s, "#7da161"), bumps=8, name="far", haze=0.25)
    for k in range(8):
        nature.round_tree(art, art.w * (k + 0.4 * s.lots.number(f"t{k}")) / 7.4, s.horizon + 14,
            180 * s.lots.between(f"s{k}", 0.7, 1.2), _green(s, GREENS[k % 5]), 0.28)  # fmt: skip
    lake = s.text.has("lake", "pond", "lagoon", "reservoir")
    foot = art.h * (0.80 if lake else 0.78)
    nature.water(art, s.light, s.lots, s.horizon + 22, foot, "#4a90a8")
    if s.text.has("boat", "rowing"):
        boat(art, art.w * 0.66, s.horizon + 110, 1.0)
    if s.text.has("waterfall"):
        art.blend(box(art.w * 0.42, s.horizon - 220, 150, 260), [("#f2f8fb", 0.95), ("#a9d3e2", 0.95)])
    nature.ground(art, s.lots, foot - 6, _green(s, "#86a55c"), bumps=16, name="bank")
    for x in (0.05, 0.13, 0.88, 0.96):
        nature.reeds(art, art.w * x, foot + 30, 130)
    for x in (0.25, 0.78):
        nature.rock(art, art.w * x, foot + 16, 80)
    nature.grass(art, s.lots, art.h + 6, _green(s, "#5d8544"), 26, 44)


def boat(art: Art, x: float, y: float, scale: float, sail: bool = False, colour: str = "#9a5b3a") -> None:
    with art.at(x, y, scale):
        if sail:
            art.line(poly([(0, -20), (0, -230)], False), "#6b4a33", 8)
            art.fill(smooth([(10, -222), (120, -90), (104, -52), (10, -48)]), "#f3ead6", shade=0.2, shadow=5)
            art.fill(smooth([(-10, -200), (-80, -80), (-70, -52), (-10, -48)]), "#e3d4b8", shade=0.2, shadow=5)
        art.fill(smooth([(-140, -46), (-70, -34), (70, -34), (140, -50), (98, 12), (0, 22), (-100, 12)]), colour,
            shade=0.35, shadow=6)  # fmt: skip
        art.line(smooth([(-140, -46), (-70, -32), (70, -32), (140, -50)], False), lighter(colour, 0.4), 8)


def beach(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    shore = art.h * 0.72
    if s.text.has("island", "islands", "cliff", "cliffs", "rocky"):
        art.fill(smooth([(art.w * 0.58, s.horizon + 14), (art.w * 0.64, s.horizon - 90),
            (art.w * 0.78, s.horizon - 150), (art.w * 0.95, s.horizon - 80), (art.w * 1.1, s.horizon + 14)]), "#7d8577",
            haze=0.4, shade=0.2, shadow=6)  # fmt: skip
    nature.water(art, s.light, s.lots, s.horizon, shore + 20, "#3a86ad")
    boat(art, art.w * 0.34, s.horizon + 46, 0.42, sail=True)
    points = [(x, shore + 20 * (s.lots.number(f"surf {k}") - 0.5)) for k, x in enumerate(steps(-60, art.w + 60, 7))]
    art.sheet(0.8, "swell")
    art.fill(hill([(x, y - 16) for x, y in points], art.h + 20), "#f2f5f2", alpha=0.9)
    art.sheet(0.85)
    sand = "#e6cc98" if not s.snowy else "#e9eef5"
    art.fill(hill(points, art.h + 20), sand, shade=0.22, shadow=6)
    if s.text.has("palm", "palms", "tropical", "island"):
        nature.palm(art, art.w * 0.1, art.h * 0.84, 520)
    for x, size in ((0.92, 170), (0.84, 90)):
        nature.rock(art, art.w * x, art.h * 0.80, size, "#8b867c")
    for k in range(7):
        x, y = art.w * s.lots.number(f"shell {k}"), shore + 60 + (art.h - shore - 80) * s.lots.number(f"shell y {k}")
        art.fill(oval(x, y, 11, 8), ("#f5e9dc", "#d98f7a", "#f0d6b0")[k % 3], shadow=2)
    if not s.light.night:
        nature.birds(art, s.lots, s.horizon * 0.3)


def open_sea(art: Art, s: Scene) -> None:
    sky(art, s.light, s.lots, s.horizon)
    nature.water(art, s.light, s.lots, s.horizon, art.h + 20, "#2f7499")
    rough = 34 if s.light.weather in ("storm", "wind", "rain") or s.text.has("stormy", "waves") else 14
    boat(art, art.w * 0.3, s.horizon + 60, 0.55, sail=True)
    for row in range(4):
        y = s.horizon + 110 + row * 110
        crest = [(x, y + rough * (1 if k % 2 else -1) * s.lots.between(f"c{row}{k}", 0.5, 1)) for k,
            x in enumerate(steps(-60, art.w + 60, 12))]  # fmt: skip
        art.sheet(0.3 + 0.2 * row, "swell")
        art.fill(hill(crest, art.h + 40), darker("#3a82a6", 0.07 * row), shade=0.2, shadow=8, haze=0.2 - 0.05 * row)


def snowfield(art: Art, s: Scene) -> None:
    _open(art, s, "#a9b8cc", 1.4)
    nature.ground(art, s.lots, s.horizon + 4, "#e3eaf3", bumps=16, name="far", haze=0.2)
    for k in range(8):
        nature.pine(art, art.w * (k + s.lots.number(f"p{k}")) / 8, s.horizon + 40,
            220 * s.lots.between(f"s{k}", 0.7, 1.2), "#4d7262", 0.2, True)  # fmt: skip
    nature.ground(art, s.lots, s.horizon + 60, "#eef2f8", bumps=24, name="near")
    nature.ground(art, s.lots, s.horizon + 210, "#f6f8fb", bumps=26, name="front")


def space(art: Art, s: Scene) -> None:
    """A planet's surface under a black sky, or, where the text says so, the void itself."""
    art.blend(box(-20, -20, art.w + 40, art.h + 40), [("#0a0c24", 1), ("#1a1748", 1), ("#3b2a66", 1)], shining=True)
    for k in range(110):
        art.fill(oval(s.lots.number(f"x{k}") * art.w, s.lots.number(f"y{k}") * art.h, s.lots.between(f"r{k}", 1, 3)),
            "#fdf6e2", alpha=0.85, shining=True)  # fmt: skip
    art.glow(art.w * 0.76, art.h * 0.24, 300, "#c98ad0", 0.4)
    planet = oval(art.w * 0.76, art.h * 0.24, 118)
    art.blend(planet, [("#e9a86a", 1), ("#a8506a", 1)], shining=True)
    art.line(oval(art.w * 0.76, art.h * 0.24, 190, 34), "#f0d9a8", 7, alpha=0.8, shining=True)
    tone = "#b5654a" if s.text.has("mars", "red") else "#8d8aa0"
    for row, lift in enumerate((0, 70, 170)):
        nature.ground(art, s.lots, s.horizon + 20 + lift, lighter(tone, 0.12 * (2 - row)), bumps=28, name=f"g{row}")
    for k in range(8):
        x, y = art.w * s.lots.number(f"cx{k}"), s.horizon + 120 + (art.h - s.horizon - 140) * s.lots.number(f"cy{k}")
        art.fill(oval(x, y, 60, 15), darker(tone, 0.3))
        art.line(smooth([(x - 60, y), (x, y + 15), (x + 60, y)], False), lighter(tone, 0.3), 4)


def swamp(art: Art, s: Scene) -> None:
    _open(art, s, "#6f8570")
    for k in range(9):
        nature.round_tree(art, art.w * (k + s.lots.number(f"t{k}")) / 9, s.horizon + 20, 280, "#5a7358", 0.4)
    nature.water(art, s.light, s.lots, s.horizon + 10, art.h + 20, "#5d7a5c")
    for x in (0.08, 0.3, 0.72, 0.94):
        nature.reeds(art, art.w * x, art.h * 0.82, 150)
    art.sheet(0.9)
    art.fill(smooth([(0, art.h * 0.84), (art.w * 0.5, art.h * 0.80), (art.w, art.h * 0.84), (art.w, art.h + 60),
        (0, art.h + 60)]), "#6a7a4a", shade=0.25, shadow=8)  # fmt: skip
