"""fal: queue, sync runs, and how their errors look. Bases: /fal-queue and /fal-run."""

from __future__ import annotations

import json
from typing import Any, ClassVar
from urllib.parse import quote

from tests.simulator import checks
from tests.simulator.call import Answer, Call
from tests.simulator.jobs import Job, JobFailed
from tests.simulator.providers.base import Model, Provider, Route
from tests.simulator.providers.fal_media_models import MODELS
from tests.simulator.schemas import Problem, problems
from tests.simulator.webhooks import SigningKey
from tests.simulator.world import DAY, World

DOCS = "https://docs.fal.ai/errors/#"
USER = "user-simulated"
LONGEST_RUN = 600.0
REASONS = {
    "content_policy_violation": "The content could not be processed because it was flagged by a content checker.",
    "no_media_generated": "No media was generated.",
}
RULES = {
    "required": "missing",
    "unknown": "extra_forbidden",
    "minimum": "greater_than_equal",
    "maximum": "less_than_equal",
    "enum": "literal_error",
    "maxLength": "string_too_long",
    "minLength": "string_too_short",
    "maxItems": "too_long",
    "minItems": "too_short",
    "multipleOf": "multiple_of",
    "pattern": "url_parsing",
}
FILES = {
    ("image", "small"): ("image_too_small", {"min_height": 0, "min_width": 0}),
    ("image", "large"): ("image_too_large", {"max_height": 0, "max_width": 0}),
    ("image", "type"): ("image_load_error", {}),
    ("audio", "short"): ("audio_duration_too_short", {"min_duration": 0}),
    ("audio", "long"): ("audio_duration_too_long", {"max_duration": 0}),
    ("audio", "type"): ("unsupported_audio_format", {}),
    ("video", "short"): ("video_duration_too_short", {"min_duration": 0}),
    ("video", "long"): ("video_duration_too_long", {"max_duration": 0}),
    ("video", "type"): ("unsupported_video_format", {}),
}


