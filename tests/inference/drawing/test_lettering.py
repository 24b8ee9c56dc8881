"""Captions and cards in many scripts, measured on their pictures: fitting, shaped, the right way round, readable."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import AspectRatio, FilmForm
from pipeline.film.captions import SAFE, cues, line_width
from pipeline.film.timeline import SpokenSegment
from pipeline.inference.drawing.cards import draw_card
from pipeline.inference.drawing.lettering import Line, draw_captions, missing_letters

TEXTS = {
    "en": "The old boat, patched twice, lay by the harbour wall. Nobody had sailed it since the great storm.",
    "zh": "那只旧船补过两次，静静地停在港口的墙边。“没有人再驾驶过它！”老渔夫说，海鸥就把它当成了家。",
    "ar": "كان القارب القديم، الذي رُقِّع مرتين، راسيًا بجانب جدار الميناء. قال الصياد: «لم يبحر به أحد منذ عام 1987!».",
    "he": "הסירה הישנה עגנה ליד קיר הנמל. איש לא הפליג בה מאז הסערה הגדולה.",
    "hi": "पुरानी नाव बंदरगाह की दीवार के पास खड़ी थी। तूफ़ान के बाद किसी ने उसे नहीं चलाया।",
    "th": "เรือเก่าจอดอยู่ข้างกำแพงท่าเรือ ไม่มีใครแล่นมันตั้งแต่พายุใหญ่",
    "ru": "Старая лодка стояла у стены гавани. Никто не выходил на ней в море со времён большой бури.",
    "ja": "古い船は港の壁のそばにありました。大きな嵐のあと、だれも乗っていません。",
    "ko": "낡은 배가 항구 벽 옆에 있었다. 큰 폭풍 이후 아무도 타지 않았다.",
}
ASPECTS: tuple[AspectRatio, ...] = ("16:9", "9:16", "1:1")


def shown_on(colour: int, strip: Path) -> NDArray[np.float64]:
    """The strip laid over a plain picture: its luma."""
    pixels = cv2.imread(str(strip), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    alpha = pixels[:, :, 3:].astype(float) / 255
    laid = pixels[:, :, :3] * alpha + colour * (1 - alpha)
    return np.asarray(laid @ np.array([0.114, 0.587, 0.299]))


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("language", TEXTS)
def test_captions_fit_the_safe_area_and_stand_out_on_any_picture(
    language: str, aspect: AspectRatio, tmp_path: Path
) -> None:
    form = FilmForm.of(aspect)
    made = cues([SpokenSegment(0, 0, "narration", None, TEXTS[language], 0, 9_000)], width=line_width(form))
    strip = tmp_path / "strip.png"
    for cue in made:
        assert len(cue.lines) <= 2
        ((x, y),), missing = draw_captions([cue.lines], language, form, [strip])
        assert missing == ""
        white = shown_on(0, strip) > 235
        rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
        side = form.width * (1 - SAFE) / 2 - 2
        assert x + columns[0] >= side and x + columns[-1] <= form.width - side
        assert form.height * 0.6 < y + rows[0] and y + rows[-1] < form.height * 0.97
        assert (x % 2, y % 2) == (0, 0)
        # Letters are large enough for a phone, and every one has dark around it, on white as on black.
        assert rows[-1] - rows[0] > 0.03 * form.height * len(cue.lines)
        on_white = shown_on(255, strip)
        around = cv2.dilate(white.astype(np.uint8), np.ones((9, 9))).astype(bool) & ~white
        assert on_white[white].min() > 235
        assert np.percentile(on_white[around], 40) < 60


def ink(line: Line) -> NDArray[np.bool_]:
    """Where a line has ink, on a sheet of its own."""
    from pipeline.inference.drawing.shapes import skia

    sk = skia()
    width, height = int(line.width) + 80, int(line.size * 2.2)
    pixels = np.zeros((height, width, 4), np.uint8)
    info = sk.ImageInfo.Make(width, height, sk.kBGRA_8888_ColorType, sk.kPremul_AlphaType)
    surface = sk.Surface.MakeRasterDirect(info, pixels)
    line.draw(surface.getCanvas(), width / 2, line.size * 1.5, 0xFFFFFFFF)
    surface.flushAndSubmit()
    return np.asarray(pixels[:, :, 3] > 128)


def test_arabic_letters_are_joined() -> None:
    joined, apart = Line("بيت", 60, "ar"), Line("ب ي ت", 60, "ar")
    assert joined.width < 0.7 * apart.width
    count, _ = cv2.connectedComponents(ink(Line("سلسلة", 60, "ar"))[:90].astype(np.uint8))
    assert count - 1 <= 3, "one body and the dots of its last letter"


@pytest.mark.parametrize(("text", "language"), [("قال الغراب نعم.", "ar"), ("אמר העורב.", "he")])
def test_a_line_that_is_read_from_the_right_ends_at_the_left(text: str, language: str) -> None:
    seen = ink(Line(text, 60, language))
    columns = np.flatnonzero(seen.any(axis=0))
    first = seen[:, columns[0] : columns[0] + 8]
    rows = np.flatnonzero(first.any(axis=1))
    assert rows[-1] - rows[0] < 16, "the full stop, small and on the baseline"
    assert abs(rows[-1] - 90) < 8


def test_languages_that_share_characters_have_their_own_forms_of_them() -> None:
    def drawn(language: str) -> bytes:
        return ink(Line("骨直", 90, language)).tobytes()

    assert drawn("zh") == drawn("zh-CN")
    assert drawn("zh") != drawn("ja")
    assert drawn("zh") != drawn("zh-TW")


def test_signs_that_no_font_has_are_left_out_and_letters_are_named() -> None:
    assert (ink(Line("A fox 🦊", 60, "en")) == ink(Line("A fox", 60, "en"))).all()
    assert missing_letters("abc 漢字 نعم 𐌰𐌱 𐌰") == "𐌰𐌱"


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("words", ["The End", "乌鸦与小提琴", "الغراب والكمان الصغير", "x" * 90, "A Word, " * 30])
def test_cards_have_their_words_on_the_plate(words: str, aspect: AspectRatio, tmp_path: Path) -> None:
    form = FilmForm.of(aspect)
    form = FilmForm(width=form.width // 2, height=form.height // 2)
    draw_card(words, "en", None, form, tmp_path / "card.png")
    draw_card(words, "en", None, form, tmp_path / "again.png")
    assert (tmp_path / "card.png").read_bytes() == (tmp_path / "again.png").read_bytes()
    picture = cv2.imread(str(tmp_path / "card.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    height, width = picture.shape
    assert width >= form.width * 1.2 and height >= form.height * 1.2
    across, down = slice(int(width * 0.17), int(width * 0.83)), slice(int(height * 0.36), int(height * 0.64))
    plate = picture[down, across]
    assert np.median(plate) > 200, "paper"
    assert 0.01 < (plate < 110).mean() < 0.5, "ink"
    rim = np.r_[plate[:, :6].ravel(), plate[:, -6:].ravel()]
    assert (rim < 110).mean() < 0.02, "the words keep off the plate's edge"
