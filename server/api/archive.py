"""A project as one file, taken out and in; a second one like it."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Response, request
from werkzeug.datastructures import FileStorage

from pipeline.projects import live_project
from pipeline.projects.archive import archive, duplicate, take_in
from pipeline.projects.documents import ProjectView, project_json
from pipeline.projects.intake import MOST_BYTES
from server.contract import Files, Raw, Turn, api
from server.files import download_name
from server.http import services
from server.outgoing import Outgoing

room = Blueprint("archive", __name__, url_prefix="/api/projects")

_TYPE = "application/zip"


@room.get("/<int:project_id>/archive")
@api(answers={200: Raw((_TYPE,))})
def take_out(project_id: int) -> Response:
    """Exports a project with all of its media as one file, which can be imported here or elsewhere."""
    store = services().store
    with store.db.read() as session:
        title = live_project(session, project_id).title
    response = Response(_sent(Outgoing(request.environ), archive(store, project_id)), mimetype=_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=download_name(title, "zip"))
    response.headers["Cache-Control"] = "no-store"
    return response


def _sent(way: Outgoing, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Given up for a client that takes nothing, who would keep a thread for ever."""
    with way:
        yield from way.copied(pieces)


@room.post("/import")
@api(
    files=Files("file", MOST_BYTES, types=(_TYPE,)),
    answers={201: ProjectView},
    problems=("too_large", "bad_media", "engine_timeout"),
    location="/api/projects/{id}",
)
def bring_in(files: list[FileStorage]) -> ProjectView:
    """Imports a project from an archive; all of it, or nothing."""
    parts = services()
    with parts.cleaner.held():
        most = parts.settings.max_story_words
        project_id = take_in(parts.store, parts.uploads, files[0].stream, max_story_words=most)
    with parts.store.db.reading() as connection:
        return ProjectView.model_validate_json(project_json(connection, project_id))


@room.post("/<int:project_id>/duplicate")
@api(answers={201: ProjectView}, spends=True, location="/api/projects/{id}")
def copy(project_id: int, turn: Turn) -> ProjectView:
    """Makes another project like this one, with the same pictures and clips."""
    parts = services()
    with parts.store.db.write(durable=True) as session:
        project = duplicate(session, project_id)
        text = "The project was made as a copy of another."
        parts.store.events.append(session, project_id=project.id, kind="project", text=text)
        view = ProjectView.model_validate_json(project_json(session.connection(), project.id))
        turn.keep(session, view)
    return view
