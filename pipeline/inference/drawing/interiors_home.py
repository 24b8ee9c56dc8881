"""Rooms of homes and small businesses. `horizon` is the foot of the back wall."""

from __future__ import annotations

from pipeline.inference.drawing import furniture as f
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter
from pipeline.inference.drawing.places_town import wall_clock
from pipeline.inference.drawing.scene import Scene
from pipeline.inference.drawing.shapes import Shape, arch, box, oval, poly, smooth


def shell(
    art: Art, s: Scene, wall: str, floor: str, *, boards: bool = True, beams: bool = False, panel: str = ""
) -> float:
    """Back wall, floor and skirting; gives the height where the floor begins."""
    y = s.horizon
    art.fill(box(-20, -20, art.w + 40, y + 40), wall, shade=0.16)
    if panel:
        art.fill(box(-20, y - 170, art.w + 40, 190), panel, shade=0.15, shadow=5)
        for k in range(int(art.w / 130) + 1):
            art.line(box(k * 130 + 10, y - 150, 106, 110, 4), darker(panel, 0.18), 4)
    else:
        for k in range(int(art.w / 90) + 1):
            for row in range(int(y / 130) + 1):
                px, py = k * 90 + (45 if row % 2 else 0), row * 130 + 40
                art.fill(oval(px, py, 5, 9), darker(wall, 0.10), alpha=0.55)
    art.fill(box(-20, y, art.w + 40, art.h), floor, shade=0.24, shadow=9)
    if boards:
        for k in range(19):
            x = art.w * (k - 9) / 9
            art.line(poly([(art.w / 2 + x * 0.62, y), (art.w / 2 + x * 1.1, art.h + 20)], False), darker(floor, 0.2), 3,
                alpha=0.6)  # fmt: skip
    else:
        for row in range(6):
            ty = y + 14 + row * row * 16
            art.line(poly([(-20, ty), (art.w + 20, ty)], False), darker(floor, 0.16), 3, alpha=0.6)
        for k in range(15):
            x = art.w * (k - 7) / 7
            art.line(poly([(art.w / 2 + x * 0.62, y), (art.w / 2 + x * 1.3, art.h + 20)], False), darker(floor, 0.16),
                3, alpha=0.6)  # fmt: skip
    art.fill(box(-20, y - 16, art.w + 40, 22), darker(floor, 0.28), shadow=4)
    if beams:
        art.fill(box(-20, -20, art.w + 40, 66), "#6b4a33", shade=0.2, shadow=12)
        for k in range(int(art.w / 260) + 1):
            art.fill(box(k * 260 + 60, 20, 40, 96), "#5f4029", shade=0.2, shadow=8)
    return y


def _window(art: Art, s: Scene, x: float, y: float, w: float, h: float, curtain: str = "") -> None:
    f.outside(art, box(x - w / 2, y, w, h, 6), s.light, s.lots)
    art.fill(box(x - w * 0.58, y + h, w * 1.16, 16, 4), "#efe4ce", shadow=5)
    if curtain:
        f.curtains(art, x, y, w, h, curtain)


# Clocks on the wall: (share of the width, height over the floor line, radius), clear of curtains, mantel and picture.
_BETWEEN = ((0.355, 320, 50), (0.325, 440, 38), (0.667, 420, 36))


