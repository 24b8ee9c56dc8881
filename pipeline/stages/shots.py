"""Every scene's shots. The writer decides the cinematography; the timeline decides every time.

A scene is one unit with its own attempts. When all scenes have been tried, `shots/timeline` lays their shots on the
narration. The stage's check is the gate of the run: nothing is drawn until every scene has shots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import Framing, Lane, SceneDraft, ShotDraft, Take, digest
from pipeline.errors import Conflict
from pipeline.film.timeline import TakePlan
from pipeline.generation import entities
from pipeline.stage import Outcome, StageContext, StageFailed, Unit
from pipeline.store.laying import (
    LOOKS,
    aligned,
    all_takes,
    filmed_in,
    is_hand_made,
    key_of,
    lay,
    scene_takes,
    scenes_of,
)
from pipeline.store.models import Character, Project, Run, Scene, SceneCharacter, SceneProp, ScriptSegment, Shot, Step
from pipeline.store.models import Prop as PropRow
from pipeline.store.models import Set as SetRow
from pipeline.writer.protocol import check_shots

TIMELINE = "shots/timeline"


class ShotsStage:
    name: ClassVar[str] = "shots"
    lane: ClassVar[Lane] = Lane.LLM
    after: ClassVar[tuple[str, ...]] = ("audio", "scenes")
    attempts: ClassVar[int] = 3
    tries_anew: ClassVar[bool] = True
    blocking: ClassVar[bool] = True
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "scene_without_shots"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        query = select(Scene.idx, Scene.title).where(Scene.project_id == ctx.project_id).order_by(Scene.idx)
        with ctx.read() as session:
            scenes = [
                Unit(
                    f"shots/{index}",
                    f"scene {index + 1} ({title})" if title else f"scene {index + 1}",
                    subject=index,
                    about={"scene": index + 1},
                )
                for index, title in session.execute(query)
            ]
        return [*scenes, Unit(TIMELINE, "the timeline", tuple(scene.key for scene in scenes), derived=True)]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        if unit.key == TIMELINE:
            return self._timeline_digest(ctx, session, project)
        scene = self._scene(session, project.id, unit.subject)
        step = session.get(Step, (project.id, unit.key))
        if step is not None and step.digest and (step.output or {}).get("shots") and _is_edited(session, scene):
            # What a user edited in a scene is how they want it: it makes no new cinematography, which would undo more
            # than it mends. The takes that it changes are laid with what is there.
            return step.digest
        return self._scene_digest(session, project, scene)

    def _takes(self, session: Session, project: Project, scene: Scene) -> tuple[TakePlan, ...]:
        return scene_takes(session, project, scene)

    def _scene_digest(self, session: Session, project: Project, scene: Scene) -> str:
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
        scenes = scenes_of(session, project.id)
        ranges = [[scene.id, scene.first_segment_idx, scene.last_segment_idx] for scene in scenes]
        drafts = [ctx.output(session, f"shots/{scene.idx}").get("shots") for scene in scenes]
        cuts = [[scene.idx, scene.cuts] for scene in scenes if scene.cuts is not None]
        parts = [project.narration_ms, [list(row) for row in times], ranges, drafts]
        return digest(*parts, cuts) if cuts else digest(*parts)

    @staticmethod
    def _scene(session: Session, project_id: int, index: int) -> Scene:
        return session.scalars(select(Scene).where(Scene.project_id == project_id, Scene.idx == index)).one()

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        if unit.key == TIMELINE:
            return self._timeline(ctx)
        with ctx.read() as session:
            project = ctx.project(session)
            scene = self._scene(session, project.id, unit.subject)
            plans = self._takes(session, project, scene)
            draft, analysis = _draft_of(session, scene), entities.read_analysis(session, project)
            previous = _ends_before(session, project, scene)
        takes = tuple(
            Take(
                index=at,
                kind=plan.kind,
                speaker=plan.speaker,
                text=plan.text,
                start_ms=plan.start_ms,
                end_ms=plan.end_ms,
            )
            for at, plan in enumerate(plans)
        )
        shots = ctx.writer(unit).shots(draft, takes, analysis, previous=previous)
        check_shots(shots, takes, analysis)
        made = {
            "shots": [one.model_dump() for one in shots],
            "takes": [list(key_of(take.kind, take.speaker, take.text)) for take in takes],
        }
        return Outcome(f"Filmed {unit.label}: {len(shots)} shots.", data=made)

    def _timeline(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            scenes = scenes_of(session, project.id)
            filmed = filmed_in(session, project.id)
            empty = [scene.idx + 1 for scene in scenes if scene.idx not in filmed or not filmed[scene.idx].drafts]
            if empty:
                return Outcome(f"Scene {empty[0]} has no shots yet.", status="skipped")
            number, fps = len(all_takes(session, project)), ctx.form(project).fps

        def apply(session: Session) -> None:
            lay(session, ctx.project(session), filmed, fps)

        return Outcome(f"The film has {number} shots in {len(scenes)} scenes.", apply=apply)

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


class SceneAnew(ShotsStage):
    """The same for one scene that a person wants filmed anew: nothing of it is pinned, and its shots are laid at once.

    Shots that a user has changed by hand stay as they are. With `force` they are given up, as are the user's cuts, in
    the transaction in which the new ones come.
    """

    def __init__(self, *, force: bool) -> None:
        self._force = force

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        return self._scene_digest(session, project, self._scene(session, project.id, unit.subject))

    def _takes(self, session: Session, project: Project, scene: Scene) -> tuple[TakePlan, ...]:
        return scene_takes(session, project, scene, by_hand=not self._force)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        made = super().run(ctx, unit)
        planned: dict[str, Any] = dict(made.data)
        with ctx.read() as session:
            project = ctx.project(session)
            fps = ctx.form(project).fps
            if not self._force:
                scene = self._scene(session, project.id, unit.subject)
                planned["shots"] = _with_hand_made(session, scene, planned)

        def apply(session: Session) -> None:
            _refuse_beside_a_run(session, ctx.project_id)
            if self._force:
                _give_up(session, self._scene(session, ctx.project_id, unit.subject))
            lay(session, ctx.project(session), filmed_in(session, ctx.project_id), fps)

        return replace(made, data=planned, apply=apply)


class _FilmInTheMaking(Conflict):
    final = True


def _refuse_beside_a_run(session: Session, project_id: int) -> None:
    if session.scalar(select(Run.id).where(Run.project_id == project_id, Run.state == "running")):
        hint = "Pause it, or wait for its end, and try again."
        raise _FilmInTheMaking("The film is being made from the shots as they were.", hint=hint)


def _with_hand_made(session: Session, scene: Scene, planned: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The planned shots, with those in place of which a user has made one of the same words."""
    rows = list(session.scalars(select(Shot).where(Shot.scene_id == scene.id).order_by(Shot.idx)))
    names = dict(
        session.execute(select(Character.id, Character.name).where(Character.project_id == scene.project_id)).all()
    )
    there = [key_of(row.kind, names.get(row.speaker_id or 0), row.text) for row in rows]
    wanted = [tuple(key) for key in planned["takes"]]
    shots = list(planned["shots"])
    for at, old in enumerate(aligned(there, wanted)):
        if old is not None and there[old] == wanted[at] and is_hand_made(rows[old]):
            looks = {name: getattr(rows[old], name) for name in LOOKS}
            shots[at] = ShotDraft.model_validate(looks).model_dump()
    return shots


