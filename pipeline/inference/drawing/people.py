"""Upright figures: people, and animals that go on two legs in clothes.

Coordinates are a figure's own: 1000 is a grown person's height, origin on the ground between the feet, looking right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.drawn import Face
from pipeline.inference.drawing import animals, heads, spines, wardrobe
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import darker, lighter, mix
from pipeline.inference.drawing.pose import Pose, drop
from pipeline.inference.drawing.shapes import Point, box, oval, poly, smooth


@dataclass(frozen=True)
class Held:
    """What a figure has in its near hand: a painter at the hand, and for what is held over the head (`overhead`) how
    far above the hand its middle is."""

    paint: Callable[[Art], None]
    overhead: float = 0.0


@dataclass(frozen=True)
class Frame:
    """A figure's bones for a pose: points in the figure's coordinates (before the lean is applied)."""

    height: float
    head: float  # crown to chin
    scale: float  # of lengths against a grown person
    wide: float  # of breadths
    hip: Point
    shoulder: Point
    neck: Point
    head_at: Point
    leg: float
    arm: float


def frame_of(d: Design, pose: Pose) -> Frame:
    height = 1000 * d.height
    head = {"child": 222.0, "teen": 212.0}.get(d.age, 204.0) if d.human else min(0.28 * height + 84, 310)
    scale = (height - head) / 775
    wide = (0.54 + 0.46 * scale) * d.girth
    leg = 400 * scale
    hip_y = -leg + (leg - 26 * scale) * drop(pose)
    if pose.stance in ("sit", "kneel"):
        hip_y = -leg * (0.56 if pose.stance == "sit" else 0.36)
    stoop = 22.0 if d.age == "elder" and d.human else 0.0
    shoulder = (stoop * 0.6, hip_y - 330 * scale + stoop * 0.4)
    neck = (shoulder[0] + stoop * 0.4, shoulder[1] - 8)
    head_at = (neck[0] + stoop * 0.5 + 6, neck[1] - head * 0.47 - 26 * scale)
    return Frame(height, head, scale, wide, (0, hip_y), shoulder, neck, head_at, leg, 330 * scale)


def head_centre(d: Design, pose: Pose) -> tuple[float, float, float]:
    """Where the head's middle is, with the lean, and the head's height."""
    bones = frame_of(d, pose)
    turn = math.radians(pose.lean)
    x, y = bones.head_at[0] - bones.hip[0], bones.head_at[1] - bones.hip[1]
    return (bones.hip[0] + x * math.cos(turn) - y * math.sin(turn),
        bones.hip[1] + x * math.sin(turn) + y * math.cos(turn), bones.head)  # fmt: skip


def limb(start: Point, angles: tuple[float, float], length: float) -> tuple[Point, Point, Point]:
    upper, lower = (math.radians(a) for a in angles)
    joint = (start[0] + math.sin(upper) * length * 0.5, start[1] + math.cos(upper) * length * 0.5)
    end = (joint[0] + math.sin(lower) * length * 0.5, joint[1] + math.cos(lower) * length * 0.5)
    return start, joint, end


def draw(art: Art, d: Design, pose: Pose, held: Held | None = None, seat: bool = True) -> Face:
    """Draws the figure and says where its mouth is. `seat`: on a stool to sit, in a bed to lie."""
    if pose.stance == "lie":
        return _lying(art, d, pose, seat)
    bones = frame_of(d, pose)
    if pose.stance == "sit" and seat:
        _stool(art, bones)
    with art.at(*bones.hip, turn=pose.lean), art.at(-bones.hip[0], -bones.hip[1]):
        _behind(art, d, bones, pose)
    _legs(art, d, bones, pose)
    with art.at(*bones.hip, turn=pose.lean), art.at(-bones.hip[0], -bones.hip[1]):
        wardrobe.torso(art, d, bones, pose)
        if _raised(pose):
            _arm(art, d, bones, pose.far, near=False)
        if held is not None and pose.holding and held.overhead:
            _over_the_head(art, bones, pose, held)
        _neck(art, d, bones)
        with art.at(*bones.head_at, bones.head / heads.HEIGHT, pose.nod):
            face = heads.front(art, d, pose) if d.human else animals.head(art, d, pose)
        _arm(art, d, bones, pose.near, near=True, held=held if pose.holding else None)
    return face


def _flesh(d: Design) -> str:
    return d.skin if d.human else d.coat


def _behind(art: Art, d: Design, b: Frame, pose: Pose) -> None:
    if not d.human:
        animals.tail(art, d, (b.hip[0] - 40 * b.wide, b.hip[1] + 10), b.height * 0.42)
    if d.species is not None and "spines" in d.species.marks:
        spines.mantle(art, d.coat, b.shoulder, b.hip, b.wide, b.scale)
    if d.cloak:
        hem = -b.leg * 0.12 if pose.stance not in ("sit", "kneel") else b.hip[1] * 0.2
        top = b.shoulder[1] - 4
        sway = -50 * b.wide if pose.stance in ("walk", "run") else 0
        art.fill(smooth([(-64 * b.wide, top), (64 * b.wide, top), (132 * b.wide, (top + hem) * 0.5),
            (150 * b.wide + sway, hem), (0 + sway, hem + 14), (-160 * b.wide + sway, hem), (-140 * b.wide + sway * 0.5,
            (top + hem) * 0.5)]), darker(d.cloak, 0.15), shade=0.35, shadow=9)  # fmt: skip
    with art.at(*b.head_at, b.head / heads.HEIGHT, pose.nod):
        if d.human:
            heads.back(art, d)
        else:
            animals.back(art, d)
    if not _raised(pose):
        _arm(art, d, b, _beside(d, b, pose), near=False)


def _raised(pose: Pose) -> bool:
    """Whether the far arm goes before the body; hanging, it is behind."""
    return pose.far[0] > 60


def _beside(d: Design, b: Frame, pose: Pose) -> tuple[float, float]:
    """The far arm's angles; one that hangs is spread until its hand shows beside the clothes."""
    upper, lower = pose.far
    if pose.swinging or abs(lower) > 30 or upper < -30:
        return pose.far
    aside = wardrobe.breadth_at_hand(d, b) + 26 * b.wide - 70 * b.wide
    if upper > 30:  # on the hip
        short = 2 * aside / b.arm - math.sin(math.radians(upper))
        return upper, max(lower, math.degrees(math.asin(max(-1.0, min(0.8, short)))))
    spread = math.degrees(math.asin(max(0.0, min(0.8, aside / b.arm))))
    return max(upper, spread + 7), max(lower, spread - 7)


