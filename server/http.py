"""How the API speaks: JSON bodies in, JSON or `application/problem+json` out. Hides Flask's own error pages.

A problem has `status`, a stable `code`, `title`, a plain `detail`, often a `hint`, and the `field` for bad input.
"""

from __future__ import annotations

import errno
import json
import logging
import uuid
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from pipeline.errors import DiskFull, ProductError
from server.wiring import Services

log = logging.getLogger(__name__)

STATUS = {
    "invalid_input": 422,
    "not_found": 404,
    "conflict": 409,
    "stale_version": 409,
    "needs_setup": 409,
    "submit_ambiguous": 409,
    "queue_halted": 409,
    "budget_reached": 402,
    "insufficient_credits": 402,
    "usage_limit": 429,
    "abandoned": 409,
    "moderation_refused": 422,
    "moderation_unavailable": 503,
    "provider_auth": 502,
    "provider_billing": 502,
    "provider_rate_limit": 503,
    "provider_invalid_input": 422,
    "provider_unavailable": 502,
    "provider_timeout": 504,
    "result_expired": 502,
    "download_failed": 502,
    "cancelled": 409,
    "disk_full": 507,
    "store_unavailable": 503,
    "store_damaged": 503,
    "data_folder_in_use": 503,
    "media_missing": 404,
    "bad_media": 422,
    "bad_request": 400,
    "forbidden": 403,
    "login_required": 401,
    "wrong_passphrase": 401,
    "too_many_attempts": 429,
    "wrong_token": 401,
    "hermes_closed": 403,
    "method_not_allowed": 405,
    "too_large": 413,
    "unsupported_media_type": 415,
    "range_not_satisfiable": 416,
    "wrong_host": 421,
    "too_many_streams": 503,
    "shutting_down": 503,
    "engine_failed": 500,
    "engine_timeout": 504,
    "internal": 500,
    "timeout": 408,
    "address_forbidden": 502,
    "store_waiting": 503,
    # A run's own: they end no request, unless one waits for the unit that met them.
    "stage_failed": 409,
    "scene_without_shots": 409,
    "no_frame": 409,
    "no_face": 409,
    "short_clip": 409,
    "letters_missing": 409,
    "missing_clip": 409,
    "missing_picture": 409,
    "edits_kept": 409,
    "preview_used": 409,
    "text_degraded": 409,
    "asked_again": 409,
    "superseded": 409,
    "abandoned_before": 409,
    "interrupted": 502,
    "bad_answer": 502,
    "writer_fault": 502,
}
_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
}
_DETAILS = {
    404: "There is nothing at this address.",
    405: "This address does not take this kind of request.",
    413: "What was sent is too large.",
    416: "The file has no such part.",
}


class Refused(ProductError):
    """A request that is refused before anything looks at what it asks; give it a `code`."""

    code = "bad_request"


def services() -> Services:
    """The running server's parts."""
    return cast(Services, current_app.extensions["services"])


def problem(failure: ProductError, *, status: int | None = None, **extra: Any) -> Response:
    """A failure as an answer; a code without a status of its own is a 500."""
    number = status or STATUS.get(failure.code, 500)
    return problem_of(number, failure.code, failure.detail, hint=failure.hint, field=failure.field, **extra)


def problem_of(
    status: int, code: str, detail: str, *, hint: str = "", field: str | None = None, **extra: Any
) -> Response:
    said: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "code": code}
    said |= {"detail": detail, "hint": hint or None, "field": field} | extra
    body = json.dumps({name: value for name, value in said.items() if value is not None}, ensure_ascii=False)
    response = Response(body.encode("utf-8", "replace"), status=status, mimetype="application/problem+json")
    response.headers["Cache-Control"] = "no-store"
    if status in (503, 507):
        response.headers["Retry-After"] = "5"
    return response


def unchanged(etag: str) -> Response | None:
    """A 304 when the client has this version already."""
    if not request.if_none_match.contains_weak(etag):
        return None
    response = Response(status=304)
    response.set_etag(etag, weak=True)
    return response


def versioned(response: Response, etag: str) -> Response:
    """Marks an answer with its version; clients may keep it, and have to ask whether it still holds."""
    response.set_etag(etag, weak=True)
    response.headers["Cache-Control"] = "no-cache"
    return response


def install_errors(app: Flask) -> None:
    """Every failure becomes a problem: ours, Flask's, and those nobody thought of."""

    def product(failure: ProductError) -> Response:
        if STATUS.get(failure.code, 500) >= 500:
            log.error("%s %r: %s", request.method, request.path, failure)  # a path can hold line breaks
        return problem(failure)

    def http(failure: HTTPException) -> Response:
        status = failure.code or 500
        if status < 400:
            return cast(Response, failure.get_response())
        detail = _DETAILS.get(status, failure.description or HTTPStatus(status).phrase)
        answer = problem_of(status, _CODES.get(status, "bad_request" if status < 500 else "internal"), detail)
        for name, value in failure.get_headers():
            if name.lower() in ("allow", "content-range"):
                answer.headers[name] = value
        return answer

    def unexpected(failure: Exception) -> Response:
        if isinstance(failure, OSError) and failure.errno in (errno.ENOSPC, errno.EDQUOT):
            return product(DiskFull("The disk for temporary files is full.", hint="Free some space and send it again."))
        reference = uuid.uuid4().hex[:8]
        log.error("reference %s: %s %r", reference, request.method, request.path, exc_info=failure)
        detail = f"Something went wrong here that should not have. The server's log has more under {reference}."
        return problem_of(500, "internal", detail, reference=reference)

    app.register_error_handler(ProductError, product)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(Exception, unexpected)
