"""Figures from behind, for the foreground of a shot over the shoulder: the same palette, hair, ears and clothes.

Bodies are in a figure's own coordinates, heads in a head's own, both half turned to the right.
"""

from __future__ import annotations

from pipeline.inference.drawing import animals, beasts, hair, heads, people, spines, wardrobe
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.heads import HEIGHT
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter
from pipeline.inference.drawing.pose import Pose
from pipeline.inference.drawing.shapes import Point, arc, oval, poly, ribbon, smooth
from pipeline.inference.drawing.species import BY_NAME, Species


def upright(art: Art, d: Design) -> None:
    """Head and shoulders of a figure on two legs."""
    bones = people.frame_of(d, Pose())
    x, y = bones.shoulder
    w, s = bones.wide, bones.scale
    sleeve = d.top if d.clothed else d.coat
    for side in (-1, 1):
        start = (x + side * 74 * w, y + 36 * s)
        art.line(poly([start, (x + side * 104 * w, y + 200 * s), (x + side * 92 * w, y + 350 * s)], False),
            darker(sleeve, 0.12), 54 * w, shadow=6)  # fmt: skip
    spiny = d.species is not None and "spines" in d.species.marks and not d.clothed
    if spiny:
        spines.mantle(art, d.coat, bones.shoulder, bones.hip, w, s)
    wardrobe.back(art, d, bones)
    if spiny:
        spines.back(art, d.coat, bones.shoulder, w, s)
    flesh = d.skin if d.human else d.coat
    nape = (bones.head_at[0], bones.head_at[1] + bones.head * 0.3)
    art.line(poly([(bones.neck[0], bones.neck[1] - 14), nape], False), darker(flesh, 0.12), 64 * w)
    if not spiny:
        wardrobe.nape(art, d, bones)
    with art.at(*bones.head_at, bones.head / HEIGHT):
        _person(art, d) if d.human else _animal(art, d)
    if spiny:  # the crown's spines reach over the neck
        wardrobe.nape(art, d, bones)


def beast(art: Art, d: Design) -> None:
    """A figure that has no shoulders: its back and its head."""
    n = 1000 * d.height
    _, y, size = beasts.head_centre(d, Pose())
    winged = d.species is not None and d.species.body in ("bird", "owl")
    long_necked = d.species is not None and bool({"wader", "neck"} & set(d.species.marks))
    wide = size * (0.62 if winged else 0.56)
    top = y + size * (0.92 if long_necked else 0.24)
    back: list[Point] = [(-wide * 0.5, top), (wide * 0.5, top), (wide * 1.02, top + size * 0.5),
        (wide * 1.25, top + size * 1.1), (wide * 1.1, top + size * 2), (-wide * 1.1, top + size * 2),
        (-wide * 1.25, top + size * 1.1), (-wide * 1.02, top + size * 0.5)]  # fmt: skip
    if d.four_legged:
        with art.at(0, top + size * 1.5, flip=True):
            animals.tail(art, d, (-wide * 0.6, 0), n * 0.5)
    art.fill(smooth(back), d.coat, shade=0.24, shadow=8)
    if winged:
        for side in (-1, 1):
            wing = [(side * wide * 0.30, top + size * 0.22), (side * wide * 1.04, top + size * 0.46),
                (side * wide * 1.34, top + size * 1.2), (side * wide * 0.5, top + size * 1.9),
                (side * wide * 0.22, top + size)]  # fmt: skip
            art.fill(smooth(wing), darker(d.coat, 0.14), shade=0.15, shadow=6)
            for k in range(3):
                art.line(smooth([(side * wide * (0.5 + 0.2 * k), top + size * (0.62 + 0.04 * k)),
                    (side * wide * (0.62 + 0.22 * k), top + size * 1.0), (side * wide * (0.5 + 0.2 * k),
                    top + size * 1.4)], False), lighter(d.coat, 0.16), size * 0.016, alpha=0.8)  # fmt: skip
    else:
        art.line(smooth([(0, top + size * 0.3), (size * 0.02, top + size), (0, top + size * 1.9)], False),
            darker(d.coat, 0.2), size * 0.03, alpha=0.5)  # fmt: skip
    if long_necked:
        _long_neck(art, d, y, size)
        return
    worn = d.scarf or d.collar
    if worn:
        thick = size * (0.18 if d.scarf else 0.10)
        art.line(arc(0, top - size * 0.02, size * 0.38, size * 0.20, 8, 164), worn, thick, shadow=5)
    with art.at(0, y, size / HEIGHT):
        _animal(art, d)


