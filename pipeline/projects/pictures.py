"""An entity's pictures as users work on them: the guides that they give, and the reference that stands for it.

Hides that the older column follows the first guide, and that what is no longer shown can come back. Everything works
in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import InvalidInput, NotFound
from pipeline.generation.entities import CUSTOM_UPLOAD, OWN_REFERENCE, TYPES, Entity, guides_of, type_of
from pipeline.projects.entities import drop_units, find, follow_first_guide
from pipeline.store import versions
from pipeline.store.looks import looks_changed, show_reference
from pipeline.store.models import GuideImage, Job

MOST_GUIDES = 40


# --- Guides -----------------------------------------------------------------------------------------


def add_guides(session: Session, entity: Entity, urls: Sequence[str]) -> list[GuideImage]:
    """Adds pictures after those that are there. Raises InvalidInput: too many."""
    there = guides_of(session, type_of(entity), [entity.id]).get(entity.id, [])
    if len(there) + len(urls) > MOST_GUIDES:
        raise InvalidInput(
            f"There would be {len(there) + len(urls)} guide images.", hint=f"At most {MOST_GUIDES} can be kept."
        )
    first = there[-1].sort_order + 1 if there else 0
    added = [
        GuideImage(entity_type=type_of(entity), entity_id=entity.id, image_url=url, sort_order=first + place)
        for place, url in enumerate(urls)
    ]
    session.add_all(added)
    session.flush()
    follow_first_guide(session, entity)
    return added


def order_guides(session: Session, entity: Entity, ids: Sequence[int]) -> list[GuideImage]:
    """Puts the guides in the order of these ids: all of them, each once. Raises InvalidInput."""
    there = {guide.id: guide for guide in guides_of(session, type_of(entity), [entity.id]).get(entity.id, [])}
    if sorted(ids) != sorted(there):
        raise InvalidInput(
            "The order has to name each of the guide images once.", hint="Look at them again.", field="ids"
        )
    for place, guide_id in enumerate(ids):
        there[guide_id].sort_order = place
    session.flush()
    follow_first_guide(session, entity)
    return [there[guide_id] for guide_id in ids]


def delete_guide(session: Session, guide_id: int) -> Entity:
    """Takes a guide away; whose it was. Raises NotFound."""
    guide = session.get(GuideImage, guide_id)
    if guide is None or guide.entity_type not in TYPES.values():
        raise NotFound("There is no such guide image.", hint="It may have been deleted.")
    entity, _ = find(session, guide.entity_type, guide.entity_id)  # type: ignore[arg-type]
    session.delete(guide)
    session.flush()
    follow_first_guide(session, entity)
    return entity


# --- The reference picture --------------------------------------------------------------------------


def put_reference(session: Session, entity: Entity, url: str, meta: dict[str, Any]) -> None:
    """Shows a picture of the user's own; what was shown is kept as a version."""
    _keep_shown(session, entity)
    versions.keep(
        session,
        entity.project_id,
        type_of(entity),
        entity.id,
        "reference_image",
        url,
        source="upload",
        prompt=CUSTOM_UPLOAD,
        meta=meta,
    )
    show_reference(session, entity, url)
    entity.reference_image_prompt = CUSTOM_UPLOAD
    entity.edited_fields = sorted({*(entity.edited_fields or ()), OWN_REFERENCE})
    entity.version += 1
    session.flush()


def clear_reference(session: Session, entity: Entity) -> None:
    """Shows no picture; guides, prompt and versions stay. The next run makes one."""
    _keep_shown(session, entity)
    show_reference(session, entity, None)
    entity.version += 1
    drop_units(session, entity)
    session.flush()


def restore_reference(session: Session, entity: Entity, version_id: int) -> None:
    """Shows an earlier picture again, with its prompt; no run replaces it. Raises NotFound."""
    before = entity.reference_image_url
    versions.restore(session, type_of(entity), entity.id, version_id)
    if entity.reference_image_url != before:
        looks_changed(session, entity)
    entity.edited_fields = sorted({*(entity.edited_fields or ()), OWN_REFERENCE})
    session.flush()


def _keep_shown(session: Session, entity: Entity) -> None:
    if entity.reference_image_url:
        prompt = entity.reference_image_prompt or ""
        versions.keep(
            session,
            entity.project_id,
            type_of(entity),
            entity.id,
            "reference_image",
            entity.reference_image_url,
            source="upload" if prompt.startswith(CUSTOM_UPLOAD) else "generated",
            prompt=prompt,
        )


def live_jobs(session: Session, entity: Entity) -> list[str]:
    """The ids of the jobs that are still at work for the entity."""
    query = select(Job.id).where(
        Job.target_type == type_of(entity), Job.target_id == entity.id, Job.status.in_(("queued", "running"))
    )
    return list(session.scalars(query))
