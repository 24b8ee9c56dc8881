"""Which state may follow which, and the only statements that write a status column.

Every change is a compare-and-set: it names the states it may come from, and says whether it won. A caller that did
not win has been overtaken (a cancel, a second click, another thread) and leaves things as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from sqlalchemy import CursorResult, Table, bindparam, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.util import identity_key

from pipeline.store import money
from pipeline.store.models import Generation, ImageAnalysis, Job, Media, Run, Shot, utc_now

RunState = Literal["running", "paused", "cancelled", "failed", "done"]
StepStatus = Literal["pending", "running", "parked", "done", "failed", "skipped"]
MediaStatus = Literal["accepted", "running", "finished", "failed"]
GenerationStatus = Literal["prepared", "submitting", "accepted", "held", "finished", "failed", "ambiguous", "cancelled"]
VideoStatus = Literal["pending", "queued", "generating", "done", "failed", "stale"]
JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
AnalysisStatus = Literal["pending", "done", "failed", "needs_setup"]
LipsyncStatus = Literal["none", "pending", "generating", "done", "failed", "skipped", "stale"]

Edges = Mapping[str, Mapping[str, str]]
"""For each state, the states it may be reached from, and what that move means."""

RUN_EDGES: Final[Edges] = {
    "running": {"paused": "resumed"},
    "paused": {"running": "by the user, the budget, a halted queue, a full disk, or only ambiguous work left"},
    "cancelled": {"running": "by the user", "paused": "by the user"},
    "failed": {"running": "a stage cannot be passed, e.g. a scene has no shots"},
    "done": {"running": "nothing is left to do, problems or not"},
}

STEP_EDGES: Final[Edges] = {
    "pending": {
        "running": "handed back: paused, to be tried again, or its process died",
        "parked": "the provider has lost the job, or nobody wants it any more",
        "done": "marked stale on request",
        "failed": "marked stale on request",
        "skipped": "marked stale on request",
        "pending": "marked stale on request",
    },
    "running": {
        "pending": "the first start, or after a hand-back",
        "failed": "another attempt",
        "done": "its inputs have changed, or by force",
        "skipped": "its inputs have changed, or by force",
        "running": "the process that ran it is dead: its boot is not ours",
    },
    "parked": {"running": "a provider owns the work now, and its handle is saved"},
    "done": {
        "running": "made here",
        "parked": "made by the provider",
        "pending": "another version was wanted, and is no more: the one before it stands",
    },
    "failed": {"running": "here", "parked": "at the provider"},
    "skipped": {
        "running": "there is nothing to do, for a reason that is kept",
        "parked": "given up, and not needed",
        "pending": "it was wanted after all, and is no more",
    },
}

GENERATION_EDGES: Final[Edges] = {
    "prepared": {
        "submitting": "it is certain that nothing was sent: to be sent again",
        "ambiguous": "the user has it sent again",
    },
    "submitting": {"prepared": "the request is about to leave"},
    "accepted": {
        "submitting": "the provider answered with a handle",
        "ambiguous": "it was looked up, and found",
        "prepared": "the user had asked for it to be sent again, and it was found before that was done",
    },
    "held": {
        "submitting": "made, and no checker could say whether it may be shown",
        "accepted": "made, and no checker could say whether it may be shown",
        "ambiguous": "looked up and made, and no checker could say whether it may be shown",
    },
    "finished": {
        "held": "checked again, and passed",
        "submitting": "the answer was the result (synchronous and embedded engines)",
        "accepted": "polled to its end",
        "ambiguous": "it was looked up, and had been made",
    },
    "failed": {
        "prepared": "refused by our own check, before anything was sent",
        "held": "checked again, and refused; or its file is gone",
        "submitting": "refused by the provider",
        "accepted": "the provider's job failed",
        "ambiguous": "it was looked up, and had failed",
    },
    "ambiguous": {"submitting": "sent, and the answer was lost"},
    "cancelled": {
        "prepared": "before it was sent",
        "submitting": "an embedded engine was stopped: nothing has left the machine",
        "accepted": "cancelled at the provider",
        "ambiguous": "the user gives it up",
    },
}

MEDIA_EDGES: Final[Edges] = {
    "accepted": {"failed": "what was hidden has been checked; its price was not given back"},
    "running": {"accepted": "its turn has come", "running": "taken up again after a restart"},
    "finished": {"running": "made"},
    "failed": {"accepted": "it cannot even begin", "running": "the engine or the provider failed, or it was refused"},
}

VIDEO_EDGES: Final[Edges] = {
    "pending": {
        "queued": "taken out of the queue",
        "generating": "the queue is empty and no handle was saved",
        "done": "the clip was cleared, or is to be made again",
        "failed": "to be tried again",
        "stale": "to be made again",
    },
    "queued": {
        "pending": "asked for",
        "done": "asked for again",
        "failed": "asked for again",
        "stale": "asked for again",
    },
    "generating": {
        "pending": "begun without waiting",
        "queued": "the queue has reached it",
        "generating": "taken up again by its handle after a restart",
        "done": "made again",
        "failed": "made again",
        "stale": "made again",
    },
    "done": {
        "pending": "a clip was there already: the user's own, or an equal one",
        "queued": "a clip was there already",
        "generating": "made",
        "done": "a newer clip in its place",
        "failed": "the user gives a clip",
        "stale": "the user gives a clip, or the old one covers its slot again",
    },
    "failed": {
        "pending": "it cannot even begin, e.g. there is no frame",
        "queued": "refused before it was sent",
        "generating": "the engine or the provider failed",
    },
    "stale": {
        "done": "the clip no longer fits its slot or its frame; it is kept",
        "failed": "what failed is no longer what is wanted",
    },
}

LIPSYNC_EDGES: Final[Edges] = {
    "none": {
        "pending": "the shot has no dialogue any more",
        "done": "cleared",
        "failed": "cleared",
        "skipped": "cleared",
        "stale": "cleared",
    },
    "pending": {
        "none": "the shot has dialogue",
        "generating": "its process died and no handle was saved",
        "done": "asked for again",
        "failed": "asked for again",
        "skipped": "asked for again",
        "stale": "asked for again",
    },
    "generating": {
        "none": "begun at once",
        "pending": "begun",
        "generating": "taken up again by its handle after a restart",
        "done": "made again",
        "failed": "made again",
        "skipped": "made again",
        "stale": "made again",
    },
    "done": {
        "none": "an equal one was there already",
        "pending": "an equal one was there already",
        "generating": "made",
        "done": "a newer one in its place",
        "failed": "an equal one was there already",
        "skipped": "an equal one was there already",
        "stale": "clip and sound are again as they were",
    },
    "failed": {
        "none": "it cannot even begin",
        "pending": "it cannot even begin",
        "generating": "the engine or the provider failed",
    },
    "skipped": {
        "none": "nothing fits, or no mouth is seen",
        "pending": "nothing fits, or no mouth is seen",
        "generating": "nothing fits, or no mouth is seen",
        "failed": "given up",
        "skipped": "for another reason now",
        "stale": "no longer needed",
    },
    "stale": {
        "done": "its clip or its sound has changed",
        "failed": "its clip or its sound has changed",
        "skipped": "its clip or its sound has changed",
    },
}

JOB_EDGES: Final[Edges] = {
    "queued": {
        "queued": "its process died before its turn came",
        "running": "its process died, and it is taken up again",
        "failed": "asked for again",
        "cancelled": "asked for again",
    },
    "running": {"queued": "its turn has come"},
    "done": {"running": "made"},
    "failed": {"queued": "it cannot even begin", "running": "what it needs could not be made"},
    "cancelled": {"queued": "by the user", "running": "by the user"},
}

ANALYSIS_EDGES: Final[Edges] = {
    "pending": {
        "pending": "asked for again after its job was cancelled",
        "done": "asked for again",
        "failed": "asked for again",
        "needs_setup": "asked for once somebody is set up",
    },
    "done": {
        "pending": "looked at",
        "failed": "its job was made again",
        "needs_setup": "its job was made again",
    },
    "failed": {
        "pending": "nobody could look, or the budget is reached",
        "failed": "once more",
        "needs_setup": "its job was made again",
    },
    "needs_setup": {
        "pending": "the key is gone",
        "failed": "the key is gone",
        "needs_setup": "still",
    },
}

_GENERATION_TIMES = {
    "submitting": "submitted_at",
    "accepted": "accepted_at",
    "finished": "ended_at",
    "failed": "ended_at",
    "cancelled": "ended_at",
}


def new_run(
    session: Session,
    *,
    run_id: str,
    project_id: int,
    boot_id: str,
    from_stage: str | None = None,
    stale: str | None = None,
    force: bool = False,
    estimate_micros: int = 0,
) -> bool:
    """Starts a run; False when the project has a live one (two starts give one run)."""
    statement = insert(_table(Run)).values(
        id=run_id,
        project_id=project_id,
        state="running",
        boot_id=boot_id,
        from_stage=from_stage,
        stale=stale,
        force=force,
        estimate_micros=estimate_micros,
    )
    return _won(session, statement.on_conflict_do_nothing())


def run_state(session: Session, run_id: str, to: RunState, *, code: str | None = None) -> bool:
    """Moves a run; `code` is the reason for a pause or a failure. Ended runs never move."""
    ended = None if to in ("running", "paused") else utc_now()
    return _move(session, Run, "state", run_id, to, RUN_EDGES, {"code": code, "ended_at": ended})


def generation_state(session: Session, generation_id: str, to: GenerationStatus, **columns: Any) -> bool:
    """Moves a generation, sets `columns` with it and books what it costs now; the time of the move is kept.

    Ended generations never move.
    """
    stamp = {_GENERATION_TIMES[to]: utc_now()} if to in _GENERATION_TIMES else {}
    won = _move(session, Generation, "status", generation_id, to, GENERATION_EDGES, stamp | columns)
    if won:
        money.book(session, generation_id)
    return won


def media_status(session: Session, media_id: int, to: MediaStatus, **columns: Any) -> bool:
    """Moves an item of the media generator and sets `columns` with it. Finished items never move."""
    ended = {"ended_at": utc_now() if to in ("finished", "failed") else None}
    return _move(session, Media, "status", media_id, to, MEDIA_EDGES, ended | columns)


def video_status(session: Session, shot_id: int, to: VideoStatus, *, problem: str | None = None) -> bool:
    """Moves a shot's clip; `problem` is what is wrong, in words."""
    return _move(session, Shot, "video_status", shot_id, to, VIDEO_EDGES, {"video_problem": problem})


