"""Clips from anywhere: every kind of damage is refused, every odd form becomes the film form, no frame is off by more
than half of one."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import numpy as np
import pytest

from pipeline.contracts import FilmForm
from pipeline.errors import BadMedia, Cancelled
from pipeline.film import clips, ffmpeg
from tests.film.pictures import SMALL, luma, make_clip, numbers_in, picture

X264 = ("-c:v", "libx264", "-preset", "ultrafast")


def expected(frames: int, fps: int, count: int) -> list[set[int]]:
    """Which source frames may be seen at each film frame: those on show within half a film frame of its time."""
    seen = []
    for k in range(frames):
        times = [(k + shift) / 24 for shift in (-0.5, 0.0, 0.5)]
        seen.append({min(count - 1, max(0, int(time * fps + 1e-6))) for time in times})
    return seen


def assert_in_form(clip: Path, frames: int, form: FilmForm = SMALL) -> None:
    report = ffmpeg.probe(clip)
    assert (report.codec, report.pix_fmt, report.width, report.height) == ("h264", "yuv420p", form.width, form.height)
    assert (report.fps, report.frames, report.start_ms, report.b_frames) == (form.fps, frames, 0, False)
    assert (report.has_audio, report.rotation, report.colour_space) == (False, 0, "bt709")
    found = ffmpeg.decode_check(clip)
    assert (found.frames, found.steady) == (frames, True)


@pytest.mark.parametrize("fps", [12, 16, 24, 25, 30, 60])
def test_rates_become_the_films_by_repeating_frames(tmp_path: Path, fps: int) -> None:
    source = make_clip(tmp_path / "in.mp4", range(fps * 3), fps=fps)
    accepted = clips.accept_clip(source, 60, SMALL, tmp_path / "out.mp4")
    assert accepted == clips.AcceptedClip(60, 3_000, 0)
    assert_in_form(tmp_path / "out.mp4", 60)
    shown = numbers_in(tmp_path / "out.mp4", SMALL)
    assert all(number in allowed for number, allowed in zip(shown, expected(60, fps, fps * 3), strict=True))
    if fps == 24:
        assert shown == list(range(60))


def test_a_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    """Frames 0..11 last 1/24 s each, 12..23 three times as long."""
    stretch = "setpts='if(lt(N,12),N,12+3*(N-12))/24/TB'"
    extra = ("-vf", stretch, "-fps_mode", "vfr", "-enc_time_base", "1/24")
    source = make_clip(tmp_path / "in.mp4", range(24), extra=extra)
    clips.accept_clip(source, 45, SMALL, tmp_path / "out.mp4")
    assert numbers_in(tmp_path / "out.mp4", SMALL) == [*range(12), *[12 + n // 3 for n in range(33)]]


@pytest.mark.parametrize("size", [(191, 107), (108, 192), (150, 150), (640, 360), (96, 54), (320, 100)])
def test_sizes_cover_the_frame_without_distortion(tmp_path: Path, size: tuple[int, int]) -> None:
    source = make_clip(tmp_path / "in.mp4", [5, 600, 40_000], size=size, codec=(*X264, "-pix_fmt", "yuv444p"))
    clips.accept_clip(source, 3, SMALL, tmp_path / "out.mp4")
    assert_in_form(tmp_path / "out.mp4", 3)
    assert numbers_in(tmp_path / "out.mp4", SMALL, source=size) == [5, 600, 40_000]


def test_pixels_that_are_not_square_are_stretched(tmp_path: Path) -> None:
    """Stored 96 x 108 with pixels twice as wide as high, which is the shape of the form."""
    wide = ("-vf", "scale=96:108,setsar=2/1")
    source = make_clip(tmp_path / "in.mp4", [1234, 4321], extra=wide)
    clips.accept_clip(source, 2, SMALL, tmp_path / "out.mp4")
    assert numbers_in(tmp_path / "out.mp4", SMALL) == [1234, 4321]


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_clip_is_set_upright(tmp_path: Path, degrees: int) -> None:
    """A phone stores the picture lying and a flag; what is shown has to be what a player shows."""
    numbers = [0b1000_0000_0000_0001, 0b0000_0000_0000_0011]
    upright = [np.rot90(picture(number, 192, 108), k=degrees // 90).tobytes() for number in numbers]
    size = "192x108" if degrees == 180 else "108x192"
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", size, "-r", "24", "-i", "pipe:0"]
    plain = tmp_path / "plain.mp4"
    ffmpeg.run([*raw, *X264, "-pix_fmt", "yuv420p", str(plain)], timeout_s=20, stdin=b"".join(upright))
    turned = tmp_path / "turned.mp4"
    ffmpeg.run(["-display_rotation", str(-degrees), "-i", str(plain), "-c", "copy", str(turned)], timeout_s=20)
    assert ffmpeg.probe(turned).rotation == degrees
    clips.accept_clip(turned, 2, SMALL, tmp_path / "out.mp4")
    assert_in_form(tmp_path / "out.mp4", 2)
    assert numbers_in(tmp_path / "out.mp4", SMALL) == numbers


@pytest.mark.parametrize(
    "codec",
    [
        ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=0"),
        (*X264, "-pix_fmt", "yuv422p10le", "-profile:v", "high422"),
        ("-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p", "-color_range", "pc"),
        ("-c:v", "mpeg4", "-q:v", "3"),
    ],
)
def test_other_codecs_and_depths(tmp_path: Path, codec: tuple[str, ...]) -> None:
    source = make_clip(tmp_path / "in.mp4", range(12), codec=codec)
    clips.accept_clip(source, 12, SMALL, tmp_path / "out.mp4")
    assert_in_form(tmp_path / "out.mp4", 12)
    assert numbers_in(tmp_path / "out.mp4", SMALL) == list(range(12))


def test_hdr_is_brought_down_to_a_plain_screen(tmp_path: Path) -> None:
    hdr = (
        "-pix_fmt",
        "yuv420p10le",
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
    )
    codec = ("-c:v", "libx265", "-preset", "ultrafast", *hdr, "-x265-params", "log-level=0")
    source = make_clip(tmp_path / "in.mp4", [0xFFFF, 0x0000], codec=codec)
    clips.accept_clip(source, 2, SMALL, tmp_path / "out.mp4")
    assert_in_form(tmp_path / "out.mp4", 2)
    bright, dark = (frame[40:68, 80:112].mean() for frame in luma(tmp_path / "out.mp4", SMALL))
    assert bright > 200
    assert dark < 60


def test_webm_and_sound(tmp_path: Path) -> None:
    tone = ("-f", "lavfi", "-t", "1", "-i", "sine")
    webm = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus", "-f", "webm")
    for codec in (webm, (*X264, "-pix_fmt", "yuv420p", "-c:a", "aac")):
        source = make_clip(tmp_path / "in.mp4", range(24), codec=codec, inputs=tone)
        assert ffmpeg.probe(source).has_audio
        clips.accept_clip(source, 24, SMALL, tmp_path / "out.mp4")
        assert_in_form(tmp_path / "out.mp4", 24)
        assert numbers_in(tmp_path / "out.mp4", SMALL) == list(range(24))


def test_colours_survive_whatever_the_source_says_of_them(tmp_path: Path) -> None:
    """A red of (200, 30, 40) in BT.601 or BT.709, tagged or not, is the same red in the film."""
    for height, matrix, tags in ((360, "bt601", ()), (360, "bt709", ("-colorspace", "bt709")), (720, "bt709", ())):
        red = f"color=c=0xC81E28:s={height * 16 // 9}x{height}:r=24:d=0.2"
        convert = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"
        source = tmp_path / "in.mp4"
        ffmpeg.run(["-f", "lavfi", "-i", red, "-vf", convert, *X264, *tags, str(source)], timeout_s=20)
        clips.accept_clip(source, 2, SMALL, tmp_path / "out.mp4")
        args = ["-i", str(tmp_path / "out.mp4"), "-vf", "scale=in_color_matrix=bt709", "-frames:v", "1"]
        raw = ffmpeg.run([*args, "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"], timeout_s=20).stdout
        assert np.abs(np.frombuffer(raw[:3], np.uint8).astype(int) - (200, 30, 40)).max() <= 6


@pytest.mark.parametrize("missing", [6, 24, 48])
def test_a_short_clip_holds_its_last_frame(tmp_path: Path, missing: int) -> None:
    """0.25 to 2 s too short."""
    source = make_clip(tmp_path / "in.mp4", range(60))
    accepted = clips.accept_clip(source, 60 + missing, SMALL, tmp_path / "out.mp4")
    assert accepted.actual_ms == 2_500
    assert accepted.shortfall_ms == missing * 1000 // 24
    assert numbers_in(tmp_path / "out.mp4", SMALL) == [*range(60), *[59] * missing]


@pytest.mark.parametrize("more", [6, 24, 48])
def test_a_long_clip_is_cut_exactly(tmp_path: Path, more: int) -> None:
    source = make_clip(tmp_path / "in.mp4", range(60 + more))
    accepted = clips.accept_clip(source, 60, SMALL, tmp_path / "out.mp4")
    assert (accepted.actual_ms, accepted.shortfall_ms) == ((60 + more) * 1000 // 24, 0)
    assert numbers_in(tmp_path / "out.mp4", SMALL) == list(range(60))


def test_one_frame_is_a_still_and_none_is_refused(tmp_path: Path) -> None:
    one = make_clip(tmp_path / "one.mp4", [77])
    accepted = clips.accept_clip(one, 10, SMALL, tmp_path / "out.mp4")
    assert accepted.shortfall_ms == 417 - accepted.actual_ms > 300
    assert numbers_in(tmp_path / "out.mp4", SMALL) == [77] * 10
    tone = ["-f", "lavfi", "-t", "1", "-i", "sine", "-c:a", "aac", "-f", "mp4"]
    ffmpeg.run([*tone, str(tmp_path / "sound.mp4")], timeout_s=20)
    none = ["-i", str(one), "-c", "copy", "-frames:v", "0", "-f", "mp4"]
    ffmpeg.run([*none, str(tmp_path / "none.mp4")], timeout_s=20)
    for name in ("sound.mp4", "none.mp4"):
        with pytest.raises(BadMedia):
            clips.accept_clip(tmp_path / name, 10, SMALL, tmp_path / "no.mp4")
    assert not (tmp_path / "no.mp4").exists()


def test_a_clip_cut_by_an_edit_list_starts_where_players_start(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", range(60), codec=("-c:v", "libx264", "-pix_fmt", "yuv420p"))
    ffmpeg.run(["-ss", "1", "-i", str(whole), "-c", "copy", str(tmp_path / "in.mp4")], timeout_s=20)
    accepted = clips.accept_clip(tmp_path / "in.mp4", 36, SMALL, tmp_path / "out.mp4")
    assert accepted.actual_ms == 1_500
    assert numbers_in(tmp_path / "out.mp4", SMALL) == list(range(24, 60))


def test_what_is_in_form_already_is_only_copied(tmp_path: Path) -> None:
    make_clip(tmp_path / "in.mp4", range(30), fps=30)
    clips.accept_clip(tmp_path / "in.mp4", 20, SMALL, tmp_path / "once.mp4")
    assert clips.accept_clip(tmp_path / "once.mp4", 20, SMALL, tmp_path / "twice.mp4") == clips.AcceptedClip(20, 833, 0)
    assert (tmp_path / "once.mp4").read_bytes() == (tmp_path / "twice.mp4").read_bytes()
    clips.accept_clip(tmp_path / "once.mp4", 10, SMALL, tmp_path / "cut.mp4")
    assert_in_form(tmp_path / "cut.mp4", 10)


def busy_clip(path: Path, *extra: str) -> bytes:
    """A clip with something in every part of its picture, so that a broken bit shows."""
    source = ["-f", "lavfi", "-i", "testsrc2=s=384x216:r=24:d=3", "-vf", "noise=alls=20:allf=t"]
    ffmpeg.run([*source, *X264, "-pix_fmt", "yuv420p", *extra, str(path)], timeout_s=30)
    return path.read_bytes()


def refused(folder: Path, data: bytes) -> str:
    """What is said of a damaged file; it has to be refused, and to leave nothing."""
    (folder / "bad.mp4").write_bytes(data)
    with pytest.raises(BadMedia) as caught:
        clips.accept_clip(folder / "bad.mp4", 48, SMALL, folder / "out.mp4")
    assert not (folder / "out.mp4").exists()
    return caught.value.detail


def test_truncated_clips_are_refused(tmp_path: Path) -> None:
    front = busy_clip(tmp_path / "front.mp4", "-movflags", "+faststart")
    assert "is cut off" in refused(tmp_path, front[: len(front) // 3])
    refused(tmp_path, front[:-3_000])
    end = busy_clip(tmp_path / "end.mp4")
    refused(tmp_path, end[: len(end) // 2])
    webm = busy_clip(tmp_path / "x.webm", "-c:v", "libvpx", "-deadline", "realtime")
    refused(tmp_path, webm[: len(webm) // 2])
    refused(tmp_path, front[:40])


def test_bit_flips_and_zeroed_stretches_are_refused(tmp_path: Path) -> None:
    whole = busy_clip(tmp_path / "x.mp4", "-movflags", "+faststart")
    half = len(whole) // 2
    refused(tmp_path, whole[:half] + bytes(8_000) + whole[half + 8_000 :])
    chance = random.Random(4)
    for _ in range(5):
        broken = bytearray(whole)
        for _ in range(40):
            broken[chance.randrange(8_000, len(broken))] ^= 1 << chance.randrange(8)
        refused(tmp_path, bytes(broken))


def test_pictures_and_pages_named_as_clips_are_refused(tmp_path: Path) -> None:
    still = ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=1:r=5", "-frames:v", "3"]
    for name in ("a.png", "a.jpg", "a.gif", "a.webp"):
        ffmpeg.run(
            [*still, "-update", "1", str(tmp_path / name)] if name[-1] == "g" else [*still, str(tmp_path / name)],
            timeout_s=20,
        )
        assert "not a clip" in refused(tmp_path, (tmp_path / name).read_bytes())
    assert "web page" in refused(tmp_path, b"<!DOCTYPE html>\n<html><body>502</body></html>")
    refused(tmp_path, b"ffconcat version 1.0\nfile 'a.gif'\n")


def test_accepting_can_be_stopped(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", range(24), fps=12)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        clips.accept_clip(source, 2_000_000, SMALL, tmp_path / "out.mp4", cancel=stop)
    assert not (tmp_path / "out.mp4").exists()


def test_a_still_is_shown_and_drifts(tmp_path: Path) -> None:
    args = ["-f", "lavfi", "-i", "testsrc2=s=400x225:d=1", "-frames:v", "1", "-update", "1"]
    ffmpeg.run([*args, str(tmp_path / "100%d.png")], timeout_s=20)
    clips.still_clip(tmp_path / "100%d.png", 48, SMALL, tmp_path / "out.mp4")
    assert_in_form(tmp_path / "out.mp4", 48)
    shown = luma(tmp_path / "out.mp4", SMALL)
    assert shown[0].std() > 30
    assert np.abs(shown[0].astype(int) - shown[-1]).mean() > 1
    with pytest.raises(BadMedia):
        clips.still_clip(tmp_path / "out.mp4", 48, SMALL, tmp_path / "no.mp4")


def test_a_card_is_plain_and_not_black(tmp_path: Path) -> None:
    clips.card(7, SMALL, tmp_path / "card.mp4")
    assert_in_form(tmp_path / "card.mp4", 7)
    assert all(frame.std() < 1 and 40 < frame.mean() < 120 for frame in luma(tmp_path / "card.mp4", SMALL))
