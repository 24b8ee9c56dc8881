"""The objects themselves: about 100 units tall, the foot's middle at the origin."""

from __future__ import annotations

from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter, mix
from pipeline.inference.drawing.shapes import arc, box, oval, poly, smooth, star


def key(art: Art, colour: str) -> None:
    with art.at(0, -46, turn=38):
        art.line(oval(0, -34, 20), colour, 11, shadow=5)
        art.line(poly([(0, -14), (0, 50)], False), colour, 10, shadow=5)
        for y in (30, 46):
            art.line(poly([(0, y), (20, y)], False), colour, 9, shadow=3)
        art.line(arc(0, -34, 20, 20, 200, 70), lighter(colour, 0.6), 4)


def letter(art: Art, colour: str) -> None:
    with art.at(0, -44, turn=-6):
        art.fill(box(-68, -40, 136, 84, 4), colour, shade=0.12, shadow=7)
        art.fill(poly([(-68, -38), (68, -38), (0, 14)]), darker(colour, 0.08), shadow=4)
        art.fill(oval(0, 10, 14), "#b5303a", shade=0.2, shadow=3)


def map_(art: Art, colour: str) -> None:
    art.fill(smooth([(-76, -84), (0, -92), (76, -82), (80, -10), (0, -2), (-80, -10)]), colour, shade=0.2, shadow=7)
    art.fill(smooth([(-50, -66), (-14, -72), (-6, -40), (-40, -30)]), "#a9c08a")
    art.fill(smooth([(14, -48), (54, -60), (60, -24), (22, -20)]), "#a9c08a")
    for k in range(6):
        art.fill(oval(-44 + k * 14, -22 - (k % 3) * 9, 3.4), "#b5453f")
    for a, b in (((36, -44), (50, -30)), ((50, -44), (36, -30))):
        art.line(poly([a, b], False), "#b5303a", 5)


def book(art: Art, colour: str) -> None:
    art.fill(box(-46, -104, 92, 104, 6), darker(colour, 0.2), shadow=8)
    art.fill(box(-40, -100, 88, 98, 3), "#f4ecd8")
    art.fill(box(-50, -106, 90, 100, 6), colour, shade=0.2, shadow=4)
    art.fill(box(-50, -106, 15, 100, 4), darker(colour, 0.25))
    art.line(box(-26, -94, 56, 76, 4), "#e3c48a", 4)
    art.fill(star(2, -58, 17), "#e3c48a")


def sword(art: Art, colour: str) -> None:
    with art.at(0, -50, turn=40):
        art.fill(poly([(-9, 26), (-8, -76), (0, -96), (8, -76), (9, 26)]), colour, shade=0.2, shadow=5)
        art.line(poly([(0, 20), (0, -80)], False), lighter(colour, 0.6), 3)
        art.fill(box(-34, 24, 68, 11, 5), "#d9a83e", shadow=3)
        art.fill(box(-7, 34, 14, 34, 4), "#5a3d30")
        art.fill(oval(0, 72, 10), "#d9a83e")


def ring(art: Art, colour: str) -> None:
    art.line(oval(0, -36, 34), colour, 13, shadow=6)
    art.line(arc(0, -36, 34, 34, 190, 60), lighter(colour, 0.6), 5)
    art.fill(poly([(-18, -86), (18, -86), (26, -74), (0, -54), (-26, -74)]), "#5fb0d9", shade=0.2, shadow=4)
    art.fill(poly([(-10, -84), (8, -84), (0, -66)]), "#d9f0fa", alpha=0.8)


def necklace(art: Art, colour: str) -> None:
    art.line(smooth([(-46, -100), (-30, -56), (0, -38), (30, -56), (46, -100)], False), colour, 5, shadow=4)
    art.fill(oval(0, -24, 25), colour, shade=0.2, shadow=6)
    art.fill(oval(0, -24, 17), "#f6f0e2")
    art.fill(poly([(0, -40), (6, -24), (0, -8), (-6, -24)]), "#b5303a")


def fruit(art: Art, colour: str) -> None:
    art.fill(smooth([(0, -74), (32, -84), (48, -50), (32, -8), (0, -2), (-32, -8), (-48, -50), (-32, -84)]), colour,
        shade=0.3, shadow=7)  # fmt: skip
    art.line(smooth([(0, -74), (2, -90), (10, -104)], False), "#5f4030", 6)
    art.fill(smooth([(8, -92), (32, -108), (48, -98), (28, -86)]), "#6f9a4a", shadow=2)
    art.fill(oval(-20, -58, 8, 13), "#ffffff", alpha=0.4)


