"""Composing a frame: the place as the camera sees it, the figures in it, the weather before them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.contracts import Angle, FrameBrief, Framing, Look, Value
from pipeline.drawn import DrawnMeta, Figure
from pipeline.inference.drawing import figures, paper, places, props, staging, supplied
from pipeline.inference.drawing.design import design_of
from pipeline.inference.drawing.paint import FAR, NEAR, Art, Sheet
from pipeline.inference.drawing.palette import Light, light_of, style_of
from pipeline.inference.drawing.portraits import ENGINE
from pipeline.inference.drawing.pose import holding, pose_of
from pipeline.inference.drawing.shapes import box, oval, smooth
from pipeline.inference.drawing.sky import puddles
from pipeline.inference.drawing.staging import Player, Seen
from pipeline.inference.drawing.weather import Fall, fall, falling
from pipeline.inference.drawing.words import Lots

_TILT: dict[Angle, float] = {"eye": 0.0, "low": -0.10, "high": 0.10}
_NOWHERE = Look(kind="set", name="open field", appearance="a meadow")
_ZOOM: dict[Framing, float] = {"wide": 1.0, "medium": 1.35, "over_shoulder": 1.45, "close_up": 1.9, "insert": 1.7}
_BLUR: dict[Framing, float] = {"wide": 0.0, "medium": 2.2, "over_shoulder": 4.0, "close_up": 7.0, "insert": 8.0}
_ON_WATER = ("open_sea", "beach", "lighthouse", "space", "desert")
_THIN, _THICK = 0.07, 0.3  # depths that are one sheet: of a place in focus, and of one that is not
_BEHIND = ("fog", "wind")  # weathers that would veil a near face


@dataclass(frozen=True)
class Location:
    """Where a frame plays: the set, its light, and its picture if the user supplied one."""

    look: Look
    light: Light
    family: str
    picture: supplied.Pixels | None

    @property
    def indoor(self) -> bool:
        return places.is_indoor(self.family)

    @property
    def far(self) -> float:
        """How near the place's farthest sheet is."""
        return 0.8 if self.indoor else FAR

    @staticmethod
    def of(look: Look, images: dict[str, Path]) -> Location:
        family = places.family_of(look.name, look.appearance)
        return Location(look, light_of(look.time_of_day, look.weather), family, supplied.picture_of(look, images))


def frame(brief: FrameBrief, images: dict[str, Path], width: int, height: int, seed: int, out: Path) -> DrawnMeta:
    """Draws the frame into `out`. What it was drawn from stays in the file, for `apart` to find, unless a picture
    from elsewhere went into it."""
    location = Location.of(brief.place or _NOWHERE, images)
    players = _players(brief, images)
    light = location.light
    art = Art(width, height, light.grade(style_of(brief.style), location.indoor), light.haze, far=location.far)
    meta = _painted(art, brief, location, players, seed)
    if falls(location, brief.framing):
        falling(art, light, Lots("weather", location.look.name), _strength(brief.framing))
    art.finish(out)
    if location.picture is None and not any(supplied.picture_of(look, images) is not None for look in brief.characters):
        with suppress(ValueError):  # half a surrogate pair has no UTF-8: the picture stays one sheet
            paper.annotate(out, Recipe(brief=_words_of(brief), seed=seed).model_dump_json().encode())
    return meta


class Recipe(Value):
    """What a frame was drawn from."""

    brief: FrameBrief
    seed: int


def _words_of(brief: FrameBrief) -> FrameBrief:
    """The brief without its reference pictures, which drawing does not need."""

    def plain(look: Look) -> Look:
        return look.model_copy(update={"image": None})

    return brief.model_copy(
        update={
            "place": brief.place and plain(brief.place),
            "characters": tuple(plain(look) for look in brief.characters),
            "props": tuple(plain(look) for look in brief.props),
        }
    )


@dataclass(frozen=True)
class Apart:
    """A frame as the sheets of paper that it was laid from, the farthest first, and what falls behind the figures and
    in front of them."""

    sheets: list[Sheet]
    grain: float
    behind: Fall | None
    before: Fall | None


