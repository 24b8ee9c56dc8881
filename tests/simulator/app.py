"""From a request to what the wire shall carry: finds the provider, lets faults bite, keeps log and bill up to date."""

from __future__ import annotations

import json
import re
import traceback
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal

from tests.simulator import faults, providers
from tests.simulator.call import Answer, Call
from tests.simulator.control import Control
from tests.simulator.providers.base import Provider, Route
from tests.simulator.world import World


def _providers() -> list[type[Provider]]:
    """Every class in the folder `providers` that says where it is mounted."""
    modules = [import_module(f"{providers.__name__}.{one.name}") for one in iter_modules(providers.__path__)]
    found = [kind for module in modules for kind in vars(module).values() if isinstance(kind, type)]
    return [
        kind for kind in dict.fromkeys(found) if issubclass(kind, Provider) and "mounts" in vars(kind) and kind.mounts
    ]


PROVIDERS = _providers()
HANG = 3600.0
DRIP = 0.2


@dataclass
class Outcome:
    """What happens on the wire. reset: RST without an answer; hang: silence for `seconds`, then RST; drip: one byte
    every `seconds`; cut: half of the body, then the connection ends."""

    answer: Answer | None
    manner: Literal["send", "reset", "hang", "drip", "cut"] = "send"
    seconds: float = 0.0


class App:
    """`errors`: tracebacks of the simulator's own mistakes, which a test should find empty."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.retention.update({kind.name: kind.retention for kind in PROVIDERS if kind.retention})
        made = [kind(world) for kind in PROVIDERS]
        self.mounts = {prefix: one for one in made for prefix in one.mounts}
        self.errors = world.jobs.errors
        self.control = Control(world, self.mounts, self.errors)

    def handle(self, call: Call) -> Outcome:
        prefix = call.path.split("/")[1]
        if prefix == "_control":
            return Outcome(self.control.handle(call))
        provider = self.mounts.get(prefix)
        if provider is None:
            return Outcome(Answer.json({"detail": "Not Found"}, 404))
        call.provider = provider.name
        self.world.log(call)
        route = self._route(provider, call)
        if route is None:
            call.operation = "unknown"
            return Outcome(provider.error(404, f"Not found: {call.method} {call.path}"))
        call.operation = provider.operation_of(call, route)
        call.provider = call.names.get("provider", provider.name)
        try:
            return self._carried_out(provider, route, call)
        except Exception:
            self.errors.append(traceback.format_exc())
            return Outcome(Answer(500, b"simulator error", "text/plain", {"X-Simulator-Error": "1"}))

    def _route(self, provider: Provider, call: Call) -> Route | None:
        for route in provider.routes:
            if (names := route.names(call.method, call.path)) is not None:
                call.names = names
                return route
        return None

    def _carried_out(self, provider: Provider, route: Route, call: Call) -> Outcome:
        call.model = provider.model_of(call)
        if not route.open and (
            not provider.authorised(call) or provider.key(call) in self.world.options["refused_keys"]
        ):
            return Outcome(provider.error(401, "Missing or invalid API key"))
        call.faults = self.world.faults.meet(call, self._what(call))
        if fault := call.fault("reset_before"):
            return Outcome(None, "reset")
        if fault := call.fault("hang"):
            return Outcome(None, "hang", fault.seconds or HANG)
        if fault := call.fault(*faults.TURNED_AWAY):
            return Outcome(provider.turn_away(call, fault))
        answer = route.handler(call)
        spoiling = call.fault(*faults.SPOILED)
        return _spoiled(provider, answer, spoiling) if spoiling else Outcome(answer)

    def _what(self, call: Call) -> str:
        """Names what a call asks for, the same in every run, whatever order calls come in."""
        if stored := self.world.files.at(call.path):
            return f"{stored.job}|{stored.name}|{stored.sha256 if not stored.job else ''}"
        if call.operation == "upload":
            return str(len(call.raw))
        body = call.body
        if isinstance(body, dict):  # ids that a client makes up anew in each run are no part of what it asks for
            body = {name: value for name, value in body.items() if name not in ("webhook", "metadata")}
        return self.world.files.digest(call.provider, call.method, call.path, body)

    def sent(self, call: Call, answer: Answer | None, whole: bool) -> None:
        """Told by the server once the answer is out, or failed to get out."""
        call.status = answer.status if answer else 0
        call.let_go()
        call.delivered = whole
        if not whole or not call.job:
            return
        for charge in self.world.bill.charges(call.provider):
            if charge.job == call.job:
                if call.operation == "download" and call.method == "GET":
                    charge.output_fetched = True
                elif charge.operation == call.operation:
                    charge.answer_delivered = not call.fault(*faults.SPOILED) or bool(call.fault("drip"))


def _spoiled(provider: Provider, answer: Answer, fault: faults.Fault) -> Outcome:
    if fault.kind == "reset_after":
        return Outcome(None, "reset")
    if fault.kind == "hang_after":
        return Outcome(None, "hang", fault.seconds or HANG)
    if fault.kind in ("server_error_after", "html_after"):
        return Outcome(provider.broken(fault))
    if fault.kind == "drip":
        return Outcome(answer, "drip", fault.seconds or DRIP)
    if fault.kind == "cut_body":
        return Outcome(answer, "cut")
    if fault.kind == "wrong_types":
        xml = answer.content_type == "text/xml"
        answer.body = (
            re.sub(rb">([^<>]+)<", lambda text: b">%d<" % len(text[1]), answer.body)
            if xml
            else json.dumps(_other_types(json.loads(answer.body))).encode()
        )
    elif fault.kind == "half_json":
        answer.body = answer.body[: len(answer.body) // 2]
    else:
        answer.body = b"{'status': undefined, " + answer.body[1:]
    return Outcome(answer)


def _other_types(value: Any) -> Any:
    """The same JSON with every number as text and every text as a number."""
    if isinstance(value, dict):
        return {name: _other_types(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_other_types(one) for one in value]
    return len(value) if isinstance(value, str) else str(value)
