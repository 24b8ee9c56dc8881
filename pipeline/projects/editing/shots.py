"""Shots as users edit them: what is seen and how, where they are cut, whose pictures and clips they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import Conflict, InvalidInput
from pipeline.film.timeline import MAX_SLOT_MS, frame_at
from pipeline.generation.entities import film_form
from pipeline.projects.editing.arrangement import find, lay_now, permuted, refuse_before_spoken, touch
from pipeline.store import versions
from pipeline.store.laying import LOOKS, cuts_of, drop, mark, restaged
from pipeline.store.ledger import forget_units
from pipeline.store.models import Character, Project, Prop, Scene, ScriptSegment, Shot, Version
from pipeline.store.places import ShotSlot, meta_of, show, take_away
from pipeline.store.states import lipsync_status, video_status

# What goes with the pictures when shots change places: the words and their times stay.
_SEEN = (
    *LOOKS,
    "first_frame_url",
    "last_frame_url",
    "frame_meta",
    "video_url",
    "video_meta",
    "actual_video_duration_ms",
    "own_slots",
    "pinned_references",
    "variations",
    "seed",
)


def change_shot(session: Session, shot_id: int, fields: Mapping[str, Any], *, seen: int | None = None) -> Shot:
    """Changes framing, angle, move, subjects (names), action and pinned_references. Raises NotFound, InvalidInput,
    Conflict."""
    project, shot = find(session, Shot, shot_id, seen)
    if "subjects" in fields:
        _check_names(session, project.id, fields["subjects"])
    altered = [name for name, value in fields.items() if getattr(shot, name) != value]
    for name in altered:
        setattr(shot, name, fields[name])
    if altered:
        touch(shot, *altered)
    restaged(session, shot, altered)
    session.flush()
    return shot


def _check_names(session: Session, project_id: int, names: Sequence[str]) -> None:
    known = {name for table in (Character, Prop) for name in session.scalars(_names(table, project_id))}
    if unknown := [name for name in names if name not in known]:
        detail = f"There is nobody and nothing called {unknown[0][:60]!r} in this film."
        raise InvalidInput(detail, hint="Add it to the film first.", field="subjects")


def _names(table: Any, project_id: int) -> Any:
    return select(table.name).where(table.project_id == project_id)


# --- Cuts ----------------------------------------------------------------------------------------------


def split_shot(session: Session, shot_id: int, at_ms: int | None = None, *, seen: int | None = None) -> Project:
    """Cuts a shot in two at a time of the narration (its middle without one), before the word that is nearest.

    Raises NotFound, InvalidInput, Conflict.
    """
    project, shot = find(session, Shot, shot_id, seen)
    refuse_before_spoken(session, project)
    wanted = (shot.start_ms + shot.end_ms) // 2 if at_ms is None else at_ms
    cut = _nearest_cut(session, project, shot, wanted)
    scene = session.get_one(Scene, shot.scene_id)
    order = _order_of(session, project.id)
    cuts = [*cuts_of(session, project, scene), cut]
    scene.cuts = sorted(cuts, key=lambda one: (order[one["segment"]], one["char"]))
    _recut(session, project, scene, shot)
    return project


def _nearest_cut(session: Session, project: Project, shot: Shot, wanted: int) -> dict[str, Any]:
    """Where a cut may lie: before a segment or a word, else (without word times) at that very time."""
    fps = film_form(project).fps
    places: list[tuple[int, ScriptSegment, int, int]] = []
    for segment in session.scalars(_heard(project.id, shot)):
        start = segment.start_time_ms or 0
        places.append((start, segment, 0, 0))
        words = [] if "audio" in segment.stale else segment.words or []
        places += [(start + word["start_ms"], segment, word["start"], word["start_ms"]) for word in words]
        if not words and start < wanted < (segment.end_time_ms or 0):
            share = (wanted - start) / max(1, segment.audio_ms or 0)
            places.append((wanted, segment, min(len(segment.text), round(len(segment.text) * share)), wanted - start))
    first, last = frame_at(shot.start_ms, fps), frame_at(shot.end_ms, fps)
    inside = [one for one in places if first < frame_at(one[0], fps) < last]
    if not inside:
        hint = f"Choose a time between {shot.start_ms} and {shot.end_ms} ms where a word begins."
        raise InvalidInput("This shot cannot be cut there.", hint=hint, field="at_ms")
    _, segment, char, ms = min(inside, key=lambda one: abs(one[0] - wanted))
    return {"segment": segment.id, "char": char, "ms": ms, "audio": segment.audio_url}


def _heard(project_id: int, shot: Shot) -> Any:
    return (
        select(ScriptSegment)
        .where(ScriptSegment.project_id == project_id, ScriptSegment.idx.in_(shot.segments))
        .order_by(ScriptSegment.idx)
    )


def _order_of(session: Session, project_id: int) -> dict[int, int]:
    query = select(ScriptSegment.id, ScriptSegment.idx).where(ScriptSegment.project_id == project_id)
    return dict(session.execute(query).all())


def merge_shot(session: Session, shot_id: int, *, seen: int | None = None) -> Project:
    """One shot of this and the next; it shows what this one shows. Raises NotFound, Conflict."""
    project, shot = find(session, Shot, shot_id, seen)
    _join(session, project, shot, _beside(session, shot, 1), keep=shot)
    return project


def remove_shot(session: Session, shot_id: int, *, seen: int | None = None) -> Project:
    """Takes a shot out; its neighbour is seen for longer, for its words are still said. Raises NotFound, Conflict."""
    project, shot = find(session, Shot, shot_id, seen)
    for step in (-1, 1):
        other = _beside(session, shot, step)
        if other is not None and _why_not(shot, other) is None:
            first, second = (other, shot) if step < 0 else (shot, other)
            _join(session, project, first, second, keep=other)
            return project
    raise Conflict(
        "What is said in this shot would have no picture: neither neighbour can be seen in its place.",
        hint="Delete its words instead, or give it another picture.",
    )


def _beside(session: Session, shot: Shot, step: int) -> Shot | None:
    return session.scalars(
        select(Shot).where(Shot.project_id == shot.project_id, Shot.idx == shot.idx + step)
    ).one_or_none()


def _why_not(first: Shot, second: Shot) -> str | None:
    if first.scene_id != second.scene_id:
        return "They are in two scenes."
    if (first.kind, first.speaker_id) != (second.kind, second.speaker_id):
        return "They are not said by the same voice."
    if first.duration_ms + second.duration_ms > MAX_SLOT_MS:
        return f"Together they would be longer than {MAX_SLOT_MS / 1000} s."
    return None


def _join(session: Session, project: Project, first: Shot, second: Shot | None, *, keep: Shot) -> None:
    refuse_before_spoken(session, project)
    if second is None:
        raise Conflict("There is no next shot to merge it with.")
    why = _why_not(first, second)
    if why is not None:
        raise Conflict(f"These shots cannot be one. {why}")
    scene = session.get_one(Scene, first.scene_id)
    places = [place for place, one in enumerate(_in_scene(session, scene)[1:]) if one.id == second.id]
    cuts = cuts_of(session, project, scene)
    scene.cuts = [cut for place, cut in enumerate(cuts) if place not in places]
    if keep is second:
        _swap(first, second)
    versions.move(session, "shots", second.id, first.id)
    first.text, first.end_ms = f"{first.text} {second.text}", second.end_ms
    first.segments = sorted({*first.segments, *second.segments})
    drop(session, second.id)
    _recut(session, project, scene, first)


def _swap(first: Shot, second: Shot) -> None:
    seen = {name: getattr(second, name) for name in _SEEN}
    for name, value in seen.items():
        setattr(first, name, value)


def _in_scene(session: Session, scene: Scene) -> list[Shot]:
    return list(session.scalars(select(Shot).where(Shot.scene_id == scene.id).order_by(Shot.idx)))


def _recut(session: Session, project: Project, scene: Scene, shot: Shot) -> None:
    touch(shot, "cut", *LOOKS)
    scene.version += 1
    session.flush()
    lay_now(session, project)


def order_shots(session: Session, scene_id: int, order: Sequence[int]) -> Project:
    """Shows a scene's pictures in this order of shot ids. What is said, and when, stays: the sound is the clock.

    Raises NotFound, InvalidInput, and Conflict when a picture would come to another voice's words.
    """
    project, scene = find(session, Scene, scene_id)
    refuse_before_spoken(session, project)
    shots = _in_scene(session, scene)
    permuted([shot.id for shot in shots], order, "shots")
    known = {shot.id: shot for shot in shots}
    for slot, one in zip(shots, order, strict=True):
        if (slot.kind, slot.speaker_id) != (known[one].kind, known[one].speaker_id):
            raise Conflict(
                f"Shot {known[one].idx + 1} cannot take the place of shot {slot.idx + 1}: another voice speaks there.",
                hint="Shots change places only among narration, or among one speaker's lines.",
            )
    slots = [(shot.idx, shot.start_ms, shot.end_ms, shot.duration_ms, shot.text, shot.segments) for shot in shots]
    for place, one in zip(slots, order, strict=True):
        shot = known[one]
        if shot.idx == place[0]:
            continue
        shot.idx, shot.start_ms, shot.end_ms, shot.duration_ms, shot.text, shot.segments = place
        touch(shot, "place", *LOOKS)
        if shot.lipsync_url:
            lipsync_status(session, shot.id, "stale")
            mark(shot, "lipsync", "sound")
    session.flush()
    lay_now(session, project)
    return project


# --- Pictures and clips ----------------------------------------------------------------------------------


def clear_frame(session: Session, shot_id: int, slot: ShotSlot) -> Shot:
    """Empties first_frame or last_frame, and nothing else; the next run makes another first frame."""
    project, shot = find(session, Shot, shot_id)
    take_away(session, shot, slot)
    shot.version += 1
    if slot == "first_frame":
        forget_units(session, project.id, [f"frames/{shot.id}"])
    session.flush()
    return shot


def use_own(session: Session, shot_id: int, slot: ShotSlot, url: str, meta: dict[str, Any], actual_ms: int = 0) -> Shot:
    """Shows a picture or clip that the user gave; no run replaces it."""
    project, shot = find(session, Shot, shot_id)
    show(session, shot, slot, url, meta, source="upload")
    shot.version += 1
    if slot == "video":
        shot.actual_video_duration_ms = actual_ms
        _clip_changed(session, project, shot)
    session.flush()
    return shot


def bring_back(session: Session, shot_id: int, version_id: int) -> Version:
    """Shows an earlier picture or clip again; no run replaces it then. Raises NotFound."""
    project, shot = find(session, Shot, shot_id)
    version = versions.one(session, "shots", shot_id, version_id)
    slot: ShotSlot = version.slot  # type: ignore[assignment]
    source: versions.Source = version.source  # type: ignore[assignment]
    show(session, shot, slot, version.media_url, meta_of(version), source=source)
    shot.own_slots = sorted({*shot.own_slots, slot})
    shot.version += 1
    if slot == "video":
        _clip_changed(session, project, shot)
    if slot == "lipsync":
        lipsync_status(session, shot.id, "done")
    session.flush()
    return version


def _clip_changed(session: Session, project: Project, shot: Shot) -> None:
    video_status(session, shot.id, "done")
    forget_units(session, project.id, [f"lipsync/{shot.id}"])
    session.flush()
    lay_now(session, project)
