"""What tests hear: a sound file's samples, its loudness and true peak by ffmpeg's meter, levels in decibels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.film import ffmpeg

RATE = 48_000
PER_MS = RATE // 1000
Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Metered:
    """EBU R 128: integrated loudness in LUFS, true peak in dBTP."""

    loudness: float
    peak: float


def metered(path: Path) -> Metered:
    meter = ["-map", "0:a", "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    said = ffmpeg.run(["-loglevel", "info", "-nostats", "-i", str(path), *meter], timeout_s=120).stderr_tail
    summary = said[said.rindex("Summary:") :]
    loudness = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)
    assert loudness and peak, said
    return Metered(float(loudness[1]), float(peak[1]))


def heard(path: Path) -> Sound:
    """A sound file, or a film's sound, as decoded: 48 kHz mono, -1..1."""
    args = ["-i", str(path), "-map", "0:a", "-f", "s16le", "-ac", "1", "-ar", str(RATE), "pipe:1"]
    return np.frombuffer(ffmpeg.run(args, timeout_s=120).stdout, "<i2") / 32768


def level(sound: Sound) -> float:
    """The power of a stretch in decibels of full scale."""
    return float(10 * np.log10(np.square(sound).mean() + 1e-12))


def largest_jump(sound: Sound) -> float:
    """From one sample to the next."""
    return float(np.abs(np.diff(sound)).max()) if len(sound) > 1 else 0.0
