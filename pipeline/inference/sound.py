"""What is done to a synthesised voice before it may join others: trimmed, equally loud, 48 kHz, whole milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from pipeline.inference import loudness

RATE = 48_000
_PER_MS = RATE // 1000
_LOUDNESS = -18.0  # LUFS of each utterance by itself
_CEILING = 0.84  # -1.5 dBFS, reached softly
_KNEE = 0.6
_KEEP_MS = 45  # silence left at either end
_FADE_MS = 6
_FLOOR_DB = -46.0  # below the loudest part: silence
_TAPS = 48  # samples of the input on either side that resampling looks at


@dataclass(frozen=True, slots=True)
class Finished:
    """48 kHz mono samples, how much silence was cut off in front, and how much of a pause was added at the end."""

    samples: NDArray[np.int16]
    cut_ms: float
    pause_ms: int = 0

    @property
    def duration_ms(self) -> int:
        return len(self.samples) // _PER_MS


def finish(samples: NDArray[np.float32], rate: int, *, silence_ms: int, pause_ms: int = 0) -> Finished:
    """Raw mono samples (-1..1) as they go into the film, with `pause_ms` of silence after them.

    Nothing to hear becomes `silence_ms` of silence.
    """
    span = _sounding(samples, rate)
    if span is None:
        return Finished(np.zeros(silence_ms * _PER_MS, np.int16), 0.0)
    keep = rate * _KEEP_MS // 1000
    start, end = max(0, span[0] - keep), min(len(samples), span[1] + keep)
    voice = resampled(samples[start:end] * _gain(samples[start:end], rate), rate)
    voice = _limited(voice)
    fade = np.sin(np.linspace(0, np.pi / 2, _FADE_MS * _PER_MS, dtype=np.float32)) ** 2
    fade = fade[: len(voice) // 2]
    voice[: len(fade)] *= fade
    voice[len(voice) - len(fade) :] *= fade[::-1]
    whole = np.pad(voice, (0, -len(voice) % _PER_MS + pause_ms * _PER_MS))
    return Finished(np.round(whole * 32767).astype(np.int16), start * 1000 / rate, pause_ms)


def _sounding(samples: NDArray[np.float32], rate: int) -> tuple[int, int] | None:
    """The first and the last moment with anything to hear, in samples."""
    size = rate // 100
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    level = np.sqrt((blocks**2).mean(axis=1)) if len(blocks) else np.zeros(0)
    if not len(level) or level.max() < 1e-3:
        return None
    loud = np.flatnonzero(level > level.max() * 10 ** (_FLOOR_DB / 20))
    return int(loud[0]) * size, (int(loud[-1]) + 1) * size


def _gain(samples: NDArray[np.float32], rate: int) -> float:
    """What brings an utterance to the common loudness."""
    found = loudness.loudness(loudness.steps(samples, rate))
    return float(10 ** ((_LOUDNESS - found) / 20)) if np.isfinite(found) else 1.0


def _limited(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Peaks bent softly under the ceiling; what is below the knee stays as it is."""
    over = np.maximum(np.abs(samples) - _KNEE, 0)
    room = _CEILING - _KNEE
    bent = np.sign(samples) * (_KNEE + room * np.tanh(over / room))
    return np.where(over > 0, bent, samples).astype(np.float32)


def resampled(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Mono samples at 48 kHz, band-limited."""
    kernel, step = _kernel(rate)
    count = -(-len(samples) // step)
    padded = np.pad(samples, (_TAPS, count * step - len(samples) + _TAPS))
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel))[::step]
    return (np.ascontiguousarray(windows) @ kernel).reshape(-1)[: len(samples) * RATE // rate]


@cache
def _kernel(rate: int) -> tuple[NDArray[np.float32], int]:
    """The matrix that turns a window of input samples into one period of output samples, and the window's step.

    A windowed sinc for each output sample; `step` input samples make as much time as the matrix has columns.
    """
    common = gcd(rate, RATE)
    step, period = rate // common, RATE // common
    at = np.arange(period) * step / period
    distance = np.arange(step + 2 * _TAPS)[:, None] - _TAPS - at[None, :]
    cutoff = min(1.0, RATE / rate) * 0.97
    window = np.where(np.abs(distance) < _TAPS, np.cos(np.pi * distance / (2 * _TAPS)) ** 2, 0)
    return (cutoff * np.sinc(cutoff * distance) * window).astype(np.float32), step
