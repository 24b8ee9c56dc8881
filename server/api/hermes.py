"""Hermes, the automation client: a film to order, how it stands, and its file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session

from pipeline import hermes
from pipeline.contracts import MediaRef
from pipeline.errors import Conflict
from pipeline.projects.documents import RunState
from server.api.runs import progress_version
from server.contract import Answer, Raw, Turn, api
from server.files import download_name, send_media
from server.http import problem, services
from server.outgoing import Outgoing

room = Blueprint("hermes", __name__, url_prefix="/api/hermes/projects")

_STATUS_URL = "/api/hermes/projects/{project_id}/status"
_EXPORT_URL = "/api/hermes/projects/{project_id}/export"


class Ordered(Answer):
    """Where to ask how it stands, and where the film will be."""

    project_id: int
    status_url: str
    export_url: str


class OrderProblem(Answer):
    """`text` is whole; `hint` is its part that says what to do."""

    code: str
    text: str
    hint: str


class Line(Answer):
    at: str
    level: str
    text: str


class Missing(Answer):
    """Bytes `first` to `last`, both included."""

    first: int
    last: int


class Film(Answer):
    """`missing`: what has not yet been written to the client in full, under this ETag."""

    etag: str
    size: int
    missing: list[Missing]


class CallbackState(Answer):
    """The newest message to the callback URL: the state it tells, and whether it has arrived."""

    state: str | None
    attempts: int
    sent_at: str | None
    given_up_at: str | None
    problem: str | None


class OrderStatus(Answer):
    """`delivered_at` is null until every byte of the present film was written to the client; only then is the order
    done. `code` says why the making stopped by itself. `ask_again_s`: ask again after so many seconds.
    """

    project_id: int
    title: str
    state: RunState
    code: str | None
    step: str | None
    percent: int
    eta_seconds: int | None
    spend_cents: int
    estimate_cents: int
    problems: list[OrderProblem]
    lines: list[Line]
    delivered_at: str | None
    film: Film | None
    callback: CallbackState | None
    ask_again_s: int


@room.post("/create-and-run")
@api(
    body=hermes.OrderFields,
    answers={202: Ordered},
    problems=("conflict",),
    spends=True,
    location=_STATUS_URL,
    security="hermes",
)
def create_and_run(body: hermes.OrderFields, turn: Turn) -> Ordered:
    """Creates a project from a story or an idea, and starts the making of its film.

    16:9 unless portrait is asked for, pictures by `qwen` unless another model is named. A repeat with the same
    `Idempotency-Key` gets the same project.
    """
    parts = services()

    def keep(session: Session, project_id: int) -> None:
        turn.keep(session, _ordered(project_id))

    private = parts.settings.hermes_callbacks_private
    return _ordered(hermes.order(parts.runner, body, keep, private_callbacks=private))


def _ordered(project_id: int) -> Ordered:
    return Ordered(
        project_id=project_id,
        status_url=_STATUS_URL.format(project_id=project_id),
        export_url=_EXPORT_URL.format(project_id=project_id),
    )


def _version(project_id: int) -> str:
    return f"{progress_version(project_id)}-{hermes.delivery_version(services().runner, project_id)}"


@room.get("/<int:project_id>/status")
@api(answers={200: OrderStatus}, polled=_version, security="hermes")
def status(project_id: int) -> dict[str, Any]:
    """Tells how far the film is, what stands in its way and what to do, and whether it was delivered."""
    return hermes.status(services().runner, project_id)


@room.get("/<int:project_id>/export")
@api(
    answers={200: Raw(("video/mp4",), ranges=True)},
    problems=("conflict", "media_missing"),
    security="hermes",
)
def export(project_id: int) -> Response:
    """Sends the film, whole or in ranges.

    While it is not ready: 409 with the `state` of the making. The film counts as delivered once ranges that were
    written in full, under one ETag, cover it; a HEAD or an aborted download counts for nothing.
    """
    parts = services()
    try:
        film, title = hermes.film_of(parts.runner, project_id)
    except hermes.NotReady as found:
        said = Conflict(f"The film is not ready; its making is {found.state}.", hint="Ask for the status first.")
        return problem(said, state=found.state)
    response = send_media(parts.store.media, film.url, name=download_name(title, "mp4"))
    if request.method == "GET" and response.status_code in (200, 206):
        _watched(response, project_id, film)
    return response


def _watched(response: Response, project_id: int, film: MediaRef) -> None:
    """Lets the answer's body note what has reached the client."""
    runner, body, way = services().runner, response.response, Outgoing(request.environ)
    part = response.content_range
    first = part.start if part.start is not None else 0
    end = part.stop if part.stop is not None else film.size

    def blocks() -> Iterator[bytes]:
        with closing(body), way:  # type: ignore[type-var]  # a file, or a part of one
            yield from way.copied(body)  # type: ignore[arg-type]
            if way.written():
                hermes.note_written(runner, project_id, film, first, end)

    response.direct_passthrough = False
    response.response = blocks()
