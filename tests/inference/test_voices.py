"""The built-in cast by ear: no two of its voices are alike in pitch, timbre and speed at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.inference import speech
from pipeline.inference.pool import EnginePool
from tests.ears import RATE, Sound, heard

TEXT = "The old keeper climbed the stairs, and looked out over the grey water."
_BANDS = 24


@dataclass(frozen=True)
class Ear:
    """What tells voices apart: the pitch in semitones, the speed likewise, the timbre in decibels by band."""

    pitch: float
    speed: float
    timbre: NDArray[np.float64]

    def hears(self, other: Ear) -> bool:
        """Whether the two are told apart: by a tone and a half, else by timbre or speed with it."""
        semitones, timbre = abs(self.pitch - other.pitch), float(np.sqrt(((self.timbre - other.timbre) ** 2).mean()))
        if abs(self.speed - other.speed) > 3:
            return True
        return timbre > (3.0 if semitones < 1.5 else 1.8 if semitones < 3 else 0)


def of(sound: Sound) -> Ear:
    loud = np.flatnonzero(np.abs(sound) > 0.02)
    return Ear(12 * np.log2(_pitch(sound)), 12 * np.log2(loud[-1] - loud[0]), _timbre(sound))


def _pitch(sound: Sound) -> float:
    """The median fundamental in Hz, by autocorrelation of the voiced windows."""
    size = 4_096
    window = np.hanning(size)
    fall = np.fft.irfft(np.abs(np.fft.rfft(window, 4 * size)) ** 2)[: size // 2]
    found = []
    for at in range(0, len(sound) - size, 960):
        part = sound[at : at + size]
        if part.std() < 0.04:
            continue
        likeness = np.fft.irfft(np.abs(np.fft.rfft(part * window, 4 * size)) ** 2)[: size // 2] / fall
        lag = 96 + int(likeness[96:900].argmax())
        if likeness[lag] > 0.6 * likeness[0]:
            found.append(RATE / lag)
    return float(np.median(found))


def _timbre(sound: Sound) -> NDArray[np.float64]:
    size = 2_048
    windows = np.lib.stride_tricks.sliding_window_view(sound, size)[::512] * np.hanning(size)
    power = np.abs(np.fft.rfft(windows)) ** 2
    mean = power[power.sum(axis=1) > power.sum(axis=1).max() * 0.02].mean(axis=0)
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    edges = 700 * (np.exp(np.linspace(np.log1p(150 / 700), np.log1p(7_000 / 700), _BANDS + 1)) - 1)
    bands = [mean[(frequency >= low) & (frequency < high)].mean() for low, high in pairwise(edges)]
    decibels = 10 * np.log10(np.array(bands) + 1e-12)
    return decibels - decibels.mean()


def test_no_two_voices_of_the_cast_are_alike(tmp_path: Path) -> None:
    ears = {}
    pool = EnginePool(2)
    try:
        for voice in speech.voices("en"):
            pool.run(speech.speak, TEXT, voice.id, tmp_path / "a.wav", fresh=True, timeout_s=120)
            ears[voice.name] = of(heard(tmp_path / "a.wav"))
    finally:
        pool.close()
    assert len(ears) > 40
    alike = [(one, other) for (one, a), (other, b) in combinations(ears.items(), 2) if not a.hears(b)]
    assert alike == []
