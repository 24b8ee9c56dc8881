"""Scenes as users edit them: where and when they are, who and what is in them, where they begin, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.errors import Conflict, InvalidInput
from pipeline.projects.editing.arrangement import Arrangement, Group, find, permuted, touch
from pipeline.store.laying import mark
from pipeline.store.ledger import copy_unit
from pipeline.store.models import Character, Project, Prop, Scene, SceneCharacter, SceneProp, ScriptSegment, Set, Shot

_LIGHT = ("set_id", "time_of_day", "weather", "mood")


def change_scene(session: Session, scene_id: int, fields: Mapping[str, Any], *, seen: int | None = None) -> Scene:
    """Changes title, set_id, time_of_day, weather, mood, and (as lists of ids) characters and props.

    Raises NotFound, InvalidInput with `field`, Conflict.
    """
    project, scene = find(session, Scene, scene_id, seen)
    if fields.get("set_id") is not None:
        _known(session, project.id, Set, [fields["set_id"]], "set_id")
    columns = {name: value for name, value in fields.items() if name not in ("characters", "props")}
    changed = [name for name, value in columns.items() if getattr(scene, name) != value]
    for name in changed:
        setattr(scene, name, columns[name])
    if "characters" in fields:
        _known(session, project.id, Character, fields["characters"], "characters")
        session.execute(delete(SceneCharacter).where(SceneCharacter.scene_id == scene.id))
        chosen = dict.fromkeys(fields["characters"])
        session.add_all(SceneCharacter(scene_id=scene.id, character_id=one) for one in chosen)
        changed.append("characters")
    if "props" in fields:
        _known(session, project.id, Prop, fields["props"], "props")
        session.execute(delete(SceneProp).where(SceneProp.scene_id == scene.id))
        session.add_all(SceneProp(scene_id=scene.id, prop_id=one) for one in dict.fromkeys(fields["props"]))
        changed.append("props")
    if changed:
        touch(scene, *changed)
    if any(name in _LIGHT for name in changed):
        for shot in session.scalars(select(Shot).where(Shot.scene_id == scene.id)):
            if shot.first_frame_url and "first_frame" not in shot.own_slots:
                mark(shot, "first_frame", "scene")
    session.flush()
    return scene


def split_scene(session: Session, scene_id: int, segment_id: int, *, seen: int | None = None) -> Scene:
    """Two scenes of one, the second from that segment on, like the first in all else; returns the second."""
    project, scene = find(session, Scene, scene_id, seen)
    arrangement = Arrangement(session, project)
    group = _group(arrangement, scene)
    at = next((place for place, one in enumerate(group.segments) if one.id == segment_id), 0)
    if at == 0:
        hint = "Name a segment of this scene other than its first."
        raise InvalidInput("The scene cannot be split there.", hint=hint, field="segment_id")
    names = ("title", "set_id", "time_of_day", "weather", "mood")
    new = Scene(
        project_id=project.id,
        idx=-1,
        first_segment_idx=0,
        last_segment_idx=0,
        version=0,
        **{name: getattr(scene, name) for name in names},
    )
    session.add(new)
    session.flush()
    _share(session, scene, new)
    moved = group.segments[at:]
    number = scene.idx
    if scene.cuts is not None:
        there = {one.id for one in moved}
        new.cuts = [cut for cut in scene.cuts if cut["segment"] in there]
        scene.cuts = [cut for cut in scene.cuts if cut["segment"] not in there]
    touch(scene, "segments")
    touch(new, "segments")
    group.segments = group.segments[:at]
    arrangement.groups.insert(arrangement.groups.index(group) + 1, Group(new, moved))
    arrangement.write()
    copy_unit(session, project.id, f"shots/{number}", f"shots/{new.idx}")
    return new


def merge_scene(session: Session, scene_id: int, *, seen: int | None = None) -> Scene:
    """One scene of this and the next; it keeps its set and light. Raises Conflict for the last scene."""
    project, scene = find(session, Scene, scene_id, seen)
    arrangement = Arrangement(session, project)
    group = _group(arrangement, scene)
    place = arrangement.groups.index(group)
    if place + 1 == len(arrangement.groups):
        raise Conflict("There is no next scene to merge it with.", hint="Choose the one before it.")
    other = arrangement.groups.pop(place + 1)
    assert other.scene is not None
    _share(session, other.scene, scene)
    if scene.cuts is not None or other.scene.cuts is not None:
        # Beside cuts of the user's there are no cuts of the clock: there, each segment begins a shot of its own.
        scene.cuts = [*_cuts(group), _begin(other.segments[0]), *_cuts(other)]
    group.segments += other.segments
    touch(scene, "segments")
    arrangement.write()
    return scene


def order_scenes(session: Session, project: Project, order: Sequence[int]) -> None:
    """Puts the scenes, with what is said in them, in this order of ids. Raises InvalidInput, Conflict."""
    arrangement = Arrangement(session, project)
    groups = {group.scene.id: group for group in arrangement.groups if group.scene}
    permuted(list(groups), order, "scenes")
    for one, group in zip(order, arrangement.groups, strict=True):
        if group.scene is not None and group.scene.id != one:
            touch(group.scene, "segments")
    arrangement.groups = [groups[one] for one in order]
    for group in arrangement.groups:
        touch(group.segments[0], "place")
    arrangement.write()


def remove_scene(session: Session, scene_id: int) -> Project:
    """Takes the scene out of the film with all that is said in it. Raises Conflict for the last one."""
    project, scene = find(session, Scene, scene_id)
    arrangement = Arrangement(session, project)
    group = _group(arrangement, scene)
    place = arrangement.groups.index(group)
    arrangement.groups.remove(group)
    if arrangement.groups:
        beside = arrangement.groups[min(place, len(arrangement.groups) - 1)]
        touch(beside.segments[0], "place")
        if beside.scene is not None:
            touch(beside.scene, "segments")
    arrangement.write()
    return project


def _group(arrangement: Arrangement, scene: Scene) -> Group:
    return next(group for group in arrangement.groups if group.scene is not None and group.scene.id == scene.id)


def _cuts(group: Group) -> list[dict[str, Any]]:
    assert group.scene is not None
    if group.scene.cuts is not None:
        return list(group.scene.cuts)
    return [_begin(segment) for segment in group.segments[1:]]


def _begin(segment: ScriptSegment) -> dict[str, Any]:
    return {"segment": segment.id, "char": 0, "ms": 0, "audio": segment.audio_url}


def _share(session: Session, source: Scene, to: Scene) -> None:
    """Who and what is in one scene is in the other too."""
    for link, column in ((SceneCharacter, "character_id"), (SceneProp, "prop_id")):
        ids = select(getattr(link, column)).where(link.scene_id == source.id)
        there = set(session.scalars(select(getattr(link, column)).where(link.scene_id == to.id)))
        for one in session.scalars(ids).all():
            if one not in there:
                session.add(link(scene_id=to.id, **{column: one}))
    session.flush()


def _known(session: Session, project_id: int, table: Any, ids: Sequence[int], field: str) -> None:
    found = set(session.scalars(select(table.id).where(table.project_id == project_id, table.id.in_(ids))))
    if missing := [one for one in ids if one not in found]:
        raise InvalidInput(f"There is nothing with the id {missing[0]} in this film.", field=field)
