"""The film: every cut where the clock says, sound in step, nothing half-made, whatever its titles contain."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import wave
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import BadMedia, Cancelled, DiskFull, EngineFailed, MediaMissing
from pipeline.film import clips, ffmpeg, join, sound
from pipeline.film.captions import Captions, Cue
from pipeline.film.timeline import frame_at, ms_of_frame, plan_takes, slot_frames
from tests.film.conftest import Faulty
from tests.film.pictures import SMALL, make_clip, numbers_in
from tests.film.test_timeline import TEXT, spoken

NAUGHTY = "It's = ; # \\ \"two\"\nlines \x00\x07 \u202e مرحبا 你好 👩‍👩‍👧‍👦 [CHAPTER] %d 'file' $(x)"


def narration(folder: Path, duration_ms: int, *, loudness: int = 3_000) -> Path:
    """An AAC narration of noise."""
    with wave.open(str(folder / "n.wav"), "wb") as file:
        file.setframerate(48_000)
        file.setnchannels(1)
        file.setsampwidth(2)
        noise = np.random.default_rng(0).normal(0, loudness, 48_000).astype("<i2").tobytes()
        for at in range(0, duration_ms, 1_000):
            file.writeframesraw(noise[: 96 * min(1_000, duration_ms - at)])
    sound.encode_aac(folder / "n.wav", folder / "n.m4a")
    return folder / "n.m4a"


def coloured(folder: Path, counts: Sequence[int]) -> list[Path]:
    """Clips in film form; clip n shows number n throughout. Equal ones are made once."""
    made: dict[tuple[int, int], Path] = {}
    for number, count in enumerate(counts):
        key = (number % 50, count)
        if key not in made:
            source = make_clip(folder / "source.mp4", [number % 50] * count)
            made[key] = folder / f"{key[0]}_{count}.mp4"
            clips.accept_clip(source, count, SMALL, made[key])
    return [made[number % 50, count] for number, count in enumerate(counts)]


def packets(film: Path, stream: str) -> list[float]:
    """When each packet of a stream is shown or heard, in seconds."""
    report = ffmpeg.ffprobe(
        film, "mp4", "-select_streams", stream, "-show_entries", "packet=pts_time", "-of", "csv=p=0"
    )
    return [float(line.strip(",")) for line in report.split()]


def ffprobe_json(film: Path, *wanted: str) -> Any:
    return json.loads(ffmpeg.ffprobe(film, "mp4", "-of", "json", *wanted))


def test_sixty_four_cuts_of_real_takes_from_mixed_clips(tmp_path: Path) -> None:
    """Narration → takes → clips of 16, 24, 25 and 30 fps, some too short → film: each frame shows its own shot, and the
    place in it, within half a frame."""
    chance = np.random.default_rng(7)
    segments, at = [], 0
    for index in range(52):
        length = int(chance.integers(300, 9_500))
        segments.append(
            spoken(TEXT, at, at + length, index=index, scene=index // 6, kind="dialogue", speaker=f"{index}")
        )
        at += length + 150
    total_ms = at - 150
    takes = plan_takes(segments, total_ms)
    assert len(takes) >= 64
    slots = [slot_frames(take.start_ms, take.end_ms, 24) for take in takes]
    sources = [
        (make_clip(tmp_path / f"in{fps}.mp4", [n | which << 12 for n in range(fps * 7)], fps=fps), fps, which)
        for which, fps in enumerate((16, 24, 25, 30), start=1)
    ]
    parts = []
    for number, (_, count) in enumerate(slots):
        part = tmp_path / f"part{number}.mp4"
        clips.accept_clip(sources[number % 4][0], count, SMALL, part)
        parts.append(part)
    counts = [count for _, count in slots]
    film = tmp_path / "film.mp4"
    done = join.export_film(parts, counts, narration(tmp_path, total_ms), total_ms, SMALL, out=film)

    shown = numbers_in(film, SMALL)
    assert done.frames == len(shown) == frame_at(total_ms, 24)
    for number, (take, (first, count)) in enumerate(zip(takes, slots, strict=True)):
        assert abs(first / 24 - take.start_ms / 1000) <= 0.5 / 24 + 1e-9
        _, fps, which = sources[number % 4]
        for place in range(count):
            number_seen = shown[first + place]
            assert number_seen >> 12 == which, f"frame {first + place} shows another shot"
            allowed = {min(7 * fps - 1, max(0, int((place + late) * fps / 24 + 1e-6))) for late in (-0.5, 0, 0.5)}
            assert number_seen & 0xFFF in allowed
    times = packets(film, "v:0")
    assert np.abs(np.array(times) - np.arange(len(times)) / 24).max() < 1e-5
    assert abs(done.duration_ms - done.audio_ms) <= 42
    assert abs(done.audio_ms - total_ms) <= 1


def test_the_sound_is_not_shifted_against_the_picture(tmp_path: Path) -> None:
    parts = coloured(tmp_path, [30, 41, 25])
    film, aac = tmp_path / "film.mp4", narration(tmp_path, 4_000)
    join.export_film(parts, [30, 41, 25], aac, 4_000, SMALL, out=film)
    args = ["-f", "s16le", "-ac", "1", "pipe:1"]
    before, after = (
        np.frombuffer(ffmpeg.run(["-i", str(path), *args], timeout_s=20).stdout, "<i2").astype(float)
        for path in (tmp_path / "n.wav", film)
    )
    match = {lag: float(before[4_000:40_000] @ after[4_000 + lag : 40_000 + lag]) for lag in range(-1_100, 1_101)}
    assert max(match, key=lambda lag: match[lag]) == 0
    assert packets(film, "v:0")[0] == 0


def test_the_film_carries_captions_chapters_and_title(tmp_path: Path) -> None:
    film = tmp_path / "it's a film; 100%d.mp4"
    cues = (Cue(0, 1_000, ("Hello, <b>{world}</b>", "it's & --> here \\N")), Cue(1_250, 3_999, ("你好 👩‍👩‍👧‍👦",)))
    chapters = [join.Chapter(0, 1_500, NAUGHTY), join.Chapter(1_500, 4_000, "Two")]
    join.export_film(
        coloured(tmp_path, [96]), [96], narration(tmp_path, 4_000), 4_000, SMALL,
        out=film, captions=Captions(cues, "de"), chapters=chapters, title=NAUGHTY,
    )  # fmt: skip
    report = ffprobe_json(film, "-show_streams", "-show_format", "-show_chapters")
    assert [stream["codec_name"] for stream in report["streams"]][:3] == ["h264", "aac", "mov_text"]
    assert report["streams"][2]["tags"]["language"] == "deu"
    plain = "It's = ; # \\ \"two\" lines   \u202e مرحبا 你好 👩‍👩‍👧‍👦 [CHAPTER] %d 'file' $(x)"
    assert " ".join(report["format"]["tags"]["title"].split()) == " ".join(plain.split())
    assert [chapter["start_time"] for chapter in report["chapters"]] == ["0.000000", "1.500000"]
    assert " ".join(report["chapters"][0]["tags"]["title"].split()) == " ".join(plain.split())
    text = ffmpeg.run(["-i", str(film), "-map", "0:s:0", "-f", "srt", "pipe:1"], timeout_s=20).stdout.decode()
    text = text.replace("\r\n", "\n")
    assert "00:00:00,000 --> 00:00:01,000\nHello, <b>(world)</b>\nit's & --> here ⧵N" in text
    assert "00:00:01,250 --> 00:00:03,999\n你好 👩‍👩‍👧‍👦" in text


def test_the_index_comes_first(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    join.export_film(coloured(tmp_path, [24]), [24], narration(tmp_path, 1_000), 1_000, SMALL, out=film)
    data = film.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_exporting_again_gives_the_same_bytes(tmp_path: Path) -> None:
    parts, aac = coloured(tmp_path, [24, 48]), narration(tmp_path, 3_000)
    for name in ("a.mp4", "b.mp4"):
        join.export_film(parts, [24, 48], aac, 3_000, SMALL, out=tmp_path / name, title="T")
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_names_of_parts_may_hold_quotes(tmp_path: Path) -> None:
    odd = tmp_path / "it's 'odd' \\ % folder"
    odd.mkdir()
    [part] = coloured(tmp_path, [24])
    part.rename(odd / "o'ne.mp4")
    join.export_film([odd / "o'ne.mp4"], [24], narration(tmp_path, 1_000), 1_000, SMALL, out=odd / "film.mp4")
    assert numbers_in(odd / "film.mp4", SMALL) == [0] * 24


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".film")]


def test_a_failed_export_leaves_the_old_film(tmp_path: Path, faulty: Faulty) -> None:
    ffmpeg.configure(None)
    parts, aac, film = coloured(tmp_path, [24, 24]), narration(tmp_path, 2_000), tmp_path / "film.mp4"
    film.write_bytes(b"the film of yesterday")

    def export(**changed: Any) -> None:
        arguments: dict[str, Any] = {"frame_counts": [24, 24], "narration_aac": aac, "duration_ms": 2_000}
        join.export_film(**{"parts": parts, "form": SMALL, "out": film, **arguments, **changed})

    with pytest.raises(EngineFailed, match="has 24 frames, not 28"):
        export(frame_counts=[28, 20])
    with pytest.raises(EngineFailed, match="narration is 2000 ms long, not 3000"):
        export(duration_ms=3_000, frame_counts=[24, 24, 24], parts=[*parts, parts[0]])
    with pytest.raises(ValueError, match="do not tile"):
        export(frame_counts=[24, 23])
    with pytest.raises(MediaMissing, match=r"gone\.mp4"):
        export(parts=[parts[0], tmp_path / "gone.mp4"])
    (tmp_path / "page.mp4").write_text("<html>")
    with pytest.raises((EngineFailed, BadMedia)):
        export(parts=[parts[0], tmp_path / "page.mp4"])
    stop = threading.Event()
    stop.set()
    faulty("time.sleep(30)")
    with pytest.raises(Cancelled):
        export(cancel=stop)
    faulty("print('No space left on device', file=sys.stderr); sys.exit(1)")
    with pytest.raises(DiskFull):
        export()
    assert film.read_bytes() == b"the film of yesterday"
    assert left_over(tmp_path) == []


def test_a_killed_export_leaves_the_old_film(tmp_path: Path, faulty: Faulty) -> None:
    program = faulty("open(sys.argv[-1], 'w').write('half'); time.sleep(60)")
    film = tmp_path / "film.mp4"
    film.write_bytes(b"the film of yesterday")
    for name in ("part.mp4", "n.m4a"):
        (tmp_path / name).write_bytes(b"\0\0\0\x20ftypisom")
    code = (
        "from pathlib import Path; from pipeline.contracts import FilmForm; from pipeline.film import ffmpeg, join\n"
        f"folder, tool = Path({str(tmp_path)!r}), Path({str(program)!r}); ffmpeg.configure(ffmpeg.Tools(tool, tool))\n"
        "join.export_film([folder / 'part.mp4'], [24], folder / 'n.m4a', 1000, FilmForm.of('1:1'), "
        "out=folder / 'film.mp4')"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2])
    while not list(tmp_path.glob(".film-*/film.mp4")):
        assert process.poll() is None
    process.kill()
    process.wait()
    assert film.read_bytes() == b"the film of yesterday"


def test_a_thousand_clips_stay_in_step_and_need_no_memory(tmp_path: Path) -> None:
    counts = [24 + n % 3 for n in range(1_000)]
    duration_ms = ms_of_frame(sum(counts), 24)
    film = tmp_path / "film.mp4"
    parts = coloured(tmp_path, counts[:6]) * 167
    silence = narration(tmp_path, duration_ms, loudness=0)
    programs = ffmpeg.tools()
    ffmpeg.configure(replace(programs, memory_bytes=400 << 20))
    try:
        done = join.export_film(parts[:1_000], counts, silence, duration_ms, SMALL, out=film)
    finally:
        ffmpeg.configure(None)
    assert done.frames == sum(counts)
    times = np.array(packets(film, "v:0"))
    assert np.abs(times - np.arange(len(times)) / 24).max() < 1e-5
    first = sum(counts[:997])
    args = ["-ss", str(first / 24 + 0.001), "-i", str(film), "-c:v", "libx264", "-crf", "10"]
    ffmpeg.run([*args, "-an", str(tmp_path / "end.mp4")], timeout_s=20)
    assert (
        numbers_in(tmp_path / "end.mp4", SMALL)[-(25 + 26 + 24) :] == [997 % 6] * 25 + [998 % 6] * 26 + [999 % 6] * 24
    )


def test_a_poster_of_a_clip_and_of_a_picture(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", [9, 9, 9, 700, 700, 700])
    for name, at_ms, number in (("a.jpg", 0, 9), ("b.jpg", 200, 700)):
        join.poster(source, tmp_path / name, at_ms=at_ms)
        assert ffmpeg.probe(tmp_path / name).container == "jpeg"
        assert numbers_in(tmp_path / name, SMALL) == [number]
    join.poster(tmp_path / "a.jpg", tmp_path / "c.jpg", width=96)
    report = ffmpeg.probe(tmp_path / "c.jpg")
    assert (report.width, report.height) == (96, 54)
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(BadMedia):
        join.poster(tmp_path / "x.png", tmp_path / "d.jpg")
