"""Characters, sets and props as users work on them: listed, added, changed, merged, taken out.

Hides which rows know an entity by number, by name or by type, and which change makes a stored prompt tell of what was.
Every function works in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from pipeline.errors import Conflict, InvalidInput, NotFound
from pipeline.generation.entities import (
    ENTITIES,
    KEPT_PROMPTS,
    OWN_REFERENCE,
    Entity,
    EntityType,
    forget,
    guides_of,
    kind_of,
    names_of,
    removed_names,
    type_of,
)
from pipeline.generation.reference_images import model_for, split
from pipeline.projects.documents import AnalysisView, analyses_of
from pipeline.projects.entity_fields import (
    FEEDS_PROMPT,
    FIELDS,
    SHAPES_FRAMES,
    VIEWS,
    EntityView,
    GuideView,
    columns_of,
)
from pipeline.projects.fields import check_version
from pipeline.store import versions
from pipeline.store.ledger import forget_units
from pipeline.store.looks import looks_changed, show_reference
from pipeline.store.models import (
    Character,
    GuideImage,
    Project,
    Prop,
    Run,
    Scene,
    SceneCharacter,
    SceneProp,
    ScriptSegment,
    Shot,
)
from pipeline.store.models import Set as SetRow

MOST_ENTITIES = 500

CapOf = Callable[[str], int]


# --- Reading ----------------------------------------------------------------------------------------


def find(session: Session, entity_type: EntityType, entity_id: int) -> tuple[Entity, Project]:
    """The entity and its project. Raises NotFound."""
    entity: Entity | None = session.get(ENTITIES[entity_type], entity_id)
    project = session.get(Project, entity.project_id) if entity is not None else None
    if entity is None or project is None or project.deleted_at is not None:
        raise NotFound(f"There is no such {entity_type.removesuffix('s')}.", hint="It may have been deleted.")
    return entity, project


def views(
    session: Session, project: Project, entity_type: EntityType, rows: Sequence[Entity], cap_of: CapOf, model: str = ""
) -> list[EntityView]:
    """The entities as the API shows them; two queries more than the rows took, whatever their number."""
    guides = guides_of(session, entity_type, [row.id for row in rows])
    shown = [guide.image_url for some in guides.values() for guide in some]
    seen = analyses_of(session.connection(), [*shown, *(row.reference_image_url for row in rows)])
    return [_view(project, row, guides.get(row.id, []), cap_of, model, seen) for row in rows]


def _view(
    project: Project,
    row: Entity,
    guides: Sequence[GuideImage],
    cap_of: CapOf,
    model: str,
    seen: Mapping[str, AnalysisView],
) -> EntityView:
    kind = VIEWS[type_of(row)]
    active, overflow = split(project, row, guides, cap_of, model)
    given = {
        "reference_image_analysis": seen.get(row.reference_image_url or ""),
        "guide_images": [guide_view(guide, seen) for guide in guides],
        "active_guides": [guide_view(guide, seen) for guide in active],
        "overflow_guides": [guide_view(guide, seen) for guide in overflow],
        "reference_cap": cap_of(model_for(project, row, guides, model)),
        "aliases": list(row.aliases or ()),
        "edited_fields": list(row.edited_fields or ()),
    }
    return kind.model_validate(columns_of(row, kind) | given)


def guide_view(guide: GuideImage, seen: Mapping[str, AnalysisView]) -> GuideView:
    return GuideView.model_validate(columns_of(guide, GuideView) | {"analysis": seen.get(guide.image_url)})


def listed(session: Session, project_id: int, entity_type: EntityType) -> list[Entity]:
    kind = ENTITIES[entity_type]
    query = select(kind).where(kind.project_id == project_id).order_by(kind.sort_order, kind.id)
    return list(session.scalars(query))


# --- Adding and changing ----------------------------------------------------------------------------


def add(session: Session, project: Project, entity_type: EntityType, fields: Mapping[str, Any]) -> Entity:
    """Adds one by hand, at the end. Raises InvalidInput: no name, or one that is taken."""
    if not fields.get("name"):
        raise InvalidInput("It needs a name.", field="name")
    if len(listed(session, project.id, entity_type)) >= MOST_ENTITIES:
        raise InvalidInput(f"A project has at most {MOST_ENTITIES} {entity_type}.", field="name")
    _check_names(session, project.id, entity_type, [fields["name"], *fields.get("aliases", ())])
    kind = ENTITIES[entity_type]
    last = session.scalar(select(func.max(kind.sort_order)).where(kind.project_id == project.id))
    row: Entity = kind(project_id=project.id, sort_order=0 if last is None else last + 1)
    _set(row, fields)
    row.edited_fields = sorted(fields)
    session.add(row)
    session.flush()
    _remember_removed(project, entity_type, add=(), drop=names_of(row))
    return row


def change(
    session: Session, entity: Entity, project: Project, fields: Mapping[str, Any], *, seen: int | None = None
) -> None:
    """Changes the given fields; `seen` is the version that the user looked at.

    A field that feeds the prompt drops the stored one, unless it is the user's own; a new name follows wherever the old
    one stood. Raises Conflict (an old version) and InvalidInput (a name that is taken).
    """
    check_version(entity.version, seen)
    changed = {name: value for name, value in fields.items() if getattr(entity, name) != value}
    if "name" in changed or "aliases" in changed:
        names = [fields.get("name", entity.name), *fields.get("aliases", entity.aliases or ())]
        _check_names(session, project.id, type_of(entity), names, but=entity.id)
    if "name" in changed:
        _rename(session, entity, changed["name"], keep_old="aliases" not in fields)
    _set(entity, {name: value for name, value in changed.items() if name != "name"})
    entity.edited_fields = sorted({*(entity.edited_fields or ()), *fields})
    if FEEDS_PROMPT[type_of(entity)] & changed.keys():
        drop_built_prompt(entity)
    if SHAPES_FRAMES[type_of(entity)] & changed.keys():
        looks_changed(session, entity)
    entity.version += 1
    session.flush()


def _set(row: Entity, fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    if isinstance(row, Character) and "voice" in fields:
        row.voice_chosen = bool(fields["voice"])


def drop_built_prompt(entity: Entity) -> None:
    """The next picture builds its prompt anew; a prompt of the user's own stays."""
    if not (entity.reference_image_prompt or "").startswith(KEPT_PROMPTS):
        entity.reference_image_prompt = None