def _long_neck(art: Art, d: Design, y: float, size: float) -> None:
    """A wader's or a swan's neck and head, a wader's crest down its nape."""
    neck = [(0.04, 0.0, 0.17), (-0.05, 0.40, 0.17), (-0.04, 0.80, 0.22), (0.02, 1.25, 0.36)]
    art.fill(ribbon([(size * x, y + size * down, size * half) for x, down, half in neck]), d.coat, shade=0.16, shadow=5)
    if d.scarf:
        wound = [(-0.27, 0.56, 0.10), (-0.05, 0.62, 0.12), (0.17, 0.54, 0.10)]
        art.fill(ribbon([(size * x, y + size * down, size * half) for x, down, half in wound]), d.scarf, shade=0.2,
            shadow=5)  # fmt: skip
    with art.at(0, y, size / HEIGHT):
        art.fill(smooth([(56, 8), (110, 10), (196, 34), (110, 40), (56, 36)]), animals.beak_colour(d), shade=0.25,
            shadow=3)  # fmt: skip
        art.fill(smooth([(-66, 4), (-48, -54), (8, -72), (58, -46), (78, 6), (58, 50), (4, 62), (-48, 48)]), d.coat,
            shade=0.2, shadow=4)  # fmt: skip
        if d.species is None or "wader" not in d.species.marks:
            return
        art.fill(smooth([(36, -64), (-4, -74), (-48, -52), (-58, 0), (-52, 60), (-66, 124), (-26, 66), (-8, 2),
            (18, -36)]), "#34303c", shadow=2)  # fmt: skip


def _person(art: Art, d: Design) -> None:
    """A head half turned away: hair or hat, an ear, and the edge of a cheek."""
    covered = d.hat in ("scarf", "bonnet", "helmet", "turban")
    art.fill(smooth([(20, -84), (78, -56), (95, -8), (92, 34), (96, 50), (76, 84), (30, 102), (-20, 60)]), d.skin,
        shade=0.14, shadow=3)  # fmt: skip
    art.fill(oval(74, 38, 15, 13), heads.blush(d.skin), alpha=0.4)
    if d.beard in ("short", "full"):
        drop = 116 if d.beard == "short" else 134
        art.fill(smooth([(64, 56), (84, 54), (97, 54), (101, 80), (82, drop - 6), (46, drop - 10), (24, 84)]), d.hair,
            shade=0.2, shadow=2)  # fmt: skip
    if covered:
        _covering(art, d)
        return
    if d.hair_style == "bald":
        art.fill(smooth([(-90, -20), (-66, -88), (0, -110), (52, -96), (76, -50), (72, 40), (40, 92), (-40, 94),
            (-84, 50)]), d.skin, shade=0.16)  # fmt: skip
        if d.age == "elder" or d.beard:
            art.fill(smooth([(-94, -14), (-60, 20), (10, 22), (46, -6), (58, 20), (44, 70), (-20, 88), (-84, 56)]),
                d.hair, shade=0.2, shadow=2)  # fmt: skip
    else:
        _hair(art, d)
    if d.hair_style not in ("long", "bob", "curly"):
        art.fill(oval(62, 14, 17, 25), d.skin, shade=0.1, shadow=3)
        art.line(arc(64, 14, 8, 14, 100, 170), darker(d.skin, 0.3), 2.5, alpha=0.6)
    if d.glasses:
        art.line(smooth([(62, 0), (98, -6)], False), "#4a3a34", 5)
    hair.hat(art, d)


