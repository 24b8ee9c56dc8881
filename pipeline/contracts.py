"""The values that cross room boundaries, and nothing else: no I/O, no clock, no environment.

Everything here is frozen, and everything that is stored or sent to an engine is a pydantic model, so a
request can be saved before it is carried out and be sent again, byte for byte, after a crash.

Units: times are integer milliseconds on the narration's clock (`*_ms`), pictures are in pixels, positions inside
a picture are fractions of its width and height (0..1, origin top left), money is integer micro-dollars.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

AspectRatio = Literal["16:9", "9:16", "1:1"]
AgeGroup = Literal["child", "teen", "adult", "elder"]
Gender = Literal["female", "male", "neutral"]
SegmentKind = Literal["narration", "dialogue"]
Framing = Literal["wide", "medium", "close_up", "over_shoulder", "insert"]
Angle = Literal["eye", "low", "high"]
CameraMove = Literal["hold", "push_in", "pull_out", "pan_left", "pan_right", "tilt_up", "tilt_down"]
TimeOfDay = Literal["dawn", "morning", "day", "dusk", "night"]
Weather = Literal["clear", "cloudy", "rain", "storm", "snow", "fog", "wind"]
EntityKind = Literal["character", "set", "prop"]
Render = Literal["auto", "preview", "paid"]


class Value(BaseModel):
    """A frozen value with a canonical JSON form."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def digest(*parts: Any) -> str:
    """The first 32 hex digits of SHA-256 over the parts' canonical JSON; equal inputs give equal digests."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in a digest")


class FilmForm(Value):
    """The one form that every clip is brought to: H.264 yuv420p at this size and constant rate."""

    width: int
    height: int
    fps: int = 24

    @staticmethod
    def of(aspect: AspectRatio) -> FilmForm:
        width, height = {"16:9": (1280, 720), "9:16": (720, 1280), "1:1": (960, 960)}[aspect]
        return FilmForm(width=width, height=height)


# --- What a writer produces -------------------------------------------------------------------------


class CharacterDraft(Value):
    """One figure of the story, person or animal. `appearance` has all its looks (species too), in plain words."""

    name: str
    aliases: tuple[str, ...] = ()
    description: str = ""
    appearance: str = ""
    personality: str = ""
    age_group: AgeGroup = "adult"
    gender: Gender = "neutral"


class SetDraft(Value):
    """A place, empty of people."""

    name: str
    description: str = ""
    mood: str = ""
    time_of_day: TimeOfDay = "day"


class PropDraft(Value):
    name: str
    description: str = ""


class Analysis(Value):
    """Who and what is in a story. `language` is an ISO 639-1 code."""

    language: str
    characters: tuple[CharacterDraft, ...]
    sets: tuple[SetDraft, ...]
    props: tuple[PropDraft, ...]


class SegmentDraft(Value):
    """One spoken unit. `start`..`end` is its span of the story text (code points, end exclusive).

    `text` is what is said, without the quotation marks. `speaker` is a character's `name` (dialogue only).
    """

    kind: SegmentKind
    text: str
    speaker: str | None = None
    start: int = 0
    end: int = 0


class SceneDraft(Value):
    """A run of segments (indices, both inclusive) in one set. Names refer to the Analysis."""

    first_segment: int
    last_segment: int
    title: str
    set_name: str
    characters: tuple[str, ...] = ()
    props: tuple[str, ...] = ()
    time_of_day: TimeOfDay = "day"
    weather: Weather = "clear"
    mood: str = ""


class Take(Value):
    """A slot of the film that the timeline has cut and a writer is to fill: what is heard while it is seen."""

    index: int
    kind: SegmentKind
    speaker: str | None
    text: str
    start_ms: int
    end_ms: int

    @property
    def duration_ms(self) -> int:
        return self.end_ms - self.start_ms


class ShotDraft(Value):
    """One take's cinematography. `subjects` names who and what is seen (characters, props), the focal one first."""

    framing: Framing
    angle: Angle = "eye"
    move: CameraMove = "hold"
    subjects: tuple[str, ...] = ()
    action: str = ""


# --- What engines and providers are asked for --------------------------------------------------------


PICTURES = frozenset({"jpg", "jpeg", "png", "webp"})  # how files of pictures end in the media store


class MediaRef(Value):
    """A file in the media store. `url` is its address in the database and the API: /media/<sha256>.<ext>.

    `meta` is what its maker said of it (see `said`), and under `measured` what our own check found.
    """

    sha256: str
    ext: str
    size: int
    meta: dict[str, Any] = Field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"/media/{self.sha256}.{self.ext}"

    @property
    def said(self) -> dict[str, Any]:
        """The maker's own description; empty for files from elsewhere."""
        return {key: value for key, value in self.meta.items() if key != "measured"}


