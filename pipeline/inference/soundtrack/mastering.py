"""How loud each voice and the whole film become: speakers evened out, the film at its loudness, peaks held down. Pure.

Works on what was measured (`loudness.steps`, `loudness.peaks` of each millisecond), not on the sound itself. Gains are
factors, one for each millisecond, and never jump.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.inference import loudness
from pipeline.inference.soundtrack.score import Score

VOICES = -20.0  # LUFS of each speaker before the whole is raised
LOUDNESS = -14.0  # LUFS of the film
CEILING = 10 ** (-2.0 / 20)  # of values between samples too; the encoder may add half a decibel
_MOST_LEVELLING = 12.0  # dB up or down
_MOST_GAIN = 30.0  # dB
_LEAST_STEEP = 0.15  # of what is gained, the limiter leaves at least so much
_LEAST_STEPS = 5  # a speaker who is heard for less is as loud as the rest
_REACH_MS = 70  # of a speaker's gain into the pauses around, where it becomes the next one's
_GLIDE_MS = 60
_THRESHOLD, _RATIO = 10 ** (-20.0 / 20), 3.0
_SYLLABLE_MS = 60
_HOLD_MS = 12  # how long the limiter is down on either side of a peak

Numbers = NDArray[np.floating[Any]]


def levelled(squares: Numbers, peaks: Numbers, score: Score) -> Numbers:
    """The gains that bring each speaker to VOICES, and loud syllables nearer to the others."""
    everybody = _gain_to_voices(squares)
    heard: dict[str, list[Numbers]] = {}
    for one in score.speech:
        heard.setdefault(one.speaker, []).append(squares[-(-one.start_ms // 100) : one.end_ms // 100])
    gains = {speaker: _gain_to_voices(np.concatenate(found), everybody) for speaker, found in heard.items()}
    curve = np.full(score.duration_ms + 1, everybody, np.float32)
    for one in score.speech:
        curve[max(0, one.start_ms - _REACH_MS) : one.end_ms + _REACH_MS] = gains[one.speaker]
    gains_over_time = _glided(curve, _GLIDE_MS)
    return gains_over_time * _compressor(peaks * gains_over_time[: len(peaks)], len(gains_over_time))


def _compressor(peaks: Numbers, length: int) -> Numbers:
    """Syllables above the threshold, held back: else the limiter would have to press the loudest ones flat."""
    around = np.sqrt(_glided(np.square(peaks), _SYLLABLE_MS)) if len(peaks) else peaks
    held = np.minimum(1, (np.maximum(around, 1e-6) / _THRESHOLD) ** (1 / _RATIO - 1))
    return np.pad(held, (0, length - len(held)), mode="edge") if len(held) else np.ones(length)


def _gain_to_voices(squares: Numbers, otherwise: float = 1.0) -> float:
    found = loudness.loudness(squares) if len(squares) >= _LEAST_STEPS else -np.inf
    if not np.isfinite(found):
        return otherwise
    return float(10 ** (np.clip(VOICES - found, -_MOST_LEVELLING, _MOST_LEVELLING) / 20))


def next_gain(tried: Sequence[tuple[float, float]]) -> float:
    """The gain in decibels to try next, where each earlier one (in decibels) has led to so many LUFS.

    Silence keeps the gain that it has, and noise is not raised to a voice.
    """
    gain, found = tried[-1]
    if not np.isfinite(found):
        return gain
    steepness = 1.0
    if len(tried) > 1:
        before, then = tried[-2]
        steepness = float(np.clip((found - then) / (gain - before), _LEAST_STEEP, 1)) if gain != before else 1.0
    return float(np.clip(gain + (LOUDNESS - found) / steepness, -_MOST_GAIN, _MOST_GAIN))


def limiter(peaks: Numbers) -> Numbers:
    """The gains that keep the peaks of each millisecond under the ceiling, as slowly up before a peak as after it."""
    if not len(peaks):
        return np.ones(0, np.float32)
    needed = np.minimum(1, CEILING / np.maximum(peaks, 1e-9)).astype(np.float32)
    padded = np.pad(needed, _HOLD_MS, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HOLD_MS + 1).min(axis=1)
    return _glided(lowest, 2 * _HOLD_MS - 1)


def _glided(curve: Numbers, width: int) -> Numbers:
    """The curve without jumps: each value is a mean, weighted to the middle, over about `width` milliseconds."""
    kernel = np.hanning(width // 2 * 2 + 3)[1:-1].astype(np.float32)
    padded = np.pad(curve, len(kernel) // 2, mode="edge")
    smooth: Numbers = np.convolve(padded, kernel / kernel.sum(), "valid")
    return smooth