def room(art: Art, s: Scene) -> None:
    """A cottage or living room: hearth, window, armchair, table, rug."""
    wall = s.lots.pick("wall", ("#dcc49c", "#c9cdb4", "#d9b9a0", "#b9c6c9", "#e0cfa6"))
    y = shell(art, s, wall, "#a9794e", beams=s.text.has("cottage", "hut", "old", "farmhouse", "cabin", "wooden"))
    _window(art, s, art.w * 0.52, y - 400, 250, 270, s.lots.pick("curtain", ("#b5574a", "#5f7f8f", "#8a9a5a")))
    hearth = art.w > 1100 or s.text.has("fire", "fireplace", "hearth")
    if hearth:
        f.fireplace(art, art.w * 0.18, y + 20, 330, s.light)
    if art.w > 1100:
        f.picture(art, art.w * 0.73, y - 320, 150, 120, s.lots)
        f.shelf(art, art.w * 0.90, y + 14, 190, 400, s.lots, 4, "books")
    if s.text.has("clock", "clocks"):
        for share, drop, r in _BETWEEN if art.w > 1100 else ((0.15, 330, 50), (0.87, 380, 44)):
            wall_clock(art, art.w * share, y - drop, r)
    f.rug(art, art.w * 0.5, y + 190, min(760, art.w * 0.7), 130, "#a8504a")
    f.table(art, art.w * 0.72, y + 96, 250, 140, cloth="")
    f.lamp(art, art.w * 0.72, y - 42, 120, s.light)
    f.armchair(
        art, art.w * (0.36 if hearth else 0.2), y + 90, 210, s.lots.pick("chair", ("#5f7f6a", "#8a5a6a", "#b5804a"))
    )


def kitchen(art: Art, s: Scene) -> None:
    y = shell(art, s, "#e6d6b0", "#c9a27a", boards=False)
    _window(art, s, art.w * 0.5, y - 400, 230, 210, "#c9584a")
    stove = art.w * 0.2
    art.fill(box(stove - 120, y - 170, 240, 200, 10), "#4f4f58", shade=0.25, shadow=9)
    art.fill(box(stove - 34, -20, 68, y - 148), "#44444e", shade=0.2, shadow=6)
    art.fill(box(stove - 76, y - 104, 100, 84, 8), "#2c2a30")
    art.fill(oval(stove - 26, y - 58, 34, 24), "#f0882c", shining=True)
    art.glow(stove - 26, y - 60, 220, "#ff8a2c", 0.45)
    art.fill(smooth([(stove + 10, y - 240), (stove + 100, y - 240), (stove + 94, y - 172), (stove + 16, y - 172)]),
        "#b5643a", shade=0.3, shadow=5)  # fmt: skip
    for k in range(3):
        art.line(smooth([(stove + 40 + k * 16, y - 262), (stove + 52 + k * 16, y - 296),
            (stove + 38 + k * 16, y - 330)], False), "#ffffff", 6, alpha=0.3)  # fmt: skip
    cx = art.w * 0.80
    art.fill(box(cx - 240, y - 160, 520, 180, 6), "#8fa89a", shade=0.2, shadow=9)
    art.fill(box(cx - 252, y - 178, 544, 24, 5), "#d9c6a0", shadow=6)
    for k in range(4):
        art.line(box(cx - 226 + k * 124, y - 136, 106, 130, 6), "#6f8a7c", 5)
        art.fill(oval(cx - 172 + k * 124, y - 80, 8), "#e3c48a")
    for k, tone in enumerate(("#d9a24c", "#b5453f", "#e9e2d0", "#5f7f8f")):
        art.fill(box(cx - 190 + k * 62, y - 240, 44, 62, 10), tone, shade=0.25, shadow=4)
    for row in range(2):
        art.fill(box(cx - 200, y - 330 - row * 110, 400, 14), f.WOOD, shadow=5)
        for k in range(6):
            art.fill(oval(cx - 160 + k * 64, y - 358 - row * 110, 26), ("#e9e2d0", "#8fb0b8", "#d9b98f")[(k + row) % 3],
                shade=0.15, shadow=2)  # fmt: skip
    rail = art.w * 0.5
    art.fill(box(rail - 210, 66, 420, 11), "#5a4438", shadow=3)
    for k, tone in enumerate(("#b5733f", "#4f4f58", "#a8643a", "#5f5f68", "#b5733f")):
        x = rail - 170 + k * 84
        art.line(poly([(x, 72), (x, 112)], False), "#3a3438", 5)
        art.fill(oval(x, 142, 34), tone, shade=0.25, shadow=4)
    f.hanging_lamp(art, art.w * 0.66, 90, 100, s.light)
    f.table(art, art.w * 0.46, y + 150, 380, 150)
    bread(art, art.w * 0.42, y - 2)
    art.fill(smooth([(art.w * 0.5, y - 28), (art.w * 0.5 + 90, y - 28), (art.w * 0.5 + 70, y + 2),
        (art.w * 0.5 + 20, y + 2)]), "#5f8f9a", shade=0.2, shadow=4)  # fmt: skip
    for k in range(3):
        art.fill(oval(art.w * 0.5 + 22 + k * 24, y - 34, 16), ("#c0392f", "#e0a23c", "#7fa34a")[k], shade=0.2)


