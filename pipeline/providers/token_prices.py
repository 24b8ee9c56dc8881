"""What language models cost, and on whose word.

Hides whose word counts: the user's own (MODEL_PRICES), then the provider's, then the list (chat_models.toml). A model
that nobody knows is counted like the dearest of the list, so that it cannot pass a budget by being unknown; on a server
of the user's own machines it costs nothing. All prices are micro-dollars per 1,000 tokens.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pipeline.contracts import ChatRequest

Basis = Literal["set", "published", "listed", "assumed", "own"]
"""set: by the user. assumed: like the dearest of the list. own: nothing, on a server of the user's own."""

_TOKEN_CHARS = 3.5  # letters per token, on the safe side for English
_IMAGE_TOKENS = 1_600  # of a picture of about a megapixel, the dearest that is sent
_FRAME_TOKENS = 1_000  # what a provider may put around a question of its own accord, for an answer of a schema


@dataclass(frozen=True)
class TokenPrice:
    """Micro-dollars per 1,000 tokens that are read (`input`) and written (`output`)."""

    input: int
    output: int
    basis: Basis

    def of(self, read: int, written: int) -> int:
        """So many tokens, in micro-dollars, rounded up."""
        return -(-(read * self.input + written * self.output) // 1000)


class Tariff:
    """Of one model at one provider. Safe for any number of threads.

    `set_prices`: MODEL_PRICES, in dollars per million tokens; `own_server`: what is not priced costs nothing.
    """

    def __init__(
        self, model: str, set_prices: Mapping[str, tuple[float, float]] | None = None, *, own_server: bool = False
    ) -> None:
        self.model = model
        self._own_server = own_server
        self._set = (set_prices or {}).get(model)
        self._published: Mapping[str, int] | None = None

    def adopt(self, prices: Mapping[str, Mapping[str, int]]) -> None:
        """Goes by what the provider publishes from now on, as far as this model is in it."""
        self._published = prices.get(self.model)

    @property
    def price(self) -> TokenPrice:
        if self._set is not None:
            asked, told = self._set
            return TokenPrice(math.ceil(asked * 1_000), math.ceil(told * 1_000), "set")
        if self._published is not None:
            return TokenPrice(self._published["input"], self._published["output"], "published")
        listed = _facts()["prices"].get(self.model)
        if listed is not None:
            return TokenPrice(listed["input"], listed["output"], "listed")
        return TokenPrice(0, 0, "own") if self._own_server else _dearest("assumed")

    @property
    def note(self) -> str:
        """What a payer has to know of this price; "" where it is known."""
        if self.price.basis == "assumed":
            return (
                f"The price of {self.model} is not known: it is counted like the dearest model of our list. "
                "Set MODEL_PRICES to what it costs."
            )
        if self.price.basis == "own":
            return f"{self.model} runs on a server of your own and counts as free; MODEL_PRICES can give it a price."
        return ""

    def cost(self, read: int, written: int) -> int:
        """What an answer costs, where it does not tell."""
        return self.price.of(read, written)

    def likely(self, request: ChatRequest) -> int:
        """What a question is likely to cost; answers are taken to be half of what they may be."""
        shown = int(len(request.images) * _IMAGE_TOKENS * _TOKEN_CHARS)
        characters = len(request.system) + len(request.prompt) + shown
        return self.price.of(int(characters / _TOKEN_CHARS), request.max_output_tokens // 2)

    def most(self, request: ChatRequest) -> int:
        """The most that one send of the question can be billed with: every byte a token, and the longest answer.

        A provider may publish one price and bill the list's, so the dearer of the two counts.
        """
        price = self.price
        listed = _facts()["prices"].get(self.model)
        if price.basis == "published" and listed is not None:
            price = TokenPrice(max(price.input, listed["input"]), max(price.output, listed["output"]), "published")
        written = (request.system, request.prompt, json.dumps(request.answer_schema))
        asked = sum(len(part.encode()) for part in written) + len(request.images) * _IMAGE_TOKENS + _FRAME_TOKENS
        return price.of(asked, request.max_output_tokens)


def default_model(provider: str) -> str:
    return str(_facts()["defaults"][provider])


def list_price(model: str) -> dict[str, int]:
    """Micro-dollars per 1,000 tokens, `input` and `output`; zeros for a model that has no list price there."""
    return dict(_facts()["prices"].get(model, {"input": 0, "output": 0}))


def _dearest(basis: Basis) -> TokenPrice:
    listed = _facts()["prices"].values()
    return TokenPrice(max(one["input"] for one in listed), max(one["output"] for one in listed), basis)


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "chat_models.toml").read_text(encoding="utf-8"))
