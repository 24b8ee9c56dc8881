"""The script's segments as the clock needs them: rows read as `SpokenSegment`s."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import WordTime
from pipeline.film.timeline import SpokenSegment
from pipeline.store.models import Character, ScriptSegment


def spoken_segments(
    session: Session, project_id: int, *, first: int = 0, last: int | None = None, scene: int = 0
) -> list[SpokenSegment]:
    """Segments `first`..`last` (both inclusive; to the end without `last`), said to be in `scene`, in order."""
    query = (
        select(ScriptSegment, Character.name)
        .join(Character, Character.id == ScriptSegment.speaker_id, isouter=True)
        .where(ScriptSegment.project_id == project_id, ScriptSegment.idx >= first)
        .order_by(ScriptSegment.idx)
    )
    if last is not None:
        query = query.where(ScriptSegment.idx <= last)
    return [
        SpokenSegment(
            index=row.idx,
            scene=scene,
            kind="dialogue" if row.segment_type == "dialogue" else "narration",
            speaker=speaker,
            text=row.text,
            start_ms=row.start_time_ms or 0,
            end_ms=row.end_time_ms or 0,
            # Word times are of the words that were spoken, which an edit has replaced.
            words=() if "audio" in (row.stale or {}) else tuple(WordTime(**word) for word in row.words or ()),
        )
        for row, speaker in session.execute(query)
    ]
