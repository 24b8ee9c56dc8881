"""What a stage is, and all that it may touch.

A stage lists its units; a unit has a key, the keys it needs and a digest of its inputs. The runner decides what runs,
when and how often; a stage only says what a unit would do. A unit's results are written by `Outcome.apply` in the
same transaction that marks the unit as done, so no crash can come between the two.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

from sqlalchemy.orm import Session

from pipeline.contracts import EntityKind, FilmForm, JobRequest, Lane, MediaRef, Render, Voice
from pipeline.errors import Cancelled, ProductError
from pipeline.film.clips import accept_clip
from pipeline.generation.chain import EMBEDDED
from pipeline.generation.entities import film_form
from pipeline.generation.generate import Generated, Generator
from pipeline.generation.moderation.clearances import assembled, uploaded
from pipeline.generation.questions import Errand
from pipeline.generation.record import Row
from pipeline.generation.slots import Slot, Unbounded
from pipeline.settings import Settings
from pipeline.store import Store
from pipeline.store.models import Project, Step
from pipeline.writer.choice import Writers
from pipeline.writer.llm import LlmWriter
from pipeline.writer.protocol import Writer

T = TypeVar("T")


@dataclass(frozen=True)
class Unit:
    """The smallest retryable piece of a stage.

    `needs` are keys that must be settled (done, skipped or failed) first. A `derived` unit is made from other units'
    results alone, at no cost, and so is always remade when its digest has changed. `about` names the input that it is
    about as users know it, e.g. {"shot": 3, "shot_id": 17}.
    """

    key: str
    label: str
    needs: tuple[str, ...] = ()
    derived: bool = False
    subject: int = 0
    about: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)


# How units of different stages know each other.
def ref_key(kind: EntityKind, entity_id: int) -> str:
    return f"refs/{kind}/{entity_id}"


def frame_key(shot_id: int) -> str:
    return f"frames/{shot_id}"


def video_key(shot_id: int) -> str:
    return f"videos/{shot_id}"


def lipsync_key(shot_id: int) -> str:
    return f"lipsync/{shot_id}"


def about_shot(index: int, shot_id: int | None = None) -> dict[str, Any]:
    """A unit's or note's `about`, for a shot."""
    return {"shot": index + 1} | ({"shot_id": shot_id} if shot_id is not None else {})


def shot_label(index: int) -> str:
    """How the log calls a shot; people count from one."""
    return f"shot {index + 1}"


class Note(NamedTuple):
    """A thing to know: a code of `pipeline.problems`, what happened, and which input it is about where that is not
    the unit's own."""

    code: str
    text: str
    about: Mapping[str, Any] | None = None


def _nothing(_: Session) -> None:
    return None


def _nothing_late(_: Session, __: bool) -> None:
    return None


@dataclass(frozen=True)
class Outcome:
    """What a unit made: `media` are the store's URLs that it stands for, `apply` writes its domain rows.

    `problems` are for the user: things to know that did not stop the unit. `late` keeps what came when nobody waited
    for it any more; it is told whether the unit's inputs had changed meanwhile.
    """

    text: str
    status: Literal["done", "skipped"] = "done"
    media: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[Note, ...] = ()
    apply: Callable[[Session], None] = _nothing
    outdates: tuple[str, ...] = ()
    late: Callable[[Session, bool], None] = _nothing_late


class StageFailed(ProductError):
    """A stage ended without what the stages after it cannot do without."""

    code = "stage_failed"


