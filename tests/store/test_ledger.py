from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from pipeline.store import Ledger, Store
from pipeline.store.models import Project
from tests.store.kit import new_project


def claim(ledger: Ledger, project: int, key: str = "k", digest: str = "d", **more: Any) -> Any:
    return ledger.claim(project, key, stage="audio", digest=digest, run_id="r", **more)


def test_a_unit_is_claimed_once_and_done_once(store: Store, project: int) -> None:
    first = claim(store.ledger, project)
    assert (first.status, first.attempts, first.starts, first.run_id) == ("running", 1, 1, "r")
    assert claim(store.ledger, project) is None
    assert store.ledger.settle(project, "k", "done", digest="d", output={"n": 1}, text="Spoken.")
    assert not store.ledger.settle(project, "k", "failed", digest="d")
    assert claim(store.ledger, project) is None
    assert store.ledger.has(project, "k", "d")
    assert not store.ledger.has(project, "k", "e")
    record = store.ledger.records(project)["k"]
    assert (record.status, record.output, record.starts) == ("done", {"n": 1}, 1)
    assert record.seconds is not None
    assert store.ledger.counts(project) == {"audio": {"done": 1}}
    events = store.events.since(0)
    assert [(event["kind"], event["unit"], event["data"]["status"]) for event in events] == [
        ("step", "k", "running"),
        ("step", "k", "done"),
    ]
    assert events[1]["text"] == "Spoken."


def test_changed_inputs_or_force_make_a_finished_unit_free(store: Store, project: int) -> None:
    claim(store.ledger, project)
    store.ledger.settle(project, "k", "done", digest="d", output={"n": 1})
    again = claim(store.ledger, project, digest="e")
    assert (again.attempts, again.starts, again.output) == (1, 2, {"n": 1})
    store.ledger.settle(project, "k", "skipped", digest="e")
    assert claim(store.ledger, project, digest="e") is None
    assert claim(store.ledger, project, digest="e", force=True).starts == 3
    assert claim(store.ledger, project, digest="f", force=True) is None, "force takes nothing out of busy hands"


def test_attempts_count_failures_but_not_hand_backs(store: Store, project: int) -> None:
    assert claim(store.ledger, project).attempts == 1
    store.ledger.settle(project, "k", "pending", digest="d")
    assert claim(store.ledger, project).attempts == 1
    store.ledger.settle(project, "k", "pending", digest="d", error={"code": "x"})
    assert claim(store.ledger, project).attempts == 2
    store.ledger.settle(project, "k", "failed", digest="d", error={"code": "x"})
    assert store.ledger.records(project)["k"].error == {"code": "x"}
    assert store.events.since(0)[-1]["level"] == "error"
    record = claim(store.ledger, project)
    assert (record.attempts, record.starts, record.error) == (3, 4, None)


def test_settle_changes_the_domain_in_the_same_transaction(store: Store, project: int) -> None:
    def rename(session: Session) -> None:
        session.get_one(Project, project).title = "renamed"

    assert not store.ledger.settle(project, "k", "done", digest="d", apply=rename)
    claim(store.ledger, project)

    def fail(session: Session) -> None:
        rename(session)
        session.flush()
        raise KeyError("no")

    before = store.events.newest()
    with pytest.raises(KeyError):
        store.ledger.settle(project, "k", "done", digest="d", apply=fail)
    with store.db.read() as session:
        assert session.get_one(Project, project).title == "A film"
    assert store.ledger.records(project)["k"].status == "running"
    assert store.events.newest() == before
    assert store.ledger.settle(project, "k", "done", digest="d", apply=rename)
    with store.db.read() as session:
        assert session.get_one(Project, project).title == "renamed"


def test_who_works_on_a_forgotten_unit_does_not_win(store: Store, project: int) -> None:
    claim(store.ledger, project)
    assert store.ledger.forget(project, ["k", "unknown"]) == 1
    applied: list[Session] = []
    assert not store.ledger.settle(project, "k", "done", digest="d", apply=applied.append)
    assert applied == []
    assert claim(store.ledger, project).attempts == 1


def test_a_parked_unit_belongs_to_its_provider(store: Store, project: int) -> None:
    claim(store.ledger, project)
    assert store.ledger.park(project, "k", provider="replicate", handle={"id": "p1"})
    assert not store.ledger.park(project, "k", provider="replicate", handle={"id": "p2"})
    assert claim(store.ledger, project, digest="e", force=True) is None
    assert store.ledger.forget(project, ["k"]) == 0
    later = Ledger(store.db, "another boot")
    assert claim(later, project) is None
    assert not later.settle(project, "k", "done", digest="d")
    [found] = later.rehydrate()
    assert (found.status, found.provider, found.handle) == ("parked", "replicate", {"id": "p1"})
    assert later.settle(project, "k", "done", digest="d", output={"n": 1})
    assert later.records(project)["k"].handle == {"id": "p1"}


def test_a_dead_boots_units_become_free(store: Store, project: int) -> None:
    claim(store.ledger, project, "a")
    claim(store.ledger, project, "b")
    store.ledger.settle(project, "b", "done", digest="d")
    other = new_project(store)
    claim(store.ledger, other, "c")
    later = Ledger(store.db, "another boot")
    assert [(step.key, step.status) for step in later.rehydrate(project)] == [("a", "pending")]
    assert later.counts(other) == {"audio": {"running": 1}}
    assert claim(later, other, "c").starts == 2, "a dead boot's row can be claimed even before"
    assert not store.ledger.settle(other, "c", "done", digest="d"), "the dead one does not win"
    assert claim(later, project, "a").attempts == 2, "a kill is an attempt: what kills us must not do so for ever"


