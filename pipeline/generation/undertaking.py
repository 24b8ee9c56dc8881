"""One request, carried through to a result: sent, seen to its end, and sent again where that is safe.

Hides the order of writing (intent, handle, result), the retry policy at work, and how work that another process began
is taken up. Nothing here publishes or decides what a result is for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.contracts import JobRequest, digest
from pipeline.errors import Cancelled, EngineFailed, ProductError
from pipeline.generation.attendance import Attendant, BadOutput, Brought, Desk, halt
from pipeline.generation.chain import Candidate, after
from pipeline.generation.outcomes import Abandoned, Halted, Unresolved
from pipeline.generation.record import Row
from pipeline.generation.retry import Action, Decision, Failed, decide
from pipeline.generation.slots import Slot
from pipeline.generation.timing import pause
from pipeline.providers import Finished, Job, JobHandle
from pipeline.providers.failures import ProviderFailure
from pipeline.store.states import GenerationStatus

log = logging.getLogger(__name__)

# What the log tells users of a failure that something follows; the others are problems with words of their own.
FOLLOWS: dict[Action, str] = {
    "resend": "It is sent again.",
    "again": "It is made again.",
    "elsewhere": "Another provider is asked.",
    "other_model": "Another model is asked.",
    "halt": "Nothing more is sent there.",
}

_LOOKUPS_S = (0.5, 2.0, 5.0)


def key_of(candidate: Candidate, request: JobRequest) -> str:
    """What makes two requests equal.

    Providers get a file's content alone. What the store knows of a file beside that may change (equal content is
    published again by somebody who has more to say of it), and would make another request of the same one.
    """
    said = request.model_dump(mode="json")
    return digest(candidate.adapter.name, candidate.model.name, _content_only(said) if candidate.paid else said)


def _content_only(value: Any) -> Any:
    if isinstance(value, dict):
        is_file = "sha256" in value
        return {name: _content_only(one) for name, one in value.items() if not (is_file and name == "meta")}
    return [_content_only(one) for one in value] if isinstance(value, list) else value


class Undertaking:
    """`carry_out` blocks. One thread at a time; the caller sees to it that no two have the same request."""

    def __init__(
        self,
        desk: Desk,
        request: JobRequest,
        candidates: Sequence[Candidate],
        *,
        project_id: int | None,
        unit_key: str,
        folder: Path,
        cancel: threading.Event,
        say: Callable[[str, str], None],
        slot: Slot,
        attach_only: bool = False,
    ) -> None:
        self._slot = slot
        self._attach_only = attach_only
        self._desk = desk
        self._request = request
        self._candidates = candidates
        self._project_id, self._unit_key = project_id, unit_key
        self._folder = folder
        self._cancel = cancel
        self._say = say
        self._attendant = Attendant(desk, request, folder, cancel, say)
        self._failures: list[Failed] = []
        self._attempt = 1

    def carry_out(self, row: Row | None) -> Brought:
        """From `row`, where there is one that has not ended, else from the start. Raises ProductError."""
        candidate = self._candidate_of(row)
        if row is not None:
            self._attempt = row.attempt
        else:
            candidate = self._not_refused(candidate)
        while True:
            if row is None and self._attach_only:
                raise Cancelled("Nothing new is to be sent.")
            current = row or self._prepare(candidate)
            try:
                try:
                    return self._one_try(current, candidate)
                except ProviderFailure as failure:
                    row, candidate = self._after(current, candidate, failure)
            except _Overtaken:
                row = self._desk.records.open_row([current.request_digest])
            except Exception as failure:
                self._leave(current, failure)
                raise

    def _leave(self, row: Row, failure: Exception) -> None:
        """A request that was not sent is not left open: nobody would send it, and its estimate would count for ever."""
        said = (
            failure if isinstance(failure, ProductError) else EngineFailed(f"An unexpected {type(failure).__name__}.")
        )
        try:
            current = self._desk.records.row(row.id)
            if current is not None and current.status == "prepared":
                self._desk.records.move(row.id, "cancelled", said)
        except ProductError:
            log.warning("generation %s stays prepared: the store cannot be written", row.id)

    def _not_refused(self, first: Candidate) -> Candidate:
        """A model that has refused this very request is never asked it again; of models only one other is."""
        refused = self._desk.records.refused([key_of(one, self._request) for one in self._candidates])
        if not refused:
            return first
        self._failures += [Failed(place, "moderation", accepted=True) for place in refused]
        asked = {place.partition("/")[2] for place in refused}
        following = next((one for one in self._candidates if one.model.name not in asked), None)
        if following is None or len(asked) > 1:
            raise ProviderFailure(
                "The providers' models have refused this for its content.",
                provider=refused[0].partition("/")[0],
                kind="moderation",
            )
        return following

    def _candidate_of(self, row: Row | None) -> Candidate:
        if row is None:
            return self._candidates[0]
        place = f"{row.provider}/{row.model}"
        return next(one for one in self._candidates if one.place == place)

    def _prepare(self, candidate: Candidate) -> Row:
        return self._desk.records.prepare(
            self._request,
            key_of(candidate, self._request),
            provider=candidate.adapter.name,
            model=candidate.model.name,
            project_id=self._project_id,
            unit_key=self._unit_key,
            attempt=self._attempt,
            estimate_micros=candidate.adapter.estimate(self._request, candidate.model.name),
            cancel=self._cancel,
        )

    def _job(self, row: Row, candidate: Candidate) -> Job:
        return Job(self._request, self._desk.file, self._folder, self._cancel, row.id, candidate.model.name)

    # --- Sending --------------------------------------------------------------------------------

    def _one_try(self, row: Row, candidate: Candidate) -> Brought:
        job = self._job(row, candidate)
        answer: JobHandle | Finished
        if row.status == "accepted" and row.handle is not None:
            self._say(candidate.called, "taken up again")
            answer = row.handle
        elif row.status in ("submitting", "ambiguous"):
            answer = self._found_again(row, candidate, job)
        else:
            answer = self._send(row, candidate, job)
        if isinstance(answer, JobHandle):
            finished = self._attendant.wait(candidate, answer, job)
            self._slot.let_go()
            return self._attendant.bring(row, candidate, finished, job)
        if candidate.paid:  # an embedded engine's work is all our own
            self._slot.let_go()
        try:
            return self._attendant.bring(row, candidate, answer, job)
        except ProviderFailure:
            raise
        except ProductError as failure:  # the answer was the result, and there is no job to come back to
            ended: GenerationStatus = "cancelled" if isinstance(failure, Cancelled) else "failed"
            cost = answer.cost_micros
            if cost is None:
                cost = candidate.adapter.estimate(self._request, candidate.model.name)
            self._desk.records.move(row.id, ended, failure, cost=cost)
            raise

    def _send(self, row: Row, candidate: Candidate, job: Job) -> JobHandle | Finished:
        if self._attach_only and not row.asked_again:
            raise Cancelled("Nothing new is to be sent.")
        self._slot.take_back(self._cancel)
        self._turn(candidate)
        if not self._desk.records.submitting(row.id):
            raise _Overtaken
        self._say(candidate.called, "submitted") if candidate.paid else None
        try:
            answer = candidate.adapter.submit(job)
        except ProviderFailure:
            raise
        except ProductError as failure:
            self._desk.records.move(row.id, "cancelled" if isinstance(failure, Cancelled) else "failed", failure)
            raise
        except Exception as failure:
            log.exception("submit to %s", candidate.place)
            if not candidate.paid:
                self._desk.records.move(row.id, "failed", EngineFailed(f"An unexpected {type(failure).__name__}."))
                raise
            # Whatever broke, the request may have left: only a look or the user can tell.
            raise ProviderFailure(
                f"{candidate.adapter.label} answered in a way that was not understood.",
                provider=candidate.adapter.name,
                kind="ambiguous",
                raw=type(failure).__name__,
            ) from failure
        if isinstance(answer, JobHandle):
            self._desk.records.accepted(row, answer)
        return answer

    def _turn(self, candidate: Candidate) -> None:
        """Waits while the provider has asked for a pause. Raises Halted when it takes nothing at all."""
        name = candidate.adapter.name
        known = self._desk.halted(name, self._request.capability)
        if known is not None:
            raise Halted(known.detail, known.provider, hint=known.hint)
        while (held := self._desk.chain.held_for(name)) > 0:
            pause(min(held, 1.0), self._cancel)

    def _found_again(self, row: Row, candidate: Candidate, job: Job) -> JobHandle | Finished:
        """The job of a submit whose answer is not known. Raises Unresolved, and the record stays ambiguous.

        The user or a webhook may settle the case while it is looked for; what they say then holds.
        """
        if row.status == "submitting":
            self._desk.records.move(row.id, "ambiguous", _unanswered(candidate))
        for delay in _LOOKUPS_S:
            try:
                handle = candidate.adapter.lookup(job, row.submitted_at)
            except ProviderFailure as failure:
                log.info("lookup at %s: %s", candidate.place, failure)
                pause(delay * self._desk.timing.pace, self._cancel)
                continue
            known = handle is None or self._desk.records.knows(handle)
            if handle is not None and not known and self._desk.records.accepted(row, handle):
                self._say(candidate.called, "found again")
                return handle
            break
        current = self._desk.records.row(row.id)
        if current is not None and current.status == "accepted" and current.handle is not None:
            return current.handle
        if current is not None and current.status == "prepared":
            return self._send(current, candidate, job)
        if current is not None and current.status == "cancelled":
            raise Abandoned(current.error.get("detail") or "The user gave it up.", hint="Ask for it again.")
        self._say(candidate.called, "answer lost; waiting for the user")
        raise Unresolved(row.id, candidate.adapter.name)

    # --- After a failure ------------------------------------------------------------------------

    def _after(self, row: Row, candidate: Candidate, failure: ProviderFailure) -> tuple[Row | None, Candidate]:
        """What to try next; raises what is to be said when nothing is left to try."""
        kind = "bad_output" if isinstance(failure, BadOutput) else failure.kind
        self._failures.append(Failed(candidate.place, kind, failure.accepted, failure.retry_after_s))
        elsewhere = after(self._candidates, candidate, other_model=False)
        other = after(self._candidates, candidate, other_model=True)
        decision = decide(
            self._failures,
            synchronous=candidate.model.synchronous,
            elsewhere=elsewhere is not None,
            other_model=other is not None,
            fallback=self._request.capability == "lipsync",
            rebuy=self._request.capability == "speech",
        )
        if decision.action in FOLLOWS:
            self._say(candidate.called, f"{failure.detail} {FOLLOWS[decision.action]}")
        return self._next(decision, row, candidate, failure, elsewhere, other)

    def _next(
        self,
        decision: Decision,
        row: Row,
        candidate: Candidate,
        failure: ProviderFailure,
        elsewhere: Candidate | None,
        other: Candidate | None,
    ) -> tuple[Row | None, Candidate]:
        records = self._desk.records
        match decision.action:
            case "resend":
                self._take_back(row, failure)
                if failure.kind == "rate_limit" and failure.retry_after_s:
                    self._desk.chain.hold(candidate.adapter.name, failure.retry_after_s)
                else:
                    pause(decision.delay_s * self._desk.timing.pace, self._cancel)
                return records.row(row.id), candidate
            case "again":
                records.failed(row, failure, billed=failure.billed)
                self._attempt += 1
                pause(decision.delay_s * self._desk.timing.pace, self._cancel)
                return None, candidate
            case "elsewhere" | "other_model":
                records.failed(row, failure, billed=failure.billed)
                self._attempt += 1
                following = elsewhere if decision.action == "elsewhere" else other
                assert following is not None
                return None, following
            case "ambiguous":
                records.move(row.id, "ambiguous", failure)
                return records.row(row.id), candidate
            case "halt":
                records.move(row.id, "failed", failure)
                raise halt(self._desk, candidate, self._request.capability, failure) from failure
            case _:
                records.failed(row, failure, billed=failure.billed)
                raise failure

    def _take_back(self, row: Row, failure: ProviderFailure) -> None:
        if failure.kind == "ambiguous":  # synchronous: it may be charged a second time, and the record says so
            self._desk.records.move(row.id, "ambiguous", failure)
        self._desk.records.move(row.id, "prepared", failure)


class _Overtaken(Exception):
    """The record has changed since it was read: the user, a webhook or the sweep was quicker."""


def _unanswered(candidate: Candidate) -> ProviderFailure:
    return ProviderFailure(
        "The program ended before the answer came.", provider=candidate.adapter.name, kind="ambiguous"
    )
