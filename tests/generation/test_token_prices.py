"""What language models cost that no list knows: they are held against budgets all the same, and the payer is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.addresses import of_own_network
from pipeline.contracts import ChatRequest
from pipeline.errors import InvalidInput
from pipeline.generation.chat import TextChain
from pipeline.generation.outcomes import BudgetReached
from pipeline.generation.prices import PublishedPrices
from pipeline.generation.questions import Errand
from pipeline.providers import load_chat_adapter
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.store import open_store
from pipeline.store.models import Generation, Project
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.generation.kit import bench
from tests.paid.kit import QUICK, new_project, settings_at
from tests.providers.kit import settings_for
from tests.simulator import Simulator

QUESTION = ChatRequest(
    purpose="test",
    system="Answer.",
    prompt="x" * 3_500,
    schema_name="answer",
    answer_schema={
        "type": "object",
        "properties": {"said": {"type": "string"}},
        "required": ["said"],
        "additionalProperties": False,
    },
    max_output_tokens=1_000,
)
DEAREST = {"input": 5_000, "output": 25_000}  # of chat_models.toml
NO_OTHER = {"openrouter_api_key": "", "anthropic_api_key": "", "openai_compatible_base_url": ""}


@contextmanager
def asking(simulator: Simulator, data_dir: Path, **settings: Any) -> Iterator[tuple[TextChain, int]]:
    """A chain of one language model, and a project with two cents."""
    with open_store(data_dir) as store:
        with store.db.write() as session:
            project = Project(title="A boat", budget_cents=2)
            session.add(project)
            session.flush()
            project_id = project.id
        chain = TextChain(store, settings_at(simulator.env(), data_dir, **(NO_OTHER | settings)), pace=0.01)
        yield chain, project_id
        chain.close()


def ask(chain: TextChain, project_id: int | None = None) -> Any:
    errand = Errand(project_id=project_id, run_id="1", unit_key="script/0", cancel=threading.Event())
    return chain.ask(QUESTION, errand, lambda answer: answer)


def booked(data_dir: Path) -> tuple[int, int]:
    with open_store(data_dir) as store, store.db.read() as session:
        row = session.scalars(select(Generation)).one()
        return row.estimate_micros, row.actual_micros or 0


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openrouter", "maker/new"), ("anthropic", "claude-unheard-of"), ("openai_compatible", "far-away")],
)
def test_an_unknown_model_counts_like_the_dearest_of_the_list(simulator: Simulator, provider: str, model: str) -> None:
    more: dict[str, Any] = {f"{provider}_model": model}
    if provider == "openai_compatible":
        more["openai_compatible_base_url"] = "https://llm.example.org/v1"
    adapter = load_chat_adapter(provider, settings_for(simulator, **more))
    known = load_chat_adapter("anthropic", settings_for(simulator, anthropic_model="claude-opus-5-5"))
    assert adapter.most(QUESTION) == known.most(QUESTION) > 1_000 * DEAREST["output"] // 1_000
    assert adapter.estimate(QUESTION) == known.estimate(QUESTION) > 0
    assert model in adapter.tariff.note and "MODEL_PRICES" in adapter.tariff.note and known.tariff.note == ""


def test_the_users_word_comes_first_and_what_a_provider_publishes_second(simulator: Simulator, data_dir: Path) -> None:
    simulator.respond("chat", lambda request: {"said": "yes"})
    with bench(simulator, data_dir) as room:
        plain = TextChain(room.store, settings_for(simulator, openrouter_model="openai/gpt-5-mini"))
        own = TextChain(
            room.store,
            settings_for(
                simulator,
                openrouter_model="openai/gpt-5-mini",
                model_prices={"openai/gpt-5-mini": (2.0, 8.0)},
            ),
        )
        for chain in (plain, own):
            PublishedPrices(room.store, room.chain, chain).refresh(force=True).join(30)
        assert plain.ready()[0].tariff.price.basis == "published" and plain.ready()[0].tariff.note == ""
        price = own.ready()[0].tariff.price
        assert (price.input, price.output, price.basis) == (2_000, 8_000, "set")


def test_an_answer_that_tells_no_price_is_booked_by_the_set_one(simulator: Simulator, data_dir: Path) -> None:
    simulator.respond("chat", lambda request: {"said": "yes"})
    base = simulator.base_urls()["OPENAI_COMPATIBLE_BASE_URL"]
    prices = {"mine": (100.0, 200.0)}
    with asking(
        simulator, data_dir, openai_compatible_base_url=base, openai_compatible_model="mine", model_prices=prices
    ) as (chain, _):
        ask(chain)
    [call] = simulator.requests(operation="chat")
    reserved, bill = booked(data_dir)
    asked, told = call.body_bytes // 4, max(1, len('{"said": "yes"}') // 4)
    assert bill == asked * 100 + told * 200 <= reserved


def test_an_own_server_is_free_until_it_is_given_a_price(simulator: Simulator, data_dir: Path) -> None:
    simulator.respond("chat", lambda request: {"said": "yes"})
    base = simulator.base_urls()["OPENAI_COMPATIBLE_BASE_URL"]
    with asking(simulator, data_dir, openai_compatible_base_url=base, openai_compatible_model="mine") as (chain, _):
        ask(chain)
        assert chain.price_notes({("openai_compatible", "mine")}) == [chain.ready()[0].tariff.note]
        assert "free" in chain.ready()[0].tariff.note and chain.price_notes({("openrouter", "mine")}) == []
    assert booked(data_dir) == (0, 0)


def test_a_budget_holds_against_a_model_of_unknown_price(simulator: Simulator, data_dir: Path) -> None:
    simulator.respond("chat", lambda request: {"said": "yes"})
    key = simulator.env()["ANTHROPIC_API_KEY"]
    opened = asking(simulator, data_dir, anthropic_api_key=key, anthropic_model="claude-unheard-of")
    with opened as (chain, project_id), pytest.raises(BudgetReached):
        ask(chain, project_id)
    assert simulator.requests(operation="chat") == []


def test_the_estimate_and_the_spending_say_so(simulator: Simulator, tmp_path: Path) -> None:
    env = simulator.env() | {"OPENROUTER_API_KEY": "", "OPENAI_COMPATIBLE_BASE_URL": ""}
    known = settings_at(env, tmp_path / "data", anthropic_model="claude-unheard-of")
    store = open_store(tmp_path / "data")
    services = Services(known, store, Runner(store, known, timing=QUICK), Answers(store.db))
    try:
        client = create_app(services).test_client()
        project_id = new_project(store)
        estimate = client.get(f"/api/projects/{project_id}/estimate").get_json()
        assert len(estimate["notes"]) == 1 and "claude-unheard-of" in estimate["notes"][0]
        assert next(one for one in estimate["stages"] if one["stage"] == "script")["high_micros"] > 0
        assert client.get(f"/api/projects/{project_id}/spend").get_json()["notes"] == []
        with store.db.write() as session:
            session.add(
                Generation(
                    id="1",
                    project_id=project_id,
                    capability="text",
                    provider="anthropic",
                    model="claude-unheard-of",
                    request_digest="1",
                )
            )
        assert client.get(f"/api/projects/{project_id}/spend").get_json()["notes"] == estimate["notes"]
    finally:
        services.close(5)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True), ("::1", True), ("192.168.1.7", True), ("10.0.0.1", True), ("localhost", True),
        ("ollama", True), ("gpu.local", True), ("llm.home.arpa.", True), ("api.example.org", False), ("8.8.8.8", False),
        ("169.254.169.254", False), ("localhost.example.org", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_of_ones_own_network(host: str, own: bool) -> None:
    assert of_own_network(host) is own


@pytest.mark.parametrize(
    ("told", "price"),
    [
        ("a=1/2", {"a": (1.0, 2.0)}),
        (" llama3:8b=0/0 , maker/x=0.5/1.5 ", {"llama3:8b": (0.0, 0.0), "maker/x": (0.5, 1.5)}),
        ("a=b=1/2", {"a=b": (1.0, 2.0)}),
    ],
)
def test_prices_are_set_in_dollars_per_million_tokens(told: str, price: dict[str, tuple[float, float]]) -> None:
    assert load_settings(env_files=[], model_prices=told).model_prices == price


@pytest.mark.parametrize("told", ["a", "a=1", "=1/2", "a=1/2/3", "a=-1/2", "a=nan/2", "a=1/inf", "a=1/2000", "a=x/y"])
def test_a_price_that_is_none_is_refused(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_PRICES", told)
    with pytest.raises(InvalidInput) as caught:
        load_settings(env_files=[])
    assert caught.value.field == "MODEL_PRICES"
