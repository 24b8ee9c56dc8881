"""Jobs at a provider: queued, running, finished. Hides time, worker threads and room for a limited number at once."""

from __future__ import annotations

import hashlib
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.bill import Charge
from tests.simulator.clock import Clock
from tests.simulator.faults import Fault

QUEUE_SHARE = 0.1
LONGEST_WORK = 60.0
FOREVER = 10 * 365 * 86400.0


class JobFailed(Exception):
    """A job that ends without output. kind: moderation, invalid, transient, empty. `details` is for the provider."""

    def __init__(self, kind: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.details = details


@dataclass
class Job:
    """One accepted job. `inputs`: as sent; `params`: with the model's defaults; times in seconds since 1970."""

    id: str
    provider: str
    model: str
    inputs: dict[str, Any]
    params: dict[str, Any]
    digest: str
    origin: str
    created_at: float
    starts_at: float
    ready_at: float
    charge: Charge
    faults: list[Fault] = field(default_factory=list)
    webhook: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    failure: JobFailed | None = None
    canceled: bool = False
    finished_at: float | None = None
    odd_polls: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def fault(self, *kinds: str) -> Fault | None:
        return next((fault for fault in self.faults if fault.kind in kinds), None)

    def state(self, now: float) -> str:
        """queued, running, succeeded, failed or canceled."""
        if self.canceled:
            return "canceled"
        if self.finished_at is not None:
            return "failed" if self.failure else "succeeded"
        return "running" if now >= self.starts_at else "queued"

    def takes_odd_poll(self) -> bool:
        """True for the polls that are to show a status nobody has heard of."""
        if self.odd_polls > 0 and self.finished_at is not None:
            self.odd_polls -= 1
            return True
        return False


class JobBoard:
    """Every job of every provider. The work itself runs on a few threads as soon as a job is accepted, so that its
    output is usually there when its time has come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[tuple[str, str], Job] = {}
        self._asked: Counter[str] = Counter()
        self._free_at: dict[str, list[float]] = {}
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="simulator-job")
        self.room: dict[str, int] = {}
        self._closed = False
        self.errors: list[str] = []

    def new_id(self, provider: str, digest: str) -> str:
        """Told by the input and by the how-manieth time it is submitted, so that a run can be repeated exactly."""
        with self._lock:
            self._asked[f"{provider}|{digest}"] += 1
            return hashlib.sha256(f"{provider}|{digest}|{self._asked[f'{provider}|{digest}']}".encode()).hexdigest()

    def times(self, provider: str, latency: float) -> tuple[float, float]:
        """(start, ready) of a job that comes now, takes `latency` scaled seconds and waits for room before that."""
        with self._lock:
            now = self._clock.now()
            room = self.room.get(provider, 0)
            if not room:
                return now + latency * QUEUE_SHARE, now + latency
            free = self._free_at.setdefault(provider, [])
            free.sort()
            start = now
            if len(free) >= room:
                start = max(now, free.pop(0))
            free.append(start + latency)
            return start, start + latency

    def add(self, job: Job, make: Callable[[Job], Any], finished: Callable[[Job], None]) -> None:
        """Accepts the job; `finished` is called once on a worker thread when it is over."""
        with self._lock:
            self._jobs[job.provider, job.id] = job
        if job.fault("stuck"):
            job.ready_at = self._clock.now() + FOREVER
            return
        self._pool.submit(self._work, job, make, finished)

    def get(self, provider: str, job_id: str) -> Job | None:
        with self._lock:
            return self._jobs.get((provider, job_id))

    def of(self, provider: str = "") -> list[Job]:
        """Newest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if provider in ("", job.provider)]

    def hold(self, job: Job, seconds: float) -> None:
        """Waits for the job to be over, but not longer than so many scaled seconds of its own time."""
        deadline = self._clock.now() + self._clock.scaled(seconds)
        if job.ready_at <= deadline:
            job.over.wait(max(0.0, job.ready_at - self._clock.now()) + LONGEST_WORK)
        else:
            self._clock.wait_until(deadline)

    def cancel(self, job: Job, finished: Callable[[Job], None]) -> bool:
        """False if it was over already."""
        with self._lock:
            if job.over.is_set():
                return False
            job.canceled = True
            job.finished_at = self._clock.now()
            job.charge.state, job.charge.micro_dollars = "canceled", 0
            job.over.set()
        self._pool.submit(finished, job)
        return True

    def close(self) -> None:
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _work(self, job: Job, make: Callable[[Job], Any], finished: Callable[[Job], None]) -> None:
        output, failure = None, None
        try:
            output = make(job)
        except JobFailed as error:
            failure = error
        except Exception as error:  # a mistake of the simulator itself must show, not hang its client
            if self._closed:  # its files are gone already, and nobody waits for this one
                return
            self.errors.append(traceback.format_exc())
            failure = JobFailed("transient", f"simulator error: {type(error).__name__}: {error}")
        self._clock.call_at(job.ready_at, lambda: self._end(job, output, failure, finished))

    def _end(self, job: Job, output: Any, failure: JobFailed | None, finished: Callable[[Job], None]) -> None:
        with self._lock:
            if job.over.is_set():
                return
            job.output, job.failure = output, failure
            job.finished_at = max(self._clock.now(), job.ready_at)
            job.charge.state = "failed" if failure else "succeeded"
            if failure and not failure.details.get("billed"):
                job.charge.micro_dollars = 0
            job.over.set()
        try:
            self._pool.submit(finished, job)
        except RuntimeError:  # the simulator is being stopped
            return
