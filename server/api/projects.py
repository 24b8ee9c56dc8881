"""Projects: list, create, read, change, delete."""

from __future__ import annotations

import json
from contextlib import suppress

from flask import Blueprint, Response

from pipeline.errors import Conflict
from pipeline.projects import ProjectFields, change_project, create_project, delete_project
from pipeline.projects.documents import ListedProject, ProjectView, page_of_projects, project_json, projects_json
from server.contract import Page, Paged, Turn, Version, api, json_text, of_everything, of_project
from server.http import services

room = Blueprint("projects", __name__, url_prefix="/api/projects")


class ProjectChanges(ProjectFields):
    """Only what is given changes."""

    version: Version = None


@room.get("")
@api(query=Paged, answers={200: Page[ListedProject]}, polled=of_everything)
def index(query: Paged) -> Response:
    """Lists the projects, newest first; running ones say how far they are."""
    parts = services()
    with parts.store.db.reading() as connection:
        found = page_of_projects(connection, cursor=query.cursor, limit=query.limit)
        page = dict(found[: query.limit])
        progress: dict[int, tuple[int, str | None]] = {}
        progress |= {project_id: (100 if state == "done" else 0, None) for project_id, state in page.items()}
        progress |= parts.runner.progress_of([one for one, state in page.items() if state not in ("idle", "done")])
        items = projects_json(connection, list(page), progress)
    following = json.dumps(str(min(page))) if len(found) > query.limit else "null"
    return json_text(f'{{"items":{items},"next":{following}}}')


@room.post("")
@api(body=ProjectFields, answers={201: ProjectView}, spends=True, location="/api/projects/{id}")
def create(body: ProjectFields, turn: Turn) -> ProjectView:
    """Creates a project from a story, or from an idea for one."""
    parts = services()
    with parts.store.db.write(durable=True) as session:
        fields = body.model_dump(exclude_unset=True)
        project = create_project(session, fields, max_story_words=parts.settings.max_story_words)
        parts.store.events.append(session, project_id=project.id, kind="project", text="The project was created.")
        view = ProjectView.model_validate_json(project_json(session.connection(), project.id))
        turn.keep(session, view)
    return view


@room.get("/<int:project_id>")
@api(answers={200: ProjectView}, polled=of_project)
def read(project_id: int) -> Response:
    """Reads a project."""
    with services().store.db.reading() as connection:
        return json_text(project_json(connection, project_id))


@room.patch("/<int:project_id>")
@api(body=ProjectChanges, answers={200: ProjectView}, problems=("conflict", "stale_version"))
def change(project_id: int, body: ProjectChanges) -> Response:
    """Changes the given fields of a project."""
    parts = services()
    fields = body.model_dump(exclude_unset=True, exclude={"version"})
    with parts.store.db.write(durable=True) as session:
        change_project(session, project_id, fields, seen=body.version, max_story_words=parts.settings.max_story_words)
        parts.store.events.append(session, project_id=project_id, kind="project", text="The project was changed.")
        return json_text(project_json(session.connection(), project_id))


@room.delete("/<int:project_id>")
@api(answers={204: None})
def delete(project_id: int) -> None:
    """Deletes a project; its run and its jobs are stopped, and files that nothing else needs are removed."""
    parts = services()
    with suppress(Conflict):  # nothing is being made
        parts.runner.cancel(project_id)
    with parts.store.db.write(durable=True) as session:
        delete_project(session, project_id)
        parts.store.events.append(session, project_id=project_id, kind="project", text="The project was deleted.")
    parts.runner.jobs.cancel_of_project(project_id)
    parts.cleaner.wake()