def drop_built_prompts(session: Session, project_id: int) -> None:
    """The project's style has changed, which feeds every prompt."""
    for kind in ENTITIES.values():
        for entity in session.scalars(select(kind).where(kind.project_id == project_id)):
            drop_built_prompt(entity)


def _check_names(
    session: Session, project_id: int, entity_type: EntityType, names: Iterable[str], but: int | None = None
) -> None:
    """A shot knows who and what it shows by name, so characters and props share one set of names."""
    wanted = {name.casefold() for name in names}
    beside: tuple[EntityType, ...] = ("sets",) if entity_type == "sets" else ("characters", "props")
    for other_type in beside:
        for other in listed(session, project_id, other_type):
            if (other_type, other.id) != (entity_type, but) and names_of(other) & wanted:
                raise InvalidInput(
                    f"There is a {kind_of(other)} called {other.name} already.",
                    hint="Choose another name, or merge the two.",
                    field="name",
                )


def _rename(session: Session, entity: Entity, name: str, *, keep_old: bool) -> None:
    """The old name stays as an alias, so that another Analysis knows the entity by it."""
    _replace_subject(session, entity, entity.name, name)
    if keep_old and entity.name.casefold() != name.casefold():
        left = [alias for alias in entity.aliases or () if alias.casefold() != name.casefold()]
        entity.aliases = [*left, entity.name]
        entity.edited_fields = sorted({*(entity.edited_fields or ()), "aliases"})
    entity.name = name


def _replace_subject(session: Session, entity: Entity, old: str, new: str | None) -> None:
    """In every shot that shows it: another name in the same place, or none."""
    if isinstance(entity, SetRow):
        return
    for shot in session.scalars(select(Shot).where(Shot.project_id == entity.project_id)):
        if old in shot.subjects:
            subjects = [new if name == old else name for name in shot.subjects]
            shot.subjects = list(dict.fromkeys(name for name in subjects if name is not None))


# --- Taking out and merging -------------------------------------------------------------------------


def remove(session: Session, entity: Entity, project: Project, *, seen: int | None = None) -> None:
    """Takes the entity out of the film: scenes, shots and segments go on without it, and Analysis does not bring it
    back. Raises Conflict (an old version, a run is under way)."""
    check_version(entity.version, seen)
    _not_while_running(session, project.id)
    looks_changed(session, entity)
    _replace_subject(session, entity, entity.name, None)
    _remember_removed(project, type_of(entity), add=names_of(entity), drop=())
    drop_units(session, entity)
    forget(session, entity)
    session.flush()


