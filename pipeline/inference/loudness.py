"""How loud a sound is heard to be (ITU-R BS.1770), and how high it peaks between its samples. Pure.

Hides the K curve and the gates. Sound is mono, -1..1. Loudness is taken from steps of 100 ms, so the steps of a long
sound can be gathered piece by piece and its loudness, or that of any part of it, told at the end.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP_S = 0.1
_STEPS = 4  # a block of 400 ms, one each 100 ms
_ABSOLUTE, _RELATIVE = -70.0, -10.0  # the gates: LUFS, and LU below what passed the first
_OFFSET = -0.691
_REACH = 8  # samples on either side that a value between two samples is made of

Sound = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]


def loudness(steps: Numbers) -> float:
    """The gated loudness in LUFS of mean squares as `steps` gives them; -inf where there is nothing to hear."""
    if not len(steps):
        return -np.inf
    short = min(_STEPS, len(steps))
    blocks = np.convolve(steps, np.full(short, 1 / short), "valid")
    heard = blocks[_lufs(blocks) > _ABSOLUTE]
    if not len(heard):
        return -np.inf
    return float(_lufs(heard[_lufs(heard) > _lufs(heard.mean()) + _RELATIVE].mean()))


def steps(samples: Sound, rate: int, *, skip: int = 0) -> Numbers:
    """The mean square of each whole 100 ms of a sound, weighted as it is heard; a shorter sound is one step.

    The first `skip` samples are only heard by the filter.
    """
    size = min(round(STEP_S * rate), max(1, len(samples) - skip))
    heard = weighted(samples, rate)[skip:]
    squares: Numbers = np.square(heard[: len(heard) // size * size], dtype=np.float64).reshape(-1, size).mean(axis=1)
    return squares


def weighted(samples: Sound, rate: int) -> Sound:
    """The sound as loud as it is heard, frequency by frequency, without the filters' phase."""
    length = 1 << max(1, (len(samples) - 1).bit_length())  # other lengths may take ten times as long
    heard = np.fft.irfft(np.fft.rfft(samples, length) * _curve(length, rate), length)
    return heard[: len(samples)].astype(np.float32)


def peaks(samples: Sound, size: int) -> Sound:
    """The highest value in each whole `size` samples, values halfway between two samples included."""
    between = np.convolve(np.pad(samples, _REACH), _halfway(), "same")[_REACH:-_REACH]
    highest = np.maximum(np.abs(samples), np.abs(between))
    made: Sound = highest[: len(highest) // size * size].reshape(-1, size).max(axis=1).astype(np.float32)
    return made


def _lufs(power: Any) -> Any:
    return _OFFSET + 10 * np.log10(np.maximum(power, 1e-30))


@cache
def _halfway() -> Sound:
    at = np.arange(-_REACH, _REACH) + 0.5
    made: Sound = (np.sinc(at) * np.cos(np.pi * at / (2 * _REACH + 1)) ** 2).astype(np.float32)
    return made


@cache
def _curve(length: int, rate: int) -> Numbers:
    """The K curve at the frequencies of a transform: a shelf that raises the treble, and a high pass."""
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(length))
    shelf, low = np.tan(np.pi * np.array([1681.974450955533, 38.13547087602444]) / rate)
    gain, q = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    middle = gain**0.4996667741545416
    raised = _biquad(
        turn,
        (gain + middle * shelf / q + shelf**2, 2 * (shelf**2 - gain), gain - middle * shelf / q + shelf**2),
        _poles(shelf, q),
    )
    q = 0.5003270373238773
    made: Numbers = np.abs(raised * _biquad(turn, (1.0, -2.0, 1.0), _poles(low, q))) * (1 + low / q + low**2)
    return made


def _poles(bend: float, q: float) -> tuple[float, float, float]:
    return 1 + bend / q + bend**2, 2 * (bend**2 - 1), 1 - bend / q + bend**2


def _biquad(turn: Any, top: tuple[float, float, float], bottom: tuple[float, float, float]) -> Any:
    return (top[0] + top[1] * turn + top[2] * turn**2) / (bottom[0] + bottom[1] * turn + bottom[2] * turn**2)