class Fal(Provider):
    """Platform, storage and CDN are in `fal_platform`, which shares this one's name, key and errors."""

    name = "fal"
    mounts = ("fal-queue", "fal-run")
    bases: ClassVar = {"FAL_QUEUE_BASE_URL": "/fal-queue", "FAL_RUN_BASE_URL": "/fal-run"}
    keys: ClassVar = {"FAL_KEY": "simulated:key", "FAL_ADMIN_KEY": "simulated:admin"}
    retention = 7 * DAY
    scheme = "Key"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.signing = SigningKey(world.seed)

    def build_routes(self) -> list[Route]:
        request = "/fal-queue/(?P<app>[^/]+/[^/]+)/requests/(?P<id>[0-9a-f-]+)"
        return [
            Route("GET", f"{request}/status", "status", self.status),
            Route("GET", request, "result", self.result),
            Route("PUT", f"{request}/cancel", "cancel", self.cancel),
            Route("POST", "/fal-queue/(?P<model>.+)", "submit", self.submit),
            Route("POST", "/fal-run/(?P<model>.+)", "run", self.run),
        ]

    def job_id(self, digest: str) -> str:
        parts = (digest[:8], digest[8:12], "4" + digest[13:16], "8" + digest[17:20], digest[20:32])
        return "-".join(parts)

    def model_of(self, call: Call) -> str:
        job = self.world.jobs.get(self.name, call.names["id"]) if "id" in call.names else None
        return job.model if job else call.names.get("model", "")

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        kind = kind or ("internal_server_error" if status >= 500 else "invalid_request")
        retryable = "true" if status >= 500 or status == 429 else "false"
        headers = {"x-fal-error-type": kind, "X-Fal-Retryable": retryable}
        return Answer.json({"detail": message, "error_type": kind}, status, headers)

    def no_credit(self) -> Answer:
        why = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."
        return self.error(403, why, "user_locked")

    def submit(self, call: Call) -> Answer:
        job = self._accepted(call)
        if isinstance(job, Answer):
            return job
        found = {"request_id": job.id, **_urls(job), "status": "IN_QUEUE", "queue_position": 0}
        return Answer.json(found, headers={"x-fal-request-id": job.id})

    def run(self, call: Call) -> Answer:
        job = self._accepted(call)
        if isinstance(job, Answer):
            return job
        self.world.jobs.hold(job, LONGEST_RUN)
        if not job.over.is_set():
            return self.error(504, "Request timed out", "request_timeout")
        return self._outcome(job)

    def _accepted(self, call: Call) -> Job | Answer:
        model = MODELS.get(call.names["model"])
        if model is None:
            app = call.names["model"].split("/")
            return self.error(404, f'Application "{app[1] if len(app) > 1 else app[0]}" not found', "not_found")
        if not isinstance(call.body, dict):
            return self.error(422, "Request body is not a JSON object", "invalid_request")
        if call.fault("embedded_error"):
            return Answer.json({"detail": "Internal error", "error_type": "internal_server_error"})
        extra: dict[str, Any] = {"invalid": problems(model.schema, call.body)}
        if wanted := _lifetime(call):
            extra["retention"] = wanted
        webhook = call.query.get("fal_webhook", "")
        if extra["invalid"]:  # the queue takes it all the same; what is wrong with it shows in the result
            return self._accept_invalid(call, extra, webhook)
        return self.accept(call, model, call.body, webhook=webhook, extra=extra, operation=call.operation)

    def _accept_invalid(self, call: Call, extra: dict[str, Any], webhook: str) -> Job:
        model = MODELS[call.names["model"]]
        wrong: list[Problem] = extra["invalid"]
        details = [self._detail(problem) for problem in wrong]
        billed = self.world.options["bill_refused_inputs"]

        def refuse(*unused: Any) -> Any:
            raise JobFailed("invalid", "", detail=details, billed=billed)

        refusing = type(model)(model.slug, "check", {}, refuse, lambda params: 1_000)
        return self.accept(call, refusing, call.body, webhook=webhook, extra=extra, operation=call.operation)

    def _detail(self, problem: Problem) -> dict[str, Any]:
        kind = RULES.get(problem.rule, f"{problem.limit}_type" if problem.rule == "type" else "value_error")
        message = problem.message
        if problem.rule == "maxItems" and problem.field == "image_urls":
            message = f"Maximum {problem.limit} reference images allowed"
        where = ["body", *problem.where]
        found = {"loc": where, "msg": message, "type": kind, "url": DOCS + kind}
        return found if problem.limit is None else {**found, "ctx": {problem.rule: problem.limit}}

    def bad_file(self, error: checks.BadFile) -> JobFailed:
        kind, ctx = FILES.get((error.file.limits["kind"], error.rule), ("value_error", {}))
        kind, ctx = {"load": ("file_download_error", {}), "bytes": ("file_too_large", {"max_size": 0})}.get(
            error.rule, (kind, ctx)
        )
        detail = {"loc": ["body", *error.file.where], "msg": error.message, "type": kind, "url": DOCS + kind,
                  "ctx": dict.fromkeys(ctx, error.limit)}  # fmt: skip
        return JobFailed("invalid", error.message, detail=[detail])

    def status(self, call: Call) -> Answer:
        job = self._job(call)
        if job is None:
            return self.error(404, "Request not found", "not_found")
        now = self.world.clock.now()
        state = job.state(now)
        found: dict[str, Any] = {"request_id": job.id, **_urls(job)}
        if job.takes_odd_poll():
            found["status"] = "WARMING_UP"
        elif state in ("succeeded", "failed"):
            found |= {
                "status": "COMPLETED",
                "logs": _logs(call, now),
                "metrics": {"inference_time": job.ready_at - job.starts_at},
            }
            if job.failure and job.failure.kind == "transient":
                found |= {"error": "Internal server error", "error_type": "internal_server_error"}
        elif state == "canceled":
            found |= {
                "status": "COMPLETED",
                "logs": None,
                "metrics": {},
                "error": "Request was cancelled",
                "error_type": "cancelled",
            }
        elif state == "running":
            found |= {"status": "IN_PROGRESS", "logs": _logs(call, now)}
        else:
            found |= {"status": "IN_QUEUE", "queue_position": 1}
        done = found["status"] == "COMPLETED"
        return Answer.json(found, 200 if done else self.world.options["fal_status_code"])

    def result(self, call: Call) -> Answer:
        job = self._job(call)
        if job is None:
            return self.error(404, "Request not found", "not_found")
        if job.state(self.world.clock.now()) in ("queued", "running"):
            return self.error(400, "Request is still in progress", "invalid_request")
        return self._outcome(job)

    def _outcome(self, job: Job) -> Answer:
        headers = {"x-fal-request-id": job.id}
        if job.canceled:
            return self.error(404, "Request was cancelled", "not_found")
        if job.failure is None:
            return Answer.json(job.output, headers={**headers, "X-Fal-Billable-Units": "1"})
        status, body, kind = _failed(job, job.failure)
        return Answer.json(
            body, status, {**headers, "x-fal-error-type": kind, "X-Fal-Retryable": str(status >= 500).lower()}
        )

    def cancel(self, call: Call) -> Answer:
        job = self._job(call)
        if job is None:
            return Answer.json({"status": "NOT_FOUND"}, 404)
        state = job.state(self.world.clock.now())
        if state in ("succeeded", "failed", "canceled"):
            return Answer.json({"status": "ALREADY_COMPLETED"}, 400)
        if state == "queued":
            self.world.jobs.cancel(job, self.finished)
        return Answer.json({"status": "CANCELLATION_REQUESTED"}, 202)  # running: a signal only, this work heeds none

    def make(self, job: Job, model: Model) -> Any:
        output = super().make(job, model)
        if job.fault("empty_output"):
            return {**output, **{name: None for name in ("image", "video", "audio") if name in output}}
        return output

    def finished(self, job: Job) -> None:
        if job.canceled:
            return
        body: dict[str, Any] = {
            "request_id": job.id,
            "gateway_request_id": job.id,
            "status": "OK",
            "payload": job.output,
        }
        if job.failure:
            status, payload, _ = _failed(job, job.failure)
            body |= {"status": "ERROR", "error": f"Unexpected status code: {status}", "payload": payload}
        self.world.mailer.post(job, "completed", body, self.signing.signer(job.id, USER), last=True)

    def _job(self, call: Call) -> Job | None:
        """Only under the address that names the right application without its sub-path."""
        job = self.world.jobs.get(self.name, call.names["id"])
        if job is None or "/".join(job.model.split("/")[:2]) != call.names["app"]:
            return None
        call.job = job.id
        return job