def _over_the_head(art: Art, b: Frame, pose: Pose, held: Held) -> None:
    """An umbrella, behind the head, leant until it covers it."""
    x, y = _hand_at(b, pose.near)
    lean = math.degrees(math.atan2(x - b.head_at[0], held.overhead))
    with art.at(x, y, turn=-lean):
        held.paint(art)


def _neck(art: Art, d: Design, b: Frame) -> None:
    width = (50 if d.gender == "female" or d.age == "child" else 62) * b.wide
    if d.species is not None and "robot" in d.species.marks:
        top = b.head_at[1] + b.head * 0.40
        art.line(poly([(b.neck[0], b.neck[1] + 6), (b.head_at[0], top)], False), darker(d.coat, 0.34), 70 * b.wide)
        for share in (0.25, 0.6):
            y = b.neck[1] + 6 + (top - b.neck[1] - 6) * share
            art.line(poly([(b.neck[0] - 34 * b.wide, y), (b.neck[0] + 38 * b.wide, y)], False), darker(d.coat, 0.12), 7)
    if d.human:
        chin = (b.head_at[0] + 2, b.head_at[1] + b.head * 0.36)
        art.line(poly([(b.neck[0], b.neck[1] + 10), chin], False), darker(d.skin, 0.13), width)
    wardrobe.collar(art, d, b)


def _shoulder_at(b: Frame, near: bool) -> Point:
    return b.shoulder[0] + (-70 if near else 70) * b.wide + (8 if near else 0), b.shoulder[1] + 34 * b.scale


def _hand_at(b: Frame, angles: tuple[float, float]) -> Point:
    """Where the near hand is."""
    return limb(_shoulder_at(b, near=True), angles, b.arm)[2]


