"""What a media file is: its type by content, and ffprobe's report as a typed value. Starts no process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import BadMedia

Kind = Literal["video", "image", "audio"]

# Container → (what it may hold, ffmpeg's demuxer). The demuxer is always pinned: with the type left open, ffmpeg
# would take a playlist or a concat script named .mp4 and open what it lists.
CONTAINERS: dict[str, tuple[Kind, str]] = {
    "mp4": ("video", "mov"),
    "webm": ("video", "matroska"),
    "gif": ("image", "gif"),
    "png": ("image", "png_pipe"),
    "jpeg": ("image", "jpeg_pipe"),
    "webp": ("image", "webp_pipe"),
    "wav": ("audio", "wav"),
    "mp3": ("audio", "mp3"),
    "ogg": ("audio", "ogg"),
    "flac": ("audio", "flac"),
}
_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")


def sniff(path: Path) -> str:
    """The container's name (a key of CONTAINERS), from the file's first bytes; its name says nothing.

    Raises BadMedia for anything else (a web page, text, an empty file).
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except FileNotFoundError as error:
        raise BadMedia(f"The file {path.name} is gone.") from error
    name = _container(head)
    if name is None:
        what = "a web page" if b"<html" in head.lower() or b"<!doctype" in head.lower() else "not a known media type"
        raise BadMedia(f"{path.name} is {what if head else 'empty'}.", hint="It has to be made or fetched again.")
    return name


def _container(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _STILL_BRANDS else "mp4"
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mp4"
    if head[:4] == b"RIFF":
        return {b"WAVE": "wav", b"WEBP": "webp"}.get(head[8:12])
    starts = {
        b"\x1aE\xdf\xa3": "webm",
        b"GIF8": "gif",
        b"\x89PNG\r\n\x1a\n": "png",
        b"\xff\xd8\xff": "jpeg",
        b"ID3": "mp3",
        b"\xff\xfb": "mp3",
        b"OggS": "ogg",
        b"fLaC": "flac",
    }
    return next((name for start, name in starts.items() if head.startswith(start)), None)


@dataclass(frozen=True, slots=True)
class Probe:
    """What the headers of a file say. Sizes are as stored; `rotation` (0, 90, 180, 270, clockwise) and
    `sample_aspect` say how they are shown. `frames` is the container's own count of pictures, 0 where it has none, and
    `packets` how many can be read (counted only if asked for: fewer than `frames` means a truncated file);
    `start_ms` and `duration_ms` are the picture's (the sound's, if there is no picture)."""

    kind: Kind
    container: str
    duration_ms: int
    start_ms: int = 0
    width: int = 0
    height: int = 0
    fps: Fraction = Fraction(0)
    frames: int = 0
    packets: int = 0
    codec: str = ""
    profile: str = ""
    pix_fmt: str = ""
    time_base: str = ""
    b_frames: bool = False
    colour_space: str = ""
    colour_transfer: str = ""
    rotation: int = 0
    sample_aspect: Fraction = Fraction(1)
    has_audio: bool = False
    audio_duration_ms: int = 0
    sample_rate: int = 0
    channels: int = 0
    codec_private: str = ""

    @property
    def shown_size(self) -> tuple[int, int]:
        """(width, height) of the upright picture with square pixels."""
        width = max(1, round(self.width * self.sample_aspect))
        return (self.height, width) if self.rotation in (90, 270) else (width, self.height)


def parse(container: str, report: str) -> Probe:
    """The Probe out of ffprobe's JSON (streams and format). Raises BadMedia if there is neither picture nor sound."""
    try:
        data: dict[str, Any] = json.loads(report)
    except json.JSONDecodeError as error:
        raise BadMedia("The file's headers cannot be read.") from error
    streams: list[dict[str, Any]] = data.get("streams", [])
    pictures = [s for s in streams if s.get("codec_type") == "video" and not _is_cover(s)]
    sounds = [s for s in streams if s.get("codec_type") == "audio"]
    sound = sounds[0] if sounds else {}
    whole_ms = _ms(data.get("format", {}).get("duration"))
    audio: dict[str, Any] = {
        "has_audio": bool(sounds),
        "audio_duration_ms": _ms(sound.get("duration")) or (whole_ms if sounds else 0),
        "sample_rate": int(sound.get("sample_rate", 0)),
        "channels": int(sound.get("channels", 0)),
    }
    if not pictures:
        if not sounds:
            raise BadMedia("The file holds neither picture nor sound.")
        return Probe("audio", container, audio["audio_duration_ms"], codec=sound.get("codec_name", ""), **audio)
    picture = pictures[0]
    return Probe(
        CONTAINERS[container][0],
        container,
        _ms(picture.get("duration")) or whole_ms,
        start_ms=_ms(picture.get("start_time")),
        width=int(picture.get("width", 0)),
        height=int(picture.get("height", 0)),
        fps=_ratio(picture.get("avg_frame_rate")) or _ratio(picture.get("r_frame_rate")),
        frames=int(picture.get("nb_frames", 0)),
        packets=int(picture.get("nb_read_packets", 0)),
        codec=picture.get("codec_name", ""),
        profile=picture.get("profile", ""),
        pix_fmt=picture.get("pix_fmt", ""),
        time_base=picture.get("time_base", ""),
        b_frames=bool(picture.get("has_b_frames", 0)),
        colour_space=picture.get("color_space", ""),
        colour_transfer=picture.get("color_transfer", ""),
        rotation=_rotation(picture),
        sample_aspect=_ratio(picture.get("sample_aspect_ratio", "").replace(":", "/")) or Fraction(1),
        codec_private=picture.get("extradata_hash", ""),
        **audio,
    )


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _ms(seconds: Any) -> int:
    try:
        return round(float(seconds) * 1000)
    except (TypeError, ValueError, OverflowError):
        return 0


def _ratio(text: Any) -> Fraction:
    try:
        return Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


def _rotation(stream: dict[str, Any]) -> int:
    for side in stream.get("side_data_list", []):
        if "rotation" in side:
            return round(-float(side["rotation"]) / 90) * 90 % 360
    return 0


@dataclass(frozen=True, slots=True)
class Decoded:
    """What came of decoding a clip whole: how many pictures, over how long, and whether at one steady rate."""

    frames: int
    duration_ms: int
    steady: bool


def parse_decoded(listing: str) -> Decoded:
    """The Decoded out of ffmpeg's framecrc listing of one stream."""
    seconds = Fraction(1)
    rows: list[tuple[int, int]] = []
    for line in listing.splitlines():
        if line.startswith("#tb 0:"):
            seconds = _ratio(line.removeprefix("#tb 0:").strip())
        elif line[:2] == "0,":
            _, _, pts, duration, *_ = line.split(",")
            rows.append((int(pts), int(duration)))
    if not rows:
        return Decoded(0, 0, False)
    steps = {b[0] - a[0] for a, b in pairwise(rows)} or {rows[0][1]}
    last = rows[-1][1] if rows[-1][1] > 0 else max(steps)
    return Decoded(len(rows), round((rows[-1][0] + last - rows[0][0]) * seconds * 1000), len(steps) == 1)
