"""The control API: the same as the Python methods, over HTTP below /_control, for a simulator in another process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from tests.simulator.call import Answer, Call
from tests.simulator.faults import Fault, Storm
from tests.simulator.providers.base import Provider
from tests.simulator.world import Scripted, World

TABLES = ("latency", "retention", "options")


class Control:
    """Every answer is JSON; a mistake in a request is a 400 with `error`."""

    def __init__(self, world: World, mounts: Mapping[str, Provider], errors: list[str]) -> None:
        self._world = world
        self._mounts = mounts
        self._errors = errors
        self._doors: dict[tuple[str, str], Callable[[Call], Any]] = {
            ("GET", "faults"): lambda call: [fault.shown() for fault in world.faults.all()],
            ("POST", "faults"): self._script,
            ("DELETE", "faults"): lambda call: world.faults.clear(),
            ("POST", "storm"): self._storm,
            ("DELETE", "storm"): lambda call: setattr(world.faults, "storm", None),
            ("GET", "requests"): self._requests,
            ("GET", "bill"): self._bill,
            ("GET", "bill/duplicates"): self._duplicates,
            ("GET", "bill/lost"): lambda call: [asdict(charge) for charge in world.bill.lost()],
            ("GET", "jobs"): self._jobs,
            ("GET", "webhooks"): lambda call: [asdict(sent) for sent in world.mailer.log],
            ("POST", "webhooks"): self._send_again,
            ("POST", "advance"): lambda call: world.clock.advance(float(call.body["seconds"])),
            ("GET", "settings"): lambda call: self._settings(),
            ("POST", "settings"): self._set,
            ("POST", "respond"): self._respond,
            ("POST", "reset"): lambda call: world.reset(),
            ("GET", "errors"): lambda call: self._errors,
            ("GET", ""): lambda call: {"doors": sorted(f"{method} {door}" for method, door in self._doors)},
        }

    def handle(self, call: Call) -> Answer:
        door = self._doors.get((call.method, call.path.removeprefix("/_control").strip("/")))
        if door is None:
            return Answer.json({"error": f"no such door: {call.method} {call.path}"}, 404)
        try:
            return Answer.json(door(call))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            return Answer.json({"error": f"{type(error).__name__}: {error}"}, 400)

    def _script(self, call: Call) -> Any:
        return self._world.faults.add(Fault(**call.body)).shown()

    def _storm(self, call: Call) -> Any:
        self._world.faults.storm = Storm(**call.body)
        return call.body

    def _requests(self, call: Call) -> Any:
        since = int(call.query.get("since", "0"))
        chosen = self._world.calls(call.query.get("provider", ""), call.query.get("operation", ""))
        return [one.shown() for one in chosen if one.number > since]

    def _bill(self, call: Call) -> Any:
        bill, asked = self._world.bill, call.query
        charges = bill.charges(asked.get("provider", ""), asked.get("operation", ""), asked.get("model", ""))
        return {"total_micro_dollars": bill.total(), "charges": [asdict(charge) for charge in charges]}

    def _duplicates(self, call: Call) -> Any:
        groups = self._world.bill.duplicates(call.query.get("operation", ""))
        return [[asdict(charge) for charge in group] for group in groups]

    def _jobs(self, call: Call) -> Any:
        now = self._world.clock.now()
        return [
            {"id": job.id, "provider": job.provider, "model": job.model, "state": job.state(now),
             "webhook": job.webhook, "created_at": job.created_at, "ready_at": job.ready_at,
             "finished_at": job.finished_at, "error": str(job.failure) if job.failure else None,
             "faults": [fault.kind for fault in job.faults]}
            for job in self._world.jobs.of(call.query.get("provider", ""))
        ]  # fmt: skip

    def _send_again(self, call: Call) -> Any:
        """{"provider", "job"}: that job's last event is sent once more."""
        job = self._world.jobs.get(call.body["provider"], call.body["job"])
        if job is None:
            raise ValueError("no such job")
        next(one for one in self._mounts.values() if one.name == job.provider).finished(job)
        return {"sent": job.id}

    def _settings(self) -> dict[str, Any]:
        world = self._world
        tables = {name: getattr(world, name) for name in TABLES}
        return {**tables, "room": world.jobs.room, "scale": world.clock.scale}

    def _set(self, call: Call) -> Any:
        """{"scale": …, "room": {…}, "latency": {…}, "retention": {…}, "options": {…}}: what is named is changed."""
        for name, value in call.body.items():
            if name == "scale":
                self._world.clock.scale = float(value)
            elif name == "room":
                self._world.jobs.room.update(value)
            elif name in TABLES:
                getattr(self._world, name).update(value)
            else:
                raise ValueError(f"no such setting: {name}")
        return self._settings()

    def _respond(self, call: Call) -> Any:
        """{"operation", "content", "provider"?, "times"?, "match"?}: `content` is the answer wherever `match` occurs in
        the request."""
        body = call.body
        match, content = body.get("match", ""), body["content"]

        def respond(request: Any) -> Any:
            seen = request if isinstance(request, dict) else getattr(request, "raw", str(request))
            return content if match in json.dumps(seen, ensure_ascii=False, default=str) else None

        scripted = Scripted(body.get("provider", "*"), body["operation"], respond, int(body.get("times", 0)))
        self._world.respond(scripted)
        return {"added": body["operation"]}
