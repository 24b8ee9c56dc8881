"""Where each shot's clip stands, with rows put right that claim to be in the making while nothing makes them; and clips
that users give."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from pipeline.contracts import FilmForm
from pipeline.errors import BadMedia
from pipeline.film import ffmpeg
from pipeline.film.clips import AcceptedClip, accept_clip
from pipeline.film.timeline import frame_at, slot_frames
from pipeline.generation.entities import film_form
from pipeline.generation.moderation.clearances import uploaded
from pipeline.store import Store
from pipeline.store.models import Generation, Project, Shot
from pipeline.store.states import video_status

MOST_CLIP_BYTES = 200 << 20
_LONGEST_CLIP_MS = 60_000
_COLUMNS = (
    Shot.id,
    Shot.idx,
    Shot.video_status,
    Shot.video_url,
    Shot.video_problem,
    Shot.actual_video_duration_ms,
    Shot.lipsync_status,
    Shot.lipsync_url,
)


def clip_rows(store: Store, project_id: int, *, idle: Callable[[], bool]) -> list[dict[str, Any]]:
    """One row per shot, in order. `idle` says whether the video queue has nothing of this project."""
    with store.db.read() as session:
        rows = _rows(session, project_id)
    if not any(row["video_status"] == "generating" for row in rows):
        return rows
    with store.db.write() as session:
        # Asked inside the transaction: a clip is settled while its job is still active, so a row that says
        # `generating` here while the queue is idle has nobody.
        if idle():
            # A provider that has the job goes on with it: its row is taken up by the handle, not put back.
            at_provider = select(Generation.unit_key).where(
                Generation.project_id == project_id, Generation.status == "accepted"
            )
            orphans = select(Shot.id).where(
                Shot.project_id == project_id,
                Shot.video_status == "generating",
                ("videos/" + cast(Shot.id, String)).not_in(at_provider),
            )
            for shot_id in session.scalars(orphans).all():
                video_status(session, shot_id, "pending")
        return _rows(session, project_id)


def _rows(session: Session, project_id: int) -> list[dict[str, Any]]:
    query = select(*_COLUMNS).where(Shot.project_id == project_id).order_by(Shot.idx)
    return [dict(row._mapping) for row in session.execute(query)]


@dataclass(frozen=True)
class OwnClip:
    """A user's clip in the film's form, cut to its shot; `actual_ms`: how long it is in all."""

    url: str
    meta: dict[str, Any]
    actual_ms: int


def take_clip(store: Store, shot_id: int, file: IO[bytes]) -> OwnClip:
    """Brings a user's clip to the film's form, whole, and cuts it to the shot's slot. The file itself is not kept.

    Raises BadMedia (no clip, damaged, too long to be one), InvalidInput (`too_large`), EngineTimeout.
    """
    with store.db.read() as session:
        shot = session.get_one(Shot, shot_id)
        form = film_form(session.get_one(Project, shot.project_id))
        frames = slot_frames(shot.start_ms, shot.end_ms, form.fps)[1]
    with store.media.draft(".upload") as upload, store.media.draft(".mp4") as whole, store.media.draft(".mp4") as cut:
        with upload.open("wb") as out:
            shutil.copyfileobj(file, out)
        length_ms = ffmpeg.probe(upload).duration_ms
        if length_ms > _LONGEST_CLIP_MS:
            hint = f"Cut it to at most {_LONGEST_CLIP_MS // 1000} seconds."
            raise BadMedia("The clip is too long for one shot.", hint=hint, field="file")
        found = _accepted(upload, max(1, frame_at(length_ms, form.fps)), form, whole)
        raw_frames = max(1, frame_at(found.actual_ms, form.fps))
        accept_clip(whole, frames, form, cut)
        made = {"origin": "upload", "verdict": uploaded()}
        raw = store.media.publish(whole, ext="mp4", meta={"measured": {"frames": raw_frames}}, **made)  # type: ignore[arg-type]
        meta = {"measured": {"frames": frames}, "raw": raw.url}
        clip = store.media.publish(cut, ext="mp4", meta=meta, **made)  # type: ignore[arg-type]
    return OwnClip(clip.url, meta, found.actual_ms)


def _accepted(upload: Path, frames: int, form: FilmForm, out: Path) -> AcceptedClip:
    try:
        return accept_clip(upload, frames, form, out)
    except BadMedia as failure:
        said = failure.detail.replace(upload.name, "The clip")
        raise BadMedia(said, hint="Save it again and send that.", field="file") from failure