def round_fruit(art: Art, colour: str) -> None:
    art.fill(oval(0, -42, 44, 41), colour, shade=0.3, shadow=7)
    for k in range(9):
        art.fill(oval(-24 + (k * 17) % 50, -66 + (k * 23) % 52, 1.8), darker(colour, 0.22), alpha=0.7)
    art.fill(star(0, -80, 13, 5, 0.4), "#5f8a42", shadow=2)
    art.line(smooth([(0, -80), (3, -92)], False), "#5f6b38", 5)
    art.fill(oval(-17, -58, 9, 12), "#ffffff", alpha=0.35)


def pencil(art: Art, colour: str) -> None:
    with art.at(0, -50, turn=38):
        art.fill(box(-9, -42, 18, 76), colour, shade=0.2, shadow=5)
        art.fill(box(-3, -42, 6, 76), lighter(colour, 0.3))
        art.fill(poly([(-9, 34), (9, 34), (0, 56)]), "#ecd2a6")
        art.fill(poly([(-3, 48), (3, 48), (0, 56)]), "#34303a")
        art.fill(box(-9, -50, 18, 9), "#b9b9c0")
        art.fill(box(-9, -60, 18, 11, 4), "#e58f95")


def seedling(art: Art, colour: str) -> None:
    art.fill(smooth([(-34, -34), (34, -34), (24, 0), (-24, 0)]), "#b5673f", shade=0.3, shadow=6)
    art.fill(oval(0, -34, 33, 8), "#4e382c")
    art.line(smooth([(0, -34), (3, -60), (0, -84)], False), darker(colour, 0.2), 5)
    for side in (-1, 1):
        art.fill(smooth([(0, -78), (side * 18, -104), (side * 44, -100), (side * 26, -80)]), colour, shade=0.15,
            shadow=3)  # fmt: skip


def basket(art: Art, colour: str) -> None:
    art.line(arc(0, -50, 52, 54, 180, 180), darker(colour, 0.2), 9, shadow=4)
    for x, tone in ((-26, "#c0392f"), (0, "#e0a23c"), (26, "#7fa34a")):
        art.fill(oval(x, -58, 20), tone, shade=0.2, shadow=2)
    art.fill(smooth([(-66, -54), (66, -54), (50, -2), (-50, -2)]), colour, shade=0.3, shadow=6)
    for row in range(3):
        art.line(smooth([(-58 + row * 5, -44 + row * 15), (0, -40 + row * 15), (58 - row * 5, -44 + row * 15)], False),
            darker(colour, 0.25), 4)  # fmt: skip


def teapot(art: Art, colour: str) -> None:
    art.line(oval(-50, -44, 22, 24), darker(colour, 0.1), 10)
    art.fill(poly([(38, -52), (84, -82), (90, -72), (46, -20)]), colour, shade=0.2, shadow=3)
    art.fill(oval(0, -42, 54, 42), colour, shade=0.3, shadow=6)
    art.fill(oval(0, -82, 34, 9), darker(colour, 0.15), shadow=2)
    art.fill(oval(0, -94, 9), darker(colour, 0.3))
    art.fill(oval(-18, -58, 12, 8), "#ffffff", alpha=0.4)


def hourglass(art: Art, colour: str) -> None:
    art.fill(smooth([(-32, -94), (32, -94), (6, -50), (32, -6), (-32, -6), (-6, -50)]), "#dcecf0", alpha=0.9, shadow=4)
    art.fill(poly([(-18, -74), (18, -74), (0, -52)]), "#e3b341")
    art.fill(poly([(-26, -8), (26, -8), (0, -34)]), "#e3b341")
    for y in (-104, -8):
        art.fill(box(-42, y, 84, 12, 4), colour, shade=0.2, shadow=3)


def chest(art: Art, colour: str) -> None:
    art.fill(box(-70, -58, 140, 58, 4), colour, shade=0.25, shadow=7)
    art.fill(smooth([(-72, -56), (-68, -88), (-30, -102), (30, -102), (68, -88), (72, -56)]), darker(colour, 0.08),
        shade=0.15, shadow=5)  # fmt: skip
    for x in (-56, 44):
        art.fill(box(x, -96, 13, 96), "#d9a83e")
    art.fill(box(-72, -62, 144, 9), "#d9a83e")
    art.fill(box(-15, -70, 30, 34, 5), "#e8bf55", shadow=3)
    art.fill(oval(0, -56, 5), "#3a2c28")


