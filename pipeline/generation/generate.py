"""One piece of provider work, from request to published media. Everything that is ever generated goes through here.

Hides the generation record, retries, providers and the work of other processes. An equal request whose result still
exists is answered from the record, one that is being made is joined, one that a dead process left at a provider is
taken up: nothing is made or paid for twice.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter
from sqlalchemy import select

from pipeline.contracts import JobRequest, MediaRef, Voice
from pipeline.errors import Cancelled, Conflict, NotFound, ProductError
from pipeline.generation.attendance import Brought, Desk
from pipeline.generation.chain import EMBEDDED, Candidate, ProviderChain
from pipeline.generation.moderation import Moderator
from pipeline.generation.outcomes import (
    Abandoned,
    AskedAgain,
    BudgetReached,
    ContentRefused,
    Halted,
    ModerationUnavailable,
    Superseded,
    Unresolved,
)
from pipeline.generation.publishing import Generated, Publisher
from pipeline.generation.record import Records, Row
from pipeline.generation.slots import OwnWork, Slot, Unbounded
from pipeline.generation.timing import Timing
from pipeline.generation.undertaking import Undertaking, key_of
from pipeline.providers import Callback, Model
from pipeline.store import Store
from pipeline.store.models import Generation

log = logging.getLogger(__name__)

_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)


class _Shared:
    """A request in the making, and who waits for it. `keys`: its digest at each place that could serve it."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = tuple(keys)
        self.done = threading.Event()
        self.result: Generated | None = None
        self.failure: BaseException | None = None