_SHAPES: dict[str, list[Point]] = {
    "long": [(-98, -20), (-72, -94), (0, -120), (60, -104), (86, -50), (78, 40), (92, 150), (40, 196), (-50, 200),
        (-112, 168), (-106, 60)],
    "bob": [(-102, -20), (-74, -94), (0, -120), (60, -104), (86, -50), (82, 40), (76, 112), (0, 124), (-86, 116),
        (-110, 60)],
    "tousled": [(-94, -10), (-104, -60), (-84, -84), (-78, -112), (-48, -112), (-22, -138), (8, -114), (46, -124),
        (58, -96), (84, -78), (76, -40), (50, -14), (46, 40), (56, 76), (26, 70), (8, 94), (-18, 72), (-46, 90),
        (-62, 66), (-92, 66), (-84, 30)],
}  # fmt: skip
_CROPPED: list[Point] = [(-94, -10), (-72, -92), (0, -118), (56, -104), (82, -56), (62, -26), (46, 0), (48, 46),
    (34, 78), (-20, 90), (-74, 74), (-92, 30)]  # fmt: skip


def _hair(art: Art, d: Design) -> None:
    style, shine, dark = d.hair_style, lighter(d.hair, 0.22), darker(d.hair, 0.2)
    if style == "curly":
        for x, y, r in ((-76, -48, 42), (-88, 4, 42), (-80, 56, 40), (64, -56, 38), (62, 0, 34), (58, 52, 32),
            (-42, -94, 44), (34, -98, 42), (-4, -108, 44), (-30, 76, 42), (20, 78, 40), (-38, -36, 46), (16, -44, 48),
            (-36, 26, 46), (18, 20, 46)):  # fmt: skip
            art.fill(oval(x, y, r), d.hair, shade=0.22, shadow=1.5)
            art.line(arc(x, y, r * 0.55, r * 0.55, 200, 110), shine, 3, alpha=0.5)
        return
    shape = poly(_SHAPES[style]) if style == "tousled" else smooth(_SHAPES.get(style, _CROPPED))
    art.fill(shape, d.hair, shade=0.24, shadow=3)
    foot = 170 if style == "long" else 104 if style == "bob" else 66
    gathered = style in ("bun", "ponytail")
    for k in range(-3, 3):
        end = (-10 + k * 6, -30) if gathered else (k * 27 - 4, foot)
        art.line(smooth([(k * 11 - 4, -98), (k * 28 - 6, -20), end], False), dark, 3.5, alpha=0.35)
    art.line(arc(-8, -26, 62, 66, 205, 70), shine, 6, alpha=0.45)
    if style == "bun":
        art.fill(oval(-14, -84, 54, 48), d.hair, shade=0.28, shadow=5)
        art.line(arc(-14, -84, 30, 26, 200, 260), dark, 4, alpha=0.6)
    elif style == "ponytail":
        art.fill(smooth([(-30, -40), (4, -46), (30, 20), (22, 130), (-10, 190), (-44, 130), (-50, 20)]), d.hair,
            shade=0.3, shadow=5)  # fmt: skip
        art.fill(oval(-12, -42, 26, 17), d.accent, shadow=2)
    elif style == "braid":
        hair.braid(art, -8, 62, 4, d)
    elif style == "braids":
        art.line(smooth([(-4, -112), (-8, -20), (-12, 76)], False), dark, 4, alpha=0.7)
        for x in (-66, 34):
            hair.braid(art, x, 56, -8 if x < 0 else 8, d)


def _covering(art: Art, d: Design) -> None:
    if d.hat == "turban":
        art.fill(smooth(_CROPPED), d.hair, shade=0.2)
        hair.hat(art, d)
        return
    if d.hat == "helmet":
        art.fill(smooth([(-108, 40), (-106, -50), (-72, -120), (0, -138), (62, -118), (90, -50), (84, 40), (40, 92),
            (-60, 94)]), d.hat_colour, shade=0.3, shadow=4)  # fmt: skip
        art.fill(smooth([(-10, -134), (-40, -176), (-110, -150), (-128, -60), (-80, -110)]), "#b5362e", shade=0.3,
            shadow=3)  # fmt: skip
        return
    art.fill(smooth([(-104, 30), (-102, -50), (-70, -118), (0, -138), (60, -120), (92, -50), (80, 30), (86, 130),
        (0, 168), (-100, 140)]), d.hat_colour, shade=0.26, shadow=4)  # fmt: skip
    if d.hat == "scarf":
        art.fill(smooth([(-60, 84), (50, 84), (10, 214), (-20, 214)]), darker(d.hat_colour, 0.1), shade=0.2, shadow=3)
    for x, y in ((-56, -76), (-6, -102), (44, -78)):
        art.line(smooth([(x, y), (x * 1.1 - 4, 0), (x * 0.7, 110)], False), darker(d.hat_colour, 0.2), 4, alpha=0.4)


