"""What upright figures wear, laid over the bones of a pose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter, luma
from pipeline.inference.drawing.pose import Pose
from pipeline.inference.drawing.shapes import Point, Shape, box, oval, poly, smooth

if TYPE_CHECKING:
    from pipeline.inference.drawing.people import Frame

_HEMS = {"coat": 0.52, "uniform": 0.22, "suit": 0.16, "shirt": 0.10, "armour": 0.18, "apron": 0.10, "dress": 0.62,
    "robe": 0.93}  # fmt: skip
_FLARE = {"coat": 1.22, "uniform": 1.06, "suit": 1.02, "shirt": 0.98, "armour": 1.08, "apron": 1.0, "dress": 1.75,
    "robe": 1.6}  # fmt: skip


def _outfit(d: Design) -> str:
    if d.outfit == "apron" and d.gender == "female":
        return "dress"
    return d.outfit


def torso(art: Art, d: Design, b: Frame, pose: Pose) -> None:
    """The garment of the body, down to its hem."""
    if not d.clothed:
        _bare(art, d, b)
        return
    shape = _garment(d, b, pose)
    art.fill(shape, d.top, shade=0.26, shadow=8)
    with art.inside(shape):
        _pattern(art, d, b)
        _details(art, d, b, pose)


def _breadths(d: Design, b: Frame) -> tuple[float, float, float]:
    """Half breadths of shoulders, waist and hips."""
    if d.age == "child":
        return 96 * b.wide, 86 * b.wide, 88 * b.wide
    if d.gender == "female":
        return 84 * b.wide, 68 * b.wide, 82 * b.wide
    return 100 * b.wide, 86 * b.wide, 82 * b.wide


def breadth_at_hand(d: Design, b: Frame) -> float:
    """Half the breadth of what a hanging hand has to clear."""
    if not d.clothed:
        return 112 * b.wide
    return _breadths(d, b)[2] * (1.26 if _outfit(d) in ("dress", "robe") else 1.06)


def _garment(d: Design, b: Frame, pose: Pose) -> Shape:
    outfit = _outfit(d)
    shoulders, waist, hips = _breadths(d, b)
    sx, sy = b.shoulder
    top: list[Point] = [(sx - shoulders * 0.36, sy - 10), (sx + shoulders * 0.36, sy - 10),
        (sx + shoulders * 0.92, sy + 14), (sx + shoulders * 1.02, sy + 70 * b.scale)]  # fmt: skip
    waist_y = sy + 190 * b.scale
    hem = b.hip[1] + b.leg * _HEMS[outfit]
    spread = hips * _FLARE[outfit]
    right: list[Point] = [(sx * 0.5 + waist, waist_y), (hips, b.hip[1])]
    left: list[Point] = [(-hips, b.hip[1]), (sx * 0.5 - waist, waist_y), (sx - shoulders * 1.02, sy + 70 * b.scale),
        (sx - shoulders * 0.92, sy + 14)]  # fmt: skip
    if pose.stance in ("sit", "kneel"):
        if _HEMS[outfit] > 0.3:
            knee = b.leg * 0.5
            low = min(b.hip[1] + b.leg * (_HEMS[outfit] - 0.18), -16 * b.scale)
            right += [(knee + 40 * b.wide, b.hip[1] - 6), (knee + 56 * b.wide, b.hip[1] + 40),
                (knee + 50 * b.wide, low), (knee - 46 * b.wide, low),
                (40 * b.wide, b.hip[1] + 74 * b.scale)]  # fmt: skip
        return smooth([*top, *right, (0, b.hip[1] + 40 * b.scale), *left])
    sway = -26 * b.wide if pose.stance in ("walk", "run") else 0.0
    foot: list[Point] = [(spread + sway, hem - 4), (sway, hem + 12 * b.scale), (-spread + sway, hem - 4)]
    if pose.stance == "run" and _HEMS[outfit] > 0.3:
        foot = [(spread * 1.1, hem - 50), (0, hem + 4), (-spread * 1.35, hem - 34)]
    return smooth([*top, *right, *foot, *left])


def _pattern(art: Art, d: Design, b: Frame) -> None:
    y0, width = b.shoulder[1], 240 * b.wide
    tone = lighter(d.top, 0.35) if luma(d.top) < 0.6 else darker(d.top, 0.25)
    if d.pattern == "stripes":
        for k in range(14):
            art.fill(box(-width, y0 + k * 52 * b.scale, width * 2, 20 * b.scale), tone, alpha=0.8)
    elif d.pattern == "dots":
        for row in range(12):
            for column in range(-4, 5):
                art.fill(oval((column + 0.5 * (row % 2)) * 52 * b.wide, y0 + row * 48 * b.scale, 9 * b.wide), tone,
                    alpha=0.85)  # fmt: skip
    elif d.pattern == "patch":
        for x, y, colour in ((34, 150, d.accent), (-48, 260, darker(d.top, 0.3)), (20, 380, lighter(d.top, 0.25))):
            art.fill(box(x * b.wide, y0 + y * b.scale, 46 * b.wide, 44 * b.scale, 4), colour, shadow=1.5)


def _details(art: Art, d: Design, b: Frame, pose: Pose) -> None:
    sx, sy = b.shoulder
    waist_y = sy + 196 * b.scale
    dark = darker(d.top, 0.28)
    s, w = b.scale, b.wide
    if d.outfit in ("coat", "uniform", "suit"):
        opening = 14 * w
        if d.outfit == "suit":
            art.fill(poly([(sx - 30 * w, sy - 20), (sx + 54 * w, sy - 20), (sx + opening, sy + 150 * s)]), "#f1ece0")
            art.fill(poly([(sx + 4 * w, sy + 4), (sx + 24 * w, sy + 4), (sx + 28 * w, sy + 96 * s),
                (sx + 14 * w, sy + 116 * s), (sx, sy + 96 * s)]), d.accent)  # fmt: skip
            for side in (-1, 1):
                art.fill(poly([(sx + 12 * w + side * 42 * w, sy - 16), (sx + 12 * w + side * 60 * w, sy + 60 * s),
                    (sx + opening, sy + 156 * s)]), darker(d.top, 0.16), shadow=2)  # fmt: skip
        else:
            art.line(poly([(sx + opening, sy), (opening, 0)], False), dark, 4)
        button = (
            "#e3b341" if d.outfit == "uniform" else darker(d.top, 0.5) if luma(d.top) > 0.35 else lighter(d.top, 0.5)
        )
        for k in range(4):
            art.fill(oval(sx * (1 - k / 5) + opening + 18 * w, sy + (72 + k * 62) * s, 8.5 * w), button, shadow=1)
        if d.outfit == "uniform":
            art.fill(box(-160 * w, waist_y - 12 * s, 320 * w, 26 * s), "#3a2c28")
            art.fill(box(opening - 18 * w, waist_y - 16 * s, 36 * w, 34 * s, 4), "#e3b341")
            for side in (-1, 1):
                art.fill(box(sx + side * 78 * w - 30 * w, sy - 4, 60 * w, 22 * s, 8), "#e3b341")
    elif d.outfit in ("dress", "robe"):
        art.fill(box(-190 * w, waist_y - 10 * s, 380 * w, 30 * s),
            d.accent if d.outfit == "dress" else darker(d.top, 0.35), shadow=2)  # fmt: skip
        for k, x in enumerate((-84, -30, 34, 92)):
            art.line(smooth([(x * 0.45 * w, waist_y + 40 * s), (x * 0.9 * w, waist_y + 180 * s),
                (x * 1.4 * w, waist_y + 420 * s)], False), dark, 3.5 - (k % 2), alpha=0.55)  # fmt: skip
        if d.outfit == "robe":
            art.fill(
                poly([(sx - 10 * w, sy - 10), (sx + 34 * w, sy - 10), (34 * w, 0), (-14 * w, 0)]), d.accent, alpha=0.8
            )
    elif d.outfit == "armour":
        for k in range(3):
            art.line(smooth([(-110 * w, sy + (100 + 80 * k) * s), (10, sy + (122 + 80 * k) * s), (112 * w,
                sy + (100 + 80 * k) * s)], False), darker(d.top, 0.3), 5)  # fmt: skip
        art.line(poly([(sx + 12 * w, sy), (12 * w, b.hip[1])], False), lighter(d.top, 0.5), 5, alpha=0.7)
    elif d.outfit == "shirt":
        art.line(poly([(sx + 12 * w, sy + 6), (sx + 12 * w, sy + 70 * s)], False), dark, 3.5)
        art.fill(box(-160 * w, b.hip[1] - 4 * s, 320 * w, 26 * s), darker(d.bottom, 0.25), alpha=0.9)
    if d.outfit == "apron":
        cloth = "#f2ecdf" if luma(d.top) < 0.75 else "#c9b08a"
        art.fill(smooth([(sx - 44 * w, sy + 62 * s), (sx + 62 * w, sy + 62 * s), (sx * 0.5 + 70 * w, waist_y),
            (112 * w, b.hip[1] + 60 * s), (104 * w, b.hip[1] + b.leg * 0.58), (-86 * w, b.hip[1] + b.leg * 0.58),
            (-92 * w, b.hip[1] + 60 * s), (sx * 0.5 - 54 * w, waist_y)]), cloth, shade=0.2, shadow=3)  # fmt: skip
        art.line(poly([(-140 * w, waist_y), (140 * w, waist_y)], False), darker(cloth, 0.2), 8 * s)
        for side in (-40, 58):
            art.line(poly([(sx + side * w, sy + 66 * s), (sx + side * 0.8 * w, sy - 20)], False), cloth, 14 * w)


def collar(art: Art, d: Design, b: Frame) -> None:
    """What lies around the neck: a collar, a scarf, a cloak's clasp."""
    x, y, w = b.neck[0], b.neck[1], b.wide
    if d.cloak:
        art.fill(smooth([(x - 96 * w, y + 36), (x - 50 * w, y - 16), (x + 60 * w, y - 16), (x + 104 * w, y + 36),
            (x + 92 * w, y + 110 * b.scale), (x + 20, y + 60), (x - 84 * w, y + 110 * b.scale)]), d.cloak, shade=0.25,
            shadow=5)  # fmt: skip
        art.fill(oval(x + 14 * w, y + 38, 13 * w), "#e3b341", shadow=2)
    elif d.scarf:
        art.fill(smooth([(x - 62 * w, y - 6), (x, y + 14), (x + 68 * w, y - 8), (x + 72 * w, y + 32), (x + 4, y + 52),
            (x - 66 * w, y + 30)]), d.scarf, shade=0.2, shadow=4)  # fmt: skip
        art.fill(smooth([(x + 20 * w, y + 28), (x + 58 * w, y + 26), (x + 70 * w, y + 170 * b.scale),
            (x + 26 * w, y + 176 * b.scale)]), darker(d.scarf, 0.08), shade=0.2, shadow=4)  # fmt: skip
    elif d.clothed and d.outfit in ("coat", "shirt", "uniform", "apron", "dress"):
        cloth = lighter(d.top, 0.4) if d.outfit != "dress" else "#f4ecdc"
        if luma(d.top) > 0.75:
            cloth = darker(d.top, 0.15)
        for side in (-1, 1):
            art.fill(smooth([(x + 8 * w, y + 20), (x + side * 30 * w + 6 * w, y - 18),
                (x + side * 60 * w + 6 * w, y + 2), (x + side * 40 * w + 8 * w, y + 40 * b.scale)]), cloth,
                shadow=2.5)  # fmt: skip


