"""What a place painter gets to know: the words, the light, the lots, and where the ground lies."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.inference.drawing.palette import Light
from pipeline.inference.drawing.words import Lots, Text


@dataclass(frozen=True)
class Scene:
    """`horizon` is a height on the sheet in units: the eye line outdoors, the foot of the back wall indoors."""

    text: Text
    light: Light
    lots: Lots
    horizon: float
    made_bed: bool = True  # false where a sleeper brings the bed along

    @property
    def snowy(self) -> bool:
        return self.light.weather == "snow" or self.text.has(
            "snow", "snowy", "snowfield", "winter", "frozen", "ice", "icy"
        )
