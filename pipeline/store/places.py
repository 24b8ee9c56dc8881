"""What a shot shows: its frames, its clip, its moving lips; put there, taken away, or kept for later.

Hidden here: that everything shown is a version, and what a change at one place makes of the places after it. A clip is
made from its frame and lips from their clip: a new frame makes the clip stale, a new clip takes the lips away.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy.orm import Session

from pipeline.store import versions
from pipeline.store.laying import clear, mark
from pipeline.store.models import Shot, Version
from pipeline.store.states import lipsync_status, video_status

ShotSlot = Literal["first_frame", "last_frame", "video", "lipsync"]
_FRAME = "first_frame"
_METAS = {"first_frame": "frame_meta", "video": "video_meta"}


def url_of(shot: Shot, slot: ShotSlot) -> str | None:
    url: str | None = getattr(shot, f"{slot}_url")
    return url


def show(
    session: Session,
    shot: Shot,
    slot: ShotSlot,
    url: str,
    meta: dict[str, Any] | None = None,
    *,
    source: versions.Source = "generated",
) -> None:
    """Puts a picture or clip in its place. What was there stays as a version; what follows from it becomes stale."""
    before = url_of(shot, slot)
    _keep(session, shot, slot)
    if slot == "first_frame":
        _keep(session, shot, "video")
    setattr(shot, f"{slot}_url", url)
    if slot in _METAS:
        setattr(shot, _METAS[slot], meta)
    own = set(shot.own_slots or ()) - {slot}
    shot.own_slots = sorted(own | {slot}) if source == "upload" else sorted(own)
    versions.keep(session, shot.project_id, "shots", shot.id, slot, url, source=source, meta=_told(shot, slot, meta))
    clear(shot, slot)
    if before != url:
        changed(session, shot, slot)


def changed(session: Session, shot: Shot, slot: ShotSlot) -> None:
    """Another picture or clip is shown at this place now."""
    if slot == "first_frame" and shot.video_url and "video" not in (shot.own_slots or ()):
        _frame_changed(session, shot)
    if slot == "video" and shot.lipsync_url:
        _keep(session, shot, "lipsync")
        shot.lipsync_url = None
        shot.own_slots = [one for one in shot.own_slots or () if one != "lipsync"]
        clear(shot, "lipsync")
        lipsync_status(session, shot.id, "pending")


def looks_changed(session: Session, shot: Shot) -> None:
    """Who or what is seen in the shot looks otherwise now. Its frame and clip stay in use until they are made anew."""
    if not shot.first_frame_url or "first_frame" in (shot.own_slots or ()):
        return
    mark(shot, "first_frame", "entity")
    if shot.video_url and "video" not in (shot.own_slots or ()):
        mark(shot, "video", "entity")
        video_status(session, shot.id, "stale")


def _frame_changed(session: Session, shot: Shot) -> None:
    """The clip is stale, unless this is the very frame that it was made from."""
    clip = next(
        (one for one in versions.of(session, "shots", shot.id, "video") if one.media_url == shot.video_url), None
    )
    if clip is not None and (clip.meta or {}).get(_FRAME) == shot.first_frame_url:
        if (shot.stale or {}).get("video") == "frame":
            clear(shot, "video")
            video_status(session, shot.id, "done")
    else:
        mark(shot, "video", "frame")
        video_status(session, shot.id, "stale")


def take_away(session: Session, shot: Shot, slot: ShotSlot) -> None:
    """Empties a place, and that place alone. What is made for it at this moment does not come to be shown."""
    _keep(session, shot, slot)
    if slot == "first_frame":
        _keep(session, shot, "video")
    setattr(shot, f"{slot}_url", None)
    shot.own_slots = [one for one in shot.own_slots or () if one != slot]
    another(shot, slot)
    clear(shot, slot)


def another(shot: Shot, slot: ShotSlot) -> None:
    """From now on another version of the same is wanted here."""
    wanted = shot.variations or {}
    shot.variations = {**wanted, slot: wanted.get(slot, 0) + 1}


def keep_late(
    session: Session,
    shot_id: int,
    slot: ShotSlot,
    url: str,
    meta: dict[str, Any] | None = None,
    *,
    earlier_text: bool = True,
) -> None:
    """A result for what was edited or cleared while it was made: a version "from earlier text".

    It is shown only where nothing has ever been: an empty place that a user has cleared, or for which they have
    cancelled the work, stays empty.
    """
    shot = session.get(Shot, shot_id)
    if shot is None:
        return
    never = slot not in (shot.variations or {}) and not versions.ever_filled(session, "shots", shot_id, slot)
    versions.keep(
        session, shot.project_id, "shots", shot_id, slot, url, source="generated", earlier_text=earlier_text, meta=meta
    )
    if never:
        setattr(shot, f"{slot}_url", url)
        if slot in _METAS:
            setattr(shot, _METAS[slot], meta)
        mark(shot, slot, "earlier")


def _keep(session: Session, shot: Shot, slot: ShotSlot) -> None:
    """What is shown at a place is a version, also where it came before versions were kept."""
    url = url_of(shot, slot)
    if url and not any(one.media_url == url for one in versions.of(session, "shots", shot.id, slot)):
        meta = getattr(shot, _METAS[slot]) if slot in _METAS else None
        source: versions.Source = "upload" if slot in (shot.own_slots or ()) else "generated"
        told = _told(shot, slot, meta)
        versions.keep(session, shot.project_id, "shots", shot.id, slot, url, source=source, meta=told)


def _told(shot: Shot, slot: ShotSlot, meta: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a version remembers of a picture or clip; of a clip also the frame that it was made from."""
    return {**(meta or {}), _FRAME: shot.first_frame_url} if slot == "video" else meta


def meta_of(version: Version) -> dict[str, Any] | None:
    """A version's description as it stands in the shot's row."""
    return None if version.meta is None else {name: value for name, value in version.meta.items() if name != _FRAME}
