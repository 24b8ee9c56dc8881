"""What every model is, takes and costs, per provider: the facts of models.toml, checked when they are read.

Hides the file and the choice among a model's slugs. No provider's name or parameter is known here.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from pipeline.contracts import (
    AgeGroup,
    Capability,
    Gender,
    ImageRequest,
    JobRequest,
    LipsyncRequest,
    SpeechRequest,
    UpscaleRequest,
    Value,
    VideoRequest,
    Voice,
)
from pipeline.film import timeline
from pipeline.providers import Model

MODELS_FILE = Path(__file__).resolve().parent.parent / "models.toml"
EMBEDDED_MODELS = (
    Model("drawing", "image", "Built-in drawing"),
    Model("espeak-ng", "speech", "Built-in voice"),
    Model("motion", "video", "Built-in camera motion"),
    Model("lips", "lipsync", "Built-in lip motion"),
)
VOICES_FILE = Path(__file__).with_name("voices.toml")

Role = Literal[
    "prompt", "references", "width", "height", "image_size", "aspect_ratio", "seed",
    "image", "last_image", "frames", "fps", "seconds", "resolution", "size",
    "video", "audio", "text", "voice", "language", "factor", "output_format",
]  # fmt: skip
PriceUnit = Literal["run", "run_720p", "mp_in", "mp_out", "second", "second_720p", "kchar"]


class Sides(Value):
    """Limits of a size that is asked for, in pixels."""

    least: int = 1
    most: int = 100_000
    step: int = 1

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size brought within the limits, its shape kept as well as their step allows."""
        scale = min(1.0, self.most / max(width, height))
        scale = max(scale, self.least / min(width, height))
        low, high = -(-self.least // self.step), self.most // self.step
        fitted = [min(high, max(low, round(side * scale / self.step))) * self.step for side in (width, height)]
        return fitted[0], fitted[1]


class PictureLimits(Value):
    """Limits of a picture that is sent."""

    least: int = 1
    most: int = 100_000
    bytes: int = 10_000_000
    alpha: bool = True


class ClipLimits(Value):
    """Limits of a clip and its sound that are sent."""

    least_ms: int = 0
    most_ms: int = 3_600_000
    least: int = 1
    most: int = 100_000
    video_bytes: int = 1_000_000_000
    audio_bytes: int = 1_000_000_000


class Frames(Value):
    """How a clip's length is asked for in frames. `rule`: wan_fast (the clock's own), least (as few as cover the slot),
    slower (the same, and a lower rate where the most is not enough)."""

    rule: Literal["wan_fast", "least", "slower"]
    fps: int
    least: int
    most: int

    def ask(self, duration_ms: int) -> tuple[int, int]:
        """(frames, rate) that cover so much time. Raises InvalidInput where none do."""
        if self.rule == "wan_fast":
            return timeline.wan_fast_frames(duration_ms), self.fps
        wanted = max(self.least, -(-self.fps * duration_ms // 1000) + 1)
        if wanted <= self.most or self.rule == "least":
            return min(wanted, self.most), self.fps
        return self.most, (self.most - 1) * 1000 // duration_ms

    @property
    def most_ms(self) -> int:
        # A rate of less than 12 a second is no motion any more.
        fps = 12 if self.rule == "slower" else self.fps
        return (self.most - 1) * 1000 // fps


class Slug(Value):
    """One address that serves a model; models.toml explains the fields."""

    provider: str
    slug: str
    version: str = ""
    params: dict[Role, str]
    fixed: dict[str, Any] = Field(default_factory=dict)
    fewest: int = 0
    cap: int = 0
    aspects: tuple[str, ...] = ()
    sizes: tuple[str, ...] = ()
    sides: Sides = Sides()
    picture: PictureLimits = PictureLimits()
    clip: ClipLimits = ClipLimits()
    frames: Frames | None = None
    durations: tuple[float, ...] = ()
    resolutions: tuple[str, ...] = ()
    text_limit: int | None = None
    voices: str = ""
    synchronous: bool = False
    price: dict[PriceUnit, int]

    @model_validator(mode="after")
    def _whole(self) -> Slug:
        checks = {
            "references need a cap, and a cap references": ("references" in self.params) == (self.cap > 0),
            "fewest is at most the cap": self.fewest <= self.cap,
            "an aspect_ratio needs its values": "aspect_ratio" not in self.params or bool(self.aspects),
            "a size needs its values": "size" not in self.params or bool(self.sizes),
            "seconds need their values": "seconds" not in self.params or bool(self.durations),
            "frames need their rule": "frames" not in self.params or self.frames is not None,
            "a resolution needs its values": "resolution" not in self.params or bool(self.resolutions),
            "a voice needs a family of voices": "voice" not in self.params or bool(self.voices),
        }
        for rule, kept in checks.items():
            if not kept:
                raise ValueError(f"{self.slug}: {rule}")
        return self

    def seconds(self, duration_ms: int) -> float | None:
        """The least duration on offer that covers so much time; None where none does."""
        asked = timeline.ask_seconds(duration_ms)
        return min((one for one in self.durations if one >= asked), default=None)

    @property
    def takes_size(self) -> bool:
        """Whether a picture's size or shape can be asked for."""
        return not {"width", "image_size", "aspect_ratio"}.isdisjoint(self.params)

    @property
    def most_ms(self) -> int:
        if self.frames is not None:
            return self.frames.most_ms
        return round(max(self.durations, default=0) * 1000) or ("video" in self.params and self.clip.most_ms) or 0

    def fits(self, request: JobRequest) -> bool:
        """Whether it can do what is asked at all; limits of files are another matter."""
        if isinstance(request, ImageRequest):
            return (len(request.references) >= max(1, self.fewest)) if self.fewest else self._free(request)
        if isinstance(request, VideoRequest):
            return self._covers(request)
        return True

    def _free(self, request: ImageRequest) -> bool:
        return not request.references or self.cap > 0

    def _covers(self, request: VideoRequest) -> bool:
        duration_ms = asked_ms(request)
        if request.last_image is not None and "last_image" not in self.params:
            return False
        if request.needs_720p and self.resolutions and "720p" not in self.resolutions:
            return False
        if self.frames is not None:
            return duration_ms <= self.frames.most_ms
        return not self.durations or self.seconds(duration_ms) is not None


class Entry(Value):
    """A model of the catalogue, its slugs in order of preference. `offered`: users may choose it by name."""

    name: str
    kind: Capability
    label: str
    offered: bool = True
    at: tuple[Slug, ...]

    def slugs(self, provider: str) -> tuple[Slug, ...]:
        return tuple(one for one in self.at if one.provider == provider)

    @property
    def cap(self) -> int:
        """How many references it takes wherever it is served."""
        caps = [max(one.cap for one in self.slugs(provider)) for provider in {one.provider for one in self.at}]
        return min(caps, default=0)


class VoiceFact(Value):
    name: str
    gender: Gender
    age_group: AgeGroup = "adult"


class VoiceFamily(Value):
    """`languages`: ISO 639-1 codes; empty where it speaks any."""

    languages: tuple[str, ...] = ()
    voice: tuple[VoiceFact, ...]


@cache
def entries() -> dict[str, Entry]:
    """The whole catalogue, in the file's order."""
    with MODELS_FILE.open("rb") as file:
        return {name: Entry(name=name, **facts) for name, facts in tomllib.load(file).items()}


@cache
def _voices() -> dict[str, VoiceFamily]:
    with VOICES_FILE.open("rb") as file:
        return {family: VoiceFamily(**facts) for family, facts in tomllib.load(file).items()}


def models_of(provider: str) -> tuple[Model, ...]:
    """What the provider serves, in the catalogue's order: the first of a kind is the default there."""
    found = []
    for entry in entries().values():
        slugs = entry.slugs(provider)
        if slugs:
            least = max((one.clip.least_ms for one in slugs), default=0)
            most = max(one.most_ms for one in slugs)
            cap, synchronous = max(one.cap for one in slugs), any(one.synchronous for one in slugs)
            found.append(Model(entry.name, entry.kind, entry.label, cap, least, most, synchronous))
    return tuple(found)


def slug_for(provider: str, name: str, request: JobRequest) -> Slug | None:
    """Which of the model's slugs at the provider serves the request."""
    entry = entries().get(name)
    if entry is None or entry.kind != request.capability:
        return None
    return next((one for one in entry.slugs(provider) if one.fits(request)), None)


def slug_named(provider: str, slug: str) -> Slug | None:
    return next((one for entry in entries().values() for one in entry.slugs(provider) if one.slug == slug), None)


def voices(family: str, language: str) -> tuple[Voice, ...]:
    """The voices of a family, none where it does not speak the language; each of them speaks all that it does."""
    facts = _voices()[family]
    if facts.languages and language.partition("-")[0].lower() not in facts.languages:
        return ()
    return tuple(
        Voice(
            id=f"{family}/{one.name}",
            name=one.name.replace("_", " "),
            language=language,
            gender=one.gender,
            age_group=one.age_group,
        )
        for one in facts.voice
    )


def asked_ms(request: VideoRequest | LipsyncRequest) -> int:
    return timeline.covering_ms(request.frames, request.form.fps)


def estimate(slug: Slug, request: JobRequest, made: Mapping[str, Any] | None = None) -> int:
    """What the request is expected to cost at list price, in micro-dollars, rounded up.

    `made`: what came of it (`width` and `height` of a picture in pixels), where that is known: then it is the bill.
    """
    amounts = _amounts(slug, request)
    if made and "mp_out" in amounts and made.get("width") and made.get("height"):
        amounts["mp_out"] = Fraction(made["width"] * made["height"], 1_000_000)
    return sum(math.ceil(amounts.get(unit, 0) * micros) for unit, micros in slug.price.items())


def _amounts(slug: Slug, request: JobRequest) -> dict[str, Fraction | int]:
    amounts: dict[str, Fraction | int] = {"run": 1}
    match request:
        case ImageRequest():
            width, height = slug.sides.fit(request.width, request.height)
            amounts["mp_out"] = Fraction(width * height, 1_000_000)
            amounts["mp_in"] = min(len(request.references), slug.cap)  # a reference counts as one megapixel
        case VideoRequest():
            amounts["second"] = _billed_seconds(slug, asked_ms(request))
            if request.needs_720p:  # at the price of the larger size, where it has one of its own
                for unit in ("run", "second"):
                    if f"{unit}_720p" in slug.price:
                        amounts[f"{unit}_720p"] = amounts.pop(unit)
        case LipsyncRequest():
            amounts["second"] = max(Fraction(request.frames, request.form.fps), Fraction(slug.clip.least_ms, 1000))
        case SpeechRequest():
            amounts["kchar"] = Fraction(len(request.text), 1000)
        case UpscaleRequest():
            seen = request.image.meta.get("measured") or {}
            square = Fraction(seen.get("width", 1000) * seen.get("height", 1000), 1_000_000)
            amounts["mp_out"] = square * request.factor**2
    return amounts


def _billed_seconds(slug: Slug, duration_ms: int) -> Fraction:
    if slug.frames is not None:
        return Fraction(*slug.frames.ask(duration_ms))
    return Fraction(slug.seconds(duration_ms) or 0) or Fraction(duration_ms, 1000)
