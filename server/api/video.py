"""The film as a file: to watch, to download, with its captions and its poster; and the queue of its clips."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from pipeline.contracts import Lane
from pipeline.errors import Conflict
from pipeline.projects import clip_rows, live_project
from pipeline.store.models import Project
from server.contract import Answer, Raw, api
from server.files import download_name, send_media
from server.http import services

room = Blueprint("video", __name__, url_prefix="/api/projects/<int:project_id>")

_MP4 = Raw(("video/mp4",), ranges=True)
_PICTURE = Raw(("image/jpeg", "image/png"), ranges=True)
_CAPTIONS = Raw(("text/vtt", "application/x-subrip"), ranges=True)
_NOT_YET = ("conflict", "media_missing")


class ShotClip(Answer):
    id: int
    idx: int
    video_status: str
    video_url: str | None
    video_problem: str | None
    actual_video_duration_ms: int | None
    lipsync_status: str
    lipsync_url: str | None


class VideoStatus(Answer):
    """`active` clips hold one of `maxConcurrent` places; those in `checking` have come, and are fetched and brought to
    form without one. `halted` is the code of what stopped the queue, null while it goes on."""

    active: int
    checking: int
    waiting: int
    halted: str | None
    maxConcurrent: int
    shots: list[ShotClip]


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
@api(answers={200: _MP4}, problems=_NOT_YET)
def download(project_id: int) -> Response:
    """Downloads the film under its title."""
    project = _project(project_id)
    url = _made(project.film_url, "film", project_id)
    return send_media(services().store.media, url, name=download_name(project.title, "mp4"))


@room.get("/film")
@api(answers={200: _MP4}, problems=_NOT_YET)
def film(project_id: int) -> Response:
    """Sends the film to be watched."""
    url = _made(_project(project_id).film_url, "film", project_id)
    return send_media(services().store.media, url)


@room.get("/poster")
@api(answers={200: _PICTURE}, problems=_NOT_YET)
def poster(project_id: int) -> Response:
    """Sends the film's poster."""
    url = _made(_project(project_id).poster_url, "poster", project_id)
    return send_media(services().store.media, url)


@room.get("/captions.<any(vtt, srt):kind>")
@api(answers={200: _CAPTIONS}, problems=_NOT_YET)
def captions(project_id: int, kind: str) -> Response:
    """Sends the film's captions."""
    meta: dict[str, Any] = _project(project_id).film_meta or {}
    url = _made(meta.get(f"{kind}_url"), "captions file", project_id)
    return send_media(services().store.media, url)


@room.get("/video-status")
@api(answers={200: VideoStatus})
def video_status(project_id: int) -> dict[str, Any]:
    """Tells how the video queue stands for this project, and each shot's clip."""
    _project(project_id)
    parts = services()
    lane = parts.runner.lanes[Lane.VIDEO]

    def idle() -> bool:
        return lane.idle(project_id)

    shots = clip_rows(parts.store, project_id, idle=idle)
    parts.runner.loose.watch()  # rows whose clip a provider still has are taken up by its handle
    return {
        "active": len(lane.active(project_id)),
        "checking": len(lane.settling(project_id)),
        "waiting": len(lane.waiting(project_id)),
        "halted": parts.runner.generator.halted("video"),
        "maxConcurrent": lane.parallel,
        "shots": shots,
    }
