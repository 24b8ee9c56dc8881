"""Segments as users edit them: their words and speakers, and which there are in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import Conflict, InvalidInput, NotFound
from pipeline.projects.editing.arrangement import Arrangement, Group, find, lay_now, permuted, touch
from pipeline.store.laying import mark
from pipeline.store.models import Character, Project, Scene, ScriptSegment
from pipeline.writer.text import has_words

MOST_CHARACTERS = 5_000


def change_segment(
    session: Session, segment_id: int, fields: Mapping[str, Any], *, seen: int | None = None
) -> ScriptSegment:
    """Changes text, segment_type or speaker_id. Its sound stays until it is spoken anew, and is marked stale.

    Raises NotFound, InvalidInput with `field`, Conflict.
    """
    project, segment = find(session, ScriptSegment, segment_id, seen)
    given = {name: getattr(segment, name) for name in ("text", "segment_type", "speaker_id")} | dict(fields)
    if given["segment_type"] == "narration" and "speaker_id" not in fields:
        given["speaker_id"] = None
    _check(session, project.id, given)
    changed = [name for name, value in given.items() if getattr(segment, name) != value]
    if not changed:
        return segment
    for name in changed:
        setattr(segment, name, given[name])
    touch(segment, *changed)
    if segment.audio_url:
        mark(segment, "audio", "words" if "text" in changed else "speaker")
    session.flush()
    if changed != ["text"]:
        lay_now(session, project)
    return segment


def insert_segment(
    session: Session, project: Project, fields: Mapping[str, Any], *, after: int | None = None
) -> ScriptSegment:
    """A new segment behind the one with the id `after`, in its scene; at the beginning without one."""
    given = {"segment_type": "narration", "speaker_id": None} | dict(fields)
    _check(session, project.id, given)
    arrangement = Arrangement(session, project)
    group, at = arrangement.groups[0], 0
    if after is not None:
        group, at = arrangement.place(_mine(session, project, after))
        at += 1
    before = group.segments[at - 1] if at else None
    source = before.source_end if before else 0
    segment = ScriptSegment(project_id=project.id, idx=-1, source_start=source, source_end=source, version=0, **given)
    touch(segment, "place", *given)
    session.add(segment)
    session.flush()
    group.segments.insert(at, segment)
    arrangement.write()
    return segment


def remove_segment(session: Session, segment_id: int) -> Project:
    """Takes it out of the script; a scene that was nothing else goes with it. Raises Conflict for the last one."""
    project, segment = find(session, ScriptSegment, segment_id)
    arrangement = Arrangement(session, project)
    group, at = arrangement.place(segment)
    group.segments.remove(segment)
    _note_gap(arrangement, group, at)
    arrangement.write()
    return project


def split_segment(session: Session, segment_id: int, char: int, *, seen: int | None = None) -> ScriptSegment:
    """Two segments of one, the second from place `char` of the text on; returns the second. Both are spoken anew."""
    project, segment = find(session, ScriptSegment, segment_id, seen)
    first, second = segment.text[:char], segment.text[char:]
    if not (has_words(first) and has_words(second)):
        raise InvalidInput("There have to be words on both sides of the cut.", field="char")
    arrangement = Arrangement(session, project)
    group, at = arrangement.place(segment)
    middle = segment.source_start + (segment.source_end - segment.source_start) * char // len(segment.text)
    new = ScriptSegment(
        project_id=project.id,
        idx=-1,
        segment_type=segment.segment_type,
        speaker_id=segment.speaker_id,
        text=second.strip(),
        source_start=middle,
        source_end=segment.source_end,
        version=0,
    )
    segment.text, segment.source_end = first.strip(), middle
    touch(segment, "text", "place")
    touch(new, "text", "place")
    session.add(new)
    session.flush()
    _move_cuts(group, segment.id, lambda one: one if one["char"] < char else _cut(new.id, one["char"] - char))
    group.segments.insert(at + 1, new)
    arrangement.write(unspoken=[segment, new])
    return new


def merge_segment(session: Session, segment_id: int, *, seen: int | None = None) -> ScriptSegment:
    """One segment of this and the next. Raises Conflict where they are of two scenes or two speakers."""
    project, segment = find(session, ScriptSegment, segment_id, seen)
    arrangement = Arrangement(session, project)
    group, at = arrangement.place(segment)
    if at + 1 == len(group.segments):
        raise Conflict("There is no next segment in this scene to merge it with.", hint="Merge the scenes first.")
    other = group.segments[at + 1]
    if (segment.segment_type, segment.speaker_id) != (other.segment_type, other.speaker_id):
        raise Conflict("These two are not said by the same voice.", hint="Change the speaker of one of them first.")
    shift = len(segment.text) + 1
    text = f"{segment.text} {other.text}"
    if len(text) > MOST_CHARACTERS:
        raise Conflict(f"Together they would be longer than {MOST_CHARACTERS:,} characters.")
    _move_cuts(group, other.id, lambda one: _cut(segment.id, one["char"] + shift))
    segment.text = text
    segment.source_start = min(segment.source_start, other.source_start)
    segment.source_end = max(segment.source_end, other.source_end)
    touch(segment, "text", "place")
    group.segments.remove(other)
    arrangement.write(unspoken=[segment])
    return segment


def order_segments(session: Session, project: Project, order: Sequence[int]) -> None:
    """Puts the segments in this order of ids; scenes keep how many they have. Raises InvalidInput, Conflict."""
    arrangement = Arrangement(session, project)
    rows = [one for group in arrangement.groups for one in group.segments]
    permuted([row.id for row in rows], order, "segments")
    known, at = {row.id: row for row in rows}, 0
    for group in arrangement.groups:
        number = len(group.segments)
        group.segments = [known[one] for one in order[at : at + number]]
        at += number
    for row, one in zip(rows, order, strict=True):
        if row.id != one:
            touch(known[one], "place")
    arrangement.write()


def _check(session: Session, project_id: int, given: Mapping[str, Any]) -> None:
    if not has_words(given["text"]):
        raise InvalidInput("The segment has no words, so there is nothing to say.", field="text")
    speaker = given["speaker_id"]
    if speaker is None:
        return
    if given["segment_type"] == "narration":
        raise InvalidInput(
            "Narration has no speaker.", hint="Make it dialogue, or leave the speaker out.", field="speaker_id"
        )
    query = select(Character.id).where(Character.id == speaker, Character.project_id == project_id)
    if session.scalar(query) is None:
        raise InvalidInput("There is no such character in this film.", field="speaker_id")


def _mine(session: Session, project: Project, segment_id: int) -> ScriptSegment:
    segment = session.get(ScriptSegment, segment_id)
    if segment is None or segment.project_id != project.id:
        raise NotFound("There is no such segment in this film.", hint="Read the segments again.")
    return segment


def _note_gap(arrangement: Arrangement, group: Group, at: int) -> None:
    """Something was taken out here: the segment beside the gap remembers, so that no run fills it again."""
    rows = group.segments or [one for other in arrangement.groups for one in other.segments]
    if rows:
        touch(rows[min(at, len(rows) - 1)], "place")


def _cut(segment_id: int, char: int) -> dict[str, Any]:
    return {"segment": segment_id, "char": max(0, char), "ms": 0, "audio": None}


def _move_cuts(group: Group, segment_id: int, moved: Any) -> None:
    scene: Scene | None = group.scene
    if scene is not None and scene.cuts is not None:
        scene.cuts = [moved(one) if one["segment"] == segment_id else one for one in scene.cuts]
