"""Prices that providers publish: taken where they are sensible, kept over a restart, ignored and said where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.generation.chat import TextChain
from pipeline.generation.prices import KEY, PublishedPrices
from pipeline.providers.catalogue import slug_named
from pipeline.providers.prices import believed, believed_tokens
from pipeline.store.models import Setting
from tests.generation.kit import Bench, bench
from tests.paid.kit import settings_at
from tests.simulator import Simulator

TURBO = "fal-ai/elevenlabs/tts/turbo-v2.5"


def _prices(room: Bench, data_dir: Path) -> PublishedPrices:
    text = TextChain(room.store, settings_at(room.simulator.env(), data_dir))
    return PublishedPrices(room.store, room.chain, text)


def _kept(room: Bench) -> dict[str, Any]:
    with room.store.db.read() as session:
        row = session.get(Setting, KEY)
        return dict(row.value) if row is not None else {}


def test_published_prices_are_kept_with_time_and_source_and_asked_once_a_day(data_dir: Path) -> None:
    with Simulator(seed=1) as simulator:
        with bench(simulator, data_dir) as room:
            book = _prices(room, data_dir)
            book.refresh().join(30)
            kept = _kept(room)
            assert {"fal", "openrouter"} <= set(kept)
            assert kept["fal"]["source"].endswith("/models/pricing") and kept["fal"]["at"]
            assert kept["fal"]["prices"]["fal-ai/nano-banana"] == {"run": 39_000}
            assert "fal-ai/flux-2-pro" not in kept["fal"]["prices"], "a price in parts cannot be told in one"
            asked = len(simulator.requests(operation="pricing"))
            assert asked >= 1
            book.refresh().join(30)
            assert len(simulator.requests(operation="pricing")) == asked
        with bench(simulator, data_dir) as room:
            _prices(room, data_dir).refresh().join(30)
            assert len(simulator.requests(operation="pricing")) == asked, "a restart does not ask again"


@pytest.mark.parametrize("kind", ["html", "half_json", "wrong_types", "unauthorised", "reset_before"])
def test_an_answer_that_cannot_be_read_changes_nothing(kind: str, data_dir: Path) -> None:
    with Simulator(seed=1) as simulator, bench(simulator, data_dir) as room:
        simulator.script(kind, provider="fal", operation="pricing", times=99)
        before = room.chain.adapter("fal").estimate(room.picture(model="nano-banana"), "nano-banana")
        _prices(room, data_dir).refresh().join(30)
        assert "fal" not in _kept(room)
        assert room.chain.adapter("fal").estimate(room.picture(model="nano-banana"), "nano-banana") == before == 39_000


@pytest.mark.parametrize(
    ("told", "price"),
    [
        ({"unit_price": 0.06, "unit": "1000 characters", "currency": "USD"}, {"kchar": 60_000}),
        ({"unit_price": "0.06", "unit": "1000 characters", "currency": "USD"}, {"kchar": 60_000}),
        ({"unit_price": 0.5, "unit": "1000 characters", "currency": "USD"}, {"kchar": 500_000}),
        ({"unit_price": 0.51, "unit": "1000 characters", "currency": "USD"}, None),
        ({"unit_price": 0.004, "unit": "1000 characters", "currency": "USD"}, None),
        ({"unit_price": 0, "unit": "1000 characters", "currency": "USD"}, None),
        ({"unit_price": -1, "unit": "1000 characters", "currency": "USD"}, None),
        ({"unit_price": True, "unit": "1000 characters", "currency": "USD"}, None),
        ({"unit_price": float("nan"), "unit": "1000 characters", "currency": "USD"}, None),
        ({"unit_price": "much", "unit": "1000 characters", "currency": "USD"}, None),
        ({"unit_price": 0.06, "unit": "images", "currency": "USD"}, None),
        ({"unit_price": 0.06, "unit": "1000 characters", "currency": "EUR"}, None),
        ({"unit_price": 0.06, "unit": "1000 characters"}, None),
        ([0.06], None),
    ],
)
def test_a_price_is_believed_only_near_the_catalogues_and_in_its_unit(told: Any, price: dict[str, int] | None) -> None:
    slug = slug_named("fal", TURBO)
    assert slug is not None and slug.price == {"kchar": 50_000}
    assert believed(slug, told) == price


def test_tokens_are_priced_per_thousand() -> None:
    listed = {"input": 3_000, "output": 15_000}
    assert believed_tokens({"prompt": "0.000002", "completion": "0.00001"}, listed) == {
        "input": 2_000,
        "output": 10_000,
    }
    assert believed_tokens({"prompt": "0.0000001", "completion": "0.00001"}, listed) is None
    assert believed_tokens({"prompt": "0.0000001", "completion": "0.0000004"}, {}) == {"input": 100, "output": 400}
    assert believed_tokens({"prompt": "2", "completion": "0.00001"}, {}) is None
    assert believed_tokens({"prompt": "0.000002"}, listed) is None
    assert believed_tokens("free", listed) is None