def test_release_hands_back_what_this_boot_runs(store: Store, project: int) -> None:
    claim(store.ledger, project, "a")
    claim(store.ledger, project, "b")
    store.ledger.park(project, "b", provider="p", handle={})
    store.ledger.release(project)
    assert store.ledger.counts(project) == {"audio": {"pending": 1, "parked": 1}}


def test_eight_threads_claim_each_unit_exactly_once(store: Store, project: int) -> None:
    won: Counter[str] = Counter()
    start = threading.Barrier(8)

    def work(_: int) -> None:
        start.wait()
        for number in range(50):
            key = f"unit/{number:02}"
            if claim(store.ledger, project, key) is not None:
                won[key] += 1
                assert store.ledger.settle(project, key, "done", digest="d")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert won == Counter({f"unit/{number:02}": 1 for number in range(50)})
    assert all(record.starts == 1 for record in store.ledger.records(project, "audio").values())
    assert len(store.events.since(0)) == 100


# --- Random histories against the simplest possible ledger -------------------------------------------


@dataclass(frozen=True)
class Row:
    status: str
    digest: str
    run: str
    boot: str
    attempts: int
    starts: int


class Plain:
    """The ledger's rules again, over a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}

    def claim(self, boot: str, key: str, digest: str, run: str, force: bool) -> bool:
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = Row("running", digest, run, boot, 1, 1)
            return True
        finished = row.status in ("done", "skipped") and row.digest == digest and not force
        if finished or row.status == "parked" or (row.status == "running" and row.boot == boot):
            return False
        attempts = row.attempts + 1 if (row.digest, row.run) == (digest, run) else 1
        self.rows[key] = Row("running", digest, run, boot, attempts, row.starts + 1)
        return True

    def park(self, boot: str, key: str) -> bool:
        row = self.rows.get(key)
        if row is None or row.status != "running" or row.boot != boot:
            return False
        self.rows[key] = replace(row, status="parked")
        return True

    def settle(self, boot: str, key: str, status: str, digest: str, failed: bool) -> bool:
        row = self.rows.get(key)
        if row is None or row.status not in ("running", "parked") or (row.boot, row.digest) != (boot, digest):
            return False
        attempts = row.attempts - (status == "pending" and not failed)
        self.rows[key] = replace(row, status=status, attempts=attempts)
        return True

    def rehydrate(self, boot: str) -> set[str]:
        theirs = {key for key, row in self.rows.items() if row.boot != boot and row.status in ("running", "parked")}
        for key in theirs:
            row = self.rows[key]
            self.rows[key] = replace(row, boot=boot, status="pending" if row.status == "running" else "parked")
        return theirs

    def forget(self, key: str) -> int:
        row = self.rows.get(key)
        if row is None or row.status == "parked":
            return 0
        self.rows[key] = replace(row, status="pending", digest="", attempts=0)
        return 1


BOOTS, KEYS, DIGESTS = st.sampled_from(["one", "two"]), st.sampled_from(["k", "l"]), st.sampled_from(["d", "e"])
ENDINGS = st.sampled_from(["done", "failed", "skipped", "pending"])
OPERATIONS = st.one_of(
    st.tuples(st.just("claim"), BOOTS, KEYS, DIGESTS, st.sampled_from(["r", "s"]), st.booleans()),
    st.tuples(st.just("park"), BOOTS, KEYS),
    st.tuples(st.just("settle"), BOOTS, KEYS, ENDINGS, DIGESTS, st.booleans()),
    st.tuples(st.just("rehydrate"), BOOTS),
    st.tuples(st.just("forget"), KEYS),
)


def both(ledgers: dict[str, Ledger], project: int, plain: Plain, operation: tuple[Any, ...]) -> tuple[Any, Any]:
    """What the real ledger and the plain one answer to an operation."""
    name, *given_ = operation
    if name == "forget":
        return ledgers["one"].forget(project, given_), plain.forget(*given_)
    boot, *rest = given_
    ledger = ledgers[boot]
    if name == "rehydrate":
        return {step.key for step in ledger.rehydrate(project)}, plain.rehydrate(boot)
    if name == "park":
        return ledger.park(project, rest[0], provider="p", handle={}), plain.park(boot, rest[0])
    if name == "claim":
        key, digest, run, force = rest
        record = ledger.claim(project, key, stage="audio", digest=digest, run_id=run, force=force)
        return record is not None, plain.claim(boot, key, digest, run, force)
    key, status, digest, failed = rest
    won = ledger.settle(project, key, status, digest=digest, error={"code": "x"} if failed else None)
    return won, plain.settle(boot, key, status, digest, failed)


@settings(max_examples=40)
@given(st.lists(OPERATIONS, max_size=25))
def test_any_history_ends_as_the_rules_say(shared: Store, history: list[tuple[Any, ...]]) -> None:
    project, plain = new_project(shared), Plain()
    ledgers = {boot: Ledger(shared.db, boot) for boot in ("one", "two")}
    for operation in history:
        before = shared.events.newest()
        real, expected = both(ledgers, project, plain, operation)
        assert real == expected, operation
        if operation[0] in ("claim", "park", "settle"):
            assert shared.events.newest() == before + bool(real), "an event exactly when something changed"
    rows = ledgers["one"].records(project)
    assert {key: (row.status, row.digest, row.attempts, row.starts) for key, row in rows.items()} == {
        key: (row.status, row.digest, row.attempts, row.starts) for key, row in plain.rows.items()
    }
