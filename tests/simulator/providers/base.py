"""What every provider has: routes, keys, its own shape for errors, and the way from a request to a job."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

from tests.simulator import checks
from tests.simulator.call import Answer, Call
from tests.simulator.faults import Fault
from tests.simulator.jobs import Job, JobFailed
from tests.simulator.schemas import Schema, with_defaults
from tests.simulator.studio import Studio
from tests.simulator.world import World

Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """`path`: a regular expression over the whole path. open: needs no key."""

    method: str
    path: str
    operation: str
    handler: Handler
    open: bool = False

    def names(self, method: str, path: str) -> dict[str, str] | None:
        found = re.fullmatch(self.path, path) if method == self.method else None
        return found.groupdict() if found else None


@dataclass(frozen=True)
class Model:
    """One model of one provider. kind: which latency it has; make: its output as the provider tells it; price: of the
    input, in micro-dollars; metered: the price of what was taken and made, where that is known only then; facts: what
    the provider's own module wants to know besides."""

    slug: str
    kind: str
    schema: Schema
    make: Callable[[Studio, dict[str, Any]], Any]
    price: Callable[[dict[str, Any]], int]
    facts: dict[str, Any] = field(default_factory=dict)
    metered: Callable[[Studio, dict[str, Any]], int] | None = None


class Provider:
    """Base of all. `name`: as in faults, bill and log; `mounts`: what the paths of its calls begin with; `bases` and
    `keys`: for the product's settings, the addresses of its services and made-up keys, which show their powers;
    `retention`: for how many seconds its outputs can be fetched."""

    name: ClassVar[str]
    mounts: ClassVar[tuple[str, ...]] = ()
    bases: ClassVar[dict[str, str]] = {}
    keys: ClassVar[dict[str, str]] = {}
    retention: ClassVar[float] = 0.0
    scheme: ClassVar[str] = "Bearer"

    def __init__(self, world: World) -> None:
        self.world = world
        self.routes = self.build_routes()

    def build_routes(self) -> list[Route]:
        raise NotImplementedError

    def error(self, status: int, message: str, kind: str = "") -> Answer:
        """The provider's own shape of an error."""
        raise NotImplementedError

    def model_of(self, call: Call) -> str:
        """The model that a call is about, so that faults can name it; the path's own `model` unless told otherwise."""
        return call.names.get("model", "")

    def operation_of(self, call: Call, route: Route) -> str:
        """What a call asks for, where one path serves for several things."""
        return route.operation

    def authorised(self, call: Call) -> bool:
        scheme, _, key = call.headers.get("authorization", "").partition(" ")
        return scheme.lower() == self.scheme.lower() and bool(key.strip())

    def key(self, call: Call) -> str:
        return call.headers.get("authorization", "").partition(" ")[2].strip()

    def generation_of(self, call: Call, webhook: str = "") -> str:
        """The client's own id for the work, as far as it sends one."""
        metadata = call.body.get("metadata") if isinstance(call.body, dict) else None
        named = metadata.get("generation_id", "") if isinstance(metadata, dict) else ""
        return webhook or call.headers.get("idempotency-key", "") or str(named)

    def turn_away(self, call: Call, fault: Fault) -> Answer:
        """The answer to a request that a fault refuses."""
        if fault.kind == "unauthorised":
            status = fault.status or 401
            return self.error(status, "Forbidden" if status == 403 else "Invalid API key")
        if fault.kind == "no_credit":
            return self.no_credit()
        if fault.kind == "rate_limit":
            answer = self.error(429, "Rate limit exceeded, please slow down", "rate_limit")
            wait = self.world.options["retry_after"] if fault.retry_after is None else fault.retry_after
            answer.headers["Retry-After"] = f"{wait:g}"
            if fault.text == "date":  # by a clock that is far from the client's
                now = datetime(2031, 1, 1, tzinfo=UTC)
                answer.headers["Date"] = format_datetime(now, usegmt=True)
                answer.headers["Retry-After"] = format_datetime(now + timedelta(seconds=wait), usegmt=True)
            return answer
        return self.broken(fault)

    def broken(self, fault: Fault) -> Answer:
        """A 5xx, or HTML where JSON is due."""
        if fault.kind in ("html", "html_after"):
            return Answer.html(fault.status if fault.status and fault.kind == "html_after" else 200, "Just a moment...")
        status = fault.status or 500
        return Answer.html(status) if fault.html else self.error(status, fault.text or "Internal server error")

    def no_credit(self) -> Answer:
        return self.error(402, "Insufficient credit")

    def job_id(self, digest: str) -> str:
        """The form that this provider's ids have."""
        return digest[:26]

    def accept(self, call: Call, model: Model, inputs: dict[str, Any], *, webhook: str = "", operation: str = "submit",
               extra: dict[str, Any] | None = None) -> Job:  # fmt: skip
        """A job for a valid input, on the bill from now on."""
        world = self.world
        digest = world.files.digest(self.name, model.slug, inputs)
        job_id = self.job_id(world.jobs.new_id(self.name, digest))
        params = with_defaults(model.schema, inputs)
        call.job, call.generation = job_id, self.generation_of(call, webhook)
        charge = world.bill.charge(
            at=world.clock.now(), provider=self.name, operation=operation, model=model.slug, job=job_id, digest=digest,
            generation=call.generation, micro_dollars=model.price(params), faults=tuple(f.kind for f in call.faults),
        )  # fmt: skip
        starts, ready = world.jobs.times(self.name, world.clock.scaled(world.latency[model.kind]))
        odd = call.fault("unknown_status")
        job = Job(
            id=job_id, provider=self.name, model=model.slug, inputs=inputs, params=params, digest=digest,
            origin=call.origin, created_at=world.clock.now(), starts_at=starts, ready_at=ready, charge=charge,
            faults=call.faults, webhook=webhook, extra=extra or {}, odd_polls=odd.polls if odd else 0,
        )  # fmt: skip
        world.jobs.add(job, lambda job: self.make(job, model), self.finished)
        return job

    def finished(self, job: Job) -> None:
        """Called once when a job is over: the place to send webhooks."""

    def bad_file(self, error: checks.BadFile) -> JobFailed:
        """How this provider tells that an input file breaks a limit."""
        return JobFailed("invalid", error.message, rule=error.rule, where=error.file.where, limit=error.limit)

    def make(self, job: Job, model: Model) -> Any:
        """The output, made on a worker thread. Raises JobFailed."""
        if fault := job.fault("moderation"):
            raise JobFailed("moderation", fault.text)
        if fault := job.fault("job_failed"):
            raise JobFailed("transient", fault.text)
        if fault := job.fault("result_422"):
            raise JobFailed("empty", fault.text)
        try:
            loaded = checks.load_and_check(self.world.files, self.name, model.schema, job.params)
        except checks.BadFile as error:
            failed = self.bad_file(error)
            failed.details["billed"] = self.world.options["bill_refused_inputs"]
            raise failed from None
        studio = Studio(self.world, job, loaded)
        output = model.make(studio, job.params)
        if model.metered is not None and not job.canceled:
            job.charge.micro_dollars = model.metered(studio, job.params)
        return output
