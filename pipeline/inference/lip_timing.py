"""How a mouth moves to a voice: for each film frame how far it is open and how wide, out of the sound alone.

Loudness in the band of the first formant opens it, silence closes it, and the brightness above tells spread lips
(ee) from round ones (oo).
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import FilmForm
from pipeline.errors import BadMedia

_WINDOW_S = 0.050  # about one frame
_AHEAD_S = 0.012  # lips move before they are heard
_SILENCE = 10 ** (-52 / 10)  # power relative to full scale
_RANGE_DB = 26.0  # from closed to wide open, below the loudest vowels
_ATTACK, _RELEASE = 0.85, 0.6  # share of the way to the target in one frame
_OPEN_BAND = (180.0, 1100.0)
_SHAPE_BAND = (900.0, 3200.0)

Numbers = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Mouth:
    """`open` from 0 (closed) to 1; `width` from 0 (round) to 1 (spread), 0.5 at rest."""

    open: float
    width: float


def mouths(audio: Path, form: FilmForm, frames: int) -> list[Mouth]:
    """One Mouth a frame for a 16-bit mono WAV that begins with the first frame. Raises BadMedia."""
    samples, rate = _read(audio)
    power = _spectra(samples, rate, form, frames)
    frequency = np.fft.rfftfreq(_window(rate), 1 / rate)
    opening = _opening(power, frequency)
    width = _width(power, frequency, opening)
    return [Mouth(float(o), float(w)) for o, w in zip(opening, width, strict=True)]


def _read(audio: Path) -> tuple[NDArray[np.float32], int]:
    try:
        with wave.open(str(audio), "rb") as file:
            if file.getnchannels() != 1 or file.getsampwidth() != 2:
                raise BadMedia(f"{audio.name} is not mono sound with 16 bits.")
            raw, rate = file.readframes(file.getnframes()), file.getframerate()
    except (wave.Error, EOFError) as error:
        raise BadMedia(f"{audio.name} is no sound that can be read.") from error
    return (np.frombuffer(raw[: len(raw) // 2 * 2], "<i2") / 32768).astype(np.float32), rate


def _window(rate: int) -> int:
    return round(_WINDOW_S * rate)


def _spectra(samples: NDArray[np.float32], rate: int, form: FilmForm, frames: int) -> Numbers:
    """The power spectrum around the middle of each frame, shape (frames, frequencies); beyond the end is silence."""
    size = _window(rate)
    centres = np.round(((np.arange(frames) + 0.5) / form.fps + _AHEAD_S) * rate).astype(int)
    padded = np.pad(samples, (size, size + max(0, int(centres[-1]) + size - len(samples))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[centres + size - size // 2]
    hann = np.hanning(size)
    power: Numbers = np.abs(np.fft.rfft(windows * hann)) ** 2 / (hann**2).sum() / size * 2
    return power


def _opening(power: Numbers, frequency: Numbers) -> Numbers:
    low, high = _OPEN_BAND
    band = (frequency >= low) & (frequency <= high)
    level = power[:, band].sum(axis=1)
    if level.max() < _SILENCE:
        return np.zeros(len(level))
    loudest = np.percentile(level[level > level.max() * 1e-3], 85)
    decibels = 10 * np.log10(np.maximum(level, 1e-12) / loudest)
    target = np.clip(1 + decibels / _RANGE_DB, 0, 1) ** 1.6
    # A low first formant is a nearly closed vowel (ee, oo), a high one an open vowel (ah).
    formant = (power[:, band] * frequency[band]).sum(axis=1) / np.maximum(level, 1e-12)
    target *= 0.5 + 0.5 * np.clip((formant - 280) / 320, 0, 1)
    target[level < _SILENCE] = 0
    target[decibels < -_RANGE_DB] = 0
    return _smoothed(target)


def _smoothed(target: Numbers) -> Numbers:
    """Lips open fast and close a little slower; silence closes them within two frames."""
    opening = np.empty_like(target)
    now = 0.0
    for number, goal in enumerate(target):
        now += (goal - now) * (_ATTACK if goal > now else _RELEASE)
        if goal == 0 and now < 0.12:
            now = 0.0
        opening[number] = now
    return opening


def _width(power: Numbers, frequency: Numbers, opening: Numbers) -> Numbers:
    low, high = _SHAPE_BAND
    band = (frequency >= low) & (frequency <= high)
    bright = (power[:, band] * frequency[band]).sum(axis=1) / np.maximum(power[:, band].sum(axis=1), 1e-12)
    width = np.where(opening > 0.05, np.clip((bright - 1150) / 900, 0, 1), 0.5)
    kernel = np.array([0.25, 0.5, 0.25])
    smooth: Numbers = np.convolve(np.pad(width, 1, mode="edge"), kernel, mode="valid")
    return smooth
