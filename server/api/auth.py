"""Logging in and out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from flask import Blueprint, Response, request
from pydantic import Field

from server.auth import COOKIE, LASTS_S, Session, TooManyAttempts, login
from server.contract import Answer, Body, api, json_text
from server.http import problem
from server.safety import by_tls

room = Blueprint("auth", __name__, url_prefix="/api")


class Passphrase(Body):
    passphrase: Annotated[str, Field(max_length=1000)]


class Leaving(Body):
    """`everywhere` ends the logins of all devices."""

    everywhere: bool = False


class SessionView(Answer):
    """`login_required`: the server has a passphrase. `logged_in`: this client may use it. `expires_at`: until when."""

    login_required: bool
    logged_in: bool
    expires_at: str | None


@room.get("/session")
@api(answers={200: SessionView}, security=None)
def session() -> SessionView:
    """Whether this client is logged in, and has to be."""
    return _view(login().session(request.cookies.get(COOKIE)))


@room.post("/login")
@api(
    body=Passphrase,
    answers={200: SessionView},
    problems=("wrong_passphrase", "too_many_attempts"),
    security=None,
)
def enter(body: Passphrase) -> SessionView | Response:
    """Logs in with the passphrase; the answer sets the cookie.

    Ten wrong ones from an address in a quarter of an hour, or a hundred from all, and nobody there can log in for a
    while (`Retry-After`); who is logged in stays so. Where the server has no passphrase there is nothing to do.
    """
    if not login().required:
        return _view(None)
    try:
        cookie, entered = login().enter(body.passphrase, request.remote_addr or "")
    except TooManyAttempts as failure:
        refusal = problem(failure)
        refusal.headers["Retry-After"] = str(failure.retry_after)
        return refusal
    response = json_text(_view(entered).model_dump_json())
    response.set_cookie(COOKIE, cookie, max_age=LASTS_S, httponly=True, samesite="Strict", secure=by_tls())
    return response


@room.post("/logout")
@api(body=Leaving, answers={204: None})
def leave(body: Leaving) -> Response:
    """Logs out this client, or all."""
    current = login().session(request.cookies.get(COOKIE))
    if body.everywhere:
        login().leave_everywhere()
    elif current is not None:
        login().leave(current)
    response = Response(status=204)
    response.delete_cookie(COOKIE, httponly=True, samesite="Strict", secure=by_tls())
    return response


def _view(current: Session | None) -> SessionView:
    required = login().required
    until = datetime.fromtimestamp(current.expires_at, UTC).isoformat().replace("+00:00", "Z") if current else None
    return SessionView(login_required=required, logged_in=current is not None or not required, expires_at=until)
