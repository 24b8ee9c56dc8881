"""Colour: how the hour, the weather and the film's style turn a painter's colour into the one on paper.

Colours are written as "#rrggbb" everywhere else. Nothing in the rest of this room darkens for night or greys for
rain: each colour passes through the picture's one `Grade` at the moment it is laid down.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from pipeline.contracts import TimeOfDay, Weather

RGB = tuple[float, float, float]


@lru_cache(maxsize=4096)
def rgb(colour: str) -> RGB:
    """ "#rrggbb" as three floats 0..1."""
    return int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255


def hexed(colour: RGB) -> str:
    return "#" + "".join(f"{round(max(0.0, min(1.0, c)) * 255):02x}" for c in colour)


def _mixed(a: RGB, b: RGB, t: float) -> RGB:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t


@lru_cache(maxsize=8192)
def mix(a: str, b: str, t: float) -> str:
    """`a` at t=0, `b` at t=1."""
    return hexed(_mixed(rgb(a), rgb(b), t))


def lighter(colour: str, t: float = 0.2) -> str:
    return mix(colour, "#fff6e6", t)


def darker(colour: str, t: float = 0.2) -> str:
    return mix(colour, "#1a1430", t)


def luma(colour: str) -> float:
    r, g, b = rgb(colour)
    return 0.299 * r + 0.587 * g + 0.114 * b


def lip_on(skin: str, red: float) -> str:
    """The lips' colour, `red` (0..1) of it their own; on dark skin they are darker than it, or they would not show."""
    depth = max(0.0, 0.62 - luma(skin))
    return darker(mix(skin, "#a8323c", red), 1.9 * depth)


@dataclass(frozen=True)
class Style:
    """What the project's style words do to the palette. `ink` is the width of drawn outlines in units (0: none)."""

    saturation: float = 1.0
    contrast: float = 1.0
    white: float = 0.0
    tone: str = "#ffffff"
    grain: float = 1.0
    ink: float = 0.0


_STYLES: tuple[tuple[tuple[str, ...], Style], ...] = (
    (("noir", "black and white", "black-and-white", "monochrome", "greyscale", "grayscale", "b&w"),
     Style(saturation=0.0, contrast=1.28, grain=1.8)),
    (("sepia", "vintage", "old photo"), Style(saturation=0.25, tone="#ffe6bd", contrast=1.05, grain=1.8)),
    (("watercolour", "watercolor", "aquarelle", "gouache"), Style(saturation=0.86, white=0.13, grain=1.7)),
    (("pastel", "soft", "gentle", "dreamy"), Style(saturation=0.72, white=0.24)),
    (("vivid", "bright", "colourful", "colorful", "vibrant", "pop art"), Style(saturation=1.22, contrast=1.06)),
    (("comic", "ink", "manga", "anime", "cartoon", "graphic novel"), Style(saturation=1.15, contrast=1.08, ink=2.6)),
    (("sketch", "pencil", "charcoal", "line drawing"), Style(saturation=0.18, white=0.15, grain=2.4, ink=2.2)),
    (("gothic", "dark", "moody", "grim"), Style(saturation=0.78, contrast=1.14, tone="#d8d4e6")),
    (("night", "moonlit", "midnight"), Style(saturation=0.85, tone="#9fb0e0")),
    (("warm", "golden", "autumn"), Style(tone="#ffeccc", saturation=1.05)),
)  # fmt: skip


def style_of(text: str) -> Style:
    lowered = text.lower()
    for words, style in _STYLES:
        if any(word in lowered for word in words):
            return style
    return Style()


@dataclass(frozen=True)
class Grade:
    """Turns a local colour into a lit one: `tint` multiplies it, `style` has the last word."""

    tint: RGB = (1.0, 1.0, 1.0)
    saturation: float = 1.0
    veil: str = "#ffffff"
    veiled: float = 0.0
    style: Style = field(default_factory=Style)

    def lit(self, colour: str, haze: float = 0.0, haze_colour: str = "#ffffff") -> RGB:
        """The colour of a surface that the scene's light falls on."""
        r, g, b = rgb(colour)
        grey = 0.299 * r + 0.587 * g + 0.114 * b
        r, g, b = _mixed((grey, grey, grey), (r, g, b), self.saturation)
        shade = (r * self.tint[0], g * self.tint[1], b * self.tint[2])
        if self.veiled:
            shade = _mixed(shade, rgb(self.veil), self.veiled)
        if haze:
            shade = _mixed(shade, rgb(haze_colour), haze)
        return self.styled(shade)

    def glowing(self, colour: str) -> RGB:
        """The colour of something that shines by itself, or is the sky."""
        return self.styled(rgb(colour))

    def styled(self, colour: RGB) -> RGB:
        style = self.style
        grey = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
        toned = []
        for channel, tone in zip(colour, rgb(style.tone), strict=True):
            value = grey + (channel - grey) * style.saturation
            value = (value - 0.5) * style.contrast + 0.5
            value = value + (1.0 - value) * style.white
            toned.append(max(0.0, min(1.0, value * tone)))
        return toned[0], toned[1], toned[2]


