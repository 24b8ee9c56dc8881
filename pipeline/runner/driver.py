"""One run over one project, from its first unit to its end state. Hides threads, claims, retries and reuse.

The driver's own thread lists and hands out units; lane threads carry them out. All memory of what is done is in the
ledger: a driver can be thrown away at any instant, and another one over the same run goes on from there.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from pipeline.contracts import Lane
from pipeline.errors import Cancelled, DiskFull, ProductError, StoreUnavailable
from pipeline.generation.outcomes import Unresolved, stops_everything
from pipeline.runner.graph import SETTLED, Graph, Node
from pipeline.runner.lanes import LaneQueue, Place
from pipeline.runner.problems import Entry, kept, met, noted
from pipeline.runner.reuse import RunOptions, stands
from pipeline.stage import Outcome, Stage, StageContext, StageFailed
from pipeline.store.ledger import StepRecord, forget_units

log = logging.getLogger(__name__)

RunEnd = Literal["done", "failed", "paused", "cancelled"]
# Causes that would stop every other unit too: the run pauses, keeps what is done, and can be resumed.
PAUSING: tuple[type[ProductError], ...] = (DiskFull, StoreUnavailable)
RETRY_DELAY_S = (0.2, 1.0)
BUSY_DELAY_S = 0.3


class _InputsChanged(Exception):
    """The unit's inputs were edited while it ran."""


class _Busy(Exception):
    """Somebody else has the unit; how it ended is read from the ledger then."""


@dataclass(frozen=True)
class Ending:
    """How a run's driver ended. `asked`: a command that has already changed the run's row."""

    state: RunEnd
    code: str | None = None
    detail: str = ""
    asked: bool = False


