"""What was shown at a place before, so that it can come back: reference pictures, frames, clips, lip-synced clips.

Hides which column of which table a place is. The same picture at the same place is one version, however often it came.
"""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.store.models import Character, Prop, Set, Shot, Version

SubjectType = Literal["characters", "sets", "props", "shots"]
Slot = Literal["reference_image", "first_frame", "last_frame", "video", "lipsync"]
Source = Literal["generated", "upload", "edit"]

_SUBJECTS: dict[str, type[Any]] = {
    "characters": Character,
    "sets": Set,
    "props": Prop,
    "shots": Shot,
}
# Where a place keeps its address, and what else of a version belongs to the row: column → the version's attribute.
_PLACES: dict[str, tuple[str, dict[str, str]]] = {
    "reference_image": ("reference_image_url", {"reference_image_prompt": "prompt"}),
    "first_frame": ("first_frame_url", {"frame_meta": "meta"}),
    "last_frame": ("last_frame_url", {}),
    "video": ("video_url", {"video_meta": "meta"}),
    "lipsync": ("lipsync_url", {}),
}


def keep(
    session: Session,
    project_id: int,
    subject_type: SubjectType,
    subject_id: int,
    slot: Slot,
    media_url: str,
    *,
    source: Source,
    earlier_text: bool = False,
    generation_id: str | None = None,
    prompt: str = "",
    meta: dict[str, Any] | None = None,
) -> Version:
    """Notes a picture or clip that came for a place, in the caller's transaction; showing it is the caller's affair.

    `earlier_text`: what it was made from had changed when it came. A version that is there already is given back; it
    loses that mark when the same comes again from the present text.
    """
    same = select(Version).where(
        Version.subject_type == subject_type,
        Version.subject_id == subject_id,
        Version.slot == slot,
        Version.media_url == media_url,
    )
    known = session.scalars(same).first()
    if known is not None:
        known.earlier_text = known.earlier_text and earlier_text
        return known
    version = Version(
        project_id=project_id,
        subject_type=subject_type,
        subject_id=subject_id,
        slot=slot,
        media_url=media_url,
        source=source,
        earlier_text=earlier_text,
        generation_id=generation_id,
        prompt=prompt,
        meta=meta,
    )
    session.add(version)
    session.flush()
    return version


def of(session: Session, subject_type: SubjectType, subject_id: int, slot: Slot | None = None) -> list[Version]:
    """The versions of one place, or of all places of the subject, newest first."""
    query = select(Version).where(Version.subject_type == subject_type, Version.subject_id == subject_id)
    if slot is not None:
        query = query.where(Version.slot == slot)
    return list(session.scalars(query.order_by(Version.id.desc())))


def one(session: Session, subject_type: SubjectType, subject_id: int, version_id: int) -> Version:
    """A version by its number. Raises NotFound, also for another subject's."""
    version = session.get(Version, version_id)
    if version is None or (version.subject_type, version.subject_id) != (subject_type, subject_id):
        raise NotFound("There is no such version.")
    return version


def ever_filled(session: Session, subject_type: SubjectType, subject_id: int, slot: Slot) -> bool:
    """Whether the place shows or has ever shown something. One that a user cleared was filled, and stays empty."""
    row = session.get(_SUBJECTS[subject_type], subject_id)
    now = getattr(row, _PLACES[slot][0], None)
    return now is not None or bool(of(session, subject_type, subject_id, slot))


def restore(session: Session, subject_type: SubjectType, subject_id: int, version_id: int) -> Version:
    """Shows a version again: its address and what belongs to it (prompt, meta) go back into the subject's row.

    What is shown now is kept as a version too. The row's own `version` goes up; statuses, and what the change makes
    stale, are the caller's affair. Raises NotFound.
    """
    version = one(session, subject_type, subject_id, version_id)
    row: Character | Set | Prop | Shot | None = session.get(_SUBJECTS[subject_type], subject_id)
    if row is None:
        raise NotFound("What this version belongs to is gone.")
    column, others = _PLACES[version.slot]
    shown = getattr(row, column)
    if shown and shown != version.media_url:
        beside = {attribute: getattr(row, name) for name, attribute in others.items()}
        keep(
            session,
            version.project_id,
            subject_type,
            subject_id,
            version.slot,  # type: ignore[arg-type]
            shown,
            source="generated",
            prompt=beside.get("prompt") or "",
            meta=beside.get("meta"),
        )
    setattr(row, column, version.media_url)
    for name, attribute in others.items():
        setattr(row, name, getattr(version, attribute))
    row.version += 1
    session.flush()
    return version


def shown(session: Session, version: Version) -> bool:
    """Whether it is what its place shows now."""
    row = session.get(_SUBJECTS[version.subject_type], version.subject_id)
    return row is not None and getattr(row, _PLACES[version.slot][0]) == version.media_url


def move(session: Session, subject_type: SubjectType, subject_id: int, to_id: int) -> None:
    """Hands a subject's versions to another of its kind (they are merged)."""
    session.execute(
        update(Version)
        .where(Version.subject_type == subject_type, Version.subject_id == subject_id)
        .values(subject_id=to_id)
    )


def forget(session: Session, subject_type: SubjectType, subject_id: int) -> None:
    """The subject is deleted."""
    session.execute(delete(Version).where(Version.subject_type == subject_type, Version.subject_id == subject_id))
