"""Everything the providers share: time, faults, bill, files, jobs, webhooks, request log and scripted answers."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulator.bill import Bill
from tests.simulator.call import Call
from tests.simulator.clock import Clock
from tests.simulator.faults import FaultBook
from tests.simulator.files import Files
from tests.simulator.jobs import JobBoard
from tests.simulator.webhooks import Mailer

HOUR, DAY = 3600.0, 86400.0

# Seconds of real providers, by kind of work.
LATENCY = {
    "chat": 8.0,
    "image": 10.0,
    "video": 60.0,
    "lips": 40.0,
    "speech": 3.0,
    "upscale": 10.0,
    "check": 1.0,
    "transcribe": 5.0,
}
Responder = Callable[[Any], Any]


@dataclass
class Scripted:
    """An answer instead of the default one; `respond` may return None to leave the call to the next."""

    provider: str
    operation: str
    respond: Responder
    times: int = 0


class World:
    def __init__(self, scale: float, seed: int) -> None:
        self.seed = seed
        self.clock = Clock(scale)
        self.faults = FaultBook()
        self.bill = Bill()
        self.files = Files(self.clock)
        self.jobs = JobBoard(self.clock)
        self.mailer = Mailer(self.clock)
        self.latency = dict(LATENCY)
        self.retention: dict[str, float] = {}  # by provider; the app asks each for its own
        # Where the documents leave it open, or where a client has to stand both: see README.
        self.options: dict[str, Any] = {
            "strict_schemas": True,
            "list_shows_input": True,
            "bill_refused_inputs": False,
            "fal_admin_marker": "admin",
            "openrouter_management_marker": "management",
            "fal_status_code": 200,
            "retry_after": 1,
            "refused_keys": (),
        }
        self._calls: list[Call] = []
        self._scripted: list[Scripted] = []
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def next_number(self) -> int:
        return next(self._numbers)

    def log(self, call: Call) -> None:
        with self._lock:
            self._calls.append(call)

    def calls(self, provider: str = "", operation: str = "") -> list[Call]:
        with self._lock:
            calls = list(self._calls)
        return [one for one in calls if provider in ("", one.provider) and operation in ("", one.operation)]

    def respond(self, scripted: Scripted) -> None:
        with self._lock:
            self._scripted.append(scripted)

    def scripted_answer(self, provider: str, operation: str, request: Any) -> Any:
        """What the newest responder for this operation that has an answer says; None: nobody has one."""
        with self._lock:
            ready = [one for one in reversed(self._scripted) if one.operation == operation]
        for one in ready:
            if one.provider in ("*", provider) and (answer := one.respond(request)) is not None:
                with self._lock:
                    if one.times and (times := one.times - 1) == 0:
                        self._scripted.remove(one)
                    elif one.times:
                        one.times = times
                return answer
        return None

    def reset(self) -> None:
        """Forgets faults, bill, log and scripted answers; jobs and files stay."""
        self.faults.clear()
        self.bill.clear()
        with self._lock:
            self._calls.clear()
            self._scripted.clear()

    def close(self) -> None:
        self.mailer.stopped = True
        self.clock.stop()
        self.jobs.close()
        self.files.close()