def lipsync_status(session: Session, shot_id: int, to: LipsyncStatus, *, problem: str | None = None) -> bool:
    """Moves a shot's lip sync; `problem` is what is wrong, or why there is none, in words."""
    return _move(session, Shot, "lipsync_status", shot_id, to, LIPSYNC_EDGES, {"lipsync_problem": problem})


def job_state(session: Session, job_id: str, to: JobStatus, **columns: Any) -> bool:
    """Moves a job and sets `columns` with it; when it began and ended is kept."""
    now = utc_now()
    times: dict[str, dict[str, Any]] = {
        "queued": {"started_at": None, "ended_at": None},
        "running": {"started_at": now},
    }
    stamp = times.get(to, {"ended_at": now})
    return _move(session, Job, "status", job_id, to, JOB_EDGES, {"updated_at": now, **stamp, **columns})


def analysis_status(session: Session, sha256: str, to: AnalysisStatus, **columns: Any) -> bool:
    """Moves what is told of a picture, and sets `columns` with it."""
    columns = {"updated_at": utc_now(), **columns}
    return _move(session, ImageAnalysis, "status", sha256, to, ANALYSIS_EDGES, columns, key="sha256")


def sources(edges: Edges, to: str) -> tuple[str, ...]:
    """The states from which `to` may be reached. Raises ValueError for a state that does not exist."""
    if to not in edges:
        raise ValueError(f"there is no state {to!r}")
    return tuple(edges[to])


def is_terminal(edges: Edges, state: str) -> bool:
    """Whether nothing follows `state`."""
    return all(state not in origins or target == state for target, origins in edges.items())


def _move(
    session: Session,
    model: type[Any],
    column: str,
    row: int | str,
    to: str,
    edges: Edges,
    values: dict[str, Any],
    *,
    key: str = "id",
) -> bool:
    session.flush()
    table = _table(model)
    statement = (
        update(table)
        .where(table.c[key] == bindparam("row"), table.c[column].in_(sources(edges, to)))
        .values({column: to, **values})
    )
    won = _won(session, statement, {"row": row})
    loaded = session.identity_map.get(identity_key(model, row))
    if won and loaded is not None:
        session.refresh(loaded)  # it would show, and write back, what was before
    return won


def _won(session: Session, statement: Any, parameters: Mapping[str, Any] | None = None) -> bool:
    result = session.connection().execute(statement, parameters)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def _table(model: type[Any]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