def _arm(art: Art, d: Design, b: Frame, angles: tuple[float, float], *, near: bool, held: Held | None = None) -> None:
    start = _shoulder_at(b, near)
    points = limb(start, angles, b.arm)
    width = 50 * b.wide
    sleeve = d.top if d.clothed else d.coat
    if d.outfit == "apron":
        sleeve = lighter(d.top, 0.12)
    if not near:
        sleeve = darker(sleeve, 0.14)
    hand = _flesh(d) if near else darker(_flesh(d), 0.1)
    bare = d.outfit == "dress" and d.age == "child" and d.clothed
    _hand(art, points, width, hand)
    _sleeve(art, points, width, hand if bare else sleeve, 1.0 if bare else 0.86)
    if bare:
        art.line(poly([start, (start[0] * 0.75 + points[1][0] * 0.25, start[1] * 0.75 + points[1][1] * 0.25)], False),
            sleeve, width * 1.16, shadow=5)  # fmt: skip
    elif d.clothed:
        cuff = (points[1][0] * 0.16 + points[2][0] * 0.84, points[1][1] * 0.16 + points[2][1] * 0.84)
        end = (points[1][0] * 0.14 + points[2][0] * 0.86, points[1][1] * 0.14 + points[2][1] * 0.86)
        art.line(poly([cuff, end], False), darker(sleeve, 0.22), width * 0.94)
    if near and held is not None:
        if not held.overhead:
            with art.at(points[2][0] + 14, points[2][1] + 10):
                held.paint(art)
        art.fill(oval(points[2][0] + width * 0.1, points[2][1], width * 0.40, width * 0.34), hand, shadow=2)
        for k in range(3):
            x, y = points[2][0] + width * 0.36, points[2][1] + (k - 1) * width * 0.22
            art.fill(oval(x, y, width * 0.17, width * 0.11), hand, shadow=1)


def _sleeve(art: Art, points: tuple[Point, Point, Point], width: float, colour: str, reach: float) -> None:
    """Upper arm from a round shoulder, elbow, and a slimmer forearm ending at `reach` of its length."""
    (sx, sy), (ex, ey), (hx, hy) = points
    end = (ex + (hx - ex) * reach, ey + (hy - ey) * reach)
    art.line(smooth([points[0], points[1], end], False), colour, width * 0.84, shadow=width * 0.22)
    shapes = []
    for (ax, ay), (bx, by), wide, slim in (((sx, sy), (ex, ey), 0.56, 0.46), ((ex, ey), end, 0.46, 0.41)):
        length = math.hypot(bx - ax, by - ay) or 1.0
        nx, ny = -(by - ay) / length * width, (bx - ax) / length * width
        shapes.append(poly([(ax + nx * wide, ay + ny * wide), (bx + nx * slim, by + ny * slim),
            (bx - nx * slim, by - ny * slim), (ax - nx * wide, ay - ny * wide)]))  # fmt: skip
    for shape in (oval(sx, sy, width * 0.56), *shapes, oval(ex, ey, width * 0.46), oval(*end, width * 0.41)):
        art.fill(shape, colour)


def _hand(art: Art, points: tuple[Point, Point, Point], width: float, colour: str) -> None:
    """An open hand along the forearm, its thumb forward."""
    (ex, ey), (hx, hy) = points[1], points[2]
    with art.at(hx, hy, turn=math.degrees(math.atan2(hy - ey, hx - ex)) - 90):
        art.fill(smooth([(width * 0.20, -width * 0.3), (width * 0.50, width * 0.06), (width * 0.46, width * 0.30),
            (width * 0.22, width * 0.10)]), colour, shadow=2)  # fmt: skip
        art.fill(smooth([(-width * 0.34, -width * 0.4), (width * 0.30, -width * 0.4), (width * 0.38, width * 0.2),
            (width * 0.20, width * 0.62), (-width * 0.16, width * 0.66), (-width * 0.38, width * 0.24)]), colour,
            shadow=3)  # fmt: skip
        for k in (-1, 1):
            art.line(poly([(k * width * 0.10, width * 0.34), (k * width * 0.08, width * 0.56)], False),
                darker(colour, 0.25), width * 0.04, alpha=0.6)  # fmt: skip


