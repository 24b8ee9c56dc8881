"""A hedgehog's coat of spines: the crown round its head, seen from before and from behind, and what covers its back.

Heads are in a head's own coordinates, backs in a figure's, both looking right.
"""

from __future__ import annotations

import math

from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter
from pipeline.inference.drawing.shapes import Point, Shape, joined, oval, poly

_TONES = (0.42, 0.28, 0.14)  # how much darker than the coat a row is, the farthest first


def crown(art: Art, coat: str) -> None:
    """Behind the head, from cheek to cheek over the top."""
    for row, (tip, tone) in enumerate(zip((150, 132, 114), _TONES, strict=True)):
        art.fill(_fan(70, tip, 136 - 5 * (row % 2), 20), darker(coat, tone), shadow=3)


def hairline(art: Art, coat: str) -> None:
    """On the head, round the face, and the ears in it."""
    art.fill(_fan(52, 104, 112, 15), darker(coat, 0.2), shadow=2)
    art.fill(_fan(46, 86, 104, 13), darker(coat, 0.06), shadow=2)
    for x, turn in ((-62, -24), (70, 24)):
        with art.at(x, -46, turn=turn):
            art.fill(oval(0, 0, 20, 23), darker(coat, 0.34), shadow=2)
            art.fill(oval(0, 3, 12, 14), lighter(coat, 0.25))


def nape(art: Art, coat: str) -> None:
    """On the head, seen from behind: nothing but spines, and the two ears."""
    crown(art, coat)
    art.fill(oval(0, 0, 92, 98), darker(coat, 0.3), shadow=3)
    for row, y in enumerate((66, 40, 14, -12, -38, -64, -88)):  # an upper row lies on the lower
        half = 88 * math.sqrt(1 - (y / 104) ** 2)
        count = 4 + round(half / 20) + row % 2
        spots = [(half * (2 * k / (count - 1) - 1), y) for k in range(count)]
        art.fill(joined(*(_spine(x, y, 13, 62, x * 0.9) for x, y in spots)), darker(coat, 0.04 + 0.18 * (row % 2)),
            shadow=2)  # fmt: skip
    for side in (-1, 1):
        with art.at(side * 84, -58, turn=side * 30):
            art.fill(oval(0, 0, 24, 26), darker(coat, 0.38), shadow=3)
            art.fill(oval(0, 3, 15, 17), darker(coat, 0.1))


def mantle(art: Art, coat: str, shoulder: Point, hip: Point, wide: float, scale: float) -> None:
    """Behind the body, on either side from the nape to the rump; the back's side, to the left, the longer."""
    top, foot = shoulder[1] - 70 * scale, hip[1] + 60 * scale
    for row, tone in enumerate(_TONES):
        teeth = []
        for side, reach in ((-1, 168 - 20 * row), (1, 138 - 14 * row)):
            for k in range(9):
                share = (k + 0.33 * row) / 9
                y = top + (foot - top) * share
                tip = side * reach * wide * (0.74 + 0.30 * math.sin(math.pi * min(1.0, share + 0.1)))
                teeth.append(poly([(0, y - 30 * scale), (tip, y + 26 * scale), (0, y + 46 * scale)]))
        art.fill(joined(*teeth), darker(coat, tone), shadow=3)


def back(art: Art, coat: str, shoulder: Point, wide: float, scale: float) -> None:
    """On the body, seen from behind."""
    x, y = shoulder
    for row in reversed(range(7)):
        spots = [(x + (k - 4 + 0.5 * (row % 2)) * 26 * wide, y + (10 + 44 * row) * scale) for k in range(9)]
        art.fill(joined(*(_spine(sx, sy, 15 * wide, 84 * scale, (sx - x) * 0.7) for sx, sy in spots)),
            darker(coat, 0.06 + 0.16 * (row % 2)), shadow=2)  # fmt: skip


def _fan(inner: float, tip: float, spread: float, count: int) -> Shape:
    """Spines round the origin, `spread` degrees from the top to either side."""
    step = 2 * spread / (count - 1)

    def at(radius: float, turn: float) -> Point:
        return math.sin(math.radians(turn)) * radius, -math.cos(math.radians(turn)) * radius

    turns = [-spread + step * k for k in range(count)]
    return joined(*(poly([at(inner, turn - step * 0.8), at(tip, turn), at(inner, turn + step * 0.8)])
        for turn in turns))  # fmt: skip


def _spine(x: float, y: float, half: float, length: float, aside: float) -> Shape:
    """One that points down, its tip `aside` of its root."""
    return poly([(x - half, y), (x + aside * 0.4, y + length), (x + half, y)])
