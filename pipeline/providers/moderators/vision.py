"""A model that sees, asked by a rubric through OpenRouter: what a picture shows, and how old its people look."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pipeline.contracts import ChatReply, ChatRequest, ShownImage
from pipeline.prompts import writing
from pipeline.providers.chat import Failing, Limits
from pipeline.providers.failures import BadAnswer, ProviderFailure
from pipeline.providers.moderators import Answer, Check, Compute, Label
from pipeline.providers.openai_protocol import OpenAIProtocol
from pipeline.providers.token_prices import Tariff
from pipeline.settings import Settings

SCORES: tuple[Label, ...] = ("nudity", "suggestive", "offensive", "illegal")
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {**dict.fromkeys(SCORES, _SCORE), "people": {"type": "boolean"}, "minor": _SCORE},
    "required": [*SCORES, "people", "minor"],
    "additionalProperties": False,
}


def _request(pictures: Sequence[Path]) -> ChatRequest:
    return ChatRequest(
        purpose="moderation",
        system=writing.question("moderation"),
        prompt="Rate these pictures.",
        schema_name="rating",
        answer_schema=SCHEMA,
        max_output_tokens=300,
        images=tuple(ShownImage(path=one) for one in pictures),
    )


class Vision:
    name: ClassVar[str] = "vision"
    label: ClassVar[str] = "Vision model"
    checks: ClassVar[frozenset[Check]] = frozenset({"visual", "age"})
    grown_up: ClassVar[bool] = True

    def __init__(self, settings: Settings, compute: Compute) -> None:
        self._settings = settings
        self._key = settings.openrouter_api_key.get_secret_value() if settings.openrouter_api_key else ""
        self._failing = Failing(self.name, self.label, "OPENROUTER_API_KEY", self._key)
        self._tariff = Tariff(settings.vision_model or "", settings.model_prices)
        self._chat: OpenAIProtocol | None = None
        self._lock = threading.Lock()

    def missing(self) -> str | None:
        if not self._settings.vision_model:
            return "VISION_MODEL"
        return None if self._key else "OPENROUTER_API_KEY"

    def check(self, check: Check, pictures: Sequence[Path]) -> Answer:
        try:
            reply = self._connected().complete(_request(pictures))
        except BadAnswer as answer:
            failure = self._failing.failure("transient", answer.detail, charged=True)
            failure.cost_micros = answer.cost_micros
            raise failure from None
        try:
            return self._read(check, reply)
        except ProviderFailure as failure:
            failure.cost_micros = reply.cost_micros
            raise

    def _read(self, check: Check, reply: ChatReply) -> Answer:
        numbers = {name: self._score(reply.data, name) for name in (*SCORES, "minor")}
        if check == "visual":
            return Answer({name: numbers[name] for name in SCORES}, cost_micros=reply.cost_micros)
        people = reply.data.get("people")
        if not isinstance(people, bool):
            raise self._unreadable("people")
        return Answer({"minor": numbers["minor"]} if people else {}, known=people, cost_micros=reply.cost_micros)

    def price(self, check: Check, pictures: int) -> int:
        return self._tariff.most(_request([Path()] * pictures))

    def close(self) -> None:
        with self._lock:
            chat, self._chat = self._chat, None
        if chat is not None:
            chat.close()

    def _score(self, data: dict[str, Any], name: str) -> float:
        value = data.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise self._unreadable(name)
        return float(value)

    def _unreadable(self, name: str) -> ProviderFailure:
        return self._failing.failure("transient", f"its answer has no usable {name!r}", charged=True)

    def _connected(self) -> OpenAIProtocol:
        with self._lock:
            if self._chat is None:
                longest = self._settings.provider_timeout_s
                self._chat = OpenAIProtocol(
                    self._failing,
                    provider=self.name,
                    tariff=self._tariff,
                    base_url=self._settings.openrouter_base_url,
                    key=self._key,
                    tokens="max_completion_tokens",
                    extra={"provider": {"require_parameters": True}},
                    limits=Limits(read_s=longest, total_s=longest),
                )
            return self._chat