class Driver:
    """`run()` blocks until the run has ended; `pause`, `cancel` and `stop` may be called from any thread."""

    def __init__(
        self, ctx: StageContext, stages: Sequence[Stage], lanes: Mapping[Lane, LaneQueue], options: RunOptions
    ) -> None:
        self.ctx = ctx
        self.graph = Graph(stages)
        self.started_at = time.monotonic()
        self.problems: list[Entry] = []
        self._lanes = lanes
        self._options = options
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._asked: Ending | None = None
        self._in_flight = 0
        self._percent = 0
        self._records: dict[str, StepRecord] = {}
        self._seen: set[str] = set()
        self._held_for: dict[str, str] = {}  # unit → the generation that only the user can settle

    # --- Asked from outside ---------------------------------------------------------------------

    def pause(self) -> None:
        """No further unit starts; those at work finish and are kept."""
        self._ask(Ending("paused", asked=True))

    def cancel(self) -> None:
        self._ask(Ending("cancelled", asked=True), halt=True)

    def stop(self) -> None:
        """The process is going down: units at work are stopped, the run stays `running` and is picked up later."""
        self._ask(Ending("paused", asked=True), halt=True)

    def release(self, generation_id: str, key: str) -> bool:
        """Units that waited for the user go on. Whether `key`, which the generation belongs to, is yet to end."""
        with self._wake:
            self._let_on(generation_id)
            node = self.graph.nodes.get(key)
            return self._asked is None and (node is None or node.state not in SETTLED)

    def _let_on(self, generation_id: str) -> None:
        with self._wake:
            for key in [key for key, cause in self._held_for.items() if cause == generation_id]:
                del self._held_for[key]
                self.problems = [one for one in self.problems if (one["unit"], one["code"]) != (key, Unresolved.code)]
                self.graph.put_back(key)
            self._wake.notify_all()

    def _pause_for(self, code: str, detail: str) -> None:
        self._ask(Ending("paused", code, detail))

    def _ask(self, ending: Ending, *, halt: bool = False) -> None:
        with self._wake:
            if self._asked is None or halt:
                self._asked = ending
            if ending.asked:
                self.ctx.pausing.set()
            if halt:
                self.ctx.halt.set()
            self._wake.notify_all()

    # --- The driver's own thread -----------------------------------------------------------------

    def run(self) -> Ending:
        self._records = self.ctx.store.ledger.records(self.ctx.project_id)
        while True:
            with self._wake:
                if self._asked is not None:
                    return self._drain(self._asked)
                if self.graph.finished():
                    return Ending("done")
            try:
                self._expand()
            except StageFailed as failure:
                self.problem(met(failure, failure.field or ""), level="error")
                return self._drain(Ending("failed", failure.code, failure.sentence))
            except PAUSING as failure:
                self._pause_for(failure.code, failure.sentence)
                continue
            with self._wake:
                self._hand_out()
                failed = self.graph.failed_for_good()
                if failed is not None and self._in_flight == 0:
                    return self._failed(failed)
                if self._in_flight == 0 and self.graph.idle() and self.graph.held() and not self._let_go():
                    waits = f"{len(self.graph.held())} request(s) have lost their answer"
                    return Ending("paused", Unresolved.code, f"Only work that waits for you is left: {waits}.")
                stuck = self.graph.stuck() if self._in_flight == 0 else []
                if stuck:
                    raise RuntimeError(f"nothing can start, yet these wait: {', '.join(stuck[:5])}")
                if not self._progress_possible():
                    self._wake.wait(timeout=1.0)

    def _let_go(self) -> bool:
        """Units whose case was settled in the moment before they were held go on."""
        settled = set(self._held_for.values()) - {row.id for row in self.ctx.unresolved()}
        for generation_id in settled:
            self._let_on(generation_id)
        return bool(settled)

    def _progress_possible(self) -> bool:
        return bool(self._asked) or self.graph.finished() or bool(self.graph.expandable())

    def _expand(self) -> None:
        for stage in self.graph.expandable():
            for name in stage.after:
                before = next(known for known in self.graph.order if known.name == name)
                before.verify(self.ctx)
            units = stage.units(self.ctx)
            with self._lock:
                self.graph.expand(stage, units)

    def _hand_out(self) -> None:
        for node in self.graph.take_ready():
            self._in_flight += 1
            self._lanes[node.stage.lane].submit(
                self.ctx.project_id,
                node.unit.key,
                partial(self._carry_out, node),
                owner=self,
                urgency=self.graph.urgency(node.unit.key),
            )

    def _failed(self, stage: Stage) -> Ending:
        names = ", ".join(unit.label for unit in self.graph.failures(stage.name))
        return Ending("failed", stage.failure_code, f"The film cannot go on: {stage.name} failed for {names}.")

    def _drain(self, ending: Ending) -> Ending:
        """Wait for what is at work; units that still queue are forgotten."""
        self._lanes_drop()
        deadline = time.monotonic() + (8.0 if self.ctx.halt.is_set() else 600.0)
        with self._wake:
            while self._active() and time.monotonic() < deadline:
                self._wake.wait(timeout=0.2)
            return self._asked or ending

    def _lanes_drop(self) -> None:
        for lane in self._lanes.values():
            lane.drop(self)

    def _active(self) -> bool:
        return any(lane.serves(self) for lane in self._lanes.values())

    def percent(self, reckoned: int) -> int:
        """How far the run is. Reckoned anew when units are listed, it may be less; what was said never goes back."""
        with self._lock:
            self._percent = max(self._percent, reckoned)
            return self._percent

    # --- Lane threads ---------------------------------------------------------------------------

    def _carry_out(self, node: Node, place: Place) -> None:
        with self._lock:
            if self._asked is not None:
                return
            self.graph.start(node.unit.key)
        try:
            self._one_attempt(node, place)
        except Exception as failure:
            log.exception("unit %s", node.unit.key)
            self._pause_for("internal", f"{node.unit.label}: {type(failure).__name__}")
        finally:
            with self._wake:
                self._in_flight -= 1
                self._wake.notify_all()

    def _one_attempt(self, node: Node, place: Place) -> None:
        stage, unit = node.stage, node.unit
        digest = ""
        attempt = 0
        try:
            with self.ctx.read() as session:
                digest = stage.digest(self.ctx, session, unit)
            record = self._record(unit.key)
            if record is not None and self._failed_before(node, record, digest):
                return
            if record is not None and self._stands(node, record, digest):
                self._note_problems(node, (record.output or {}).get("problems", ()))
                self._settle_node(node, record.status)
                return
            attempt = self._claimed(node, record, digest)
            outcome = stage.run(self.ctx.at(place), unit)
            self._finish(node, digest, outcome)
        except _InputsChanged:
            self._hand_back(unit.key, digest)
            self._again(node)
        except _Busy:
            self.ctx.halt.wait(BUSY_DELAY_S)
            self._again(node)
        except Cancelled:
            self._hand_back(unit.key, digest)
            # Without a wish to stop (another thread was quicker), the unit would wait for ever for somebody to go on.
            self._settle_node(node, "skipped") if self.ctx.attach_only else self._again(node)
        except PAUSING as failure:
            self._pause_for(failure.code, failure.sentence)
            self._hand_back(unit.key, digest)
        except ProductError as failure:
            if node.stage.waits and self._waits_for_user(node, digest, failure):
                return
            self._failure(node, digest, attempt, failure)
        except Exception as failure:
            log.exception("unit %s", unit.key)
            unknown = ProductError(f"An unexpected {type(failure).__name__}.", hint="The server's log has more.")
            self._failure(node, digest, attempt, unknown)

    def _record(self, key: str) -> StepRecord | None:
        """The unit's row: as it was when the run began, and as it is now from the second look on."""
        before = self._records.get(key)
        if key in self._seen or (before is not None and before.status == "parked"):
            before = self.ctx.store.ledger.record(self.ctx.project_id, key)
        self._seen.add(key)
        return before

    def _failed_before(self, node: Node, record: StepRecord, digest: str) -> bool:
        """A unit that failed for good in this very run stays failed when the run goes on; a new start tries it anew."""
        same = record.run_id == self.ctx.run_id and record.digest == digest
        error, settled = record.error or {}, (record.error or {}).get("code") == Unresolved.code
        if record.status != "failed" or settled or not same or self.ctx.attach_only:
            return False
        self.problem(kept(error, node.stage.name, node.unit), level="error")
        self._settle_node(node, "failed")
        return True

    def _claimed(self, node: Node, record: StepRecord | None, digest: str) -> int:
        """Takes the unit; which attempt this is. A unit that a provider works on for us is ours already."""
        ledger, unit = self.ctx.store.ledger, node.unit
        if record is not None and record.status == "parked":
            if record.digest == digest:
                return record.attempts
            ledger.settle(self.ctx.project_id, unit.key, "pending", digest=record.digest)
        claim = ledger.claim(
            self.ctx.project_id, unit.key, stage=node.stage.name, digest=digest, run_id=self.ctx.run_id, force=True
        )
        if claim is None:
            raise _Busy
        return claim.attempts

    def _waits_for_user(self, node: Node, digest: str, failure: ProductError) -> bool:
        """What only the user can settle: this unit is held, or the run pauses. False: an ordinary failure."""
        unit = node.unit
        if not isinstance(failure, Unresolved) and not stops_everything(failure):
            return False
        problem = met(failure, node.stage.name, unit)
        self._hand_back(unit.key, digest)
        self.problem(problem)
        if isinstance(failure, Unresolved):
            with self._wake:
                self._held_for[unit.key] = failure.generation_id
                self.graph.hold(unit.key)
        else:
            self._pause_for(failure.code, problem["text"])
        return True

    def _hand_back(self, key: str, digest: str) -> None:
        """The unit is pending again. Where even that cannot be written, the next driver's `release` does it."""
        try:
            self.ctx.store.ledger.settle(self.ctx.project_id, key, "pending", digest=digest)
        except PAUSING as failure:
            self._pause_for(failure.code, failure.sentence)

    def _stands(self, node: Node, record: StepRecord, digest: str) -> bool:
        return stands(self.ctx, node, record, digest, options=self._options, order=self.graph.order)

    def _finish(self, node: Node, digest: str, outcome: Outcome) -> None:
        def apply(session: Session) -> None:
            if node.stage.digest(self.ctx, session, node.unit) != digest:
                raise _InputsChanged
            outcome.apply(session)
            forget_units(session, self.ctx.project_id, outcome.outdates)

        output = {"media": list(outcome.media), "problems": list(outcome.problems), **outcome.data}
        settle, unit = self.ctx.store.ledger.settle, (self.ctx.project_id, node.unit.key, outcome.status)
        why: Exception = _Busy()
        try:
            won = settle(*unit, digest=digest, output=output, apply=apply, text=outcome.text)
        except _InputsChanged as changed:
            won, why = False, changed
        if not won:
            with self.ctx.store.db.write() as session:
                outcome.late(session, self._made_from_earlier(node, digest, session))
            raise why
        self._seen.update(outcome.outdates)
        self._note_problems(node, outcome.problems)
        self._settle_node(node, outcome.status)

    def _made_from_earlier(self, node: Node, digest: str, session: Session) -> bool:
        """Whether it was overtaken by an edit: what was only cancelled is still what the texts say."""
        cancelled = self._asked is not None and self._asked.state == "cancelled"
        try:
            return not cancelled and node.stage.digest(self.ctx, session, node.unit) != digest
        except NoResultFound:  # what it was made for is gone
            return True

    def _failure(self, node: Node, digest: str, attempt: int, failure: ProductError) -> None:
        passing = getattr(failure, "transient", False) or node.stage.tries_anew
        transient = passing and not getattr(failure, "final", False)
        problem = met(failure, node.stage.name, node.unit)
        text = problem["text"]
        error = {"code": failure.code, "detail": failure.detail, "hint": failure.hint, "field": failure.field}
        ledger = self.ctx.store.ledger
        if transient and attempt < node.stage.attempts:
            ledger.settle(self.ctx.project_id, node.unit.key, "pending", digest=digest, error=error)
            self.ctx.say(node.stage.name, node.unit.key, f"{text} Trying again.", level="warning")
            self.ctx.halt.wait(RETRY_DELAY_S[min(attempt, len(RETRY_DELAY_S)) - 1])
            self._again(node)
            return
        ledger.settle(self.ctx.project_id, node.unit.key, "failed", digest=digest, error=error, text=text)
        self.problem(problem, level="error")
        self._settle_node(node, "failed")

    def problem(self, problem: Entry, *, level: str = "warning") -> None:
        with self._lock:
            self.problems.append(problem)
        if level == "warning":
            self.ctx.say(problem["stage"], problem["unit"], problem["text"], level=level)

    def _note_problems(self, node: Node, problems: Iterable[Sequence[Any]]) -> None:
        for note in problems:
            self.problem(noted(note, node.stage.name, node.unit))

    def _again(self, node: Node) -> None:
        with self._wake:
            self.graph.put_back(node.unit.key)

    def _settle_node(self, node: Node, status: str) -> None:
        with self._wake:
            if node.state not in SETTLED:
                self.graph.settle(node.unit.key, status)  # type: ignore[arg-type]
