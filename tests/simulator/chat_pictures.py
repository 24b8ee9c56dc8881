"""Pictures that go along with a question to a language model: what each provider takes, and what it says to others.

`data:` addresses are looked into; those of the web are taken as they are, for nothing is fetched here.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}


@dataclass(frozen=True)
class Limits:
    """Bytes of one picture (of its base64 where `encoded`), pixels of a side, the same where there are more than
    twenty, and how many there may be."""

    most_bytes: int
    encoded: bool
    side: int
    side_of_many: int
    most: int


OPENAI = Limits(most_bytes=20 << 20, encoded=False, side=16_000, side_of_many=16_000, most=500)
ANTHROPIC = Limits(most_bytes=5 << 20, encoded=True, side=8_000, side_of_many=2_000, most=100)


@dataclass(frozen=True)
class Sent:
    """One picture as it was sent: the type that it says it has, and its base64."""

    media_type: str
    data: str


class Refused(Exception):
    """Says why, and which one it is (from 0)."""

    def __init__(self, why: str, number: int = 0) -> None:
        super().__init__(why)
        self.number = number


def of_address(address: str) -> Sent | None:
    """The picture in a `data:` address; None for one of the web. Raises Refused."""
    if not address.startswith("data:"):
        return None
    head, comma, data = address.partition(",")
    if not comma or not head.endswith(";base64"):
        raise Refused("Invalid data URL: a base64 encoded picture is expected")
    return Sent(head[5:-7], data)


def contents(sent: Sequence[Sent], limits: Limits) -> tuple[bytes, ...]:
    """What is in the pictures. Raises Refused for the first that is none, or another one than it says."""
    if len(sent) > limits.most:
        raise Refused(f"Too many images: {len(sent)} > {limits.most}", limits.most)
    side = limits.side_of_many if len(sent) > 20 else limits.side
    found = []
    for number, one in enumerate(sent):
        try:
            found.append(_content(one, limits, side))
        except Refused as refusal:
            raise Refused(str(refusal), number) from None
    return tuple(found)


def _content(one: Sent, limits: Limits, side: int) -> bytes:
    if one.media_type not in FORMATS:
        raise Refused(f"media type {one.media_type!r} is not one of {', '.join(FORMATS)}")
    try:
        data = base64.b64decode(one.data, validate=True)
    except (binascii.Error, ValueError):
        raise Refused("invalid base64 data") from None
    size = len(one.data) if limits.encoded else len(data)
    if size > limits.most_bytes:
        raise Refused(f"image exceeds {limits.most_bytes >> 20} MB maximum: {size} bytes > {limits.most_bytes} bytes")
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            form, sides, frames = image.format, image.size, getattr(image, "n_frames", 1)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Refused("Could not process image") from None
    if form != FORMATS[one.media_type]:
        raise Refused(f"Image does not match the provided media type {one.media_type}")
    if max(sides) > side:
        raise Refused(f"image dimensions exceed max allowed size: {side} pixels")
    if form == "GIF" and frames > 1:
        raise Refused("animated images are not supported")
    return data