def back(art: Art, d: Design, b: Frame) -> None:
    """The garment of the body from behind: its cut and pattern, a seam, straps, or the cloak over all."""
    if not d.clothed:
        _bare(art, d, b, belly=False)
        return
    shape = _garment(d, b, Pose())
    (x, y), w, s = b.shoulder, b.wide, b.scale
    art.fill(shape, d.top, shade=0.22, shadow=8)
    with art.inside(shape):
        _pattern(art, d, b)
        if d.outfit in ("coat", "uniform", "suit", "shirt"):
            art.line(smooth([(x - 84 * w, y + 52 * s), (x, y + 66 * s), (x + 84 * w, y + 52 * s)], False),
                darker(d.top, 0.22), 3.5)  # fmt: skip
            art.line(poly([(x, y + 66 * s), (0, 0)], False), darker(d.top, 0.22), 3.5)
        if d.outfit == "apron":
            for side in (-1, 1):
                art.line(poly([(x + side * 22 * w, y - 20), (-side * 60 * w, y + 196 * s)], False), "#f2ecdf", 16 * w)
        if d.outfit == "uniform":
            for side in (-1, 1):
                art.fill(box(x + side * 78 * w - 30 * w, y - 4, 60 * w, 22 * s, 8), "#e3b341")
    if d.cloak:
        art.fill(smooth([(x - 40 * w, y - 14), (x + 40 * w, y - 14), (x + 112 * w, y + 50), (150 * w, b.hip[1]),
            (-150 * w, b.hip[1]), (x - 112 * w, y + 50)]), d.cloak, shade=0.26, shadow=8)  # fmt: skip


