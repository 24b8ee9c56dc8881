"""What lies under the voices: each scene's music and ambience, faded into the next, and low where somebody speaks.

Any stretch of it can be asked for, in any order: nothing is kept from one to the next, so memory does not grow with
the film.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.inference import loudness
from pipeline.inference.sound import RATE
from pipeline.inference.soundtrack import ambience
from pipeline.inference.soundtrack.music import Music, mood_named
from pipeline.inference.soundtrack.score import Score, Setting, Speech

_PER_MS = RATE // 1000
_MUSIC, _AMBIENCE = -2.0, -6.0  # LU beside the bed's level, each
_UNDER, _ALONE = -21.0, -14.0  # LU beside the voices: while somebody speaks, and in long pauses
_CROSS_MS = 2600  # one scene's sound fades into the next one's
_LEAD_MS, _TAIL_MS = 900, 1800  # the film's first and last moments
_PAUSE_MS = 900  # a shorter pause is no reason to rise
_MOVE_MS = 400  # how long rising and falling take
_GRID_MS = 10
_SAMPLE_S = 8  # of a scene's sound, to learn how loud it is

Sound = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Layer:
    """One scene's sound on the film's time, in milliseconds, with what brings it to the bed's level."""

    setting: Setting
    music: Music
    ambience: dict[str, float]
    start_ms: int
    end_ms: int
    music_gain: float = 1.0
    ambience_gain: float = 1.0


class Bed:
    """The bed of one film, beside voices at `level` LUFS."""

    def __init__(self, score: Score, level: float) -> None:
        self._level = level
        self._duration_ms = score.duration_ms
        self._layers = [_layer(score, number) for number in range(len(score.settings))]
        self._ducking = _ducking(score.speech, score.duration_ms)

    def part(self, start: int, stop: int) -> Sound:
        """Samples [start, stop) of the film's time; the bed is silent outside of the film."""
        out = np.zeros(stop - start, np.float32)
        for layer in self._layers:
            first, last = max(start, layer.start_ms * _PER_MS), min(stop, layer.end_ms * _PER_MS)
            if first < last:
                out[first - start : last - start] += _heard(layer, first, last) * self._fade(layer, first, last)
        at = np.arange(start, stop) / (_GRID_MS * _PER_MS)
        decibels = np.interp(at, np.arange(len(self._ducking)), self._ducking) + self._level
        return out * (10 ** (decibels / 20)).astype(np.float32)

    def _fade(self, layer: _Layer, first: int, last: int) -> Sound:
        """A layer rises over its beginning and falls over its end, as the next one rises."""
        at = np.arange(first, last) / _PER_MS
        opening = _LEAD_MS if layer.start_ms <= 0 else _CROSS_MS
        closing = _TAIL_MS if layer.end_ms >= self._duration_ms else _CROSS_MS
        risen = np.clip((at - layer.start_ms) / opening, 0, 1)
        left = np.clip((layer.end_ms - at) / closing, 0, 1)
        return (np.sin(np.pi / 2 * risen) * np.sin(np.pi / 2 * left)).astype(np.float32)


def _layer(score: Score, number: int) -> _Layer:
    setting = score.settings[number]
    half = _CROSS_MS // 2
    start = 0 if number == 0 else max(0, setting.start_ms - half)
    end = score.duration_ms if number == len(score.settings) - 1 else min(score.duration_ms, setting.end_ms + half)
    end = max(end, start + 1)
    music = Music(mood_named(setting.mood), score.seed, score.seed * 1009 + number, (end - start) / 1000)
    layer = _Layer(setting, music, ambience.sounds(setting), start, end)
    middle = max(0, (end - start) * _PER_MS // 2 - _SAMPLE_S * RATE // 2)
    trial = slice(middle, middle + _SAMPLE_S * RATE)
    return _Layer(
        setting, music, layer.ambience, start, end,
        _gain(_MUSIC, music.part(trial.start, trial.stop)),
        _gain(_AMBIENCE, _surroundings(layer.ambience, trial.start, trial.stop)),
    )  # fmt: skip


def _gain(wanted: float, sound: Sound) -> float:
    """What brings a sound to `wanted` LUFS; nothing is made of silence."""
    found = loudness.loudness(loudness.steps(sound, RATE))
    return float(10 ** ((wanted - found) / 20)) if np.isfinite(found) else 0.0


def _surroundings(sounds: dict[str, float], start: int, stop: int) -> Sound:
    out = np.zeros(stop - start, np.float32)
    for name, level in sounds.items():
        out += level * ambience.part(name, start, stop)
    return out


def _heard(layer: _Layer, first: int, last: int) -> Sound:
    begun = layer.start_ms * _PER_MS
    heard = layer.music_gain * layer.music.part(first - begun, last - begun)
    if layer.ambience:
        heard += layer.ambience_gain * _surroundings(layer.ambience, first - begun, last - begun)
    return heard


def _ducking(speech: tuple[Speech, ...], duration_ms: int) -> NDArray[np.float64]:
    """The bed's level beside the voices in decibels, every 10 ms: all the way down before anybody speaks."""
    margin = _MOVE_MS // 2 // _GRID_MS
    busy = np.zeros(duration_ms // _GRID_MS + 2 + 2 * margin)
    reach = _PAUSE_MS // 2
    for one in speech:
        first, last = (one.start_ms - reach) // _GRID_MS, -(-(one.end_ms + reach) // _GRID_MS)
        busy[max(0, first + margin) : max(0, last + margin)] = 1
    # A pause shorter than _PAUSE_MS is closed by the reach from both sides; what is left of the reach is given back.
    back = reach // _GRID_MS - margin
    closed = np.lib.stride_tricks.sliding_window_view(np.pad(busy, back, constant_values=1), 2 * back + 1).min(axis=1)
    kernel = np.hanning(2 * margin + 3)[1:-1]
    smooth = np.convolve(closed, kernel / kernel.sum(), "valid")
    return _ALONE + (_UNDER - _ALONE) * smooth
