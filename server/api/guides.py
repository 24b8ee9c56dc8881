"""An entity's pictures: guide images, the reference that stands for it, and what it was before."""

from __future__ import annotations

from typing import Annotated, Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from pipeline.generation.entities import Entity, EntityType, guides_of, type_of
from pipeline.generation.reference_images import Wish, model_for, split
from pipeline.projects.documents import analyses_of
from pipeline.projects.entities import find, guide_view
from pipeline.projects.entity_fields import (
    CharacterView,
    EntityView,
    GuideView,
    PropView,
    SetView,
    VersionView,
    columns_of,
)
from pipeline.projects.pictures import (
    add_guides,
    clear_reference,
    delete_guide,
    order_guides,
    put_reference,
    restore_reference,
)
from pipeline.projects.uploads import MOST_AT_ONCE, MOST_BYTES
from pipeline.store import versions
from pipeline.store.models import Project
from server.api.entities import ForModel, cap_of, entity_view, tell
from server.api.images import noticed, start_all
from server.api.jobs import JobView, job_view
from server.contract import WORK_PROBLEMS, Body, Files, Page, Text, Turn, api
from server.http import services

room = Blueprint("guides", __name__, url_prefix="/api")

_TYPE = "<any(characters, sets, props):entity_type>"
_ONE = f"/{_TYPE}/<int:entity_id>"
_VIEWS = (CharacterView, SetView, PropView)
_UPLOAD_PROBLEMS = ("bad_media", "too_large")


class GuideList(Page[GuideView]):
    """The guides in their order; those that the chosen model gets, and those past its cap."""

    active_guides: list[GuideView]
    overflow_guides: list[GuideView]
    reference_cap: int


class Order(Body):
    """All guide images of the entity, each once, the first first."""

    ids: Annotated[list[int], Field(max_length=200)]


Address = Annotated[Text, Field(max_length=200)]


class Generate(Body):
    """`model`: "" for the project's choice, "default" for the app's own. `extra_references`: addresses of pictures
    (`/media/…`) that go along after the guides. `edit_existing`: the present reference goes along, before them."""

    model: Annotated[Text, Field(max_length=200)] = ""
    extra_references: Annotated[list[Address], Field(default_factory=list, max_length=14)]
    edit_existing: bool = False


class GenerateAdvanced(Generate):
    """`prompt`: sent as it is, with no style added; an empty one is built from the entity's fields."""

    prompt: Annotated[Text, Field(max_length=8_000)] = ""


# --- Guides -----------------------------------------------------------------------------------------


@room.get(f"{_ONE}/guide-images")
@api(query=ForModel, answers={200: GuideList})
def guides(entity_type: EntityType, entity_id: int, query: ForModel) -> GuideList:
    """Lists the pictures that users gave for an entity, in order."""
    with services().store.db.read() as session:
        entity, project = find(session, entity_type, entity_id)
        return _guides(session, project, entity, query.model)


@room.post(f"{_ONE}/guide-images")
@api(files=Files("file", MOST_BYTES, MOST_AT_ONCE), answers={201: GuideList}, problems=_UPLOAD_PROBLEMS)
def upload_guides(entity_type: EntityType, entity_id: int, files: list[FileStorage]) -> GuideList:
    """Adds pictures, many at once, after those that are there: all of them, or none."""
    parts = services()
    with parts.store.db.read() as session:
        find(session, entity_type, entity_id)
    refs = parts.uploads.take(parts.store.media, [file.stream for file in files])
    with parts.store.db.write(durable=True) as session:
        entity, project = find(session, entity_type, entity_id)
        add_guides(session, entity, [ref.url for ref in refs])
        tell(session, entity, f"{entity.name} got {len(refs)} guide image{'s' if len(refs) > 1 else ''}.")
        jobs = noticed(session, project.id, refs)
        answer = _guides(session, project, entity)
    start_all(jobs)
    return answer


@room.put(f"{_ONE}/guide-images/order")
@api(body=Order, answers={200: GuideList})
def arrange(entity_type: EntityType, entity_id: int, body: Order) -> GuideList:
    """Puts the guide images in another order."""
    with services().store.db.write(durable=True) as session:
        entity, project = find(session, entity_type, entity_id)
        order_guides(session, entity, body.ids)
        tell(session, entity, f"{entity.name}'s guide images were put in order.")
        return _guides(session, project, entity)


@room.delete("/guide-images/<int:guide_id>")
@api(answers={204: None})
def take_guide(guide_id: int) -> None:
    """Takes a guide image away."""
    with services().store.db.write(durable=True) as session:
        entity = delete_guide(session, guide_id)
        tell(session, entity, f"A guide image of {entity.name} was taken away.")


