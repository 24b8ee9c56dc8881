"""Bounded queues for work of one kind, shared by all runs. Hides the threads.

The video lane is the product's video queue: it is in memory, it is the only bound on clips at providers, and its
`active` and `waiting` are what the video status reports. A job gives its place to the next one when only our own work
on its result is left.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.contracts import Lane
from pipeline.errors import Cancelled
from pipeline.settings import Settings


@dataclass(frozen=True, eq=False)
class Job:
    project_id: int
    key: str
    work: Callable[[Place], None]
    owner: object = None
    urgency: int = 0


class Place:
    """A job's place in its lane: a `generation.slots.Slot`."""

    def __init__(self, lane: LaneQueue, job: Job) -> None:
        self._lane, self._job = lane, job

    def let_go(self) -> None:
        self._lane.let_go(self._job)

    def take_back(self, cancel: threading.Event) -> None:
        self._lane.take_back(self._job, cancel)


class LaneQueue:
    """At most `parallel` jobs at a time, first come first served. Among an owner's jobs the more urgent go first, and
    only they change places, so that no owner's urgency delays another's work. `work` must not raise.

    Jobs that have let go of their place are not counted, but of those there are at most twice as many: results must
    not grow old at providers.
    """

    def __init__(self, lane: Lane, parallel: int) -> None:
        self.lane = lane
        self.parallel = max(1, parallel)
        self._waiting: deque[Job] = deque()
        self._active: list[Job] = []
        self._settling: list[Job] = []
        self._returning = 0
        self._changed = threading.Condition()
        self._closed = False
        self._threads = 0

    def submit(
        self,
        project_id: int,
        key: str,
        work: Callable[[Place], None],
        *,
        owner: object = None,
        urgency: int = 0,
        ahead: bool = False,
    ) -> None:
        """`ahead`: somebody waits for this one thing; it does not queue behind a whole film."""
        with self._changed:
            if self._closed:
                return
            place = self._waiting.appendleft if ahead else self._line_up
            place(Job(project_id, key, work, owner, urgency))
            self._staff()
            self._changed.notify_all()

    def _staff(self) -> None:
        """Starts a thread where all are at work and another job may begin."""
        if self._threads < min(self.parallel, len(self._waiting) + len(self._active)) + len(self._settling):
            self._threads += 1
            threading.Thread(target=self._serve, name=f"lane-{self.lane}-{self._threads}", daemon=True).start()

    def _line_up(self, job: Job) -> None:
        at = len(self._waiting)
        self._waiting.append(job)
        for before in range(at - 1, -1, -1):
            other = self._waiting[before]
            if other.owner is not job.owner:
                continue
            if other.urgency >= job.urgency:
                return
            self._waiting[before], self._waiting[at] = job, other
            at = before

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._may_begin() and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                job = self._waiting.popleft()
                self._active.append(job)
            try:
                job.work(Place(self, job))
            finally:
                with self._changed:
                    (self._active if job in self._active else self._settling).remove(job)
                    self._changed.notify_all()

    def _may_begin(self) -> bool:
        free = len(self._active) + self._returning < self.parallel
        return bool(self._waiting) and free and len(self._settling) < 2 * self.parallel

    def let_go(self, job: Job) -> None:
        """The next job may begin; this one is at work still."""
        with self._changed:
            if job in self._active:
                self._active.remove(job)
                self._settling.append(job)
                self._staff()
                self._changed.notify_all()

    def take_back(self, job: Job, cancel: threading.Event) -> None:
        """Waits for a place, ahead of those that have not begun. Raises Cancelled."""
        with self._changed:
            if job in self._active:
                return
            self._returning += 1
            try:
                while len(self._active) >= self.parallel:
                    if cancel.is_set() or self._closed:
                        raise Cancelled("The run was stopped before the work was sent again.")
                    self._changed.wait(0.2)
                self._settling.remove(job)
                self._active.append(job)
            finally:
                self._returning -= 1
                self._changed.notify_all()

    def drop(self, owner: object) -> None:
        """Forget the owner's waiting jobs; those at work are told otherwise (the run's halt)."""
        with self._changed:
            self._waiting = deque(job for job in self._waiting if job.owner is not owner)

    def serves(self, owner: object) -> bool:
        """Whether a job of this owner is at work."""
        with self._changed:
            return any(job.owner is owner for job in (*self._active, *self._settling))

    def idle(self, project_id: int | None = None) -> bool:
        """Whether nothing is at work or waits."""
        with self._changed:
            known = (*self._active, *self._settling, *self._waiting)
            return not any(project_id in (None, job.project_id) for job in known)

    def active(self, project_id: int | None = None) -> list[str]:
        """Keys of the units that hold a place."""
        with self._changed:
            return [job.key for job in self._active if project_id in (None, job.project_id)]

    def settling(self, project_id: int | None = None) -> list[str]:
        """Keys of the units whose result is fetched and checked, without a place."""
        with self._changed:
            return [job.key for job in self._settling if project_id in (None, job.project_id)]

    def waiting(self, project_id: int | None = None) -> list[str]:
        with self._changed:
            return [job.key for job in self._waiting if project_id in (None, job.project_id)]

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()


def open_lanes(settings: Settings) -> dict[Lane, LaneQueue]:
    """Every lane, as wide as the settings want it."""
    workers = settings.engine_workers
    parallel = {
        Lane.LLM: 4,
        # Work at providers costs no core here; the embedded engines' own pool bounds what does.
        Lane.SPEECH: max(workers, 4),
        Lane.IMAGE: max(workers, 6),
        Lane.VIDEO: settings.max_concurrent_videos,
        Lane.LIPSYNC: max(workers, 4),
        Lane.CPU: 1,
        Lane.SIGHT: 1,  # nobody waits for it
    }
    return {lane: LaneQueue(lane, parallel[lane]) for lane in Lane}
