"""An accepted job, seen to its end: waited for, its result fetched at once and checked.

Hides how often a provider is looked at, how long each phase may take, and how often a result is fetched before it
counts as lost or useless. Nothing here sends work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import Capability, JobRequest, MediaRef, Output, RemoteMedia
from pipeline.errors import BadMedia, ProductError
from pipeline.generation.accept import Accepted, accept
from pipeline.generation.chain import Candidate, ProviderChain
from pipeline.generation.outcomes import DownloadFailed, Halted, ProviderSilent
from pipeline.generation.record import Records, Row
from pipeline.generation.slots import OwnWork
from pipeline.generation.timing import PhaseClock, Timing, pause
from pipeline.providers import Finished, Job, JobHandle
from pipeline.providers.failures import ProviderFailure
from pipeline.store.fetch import FetchFailed, FetchGone, fetch


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
    own_work: OwnWork
    file: Callable[[MediaRef], Path]
    halted: Callable[[str, str], Halted | None]
    halt: Callable[[str, str, Halted], None]


def halt(desk: Desk, candidate: Candidate, capability: Capability, failure: ProviderFailure) -> Halted:
    """Notes that the provider refuses everything of this kind; what is to be said of it."""
    adapter = candidate.adapter
    hint = f"Add credit to the account at {adapter.label}, then resume."
    if failure.kind == "auth":  # settings are read when the program starts
        hint = f"Put {adapter.key_setting.upper()} right, start the program again, then resume."
    halted = Halted(f"{adapter.label} refuses all work ({failure.detail.rstrip('.')}).", adapter.name, hint=hint)
    desk.halt(adapter.name, capability, halted)
    return halted


class Wasted(ProviderFailure):
    """The job ended well, and there is no result."""

    billed = True


class BadOutput(Wasted):
    """Its result is not usable."""


class Expired(Wasted):
    """Its result is not there any more."""


class Attendant:
    """Of one undertaking; every method blocks, and raises Cancelled when asked to stop."""

    def __init__(
        self, desk: Desk, request: JobRequest, folder: Path, cancel: threading.Event, say: Callable[[str, str], None]
    ) -> None:
        self._desk = desk
        self._request = request
        self._folder = folder
        self._cancel = cancel
        self._say = say

    # --- Waiting --------------------------------------------------------------------------------

    def wait(self, candidate: Candidate, handle: JobHandle, job: Job) -> Finished:
        clock = PhaseClock(self._desk.timing, lambda phase: self._say(candidate.called, phase))
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
                    f"{candidate.called} has been {clock.phase} for too long.",
                    hint="It is looked at again when the film is resumed; nothing is paid twice.",
                )
            pause(self._desk.timing.poll_pause(turn), self._cancel)
            turn += 1

    def _missed(self, candidate: Candidate, failure: ProviderFailure, misses: int) -> None:
        if failure.kind in ("auth", "billing"):
            raise halt(self._desk, candidate, self._request.capability, failure) from failure
        if misses > self._desk.timing.looks:
            raise ProviderSilent(
                f"{candidate.called} cannot be asked: {failure.detail}",
                hint="It is asked again when the film is resumed; nothing is paid twice.",
            ) from failure

    def _after_miss(self, failure: ProviderFailure, misses: int) -> float:
        return failure.retry_after_s or self._desk.timing.backoff(misses)

    # --- Fetching -------------------------------------------------------------------------------

    def bring(self, row: Row, candidate: Candidate, finished: Finished, job: Job) -> Brought:
        if not finished.outputs:
            raise self._unusable(candidate, "returned nothing")
        problem: ProductError | None = None
        for turn in range(self._desk.timing.fetches):
            if turn:
                pause(self._desk.timing.backoff(turn), self._cancel)
            try:
                output = self._fetched(candidate, finished.outputs[0])
                return Brought(row, candidate, self._accepted(output), output, finished)
            except FetchGone as failure:
                problem = failure
                finished = self._fresh(candidate, row, finished, job)
            except (FetchFailed, BadMedia) as failure:
                problem = failure
                if not isinstance(finished.outputs[0], RemoteMedia):
                    break
                self._say(candidate.called, f"fetching again: {failure.detail}")
        assert problem is not None
        if isinstance(problem, BadMedia):
            raise self._unusable(candidate, f"returned something unusable: {problem.detail}") from problem
        if isinstance(problem, FetchGone):
            raise Expired(problem.detail, provider=candidate.adapter.name, kind="expired", accepted=True)
        raise DownloadFailed(problem.detail, hint="It is fetched again when the film is resumed.") from problem

    def _accepted(self, output: Output) -> Accepted:
        if self._request.capability not in ("video", "lipsync"):
            return accept(self._request, output, cancel=self._cancel)
        with self._desk.own_work.turn(self._cancel):
            return accept(self._request, output, cancel=self._cancel)

    def _fetched(self, candidate: Candidate, output: Output | RemoteMedia) -> Output:
        if isinstance(output, Output):
            return output
        self._say(candidate.called, "downloading")
        path = self._folder / "fetched"
        fetch(output, path, local=candidate.local_addresses, total_s=self._desk.timing.fetch_s)
        self._say(candidate.called, "checking")
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
        return BadOutput(
            f"{candidate.called} {what}.", provider=candidate.adapter.name, kind="transient", accepted=True
        )