def _guides(session: Session, project: Project, entity: Entity, model: str = "") -> GuideList:
    rows = guides_of(session, type_of(entity), [entity.id]).get(entity.id, [])
    cap = cap_of(project)
    active, overflow = split(project, entity, rows, cap, model)
    seen = analyses_of(session.connection(), [row.image_url for row in rows])
    return GuideList(
        items=[guide_view(row, seen) for row in rows],
        active_guides=[guide_view(row, seen) for row in active],
        overflow_guides=[guide_view(row, seen) for row in overflow],
        reference_cap=cap(model_for(project, entity, rows, model)),
    )


# --- The reference picture --------------------------------------------------------------------------


@room.post(f"{_ONE}/generate")
@api(body=Generate, answers={202: JobView, 200: JobView}, problems=(*WORK_PROBLEMS, "media_missing"), spends=True)
def generate(entity_type: EntityType, entity_id: int, body: Generate, turn: Turn) -> tuple[JobView, int]:
    """Makes the entity's reference picture, or another one: 202 with the job, 200 with one that is at it already."""
    return _ask(entity_type, entity_id, body, "", turn)


@room.post(f"{_ONE}/generate-advanced")
@api(
    body=GenerateAdvanced,
    answers={202: JobView, 200: JobView},
    problems=(*WORK_PROBLEMS, "media_missing"),
    spends=True,
)
def generate_advanced(
    entity_type: EntityType, entity_id: int, body: GenerateAdvanced, turn: Turn
) -> tuple[JobView, int]:
    """The same with a prompt of the user's own."""
    return _ask(entity_type, entity_id, body, body.prompt.strip() and body.prompt, turn)


def _ask(entity_type: EntityType, entity_id: int, body: Generate, prompt: str, turn: Turn) -> tuple[JobView, int]:
    parts = services()
    wish = Wish(model=body.model, prompt=prompt, extra=tuple(body.extra_references), edit_existing=body.edit_existing)
    with parts.store.db.write(durable=True) as session:
        entity, project = find(session, entity_type, entity_id)
        row, fresh = parts.runner.references.ask(session, entity, project, wish)
        answer, status = job_view(row), 202 if fresh else 200
        turn.keep(session, answer, status)
    if fresh:
        parts.runner.jobs.start(row.id)
    return answer, status


@room.post(f"{_ONE}/reference-image")
@api(files=Files("file", MOST_BYTES), answers={201: _VIEWS}, problems=_UPLOAD_PROBLEMS)
def upload_reference(entity_type: EntityType, entity_id: int, files: list[FileStorage]) -> EntityView:
    """Shows a picture of the user's own; no run replaces it."""
    parts = services()
    with parts.store.db.read() as session:
        find(session, entity_type, entity_id)
    ref = parts.uploads.take(parts.store.media, [files[0].stream])[0]
    with parts.store.db.write(durable=True) as session:
        entity, project = find(session, entity_type, entity_id)
        put_reference(session, entity, ref.url, ref.meta)
        tell(session, entity, f"{entity.name} got a picture of its own.")
        jobs = noticed(session, project.id, [ref])
        answer = entity_view(session, project, entity)
    start_all(jobs)
    return answer


@room.delete(f"{_ONE}/reference-image")
@api(answers={200: _VIEWS})
def drop_reference(entity_type: EntityType, entity_id: int) -> EntityView:
    """Shows no reference picture any more; guides and prompt stay, and it can be brought back."""
    with services().store.db.write(durable=True) as session:
        entity, project = find(session, entity_type, entity_id)
        clear_reference(session, entity)
        tell(session, entity, f"{entity.name}'s reference picture was cleared.")
        return entity_view(session, project, entity)


@room.get(f"{_ONE}/versions")
@api(answers={200: Page[VersionView]})
def versions_of(entity_type: EntityType, entity_id: int) -> Page[VersionView]:
    """Lists the reference pictures that were made or given, newest first."""
    with services().store.db.read() as session:
        find(session, entity_type, entity_id)
        rows = versions.of(session, entity_type, entity_id)
        return Page[VersionView](items=[version_view(session, row) for row in rows])


@room.post(f"{_ONE}/versions/<int:version_id>/restore")
@api(answers={200: _VIEWS})
def restore(entity_type: EntityType, entity_id: int, version_id: int) -> EntityView:
    """Shows an earlier picture again; no run replaces it."""
    with services().store.db.write(durable=True) as session:
        entity, project = find(session, entity_type, entity_id)
        restore_reference(session, entity, version_id)
        tell(session, entity, f"{entity.name} shows an earlier picture again.")
        return entity_view(session, project, entity)


def version_view(session: Session, row: Any) -> VersionView:
    return VersionView.model_validate(columns_of(row, VersionView) | {"current": versions.shown(session, row)})
