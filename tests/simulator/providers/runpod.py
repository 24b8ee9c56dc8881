"""RunPod serverless endpoints, all of which run WAN 2.2. Base: /runpod/v2."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.simulator.call import Answer, Call
from tests.simulator.jobs import Job, JobFailed
from tests.simulator.providers.base import Model, Provider, Route
from tests.simulator.providers.wavespeed import words_for
from tests.simulator.schemas import choice, file, flag, integer, number, obj, problems, text
from tests.simulator.studio import Studio
from tests.simulator.webhooks import unsigned
from tests.simulator.world import HOUR

BASE = "/runpod/v2/(?P<endpoint>[^/]+)"
FPS = 16
LARGEST = {"run": 10_000_000, "runsync": 20_000_000}
SYNC_KEPT = 60.0
WAN = obj(
    ("prompt", "image"),
    prompt=text(),
    image=file("image"),
    negative_prompt=text(),
    size=choice("1280*720", "720*1280", default="1280*720"),
    num_inference_steps=integer(1, 50, 30),
    guidance=number(0, 20, 5),
    duration=choice(5, 8, default=5),
    flow_shift=number(0, 20, 5),
    seed=integer(-1, default=-1),
    enable_prompt_optimization=flag(False),
    enable_safety_checker=flag(True),
)
RUN = obj(
    ("input",),
    input={"type": "object"},
    webhook={"type": "string", "pattern": "^https?://"},
    policy=obj(executionTimeout=integer(5_000), lowPriority=flag(), ttl=integer(10_000)),
    s3Config={"type": "object"},
)


def film(studio: Studio, params: dict[str, Any]) -> dict[str, Any]:
    width, height = (int(side) for side in params["size"].split("*"))
    return {"video_url": studio.clip(width, height, FPS, params["duration"] * FPS + 1).url, "cost": 0.3}


class RunPod(Provider):
    name = "runpod"
    mounts = ("runpod",)
    bases: ClassVar = {"RUNPOD_BASE_URL": "/runpod/v2"}
    keys: ClassVar = {"RUNPOD_API_KEY": "simulated", "RUNPOD_ENDPOINT_ID": "wan-2-2-i2v-720"}
    retention = HOUR / 2

    def build_routes(self) -> list[Route]:
        return [
            Route("POST", f"{BASE}/run", "submit", self.run),
            Route("POST", f"{BASE}/runsync", "submit", self.run_sync),
            Route("GET", f"{BASE}/status/(?P<id>[0-9a-z-]+)", "status", self.status),
            Route("POST", f"{BASE}/cancel/(?P<id>[0-9a-z-]+)", "cancel", self.cancel),
            Route("POST", f"{BASE}/retry/(?P<id>[0-9a-z-]+)", "retry", self.retry),
            Route("GET", f"{BASE}/health", "health", self.health),
        ]

    def job_id(self, digest: str) -> str:
        return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}-u1"

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        return Answer.json({"error": message, "status": status}, status)

    def model_of(self, call: Call) -> str:
        return call.names.get("endpoint", "")

    def run(self, call: Call) -> Answer:
        job = self._accepted(call, "run")
        return job if isinstance(job, Answer) else Answer.json({"id": job.id, "status": "IN_QUEUE"})

    def run_sync(self, call: Call) -> Answer:
        wait = call.query.get("wait", "90000")
        if not wait.isdigit() or not 1000 <= int(wait) <= 300_000:
            return self.error(400, "wait must be between 1000 and 300000")
        job = self._accepted(call, "runsync")
        if isinstance(job, Answer):
            return job
        job.extra["retention_of_answer"] = SYNC_KEPT
        self.world.jobs.hold(job, int(wait) / 1000)
        return Answer.json(self.shown(job))

    def _accepted(self, call: Call, way: str) -> Job | Answer:
        if len(call.raw) > LARGEST[way]:
            return self.error(413, f"request body exceeds {LARGEST[way] // 1_000_000} MB")
        if wrong := problems(RUN, call.body):
            return self.error(400, f"bad request: body: {wrong[0].field}: {wrong[0].message}")
        if call.fault("embedded_error"):
            return Answer.json({"error": "internal error"})
        # The worker checks the input, so what is wrong with it shows as a failed job.
        wrong = problems(WAN, call.body["input"])
        model = Model(call.names["endpoint"], "video", WAN, film, lambda p: 60_000 * p.get("duration", 5))
        if wrong:
            model = Model(model.slug, "check", {}, _refusing(f"{wrong[0].field}: {wrong[0].message}"), lambda p: 1_000)
        return self.accept(call, model, call.body["input"], webhook=call.body.get("webhook", ""))

    def shown(self, job: Job, *, polled: bool = False) -> dict[str, Any]:
        """The job as JSON; polled: an odd status may show."""
        state = job.state(self.world.clock.now())
        status = {"queued": "IN_QUEUE", "running": "IN_PROGRESS", "succeeded": "COMPLETED", "failed": "FAILED",
                  "canceled": "CANCELLED"}[state]  # fmt: skip
        if polled and job.takes_odd_poll():
            status = "UPLOADING"
        found: dict[str, Any] = {"id": job.id, "status": status}
        if state != "queued":
            found["delayTime"] = round((job.starts_at - job.created_at) * 1000)
        if status == "COMPLETED":
            found |= {"executionTime": round((job.ready_at - job.starts_at) * 1000), "workerId": "worker-1"}
            found["output"] = {} if job.fault("empty_output") else job.output
        if status == "FAILED" and job.failure:
            found |= {"executionTime": 100, "error": words_for(job.failure)}
        return found

    def _job(self, call: Call) -> Job | None:
        """None when the result has been thrown away, too."""
        job = self.world.jobs.get(self.name, call.names["id"])
        if job is None or job.model != call.names["endpoint"]:
            return None
        kept = job.extra.get("retention_of_answer", self.world.retention[self.name])
        if job.finished_at is not None and self.world.clock.now() > job.finished_at + kept:
            return None
        call.job = job.id
        return job

    def status(self, call: Call) -> Answer:
        job = self._job(call)
        return Answer.json(self.shown(job, polled=True)) if job else self.error(404, "job not found")

    def cancel(self, call: Call) -> Answer:
        job = self._job(call)
        if job is None:
            return self.error(404, "job not found")
        self.world.jobs.cancel(job, self.finished)
        return Answer.json(self.shown(job))

    def retry(self, call: Call) -> Answer:
        return self.error(400, "job can only be retried from the product's side here: submit it again")

    def health(self, call: Call) -> Answer:
        states = [job.state(self.world.clock.now()) for job in self.world.jobs.of(self.name)]
        jobs = {"completed": states.count("succeeded"), "failed": states.count("failed"), "retried": 0,
                "inProgress": states.count("running"), "inQueue": states.count("queued")}  # fmt: skip
        return Answer.json({"jobs": jobs, "workers": {"idle": 1, "running": 0}})

    def finished(self, job: Job) -> None:
        self.world.mailer.post(job, "completed", self.shown(job), unsigned, last=True)


def _refusing(message: str) -> Any:
    def make(studio: Studio, params: dict[str, Any]) -> Any:
        raise JobFailed("invalid", message)

    return make
