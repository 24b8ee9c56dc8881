"""The check of what an engine or provider returned, before it may be published: type by content, whole, as asked."""

from __future__ import annotations

import threading
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from pipeline.contracts import ImageRequest, JobRequest, Output, SpeechRequest, UpscaleRequest
from pipeline.errors import BadMedia
from pipeline.film import ffmpeg, sound

MAX_PIXELS = 40_000_000
LEAST_SIDE = 4  # a side has to be at least this part of what was asked
_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}


@dataclass(frozen=True)
class Accepted:
    """A file that may be published. `ext` is by content; `measured` has its size, or its frames, or its length."""

    path: Path
    ext: str
    measured: dict[str, Any]


def accept(request: JobRequest, output: Output, *, cancel: threading.Event) -> Accepted:
    """Decodes the whole file. Speech of any form is brought to WAV. Raises BadMedia."""
    if not output.path.is_file() or output.path.stat().st_size == 0:
        raise BadMedia("The engine left no file.")
    if isinstance(request, ImageRequest):
        return _as_large_as_asked(_picture(output.path), request)
    if isinstance(request, UpscaleRequest):
        return _picture(output.path)
    if isinstance(request, SpeechRequest):
        return _speech(output.path, cancel)
    return _clip(output.path, cancel)


def _picture(path: Path) -> Accepted:
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise BadMedia(f"The picture has {image.width}×{image.height} pixels, which is too many.")
            image.load()
            return Accepted(path, _EXTENSIONS[image.format or ""], {"width": image.width, "height": image.height})
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadMedia("The picture is damaged or of an unknown type.") from error


def _as_large_as_asked(found: Accepted, request: ImageRequest) -> Accepted:
    """Models have sizes of their own, but none that is far below what was asked: that is another picture."""
    width, height = found.measured["width"], found.measured["height"]
    if width * LEAST_SIDE < request.width or height * LEAST_SIDE < request.height:
        asked = f"{request.width}×{request.height}"
        raise BadMedia(f"The picture has {width}×{height} pixels where {asked} were asked for.")
    return found


def _speech(path: Path, cancel: threading.Event) -> Accepted:
    wav = path if path.suffix == ".wav" and _in_form(path) else path.with_name("accepted.wav")
    if wav != path:
        sound.accept_speech(path, wav, cancel=cancel)
    try:
        with wave.open(str(wav)) as track:
            duration_ms = track.getnframes() * 1000 // track.getframerate()
    except (wave.Error, EOFError) as error:
        raise BadMedia("The speech is not a sound file.") from error
    if duration_ms == 0:
        raise BadMedia("The speech is empty.")
    return Accepted(wav, "wav", {"duration_ms": duration_ms})


def _in_form(path: Path) -> bool:
    """48 kHz mono 16-bit, whole milliseconds: what our own engine writes."""
    try:
        with wave.open(str(path)) as track:
            form = (track.getframerate(), track.getnchannels(), track.getsampwidth())
            return form == (48_000, 1, 2) and track.getnframes() % 48 == 0
    except (wave.Error, EOFError, OSError):
        return False


def _clip(path: Path, cancel: threading.Event) -> Accepted:
    """Every frame is decoded and counted: a truncated fast-start file passes all cheaper checks."""
    report = ffmpeg.probe(path)
    if report.kind != "video":
        raise BadMedia(f"The clip is a {report.container} file.", hint="It has to be made or fetched again.")
    decoded = ffmpeg.decode_check(path, cancel=cancel)
    if decoded.frames == 0:
        raise BadMedia("The clip has no frames.")
    if report.frames and decoded.frames < report.frames:
        raise BadMedia(f"The clip is cut off: {decoded.frames} of {report.frames} frames are there.")
    return Accepted(
        path,
        "webm" if report.container == "webm" else "mp4",
        {"frames": decoded.frames, "duration_ms": decoded.duration_ms, "width": report.width, "height": report.height},
    )
