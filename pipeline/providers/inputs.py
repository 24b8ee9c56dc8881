"""From a request to the input that one slug takes: names, forms and limits from the catalogue. Nothing is sent that the
slug's entry does not name.

Hides the fitting: sizes to the sides a model has, prompts to its limit, pictures to its pixels, bytes and alpha. What
cannot be fitted without changing what was asked (a clip's length, a spoken text) is refused before anything is sent.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

from PIL import Image, ImageFilter, ImageOps

from pipeline.contracts import (
    ImageRequest,
    JobRequest,
    LipsyncRequest,
    MediaRef,
    SpeechRequest,
    UpscaleRequest,
    VideoRequest,
)
from pipeline.errors import BadMedia
from pipeline.providers.catalogue import PictureLimits, Role, Slug, asked_ms
from pipeline.providers.failures import ProviderFailure

FileKind = Literal["image", "video", "audio"]
Values = Iterator[tuple[Role, Any]]


class Link(Protocol):
    """Makes a file reachable for the provider and says under which address. `shape`: a picture is first extended to
    the shape of this size."""

    def __call__(self, ref: MediaRef, kind: FileKind, shape: tuple[int, int] | None = None) -> str: ...


def build(slug: Slug, request: JobRequest, link: Link) -> dict[str, Any]:
    """The input as the slug takes it.

    Raises ProviderFailure (invalid_input) where the slug cannot take what is asked.
    """
    body: dict[str, Any] = {}
    for name, value in slug.fixed.items():
        _put(body, name, value)
    for role, value in _values(slug, request, link):
        if role in slug.params and value is not None:
            _put(body, slug.params[role], value)
    return body


def _put(body: dict[str, Any], name: str, value: Any) -> None:
    *outer, last = name.split(".")
    for key in outer:
        body = body.setdefault(key, {})
    many = last.endswith("[]")
    if isinstance(value, tuple):  # references: a list, or the one that there may be
        value = list(value) if many else value[0]
    body[last.removesuffix("[]")] = value


def _values(slug: Slug, request: JobRequest, link: Link) -> Values:
    match request:
        case ImageRequest():
            yield from _picture(slug, request, link)
        case VideoRequest():
            yield from _clip(slug, request, link)
        case LipsyncRequest():
            check_clip(slug, request)
            yield "video", link(request.clip, "video")
            yield "audio", link(request.audio, "audio")
        case SpeechRequest():
            yield "text", _spoken(slug, request)
            yield "voice", _voice(slug, request.voice)
            yield "language", request.language.partition("-")[0].lower() or None
        case UpscaleRequest():
            yield "image", link(request.image, "image")
            yield "factor", request.factor
            yield "output_format", request.output_format


def _picture(slug: Slug, request: ImageRequest, link: Link) -> Values:
    yield "prompt", cut_words(request.prompt, slug.text_limit)
    width, height = slug.sides.fit(request.width, request.height)
    sent = request.references[: slug.cap]
    if sent:
        # Without a size of its own a result has the first reference's shape: a portrait would make a tall film frame.
        shape = None if slug.takes_size else (width, height)
        yield "references", (link(sent[0], "image", shape), *(link(ref, "image") for ref in sent[1:]))
    yield "width", width
    yield "height", height
    yield "image_size", {"width": width, "height": height}
    if slug.aspects:
        yield "aspect_ratio", nearest_aspect(width / height, slug.aspects, ":")
    yield "seed", request.seed


def _clip(slug: Slug, request: VideoRequest, link: Link) -> Values:
    duration_ms = asked_ms(request)
    yield "prompt", cut_words(request.prompt, slug.text_limit)
    yield "image", link(request.image, "image")
    if request.last_image is not None:
        yield "last_image", link(request.last_image, "image")
    if slug.frames is not None:
        frames, fps = slug.frames.ask(duration_ms)
        yield "frames", frames
        yield "fps", fps
    if slug.durations:
        seconds = slug.seconds(duration_ms)
        if seconds is None:
            raise refuse(slug, f"makes clips of at most {max(slug.durations):g} s", "duration_ms")
        yield "seconds", int(seconds) if seconds == int(seconds) else seconds
    if slug.resolutions:
        yield "resolution", "720p" if request.needs_720p else slug.resolutions[0]
    if slug.sizes:
        yield "size", nearest_aspect(request.form.width / request.form.height, slug.sizes, "*")
    yield "seed", request.seed


def check_clip(slug: Slug, request: LipsyncRequest) -> None:
    """Raises ProviderFailure (invalid_input) where clip or sound are outside the slug's limits."""
    limits, length = slug.clip, asked_ms(request)
    if not limits.least_ms <= length <= limits.most_ms:
        span = f"{limits.least_ms / 1000:g} to {limits.most_ms / 1000:g} s"
        raise refuse(slug, f"takes clips of {span}, and this one has {length / 1000:.2f} s", "frames")
    sides = (request.form.width, request.form.height)
    if min(sides) < limits.least or max(sides) > limits.most:
        span = f"{limits.least} to {limits.most} pixels"
        raise refuse(slug, f"takes sides of {span}, and this clip has {sides[0]}×{sides[1]}", "form")
    for what, size, most in (
        ("clip", request.clip.size, limits.video_bytes),
        ("sound", request.audio.size, limits.audio_bytes),
    ):
        if size >= most:
            raise refuse(slug, f"takes a {what} of less than {most // 1_000_000} MB", what)