def apart(picture: Path, size: tuple[int, int], page: tuple[int, int]) -> Apart | None:
    """The sheets of a frame that `frame` drew, of `size` (width, height) pixels in all, and what falls, of the size of
    the `page` on which a clip shows it. None for any other picture."""
    try:
        recipe = Recipe.model_validate_json(paper.note_in(picture))
    except ValueError:
        return None
    brief = recipe.brief
    location = Location.of(brief.place or _NOWHERE, {})
    light = location.light
    style = style_of(brief.style)
    thin = _THIN if brief.framing == "wide" else _THICK
    art = Art(*size, light.grade(style, location.indoor), light.haze, far=location.far, apart=True, thin=thin)
    _painted(art, brief, location, _players(brief, {}), recipe.seed)
    behind = before = None
    lots = Lots("weather", location.look.name)
    if not location.indoor:
        behind = fall(light, style, lots, *page, far=True)
    if falls(location, brief.framing):
        before = fall(light, style, lots, *page, _strength(brief.framing))
        if light.weather == "fog":
            art.sheet(NEAR)
            falling(art, light, lots)
    return Apart(art.sheets, style.grain, behind, before)


def falls(location: Location, framing: Framing) -> bool:
    """Whether the weather is seen in front of everything."""
    return not location.indoor and (framing == "wide" or location.light.weather not in _BEHIND)


def _strength(framing: Framing) -> float:
    return 0.35 if framing == "close_up" else 1.0


def _painted(art: Art, brief: FrameBrief, location: Location, players: list[Player], seed: int) -> DrawnMeta:
    seen = _seen(brief.props, brief.subjects)
    if brief.framing == "insert" and seen:
        return _insert(art, location, seen[0], _TILT[brief.angle])
    if players:
        return _staged(art, brief, location, players, seen, seed)
    return _empty(art, brief, location, seen)


def _seen(looks: Sequence[Look], subjects: Sequence[str]) -> list[Look]:
    order = {name: place for place, name in enumerate(subjects)}
    return sorted((look for look in looks if look.name in order), key=lambda look: order[look.name])


def _players(brief: FrameBrief, images: dict[str, Path]) -> list[Player]:
    """Who is seen, the focal one first."""
    speaking = [look for look in brief.characters if look.name == brief.speaker]
    looks = _seen(brief.characters, brief.subjects) or speaking
    held = _seen(brief.props, brief.subjects)
    players = []
    for index, look in enumerate(looks[:5]):
        portrait = supplied.picture_of(look, images)
        sampled = None if portrait is None else supplied.colours_of(portrait)
        pose = pose_of(brief.action, brief.mood, index == 0, brief.speaker is not None, look.name)
        design = design_of(look, sampled)
        if pose.stance == "fly" and not figures.flies(design):
            pose = pose_of("", brief.mood, index == 0, brief.speaker is not None, look.name)
        prop = None
        if index == 0 and held and figures.upright(design) and props.fits_a_hand(held[0]) and pose.stance != "lie":
            prop, pose = held[0], holding(pose)
        place = brief.line.index(look.name) if look.name in brief.line else len(brief.line)
        alone = len(looks) == 1 and pose.stance == "stand" and _looks_left(brief, look.name)
        players.append(Player(design, pose, flip=alone, prop=prop, place=place))
    return players


def _background(
    art: Art, location: Location, framing: Framing, tilt: float, across: float = 0.5, made_bed: bool = True
) -> float:
    """Paints the place around a point (`across` the sheet), softened; gives the ground line in units."""
    zoom = _ZOOM[framing]
    at = (across, 0.62)
    x, y = art.w * at[0], art.h * at[1]
    if location.picture is not None:
        art.cover(supplied.cropped(location.picture, zoom, at))
        horizon = art.h * 0.6
    else:
        with art.at(x, y, zoom), art.at(-x, -y):
            horizon = places.paint(art, location.look, location.light, location.family, tilt, made_bed)
        horizon = y + (horizon - y) * zoom
    if _BLUR[framing]:
        if location.light.weather in _BEHIND and not location.indoor:
            falling(art, location.light, Lots("weather", location.look.name))
        art.soften(_BLUR[framing])
    if location.light.wet and not location.indoor:
        lots = Lots("weather", location.look.name)
        if location.family not in _ON_WATER:
            puddles(art, location.light, lots, max(horizon + 130, art.h * 0.82))
    if not location.indoor and not art.apart:  # apart, it falls by itself
        falling(art, location.light, Lots("weather", location.look.name), far=True)
    return horizon


