"""Pieces of work that a person asked for, one by one, beside any run: a picture made, a picture looked at.

Hides the table that they survive a restart in, the lane they wait in, and the joining of equal ones. What a kind of job
does is the kind's affair; a job's result is written in the transaction that ends it.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane
from pipeline.errors import Cancelled, Conflict, NotFound, ProductError
from pipeline.generation.generate import Generated, Generator
from pipeline.generation.outcomes import Unresolved
from pipeline.generation.record import Row
from pipeline.runner.lanes import LaneQueue
from pipeline.store import Store
from pipeline.store.models import Generation, Job
from pipeline.store.states import job_state

log = logging.getLogger(__name__)

_PREFIX = "jobs/"
LIVE = ("queued", "running")


@dataclass(frozen=True)
class Errand:
    """What a job is for. Two with equal errands are not at work at once: the second one asked for is the first."""

    kind: str
    target_type: str
    target_id: int
    inputs_digest: str


@dataclass(frozen=True)
class Asked:
    """A job as it was asked for. `inputs` is all that its making needs, so that another attempt makes the same."""

    id: str
    project_id: int
    kind: str
    target_type: str
    target_id: int
    inputs: dict[str, Any]

    @property
    def unit_key(self) -> str:
        """How provider work and log lines name the job."""
        return f"{_PREFIX}{self.id}"


@dataclass(frozen=True)
class Made:
    """What a job made. `apply` writes its rows, in the transaction that ends the job, and gives the job's `result`."""

    text: str
    apply: Callable[[Session], dict[str, Any]]


class JobKind(Protocol):
    """One kind of job. `run` blocks, in a thread of `lane`, and raises ProductError; `late` is told of a result that
    came when the job had been cancelled or had failed."""

    name: ClassVar[str]
    lane: ClassVar[Lane]

    def run(self, job: Asked, cancel: threading.Event) -> Made: ...

    def late(self, session: Session, job: Asked, made: Generated) -> None: ...


