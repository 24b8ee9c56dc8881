"""The narration: exact to the millisecond from any sound, in step with the picture after AAC, refused when empty."""

from __future__ import annotations

import resource
import threading
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.errors import BadMedia, Cancelled, InvalidInput
from pipeline.film import ffmpeg, sound


def write(path: Path, samples: NDArray[np.float64], *, rate: int = 48_000, channels: int = 1) -> Path:
    """A 16-bit WAV of samples in -1..1."""
    with wave.open(str(path), "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.writeframes((np.repeat(samples, channels) * 32_000).astype("<i2").tobytes())
    return path


def click(length: int, at: int) -> NDArray[np.float64]:
    """Silence with a short click in it."""
    samples = np.zeros(length)
    samples[at : at + 8] = 0.8
    return samples


def heard(path: Path) -> NDArray[np.float64]:
    """A sound file as decoded, 48 kHz mono."""
    args = ["-i", str(path), "-f", "s16le", "-ac", "1", "-ar", "48000", "pipe:1"]
    return np.frombuffer(ffmpeg.run(args, timeout_s=60).stdout, "<i2").astype(float)


def join(folder: Path, *wavs: Path, gap_ms: int = 150) -> sound.NarrationTimes:
    return sound.join_narration(wavs, gap_ms=gap_ms, out_wav=folder / "all.wav", out_aac=folder / "all.m4a")


def test_times_are_whole_milliseconds_and_the_file_agrees(tmp_path: Path) -> None:
    times = join(
        tmp_path,
        write(tmp_path / "a.wav", click(48_007, 2_400)),
        write(tmp_path / "b.wav", click(0, 0)),
        write(tmp_path / "c.wav", click(1, 0)),
        write(tmp_path / "d.wav", click(47_999, 24_000)),
    )
    assert times.spans == ((0, 1_001), (1_151, 1_151), (1_301, 1_302), (1_452, 2_452))
    assert times.duration_ms == 2_452
    with wave.open(str(tmp_path / "all.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        assert file.getnframes() == 2_452 * 48
    clicks = np.flatnonzero(np.diff((heard(tmp_path / "all.wav") > 10_000).astype(int)) == 1) + 1
    assert list(clicks) == [2_400, 1_301 * 48, 1_452 * 48 + 24_000]


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (22_050, 1), (48_000, 2), (96_000, 1)])
def test_any_rate_and_channels_keep_their_time(tmp_path: Path, rate: int, channels: int) -> None:
    odd = write(tmp_path / "odd.wav", click(rate * 2, rate), rate=rate, channels=channels)
    times = join(tmp_path, odd, write(tmp_path / "b.wav", click(48_000, 0)))
    assert abs(times.spans[0][1] - 2_000) <= 1
    assert times.duration_ms == times.spans[0][1] + 1_150
    loud = int(np.argmax(np.abs(heard(tmp_path / "all.wav")[:90_000])))
    assert abs(loud - 48_000) <= 48


def test_aac_does_not_shift_the_sound(tmp_path: Path) -> None:
    chance = np.random.default_rng(2)
    times = join(tmp_path, *[write(tmp_path / f"{n}.wav", chance.normal(0, 0.1, 30_011 + n)) for n in range(4)])
    before, after = heard(tmp_path / "all.wav"), heard(tmp_path / "all.m4a")
    match = {
        lag: float(np.dot(before[2_000:50_000], after[2_000 + lag : 50_000 + lag])) for lag in range(-1_100, 1_101)
    }
    assert max(match, key=lambda lag: match[lag]) == 0
    assert abs(ffmpeg.probe(tmp_path / "all.m4a").duration_ms - times.duration_ms) <= 1


def test_sound_of_other_containers_is_taken(tmp_path: Path) -> None:
    wav = write(tmp_path / "a.wav", click(48_000, 20_000))
    ffmpeg.run(["-i", str(wav), "-c:a", "libmp3lame", str(tmp_path / "a.mp3")], timeout_s=20)
    ffmpeg.run(["-i", str(wav), "-c:a", "pcm_f32le", str(tmp_path / "float.wav")], timeout_s=20)
    assert abs(sound.accept_speech(tmp_path / "a.mp3", tmp_path / "out.wav") - 1_000) <= 60
    assert sound.accept_speech(tmp_path / "float.wav", tmp_path / "out.wav") == 1_000


def test_a_slot_is_cut_out_exactly(tmp_path: Path) -> None:
    ramp = np.arange(96_000) / 96_000
    track = write(tmp_path / "track.wav", ramp)
    sound.slice(track, 250, 1_001, tmp_path / "part.wav")
    whole, part = heard(track), heard(tmp_path / "part.wav")
    assert (part == whole[250 * 48 : 1_001 * 48]).all()
    sound.slice(track, 1_900, 2_100, tmp_path / "part.wav")
    part = heard(tmp_path / "part.wav")
    assert len(part) == 200 * 48
    assert (part[100 * 48 :] == 0).all()


@pytest.mark.parametrize("lengths", [[], [0], [0, 0, 0], [1]])
def test_a_narration_of_nothing_is_refused(tmp_path: Path, lengths: list[int]) -> None:
    wavs = [write(tmp_path / f"{n}.wav", np.zeros(length)) for n, length in enumerate(lengths)]
    with pytest.raises(InvalidInput, match="empty"):
        join(tmp_path, *wavs)
    assert not (tmp_path / "all.wav").exists()
    assert not (tmp_path / "all.m4a").exists()


def test_silence_is_a_narration(tmp_path: Path) -> None:
    assert join(tmp_path, write(tmp_path / "a.wav", np.zeros(96_000))).duration_ms == 2_000


@pytest.mark.parametrize("data", [b"", b"RIFF\0\0\0\0WAVEfmt ", b"<html>no sound</html>"])
def test_damaged_sound_is_named(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "broken.wav").write_bytes(data)
    with pytest.raises(BadMedia, match=r"broken\.wav"):
        join(tmp_path, write(tmp_path / "a.wav", click(4_800, 0)), tmp_path / "broken.wav")
    with pytest.raises(BadMedia, match=r"gone\.wav"):
        join(tmp_path, tmp_path / "gone.wav")
    assert {path.name for path in tmp_path.iterdir()} == {"a.wav", "broken.wav"}


def test_joining_can_be_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    wav = write(tmp_path / "a.wav", click(48_000, 0))
    with pytest.raises(Cancelled):
        sound.join_narration([wav], out_wav=tmp_path / "all.wav", out_aac=tmp_path / "all.m4a", cancel=stop)


@pytest.mark.slow
def test_two_hours_are_exact_and_need_no_memory(tmp_path: Path) -> None:
    minute = write(tmp_path / "minute.wav", click(60 * 48_000, 10_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = join(tmp_path, *[minute] * 120)
    assert times.duration_ms == 120 * 60_000 + 119 * 150
    assert times.spans[-1] == (119 * 60_150, 119 * 60_150 + 60_000)
    assert abs(ffmpeg.probe(tmp_path / "all.m4a").duration_ms - times.duration_ms) <= 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KB; the track is 700 MB
