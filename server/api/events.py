"""The event log over HTTP: as a stream (server-sent events), or in answers to polls; both by the same cursor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from flask import Blueprint, Response, request
from pydantic import Field

from pipeline.errors import InvalidInput
from pipeline.projects.documents import has_project
from server.contract import Answer, Page, Query, Raw, Whole, api, json_text, of_everything, of_project
from server.http import Refused, services
from server.wiring import Services

room = Blueprint("events", __name__, url_prefix="/api")

_HEARTBEAT_S = 15.0
_BEAT_S = 0.25  # at most so often does a stream say something
_PAGE = 500
_STREAM = Raw(("text/event-stream",))
_RESUME = {"Last-Event-ID": "A stream goes on after this event."}


class Watch(Query):
    """`after`: only events after this cursor; `kind` leaves the others out."""

    after: Annotated[Whole | None, Field(ge=0)] = None
    kind: Annotated[str | None, Field(pattern=r"^[a-z]{1,40}$")] = None


class Event(Answer):
    """`seq` is its place in the log, which never changes."""

    seq: int
    project_id: int | None
    run_id: str | None
    at: str
    level: str
    kind: str
    stage: str
    unit: str
    text: str
    data: dict[str, Any] | None


class Events(Page[Event]):
    """`next` when there is more already; `cursor`: ask after this the next time."""

    cursor: str


@room.get("/events")
@api(
    query=Watch,
    answers={200: (Events, _STREAM)},
    problems=("too_many_streams",),
    polled=of_everything,
    headers=_RESUME,
)
def of_all(query: Watch) -> Response:
    """Follows everything that happens: as answers to polls, or as a stream.

    With `Accept: text/event-stream` it is a stream of server-sent events that goes on after `Last-Event-ID` (or
    `after`), or from now on where neither is given. Both have the same events under the same cursor.
    """
    return _answer(None, query)


@room.get("/projects/<int:project_id>/events")
@api(query=Watch, answers={200: (Events, _STREAM)}, problems=("too_many_streams",), polled=of_project, headers=_RESUME)
def of_one(project_id: int, query: Watch) -> Response:
    """Follows what happens in one project: as answers to polls, or as a stream."""
    return _answer(project_id, query)


def _answer(project_id: int | None, query: Watch) -> Response:
    if request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream":
        _refuse_unknown(project_id)
        return _stream(project_id, query)
    after = query.after or 0
    found = services().store.events.since_json(
        after, project_id=project_id, limit=_PAGE, kind=query.kind, unless_deleted=True
    )
    if not found:  # it has none of a project that is gone
        _refuse_unknown(project_id)
    cursor = f'"{found[-1][0] if found else after}"'
    following = cursor if len(found) == _PAGE else "null"
    items = ",".join(text for _, text in found)
    return json_text(f'{{"items":[{items}],"next":{following},"cursor":{cursor}}}')


def _refuse_unknown(project_id: int | None) -> None:
    if project_id is not None:
        with services().store.db.reading() as connection:
            has_project(connection, project_id)


def _stream(project_id: int | None, query: Watch) -> Response:
    """From the client's Last-Event-ID (or `after`) on; from now on where it names none."""
    parts = services()
    cursor = _last_seen(query)
    if cursor is None:
        cursor = parts.store.events.newest(project_id)
    if parts.closing.is_set():
        raise Refused("The server is shutting down.", code="shutting_down")
    if not parts.streams.take():
        raise Refused("Too many pages are watching.", hint="Poll instead.", code="too_many_streams")
    gone = request.environ.get("waitress.client_disconnected", lambda: False)
    response = Response(_Stream(parts, project_id, cursor, gone), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _last_seen(query: Watch) -> int | None:
    named = request.headers.get("Last-Event-ID", "").strip()
    if not named:
        return query.after
    if not (named.isascii() and named.isdigit() and len(named) < 19):
        raise InvalidInput("Last-Event-ID is not one of ours.", field="Last-Event-ID")
    return int(named)


class _Stream:
    """An iterable that gives its place back when the server closes it, even if nothing was ever read from it."""

    def __init__(self, parts: Services, project_id: int | None, cursor: int, gone: Callable[[], bool]) -> None:
        self._parts, self._project_id, self._cursor, self._gone = parts, project_id, cursor, gone
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        log = self._parts.store.events
        yield b"retry: 2000\n\n"
        while not self._parts.closing.is_set() and not self._gone():
            self._cursor, frames = self._fresh()
            if frames:
                yield frames
                # All streams wait for the same beats, so that they go on from the same cursor and share its frames.
                self._parts.closing.wait(_BEAT_S - time.monotonic() % _BEAT_S)
            elif not log.wait(self._cursor, _HEARTBEAT_S, self._project_id):
                yield b": still here\n\n"

    def _fresh(self) -> tuple[int, bytes]:
        """The events after the cursor as frames, and the cursor after them."""
        cursor, project_id = self._cursor, self._project_id
        log = self._parts.store.events

        def read() -> tuple[int, bytes]:
            found = log.since_json(cursor, project_id=project_id, limit=_PAGE)
            text = "".join(f"id: {seq}\ndata: {event}\n\n" for seq, event in found)
            return (found[-1][0] if found else cursor), text.encode()

        key = ("frames", project_id, cursor)
        return self._parts.shared.value(key, log.newest(project_id), _HEARTBEAT_S, read)

    def close(self) -> None:
        if self._open:
            self._open = False
            self._parts.streams.give_back()
