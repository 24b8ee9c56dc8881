"""The sound of a place and its weather, computed: rain, wind, sea, stream, a crowd, birds, crickets, a fire.

Hides which place sounds how, and how each sound is made: as a loop that goes round without a seam, because it is
shaped on its spectrum.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.inference.drawing.places import INDOOR, family_of
from pipeline.inference.sound import RATE
from pipeline.inference.soundtrack.score import Setting

Sound = NDArray[np.float32]
Numbers = NDArray[np.float64]

_LENGTH = 1 << 20  # samples of a loop: about 22 s
_SEA = ("open_sea", "beach", "harbour", "ship", "lighthouse", "lantern_room")
_CROWD = ("market", "tavern", "street", "square", "platform", "shop", "tent")
_GREEN = ("forest", "field", "garden", "village", "river", "swamp", "road", "mountain", "graveyard")
_WINDY = ("mountain", "desert", "snowfield", "bridge", "castle", "road", "field", "lighthouse")
_HEARTH = ("kitchen", "room", "tavern", "hall")
_STILL = ("space", "spaceship")
_MUFFLED = 0.35
_MOST = 2.5  # of a loop's mean power, as an amplitude


def sounds(setting: Setting) -> dict[str, float]:
    """What is heard in a scene, and how strong each is beside the others; empty where the place is silent."""
    place = family_of(setting.place, setting.about)
    if place in _STILL:
        return {"hum": 0.6} if place == "spaceship" else {}
    inside = place in INDOOR and place != "lantern_room"
    found = _weather(setting.weather)
    if inside:
        found = {name: level * _MUFFLED for name, level in found.items()}
    found |= {name: level for name, level in _of_place(place, setting).items() if name not in found}
    return found


def _weather(weather: str) -> dict[str, float]:
    match weather:
        case "rain":
            return {"rain": 1.0}
        case "storm":
            return {"rain": 1.0, "wind": 0.8}
        case "wind":
            return {"wind": 0.9}
        case "snow":
            return {"wind": 0.45}
    return {}


def _of_place(place: str, setting: Setting) -> dict[str, float]:
    dry = setting.weather not in ("rain", "storm", "snow")
    dark = setting.time_of_day in ("dusk", "night")
    if place in _SEA:
        return {"sea": 1.0} | ({"wind": 0.3} if place in _WINDY else {})
    found: dict[str, float] = {}
    if place in ("river", "swamp"):
        found["stream"] = 0.6
    if place in _CROWD and not (dark and place in ("street", "square", "shop")):
        found["crowd"] = 0.7
    if place in _GREEN and dry:
        found |= {"crickets": 0.5} if dark else {"birds": 0.6}
    if place in _WINDY or (place in _GREEN and not dry):
        found.setdefault("wind", 0.35)
    if place in _HEARTH and (dark or not dry):
        found["fire"] = 0.4
    return found


def part(name: str, start: int, stop: int) -> Sound:
    """Samples [start, stop) of an endless sound."""
    return np.take(_loop(name), np.arange(start, stop), mode="wrap")


def forget() -> None:
    """Gives back the memory that the loops took."""
    _loop.cache_clear()


@cache
def _loop(name: str) -> Sound:
    makers = {
        "rain": _rain, "wind": _wind, "sea": _sea, "stream": _stream, "crowd": _crowd, "birds": _birds,
        "crickets": _crickets, "fire": _fire, "hum": _hum,
    }  # fmt: skip
    sound = makers[name](np.random.default_rng(sum(map(ord, name))))
    even = sound / np.sqrt((sound**2).mean())
    made: Sound = (_MOST * np.tanh(even / _MOST)).astype(np.float32)  # no single drop or crackle stands out
    return made


def _noise(chance: np.random.Generator, low: float, high: float, steep: float = 2.0) -> Numbers:
    """Noise between two frequencies, falling off `steep` × 6 dB an octave beyond them, of unit power."""
    frequency = np.maximum(np.fft.rfftfreq(_LENGTH, 1 / RATE), 1e-3)
    shape = 1 / np.sqrt((1 + (low / frequency) ** (2 * steep)) * (1 + (frequency / high) ** (2 * steep)))
    angle = np.exp(2j * np.pi * chance.random(len(frequency)))
    noise = np.fft.irfft(shape * angle / np.sqrt(frequency + low), _LENGTH)
    unit: Numbers = noise / np.sqrt((noise**2).mean())
    return unit


def _slow(chance: np.random.Generator, fastest: float) -> Numbers:
    """A slow wandering between 0 and 1, no faster than `fastest` Hz, that ends where it began."""
    rounds = max(2, int(fastest * _LENGTH / RATE))
    spectrum = np.zeros(_LENGTH // 2 + 1, complex)
    spectrum[1 : rounds + 1] = chance.normal(size=(rounds, 2)) @ (1, 1j) / np.sqrt(np.arange(1, rounds + 1))
    wave = np.fft.irfft(spectrum, _LENGTH)
    made: Numbers = 0.5 + 0.5 * np.tanh(wave / np.sqrt((wave**2).mean()) / 1.5)
    return made


def _scattered(chance: np.random.Generator, count: int, event: Callable[[np.random.Generator], Numbers]) -> Numbers:
    """`count` short sounds at random moments; `event(chance)` makes one. What runs over the end begins the loop."""
    out = np.zeros(_LENGTH)
    for _ in range(count):
        sound = event(chance)
        at = (int(chance.integers(_LENGTH)) + np.arange(len(sound))) % _LENGTH
        out[at] += sound
    return out


def _rain(chance: np.random.Generator) -> Numbers:
    def drop(chance: np.random.Generator) -> Numbers:
        at = np.arange(int(0.012 * RATE)) / RATE
        pitch = chance.uniform(1200, 3800)
        soft = np.minimum(at / 0.0015, 1)
        return chance.exponential(1.0) * soft * np.exp(-at * 450) * np.sin(2 * np.pi * pitch * at)

    steady = _noise(chance, 500, 5200, 1.0) * (0.85 + 0.15 * _slow(chance, 0.4))
    drops = _scattered(chance, 2600, drop)
    made: Numbers = steady + 0.5 * drops / np.sqrt((drops**2).mean())
    return made


def _wind(chance: np.random.Generator) -> Numbers:
    gust = _slow(chance, 0.35)
    return (0.35 + gust) * _noise(chance, 90, 320) + 0.45 * gust**2 * _noise(chance, 350, 800, 3.0)


def _sea(chance: np.random.Generator) -> Numbers:
    turn = np.arange(_LENGTH) * (2 * np.pi / _LENGTH)
    swell = (0.5 - 0.5 * np.cos(3 * turn + 0.9 * np.sin(turn))) ** 1.5
    wash = np.roll(swell, int(0.7 * RATE)) ** 2
    made: Numbers = (0.3 + swell) * _noise(chance, 80, 420, 1.5) + 0.55 * (0.12 + wash) * _noise(chance, 500, 3200, 1.0)
    return made


def _stream(chance: np.random.Generator) -> Numbers:
    def bubble(chance: np.random.Generator) -> Numbers:
        length = int(chance.uniform(0.03, 0.07) * RATE)
        at = np.arange(length) / RATE
        pitch = chance.uniform(450, 1400) * (1 + 2.2 * at)
        return chance.exponential(1.0) * np.sin(np.pi * np.arange(length) / length) * np.sin(2 * np.pi * pitch * at)

    bubbles = _scattered(chance, 700, bubble)
    made: Numbers = 0.7 * _noise(chance, 350, 1800, 1.0) + 0.6 * bubbles / np.sqrt((bubbles**2).mean())
    return made


def _crowd(chance: np.random.Generator) -> Numbers:
    """Many talk, far off: noise with the speed and the bands of speech, and no words."""
    bands = [
        _noise(chance, low, 2 * low, 3.0) + 0.3 * _noise(chance, 3.4 * low, 6 * low, 3.0) for low in (220, 270, 330)
    ]
    murmur = np.zeros(_LENGTH)
    for number in range(12):
        talk = _slow(chance, 3.5) ** 2 * _slow(chance, 0.3)
        murmur += talk * np.roll(bands[number % 3], int(chance.integers(_LENGTH)))
    return murmur


def _birds(chance: np.random.Generator) -> Numbers:
    def song(chance: np.random.Generator) -> Numbers:
        base, rise = chance.uniform(2300, 3900), chance.uniform(-700, 900)
        notes = []
        for _ in range(int(chance.integers(2, 7))):
            length = int(chance.uniform(0.05, 0.13) * RATE)
            along = np.arange(length) / length
            pitch = base + rise * along + chance.uniform(-150, 150)
            notes += [np.sin(np.pi * along) ** 2 * np.sin(2 * np.pi * np.cumsum(pitch) / RATE)]
            notes += [np.zeros(int(chance.uniform(0.04, 0.11) * RATE))]
        return chance.uniform(0.25, 1.0) * np.concatenate(notes)

    songs = _scattered(chance, 22, song)
    made: Numbers = songs + 0.35 * np.sqrt((songs**2).mean()) * _noise(chance, 150, 900, 1.0)
    return made


def _crickets(chance: np.random.Generator) -> Numbers:
    def chirp(chance: np.random.Generator) -> Numbers:
        at = np.arange(int(0.5 * RATE)) / RATE
        pulses = np.clip(np.sin(2 * np.pi * 26 * at), 0, 1) ** 2 * np.sin(np.pi * at / at[-1])
        made: Numbers = chance.uniform(0.2, 0.8) * pulses * np.sin(2 * np.pi * chance.uniform(3900, 4500) * at)
        return made

    chirps = _scattered(chance, 26, chirp)
    made: Numbers = chirps + 0.7 * np.sqrt((chirps**2).mean()) * _noise(chance, 120, 700, 1.0)
    return made


def _fire(chance: np.random.Generator) -> Numbers:
    def crackle(chance: np.random.Generator) -> Numbers:
        length = int(chance.uniform(0.003, 0.012) * RATE)
        along = np.arange(length) / length
        made: Numbers = (
            chance.exponential(1.0)
            * (1 - along) ** 3
            * np.sin(2 * np.pi * chance.uniform(0.02, 0.08) * np.arange(length))
        )
        return made

    crackles = _scattered(chance, 150, crackle)
    made: Numbers = 0.7 * (0.6 + 0.4 * _slow(chance, 2.0)) * _noise(chance, 70, 350) + 0.5 * crackles / np.sqrt(
        (crackles**2).mean()
    )
    return made


def _hum(chance: np.random.Generator) -> Numbers:
    return _noise(chance, 60, 180, 3.0) * (0.85 + 0.15 * _slow(chance, 0.2))
