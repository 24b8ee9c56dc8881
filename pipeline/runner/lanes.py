"""Bounded queues for work of one kind, shared by all runs. Hides the threads.

The video lane is the product's video queue: it is in memory, it is the only bound on clips in the making, and its
`active` and `waiting` are what the video status reports.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.contracts import Lane


@dataclass(frozen=True)
class Job:
    project_id: int
    key: str
    work: Callable[[], None]
    owner: object = None
    urgency: int = 0


class LaneQueue:
    """At most `parallel` jobs at a time, first come first served. Among an owner's jobs the more urgent go first, and
    only they change places, so that no owner's urgency delays another's work. `work` must not raise."""

    def __init__(self, lane: Lane, parallel: int) -> None:
        self.lane = lane
        self.parallel = max(1, parallel)
        self._waiting: deque[Job] = deque()
        self._active: list[Job] = []
        self._changed = threading.Condition()
        self._closed = False
        self._threads = 0

    def submit(
        self,
        project_id: int,
        key: str,
        work: Callable[[], None],
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
            if self._threads < self.parallel and self._threads < len(self._waiting) + len(self._active):
                self._threads += 1
                threading.Thread(target=self._serve, name=f"lane-{self.lane}-{self._threads}", daemon=True).start()
            self._changed.notify()

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
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                job = self._waiting.popleft()
                self._active.append(job)
            try:
                job.work()
            finally:
                with self._changed:
                    self._active.remove(job)
                    self._changed.notify_all()

    def drop(self, owner: object) -> None:
        """Forget the owner's waiting jobs; those at work are told otherwise (the run's halt)."""
        with self._changed:
            self._waiting = deque(job for job in self._waiting if job.owner is not owner)

    def serves(self, owner: object) -> bool:
        """Whether a job of this owner is at work."""
        with self._changed:
            return any(job.owner is owner for job in self._active)

    def active(self, project_id: int | None = None) -> list[str]:
        """Keys of the units at work."""
        with self._changed:
            return [job.key for job in self._active if project_id in (None, job.project_id)]

    def waiting(self, project_id: int | None = None) -> list[str]:
        with self._changed:
            return [job.key for job in self._waiting if project_id in (None, job.project_id)]

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()


def open_lanes(parallel: Mapping[Lane, int]) -> dict[Lane, LaneQueue]:
    return {lane: LaneQueue(lane, parallel[lane]) for lane in Lane}
