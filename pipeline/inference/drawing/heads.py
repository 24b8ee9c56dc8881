"""A person's head, in its own coordinates: 212 units from crown to chin, origin in its middle, looking right."""

from __future__ import annotations

from pipeline.drawn import Face
from pipeline.inference.drawing import hair
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.faces import INK, EyeSet, eyes, mouth
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, luma, mix
from pipeline.inference.drawing.pose import Pose
from pipeline.inference.drawing.shapes import arc, oval, smooth

HEIGHT = 212.0
CHIN = 104.0


def back(art: Art, d: Design) -> None:
    """What lies behind the neck and shoulders."""
    hair.behind(art, d)


def blush(skin: str) -> str:
    """A cheek's flush, deep on dark skin."""
    return mix(skin, "#d8574c" if luma(skin) > 0.5 else "#8e2f34", 0.34)


def front(art: Art, d: Design, pose: Pose) -> Face:
    """The face, the hair before it and the hat; says where the mouth is."""
    art.fill(oval(-88, 10, 17, 24), darker(d.skin, 0.1), shadow=2)
    art.line(arc(-88, 10, 8, 13, 120, 150), darker(d.skin, 0.3), 2.5, alpha=0.6)
    narrow = 0.95 if d.age in ("adult", "elder") and d.gender == "male" else 1.0
    jaw = 92 if narrow < 1 else 78
    outline = [(-86, -20), (-70, -84), (0, -108), (72, -84), (88, -20), (84, 34), (jaw * 0.7, 82), (8, 104),
        (-jaw * 0.66, 84), (-82, 36)]  # fmt: skip
    art.fill(smooth(outline), d.skin, shade=0.16, shadow=3)
    art.fill(oval(-42, 40, 21, 14), blush(d.skin), alpha=0.42)
    art.fill(oval(64, 40, 17, 14), blush(d.skin), alpha=0.42)
    child = d.age == "child"
    brow = darker(d.hair, 0.1) if d.hair_style != "bald" or d.age == "elder" else darker(d.skin, 0.4)
    iris = d.eyes if d.eyes not in ("#f3f0e8",) else INK
    left, right = ((-24, 4), (48, 4)) if child else ((-24, -4), (48, -4))
    eyes(art, EyeSet(left, right, 13 if child else 10.5, brow, iris, lashes=d.gender == "female"), pose, d.skin)
    if d.age == "elder":
        for side, x in ((-1, -24), (1, 48)):
            art.line(arc(x, 8, 17, 11, 30, 120), darker(d.skin, 0.3), 2, alpha=0.55)
            art.line(smooth([(x + side * 24, -8), (x + side * 32, -12)], False), darker(d.skin, 0.3), 2, alpha=0.5)
        art.line(arc(12, -58, 44, 9, 200, 140), darker(d.skin, 0.25), 2, alpha=0.45)
    art.line(smooth([(14, 8), (25, 27), (13, 32)], False), darker(d.skin, 0.32), 4 if child else 4.8, alpha=0.85)
    if d.hat == "" and d.age == "child" and d.name and ord(d.name[0]) % 3 == 0:
        for x, y in ((-46, 26), (-36, 32), (-28, 25), (54, 26), (62, 32), (70, 25)):
            art.fill(oval(x, y, 2.6), darker(d.skin, 0.3), alpha=0.6)
    hair.beard(art, d)
    face = mouth(art, d.name, 12, 60, 40 if child else 46, pose.feeling, d.skin, d.lip, lined=d.age == "elder")
    if d.glasses:
        _glasses(art)
    hair.before(art, d)
    return face


def _glasses(art: Art) -> None:
    for x in (-24, 48):
        art.fill(oval(x, -2, 27, 25), "#ffffff", alpha=0.16)
        art.line(oval(x, -2, 27, 25), "#4a3a34", 4.5)
    art.line(arc(12, -4, 10, 7, 190, 160), "#4a3a34", 4.5)
    art.line(smooth([(-51, -4), (-86, -8)], False), "#4a3a34", 4)
