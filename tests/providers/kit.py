"""Requests, files and settings for tests of adapters against the wire simulator."""

from __future__ import annotations

import threading
import time
import wave
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from PIL import Image

from pipeline.contracts import (
    FilmForm,
    ImageRequest,
    JobRequest,
    LipsyncRequest,
    Look,
    MediaRef,
    ReferenceBrief,
    RemoteMedia,
    SpeechRequest,
    UpscaleRequest,
    VideoRequest,
)
from pipeline.film import ffmpeg
from pipeline.providers import Finished, Job, JobAdapter, JobHandle
from pipeline.settings import Settings, load_settings
from tests.simulator.simulator import Simulator

FORM = FilmForm.of("16:9")


def settings_for(simulator: Simulator, **more: object) -> Settings:
    named = {name.lower(): value for name, value in simulator.env().items()}
    return load_settings(env_files=[], **{**named, "provider_timeout_s": 10.0, **more})


class Files:
    """A little media store: files by content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: dict[str, Path] = {}

    def keep(self, path: Path) -> MediaRef:
        data = path.read_bytes()
        digest = sha256(data).hexdigest()
        self.paths[digest] = path
        return MediaRef(sha256=digest, ext=path.suffix[1:], size=len(data))

    def path(self, ref: MediaRef) -> Path:
        return self.paths[ref.sha256]

    def picture(self, width: int = 640, height: int = 400, shade: int = 0, mode: str = "RGB") -> MediaRef:
        path = self.folder / f"picture-{width}x{height}-{shade}-{mode}.png"
        Image.new(mode, (width, height), (shade, 120, 90, 128)[: len(mode)]).save(path)
        return self.keep(path)

    def noise(self, width: int, height: int) -> MediaRef:
        """A picture that is large in bytes too."""
        path = self.folder / f"noise-{width}x{height}.png"
        Image.effect_noise((width, height), 80).convert("RGB").save(path)
        return self.keep(path)

    def clip(self, frames: int, form: FilmForm = FORM) -> MediaRef:
        path = self.folder / f"clip-{frames}-{form.width}.mp4"
        if not path.exists():
            source = f"color=c=gray:size={form.width}x{form.height}:rate={form.fps}"
            ffmpeg_clip(source, frames, path)
        return self.keep(path)

    def sound(self, ms: int) -> MediaRef:
        path = self.folder / f"sound-{ms}.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(48_000)
            out.writeframes(b"\1\0" * (48 * ms))
        return self.keep(path)


def ffmpeg_clip(source: str, frames: int, path: Path) -> None:
    ffmpeg.run(
        ["-f", "lavfi", "-i", source, "-frames:v", str(frames), "-pix_fmt", "yuv420p", "-f", "mp4", str(path)],
        timeout_s=60,
    )


def picture(prompt: str = "a lighthouse", width: int = 1600, height: int = 900, refs: tuple[MediaRef, ...] = (),
            model: str = "", seed: int = 7) -> ImageRequest:  # fmt: skip
    brief = ReferenceBrief(subject=Look(kind="prop", name="lighthouse"))
    return ImageRequest(prompt=prompt, width=width, height=height, seed=seed, references=refs, model=model, brief=brief)


def clip(image: MediaRef, ms: int = 4000, model: str = "", **more: object) -> VideoRequest:
    frames = ms * FORM.fps // 1000
    return VideoRequest(
        prompt="waves", image=image, move="push_in", form=FORM, frames=frames, seed=7, model=model, **more
    )


def lips(files: Files, ms: int = 3000, model: str = "", form: FilmForm = FORM) -> LipsyncRequest:
    frames = ms * form.fps // 1000
    return LipsyncRequest(
        clip=files.clip(frames, form), audio=files.sound(ms), speaker="Mara", form=form, frames=frames, model=model
    )


def speech(voice: str, text: str = "The tide turns at dawn.") -> SpeechRequest:
    return SpeechRequest(text=text, voice=voice, language="en")


def larger(image: MediaRef) -> UpscaleRequest:
    return UpscaleRequest(image=image)


def job(request: JobRequest, files: Files, model: str = "", generation: str = "") -> Job:
    folder = files.folder / f"work-{time.monotonic_ns()}"
    folder.mkdir()
    return Job(request, files.path, folder, threading.Event(), generation, model)


def carry_out(adapter: JobAdapter, work: Job, seconds: float = 20.0) -> Finished:
    answer = adapter.submit(work)
    return answer if isinstance(answer, Finished) else wait(adapter, answer, work, seconds)


def wait(adapter: JobAdapter, handle: JobHandle, work: Job, seconds: float = 20.0) -> Finished:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = adapter.poll(handle, work)
        if isinstance(answer, Finished):
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not finished: {answer}")


def remote(finished: Finished) -> RemoteMedia:
    found = finished.outputs[0]
    assert isinstance(found, RemoteMedia)
    return found


def with_model(work: Job, model: str) -> Job:
    return replace(work, model=model)


Case = Callable[[Files], JobRequest]
