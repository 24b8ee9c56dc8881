"""What a kind of job is: what it has to say of itself, and all that the jobs' machinery may ask of it."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from pipeline.contracts import Lane
from pipeline.generation.generate import Generated
from pipeline.store.models import Job

PREFIX = "jobs/"
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
    attempt: int

    @property
    def unit_key(self) -> str:
        """How provider work and log lines name the job: the film's unit that it makes, where it makes one."""
        return str(self.inputs.get("unit") or f"{PREFIX}{self.id}")


@dataclass(frozen=True)
class Made:
    """What a job made. `apply` writes its rows, in the transaction that ends the job, and gives the job's `result`."""

    text: str
    apply: Callable[[Session], dict[str, Any]]


class JobKind(ABC):
    """One kind of job. `run` blocks and raises ProductError. It has a thread of `lane`; without a lane one of its own,
    because what it does waits in lanes itself, and then it says when it has `began`."""

    name: str
    lane: Lane | None

    @abstractmethod
    def run(self, job: Asked, cancel: threading.Event) -> Made: ...

    @abstractmethod
    def late(self, session: Session, job: Asked, made: Generated) -> None:
        """Keeps a result that came when the job had been cancelled or had failed."""

    def fitted(self, job: Asked, made: Generated) -> Generated:
        """A late result in the form that it is kept in. Raises ProductError."""
        return made

    def asked_again(self, session: Session, row: Job) -> None:
        """In the transaction that queues a job once more that had failed or was cancelled."""
        return None

    def taken_back(self, session: Session, row: Job) -> None:
        """In the transaction that cancels it: what was wanted is wanted no more."""
        return None

    def is_wanted(self, session: Session, row: Job) -> bool:
        """Whether its lost request may be sent again now that the user has said so."""
        return True

    def left(self, row: Job) -> list[str]:
        """The generations that a provider may go on with after the cancel."""
        return []


def asked(row: Job) -> Asked:
    """The job of a row."""
    inputs = dict(row.inputs)
    return Asked(row.id, row.project_id or 0, row.kind, row.target_type, row.target_id, inputs, row.attempt)
