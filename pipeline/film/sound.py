"""The narration: segments' sounds become one track whose every time is a whole millisecond.

Hides sample formats and rates (all sound inside is 48 kHz mono 16-bit WAV, padded to whole milliseconds), and the AAC
encoder, which is run once per narration. Sound is streamed: memory does not grow with its length.
"""

from __future__ import annotations

import threading
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import BadMedia, Cancelled, EngineFailed, EngineTimeout, InvalidInput
from pipeline.film import ffmpeg, probe
from pipeline.film.files import making

RATE = 48_000
_SAMPLES_PER_MS = RATE // 1000
_BLOCK = RATE  # samples read at once
_LEAST_MS = 50  # below this there is no frame to show
_MOST_MS = 12 * 3_600_000  # a WAV file holds 4 GB
_BITRATE = "128k"
_AAC = {"c:a": "aac", "flags:a": "+bitexact", "fflags": "+bitexact", "map_metadata": -1, "f": "mp4"}


@dataclass(frozen=True, slots=True)
class NarrationTimes:
    """How long the narration is, and where each sound lies in it (start, end), in order, in milliseconds."""

    duration_ms: int
    spans: tuple[tuple[int, int], ...]


def join_narration(
    wavs: Sequence[Path],
    *,
    gap_ms: int = 150,
    out_wav: Path,
    out_aac: Path,
    cancel: threading.Event | None = None,
) -> NarrationTimes:
    """Puts sounds one after the other, `gap_ms` of silence between them, into a WAV and an AAC (.m4a) file.

    Raises InvalidInput if nothing is left to hear or it is longer than 12 hours, BadMedia naming a sound that cannot
    be read, DiskFull, Cancelled. No file is left then.
    """
    spans: list[tuple[int, int]] = []
    at_ms = 0
    with making(out_wav, out_aac):
        with _writing(out_wav) as track:
            for number, path in enumerate(wavs):
                if cancel is not None and cancel.is_set():
                    raise Cancelled("The work was stopped.")
                if number:
                    _silence(track, gap_ms)
                    at_ms += gap_ms
                end_ms = at_ms + _append(track, path, out_wav.with_suffix(".part.wav"), cancel)
                spans.append((at_ms, end_ms))
                at_ms = end_ms
                if at_ms > _MOST_MS:
                    raise InvalidInput("The narration is longer than 12 hours.", hint="Split the story.")
        if at_ms < _LEAST_MS or all(start == end for start, end in spans):
            raise InvalidInput("The narration is empty: there is nothing to hear.", hint="Add some text to the story.")
        encode_aac(out_wav, out_aac, cancel=cancel)
    return NarrationTimes(at_ms, tuple(spans))


def encode_aac(wav: Path, out: Path, *, bitrate: str = _BITRATE, cancel: threading.Event | None = None) -> None:
    """Encodes a WAV as AAC in MP4, sample for sample in place: the encoder's delay is in the file's edit list.

    A low `bitrate` raises peaks: at 128 kbit/s by up to 2 dB, at 192 kbit/s by half a decibel.
    """
    sound = ffmpeg.source(wav, "wav").audio
    args = sound.output(str(out.absolute()), **_AAC, **{"b:a": bitrate, "movflags": "+faststart"}).get_args()
    with making(out):
        ffmpeg.run(args, timeout_s=60 + wav.stat().st_size / 2_000_000, cancel=cancel)


def accept_speech(src: Path, out: Path, *, cancel: threading.Event | None = None) -> int:
    """Brings sound of any common form to 48 kHz mono 16-bit WAV padded to a whole millisecond; how many there are.

    Raises BadMedia if it is no sound or damaged.
    """
    with _writing(out) as track:
        return _append(track, src, out.with_suffix(".part.wav"), cancel)


def slice(wav: Path, start_ms: int, end_ms: int, out: Path) -> None:
    """Copies [start_ms, end_ms) of a narration WAV; silence stands for what lies beyond its end."""
    with _reading(wav) as sound, _writing(out) as part:
        wanted = (end_ms - start_ms) * _SAMPLES_PER_MS
        sound.setpos(min(start_ms * _SAMPLES_PER_MS, sound.getnframes()))
        part_length = 0
        for block in _blocks(sound, wanted):
            part.writeframesraw(block)
            part_length += len(block) // 2
        part.writeframesraw(bytes(2 * (wanted - part_length)))


def _append(track: wave.Wave_write, path: Path, converted: Path, cancel: threading.Event | None) -> int:
    """Writes one sound to the track; its milliseconds."""
    try:
        if _in_form(path):
            return _copy(track, path)
        _convert(path, converted, cancel)
        return _copy(track, converted)
    finally:
        converted.unlink(missing_ok=True)


def _copy(track: wave.Wave_write, path: Path) -> int:
    samples = 0
    with _reading(path) as sound:
        for block in _blocks(sound, sound.getnframes()):
            track.writeframesraw(block)
            samples += len(block) // 2
    padding = -samples % _SAMPLES_PER_MS
    track.writeframesraw(bytes(2 * padding))
    return (samples + padding) // _SAMPLES_PER_MS


def _in_form(path: Path) -> bool:
    try:
        with wave.open(str(path)) as sound:
            return (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (RATE, 1, 2)
    except (wave.Error, EOFError, OSError):
        return False


def _convert(path: Path, out: Path, cancel: threading.Event | None) -> None:
    sound = ffmpeg.source(path, probe.sniff(path)).audio
    args = sound.output(str(out.absolute()), ar=RATE, ac=1, f="wav", **{"c:a": "pcm_s16le"}).global_args("-xerror")
    try:
        ffmpeg.run(args.get_args(), timeout_s=600, cancel=cancel)
    except EngineTimeout:
        raise
    except EngineFailed as error:
        raise BadMedia(f"The sound {path.name} cannot be read.", hint="It has to be spoken again.") from error


def _silence(track: wave.Wave_write, ms: int) -> None:
    track.writeframesraw(bytes(2 * _SAMPLES_PER_MS * ms))


def _blocks(sound: wave.Wave_read, samples: int) -> Iterator[bytes]:
    """At most so many samples, as far as there are any: the header's count may exceed what the file holds."""
    while samples > 0 and (block := sound.readframes(min(_BLOCK, samples))):
        yield block[: len(block) // 2 * 2]
        samples -= len(block) // 2


@contextmanager
def _reading(path: Path) -> Iterator[wave.Wave_read]:
    try:
        with wave.open(str(path)) as sound:
            yield sound
    except (wave.Error, EOFError, FileNotFoundError) as error:
        raise BadMedia(f"The sound {path.name} cannot be read.", hint="It has to be spoken again.") from error


@contextmanager
def _writing(path: Path) -> Iterator[wave.Wave_write]:
    """A WAV of our form being written; removed if that does not succeed."""
    with making(path), wave.open(str(path), "wb") as track:
        track.setframerate(RATE)
        track.setnchannels(1)
        track.setsampwidth(2)
        yield track