def _legs(art: Art, d: Design, b: Frame, pose: Pose) -> None:
    width = 62 * b.wide
    for near in (False, True):
        angles = pose.near_leg if near else pose.far_leg
        side = 1 if near else -1
        start = (b.hip[0] + side * 26 * b.wide, b.hip[1] + (12 if pose.stance not in ("sit", "kneel") else -10))
        length = (b.leg - 26 * b.scale) if pose.stance not in ("sit", "kneel") else b.leg * 0.96
        if pose.stance == "kneel":
            angles = (84, -4) if near else (20, -82)
            length = b.leg * 0.72
        points = limb(start, angles, length)
        if not d.human and not d.clothed:
            colour = d.coat
        elif d.outfit == "dress" and d.human:
            colour = mix(d.skin, d.bottom, 0.55) if d.age != "child" else d.skin
        else:
            colour = d.bottom
        colour = colour if near else darker(colour, 0.18)
        thin = 0.72 if d.outfit == "dress" else 1.0
        art.line(smooth(points, False), colour, width * thin, shadow=7)
        _shoe(art, d, points[2], width, angles[1], near)


def _shoe(art: Art, d: Design, ankle: Point, width: float, angle: float, near: bool) -> None:
    colour = d.shoes if d.human else d.coat
    colour = colour if near else darker(colour, 0.2)
    with art.at(*ankle, turn=-angle * 0.55):
        art.fill(smooth([(-width * 0.5, -width * 0.4), (width * 0.36, -width * 0.34), (width * 0.95, width * 0.1),
            (width * 0.95, width * 0.40), (-width * 0.5, width * 0.42)]), colour, shade=0.2, shadow=4)  # fmt: skip
        if d.human:
            art.line(poly([(-width * 0.48, width * 0.42), (width * 0.9, width * 0.42)], False), darker(colour, 0.45), 5)


def _stool(art: Art, b: Frame) -> None:
    y = b.hip[1] + 34 * b.scale
    for x in (-84, 62):
        art.fill(poly([(x * b.wide, y), (x * b.wide + 22, y), (x * b.wide + 22 + x * 0.08, 4),
            (x * b.wide + x * 0.08, 4)]), "#6d4a30", shade=0.3)  # fmt: skip
    art.fill(box(-112 * b.wide, y - 8, 214 * b.wide, 30, 12), "#8a6040", shade=0.3, shadow=6)


def _lying(art: Art, d: Design, pose: Pose, seat: bool) -> Face:
    """Asleep: pillow to the left, the body under a blanket; in a bed, or (`seat` false) on a bedroll."""
    bones = frame_of(d, Pose(feeling=pose.feeling))
    half = bones.height / 2
    art.dim(0, 0, half * 1.15, 0.4, 0.12)
    if seat:
        for x, top in ((-half - 116, -330), (half + 76, -210)):
            art.fill(box(x, top, 34, -top, 10), "#7a5336", shade=0.25, shadow=8)
        art.fill(box(-half - 90, -70, bones.height + 180, 50, 8), "#6b462a", shade=0.2, shadow=6)
    art.fill(box(-half - 84, -110, bones.height + 160, 74, 26), "#e3d9c4", shade=0.35, shadow=8)
    pillow = [(-half - 84, -110), (-half - 60, -196), (-half + 150, -200), (-half + 190, -110), (-half + 60, -86)]
    art.fill(smooth(pillow), "#f4efe2", shade=0.2, shadow=6)
    with art.at(half, -122), art.at(0, 0, turn=-90):
        with art.at(*bones.head_at, bones.head / heads.HEIGHT):
            if d.human:
                heads.back(art, d)
            else:
                animals.back(art, d)
        wardrobe.torso(art, d, bones, Pose())
        _neck(art, d, bones)
        with art.at(bones.head_at[0], bones.head_at[1], bones.head / heads.HEIGHT, 16):
            face = heads.front(art, d, pose) if d.human else animals.head(art, d, pose)
    cover = lighter(d.accent, 0.1)
    left = -half + bones.head + 70
    art.fill(smooth([(left, -60), (left + 12, -190), (left + 120, -226), (half * 0.4, -214), (half + 20, -196),
        (half + 70, -120), (half + 66, -14), (0, -6), (left + 20, -12)]), cover, shade=0.4, shadow=9)  # fmt: skip
    art.line(smooth([(left + 14, -178), (left + 30, -100), (left + 26, -20)], False), darker(cover, 0.15), 16)
    return face
