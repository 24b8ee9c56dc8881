"""The script, the scenes and the shots of a project, as lists."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response

from pipeline.projects import live_project
from pipeline.projects.documents import SceneView, SegmentView, ShotView, timeline_json
from server.contract import Page, api, json_text, of_project
from server.http import services

room = Blueprint("timeline", __name__, url_prefix="/api/projects/<int:project_id>")


@room.get("/segments")
@api(answers={200: Page[SegmentView]}, polled=of_project)
def segments(project_id: int) -> Response:
    """Lists the script's segments in order."""
    return _list(project_id, "segments")


@room.get("/scenes")
@api(answers={200: Page[SceneView]}, polled=of_project)
def scenes(project_id: int) -> Response:
    """Lists the scenes in order."""
    return _list(project_id, "scenes")


@room.get("/shots")
@api(answers={200: Page[ShotView]}, polled=of_project)
def shots(project_id: int) -> Response:
    """Lists the shots in order."""
    return _list(project_id, "shots")


def _list(project_id: int, what: Literal["segments", "scenes", "shots"]) -> Response:
    with services().store.db.read() as session:
        live_project(session, project_id)
        items = timeline_json(session.connection(), project_id, what)
    return json_text(f'{{"items":{items},"next":null}}')
