"""Characters, sets and props as the writer and the picture engines need them: one reading for every path.

Hides how rows become an `Analysis`, a `Look` and a reference request, and how a new Analysis is laid over what users
have edited or uploaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline import prompts
from pipeline.contracts import (
    Analysis,
    CharacterDraft,
    EntityKind,
    FilmForm,
    ImageRequest,
    Look,
    MediaRef,
    PropDraft,
    ReferenceBrief,
    SetDraft,
    digest,
)
from pipeline.store.models import Character, GuideImage, Project, Prop
from pipeline.store.models import Set as SetRow

PORTRAIT = (768, 960)
OBJECT = (768, 768)
IDENTITY_MODEL = "pulid"
GUIDE_TYPES: dict[EntityKind, str] = {"character": "characters", "set": "sets", "prop": "props"}
KEPT_PROMPTS = ("[ADVANCED:", "[CUSTOM_UPLOAD]")

Entity = Character | SetRow | Prop


class MediaLookup(Protocol):
    """The media store, as far as this module needs it."""

    def ref(self, url: str) -> MediaRef: ...


def film_form(project: Project) -> FilmForm:
    """The film's form: by the aspect ratio, unless the project's options name one (benchmarks, tests)."""
    own = (project.options or {}).get("form")
    return FilmForm.model_validate(own) if own else FilmForm.of(project.aspect_ratio)  # type: ignore[arg-type]


def kind_of(entity: Entity) -> EntityKind:
    if isinstance(entity, Character):
        return "character"
    return "set" if isinstance(entity, SetRow) else "prop"


def cast(session: Session, project_id: int) -> list[Character]:
    return list(
        session.scalars(
            select(Character).where(Character.project_id == project_id).order_by(Character.sort_order, Character.id)
        )
    )


def sets(session: Session, project_id: int) -> list[SetRow]:
    return list(
        session.scalars(select(SetRow).where(SetRow.project_id == project_id).order_by(SetRow.sort_order, SetRow.id))
    )


def props(session: Session, project_id: int) -> list[Prop]:
    return list(session.scalars(select(Prop).where(Prop.project_id == project_id).order_by(Prop.sort_order, Prop.id)))


def read_analysis(session: Session, project: Project) -> Analysis:
    """The story's entities as they stand now, users' edits included."""
    return Analysis(
        language=project.language or "en",
        characters=tuple(
            CharacterDraft(
                name=row.name,
                aliases=tuple(row.aliases or ()),
                description=row.description,
                appearance=row.appearance,
                personality=row.personality,
                age_group=row.age_group,  # type: ignore[arg-type]
                gender=row.gender,  # type: ignore[arg-type]
            )
            for row in cast(session, project.id)
        ),
        sets=tuple(
            SetDraft(name=row.name, description=row.description, mood=row.mood, time_of_day=row.time_of_day)  # type: ignore[arg-type]
            for row in sets(session, project.id)
        ),
        props=tuple(PropDraft(name=row.name, description=row.description) for row in props(session, project.id)),
    )


def lay_over(session: Session, project: Project, analysis: Analysis) -> None:
    """Bring the project's entities to a new Analysis, matched by name and alias.

    What a user edited (`edited_fields`), chose or uploaded stays; an entity that is found no more is removed unless it
    holds such work.
    """
    project.language = project.language or analysis.language
    characters = [(draft, {draft.name, *draft.aliases}) for draft in analysis.characters]
    _merge(session, project, cast(session, project.id), characters, Character)
    _merge(session, project, sets(session, project.id), [(draft, {draft.name}) for draft in analysis.sets], SetRow)
    _merge(session, project, props(session, project.id), [(draft, {draft.name}) for draft in analysis.props], Prop)


Row = TypeVar("Row", Character, SetRow, Prop)


def _merge(
    session: Session,
    project: Project,
    rows: Sequence[Row],
    drafts: Iterable[tuple[CharacterDraft | SetDraft | PropDraft, set[str]]],
    kind: type[Row],
) -> None:
    left = list(rows)
    for order, (draft, names) in enumerate(drafts):
        wanted = {name.casefold() for name in names}
        row = next((row for row in left if _names(row) & wanted), None)
        if row is None:
            row = kind(project_id=project.id)
            session.add(row)
        else:
            left.remove(row)
        edited = set(row.edited_fields or ())
        for field, value in _columns(draft).items():
            if field not in edited:
                setattr(row, field, value)
        row.sort_order = order
    for row in left:
        if not _holds_work(row):
            session.delete(row)


def _names(row: Entity) -> set[str]:
    aliases = row.aliases or [] if isinstance(row, Character) else []
    return {name.casefold() for name in (row.name, *aliases)}


def _columns(draft: CharacterDraft | SetDraft | PropDraft) -> dict[str, Any]:
    columns = draft.model_dump()
    if isinstance(draft, CharacterDraft):
        columns["aliases"] = list(draft.aliases)
    return columns


def _holds_work(row: Entity) -> bool:
    chosen = isinstance(row, Character) and row.voice_chosen
    kept = (row.reference_image_prompt or "").startswith(KEPT_PROMPTS)
    return bool(row.edited_fields or row.guide_image_url or chosen or kept)


def look(media: MediaLookup, entity: Entity, **light: str) -> Look:
    """The entity as picture engines know it; `light` (time_of_day, weather, mood) overrides a set's own."""
    image = media.ref(entity.reference_image_url) if entity.reference_image_url else None
    if isinstance(entity, Character):
        return Look(
            kind="character",
            name=entity.name,
            appearance=entity.appearance,
            age_group=entity.age_group,  # type: ignore[arg-type]
            gender=entity.gender,  # type: ignore[arg-type]
            image=image,
        )
    if isinstance(entity, SetRow):
        own: Mapping[str, str] = {"mood": entity.mood, "time_of_day": entity.time_of_day}
        text = _place_words(entity)
        return Look.model_validate(
            {"kind": "set", "name": entity.name, "appearance": text, "image": image} | dict(own) | light
        )
    return Look(kind="prop", name=entity.name, appearance=entity.description, image=image)


