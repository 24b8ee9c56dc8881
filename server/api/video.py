"""The film as a file: to watch, to download, with its captions and its poster; and the queue of its clips."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from pipeline.contracts import Lane
from pipeline.errors import Conflict
from pipeline.projects import clip_rows, live_project
from pipeline.store.models import Project
from server.files import download_name, send_media
from server.http import services

room = Blueprint("video", __name__, url_prefix="/api/projects/<int:project_id>")


def _project(project_id: int) -> Project:
    with services().store.db.read() as session:
        return live_project(session, project_id)


def _made(url: str | None, what: str, project_id: int) -> str:
    """Raises Conflict, with the run's state, when there is nothing to send yet."""
    if url:
        return url
    state = services().runner.status(project_id)["state"]
    raise Conflict(f"The {what} is not there yet; the making of the film is {state}.", hint="Make the film first.")


@room.get("/download-video")
def download(project_id: int) -> Response:
    project = _project(project_id)
    url = _made(project.film_url, "film", project_id)
    return send_media(services().store.media, url, name=download_name(project.title, "mp4"))


@room.get("/film")
def film(project_id: int) -> Response:
    url = _made(_project(project_id).film_url, "film", project_id)
    return send_media(services().store.media, url)


@room.get("/poster")
def poster(project_id: int) -> Response:
    url = _made(_project(project_id).poster_url, "poster", project_id)
    return send_media(services().store.media, url)


@room.get("/captions.<any(vtt, srt):kind>")
def captions(project_id: int, kind: str) -> Response:
    meta: dict[str, Any] = _project(project_id).film_meta or {}
    url = _made(meta.get(f"{kind}_url"), "captions file", project_id)
    return send_media(services().store.media, url)


@room.get("/video-status")
def video_status(project_id: int) -> Response:
    """The video queue as far as this project is concerned, and where each shot's clip stands."""
    _project(project_id)
    parts = services()
    lane = parts.runner.lanes[Lane.VIDEO]

    def idle() -> bool:
        return not lane.active(project_id) and not lane.waiting(project_id)

    shots = clip_rows(parts.store, project_id, idle=idle)
    parts.runner.loose.watch()  # rows whose clip a provider still has are taken up by its handle
    return jsonify(
        {
            "active": len(lane.active(project_id)),
            "waiting": len(lane.waiting(project_id)),
            "halted": parts.runner.generator.halted("video"),
            "maxConcurrent": lane.parallel,
            "shots": shots,
        }
    )
