"""A project's timeline as lists of plain objects: segments, scenes, shots, with names beside the ids."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.store.models import Base, Character, Prop, Scene, SceneCharacter, SceneProp, ScriptSegment, Set, Shot


def segments_view(session: Session, project_id: int) -> list[dict[str, Any]]:
    """The script in order; `speaker` is the speaking character's name, null for narration."""
    query = (
        select(ScriptSegment, Character.name)
        .outerjoin(Character, Character.id == ScriptSegment.speaker_id)
        .where(ScriptSegment.project_id == project_id)
        .order_by(ScriptSegment.idx)
    )
    return [_row(segment) | {"speaker": name} for segment, name in session.execute(query)]


def scenes_view(session: Session, project_id: int) -> list[dict[str, Any]]:
    """The scenes in order, each with the names of its set, its characters and its props."""
    query = (
        select(Scene, Set.name)
        .outerjoin(Set, Set.id == Scene.set_id)
        .where(Scene.project_id == project_id)
        .order_by(Scene.idx)
    )
    cast = _names(session, project_id, SceneCharacter, SceneCharacter.character_id, Character)
    props = _names(session, project_id, SceneProp, SceneProp.prop_id, Prop)
    return [
        _row(scene) | {"set": name, "characters": cast.get(scene.id, []), "props": props.get(scene.id, [])}
        for scene, name in session.execute(query)
    ]


def shots_view(session: Session, project_id: int) -> list[dict[str, Any]]:
    """The shots in order; `scene` is the scene's index, `speaker` a name."""
    query = (
        select(Shot, Scene.idx, Character.name)
        .join(Scene, Scene.id == Shot.scene_id)
        .outerjoin(Character, Character.id == Shot.speaker_id)
        .where(Shot.project_id == project_id)
        .order_by(Shot.idx)
    )
    return [_row(shot) | {"scene": scene, "speaker": speaker} for shot, scene, speaker in session.execute(query)]


def _row(row: Base) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def _names(session: Session, project_id: int, link: Any, entity_id: Any, entity: Any) -> dict[int, list[str]]:
    query = (
        select(link.scene_id, entity.name)
        .join(entity, entity.id == entity_id)
        .join(Scene, Scene.id == link.scene_id)
        .where(Scene.project_id == project_id)
        .order_by(entity.sort_order, entity.id)
    )
    names: dict[int, list[str]] = {}
    for scene_id, name in session.execute(query):
        names.setdefault(scene_id, []).append(name)
    return names
