"""Captions: lines that fit, times that follow the words, text that comes back as it was, in any script."""

from __future__ import annotations

import html
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contracts import FilmForm
from pipeline.film import ffmpeg
from pipeline.film.captions import LINE_WIDTH, Cue, _width, cues, in_lines, later, line_width, write_srt, write_vtt
from pipeline.film.timeline import SpokenSegment
from tests.film.test_timeline import TEXT, spoken

CHINESE = (
    "你好世界，这是一个很长的句子，用来测试字幕在没有空格的文字里怎样换行，因为每一行都不能太长，所以要分成几个部分。"
)
SCRIPTS = (
    TEXT * 3,
    CHINESE,
    "これはとても長い日本語の文章です。「字幕」は二行までしか表示できません。だから、いくつかに分けます。",
    "هذه جملة طويلة جدا باللغة العربية، وهي تستخدم لاختبار الترجمة، ويجب أن تقسم إلى عدة أسطر وأجزاء قصيرة.",
    "यह एक बहुत लंबा वाक्य है जिसका उपयोग उपशीर्षकों की जाँच के लिए किया जाता है और इसे बाँटना होगा।",
    "👩‍👩‍👧‍👦" * 30,
    "x" * 300,
    "Ein Satz mit Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen darin.",
    "tab\there \x00\x07 and\nnew line --> <b>&amp;</b> {\\an8}",
    "",
    "   ",
)


def flat(text: str) -> str:
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", "", text)


@given(st.sampled_from(SCRIPTS) | st.text(max_size=300), st.integers(0, 20_000), st.booleans())
def test_cues_fit_keep_all_text_and_follow_each_other(text: str, length: int, words: bool) -> None:
    segment = spoken(text, 1_000, 1_000 + length, words=words and len(text) > 0)
    made = cues([segment])
    for cue in made:
        assert 1 <= len(cue.lines) <= 2
        assert all(line.strip() and (_width(line) <= LINE_WIDTH or not line.isascii()) for line in cue.lines)
        assert 1_000 <= cue.start_ms < cue.end_ms <= 1_000 + length
    assert all(a.end_ms <= b.start_ms for a, b in pairwise(made))
    if length > 1_000:
        assert flat("".join(line for cue in made for line in cue.lines)) == flat(text)


@pytest.mark.parametrize("text", [one for one in SCRIPTS if one.strip()])
def test_every_script_gets_short_lines(text: str) -> None:
    for cue in cues([spoken(text, 0, 30_000)]):
        assert all(_width(line) <= LINE_WIDTH + 2 for line in cue.lines)


def test_wide_letters_get_fewer_to_a_line() -> None:
    lines = [line for cue in cues([spoken(CHINESE, 0, 20_000, words=False)]) for line in cue.lines]
    assert max(map(len, lines)) <= 21
    assert not any(line[0] in "，。" for line in lines)


def test_a_long_segment_is_split_when_its_words_are_spoken() -> None:
    segment = spoken(TEXT, 2_000, 10_000)
    first, second = cues([segment])
    assert " ".join(first.lines) == "The old boat, patched twice, lay by the harbour wall."
    spoken_at = next(word.start_ms for word in segment.words if word.start == TEXT.index("Nobody"))
    assert (first.start_ms, first.end_ms) == (2_000, 2_000 + spoken_at)
    assert (second.start_ms, second.end_ms) == (2_000 + spoken_at, 10_000)


def test_word_times_that_make_no_sense_are_not_followed() -> None:
    good = spoken(TEXT, 0, 8_000)
    late = tuple(word.model_copy(update={"start_ms": 60_000}) for word in good.words)
    made = cues([SpokenSegment(0, 0, "narration", None, TEXT, 0, 8_000, late)])
    assert len(made) == 2
    assert made[0].end_ms == made[1].start_ms < made[1].end_ms == 8_000