def _spoken(slug: Slug, request: SpeechRequest) -> str:
    if slug.text_limit is not None and len(request.text) > slug.text_limit:
        raise refuse(slug, f"speaks at most {slug.text_limit} characters at a time", "text")
    return request.text


def _voice(slug: Slug, voice: str) -> str:
    family, _, name = voice.partition("/")
    if family != slug.voices or not name:
        raise refuse(slug, f"has no voice {voice!r}", "voice")
    return name


def refuse(slug: Slug, why: str, field: str) -> ProviderFailure:
    return ProviderFailure(f"{slug.slug} {why}.", provider=slug.provider, kind="invalid_input", field=field)


def cut_words(text: str, limit: int | None) -> str:
    """The text if it is within the limit, else as many whole words of it as are."""
    if limit is None or len(text) <= limit:
        return text
    found = re.match(r".*\S(?=\s)", text[: limit + 1], re.DOTALL)
    return found.group() if found else text[:limit]


def nearest_aspect(ratio: float, values: tuple[str, ...], sign: str) -> str:
    """The value ("16:9", "1280*720") whose shape is nearest to width / height."""

    def distance(value: str) -> float:
        width, _, height = value.partition(sign)
        return abs(math.log(ratio) - math.log(int(width) / int(height)))

    return min(values, key=distance)


def fit_picture(path: Path, limits: PictureLimits, shape: tuple[int, int] | None = None) -> tuple[bytes, str]:
    """(content, type) of a picture within the limits: as it is where it fits, else scaled, without alpha, as JPEG.

    `shape`: the width and height of which it is to have the proportions; what it lacks is added around it, blurred.
    Raises BadMedia when the file is no picture.
    """
    content = path.read_bytes()
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as image:
            mime = Image.MIME[str(image.format)]
            has_alpha = "A" in image.getbands() or "transparency" in image.info
            small, large = min(image.size) < limits.least, max(image.size) > limits.most
            fits = not small and not large and len(content) <= limits.bytes and (limits.alpha or not has_alpha)
            if fits and (shape is None or _alike(image.size, shape)):
                return content, mime
            return _refit(image, limits, shape), "image/jpeg"
    except (OSError, SyntaxError, ValueError) as error:
        raise BadMedia(f"The picture {path.name} is damaged or of an unknown type.") from error


def _alike(size: tuple[int, int], shape: tuple[int, int]) -> bool:
    return abs(math.log(size[0] * shape[1] / (size[1] * shape[0]))) < 0.03


def _refit(image: Image.Image, limits: PictureLimits, shape: tuple[int, int] | None) -> bytes:
    flat = _flat(ImageOps.exif_transpose(image))
    if shape is not None and not _alike(flat.size, shape):
        flat = _extended(flat, shape)
    # A picture too narrow for both limits gets the least side: the other is cut to the most around its middle.
    scale = max(min(1.0, limits.most / max(flat.size)), limits.least / min(flat.size))
    width, height = (min(limits.most, max(limits.least, round(side * scale))) for side in flat.size)
    flat = ImageOps.fit(flat, (width, height), Image.Resampling.LANCZOS)
    while True:
        for quality in (92, 80, 60):
            out = io.BytesIO()
            flat.save(out, "JPEG", quality=quality)
            if out.tell() <= limits.bytes:
                return out.getvalue()
        smaller = (flat.width * 3 // 4, flat.height * 3 // 4)
        if min(smaller) < max(limits.least, 64):
            return out.getvalue()
        flat = flat.resize(smaller, Image.Resampling.LANCZOS)


def _flat(image: Image.Image) -> Image.Image:
    """The picture as RGB, on white where it is transparent."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(layer, mask=layer.getchannel("A"))
    return flat


def _extended(image: Image.Image, shape: tuple[int, int]) -> Image.Image:
    """The whole picture, in the middle of a blurred enlargement of itself that has the wanted proportions."""
    ratio = shape[0] / shape[1]
    width, height = max(image.width, round(image.height * ratio)), max(image.height, round(image.width / ratio))
    behind = ImageOps.fit(image, (max(1, width // 8), max(1, height // 8)))
    canvas = behind.filter(ImageFilter.GaussianBlur(6)).resize((width, height), Image.Resampling.BICUBIC)
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas
