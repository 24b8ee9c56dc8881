"""Whether the process lives, and whether it can do its work."""

from __future__ import annotations

import shutil

from flask import Blueprint, Response, jsonify

from server.http import Refused, services

room = Blueprint("health", __name__)

_LEAST_FREE = 32 << 20


@room.get("/healthz")
def healthz() -> Response:
    """Touches nothing, so that it answers at once whatever else is going on."""
    return jsonify({"status": "ok"})


@room.get("/readyz")
def readyz() -> Response:
    """A problem when the server is shutting down, the database cannot be read, or the disk is about to be full."""
    parts = services()
    if parts.closing.is_set():
        raise Refused("The server is shutting down.", code="shutting_down")
    cursor = parts.store.events.newest()
    if shutil.disk_usage(parts.settings.data_dir).free < _LEAST_FREE:
        raise Refused("The disk of the data folder is almost full.", hint="Free some space.", code="disk_full")
    waiting = round(parts.store.db.blocked_s, 1)
    return jsonify({"status": "ready", "cursor": cursor, "database_wait_s": waiting})
