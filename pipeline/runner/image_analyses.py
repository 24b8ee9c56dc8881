"""The job of looking at a picture: asked for by itself for every picture that comes from outside, and on request.

Hides that equal pictures are looked at once, and that drawings of our own engines are never asked about by themselves:
what is in them is known, and a film without a key stays free. Jobs wait in a lane of their own, one at a time.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import PICTURES, Lane, MediaRef
from pipeline.errors import Cancelled, ProductError
from pipeline.generation.generate import Generated
from pipeline.generation.image_analysis import PictureReader, Seen
from pipeline.runner.job_kinds import Asked, Errand, JobKind, Made
from pipeline.runner.jobs import Jobs
from pipeline.store import Store
from pipeline.store.models import ImageAnalysis, Job, MediaFile
from pipeline.store.states import analysis_status

log = logging.getLogger(__name__)

KIND = "analyse"


class ImageAnalyses(JobKind):
    """One per runner. Every method may be called from any thread."""

    name = KIND
    lane = Lane.SIGHT

    def __init__(self, store: Store, reader: PictureReader, jobs: Jobs) -> None:
        self._store = store
        self._reader = reader
        self._jobs = jobs
        jobs.register(self)

    def close(self) -> None:
        self._reader.close()

    # --- By itself ------------------------------------------------------------------------------

    def notice(self, session: Session, project_id: int | None, ref: MediaRef) -> str | None:
        """In the transaction that makes a picture known: what is to be looked at gets a job; its id, to be started
        when that is committed. None: it has been looked at, is being, needs no look, or nobody is set up for it."""
        if ref.ext not in PICTURES or self._is_our_own(session, ref.sha256):
            return None
        row = session.get(ImageAnalysis, ref.sha256)
        if row is not None and row.status in ("done", "pending"):
            return None
        missing = self._reader.missing
        if missing is not None:
            self._mark(session, ref.sha256, "needs_setup", error=_said(missing))
            return None
        return self._job(session, project_id, ref)[0].id

    def published(self, project_id: int | None, ref: MediaRef) -> None:
        """A picture was made. Whatever goes wrong here is no failure of the work that made it."""
        if ref.ext not in PICTURES:
            return
        try:
            with self._store.db.read() as session:
                if self._is_our_own(session, ref.sha256):
                    return
            with self._store.db.write(durable=True) as session:
                job_id = self.notice(session, project_id, ref)
        except ProductError as failure:
            log.warning("picture %s will not be looked at: %s", ref.sha256[:12], failure)
            return
        if job_id is not None:
            self._jobs.start(job_id)

    @staticmethod
    def _is_our_own(session: Session, sha256: str) -> bool:
        return session.scalar(select(MediaFile.origin).where(MediaFile.sha256 == sha256)) == "engine"

    # --- On request -----------------------------------------------------------------------------

    def ask(self, session: Session, project_id: int | None, ref: MediaRef) -> tuple[Job, bool]:
        """(job, whether it is new), in the caller's transaction; a new one is to be started when that is committed.

        Raises NeedsSetup, Conflict (the program is shutting down).
        """
        self._reader.require()
        live = self._jobs.live(session, _errand(ref.sha256))
        return (live, False) if live is not None else self._job(session, project_id, ref)

    def _job(self, session: Session, project_id: int | None, ref: MediaRef) -> tuple[Job, bool]:
        live = self._jobs.live(session, _errand(ref.sha256))
        if live is not None:
            return live, False
        self._mark(session, ref.sha256, "pending", error=None)
        row = self._jobs.ask(
            session,
            _errand(ref.sha256),
            project_id=project_id,
            # Not its address: what a job once looked at does not keep a file that nothing else needs.
            inputs={"sha256": ref.sha256, "ext": ref.ext, "size": ref.size},
            model=self._reader.model,
            estimate_micros=self._reader.estimate(),
        )
        return row, True

    @staticmethod
    def _mark(session: Session, sha256: str, status: Any, **columns: Any) -> None:
        if session.get(ImageAnalysis, sha256) is None:
            session.add(ImageAnalysis(sha256=sha256, status=status, **columns))
            session.flush()
        else:
            analysis_status(session, sha256, status, **columns)

    # --- For Jobs -------------------------------------------------------------------------------

    def run(self, job: Asked, cancel: threading.Event) -> Made:
        ref = MediaRef.model_validate(job.inputs)
        try:
            caption, seen = self._reader.look(
                ref, project_id=job.project_id or None, unit_key=job.unit_key, cancel=cancel
            )
        except Cancelled:
            raise
        except Exception as failure:
            self._fail(ref.sha256, failure)
            raise
        return Made("A picture was looked at.", lambda session: self._keep(session, ref.sha256, caption, seen))

    def _fail(self, sha256: str, failure: Exception) -> None:
        known = (
            failure if isinstance(failure, ProductError) else ProductError(f"An unexpected {type(failure).__name__}.")
        )
        with self._store.db.write(durable=True) as session:
            status = "needs_setup" if known.code == "needs_setup" else "failed"
            self._mark(session, sha256, status, error=_said(known))

    def _keep(self, session: Session, sha256: str, caption: str, seen: Seen) -> dict[str, Any]:
        told = {"caption": caption, "details": seen.model_dump(), "error": None}
        self._mark(session, sha256, "done", **told, provider=self._reader.provider, model=self._reader.model)
        return {"sha256": sha256, "caption": caption}

    def late(self, session: Session, job: Asked, made: Generated) -> None:
        return None  # a question leaves nothing at its provider


def _errand(sha256: str) -> Errand:
    return Errand(KIND, "images", 0, sha256)


def _said(failure: ProductError) -> dict[str, Any]:
    return {"code": failure.code, "detail": failure.detail, "hint": failure.hint, "field": failure.field}
