"""A reference picture for every entity that the film shows and that has none of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy.orm import Session

from pipeline.contracts import ImageRequest, Lane, digest
from pipeline.generation.entities import (
    KEPT_PROMPTS,
    Entity,
    guides,
    kind_of,
    reference_model,
    reference_request,
)
from pipeline.generation.references import used_entities
from pipeline.stage import Outcome, StageContext, Unit, ref_key
from pipeline.store.models import Character, Project, Prop
from pipeline.store.models import Set as SetRow

TABLES = {"character": Character, "set": SetRow, "prop": Prop}


class RefsStage:
    name: ClassVar[str] = "refs"
    lane: ClassVar[Lane] = Lane.IMAGE
    after: ClassVar[tuple[str, ...]] = ("shots",)
    attempts: ClassVar[int] = 2
    blocking: ClassVar[bool] = False

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        with ctx.read() as session:
            return [
                Unit(ref_key(kind_of(one), one.id), one.name, subject=one.id)
                for one in used_entities(session, ctx.project_id)
            ]

    def _entity(self, session: Session, unit: Unit) -> Entity:
        entity = session.get_one(TABLES[unit.key.split("/")[1]], unit.subject)
        assert isinstance(entity, Character | SetRow | Prop)
        return entity

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        entity, project = self._entity(session, unit), ctx.project(session)
        if _is_users_own(entity):
            return digest("own", entity.reference_image_url)
        request = self._request(ctx, session, project, entity)
        return digest(request.model_dump(exclude={"prompt", "model"}), project.reference_image_model)

    def _request(self, ctx: StageContext, session: Session, project: Project, entity: Entity) -> ImageRequest:
        pictures = guides(session, ctx.store.media, entity)
        model = reference_model(project, entity, pictures)
        cap = ctx.reference_cap(model, project.render_image)
        return reference_request(
            ctx.store.media, project, entity, ctx.form(project), model=model, guides=pictures[:cap]
        )

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            entity, project = self._entity(session, unit), ctx.project(session)
            if _is_users_own(entity):
                return Outcome(f"{entity.name} keeps its own picture.", status="skipped")
            request = self._request(ctx, session, project, entity)
            render = project.render_image
        drawn = ctx.generate(unit, request, render=render)

        def apply(session: Session) -> None:
            entity = self._entity(session, unit)
            entity.reference_image_url = drawn.media.url
            entity.reference_image_prompt = request.prompt

        return Outcome(f"Drew {unit.label}.", media=(drawn.media.url,), apply=apply)

    def verify(self, ctx: StageContext) -> None:
        return None


def _is_users_own(entity: Entity) -> bool:
    return bool(entity.reference_image_url) and (entity.reference_image_prompt or "").startswith(KEPT_PROMPTS)
