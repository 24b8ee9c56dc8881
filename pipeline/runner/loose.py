"""Work outside any run: one unit by itself, what providers still have from before, and cases that the user settles.

Hides the thread that takes up jobs which no run waits for, and the joining of equal requests.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane, Render
from pipeline.errors import Conflict, NotFound, ProductError
from pipeline.generation.generate import Generator
from pipeline.generation.outcomes import Unresolved
from pipeline.generation.record import Row
from pipeline.runner.driver import Driver
from pipeline.runner.job_kinds import PREFIX
from pipeline.runner.lanes import LaneQueue
from pipeline.runner.late import keep_version
from pipeline.runner.reuse import RunOptions
from pipeline.runner.single import Begin, Single, only
from pipeline.stage import Stage, StageContext, Unit
from pipeline.store import Store
from pipeline.store.models import Project, Run

log = logging.getLogger(__name__)

_LOOKS_BETWEEN = 12  # a job that could not be taken up is left alone for so many rounds


@dataclass(frozen=True)
class Scope:
    """What loose work shares with runs. `driver` gives a project's live run, `context` a stage's world; `attend` sees
    to provider work that belongs to a job, and says whether it did."""

    store: Store
    generator: Generator
    stages: Sequence[Stage]
    lanes: Mapping[Lane, LaneQueue]
    context: Callable[..., StageContext]
    driver: Callable[[int], Driver | None]
    resume: Callable[[int], None]
    attend: Callable[[Row], bool]


@dataclass(frozen=True)
class Wanted:
    """A unit, and the stage and the world that would make it."""

    stage: Stage
    ctx: StageContext
    unit: Unit

    def digest(self, session: Session) -> str:
        """Of its inputs as they stand in the session."""
        return self.stage.digest(self.ctx, session, self.unit)


class LooseWork:
    def __init__(self, scope: Scope, *, look_every_s: float) -> None:
        self._scope = scope
        self._look_every_s = look_every_s
        self._lock = threading.Lock()
        self._singles: dict[tuple[int, str], Single] = {}
        self._closing = threading.Event()
        self._collector: threading.Thread | None = None
        self._not_before: dict[str, float] = {}

    # --- One unit -------------------------------------------------------------------------------

    def make(
        self,
        project_id: int,
        key: str,
        *,
        render: Render | None = None,
        force: bool = True,
        attach_only: bool = False,
        run_id: str | None = None,
        stage: Stage | None = None,
        begin: Begin | None = None,
    ) -> Single:
        """Makes one unit, or joins the making of it. Raises NotFound, Conflict.

        `run_id`: by which the ledger knows it; work that another process began under it is gone on with. `stage`: in
        place of the film's own. `begin` is asked whether to, when its turn in its lane has come.
        """
        stage = stage or self._stage(key)
        with self._lock:
            if self._closing.is_set():
                raise Conflict("The program is shutting down.", hint="Start it again and the film goes on.")
            known = self._singles.get((project_id, key))
            if known is not None:
                return known
            self._scope.store.ledger.rehydrate(project_id)
            run_id = run_id or (self._open_run(project_id) if attach_only else None) or f"single-{uuid.uuid4().hex}"
            ctx = self._scope.context(project_id, run_id, render=render, attach_only=attach_only)
            unit = _unit_of(ctx, stage, key)
            # Finished work stands when only something that a provider has is taken up: it is stale at most.
            options = RunOptions(redo_from=None if attach_only else stage.name, force=force)
            driver = Driver(ctx, (only(stage, unit, begin),), self._scope.lanes, options)
            single = Single(driver, threading.Event())
            self._singles[project_id, key] = single
        return single.start(f"single-{project_id}-{key}", lambda: self._gone(project_id, key))

    def _open_run(self, project_id: int) -> str | None:
        """What is taken up while a run is paused is that run's work: what fails then, it does not buy again."""
        with self._scope.store.db.read() as session:
            return session.scalar(
                select(Run.id).where(Run.project_id == project_id, Run.state.in_(("running", "paused")))
            )

    def wanted(self, project_id: int, key: str, render: Render | None = None) -> Wanted:
        """The unit as it would be made now. Raises NotFound."""
        stage = self._stage(key)
        ctx = self._scope.context(project_id, "asking", render=render)
        return Wanted(stage, ctx, _unit_of(ctx, stage, key))

    def context(self, project_id: int) -> StageContext:
        """A stage's world outside any run."""
        return self._scope.context(project_id, "late")

    def _stage(self, key: str) -> Stage:
        stage = next((one for one in self._scope.stages if one.name == key.split("/")[0]), None)
        if stage is None:
            raise NotFound("There is no such work.")
        return stage

    def _gone(self, project_id: int, key: str) -> None:
        with self._lock:
            self._singles.pop((project_id, key), None)
        self.watch()

    def making(self, project_id: int, key: str) -> bool:
        return (project_id, key) in self._singles

    # --- What the user or a provider tells -------------------------------------------------------

    def resolve(self, generation_id: str, choice: str) -> Row:
        """Raises NotFound, Conflict."""
        row = self._scope.generator.resolve(generation_id, choice)
        self._scope.store.events.say(
            project_id=row.project_id,
            stage=row.unit_key.split("/")[0],
            unit=row.unit_key,
            text="Sent again, as you decided." if choice == "resend" else "Given up, as you decided.",
        )
        self._go_on(row)
        return row

    def called_back(self, provider: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> bool:
        """Whether the webhook brought a lost job back. Raises ProviderFailure when its signature is wrong."""
        row = self._scope.generator.called_back(provider, headers, body, query)
        if row is not None:
            self._go_on(row)
        return row is not None

    def _go_on(self, row: Row) -> None:
        """Whoever waited for this case goes on: the job, the live run, the run that paused over it, or the unit by
        itself."""
        attended = self._scope.attend(row)
        if row.project_id is None or (attended and row.unit_key.startswith(PREFIX)):
            return
        driver = self._scope.driver(row.project_id)
        if driver is not None:
            waits = driver.release(row.id, row.unit_key)
            self._resume_if_settled(row.project_id)  # it may have just paused over this very case
            if waits:
                return
        elif self._paused_over_it(row.project_id):
            self._resume_if_settled(row.project_id)
            return
        if attended:
            return
        self._not_before.pop(row.id, None)
        try:
            self.make(row.project_id, row.unit_key, render="paid", force=False, attach_only=True)
        except ProductError as failure:
            log.info("%s: %s", row.unit_key, failure)
            self.watch()

    def _paused_over_it(self, project_id: int) -> bool:
        paused = select(Run.id).where(Run.project_id == project_id, Run.state == "paused", Run.code == Unresolved.code)
        with self._scope.store.db.read() as session:
            return session.scalar(paused) is not None

    def _resume_if_settled(self, project_id: int) -> None:
        if self._paused_over_it(project_id) and not self._scope.generator.unresolved(project_id):
            with suppress(Conflict):  # somebody else was quicker
                self._scope.resume(project_id)

    def run_ended(self, project_id: int) -> None:
        """The last case may have been settled in the moment before the run paused over it."""
        if not self._closing.is_set():
            self._resume_if_settled(project_id)
        self.watch()

    # --- What providers still have ---------------------------------------------------------------

    def watch(self) -> None:
        """Sees to jobs that no run waits for, for as long as there are any."""
        with self._lock:
            running = self._collector is not None and self._collector.is_alive()
            if running or self._closing.is_set() or not self._scope.generator.left_behind():
                return
            self._collector = threading.Thread(target=self._collect, name="collector", daemon=True)
            self._collector.start()

    def _collect(self) -> None:
        while not self._closing.wait(self._look_every_s):
            try:
                rows = self._scope.generator.left_behind() or self._last_look()
                if not rows:
                    return
                for row in rows:
                    self._take_up(row)
            except ProductError as failure:
                log.warning("collecting: %s", failure)

    def _last_look(self) -> list[Row]:
        """Before the collector goes: a job left behind since its last look finds it either working or gone."""
        with self._lock:
            rows = self._scope.generator.left_behind()
            if not rows:
                self._collector = None
            return rows

    def _take_up(self, row: Row) -> None:
        if self._scope.attend(row):
            return
        busy = row.project_id is None or self._scope.driver(row.project_id) is not None
        if busy or self._closing.is_set() or time.monotonic() < self._not_before.get(row.id, 0.0):
            return
        if row.status == "prepared" and self._is_paused(row.project_id):
            self._resume_if_settled(row.project_id or 0)
            return
        self._not_before[row.id] = time.monotonic() + _LOOKS_BETWEEN * self._look_every_s
        why = self._attached(row) if row.status != "prepared" or row.asked_again else "It was left unsent."
        now = self._scope.generator.records.row(row.id)
        if now is not None and now.status == "accepted":
            self._keep_late(now)
        if now is not None and now.status == "prepared":
            self._drop_unsent(now, why)
        if row.status == "ambiguous" and row.project_id is not None:
            self._resume_if_settled(row.project_id)

    def _attached(self, row: Row) -> str:
        """Has the row's unit take it up; what went wrong, in words."""
        if not self._is_shown(row):
            return "Its project was deleted."
        try:
            single = self.make(row.project_id or 0, row.unit_key, render="paid", force=False, attach_only=True)
            single.done.wait()
        except ProductError as failure:
            log.info("%s: %s", row.unit_key, failure)
            return failure.sentence
        return str(single.failure["text"]) if single.failure else ""

    def _is_paused(self, project_id: int | None) -> bool:
        """Whether a run waits to be resumed, which may send it then."""
        with self._scope.store.db.read() as session:
            found = session.scalar(select(Run.id).where(Run.project_id == project_id, Run.state == "paused"))
        return found is not None

    def _drop_unsent(self, row: Row, why: str) -> None:
        """Nothing wants the request any more: it ends, its estimate is free again, and the user is told."""
        if not self._scope.generator.supersede(row, why) or not row.asked_again:
            return
        self._scope.store.events.say(
            project_id=row.project_id,
            level="warning",
            stage=row.unit_key.split("/")[0],
            unit=row.unit_key,
            text=f"It was not sent again. {why or 'What it was for has changed meanwhile.'}",
            data={"generation": row.id},
        )

    def _is_shown(self, row: Row) -> bool:
        with self._scope.store.db.read() as session:
            project = session.get(Project, row.project_id)
            return project is not None and project.deleted_at is None

    def _keep_late(self, row: Row) -> None:
        """The unit wants something else by now: the result is kept as one from an earlier text."""
        try:
            late = self._scope.generator.collect(row, self._closing)
        except ProductError as failure:
            log.info("late result of %s: %s", row.unit_key, failure)
            return
        if late is not None:
            try:
                keep_version(self.context(row.project_id or 0), row.unit_key, late)
            except ProductError as failure:
                log.warning("late result of %s: %s", row.unit_key, failure)
            self._scope.store.events.say(
                project_id=row.project_id,
                stage=row.unit_key.split("/")[0],
                unit=row.unit_key,
                text="A late result came for something that was changed meanwhile; it is kept.",
                data={"media": late.media.url, "late": True},
            )

    def close(self, timeout_s: float) -> None:
        self._closing.set()
        with self._lock:
            singles = list(self._singles.values())
        for single in singles:
            single.driver.stop()
        deadline = time.monotonic() + timeout_s
        for single in singles:
            single.done.wait(max(0.1, deadline - time.monotonic()))


def _unit_of(ctx: StageContext, stage: Stage, key: str) -> Unit:
    unit = next((unit for unit in stage.units(ctx) if unit.key == key), None)
    if unit is None:
        raise NotFound("There is no such shot any more, or nothing of this kind is to be made for it.")
    return unit
