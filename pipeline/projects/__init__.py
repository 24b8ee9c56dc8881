"""Projects as users know them: made, listed, changed, deleted, read. Hides which rows a project is spread over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.errors import Conflict, InvalidInput, NotFound
from pipeline.projects.clips import clip_rows
from pipeline.projects.fields import ProjectFields, checked_fields, checked_story, invalid, title_of
from pipeline.projects.film_report import report
from pipeline.projects.views import scenes_view, segments_view, shots_view
from pipeline.store.models import Project, Run, utc_now
from pipeline.writer.text import has_words

__all__ = [
    "ProjectFields",
    "change_project",
    "checked_fields",
    "checked_story",
    "clip_rows",
    "create_project",
    "delete_project",
    "invalid",
    "list_projects",
    "live_project",
    "project_view",
    "report",
    "scenes_view",
    "segments_view",
    "shots_view",
]

_HIDDEN = {"options", "film_meta", "deleted_at", "narration_wav_url"}
_PAGE = 20
_LARGEST_PAGE = 100


def create_project(
    session: Session, fields: Mapping[str, Any], *, max_story_words: int, options: dict[str, Any] | None = None
) -> Project:
    """Adds a project to a write that is under way. Raises InvalidInput, whose `field` is the column.

    Without a story it needs an idea, from which the run writes one; a title that comes from the idea gives way to the
    story's own then.
    """
    from_idea = has_words(str(fields.get("idea") or "")) and not str(fields.get("story") or "").strip()
    wanted = {name: value for name, value in fields.items() if not (from_idea and name == "story")}
    given = checked_fields(wanted, max_story_words=max_story_words)
    if "story" not in given and not from_idea:
        raise InvalidInput("A film needs a story.", hint="Write or paste one, or give an idea for one.", field="story")
    kept = dict(options or {})
    if not given.get("title"):
        given["title"] = title_of(given["idea"] if from_idea else given["story"])
        kept |= {"title": "idea"} if from_idea else {}
    project = Project(**given, narrator_voice_chosen=bool(given.get("narrator_voice")), options=kept)
    session.add(project)
    session.flush()
    return project


def change_project(session: Session, project_id: int, fields: Mapping[str, Any], *, max_story_words: int) -> Project:
    """Changes the given fields. Raises NotFound, InvalidInput, and Conflict when the story changes under a live run."""
    project = live_project(session, project_id)
    given = checked_fields(fields, max_story_words=max_story_words)
    running = session.scalar(select(func.count()).where(Run.project_id == project_id, Run.state == "running"))
    if running and given.get("story", project.story) != project.story:
        raise Conflict("The film is being made from this story.", hint="Pause it before you change the story.")
    for name, value in given.items():
        setattr(project, name, value)
    if "narrator_voice" in given:
        project.narrator_voice_chosen = bool(given["narrator_voice"])
    project.version += 1
    session.flush()
    return project


def delete_project(session: Session, project_id: int) -> None:
    """Hides a project from then on; its files stay in the media store. Raises NotFound."""
    live_project(session, project_id).deleted_at = utc_now()


def live_project(session: Session, project_id: int) -> Project:
    """The project, unless it was deleted. Raises NotFound."""
    project = session.get(Project, project_id)
    if project is None or project.deleted_at is not None:
        raise NotFound("There is no such project.", hint="It may have been deleted.")
    return project


def project_view(session: Session, project_id: int) -> dict[str, Any]:
    """A project as the API shows it: its columns, its `state` and its film's length. Raises NotFound."""
    project = live_project(session, project_id)
    return _view(project, _states(session, [project_id]).get(project_id, "idle"))


def list_projects(session: Session, *, cursor: str | None = None, limit: int = _PAGE) -> dict[str, Any]:
    """`{"items", "next"}`, newest first, without stories. `cursor` is a former answer's `next`. Raises InvalidInput."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        raise InvalidInput("This cursor is not one of ours.", hint="Start again without it.", field="cursor")
    size = max(1, min(limit, _LARGEST_PAGE))
    query = select(Project).where(Project.deleted_at.is_(None)).order_by(Project.id.desc()).limit(size + 1)
    if cursor is not None:
        query = query.where(Project.id < int(cursor))
    projects = session.scalars(query).all()
    page = projects[:size]
    states = _states(session, [project.id for project in page])
    items = [_view(project, states.get(project.id, "idle"), brief=True) for project in page]
    return {"items": items, "next": str(page[-1].id) if len(projects) > size else None}


def _view(project: Project, state: str, *, brief: bool = False) -> dict[str, Any]:
    hidden = _HIDDEN | {"story", "idea"} if brief else _HIDDEN
    shown = {name: getattr(project, name) for name in Project.__table__.columns.keys() if name not in hidden}  # noqa: SIM118
    return shown | {"state": state}


def _states(session: Session, ids: list[int]) -> dict[int, str]:
    """The state of each project's latest run."""
    latest = (
        select(Run.project_id, Run.state, func.max(Run.started_at))
        .where(Run.project_id.in_(ids))
        .group_by(Run.project_id)
    )
    return {row.project_id: row.state for row in session.execute(latest)}
