"""Questions to language models: asked again with the reason, sent again, passed on, recorded, throttled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from pipeline.contracts import ChatRequest
from pipeline.errors import Cancelled, NeedsSetup
from pipeline.generation.chat import LONGEST_PAUSE_S, MOST_SENDS, AsksUsedUp, TextChain, delay_before_resend
from pipeline.generation.outcomes import BudgetReached
from pipeline.generation.questions import Errand
from pipeline.generation.throttle import Throttle
from pipeline.providers.failures import BadAnswer, FailureKind, ProviderFailure
from pipeline.settings import Settings, load_settings
from pipeline.store import Store, open_store
from pipeline.store.models import Generation, Project
from tests.simulator import Simulator

SCHEMA = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
    "additionalProperties": False,
}
QUESTION = ChatRequest(purpose="number", system="s", prompt="A number?", schema_name="number", answer_schema=SCHEMA)
PACE = 0.01


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator
        assert simulator.errors == []


@pytest.fixture
def simulator(running: Simulator) -> Simulator:
    running.world.reset()
    running.respond("chat", lambda request: {"number": 7})
    return running


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "data")
    with store.db.write() as session:
        session.add(Project(id=1, title="A film"))
    yield store
    store.close()


def settings_for(simulator: Simulator, *keys: str, **more: Any) -> Settings:
    """Settings with the keys of these providers alone."""
    names = {"openrouter": "OPENROUTER_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
    wanted = {names[key] for key in keys if key in names}
    addresses = ("OPENROUTER_BASE_URL", "ANTHROPIC_BASE_URL")
    if "compatible" in keys:
        addresses = (*addresses, "OPENAI_COMPATIBLE_BASE_URL")
    env = {name: value for name, value in simulator.env().items() if name in wanted or name in addresses}
    return load_settings(**({name.lower(): value for name, value in env.items()} | more))


Open = Callable[..., TextChain]


@pytest.fixture
def chain_of(simulator: Simulator, store: Store) -> Iterator[Open]:
    opened: list[TextChain] = []

    def open_chain(*keys: str, **more: Any) -> TextChain:
        opened.append(TextChain(store, settings_for(simulator, *keys, **more), pace=PACE))
        return opened[-1]

    yield open_chain
    for chain in opened:
        chain.close()


def errand(run: str = "run-1", cancel: threading.Event | None = None, said: list[str] | None = None) -> Errand:
    say = said.append if said is not None else (lambda text: None)
    return Errand(project_id=1, run_id=run, unit_key="analysis", cancel=cancel or threading.Event(), say=say)


def number(data: dict[str, Any]) -> int:
    if data["number"] < 0:
        raise BadAnswer("The number must not be negative.")
    return int(data["number"])


def rows(store: Store) -> list[Generation]:
    with store.db.read() as session:
        return list(session.scalars(select(Generation).order_by(Generation.prepared_at, Generation.attempt)))


def prompts(simulator: Simulator) -> list[str]:
    return [call.body["messages"][-1]["content"] for call in simulator.requests(operation="chat")]


def test_an_answer_and_its_record(simulator: Simulator, store: Store, chain_of: Open) -> None:
    assert chain_of("openrouter").ask(QUESTION, errand(), number) == 7
    (row,) = rows(store)
    assert (row.capability, row.status, row.provider, row.unit_key) == ("text", "finished", "openrouter", "analysis")
    assert row.actual_micros == simulator.bill.total()
    assert row.estimate_micros > 0
    assert row.request["prompt"] == "A number?" and row.request["prompts_version"]
    assert row.output and row.output["answer"] == {"number": 7}


@pytest.mark.parametrize("fault", ["malformed_content", "half_content", "empty_content", "schema_breaking"])
def test_an_answer_that_cannot_be_used_is_asked_for_again_with_the_reason(
    simulator: Simulator, store: Store, chain_of: Open, fault: str
) -> None:
    simulator.script(fault, operation="chat")
    said: list[str] = []
    assert chain_of("openrouter").ask(QUESTION, errand(said=said), number) == 7
    first, second = prompts(simulator)
    assert second.startswith(first) and "could not be used" in second
    assert [row.status for row in rows(store)] == ["failed", "finished"]
    assert sum(row.actual_micros or 0 for row in rows(store)) == simulator.bill.total()  # bad answers cost as well
    assert len(said) == 1


def test_the_askers_own_rules_are_part_of_it(simulator: Simulator, chain_of: Open) -> None:
    simulator.respond("chat", lambda request: {"number": -1}, times=1)
    assert chain_of("openrouter").ask(QUESTION, errand(), number) == 7
    assert "must not be negative" in prompts(simulator)[1]


def test_three_asks_and_no_more(simulator: Simulator, store: Store, chain_of: Open) -> None:
    simulator.respond("chat", lambda request: {"number": "many"})
    with pytest.raises(AsksUsedUp, match="does not fit its schema"):
        chain_of("openrouter").ask(QUESTION, errand(), number)
    assert len(prompts(simulator)) == 3
    assert [row.status for row in rows(store)] == ["failed"] * 3


def test_the_last_ask_goes_to_the_next_provider(simulator: Simulator, chain_of: Open) -> None:
    simulator.respond("chat", lambda request: "no JSON", provider="openrouter")
    assert chain_of("openrouter", "anthropic").ask(QUESTION, errand(), number) == 7
    assert [call.provider for call in simulator.requests(operation="chat")] == ["openrouter"] * 2 + ["anthropic"]


@pytest.mark.parametrize("fault", ["server_error", "reset_before", "reset_after", "html", "embedded_error"])
def test_a_failure_that_passes_is_sent_again(simulator: Simulator, store: Store, chain_of: Open, fault: str) -> None:
    simulator.script(fault, operation="chat", times=2)
    assert chain_of("openrouter").ask(QUESTION, errand(), number) == 7
    assert len(set(prompts(simulator))) == 1
    (row,) = rows(store)
    assert row.output and row.output["possible_extra_charges"] == 2


def test_it_is_sent_again_at_most_twice(simulator: Simulator, store: Store, chain_of: Open) -> None:
    simulator.script("server_error", operation="chat", times=0)
    with pytest.raises(ProviderFailure) as caught:
        chain_of("openrouter").ask(QUESTION, errand(), number)
    assert caught.value.kind == "transient"
    assert len(prompts(simulator)) == 3
    (row,) = rows(store)
    assert row.status == "failed" and row.error and row.error["possible_extra_charges"] == 3


def test_a_pause_that_is_asked_for_is_kept_by_all(simulator: Simulator, chain_of: Open) -> None:
    simulator.script("rate_limit", operation="chat", retry_after=40)
    chain = chain_of("openrouter")
    started = time.monotonic()
    threads = [threading.Thread(target=chain.ask, args=(QUESTION, errand(f"run-{at}"), number)) for at in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls = simulator.requests(operation="chat")
    assert len(calls) == 4
    assert time.monotonic() - started >= 40 * PACE


def test_a_long_pause_passes_the_question_on(simulator: Simulator, chain_of: Open) -> None:
    simulator.script("rate_limit", provider="openrouter", operation="chat", retry_after=3600)
    assert chain_of("openrouter", "anthropic").ask(QUESTION, errand(), number) == 7
    assert [call.provider for call in simulator.requests(operation="chat")] == ["openrouter", "anthropic"]


@pytest.mark.parametrize("fault", ["unauthorised", "no_credit", "refusal", "moderation"])
def test_a_refusal_is_never_repeated_and_the_next_is_asked(simulator: Simulator, chain_of: Open, fault: str) -> None:
    simulator.script(fault, provider="openrouter", operation="chat", times=0)
    said: list[str] = []
    assert chain_of("openrouter", "anthropic").ask(QUESTION, errand(said=said), number) == 7
    assert [call.provider for call in simulator.requests(operation="chat")] == ["openrouter", "anthropic"]
    assert "anthropic" in said[0]


def test_a_refused_text_is_shown_to_one_other_model(simulator: Simulator, chain_of: Open) -> None:
    simulator.script("refusal", operation="chat", times=0)
    with pytest.raises(ProviderFailure) as caught:
        chain_of("openrouter", "anthropic", "compatible").ask(QUESTION, errand(), number)
    assert (caught.value.kind, caught.value.provider) == ("moderation", "openrouter")
    assert len(simulator.requests(operation="chat")) == 2


def test_an_answer_is_not_paid_for_twice_in_one_run(simulator: Simulator, chain_of: Open) -> None:
    chain_of("openrouter").ask(QUESTION, errand(), number)
    assert (
        chain_of("openrouter").ask(QUESTION, errand(), number) == 7
    )  # as after a crash: another process, the same run
    assert len(prompts(simulator)) == 1
    chain_of("openrouter").ask(QUESTION, errand("run-2"), number)
    assert len(prompts(simulator)) == 2


def test_what_a_dead_process_asked_is_closed_and_said_to_be_charged_perhaps(
    simulator: Simulator, store: Store, chain_of: Open
) -> None:
    chain_of("openrouter").ask(QUESTION, errand(), number)
    with store.db.write() as session:
        row = Generation(
            id="left", project_id=1, capability="text", provider="openrouter", request_digest="x", boot_id="before"
        )
        session.add(row)
    chain_of("openrouter").recover()
    left = next(row for row in rows(store) if row.id == "left")
    assert left.status == "failed" and left.error and left.error["code"] == "interrupted"


def test_no_answer_beyond_the_budget(simulator: Simulator, store: Store, chain_of: Open) -> None:
    with store.db.write() as session:
        session.get_one(Project, 1).budget_cents = 0
    with pytest.raises(BudgetReached):
        chain_of("openrouter").ask(QUESTION, errand(), number)
    assert prompts(simulator) == []


def test_who_is_wanted(simulator: Simulator, chain_of: Open) -> None:
    assert chain_of("openrouter").wanted("auto") is True
    assert chain_of("openrouter").wanted("preview") is False
    assert chain_of().wanted("auto") is False
    with pytest.raises(NeedsSetup) as caught:
        chain_of().wanted("paid")
    assert "OPENROUTER_API_KEY" in caught.value.hint
    assert chain_of("anthropic").degraded() and not chain_of("openrouter", "anthropic").degraded()


def test_a_stop_ends_the_waiting(simulator: Simulator, store: Store) -> None:
    simulator.script("server_error", operation="chat", times=0)
    chain = TextChain(store, settings_for(simulator, "openrouter"), pace=100.0)
    cancel = threading.Event()
    timer = threading.Timer(0.3, cancel.set)
    timer.start()
    with pytest.raises(Cancelled):
        chain.ask(QUESTION, errand(cancel=cancel), number)
    chain.close()


def test_a_throttle_lets_so_many_through_at_once() -> None:
    throttle = Throttle(parallel=2, per_minute=60_000)
    lock, inside, most = threading.Lock(), 0, 0

    def work() -> None:
        nonlocal inside, most
        with throttle.turn(threading.Event()):
            with lock:
                inside += 1
                most = max(most, inside)
            time.sleep(0.02)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


KINDS = st.sampled_from(
    ["auth", "billing", "rate_limit", "invalid_input", "moderation", "transient", "ambiguous", "expired"]
)


@given(KINDS, st.integers(1, 10), st.none() | st.floats(0, 1e6), st.booleans())
def test_what_is_sent_again(kind: FailureKind, sends: int, after: float | None, accepted: bool) -> None:
    failure = ProviderFailure("x", provider="p", kind=kind, retry_after_s=after, accepted=accepted)
    delay = delay_before_resend(failure, sends)
    if delay is not None:
        assert kind in ("transient", "rate_limit")
        assert sends < MOST_SENDS
        assert 0 <= delay <= LONGEST_PAUSE_S
        assert after is None or delay >= after


def test_a_mistake_of_the_asker_leaves_no_question_open(simulator: Simulator, store: Store, chain_of: Open) -> None:
    with pytest.raises(KeyError):
        chain_of("openrouter").ask(QUESTION, errand(), lambda data: data["missing"])
    [row] = rows(store)
    assert (row.status, row.actual_micros) == ("failed", simulator.bill.total())


@pytest.mark.parametrize("provider", ["openrouter", "anthropic", "compatible"])
@pytest.mark.parametrize("fault", ["hang", "hang_after", "drip"])
def test_a_question_under_way_is_broken_off(
    simulator: Simulator, store: Store, chain_of: Open, provider: str, fault: str
) -> None:
    simulator.script(fault, operation="chat", seconds=2.0 if fault == "drip" else 300.0)
    chain, stop, ended = chain_of(provider), threading.Event(), list[type[BaseException]]()

    def ask() -> None:
        try:
            chain.ask(QUESTION, errand(cancel=stop), number)
        except BaseException as failure:
            ended.append(type(failure))

    asking = threading.Thread(target=ask)
    asking.start()
    assert simulator.wait_for(lambda: bool(simulator.requests(operation="chat")))
    stop.set()
    asking.join(30)
    assert ended == [Cancelled], "it waits for as long as the provider is silent"
    [row] = rows(store)
    assert row.status == "failed" and row.error and row.error["code"] == "cancelled"
    assert row.error["possible_extra_charges"] == 1, "the request had left"
    assert len(prompts(simulator)) == 1
    assert chain.ask(QUESTION, errand(), number) == 7, "the connection that was given up harms no other question"
