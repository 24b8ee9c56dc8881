"""Quiet music for a scene's mood: slow chords of a soft pad over a low root, and a few plucked notes.

Hides the harmony, the voicing and the instruments. All moods of a film share one key, so that one scene's music may
fade into the next. Every sound is computed; none is a recording.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.sound import RATE

Sound = NDArray[np.float32]

_MAJOR = (0, 2, 4, 5, 7, 9, 11)
_KEYS = (-5, -3, -2, 0, 2, 3)  # semitones from C
_PAD_LOW, _PAD_HIGH = 52, 69  # MIDI notes; between the voices' own pitch and their consonants
_ROOT_LOW = 36
_PLUCK_LOW, _PLUCK_HIGH = 67, 84
_LOOP_S = 4  # a pad's frequencies fit whole into so many seconds, so it may go round without a seam
_PLUCK_S = 4.0
_ROOM_S = 1.4
_DARK_HZ = 1500.0


@dataclass(frozen=True, slots=True)
class Mood:
    """`chords` are degrees of the major scale (0..6). A pluck may come every `pluck_s`, with the chance `plucks`."""

    chords: tuple[int, ...]
    chord_s: float
    pluck_s: float
    plucks: float
    root: float = 0.5  # how loud the low root is beside the pad
    third: bool = True  # without its third a chord is neither glad nor sad


MOODS: dict[str, Mood] = {
    "calm": Mood((0, 3, 5, 3, 0, 1, 3, 4), 8.0, 2.0, 0.35),
    "warm": Mood((0, 5, 3, 0, 2, 3, 1, 4), 7.2, 1.2, 0.5),
    "joyful": Mood((0, 4, 5, 3, 0, 3, 1, 4), 5.6, 0.7, 0.6),
    "excited": Mood((5, 3, 0, 4, 5, 3, 1, 4), 5.2, 0.65, 0.6),
    "sad": Mood((5, 3, 1, 5, 5, 2, 3, 2), 8.8, 2.2, 0.4),
    "mysterious": Mood((3, 5, 2, 3, 1, 5, 3, 2), 8.4, 2.8, 0.45, root=0.35),
    "tense": Mood((5, 5, 1, 5, 5, 3, 1, 2), 7.6, 3.8, 0.25, root=0.8, third=False),
    "angry": Mood((5, 1, 5, 2, 5, 3, 1, 2), 5.6, 1.4, 0.35, root=0.9, third=False),
}
_WORDS: dict[str, str] = {
    "tense": "fear afraid danger dread anxious nervous suspense ominous menacing threat dark eerie uneasy urgent",
    "angry": "anger furious rage violent conflict hostile bitter fierce battle",
    "sad": "melancholy sorrow grief lonely mourning tragic wistful bleak somber sombre gloomy regret longing",
    "joyful": "happy joy merry cheerful playful festive funny bright celebration delighted triumphant comic light",
    "excited": "adventure adventurous thrilling exciting energetic bustling busy lively hurried heroic eager epic",
    "mysterious": "mystery strange magical wonder secret dreamy dream haunting curious enchanted surreal awe",
    "warm": "cosy cozy tender gentle loving kind hopeful hope homely intimate friendly romantic grateful nostalgic",
    "calm": "peaceful quiet serene still tranquil relaxed reflective pastoral soft",
}


def mood_named(words: str) -> Mood:
    """The music for a mood in anybody's words; calm where nothing is recognised."""
    said = re.findall(r"[a-z]+", words.lower())
    for word in said:
        for name, others in _WORDS.items():
            if word == name or word in others.split():
                return MOODS[name]
    return MOODS["calm"]


@dataclass(frozen=True, slots=True)
class _Note:
    start: int  # samples from the scene's beginning
    length: int
    midi: int
    level: float
    plucked: bool


class Music:
    """The music of one scene, from its beginning for as long as anybody asks."""

    def __init__(self, mood: Mood, key: int, seed: int, seconds: float) -> None:
        self._notes = _composed(mood, _KEYS[key % len(_KEYS)], np.random.default_rng(seed), seconds)
        self._starts = [note.start for note in self._notes]
        self._longest = max(note.length for note in self._notes)

    def part(self, start: int, stop: int) -> Sound:
        """Samples [start, stop) of the scene's time."""
        out = np.zeros(stop - start, np.float32)
        near = slice(bisect_right(self._starts, start - self._longest), bisect_left(self._starts, stop))
        for note in self._notes[near]:
            first, last = max(start, note.start), min(stop, note.start + note.length)
            if first < last:
                out[first - start : last - start] += _played(note, first - note.start, last - note.start)
        return out


def _composed(mood: Mood, tonic: int, chance: np.random.Generator, seconds: float) -> list[_Note]:
    notes: list[_Note] = []
    length = round(mood.chord_s * RATE)
    fade = round(2.4 * RATE)
    turn = int(chance.integers(2)) * 4  # where in its round of chords a scene begins
    before: tuple[int, ...] = (57, 60, 64)
    for number in range(int(seconds / mood.chord_s) + 1):
        degree = mood.chords[(number + turn) % len(mood.chords)]
        at = number * length
        before = _voiced(degree, tonic, mood.third, before)
        root = _ROOT_LOW + (tonic + _MAJOR[degree] - _ROOT_LOW) % 12
        notes.append(_Note(at, length + fade, root, 0.34 * mood.root, plucked=False))
        notes += [_Note(at, length + fade, midi, 0.2, plucked=False) for midi in before]
        notes += _plucked(mood, before, at, chance)
    return sorted(notes, key=lambda note: note.start)


