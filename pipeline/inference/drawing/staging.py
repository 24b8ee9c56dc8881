"""Placing figures on the sheet for each framing, turned towards each other; gives back their faces, the focal first."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.contracts import Look
from pipeline.drawn import Face, Figure, Gait
from pipeline.inference.drawing import figures, props
from pipeline.inference.drawing.design import Design
from pipeline.inference.drawing.paint import NEAR, Art
from pipeline.inference.drawing.people import Held
from pipeline.inference.drawing.pose import PERIOD_S, STRIDES, Pose, later, step_length
from pipeline.inference.drawing.words import stable


@dataclass(frozen=True)
class Seen:
    """A player as drawn: where the face is (none from behind), and how the figure moves."""

    face: Face | None
    figure: Figure
    number: int  # in the order of drawing


@dataclass(frozen=True)
class Player:
    """Someone in a frame: the design, the pose, whether they look to the left, what they hold, and their place in the
    scene's line, from the left."""

    design: Design
    pose: Pose
    flip: bool = False
    prop: Look | None = None
    place: int = 0


def _held(look: Look | None, holder: Design) -> Held | None:
    """What is in the holder's hand, smaller in a small one, unless it has to cover the head."""
    if look is None:
        return None
    small = 1.0 if props.overhead(look) else min(1.0, 0.5 + 0.5 * holder.height)
    prop, scale = look, 1.5 * small * props.held_bulk(look)

    def painter(art: Art) -> None:
        with art.at(0, props.grip(prop) * scale, scale):
            props.draw(art, prop, held=True)

    return Held(painter, props.overhead(prop) * scale)


def _put(
    art: Art,
    player: Player,
    x: float,
    y: float,
    scale: float,
    seat: bool = True,
    depth: float = NEAR,
    gait: Gait = "rest",
) -> Seen:
    """Draws a player with its foot at (x, y); each of its poses, where the page is drawn apart."""
    design, held = player.design, _held(player.prop, player.design)
    number = art.figures
    face: Face | None = None
    for index, pose in enumerate(_poses(player.pose, gait) if art.apart else (player.pose,)):
        with art.puppet(depth, number, index), art.at(x, y, scale, flip=player.flip):
            drawn = figures.draw(art, design, pose, held, seat)
            face = face or drawn
    art.figures += 1
    assert face is not None
    build = figures.build_of(design, player.pose)
    if player.pose.stance == "lie":
        gait = "sleep"
    return Seen(
        face,
        Figure(
            name=design.name, foot_x=round(x / art.w, 5), foot_y=round(y / art.h, 5), depth=round(depth, 3), gait=gait,
            rise=round(-build.head_y * scale / art.h, 5), head=round(build.head * scale / art.h, 5),
            leg=round(figures.leg_of(design) * scale / art.h, 5),
        ),
        number,
    )  # fmt: skip


def _poses(pose: Pose, gait: Gait) -> list[Pose]:
    """What a figure goes through in a clip: its steps, or eyes open and shut."""
    if gait in ("walk", "run", "fly"):
        return [later(pose, step) for step in range(STRIDES)]
    return [pose, replace(pose, blinking=True)]


def _order(players: list[Player]) -> list[int]:
    """Left to right: the same for the same people in every shot, whoever is focal, so that nobody jumps at a cut."""
    return sorted(range(len(players)), key=lambda index: (players[index].place, stable(players[index].design.name)))


def _facing(players: list[Player], spots: list[float]) -> list[Player]:
    """The players turned towards each other: the focal one to the nearest other, the others to the focal one.

    Those who all go somewhere go the same way; somebody alone looks where they looked before.
    """
    if len(players) == 1 or all(player.pose.stance in _GAITS for player in players):
        return players
    turned = []
    for index, player in enumerate(players):
        others = [spot for k, spot in enumerate(spots) if k != index]
        other = spots[0] if index else min(others, key=lambda spot: abs(spot - spots[0]))
        turned.append(replace(player, flip=other < spots[index]))
    return turned