class Generator:
    """One per store. Every method may be called from any thread."""

    def __init__(
        self, store: Store, chain: ProviderChain, *, timing: Timing | None = None, spend_cap_cents: int | None = None
    ) -> None:
        self._store = store
        self._chain = chain
        self.compute = chain.compute  # heavy work of our own, in the engines' pool
        self.records = Records(store, spend_cap_cents=spend_cap_cents)
        self._lock = threading.Lock()
        self._making: dict[str, _Shared] = {}
        self._phases: dict[tuple[int | None, str], str] = {}
        self._halts: dict[tuple[str, str], Halted] = {}
        self._moderator = Moderator(store, chain.settings, chain.compute, self.records.look)
        self._publisher = Publisher(store, self.records, self._moderator)
        self.rechecked: Callable[[Row], None] = lambda row: None  # told of every second look at a hidden result
        self.own_work = OwnWork(chain.settings.engine_workers)
        self._desk = Desk(self.records, chain, timing or Timing(), self.own_work, self._file, self._halted, self._halt)

    def tell_of_pictures(self, tell: Callable[[int | None, MediaRef], None]) -> None:
        """`tell` is called with (project, file) of every file that a provider made, when it may be shown."""
        self._publisher.tell_of_picture = tell

    # --- Making ---------------------------------------------------------------------------------

    def generate(
        self,
        request: JobRequest,
        *,
        project_id: int | None,
        unit_key: str,
        render: str,
        cancel: threading.Event,
        attach_only: bool = False,
        only: str = "",
        slot: Slot | None = None,
    ) -> Generated:
        """Make it, or find it made. Blocks; raises ProductError (Cancelled when asked to stop).

        `attach_only`: nothing new is sent; what a provider has already is waited for, what the user asked to be sent
        again is sent, and without either: Cancelled. `only`: the one provider that may serve it. `slot`: held by the
        caller, and let go when the provider has finished.
        """
        candidates = self._chain.candidates(request, render, only)
        keys = [key_of(one, request) for one in candidates]
        while True:
            with self._lock:
                shared = self._making.get(keys[0])
                mine = shared is None
                if shared is None:
                    shared = self._making[keys[0]] = _Shared(keys)
            if not mine:
                joined = self._join(shared, cancel)
                if joined is not None:
                    return joined
                continue
            try:
                shared.result = self._make(request, candidates, keys, project_id, unit_key, cancel, attach_only, slot)
                return shared.result
            except BaseException as failure:
                shared.failure = failure
                raise
            finally:
                with self._lock:
                    del self._making[keys[0]]
                shared.done.set()

    @staticmethod
    def _join(shared: _Shared, cancel: threading.Event) -> Generated | None:
        """The result that another caller is making; None when that one was only asked to stop."""
        while not shared.done.wait(0.2):
            if cancel.is_set():
                raise Cancelled("The run was stopped while a provider was at work.")
        if shared.result is not None:
            return shared.result
        if isinstance(shared.failure, ProductError) and not isinstance(shared.failure, Cancelled):
            raise shared.failure
        if cancel.is_set():
            raise Cancelled("The run was stopped while a provider was at work.")
        return None

    def _make(
        self,
        request: JobRequest,
        candidates: tuple[Candidate, ...],
        keys: list[str],
        project_id: int | None,
        unit_key: str,
        cancel: threading.Event,
        attach_only: bool,
        slot: Slot | None = None,
    ) -> Generated:
        found = self.records.result(keys)
        if found is not None:
            return Generated(*found, cached=True)
        hidden = self.records.held(keys)
        if hidden is not None:
            return self._publisher.recheck(hidden, cancel)
        barred = self.records.barred(keys)
        if barred is not None:
            raise ContentRefused(barred, subject="output")
        row = self._left_over(self.records.open_row(keys))
        if row is None and candidates[0].paid and self.records.given_up(keys):
            raise Abandoned("It was given up because the provider's answer was lost.", hint="Ask for it again.")
        if row is None and attach_only:
            raise Cancelled("There is nothing of it at a provider.")
        attach_only = attach_only and row is not None and not row.asked_again
        if row is None or row.status == "prepared":
            self._publisher.inputs_may_be_used(request, project_id, paid=candidates[0].paid, cancel=cancel)
        with self._store.folder.work() as folder:
            undertaking = Undertaking(
                self._desk,
                request,
                candidates,
                project_id=project_id,
                unit_key=unit_key,
                folder=folder,
                cancel=cancel,
                say=lambda place, phase: self._note_phase(project_id, unit_key, place, phase),
                attach_only=attach_only,
                slot=slot or Unbounded(),
            )
            try:
                return self._publish(undertaking.carry_out(row), cancel)
            finally:
                self._phases.pop((project_id, unit_key), None)

    def _left_over(self, row: Row | None) -> Row | None:
        """What an embedded engine left half-done in a dead process is gone; a provider's work is not."""
        if row is None or row.provider != EMBEDDED:
            return row
        self.records.move(row.id, "cancelled", Cancelled("Its process ended."))
        return None

    def _publish(self, brought: Brought, cancel: threading.Event) -> Generated:
        row, candidate, finished = brought.row, brought.candidate, brought.finished
        try:
            return self._publisher.publish(brought, cancel)
        except (ContentRefused, ModerationUnavailable, BudgetReached):
            raise  # all are in the record
        except ProductError as failure:
            # A paid job stays accepted: its result is fetched again once there is room for it.
            if not candidate.paid or not self._has_handle(row):
                self._try_to_note(row.id, failure, self._publisher.bill(brought))
            raise
        finally:
            log.debug("%s: %s", candidate.place, finished.meta)

    def _has_handle(self, row: Row) -> bool:
        current = self.records.row(row.id)
        return current is not None and current.handle is not None

    def _try_to_note(self, generation_id: str, failure: ProductError, cost: int) -> None:
        try:
            self.records.move(generation_id, "failed", failure, cost=cost)
        except ProductError:
            # A full disk refuses this note too; the failure that is raised says more.
            return

    def _file(self, ref: MediaRef) -> Path:
        return self._store.media.path(ref.url)

    # --- What providers leave behind -------------------------------------------------------------

    def left_behind(self) -> list[Row]:
        """Work at providers that nobody may be waiting for, and requests that nobody is about to send.

        A submit whose answer a dead process did not live to see becomes ambiguous.
        """
        self.records.close_looks_left_behind()
        for row in self.records.rows_in("submitting"):
            if row.boot_id != self._store.boot_id:
                lost = Cancelled("The program ended before the answer came.")
                self.records.move(row.id, "cancelled" if row.provider == EMBEDDED else "ambiguous", lost)
        rows = self.records.rows_in("prepared", "accepted", "ambiguous")
        with self._lock:
            carried = {key for shared in self._making.values() for key in shared.keys}
        return [
            row
            for row in rows
            if row.provider != EMBEDDED and (row.status != "prepared" or row.request_digest not in carried)
        ]

    def supersede(self, row: Row, why: str) -> bool:
        """Ends a request that was to be sent and that nothing waits for any more. False: somebody was quicker."""
        said = why or "What it was for has changed meanwhile."
        return self.records.move(row.id, "cancelled", Superseded(said, hint="Ask for it anew if you still want it."))

    def collect(self, row: Row, cancel: threading.Event) -> Generated | None:
        """Fetches a result that nobody waits for any more and keeps it, as made from an earlier text."""
        request = _REQUEST.validate_python(row.request)
        adapter = self._chain.adapter(row.provider)
        model = next((one for one in adapter.models() if one.name == row.model), Model(row.model, request.capability))
        candidate = Candidate(adapter, model)
        with self._lock:
            if row.request_digest in self._making:
                return None
            shared = self._making[row.request_digest] = _Shared([row.request_digest])
        try:
            keys = [row.request_digest]
            key = row.unit_key
            shared.result = self._make(request, (candidate,), keys, row.project_id, key, cancel, True)
            return shared.result
        except BaseException as failure:
            shared.failure = failure
            raise
        finally:
            with self._lock:
                del self._making[row.request_digest]
            shared.done.set()

    def called_back(
        self, provider: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, str]
    ) -> Row | None:
        """A provider's webhook. Its word is only taken for where to look: a lost submit finds its job again by it.

        The record that came to life by it, or None: repeated, late or about something else. Raises ProviderFailure when
        the signature is wrong.
        """
        told: Callback = self._chain.adapter(provider).webhook(headers, body, query)
        row = self.records.row(told.generation_id) if told.generation_id else None
        if row is None or row.provider != provider or told.handle is None:
            return None
        if row.status not in ("ambiguous", "prepared"):
            return None
        return row if self.records.accepted(row, told.handle) else None

    def resolve(self, generation_id: str, choice: str) -> Row:
        """The user's word on a submit whose answer was lost. Raises NotFound, Conflict when it is not open any more."""
        row = self.records.row(generation_id)
        if row is None:
            raise NotFound("There is no such generation.")
        if choice == "resend":
            won = self.records.move(row.id, "prepared", AskedAgain())
        else:
            won = self.records.move(row.id, "cancelled", Abandoned("The user gave it up."))
        if not won:
            raise Conflict(f"This generation is {row.status}; there is nothing to settle.")
        return row

    def recheck(self, generation_id: str, cancel: threading.Event) -> Row:
        """Checks a hidden result again; it is not made again. The record as it stands then.

        Raises NotFound, Conflict (it is not hidden), ContentRefused, ModerationUnavailable (it stays hidden).
        """
        row = self.records.row(generation_id)
        if row is None:
            raise NotFound("There is no such generation.")
        try:
            self._publisher.recheck(row, cancel)
        finally:
            self.rechecked(self.records.row(generation_id) or row)
        return self.records.row(generation_id) or row

    def close(self) -> None:
        """Gives up the checkers' connections."""
        self._moderator.close()

    # --- State for others -----------------------------------------------------------------------

    def unresolved(self, project_id: int) -> list[Row]:
        return [row for row in self.records.rows_in("ambiguous") if row.project_id == project_id]

    def phase(self, project_id: int, unit_key: str) -> str | None:
        """Where the work of a unit stands: submitted, queued, running, downloading, checking; None: nothing is on."""
        return self._phases.get((project_id, unit_key))

    def _note_phase(self, project_id: int | None, unit_key: str, place: str, phase: str) -> None:
        self._phases[project_id, unit_key] = phase
        self._store.events.say(
            project_id=project_id,
            stage=unit_key.split("/")[0],
            unit=unit_key,
            text=f"{place}: {phase}",
            data={"phase": phase, "provider": place},
        )

    def _halted(self, provider: str, capability: str) -> Halted | None:
        return self._halts.get((provider, capability))

    def _halt(self, provider: str, capability: str, halted: Halted) -> None:
        self._halts[provider, capability] = halted

    def halted(self, capability: str) -> str | None:
        """Why nothing of this kind is sent any more, and what to do."""
        return next((why for (_, kind), why in self.halts().items() if kind == capability), None)

    def halts(self) -> dict[tuple[str, str], str]:
        """(provider, kind of work) → why nothing of it is sent any more, and what to do."""
        return {place: halted.sentence for place, halted in list(self._halts.items())}

    def clear_halts(self) -> bool:
        """Resuming: the cause may have been put right. Whether there was anything to clear."""
        cleared = bool(self._halts)
        self._halts.clear()
        return cleared

    def first_choice(self, request: JobRequest, render: str, only: str = "") -> Candidate:
        """Who would be asked first. Raises NeedsSetup."""
        return self._chain.candidates(request, render, only)[0]

    def voices(self, language: str, render: str) -> tuple[Voice, ...]:
        """The voices of the speech provider that would serve this project."""
        return self._chain.voices(language, render)

    def is_paid(self, request: JobRequest, render: str) -> bool:
        """Whether a provider would serve the request. Raises NeedsSetup."""
        return self._chain.candidates(request, render)[0].paid

    def estimate(self, request: JobRequest, render: str) -> int:
        """What the request would cost at the first choice, in micro-dollars. Raises NeedsSetup."""
        first = self._chain.candidates(request, render)[0]
        return first.adapter.estimate(request, first.model.name)

    def reference_cap(self, model: str, render: str) -> int:
        return self._chain.reference_cap(model, render)

    def previews(self, project_id: int) -> list[str]:
        """The kinds of work of which the project holds results by the embedded engines."""
        query = select(Generation.capability).where(
            Generation.project_id == project_id, Generation.provider == EMBEDDED, Generation.status == "finished"
        )
        with self._store.db.read() as session:
            return sorted(set(session.scalars(query)))


__all__ = ["Generated", "Generator", "Unresolved"]