def _give_up(session: Session, scene: Scene) -> None:
    scene.cuts = None
    scene.version += 1
    for shot in session.scalars(select(Shot).where(Shot.scene_id == scene.id)):
        left = set(shot.edited_fields or ()) - {*LOOKS, "cut", "place"}
        if len(left) != len(shot.edited_fields or ()):
            shot.edited_fields = sorted(left)
            shot.version += 1
    session.flush()


def _is_edited(session: Session, scene: Scene) -> bool:
    if scene.edited_fields or scene.cuts is not None:
        return True
    marks = session.scalars(
        select(ScriptSegment.edited_fields).where(
            ScriptSegment.project_id == scene.project_id,
            ScriptSegment.idx.between(scene.first_segment_idx, scene.last_segment_idx),
        )
    )
    return any(marks)


def _ends_before(session: Session, project: Project, scene: Scene) -> Framing | None:
    """The framing that the scene before ends with, where that can be told before it is filmed.

    A scene opens wide and does not end so, unless it has a single take; a row of such scenes is wide, medium, wide...
    """
    framing: Framing | None = None
    for earlier in scenes_of(session, project.id)[: scene.idx][::-1]:
        if len(scene_takes(session, project, earlier)) > 1:
            break
        framing = "medium" if framing == "wide" else "wide"
    return framing


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