class Look(Value):
    """An entity as a picture engine needs to know it. `image` is its reference picture, if it has one."""

    kind: EntityKind
    name: str
    appearance: str = ""  # a character's looks; a set's or prop's description
    age_group: AgeGroup = "adult"
    gender: Gender = "neutral"
    mood: str = ""
    time_of_day: TimeOfDay = "day"
    weather: Weather = "clear"
    image: MediaRef | None = None


class ReferenceBrief(Value):
    """A reference picture to be drawn: a portrait, an empty place, or an object alone."""

    task: Literal["reference"] = "reference"
    subject: Look
    style: str = ""


class FrameBrief(Value):
    """A first frame to be composed. `subjects` are names out of `characters` and `props`, the focal one first. `line`:
    who stands left of whom through the whole scene; `partner`: with whom the focal one talks, seen or not."""

    task: Literal["frame"] = "frame"
    framing: Framing
    angle: Angle = "eye"
    subjects: tuple[str, ...] = ()
    speaker: str | None = None
    action: str = ""
    mood: str = ""
    place: Look | None = None
    characters: tuple[Look, ...] = ()
    props: tuple[Look, ...] = ()
    style: str = ""
    line: tuple[str, ...] = ()
    partner: str | None = None


class ImageRequest(Value):
    """Words for engines that read words, and the same in structured form (`brief`) for engines that draw.

    `references` are ordered by rank and already cut to the model's cap; `model` is a name of the catalogue (empty: the
    provider's own default)."""

    capability: Literal["image"] = "image"
    model: str = ""
    prompt: str
    width: int
    height: int
    seed: int
    references: tuple[MediaRef, ...] = ()
    brief: ReferenceBrief | FrameBrief = Field(discriminator="task")


class SpeechRequest(Value):
    capability: Literal["speech"] = "speech"
    text: str
    voice: str
    language: str


class VideoRequest(Value):
    """A clip of at least `frames` film frames starting from `image`.

    `needs_720p`: lips are to be moved in it afterwards, which smaller clips do not allow.
    """

    capability: Literal["video"] = "video"
    model: str = ""
    needs_720p: bool = False
    prompt: str
    image: MediaRef
    last_image: MediaRef | None = None
    move: CameraMove
    form: FilmForm
    frames: int
    seed: int


class LipsyncRequest(Value):
    """`clip` is cut to its slot (exactly `frames` frames); `audio` is that slot of the narration (WAV)."""

    capability: Literal["lipsync"] = "lipsync"
    model: str = ""
    clip: MediaRef
    audio: MediaRef
    speaker: str
    form: FilmForm
    frames: int


class UpscaleRequest(Value):
    """The same picture, `factor` times as large."""

    capability: Literal["upscale"] = "upscale"
    model: str = ""
    image: MediaRef
    factor: int = 2
    output_format: Literal["jpg", "png", "webp"] = "jpg"


JobRequest = ImageRequest | SpeechRequest | VideoRequest | LipsyncRequest | UpscaleRequest
Capability = Literal["image", "speech", "video", "lipsync", "upscale"]


class ShownImage(Value):
    """A JPEG file that goes along with a question; a record of it has the `sha256` of what it is a copy of."""

    sha256: str = ""
    path: Path = Field(exclude=True, repr=False)


class ChatRequest(Value):
    """A question to a language model, whose answer has to be JSON of the given schema (strict: all fields required).

    `purpose` is what it is for ("analysis", "shots", ...), for records and logs. `images` come after the prompt."""

    capability: Literal["text"] = "text"
    purpose: str
    system: str
    prompt: str
    schema_name: str
    answer_schema: dict[str, Any]
    max_output_tokens: int = 8_000
    images: tuple[ShownImage, ...] = ()


class ChatReply(Value):
    """The parsed answer, who gave it, and what it cost (micro-dollars)."""

    data: dict[str, Any]
    model: str
    provider: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0


# --- What engines give back ------------------------------------------------------------------------


class WordTime(Value):
    """A spoken word: `start`..`end` is its span in the segment's text, times count from the segment's start."""

    start: int
    end: int
    start_ms: int
    end_ms: int


class Voice(Value):
    """A voice of a speech engine. `id` is what a SpeechRequest carries."""

    id: str
    name: str
    language: str
    gender: Gender
    age_group: AgeGroup


class Lane(StrEnum):
    """What bounds a unit's parallelism."""

    LLM = "llm"
    SPEECH = "speech"
    IMAGE = "image"
    VIDEO = "video"
    LIPSYNC = "lipsync"
    CPU = "cpu"
    SIGHT = "sight"


class RemoteMedia(Value):
    """A result that still lies at its provider, behind an address that expires. Not yet checked in any way."""

    url: str
    kind: Literal["image", "video", "audio"]
    content_type: str = ""
    size: int | None = None
    meta: dict[str, Any] = Field(default_factory=dict)


class Output(Value):
    """A file that an engine left in its work folder, before it is checked and published."""

    path: Path
    ext: str
    meta: dict[str, Any] = Field(default_factory=dict)