def wide(art: Art, players: list[Player], horizon: float, indoor: bool) -> list[Seen]:
    """Full figures on the ground, as large as their number allows."""
    ground = horizon + (art.h - horizon) * (0.66 if art.w >= art.h else 0.55)
    builds = [figures.build_of(player.design, player.pose) for player in players]
    widths = [build.right - build.left for build in builds]
    tallest = max(-build.top for build in builds)
    room = ground - art.h * (0.12 if not indoor else 0.16)
    scale = min(0.62, room / max(tallest, 1), art.w * 0.84 / (sum(widths) + 40 * len(widths)))
    if tallest * scale < art.h * _SMALLEST:
        scale = min(art.h * _SMALLEST / tallest, art.w * 0.84 / (sum(widths) + 40 * len(widths)))
    gap = min(110.0, (art.w * 0.9 - sum(widths) * scale) / max(1, len(players) + 1))
    x = (art.w - sum(widths) * scale - gap * (len(players) - 1)) / 2
    spots = [0.0] * len(players)
    for index in _order(players):
        spots[index] = x + widths[index] * scale / 2
        x += widths[index] * scale + gap
    players = _facing(players, spots)
    halves = [width * scale / 2 for width in widths]
    if all(player.pose.stance in _GAITS for player in players):  # room to walk into
        room = min(spot - half for spot, half in zip(spots, halves, strict=True)) - art.w * 0.05
        spots = [spot - max(0.0, min(room, art.w * 0.17)) for spot in spots]
    seen: list[Seen] = []
    for index in reversed(range(len(players))):
        build, player = builds[index], players[index]
        middle = (build.left + build.right) / 2 * scale * (-1 if player.flip else 1)
        foot = ground + (10 if index == 0 else -14 + 6 * (index % 2))
        seat = indoor or player.pose.stance == "sit"
        gait = _GAITS.get(player.pose.stance, "rest")
        drawn = _put(art, player, spots[index] - middle, foot, scale, seat, art.depth, gait)
        reach = _reach(index, players, spots, halves, art.w) / art.w if gait != "rest" else 0.0
        seen.insert(0, replace(drawn, figure=drawn.figure.model_copy(update={"reach": round(reach, 4)})))
    return _in_step(seen, art)


def _in_step(seen: list[Seen], art: Art) -> list[Seen]:
    """The figures with their strides; all who go have the pace of the slowest, and go as far as each of them can."""

    def stride(figure: Figure) -> float:
        leg = figure.leg or figure.rise * _LEGLESS
        return step_length(figure.gait, leg) * art.h / art.w

    goers = [one for one in seen if one.figure.gait in PERIOD_S]
    pace = min((stride(one.figure) / PERIOD_S[one.figure.gait] for one in goers), default=0.0)
    reach = min((abs(one.figure.reach) for one in goers), default=0.0)

    def going(figure: Figure) -> Figure:
        way = -1 if figure.reach < 0 else 1
        changed = {"stride": round(stride(figure), 5), "pace": round(pace, 5), "reach": way * reach}
        return figure.model_copy(update=changed)

    return [replace(one, figure=going(one.figure)) if one in goers else one for one in seen]


_LEGLESS = 0.45  # of the rise, a leg of those who have more than two, or none to walk on


_SMALLEST = 0.40  # of the picture's height, the tallest of those who are seen whole
_GAITS: dict[str, Gait] = {"walk": "walk", "run": "run", "fly": "fly"}


def _reach(index: int, players: list[Player], spots: list[float], halves: list[float], width: float) -> float:
    """How far someone can go ahead, in units, before the sheet's edge or one who stays is met; negative to the left."""
    way = -1 if players[index].flip else 1
    ends = [width * 0.97 if way > 0 else width * 0.03]
    for other, spot in enumerate(spots):
        if other != index and (spot - spots[index]) * way > 0:
            goes = players[other].pose.stance in _GAITS and players[other].flip == players[index].flip
            ends += [] if goes else [spot - way * halves[other]]
    return way * max(0.0, min((end - spots[index]) * way for end in ends) - halves[index])


def medium(art: Art, players: list[Player]) -> list[Seen]:
    """From the waist up; two in a tall picture, else at most three."""
    if players[0].pose.stance == "lie":
        return _asleep(art, players[0], art.w * 0.94, 0.5)
    if len(players) == 1 and players[0].pose.stance in ("sit", "kneel") and figures.upright(players[0].design):
        return [_low(art, players[0])]
    portrait = art.h > art.w
    players = players[: 2 if portrait else 3]
    builds = [figures.build_of(player.design, standing(player.pose)) for player in players]
    share = (0.30 if len(players) == 1 else 0.26) * (0.74 if portrait else 1.0)
    scale = art.h * share / max(build.head for build in builds)
    places = {1: (0.45,), 2: (0.30, 0.70), 3: (0.19, 0.5, 0.81)}[len(players)]
    spots = [0.0] * len(players)
    for place, index in zip(places, _order(players), strict=True):
        spots[index] = art.w * place
    players = _facing(players, spots)
    tallest = min(build.head_y for build in builds)
    seen: list[Seen] = []
    for index in reversed(range(len(players))):
        player, build = players[index], builds[index]
        head_at = art.h * 0.36 + min((build.head_y - tallest) * scale, art.h * 0.22)
        centre = (
            build.head_x if figures.upright(player.design) else build.head_x * 0.5 + (build.left + build.right) * 0.25
        )
        x = spots[index] - centre * scale * (-1 if player.flip else 1)
        upright = replace(player, pose=standing(player.pose))
        feet = max(head_at - build.head_y * scale, art.h * 0.93)  # on the ground, or below the picture
        gait: Gait = "bob" if player.pose.stance in _GAITS else "rest"
        seen.insert(0, _put(art, upright, x, feet, scale, False, _CLOSER, gait))
    return seen


