"""The runner: the only thing that executes. Starts, watches, pauses, resumes and cancels the making of a film.

Hides how a build graph is walked (`graph`, `driver`), what bounds each kind of work (`lanes`) and how progress is
reckoned (`progress`). Runs live in the store: after a crash `recover` picks them up where the ledger says they were.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import Render
from pipeline.errors import Conflict, InvalidInput, NotFound, ProductError
from pipeline.film import ffmpeg
from pipeline.generation.chain import ProviderChain
from pipeline.generation.chat import TextChain
from pipeline.generation.generate import Generator
from pipeline.generation.image_analysis import PictureReader
from pipeline.generation.preferences import PreferenceBook
from pipeline.generation.prices import PublishedPrices
from pipeline.generation.timing import Timing
from pipeline.generation.voice_samples import VoiceSamples
from pipeline.runner.driver import Driver, Ending
from pipeline.runner.estimate import Estimate, estimate, of_unit, price_notes
from pipeline.runner.image_analyses import ImageAnalyses
from pipeline.runner.jobs import Jobs
from pipeline.runner.lanes import open_lanes
from pipeline.runner.loose import LooseWork, Scope
from pipeline.runner.problems import general
from pipeline.runner.reference_jobs import ReferenceJobs
from pipeline.runner.reuse import RunOptions
from pipeline.runner.scene_jobs import SCENE, SceneJobs
from pipeline.runner.status import progress_of, run_status
from pipeline.runner.unit_jobs import SORTS, UnitJobs
from pipeline.settings import Settings
from pipeline.stage import Stage, StageContext, lipsync_key, video_key
from pipeline.stages import all_stages
from pipeline.store import Store
from pipeline.store.models import Project, Run, Shot, Step
from pipeline.store.states import lipsync_status, new_run, run_state, video_status
from pipeline.writer.choice import Writers
from pipeline.writer.embedded import BUILT_IN, EmbeddedWriter

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 5.0  # how often jobs are looked for that no run waits for


@dataclass
class _Live:
    driver: Driver
    thread: threading.Thread


class Runner:
    """One per store. Every method may be called from any thread."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        stages: Sequence[Stage] | None = None,
        timing: Timing | None = None,
        chain: ProviderChain | None = None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.stages: tuple[Stage, ...] = tuple(stages or all_stages())
        self.lanes = open_lanes(settings)
        timing = timing or Timing()
        ffmpeg.use(settings.ffmpeg_bin, settings.ffprobe_bin)
        self._chain = chain or ProviderChain(settings)
        self.preferences = self._chain.preferences = PreferenceBook(store)
        self.samples = VoiceSamples(store, self._chain)
        self.generator = Generator(store, self._chain, timing=timing, spend_cap_cents=settings.spend_cap_cents)
        self._text = TextChain(store, settings, pace=timing.pace)
        self._writers = Writers(EmbeddedWriter(self._chain), self._text)
        self.prices = PublishedPrices(store, self._chain, self._text)
        self._live: dict[int, _Live] = {}
        self._lock = threading.RLock()
        self._closing = False
        self.jobs = Jobs(store, self.generator, self.lanes)
        self.references = ReferenceJobs(store, self.generator, self.jobs)
        reader = PictureReader(store, settings, self._chain.compute, pace=timing.pace)
        self.analyses = ImageAnalyses(store, reader, self.jobs)
        self.generator.tell_of_pictures(self.analyses.published)
        live, attend = self._live_driver, self.jobs.attend
        scope = Scope(store, self.generator, self.stages, self.lanes, self._context, live, self.resume, attend)
        self.loose = LooseWork(scope, look_every_s=_LOOK_EVERY_S * timing.pace)
        price = partial(of_unit, self._chain, self._text)
        self.units = {sort.name: UnitJobs(sort, store, self.loose, self.jobs, price) for sort in SORTS}
        self.scenes = SceneJobs(SCENE, store, self.loose, self.jobs, price)

    # --- Commands -------------------------------------------------------------------------------

    def start(
        self,
        project_id: int,
        *,
        from_stage: str | None = None,
        stale: Literal["redo"] | None = None,
        force: bool = False,
    ) -> str:
        """Make what is missing; two starts give one run. Returns its id. Raises NotFound, InvalidInput, Conflict."""
        names = [stage.name for stage in self.stages]
        if from_stage is not None and from_stage not in names:
            raise InvalidInput(
                f"There is no stage called {from_stage}.", hint=f"Stages: {', '.join(names)}.", field="from"
            )
        with self._lock:
            self._refuse_when_closing()
            self.generator.clear_halts()
            run_id, fresh = self._run_row(project_id, from_stage, stale, force)
            if fresh:
                self._drive(project_id, run_id)
            return run_id

    def estimate(self, project_id: int) -> Estimate:
        """What is left of a film in money and time. Raises NotFound."""
        widths = {stage.name: self.lanes[stage.lane].parallel for stage in self.stages}
        return estimate(self.store, self._chain, self._text, project_id, widths)

    def price_notes(self, project_id: int) -> list[str]:
        """What a payer has to know of the prices of what was asked so far."""
        return price_notes(self.store, self._text, project_id)

    def _run_row(self, project_id: int, from_stage: str | None, stale: str | None, force: bool) -> tuple[str, bool]:
        expected = self.estimate(project_id).expected_micros
        with self.store.db.write(durable=True) as session:
            project = session.get(Project, project_id)
            if project is None or project.deleted_at is not None:
                raise NotFound("There is no such project.")
            open_run = self._open_run(session, project_id)
            if open_run is not None:
                if open_run.state == "paused":
                    run_state(session, open_run.id, "running")
                return open_run.id, open_run.state == "paused" or project_id not in self._live
            run_id = uuid.uuid4().hex
            new_run(
                session,
                run_id=run_id,
                project_id=project_id,
                boot_id=self.store.boot_id,
                from_stage=from_stage,
                stale=stale,
                force=force,
                estimate_micros=expected,
            )
            self._event(session, project_id, run_id, "running", "The making of the film has started.")
            return run_id, True

    def pause(self, project_id: int) -> None:
        """No further unit starts; what is at work is finished and kept."""
        self._leave_running(project_id, "paused", "The film is paused; what is done is kept.")
        live = self._live.get(project_id)
        if live is not None:
            live.driver.pause()

    def resume(self, project_id: int) -> None:
        """Goes on with a paused run. Work of any kind that a provider has refused altogether may be sent again; where
        that is all there is to resume (single shots), it is no conflict. Raises Conflict."""
        with self._lock:
            self._refuse_when_closing()
            cleared = self.generator.clear_halts()
            with self.store.db.write(durable=True) as session:
                run = self._open_run(session, project_id)
                if run is None or not run_state(session, run.id, "running"):
                    if cleared:
                        return
                    raise Conflict("This film is not paused.", hint="Start it instead.")
                self._event(session, project_id, run.id, "running", "The making of the film goes on.")
                run_id = run.id
            self._drive(project_id, run_id)

    def cancel(self, project_id: int) -> None:
        self._leave_running(project_id, "cancelled", "The making of the film was cancelled; what is done is kept.")
        live = self._live.get(project_id)
        if live is not None:
            live.driver.cancel()

    def _leave_running(self, project_id: int, state: Literal["paused", "cancelled"], text: str) -> None:
        with self._lock, self.store.db.write(durable=True) as session:
            run = self._open_run(session, project_id)
            if run is None or not run_state(session, run.id, state):
                raise Conflict("No film of this project is being made.", hint="Start it first.")
            self._event(session, project_id, run.id, state, text)

    def recover(self) -> list[int]:
        """At process start: open runs go on, units that another process left half-done become pending again, and what
        providers still have is taken up by its handle.
        """
        self.store.ledger.rehydrate()
        self._writers.recover()
        at_providers = {row.unit_key for row in self.generator.left_behind() if row.status == "accepted"}
        self._put_shots_right(at_providers)
        with self.store.db.read() as session:
            runs = session.execute(select(Run.project_id, Run.id).where(Run.state == "running")).all()
        for project_id, run_id in runs:
            self.store.events.say(project_id=project_id, run_id=run_id, text="Picked up where it was left.")
            with self._lock:
                self._drive(project_id, run_id)
        self.jobs.recover()
        self.prices.refresh()
        self.loose.watch()
        return [project_id for project_id, _ in runs]

    def _put_shots_right(self, at_providers: set[str]) -> None:
        """Shots that a dead process left as `generating` wait again, unless a provider is at work on them."""
        with self.store.db.write() as session:
            for shot_id in session.scalars(select(Shot.id).where(Shot.video_status == "generating")):
                if video_key(shot_id) not in at_providers:
                    video_status(session, shot_id, "pending")
            for shot_id in session.scalars(select(Shot.id).where(Shot.lipsync_status == "generating")):
                if lipsync_key(shot_id) not in at_providers:
                    lipsync_status(session, shot_id, "pending")

    def wait(self, project_id: int, timeout_s: float | None = None) -> str:
        """Until the project's run is not `running`; returns the state then."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            live = self._live.get(project_id)
            if live is not None:
                live.thread.join(0.5 if deadline is None else max(0.0, min(0.5, deadline - time.monotonic())))
            state = str(self.status(project_id)["state"])
            if state != "running" or (deadline is not None and time.monotonic() >= deadline):
                return state
            if live is None:
                return state

    def close(self, timeout_s: float = 10.0) -> None:
        """Checkpoint and go: engines at work are stopped, their units become pending, runs stay `running`."""
        with self._lock:
            self._closing = True
            lives = list(self._live.values())
        for live in lives:
            live.driver.stop()
        deadline = time.monotonic() + timeout_s
        self.jobs.close(timeout_s)  # before what they wait for: they are to go on later, not to fail
        self.loose.close(max(0.1, deadline - time.monotonic()))
        for live in lives:
            live.thread.join(max(0.1, deadline - time.monotonic()))
        for lane in self.lanes.values():
            lane.close()
        self.generator.close()
        self._chain.close()
        self._writers.close()
        self.analyses.close()

    # --- Reading --------------------------------------------------------------------------------

    def status(self, project_id: int) -> dict[str, Any]:
        """The yolo-status object of the API. Raises NotFound."""
        return run_status(
            self.store,
            project_id,
            stages=self.stages,
            driver=self._live_driver(project_id),
            parallel=self.settings.engine_workers,
        )

    def progress_of(self, ids: Sequence[int]) -> dict[int, tuple[int, str | None]]:
        """(percent, step) by project, as `status` has them, in a fixed number of queries."""
        return progress_of(
            self.store,
            ids,
            stages=self.stages,
            driver=self._live_driver,
            parallel=self.settings.engine_workers,
        )

    def idle(self) -> bool:
        """Whether nothing at all is being made."""
        with self._lock:
            live = any(one.thread.is_alive() for one in self._live.values())
        return not live and all(lane.idle() for lane in self.lanes.values())

    # --- Inside ---------------------------------------------------------------------------------

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise Conflict("The program is shutting down.", hint="Start it again and the film goes on.")

    @staticmethod
    def _open_run(session: Session, project_id: int) -> Run | None:
        return session.scalars(
            select(Run).where(Run.project_id == project_id, Run.state.in_(("running", "paused")))
        ).one_or_none()

    def _event(self, session: Session, project_id: int, run_id: str, state: str, text: str) -> None:
        self.store.events.append(
            session, project_id=project_id, run_id=run_id, kind="run", text=text, data={"state": state}
        )

    def _drive(self, project_id: int, run_id: str) -> None:
        before = self._live.get(project_id)
        with self.store.db.read() as session:
            run = session.get_one(Run, run_id)
            redo = run.from_stage or (self.stages[0].name if run.stale == "redo" or run.force else None)
            options = RunOptions(redo_from=redo, force=run.force)
        driver = Driver(self._context(project_id, run_id), self.stages, self.lanes, options)
        thread = threading.Thread(target=self._run, args=(driver, before), name=f"run-{project_id}", daemon=True)
        self._live[project_id] = _Live(driver, thread)
        thread.start()

    def _context(
        self, project_id: int, run_id: str, *, render: Render | None = None, attach_only: bool = False
    ) -> StageContext:
        return StageContext(
            store=self.store,
            settings=self.settings,
            generator=self.generator,
            writers=self._writers,
            project_id=project_id,
            run_id=run_id,
            halt=threading.Event(),
            render=render,
            attach_only=attach_only,
        )

    def _live_driver(self, project_id: int) -> Driver | None:
        live = self._live.get(project_id)
        return live.driver if live is not None and live.thread.is_alive() else None

    def _run(self, driver: Driver, before: _Live | None) -> None:
        # A run that was paused and resumed at once: its last driver still waits for what was at work.
        if before is not None:
            before.thread.join()
        try:
            self.store.ledger.rehydrate(driver.ctx.project_id)
            self.store.ledger.release(driver.ctx.project_id)
            self.generator.left_behind()
            ending = driver.run()
        except ProductError as failure:
            ending = Ending("paused", failure.code, failure.sentence)
        except Exception as failure:
            log.exception("run %s", driver.ctx.run_id)
            ending = Ending("failed", "internal", f"An unexpected {type(failure).__name__} stopped the run.")
        try:
            self._end(driver, ending)
        except ProductError as failure:
            log.error("run %s ended as %s, which could not be written: %s", driver.ctx.run_id, ending.state, failure)
        with self._lock:
            live = self._live.get(driver.ctx.project_id)
            if live is not None and live.driver is driver:
                del self._live[driver.ctx.project_id]
        self.loose.run_ended(driver.ctx.project_id)

    def _end(self, driver: Driver, ending: Ending) -> None:
        if ending.asked:
            return
        ctx = driver.ctx
        problems = [*self._previews(ctx.project_id), *driver.problems]
        text = ending.detail or {"done": "The film is finished.", "paused": "The film is paused."}.get(ending.state, "")
        with self.store.db.write(durable=True) as session:
            run = session.get_one(Run, ctx.run_id)
            run.problems = problems
            if run_state(session, ctx.run_id, ending.state, code=ending.code):
                self.store.events.append(
                    session,
                    project_id=ctx.project_id,
                    run_id=ctx.run_id,
                    level="error" if ending.state == "failed" else "info",
                    kind="run",
                    text=text,
                    data={"state": ending.state, "code": ending.code},
                )

    def _previews(self, project_id: int) -> list[dict[str, Any]]:
        """What `auto` made with the embedded engines, said once."""
        made = [*self.generator.previews(project_id), *self._previewed_text(project_id)]
        with self.store.db.read() as session:
            project = session.get_one(Project, project_id)
            kinds = [kind for kind in made if getattr(project, f"render_{kind}", "auto") == "auto"]
        if not kinds:
            return []
        text = f"Made with the built-in engines ({', '.join(kinds)})."
        return [general("preview_used", text)]

    def _previewed_text(self, project_id: int) -> list[str]:
        """Whether the story was read by the built-in writer."""
        with self.store.db.read() as session:
            step = session.get(Step, (project_id, "analysis"))
            return ["text"] if step is not None and (step.output or {}).get("writer") == BUILT_IN else []