def bread(art: Art, x: float, y: float, size: float = 1.0) -> None:
    with art.at(x, y, size):
        art.fill(
            smooth([(-60, 0), (-66, -26), (-30, -48), (30, -48), (66, -26), (60, 0)]), "#c98a48", shade=0.3, shadow=4
        )
        for k in (-28, 0, 28):
            art.line(poly([(k - 6, -18), (k + 8, -40)], False), "#ecc890", 6)


def bedroom(art: Art, s: Scene) -> None:
    y = shell(art, s, s.lots.pick("wall", ("#c3cbd9", "#d9c4c9", "#cdd3bd", "#dccdb0")), "#9d7452",
        beams=s.text.has("attic", "cottage", "loft"))  # fmt: skip
    _window(art, s, art.w * 0.48, y - 420, 240, 270, "#7f8fb5")
    art.fill(box(art.w * 0.90 - 120, y - 390, 240, 410, 6), "#8a6040", shade=0.2, shadow=9)
    art.line(poly([(art.w * 0.90, y - 380), (art.w * 0.90, y + 8)], False), "#5f4029", 5)
    for dx in (-16, 16):
        art.fill(oval(art.w * 0.90 + dx, y - 180, 8), "#e3c48a")
    f.rug(art, art.w * 0.52, y + 210, min(620, art.w * 0.6), 110, "#7f6a9a")
    if s.made_bed:
        f.bed(art, art.w * 0.24 if art.w > 1100 else art.w * 0.3, y + 110, 470, s.lots.pick("cover",
        ("#5f7fa8", "#a8606a", "#6f9a7a")))  # fmt: skip
    f.table(art, art.w * 0.44 if art.w > 1100 else art.w * 0.66, y + 60, 120, 110)
    f.lamp(art, art.w * 0.44 if art.w > 1100 else art.w * 0.66, y - 48, 110, s.light)
    f.picture(art, art.w * 0.22, y - 330, 140, 110, s.lots)
    art.fill(oval(art.w * 0.70, y + 40, 46, 38), "#b98a58", shade=0.2, shadow=5)
    for dx in (-30, 30):
        art.fill(oval(art.w * 0.70 + dx, y + 8, 16), "#b98a58", shadow=2)
    art.fill(oval(art.w * 0.70, y - 6, 34), "#c49a68", shadow=3)


def shop(art: Art, s: Scene) -> None:
    """A shop's inside: walls of goods, a counter with scales, a window on the street."""
    y = shell(art, s, "#cdbb94", "#a37a50")
    goods = "books" if s.text.has("book", "bookshop", "books") else "jars"
    for k, x in enumerate((0.14, 0.86)):
        f.shelf(art, art.w * x, y + 10, min(380, art.w * 0.27), 460, s.lots, 4, goods, name=f"shelf {k}")
    _window(art, s, art.w * 0.5, y - 420, min(300, art.w * 0.3), 250)
    if s.text.has("clock", "clockmaker", "watchmaker", "clocks"):
        for k, (x, r) in enumerate(((0.285, 46), (0.345, 54), (0.65, 50), (0.715, 44))):
            wall_clock(art, art.w * x, y - 390 + 90 * (k % 2), r)
    if s.text.has("bakery", "baker", "bread"):
        for k in range(5):
            bread(art, art.w * 0.3 + k * art.w * 0.1, y - 40, 0.7)
    for x in (0.3, 0.7):
        f.hanging_lamp(art, art.w * x, 70, 90, s.light)
    counter(art, s, art.w * 0.5, y + 130, min(840, art.w * 0.66))


