"""Pieces of work that a person asked for, one by one, beside any run: a picture made, a picture looked at, a clip made
again.

Hides the table that they survive a restart in, where they wait, and the joining of equal ones. What a kind of job
does is the kind's affair; a job's result is written in the transaction that ends it.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane
from pipeline.errors import Cancelled, Conflict, NotFound, ProductError
from pipeline.generation.generate import Generator
from pipeline.generation.outcomes import Unresolved
from pipeline.generation.record import Row
from pipeline.runner.job_kinds import LIVE, PREFIX, Asked, Errand, JobKind, asked
from pipeline.runner.lanes import LaneQueue
from pipeline.store import Store
from pipeline.store.models import Generation, Job
from pipeline.store.states import job_state

log = logging.getLogger(__name__)

_MOST_WAITED_S = 10.0


class Jobs:
    """One per store. Every method may be called from any thread."""

    def __init__(self, store: Store, generator: Generator, lanes: Mapping[Lane, LaneQueue]) -> None:
        self._store = store
        self._generator = generator
        self._lanes = lanes
        self._kinds: dict[str, JobKind] = {}
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._at_work: dict[str, threading.Event] = {}
        self._alone: set[str] = set()  # those with a thread of their own
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
        """Puts a committed job to work, or into its lane."""
        with self._store.db.read() as session:
            row = session.get(Job, job_id)
        if row is None or row.status != "queued" or self._closing.is_set():
            return
        kind = self._kinds[row.kind]
        with self._lock:
            if job_id in self._at_work:
                return
            self._at_work[job_id] = threading.Event()
            if kind.lane is None:
                self._alone.add(job_id)
        if kind.lane is None:
            threading.Thread(target=self._work, args=(job_id,), name=f"job-{job_id[:8]}", daemon=True).start()
            return
        key = f"{PREFIX}{job_id}"
        self._lanes[kind.lane].submit(row.project_id or 0, key, lambda _: self._work(job_id), owner=self, ahead=True)

    def wait(self, job_id: str, timeout_s: float) -> Job:
        """The job once nobody is at work on it, or after that time. Raises NotFound.

        It is put to work where whoever asked for it has only just committed it.
        """
        self.start(job_id)
        with self._ended:
            self._ended.wait_for(lambda: job_id not in self._at_work, timeout_s)
        with self._store.db.read() as session:
            return _row(session, job_id)

    def cancel(self, job_id: str) -> Job:
        """Ends a job; what a provider has begun is kept when it comes, and not shown. Raises NotFound, Conflict."""
        with self._store.db.write(durable=True) as session:
            row = _row(session, job_id)
            if not job_state(session, job_id, "cancelled"):
                raise Conflict(f"This job is {row.status}; there is nothing to cancel.")
            self._kinds[row.kind].taken_back(session, row)
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
            for row in [_row(session, job_id) for job_id in ids]:
                self._kinds[row.kind].taken_back(session, row)
                self._tell(session, row, "cancelled")
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
            self._kinds[row.kind].asked_again(session, row)
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
        with self._store.db.read() as session:
            live = _row(session, job_id).status in LIVE
        if not live:
            self.wait(job_id, _MOST_WAITED_S)

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
            with self._ended:
                self._at_work.pop(job_id, None)
                self._alone.discard(job_id)
                self._ended.notify_all()

    def _begun(self, job_id: str) -> Asked | None:
        with self._store.db.write(durable=True) as session:
            row = session.get(Job, job_id)
            if row is None or self._closing.is_set() or row.status != "queued":
                return None
            if self._kinds[row.kind].lane is not None:
                self._move_on(session, row)
            return asked(row)

    def began(self, job_id: str) -> bool:
        """The turn of a job without a lane has come: whether it still is to be made. It may be said more than once."""
        with self._store.db.write(durable=True) as session:
            row = _row(session, job_id)
            if "spent" not in row.inputs:
                row.inputs = {**row.inputs, "spent": _spent(session, row)}
            self._move_on(session, row)
            return row.status == "running"

    def _move_on(self, session: Session, row: Job) -> None:
        if job_state(session, row.id, "running"):
            self._tell(session, row, "running")

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
            row = _row(session, job.id)
            job_state(session, job.id, "running")  # what it needs may have been there already
            if job_state(session, job.id, "done", cost_micros=_cost(session, row)):
                row.result = made.apply(session)
                self._tell(session, row, "done", made.text)

    def _failed(self, job: Asked, failure: ProductError) -> None:
        error = {"code": failure.code, "detail": failure.detail, "hint": failure.hint, "field": failure.field}
        if failure.code == Unresolved.code:
            error["generation_id"] = getattr(failure, "generation_id", None)
        with self._store.db.write(durable=True) as session:
            row = _row(session, job.id)
            if job_state(session, job.id, "failed", error=error, cost_micros=_cost(session, row)):
                self._tell(session, row, "failed", failure.sentence)

    def _tell(self, session: Session, row: Job, status: str, text: str = "") -> None:
        self._store.events.append(
            session,
            project_id=row.project_id,
            level="error" if status == "failed" else "info",
            kind="job",
            stage="jobs",
            unit=f"{PREFIX}{row.id}",
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
        """Sees to provider work of a job that nobody waits for. False: no job wants it; a film may want a unit's."""
        now = self._generator.records.row(row.id)
        with self._store.db.read() as session:
            job = _job_of(session, row)
        of_jobs_alone = row.unit_key.startswith(PREFIX)
        if now is None or job is None:
            return of_jobs_alone
        if job.status in LIVE:
            if job.boot_id != self._store.boot_id:
                self.recover()
            return True
        if self._goes_on(job, now):
            return True
        if now.status == "accepted" and (of_jobs_alone or row.id in self._kinds[job.kind].left(job)):
            self._collect(now, asked(job))
            return True
        return of_jobs_alone

    def _goes_on(self, job: Job, row: Row) -> bool:
        """Whether a job that failed because the provider's answer was lost is at work again, the case being settled."""
        waited = job.status == "failed" and (job.error or {}).get("generation_id") == row.id
        if not waited or row.status == "ambiguous":
            return False
        with self._store.db.write(durable=True) as session:
            found = _row(session, job.id)
            wanted = self._kinds[job.kind].is_wanted(session, found)
            again = wanted and self._queue_again(session, found, attempt=found.attempt)
        if again:
            self.start(job.id)
        return again

    def _collect(self, row: Row, job: Asked) -> None:
        kind = self._kinds[job.kind]
        try:
            late = self._generator.collect(row, self._closing)
            kept = None if late is None else kind.fitted(job, late)
        except ProductError as failure:
            log.info("late result of job %s: %s", job.id, failure)
            return
        if kept is not None:
            with self._store.db.write(durable=True) as session:
                kind.late(session, job, kept)
                self._tell(session, _row(session, job.id), "late", "A result came after all; it is kept.")

    def phase(self, row: Job) -> str:
        """Where the work stands: waiting, or a phase of the provider's; empty once it has ended."""
        if row.status == "queued":
            return "waiting"
        live = row.status == "running"
        return (self._generator.phase(row.project_id or 0, asked(row).unit_key) or "working") if live else ""

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
        with self._ended:
            self._ended.wait_for(lambda: not self._alone, timeout_s)
        while any(lane.serves(self) for lane in self._lanes.values()) and time.monotonic() < deadline:
            time.sleep(0.02)


def _row(session: Session, job_id: str) -> Job:
    row = session.get(Job, job_id)
    if row is None:
        raise NotFound("There is no such job.")
    return row


def _job_of(session: Session, row: Row) -> Job | None:
    """The job that provider work belongs to: of a film's unit, the newest that makes it."""
    if row.unit_key.startswith(PREFIX):
        return session.get(Job, row.unit_key.removeprefix(PREFIX))
    of_unit = select(Job).where(Job.project_id == row.project_id, Job.inputs["unit"].as_string() == row.unit_key)
    return session.scalars(of_unit.order_by(Job.created_at.desc(), Job.id).limit(1)).first()


def _spent(session: Session, row: Job) -> int:
    """What the work of this name has been billed so far, in micro-dollars."""
    query = select(func.coalesce(func.sum(Generation.actual_micros), 0)).where(
        Generation.unit_key == asked(row).unit_key, Generation.project_id == row.project_id
    )
    return int(session.scalar(query) or 0)


def _cost(session: Session, row: Job) -> int:
    """A film's unit may have been made before: what it had cost when the job began is no part of its bill."""
    if "unit" in row.inputs and "spent" not in row.inputs:
        return 0
    return _spent(session, row) - int(row.inputs.get("spent", 0))
