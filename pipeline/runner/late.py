"""A result that came when its unit wanted something else by then: it becomes a version "from earlier text"."""

from __future__ import annotations

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
        _keep_for_shot(ctx, int(rest[0]), _SLOTS[stage], late)
    elif stage == "refs" and rest[0] in _TYPES:
        with ctx.store.db.write() as session:
            entity: Entity | None = session.get(ENTITIES[_TYPES[rest[0]]], int(rest[1]))
            if entity is not None:
                keep_late_reference(session, entity, late.media.url, late.media.meta)


def _keep_for_shot(ctx: StageContext, shot_id: int, slot: ShotSlot, late: Generated) -> None:
    with ctx.read() as session:
        shot = session.get(Shot, shot_id)
        if shot is None:
            return
        form = ctx.form(ctx.project(session))
    media = late.media
    if slot != "first_frame":
        media, _ = ctx.fit(late, slot_frames(shot.start_ms, shot.end_ms, form.fps)[1], form)
    with ctx.store.db.write() as session:
        keep_late(session, shot_id, slot, media.url, dict(media.meta))