@dataclass(frozen=True)
class Light:
    """The hour and the weather of a picture: sky colours from the top down, and how surfaces are lit."""

    time: TimeOfDay
    weather: Weather
    sky: tuple[str, str, str]
    cloud: str
    tint: RGB
    sun: str
    lamp: float  # 0: lamps are out, 1: they shine

    @property
    def night(self) -> bool:
        return self.time == "night"

    @property
    def haze(self) -> str:
        return self.sky[2]

    @property
    def wet(self) -> bool:
        return self.weather in ("rain", "storm")

    def on_figures(self, grade: Grade) -> Grade:
        """The grade for figures: they keep more of their own colours than the place, so that they stay readable."""
        share = {"night": 0.62, "dusk": 0.6, "dawn": 0.45}.get(self.time, 0.24)
        r, g, b = _mixed(grade.tint, (1.0, 0.92, 0.86) if self.night else (1.0, 1.0, 1.0), share)
        saturation = (grade.saturation + 1.0) / 2
        return replace(grade, tint=(r, g, b), veiled=grade.veiled * 0.2, saturation=saturation)

    def grade(self, style: Style, indoor: bool = False) -> Grade:
        tint, saturation = self.tint, 1.0
        if indoor:
            tint = _INDOOR[self.time]
            saturation = 0.95
        elif self.weather != "clear":
            factor, saturation = _DULL[self.weather]
            tint = (tint[0] * factor, tint[1] * factor, tint[2] * factor)
        veiled = 0.16 if self.weather == "fog" and not indoor else 0.0
        return Grade(tint=tint, saturation=saturation, veil=self.haze, veiled=veiled, style=style)


_SKIES: dict[str, tuple[tuple[str, str, str], str, RGB, str, float]] = {
    "dawn": (("#7c8fc4", "#f0b3b0", "#fde3bd"), "#f9d3cb", (0.95, 0.86, 0.88), "#fff0cf", 0.35),
    "morning": (("#86c3e6", "#c3e2ea", "#fbf0d6"), "#fffaf0", (1.0, 0.985, 0.94), "#fff3c4", 0.0),
    "day": (("#5fb0e2", "#9bd0ec", "#dff1f1"), "#ffffff", (1.0, 1.0, 1.0), "#fff2b8", 0.0),
    "dusk": (("#51447f", "#d56c7d", "#fbb667"), "#e88d84", (0.86, 0.68, 0.70), "#ffd98a", 0.75),
    "night": (("#0c1533", "#1b2c5a", "#3a5285"), "#2c3f70", (0.41, 0.49, 0.74), "#f6f1d8", 1.0),
}
_INDOOR: dict[str, RGB] = {
    "dawn": (0.90, 0.80, 0.80),
    "morning": (1.0, 0.97, 0.92),
    "day": (1.0, 0.99, 0.97),
    "dusk": (0.95, 0.82, 0.73),
    "night": (0.86, 0.76, 0.72),
}
_DULL: dict[str, tuple[float, float]] = {
    "cloudy": (0.93, 0.85),
    "rain": (0.86, 0.72),
    "storm": (0.62, 0.62),
    "snow": (0.96, 0.80),
    "fog": (0.94, 0.60),
    "wind": (0.99, 0.95),
}
_GREY_SKY: dict[str, tuple[str, float]] = {
    "cloudy": ("#b9c4cc", 0.50),
    "rain": ("#8b969f", 0.90),
    "storm": ("#3f4654", 0.78),
    "snow": ("#cfd8e2", 0.62),
    "fog": ("#cfd2d0", 0.80),
}


def light_of(time: TimeOfDay, weather: Weather) -> Light:
    sky, cloud, tint, sun, lamp = _SKIES[time]
    light = Light(time, weather, sky, cloud, tint, sun, lamp)
    if weather in _GREY_SKY:
        grey, amount = _GREY_SKY[weather]
        brightness = {"night": 0.26, "dusk": 0.62, "dawn": 0.86}.get(time, 1.0)
        grey = mix("#0a0f22", grey, brightness)
        amount *= 0.75 if time in ("dusk", "dawn") else 1.0
        top, middle, bottom = (mix(colour, grey, amount) for colour in sky)
        light = replace(light, sky=(top, middle, bottom), cloud=mix(cloud, darker(grey, 0.12), amount),
                        lamp=max(lamp, 0.7 if weather == "storm" else lamp))  # fmt: skip
    return light
