"""Where each shot's clip stands, with rows put right that claim to be in the making while nothing makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from pipeline.store import Store
from pipeline.store.models import Generation, Shot
from pipeline.store.states import video_status

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
