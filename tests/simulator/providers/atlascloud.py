"""Atlas Cloud: generations by model name, media uploads. Base: /atlascloud/api/v1."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, ClassVar

from tests.simulator.call import Answer, Call
from tests.simulator.jobs import Job
from tests.simulator.providers.base import Model, Provider, Route
from tests.simulator.providers.shapes import by_area, ratio_of, wan_size
from tests.simulator.providers.wavespeed import words_for
from tests.simulator.schemas import Schema, choice, file, files, flag, integer, obj, problems, text
from tests.simulator.studio import Studio
from tests.simulator.webhooks import unsigned
from tests.simulator.world import HOUR

BASE = "/atlascloud/api/v1"
FPS = 16
I2V_PROPERTIES: dict[str, Schema] = {
    "model": text(),
    "prompt": text(),
    "image": file("image"),
    "image_url": file("image"),
    "last_image": file("image"),
    "negative_prompt": text(),
    "resolution": choice("480p", "720p", default="480p"),
    "duration": integer(3, 15, 5),
    "seed": integer(-1),
}
I2V: Schema = {
    **obj(("model", "prompt"), **I2V_PROPERTIES),
    "anyOf": [{"required": ["image"]}, {"required": ["image_url"]}],
}
NAMES = ("images", "image_urls", "reference_images")
REFERENCE: Schema = {
    **obj(("model", "prompt"), model=text(), prompt=text(), duration=integer(3, 15, 5), seed=integer(-1),
          resolution=choice("720P", "1080P", "720p", "1080p", default="720p"), size=text(),
          ratio=text(), aspect_ratio=text(), **{name: files("image", 1, 9) for name in NAMES},
          watermark=flag(), negative_prompt=text()),
    "oneOf": [{"required": [name]} for name in NAMES],
}  # fmt: skip
IMAGE = obj(
    ("model", "prompt"),
    model=text(),
    prompt=text(),
    images=files("image"),
    image=file("image"),
    size=text(),
    aspect_ratio=text(),
    seed=integer(-1),
    output_format=choice("png", "jpeg", "webp", default="png"),
    enable_base64_output=flag(False),
    enable_sync_mode=flag(False),
)


def film(studio: Studio, params: dict[str, Any]) -> list[str]:
    size = wan_size(studio.size_of(params.get("image") or params["image_url"]), params["resolution"])
    return [studio.clip(*size, FPS, params["duration"] * FPS + 1).url]


def reference(studio: Studio, params: dict[str, Any]) -> list[str]:
    width, height = (1920, 1080) if "1080" in params["resolution"] else (1280, 720)
    return [studio.clip(width, height, 24, params["duration"] * 24).url]


def draw(studio: Studio, params: dict[str, Any]) -> list[str]:
    return [studio.picture(*by_area(ratio_of(params.get("aspect_ratio", "1:1")), 1.0), params["output_format"]).url]


class AtlasCloud(Provider):
    """Any image-to-video model is taken; of the reference-to-video models, the documented one."""

    name = "atlascloud"
    mounts = ("atlascloud",)
    bases: ClassVar = {"ATLASCLOUD_BASE_URL": "/atlascloud/api/v1"}
    keys: ClassVar = {"ATLASCLOUD_API_KEY": "simulated"}
    retention = 24 * HOUR

    def build_routes(self) -> list[Route]:
        return [
            Route("POST", f"{BASE}/model/generateVideo", "submit", self.video),
            Route("POST", f"{BASE}/model/generateImage", "submit", self.image),
            Route("GET", f"{BASE}/model/prediction/(?P<id>[0-9a-z]+)", "status", self.status),
            Route("POST", f"{BASE}/model/uploadMedia", "upload", self.upload),
        ]

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        return Answer.json({"code": status, "msg": message, "data": None}, status)

    def model_of(self, call: Call) -> str:
        job = self.world.jobs.get(self.name, call.names["id"]) if "id" in call.names else None
        return job.model if job else str(call.body.get("model", "")) if isinstance(call.body, dict) else ""

    def video(self, call: Call) -> Answer:
        if call.model == "alibaba/happyhorse-1.0/reference-to-video":
            return self._submit(
                call, Model(call.model, "video", REFERENCE, reference, lambda p: 80_000 * p["duration"])
            )
        if "i2v" in call.model or "image-to-video" in call.model:
            return self._submit(call, Model(call.model, "video", I2V, film, lambda p: 150_000))
        return self.error(400, f"model not found: {call.model}")

    def image(self, call: Call) -> Answer:
        if "/" not in call.model:
            return self.error(400, f"model not found: {call.model}")
        return self._submit(call, Model(call.model, "image", IMAGE, draw, lambda p: 30_000))

    def _submit(self, call: Call, model: Model) -> Answer:
        if wrong := problems(model.schema, call.body):
            return self.error(400, f"invalid parameter {wrong[0].field}: {wrong[0].message}")
        if call.fault("embedded_error"):
            return Answer.json({"code": 500, "msg": "internal error", "data": None})
        extra: dict[str, Any] = {}
        if hours := call.headers.get("x-atlascloud-object-expiration-hours"):
            if not hours.isdigit() or not 1 <= int(hours) <= 336:
                return self.error(400, "X-AtlasCloud-Object-Expiration-Hours must be 1-336")
            extra["retention"] = int(hours) * HOUR
        job = self.accept(call, model, call.body, webhook=call.query.get("webhook", ""), extra=extra)
        return Answer.json({"code": 200, "msg": "", "data": {"id": job.id, "status": "created", "urls": _urls(job)}})

    def status(self, call: Call) -> Answer:
        job = self.world.jobs.get(self.name, call.names["id"])
        if job is None:
            return self.error(404, "prediction not found")
        call.job = job.id
        if call.fault("embedded_error"):
            return Answer.json({"code": 502, "msg": "bad gateway", "data": None})
        return Answer.json({"code": 200, "msg": "", "data": self.shown(job, polled=True)})

    def shown(self, job: Job, *, polled: bool = False) -> dict[str, Any]:
        """The job as JSON; polled: an odd status may show."""
        state = job.state(self.world.clock.now())
        # Both words mean the same; which one comes depends on the model.
        done = "completed" if int(job.digest[0], 16) % 2 else "succeeded"
        status = {"queued": "created", "running": "processing", "succeeded": done}.get(state, state)
        if polled and job.takes_odd_poll():
            status = "finalizing"
        return {
            "id": job.id,
            "model": job.model,
            "status": status,
            "outputs": job.output if status == done and not job.fault("empty_output") else None,
            "error": words_for(job.failure) if job.failure and status == "failed" else "",
            "has_nsfw_contents": [job.fault("nsfw_flagged") is not None],
            "urls": _urls(job),
        }

    def finished(self, job: Job) -> None:
        self.world.mailer.post(job, "completed", self.shown(job), unsigned, last=True)

    def upload(self, call: Call) -> Answer:
        head = f"Content-Type: {call.headers.get('content-type', '')}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + call.raw)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        if "file" not in parts:
            return self.error(400, "file is required")
        name, told = parts["file"].get_filename() or "file", parts["file"].get_content_type()
        data = bytes(parts["file"].get_payload(decode=True))
        stored = self.world.files.put(
            self.name, "/delivery/atlascloud", name.replace("/", "_"), data, told, seconds=24 * HOUR
        )
        url = call.origin + stored.path
        # The documents and the programs of others disagree on where the address stands; both forms occur.
        if len(data) % 2:
            return Answer.json({"code": 200, "url": url})
        return Answer.json({"code": 200, "msg": "", "data": {"type": "media", "download_url": url, "size": len(data)}})


def _urls(job: Job) -> dict[str, str]:
    return {"get": f"{job.origin}{BASE}/model/prediction/{job.id}"}
