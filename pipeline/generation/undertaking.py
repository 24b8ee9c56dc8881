"""One request, carried through to a result: sent, waited for, fetched, and sent again where that is safe.

Hides the order of writing (intent, handle, result), the retry policy at work, and how work that another process began
is taken up. Nothing here publishes or decides what a result is for.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import JobRequest, MediaRef, Output, RemoteMedia, digest
from pipeline.errors import BadMedia, Cancelled, EngineFailed, ProductError
from pipeline.generation.accept import Accepted, accept
from pipeline.generation.chain import Candidate, ProviderChain, after
from pipeline.generation.outcomes import DownloadFailed, Halted, ProviderSilent, Unresolved
from pipeline.generation.record import Records, Row
from pipeline.generation.retry import Decision, Failed, decide
from pipeline.generation.timing import PhaseClock, Timing, pause
from pipeline.providers import Finished, Job, JobHandle
from pipeline.providers.failures import ProviderFailure
from pipeline.store.fetch import FetchFailed, FetchGone, fetch

log = logging.getLogger(__name__)

_LOOKUPS_S = (0.5, 2.0, 5.0)


@dataclass(frozen=True)
class Brought:
    """A checked file in the work folder, with what the maker said of it."""

    row: Row
    candidate: Candidate
    accepted: Accepted
    output: Output
    finished: Finished


@dataclass(frozen=True)
class Desk:
    """What every undertaking shares. `halt` notes that a provider refuses everything; `halted` is its answer."""

    records: Records
    chain: ProviderChain
    timing: Timing
    file: Callable[[MediaRef], Path]
    halted: Callable[[str, str], str | None]
    halt: Callable[[str, str, str], None]


def key_of(candidate: Candidate, request: JobRequest) -> str:
    return digest(candidate.adapter.name, candidate.model.name, request)


class Undertaking:
    """`carry_out` blocks. One thread at a time; the caller sees to it that no two have the same request."""

    def __init__(
        self,
        desk: Desk,
        request: JobRequest,
        candidates: Sequence[Candidate],
        *,
        project_id: int,
        unit_key: str,
        folder: Path,
        cancel: threading.Event,
        say: Callable[[str, str], None],
        attach_only: bool = False,
    ) -> None:
        self._attach_only = attach_only
        self._desk = desk
        self._request = request
        self._candidates = candidates
        self._project_id, self._unit_key = project_id, unit_key
        self._folder = folder
        self._cancel = cancel
        self._say = say
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
            row = row or self._prepare(candidate)
            try:
                return self._one_try(row, candidate)
            except ProviderFailure as failure:
                row, candidate = self._after(row, candidate, failure)

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
                "The providers' models have refused this for its content.", provider=refused[0], kind="moderation"
            )
        return following

    def _candidate_of(self, row: Row | None) -> Candidate:
        if row is None:
            return self._candidates[0]
        return next(one for one in self._candidates if key_of(one, self._request) == row.request_digest)

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
        )

    def _job(self, row: Row, candidate: Candidate) -> Job:
        return Job(self._request, self._desk.file, self._folder, self._cancel, row.id, candidate.model.name)

    # --- Sending --------------------------------------------------------------------------------

    def _one_try(self, row: Row, candidate: Candidate) -> Brought:
        job = self._job(row, candidate)
        answer: JobHandle | Finished
        if row.status == "accepted" and row.handle is not None:
            self._say(candidate.place, "taken up again")
            answer = row.handle
        elif row.status in ("submitting", "ambiguous"):
            answer = self._found_again(row, candidate, job)
        else:
            answer = self._send(row, candidate, job)
        if isinstance(answer, JobHandle):
            return self._bring(row, candidate, self._wait(row, candidate, answer, job), job)
        try:
            return self._bring(row, candidate, answer, job)
        except ProviderFailure:
            raise
        except ProductError as failure:  # the answer was the result, and there is no job to come back to
            self._desk.records.move(row.id, "cancelled" if isinstance(failure, Cancelled) else "failed", failure)
            raise

    def _send(self, row: Row, candidate: Candidate, job: Job) -> JobHandle | Finished:
        if self._attach_only:
            raise Cancelled("Nothing new is to be sent.")
        self._turn(candidate)
        if not self._desk.records.submitting(row.id):
            raise Cancelled("The request was taken over.")
        self._say(candidate.place, "submitted") if candidate.paid else None
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
                f"{candidate.adapter.name} answered in a way that was not understood.",
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
        reason = self._desk.halted(name, self._request.capability)
        if reason is not None:
            raise Halted(reason, hint="Put it right, then resume.")
        while (held := self._desk.chain.held_for(name)) > 0:
            pause(min(held, 1.0), self._cancel)

    def _found_again(self, row: Row, candidate: Candidate, job: Job) -> JobHandle:
        """The job of a submit whose answer is not known. Raises Unresolved, and the record stays ambiguous."""
        if row.status == "submitting":
            self._desk.records.move(row.id, "ambiguous", _unanswered(candidate))
        for delay in _LOOKUPS_S:
            try:
                handle = candidate.adapter.lookup(job, row.submitted_at)
            except ProviderFailure as failure:
                log.info("lookup at %s: %s", candidate.place, failure)
                pause(delay * self._desk.timing.pace, self._cancel)
                continue
            if handle is not None and not self._desk.records.knows(handle):
                self._desk.records.accepted(row, handle)
                self._say(candidate.place, "found again")
                return handle
            break
        current = self._desk.records.row(row.id)
        if current is not None and current.status == "accepted" and current.handle is not None:
            return current.handle  # a webhook has told meanwhile
        self._say(candidate.place, "answer lost; waiting for the user")
        raise Unresolved(row.id, candidate.adapter.name)

    # --- Waiting --------------------------------------------------------------------------------

    def _wait(self, row: Row, candidate: Candidate, handle: JobHandle, job: Job) -> Finished:
        clock = PhaseClock(self._desk.timing, lambda phase: self._say(candidate.place, phase))
        clock.enter("queued")
        turn = misses = 0
        while True:
            try:
                answer = candidate.adapter.poll(handle, job)
            except ProviderFailure as failure:
                if failure.accepted or failure.kind in ("expired", "moderation", "invalid_input"):
                    raise
                misses += 1
                self._missed(candidate, failure, misses)
                pause(self._after_miss(failure, misses), self._cancel)
                continue
            if isinstance(answer, Finished):
                return answer
            misses = 0
            clock.enter(answer.phase)
            if clock.overdue():
                raise ProviderSilent(
                    f"{candidate.place} has been {clock.phase} for too long.",
                    hint="It is looked at again when the film is resumed; nothing is paid twice.",
                )
            pause(self._desk.timing.poll_pause(turn), self._cancel)
            turn += 1

    def _missed(self, candidate: Candidate, failure: ProviderFailure, misses: int) -> None:
        if failure.kind in ("auth", "billing"):
            raise self._halt(candidate, failure) from failure
        if misses > self._desk.timing.looks:
            raise ProviderSilent(
                f"{candidate.place} cannot be asked: {failure.detail}",
                hint="It is asked again when the film is resumed; nothing is paid twice.",
            ) from failure

    def _after_miss(self, failure: ProviderFailure, misses: int) -> float:
        return failure.retry_after_s or self._desk.timing.backoff(misses)

    # --- Fetching -------------------------------------------------------------------------------

    def _bring(self, row: Row, candidate: Candidate, finished: Finished, job: Job) -> Brought:
        if not finished.outputs:
            raise self._unusable(candidate, "returned nothing")
        problem: ProductError | None = None
        for turn in range(self._desk.timing.fetches):
            if turn:
                pause(self._desk.timing.backoff(turn), self._cancel)
            try:
                output = self._fetched(candidate, finished.outputs[0])
                accepted = accept(self._request, output, cancel=self._cancel)
                return Brought(row, candidate, accepted, output, finished)
            except FetchGone as failure:
                problem = failure
                finished = self._fresh(candidate, row, finished, job)
            except (FetchFailed, BadMedia) as failure:
                problem = failure
                if not isinstance(finished.outputs[0], RemoteMedia):
                    break
                self._say(candidate.place, f"fetching again: {failure.detail}")
        assert problem is not None
        if isinstance(problem, BadMedia):
            raise self._unusable(candidate, f"returned something unusable: {problem.detail}") from problem
        if isinstance(problem, FetchGone):
            raise Expired(problem.detail, provider=candidate.adapter.name, kind="expired", accepted=True)
        raise DownloadFailed(problem.detail, hint="It is fetched again when the film is resumed.") from problem

    def _fetched(self, candidate: Candidate, output: Output | RemoteMedia) -> Output:
        if isinstance(output, Output):
            return output
        self._say(candidate.place, "downloading")
        path = self._folder / "fetched"
        fetch(output, path, local=candidate.local_addresses, total_s=self._desk.timing.fetch_s)
        self._say(candidate.place, "checking")
        return Output(path=path, ext=path.suffix, meta=output.meta)

    def _fresh(self, candidate: Candidate, row: Row, finished: Finished, job: Job) -> Finished:
        """The provider's answer once more: its addresses may be new."""
        current = self._desk.records.row(row.id)
        if current is None or current.handle is None:
            return finished
        try:
            answer = candidate.adapter.poll(current.handle, job)
        except ProviderFailure as failure:
            if failure.accepted:
                raise
            return finished
        return answer if isinstance(answer, Finished) and answer.outputs else finished

    def _unusable(self, candidate: Candidate, what: str) -> BadOutput:
        return BadOutput(f"{candidate.place} {what}.", provider=candidate.adapter.name, kind="transient", accepted=True)

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
        if decision.action not in ("give_up", "ambiguous"):
            self._say(candidate.place, f"{failure.detail} ({decision.action.replace('_', ' ')})")
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
                records.failed(row, failure, billed=isinstance(failure, Wasted))
                self._attempt += 1
                pause(decision.delay_s * self._desk.timing.pace, self._cancel)
                return None, candidate
            case "elsewhere" | "other_model":
                records.failed(row, failure, billed=isinstance(failure, Wasted))
                self._attempt += 1
                following = elsewhere if decision.action == "elsewhere" else other
                assert following is not None
                return None, following
            case "ambiguous":
                records.move(row.id, "ambiguous", failure)
                return records.row(row.id), candidate
            case "halt":
                records.move(row.id, "failed", failure)
                raise self._halt(candidate, failure) from failure
            case _:
                records.failed(row, failure, billed=isinstance(failure, Wasted))
                raise failure

    def _take_back(self, row: Row, failure: ProviderFailure) -> None:
        if failure.kind == "ambiguous":  # synchronous: it may be charged a second time, and the record says so
            self._desk.records.move(row.id, "ambiguous", failure, possible_extra_charge=True)
        self._desk.records.move(row.id, "prepared", failure)

    def _halt(self, candidate: Candidate, failure: ProviderFailure) -> Halted:
        reason = f"{candidate.adapter.name} refuses all work: {failure.detail}"
        self._desk.halt(candidate.adapter.name, self._request.capability, reason)
        return Halted(reason, hint=failure.hint)


class Wasted(ProviderFailure):
    """The job ended well and is charged for, and there is no result."""


class BadOutput(Wasted):
    """Its result is not usable."""


class Expired(Wasted):
    """Its result is not there any more."""


def _unanswered(candidate: Candidate) -> ProviderFailure:
    return ProviderFailure(
        "The program ended before the answer came.", provider=candidate.adapter.name, kind="ambiguous"
    )
