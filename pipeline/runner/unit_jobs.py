"""The jobs of making one unit of a film by itself: a shot's frame, its clip, its lips, the speech of a segment.

Hides that such a job is a run of one unit (`loose`), which waits in the lane of the films' own units, and what a cancel
takes back: the shot is as it was before it was asked, whoever is at work on it has lost, and what a provider has begun
comes to be a version. Asked for again, it is what was paid for.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, cast, runtime_checkable

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import Render, digest
from pipeline.errors import Cancelled, Conflict, NotFound, ProductError
from pipeline.generation.entities import render_of
from pipeline.generation.generate import Generated
from pipeline.runner.job_kinds import LIVE, Asked, Errand, JobKind, Made
from pipeline.runner.jobs import Jobs
from pipeline.runner.late import fitted
from pipeline.runner.loose import LooseWork, Wanted
from pipeline.runner.problems import Entry
from pipeline.runner.single import Single
from pipeline.stage import Stage, Unit
from pipeline.store import Store, money
from pipeline.store.ledger import take_back
from pipeline.store.models import Generation, Job, Project, Scene, ScriptSegment, Shot, Step
from pipeline.store.places import ShotSlot, keep_late, url_of
from pipeline.store.states import lipsync_status, video_status

_LOOK_S = 0.2
_FINISHED = ("done", "skipped")
Row = Shot | Scene | ScriptSegment
_TABLES: Mapping[str, type[Any]] = {"shots": Shot, "scenes": Scene, "segments": ScriptSegment}


@dataclass(frozen=True)
class Sort:
    """Which units a kind of job makes. `slot`: where a shot shows the result; `work`: whose `render` of a project
    counts; `model`: the project's column with the model."""

    name: str
    stage: str
    target_type: str
    work: Literal["image", "video", "lipsync", "speech", "text"]
    slot: ShotSlot | None = None
    model: str = ""


FRAME = Sort("frame", "frames", "shots", "image", "first_frame", "frame_image_model")
VIDEO = Sort("video", "videos", "shots", "video", "video", "video_model")
LIPSYNC = Sort("lipsync", "lipsync", "shots", "lipsync", "lipsync")
SPEECH = Sort("speech", "audio", "segments", "speech")
SORTS = (FRAME, VIDEO, LIPSYNC, SPEECH)


class Pricing(Protocol):
    """What one unit of a stage would cost, in micro-dollars. Raises NeedsSetup."""

    def __call__(self, project: Project, stage: str, row: Row, render: str, /) -> int: ...


@runtime_checkable
class _Varies(Protocol):
    """A stage whose finished work can be made once more, from another seed: `vary` changes the unit's digest."""

    def vary(self, session: Session, unit: Unit) -> None: ...


class _UnitFailed(ProductError):
    """What went wrong with a job's unit. `generation_id`: the request whose answer was lost."""

    def __init__(self, problem: Entry) -> None:
        detail = str(problem["text"]).removesuffix(str(problem["hint"])).strip()
        about: Mapping[str, Any] = problem["about"]
        super().__init__(detail, hint=problem["hint"], field=about.get("field"), code=problem["code"])
        self.generation_id = about.get("generation")