def violin(art: Art, colour: str) -> None:
    """Lying on its side, its neck to the right, the strings towards us."""
    with art.at(-22, -34, turn=80):
        art.fill(smooth([(-4, -78), (5, -78), (6, -30), (-6, -30)]), "#3a2a24", shadow=3)
        art.fill(smooth([(0, -34), (24, -26), (24, -8), (16, 4), (30, 24), (22, 48), (0, 54), (-22, 48), (-30, 24),
            (-16, 4), (-24, -8), (-24, -26)]), colour, shade=0.3, shadow=6)  # fmt: skip
        art.line(smooth([(-20, -22), (-12, 4), (-25, 26)], False), lighter(colour, 0.25), 3, alpha=0.6)
        art.fill(poly([(-5, -84), (5, -84), (6, -4), (-6, -4)]), "#2f2420")
        art.fill(box(-9, 14, 18, 5, 2), "#e3c48a")
        art.fill(poly([(-5, 26), (5, 26), (8, 48), (-8, 48)]), "#2f2420")
        for x in (-3.4, -1.1, 1.1, 3.4):
            art.line(poly([(x, -82), (x, 28)], False), "#efe6d2", 0.9)
        for x in (-14, 14):
            art.line(smooth([(x, 2), (x * 0.8, 14), (x, 26)], False), "#3a241a", 3)
        for y in (-98, -88):
            art.line(poly([(-10, y), (10, y)], False), "#5a3d2c", 4)
        art.line(poly([(0, -86), (0, -104)], False), "#3a2a24", 9)
        art.line(oval(0, -110, 6), "#3a2a24", 5)


def fiddle_bow(art: Art, colour: str) -> None:
    """The bow of a fiddle: a bent stick, its pale hair, the frog at its end."""
    with art.at(0, -26, turn=-14):
        art.line(smooth([(-84, 2), (-30, -9), (40, -9), (86, -3)], False), colour, 5, shadow=5)
        art.line(poly([(-76, 11), (84, 9)], False), "#f3ead4", 4, shadow=2)
        art.fill(smooth([(-84, -2), (-60, -2), (-62, 14), (-80, 15)]), "#35262a", shadow=3)
        art.fill(oval(-71, 6, 3), "#e9e2d2")
        art.fill(poly([(80, -6), (94, -8), (86, 12)]), darker(colour, 0.3))


def archer_bow(art: Art, colour: str) -> None:
    art.line(poly([(-16, -104), (-16, 0)], False), "#efe6d2", 2.5)
    art.line(smooth([(-16, -104), (12, -86), (26, -52), (12, -18), (-16, 0)], False), colour, 8, shadow=5)
    art.line(poly([(24, -62), (25, -42)], False), darker(colour, 0.35), 11)


def horn(art: Art, colour: str) -> None:
    art.fill(smooth([(-66, -30), (10, -42), (56, -74), (70, -40), (62, -4), (10, -26), (-66, -20)]), colour, shade=0.25,
        shadow=6)  # fmt: skip
    art.fill(oval(64, -40, 10, 34), darker(colour, 0.3))
    for x in (-24, -6, 12):
        art.fill(oval(x, -42, 6), lighter(colour, 0.4), shadow=1)


def drum(art: Art, colour: str) -> None:
    art.fill(box(-50, -66, 100, 64, 8), colour, shade=0.25, shadow=6)
    art.line(poly([(-48, -60), (-24, -8), (0, -60), (24, -8), (48, -60)], False), "#f1e4c4", 4)
    art.fill(oval(0, -66, 50, 15), "#f6efdc", shadow=3)
    for side in (-1, 1):
        art.line(poly([(side * 8, -70), (side * 46, -104)], False), "#8a5a34", 6)


def umbrella(art: Art, colour: str, shaft: float = 0.0) -> None:
    """`shaft`: how much longer it is, for one that is held over a head."""
    foot = 8 if shaft else -14
    art.line(poly([(0, -100 - shaft), (0, foot)], False), "#5a4438", 6 if not shaft else 4)
    art.line(arc(-8, foot, 8, 9, 0, 170), "#5a4438", 6 if not shaft else 4)
    with art.at(0, -shaft):
        _canopy(art, colour)


