"""The embedded engines as a provider like any other. Hides the process pool they run in.

A local job is finished when `submit` returns: there is nothing to poll, and after a crash it is simply made again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, NoReturn, TypeVar

from pipeline.contracts import (
    Capability,
    FrameBrief,
    ImageRequest,
    JobRequest,
    LipsyncRequest,
    Output,
    SpeechRequest,
    UpscaleRequest,
    VideoRequest,
    Voice,
)
from pipeline.drawn import ClipMeta, DrawnMeta
from pipeline.errors import EngineFailed, NeedsSetup
from pipeline.film import ffmpeg
from pipeline.inference import drawing, lips, motion, speech
from pipeline.inference.pool import EnginePool
from pipeline.providers import Account, Finished, Job, JobHandle, Model, Published
from pipeline.providers.catalogue import EMBEDDED_MODELS
from pipeline.settings import Settings

T = TypeVar("T")

# Wall-clock limits: a hundred times what the work takes on a slow machine, plus a share per second of film.
DRAW_TIMEOUT_S = 60.0
SPEAK_TIMEOUT_S = 120.0
CLIP_TIMEOUT_S = 120.0
CLIP_TIMEOUT_PER_FRAME_S = 0.5
NO_UPSCALER = "No embedded engine can enlarge pictures."


class Local:
    name: ClassVar[str] = "local"
    label: ClassVar[str] = "Built-in engines"
    key_setting: ClassVar[str] = ""

    def __init__(self, settings: Settings) -> None:
        tools = partial(ffmpeg.use, settings.ffmpeg_bin, settings.ffprobe_bin)
        tools()
        self._pool = EnginePool(settings.engine_workers, prepare=tools)
        self._own_voices = settings.own_voices

    def ready(self, capability: Capability) -> str | None:
        return NO_UPSCALER if capability == "upscale" else None

    def missing(self) -> None:
        return None

    def account(self) -> Account:
        return Account(note="Runs on this machine, at no cost.")

    def models(self) -> tuple[Model, ...]:
        return EMBEDDED_MODELS

    def model(self, request: JobRequest) -> str:
        return next((one.name for one in EMBEDDED_MODELS if one.capability == request.capability), "")

    def estimate(self, request: JobRequest, model: str, made: Mapping[str, Any] | None = None) -> int:
        return 0

    def published(self) -> Published:
        return Published()

    def adopt(self, prices: dict[str, dict[str, int]]) -> None:
        return None

    def base_urls(self) -> tuple[str, ...]:
        return ()

    def voices(self, language: str) -> tuple[Voice, ...]:
        return speech.voices(language, self._own_voices)

    def compute(self, function: Callable[..., T], *args: object, timeout_s: float) -> T:
        """Any other heavy work of ours, kept out of this process by the same pool."""
        return self._pool.run(function, *args, timeout_s=timeout_s)

    def submit(self, job: Job) -> Finished:
        match job.request:
            case SpeechRequest() as request:
                return self._speak(request, job)
            case ImageRequest() as request:
                return self._draw(request, job)
            case VideoRequest() as request:
                return self._animate(request, job)
            case LipsyncRequest() as request:
                return self._sync(request, job)
            case UpscaleRequest():
                raise NeedsSetup(NO_UPSCALER, hint="Set FAL_KEY.")

    def poll(self, handle: JobHandle, job: Job) -> NoReturn:
        raise EngineFailed("Embedded engines have no jobs to poll.")

    def cancel(self, handle: JobHandle) -> None:
        return None

    def lookup(self, job: Job, submitted_after: datetime) -> None:
        return None

    def webhook(self, headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> NoReturn:
        raise EngineFailed("Embedded engines send no webhooks.")

    def close(self) -> None:
        self._pool.close()

    def _speak(self, request: SpeechRequest, job: Job) -> Finished:
        out = job.folder / "speech.wav"
        spoken = self._pool.run(
            speech.speak,
            request.text,
            request.voice,
            out,
            self._own_voices,
            fresh=True,
            timeout_s=SPEAK_TIMEOUT_S,
            cancel=job.cancel,
        )
        words = [word.model_dump() for word in spoken.words]
        return Finished((Output(path=out, ext="wav"),), {"duration_ms": spoken.duration_ms, "words": words})

    def _draw(self, request: ImageRequest, job: Job) -> Finished:
        out = job.folder / "picture.jpg"
        size = (request.width, request.height, request.seed)
        if isinstance(request.brief, FrameBrief):
            brief = request.brief
            looks = [*brief.characters, *brief.props, *([brief.place] if brief.place else [])]
            images = {look.name: job.file(look.image) for look in looks if look.image is not None}
            meta = self._pool.run(
                drawing.draw_frame, brief, images, *size, out, timeout_s=DRAW_TIMEOUT_S, cancel=job.cancel
            )
        else:
            meta = self._pool.run(
                drawing.draw_reference, request.brief, *size, out, timeout_s=DRAW_TIMEOUT_S, cancel=job.cancel
            )
        return Finished((Output(path=out, ext="jpg", meta=meta.model_dump()),), {})

    def _animate(self, request: VideoRequest, job: Job) -> Finished:
        out = job.folder / "clip.mp4"
        said = request.image.said
        drawn = "engine" in said  # a provider says other things of its pictures, such as their size
        picture = DrawnMeta.model_validate(said) if drawn else DrawnMeta(engine="picture")
        meta = self._pool.run(
            motion.animate,
            job.file(request.image),
            picture,
            request.move,
            request.frames,
            request.form,
            request.seed,
            out,
            timeout_s=_clip_timeout(request.frames),
            cancel=job.cancel,
        )
        return Finished((Output(path=out, ext="mp4", meta=meta.model_dump()),), {})

    def _sync(self, request: LipsyncRequest, job: Job) -> Finished:
        if "picture" not in request.clip.said:
            raise EngineFailed(
                "The built-in lip motion only knows the faces of clips it has made itself.", code="no_face"
            )
        out = job.folder / "lips.mp4"
        meta = self._pool.run(
            lips.sync,
            job.file(request.clip),
            ClipMeta.model_validate(request.clip.said),
            job.file(request.audio),
            request.speaker,
            request.form,
            request.frames,
            out,
            timeout_s=_clip_timeout(request.frames),
            cancel=job.cancel,
        )
        return Finished((Output(path=out, ext="mp4", meta=meta.model_dump()),), {})


def _clip_timeout(frames: int) -> float:
    return CLIP_TIMEOUT_S + CLIP_TIMEOUT_PER_FRAME_S * frames
