"""Projects: list, create, read, change, delete."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, jsonify, request

from pipeline.errors import Conflict
from pipeline.projects import change_project, create_project, delete_project, list_projects, project_view
from server.http import json_object, services, unchanged, versioned, whole_number

room = Blueprint("projects", __name__, url_prefix="/api/projects")


@room.get("")
def index() -> Response:
    """Newest first; running ones say how far they are."""
    parts = services()
    etag = f"{parts.store.boot_id}-{parts.store.events.newest()}-{request.query_string.decode('latin-1')}"
    same = unchanged(etag)
    if same is not None:
        return same
    limit = whole_number("limit", 20, least=1, most=100)
    with parts.store.db.read() as session:
        page = list_projects(session, cursor=request.args.get("cursor"), limit=limit)
    for item in page["items"]:
        item |= _progress(item)
    return versioned(jsonify(page), etag)


def _progress(item: dict[str, Any]) -> dict[str, Any]:
    if item["state"] == "done":
        return {"percent": 100, "yoloStep": None}
    if item["state"] == "idle":
        return {"percent": 0, "yoloStep": None}
    status = services().runner.status(item["id"])
    return {"percent": status["percent"], "yoloStep": status["yoloStep"]}


@room.post("")
def create() -> tuple[Response, int]:
    parts, body = services(), json_object()
    with parts.answers.turn(request.headers.get("Idempotency-Key"), request.path, body) as turn:
        if turn.answer is not None:
            status, view = turn.answer
            return _created(view), status
        with parts.store.db.write(durable=True) as session:
            project = create_project(session, body, max_story_words=parts.settings.max_story_words)
            view = project_view(session, project.id)
            parts.store.events.append(session, project_id=project.id, kind="project", text="The project was created.")
            turn.keep(session, 201, view)
    return _created(view), 201


def _created(view: dict[str, Any]) -> Response:
    response = jsonify(view)
    response.headers["Location"] = f"/api/projects/{view['id']}"
    return response


@room.get("/<int:project_id>")
def read(project_id: int) -> Response:
    parts = services()
    # The version is read before the project: one that is newer than what is shown would hide a change.
    etag = f"{parts.store.boot_id}-{parts.store.events.newest(project_id)}"
    with parts.store.db.read() as session:
        view = project_view(session, project_id)
    return unchanged(etag) or versioned(jsonify(view), etag)


@room.patch("/<int:project_id>")
def change(project_id: int) -> Response:
    parts, body = services(), json_object()
    with parts.store.db.write(durable=True) as session:
        change_project(session, project_id, body, max_story_words=parts.settings.max_story_words)
        view = project_view(session, project_id)
        parts.store.events.append(session, project_id=project_id, kind="project", text="The project was changed.")
    return jsonify(view)


@room.delete("/<int:project_id>")
def delete(project_id: int) -> Response:
    """Stops its run, and hides it from then on."""
    parts = services()
    with parts.store.db.read() as session:
        live = project_view(session, project_id)["state"] in ("running", "paused")
    if live:
        with suppress(Conflict):  # it has ended meanwhile
            parts.runner.cancel(project_id)
    with parts.store.db.write(durable=True) as session:
        delete_project(session, project_id)
        parts.store.events.append(session, project_id=project_id, kind="project", text="The project was deleted.")
    return Response(status=204)