def counter(art: Art, s: Scene, x: float, y: float, w: float) -> None:
    art.fill(box(x - w / 2, y - 160, w, 170, 6), "#8a5f3c", shade=0.25, shadow=10)
    for k in range(5):
        art.line(box(x - w / 2 + 16 + k * w / 5, y - 130, w / 5 - 30, 112, 5), "#6b462a", 5)
    art.fill(box(x - w * 0.52, y - 182, w * 1.04, 28, 6), "#a87a4e", shade=0.1, shadow=7)
    sx = x + w * 0.30
    art.fill(box(sx - 50, y - 200, 100, 20, 6), "#c79a4c", shade=0.2)
    art.fill(box(sx - 7, y - 290, 14, 92), "#c79a4c")
    art.line(poly([(sx - 80, y - 280), (sx + 80, y - 288)], False), "#c79a4c", 9, shadow=3)
    for side in (-1, 1):
        art.line(poly([(sx + side * 80, y - 284), (sx + side * 108, y - 230), (sx + side * 52, y - 230),
            (sx + side * 80, y - 284)], False), "#8a6a34", 3)  # fmt: skip
        art.fill(smooth([(sx + side * 80 - 40, y - 232), (sx + side * 80 + 40, y - 232), (sx + side * 80, y - 208)]),
            "#d9b466", shadow=3)  # fmt: skip
    for k, tone in enumerate(("#b5453f", "#d9a24c", "#5f8f7a")):
        art.fill(box(x - w * 0.40 + k * 64, y - 246, 46, 66, 10), tone, shade=0.25, shadow=4)
        art.fill(box(x - w * 0.40 + k * 64 + 5, y - 256, 36, 14, 4), "#efe4ce")


def tavern(art: Art, s: Scene) -> None:
    y = shell(art, s, "#b08a5c", "#7d5838", beams=True, panel="#8a6440")
    _window(art, s, art.w * 0.34, y - 420, 200, 200)
    f.fireplace(art, art.w * 0.12, y + 16, 300, s.light)
    for row in range(2):
        for k in range(3):
            cx, cy = art.w * 0.90 - 110 + k * 110 - row * 0, y - 60 - row * 130
            art.fill(oval(cx, cy, 58), "#8f5f38", shade=0.25, shadow=6)
            art.line(oval(cx, cy, 52), "#4f4a50", 8)
            art.fill(oval(cx, cy + 20, 8), "#d9b466")
    art.fill(box(art.w * 0.90 - 190, y - 330, 420, 16), "#6b462a", shadow=5)
    for k in range(7):
        art.fill(box(art.w * 0.90 - 170 + k * 52, y - 376, 30, 46, 8),
            ("#5f8f6a", "#b5643a", "#d9c9a5", "#7a4a5a")[k % 4], shade=0.25, shadow=2)  # fmt: skip
    for x in (0.28, 0.52, 0.76):
        art.line(poly([(art.w * x, 40), (art.w * x, 110)], False), "#3a3034", 4)
        f.lantern(art, art.w * x, 190, 84, s.light.lamp > 0.3 or True)
    for x in (0.38, 0.72) if art.w > 1100 else (0.5,):
        f.table(art, art.w * x, y + 120, 300, 140)
        for dx in (-60, 20, 90):
            mug(art, art.w * x + dx, y - 20)
        f.chair(art, art.w * x - 200, y + 136, 190)
        f.chair(art, art.w * x + 200, y + 136, 190, flip=True)


def mug(art: Art, x: float, y: float, size: float = 1.0) -> None:
    with art.at(x, y, size):
        art.line(oval(24, -24, 14, 15), "#c79a5c", 7)
        art.fill(box(-22, -50, 44, 50, 6), "#c79a5c", shade=0.25, shadow=3)
        art.fill(smooth([(-24, -50), (-14, -62), (0, -54), (14, -62), (24, -50), (16, -44), (-18, -44)]), "#fbf4e2")


