"""Projects as users know them: made, listed, changed, deleted, read. Hides which rows a project is spread over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.errors import Conflict, InvalidInput, NotFound
from pipeline.film.options import FilmOptions, film_options, with_choices
from pipeline.projects.clips import clip_rows
from pipeline.projects.entities import drop_built_prompts
from pipeline.projects.fields import (
    ProjectFields,
    Text,
    check_version,
    checked_fields,
    checked_story,
    invalid,
    title_of,
)
from pipeline.projects.film_report import report
from pipeline.projects.views import scenes_view, segments_view, shots_view
from pipeline.store.models import Project, Run, utc_now
from pipeline.writer.text import has_words

__all__ = [
    "ProjectFields",
    "Text",
    "change_project",
    "check_version",
    "checked_fields",
    "checked_story",
    "clip_rows",
    "create_project",
    "delete_project",
    "invalid",
    "live_project",
    "report",
    "scenes_view",
    "segments_view",
    "shots_view",
]


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
    columns, chosen = _parted(given)
    project = Project(
        **columns, narrator_voice_chosen=bool(given.get("narrator_voice")), options=with_choices(kept, chosen)
    )
    _check_draft(project)
    session.add(project)
    session.flush()
    return project


def change_project(
    session: Session, project_id: int, fields: Mapping[str, Any], *, max_story_words: int, seen: int | None = None
) -> Project:
    """Changes the given fields; `seen` is the version that the user looked at.

    Raises NotFound, InvalidInput, and Conflict when the story changes under a live run or `seen` is an old version.
    """
    project = live_project(session, project_id)
    check_version(project.version, seen)
    given = checked_fields(fields, max_story_words=max_story_words)
    running = session.scalar(select(func.count()).where(Run.project_id == project_id, Run.state == "running"))
    if running and given.get("story", project.story) != project.story:
        raise Conflict("The film is being made from this story.", hint="Pause it before you change the story.")
    if given.get("style", project.style) != project.style:
        drop_built_prompts(session, project_id)
    columns, chosen = _parted(given)
    for name, value in columns.items():
        setattr(project, name, value)
    project.options = with_choices(project.options, chosen)
    _check_draft(project)
    if "narrator_voice" in given:
        project.narrator_voice_chosen = bool(given["narrator_voice"])
    project.version += 1
    session.flush()
    return project


def _parted(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The given fields: those that are columns, and those that are choices about the film."""
    names = FilmOptions.model_fields.keys()
    return (
        {name: value for name, value in given.items() if name not in names},
        {name: value for name, value in given.items() if name in names},
    )


def _check_draft(project: Project) -> None:
    """Raises InvalidInput where a draft is to be paid for."""
    paid = [kind for kind in ("image", "video", "lipsync") if getattr(project, f"render_{kind}") == "paid"]
    if film_options(project.options).quality == "draft" and paid:
        raise InvalidInput(
            f"A draft is drawn by the built-in engines, so its {paid[0]} work cannot be paid work.",
            hint=f"Leave render_{paid[0]} at auto, or ask for full quality.",
            field="quality",
        )


def delete_project(session: Session, project_id: int) -> None:
    """Hides a project from then on; its files stay in the media store. Raises NotFound."""
    live_project(session, project_id).deleted_at = utc_now()


def live_project(session: Session, project_id: int) -> Project:
    """The project, unless it was deleted. Raises NotFound."""
    project = session.get(Project, project_id)
    if project is None or project.deleted_at is not None:
        raise NotFound("There is no such project.", hint="It may have been deleted.")
    return project
