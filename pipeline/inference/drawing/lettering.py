"""Letters of any script: fonts that come as packages, shaped, and set from the right where they are read from there.

Hides which font has which letters. Sizes and places are in pixels here: letters go onto finished pictures.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pipeline.contracts import FilmForm
from pipeline.errors import NeedsSetup
from pipeline.film.captions import LETTERS, SAFE
from pipeline.inference.drawing.shapes import skia

WHITE, INK = 0xFFFFFFFF, 0xE8101018
# Bolder weights are drawn with ink around the regular one: FreeType gets some letters of Noto Sans wrong in between its
# masters, and the East Asian fonts come in one weight.
_WEIGHT = 400.0
_INK = 0.036  # of the letters' size
_OUTLINE = 0.19  # half of it outside the letter
_LINE = 1.3
_FOLDERS = (
    ("fontpkg_noto_sans", "files"),
    ("justmytype_intl_rtl", "fonts"),
    ("justmytype_intl_south_asia", "fonts"),
    ("justmytype_intl_sea", "fonts"),
    ("justmytype_intl_africa", "fonts"),
)
_EAST_ASIAN = ("noto_cjk_sans_otc", "NotoSansCJK-Regular.ttc")
# Which of the collection's faces draws the characters that these languages share.
_EAST_ASIAN_FACES = {
    "ja": "Noto Sans CJK JP",
    "ko": "Noto Sans CJK KR",
    "zh": "Noto Sans CJK SC",
    "zh-tw": "Noto Sans CJK TC",
    "zh-hant": "Noto Sans CJK TC",
    "zh-hk": "Noto Sans CJK HK",
}
_COLLECTION = 5  # its faces with letters of varying width come first
_EMBED_RIGHT, _EMBED_END = "\u2067", "\u2069"


@dataclass(frozen=True)
class _Fonts:
    """`families` in the order in which they are asked for a letter."""

    collection: Any
    families: tuple[str, ...]
    faces: tuple[Any, ...]


@cache
def _fonts() -> _Fonts:
    sk = skia()
    # A manager of its own: the default one asks the system for its fonts, and would complain of its settings.
    reader, provider = sk.FontMgr.New_Custom_Empty(), sk.textlayout_TypefaceFontProvider()
    faces = {}
    for package, folder in _FOLDERS:
        for path in sorted(_place(package, folder).rglob("*.ttf")):
            if "Italic" not in path.name:
                face = _weighted(reader.makeFromFile(str(path)))
                faces[face.getFamilyName()] = face
    collection = str(_place(*_EAST_ASIAN))
    for index in range(_COLLECTION):
        face = reader.makeFromFile(collection, index)
        faces[face.getFamilyName()] = face
    for name, face in faces.items():
        provider.registerTypeface(face, sk.String(name))
    fonts = sk.textlayout_FontCollection()
    fonts.setDefaultFontManager(provider)
    return _Fonts(fonts, tuple(faces), tuple(faces.values()))


def _place(package: str, name: str) -> Path:
    try:
        return Path(str(files(package))) / name
    except ModuleNotFoundError as missing:
        raise NeedsSetup(
            f"The fonts of the package {package} are missing, so no letters can be drawn.", hint="Run `make setup`."
        ) from missing


def _weighted(face: Any) -> Any:
    sk = skia()
    position = sk.FontArguments.VariationPosition
    axes = position.Coordinates([position.Coordinate(int.from_bytes(b"wght", "big"), _WEIGHT)])
    place = position(axes)  # it has to outlive the arguments
    arguments = sk.FontArguments()
    arguments.setVariationDesignPosition(place)
    return face.makeClone(arguments)


def missing_letters(text: str) -> str:
    """The letters and digits of the text that no font has, each once."""
    faces = _fonts().faces
    return "".join(
        char
        for char in dict.fromkeys(text)
        if char.isalnum() and not any(face.unicharToGlyph(ord(char)) for face in faces)
    )


def _drawable(text: str) -> str:
    """Without the signs that no font has (emoji, mostly), which would be empty boxes."""
    faces = _fonts().faces
    kept = (
        char
        for char in text
        if unicodedata.category(char)[0] in "LMNZC" or any(face.unicharToGlyph(ord(char)) for face in faces)
    )
    return " ".join("".join(kept).split())


@dataclass(frozen=True)
class Line:
    """One line of text at one size; `width` in pixels."""

    text: str
    size: float
    language: str

    @property
    def width(self) -> float:
        return float(self._set(WHITE).LongestLine)

    def draw(self, canvas: Any, middle: float, baseline: float, colour: int, outline: int | None = None) -> None:
        """Draws it centred on `middle`, its letters standing on `baseline`; colours are 0xAARRGGBB."""
        strokes = [] if outline is None else [(outline, _OUTLINE)]
        for paint, width in [*strokes, (colour, _INK), (colour, 0.0)]:
            laid = self._set(paint, self.size * width)
            laid.paint(canvas, middle - laid.Width / 2, baseline - laid.AlphabeticBaseline)

    def _set(self, colour: int, stroke: float = 0.0) -> Any:
        sk, fonts = skia(), _fonts()
        spoken = self.language.lower()
        first = _EAST_ASIAN_FACES.get(spoken) or _EAST_ASIAN_FACES.get(spoken[:2])
        families = sorted(fonts.families, key=lambda name: name != first)
        paint = sk.Paint(AntiAlias=True, Color=colour)
        if stroke:
            paint.setStyle(sk.Paint.kStroke_Style)
            paint.setStrokeWidth(stroke)
            paint.setStrokeJoin(sk.Paint.kRound_Join)
        style = sk.textlayout_TextStyle()
        style.setFontFamilies([sk.String(name) for name in families])
        style.setFontSize(self.size)
        style.setForegroundPaint(paint)
        whole = sk.textlayout_ParagraphStyle()
        whole.setTextAlign(sk.textlayout_TextAlign.kCenter)
        whole.setTextStyle(style)
        builder = sk.textlayout_ParagraphBuilder.make(whole, fonts.collection, sk.Unicodes.ICU.Make())
        builder.pushStyle(style)
        builder.addText(_directed(_drawable(self.text)))
        laid = builder.Build()
        laid.layout(1e5)
        return laid


def _directed(text: str) -> str:
    """The text with its direction said, by its first letter: without that, a last full stop is set at the wrong end."""
    first = next((way for char in text if (way := unicodedata.bidirectional(char)) in ("L", "R", "AL")), "L")
    return text if first == "L" else f"{_EMBED_RIGHT}{text}{_EMBED_END}"


def fitting(texts: Sequence[str], size: float, width: float, language: str) -> list[Line]:
    """The lines at one size, the given one or what makes the longest as wide as `width`."""
    lines = [Line(text, size, language) for text in texts]
    longest = max((line.width for line in lines), default=0.0)
    return [Line(line.text, size * min(1.0, width / max(longest, 1.0)), language) for line in lines]


def draw_captions(
    cues: Sequence[tuple[str, ...]], language: str, form: FilmForm, outs: Sequence[Path]
) -> tuple[list[tuple[int, int]], str]:
    """Draws each cue's lines into a PNG with transparency: white letters with a dark outline and a soft shade around,
    which can be read on any picture.

    Gives where each one's top left corner belongs in the film's picture, and the letters that no font has. Raises
    NeedsSetup.
    """
    places = [_draw_cue(lines, language, form, out) for lines, out in zip(cues, outs, strict=True)]
    return places, missing_letters("".join(line for lines in cues for line in lines))


def _draw_cue(texts: Sequence[str], language: str, form: FilmForm, out: Path) -> tuple[int, int]:
    size = LETTERS * (form.width * form.height) ** 0.5
    lines = fitting(texts, size, SAFE * form.width, language)
    size = lines[0].size
    room = size * 0.6
    width = min(form.width, _even(max(line.width for line in lines) + 2 * room))
    height = _even(size * _LINE * len(lines) + 2 * room)
    sk = skia()
    surface = sk.Surface.MakeRaster(sk.ImageInfo.MakeN32Premul(width, height))
    canvas = surface.getCanvas()
    shade = sk.Paint(ImageFilter=sk.ImageFilters.DropShadowOnly(0, 0, size * 0.16, size * 0.16, 0xB0000000))
    for layer in (shade, None):
        canvas.saveLayer(paint=layer)
        for number, line in enumerate(lines):
            line.draw(canvas, width / 2, room + size * (0.96 + _LINE * number), WHITE, INK)
        canvas.restore()
    out.write_bytes(bytes(surface.makeImageSnapshot().encodeToData(sk.kPNG, 100)))
    # A tall screen has the player's own signs at its foot.
    margin = form.height * (0.16 if form.height > form.width else 0.06)
    return _even((form.width - width) / 2), _even(form.height - margin - height + room)


def _even(value: float) -> int:
    """U and V have half the resolution: what is laid over at an odd place would be half a sample off."""
    return max(0, round(value / 2) * 2)