def _staged(
    art: Art, brief: FrameBrief, location: Location, players: list[Player], seen: list[Look], seed: int
) -> DrawnMeta:
    afloat = location.family == "open_sea" and figures.upright(players[0].design)
    if afloat:
        players = [replace(player, pose=staging.standing(player.pose)) for player in players]
    tilt = _TILT[brief.angle]
    framing: Framing = "wide" if brief.framing == "insert" else brief.framing
    side = 0.5 if framing == "wide" else Lots("frame", str(seed)).between("side", 0.35, 0.65)
    asleep = any(player.pose.stance == "lie" for player in players)
    horizon = _background(art, location, framing, tilt, side, made_bed=not asleep)
    with art.graded(location.light.on_figures(art.grade)):
        alone = _looks_left(brief, players[0].design.name)
        drawn = _figures(art, framing, players, horizon, location.indoor, alone)
        if afloat:
            _afloat(art, framing, [one.figure for one in drawn])
    faces = [one.face for one in drawn if one.face is not None]
    loose = [look for look in seen if all(player.prop is not look for player in players)]
    taken = [face.mouth_x * art.w for face in faces]
    if framing == "wide":
        _loose_props(art, loose, horizon + (art.h - horizon) * 0.84, 1.35, taken)
    elif framing == "medium":
        _loose_props(art, loose, art.h * 0.97, 2.3, taken)
    focus = faces[0]
    return DrawnMeta(
        engine=ENGINE,
        faces=tuple(face for face in faces if 0.02 < face.mouth_x < 0.98 and 0.02 < face.mouth_y < 0.98),
        figures=tuple(one.figure for one in sorted(drawn, key=lambda one: one.number)),
        focus_x=round(min(0.95, max(0.05, focus.mouth_x)), 4),
        focus_y=round(min(0.9, max(0.1, focus.mouth_y)), 4),
    )


def _afloat(art: Art, framing: Framing, sailors: Sequence[Figure]) -> None:
    """The boat that people at sea stand in, before them."""
    art.sheet(art.depth)
    spots = [one.foot_x * art.w for one in sailors]
    wide, close = framing == "wide", framing in ("close_up", "over_shoulder")
    y = max(one.foot_y for one in sailors) * art.h if wide else art.h * (1.09 if close else 0.97)
    half = (max(spots) - min(spots)) / 2 + (230 if wide else art.w * 0.62 if close else 520)
    middle, deep = (max(spots) + min(spots)) / 2, 92 if wide else 260 if close else 190
    hull = [(middle - half * 1.12, y - deep * 1.05), (middle - half * 0.5, y - deep * 0.72), (middle + half * 0.5,
        y - deep * 0.72), (middle + half * 1.16, y - deep * 1.12), (middle + half * 0.86, y + deep * 0.34), (middle,
        y + deep * 0.46), (middle - half * 0.84, y + deep * 0.3)]  # fmt: skip
    art.fill(smooth(hull), "#8f5a38", shade=0.35, shadow=10)
    for share in (-0.34, 0.02):
        art.line(smooth([(middle - half * 0.96, y + deep * (share - 0.2)), (middle, y + deep * (share + 0.06)),
            (middle + half * 0.98, y + deep * (share - 0.22))], False), "#6e4329", 4, alpha=0.7)  # fmt: skip
    art.line(smooth(hull[:4], False), "#b98a5a", 15, shadow=4)
    wash = [(middle + half * x, y + deep * down) for x, down in ((-1.3, 0.42), (-0.6, 0.22), (0, 0.36), (0.6, 0.22),
        (1.3, 0.42), (0, 0.8))]  # fmt: skip
    art.fill(smooth(wash), "#3a7c9e", alpha=0.92, shade=0.2)
    art.line(smooth(wash[:5], False), "#cfe4ee", 5, alpha=0.7)