def _canopy(art: Art, colour: str) -> None:
    art.fill(smooth([(-72, -50), (-52, -90), (0, -112), (52, -90), (72, -50), (48, -60), (24, -48), (0, -60),
        (-24, -48), (-48, -60)]), colour, shade=0.25, shadow=6)  # fmt: skip
    for x in (-24, 24):
        art.line(smooth([(0, -110), (x * 0.8, -84), (x, -50)], False), darker(colour, 0.25), 3)


def ball(art: Art, colour: str) -> None:
    shape = oval(0, -44, 44)
    art.fill(shape, colour, shade=0.3, shadow=6)
    with art.inside(shape):
        art.fill(smooth([(-50, -60), (0, -40), (50, -60), (50, -38), (0, -18), (-50, -38)]), "#f4ead2")
    art.fill(oval(-16, -64, 9, 6), "#ffffff", alpha=0.6)


def flower(art: Art, colour: str) -> None:
    art.line(smooth([(0, 0), (-4, -30), (2, -64)], False), "#4f8a4a", 7, shadow=3)
    for side in (-1, 1):
        art.fill(smooth([(0, -20), (side * 30, -46), (side * 40, -38), (side * 16, -16)]), "#5f9a52", shadow=2)
    for k in range(6):
        with art.at(2, -76, turn=k * 60):
            art.fill(oval(0, -20, 14, 19), colour if k % 2 else lighter(colour, 0.12), shadow=2)
    art.fill(oval(2, -76, 13), "#f0c24a", shadow=2)


def bag(art: Art, colour: str) -> None:
    art.line(arc(0, -74, 34, 34, 180, 180), darker(colour, 0.3), 8)
    art.fill(smooth([(-50, -74), (50, -74), (60, -10), (40, 0), (-40, 0), (-60, -10)]), colour, shade=0.25, shadow=7)
    art.fill(smooth([(-52, -76), (52, -76), (46, -34), (0, -24), (-46, -34)]), darker(colour, 0.12), shadow=4)
    art.fill(box(-10, -42, 20, 24, 4), "#e3b341", shadow=2)


def hat(art: Art, colour: str) -> None:
    art.fill(smooth([(-36, -20), (-34, -78), (-20, -90), (0, -84), (20, -90), (34, -78), (38, -20)]), colour,
        shade=0.25, shadow=4)  # fmt: skip
    art.fill(box(-38, -38, 76, 17), "#f0e2c4")
    art.fill(smooth([(-78, -18), (-36, -26), (0, -18), (36, -26), (78, -18), (40, -4), (0, 0), (-40, -4)]),
        darker(colour, 0.1), shade=0.2, shadow=5)  # fmt: skip


def crown(art: Art, colour: str) -> None:
    art.fill(poly([(-56, -4), (-66, -78), (-32, -44), (0, -96), (32, -44), (66, -78), (56, -4)]), colour, shade=0.25,
        shadow=6)  # fmt: skip
    art.fill(box(-56, -20, 112, 17, 3), darker(colour, 0.15))
    for x, y, tone in ((-66, -80, "#c0392f"), (0, -98, "#3d6ea8"), (66, -80, "#c0392f"), (0, -12, "#4f9a6a")):
        art.fill(oval(x, y, 8), tone, shadow=1)


def candle(art: Art, colour: str) -> None:
    art.glow(0, -84, 150, "#ffb24d", 0.6)
    art.fill(box(-13, -70, 26, 62, 4), colour, shade=0.2, shadow=4)
    art.fill(smooth([(0, -104), (9, -86), (0, -72), (-9, -86)]), "#ffc24a", shining=True)
    art.fill(smooth([(-46, -12), (46, -12), (32, 0), (-32, 0)]), "#c79a4c", shade=0.2, shadow=4)
    art.line(oval(48, -10, 10), "#c79a4c", 5)


def phone(art: Art, colour: str) -> None:
    art.fill(box(-30, -104, 60, 104, 11), colour, shadow=6)
    art.fill(box(-25, -94, 50, 82, 4), "#8fc4d9", shining=True)
    art.fill(oval(0, -6, 3.4), "#d9dde2")


def coin(art: Art, colour: str) -> None:
    for x, y in ((-36, -14), (36, -14), (0, -14), (-18, -34), (18, -34)):
        art.fill(oval(x, y, 26, 13), darker(colour, 0.2), shadow=3)
        art.fill(oval(x, y - 6, 26, 13), colour, shade=0.15)
    art.fill(oval(0, -66, 32), colour, shade=0.2, shadow=5)
    art.line(oval(0, -66, 24), darker(colour, 0.25), 3.5)
    art.fill(star(0, -66, 15), darker(colour, 0.2))


