"""From a checked file in a work folder to a result that can be seen, or that is kept hidden, or that is refused.

Hides what becomes of results that nobody could check: they lie beside the media, where no address leads, with all that
showing them later takes, and are checked again without being made again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from pipeline.contracts import JobRequest, MediaRef
from pipeline.errors import Conflict, MediaMissing
from pipeline.generation.attendance import Brought
from pipeline.generation.moderation import Moderator, by_our_engine
from pipeline.generation.outcomes import BudgetReached, ContentRefused, ModerationUnavailable
from pipeline.generation.record import Records, Row
from pipeline.store import Store
from pipeline.store.clearance import Clearance

Undecided = ModerationUnavailable | BudgetReached
_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)


@dataclass(frozen=True)
class Generated:
    """The published result. `details` is what the engine reports of it (a clip's length, a speech's word times)."""

    media: MediaRef
    provider: str
    details: dict[str, Any]
    cached: bool


class _Kept(BaseModel):
    """A result as it waits in the record, and its file in `held/`."""

    file: str
    ext: str
    meta: dict[str, Any]
    details: dict[str, Any]


class Publisher:
    """One per generator; usable from any thread."""

    def __init__(self, store: Store, records: Records, moderator: Moderator) -> None:
        self._store = store
        self._records = records
        self._moderator = moderator
        # Told of every picture before its record says that it is finished: a death in between brings it again.
        self.tell_of_picture: Callable[[int | None, MediaRef], None] | None = None

    def inputs_may_be_used(
        self, request: JobRequest, project_id: int | None, *, paid: bool, cancel: threading.Event
    ) -> None:
        """Before anything is charged. Raises ContentRefused, ModerationUnavailable, NeedsSetup."""
        if paid and request.capability != "speech":
            self._moderator.require_setup(self._moderator.rating(project_id))
        self._moderator.check_inputs(tuple(_files_of(request)), project_id, cancel)

    def publish(self, brought: Brought, cancel: threading.Event) -> Generated:
        """Raises ContentRefused, ModerationUnavailable and BudgetReached (a check costs money too), all noted in the
        record with what the provider bills."""
        candidate, finished, row = brought.candidate, brought.finished, brought.row
        meta = {**brought.output.meta, "measured": brought.accepted.measured}
        details = {**finished.meta, **brought.accepted.measured}
        cost = self.bill(brought)
        path, ext = brought.accepted.path, brought.accepted.ext
        kept = _Kept(file=f"{row.id}.{ext}", ext=ext, meta=meta, details=details)
        if not candidate.paid:
            return self._shown(path, kept, row, by_our_engine(), cost=cost)
        try:
            clearance = self._cleared(path, kept, row, cancel)
        except ContentRefused as refusal:
            self._records.bar(row, refusal, cost=cost)
            raise
        except (ModerationUnavailable, BudgetReached) as failure:
            self._hold(path, kept, row, failure, cost)
            raise
        return self._shown(path, kept, row, clearance, cost=cost)

    @staticmethod
    def bill(brought: Brought) -> int:
        """What the provider bills, in micro-dollars."""
        cost = brought.finished.cost_micros
        if cost is not None:
            return cost
        request = _REQUEST.validate_python(brought.row.request)
        return brought.candidate.adapter.estimate(request, brought.candidate.model.name, brought.accepted.measured)

    def recheck(self, row: Row, cancel: threading.Event) -> Generated:
        """A hidden result, checked again. Raises as `publish`, Conflict (it is not hidden), MediaMissing."""
        if row.status != "held":
            raise Conflict(f"This generation is {row.status}; there is nothing hidden to check again.")
        kept = _Kept.model_validate(self._records.kept_hidden(row.id))
        path = self._store.folder.held / kept.file
        if not path.is_file():
            gone = MediaMissing("The hidden result is gone.", hint="Make it again.")
            self._records.move(row.id, "failed", gone)
            raise gone
        try:
            clearance = self._cleared(path, kept, row, cancel)
        except ContentRefused as refusal:
            if self._records.bar(row, refusal):
                path.unlink(missing_ok=True)
            raise
        except (ModerationUnavailable, BudgetReached) as failure:
            failure.generation_id = row.id
            raise
        return self._shown(path, kept, row, clearance, cost=None)

    # --- Steps ----------------------------------------------------------------------------------

    def _cleared(self, path: Path, kept: _Kept, row: Row, cancel: threading.Event) -> Clearance:
        return self._moderator.check_output(
            path,
            kept.ext,
            generation_id=row.id,
            project_id=row.project_id,
            provider=row.provider,
            duration_ms=int(kept.details.get("duration_ms") or 0),
            cancel=cancel,
        )

    def _hold(self, path: Path, kept: _Kept, row: Row, failure: Undecided, cost: int) -> None:
        """The file is in its place before the record says so: a death in between leaves a job to be fetched again."""
        failure.generation_id = row.id
        with self._store.media.holding(path, kept.file):
            self._records.hold(row, failure, kept.model_dump(), cost=cost)

    def _shown(self, path: Path, kept: _Kept, row: Row, clearance: Clearance, *, cost: int | None) -> Generated:
        origin = "engine" if clearance.origin == "embedded" else "provider"
        media = self._store.media.publish(path, ext=kept.ext, origin=origin, verdict=clearance, meta=kept.meta)
        # The engine's own description travels in the reference; the store's row may be older than this request.
        media = media.model_copy(update={"meta": kept.meta})
        if origin == "provider" and self.tell_of_picture is not None:
            self.tell_of_picture(row.project_id, media)
        self._records.finished(row.id, media, kept.details, cost=cost, verdict=clearance.summary)
        return Generated(media, row.provider, kept.details, cached=False)


def _files_of(value: Any) -> list[MediaRef]:
    """Every file in a request, each once."""
    found: dict[str, MediaRef] = {}

    def walk(part: Any) -> None:
        if isinstance(part, MediaRef):
            found.setdefault(part.sha256, part)
        elif isinstance(part, BaseModel):
            for name in type(part).model_fields:
                walk(getattr(part, name))
        elif isinstance(part, tuple):
            for one in part:
                walk(one)

    walk(value)
    return list(found.values())
