"""WaveSpeed: predictions wrapped in `code` and `data`, uploads by PUT. Base: /wavespeed/api/v3."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.simulator import media
from tests.simulator.call import Answer, Call
from tests.simulator.jobs import Job, JobFailed
from tests.simulator.providers.base import Model, Provider, Route
from tests.simulator.providers.shapes import wan_size
from tests.simulator.schemas import Schema, choice, file, files, flag, integer, obj, problems, text
from tests.simulator.studio import Studio
from tests.simulator.webhooks import unsigned
from tests.simulator.world import DAY

BASE = "/wavespeed/api/v3"
MB = 1_000_000
LARGEST = 200 * MB
FPS = 16
LONGEST_HOLD = 600.0
SYNC: dict[str, Schema] = {"enable_sync_mode": flag(False), "enable_base64_output": flag(False)}
WAN = obj(
    ("image", "prompt"),
    image=file("image"),
    prompt=text(),
    last_image=file("image"),
    negative_prompt=text(),
    duration=choice(5, 8, default=5),
    seed=integer(-1, default=-1),
    **SYNC,
)
KLING = obj(
    ("video", "audio"),
    video=file("video", max_bytes=100 * MB, min_seconds=2, max_seconds=10, min_side=720, max_side=1920),
    audio=file("audio", max_bytes=5 * MB - 1),
    **SYNC,
)
REFERENCE = obj(
    ("prompt", "reference_files"),
    prompt=text(),
    reference_files=files("any", 1, 5),
    size=choice("1280*720", "720*1280", "1920*1080", "1080*1920", default="1280*720"),
    duration=choice(5, 10, default=5),
    negative_prompt=text(),
    shot_type=choice("single", "multi"),
    enable_audio=flag(),
    enable_prompt_expansion=flag(),
    seed=integer(-1, default=-1),
    **SYNC,
)
UPLOAD = obj(("filename", "size", "content_type"), filename=text(), size=integer(1, LARGEST), content_type=text())


def film(resolution: str) -> Any:
    def make(studio: Studio, params: dict[str, Any]) -> list[str]:
        size = wan_size(studio.size_of(params["image"]), resolution)
        return [studio.clip(*size, FPS, params["duration"] * FPS + 1).url]

    return make


def lips(studio: Studio, params: dict[str, Any]) -> list[str]:
    return [studio.lips(params["video"], params["audio"], "keep").url]


def reference(studio: Studio, params: dict[str, Any]) -> list[str]:
    videos = 0
    for address in params["reference_files"]:
        try:
            studio.size_of(address)
        except OSError:
            videos += 1
            media.probe(studio.loaded[address])
    if videos > 3:
        raise JobFailed("invalid", "reference_files: at most 3 videos")
    width, height = (int(side) for side in params["size"].split("*"))
    return [studio.clip(width, height, 30, params["duration"] * 30).url]


MODELS = {
    model.slug: model
    for model in (
        Model("wavespeed-ai/wan-2.2/i2v-480p-ultra-fast", "video", WAN, film("480p"), lambda p: 10_000 * p["duration"]),
        Model("wavespeed-ai/wan-2.2/i2v-480p", "video", WAN, film("480p"), lambda p: 30_000 * p["duration"]),
        Model("wavespeed-ai/wan-2.2/i2v-720p", "video", WAN, film("720p"), lambda p: 60_000 * p["duration"]),
        Model(
            "kwaivgi/kling-lipsync/audio-to-video",
            "lips",
            KLING,
            lips,
            lambda p: 70_000,
            metered=lambda studio, p: round(14_000 * studio.seconds_of(p["video"])),
        ),
        Model(
            "alibaba/wan-2.6/reference-to-video-flash", "video", REFERENCE, reference, lambda p: 50_000 * p["duration"]
        ),
    )
}


class WaveSpeed(Provider):
    name = "wavespeed"
    mounts = ("wavespeed",)
    bases: ClassVar = {"WAVESPEED_BASE_URL": "/wavespeed/api/v3"}
    keys: ClassVar = {"WAVESPEED_API_KEY": "simulated"}
    retention = 7 * DAY

    def build_routes(self) -> list[Route]:
        return [
            Route("GET", f"{BASE}/predictions/(?P<id>[0-9a-z]+)/result", "status", self.status),
            Route("POST", f"{BASE}/media/uploads", "upload", self.upload),
            Route("PUT", f"{BASE}/media/content/(?P<id>[0-9a-f]+)", "upload", self.put, open=True),
            Route("GET", f"{BASE}/balance", "billing", self.balance),
            Route("POST", f"{BASE}/(?P<model>.+)", "submit", self.submit),
        ]

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        return Answer.json({"code": status, "message": message}, status)

    def model_of(self, call: Call) -> str:
        job = self.world.jobs.get(self.name, call.names["id"]) if "id" in call.names else None
        return job.model if job else call.names.get("model", "")

    def submit(self, call: Call) -> Answer:
        model = MODELS.get(call.names["model"])
        if model is None:
            return self.error(404, f"model {call.names['model']} not found")
        if wrong := problems(model.schema, call.body):
            return self.error(400, f'property "{wrong[0].field}": {wrong[0].message}')
        if call.fault("embedded_error"):
            return self.error_inside("internal error")
        job = self.accept(call, model, call.body, webhook=call.query.get("webhook", ""))
        if call.body.get("enable_sync_mode"):
            self.world.jobs.hold(job, LONGEST_HOLD)
        return Answer.json({"code": 200, "message": "success", "data": self.shown(job)})

    def error_inside(self, message: str) -> Answer:
        """An error that comes with HTTP status 200."""
        return Answer.json({"code": 500, "message": message, "data": None})

    def status(self, call: Call) -> Answer:
        job = self.world.jobs.get(self.name, call.names["id"])
        if job is None:
            return self.error(404, "prediction not found")
        call.job = job.id
        if call.fault("embedded_error"):
            return self.error_inside("upstream timeout")
        return Answer.json({"code": 200, "message": "success", "data": self.shown(job, polled=True)})

    def shown(self, job: Job, *, polled: bool = False) -> dict[str, Any]:
        """The job as JSON; polled: an odd status may show."""
        state = job.state(self.world.clock.now())
        status = {"queued": "created", "running": "processing", "succeeded": "completed", "canceled": "cancelled"}.get(
            state, state
        )
        if polled and job.takes_odd_poll():
            status = "polishing"
        done = status == "completed"
        return {
            "id": job.id,
            "model": job.model,
            "status": status,
            "outputs": job.output if done and not job.fault("empty_output") else [],
            "urls": {"get": f"{job.origin}{BASE}/predictions/{job.id}/result"},
            "has_nsfw_contents": [job.fault("nsfw_flagged") is not None] if done else [],
            "error": words_for(job.failure) if job.failure and status == "failed" else "",
            "executionTime": round((job.ready_at - job.starts_at) * 1000),
            "created_at": str(job.created_at),
        }

    def finished(self, job: Job) -> None:
        self.world.mailer.post(job, "completed", self.shown(job), unsigned, last=True)

    def upload(self, call: Call) -> Answer:
        if wrong := problems(UPLOAD, call.body):
            return self.error(400, f'property "{wrong[0].field}": {wrong[0].message}')
        name, told = call.body["filename"].replace("/", "_"), call.body["content_type"]
        stored = self.world.files.put(self.name, "/delivery/wavespeed", name, b"", told, seconds=7 * DAY)
        where = f"{call.origin}{BASE}/media/content/{stored.token}"
        upload = {"method": "PUT", "url": where, "headers": {"Content-Type": told}}
        return Answer.json(
            {"code": 200, "message": "success", "data": {"upload": upload, "download_url": call.origin + stored.path}}
        )

    def put(self, call: Call) -> Answer:
        stored = self.world.files.token(call.names["id"])
        if stored is None:
            return self.error(404, "no such upload")
        if call.headers.get("content-type") != stored.content_type:
            return self.error(403, "SignatureDoesNotMatch: the content type differs from the one announced")
        stored.fill(call.raw)
        return Answer(200)

    def balance(self, call: Call) -> Answer:
        used = sum(charge.micro_dollars for charge in self.world.bill.charges(self.name)) / 1_000_000
        return Answer.json({"code": 200, "message": "success", "data": {"balance": 100 - used}})


def words_for(failure: JobFailed) -> str:
    """How the smaller providers tell why a job failed."""
    return failure.message or {
        "moderation": "content policy violation: the input was flagged by the NSFW safety check",
        "transient": "internal server error, please retry",
        "empty": "no output was produced",
    }.get(failure.kind, "failed")
