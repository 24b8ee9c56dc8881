"""The order of things: segments in scenes, in film order, rewritten as a whole after any change of it.

Hidden here: that segments, scenes and shots are numbered without gaps, that scenes tile the script, and that what was
made for a segment or a scene is known by its number, so all of it moves along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.errors import Conflict, InvalidInput, NotFound
from pipeline.generation.entities import film_form
from pipeline.projects.fields import check_version
from pipeline.store.laying import drop, filmed_in, lay, scenes_of
from pipeline.store.ledger import move_units
from pipeline.store.models import Project, Run, Scene, ScriptSegment, Shot

Row = TypeVar("Row", ScriptSegment, Scene, Shot)


def find(session: Session, kind: type[Row], row_id: int, seen: int | None = None) -> tuple[Project, Row]:
    """A row and its project. Raises NotFound, and Conflict (`stale_version`) when it is not at the version `seen`."""
    row = session.get(kind, row_id)
    project = session.get(Project, row.project_id) if row is not None else None
    if row is None or project is None or project.deleted_at is not None:
        name = {ScriptSegment: "segment", Scene: "scene", Shot: "shot"}[kind]
        raise NotFound(f"There is no such {name}.", hint="It may have been deleted.")
    check_version(row.version, seen)
    return project, row


def touch(row: ScriptSegment | Scene | Shot, *fields: str) -> None:
    """Notes that a user changed these fields: no run undoes that."""
    row.edited_fields = sorted({*(row.edited_fields or ()), *fields})
    row.version += 1


def refuse_while_running(session: Session, project_id: int) -> None:
    """Raises Conflict while a run counts on the present order."""
    if session.scalar(select(Run.id).where(Run.project_id == project_id, Run.state == "running")):
        raise Conflict("The film is being made in this order.", hint="Pause it before you change the order.")


def permuted(ids: Sequence[int], wanted: Sequence[int], what: str) -> None:
    """Raises InvalidInput when `wanted` is not a new order of `ids`."""
    if sorted(ids) != sorted(wanted):
        detail = f"The order has to name each of the {len(ids)} {what} once."
        raise InvalidInput(detail, hint="Read them again and send all of their ids.", field="order")


@dataclass
class Group:
    """A scene and its segments; before there are scenes, all segments and no scene."""

    scene: Scene | None
    segments: list[ScriptSegment] = field(default_factory=list)


class Arrangement:
    """Change `groups`, then call `write`, in one transaction. Raises Conflict while a run is under way."""

    def __init__(self, session: Session, project: Project) -> None:
        refuse_while_running(session, project.id)
        self._session, self._project = session, project
        query = select(ScriptSegment).where(ScriptSegment.project_id == project.id).order_by(ScriptSegment.idx)
        segments = list(session.scalars(query))
        scenes = scenes_of(session, project.id)
        self._segments_before = {row.id: row.idx for row in segments}
        self._scenes_before = {row.id: row.idx for row in scenes}
        self._heard = {at: row.id for row in segments for at in [row.idx]}
        self.groups = [
            Group(scene, segments[scene.first_segment_idx : scene.last_segment_idx + 1]) for scene in scenes
        ] or [Group(None, segments)]

    def place(self, segment: ScriptSegment) -> tuple[Group, int]:
        """The group that the segment is in, and where in it."""
        for group in self.groups:
            for at, one in enumerate(group.segments):
                if one.id == segment.id:
                    return group, at
        raise NotFound("There is no such segment.")

    def write(self, *, unspoken: Sequence[ScriptSegment] = ()) -> None:
        """Numbers everything anew. `unspoken` are segments whose sound is of other words: it is taken away."""
        if not any(group.segments for group in self.groups):
            raise Conflict("A film needs at least one segment.", hint="Change its text instead.")
        session = self._session
        for segment in unspoken:
            segment.audio_url = segment.audio_ms = segment.words = None
            segment.stale = {}
        for group in [group for group in self.groups if not group.segments]:
            self.groups.remove(group)
        self._number(session)
        self._shots(session)
        self._forget_gone(session)
        self._ledger(session, {segment.id for segment in unspoken})
        session.flush()

    def _number(self, session: Session) -> None:
        at = 0
        for number, group in enumerate(self.groups):
            for segment in group.segments:
                segment.idx = at
                session.add(segment)
                at += 1
            if group.scene is not None:
                group.scene.idx = number
                group.scene.first_segment_idx, group.scene.last_segment_idx = at - len(group.segments), at - 1
                session.add(group.scene)
        session.flush()

    def _shots(self, session: Session) -> None:
        """A shot goes with the first of its segments that is still there."""
        home = {one.id: (group.scene.id, one.idx) for group in self.groups if group.scene for one in group.segments}
        query = select(Shot).where(Shot.project_id == self._project.id).order_by(Shot.idx)
        shots = list(session.scalars(query))
        order = {group.scene.id: group.scene.idx for group in self.groups if group.scene}
        for shot in shots:
            left = [home[number] for at in shot.segments if (number := self._heard.get(at, 0)) in home]
            if left:
                shot.scene_id = left[0][0]
                shot.segments = sorted(at for scene, at in left if scene == left[0][0])
            elif shot.scene_id in order:
                shot.segments = []
        session.flush()
        kept = [shot for shot in shots if shot.scene_id in order and shot.segments]
        for shot in shots:
            if shot not in kept:
                drop(session, shot.id)
        kept.sort(key=lambda shot: (order[shot.scene_id], shot.segments[0], shot.idx))
        for number, shot in enumerate(kept):
            if shot.idx != number:
                shot.idx = number
        session.flush()

    def _forget_gone(self, session: Session) -> None:
        here = {segment.id for group in self.groups for segment in group.segments}
        scenes = {group.scene.id for group in self.groups if group.scene}
        session.execute(delete(ScriptSegment).where(ScriptSegment.id.in_(self._segments_before.keys() - here)))
        session.execute(delete(Scene).where(Scene.id.in_(self._scenes_before.keys() - scenes)))

    def _ledger(self, session: Session, unspoken: set[int]) -> None:
        now = {one.id: one.idx for group in self.groups for one in group.segments if one.id not in unspoken}
        scenes = {group.scene.id: group.scene.idx for group in self.groups if group.scene}
        moves: dict[str, str | None] = {}
        for number, before in self._segments_before.items():
            moves[f"audio/{before}"] = f"audio/{now[number]}" if number in now else None
        for number, before in self._scenes_before.items():
            moves[f"shots/{before}"] = f"shots/{scenes[number]}" if number in scenes else None
        move_units(session, self._project.id, moves)


def is_spoken(session: Session, project: Project) -> bool:
    """Whether the narration is of the present script: every segment has its place in it, in order."""
    rows = session.execute(
        select(ScriptSegment.audio_url, ScriptSegment.start_time_ms, ScriptSegment.end_time_ms)
        .where(ScriptSegment.project_id == project.id)
        .order_by(ScriptSegment.idx)
    ).all()
    last = 0
    for audio, start, end in rows:
        if audio is None or start is None or end is None or start < last:
            return False
        last = end
    return bool(rows) and last <= (project.narration_ms or 0)


def lay_now(session: Session, project: Project) -> None:
    """Lays the shots anew where everything has been spoken; else the next run does it."""
    laid = session.scalar(select(Shot.id).where(Shot.project_id == project.id).limit(1))
    if laid is not None and is_spoken(session, project):
        lay(session, project, filmed_in(session, project.id), film_form(project).fps)


def refuse_before_spoken(session: Session, project: Project) -> None:
    """Raises Conflict while a run is under way, or the sound, which is the clock, is of another script."""
    refuse_while_running(session, project.id)
    if not is_spoken(session, project):
        hint = "Make the film first: it is timed anew then."
        raise Conflict("The script has been changed since it was spoken, so its shots have no times yet.", hint=hint)
