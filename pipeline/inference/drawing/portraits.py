"""Reference pictures: a portrait on a plain backdrop, an empty place, an object alone."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts import ReferenceBrief
from pipeline.drawn import DrawnMeta
from pipeline.inference.drawing import figures, places, props
from pipeline.inference.drawing.design import Design, design_of
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import hexed, light_of, lighter, mix, style_of
from pipeline.inference.drawing.pose import Pose
from pipeline.inference.drawing.shapes import box, oval
from pipeline.inference.drawing.weather import falling
from pipeline.inference.drawing.words import Lots

ENGINE = "drawing/3"


def reference(brief: ReferenceBrief, width: int, height: int, out: Path) -> DrawnMeta:
    look = brief.subject
    style = style_of(brief.style)
    if look.kind == "set":
        light = light_of(look.time_of_day, look.weather)
        family = places.family_of(look.name, look.appearance)
        indoor = places.is_indoor(family)
        art = Art(width, height, light.grade(style, indoor), light.haze)
        places.paint(art, look, light, family)
        if not indoor:
            falling(art, light, Lots("weather", look.name))
        art.finish(out)
        return DrawnMeta(engine=ENGINE)
    light = light_of("day", "clear")
    art = Art(width, height, light.grade(style), light.haze)
    if look.kind == "prop":
        _backdrop(art, "#d9cdb5")
        size = min(art.w, art.h) / 100 * 0.56
        art.dim(art.w / 2, art.h * 0.76, size * 86, 0.4, 0.16)
        with art.at(art.w / 2, art.h * 0.76, size):
            props.draw(art, look)
        art.finish(out)
        return DrawnMeta(engine=ENGINE)
    meta = _portrait(art, design_of(look))
    art.finish(out)
    return meta


def _portrait(art: Art, d: Design) -> DrawnMeta:
    main = d.top if d.human or d.clothed else d.coat
    _backdrop(art, _complement(main))
    pose = Pose(feeling="happy" if d.age == "child" else "calm")
    build = figures.build_of(d, pose)
    if figures.upright(d):
        crown = build.head_y - build.top  # from the head's middle to the tip of hat or ears
        scale = min(art.h * 0.34 / build.head, art.h * 0.42 / crown)
        x, y = art.w / 2 - build.head_x * scale, art.h * 0.07 - build.top * scale
    else:
        scale = min(art.w * 0.84 / (build.right - build.left), art.h * 0.70 / -build.top)
        x, y = art.w / 2 - (build.left + build.right) / 2 * scale, art.h * 0.86
    with art.at(x, y, scale):
        face = figures.draw(art, d, pose)
    return DrawnMeta(engine=ENGINE, faces=(face,), focus_x=0.5, focus_y=round(face.mouth_y, 4))


def _complement(colour: str) -> str:
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return mix(hexed((1 - r, 1 - g, 1 - b)), "#e4dcc8", 0.72)


def _backdrop(art: Art, colour: str) -> None:
    art.fill(box(-20, -20, art.w + 40, art.h + 40), colour, shade=0.2)
    art.glow(art.w * 0.5, art.h * 0.36, art.h * 0.7, lighter(colour, 0.6), 0.35)
    for k, r in enumerate((0.52, 0.40)):
        art.fill(
            oval(art.w / 2, art.h * 0.42, min(art.w, art.h) * r), lighter(colour, 0.16 + 0.12 * k), alpha=0.55, shadow=6
        )
