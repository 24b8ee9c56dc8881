"""Films to order, for the automation client: from one request to a delivered file.

Hidden here: that an order is a project with a run that starts in the same write, so that a crash leaves both or
neither; the defaults of an order; and what its state is in one answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from pipeline.contracts import MediaRef
from pipeline.errors import Conflict, InvalidInput
from pipeline.hermes.callbacks import check_callback
from pipeline.projects import ProjectFields, Text, create_project, live_project
from pipeline.runner import Runner
from pipeline.store.deliveries import delivered, written
from pipeline.store.models import Callback, Project, Run
from pipeline.store.states import new_run

LINES = 12
_MODEL = "qwen"
# How long a client does well to wait before it asks again, in seconds.
_SOON, _LATER = 3, 30


class OrderFields(ProjectFields):
    """A project's fields. `portrait` asks for 9:16; `callback_url` is told of each end and pause."""

    portrait: bool = False
    callback_url: Text | None = None


class NotReady(Exception):
    """There is no finished film; `state` is the making's."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


def order(
    runner: Runner, fields: OrderFields, keep: Callable[[Session, int], None], *, private_callbacks: bool = False
) -> int:
    """Creates a project and starts its film; `keep` is called in the write that makes both. Returns the project's id.

    Raises InvalidInput, whose `field` names the fault.
    """
    store, settings = runner.store, runner.settings
    given = _given(fields)
    callback = given.pop("callback_url", None)
    if callback is not None:
        check_callback(callback, private=private_callbacks)
    run_id = uuid.uuid4().hex
    with store.db.write(durable=True) as session:
        project = create_project(session, given, max_story_words=settings.max_story_words)
        project.callback_url = callback
        project_id = project.id
        new_run(session, run_id=run_id, project_id=project_id, boot_id=store.boot_id)
        store.events.append(
            session, project_id=project_id, kind="project", text="The project was created for an automation client."
        )
        text = "The making of the film has started."
        data = {"state": "running"}
        store.events.append(session, project_id=project_id, run_id=run_id, kind="run", text=text, data=data)
        keep(session, project_id)
    _estimated(runner, project_id, run_id)
    with suppress(Conflict):  # the program is ending: the next start picks the run up
        runner.start(project_id)
    return project_id


def _given(fields: OrderFields) -> dict[str, Any]:
    given = fields.model_dump(exclude_unset=True)
    portrait = given.pop("portrait", False)
    if portrait and given.get("aspect_ratio", "9:16") != "9:16":
        raise InvalidInput(
            f"The film cannot be both portrait and {given['aspect_ratio']}.",
            hint="Give portrait or aspect_ratio, not both.",
            field="portrait",
        )
    defaults = {"aspect_ratio": "9:16" if portrait else "16:9"}
    return {"reference_image_model": _MODEL, "frame_image_model": _MODEL, **defaults, **given}


def _estimated(runner: Runner, project_id: int, run_id: str) -> None:
    expected = runner.estimate(project_id).expected_micros
    with runner.store.db.write() as session:
        session.execute(update(Run).where(Run.id == run_id).values(estimate_micros=expected))


def status(runner: Runner, project_id: int) -> dict[str, Any]:
    """How an order stands. Raises NotFound."""
    now = runner.status(project_id)
    with runner.store.db.read() as session:
        project = live_project(session, project_id)
        film = _film(runner, project, now["state"])
        sent = _last_callback(session, project_id)
        got = delivered(session, project_id, film) if film is not None else None
        title, callback_url = project.title, project.callback_url
    moving = now["state"] == "running"
    return {
        "project_id": project_id,
        "title": title,
        "state": now["state"],
        "code": now["code"],
        "step": now["yoloStep"],
        "percent": now["percent"],
        "eta_seconds": now["etaSeconds"],
        "spend_cents": now["spendCents"],
        "estimate_cents": now["estimateCents"],
        "problems": [{name: one[name] for name in ("code", "text", "hint")} for one in now["problems"]],
        "lines": [{name: one[name] for name in ("at", "level", "text")} for one in now["logs"][-LINES:]],
        "delivered_at": got.at if got is not None else None,
        "film": None
        if film is None or got is None
        else {
            "etag": f'"{film.sha256}"',
            "size": film.size,
            "missing": [{"first": first, "last": last} for first, last in got.missing],
        },
        "callback": None if callback_url is None else _told(sent),
        "ask_again_s": _SOON if moving else _LATER,
    }


def film_of(runner: Runner, project_id: int) -> tuple[MediaRef, str]:
    """The finished film and its title. Raises NotFound, and NotReady while there is none, or it is made anew."""
    with runner.store.db.read() as session:
        project = live_project(session, project_id)
        newest = select(Run.state).where(Run.project_id == project_id).order_by(Run.started_at.desc()).limit(1)
        state = session.scalar(newest) or "idle"
        film = _film(runner, project, state)
        title = project.title
    if film is None:
        raise NotReady(state)
    return film, title


def note_written(runner: Runner, project_id: int, film: MediaRef, first: int, end: int) -> None:
    """The film's bytes from `first` up to `end` have all reached the client; the last of them deliver it."""
    store = runner.store
    with store.db.write(durable=True) as session:
        if written(session, project_id, film, first, end):
            text = "The film was delivered."
            store.events.append(session, project_id=project_id, kind="project", text=text)


def delivery_version(runner: Runner, project_id: int) -> str:
    """Changes with every part of a film that is delivered, and with every attempt at a callback."""
    with runner.store.db.reading() as connection:
        row = connection.exec_driver_sql(
            "SELECT (SELECT max(updated_at) FROM deliveries WHERE project_id = ?),"
            " (SELECT max(updated_at) FROM callbacks WHERE project_id = ?)",
            (project_id, project_id),
        ).one()
    return "-".join("" if part is None else "".join(filter(str.isdigit, part)) for part in row)


def _film(runner: Runner, project: Project, state: str) -> MediaRef | None:
    return runner.store.media.ref(project.film_url) if state == "done" and project.film_url else None


def _last_callback(session: Session, project_id: int) -> Callback | None:
    query = select(Callback).where(Callback.project_id == project_id).order_by(Callback.event_seq.desc()).limit(1)
    return session.scalars(query).first()


def _told(row: Callback | None) -> dict[str, Any]:
    if row is None:
        return {"state": None, "attempts": 0, "sent_at": None, "given_up_at": None, "problem": None}
    names = ("attempts", "sent_at", "given_up_at", "problem")
    return {"state": row.body.get("state"), **{name: getattr(row, name) for name in names}}