class Jobs:
    """One per store. Every method may be called from any thread."""

    def __init__(self, store: Store, generator: Generator, lanes: Mapping[Lane, LaneQueue]) -> None:
        self._store = store
        self._generator = generator
        self._lanes = lanes
        self._kinds: dict[str, JobKind] = {}
        self._lock = threading.Lock()
        self._at_work: dict[str, threading.Event] = {}
        self._closing = threading.Event()

    def register(self, kind: JobKind) -> None:
        self._kinds[kind.name] = kind

    # --- Asking ---------------------------------------------------------------------------------

    def ask(
        self,
        session: Session,
        errand: Errand,
        *,
        project_id: int | None,
        inputs: dict[str, Any],
        model: str = "",
        estimate_micros: int = 0,
    ) -> Job:
        """Adds a job in the caller's transaction; `start` it when that is committed. Where there is a `live` one with
        the same errand, that is to be given instead."""
        if self._closing.is_set():
            raise Conflict("The program is shutting down.", hint="Ask again when it is up.")
        row = Job(
            id=uuid.uuid4().hex,
            project_id=project_id,
            **asdict(errand),
            inputs=inputs,
            model=model,
            estimate_micros=estimate_micros,
            boot_id=self._store.boot_id,
        )
        session.add(row)
        session.flush()
        self._tell(session, row, "queued")
        return row

    @staticmethod
    def live(session: Session, errand: Errand) -> Job | None:
        """The job with this errand that has not ended."""
        return session.scalars(select(Job).filter_by(**asdict(errand)).where(Job.status.in_(LIVE))).first()

    def start(self, job_id: str) -> None:
        """Puts a committed job into its lane."""
        with self._store.db.read() as session:
            row = session.get(Job, job_id)
        if row is None or row.status != "queued" or self._closing.is_set():
            return
        kind = self._kinds[row.kind]
        with self._lock:
            if job_id in self._at_work:
                return
            self._at_work[job_id] = threading.Event()
        key = f"{_PREFIX}{job_id}"
        self._lanes[kind.lane].submit(row.project_id or 0, key, lambda _: self._work(job_id), owner=self, ahead=True)

    def cancel(self, job_id: str) -> Job:
        """Ends a job; what a provider has begun is kept when it comes, and not shown. Raises NotFound, Conflict."""
        with self._store.db.write(durable=True) as session:
            row = _row(session, job_id)
            if not job_state(session, job_id, "cancelled"):
                raise Conflict(f"This job is {row.status}; there is nothing to cancel.")
            self._tell(session, row, "cancelled")
        self._stop(job_id)
        return row

    def cancel_for(self, target_type: str, target_id: int) -> None:
        """What the jobs are for is gone."""
        query = select(Job.id).where(Job.target_type == target_type, Job.target_id == target_id, Job.status.in_(LIVE))
        self._cancel_all(query)

    def cancel_of_project(self, project_id: int) -> None:
        self._cancel_all(select(Job.id).where(Job.project_id == project_id, Job.status.in_(LIVE)))

    def _cancel_all(self, query: Any) -> None:
        with self._store.db.write(durable=True) as session:
            ids = [job_id for job_id in session.scalars(query).all() if job_state(session, job_id, "cancelled")]
            for job_id in ids:
                self._tell(session, _row(session, job_id), "cancelled")
        for job_id in ids:
            self._stop(job_id)

    def _stop(self, job_id: str) -> None:
        with self._lock:
            event = self._at_work.get(job_id)
        if event is not None:
            event.set()

    def retry(self, job_id: str) -> Job:
        """Makes a job again that failed or was cancelled, from the same inputs; or joins the one that does so already.

        Raises NotFound, Conflict.
        """
        self._await_end(job_id)
        self._generator.clear_halts()
        with self._store.db.write(durable=True) as session:
            row = _row(session, job_id)
            same = self.live(session, Errand(row.kind, row.target_type, row.target_id, row.inputs_digest))
            if same is not None:
                return same
            if row.status == "done" or not self._queue_again(session, row, attempt=row.attempt + 1):
                raise Conflict(f"This job is {row.status}; there is nothing to make again.")
        self.start(job_id)
        return row

    def _queue_again(self, session: Session, row: Job, *, attempt: int) -> bool:
        fresh = {"boot_id": self._store.boot_id, "attempt": attempt, "error": None, "result": None}
        won = job_state(session, row.id, "queued", **fresh)
        if won:
            self._tell(session, row, "queued")
        return won

    def _await_end(self, job_id: str) -> None:
        """A job that was just cancelled may still be on its way out."""
        deadline = time.monotonic() + 10
        while job_id in self._at_work and time.monotonic() < deadline:
            with self._store.db.read() as session:
                if _row(session, job_id).status in LIVE:
                    return
            time.sleep(0.02)

    # --- Working --------------------------------------------------------------------------------

    def _work(self, job_id: str) -> None:
        cancel = self._at_work[job_id]
        try:
            job = self._begun(job_id)
            if job is not None:
                self._one(job, cancel)
        except ProductError as failure:
            log.error("job %s: its end could not be written: %s", job_id, failure)
        except Exception:
            log.exception("job %s", job_id)
        finally:
            with self._lock:
                self._at_work.pop(job_id, None)

    def _begun(self, job_id: str) -> Asked | None:
        with self._store.db.write(durable=True) as session:
            row = session.get(Job, job_id)
            if row is None or self._closing.is_set() or not job_state(session, job_id, "running"):
                return None
            self._tell(session, row, "running")
            return _asked(row)

    def _one(self, job: Asked, cancel: threading.Event) -> None:
        try:
            made = self._kinds[job.kind].run(job, cancel)
        except Cancelled as failure:
            if not self._closing.is_set() and not cancel.is_set():
                self._failed(job, failure)
            return  # the row says what it is: cancelled, or to be taken up by the next process
        except ProductError as failure:
            self._failed(job, failure)
            return
        except Exception as failure:
            log.exception("job %s", job.id)
            self._failed(job, ProductError(f"An unexpected {type(failure).__name__}.", hint="Try again."))
            return
        with self._store.db.write(durable=True) as session:
            if job_state(session, job.id, "done", cost_micros=_cost(session, job)):
                row = _row(session, job.id)
                row.result = made.apply(session)
                self._tell(session, row, "done", made.text)

    def _failed(self, job: Asked, failure: ProductError) -> None:
        error = {"code": failure.code, "detail": failure.detail, "hint": failure.hint, "field": failure.field}
        if isinstance(failure, Unresolved):
            error["generation_id"] = failure.generation_id
        with self._store.db.write(durable=True) as session:
            if job_state(session, job.id, "failed", error=error, cost_micros=_cost(session, job)):
                self._tell(session, _row(session, job.id), "failed", failure.sentence)

    def _tell(self, session: Session, row: Job, status: str, text: str = "") -> None:
        self._store.events.append(
            session,
            project_id=row.project_id,
            level="error" if status == "failed" else "info",
            kind="job",
            stage="jobs",
            unit=f"{_PREFIX}{row.id}",
            text=text,
            data={"job": row.id, "kind": row.kind, "status": status, "target": f"{row.target_type}/{row.target_id}"},
        )

    # --- What others leave ----------------------------------------------------------------------

    def recover(self) -> None:
        """At process start: jobs that another process left go on, with what their providers have."""
        with self._store.db.write(durable=True) as session:
            left = select(Job).where(Job.status.in_(LIVE), Job.boot_id != self._store.boot_id).order_by(Job.created_at)
            rows = [row for row in session.scalars(left).all() if self._queue_again(session, row, attempt=row.attempt)]
        for row in rows:
            self.start(row.id)

    def attend(self, row: Row) -> bool:
        """Sees to provider work of a job that nobody waits for; False when it is no job's."""
        if not row.unit_key.startswith(_PREFIX):
            return False
        job_id = row.unit_key.removeprefix(_PREFIX)
        now = self._generator.records.row(row.id)
        with self._store.db.read() as session:
            job = session.get(Job, job_id)
        if now is None or job is None or job.status in LIVE:
            return True
        waited = job.status == "failed" and (job.error or {}).get("generation_id") == row.id
        if waited and now.status != "ambiguous":
            with self._store.db.write(durable=True) as session:
                again = self._queue_again(session, _row(session, job_id), attempt=job.attempt)
            if again:
                self.start(job_id)
        elif now.status == "accepted":
            self._collect(now, _asked(job))
        return True

    def _collect(self, row: Row, job: Asked) -> None:
        try:
            late = self._generator.collect(row, self._closing)
        except ProductError as failure:
            log.info("late result of job %s: %s", job.id, failure)
            return
        if late is not None:
            with self._store.db.write(durable=True) as session:
                self._kinds[job.kind].late(session, job, late)
                self._tell(session, _row(session, job.id), "late", "A result came after all; it is kept.")

    def phase(self, row: Job) -> str:
        """Where the work stands: waiting, or a phase of the provider's; empty once it has ended."""
        if row.status == "queued":
            return "waiting"
        live = row.status == "running"
        return (self._generator.phase(row.project_id or 0, f"{_PREFIX}{row.id}") or "working") if live else ""

    def close(self, timeout_s: float) -> None:
        """Stops what is at work; the next process takes it up."""
        self._closing.set()
        with self._lock:
            events = list(self._at_work.values())
        for lane in self._lanes.values():
            lane.drop(self)
        for event in events:
            event.set()
        deadline = time.monotonic() + timeout_s
        while any(lane.serves(self) for lane in self._lanes.values()) and time.monotonic() < deadline:
            time.sleep(0.02)


def _row(session: Session, job_id: str) -> Job:
    row = session.get(Job, job_id)
    if row is None:
        raise NotFound("There is no such job.")
    return row


def _asked(row: Job) -> Asked:
    return Asked(row.id, row.project_id or 0, row.kind, row.target_type, row.target_id, dict(row.inputs))


def _cost(session: Session, job: Asked) -> int:
    query = select(func.coalesce(func.sum(Generation.actual_micros), 0)).where(Generation.unit_key == job.unit_key)
    return int(session.scalar(query) or 0)
