"""Characters, sets and props: listed, added, changed, merged, taken out; each kind with fields of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from flask import Blueprint
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from pipeline.generation.entities import Entity, EntityType, type_of
from pipeline.projects import live_project
from pipeline.projects.entities import add, change, find, listed, merge, remove, views
from pipeline.projects.entity_fields import (
    CharacterFields,
    CharacterView,
    EntityView,
    PropFields,
    PropView,
    SetFields,
    SetView,
)
from pipeline.store.models import Project
from server.contract import Body, Page, Query, Text, Version, api, of_project
from server.http import services

room = Blueprint("entities", __name__, url_prefix="/api")


class ForModel(Query):
    """`model`: for which `active_guides` and `overflow_guides` are told; the project's own choice where not given."""

    model: Annotated[Text, Field(max_length=200)] = ""


class Merge(Body):
    """`other_id` is made part of the one in the address, and is gone afterwards."""

    other_id: Annotated[int, Field(ge=1, lt=1 << 62)]
    version: Version = None


class OfVersion(Query):
    version: Version = None


class CharacterChange(CharacterFields):
    version: Version = None


class SetChange(SetFields):
    version: Version = None


class PropChange(PropFields):
    version: Version = None


def entity_view(session: Session, project: Project, entity: Entity, model: str = "") -> EntityView:
    return views(session, project, type_of(entity), [entity], cap_of(project), model)[0]


def cap_of(project: Project) -> Callable[[str], int]:
    """How many reference pictures a model takes for the project, each model asked for once."""
    known: dict[str, int] = {}

    def cap(model: str) -> int:
        if model not in known:
            known[model] = services().runner.generator.reference_cap(model, project.render_image)
        return known[model]

    return cap


def tell(session: Session, entity: Entity, text: str) -> None:
    """Every change is an event, so that whoever watches looks again."""
    services().store.events.append(
        session,
        project_id=entity.project_id,
        kind="entity",
        text=text,
        data={"entity": f"{type_of(entity)}/{entity.id}"},
    )


def _of_project(entity_type: EntityType, view: type[EntityView], fields: type[BaseModel]) -> None:
    """The addresses of one kind of entity within a project."""
    single = entity_type.removesuffix("s")

    @room.get(f"/projects/<int:project_id>/{entity_type}", endpoint=f"list_{entity_type}")
    @api(query=ForModel, answers={200: Page[view]}, polled=of_project)  # type: ignore[valid-type]
    def index(project_id: int, query: ForModel) -> Page[Any]:
        """Lists the project's entities of a kind in the story's order, each with its guide images."""
        with services().store.db.read() as session:
            project = live_project(session, project_id)
            rows = listed(session, project_id, entity_type)
            items = views(session, project, entity_type, rows, cap_of(project), query.model)
        return Page[view](items=items)  # type: ignore[valid-type]

    @room.post(f"/projects/<int:project_id>/{entity_type}", endpoint=f"add_{single}")
    @api(body=fields, answers={201: view}, location=f"/api/{entity_type}/{{id}}")
    def create(project_id: int, body: BaseModel) -> EntityView:
        """Adds an entity by hand; Analysis keeps it."""
        with services().store.db.write(durable=True) as session:
            project = live_project(session, project_id)
            entity = add(session, project, entity_type, body.model_dump(exclude_unset=True))
            tell(session, entity, f"{entity.name} was added.")
            return entity_view(session, project, entity)


def _of_one(entity_type: EntityType, view: type[EntityView], fields: type[BaseModel]) -> None:
    """The addresses of a single entity of a kind."""
    single = entity_type.removesuffix("s")

    @room.get(f"/{entity_type}/<int:entity_id>", endpoint=f"read_{single}")
    @api(query=ForModel, answers={200: view})
    def read(entity_id: int, query: ForModel) -> EntityView:
        """Shows an entity with its guide images."""
        with services().store.db.read() as session:
            entity, project = find(session, entity_type, entity_id)
            return entity_view(session, project, entity, query.model)

    @room.patch(f"/{entity_type}/<int:entity_id>", endpoint=f"change_{single}")
    @api(body=fields, answers={200: view}, problems=("stale_version",))
    def edit(entity_id: int, body: BaseModel) -> EntityView:
        """Changes the given fields; Analysis does not undo it.

        A field that feeds the prompt drops the stored `reference_image_prompt`, unless it begins with `[ADVANCED:` or
        `[CUSTOM_UPLOAD]`. A new name follows wherever the old one stood.
        """
        given = body.model_dump(exclude_unset=True)
        seen = given.pop("version", None)
        with services().store.db.write(durable=True) as session:
            entity, project = find(session, entity_type, entity_id)
            change(session, entity, project, given, seen=seen)
            tell(session, entity, f"{entity.name} was changed.")
            return entity_view(session, project, entity)


def _out_of_the_film(entity_type: EntityType, view: type[EntityView]) -> None:
    """The addresses by which an entity of a kind goes."""
    single = entity_type.removesuffix("s")

    @room.delete(f"/{entity_type}/<int:entity_id>", endpoint=f"delete_{single}")
    @api(query=OfVersion, answers={204: None}, problems=("conflict", "stale_version"))
    def delete(entity_id: int, query: OfVersion) -> None:
        """Takes an entity out of the film; another Analysis does not bring it back."""
        parts = services()
        with parts.store.db.write(durable=True) as session:
            entity, project = find(session, entity_type, entity_id)
            tell(session, entity, f"{entity.name} was taken out.")
            remove(session, entity, project, seen=query.version)
        parts.runner.jobs.cancel_for(entity_type, entity_id)

    @room.post(f"/{entity_type}/<int:entity_id>/merge", endpoint=f"merge_{single}")
    @api(body=Merge, answers={200: view}, problems=("conflict", "stale_version"))
    def unite(entity_id: int, body: Merge) -> EntityView:
        """Makes one of two: guides, aliases, scenes, shots and spoken lines of the other are this one's afterwards."""
        parts = services()
        with parts.store.db.write(durable=True) as session:
            entity, project = find(session, entity_type, entity_id)
            merge(session, entity, project, body.other_id, seen=body.version)
            tell(session, entity, f"{entity.name} took another one in.")
            answer = entity_view(session, project, entity)
        parts.runner.jobs.cancel_for(entity_type, body.other_id)
        return answer


_of_project("characters", CharacterView, CharacterFields)
_of_project("sets", SetView, SetFields)
_of_project("props", PropView, PropFields)
_of_one("characters", CharacterView, CharacterChange)
_of_one("sets", SetView, SetChange)
_of_one("props", PropView, PropChange)
_out_of_the_film("characters", CharacterView)
_out_of_the_film("sets", SetView)
_out_of_the_film("props", PropView)