def classroom(art: Art, s: Scene) -> None:
    y = shell(art, s, "#d3d9c0", "#b58a5c")
    board = box(art.w * 0.5 - 290, y - 420, 580, 270, 6)
    art.fill(board, "#3a5a4c", shade=0.2, shadow=8)
    art.line(board, "#a8794c", 18)
    for k, (x, r) in enumerate(((-200, 34), (-110, 34), (-20, 34))):
        shape: Shape = (oval(art.w * 0.5 + x, y - 300, r), poly([(art.w * 0.5 + x, y - 336),
            (art.w * 0.5 + x + 38, y - 268), (art.w * 0.5 + x - 38, y - 268)]),
            box(art.w * 0.5 + x - 32, y - 332, 64, 64))[k]  # fmt: skip
        art.line(shape, "#f2f2e6", 5, alpha=0.85)
    for k in range(3):
        art.line(smooth([(art.w * 0.5 + 60, y - 340 + k * 50), (art.w * 0.5 + 130, y - 348 + k * 50),
            (art.w * 0.5 + 240 - k * 30, y - 340 + k * 50)], False), "#f2f2e6", 4, alpha=0.7)  # fmt: skip
    if art.w > 1100:
        _window(art, s, art.w * 0.13, y - 410, 210, 250)
        wall_clock(art, art.w * 0.84, y - 380, 54)
        f.shelf(art, art.w * 0.90, y + 10, 190, 250, s.lots, 2, "books")
    else:
        wall_clock(art, art.w * 0.5, y - 500, 54)
    f.table(art, art.w * 0.5, y + 50, 300, 130)
    globe(art, art.w * 0.5 + 90, y - 84)
    for k in range(3):
        art.fill(
            box(art.w * 0.5 - 120, y - 98 - k * 18, 90 - k * 8, 18, 3), ("#a8483f", "#3f6a84", "#c79a4c")[k], shadow=2
        )
    count = 4 if art.w > 1100 else 3
    for row in range(2):
        for k in range(count):
            middle = art.w * (k + 0.5) / count + (row - 0.5) * 40
            f.table(art, middle, y + 170 + row * 130, 170 + row * 40, 90 + row * 14, "#b98a58")


def globe(art: Art, x: float, y: float, size: float = 1.0) -> None:
    with art.at(x, y, size):
        art.fill(box(-26, -8, 52, 10, 4), "#7a5232")
        art.fill(box(-4, -30, 8, 26), "#7a5232")
        art.fill(oval(0, -66, 40), "#4f8fb5", shade=0.25, shadow=4)
        with art.inside(oval(0, -66, 40)):
            art.fill(smooth([(-30, -90), (0, -96), (6, -70), (-16, -50), (-32, -64)]), "#7fa35a")
            art.fill(smooth([(14, -60), (40, -70), (36, -36), (18, -36)]), "#7fa35a")
        art.line(smooth([(-10, -110), (-46, -84), (-42, -40), (0, -24)], False), "#c79a4c", 5)


def office(art: Art, s: Scene) -> None:
    y = shell(art, s, "#c6cdd0", "#8f7a68", panel="#7f6a56" if s.text.has("study", "old", "lawyer") else "")
    _window(art, s, art.w * 0.5, y - 420, 320, 260)
    f.shelf(art, art.w * 0.86, y + 12, min(300, art.w * 0.22), 440, s.lots, 4, "books")
    art.fill(box(art.w * 0.12 - 80, y - 260, 160, 280, 6), "#8a9499", shade=0.2, shadow=8)
    for k in range(3):
        art.line(box(art.w * 0.12 - 66, y - 246 + k * 86, 132, 74, 4), "#5f6a70", 4)
        art.fill(box(art.w * 0.12 - 18, y - 214 + k * 86, 36, 9, 3), "#3f484e")
    art.fill(box(art.w * 0.5 - 250, y - 30, 500, 150, 6), "#8a5f3c", shade=0.25, shadow=9)
    art.fill(box(art.w * 0.5 - 270, y - 52, 540, 28, 6), "#a5774a", shadow=7)
    f.lamp(art, art.w * 0.5 - 180, y - 50, 120, s.light, "#5f8f6a")
    if s.text.has("modern", "computer", "office"):
        art.fill(box(art.w * 0.5 + 20, y - 190, 170, 112, 8), "#34363e", shadow=5)
        art.fill(box(art.w * 0.5 + 30, y - 180, 150, 92, 4), "#9ac4d9", shining=s.light.lamp > 0.4)
        art.fill(box(art.w * 0.5 + 92, y - 80, 26, 30), "#34363e")
    art.fill(poly([(art.w * 0.5 - 70, y - 54), (art.w * 0.5 + 10, y - 54), (art.w * 0.5, y - 66),
        (art.w * 0.5 - 60, y - 66)]), "#f6f1e4", shadow=2)  # fmt: skip


