"""The event log over HTTP: as a stream (server-sent events), or in answers to polls; both by the same cursor."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from flask import Blueprint, Response, jsonify, request

from pipeline.errors import InvalidInput
from pipeline.projects import live_project
from server.http import Refused, services, unchanged, versioned, whole_number
from server.wiring import Services

room = Blueprint("events", __name__, url_prefix="/api")

_HEARTBEAT_S = 15.0
_PAGE = 500


@room.get("/events")
def of_all() -> Response:
    return _answer(None)


@room.get("/projects/<int:project_id>/events")
def of_project(project_id: int) -> Response:
    with services().store.db.read() as session:
        live_project(session, project_id)
    return _answer(project_id)


def _answer(project_id: int | None) -> Response:
    if request.accept_mimetypes.best_match(["application/json", "text/event-stream"]) == "text/event-stream":
        return _stream(project_id)
    return _poll(project_id)


def _poll(project_id: int | None) -> Response:
    """`{"items", "next", "cursor"}`: `next` when there is more already; `cursor` to ask after the next time.

    `kind` (log, step, run, project) leaves the others out.
    """
    log = services().store.events
    after, kind = whole_number("after", 0), request.args.get("kind")
    etag = f"{services().store.boot_id}-{log.newest(project_id)}-{after}-{kind or ''}"
    same = unchanged(etag)
    if same is not None:
        return same
    items = log.since(after, project_id=project_id, limit=_PAGE, kind=kind)
    cursor = items[-1]["seq"] if items else after
    more = len(items) == _PAGE
    return versioned(jsonify({"items": items, "next": str(cursor) if more else None, "cursor": str(cursor)}), etag)


def _stream(project_id: int | None) -> Response:
    """From the client's Last-Event-ID (or `after`) on; from now on where it names none."""
    parts = services()
    cursor = _last_seen()
    if cursor is None:
        cursor = parts.store.events.newest(project_id)
    if parts.closing.is_set():
        raise Refused("The server is shutting down.", code="shutting_down")
    if not parts.streams.acquire(blocking=False):
        raise Refused("Too many pages are watching.", hint="Poll instead.", code="too_many_streams")
    gone = request.environ.get("waitress.client_disconnected", lambda: False)
    response = Response(_Stream(parts, project_id, cursor, gone), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _last_seen() -> int | None:
    named = request.headers.get("Last-Event-ID", "").strip()
    if not named:
        return whole_number("after", -1) if "after" in request.args else None
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
            fresh = log.since(self._cursor, project_id=self._project_id, limit=_PAGE)
            for event in fresh:
                self._cursor = event["seq"]
                yield _frame(event)
            if not fresh and not log.wait(self._cursor, _HEARTBEAT_S, self._project_id):
                yield b": still here\n\n"

    def close(self) -> None:
        if self._open:
            self._open = False
            self._parts.streams.release()


def _frame(event: dict[str, Any]) -> bytes:
    data = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event['seq']}\ndata: {data}\n\n".encode()