def _animal(art: Art, d: Design) -> None:
    """The back of an animal's head with the tip of muzzle or beak in front of it."""
    kind = d.species or BY_NAME["animal"]
    if "spines" in kind.marks:
        spines.nape(art, d.coat)
        return
    animals.back(art, d, rear=True)
    _muzzle(art, d, kind)
    top = "#f3efe6" if "whitehead" in kind.marks else d.coat
    skull = smooth([(-98, -8), (-72, -82), (0, -106), (68, -84), (94, -12), (80, 64), (0, 100), (-78, 66)])
    art.fill(skull, top, shade=0.2, shadow=4)
    with art.inside(skull):
        if "mask" in kind.marks:
            art.fill(smooth([(100, -10), (70, 26), (52, 100), (110, 100)]), d.pale)
        if "stripe" in kind.marks:
            art.fill(smooth([(-18, -110), (26, -110), (22, 100), (-22, 100)]), "#f1ede4")
        if "stripes" in kind.marks:
            for y in (-60, -20, 20):
                art.line(smooth([(-60, y), (0, y - 14), (60, y)], False), darker(d.coat, 0.65), 10)
        if "wool" in kind.marks:
            for k in range(12):
                art.fill(oval(-66 + k % 4 * 44, -70 + k // 4 * 56, 36), lighter(d.coat, 0.06 * (k % 2)), shade=0.2,
                    shadow=2)  # fmt: skip
        for k in range(-2, 3):
            art.line(smooth([(k * 30, -52 + abs(k) * 10), (k * 32 + 3, -30 + abs(k) * 10)], False), lighter(top, 0.2),
                4, alpha=0.35)  # fmt: skip
    if "comb" in kind.marks:
        for x, y in ((-24, -98), (4, -112), (32, -100)):
            art.fill(oval(x, y, 20, 24), "#cf4037", shadow=2)
    if "hairmane" in kind.marks:
        mane = darker(d.coat, 0.5) if kind.name != "unicorn" else "#c9a2d4"
        art.fill(smooth([(-24, -112), (24, -112), (30, 20), (20, 190), (-34, 190), (-32, 20)]), mane, shade=0.2,
            shadow=3)  # fmt: skip
    if d.hat and d.hat not in ("scarf", "bonnet"):
        hair.hat(art, d)


def _muzzle(art: Art, d: Design, kind: Species) -> None:
    """The tip of beak or muzzle, to the right."""
    if kind.muzzle in ("beak", "hook"):
        drop = 34 if kind.muzzle == "hook" else 0
        art.fill(smooth([(64, -14), (118, 4), (146, 30 + drop), (104, 40), (64, 46)]), animals.beak_colour(d),
            shade=0.25, shadow=3)  # fmt: skip
    elif kind.muzzle in ("long", "short", "wide", "disc"):
        reach = 30 if kind.muzzle == "short" else 46
        own = kind.muzzle == "wide" and kind.name not in ("cow", "crocodile", "dragon")
        art.fill(smooth([(56, 8), (88 + reach * 0.7, 22), (92 + reach, 50), (80 + reach * 0.4, 80), (50, 84)]),
            lighter(d.coat, 0.35) if own else d.pale, shade=0.14, shadow=3)  # fmt: skip
        if kind.muzzle == "wide":
            art.fill(oval(82 + reach, 42, 6, 5), darker(d.coat, 0.5))
        else:
            art.fill(oval(90 + reach, 38, 15, 13), "#33262b" if kind.name != "cat" else "#c9737a")
    if "whiskers" in kind.marks:
        for k in (-1, 0, 1):
            art.line(smooth([(100, 58 + k * 8), (164, 54 + k * 18)], False), "#f6f1e8", 2.4, alpha=0.85)
