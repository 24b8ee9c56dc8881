"""A reference picture for every entity that the film shows and that has none of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy.orm import Session

from pipeline.contracts import Lane, digest
from pipeline.generation.entities import (
    OWN_REFERENCE,
    Entity,
    is_users_own,
    keep_late_reference,
    kind_of,
    render_of,
    type_of,
)
from pipeline.generation.reference_images import Plan, Wish, kept_prompt, plan, stored_prompt
from pipeline.generation.references import used_entities
from pipeline.stage import Outcome, StageContext, Unit, ref_key
from pipeline.store import versions
from pipeline.store.looks import show_reference
from pipeline.store.models import Character, Project, Prop
from pipeline.store.models import Set as SetRow

TABLES = {"character": Character, "set": SetRow, "prop": Prop}


class RefsStage:
    name: ClassVar[str] = "refs"
    lane: ClassVar[Lane] = Lane.IMAGE
    after: ClassVar[tuple[str, ...]] = ("shots",)
    attempts: ClassVar[int] = 2
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        with ctx.read() as session:
            return [
                Unit(ref_key(kind_of(one), one.id), one.name, subject=one.id, about=_about(one))
                for one in used_entities(session, ctx.project_id)
            ]

    def _entity(self, session: Session, unit: Unit) -> Entity:
        entity = session.get_one(TABLES[unit.key.split("/")[1]], unit.subject)
        assert isinstance(entity, Character | SetRow | Prop)
        return entity

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        entity, project = self._entity(session, unit), ctx.project(session)
        if is_users_own(entity):
            return digest("own", entity.reference_image_url)
        request = self._plan(ctx, session, project, entity).request
        return digest(request.model_dump(exclude={"prompt", "model"}), project.reference_image_model)

    def _plan(self, ctx: StageContext, session: Session, project: Project, entity: Entity) -> Plan:
        render = render_of(project, "image")
        return plan(session, ctx.store.media, project, entity, lambda model: ctx.reference_cap(model, render))

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            entity, project = self._entity(session, unit), ctx.project(session)
            if is_users_own(entity):
                return Outcome(f"{entity.name} keeps its own picture.", status="skipped")
            request = self._plan(ctx, session, project, entity).request
            prompt = stored_prompt(Wish(prompt=kept_prompt(entity)), request)
            render = render_of(project, "image")
        drawn = ctx.generate(unit, request, render=render)

        def apply(session: Session) -> None:
            entity = self._entity(session, unit)
            show_reference(session, entity, drawn.media.url)
            entity.reference_image_prompt = prompt
            entity.edited_fields = [name for name in entity.edited_fields or () if name != OWN_REFERENCE]
            versions.keep(
                session,
                ctx.project_id,
                type_of(entity),
                entity.id,
                "reference_image",
                drawn.media.url,
                source="generated",
                prompt=prompt,
                meta=drawn.media.meta,
            )

        def late(session: Session, _: bool) -> None:
            entity = session.get(TABLES[unit.key.split("/")[1]], unit.subject)
            if isinstance(entity, Character | SetRow | Prop):
                keep_late_reference(session, entity, drawn.media.url, drawn.media.meta, prompt)

        return Outcome(f"Drew {unit.label}.", media=(drawn.media.url,), apply=apply, late=late)

    def verify(self, ctx: StageContext) -> None:
        return None


def _about(entity: Entity) -> dict[str, Any]:
    return {"entity": entity.name, "entity_type": type_of(entity), "entity_id": entity.id}
