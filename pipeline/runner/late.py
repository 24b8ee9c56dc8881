"""A result that came when its unit wanted something else by then: it becomes a version "from earlier text"."""

from __future__ import annotations

from pipeline.contracts import MediaRef
from pipeline.film.timeline import slot_frames
from pipeline.generation.entities import ENTITIES, Entity, EntityType, keep_late_reference
from pipeline.generation.generate import Generated
from pipeline.stage import StageContext
from pipeline.store.models import Shot
from pipeline.store.places import ShotSlot, keep_late

_SLOTS: dict[str, ShotSlot] = {"frames": "first_frame", "videos": "video", "lipsync": "lipsync"}
_TYPES: dict[str, EntityType] = {"character": "characters", "set": "sets", "prop": "props"}


def keep_version(ctx: StageContext, unit_key: str, late: Generated) -> None:
    """Keeps the result where the unit would have put it; one of a stage that shows nothing is left as it is.

    Raises ProductError when a clip cannot be brought to the film's form.
    """
    stage, *rest = unit_key.split("/")
    if stage in _SLOTS:
        media = fitted(ctx, int(rest[0]), _SLOTS[stage], late)
        with ctx.store.db.write() as session:
            keep_late(session, int(rest[0]), _SLOTS[stage], media.url, dict(media.meta))
    elif stage == "refs" and rest[0] in _TYPES:
        with ctx.store.db.write() as session:
            entity: Entity | None = session.get(ENTITIES[_TYPES[rest[0]]], int(rest[1]))
            if entity is not None:
                keep_late_reference(session, entity, late.media.url, late.media.meta)


def fitted(ctx: StageContext, shot_id: int, slot: ShotSlot, late: Generated) -> MediaRef:
    """A late picture or clip in the form in which its shot would show it. Raises ProductError."""
    with ctx.read() as session:
        shot = session.get(Shot, shot_id)
        if shot is None or slot == "first_frame":
            return late.media
        form = ctx.form(ctx.project(session))
    return ctx.fit(late, slot_frames(shot.start_ms, shot.end_ms, form.fps)[1], form)[0]
