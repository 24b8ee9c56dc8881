"""Features that people and animals share: eyes, brows and the closed mouth, by feeling.

Coordinates are a head's own: about 210 units high, origin at its middle, looking right.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.drawn import Face
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, hexed
from pipeline.inference.drawing.pose import Feeling, Pose
from pipeline.inference.drawing.shapes import arc, oval, smooth

_CURVE: dict[Feeling, float] = {"calm": 3, "happy": 10, "laugh": 15, "sad": -9, "weep": -11, "angry": -8, "afraid": -6,
    "surprised": -2, "asleep": 4, "thoughtful": 0}  # fmt: skip
_INNER_BROW: dict[Feeling, tuple[float, float]] = {"calm": (0, 0), "happy": (-4, 0), "laugh": (-7, -2), "sad": (-9, 5),
    "weep": (-11, 5), "angry": (13, -5), "afraid": (-13, 2), "surprised": (-13, -12), "asleep": (0, 2),
    "thoughtful": (-6, -4)}  # fmt: skip
INK = "#2a2026"


@dataclass(frozen=True)
class EyeSet:
    """Where the eyes are: the two centres (`left` None in profile), their half height, and the brows' colour ("" for
    none)."""

    left: tuple[float, float] | None
    right: tuple[float, float]
    size: float = 11.0
    brow: str = ""
    iris: str = INK
    white: bool = False
    lashes: bool = False


def eyes(art: Art, eye: EyeSet, pose: Pose, skin: str) -> None:
    feeling = pose.feeling
    for side, centre in ((-1, eye.left), (1, eye.right)):
        if centre is None:
            continue
        x, y = centre
        size = eye.size * (0.94 if side > 0 else 1.0)
        if feeling in ("asleep", "laugh", "weep"):
            lid = arc(x, y + 2, size * 1.1, size * 0.8, 200 if feeling == "laugh" else 20, 140)
            art.line(lid, eye.iris if feeling == "laugh" else INK, size * 0.34)
        elif pose.blinking:
            _lid(art, eye, x, y, size, feeling, skin)
        else:
            _open_eye(art, eye, x, y, size, feeling, skin)
        if eye.lashes and feeling not in ("laugh",):
            away = -1 if side < 0 else 1
            art.line(smooth([(x + away * size * 0.8, y - size * 0.5), (x + away * size * 1.35, y - size * 0.95)],
                False), INK, 3)  # fmt: skip
        if eye.brow:
            inner, outer = _INNER_BROW[feeling]
            lift = y - size * 2.05
            a = (x - side * size * 1.15, lift + inner)
            b = (x + side * size * 1.25, lift + outer + 2)
            art.line(smooth([a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 - 4), b], False), eye.brow, size * 0.52)
    if feeling == "weep":
        for x, y in filter(None, (eye.left, eye.right)):
            art.fill(oval(x - 2, y + eye.size * 2.4, eye.size * 0.42, eye.size * 0.7), "#8fc4e8", alpha=0.95)
            art.fill(oval(x + 1, y + eye.size * 4.0, eye.size * 0.34, eye.size * 0.55), "#8fc4e8", alpha=0.85)


def _lid(art: Art, eye: EyeSet, x: float, y: float, size: float, feeling: Feeling, skin: str) -> None:
    if feeling in ("afraid", "surprised") or eye.white:
        art.fill(oval(x, y, size * 1.4, size * 1.5), skin)
    art.line(arc(x, y - size * 0.2, size * 1.05, size * 0.7, 20, 140), INK, size * 0.32)


def _open_eye(art: Art, eye: EyeSet, x: float, y: float, size: float, feeling: Feeling, skin: str) -> None:
    wide = feeling in ("afraid", "surprised")
    if wide or eye.white:
        grow = 1.62 if wide else 1.4
        art.fill(oval(x, y, size * grow * 0.92, size * grow), "#fbf8f0")
        art.line(oval(x, y, size * grow * 0.92, size * grow), darker(skin, 0.4), 1.6, alpha=0.6)
    look = size * 0.3 if feeling == "thoughtful" else 0.0
    small = 0.82 if wide else 1.0
    art.fill(oval(x + look, y - look, size * 0.8 * small, size * small), eye.iris)
    if eye.iris != INK:
        art.fill(oval(x + look, y - look, size * 0.45 * small, size * 0.6 * small), INK)
    art.fill(oval(x + look + size * 0.24, y - look - size * 0.38, size * 0.25), "#ffffff", alpha=0.95)
    if feeling in ("sad", "angry"):
        art.line(arc(x, y + 1, size * 1.1, size * 1.05, 195, 150), darker(skin, 0.45), size * 0.22)


def mouth(art: Art, name: str, x: float, y: float, width: float, feeling: Feeling, skin: str, lip: str,
          lined: bool = False) -> Face:  # fmt: skip
    """Draws the closed mouth, with an old face's lines at its corners (`lined`); says where it is on the page."""
    bend = _CURVE[feeling] * width / 46
    half = width / 2 * (0.6 if feeling == "surprised" else 1.12 if feeling == "laugh" else 1.0)
    points = [(x - half, y - bend * 0.5), (x - half * 0.4, y + bend * 0.32), (x + half * 0.4, y + bend * 0.32),
        (x + half, y - bend * 0.5)]  # fmt: skip
    if feeling == "afraid":
        points = [(x - half, y + 3), (x - half * 0.4, y - 3), (x + half * 0.3, y + 3), (x + half, y - 2)]
    art.line(smooth(points, False), lip, width * 0.085)
    if lined and feeling in ("happy", "laugh"):
        for side in (-1, 1):
            art.line(arc(x + side * (half + 3), y - bend * 0.5, 5, 6, 120 if side < 0 else -60, 120), darker(skin, 0.3),
                2, alpha=0.5)  # fmt: skip
    page_x, page_y = art.page_of(x, y)
    per_unit, turn = art.stretch()
    return Face(
        name=name, mouth_x=round(page_x, 5), mouth_y=round(page_y, 5), mouth_width=round(width * per_unit, 5),
        tilt=round(turn, 2), skin=hexed(art.lit(skin)), lip=hexed(art.lit(lip)),
    )  # fmt: skip
