"""What the adapters of language models share: time limits, failures, and how an answer's text becomes an object.

Hides that models wrap JSON in prose or fences, and that an SDK's own client knows limits per read only. Failures of
chats carry `accepted`: the request had left, so it may be charged although there is no answer.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline.contracts import ShownImage
from pipeline.providers.deadline import bounded
from pipeline.providers.failures import BadAnswer, FailureKind, ProviderFailure

T = TypeVar("T")

LARGEST_ANSWER = 8 * 1024 * 1024
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