def bottle(art: Art, colour: str) -> None:
    art.fill(smooth([(-12, -96), (12, -96), (12, -68), (34, -46), (34, -8), (20, 0), (-20, 0), (-34, -8), (-34, -46),
        (-12, -68)]), colour, alpha=0.92, shade=0.25, shadow=6)  # fmt: skip
    art.fill(box(-14, -112, 28, 18, 4), "#c79a6a", shadow=2)
    art.fill(box(-26, -46, 52, 28, 3), "#f4ead2")
    art.line(poly([(-22, -52), (-22, -12)], False), "#ffffff", 4, alpha=0.4)


def kite(art: Art, colour: str) -> None:
    art.line(smooth([(0, -10), (-24, 16), (14, 34), (-10, 60)], False), "#6b5a4a", 4)
    art.fill(poly([(0, -116), (46, -70), (0, -8), (-46, -70)]), colour, shade=0.2, shadow=7)
    art.fill(poly([(0, -116), (46, -70), (0, -70)]), "#ecc65a")
    art.fill(poly([(0, -70), (0, -8), (-46, -70)]), "#5f9ab5")


def bell(art: Art, colour: str) -> None:
    art.fill(oval(0, -8, 12), darker(colour, 0.4), shadow=2)
    art.fill(smooth([(-10, -94), (10, -94), (30, -74), (36, -34), (56, -14), (0, -6), (-56, -14), (-36, -34),
        (-30, -74)]), colour, shade=0.3, shadow=6)  # fmt: skip
    art.line(oval(0, -100, 9), darker(colour, 0.2), 5)
    art.line(smooth([(-18, -70), (-24, -44), (-32, -26)], False), "#ffffff", 5, alpha=0.45)


def mirror(art: Art, colour: str) -> None:
    art.fill(oval(0, -62, 44, 52), colour, shade=0.2, shadow=7)
    art.fill(oval(0, -62, 34, 42), "#cfe3ea", shade=0.15)
    art.line(poly([(-14, -50), (12, -84)], False), "#ffffff", 6, alpha=0.7)
    art.fill(box(-7, -14, 14, 16, 4), colour)


def rope(art: Art, colour: str) -> None:
    for k in range(4):
        art.line(oval(0, -12 - k * 13, 54 - k * 4, 17), colour if k % 2 else darker(colour, 0.15), 11, shadow=3)


def shell(art: Art, colour: str) -> None:
    art.fill(smooth([(0, -2), (-50, -40), (-44, -78), (0, -94), (44, -78), (50, -40)]), colour, shade=0.25, shadow=6)
    for x in (-32, -16, 0, 16, 32):
        art.line(smooth([(0, -6), (x * 0.8, -46), (x, -82)], False), darker(colour, 0.2), 3.5)


def gem(art: Art, colour: str) -> None:
    art.glow(0, -46, 130, colour, 0.35)
    art.fill(poly([(-50, -64), (-26, -92), (26, -92), (50, -64), (0, -4)]), colour, shade=0.2, shadow=6)
    art.fill(poly([(-50, -64), (-18, -64), (0, -4)]), darker(colour, 0.2))
    art.fill(poly([(-18, -64), (-26, -92), (26, -92), (18, -64)]), lighter(colour, 0.45))


def feather(art: Art, colour: str) -> None:
    with art.at(0, -50, turn=30):
        art.fill(smooth([(0, -60), (18, -34), (16, 10), (2, 34), (-14, 12), (-16, -30)]), colour, shade=0.25, shadow=5)
        art.line(smooth([(0, -56), (2, 0), (0, 62)], False), "#7a6a58", 4)


def hammer(art: Art, colour: str) -> None:
    with art.at(0, -48, turn=24):
        art.fill(box(-7, -34, 14, 92, 5), "#a8764a", shade=0.2, shadow=4)
        art.fill(box(-38, -58, 66, 30, 6), colour, shade=0.3, shadow=5)
        art.fill(poly([(28, -56), (50, -44), (28, -30)]), colour)


