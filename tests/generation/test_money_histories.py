"""Both ledgers over random histories of several projects under one cap, with crashes: no limit is ever passed.

What is expected is reckoned here from the history alone, without the ledger's own rules.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select

from pipeline.contracts import ChatReply, ChatRequest, ImageRequest, Look, MediaRef, ReferenceBrief
from pipeline.errors import Cancelled, Conflict
from pipeline.generation.chain import ProviderChain
from pipeline.generation.generate import Generator
from pipeline.generation.outcomes import BudgetReached, ContentRefused, ModerationUnavailable
from pipeline.generation.questions import Errand, Questions
from pipeline.generation.record import Bill, Row
from pipeline.providers import JobHandle
from pipeline.providers.failures import ProviderFailure
from pipeline.settings import load_settings
from pipeline.store import Store, credits, lost_answers, open_store
from pipeline.store.models import CreditEntry, Media, MoneyEntry, Project

CAP_CENTS = 16
BUDGETS = (5, 10, None)  # cents; None: the cap alone counts
MICROS = 10_000
NOW = threading.Event()  # nobody waits for a share of the budget here: it is there, or it is not
NOW.set()
QUESTION = ChatRequest(purpose="t", system="", prompt="?", schema_name="t", answer_schema={}, max_output_tokens=1)
FILE = MediaRef(sha256="0" * 64, ext="png", size=1)

estimates = st.integers(0, 7 * MICROS)
shares = st.integers(0, 100)
picks = st.integers(0, 50)


@dataclass
class Known:
    """A generation as the history has it. `counts`: what it has to count with now, in micro-dollars."""

    id: str
    project: int
    estimate: int
    status: str
    counts: int
    lost: int = 0
    context: AbstractContextManager[Bill] | None = None
    bill: Bill | None = None


class Histories(RuleBasedStateMachine):
    empty: Path
    chain: ProviderChain

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=self.empty.parent))
        self.number = 0
        self.jobs: list[Known] = []
        self.questions: list[Known] = []
        self.looks: list[Known] = []
        self.items: dict[int, int] = {}
        self.refunded: set[int] = set()
        self.balance = 0
        shutil.copytree(self.empty, self.folder / "0")
        self._open()
        with self.store.db.write() as session:
            rows = [Project(title="A film", budget_cents=cents) for cents in BUDGETS]
            session.add_all(rows)
            session.flush()
            self.budgets = {row.id: row.budget_cents for row in rows}

    def _open(self) -> None:
        self.store: Store = open_store(self.folder / str(self.number))
        self.generator = Generator(self.store, self.chain, spend_cap_cents=CAP_CENTS)
        self.records = self.generator.records
        self.book = Questions(self.store, self.records)

    def teardown(self) -> None:
        for look in self.looks:
            self._end_look(look, 0)
        self.store.close()
        shutil.rmtree(self.folder)

    # --- What is expected -----------------------------------------------------------------------

    def _counted(self, project: int | None = None) -> int:
        every = [*self.jobs, *self.questions, *self.looks]
        return sum(one.counts for one in every if project in (None, one.project))

    def _fits(self, project: int, micros: int) -> bool:
        budget = self.budgets[project]
        within = budget is None or self._counted(project) + micros <= budget * MICROS
        return micros == 0 or (within and self._counted() + micros <= CAP_CENTS * MICROS)

    def _claimed(self, project: int, micros: int, claim: Callable[[], str]) -> str | None:
        """What the claim gives; that it is refused exactly where it does not fit, and leaves no line then."""
        try:
            found = claim()
        except (BudgetReached, Cancelled):
            assert not self._fits(project, micros)
            return None
        assert self._fits(project, micros)
        return found

    def _project(self, pick: int) -> int:
        return sorted(self.budgets)[pick % len(self.budgets)]

    # --- Jobs -----------------------------------------------------------------------------------

    @rule(wanted=st.lists(st.tuples(picks, estimates), min_size=1, max_size=4))
    def prepare(self, wanted: list[tuple[int, int]]) -> None:
        for pick, estimate in wanted:
            self._prepare(self._project(pick), estimate)

    @rule()
    def reach_every_limit(self) -> None:
        """To the micro-dollar; one more is refused."""
        for project, budget in self.budgets.items():
            left = CAP_CENTS * MICROS - self._counted()
            if budget is not None:
                left = min(left, budget * MICROS - self._counted(project))
            for estimate in (left, 1):
                self._prepare(project, estimate)

    def _prepare(self, project: int, estimate: int) -> None:
        brief = ReferenceBrief(subject=Look(kind="prop", name="x"))
        request = ImageRequest(prompt="x", width=320, height=320, seed=len(self.jobs), brief=brief)
        unit = {"provider": "fal", "model": "m", "unit_key": "refs/prop/1", "attempt": 1, "cancel": NOW}

        def claim() -> str:
            key = str(len(self.jobs))
            return self.records.prepare(request, key, project_id=project, estimate_micros=estimate, **unit).id

        generation_id = self._claimed(project, estimate, claim)
        if generation_id is not None:
            self.jobs.append(Known(generation_id, project, estimate, "prepared", estimate))

    @rule(moves=st.lists(st.tuples(picks, picks, shares), min_size=1, max_size=4))
    def go_on_with_jobs(self, moves: list[tuple[int, int, int]]) -> None:
        for pick, how, share in moves:
            waiting = [one for one in self.jobs if one.status in self.ways]
            if not waiting:
                return
            one = waiting[pick % len(waiting)]
            ways = self.ways[one.status]
            ways[how % len(ways)](self, one, share)

    def _row(self, one: Known) -> Row:
        row = self.records.row(one.id)
        assert row is not None and row.status == one.status
        return row

    def _submit(self, one: Known, share: int) -> None:
        assert self.records.submitting(one.id)
        one.status = "submitting"

    def _accept(self, one: Known, share: int) -> None:
        assert self.records.accepted(self._row(one), JobHandle("fal", {"id": one.id}))
        one.status = "accepted"

    def _find(self, one: Known, share: int) -> None:
        """The lost job of a request that was to be sent again; of another one it is the first send."""
        if not one.lost:
            return self._submit(one, share)
        one.lost -= 1
        return self._accept(one, share)

    def _settle(self, one: Known, share: int) -> None:
        cost = one.estimate * share // 100
        assert self.records.finished(one.id, FILE, {}, cost=cost, verdict={})
        assert not self.records.finished(one.id, FILE, {}, cost=one.estimate, verdict={}), "it has ended"
        one.status, one.counts = "finished", cost

    def _fail(self, one: Known, share: int) -> None:
        billed = share > 50
        assert self.records.failed(self._row(one), _failure("transient"), billed=billed)
        one.status, one.counts = "failed", one.estimate if billed else 0

    def _lose_the_answer(self, one: Known, share: int) -> None:
        assert self.records.move(one.id, "ambiguous", _failure("ambiguous"))
        one.status = "ambiguous"

    def _resend(self, one: Known, share: int) -> None:
        self.generator.resolve(one.id, "resend")
        one.status, one.lost = "prepared", one.lost + 1

    def _abandon(self, one: Known, share: int) -> None:
        self.generator.resolve(one.id, "abandon")
        one.status, one.counts, one.lost = "cancelled", 0, one.lost + 1
        with pytest.raises(Conflict):
            self.generator.resolve(one.id, "resend")

    def _withdraw(self, one: Known, share: int) -> None:
        """What was to be sent, and nobody wants any more."""
        assert self.generator.supersede(self._row(one), "")
        one.status, one.counts = "cancelled", 0

    def _hide(self, one: Known, share: int) -> None:
        undecided, cost = ModerationUnavailable("visual", subject="output"), one.estimate * share // 100
        assert self.records.hold(self._row(one), undecided, {}, cost=cost)
        one.status, one.counts = "held", cost

    def _show(self, one: Known, share: int) -> None:
        """What was hidden; its bill stands."""
        assert self.records.finished(one.id, FILE, {}, cost=None, verdict={})
        one.status = "finished"

    def _bar(self, one: Known, share: int) -> None:
        assert self.records.bar(self._row(one), ContentRefused("nudity", subject="output"))
        one.status = "failed"

    ways: ClassVar[dict[str, tuple[Callable[..., None], ...]]] = {
        "prepared": (_submit, _find, _withdraw),
        "submitting": (_accept, _lose_the_answer, _fail),
        "accepted": (_settle, _hide, _fail),
        "ambiguous": (_resend, _resend, _abandon, _accept),
        "held": (_show, _bar),
    }

    # --- Questions and looks --------------------------------------------------------------------

    @rule(pick=picks, most=estimates)
    def ask(self, pick: int, most: int) -> None:
        project = self._project(pick)
        errand = Errand(project_id=project, run_id="1", unit_key="script/0", cancel=NOW)

        def claim() -> str:
            key = f"q{len(self.questions)}"
            return self.book.open(QUESTION, key, errand, provider="p", model="m", estimate=most, attempt=1)

        question = self._claimed(project, most, claim)
        if question is not None:
            self.questions.append(Known(question, project, most, "submitting", most))

    @rule(pick=picks, share=shares, lost=st.integers(0, 2), usable=st.booleans())
    def answer(self, pick: int, share: int, lost: int, usable: bool) -> None:
        waiting = [one for one in self.questions if one.status == "submitting"]
        if not waiting:
            return
        one = waiting[pick % len(waiting)]
        cost = one.estimate * share // 100
        if usable:
            self.book.close(one.id, ChatReply(data={}, model="m", provider="p"), cost_micros=cost, lost=lost)
        else:
            self.book.fail(one.id, _failure("transient"), cost_micros=cost, lost=lost)
        one.status, one.counts, one.lost = "ended", cost, lost

    @rule(pick=picks, most=st.integers(1, 3 * MICROS))
    def begin_to_look(self, pick: int, most: int) -> None:
        self._begin_to_look(self._project(pick), most)

    def _begin_to_look(self, project: int, most: int) -> None:
        context = self.records.look("checker", "visual", most, project, NOW)
        bills: list[Bill] = []

        def claim() -> str:
            bills.append(context.__enter__())
            return ""

        if self._claimed(project, most, claim) is not None:
            self.looks.append(Known("", project, most, "submitting", most, context=context, bill=bills[0]))

    @rule(pick=picks, share=shares)
    def end_a_look(self, pick: int, share: int) -> None:
        waiting = [one for one in self.looks if one.context is not None]
        if waiting:
            self._end_look(waiting[pick % len(waiting)], share)

    def _end_look(self, one: Known, share: int) -> None:
        if one.context is not None and one.bill is not None:
            one.counts = one.bill.micros = one.estimate * share // 100
            one.context.__exit__(None, None, None)
            one.context = None

    # --- Limits, credits, crashes ---------------------------------------------------------------

    @rule(pick=picks, more=st.integers(1, 10))
    def raise_a_budget(self, pick: int, more: int) -> None:
        project = self._project(pick)
        if self.budgets[project] is not None:
            self.budgets[project] += more
            with self.store.db.write() as session:
                session.get_one(Project, project).budget_cents = self.budgets[project]

    @rule(granted=st.integers(0, 30), price=st.integers(0, 30), crash=st.booleans())
    def order_an_item(self, granted: int, price: int, crash: bool) -> None:
        if granted:
            with self.store.db.write(durable=True) as session:
                credits.grant(session, granted)
            self.balance += granted
        with self.store.db.write(durable=True) as session:
            item = Media(type="IMAGE", price_credits=price)
            session.add(item)
            session.flush()
            passed = credits.charge(session, price, item.id)
            assert passed == (price <= self.balance)
            if crash or not passed:
                session.rollback()
                return
            self.items[item.id] = price
        self.balance -= price

    @rule(pick=picks)
    def give_back(self, pick: int) -> None:
        """However often it is asked for."""
        if not self.items:
            return
        item = sorted(self.items)[pick % len(self.items)]
        with self.store.db.write(durable=True) as session:
            back = credits.refund(session, item, "failed")
            again = credits.refund(session, item, "failed")
        assert (back, again) == (0 if item in self.refunded else self.items[item], 0)
        self.refunded.add(item)
        self.balance += back

    @rule(pick=picks, look=st.booleans())
    def crash(self, pick: int, look: bool) -> None:
        """The power goes: what was committed is there, and another process finds it."""
        if look:
            self._begin_to_look(self._project(pick), 1)
        before, waiting = self.store, [one for one in self.looks if one.context is not None]
        shutil.copytree(self.folder / str(self.number), self.folder / str(self.number + 1))
        for one in waiting:
            self._end_look(one, 0)
        before.close()
        self.number += 1
        self._open()
        self.generator.left_behind()
        self.book.close_left_behind()
        for one in waiting:
            one.counts = one.estimate  # it may have been made, so it counts with all that it may cost
        for one in self.jobs:
            one.status = "ambiguous" if one.status == "submitting" else one.status
        for one in self.questions:
            if one.status == "submitting":
                one.status, one.counts, one.lost = "ended", 0, 1

    # --- What always holds ----------------------------------------------------------------------

    @invariant()
    def the_ledgers_are_what_the_history_makes_them(self) -> None:
        with self.store.db.read() as session:
            by_generation = _sums(session, MoneyEntry.generation_id)
            by_project = _sums(session, MoneyEntry.project_id)
            unbooked = lost_answers.unbooked(session)
            assert credits.balance(session) == self.balance >= 0
            refunds = select(CreditEntry.media_id, func.count()).where(CreditEntry.kind == "refund")
            assert all(count == 1 for _, count in session.execute(refunds.group_by(CreditEntry.media_id)))
        assert sum(by_project.values()) == self._counted() <= CAP_CENTS * MICROS
        for project, budget in self.budgets.items():
            assert by_project.get(project, 0) == self._counted(project)
            assert budget is None or by_project.get(project, 0) <= budget * MICROS
        for one in (*self.jobs, *self.questions):
            assert by_generation.get(one.id, 0) == one.counts >= 0
        told = [*self.jobs, *self.questions]
        assert unbooked.charges == sum(one.lost for one in told)
        assert unbooked.most_micros == sum(one.lost * one.estimate for one in told)


def _sums(session: Any, column: Any) -> dict[Any, int]:
    return dict(session.execute(select(column, func.sum(MoneyEntry.micros)).group_by(column)).all())


def _failure(kind: Any) -> ProviderFailure:
    return ProviderFailure("It failed.", provider="fal", kind=kind)


def test_no_limit_is_passed_whatever_happens(tmp_path: Path) -> None:
    open_store(tmp_path / "empty").close()

    class Here(Histories):
        empty = tmp_path / "empty"
        chain = ProviderChain(load_settings(env_files=[], data_dir=tmp_path / "empty", engine_workers=1))

    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    try:
        run_state_machine_as_test(
            Here,
            settings=settings(max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=checks),
        )
    finally:
        Here.chain.close()
