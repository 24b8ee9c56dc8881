"""What the adapters of language models share: time limits, prices, and how an answer's text becomes an object.

Hides that models wrap JSON in prose or fences, and that an SDK's own client knows limits per read only. Failures of
chats carry `accepted`: the request had left, so it may be charged although there is no answer.
"""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from pipeline.contracts import ChatRequest, ShownImage
from pipeline.providers.deadline import bounded
from pipeline.providers.failures import BadAnswer, FailureKind, ProviderFailure

T = TypeVar("T")

LARGEST_ANSWER = 8 * 1024 * 1024
_TOKEN_CHARS = 3.5  # letters per token, on the safe side for English
_IMAGE_TOKENS = 1_600  # of a picture of about a megapixel, the dearest that is sent
_FRAME_TOKENS = 1_000  # what a provider may put around a question of its own accord, for an answer of a schema
_FENCED = re.compile(r"\A\s*```[a-zA-Z]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "UnsupportedProtocol", "ProxyError"})
_MODERATED = re.compile(r"content_policy|content policy|safety system|moderation|flagged", re.IGNORECASE)
_NO_CREDIT = re.compile(r"insufficient_quota|credit balance|insufficient credit|billing|payment", re.IGNORECASE)


@dataclass(frozen=True)
class Limits:
    """Seconds: for a connection, between two reads, for a whole exchange."""

    connect_s: float = 10.0
    read_s: float = 180.0
    total_s: float = 300.0


LIMITS = Limits()


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "chat_models.toml").read_text(encoding="utf-8"))


def default_model(provider: str) -> str:
    return str(_facts()["defaults"][provider])


def list_price(model: str) -> dict[str, int]:
    """Micro-dollars per 1,000 tokens, `input` and `output`; zeros for a model that has no list price there."""
    return dict(_facts()["prices"].get(model, {"input": 0, "output": 0}))


def cost(model: str, input_tokens: int, output_tokens: int) -> int:
    """Micro-dollars by the list price, rounded up; 0 for a model that has none there."""
    price = list_price(model)
    return int(-(-(input_tokens * price["input"] + output_tokens * price["output"]) // 1000))


def likely_cost(
    model: str, characters: int, most_output_tokens: int, prices: Mapping[str, Mapping[str, int]] | None = None
) -> int:
    """What a question of so many characters is likely to cost; answers are taken to be half of what they may be.

    `prices`: those that the provider publishes, by model.
    """
    price = (prices or {}).get(model) or list_price(model)
    asked, told = int(characters / _TOKEN_CHARS), most_output_tokens // 2
    return int(-(-(asked * price["input"] + told * price["output"]) // 1000))


def most_cost(
    model: str,
    request: ChatRequest,
    prices: Mapping[str, Mapping[str, int]] | None = None,
    *,
    unlisted: Literal["free", "dear"] = "free",
) -> int:
    """The most that one send of the question can be billed with: every byte a token, and the longest answer.

    A model without any price counts as free (a server of one's own), or like the dearest that is listed.
    """
    told = [one for one in (_facts()["prices"].get(model), (prices or {}).get(model)) if one]
    known = told or (list(_facts()["prices"].values()) if unlisted == "dear" else [])
    written = (request.system, request.prompt, json.dumps(request.answer_schema))
    asked = sum(len(part.encode()) for part in written) + len(request.images) * _IMAGE_TOKENS + _FRAME_TOKENS
    dearest = {side: max((one[side] for one in known), default=0) for side in ("input", "output")}
    return -(-(asked * dearest["input"] + request.max_output_tokens * dearest["output"]) // 1000)


def length_of(request: ChatRequest) -> int:
    """How many characters the question is as long as, its pictures included."""
    shown = int(len(request.images) * _IMAGE_TOKENS * _TOKEN_CHARS)
    return len(request.system) + len(request.prompt) + shown


def as_base64(image: ShownImage) -> str:
    return base64.b64encode(image.path.read_bytes()).decode()


def bounded_client(client: T) -> T:
    """An SDK's HTTP client that keeps the thread's `deadline`, through proxies too."""
    inner: Any = client
    for transport in (inner._transport, *inner._mounts.values()):
        if transport is not None:
            bounded(transport)
    return client


def read_answer(text: str) -> dict[str, Any]:
    """The JSON object that an answer is. Raises BadAnswer."""
    fenced = _FENCED.match(text)
    body = fenced.group(1) if fenced else text
    try:
        data = json.loads(body)
    except ValueError as error:
        if not body.strip():
            raise BadAnswer("The answer is empty; answer with one JSON object.") from None
        raise BadAnswer(f"The answer is not valid JSON: {str(error)[:120]}.") from None
    except RecursionError:
        raise BadAnswer("The answer is nested too deeply.") from None
    if not isinstance(data, dict):
        raise BadAnswer("The answer is not a JSON object.")
    return data


def fields(value: object) -> dict[str, Any]:
    """The value if it is a JSON object; else an empty one."""
    return value if isinstance(value, dict) else {}


def never_sent(error: BaseException) -> bool:
    """Whether an SDK's connection error means that nothing had left this machine."""
    return any(type(cause).__name__ in _NEVER_SENT for cause in (error.__cause__, error.__context__) if cause)


def kind_of_refusal(status: int, words: str) -> FailureKind:
    """What an error answer means: by HTTP status, and by its words where providers use one status for several."""
    if status in (429, 402, 400, 403) and _NO_CREDIT.search(words):
        return "billing"
    if status == 429:
        return "rate_limit"
    if status == 401:
        return "auth"
    if status in (400, 403, 422) and _MODERATED.search(words):
        return "moderation"
    if status == 402:
        return "billing"
    if status == 403:
        return "auth"
    return "transient" if status in (0, 408, 409) or status >= 500 else "invalid_input"


class Failing:
    """Makes a provider's failures. `secret` is kept out of everything that is said."""

    def __init__(self, provider: str, title: str, key_name: str, secret: str) -> None:
        self._provider = provider
        self._title = title
        self._key_name = key_name
        self._secret = secret

    def failure(
        self,
        kind: FailureKind,
        said: str,
        *,
        retry_after_s: float | None = None,
        charged: bool = False,
    ) -> ProviderFailure:
        """`charged`: the request had left, so it may be on the bill."""
        clean = self.clean(said)
        hint = {
            "auth": f"Check {self._key_name}.",
            "transient": "Try again later; nothing that is done is lost.",
        }.get(kind, "")
        return ProviderFailure(
            f"{self._title} {_SAYS[kind]}{': ' + clean if clean else ''}".rstrip(".") + ".",
            provider=self._provider,
            kind=kind,
            retry_after_s=retry_after_s,
            accepted=charged,
            hint=hint,
            raw=clean,
        )

    def clean(self, text: str) -> str:
        hidden = text.replace(self._secret, "[key]") if self._secret else text
        return " ".join(hidden.split())[:300]


_SAYS: dict[FailureKind, str] = {
    "auth": "does not accept the key",
    "billing": "has no credit left",
    "rate_limit": "asks for a pause",
    "invalid_input": "cannot take this question",
    "moderation": "refuses this text for its content",
    "transient": "did not answer",
    "ambiguous": "did not answer",
    "expired": "did not answer",
}
