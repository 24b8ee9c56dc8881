"""Chat completions as OpenRouter and every server of the same protocol speak them, through the openai package.

Hides the package's own waiting and retrying (both off) and the many places where an error can be: the HTTP status, a
body with status 200, one choice of an answer, a page of HTML.
"""

from __future__ import annotations

import json
import threading
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pipeline.contracts import ChatReply, ChatRequest
from pipeline.providers import Published, accounts
from pipeline.providers.chat import (
    LARGEST_ANSWER,
    LIMITS,
    Failing,
    Limits,
    as_base64,
    bounded_client,
    fields,
    kind_of_refusal,
    never_sent,
    read_answer,
)
from pipeline.providers.deadline import deadline
from pipeline.providers.failures import BadAnswer, ProviderFailure, told_to_wait
from pipeline.providers.token_prices import Tariff

if TYPE_CHECKING:
    from openai import OpenAI

# OpenRouter's own names for causes, which tell more than the HTTP status beside them.
_MODERATED = frozenset({"content_policy_violation", "refusal"})
_TRANSIENT = frozenset({"provider_overloaded", "provider_unavailable", "server", "timeout"})


class OpenAIProtocol:
    """One server. `extra`: what its requests carry beyond the protocol; `tokens`: its name for the answer's limit."""

    def __init__(
        self,
        failing: Failing,
        *,
        provider: str,
        tariff: Tariff,
        base_url: str,
        key: str,
        tokens: str,
        extra: dict[str, Any] | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        self._failing = failing
        self._provider = provider
        self._model = tariff.model
        self._tariff = tariff
        self._tokens = tokens
        self._extra = extra or {}
        self._limits = limits
        self._client = _client(base_url, key, limits)

    def complete(self, request: ChatRequest) -> ChatReply:
        body = self._fields(self._post(self._body(request)))
        usage = fields(body.get("usage"))
        asked, told = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
        paid = accounts.micros(usage.get("cost"))
        if paid is not None and paid >= 0:
            micros = paid
        else:  # a server that counts no tokens tells nothing of what it will charge for
            micros = self._tariff.cost(asked, told) if told else self._tariff.most(request)
        try:
            data = read_answer(self._text(body, request))
        except (BadAnswer, ProviderFailure) as answer:
            answer.cost_micros = micros if usage or isinstance(answer, BadAnswer) else 0
            raise
        return ChatReply(
            data=data,
            model=str(body.get("model") or self._model),
            provider=self._provider,
            input_tokens=asked,
            output_tokens=told,
            cost_micros=micros,
        )

    def close(self) -> None:
        self._client.close()

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": [
                {"role": "system", "content": request.system},
                {"role": "user", "content": _content(request)},
            ],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": request.schema_name, "strict": True, "schema": request.answer_schema},
            },
            self._tokens: request.max_output_tokens,
            **({"extra_body": self._extra} if self._extra else {}),
        }

    def _post(self, body: dict[str, Any]) -> bytes:
        import openai

        try:
            with (
                deadline(self._limits.total_s),
                self._client.chat.completions.with_streaming_response.create(**body) as response,
            ):
                return self._read(response.iter_bytes())
        except openai.APIStatusError as error:
            raise self._refused(error) from None
        except openai.APIConnectionError as error:
            raise self._failing.failure(
                "transient", str(error.__cause__ or error), charged=not never_sent(error)
            ) from None
        except ProviderFailure:
            raise
        except Exception as error:  # the HTTP package's own errors while the body arrives
            if not type(error).__module__.startswith(("httpx", "openai", "httpcore")):
                raise
            raise self._failing.failure("transient", f"{type(error).__name__}: {error}", charged=True) from None

    def _read(self, chunks: Iterator[bytes]) -> bytes:
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise self._failing.failure("transient", "its answer is too large", charged=True)
        return bytes(body)

    def _fields(self, raw: bytes) -> dict[str, Any]:
        """The body's JSON object, free of the error that it may carry with HTTP status 200."""
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            said = raw[:200].decode("utf-8", "replace")
            raise self._failing.failure("transient", f"no JSON came back but {said!r}", charged=True)
        if isinstance(body.get("error"), dict):
            raise self._meaning(body["error"], status=0, charged=True)
        return body

    def _text(self, body: dict[str, Any], request: ChatRequest) -> str:
        choices = body.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
        if choice is None:
            raise self._failing.failure("transient", "the answer has no choices", charged=True)
        if isinstance(choice.get("error"), dict):
            raise self._meaning(choice["error"], status=0, charged=True)
        message = fields(choice.get("message"))
        finish = choice.get("finish_reason")
        if message.get("refusal") or finish == "content_filter":
            raise self._failing.failure("moderation", str(message.get("refusal") or ""), charged=True)
        if finish == "error":
            raise self._failing.failure("transient", "the answer broke off", charged=True)
        if finish == "length":
            raise BadAnswer(f"The answer was cut off after {request.max_output_tokens} tokens; answer more briefly.")
        return _joined(message.get("content"))

    def _refused(self, error: Any) -> ProviderFailure:
        body = fields(error.body)
        inner = fields(body.get("error")) or body
        after = told_to_wait(error.response.headers)
        return self._meaning(inner, status=error.status_code, retry_after_s=after, text=str(error.message))

    def _meaning(
        self,
        error: dict[str, Any],
        *,
        status: int,
        retry_after_s: float | None = None,
        charged: bool = False,
        text: str = "",
    ) -> ProviderFailure:
        metadata = fields(error.get("metadata"))
        code = error.get("code")
        status = status or _count(code) or 502
        said = str(error.get("message") or text)
        cause = str(metadata.get("error_type") or "")
        words = " ".join((said, str(code), str(error.get("type")), cause))
        if cause in _MODERATED or "flagged_input" in metadata or metadata.get("reasons"):
            kind = kind_of_refusal(403, "content_policy")
        elif cause in _TRANSIENT:
            kind = kind_of_refusal(502, "")
        else:
            kind = kind_of_refusal(status, words)
        maybe = charged or (kind == "transient" and status != 408)
        return self._failing.failure(kind, said, retry_after_s=retry_after_s, charged=maybe)


