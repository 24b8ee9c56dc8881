"""A project's timeline as lists of plain objects, for reports: what the API shows, read back."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.orm import Session

from pipeline.projects.documents import timeline_json


def segments_view(session: Session, project_id: int) -> list[dict[str, Any]]:
    """The script in order; `speaker` is the speaking character's name, null for narration."""
    return _objects(timeline_json(session.connection(), project_id, "segments"))


def scenes_view(session: Session, project_id: int) -> list[dict[str, Any]]:
    """The scenes in order, each with the names of its set, its characters and its props."""
    return _objects(timeline_json(session.connection(), project_id, "scenes"))


def shots_view(session: Session, project_id: int) -> list[dict[str, Any]]:
    """The shots in order; `scene` is the scene's index, `speaker` a name."""
    return _objects(timeline_json(session.connection(), project_id, "shots"))


def _objects(text: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)
    return found