def toy(art: Art, colour: str) -> None:
    for x in (-26, 26):
        art.fill(oval(x, -92, 14), colour, shadow=2)
        art.fill(oval(x, -10, 18, 13), colour, shadow=3)
        art.fill(oval(x * 1.5, -40, 12, 18), colour, shadow=3)
    art.fill(oval(0, -34, 34, 34), colour, shade=0.2, shadow=4)
    art.fill(oval(0, -76, 30, 27), colour, shade=0.15, shadow=4)
    art.fill(oval(0, -68, 13, 10), lighter(colour, 0.45))
    for x in (-10, 10):
        art.fill(oval(x, -80, 3.6), "#2a2026")
    art.fill(oval(0, -71, 4.4, 3.2), "#2a2026")


def cloth(art: Art, colour: str) -> None:
    """Woven cloth, folded over twice, its end with a fringe hanging in front."""
    for k, (half, y) in enumerate(((74, -20), (70, -36), (64, -51))):
        art.fill(smooth([(-half, y - 2), (-half + 8, y - 12), (0, y - 14), (half - 8, y - 12), (half, y - 2),
            (half - 6, y + 16), (0, y + 19), (-half + 6, y + 16)]), darker(colour, 0.14 - 0.07 * k), shade=0.2,
            shadow=5)  # fmt: skip
        art.line(smooth([(-half + 6, y + 13), (0, y + 16), (half - 6, y + 13)], False), darker(colour, 0.3), 2.5,
            alpha=0.6)  # fmt: skip
    end = smooth([(-10, -66), (42, -65), (47, -40), (46, -10), (20, -7), (-8, -10), (-6, -40)])
    art.fill(end, lighter(colour, 0.06), shade=0.16, shadow=5)
    for y in (-32, -22):
        art.line(smooth([(-7, y), (20, y + 3), (46, y)], False), lighter(colour, 0.5), 3.5)
    for k in range(9):
        art.line(poly([(-5 + k * 6.2, -10), (-6 + k * 6.4, 3)], False), lighter(colour, 0.06), 2.6)


def shoe(art: Art, colour: str) -> None:
    art.fill(smooth([(-40, -92), (4, -92), (8, -46), (50, -34), (66, -14), (62, -4), (-40, -4)]), colour, shade=0.25,
        shadow=6)  # fmt: skip
    art.fill(box(-42, -8, 108, 10, 4), darker(colour, 0.5))
    for k in range(3):
        art.line(poly([(-2, -76 + k * 15), (16, -70 + k * 15)], False), "#e3d3b0", 4)


def telescope(art: Art, colour: str) -> None:
    with art.at(0, -44, turn=-28):
        art.fill(box(-70, -12, 54, 24, 4), darker(colour, 0.25), shade=0.2, shadow=4)
        art.fill(box(-20, -16, 50, 32, 4), colour, shade=0.25, shadow=4)
        art.fill(box(26, -21, 48, 42, 5), darker(colour, 0.1), shade=0.25, shadow=4)
    art.line(poly([(-4, -40), (-26, 0)], False), "#6b4a33", 6)
    art.line(poly([(4, -40), (26, 0)], False), "#6b4a33", 6)


def fish(art: Art, colour: str) -> None:
    art.fill(smooth([(-40, -40), (-76, -66), (-66, -40), (-76, -14)]), darker(colour, 0.15), shadow=3)
    art.fill(smooth([(60, -40), (24, -70), (-24, -62), (-52, -40), (-24, -18), (24, -10)]), colour, shade=0.3, shadow=5)
    art.fill(oval(34, -46, 5), "#2a2026")


def bundle(art: Art, colour: str) -> None:
    """Something tied up in plain cloth."""
    cloth_colour = mix(colour, "#b59a74", 0.6)
    for side in (-1, 1):
        art.fill(smooth([(side * 4, -66), (side * 26, -98), (side * 44, -94), (side * 22, -62)]), cloth_colour,
            shade=0.2, shadow=3)  # fmt: skip
    art.fill(smooth([(-16, -66), (16, -66), (50, -46), (58, -16), (38, 0), (-38, 0), (-58, -16), (-50, -46)]),
        cloth_colour, shade=0.3, shadow=7)  # fmt: skip
    for x in (-26, 0, 26):
        art.line(smooth([(x * 0.3, -56), (x * 0.9, -36), (x * 1.2, -16)], False), darker(cloth_colour, 0.25), 3,
            alpha=0.6)  # fmt: skip
    art.fill(oval(0, -66, 16, 11), darker(cloth_colour, 0.14), shadow=3)