def hospital(art: Art, s: Scene) -> None:
    y = shell(art, s, "#cfe0df", "#b9c6c6", boards=False)
    _window(art, s, art.w * 0.5, y - 410, 260, 250, "#9ac0bd")
    beds = (0.2, 0.8) if art.w > 1100 else (0.36,)
    for k, x in enumerate(beds):
        f.bed(art, art.w * x, y + 110, 430, "#9ac0cf", head_left=k == 0)
        sx = art.w * x + (230 if k == 0 else -230)
        art.line(poly([(sx, y + 90), (sx, y - 250)], False), "#8a949a", 7)
        art.fill(box(sx - 24, y - 250, 48, 76, 10), "#e3eef2", shade=0.2, shadow=3)
        art.line(smooth([(sx, y - 174), (sx + 16, y - 100), (sx - 20, y - 40)], False), "#b5c6cf", 3)
    art.fill(box(art.w * 0.5 - 60, y - 500, 120, 66, 8), "#f6f6f2", shadow=4)
    art.fill(box(art.w * 0.5 - 9, y - 494, 18, 54), "#cf4037")
    art.fill(box(art.w * 0.5 - 28, y - 476, 56, 18), "#cf4037")
    art.fill(smooth([(art.w * 0.90, -20), (art.w + 20, -20), (art.w + 20, y + 60), (art.w * 0.92, y + 60),
        (art.w * 0.94, y * 0.5)]), "#a9cfc9", shade=0.15, shadow=9)  # fmt: skip
    art.fill(box(art.w * 0.5 - 60, y - 60, 120, 90, 6), "#e6ecec", shade=0.2, shadow=5)
    for k, tone in enumerate(("#5f8fb5", "#d9744a", "#8ab57f")):
        art.fill(box(art.w * 0.5 - 46 + k * 34, y - 100, 22, 40, 6), tone, shade=0.2)


def barn(art: Art, s: Scene) -> None:
    y = shell(art, s, "#8f6440", "#c9a45c", boards=False)
    for k in range(int(art.w / 74) + 1):
        art.line(poly([(k * 74.0, -20), (k * 74.0, y)], False), "#6b462a", 4, alpha=0.7)
    f.outside(art, arch(art.w * 0.5 - 150, y - 430, 300, 420), s.light, s.lots, "#5f3f28", (1, 1), width=18)
    art.fill(box(-20, 70, art.w + 40, 40), "#5f4029", shade=0.2, shadow=10)
    for x in (0.2, 0.8):
        art.fill(box(art.w * x - 22, -20, 44, y + 40), "#5f4029", shade=0.2, shadow=10)
    for x, dy, size in ((0.09, 60, 190), (0.17, 100, 170), (0.10, -70, 160), (0.90, 70, 210), (0.84, 110, 150)):
        art.fill(
            box(art.w * x - size / 2, y + dy - size * 0.62, size, size * 0.62, 10), "#dcb255", shade=0.25, shadow=7
        )
        for k in range(6):
            art.line(poly([(art.w * x - size * 0.42 + k * size * 0.15, y + dy - size * 0.5),
                (art.w * x - size * 0.36 + k * size * 0.15, y + dy - size * 0.1)], False), "#b58a38", 3,
                alpha=0.7)  # fmt: skip
    f.lantern(art, art.w * 0.33, y - 190, 90, s.light.lamp > 0.3)
    art.fill(lighten_straw(art, y), lighter("#d9b45f", 0.1), alpha=0.7)


def lighten_straw(art: Art, y: float) -> Shape:
    return smooth([(art.w * 0.1, y + 170), (art.w * 0.4, y + 130), (art.w * 0.9, y + 170), (art.w * 0.6, y + 240),
        (art.w * 0.2, y + 220)])  # fmt: skip