def nape(art: Art, d: Design, b: Frame) -> None:
    """What goes round the neck, from behind."""
    x, y, w = b.neck[0], b.neck[1], b.wide
    if d.cloak or not (d.scarf or d.clothed):
        return
    colour = d.scarf or lighter(d.top, 0.4)
    if not d.scarf and luma(d.top) > 0.75:
        colour = darker(d.top, 0.15)
    lift, thick = (24, 46) if d.scarf else (26, 34)
    art.fill(smooth([(x - 58 * w, y - lift + 12), (x, y - lift), (x + 58 * w, y - lift + 12),
        (x + 64 * w, y + thick - 10), (x, y + thick), (x - 64 * w, y + thick - 10)]), colour, shade=0.2,
        shadow=4)  # fmt: skip


def _bare(art: Art, d: Design, b: Frame, belly: bool = True) -> None:
    """An animal's own body, with its belly."""
    x, y = b.shoulder
    w, s = b.wide, b.scale
    shape = smooth([(x - 46 * w, y - 20), (x + 46 * w, y - 20), (x + 92 * w, y + 80 * s), (112 * w, b.hip[1] - 60 * s),
        (96 * w, b.hip[1] + 60 * s), (0, b.hip[1] + 84 * s), (-96 * w, b.hip[1] + 60 * s),
        (-112 * w, b.hip[1] - 60 * s), (x - 92 * w, y + 80 * s)])  # fmt: skip
    if d.species is not None and "ghost" in d.species.marks:
        hem = [(130 * w - k * 52 * w, -10 if k % 2 else -64) for k in range(6)]
        shape = smooth(
            [(x - 60 * w, y - 20), (x + 60 * w, y - 20), (x + 104 * w, y + 120 * s), *hem, (x - 104 * w, y + 120 * s)]
        )
    art.fill(shape, d.coat, shade=0.28, shadow=8)
    if not belly:
        return
    art.fill(smooth([(x + 12, y + 30 * s), (x + 70 * w, y + 120 * s), (80 * w, b.hip[1] - 30 * s),
        (16, b.hip[1] + 56 * s), (-50 * w, b.hip[1] - 30 * s), (x - 46 * w, y + 120 * s)]), d.pale, alpha=0.95,
        shade=0.15)  # fmt: skip
    if d.species is not None and "robot" in d.species.marks:
        art.fill(box(-40 * w, y + 90 * s, 110 * w, 84 * s, 10), darker(d.coat, 0.5), shadow=2)
        for k, colour in enumerate(("#e0564a", "#ecc048", "#58b078")):
            art.fill(oval((-14 + k * 30) * w, y + 132 * s, 10 * w), colour)