def _voiced(degree: int, tonic: int, third: bool, before: tuple[int, ...]) -> tuple[int, ...]:
    """A chord's tones in the pad's range, each as near as may be to a tone of the last chord."""
    places: list[int] = []
    for step in (0, 2, 4) if third else (0, 4):
        tone = tonic + _MAJOR[(degree + step) % 7]
        octaves = [midi for midi in range(_PAD_LOW, _PAD_HIGH + 1) if (midi - tone) % 12 == 0]
        places.append(min(octaves, key=lambda midi: min(abs(midi - near) for near in before)))
    return tuple(sorted(places))


def _plucked(mood: Mood, chord: tuple[int, ...], at: int, chance: np.random.Generator) -> list[_Note]:
    """A few of the chord's tones, high up, stepping to the nearest of them more often than leaping."""
    tones = [midi for midi in range(_PLUCK_LOW, _PLUCK_HIGH) if any((midi - tone) % 12 == 0 for tone in chord)]
    place = int(chance.integers(len(tones)))
    notes = []
    for beat in range(int(mood.chord_s / mood.pluck_s)):
        place = min(max(place + int(chance.integers(-2, 3)), 0), len(tones) - 1)
        if chance.random() < mood.plucks:
            start = at + round((beat * mood.pluck_s + 0.02 * float(chance.random())) * RATE)
            level = 0.15 * (0.6 + 0.4 * float(chance.random()))
            notes.append(_Note(start, round(_PLUCK_S * RATE), tones[place], level, plucked=True))
    return notes


def forget() -> None:
    """Gives back the memory that the instruments took."""
    _pad.cache_clear()
    _pluck.cache_clear()


def _played(note: _Note, first: int, last: int) -> Sound:
    """Samples [first, last) of a note."""
    if note.plucked:
        return note.level * _pluck(note.midi)[first:last]
    loop = _pad(note.midi)
    at = np.arange(first, last)
    rise = np.minimum(at, note.length - at) / (2.4 * RATE)
    swell = np.sin(np.pi / 2 * np.minimum(rise, 1)) ** 2 * (
        1 + 0.12 * np.sin(at * (2 * np.pi * 0.11 / RATE) + note.midi)
    )
    made: Sound = (note.level * swell).astype(np.float32) * np.take(loop, at, mode="wrap")
    return made


def _hertz(midi: int) -> float:
    return 440.0 * 2 ** ((midi - 69) / 12)


@cache
def _pad(midi: int) -> Sound:
    """A soft, steady tone as a loop of _LOOP_S seconds."""
    cycles = round(_hertz(midi) * _LOOP_S)
    turn = np.arange(_LOOP_S * RATE) * (2 * np.pi * cycles / (_LOOP_S * RATE))
    tone = np.zeros(_LOOP_S * RATE)
    for number in range(1, 7):
        dark = 1 / (1 + (number * _hertz(midi) / _DARK_HZ) ** 4)
        tone += dark / number**1.7 * np.sin(number * turn + 0.9 * number * number)
    return tone.astype(np.float32)


@cache
def _pluck(midi: int) -> Sound:
    """A plucked string in a room, _PLUCK_S long, silent at both ends."""
    at = np.arange(round(_PLUCK_S * RATE)) / RATE
    tone = np.zeros(len(at))
    for number in range(1, 6):
        dark = 1 / (1 + (number * _hertz(midi) / 2600.0) ** 4)
        tone += dark / number**1.6 * np.exp(-at * (1.5 + 0.9 * number)) * np.sin(2 * np.pi * number * _hertz(midi) * at)
    tone *= np.sin(np.pi / 2 * np.minimum(at / 0.014, 1)) ** 2
    length = 1 << (2 * len(at) - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(tone, length) * np.fft.rfft(_room(), length), length)[: len(at)]
    end = np.minimum((_PLUCK_S - at) / 0.8, 1)
    made: Sound = ((tone + 0.35 * wet) * np.sin(np.pi / 2 * end) ** 2).astype(np.float32)
    return made


@cache
def _room() -> NDArray[np.float64]:
    """The echo of a small hall: darkening noise that dies away, of unit energy."""
    at = np.arange(round(_ROOM_S * RATE)) / RATE
    noise = np.random.default_rng(1).normal(size=len(at)) * np.exp(-at * 4.5) * np.minimum(at / 0.02, 1)
    spectrum = np.fft.rfft(noise)
    spectrum /= 1 + (np.fft.rfftfreq(len(at), 1 / RATE) / 2500.0) ** 2
    room = np.fft.irfft(spectrum, len(at))
    made: NDArray[np.float64] = room / np.sqrt((room**2).sum())
    return made
