"""One door to every kind of figure: how tall it is in a pose, and drawing it."""

from __future__ import annotations

from dataclasses import astuple, dataclass

from pipeline.drawn import Face
from pipeline.inference.drawing import beasts, people, rears
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.people import Held
from pipeline.inference.drawing.pose import Pose


@dataclass(frozen=True)
class Build:
    """A figure's measure in a pose, in its own units (origin on the ground, looking right)."""

    head_x: float
    head_y: float
    head: float  # height of the head
    left: float
    right: float
    top: float


def upright(d: Design) -> bool:
    return d.species is None or (d.species.body in ("upright", "four") and not d.four_legged)


# Small creatures are drawn large, so that their bodies keep their shape, and come out smaller by this.
_SHARES = {"crow": 0.74, "bird": 0.62, "mouse": 0.56, "frog": 0.68, "snail": 0.7, "hedgehog": 0.76, "mole": 0.74,
    "squirrel": 0.8, "parrot": 0.76, "duck": 0.82, "hen": 0.84, "owl": 0.82, "tortoise": 0.84, "rabbit": 0.86,
    "snake": 0.8, "cat": 0.94, "otter": 0.94}  # fmt: skip


_TAILS = {"bush": 0.86, "spike": 0.98, "fin": 0.96, "curl": 0.82, "tuft": 0.74}  # their reach, in heights


def _share(d: Design) -> float:
    return _SHARES.get(d.species.name, 1.0) if d.species is not None else 1.0


def build_of(d: Design, pose: Pose) -> Build:
    share, own = _share(d), _own_build(d, pose)
    return Build(*(length * share for length in astuple(own)))


def _own_build(d: Design, pose: Pose) -> Build:
    n = 1000 * d.height
    if not upright(d):
        x, y, size = beasts.head_centre(d, pose)
        kind = d.species
        reach = 0.62 if kind is not None and kind.body in ("four", "shell", "bird") else 0.5
        tail = _TAILS.get(kind.tail, reach) if kind is not None else reach
        return Build(x, y, size, -n * tail, max(n * reach, x + size * 0.55), y - size * _crown(d))
    if pose.stance == "lie":
        head = people.head_centre(d, Pose())[2]
        return Build(-n / 2 + head * 0.6, -122, head, -n / 2 - 80, n / 2 + 80, -260)
    x, y, head = people.head_centre(d, pose)
    side = max(150.0 * (0.4 + 0.6 * d.height) * d.girth, head * 0.5)
    reach = 1.45 if pose.stance in ("run", "walk", "sit") or abs(pose.near[0]) > 60 or pose.holding else 1.0
    return Build(x, y, head, -side * (1.25 if reach > 1 else 1), side * reach, y - head * _crown(d))


def _crown(d: Design) -> float:
    """From the head's middle to the tip of hat, ears or horns, in heights of the head."""
    if d.species is not None:
        ears = {"long": 1.25, "pointed": 0.84, "tuft": 0.8}.get(d.species.ears, 0.62)
        return max(ears, 1.0 if "antlers" in d.species.marks else 0.0, 0.9 if d.hat else 0.0)
    return {"": 0.62, "pointed": 1.42, "hat": 0.92, "crown": 0.84, "helmet": 0.88, "straw": 0.8}.get(d.hat, 0.72)


def leg_of(d: Design) -> float:
    """The length of a leg that a step sinks with, in the figure's units; 0 for those on more or fewer than two."""
    if not upright(d):
        return 0.0
    bones = people.frame_of(d, Pose())
    return (bones.leg - 26 * bones.scale) * _share(d)


def flies(d: Design) -> bool:
    return d.species is not None and d.species.body == "bird"


def draw(art: Art, d: Design, pose: Pose, held: Held | None = None, seat: bool = True) -> Face:
    """Draws a figure at the origin of the present coordinates; says where its mouth is on the page."""
    with art.at(0, 0, _share(d)):
        if not upright(d):
            return beasts.draw(art, d, pose)
        if pose.stance != "lie":
            art.dim(0, 0, 190 * (0.4 + 0.6 * d.height), 0.36, 0.16)
        return people.draw(art, d, pose, held, seat)


def draw_rear(art: Art, d: Design) -> None:
    """The back of the figure's head and shoulders, its head where `build_of` says for the resting pose (bar its x)."""
    with art.at(0, 0, _share(d)):
        (rears.upright if upright(d) else rears.beast)(art, d)
