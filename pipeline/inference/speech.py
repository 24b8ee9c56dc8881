"""Speech: any text, in any of the voices that are here, as sound that is ready for the film.

Hides which engine a voice belongs to, and what is done to the sound so that speakers are equally loud, sentences end in
a pause and joins never click. `speak` has to run in a process that has not spoken before, so that it says the same
every time.
"""

from __future__ import annotations

import re
import unicodedata
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import Value, Voice, WordTime
from pipeline.inference import espeak, piper, sound
from pipeline.inference.alignment import Mark, aligned

NO_SOUND_MS = 400  # what a text gets that has nothing to say
_PAUSE_MS = 190  # after a sentence; the narration adds its own
_SENTENCE_END = re.compile(r"""[.!?\u2026\u3002\uff01\uff1f\u061f\u0964][\s'"\u2019\u201d\u00bb\u300d)\]]*$""")
_KEPT = "\n°\u200c\u200d"
_UNSPOKEN = str.maketrans(dict.fromkeys("<>|\\*_~^`#=[]{}", " "))


class Spoken(Value):
    """A text that was spoken: how long it takes, and when each of its words is heard."""

    duration_ms: int
    words: tuple[WordTime, ...]


def speak(text: str, voice: str, out: Path, own_voices: Path | None = None) -> Spoken:
    """Speaks `text` into `out`: 48 kHz mono 16-bit WAV, a whole number of milliseconds.

    `voice` is a Voice's id; `own_voices` is the folder of the user's voice files. A text that makes no sound gives a
    short silence. Raises InvalidInput for an unknown voice, EngineFailed for a voice file that cannot be used.
    """
    plain = _plain(text)
    samples, rate, marks = (
        _synthesised(plain, voice, own_voices) if plain.strip() else (np.zeros(0, np.float32), sound.RATE, [])
    )
    pause = _PAUSE_MS if _SENTENCE_END.search(text) else 0
    finished = sound.finish(samples, rate, silence_ms=NO_SOUND_MS, pause_ms=pause)
    _write(out, finished.samples)
    shifted = [Mark(mark.kind, mark.position, mark.ms - finished.cut_ms) for mark in marks]
    heard_ms = max(1, finished.duration_ms - finished.pause_ms)
    return Spoken(duration_ms=finished.duration_ms, words=aligned(text, shifted, heard_ms))


def voices(language: str, own_voices: Path | None = None) -> tuple[Voice, ...]:
    """Every voice for an ISO 639-1 code or language tag ("de", "pt-BR"), the user's own first; English ones for an
    unknown language."""
    return (*(piper.voices(own_voices, language) if own_voices else ()), *espeak.voices(language))


def _synthesised(plain: str, voice: str, own_voices: Path | None) -> tuple[NDArray[np.float32], int, list[Mark]]:
    if own_voices is not None and piper.is_voice(voice):
        return piper.synthesise(plain, voice, own_voices)
    samples, marks = espeak.synthesise(plain, voice)
    return samples, espeak.RATE, marks


def _plain(text: str) -> str:
    """The text with what must not be spoken blanked out, each character in its place, so that positions hold."""
    silent = ("C", "So", "Sk")  # control characters, lone surrogates, emoji and other signs
    kept = (c if not unicodedata.category(c).startswith(silent) or c in _KEPT else " " for c in text)
    return "".join(kept).translate(_UNSPOKEN)


def _write(out: Path, samples: NDArray[np.int16]) -> None:
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.RATE)
        file.writeframes(samples.astype("<i2").tobytes())