def _low(art: Art, player: Player) -> Seen:
    """Someone who sits or kneels, whole."""
    build = figures.build_of(player.design, player.pose)
    scale = min(art.h * 0.74 / -build.top, art.w * 0.7 / (build.right - build.left))
    x = art.w * 0.5 - (build.left + build.right) / 2 * scale
    return _put(art, player, x, art.h * 0.93, scale, True, _CLOSER)


def _asleep(art: Art, player: Player, length: float, head_x: float) -> list[Seen]:
    """Someone lying, `length` units long on the sheet."""
    build = figures.build_of(player.design, player.pose)
    scale = length / (build.right - build.left)
    x = art.w / 2 if head_x == 0.5 else art.w * head_x - build.head_x * scale
    return [_put(art, player, x, art.h * 0.52 - build.head_y * scale, scale)]


def standing(pose: Pose) -> Pose:
    """The pose on both legs, as it looks from the waist up or in a boat."""
    if pose.stance == "stand":
        return pose
    legs = Pose()
    return replace(pose, stance="stand", lean=min(pose.lean, 6), near_leg=legs.near_leg, far_leg=legs.far_leg)


def close(art: Art, player: Player, looks_left: bool) -> list[Seen]:
    """Head and shoulders."""
    if player.pose.stance == "lie":
        return _asleep(art, player, art.w * 1.9, 0.44)
    pose = standing(player.pose)
    build = figures.build_of(player.design, pose)
    crown = (build.head_y - build.top) / build.head  # hats and ears stay in the picture
    scale = min(art.h * 0.50, art.w * 0.56, art.h * 0.54 / crown) / build.head
    level = max(art.h * 0.47, crown * build.head * scale + art.h * 0.03)
    player = replace(player, pose=replace(pose, near=Pose().near, far=Pose().far, holding=False), flip=looks_left)
    x = art.w * (0.54 if player.flip else 0.46) - build.head_x * scale * (-1 if player.flip else 1)
    return [_put(art, player, x, level - build.head_y * scale, scale, False, _CLOSER)]


def over_shoulder(art: Art, focal: Player, other: Player) -> list[Seen]:
    """The focal one faces us past the shoulder of the other, who stays on their own side of the picture."""
    side = -1 if _order([focal, other])[0] == 0 else 1  # where the focal one stands: left or right
    pose = standing(focal.pose)
    build = figures.build_of(focal.design, pose)
    scale = min(art.h * 0.34, art.w * 0.42) / build.head
    focal = replace(focal, pose=pose, flip=side > 0)
    x = art.w * (0.5 + side * 0.14) + side * build.head_x * scale
    seen = _put(art, focal, x, art.h * 0.38 - build.head_y * scale, scale, False, _CLOSER)
    rear = figures.build_of(other.design, Pose())
    share = 0.46 if other.design.human else 0.38
    big = min(art.h * share, art.w * 0.52) / rear.head
    spot, level = art.w * (0.5 - side * 0.37), art.h * (0.62 if other.design.human else 0.68)
    foot = level - rear.head_y * big
    red, green, blue = art.grade.tint
    shaded = replace(art.grade, tint=(red * _IN_SHADE, green * _IN_SHADE, blue * _IN_SHADE))
    number = art.figures
    with art.puppet(_CLOSEST, number, 0), art.graded(shaded), art.at(spot, foot, big, flip=side < 0):
        figures.draw_rear(art, other.design)
    art.figures += 1
    back = Figure(
        name="", foot_x=round(spot / art.w, 5), foot_y=round(foot / art.h, 5), depth=_CLOSEST,
        rise=round(-rear.head_y * big / art.h, 5), head=round(rear.head * big / art.h, 5),
    )  # fmt: skip
    return [seen, Seen(None, back, number)]


_CLOSER, _CLOSEST = 1.15, 1.4  # depths of figures whose feet are not seen
_IN_SHADE = 0.88  # of the light on the focal one falls on the back in the foreground
