"""Placing figures on the sheet for each framing, turned towards each other; gives back their faces, the focal first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.contracts import Face, Look
from pipeline.inference.drawing import figures, props
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.people import Held
from pipeline.inference.drawing.pose import Pose
from pipeline.inference.drawing.words import stable


@dataclass(frozen=True)
class Player:
    """Someone in a frame: the design, the pose, whether they look to the left, and what they hold."""

    design: Design
    pose: Pose
    flip: bool = False
    prop: Look | None = None


def _held(look: Look | None, scale: float = 1.5) -> Held | None:
    if look is None:
        return None
    prop = look

    def painter(art: Art) -> None:
        with art.at(0, props.grip(prop) * scale, scale):
            props.draw(art, prop)

    return painter


def _put(art: Art, player: Player, x: float, y: float, scale: float, seat: bool = True) -> Face:
    with art.at(x, y, scale, flip=player.flip):
        return figures.draw(art, player.design, player.pose, _held(player.prop), seat)


def _order(players: list[Player]) -> list[int]:
    """Left to right: the same for the same people in every shot, whoever is focal, so that nobody jumps at a cut."""
    return sorted(range(len(players)), key=lambda index: stable(players[index].design.name))


def _facing(players: list[Player], spots: list[float]) -> list[Player]:
    """The players turned towards each other: the focal one to the nearest other, the others to the focal one."""
    turned = []
    for index, player in enumerate(players):
        others = [spot for k, spot in enumerate(spots) if k != index] or [spots[index] + 1]
        other = spots[0] if index else min(others, key=lambda spot: abs(spot - spots[0]))
        turned.append(replace(player, flip=other < spots[index]))
    return turned


def wide(art: Art, players: list[Player], horizon: float, indoor: bool) -> list[Face]:
    """Full figures on the ground, as large as their number allows."""
    ground = horizon + (art.h - horizon) * (0.66 if art.w >= art.h else 0.55)
    builds = [figures.build_of(player.design, player.pose) for player in players]
    widths = [build.right - build.left for build in builds]
    tallest = max(-build.top for build in builds)
    room = ground - art.h * (0.12 if not indoor else 0.16)
    scale = min(0.62, room / max(tallest, 1), art.w * 0.84 / (sum(widths) + 40 * len(widths)))
    if tallest * scale < art.h * 0.26:
        scale = min(art.h * 0.30 / tallest, art.w * 0.84 / (sum(widths) + 40 * len(widths)))
    gap = min(110.0, (art.w * 0.9 - sum(widths) * scale) / max(1, len(players) + 1))
    x = (art.w - sum(widths) * scale - gap * (len(players) - 1)) / 2
    spots = [0.0] * len(players)
    for index in _order(players):
        spots[index] = x + widths[index] * scale / 2
        x += widths[index] * scale + gap
    players = _facing(players, spots)
    faces: list[Face] = []
    for index in reversed(range(len(players))):
        build, player = builds[index], players[index]
        middle = (build.left + build.right) / 2 * scale * (-1 if player.flip else 1)
        depth = ground + (10 if index == 0 else -14 + 6 * (index % 2))
        seat = indoor or player.pose.stance == "sit"
        faces.insert(0, _put(art, player, spots[index] - middle, depth, scale, seat))
    return faces


def medium(art: Art, players: list[Player]) -> list[Face]:
    """From the waist up; two in a tall picture, else at most three."""
    if players[0].pose.stance == "lie":
        return _asleep(art, players[0], art.w * 0.94, 0.5)
    portrait = art.h > art.w
    players = players[: 2 if portrait else 3]
    builds = [figures.build_of(player.design, _waist(player.pose)) for player in players]
    share = (0.30 if len(players) == 1 else 0.26) * (0.74 if portrait else 1.0)
    scale = art.h * share / max(build.head for build in builds)
    places = {1: (0.5,), 2: (0.30, 0.70), 3: (0.19, 0.5, 0.81)}[len(players)]
    spots = [0.0] * len(players)
    for place, index in zip(places, _order(players), strict=True):
        spots[index] = art.w * place
    players = _facing(players, spots)
    tallest = min(build.head_y for build in builds)
    faces: list[Face] = []
    for index in reversed(range(len(players))):
        player, build = players[index], builds[index]
        head_at = art.h * 0.36 + min((build.head_y - tallest) * scale, art.h * 0.22)
        centre = (
            build.head_x if figures.upright(player.design) else build.head_x * 0.5 + (build.left + build.right) * 0.25
        )
        x = spots[index] - centre * scale * (-1 if player.flip else 1)
        standing = replace(player, pose=_waist(player.pose))
        feet = max(head_at - build.head_y * scale, art.h * 0.93)  # on the ground, or below the picture
        faces.insert(0, _put(art, standing, x, feet, scale, seat=False))
    return faces


def _asleep(art: Art, player: Player, length: float, head_x: float) -> list[Face]:
    """Someone lying, `length` units long on the sheet."""
    build = figures.build_of(player.design, player.pose)
    scale = length / (build.right - build.left)
    x = art.w / 2 if head_x == 0.5 else art.w * head_x - build.head_x * scale
    return [_put(art, player, x, art.h * 0.52 - build.head_y * scale, scale)]


def _waist(pose: Pose) -> Pose:
    """The pose as it looks from the waist up: no lying down, no running legs."""
    return replace(pose, stance="stand", lean=min(pose.lean, 6)) if pose.stance != "stand" else pose


def close(art: Art, player: Player, looks_left: bool) -> list[Face]:
    """Head and shoulders."""
    if player.pose.stance == "lie":
        return _asleep(art, player, art.w * 1.9, 0.44)
    pose = _waist(player.pose)
    build = figures.build_of(player.design, pose)
    scale = min(art.h * 0.50, art.w * 0.56) / build.head
    player = replace(player, pose=replace(pose, near=Pose().near, far=Pose().far, holding=False), flip=looks_left)
    x = art.w * 0.5 - build.head_x * scale * (-1 if player.flip else 1)
    return [_put(art, player, x, art.h * 0.47 - build.head_y * scale, scale, seat=False)]


def over_shoulder(art: Art, focal: Player, other: Player) -> list[Face]:
    """The focal one faces us past the shoulder of the other, who stays on their own side of the picture."""
    side = -1 if _order([focal, other])[0] == 0 else 1  # where the focal one stands: left or right
    pose = _waist(focal.pose)
    build = figures.build_of(focal.design, pose)
    scale = min(art.h * 0.34, art.w * 0.42) / build.head
    focal = replace(focal, pose=pose, flip=side > 0)
    x = art.w * (0.5 + side * 0.14) + side * build.head_x * scale
    face = _put(art, focal, x, art.h * 0.38 - build.head_y * scale, scale, seat=False)
    rear = figures.build_of(other.design, Pose())
    share = 0.46 if other.design.human else 0.38
    big = min(art.h * share, art.w * 0.52) / rear.head
    spot, level = art.w * (0.5 - side * 0.37), art.h * (0.62 if other.design.human else 0.68)
    red, green, blue = art.grade.tint
    shaded = replace(art.grade, tint=(red * _IN_SHADE, green * _IN_SHADE, blue * _IN_SHADE))
    with art.graded(shaded), art.at(spot, level - rear.head_y * big, big, flip=side < 0):
        figures.draw_rear(art, other.design)
    return [face]


_IN_SHADE = 0.88  # of the light on the focal one falls on the back in the foreground
