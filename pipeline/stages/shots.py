"""Every scene's shots. The writer decides the cinematography; the timeline decides every time.

A scene is one unit with its own attempts. When all scenes have been tried, `shots/timeline` lays their shots on the
narration. The stage's check is the gate of the run: nothing is drawn until every scene has shots.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane, SceneDraft, ShotDraft, Take, digest
from pipeline.film.timeline import SpokenSegment, TakePlan, plan_takes, slot_frames
from pipeline.generation import entities
from pipeline.stage import Outcome, StageContext, StageFailed, Unit
from pipeline.store.models import Character, Project, Scene, SceneCharacter, SceneProp, ScriptSegment, Shot
from pipeline.store.models import Prop as PropRow
from pipeline.store.models import Set as SetRow
from pipeline.store.spoken import spoken_segments
from pipeline.store.states import lipsync_status, video_status
from pipeline.writer.protocol import check_shots

TIMELINE = "shots/timeline"


class ShotsStage:
    name: ClassVar[str] = "shots"
    lane: ClassVar[Lane] = Lane.LLM
    after: ClassVar[tuple[str, ...]] = ("audio", "scenes")
    attempts: ClassVar[int] = 3
    blocking: ClassVar[bool] = True

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        query = select(Scene.idx, Scene.title).where(Scene.project_id == ctx.project_id).order_by(Scene.idx)
        with ctx.read() as session:
            scenes = [
                Unit(f"shots/{index}", f"scene {index + 1} ({title})" if title else f"scene {index + 1}", subject=index)
                for index, title in session.execute(query)
            ]
        return [*scenes, Unit(TIMELINE, "the timeline", tuple(scene.key for scene in scenes), derived=True)]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        if unit.key == TIMELINE:
            return self._timeline_digest(ctx, session, project)
        scene = self._scene(session, project.id, unit.subject)
        takes = self._takes(session, project, scene)
        # No times: a scene whose takes stay the same keeps its cinematography when what comes before it moves.
        return digest(
            _draft_of(session, scene).model_dump(exclude={"first_segment", "last_segment"}),
            [(take.kind, take.speaker, take.text) for take in takes],
        )

    def _timeline_digest(self, ctx: StageContext, session: Session, project: Project) -> str:
        times = session.execute(
            select(ScriptSegment.start_time_ms, ScriptSegment.end_time_ms, ScriptSegment.speaker_id, ScriptSegment.text)
            .where(ScriptSegment.project_id == project.id)
            .order_by(ScriptSegment.idx)
        )
        scenes = session.execute(
            select(Scene.id, Scene.first_segment_idx, Scene.last_segment_idx).where(Scene.project_id == project.id)
        )
        drafts = [ctx.output(session, f"shots/{scene.idx}").get("shots") for scene in self._scenes(session, project.id)]
        return digest(project.narration_ms, [list(row) for row in times], [list(row) for row in scenes], drafts)

    @staticmethod
    def _scenes(session: Session, project_id: int) -> list[Scene]:
        return list(session.scalars(select(Scene).where(Scene.project_id == project_id).order_by(Scene.idx)))

    @staticmethod
    def _scene(session: Session, project_id: int, index: int) -> Scene:
        return session.scalars(select(Scene).where(Scene.project_id == project_id, Scene.idx == index)).one()

    def _takes(self, session: Session, project: Project, scene: Scene) -> tuple[Take, ...]:
        """The scene's takes. Takes never cross scenes, so those of one scene can be cut without the others."""
        segments = _spoken_in(session, scene)
        following = session.scalar(
            select(ScriptSegment.start_time_ms).where(
                ScriptSegment.project_id == project.id, ScriptSegment.idx == scene.last_segment_idx + 1
            )
        )
        end = following if following is not None else project.narration_ms or 0
        shift = segments[0].start_ms
        plans = plan_takes([_moved(segment, shift) for segment in segments], end - shift)
        return tuple(
            Take(
                index=at,
                kind=plan.kind,
                speaker=plan.speaker,
                text=plan.text,
                start_ms=plan.start_ms + shift,
                end_ms=plan.end_ms + shift,
            )
            for at, plan in enumerate(plans)
        )

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        if unit.key == TIMELINE:
            return self._timeline(ctx)
        with ctx.read() as session:
            project = ctx.project(session)
            scene = self._scene(session, project.id, unit.subject)
            takes = self._takes(session, project, scene)
            draft, analysis = _draft_of(session, scene), entities.read_analysis(session, project)
        shots = ctx.writer(unit).shots(draft, takes, analysis)
        check_shots(shots, takes, analysis)
        return Outcome(f"Filmed {unit.label}: {len(shots)} shots.", data={"shots": [one.model_dump() for one in shots]})

    def _timeline(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            scenes = self._scenes(session, project.id)
            drafts = {scene.idx: ctx.output(session, f"shots/{scene.idx}").get("shots") for scene in scenes}
            empty = [scene.idx + 1 for scene in scenes if not drafts[scene.idx]]
            if empty:
                return Outcome(f"Scene {empty[0]} has no shots yet.", status="skipped")
            plans = plan_takes(_all_spoken(session, scenes), project.narration_ms or 0)
            fps = ctx.form(project).fps
        by_scene: dict[int, list[TakePlan]] = {}
        for plan in plans:
            by_scene.setdefault(plan.scene, []).append(plan)
        laid = [
            (plan, ShotDraft.model_validate(draft))
            for scene in scenes
            for plan, draft in zip(by_scene[scene.idx], drafts[scene.idx] or (), strict=True)
        ]

        def apply(session: Session) -> None:
            write_shots(session, ctx.project_id, laid, fps)

        return Outcome(f"The film has {len(laid)} shots in {len(scenes)} scenes.", apply=apply)

    def verify(self, ctx: StageContext) -> None:
        with ctx.read() as session:
            empty = session.scalars(
                select(Scene)
                .where(Scene.project_id == ctx.project_id, ~select(Shot.id).where(Shot.scene_id == Scene.id).exists())
                .order_by(Scene.idx)
            ).first()
            if empty is not None:
                raise StageFailed(
                    f"Scene {empty.idx + 1} ({empty.title}) has no shots.",
                    hint="Edit the scene's text or try again.",
                    field=self.name,
                    code="scene_without_shots",
                )


def _moved(segment: SpokenSegment, shift: int) -> SpokenSegment:
    return SpokenSegment(
        segment.index,
        segment.scene,
        segment.kind,
        segment.speaker,
        segment.text,
        segment.start_ms - shift,
        segment.end_ms - shift,
        segment.words,
    )


def _draft_of(session: Session, scene: Scene) -> SceneDraft:
    place = session.get(SetRow, scene.set_id) if scene.set_id else None
    people = session.scalars(
        select(Character.name)
        .join(SceneCharacter, SceneCharacter.character_id == Character.id)
        .where(SceneCharacter.scene_id == scene.id)
        .order_by(Character.sort_order, Character.id)
    )
    things = session.scalars(
        select(PropRow.name)
        .join(SceneProp, SceneProp.prop_id == PropRow.id)
        .where(SceneProp.scene_id == scene.id)
        .order_by(PropRow.sort_order, PropRow.id)
    )
    return SceneDraft(
        first_segment=scene.first_segment_idx,
        last_segment=scene.last_segment_idx,
        title=scene.title,
        set_name=place.name if place else "",
        characters=tuple(people),
        props=tuple(things),
        time_of_day=scene.time_of_day,  # type: ignore[arg-type]
        weather=scene.weather,  # type: ignore[arg-type]
        mood=scene.mood,
    )


def _spoken_in(session: Session, scene: Scene) -> list[SpokenSegment]:
    return spoken_segments(
        session, scene.project_id, first=scene.first_segment_idx, last=scene.last_segment_idx, scene=scene.idx
    )


def _all_spoken(session: Session, scenes: Sequence[Scene]) -> list[SpokenSegment]:
    return [segment for scene in scenes for segment in _spoken_in(session, scene)]


def write_shots(session: Session, project_id: int, laid: Sequence[tuple[TakePlan, ShotDraft]], fps: int) -> None:
    """Bring the project's shots to the plan, scene by scene, in place: a kept shot keeps its pictures and clips."""
    scene_ids = dict(session.execute(select(Scene.idx, Scene.id).where(Scene.project_id == project_id)).all())
    speakers = {row.name: row.id for row in entities.cast(session, project_id)}
    kept: dict[int, list[Shot]] = {}
    for row in session.scalars(select(Shot).where(Shot.project_id == project_id).order_by(Shot.idx)):
        kept.setdefault(row.scene_id, []).append(row)
    for index, (plan, draft) in enumerate(laid):
        rows = kept.get(scene_ids[plan.scene], [])
        shot = rows.pop(0) if rows else Shot(project_id=project_id, scene_id=scene_ids[plan.scene])
        _fill(shot, index, plan, draft, speakers)
        session.add(shot)
        session.flush()
        _mark_outgrown(session, shot, fps)
    left = [row.id for rows in kept.values() for row in rows]
    session.execute(delete(Shot).where(Shot.id.in_(left)))


def _fill(shot: Shot, index: int, plan: TakePlan, draft: ShotDraft, speakers: dict[str, int]) -> None:
    fields: dict[str, Any] = {
        "idx": index,
        "kind": plan.kind,
        "speaker_id": speakers.get(plan.speaker) if plan.speaker else None,
        "start_ms": plan.start_ms,
        "end_ms": plan.end_ms,
        "duration_ms": plan.duration_ms,
        "framing": draft.framing,
        "angle": draft.angle,
        "move": draft.move,
        "subjects": list(draft.subjects),
        "action": draft.action,
        "text": plan.text,
        "segments": list(plan.segments),
    }
    for name, value in fields.items():
        setattr(shot, name, value)


def _mark_outgrown(session: Session, shot: Shot, fps: int) -> None:
    """A clip that no longer covers its slot is stale: it stays, its last frame held, until it is redone."""
    frames = int((shot.video_meta or {}).get("measured", {}).get("frames", 0))
    if shot.video_url and frames < slot_frames(shot.start_ms, shot.end_ms, fps)[1]:
        video_status(session, shot.id, "stale")
        if shot.lipsync_url:
            lipsync_status(session, shot.id, "stale")
