"""The sky of an hour and a weather, and the weather that falls in front of things."""

from __future__ import annotations

from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import Light, lighter, mix
from pipeline.inference.drawing.shapes import box, hill, oval, poly, smooth
from pipeline.inference.drawing.words import Lots


def sky(art: Art, light: Light, lots: Lots, horizon: float, orb: float | None = None) -> None:
    """Fills the sheet with sky down past `horizon`, with sun or moon (at `orb` of the width), stars and clouds."""
    w = art.w
    top, middle, bottom = light.sky
    art.blend(box(-20, -20, w + 40, horizon + 40), [(top, 1), (middle, 1), (bottom, 1)], shining=True)
    art.fill(box(-20, horizon + 10, w + 40, art.h * 2), bottom, shining=True)
    covered = light.weather in ("rain", "storm", "snow", "fog")
    if light.night and not covered:
        _stars(art, lots, w, horizon)
    sun_x = w * (orb or sun_side(lots))
    if not covered:
        _orb(art, light, sun_x, horizon)
    elif light.night and light.weather in ("snow", "fog"):
        art.glow(w * 0.76, horizon * 0.26, 260, "#c8d4f0", 0.35)
    art.sheet(0.05, "cloud")
    count = {"clear": 3, "wind": 4, "cloudy": 8, "rain": 9, "storm": 10, "snow": 7, "fog": 3}[light.weather]
    for k in range(count):
        size = lots.between(f"cloud size {k}", 90, 200) * (1.35 if covered or light.weather == "cloudy" else 1)
        x = (k + lots.number(f"cloud x {k}")) / count * (w + 200) - 100
        if not covered and abs(x - sun_x) < size * 1.1 + 80:
            x = sun_x + (size * 1.1 + 80) * (1 if x > sun_x else -1)  # no cloud bites the disc
        cloud(art, x, lots.between(f"cloud y {k}", 0.08, 0.5) * horizon, size, light, lots.number(f"cloud {k}"))
    art.sheet(0.1)
    if light.weather == "storm":
        _lightning(art, w * lots.between("bolt", 0.2, 0.8), horizon)


def _stars(art: Art, lots: Lots, w: float, horizon: float) -> None:
    for k in range(70):
        x, y = lots.number(f"star x {k}") * w, lots.number(f"star y {k}") ** 1.3 * horizon
        size = lots.between(f"star {k}", 1.1, 3.2)
        art.fill(oval(x, y, size), "#fdf6dc", alpha=lots.between(f"star a {k}", 0.45, 1), shining=True)


def sun_side(lots: Lots) -> float:
    """Where the sun or moon stands, as a share of the width."""
    return 0.78 if lots.number("sun side") > 0.5 else 0.22


def _orb(art: Art, light: Light, x: float, horizon: float) -> None:
    if light.night:
        y, r = horizon * 0.26, 52.0
        art.glow(x, y, 330, "#bcd0ff", 0.5)
        art.fill(oval(x, y, r), "#f7f2da", shining=True)
        for dx, dy, cr in ((-16, -12, 11), (14, 10, 15), (18, -20, 7)):
            art.fill(oval(x + dx, y + dy, cr), "#e2dcbe", shining=True)
        return
    height = {"dawn": 0.84, "morning": 0.50, "day": 0.22, "dusk": 0.86}[light.time]
    y = horizon * height
    r = 74.0 if light.time in ("dawn", "dusk") else 52.0
    art.glow(x, y, 420, light.sun, 0.75)
    if light.weather != "cloudy" or light.time in ("dawn", "dusk"):
        art.fill(oval(x, y, r), mix(light.sun, "#ffffff", 0.25) if light.time != "dusk" else "#ffc46b", shining=True)


def cloud(art: Art, x: float, y: float, size: float, light: Light, lot: float) -> None:
    """A flat-bottomed paper cloud."""
    bumps = [(-1.0, 0.0), (-0.78, -0.24), (-0.42 - lot * 0.1, -0.36), (-0.1, -0.62 - lot * 0.15), (0.32, -0.5),
        (0.56, -0.28), (0.86, -0.22), (1.02, 0.0)]  # fmt: skip
    shape = smooth([*((x + bx * size, y + by * size * 0.62) for bx, by in bumps), (x + size * 0.5, y + size * 0.07),
        (x - size * 0.5, y + size * 0.07)])  # fmt: skip
    alpha = 0.96 if light.weather in ("storm", "rain", "cloudy") else 0.88
    art.blend(
        shape, [(lighter(light.cloud, 0.25), alpha), (mix(light.cloud, light.sky[1], 0.35), alpha * 0.92)], shining=True
    )


def _lightning(art: Art, x: float, horizon: float) -> None:
    art.glow(x, horizon * 0.4, 520, "#cfd6ff", 0.6)
    points = [(x, horizon * 0.12), (x - 46, horizon * 0.42), (x - 8, horizon * 0.44), (x - 66, horizon * 0.9),
        (x + 40, horizon * 0.36), (x + 6, horizon * 0.34), (x + 36, horizon * 0.12)]  # fmt: skip
    art.fill(poly(points), "#fdf7d0", shining=True)


def far_hills(art: Art, light: Light, lots: Lots, horizon: float, colour: str = "#7f9a86", tall: float = 1.0) -> None:
    """Two distant ridges in the haze."""
    art.sheet(0.14)
    for row, (lift, haze) in enumerate(((90 * tall, 0.68), (42 * tall, 0.46))):
        points = [(x, horizon - lift * (0.35 + 0.9 * lots.number(f"ridge {row} {k}"))) for k,
            x in enumerate(steps(-60, art.w + 60, 7))]  # fmt: skip
        art.fill(hill(points, art.h + 20), colour, haze=haze, shadow=8)


def steps(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * k / (count - 1) for k in range(count)]


def puddles(art: Art, light: Light, lots: Lots, top: float) -> None:
    """Water standing on the ground from `top` down, rings where drops fall."""
    for k in range(5):
        t = (k + 0.4) / 5
        x = art.w * lots.between(f"puddle {k}", 0.02 + 0.2 * k, 0.16 + 0.2 * k)
        y = top + (art.h - top) * lots.between(f"puddle y {k}", 0.25, 0.85)
        wide = lots.between(f"puddle w {k}", 70, 130) * (0.8 + 0.5 * t)
        shape = smooth([(x - wide, y), (x - wide * 0.4, y - wide * 0.13), (x + wide * 0.5, y - wide * 0.11),
            (x + wide, y + wide * 0.02), (x + wide * 0.3, y + wide * 0.14),
            (x - wide * 0.5, y + wide * 0.12)])  # fmt: skip
        art.fill(shape, mix(light.sky[1], "#ffffff", 0.12), alpha=0.6, shining=True)
        for share in (-0.35, 0.25):
            art.line(oval(x + wide * share, y, wide * 0.16, wide * 0.045), "#e6eef4", 2, alpha=0.6, shining=True)
