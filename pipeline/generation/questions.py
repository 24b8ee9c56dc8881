"""The record of questions to language models: what was asked, of whom, what came back, what it cost.

Hides the rows. An answer that was kept is found again within its run, so a crash between an answer and the end of its
unit costs nothing; what a dead process had asked is closed, as it may have been charged.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from pipeline.contracts import ChatReply, ChatRequest, digest
from pipeline.errors import ProductError
from pipeline.generation.record import Records
from pipeline.store import Store
from pipeline.store.models import Generation
from pipeline.store.states import generation_state

log = logging.getLogger(__name__)

TEXT = "text"


def _quiet(_: str) -> None:
    return None


@dataclass(frozen=True)
class Errand:
    """For whom a question is asked, the flag that asks to stop, and where to say what users may want to know."""

    project_id: int | None
    run_id: str
    unit_key: str
    cancel: threading.Event
    say: Callable[[str], None] = field(default=_quiet)


class Questions:
    def __init__(self, store: Store, records: Records) -> None:
        self._store = store
        self._records = records

    @staticmethod
    def key(request: ChatRequest, errand: Errand) -> str:
        """Equal questions of one run have equal keys; a later run that asks again wants a new answer."""
        return digest(TEXT, errand.project_id, errand.run_id, errand.unit_key, request)

    def kept(self, key: str) -> dict[str, Any] | None:
        """The answer that was accepted for this question."""
        query = (
            select(Generation.output)
            .where(Generation.request_digest == key, Generation.status == "finished")
            .order_by(Generation.ended_at.desc())
        )
        with self._store.db.read() as session:
            output = session.scalars(query).first()
        return dict(output["answer"]) if output else None

    def open(
        self, request: ChatRequest, key: str, errand: Errand, *, provider: str, model: str, estimate: int, attempt: int
    ) -> str:
        """A record of what is about to be asked; its id. Raises BudgetReached."""
        row = self._records.prepare(
            request,
            key,
            provider=provider,
            model=model,
            project_id=errand.project_id,
            unit_key=errand.unit_key,
            attempt=attempt,
            estimate_micros=estimate,
            cancel=errand.cancel,
        )
        self._records.submitting(row.id)
        return row.id

    def close(self, question: str, reply: ChatReply, *, cost_micros: int, lost: int) -> None:
        """The answer was accepted. `cost_micros`: of all sends; `lost`: of these the ones whose answers were lost, and
        that may be charged as well."""
        output = {
            "answer": reply.data,
            "model": reply.model,
            "input_tokens": reply.input_tokens,
            "output_tokens": reply.output_tokens,
            "possible_extra_charges": lost,
        }
        with self._store.db.write(durable=True) as session:
            generation_state(session, question, "finished", output=output, actual_micros=cost_micros)

    def fail(self, question: str, failure: ProductError, *, cost_micros: int, lost: int) -> None:
        """There is no answer that can be used. `cost_micros` is what is known to have been charged."""
        error = {
            "code": failure.code,
            "detail": failure.detail,
            "hint": failure.hint,
            "raw": getattr(failure, "raw", ""),
            "possible_extra_charges": lost,
        }
        try:
            with self._store.db.write(durable=True) as session:
                generation_state(session, question, "failed", error=error, actual_micros=cost_micros)
        except ProductError:
            # A full disk refuses this note too; the failure that is raised says more.
            log.warning("the failure of question %s could not be written", question)

    def close_left_behind(self) -> None:
        """Questions of a process that is gone: their answers are lost, and may be charged."""
        query = select(Generation.id).where(
            Generation.capability == TEXT,
            Generation.status.in_(("prepared", "submitting")),
            Generation.boot_id != self._store.boot_id,
        )
        error = {
            "code": "interrupted",
            "detail": "The program ended before the answer came.",
            "hint": "",
            "possible_extra_charges": 1,
        }
        with self._store.db.write(durable=True) as session:
            for question in session.scalars(query).all():
                generation_state(session, question, "failed", error=error, actual_micros=0)