@pytest.mark.parametrize("text", [one for one in SCRIPTS if one.strip()])
@pytest.mark.parametrize("aspect", ["16:9", "9:16", "1:1"])
def test_a_narrow_picture_gets_narrow_lines(text: str, aspect: str) -> None:
    width = line_width(FilmForm.of(aspect))  # type: ignore[arg-type]
    assert width == {"16:9": 42, "9:16": 26, "1:1": 35}[aspect]
    made = cues([spoken(text, 0, 30_000)], width=width)
    assert all(len(cue.lines) <= 2 and _width(line) <= width + 2 for cue in made for line in cue.lines)
    assert flat("".join(line for cue in made for line in cue.lines)) == flat(text)


@given(st.sampled_from(SCRIPTS) | st.text(max_size=80), st.integers(1, 6))
def test_a_title_is_set_in_few_lines_about_equally_long(text: str, most: int) -> None:
    lines = in_lines(text, most)
    assert len(lines) <= most
    assert flat("".join(lines)) == flat(text)


def test_a_title_s_lines_are_balanced() -> None:
    assert in_lines("The Crow and the Fiddle", 2) == ("The Crow and", "the Fiddle")
    assert in_lines("乌鸦与小提琴", 2) == ("乌鸦与", "小提琴")


def test_later_cues_have_the_same_words() -> None:
    made = cues([spoken(TEXT, 0, 9_000)])
    moved = later(made, 3_000)
    assert [(cue.start_ms - 3_000, cue.end_ms - 3_000, cue.lines) for cue in moved] == [
        (cue.start_ms, cue.end_ms, cue.lines) for cue in made
    ]


def test_a_very_long_segment_is_no_trouble() -> None:
    made = cues([spoken("many words follow each other, " * 400, 0, 900_000)])
    assert len(made) > 140
    assert made[-1].end_ms == 900_000


def test_files_have_exact_times_and_escapes(tmp_path: Path) -> None:
    made = [Cue(0, 1_001, ("a < b & c --> d", "second")), Cue(3_661_500, 3_662_007, ("{\\an8}你好",))]
    write_srt(made, tmp_path / "c.srt")
    write_vtt(made, tmp_path / "c.vtt")
    assert (tmp_path / "c.srt").read_text("utf-8") == (
        "1\n00:00:00,000 --> 00:00:01,001\na ‹ b & c --› d\nsecond\n\n2\n01:01:01,500 --> 01:01:02,007\n(\\an8)你好\n"
    )
    assert (tmp_path / "c.vtt").read_text("utf-8") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.001\na &lt; b &amp; c --&gt; d\nsecond\n\n"
        "01:01:01.500 --> 01:01:02.007\n{\\an8}你好\n"
    )
    write_vtt([], tmp_path / "empty.vtt")
    assert (tmp_path / "empty.vtt").read_text() == "WEBVTT\n"


@pytest.mark.parametrize("text", [one for one in SCRIPTS if one.strip() and "{" not in one])
def test_files_are_read_back_as_they_were(tmp_path: Path, text: str) -> None:
    made = cues([spoken(text, 0, 20_000)])
    write_vtt(made, tmp_path / "c.vtt")
    write_srt(made, tmp_path / "c.srt")
    for name in ("c.vtt", "c.srt"):
        form = "webvtt" if name.endswith("vtt") else "srt"
        raw = ffmpeg.run(["-f", form, "-i", str(tmp_path / name), "-f", "srt", "pipe:1"], timeout_s=20).stdout.decode()
        spoken_lines = [line for line in raw.splitlines() if line and "-->" not in line and not line.isdigit()]
        assert flat(html.unescape("".join(spoken_lines))) == flat(text)


def test_half_characters_do_not_break_the_file(tmp_path: Path) -> None:
    write_srt(cues([spoken("broken \ud83d here", 0, 1_000)]), tmp_path / "c.srt")
    assert "broken ? here" in (tmp_path / "c.srt").read_text("utf-8")
