"""Contiguous, gap-free ranges of segments, each in one set with its people and things. Long scripts in windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane, SceneDraft, SegmentDraft, digest
from pipeline.generation import entities
from pipeline.stage import Note, Outcome, StageContext, StageFailed, Unit
from pipeline.store.models import Character, Scene, SceneCharacter, SceneProp, ScriptSegment, Step
from pipeline.writer.protocol import check_scenes

WINDOW_SEGMENTS = 150
JOIN = "scenes/join"
_KEPT = "they were edited by hand and do not line up with the scenes that the script gives now; they were left."


class ScenesStage:
    name: ClassVar[str] = "scenes"
    lane: ClassVar[Lane] = Lane.LLM
    after: ClassVar[tuple[str, ...]] = ("script",)
    attempts: ClassVar[int] = 3
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = True
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        with ctx.read() as session:
            number = self._windows(session, ctx.project_id)
        parts = [Unit(f"scenes/{at}", f"part {at + 1} of the script", subject=at) for at in range(number)]
        return [*parts, Unit(JOIN, "the scenes", tuple(part.key for part in parts), derived=True)]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        if unit.key == JOIN:
            return digest(self._parts(ctx, session), [row.name for row in entities.sets(session, project.id)])
        step = session.get(Step, (project.id, unit.key))
        if (
            step is not None
            and step.digest
            and (step.output or {}).get("scenes")
            and self._edited(session, project.id, unit)
        ):
            return step.digest  # the scenes follow what a user does to the script; they are not found anew
        return digest(self._segments(session, project.id, unit.subject), entities.read_analysis(session, project))

    @staticmethod
    def _edited(session: Session, project_id: int, unit: Unit) -> bool:
        first = unit.subject * WINDOW_SEGMENTS
        marks = session.scalars(
            select(ScriptSegment.edited_fields).where(
                ScriptSegment.project_id == project_id,
                ScriptSegment.idx.between(first, first + WINDOW_SEGMENTS - 1),
            )
        )
        return any(marks)

    @staticmethod
    def _windows(session: Session, project_id: int) -> int:
        segments = session.scalar(
            select(func.count()).select_from(ScriptSegment).where(ScriptSegment.project_id == project_id)
        )
        return len(range(0, segments or 0, WINDOW_SEGMENTS))

    def _parts(self, ctx: StageContext, session: Session) -> list[list[dict[str, object]]]:
        parts: list[list[dict[str, object]]] = []
        while part := ctx.output(session, f"scenes/{len(parts)}").get("scenes"):
            parts.append(part)
        return parts

    def _segments(self, session: Session, project_id: int, window: int) -> list[SegmentDraft]:
        rows = session.execute(
            select(ScriptSegment, Character.name)
            .join(Character, Character.id == ScriptSegment.speaker_id, isouter=True)
            .where(ScriptSegment.project_id == project_id)
            .order_by(ScriptSegment.idx)
            .limit(WINDOW_SEGMENTS)
            .offset(window * WINDOW_SEGMENTS)
        )
        return [
            SegmentDraft(
                kind=row.segment_type,  # type: ignore[arg-type]
                text=row.text,
                speaker=speaker,
                start=row.source_start,
                end=row.source_end,
            )
            for row, speaker in rows
        ]

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        if unit.key == JOIN:
            return self._join(ctx)
        with ctx.read() as session:
            segments = self._segments(session, ctx.project_id, unit.subject)
            analysis = entities.read_analysis(session, ctx.project(session))
        scenes = ctx.writer(unit).scenes(segments, analysis)
        check_scenes(scenes, segments, analysis)
        shift = unit.subject * WINDOW_SEGMENTS
        moved = [
            scene.model_copy(
                update={"first_segment": scene.first_segment + shift, "last_segment": scene.last_segment + shift}
            )
            for scene in scenes
        ]
        return Outcome(
            f"Found {len(moved)} scenes in {unit.label}.", data={"scenes": [scene.model_dump() for scene in moved]}
        )

    def _join(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            parts = [[SceneDraft.model_validate(one) for one in part] for part in self._parts(ctx, session)]
            if len(parts) < self._windows(session, ctx.project_id):
                return Outcome(f"Part {len(parts) + 1} of the script has no scenes yet.", status="skipped")
        scenes = join_windows(parts)
        with ctx.read() as session:
            kept = not fits_edits(session, ctx.project_id, scenes)
        if kept:
            return Outcome("The scenes stay as they were edited by hand.", problems=(Note("edits_kept", _KEPT),))

        def apply(session: Session) -> None:
            if fits_edits(session, ctx.project_id, scenes):  # nobody has edited them meanwhile
                write_scenes(session, ctx.project_id, scenes)

        return Outcome(f"The story has {len(scenes)} scenes.", apply=apply)

    def verify(self, ctx: StageContext) -> None:
        with ctx.read() as session:
            if not session.scalar(select(Scene.id).where(Scene.project_id == ctx.project_id).limit(1)):
                raise StageFailed("The story has no scenes.", field=self.name)


def join_windows(parts: Sequence[Sequence[SceneDraft]]) -> list[SceneDraft]:
    """The windows' scenes in a row; a scene that a window's edge has cut in two is one again."""
    scenes: list[SceneDraft] = []
    for part in parts:
        for at, scene in enumerate(part):
            last = scenes[-1] if scenes else None
            if at == 0 and last and (last.set_name, last.time_of_day) == (scene.set_name, scene.time_of_day):
                scenes[-1] = last.model_copy(
                    update={
                        "last_segment": scene.last_segment,
                        "characters": tuple(dict.fromkeys((*last.characters, *scene.characters))),
                        "props": tuple(dict.fromkeys((*last.props, *scene.props))),
                    }
                )
            else:
                scenes.append(scene)
    return scenes


def fits_edits(session: Session, project_id: int, drafts: Sequence[SceneDraft]) -> bool:
    """Whether the scenes tile the present script, and nothing that a user edited would be lost by writing them."""
    number = session.scalar(
        select(func.count()).select_from(ScriptSegment).where(ScriptSegment.project_id == project_id)
    )
    rows = session.scalars(select(Scene).where(Scene.project_id == project_id).order_by(Scene.idx)).all()
    ranges = [(draft.first_segment, draft.last_segment) for draft in drafts]
    if not rows:
        return True
    if ranges and ranges[-1][1] + 1 != number:
        return False
    edited = any(row.edited_fields or row.cuts is not None for row in rows)
    return not edited or ranges == [(row.first_segment_idx, row.last_segment_idx) for row in rows]


def write_scenes(session: Session, project_id: int, drafts: Sequence[SceneDraft]) -> None:
    """Bring the project's scenes to the drafts, place by place. What a user edited of a scene stays."""
    sets = {row.name: row.id for row in entities.sets(session, project_id)}
    people = {row.name: row.id for row in entities.cast(session, project_id)}
    things = {row.name: row.id for row in entities.props(session, project_id)}
    rows = {row.idx: row for row in session.scalars(select(Scene).where(Scene.project_id == project_id))}
    for index, draft in enumerate(drafts):
        row = rows.get(index) or Scene(project_id=project_id, idx=index)
        fields = draft.model_dump(include={"title", "time_of_day", "weather", "mood"})
        # A set that has another name by now is still the scene's.
        fields |= {"set_id": sets.get(draft.set_name, row.set_id)}
        fields |= {"first_segment_idx": draft.first_segment, "last_segment_idx": draft.last_segment}
        own = row.edited_fields or ()
        for name, value in fields.items():
            if name not in own:
                setattr(row, name, value)
        session.add(row)
        session.flush()
        if "characters" not in own:
            present = dict.fromkeys(people[name] for name in draft.characters if name in people)
            session.execute(delete(SceneCharacter).where(SceneCharacter.scene_id == row.id))
            session.add_all(SceneCharacter(scene_id=row.id, character_id=one) for one in present)
        if "props" not in own:
            used = dict.fromkeys(things[name] for name in draft.props if name in things)
            session.execute(delete(SceneProp).where(SceneProp.scene_id == row.id))
            session.add_all(SceneProp(scene_id=row.id, prop_id=one) for one in used)
    session.execute(delete(Scene).where(Scene.project_id == project_id, Scene.idx >= len(drafts)))
