"""Hair, beards and what is worn on a person's head, behind the face and before it.

Coordinates are a head's own: chin at y = 104, crown at y = -108, looking right.
"""

from __future__ import annotations

from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter
from pipeline.inference.drawing.shapes import arc, box, oval, poly, smooth, star

_COVERING = ("scarf", "bonnet", "helmet", "turban")


def behind(art: Art, d: Design) -> None:
    """Hair and headgear that hang behind the face and the shoulders."""
    hair = darker(d.hair, 0.12)
    style = d.hair_style
    if d.hat == "scarf":
        art.fill(smooth([(-98, -20), (-60, -108), (30, -118), (92, -60), (88, 60), (108, 190), (0, 214), (-112, 190),
            (-92, 70)]), darker(d.hat_colour, 0.12), shade=0.3, shadow=5)  # fmt: skip
        return
    if d.hat == "bonnet":
        art.fill(smooth([(-104, 0), (-80, -104), (0, -136), (84, -100), (104, 0), (88, 120), (0, 150), (-92, 120)]),
                 darker(d.hat_colour, 0.15), shade=0.3, shadow=5)  # fmt: skip
        return
    if style == "long":
        art.fill(smooth([(-92, -40), (-40, -112), (40, -112), (90, -40), (96, 60), (104, 168), (40, 190), (-50, 196),
            (-108, 172), (-102, 60)]), hair, shade=0.35, shadow=4)  # fmt: skip
    elif style == "bob":
        art.fill(smooth([(-96, -40), (-40, -114), (40, -114), (94, -40), (104, 60), (82, 108), (0, 112), (-86, 110),
            (-108, 64)]), hair, shade=0.3, shadow=4)  # fmt: skip
    elif style == "curly":
        for x, y, r in ((-80, -50, 44), (-92, 4, 42), (-88, 56, 38), (80, -50, 42), (92, 4, 38), (88, 54, 34),
            (-42, -96, 46), (40, -98, 44), (0, -108, 46)):  # fmt: skip
            art.fill(oval(x, y, r), hair, shade=0.2)
    elif style == "ponytail":
        art.fill(smooth([(-70, -60), (-128, -70), (-152, 0), (-140, 84), (-118, 130), (-112, 60), (-104, 0)]), hair,
            shade=0.35, shadow=4)  # fmt: skip
        art.fill(oval(-88, -56, 16, 20), d.accent)
    elif style == "bun":
        art.fill(oval(-34, -116, 46, 42), hair, shade=0.3, shadow=3)
    elif style == "braids":
        for side in (-1, 1):
            braid(art, side * 88, 30, side * 16, d)
    elif style == "braid":
        art.fill(oval(0, -10, 96, 100), hair)
        braid(art, -78, 54, -10, d)


def braid(art: Art, x: float, y: float, slant: float, d: Design) -> None:
    """A braid hanging from (x, y), its end `slant` further right."""
    for k in range(6):
        art.fill(oval(x + slant * k / 5 + (4 if k % 2 else -4), y + k * 22, 21 - k * 1.4, 17),
            d.hair if k % 2 else darker(d.hair, 0.15), shadow=2)  # fmt: skip
    art.fill(oval(x + slant * 1.1, y + 130, 12, 10), d.accent)
    art.fill(oval(x + slant * 1.2, y + 148, 13, 18), d.hair)


def before(art: Art, d: Design) -> None:
    """The hair line, the beard's upper part excepted, and the hat."""
    if d.hat not in _COVERING and d.hair_style != "bald":
        _fringe(art, d)
    elif d.hair_style == "bald" and d.hat in ("", "crown"):
        for side in (-1, 1):
            art.fill(smooth([(side * 88, -30), (side * 98, 0), (side * 92, 36), (side * 80, 20), (side * 80, -20)]),
                d.hair, shade=0.2)  # fmt: skip
    hat(art, d)


def hat(art: Art, d: Design) -> None:
    if d.hat:
        _HATS[d.hat](art, d)