def merge(session: Session, entity: Entity, project: Project, other_id: int, *, seen: int | None = None) -> None:
    """Makes one of two: everything of the other's goes to `entity`, which keeps its own fields where it has any.

    Raises NotFound, InvalidInput (with itself) and Conflict (an old version, a run is under way).
    """
    check_version(entity.version, seen)
    _not_while_running(session, project.id)
    other, theirs = find(session, type_of(entity), other_id)
    if other.id == entity.id or theirs.id != project.id:
        raise InvalidInput("Only another one of the same project can be merged.", field="other_id")
    looks_changed(session, other)  # the shots that show it are the other one's from now on
    _take_over_rows(session, entity, other)
    _replace_subject(session, entity, other.name, entity.name)
    _take_over_fields(session, entity, other)
    last = len(guides_of(session, type_of(entity), [entity.id]).get(entity.id, []))
    for place, guide in enumerate(guides_of(session, type_of(entity), [other.id]).get(other.id, [])):
        guide.entity_id, guide.sort_order = entity.id, last + place
    versions.move(session, type_of(entity), other.id, entity.id)
    session.flush()
    follow_first_guide(session, entity)
    drop_units(session, other)
    forget(session, other)
    entity.version += 1
    session.flush()


def _take_over_fields(session: Session, entity: Entity, other: Entity) -> None:
    names = {entity.name.casefold(): entity.name}
    for name in (*(entity.aliases or ()), other.name, *(other.aliases or ())):
        names.setdefault(name.casefold(), name)
    entity.aliases = [name for name in names.values() if name != entity.name]
    taken = {"aliases"}
    for name in {"description", "appearance", "personality", "mood"} & FIELDS[type_of(entity)].model_fields.keys():
        if getattr(other, name) and not getattr(entity, name):
            setattr(entity, name, getattr(other, name))
            taken.add(name)
    if isinstance(entity, Character) and isinstance(other, Character) and not entity.voice_chosen:
        entity.voice, entity.voice_chosen = (other.voice or entity.voice), other.voice_chosen
    if not entity.reference_image_url and other.reference_image_url:
        show_reference(session, entity, other.reference_image_url)
        entity.reference_image_prompt = other.reference_image_prompt
        taken |= {OWN_REFERENCE} & set(other.edited_fields or ())
    elif taken & FEEDS_PROMPT[type_of(entity)]:
        drop_built_prompt(entity)
    if SHAPES_FRAMES[type_of(entity)] & taken:
        looks_changed(session, entity)
    entity.edited_fields = sorted({*(entity.edited_fields or ()), *taken})


def _take_over_rows(session: Session, entity: Entity, other: Entity) -> None:
    """Whoever knew the other by its number knows the one now."""
    match entity:
        case Character():
            for kind in (ScriptSegment, Shot):
                session.execute(update(kind).where(kind.speaker_id == other.id).values(speaker_id=entity.id))
            _take_over_scenes(session, SceneCharacter, "character_id", entity.id, other.id)
        case SetRow():
            session.execute(update(Scene).where(Scene.set_id == other.id).values(set_id=entity.id))
        case Prop():
            _take_over_scenes(session, SceneProp, "prop_id", entity.id, other.id)


def _take_over_scenes(session: Session, link: type[Any], column: str, to: int, other: int) -> None:
    here = set(session.scalars(select(link.scene_id).where(getattr(link, column) == to)))
    for row in session.scalars(select(link).where(getattr(link, column) == other)).all():
        if row.scene_id not in here:
            session.add(link(scene_id=row.scene_id, **{column: to}))
        session.delete(row)


def _not_while_running(session: Session, project_id: int) -> None:
    if session.scalar(select(func.count()).where(Run.project_id == project_id, Run.state == "running")):
        raise Conflict("The film is being made with it.", hint="Pause the film first.")


def _remember_removed(project: Project, entity_type: EntityType, *, add: Iterable[str], drop: Iterable[str]) -> None:
    names = (removed_names(project, entity_type) | set(add)) - set(drop)
    options = dict(project.options or {})
    options["removed"] = {**options.get("removed", {}), entity_type: sorted(names)}
    if project.options != options and (names or "removed" in (project.options or {})):
        project.options = options


def follow_first_guide(session: Session, entity: Entity) -> None:
    """The older column says what the first guide is; called after every change of the guides."""
    guides = guides_of(session, type_of(entity), [entity.id]).get(entity.id, [])
    entity.guide_image_url = guides[0].image_url if guides else None
    session.flush()


def drop_units(session: Session, entity: Entity) -> None:
    """The next run makes the reference picture anew."""
    forget_units(session, entity.project_id, [reference_unit(entity)])


def reference_unit(entity: Entity) -> str:
    """The key of the unit that makes the entity's reference picture in a run."""
    return f"refs/{kind_of(entity)}/{entity.id}"