def _place_words(entity: SetRow) -> str:
    return entity.description or entity.name


def guides(session: Session, media: MediaLookup, entity: Entity) -> tuple[MediaRef, ...]:
    """The pictures that users gave for the entity, in their order: the one reading for every path that generates."""
    query = (
        select(GuideImage.image_url)
        .where(GuideImage.entity_type == GUIDE_TYPES[kind_of(entity)], GuideImage.entity_id == entity.id)
        .order_by(GuideImage.sort_order, GuideImage.id)
    )
    urls = list(session.scalars(query)) or ([entity.guide_image_url] if entity.guide_image_url else [])
    return tuple(media.ref(url) for url in urls)


def reference_model(project: Project, entity: Entity, pictures: Sequence[MediaRef]) -> str:
    """The project's choice; by default a face is kept by the model made for that (empty: the provider's default)."""
    if project.reference_image_model:
        return project.reference_image_model
    return IDENTITY_MODEL if pictures and isinstance(entity, Character) else ""


def reference_request(
    media: MediaLookup,
    project: Project,
    entity: Entity,
    form: FilmForm,
    *,
    model: str = "",
    guides: Sequence[MediaRef] = (),
) -> ImageRequest:
    """What is sent for the entity's reference picture: a portrait, an empty place, or the object alone."""
    subject = look(media, entity).model_copy(update={"image": None})
    if isinstance(entity, Character):
        prompt = prompts.character_reference(entity.name, entity.appearance, project.style)
        width, height = PORTRAIT
    elif isinstance(entity, SetRow):
        prompt = prompts.set_reference(entity.name, entity.description, entity.mood, entity.time_of_day, project.style)
        width, height = form.width, form.height
    else:
        prompt = prompts.prop_reference(entity.name, entity.description, project.style)
        width, height = OBJECT
    return ImageRequest(
        model=model,
        references=tuple(guides),
        prompt=prompt,
        width=width,
        height=height,
        seed=seed_of(kind_of(entity), entity.name),
        brief=ReferenceBrief(subject=subject, style=project.style),
    )


def seed_of(*parts: object) -> int:
    """A seed that the same things always get."""
    return int(digest([str(part) for part in parts])[:7], 16)