class UnitJobs(JobKind):
    """`ask` for one; the rest is for `Jobs`."""

    lane = None

    def __init__(self, sort: Sort, store: Store, loose: LooseWork, jobs: Jobs, price: Pricing) -> None:
        self.name = sort.name
        self._sort = sort
        self._store = store
        self._loose = loose
        self._jobs = jobs
        self._price = price
        jobs.register(self)

    def ask(
        self,
        session: Session,
        target_id: int,
        *,
        render: Render | None = None,
        another: bool = True,
        wish: Mapping[str, Any] | None = None,
    ) -> tuple[Job, bool]:
        """(job, whether it is new), in the caller's transaction; a new one is to be started when that is committed.

        `another`: of what is finished another version is made, from another seed; what is not finished is made as it
        was begun, so that asking twice does not pay twice. `wish`: what else is asked, for the kind itself. Raises
        NotFound, NeedsSetup, Conflict.
        """
        row, project = self._target(session, target_id)
        _refuse_beside_filming(session, row)
        wanted = self._loose.wanted(project.id, self._key(row), render)
        before = self._before(session, project.id, row)
        self._let_go(row)
        chosen = render or self._render_of(project)
        said = (chosen, dict(wish or {}))
        live = self._jobs.live(session, self._errand(target_id, said, wanted.digest(session)))
        if live is not None:
            return live, False
        if another:
            self._vary(session, wanted)
        inputs = {
            "unit": wanted.unit.key,
            "render": chosen,
            "wish": dict(wish or {}),
            "before": before,
            "variation": self._variation(row),
            "digest": wanted.digest(session),
            **self._more_inputs(session, row),
        }
        job = self._jobs.ask(
            session,
            self._errand(target_id, said, str(inputs["digest"])),
            project_id=project.id,
            inputs=inputs,
            model=str(getattr(project, self._sort.model)) if self._sort.model else "",
            estimate_micros=self._price(project, self._sort.stage, row, chosen),
        )
        return job, True

    def _errand(self, target_id: int, said: tuple[str, dict[str, Any]], unit_digest: str) -> Errand:
        return Errand(self.name, self._sort.target_type, target_id, digest(*said, unit_digest))

    def _render_of(self, project: Project) -> str:
        work = self._sort.work
        if work == "speech":
            return project.render_speech
        return project.render_text if work == "text" else render_of(project, work)

    def _more_inputs(self, session: Session, row: Row) -> dict[str, Any]:
        return {}

    def _target(self, session: Session, target_id: int) -> tuple[Row, Project]:
        row: Row | None = session.get(_TABLES[self._sort.target_type], target_id)
        project = session.get(Project, row.project_id) if row is not None else None
        if row is None or project is None or project.deleted_at is not None:
            raise NotFound(f"There is no such {self._sort.target_type[:-1]}.", hint="It may have been deleted.")
        return row, project

    def _key(self, row: Row) -> str:
        return f"{self._sort.stage}/{row.id if isinstance(row, Shot) else row.idx}"

    def _before(self, session: Session, project_id: int, row: Row) -> dict[str, Any]:
        """What a cancel brings back."""
        step = session.get(Step, (project_id, self._key(row)))
        made = step if step is not None and step.status in _FINISHED else None
        found: dict[str, Any] = {"step": None if made is None else [made.status, made.digest]}
        slot = self._sort.slot
        if slot is not None and isinstance(row, Shot):
            found |= {"url": url_of(row, slot), "own": slot in row.own_slots, "variation": self._variation(row)}
            if slot != "first_frame":
                found["status"] = [getattr(row, f"{slot}_status"), getattr(row, f"{slot}_problem")]
        return found

    def _let_go(self, row: Row) -> None:
        """The user wants this place made: what they gave there no longer stands against it."""
        if isinstance(row, Shot) and self._sort.slot in row.own_slots:
            row.own_slots = [one for one in row.own_slots if one != self._sort.slot]

    def _variation(self, row: Row) -> int:
        return int((row.variations or {}).get(str(self._sort.slot), 0)) if isinstance(row, Shot) else 0

    def _vary(self, session: Session, wanted: Wanted) -> None:
        """The new seed is saved before anything is sent: whoever tries again sends the same request."""
        step = session.get(Step, (wanted.ctx.project_id, wanted.unit.key))
        made = step is not None and step.status == "done" and step.digest == wanted.digest(session)
        if made and isinstance(wanted.stage, _Varies):
            wanted.stage.vary(session, wanted.unit)

    # --- For Jobs -------------------------------------------------------------------------------

    def run(self, job: Asked, cancel: threading.Event) -> Made:
        single = self._single(job, cancel)
        self._await(single, cancel, stop=True)
        if cancel.is_set():
            self._put_status_right(job)
            raise Cancelled("The work was stopped.")
        if single.failure is not None:
            with self._store.db.read() as session:
                self._target(session, job.target_id)  # what it is for may be gone
            raise _UnitFailed(single.failure)
        unit = next(iter(single.driver.graph.nodes.values())).unit
        return Made(f"Made {unit.label}.", lambda session: self._result(session, job, single))

    def _single(self, job: Asked, cancel: threading.Event) -> Single:
        """Its own run. Somebody else's of the same unit is waited for, and not taken for this one: that may be of
        other quality, or only take up what a provider has."""
        run_id = _run_of(job.id, job.attempt)
        while True:
            with self._store.db.read() as session:
                key = self._key(self._target(session, job.target_id)[0])
            single = self._loose.make(
                job.project_id,
                key,
                render=cast(Render, job.inputs["render"]),
                run_id=run_id,
                stage=self._stage(job),
                begin=lambda: self._jobs.began(job.id),
            )
            if single.driver.ctx.run_id == run_id:
                return single
            self._await(single, cancel, stop=False)

    def _stage(self, job: Asked) -> Stage | None:
        """What makes the unit, in place of the film's own stage."""
        return None

    @staticmethod
    def _await(single: Single, cancel: threading.Event, *, stop: bool) -> None:
        """Raises Cancelled where it is not to be stopped itself."""
        while not single.done.wait(_LOOK_S):
            if cancel.is_set():
                if not stop:
                    raise Cancelled("The work was stopped before it began.")
                single.driver.stop()

    def _result(self, session: Session, job: Asked, single: Single) -> dict[str, Any]:
        row = session.get(_TABLES[self._sort.target_type], job.target_id)
        slot = self._sort.slot
        url = url_of(row, slot) if isinstance(row, Shot) and slot is not None else getattr(row, "audio_url", None)
        skipped = getattr(row, f"{slot}_problem", None) if getattr(row, f"{slot}_status", "") == "skipped" else None
        notes = [{"code": one["code"], "text": one["text"]} for one in single.notes]
        return {"media_url": url, "skipped": skipped, "notes": notes}

    def fitted(self, job: Asked, made: Generated) -> Generated:
        slot = self._sort.slot
        if slot is None:
            return made
        ctx = self._loose.context(job.project_id)
        return replace(made, media=fitted(ctx, job.target_id, slot, made))

    def late(self, session: Session, job: Asked, made: Generated) -> None:
        if self._sort.slot is not None:
            meta = dict(made.media.meta)
            keep_late(session, job.target_id, self._sort.slot, made.media.url, meta, earlier_text=False)

    # --- Wanted again, and no more ----------------------------------------------------------------

    def asked_again(self, session: Session, row: Job) -> None:
        target: Row | None = session.get(_TABLES[row.target_type], row.target_id)
        if target is None:
            return
        row.inputs = {**row.inputs, "before": self._before(session, target.project_id, target), "left": []}
        self._let_go(target)
        if isinstance(target, Shot) and self._variation(target) < row.inputs["variation"]:
            target.variations = {**target.variations, str(self._sort.slot): row.inputs["variation"]}

    def taken_back(self, session: Session, row: Job) -> None:
        before, key, project_id = row.inputs["before"], str(row.inputs["unit"]), int(row.project_id or 0)
        run_id = _run_of(row.id, row.attempt)
        step = session.get(Step, (project_id, key))
        if step is not None and step.run_id == run_id:
            if step.status in _FINISHED:
                return  # it came in the same moment, and is shown
            row.inputs = {**row.inputs, "left": self._under_way(session, project_id, key)}
            kept: Any = before["step"] or ("pending", "")
            take_back(session, project_id, key, run_id=run_id, status=kept[0], digest=kept[1])
        target, slot = session.get(_TABLES[row.target_type], row.target_id), self._sort.slot
        if not isinstance(target, Shot) or slot is None:
            return
        if self._variation(target) == row.inputs["variation"]:
            # That it is noted at all keeps a late result from being shown where nothing has ever been.
            target.variations = {**(target.variations or {}), slot: before["variation"]}
        if before["own"] and url_of(target, slot) == before["url"]:
            target.own_slots = sorted({*target.own_slots, slot})

    @staticmethod
    def _under_way(session: Session, project_id: int, key: str) -> list[str]:
        query = select(Generation.id).where(
            Generation.project_id == project_id, Generation.unit_key == key, Generation.status.in_(money.OPEN)
        )
        return list(session.scalars(query))

    def left(self, row: Job) -> list[str]:
        return list(row.inputs.get("left", ())) if row.status == "cancelled" else []

    def _put_status_right(self, job: Asked) -> None:
        """After a cancel the shot shows what it did; the unit that was stopped has noted that it waits."""
        slot, before = self._sort.slot, job.inputs["before"].get("status")
        if before is None:
            return
        move: Any = video_status if slot == "video" else lipsync_status
        with self._store.db.write() as session:
            shot, row = session.get(Shot, job.target_id), session.get(Job, job.id)
            cancelled = row is not None and row.status == "cancelled"
            if shot is None or not cancelled or getattr(shot, f"{slot}_status") != "pending":
                return
            status, problem = before
            if not move(session, shot.id, status, problem=problem) and url_of(shot, cast(ShotSlot, slot)):
                move(session, shot.id, "done")
                move(session, shot.id, status, problem=problem)

    def is_wanted(self, session: Session, row: Job) -> bool:
        """Not where the shot was edited meanwhile: nobody has asked for that to be made."""
        try:
            wanted = self._loose.wanted(int(row.project_id or 0), str(row.inputs["unit"]), row.inputs["render"])
        except NotFound:
            return False
        return wanted.digest(session) == str(row.inputs["digest"])


def _refuse_beside_filming(session: Session, row: Row) -> None:
    """Raises Conflict for a shot that may not be there any more when its scene has been filmed anew."""
    if isinstance(row, Shot):
        filming = select(Job.id).where(Job.target_type == "scenes", Job.target_id == row.scene_id, Job.status.in_(LIVE))
        if session.scalar(filming.limit(1)) is not None:
            raise Conflict("This shot's scene is being filmed anew.", hint="Ask again when that is done.")


def _run_of(job_id: str, attempt: int) -> str:
    """How the ledger knows an attempt: the next process goes on with it, and what it has made stands."""
    return f"job-{job_id}-{attempt}"