def _fringe(art: Art, d: Design) -> None:
    hair, shine = d.hair, lighter(d.hair, 0.22)
    if d.hair_style == "curly":
        for x, y, r in ((-66, -66, 32), (-32, -86, 33), (4, -92, 34), (40, -84, 32), (68, -62, 28), (-84, -32, 25),
            (84, -34, 22)):  # fmt: skip
            art.fill(oval(x, y, r), hair, shade=0.22, shadow=1.5)
            art.line(arc(x, y, r * 0.55, r * 0.55, 200, 110), shine, 3, alpha=0.5)
        return
    if d.hair_style == "tousled":
        top = [(-92, 6), (-100, -50), (-92, -84), (-70, -96), (-62, -126), (-26, -112), (-4, -138), (24, -114),
            (62, -126), (68, -98), (98, -84), (92, -40), (90, 0), (80, -30), (62, -52), (44, -34), (22, -58), (-6, -34),
            (-30, -58), (-56, -30), (-72, -46)]  # fmt: skip
        art.fill(poly(top), hair, shade=0.25, shadow=2.5)
        return
    if d.hair_style == "short" and d.gender != "female":
        art.fill(smooth([(-90, 8), (-98, -46), (-74, -104), (-6, -124), (64, -108), (94, -56), (90, 0), (82, -28),
            (66, -56), (20, -66), (-30, -52), (-68, -58), (-82, -26)]), hair, shade=0.28, shadow=2.5)  # fmt: skip
    elif d.gender == "male" or d.hair_style in ("bun", "ponytail"):
        art.fill(smooth([(-94, 20), (-100, -40), (-72, -104), (0, -122), (70, -104), (96, -44), (90, 14), (80, -22),
            (48, -62), (4, -76), (-42, -64), (-80, -20)]), hair, shade=0.25, shadow=2.5)  # fmt: skip
    else:
        art.fill(smooth([(-98, 44), (-102, -40), (-72, -106), (0, -124), (72, -106), (98, -42), (94, 40), (82, -2),
            (70, -36), (26, -84), (2, -58), (-40, -36), (-82, -8)]), hair, shade=0.25, shadow=2.5)  # fmt: skip
    art.line(arc(-4, -40, 70, 62, 215, 60), shine, 5, alpha=0.45)


def beard(art: Art, d: Design) -> None:
    """The beard under the mouth, with skin left free around it; the moustache above."""
    if not d.beard:
        return
    if d.beard == "stubble":
        art.fill(smooth([(-78, 24), (-60, 84), (0, 106), (62, 84), (82, 24), (50, 44), (14, 36), (-36, 44)]),
            darker(d.skin, 0.4), alpha=0.35)  # fmt: skip
        return
    if d.beard in ("short", "full"):
        drop = 168 if d.beard == "full" else 122
        art.fill(smooth([(-90, 0), (-86, 60), (-58, drop - 26), (4, drop), (66, drop - 26), (90, 60), (92, 0), (76, 30),
            (44, 38), (12, 34), (-26, 38), (-70, 30)]), d.hair, shade=0.25, shadow=3)  # fmt: skip
        art.fill(oval(12, 60, 40, 21), d.skin)
        for k in range(-2, 3):
            art.line(smooth([(6 + k * 22, 92), (8 + k * 19, drop - 22)], False), darker(d.hair, 0.18), 2.5, alpha=0.5)
    art.fill(
        smooth([(12, 30), (40, 32), (62, 50), (36, 48), (12, 42), (-14, 48), (-40, 50), (-18, 32)]), d.hair, shadow=1.5
    )


def _crown(art: Art, d: Design) -> None:
    points = [(-66, -72), (-80, -152), (-40, -112), (-2, -166), (38, -112), (78, -152), (68, -72)]
    art.fill(poly(points), d.hat_colour, shade=0.3, shadow=3)
    art.fill(smooth([(-70, -86), (0, -74), (72, -86), (69, -66), (0, -54), (-67, -66)]), darker(d.hat_colour, 0.15))
    for x, y, colour in ((-80, -154, "#c0392f"), (-2, -168, "#3d6ea8"), (78, -154, "#c0392f")):
        art.fill(oval(x, y, 9), colour)


def _hat(art: Art, d: Design) -> None:
    art.fill(smooth([(-66, -80), (-62, -160), (-40, -184), (0, -176), (40, -184), (64, -160), (68, -80)]), d.hat_colour,
        shade=0.3, shadow=3)  # fmt: skip
    art.fill(smooth([(-70, -96), (0, -84), (72, -96), (70, -76), (0, -64), (-68, -76)]), d.accent)
    art.fill(smooth([(-142, -82), (-70, -84), (0, -72), (70, -84), (142, -86), (80, -56), (0, -46), (-80, -54)]),
        darker(d.hat_colour, 0.1), shade=0.2, shadow=4)  # fmt: skip


def _straw(art: Art, d: Design) -> None:
    art.fill(smooth([(-66, -80), (-54, -142), (0, -158), (56, -142), (68, -80)]), d.hat_colour, shade=0.25, shadow=3)
    art.fill(smooth([(-68, -98), (0, -86), (70, -98), (70, -78), (0, -66), (-68, -78)]), "#b5503f")
    art.fill(smooth([(-160, -62), (-80, -86), (0, -76), (80, -86), (160, -66), (80, -50), (0, -42), (-80, -48)]),
        d.hat_colour, shade=0.3, shadow=4)  # fmt: skip
    for k in range(5):
        art.line(arc(0, -70 + k * 5, 140 - 10 * k, 20, 20, 140), darker(d.hat_colour, 0.2), 1.5, alpha=0.4)