def _urls(job: Job) -> dict[str, str]:
    owner, alias = job.model.split("/")[:2]
    base = f"{job.origin}/fal-queue/{quote(owner)}/{quote(alias)}/requests/{job.id}"
    return {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}


def _logs(call: Call, now: float) -> list[dict[str, Any]] | None:
    if call.query.get("logs") not in ("1", "true"):
        return None
    return [{"message": "working", "level": "INFO", "source": "USER", "timestamp": f"{now:.3f}"}]


def _lifetime(call: Call) -> float | None:
    """Seconds that outputs shall live, if the request says so."""
    try:
        told = json.loads(call.headers.get("x-fal-object-lifecycle-preference", "null"))
        return float(told["expiration_duration_seconds"]) if told else None
    except (ValueError, TypeError, KeyError):
        return None


def _failed(job: Job, failure: JobFailed) -> tuple[int, dict[str, Any], str]:
    """(HTTP status, body, error type) of a result that is an error."""
    if failure.kind == "invalid":
        return 422, {"detail": failure.details["detail"]}, str(failure.details["detail"][0]["type"])
    if failure.kind == "transient":
        body = {"detail": failure.message or "Internal server error", "error_type": "internal_server_error"}
        return 500, body, "internal_server_error"
    kind = "content_policy_violation" if failure.kind == "moderation" else "no_media_generated"
    message = failure.message or REASONS[kind]
    if int(job.digest[1], 16) % 4 == 3:  # some endpoints tell the detail as a string even here
        return 422, {"detail": message}, kind
    detail = {
        "loc": ["body", "prompt"],
        "msg": message,
        "type": kind,
        "url": DOCS + kind,
        "input": job.inputs.get("prompt"),
    }
    return 422, {"detail": [detail]}, kind
