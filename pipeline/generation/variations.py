"""Another version of what a shot has already: how often it was asked for, which is what seeds are varied by."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from pipeline.store.models import Shot


def ask_for_another(session: Session, shot_id: int, slot: Literal["first_frame", "video"]) -> None:
    """The next request for the slot has another seed, and so has every repeat of that request."""
    shot = session.get_one(Shot, shot_id)
    counts = dict(shot.variations or {})
    shot.variations = {**counts, slot: counts.get(slot, 0) + 1}
