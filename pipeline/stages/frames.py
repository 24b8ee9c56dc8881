"""The still that each shot starts from, composed from the references of everyone and everything in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane, digest
from pipeline.generation.entities import kind_of, render_of
from pipeline.generation.references import FrameRequest, frame_request, used_entities
from pipeline.generation.variations import ask_for_another
from pipeline.stage import Outcome, StageContext, Unit, about_shot, frame_key, ref_key, shot_label
from pipeline.store.looks import looks_fit
from pipeline.store.models import Scene, Shot
from pipeline.store.places import keep_late, show


class FramesStage:
    name: ClassVar[str] = "frames"
    lane: ClassVar[Lane] = Lane.IMAGE
    after: ClassVar[tuple[str, ...]] = ("shots",)
    attempts: ClassVar[int] = 2
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        with ctx.read() as session:
            keys = {one: ref_key(kind_of(one), one.id) for one in used_entities(session, ctx.project_id)}
            refs = {one.name: key for one, key in keys.items() if kind_of(one) != "set"}
            places: dict[int | None, str] = {one.id: key for one, key in keys.items() if kind_of(one) == "set"}
            rows = session.execute(
                select(Shot.id, Shot.idx, Shot.subjects, Scene.set_id)
                .join(Scene, Scene.id == Shot.scene_id)
                .where(Shot.project_id == ctx.project_id)
                .order_by(Shot.idx)
            )
            return [
                Unit(
                    frame_key(shot_id),
                    f"the frame of {shot_label(index)}",
                    tuple(key for key in (places.get(set_id), *map(refs.get, subjects)) if key),
                    subject=shot_id,
                    about=about_shot(index, shot_id),
                )
                for shot_id, index, subjects, set_id in rows
            ]

    def _request(self, ctx: StageContext, session: Session, unit: Unit) -> FrameRequest:
        project, shot = ctx.project(session), session.get_one(Shot, unit.subject)
        cap = ctx.reference_cap(project.frame_image_model, render_of(project, "image"))
        return frame_request(session, ctx.store.media, project, shot, ctx.form(project), cap=cap)

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        shot = session.get_one(Shot, unit.subject)
        if "first_frame" in shot.own_slots:
            return digest("own", shot.first_frame_url)
        request = self._request(ctx, session, unit).request
        # Where people stand and look is nothing that users said: it makes no finished frame stale.
        known = request.model_dump(exclude={"prompt": True, "model": True, "brief": {"line", "partner"}})
        return digest(known, ctx.project(session).frame_image_model)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            shot = session.get_one(Shot, unit.subject)
            if "first_frame" in shot.own_slots:
                own = (shot.first_frame_url or "",)
                return Outcome(f"Kept {unit.label}, which is your own.", status="skipped", media=own)
            wanted = self._request(ctx, session, unit)
            render = render_of(ctx.project(session), "image")
        drawn = ctx.generate(unit, wanted.request, render=render)

        def apply(session: Session) -> None:
            show(session, session.get_one(Shot, unit.subject), "first_frame", drawn.media.url, drawn.media.meta)

        def late(session: Session, earlier: bool) -> None:
            meta = drawn.media.meta
            keep_late(session, unit.subject, "first_frame", drawn.media.url, meta, earlier_text=earlier)

        left = f" Left out because of the model's limit: {', '.join(wanted.overflow)}." if wanted.overflow else ""
        return Outcome(
            f"Drew {unit.label}.{left}",
            media=(drawn.media.url,),
            data={"overflow": list(wanted.overflow)},
            apply=apply,
            late=late,
        )

    def stands(self, ctx: StageContext, unit: Unit) -> None:
        looks_fit(ctx.store.db, ctx.store.events, unit.subject, "first_frame")

    def vary(self, session: Session, unit: Unit) -> None:
        ask_for_another(session, unit.subject, "first_frame")

    def verify(self, ctx: StageContext) -> None:
        return None
