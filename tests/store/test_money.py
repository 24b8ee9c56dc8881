"""Both ledgers over random histories: they sum to what they should, and never below zero."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from pipeline.store import Store, credits, money
from pipeline.store.models import CreditEntry, Generation, Media, MoneyEntry, Project
from pipeline.store.states import GENERATION_EDGES, generation_state, is_terminal
from tests.store.kit import new_project

micros = st.integers(0, 200_000)
moves = st.lists(st.tuples(st.sampled_from(sorted(GENERATION_EDGES)), st.none() | micros), max_size=8)


def _prepare(store: Store, project_id: int, estimate: int, **columns: str) -> str:
    generation_id = uuid.uuid4().hex
    with store.db.write() as session:
        session.add(
            Generation(
                id=generation_id,
                project_id=project_id,
                capability="image",
                request_digest=generation_id,
                estimate_micros=estimate,
                **({"unit_key": "frames/1"} | columns),
            )
        )
        money.book(session, generation_id)
    return generation_id


def _lines(store: Store, generation_id: str) -> list[tuple[str, int]]:
    query = select(MoneyEntry).where(MoneyEntry.generation_id == generation_id).order_by(MoneyEntry.id)
    with store.db.read() as session:
        return [(one.kind, one.micros) for one in session.scalars(query)]


@pytest.mark.parametrize("status", ["prepared", "submitting", "accepted", "ambiguous", "held"])
def test_what_may_still_cost_counts_with_its_estimate(status: str) -> None:
    assert money.standing(status, 50, None) == 50
    assert money.standing(status, 50, 7) == 7
    assert money.standing(status, 50, 0) == 0


@pytest.mark.parametrize("status", ["finished", "failed", "cancelled"])
def test_what_has_ended_counts_with_its_bill_alone(status: str) -> None:
    assert money.standing(status, 50, None) == 0
    assert money.standing(status, 50, 7) == 7


def test_a_line_says_what_was_paid_and_to_whom(store: Store, project: int) -> None:
    generation_id = _prepare(store, project, 50, provider="fal", model="flux", unit_key="refs/prop/3")
    with store.db.read() as session:
        [entry] = session.scalars(select(MoneyEntry))
    assert (entry.generation_id, entry.project_id, entry.unit_key) == (generation_id, project, "refs/prop/3")
    assert (entry.provider, entry.model, entry.kind, entry.micros) == ("fal", "flux", "estimate", 50)


@settings(max_examples=60, deadline=None)
@given(estimate=micros, history=moves)
def test_a_generation_counts_its_estimate_until_it_ends_and_its_bill_then(
    shared: Store, estimate: int, history: list[tuple[Any, int | None]]
) -> None:
    generation_id = _prepare(shared, new_project(shared), estimate)
    for to, actual in history:
        with shared.db.write() as session:
            bill = {"actual_micros": actual} if to == "held" or is_terminal(GENERATION_EDGES, to) else {}
            generation_state(session, generation_id, to, **bill)
        with shared.db.read() as session:
            row = session.get_one(Generation, generation_id)
            booked = money.spent(session, MoneyEntry.generation_id == generation_id)
        unbilled = 0 if is_terminal(GENERATION_EDGES, row.status) else estimate
        assert booked == (unbilled if row.actual_micros is None else row.actual_micros) >= 0
    lines = _lines(shared, generation_id)
    kinds = [kind for kind, _ in lines]
    assert kinds == sorted(kinds, key=lambda kind: kind != "estimate") and kinds.count("estimate") <= 1
    assert all(change for _, change in lines), "a line that says nothing is not written"


@pytest.mark.parametrize(
    ("actual", "lines"),
    [
        (40, [("estimate", 50), ("settle", -10)]),
        (60, [("estimate", 50), ("settle", 10)]),
        (50, [("estimate", 50)]),
        (0, [("estimate", 50), ("release", -50)]),
        (None, [("estimate", 50), ("release", -50)]),
    ],
)
def test_the_end_of_a_generation_is_one_line(
    store: Store, project: int, actual: int | None, lines: list[tuple[str, int]]
) -> None:
    generation_id = _prepare(store, project, 50)
    for to in ("submitting", "accepted"):
        with store.db.write() as session:
            assert generation_state(session, generation_id, to)
            assert session.scalar(select(func.count()).select_from(MoneyEntry)) == 1
    with store.db.write() as session:
        assert generation_state(session, generation_id, "finished", actual_micros=actual)
        assert not generation_state(session, generation_id, "failed", actual_micros=999), "what has ended never moves"
    assert _lines(store, generation_id) == lines


def test_a_move_that_is_rolled_back_books_nothing(store: Store, project: int) -> None:
    generation_id = _prepare(store, project, 50)
    with pytest.raises(RuntimeError), store.db.write() as session:
        generation_state(session, generation_id, "cancelled")
        raise RuntimeError
    assert _lines(store, generation_id) == [("estimate", 50)]


@pytest.mark.parametrize("change", ["UPDATE {} SET id = id + 1000", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["money_entries", "credit_entries"])
def test_no_line_is_ever_changed(store: Store, project: int, table: str, change: str) -> None:
    _prepare(store, project, 50)
    with store.db.write() as session:
        credits.grant(session, 5)
    with pytest.raises((DatabaseError, IntegrityError)), store.db.write() as session:
        session.execute(text(change.format(table)))


def _claim(store: Store, project_id: int, estimate: int, cap: int | None = None) -> money.Overrun | None:
    with store.db.read() as session:
        return money.overrun(session, project_id, estimate, cap)


def test_a_budget_and_a_cap_are_reached_exactly(store: Store, project: int) -> None:
    with store.db.write() as session:
        session.get_one(Project, project).budget_cents = 10
    _prepare(store, project, 60_000)
    assert _claim(store, project, 40_000) is None
    over = _claim(store, project, 40_001)
    assert over == money.Overrun("project", 60_000, 40_001, 100_000)
    other = new_project(store)
    assert _claim(store, other, 40_001) is None, "another project's budget is its own"
    assert _claim(store, other, 40_000, cap=100_000) is None
    assert _claim(store, other, 40_001, cap=100_000) == money.Overrun("cap", 60_000, 40_001, 100_000)
    assert _claim(store, project, 0, cap=0) is None, "free work is never refused"
    assert _claim(store, 10**6, 5, cap=None) is None


def test_what_others_spend_leaves_a_projects_budget_alone(store: Store, project: int) -> None:
    with store.db.write() as session:
        session.get_one(Project, project).budget_cents = 10
    _prepare(store, new_project(store), 90_000)
    _prepare(store, project, 30_000)
    assert _claim(store, project, 70_000) is None
    assert _claim(store, project, 70_001) == money.Overrun("project", 30_000, 70_001, 100_000)


def test_the_smallest_sum_is_refused_where_nothing_is_left(store: Store, project: int) -> None:
    with store.db.read() as session:
        assert money.overrun(session, None, 1, 0) == money.Overrun("cap", 0, 1, 0)
        assert money.overrun(session, None, 1, 1) is None
        assert money.overrun(session, None, 0, 0) is None
        assert money.overrun(session, None, 1, None) is None


def test_the_breakdown_is_by_unit_and_model_the_dearest_first(store: Store, project: int) -> None:
    def work(unit: str, provider: str, model: str, micros: int, to: str = "finished") -> None:
        generation_id = _prepare(store, project, micros, unit_key=unit, provider=provider, model=model)
        with store.db.write() as session:
            assert generation_state(session, generation_id, "submitting")
            if to != "submitting":
                assert generation_state(session, generation_id, to, actual_micros=micros if to == "finished" else None)  # type: ignore[arg-type]

    work("frames/2", "fal", "flux", 30)
    work("frames/1", "fal", "flux", 30, "submitting")
    work("frames/1", "fal", "reve", 50)
    work("frames/1", "replicate", "flux", 40)
    work("refs/prop/1", "fal", "flux", 1)
    work("refs/prop/2", "fal", "flux", 60, "failed")
    work("frames/2", "fal", "flux", 45)
    with store.db.read() as session:
        found = money.breakdown(session, project)
    assert found == [
        money.Spent("frames", "frames/2", "fal", "flux", 75, 0, 2),
        money.Spent("frames", "frames/1", "fal", "reve", 50, 0, 1),
        money.Spent("frames", "frames/1", "replicate", "flux", 40, 0, 1),
        money.Spent("frames", "frames/1", "fal", "flux", 30, 30, 1),
        money.Spent("refs", "refs/prop/1", "fal", "flux", 1, 0, 1),
    ]


def test_of_units_that_cost_the_same_the_first_by_name_is_first(store: Store, project: int) -> None:
    for unit in ("frames/2", "frames/3", "frames/1"):
        _prepare(store, project, 30, unit_key=unit)
    with store.db.read() as session:
        assert [one.unit for one in money.breakdown(session, project)] == ["frames/1", "frames/2", "frames/3"]


def test_the_breakdown_sums_to_the_whole(store: Store, project: int) -> None:
    first, second = _prepare(store, project, 50), _prepare(store, project, 70)
    _prepare(store, new_project(store), 1000)
    with store.db.write() as session:
        generation_state(session, first, "submitting")
        generation_state(session, first, "finished", actual_micros=45)
        [found] = money.breakdown(session, project)
    assert (found.stage, found.unit, found.micros, found.open_micros, found.generations) == (
        "frames",
        "frames/1",
        115,
        70,
        2,
    )
    with store.db.write() as session:
        generation_state(session, second, "cancelled")
        assert money.spent(session, MoneyEntry.project_id == project) == 45


doings = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.integers(1, 30)),
        st.tuples(st.just("charge"), st.integers(0, 30)),
        st.tuples(st.just("refund"), st.integers(0, 10)),
        st.tuples(st.just("crash"), st.integers(0, 30)),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(history=doings)
def test_credits_sum_to_the_balance_and_never_go_below_zero(shared: Store, history: list[tuple[str, int]]) -> None:
    with shared.db.read() as session:
        expected = credits.balance(session)
    items: dict[int, int] = {}
    for doing, number in history:
        with shared.db.write() as session:
            if doing == "grant":
                expected += credits.grant(session, number).credits
            elif doing == "charge":
                item = Media(type="IMAGE")
                session.add(item)
                session.flush()
                passed = credits.charge(session, number, item.id)
                assert passed == (number <= expected)
                if passed:
                    expected -= number
                    items[item.id] = number
            elif doing == "refund" and items:
                item_id = sorted(items)[number % len(items)]
                assert credits.refund(session, item_id, "it failed") == items[item_id]
                expected += items[item_id]
                items[item_id] = 0
            elif doing == "crash":
                credits.grant(session, number + 1)
                session.rollback()
        with shared.db.read() as session:
            assert credits.balance(session) == expected >= 0
            total = session.scalar(select(func.coalesce(func.sum(CreditEntry.credits), 0)))
            assert total == expected


def test_a_grant_is_of_something(store: Store) -> None:
    for nothing in (0, -5):
        with pytest.raises(ValueError, match="at least one"), store.db.write() as session:
            credits.grant(session, nothing)


def test_lines_are_shown_newest_first_and_page_by_page(store: Store) -> None:
    with store.db.write() as session:
        for number in (1, 2, 3):
            credits.grant(session, number, f"number {number}")
        newest = credits.lines(session, before=None, limit=2)
        assert [(one.kind, one.credits, one.note) for one in newest] == [
            ("grant", 3, "number 3"),
            ("grant", 2, "number 2"),
        ]
        assert [one.credits for one in credits.lines(session, before=newest[-1].id, limit=2)] == [1]
        assert not credits.charge(session, -1, 1) and credits.balance(session) == 6
