"""Stages that do nothing but what a test tells them: the runner's own behaviour, without engines."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from pipeline.contracts import Lane, digest
from pipeline.stage import Outcome, StageContext, StageFailed, Unit


class PlainStage:
    """`work(unit)` is called for each start; `starts` counts them by key; `inputs` is part of every digest."""

    def __init__(
        self,
        name: str,
        units: Sequence[Unit],
        *,
        after: tuple[str, ...] = (),
        lane: Lane = Lane.CPU,
        blocking: bool = False,
        attempts: int = 1,
        work: Callable[[Unit], None] = lambda unit: None,
    ) -> None:
        self.name, self.after, self.lane = name, after, lane  # type: ignore[misc]
        self.blocking, self.attempts = blocking, attempts  # type: ignore[misc]
        self.tries_anew, self.waits, self.failure_code = False, True, "stage_failed"  # type: ignore[misc]
        self.work = work
        self.starts: Counter[str] = Counter()
        self.inputs: dict[str, object] = {}
        self.incomplete: StageFailed | None = None
        self._units = tuple(units)
        self._lock = threading.Lock()

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        return self._units

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        return digest(unit.key, self.inputs.get(unit.key))

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with self._lock:
            self.starts[unit.key] += 1
        self.work(unit)
        return Outcome(f"{unit.label} is done.")

    def verify(self, ctx: StageContext) -> None:
        if self.incomplete is not None:
            raise self.incomplete
