"""What falls and blows in front of a place: rain, snow, leaves, fog. A page of it meets itself at its edges, so that a
clip can let it fall for as long as it likes."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sin

from pipeline.inference.drawing.paint import Art, Sheet
from pipeline.inference.drawing.palette import Light, Style
from pipeline.inference.drawing.shapes import box, joined, oval, poly, smooth
from pipeline.inference.drawing.words import Lots


@dataclass(frozen=True)
class Fall:
    """A page of what falls, and how it moves: page heights a second to the right and down, and `sway` from side to
    side in page heights."""

    sheet: Sheet
    across: float
    down: float
    sway: float = 0.0

    def at(self, seconds: float) -> tuple[float, float]:
        """How far it has come, in page heights to the right and down."""
        return self.across * seconds + self.sway * sin(2 * pi * seconds / 4.3), self.down * seconds


def falling(art: Art, light: Light, lots: Lots, strength: float = 1.0, far: bool = False) -> None:
    """Paints it in front of everything; `far`: the part behind the figures, which only rain and snow have."""
    if light.weather == "fog":
        if not far:
            _fog(art, light)
        return
    for dx, dy in ((0.0, 0.0), (art.w, 0.0), (0.0, -art.h), (art.w, -art.h)):
        with art.at(dx, dy):
            if light.wet:
                _rain(art, light, lots, strength * (1.5 if far else 0.75), far)
            elif light.weather == "snow":
                _snow(art, light, lots, strength, far)
            elif light.weather == "wind" and not far:
                _leaves(art, lots)


def fall(
    light: Light, style: Style, lots: Lots, width: int, height: int, strength: float = 1.0, far: bool = False
) -> Fall | None:
    """What falls in a clip of `width` x `height` pixels; None where nothing does, or nothing that moves."""
    if light.weather not in ("rain", "storm", "snow", "wind") or (far and light.weather == "wind"):
        return None
    art = Art(width, height, light.grade(style), light.haze, apart=True)
    falling(art, light, lots, strength, far)
    speed = 0.7 if far else 1.0
    if light.wet:
        down = 1.75 * speed
        return Fall(art.sheets[0], -_slant(light) * down, down)
    if light.weather == "snow":
        return Fall(art.sheets[0], 0.012, 0.11 * speed, 0.012)
    return Fall(art.sheets[0], 0.34, 0.05, 0.01)


def _slant(light: Light) -> float:
    return 0.62 if light.weather == "storm" else 0.30


def _rain(art: Art, light: Light, lots: Lots, strength: float, far: bool) -> None:
    """Slanting streaks, finer and denser where they are `far`; one path for each of three strengths of line."""
    count = int((240 if light.weather == "storm" else 190) * strength)
    name = "far" if far else "near"
    for group in range(3):
        streaks = []
        for k in range(group, count, 3):
            x, y = lots.number(f"{name} x{k}") * art.w, lots.number(f"{name} y{k}") * art.h
            length = lots.between(f"{name} l{k}", 50, 90) * (0.75 if far else 1.0 + 0.3 * group)
            streaks.append(poly([(x, y), (x - _slant(light) * length, y + length)], False))
        art.line(joined(*streaks), "#dfeaf3", (1.3 if far else 1.8) + 0.35 * group, alpha=0.36 if far else 0.40,
            shining=True)  # fmt: skip


def _snow(art: Art, light: Light, lots: Lots, strength: float, far: bool) -> None:
    name, least, most = ("far ", 1.6, 3.6) if far else ("", 3.0, 7.0)
    for k in range(int((120 if far else 90) * strength)):
        r = lots.between(f"{name}sr{k}", least, most)
        art.fill(oval(lots.number(f"{name}sx{k}") * art.w, lots.number(f"{name}sy{k}") * art.h, r), "#ffffff",
            alpha=0.9 if not light.night else 0.75, shining=True)  # fmt: skip


def _leaves(art: Art, lots: Lots) -> None:
    for k in range(9):
        x, y = lots.number(f"wx{k}") * art.w, lots.number(f"wy{k}") * art.h * 0.8
        gust = [(x, y), (x - 90, y - 12), (x - 190, y + 6), (x - 260, y - 8), (x - 250, y - 26), (x - 236, y - 16)]
        art.line(smooth([(px + 260, py) for px, py in gust], False), "#ffffff", 3, alpha=0.38, shining=True)
        lx, ly = lots.number(f"lx{k}") * art.w, lots.number(f"ly{k}") * art.h
        with art.at(lx, ly, turn=lots.between(f"lt{k}", 0, 360)):
            art.fill(smooth([(-14, 0), (0, -7), (16, 0), (0, 7)]), "#c98a3c", shadow=2)


def _fog(art: Art, light: Light) -> None:
    for k in range(5):
        y = art.h * (0.34 + 0.13 * k)
        band = box(-40, y - 90, art.w + 80, 200)
        art.blend(band, [(light.haze, 0), (light.haze, 0.42 - 0.04 * k), (light.haze, 0)], shining=True)
