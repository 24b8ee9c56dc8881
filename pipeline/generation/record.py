"""The generation record: every state of a piece of provider work, written before the step that it announces.

Hides the rows. What a retry needs is in the row before the first attempt, a handle before anyone waits for it, and the
budget is checked in the transaction that claims its share.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from pipeline import prompts
from pipeline.contracts import ChatRequest, JobRequest, MediaRef
from pipeline.errors import Cancelled, ProductError
from pipeline.generation.outcomes import AskedAgain, BudgetReached, ContentRefused
from pipeline.providers import JobHandle
from pipeline.store import Store, lost_answers, money
from pipeline.store.models import Generation
from pipeline.store.states import GenerationStatus, generation_state

REFUSED = "moderation_refused"
QUICK = ("text", "check")  # questions and looks: over within minutes, and mostly far below what they reserve
_LOOK_AGAIN_S = 0.1


@dataclass
class Bill:
    """What a look has cost, in micro-dollars. `lost`: its answer did not come."""

    micros: int
    lost: bool = False


@dataclass(frozen=True)
class Row:
    """A generation as it stands. `submitted_at` is UTC."""

    id: str
    project_id: int | None
    unit_key: str
    capability: str
    provider: str
    model: str
    status: str
    request: dict[str, Any]
    request_digest: str
    handle: JobHandle | None
    error: dict[str, Any]
    attempt: int
    boot_id: str
    submitted_at: datetime

    @property
    def asked_again(self) -> bool:
        """Its answer was lost, and it waits to be sent again as the user wants it."""
        return self.status == "prepared" and self.error.get("code") == AskedAgain.code


class Records:
    def __init__(self, store: Store, *, spend_cap_cents: int | None = None) -> None:
        self._store = store
        self._spend_cap_micros = None if spend_cap_cents is None else spend_cap_cents * money.MICROS_PER_CENT

    # --- Reading --------------------------------------------------------------------------------

    def result(self, keys: Sequence[str]) -> tuple[MediaRef, str, dict[str, Any]] | None:
        """(media, provider, details) of a finished generation with one of these digests whose file still exists."""
        query = select(Generation).where(Generation.request_digest.in_(keys), Generation.status == "finished")
        with self._store.db.read() as session:
            rows = [(row.provider, row.request_digest, dict(row.output or {})) for row in session.scalars(query)]
        for provider, _, output in sorted(rows, key=lambda row: keys.index(row[1])):
            media = MediaRef.model_validate(output["media"])
            if self._store.media.exists(media.url):
                return media, provider, output["details"]
        return None

    def held(self, keys: Sequence[str]) -> Row | None:
        """The newest generation with one of these digests whose result waits to be checked."""
        return next(iter(self._rows(Generation.request_digest.in_(keys), Generation.status == "held")), None)

    def kept_hidden(self, generation_id: str) -> dict[str, Any]:
        """What `hold` was told of the result."""
        with self._store.db.read() as session:
            return dict(session.get_one(Generation, generation_id).output or {})

    def barred(self, keys: Sequence[str]) -> str | None:
        """The reason for which our own check has refused the result of this very request."""
        query = select(Generation.error).where(Generation.request_digest.in_(keys), Generation.status == "failed")
        with self._store.db.read() as session:
            errors = [error or {} for error in session.scalars(query.order_by(Generation.prepared_at.desc()))]
        return next((str(error["reason"]) for error in errors if error.get("reason")), None)

    def open_row(self, keys: Sequence[str]) -> Row | None:
        """The newest generation with one of these digests that has not ended."""
        where = (Generation.request_digest.in_(keys), Generation.status.in_(money.OPEN))
        return next(iter(self._rows(*where)), None)

    def row(self, generation_id: str) -> Row | None:
        return next(iter(self._rows(Generation.id == generation_id)), None)

    def rows_in(self, *statuses: str) -> list[Row]:
        """Jobs in these states; questions to language models are no jobs."""
        return self._rows(Generation.status.in_(statuses), Generation.capability.not_in(QUICK))

    def _rows(self, *where: ColumnElement[bool]) -> list[Row]:
        query = select(Generation).where(*where).order_by(Generation.prepared_at.desc())
        with self._store.db.read() as session:
            return [_row(row) for row in session.scalars(query)]

    def knows(self, handle: JobHandle) -> bool:
        """Whether a generation has this job already."""
        query = select(Generation.id).where(
            Generation.provider == handle.provider, Generation.handle["id"].as_string() == str(handle.data.get("id"))
        )
        with self._store.db.read() as session:
            return session.scalars(query).first() is not None

    def refused(self, keys: Sequence[str]) -> list[str]:
        """The places (provider/model) that have refused these requests for their content."""
        query = select(Generation.provider, Generation.model, Generation.error).where(
            Generation.request_digest.in_(keys), Generation.status == "failed"
        )
        with self._store.db.read() as session:
            rows = session.execute(query).all()
        return [f"{provider}/{model}" for provider, model, error in rows if (error or {}).get("code") == REFUSED]

    def given_up(self, keys: Sequence[str]) -> bool:
        """Whether the user has given up this very request since it was last asked for. Asking once takes it back."""
        query = (
            select(Generation)
            .where(Generation.request_digest.in_(keys))
            .order_by(Generation.prepared_at.desc(), Generation.attempt.desc())
            .limit(1)
        )
        with self._store.db.write() as session:
            row = session.scalars(query).first()
            if row is None or row.status != "cancelled" or (row.error or {}).get("code") != "abandoned":
                return False
            row.error = {**(row.error or {}), "code": "abandoned_before"}
            return True

    # --- Writing --------------------------------------------------------------------------------

    def prepare(
        self,
        request: JobRequest | ChatRequest,
        key: str,
        *,
        provider: str,
        model: str,
        project_id: int | None,
        unit_key: str,
        attempt: int,
        estimate_micros: int,
        cancel: threading.Event,
    ) -> Row:
        """A new record, with everything that sending it takes, and its share of the budget. Raises BudgetReached."""
        row = Generation(
            id=uuid.uuid4().hex,
            project_id=project_id,
            unit_key=unit_key,
            capability=request.capability,
            provider=provider,
            model=model,
            request={**request.model_dump(mode="json"), "prompts_version": prompts.VERSION},
            request_digest=key,
            attempt=attempt,
            estimate_micros=estimate_micros,
            boot_id=self._store.boot_id,
        )
        self._claim(row, cancel)
        found = self.row(row.id)
        assert found is not None
        return found

    def _claim(self, row: Generation, cancel: threading.Event) -> None:
        """Writes the row where its estimate fits. Waits while only what questions under way have reserved beyond their
        bills stands in the way. Raises BudgetReached, Cancelled.
        """
        row_id = row.id
        while True:
            with self._store.db.write(durable=True) as session:
                over = money.overrun(session, row.project_id, row.estimate_micros, self._spend_cap_micros)
                if over is None:
                    session.add(row)
                    money.book(session, row_id)
                    return
                passing = self._reserved_for_moments(session, row.project_id if over.whose == "project" else None)
            if over.spent_micros - passing + over.more_micros > over.limit_micros:
                raise _over(over)
            if cancel.wait(_LOOK_AGAIN_S):
                raise Cancelled("The work was stopped while it waited for its share of the budget.")

    def _reserved_for_moments(self, session: Session, project_id: int | None) -> int:
        where = [
            Generation.capability.in_(QUICK),
            Generation.status.in_(money.OPEN),
            Generation.boot_id == self._store.boot_id,
        ]
        if project_id is not None:
            where.append(Generation.project_id == project_id)
        return int(session.scalar(select(func.coalesce(func.sum(Generation.estimate_micros), 0)).where(*where)) or 0)

    def submitting(self, generation_id: str) -> bool:
        with self._store.db.write(durable=True) as session:
            return generation_state(session, generation_id, "submitting", boot_id=self._store.boot_id)

    def accepted(self, row: Row, handle: JobHandle) -> bool:
        """Saves the handle, and parks the unit: the provider owns the work now."""
        with self._store.db.write(durable=True) as session:
            known = session.get_one(Generation, row.id)
            cause = {"error": lost_answers.kept(known, "accepted", known.error)} if known.error else {}
            won = generation_state(session, row.id, "accepted", handle=handle.data, **cause)
        if won and row.project_id is not None:
            self._store.ledger.park(row.project_id, row.unit_key, provider=handle.provider, handle=handle.data)
        return won

    def finished(
        self,
        generation_id: str,
        media: MediaRef,
        details: Mapping[str, Any],
        *,
        cost: int | None,
        verdict: dict[str, Any],
    ) -> bool:
        """`cost` None: it was booked when the result was kept hidden."""
        output = {"media": media.model_dump(mode="json"), "details": dict(details)}
        bill = {} if cost is None else {"actual_micros": cost}
        with self._store.db.write(durable=True) as session:
            return generation_state(session, generation_id, "finished", output=output, verdict=verdict, **bill)

    def hold(self, row: Row, failure: ProductError, kept: Mapping[str, Any], *, cost: int) -> bool:
        """The provider is done and paid; the result is kept hidden, with all that showing it later takes."""
        with self._store.db.write(durable=True) as session:
            error = _told(session, row.id, "held", failure)
            return generation_state(session, row.id, "held", output=dict(kept), error=error, actual_micros=cost)

    def bar(self, row: Row, failure: ContentRefused, *, cost: int | None = None) -> bool:
        """Our own check refuses the result, which the provider charges for all the same. `cost` None: booked before."""
        columns: dict[str, Any] = {"output": None}
        if cost is not None:
            columns["actual_micros"] = cost
        with self._store.db.write(durable=True) as session:
            columns["error"] = _told(session, row.id, "failed", failure) | {"reason": failure.reason}
            return generation_state(session, row.id, "failed", **columns)

    @contextmanager
    def look(
        self, checker: str, check: str, most_micros: int, project_id: int | None, cancel: threading.Event
    ) -> Iterator[Bill]:
        """Around a look that may cost so much: reserved before, and booked after as the block says in `Bill.micros`
        (all of it where the block says nothing). A free one leaves no record. Raises BudgetReached before the block.
        """
        bill = Bill(most_micros)
        if most_micros <= 0:
            yield bill
            return
        generation_id = uuid.uuid4().hex
        self._claim(
            Generation(
                id=generation_id,
                project_id=project_id,
                unit_key=f"check/{check}",
                capability="check",
                provider=checker,
                model=check,
                request_digest=generation_id,
                status="submitting",
                estimate_micros=most_micros,
                boot_id=self._store.boot_id,
            ),
            cancel,
        )
        answered = False
        try:
            yield bill
            answered = True
        finally:
            with self._store.db.write(durable=True) as session:
                to: GenerationStatus = "finished" if answered and not bill.lost else "failed"
                generation_state(session, generation_id, to, actual_micros=bill.micros)

    def close_looks_left_behind(self) -> None:
        """Looks of a process that is gone: they may have been made, so they count with all that they may cost."""
        query = select(Generation).where(
            Generation.capability == "check",
            Generation.status == "submitting",
            Generation.boot_id != self._store.boot_id,
        )
        with self._store.db.write(durable=True) as session:
            for row in session.scalars(query).all():
                generation_state(session, row.id, "failed", actual_micros=row.estimate_micros)

    def failed(self, row: Row, failure: ProductError, *, billed: bool) -> bool:
        """`billed`: the provider did the work, and will charge for it at the estimate."""
        with self._store.db.write(durable=True) as session:
            bill = session.get_one(Generation, row.id).estimate_micros if billed else 0
            error = _told(session, row.id, "failed", failure)
            return generation_state(session, row.id, "failed", error=error, actual_micros=bill)

    def move(
        self,
        generation_id: str,
        to: GenerationStatus,
        failure: ProductError | None = None,
        *,
        cost: int | None = None,
    ) -> bool:
        """Any other change of state, with its cause. `cost`: what the provider charges for it all the same."""
        columns: dict[str, Any] = {} if cost is None else {"actual_micros": cost}
        with self._store.db.write(durable=True) as session:
            if failure is not None:
                columns["error"] = _told(session, generation_id, to, failure)
            return generation_state(session, generation_id, to, **columns)


def _told(session: Session, generation_id: str, to: GenerationStatus, failure: ProductError) -> dict[str, Any]:
    error = {"code": failure.code, "detail": failure.detail, "hint": failure.hint}
    error |= {"raw": getattr(failure, "raw", "")[:500]}
    known = session.get(Generation, generation_id)
    return error if known is None else lost_answers.kept(known, to, error)


def _over(over: money.Overrun) -> BudgetReached:
    if over.whose == "project":
        what, hint = "this project's budget", "Raise the project's budget (budget_cents) and resume."
    else:
        what, hint = "SPEND_CAP_CENTS", "Raise SPEND_CAP_CENTS, start the program again, and resume."
    said = f"${over.spent_micros / 1e6:.2f} of ${over.limit_micros / 1e6:.2f} are spent or under way"
    return BudgetReached(
        f"{said}, and the next piece of work (${over.more_micros / 1e6:.3f}) would go over {what}.", hint=hint
    )


def _row(row: Generation) -> Row:
    submitted = row.submitted_at or row.prepared_at
    return Row(
        id=row.id,
        project_id=row.project_id,
        unit_key=row.unit_key,
        capability=row.capability,
        provider=row.provider,
        model=row.model,
        status=row.status,
        request={name: value for name, value in (row.request or {}).items() if name != "prompts_version"},
        request_digest=row.request_digest,
        handle=JobHandle(row.provider, dict(row.handle)) if row.handle else None,
        error=dict(row.error or {}),
        attempt=row.attempt,
        boot_id=row.boot_id,
        submitted_at=datetime.fromisoformat(submitted).replace(tzinfo=UTC),
    )
