"""Of the server itself: whether the process lives, whether it can do its work, and what its API is."""

from __future__ import annotations

import json
import shutil
from typing import Literal

from flask import Blueprint, Response, current_app
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from server.contract import Answer, Raw, api, json_text
from server.http import Refused, services
from server.metrics import Metrics
from server.openapi import description

room = Blueprint("health", __name__)

_LEAST_FREE = 32 << 20


class Alive(Answer):
    status: Literal["ok"]


class Ready(Answer):
    """`cursor` is the newest event; `database_wait_s`: for how long a write has been waiting for another program."""

    status: Literal["ready"]
    cursor: int
    database_wait_s: float


@room.get("/healthz")
@api(answers={200: Alive}, security=None)
def healthz() -> Alive:
    """Whether the process lives.

    Touches nothing, so that it answers at once whatever else is going on.
    """
    return Alive(status="ok")


@room.get("/readyz")
@api(answers={200: Ready}, problems=("shutting_down", "disk_full"), security=None)
def readyz() -> Ready:
    """Whether the server can do its work.

    A problem when it is shutting down, the database cannot be read, or the disk is about to be full.
    """
    parts = services()
    if parts.closing.is_set():
        raise Refused("The server is shutting down.", code="shutting_down")
    cursor = parts.store.events.newest()
    if shutil.disk_usage(parts.settings.data_dir).free < _LEAST_FREE:
        raise Refused("The disk of the data folder is almost full.", hint="Free some space.", code="disk_full")
    return Ready(status="ready", cursor=cursor, database_wait_s=round(parts.store.db.blocked_s, 1))


@room.get("/metrics")
@api(answers={200: Raw(("text/plain",))})
def metrics() -> Response:
    """The server in figures, for Prometheus."""
    found: Metrics = current_app.extensions["metrics"]
    return Response(found.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


@room.get("/api/openapi.json")
@api(answers={200: Raw(("application/json",))})
def openapi() -> Response:
    """This description, in OpenAPI 3.1."""
    return json_text(json.dumps(description(current_app, title="Video Story", version="1"), ensure_ascii=False))
