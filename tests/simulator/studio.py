"""Makes the outputs of a job and stores them where clients may fetch them; spoils them where a fault says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.simulator import media
from tests.simulator.files import StoredFile
from tests.simulator.jobs import Job

if TYPE_CHECKING:
    from tests.simulator.world import World

CONTENT_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "pcm": "audio/pcm",
    "json": "application/json",
}
PAGE = b"<!DOCTYPE html><html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"


@dataclass
class Made:
    """One output: where it can be fetched and what a provider tells about it."""

    url: str
    stored: StoredFile
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    words: tuple[media.SpokenWord, ...] = ()


@dataclass
class Studio:
    """For one job. `loaded`: content of its input files by address."""

    world: World
    job: Job
    loaded: dict[str, bytes] = field(default_factory=dict)
    made: int = 0
    megapixels: float = 0.0  # of the pictures made

    def picture(self, width: int, height: int, form: str) -> Made:
        form = "jpg" if form == "jpeg" else form
        seed = f"{self.job.model} {self.job.digest[:12]} {self.job.id[:8]} {self.made}"
        return self._out(media.picture(width, height, form, seed), form, width=width, height=height)

    def clip(self, width: int, height: int, fps: float, frames: int) -> Made:
        if self.job.fault("short_output"):
            frames = max(1, frames // 3)
        data = media.clip(width, height, fps, frames, f"{self.job.id} {self.made}")
        return self._out(data, "mp4", width=width, height=height, seconds=frames / fps)

    def lips(self, video: str, audio: str, mode: str) -> Made:
        """`video` and `audio` are addresses of the input; `mode` as in media.lip_synced."""
        data = media.lip_synced(self.loaded[video], self.loaded[audio], mode)
        if self.job.fault("short_output"):
            seen = media.probe(data)
            data = media.clip(seen.width, seen.height, seen.fps, max(1, seen.frames // 3), self.job.id, sound=True)
        return self._out(media.marked(data, self.job.id), "mp4")

    def speech(self, text: str, voice: str, speed: float, form: str) -> Made:
        if self.job.fault("short_output"):
            text = text[: len(text) // 3]
        data, seconds, words = media.speech(text, voice, speed, form)
        return self._out(data, form, seconds=seconds, words=words)

    def upscaled(self, image: str, factor: float, form: str) -> Made:
        form = "jpg" if form == "jpeg" else form
        data, width, height = media.upscaled(self.loaded[image], factor, form)
        return self._out(data, form, width=width, height=height)

    def seconds_of(self, clip: str) -> float:
        return media.probe(self.loaded[clip]).seconds

    def size_of(self, image: str) -> tuple[int, int]:
        return media.size_of(self.loaded[image])

    def _out(self, data: bytes, form: str, **facts: Any) -> Made:
        self.made += 1
        self.megapixels += facts.get("width", 0) * facts.get("height", 0) / 1_000_000
        provider = self.job.provider
        seconds = float(self.job.extra.get("retention", self.world.retention[provider]))
        if self.job.fault("expired_output"):
            seconds = 0.0
        stored = self.world.files.put(
            provider,
            f"/delivery/{provider}",
            f"output-{self.made}.{form}",
            spoiled(data, self.job),
            CONTENT_TYPES[form],
            seconds=seconds,
            job=self.job.id,
        )
        return Made(self.job.origin + stored.path, stored, **facts)


def spoiled(data: bytes, job: Job) -> bytes:
    """The output as the job's faults leave it."""
    if job.fault("truncated_output"):
        return data[: len(data) * 6 // 10]
    if job.fault("bit_flipped_output"):
        third = len(data) // 3
        return data[:third] + bytes(byte ^ 0xA5 for byte in data[third : 2 * third]) + data[2 * third :]
    if fault := job.fault("wrong_type_output"):
        if fault.content == "png":
            return media.picture(64, 64, "png", job.id)
        is_clip = data[4:8] == b"ftyp"  # for which another clip would be no wrong type
        return media.clip(320, 240, 10, 5, job.id) if fault.content == "mp4" and not is_clip else PAGE
    return data