def _looks_left(brief: FrameBrief, name: str) -> bool:
    """Whether somebody seen alone looks to the left: to where the partner stands, in the picture or beside it; without
    one, to where most of the scene's people are."""
    if name in brief.line and brief.partner in brief.line:
        return brief.line.index(brief.partner or "") < brief.line.index(name)
    if name in brief.line and len(brief.line) > 1:
        return 2 * brief.line.index(name) >= len(brief.line)
    return brief.framing == "over_shoulder"


def _figures(
    art: Art, framing: Framing, players: list[Player], horizon: float, indoor: bool, looks_left: bool
) -> list[Seen]:
    if framing == "wide":
        return staging.wide(art, players, horizon, indoor)
    if framing == "medium":
        return staging.medium(art, players)
    if framing == "over_shoulder" and len(players) > 1:
        return staging.over_shoulder(art, players[0], players[1])
    return staging.close(art, players[0], looks_left=looks_left)


def _empty(art: Art, brief: FrameBrief, location: Location, seen: list[Look]) -> DrawnMeta:
    """The place without anybody, its props on the ground."""
    horizon = _background(art, location, "wide", _TILT[brief.angle])
    _loose_props(art, seen, horizon + (art.h - horizon) * 0.8, 1.6)
    return DrawnMeta(engine=ENGINE)


def _loose_props(art: Art, looks: list[Look], y: float, size: float, taken: Sequence[float] = ()) -> None:
    """Props that nobody holds, in front on the ground, where no figure stands (`taken`: their x in units)."""
    spots = [art.w * share for share in (0.5, 0.32, 0.68, 0.16, 0.84)]
    used = list(taken)
    if looks:
        art.sheet(art.depth)
    for look in looks[:3]:
        free = [min((abs(spot - other) for other in used), default=art.w) for spot in spots]
        x = spots[max(range(len(spots)), key=lambda k: (free[k] >= art.w * 0.13, -k, free[k]))]
        used.append(x)
        bulk = size * props.bulk(look)
        art.dim(x, y, 82 * bulk, 0.35, 0.16)
        with art.at(x, y, bulk):
            props.draw(art, look)


_SURFACES = {"beach": "#e6cc98", "desert": "#e0b878", "snowfield": "#eef2f8", "street": "#98939a", "ship": "#b98a58",
    "square": "#b8aa96", "market": "#c9b797", "platform": "#bdb3a4", "harbour": "#a8845c", "bridge": "#b3a694",
    "space": "#8d8aa0", "mountain": "#9a9484"}  # fmt: skip


def _insert(art: Art, location: Location, prop: Look, tilt: float) -> DrawnMeta:
    """A prop large on a fitting surface, the place out of focus behind it."""
    _background(art, location, "insert", tilt)
    y = art.h * 0.80
    art.sheet(NEAR)
    if location.indoor:
        art.fill(box(-20, y - 40, art.w + 40, art.h), "#9a6b42", shade=0.3, shadow=12)
        for k in range(4):
            art.fill(box(-20, y - 10 + k * 70, art.w + 40, 4), "#7d5436", alpha=0.6)
    else:
        ground = _SURFACES.get(location.family, "#7f8f5a")
        art.fill(oval(art.w / 2, y + art.h * 0.34, art.w * 0.9, art.h * 0.42), ground, shade=0.2, shadow=12)
    size = min(art.w, art.h) / 100 * 0.52
    art.dim(art.w / 2, y + 14, size * 86, 0.45, 0.16)
    with art.at(art.w / 2, y + 10, size), art.graded(location.light.on_figures(art.grade)):
        props.draw(art, prop)
    return DrawnMeta(engine=ENGINE, focus_x=0.5, focus_y=round((y - size * 50) / art.h, 4))