def _cap(art: Art, d: Design) -> None:
    art.fill(smooth([(-100, -66), (-104, -104), (-60, -142), (10, -150), (78, -134), (104, -96), (98, -66), (0, -52)]),
        d.hat_colour, shade=0.3, shadow=3)  # fmt: skip
    art.fill(smooth([(-94, -80), (0, -64), (98, -80), (97, -62), (0, -46), (-94, -62)]), darker(d.hat_colour, 0.25))
    art.fill(smooth([(-10, -60), (60, -66), (102, -66), (134, -42), (90, -44), (30, -44)]), darker(d.hat_colour, 0.35),
        shadow=3)  # fmt: skip
    if d.outfit == "uniform":
        art.fill(star(20, -100, 17), "#e3b341")


def _scarf(art: Art, d: Design) -> None:
    art.fill(smooth([(-96, 40), (-104, -40), (-74, -112), (0, -130), (76, -112), (102, -40), (94, 44), (84, 0),
        (74, -44), (30, -78), (-28, -74), (-72, -40), (-82, 6)]), d.hat_colour, shade=0.25, shadow=3)  # fmt: skip
    art.fill(smooth([(-96, 30), (-70, 92), (6, 124), (76, 92), (94, 36), (106, 104), (60, 148), (0, 158), (-66, 148),
        (-108, 104)]), d.hat_colour, shade=0.3, shadow=3)  # fmt: skip
    for x, y in ((-60, -84), (-4, -104), (52, -88)):
        art.fill(oval(x, y, 5), lighter(d.hat_colour, 0.5), alpha=0.8)


def _helmet(art: Art, d: Design) -> None:
    art.fill(smooth([(-100, 30), (-108, -40), (-76, -118), (0, -138), (78, -118), (108, -40), (100, 34), (86, 0),
        (80, -44), (40, -56), (-36, -56), (-76, -44), (-86, 0)]), d.hat_colour, shade=0.35, shadow=3)  # fmt: skip
    art.line(arc(-10, -50, 70, 62, 200, 70), "#ffffff", 8, alpha=0.45)
    art.fill(smooth([(-10, -134), (-40, -176), (-110, -150), (-128, -90), (-80, -122)]), "#b5362e", shade=0.3, shadow=3)


def _pointed(art: Art, d: Design) -> None:
    art.fill(smooth([(-72, -76), (-44, -170), (-20, -256), (6, -290), (14, -250), (46, -166), (74, -76), (0, -58)]),
        d.hat_colour, shade=0.35, shadow=3)  # fmt: skip
    art.fill(smooth([(-148, -66), (-80, -86), (0, -70), (80, -86), (150, -70), (80, -46), (0, -38), (-80, -44)]),
        darker(d.hat_colour, 0.15), shadow=4)  # fmt: skip
    for x, y, r in ((-20, -130, 12), (22, -170, 9), (2, -220, 7)):
        art.fill(star(x, y, r), "#ecc95a")


def _bonnet(art: Art, d: Design) -> None:
    art.fill(smooth([(-100, 60), (-110, -30), (-82, -112), (0, -140), (84, -112), (110, -30), (100, 64), (84, 20),
        (80, -36), (40, -80), (-36, -80), (-78, -36), (-84, 20)]), d.hat_colour, shade=0.3, shadow=3)  # fmt: skip
    if d.hair_style != "bald":
        art.fill(smooth([(-80, -20), (-64, -64), (0, -84), (66, -64), (82, -20), (40, -58), (0, -50), (-40, -56)]),
            d.hair, shade=0.2)  # fmt: skip
    art.fill(oval(6, 116, 14, 10), darker(d.hat_colour, 0.2))


def _turban(art: Art, d: Design) -> None:
    for k, y in enumerate((-66, -92, -118)):
        art.fill(oval(2, y, 104 - k * 14, 34), d.hat_colour if k % 2 == 0 else darker(d.hat_colour, 0.12), shade=0.2,
            shadow=2)  # fmt: skip
    art.fill(oval(30, -88, 13, 16), "#e3b341")


def _bow(art: Art, d: Design) -> None:
    for side in (-1, 1):
        art.fill(
            smooth([(-44, -104), (-44 + side * 46, -134), (-44 + side * 50, -88)]), d.hat_colour, shade=0.2, shadow=2
        )
    art.fill(box(-54, -116, 20, 22, 8), darker(d.hat_colour, 0.2))


_HATS = {
    "crown": _crown, "hat": _hat, "straw": _straw, "cap": _cap, "scarf": _scarf, "helmet": _helmet, "pointed": _pointed,
    "bonnet": _bonnet, "turban": _turban, "bow": _bow,
}  # fmt: skip
