"""What lip sync takes and costs, apart from any provider. Pure, but for padding a sound file.

A model that takes clips of two seconds and more gets a short slot as two seconds of the raw clip with silence after the
words; what comes back is cut to the slot again.
"""

from __future__ import annotations

import wave
from collections.abc import Iterable
from pathlib import Path

LEAST_MS = 2_000
MICROS_PER_SECOND = 14_000


def sent_ms(slot_ms: int) -> int:
    """How much is sent for a slot."""
    return max(LEAST_MS, slot_ms)


def estimate_micros(slots_ms: Iterable[int]) -> int:
    """What lip sync of these slots is expected to cost with the primary model."""
    return sum(sent_ms(slot) * MICROS_PER_SECOND for slot in slots_ms) // 1000


def pad_with_silence(wav: Path, duration_ms: int) -> None:
    """Makes a WAV file (48 kHz mono 16-bit) at least this long, in place."""
    with wave.open(str(wav)) as sound:
        form, frames = sound.getparams(), sound.readframes(sound.getnframes())
    missing = form.framerate * duration_ms // 1000 - form.nframes
    if missing <= 0:
        return
    with wave.open(str(wav), "wb") as sound:
        sound.setparams(form)
        sound.writeframes(frames + bytes(missing * form.sampwidth * form.nchannels))
