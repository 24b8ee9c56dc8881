"""The checks of input files against a model's limits, on their real content (Pillow, ffprobe).

Limits: `min_side`, `max_side` (pixels), `max_bytes`, `alpha: False`, `min_seconds`, `max_seconds`, `formats` (Pillow or
ffprobe names; any of them).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from tests.simulator import media
from tests.simulator.files import Files, NoSuchFile
from tests.simulator.schemas import NamedFile, Schema, named_files


@dataclass(frozen=True)
class BadFile(Exception):
    """What is wrong with an input file. rule: load, type, bytes, small, large, alpha, short, long, format."""

    file: NamedFile
    rule: str
    message: str
    limit: Any = None


def load_and_check(files: Files, provider: str, schema: Schema, params: dict[str, Any]) -> dict[str, bytes]:
    """Address → content of every file that the input names. Raises BadFile on the first that breaks a limit."""
    loaded: dict[str, bytes] = {}
    for named in named_files(schema, params):
        if named.address not in loaded:
            try:
                loaded[named.address] = files.load(provider, named.address)
            except NoSuchFile as error:
                raise BadFile(named, "load", str(error)) from None
        check(named, loaded[named.address])
    return loaded


def check(named: NamedFile, data: bytes) -> None:
    limits = named.limits
    most = limits.get("max_bytes")
    if most is not None and len(data) > most:
        raise BadFile(named, "bytes", f"File size exceeds the maximum of {most} bytes", most)
    if limits["kind"] == "image":
        _check_image(named, data)
    else:
        _check_sound_or_video(named, data)


def _check_image(named: NamedFile, data: bytes) -> None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            sides, mode, form, palette = image.size, image.mode, image.format, "transparency" in image.info
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadFile(named, "type", f"The image cannot be read: {error}") from None
    _check_sides(named, sides)
    if named.limits.get("alpha") is False and (mode in ("RGBA", "LA", "PA") or palette):
        raise BadFile(named, "alpha", "Images with an alpha channel are not supported")
    _check_format(named, {str(form).lower()})


def _check_sound_or_video(named: NamedFile, data: bytes) -> None:
    kind = named.limits["kind"]
    try:
        probe = media.probe(data)
    except media.Unreadable as error:
        raise BadFile(named, "type", f"The {kind} cannot be read: {error}") from None
    if (kind == "video" and not probe.width) or (kind == "audio" and not probe.has_audio):
        raise BadFile(named, "type", f"The file is no {kind}")
    if kind == "video":
        _check_sides(named, (probe.width, probe.height))
    low, high = named.limits.get("min_seconds"), named.limits.get("max_seconds")
    # Half a frame either way is nothing that a provider measures.
    if low is not None and probe.seconds < low - 0.02:
        raise BadFile(named, "short", f"The {kind} has {probe.seconds:.2f} s, the minimum is {low} s", low)
    if high is not None and probe.seconds > high + 0.02:
        raise BadFile(named, "long", f"The {kind} has {probe.seconds:.2f} s, the maximum is {high} s", high)
    _check_format(named, set(probe.form.split(",")))


def _check_sides(named: NamedFile, sides: tuple[int, int]) -> None:
    low, high = named.limits.get("min_side"), named.limits.get("max_side")
    size = f"{sides[0]}x{sides[1]}"
    if low is not None and min(sides) < low:
        raise BadFile(named, "small", f"{size}: each side must have at least {low} px", low)
    if high is not None and max(sides) > high:
        raise BadFile(named, "large", f"{size}: each side must have at most {high} px", high)


def _check_format(named: NamedFile, forms: set[str]) -> None:
    allowed = named.limits.get("formats")
    if allowed is not None and not forms & set(allowed):
        raise BadFile(named, "format", f"{'/'.join(sorted(forms))} is not supported; {', '.join(allowed)} are", allowed)
