"""Characters, sets and props as the writer and the picture engines need them: one reading for every path.

Hides how rows become an `Analysis` and a `Look`, and how a new Analysis is laid over what users have edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.contracts import (
    Analysis,
    CharacterDraft,
    EntityKind,
    FilmForm,
    Look,
    MediaRef,
    PropDraft,
    Render,
    SetDraft,
    digest,
)
from pipeline.film.options import film_options
from pipeline.store import versions
from pipeline.store.looks import show_reference
from pipeline.store.models import Character, GuideImage, Project, Prop, Version
from pipeline.store.models import Set as SetRow

EntityType = Literal["characters", "sets", "props"]
TYPES: dict[EntityKind, EntityType] = {"character": "characters", "set": "sets", "prop": "props"}
# Prompts of the user's own: no change of a field drops them, and no run replaces the picture that they stand for.
ADVANCED, CUSTOM_UPLOAD = "[ADVANCED:", "[CUSTOM_UPLOAD]"
KEPT_PROMPTS = (ADVANCED, CUSTOM_UPLOAD)
# Among an entity's `edited_fields`: its reference picture is one that the user gave or asked for by hand.
OWN_REFERENCE = "reference_image"

Entity = Character | SetRow | Prop
ENTITIES: dict[EntityType, type[Any]] = {
    "characters": Character,
    "sets": SetRow,
    "props": Prop,
}


class MediaLookup(Protocol):
    """The media store, as far as this module needs it."""

    def ref(self, url: str) -> MediaRef: ...


def film_form(project: Project) -> FilmForm:
    """The film's form: by the aspect ratio, unless the project's options name one (benchmarks, tests)."""
    own = (project.options or {}).get("form")
    if own:
        return FilmForm.model_validate(own)
    form = FilmForm.of(project.aspect_ratio)  # type: ignore[arg-type]
    if film_options(project.options).quality == "draft":
        return FilmForm(width=form.width // 2, height=form.height // 2, fps=form.fps)
    return form


def render_of(project: Project, kind: Literal["image", "video", "lipsync"]) -> Render:
    """Who is to make the project's pictures, clips or lips; a draft's are the built-in engines' work."""
    if film_options(project.options).quality == "draft":
        return "preview"
    chosen: Render = getattr(project, f"render_{kind}")
    return chosen


def kind_of(entity: Entity) -> EntityKind:
    if isinstance(entity, Character):
        return "character"
    return "set" if isinstance(entity, SetRow) else "prop"


def type_of(entity: Entity) -> EntityType:
    return TYPES[kind_of(entity)]


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
    holds such work. One that the user took out, or merged into another, does not come back.
    """
    project.language = project.language or analysis.language
    characters = [(draft, {draft.name, *draft.aliases}) for draft in analysis.characters]
    _merge(session, project, cast(session, project.id), characters, "characters")
    _merge(session, project, sets(session, project.id), [(draft, {draft.name}) for draft in analysis.sets], "sets")
    _merge(session, project, props(session, project.id), [(draft, {draft.name}) for draft in analysis.props], "props")


Row = TypeVar("Row", Character, SetRow, Prop)


def _merge(
    session: Session,
    project: Project,
    rows: Sequence[Row],
    drafts: Iterable[tuple[CharacterDraft | SetDraft | PropDraft, set[str]]],
    entity_type: EntityType,
) -> None:
    left = list(rows)
    taken_out = removed_names(project, entity_type)
    for order, (draft, names) in enumerate(drafts):
        wanted = {name.casefold() for name in names}
        row: Entity | None = next((row for row in left if names_of(row) & wanted), None)
        columns = _columns(draft)
        if row is not None:
            left.remove(row)  # type: ignore[arg-type]
            columns |= _known_by(row, columns)
        elif draft.name.casefold() in taken_out or any(_was_merged(row, draft.name) for row in rows):
            continue
        else:
            row = ENTITIES[entity_type](project_id=project.id)
            session.add(row)
        edited = set(row.edited_fields or ())
        for field, value in columns.items():
            if field not in edited:
                setattr(row, field, value)
        row.sort_order = order
    for gone in left:
        if not _holds_work(gone):
            forget(session, gone)


def removed_names(project: Project, entity_type: EntityType) -> set[str]:
    """What the user took out of the story's entities, casefolded."""
    return set((project.options or {}).get("removed", {}).get(entity_type, ()))


def forget(session: Session, entity: Entity) -> None:
    """Deletes an entity, with the rows that know it by type and number alone."""
    session.execute(
        delete(GuideImage).where(GuideImage.entity_type == type_of(entity), GuideImage.entity_id == entity.id)
    )
    versions.forget(session, type_of(entity), entity.id)
    session.delete(entity)


def names_of(row: Entity) -> set[str]:
    """All names that the entity goes by, casefolded."""
    return {name.casefold() for name in (row.name, *(row.aliases or ()))}


def _was_merged(row: Entity, name: str) -> bool:
    return "aliases" in (row.edited_fields or ()) and name.casefold() in names_of(row)


def _columns(draft: CharacterDraft | SetDraft | PropDraft) -> dict[str, Any]:
    columns = draft.model_dump()
    if isinstance(draft, CharacterDraft):
        columns["aliases"] = list(draft.aliases)
    return columns


def _known_by(row: Entity, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Scenes and shots know an entity by its name, so it keeps that; a new one becomes another name of it."""
    names = {name.casefold(): name for name in (*columns.get("aliases", ()), columns["name"])}
    names.pop(row.name.casefold(), None)
    return {"name": row.name, "aliases": list(names.values()) if isinstance(row, Character) else row.aliases}


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


def guides_of(session: Session, entity_type: EntityType, ids: Iterable[int]) -> dict[int, list[GuideImage]]:
    """The pictures that users gave for these entities, in their order: the one reading of them, in one query."""
    query = (
        select(GuideImage)
        .where(GuideImage.entity_type == entity_type, GuideImage.entity_id.in_(list(ids)))
        .order_by(GuideImage.sort_order, GuideImage.id)
    )
    found: dict[int, list[GuideImage]] = {}
    for row in session.scalars(query):
        found.setdefault(row.entity_id, []).append(row)
    return found


def is_users_own(entity: Entity) -> bool:
    """Whether its reference picture is one that no run may replace."""
    kept = (entity.reference_image_prompt or "").startswith(KEPT_PROMPTS)
    return bool(entity.reference_image_url) and (kept or OWN_REFERENCE in (entity.edited_fields or ()))


def keep_late_reference(
    session: Session, entity: Entity, url: str, meta: Mapping[str, Any] | None = None, prompt: str = ""
) -> Version:
    """A picture for an entity that was edited or cleared while it was made: a version "from earlier text".

    It is shown only where nothing has ever been; the prompt stays what it is, so that the next one is built anew.
    """
    never = not versions.ever_filled(session, type_of(entity), entity.id, "reference_image")
    version = versions.keep(
        session,
        entity.project_id,
        type_of(entity),
        entity.id,
        "reference_image",
        url,
        source="generated",
        earlier_text=True,
        prompt=prompt,
        meta=dict(meta or {}),
    )
    if never:
        show_reference(session, entity, url)
    return version


def seed_of(*parts: object) -> int:
    """A seed that the same things always get."""
    return int(digest([str(part) for part in parts])[:7], 16)
