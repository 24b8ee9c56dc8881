"""How an entity looks in the film: its reference picture, and what another one makes of the shots that show it.

Hidden here: which shots show an entity. What they show stays in use, marked, until it is made anew.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.store import places
from pipeline.store.db import Database
from pipeline.store.events import EventLog
from pipeline.store.laying import clear
from pipeline.store.models import Character, Prop, Scene, Set, Shot
from pipeline.store.states import video_status

_WHY = "entity"


def show_reference(session: Session, entity: Character | Set | Prop, url: str | None) -> None:
    """Puts a reference picture in its place, or none. Keeping it, and what was there, as a version is the caller's."""
    if entity.reference_image_url != url:
        entity.reference_image_url = url
        looks_changed(session, entity)


def looks_changed(session: Session, entity: Character | Set | Prop) -> None:
    """The shots that show it were drawn as it looked before."""
    shots = select(Shot).where(Shot.project_id == entity.project_id, Shot.first_frame_url.is_not(None))
    if isinstance(entity, Set):
        shots = shots.join(Scene, Scene.id == Shot.scene_id).where(Scene.set_id == entity.id)
    for shot in session.scalars(shots).all():
        if isinstance(entity, Set) or entity.name in shot.subjects:
            places.looks_changed(session, shot)


def looks_fit(db: Database, events: EventLog, shot_id: int, slot: places.ShotSlot) -> None:
    """What the shot shows was made for how everything looks now: an edit was taken back, say."""
    with db.read() as session:
        if not _is_marked(session.get(Shot, shot_id), slot):
            return
    with db.write() as session:
        shot = session.get(Shot, shot_id)
        if shot is not None and _is_marked(shot, slot):
            clear(shot, slot)
            if slot == "video":
                video_status(session, shot_id, "done")
            what = {"first_frame": "frame", "video": "clip"}.get(slot, slot)
            events.append(session, project_id=shot.project_id, text=f"The {what} of shot {shot.idx + 1} fits again.")


def _is_marked(shot: Shot | None, slot: places.ShotSlot) -> bool:
    """A clip of a frame that is still to be made anew is no better than that."""
    stale = shot.stale or {} if shot is not None else {}
    return stale.get(slot) == _WHY and not (slot == "video" and "first_frame" in stale)
