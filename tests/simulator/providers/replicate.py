"""Replicate: predictions, files, account, signed webhooks. Base: /replicate (clients add /v1 themselves)."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, ClassVar

from tests.simulator.call import Answer, Call
from tests.simulator.files import StoredFile
from tests.simulator.jobs import Job, JobFailed
from tests.simulator.providers.base import Model, Provider, Route
from tests.simulator.providers.replicate_models import MODELS
from tests.simulator.schemas import Problem, choice, listed, named_files, obj, problems, text
from tests.simulator.webhooks import SharedSecret
from tests.simulator.world import DAY, HOUR, World

BASE = "/replicate/v1"
PAGE = 100
LONGEST_HOLD = 60.0
LARGEST_DATA_URI = 256 * 1024
LARGEST_FILE = 100 * 1024 * 1024
FLAGGED = "The input or output was flagged as sensitive. Please try again with different inputs. (E005) ({})"
TITLES = {401: "Unauthenticated", 402: "Insufficient credit", 404: "Not found", 422: "Input validation failed",
          429: "Too many requests"}  # fmt: skip
EVENTS = ("start", "output", "logs", "completed")
CREATE = obj(
    ("input",),
    version=text(),
    model=text(),
    input={"type": "object"},
    webhook={"type": "string", "pattern": "^https?://"},
    webhook_events_filter=listed(choice(*EVENTS)),
    stream={"type": "boolean"},
)


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Replicate(Provider):
    name = "replicate"
    mounts = ("replicate",)
    bases: ClassVar = {"REPLICATE_BASE_URL": "/replicate"}
    keys: ClassVar = {"REPLICATE_API_TOKEN": "r8_simulated"}
    retention = HOUR

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.secret = SharedSecret(world.seed)

    def build_routes(self) -> list[Route]:
        owner_name = "(?P<model>[^/]+/[^/]+)"
        return [
            Route("POST", f"{BASE}/models/{owner_name}/predictions", "submit", self.create_official),
            Route("GET", f"{BASE}/models/{owner_name}", "describe", self.describe),
            Route("POST", f"{BASE}/predictions", "submit", self.create_by_version),
            Route("GET", f"{BASE}/predictions", "list", self.listed),
            Route("GET", f"{BASE}/predictions/(?P<id>[0-9a-z]+)", "status", self.get),
            Route("POST", f"{BASE}/predictions/(?P<id>[0-9a-z]+)/cancel", "cancel", self.cancel),
            Route("POST", f"{BASE}/files", "upload", self.upload),
            Route("GET", f"{BASE}/files/(?P<id>[0-9a-z]+)", "file", self.about_file),
            Route("GET", f"{BASE}/account", "account", self.account),
            Route(
                "GET",
                f"{BASE}/webhooks/default/secret",
                "secret",
                lambda call: Answer.json({"key": self.secret.secret}),
            ),
        ]

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        if status == 429:
            return Answer.json({"detail": "Request was throttled. Your rate limit resets in ~30s."}, 429)
        title = TITLES.get(status, "Internal server error" if status >= 500 else "Bad request")
        return Answer.json({"title": title, "detail": message, "status": status}, status)

    def model_of(self, call: Call) -> str:
        if "id" in call.names:
            job = self.world.jobs.get(self.name, call.names["id"])
            return job.model if job else ""
        if call.names.get("model"):
            return call.names["model"]
        body = call.body if isinstance(call.body, dict) else {}
        return _by_version(str(body.get("version") or body.get("model") or ""))[0]

    def create_official(self, call: Call) -> Answer:
        model = MODELS.get(call.names["model"])
        if model is None or "version" in model.facts:
            return self.error(404, "The requested resource could not be found.")
        return self._create(call, model)

    def create_by_version(self, call: Call) -> Answer:
        body = call.body if isinstance(call.body, dict) else {}
        slug, version = _by_version(str(body.get("version") or ""))
        model = MODELS.get(slug)
        if model is None or not re.fullmatch(model.facts.get("versions", ".*"), version):
            return self.error(422, "Invalid version or not permitted: the specified version does not exist "
                                   "(or perhaps you don't have permission to use it?)")  # fmt: skip
        return self._create(call, model)

    def _create(self, call: Call, model: Model) -> Answer:
        if wrong := problems(CREATE, call.body):
            return self.error(422, f"{wrong[0].field}: {wrong[0].message}")
        inputs = call.body["input"]
        if wrong := problems(model.schema, inputs) or _too_large(model, inputs):
            return self._invalid(wrong)
        extra = {
            "events": call.body.get("webhook_events_filter", EVENTS),
            "cancel_after": call.headers.get("cancel-after"),
        }
        if call.fault("embedded_error"):
            return Answer.json({"detail": "An error occurred"}, 200)
        job = self.accept(call, model, inputs, webhook=call.body.get("webhook", ""), extra=extra)
        if job.webhook:
            self.world.clock.call_at(job.starts_at, lambda: self._tell(job, "start"))
        prefer = call.headers.get("prefer", "")
        if prefer.startswith("wait"):
            seconds = min(LONGEST_HOLD, float(prefer.partition("=")[2] or LONGEST_HOLD))
            self.world.jobs.hold(job, seconds)
        return Answer.json(self.shown(job), 201)

    def _invalid(self, wrong: list[Problem]) -> Answer:
        fields = [{"type": p.rule, "field": f"input.{p.field}", "description": _said(p)} for p in wrong]
        detail = "".join(f"- {one['field']}: {one['description']}\n" for one in fields)
        body = {"title": TITLES[422], "detail": detail, "status": 422, "invalid_fields": fields}
        return Answer.json(body, 422)

    def shown(self, job: Job, *, entry: bool = False, polled: bool = False, event: str = "") -> dict[str, Any]:
        """A prediction as JSON. entry: as in the list; polled: an odd status may show; event: as in that webhook."""
        now = self.world.clock.now()
        state = "running" if event in ("start", "output") else job.state(now)
        removed = job.finished_at is not None and now > job.finished_at + self.world.retention[self.name]
        urls = {"get": f"{job.origin}{BASE}/predictions/{job.id}", "web": f"https://replicate.com/p/{job.id}"}
        urls["cancel"] = urls["get"] + "/cancel"
        status = {"queued": "starting", "running": "processing"}.get(state, state)
        if polled and job.takes_odd_poll():
            status = "reticulating"
        seen = event == "output" or (state == "succeeded" and not removed and status == state)
        version = MODELS[job.model].facts.get("version", "hidden")
        found = {
            "id": job.id,
            "model": job.model,
            "version": version,
            "status": status,
            "source": "api",
            "input": {} if removed else job.inputs,
            "output": job.output if seen else None,
            "error": _error(job) if job.failure and status == "failed" else None,
            "logs": "",
            "metrics": {"predict_time": job.ready_at - job.starts_at} if state == "succeeded" else {},
            "created_at": _iso(job.created_at),
            "started_at": _iso(job.starts_at) if state != "queued" else None,
            "completed_at": _iso(job.finished_at) if state != "running" else None,
            "data_removed": removed,
            "urls": urls,
        }
        if entry and not self.world.options["list_shows_input"]:
            del found["input"], found["output"]
        return found

    def get(self, call: Call) -> Answer:
        job = self.world.jobs.get(self.name, call.names["id"])
        if job is None:
            return self.error(404, "Prediction not found")
        call.job = job.id
        return Answer.json(self.shown(job, polled=True))

    def cancel(self, call: Call) -> Answer:
        job = self.world.jobs.get(self.name, call.names["id"])
        if job is None:
            return self.error(404, "Prediction not found")
        call.job = job.id
        self.world.jobs.cancel(job, self.finished)
        return Answer.json(self.shown(job))

    def listed(self, call: Call) -> Answer:
        first = int(call.query.get("cursor", "0"))
        jobs = self.world.jobs.of(self.name)
        more = len(jobs) > first + PAGE
        following = f"{call.origin}{BASE}/predictions?cursor={first + PAGE}" if more else None
        entries = [self.shown(job, entry=True) for job in jobs[first : first + PAGE]]
        return Answer.json({"previous": None, "next": following, "results": entries})

    def make(self, job: Job, model: Model) -> Any:
        if job.fault("nsfw_flagged"):
            raise JobFailed("moderation", "NSFW content detected. Try running it again, or try a different prompt.")
        output = super().make(job, model)
        if job.fault("empty_output"):
            return [] if isinstance(output, list) else None
        return output

    def finished(self, job: Job) -> None:
        if job.output is not None and not job.canceled:
            self._tell(job, "output")
        self._tell(job, "completed")

    def _tell(self, job: Job, event: str) -> None:
        if event in job.extra["events"] or (event == "completed" and not job.extra["events"]):
            self.world.mailer.post(
                job, event, self.shown(job, event=event), self.secret.sign, last=event == "completed"
            )

    def upload(self, call: Call) -> Answer:
        head = f"Content-Type: {call.headers.get('content-type', '')}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + call.raw)
        parts = {part.get_param("name", header="content-disposition"): part for part in form.iter_parts()}
        if "content" not in parts:
            return self.error(400, "Missing content")
        content = parts["content"]
        data = bytes(content.get_payload(decode=True))
        if len(data) > LARGEST_FILE:
            return self.error(413, "File too large")
        told = str(parts["type"].get_content()).strip() if "type" in parts else content.get_content_type()
        name = content.get_filename() or "file"
        stored = self.world.files.put(self.name, "/delivery/replicate", name.replace("/", "_"), data, told,
                                      seconds=DAY, public=False)  # fmt: skip
        return Answer.json(self._shown_file(call, stored), 201)

    def about_file(self, call: Call) -> Answer:
        stored = self.world.files.token(call.names["id"])
        return Answer.json(self._shown_file(call, stored)) if stored else self.error(404, "File not found")

    def _shown_file(self, call: Call, stored: StoredFile) -> dict[str, Any]:
        return {
            "id": stored.token,
            "content_type": stored.content_type,
            "size": len(stored.data),
            "checksums": {"sha256": hashlib.sha256(stored.data).hexdigest()},
            "metadata": {},
            "created_at": _iso(call.at),
            "expires_at": _iso(stored.expires_at),
            "urls": {"get": f"{call.origin}{BASE}/files/{stored.token}"},
        }

    def describe(self, call: Call) -> Answer:
        model = MODELS.get(call.names["model"])
        if model is None:
            return self.error(404, "The requested resource could not be found.")
        owner, name = model.slug.split("/")
        openapi = {"openapi": "3.0.2", "components": {"schemas": {"Input": model.schema}}}
        version = {"id": model.facts.get("version", "hidden"), "openapi_schema": openapi, "created_at": _iso(call.at)}
        return Answer.json({"owner": owner, "name": name, "visibility": "public", "latest_version": version})

    def account(self, call: Call) -> Answer:
        return Answer.json({"type": "user", "username": "simulated", "github_url": "https://github.com/simulated"})

    def no_credit(self) -> Answer:
        return self.error(402, "You have insufficient credit to run this model. Go to billing to purchase credit.")


def _by_version(version: str) -> tuple[str, str]:
    """(slug, hash) of `owner/name`, `owner/name:hash` or `hash`."""
    slug, _, number = version.rpartition(":") if ":" in version else (version, "", "")
    if "/" not in slug:
        number = number or version
        fitting = (one.slug for one in MODELS.values() if re.fullmatch(one.facts.get("versions", "-"), number))
        slug = next(fitting, "")
    return slug, number


def _too_large(model: Model, inputs: dict[str, Any]) -> list[Problem]:
    return [
        Problem(named.where, "data_uri", "Data URI is too large: upload files over 256 KB", LARGEST_DATA_URI)
        for named in named_files(model.schema, inputs)
        if named.address.startswith("data:") and len(named.address) * 3 // 4 > LARGEST_DATA_URI + 100
    ]


def _said(problem: Problem) -> str:
    rules = {
        "required": f"{problem.where[-1]} is required" if problem.where else "",
        "maximum": f"Must be less than or equal to {problem.limit}",
        "minimum": f"Must be greater than or equal to {problem.limit}",
        "enum": f"Must be one of {json.dumps(problem.limit)}",
        "maxItems": f"Array must have at most {problem.limit} items",
        "type": f"Invalid type. Expected: {problem.limit}, given: {type(problem.value).__name__}",
    }
    return rules.get(problem.rule) or problem.message


def _error(job: Job) -> str:
    failure = job.failure or JobFailed("transient", "")
    if failure.message and failure.kind != "invalid":
        return failure.message
    return {
        "moderation": FLAGGED.format(job.id[:10]),
        "transient": "Prediction interrupted; please retry (code: PA)",
        "empty": "No output was produced",
    }.get(failure.kind, failure.message)
