"""The script, the scenes and the shots of a project, as lists."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from pipeline.projects import live_project, scenes_view, segments_view, shots_view
from server.http import services, unchanged, versioned

room = Blueprint("timeline", __name__, url_prefix="/api/projects/<int:project_id>")

_VIEWS = {"segments": segments_view, "scenes": scenes_view, "shots": shots_view}


@room.get("/<any(segments, scenes, shots):what>")
def show(project_id: int, what: str) -> Response:
    parts = services()
    etag = f"{parts.store.boot_id}-{parts.store.events.newest(project_id)}"
    with parts.store.db.read() as session:
        live_project(session, project_id)
        same = unchanged(etag)
        if same is not None:
            return same
        items = _VIEWS[what](session, project_id)
    return versioned(jsonify({"items": items, "next": None}), etag)
