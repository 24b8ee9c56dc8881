"""What a user may choose about the finished film. Pure.

The choices are kept together in a project's `options`, under `KEY`; they are fields of the project all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pipeline.contracts import Value

KEY = "film"
# Whole frames at 24 a second, so that what comes after a card keeps its place on the grid.
CARD_MS = 3_000

CaptionStyle = Literal["track", "burned"]
Quality = Literal["full", "draft"]
SoundBed = Literal["auto", "on", "off"]


class FilmOptions(Value):
    """`captions`: a track of the film that players can show (always there), or in the picture too. `title_card`,
    `end_card`: pictures with the title and with closing words, before and after what is told. `fades`: the picture dims
    for a moment where time passes between two scenes. `quality`: a draft is drawn at half the size, by the built-in
    engines. `sound_bed`: quiet music and the sounds of the place under the voices; `auto` lays it where no voice was
    bought."""

    captions: CaptionStyle = "track"
    title_card: bool = False
    end_card: bool = False
    fades: bool = True
    quality: Quality = "full"
    sound_bed: SoundBed = "auto"

    @property
    def lead_ms(self) -> int:
        """How long the film runs before the narration begins."""
        return CARD_MS if self.title_card else 0

    @property
    def tail_ms(self) -> int:
        """How long it runs on after the narration has ended."""
        return CARD_MS if self.end_card else 0


def film_options(options: Mapping[str, Any] | None) -> FilmOptions:
    """The choices out of a project's `options`; what was never chosen is as it is for a new project."""
    return FilmOptions.model_validate((options or {}).get(KEY) or {})


def with_choices(options: Mapping[str, Any] | None, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """A project's `options` with these choices made."""
    known = dict(options or {})
    return known | {KEY: {**(known.get(KEY) or {}), **chosen}} if chosen else known
