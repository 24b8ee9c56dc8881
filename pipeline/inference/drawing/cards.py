"""The cards before and after a film: words on a plate of paper, in front of a picture of the film out of focus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.contracts import FilmForm
from pipeline.film.captions import in_lines
from pipeline.inference.drawing.lettering import Line, fitting
from pipeline.inference.drawing.paint import Art
from pipeline.inference.drawing.palette import Grade, darker, hexed, lighter, mix
from pipeline.inference.drawing.shapes import Point, box, hill, skia
from pipeline.inference.drawing.words import Lots

_OVERSCAN = 1.25  # cards are filmed with a little drift, as frames are
_PAPER, _INK = "#f7eedd", 0xFF3B2F36
_NIGHT = "#39424e"
_PLATE = (0.74, 0.46)  # of the sheet
_TEXT = (0.82, 0.68)  # of the plate
_MOST_LINES = 7
_LINE = 1.3  # in sizes of the letters


def draw_card(words: str, language: str, behind: Path | None, form: FilmForm, out: Path) -> None:
    """Draws a card into `out` (PNG), a quarter larger than the film.

    `behind`: a picture of the film, which gives the card its light and its colours. Raises NeedsSetup.
    """
    width, height = (round(side * _OVERSCAN / 2) * 2 for side in (form.width, form.height))
    art = Art(width, height, Grade())
    tone = _background(art, behind)
    _edges(art, tone)
    _plate(art, tone)
    art.finish(out)
    _letter(out, words, language)


def _background(art: Art, behind: Path | None) -> str:
    """Covers the sheet; gives the colour that the picture has on the whole."""
    picture = None if behind is None else cv2.imread(str(behind), cv2.IMREAD_COLOR)
    if picture is None:
        art.fill(box(0, 0, art.w, art.h), _NIGHT)
        return _NIGHT
    art.cover(picture)
    art.soften(14)
    blue, green, red = (float(part) / 255 for part in picture.reshape(-1, 3).mean(axis=0))
    return hexed((red, green, blue))


def _edges(art: Art, tone: str) -> None:
    """Three cut sheets above and below, the nearest the darkest."""
    lots = Lots("card", tone)
    for sheet in range(3):
        colour = darker(lighter(tone, 0.22 - 0.16 * sheet), 0.10 + 0.22 * sheet)
        depth = art.h * (0.17 - 0.05 * sheet)
        below = [(x, art.h - depth * lots.between(f"{sheet}b{x:.0f}", 0.7, 1.2)) for x in _steps(art)]
        art.fill(hill(below, art.h + 40), colour, shadow=16, shade=0.1)
        above: list[Point] = [(x, depth * 0.8 * lots.between(f"{sheet}a{x:.0f}", 0.6, 1.15)) for x in _steps(art)]
        art.fill(hill(above, -40), colour, shadow=16)


def _steps(art: Art) -> list[float]:
    return [art.w * (-0.05 + 1.1 * step / 7) for step in range(8)]


def _plate(art: Art, tone: str) -> None:
    width, height = art.w * _PLATE[0], art.h * _PLATE[1]
    if art.h > art.w:
        height = art.h * 0.34
    x, y = (art.w - width) / 2, (art.h - height) / 2
    for grow, colour, lift in ((26, mix(tone, _PAPER, 0.35), 26.0), (0, _PAPER, 14.0)):
        art.fill(box(x - grow, y - grow, width + 2 * grow, height + 2 * grow, 34), colour, shadow=lift, shade=0.05)
    art.line(box(x + 22, y + 22, width - 44, height - 44, 20), mix(tone, _PAPER, 0.45), 3.5)


def _letter(card: Path, words: str, language: str) -> None:
    """Sets the words in the middle of the plate, as large as they fit."""
    drawn: Any = cv2.imread(str(card), cv2.IMREAD_COLOR)
    pixels = cv2.cvtColor(drawn, cv2.COLOR_BGR2BGRA)
    height, width = pixels.shape[:2]
    share = 0.34 if height > width else _PLATE[1]
    lines = _set(words, language, width * _PLATE[0] * _TEXT[0], height * share * _TEXT[1])
    sk = skia()
    info = sk.ImageInfo.Make(width, height, sk.kBGRA_8888_ColorType, sk.kOpaque_AlphaType)
    surface = sk.Surface.MakeRasterDirect(info, pixels)
    baseline = height / 2 + lines[0].size * (0.36 - _LINE * (len(lines) - 1) / 2)
    for number, line in enumerate(lines):
        line.draw(surface.getCanvas(), width / 2, baseline + number * line.size * _LINE, _INK)
    surface.flushAndSubmit()
    cv2.imwrite(str(card), np.ascontiguousarray(pixels[:, :, :3]), [cv2.IMWRITE_PNG_COMPRESSION, 1])


def _set(words: str, language: str, width: float, height: float) -> list[Line]:
    """The words in the lines that let them be largest."""
    tries = (
        fitting(texts, height / max(2.0, len(texts) * _LINE), width, language)
        for texts in (in_lines(words, count) for count in range(1, _MOST_LINES + 1))
    )
    return max(tries, key=lambda lines: lines[0].size)