class StageContext:
    """A stage's whole world for one run over one project.

    `halt` asks the unit at work to stop. `pausing` is set with it, and also when the user pauses the run: what is at
    work is finished then, but questions to language models are broken off, as their answers may take minutes.
    """

    def __init__(
        self,
        *,
        store: Store,
        settings: Settings,
        generator: Generator,
        writers: Writers,
        project_id: int,
        run_id: str,
        halt: threading.Event,
        render: Render | None = None,
        attach_only: bool = False,
    ) -> None:
        self._render = render
        self.attach_only = attach_only
        self.store = store
        self.settings = settings
        self._writers = writers
        self.project_id = project_id
        self.run_id = run_id
        self.halt = halt
        self.pausing = threading.Event()
        self._generator = generator
        self._slot: Slot = Unbounded()

    def at(self, slot: Slot) -> StageContext:
        """The same world, for work that holds this slot until its provider has finished."""
        other = copy.copy(self)
        other._slot = slot
        return other

    def read(self) -> AbstractContextManager[Session]:
        """A consistent snapshot of the database, for reading."""
        return self.store.db.read()

    def project(self, session: Session) -> Project:
        return session.get_one(Project, self.project_id)

    def form(self, project: Project) -> FilmForm:
        return film_form(project)

    def writer(self, unit: Unit) -> Writer:
        """The writer that the project's choice for text stands for. Raises NeedsSetup."""
        with self.read() as session:
            project = self.project(session)
            render, mode = self._render or project.render_text, project.script_mode
        return self._writers.choose(self._errand(unit), render=render, mode=mode)

    def poor_text(self, writer: Writer) -> tuple[Note, ...]:
        """The problem to tell users of when the writer's set-up serves, but poorly."""
        said = self._writers.poor(writer)
        return (Note("text_degraded", said),) if said else ()

    def story_writer(self, unit: Unit) -> LlmWriter:
        """The writer that makes stories of ideas. Raises NeedsSetup."""
        with self.read() as session:
            render = self.project(session).render_text
        return self._writers.for_idea(self._errand(unit), render=render)

    def _errand(self, unit: Unit) -> Errand:
        stage = unit.key.split("/")[0]
        return Errand(
            project_id=self.project_id,
            run_id=self.run_id,
            unit_key=unit.key,
            cancel=self.pausing,
            say=lambda text: self.say(stage, unit.key, f"{unit.label}: {text}", level="warning"),
        )

    def generate(self, unit: Unit, request: JobRequest, *, render: str) -> Generated:
        """One piece of provider work, recorded, made at most once for equal requests. Raises ProductError."""
        self.checkpoint()
        return self._generator.generate(
            request,
            project_id=self.project_id,
            unit_key=unit.key,
            render=self._render or render,
            cancel=self.halt,
            attach_only=self.attach_only,
            slot=self._slot,
        )

    def is_paid(self, request: JobRequest, render: str) -> bool:
        """Whether a provider would serve the request, not an embedded engine."""
        return self._generator.is_paid(request, self._render or render)

    def fit(self, made: Generated, frames: int, form: FilmForm) -> tuple[MediaRef, int]:
        """The clip in film form with exactly so many frames, and by how many milliseconds it was too short.

        The embedded engines draw straight into the film's form, so their clips are taken as they are. `meta["raw"]` is
        the clip as a provider gave it.
        """
        if made.provider == EMBEDDED and made.details["frames"] == frames:
            return made.media, 0
        with self.draft(".mp4") as draft:
            with self._generator.own_work.turn(self.halt):
                accepted = accept_clip(self.file(made.media.url), frames, form, draft, cancel=self.halt)
            meta = {**made.media.said, "measured": {"frames": frames}}
            if made.provider != EMBEDDED:
                meta["raw"] = made.media.url
            return self.publish(draft, ext="mp4", meta=meta).model_copy(update={"meta": meta}), accepted.shortfall_ms

    def compute(self, function: Callable[..., T], *args: object, timeout_s: float) -> T:
        """What a function of ours returns that is too heavy for this process; it runs in the engines' pool."""
        self.checkpoint()
        return self._generator.compute(function, *args, timeout_s=timeout_s)

    def unresolved(self) -> list[Row]:
        """The project's requests whose answer was lost and that wait for the user."""
        return self._generator.unresolved(self.project_id)

    def reference_cap(self, model: str, render: str) -> int:
        """How many reference pictures the image model takes."""
        return self._generator.reference_cap(model, self._render or render)

    def voices(self, language: str, render: str) -> tuple[Voice, ...]:
        return self._generator.voices(language, render)

    def output(self, session: Session, key: str) -> dict[str, Any]:
        """What the unit of this key left in the ledger; empty while it has not settled."""
        step = session.get(Step, (self.project_id, key))
        return dict(step.output or {}) if step is not None else {}

    def draft(self, suffix: str) -> AbstractContextManager[Path]:
        """A temporary file that is gone afterwards unless it was published."""
        return self.store.media.draft(suffix)

    def file(self, url: str) -> Path:
        """Where a published file is. Raises MediaMissing."""
        return self.store.media.path(url)

    def publish(self, path: Path, *, ext: str, meta: Mapping[str, Any] | None = None, of: str = "") -> MediaRef:
        """Put a file that our own code made of checked media (a joined track, a cut clip) into the media store.

        `of`: the file's address that it was cut out of; what a user gave stays the user's, and is checked as such.
        """
        media, given = self.store.media, dict(meta or {})
        if of and media.origin(of) == "upload":
            return media.publish(path, ext=ext, origin="upload", verdict=uploaded(), meta=given)
        return media.publish(path, ext=ext, verdict=assembled(), meta=given)

    def say(self, stage: str, unit: str, text: str, *, level: str = "info", **data: object) -> None:
        """One line of the project's log."""
        self.store.events.say(
            project_id=self.project_id, run_id=self.run_id, level=level, stage=stage, unit=unit, text=text, data=data
        )

    def checkpoint(self) -> None:
        """Raises Cancelled when the run was asked to stop."""
        if self.halt.is_set():
            raise Cancelled("The run was stopped.")


class Stage(Protocol):
    """One of the steps of a film. Stages hold no state: all of it is in the store."""

    name: ClassVar[str]
    lane: ClassVar[Lane]
    # Stages whose units must all be settled before this one's units can be listed.
    after: ClassVar[tuple[str, ...]]
    # How often a unit is tried in one run when it fails for a cause that may pass.
    attempts: ClassVar[int]
    # Whether another try may end otherwise after any failure that is not final: a writer never says the same twice.
    tries_anew: ClassVar[bool]
    # A failed unit of a blocking stage ends the run there; otherwise the film goes on without it and says so.
    blocking: ClassVar[bool]
    # Whether a run waits for the user over what only they can settle (money, keys, an answer that was lost).
    waits: ClassVar[bool]
    # The code of `pipeline.problems` that a run ends with when this stage blocks it.
    failure_code: ClassVar[str]

    def units(self, ctx: StageContext) -> Sequence[Unit]: ...

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        """The digest of the unit's inputs: what users gave and what earlier units made, no versions."""
        ...

    def run(self, ctx: StageContext, unit: Unit) -> Outcome: ...

    def verify(self, ctx: StageContext) -> None:
        """Raises StageFailed when the stage's result is not whole though every unit has settled."""
        ...