def _client(base_url: str, key: str, limits: Limits) -> OpenAI:
    import openai

    http = openai.DefaultHttpxClient(follow_redirects=False)
    return openai.OpenAI(
        api_key=key,
        organization="",
        project="",
        base_url=base_url,
        max_retries=0,
        timeout=openai.Timeout(limits.read_s, connect=limits.connect_s),
        http_client=bounded_client(http),
    )


def _content(request: ChatRequest) -> str | list[dict[str, Any]]:
    """The prompt as text alone where no picture goes along: not every server of the protocol takes parts."""
    if not request.images:
        return request.prompt
    addresses = (f"data:image/jpeg;base64,{as_base64(image)}" for image in request.images)
    shown = [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
    return [{"type": "text", "text": request.prompt}, *shown]


def _joined(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _count(value: object) -> int:
    try:
        return max(0, int(value))  # type: ignore[call-overload,no-any-return]
    except (TypeError, ValueError):
        return 0


class OpenAIChat:
    """What the adapters of this protocol share: the server is connected to with the first request, and once."""

    model: str
    tariff: Tariff

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff
        self.model = tariff.model
        self._chat: OpenAIProtocol | None = None
        self._lock = threading.Lock()

    def estimate(self, request: ChatRequest) -> int:
        return self.tariff.likely(request)

    def most(self, request: ChatRequest) -> int:
        return self.tariff.most(request)

    def published(self) -> Published:
        return Published()

    def adopt(self, prices: dict[str, dict[str, int]]) -> None:
        self.tariff.adopt(prices)

    def complete(self, request: ChatRequest) -> ChatReply:
        return self._open().complete(request)

    def close(self) -> None:
        with self._lock:
            if self._chat is not None:
                self._chat.close()

    def _open(self) -> OpenAIProtocol:
        with self._lock:
            if self._chat is None:
                self._chat = self._connect()
            return self._chat

    @abstractmethod
    def _connect(self) -> OpenAIProtocol:
        """The server of this adapter's settings."""
