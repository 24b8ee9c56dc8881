"""The mix: the narration with all speakers equally loud, the bed under it, brought to the film's loudness and limited.

Sound is read and written in stretches, so memory hardly grows with the film.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadMedia
from pipeline.inference import loudness
from pipeline.inference.sound import RATE
from pipeline.inference.soundtrack import ambience, mastering, music
from pipeline.inference.soundtrack.bed import Bed
from pipeline.inference.soundtrack.score import Score

_PER_MS = RATE // 1000
_STEP = round(loudness.STEP_S * RATE)
_STRETCH = 96 * _STEP
_MARGIN = ((1 << 19) - _STRETCH) // 2  # a stretch and its margins are a power of two, which transforms like

_TRIALS = 8
_NEAR_ENOUGH = 0.1  # LU

Sound = NDArray[np.float32]
Numbers = NDArray[np.floating[Any]]
Part = Callable[[int, int], Sound]  # samples [start, stop) of the film's time; silence lies around it


def make(narration: Path, score: Score, out: Path) -> None:
    """As the room's own `make`, which says what it does."""
    length = score.duration_ms * _PER_MS
    unfinished = out.with_suffix(".mix.wav")
    try:
        with _reading(narration, score.lead_ms * _PER_MS) as told:
            voices = _mastered(_levelled(told, score), length)
            _write(unfinished, _with_bed(voices, score), length)
        with _reading(unfinished) as mix:
            _write(out, _limited(mix, 1.0, mastering.limiter(_peaks(mix, length))), length)
    finally:
        unfinished.unlink(missing_ok=True)
        ambience.forget()
        music.forget()


def _mastered(voices: Part, length: int) -> Part:
    """The voices at the film's loudness. The limiter takes some of it away again, so it is tried and measured.

    The bed comes in afterwards: it would rise with a gain that the limiter takes from the voices alone.
    """
    peaks = _peaks(voices, length)
    tried = [(0.0, loudness.loudness(_squares(voices, length)))]
    finished = voices
    for _ in range(_TRIALS):
        decibels = mastering.next_gain(tried)
        gain = 10 ** (decibels / 20)
        finished = _limited(voices, gain, mastering.limiter(peaks * gain))
        if abs(decibels - tried[-1][0]) < _NEAR_ENOUGH:
            break
        tried.append((decibels, loudness.loudness(_squares(finished, length))))
        if abs(tried[-1][1] - mastering.LOUDNESS) < _NEAR_ENOUGH:
            break
    return finished


def _limited(sound: Part, gain: float, limiter: Numbers) -> Part:
    return lambda start, stop: sound(start, stop) * (gain * _over_time(limiter, start, stop))


@contextmanager
def _reading(path: Path, begins: int = 0) -> Iterator[Part]:
    """A WAV whose first sample lies at `begins`."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE, 1, 2):
                raise BadMedia(f"{path.name} is not mono sound at {RATE} Hz with 16 bits.")
            length = file.getnframes()

            def part(start: int, stop: int) -> Sound:
                first, last = (min(max(at - begins, 0), length) for at in (start, stop))
                file.setpos(first)
                out = np.zeros(stop - start, np.float32)
                found = np.frombuffer(file.readframes(last - first), "<i2")
                out[first + begins - start :][: len(found)] = found / np.float32(32768)
                return out

            yield part
    except (wave.Error, EOFError, FileNotFoundError) as error:
        raise BadMedia(f"The sound {path.name} cannot be read.", hint="It has to be spoken again.") from error


def _levelled(voices: Part, score: Score) -> Part:
    """Every speaker as loud as the others."""
    length = score.duration_ms * _PER_MS
    levels = mastering.levelled(_squares(voices, length), _peaks(voices, length), score)
    return lambda start, stop: voices(start, stop) * _over_time(levels, start, stop)


def _with_bed(voices: Part, score: Score) -> Part:
    """The voices and, where the score has settings, the bed."""
    if not score.settings:
        return voices
    bed = Bed(score, mastering.LOUDNESS)
    return lambda start, stop: voices(start, stop) + bed.part(start, stop)


def _over_time(gains: Numbers, start: int, stop: int) -> Sound:
    """Gains of each millisecond as gains of samples."""
    at = (np.arange(start, stop) + 0.5) / _PER_MS - 0.5
    return np.interp(at, np.arange(len(gains)), gains).astype(np.float32)


def _peaks(part: Part, length: int) -> Numbers:
    """The peak of each millisecond."""
    found = [loudness.peaks(part(start, stop), _PER_MS) for start, stop in _stretches(length)]
    return np.concatenate([np.zeros(0, np.float32), *found])


def _squares(part: Part, length: int) -> Numbers:
    """The mean squares of all 100 ms, as they are heard."""
    found: list[Numbers] = [np.zeros(0)]
    for start, stop in _stretches(length):
        steps = loudness.steps(part(start - _MARGIN, start + _STRETCH + _MARGIN), RATE, skip=_MARGIN)
        found.append(steps[: -(-(stop - start) // _STEP)])
    return np.concatenate(found)


def _write(path: Path, part: Part, length: int) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for start, stop in _stretches(length):
            whole = np.clip(np.round(part(start, stop) * 32767), -32767, 32767)
            file.writeframesraw(whole.astype("<i2").tobytes())


def _stretches(length: int) -> Iterator[tuple[int, int]]:
    for start in range(0, length, _STRETCH):
        yield start, min(start + _STRETCH, length)
