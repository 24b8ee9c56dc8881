"""One client's connection: a request that comes too slowly or brings too much is given up before any view sees it.

Hides waitress's channel. waitress takes a whole request, however long that lasts, and keeps its body on the disk,
before it asks the application; so how much a route takes, and whether the client may ask at all, is looked up as soon
as the head is there.
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from pipeline.problems import hint_of
from server.auth import Login
from server.contract import declaration_of
from server.http import problem_of

GRACE_S = 30.0  # from a request's first byte to its last, and longer for what comes faster than
SLOWEST = 4096  # bytes a second
STRANGERS = 1 << 20  # bytes that a client may send who is not logged in; webhooks are no larger
LINGER_S, LINGER = 2.0, 64 << 20  # for so long, and of so many bytes, what a refused client still sends is thrown away
LITTLE = 1 << 16  # bytes for a route that takes no body at all
_CODES = {401: "login_required", 408: "timeout", 413: "too_large", 431: "too_large", 500: "internal", 507: "disk_full"}
_SAID = {
    408: "The request took too long to arrive.",
    413: "What was sent is too large.",
    401: "You have to log in first.",
    431: "The head of the request is too large.",
    500: "Something went wrong here that should not have.",
    507: "The disk for temporary files is full.",
}

# (method, path, headers in CGI's spelling) to (bytes that may come, the status of a refusal)
Room = Callable[[str, str, Mapping[str, str]], tuple[int, int]]


def room_of(app: Flask) -> Room:
    """How much each request may bring: what its route takes, or little while the client is not logged in."""
    adapter = app.url_map.bind("")
    login: Login = app.extensions["login"]
    usual = 4 * int(app.config["MAX_CONTENT_LENGTH"])  # beyond the application's own limit: it says more

    def room(method: str, path: str, headers: Mapping[str, str]) -> tuple[int, int]:
        if not login.admits_head(headers):
            return STRANGERS, 401
        try:
            rule, _ = adapter.match(path, method, return_rule=True)
        except HTTPException:
            return usual, 413
        assert isinstance(rule, Rule)
        declared = declaration_of(app.view_functions[rule.endpoint])
        if declared is None or not (declared.body or declared.files or declared.takes):
            return LITTLE, 413
        return (usual if declared.files is None else max(usual, declared.files.room)), 413

    return room


class _Refusal:
    """What waitress sends for a request that it did not hand on."""

    def __init__(self, status: int) -> None:
        self.code = status

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        code = _CODES.get(self.code, "bad_request")
        answer = problem_of(
            self.code, code, _SAID.get(self.code, "This is no request that can be read."), hint=hint_of(code)
        )
        headers = [("X-Content-Type-Options", "nosniff"), *answer.headers.items()]
        return answer.status, [(name, value) for name, value in headers if name != "Content-Length"], answer.data


class _Problem(ErrorTask):  # type: ignore[misc]
    """waitress's own refusals, as problems."""

    def execute(self) -> None:
        self.request.error = _Refusal(int(self.request.error.code))
        super().execute()


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """`grace_s` and `slowest` are as `GRACE_S` and `SLOWEST`."""

    error_task_class = _Problem

    def __init__(self, *args: Any, room: Room, grace_s: float = GRACE_S, slowest: int = SLOWEST, **named: Any) -> None:
        self._room, self._grace_s, self._slowest = room, grace_s, slowest
        self._of: object = None
        self._began = 0.0
        self._got = 0
        self._limit = (0, 0)
        self._given_up = False
        self._lingers_until = 0.0
        self.request: Any = None
        super().__init__(*args, **named)

    def received(self, data: bytes) -> bool:
        """Takes what came, and gives the request up that it belongs to where there is a reason."""
        try:
            going = bool(super().received(data))
        except OSError as failure:  # a large body is kept on the disk
            if failure.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self._give_up(507)
            return True
        status = self._refusal(len(data))
        if status:
            self._give_up(status)
        return going

    def _refusal(self, came: int) -> int:
        request = self.request
        if request is None:
            self._of = None
            return 0
        if request is not self._of:
            self._of, self._began, self._got, self._limit = request, time.monotonic(), 0, (0, 0)
        self._got += came
        if time.monotonic() - self._began > self._grace_s + self._got / self._slowest:
            return 408
        if request.headers_finished:
            if not self._limit[1]:
                self._limit = self._room(request.command, request.path, request.headers)
            most, status = self._limit
            if max(request.content_length, request.body_bytes_received) > most:
                return status
        return 0

    def _give_up(self, status: int) -> None:
        with self.requests_lock:
            request, self.request = self.request, None
            if request is None:
                return
            self._given_up = True
            request.error = _Refusal(status)
            request.completed = True
            self.requests.append(request)
            if len(self.requests) == 1:
                self.server.add_task(self)

    # A connection that is closed while its client still sends is reset, and the client may never see why. So after a
    # refusal only our half is closed, and what still comes is thrown away for a while.

    def handle_close(self) -> None:
        if not self._given_up or self._lingers_until or not self.connected:
            super().handle_close()
            return
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            super().handle_close()
            return
        self._lingers_until, self._got = time.monotonic() + LINGER_S, 0
        self.will_close = self.close_when_flushed = False

    def readable(self) -> bool:
        return bool(self._lingers_until and not self.will_close) or bool(super().readable())

    def handle_read(self) -> None:
        if not self._lingers_until:
            super().handle_read()
            return
        try:
            came = len(self.recv(self.adj.recv_bytes))
        except OSError:
            came = 0
        self._got += came
        going = came and time.monotonic() < self._lingers_until and self._got < LINGER
        if not going and self.connected:
            self.handle_close()
