"""Anthropic's own API, the fallback for text: as the first choice it runs into its rate limits.

Hides that a refusal comes with HTTP status 200, and that its structured answers arrive as text.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from pipeline.contracts import ChatReply, ChatRequest
from pipeline.providers import Account, Published, accounts
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
from pipeline.providers.token_prices import Tariff, default_model
from pipeline.settings import Settings

if TYPE_CHECKING:
    from anthropic import Anthropic as Client


API_VERSION = "2026-10-21"  # what the package sends


class Anthropic:
    name: ClassVar[str] = "anthropic"
    label: ClassVar[str] = "Anthropic"
    key_setting: ClassVar[str] = "anthropic_api_key"

    def __init__(self, settings: Settings, *, limits: Limits = LIMITS) -> None:
        self._key = settings.anthropic_api_key.get_secret_value() if settings.anthropic_api_key else ""
        self._base_url = settings.anthropic_base_url
        self._limits = limits
        self._failing = Failing(self.name, "Anthropic", "ANTHROPIC_API_KEY", self._key)
        self._client: Client | None = None
        self.tariff = Tariff(settings.anthropic_model or default_model(self.name), settings.model_prices)
        self.model = self.tariff.model

    def ready(self) -> str | None:
        return None if self._key else "Set ANTHROPIC_API_KEY."

    def missing(self) -> str | None:
        return None if self._key else "ANTHROPIC_API_KEY"

    def account(self) -> Account:
        headers = {"Authorization": f"Bearer {self._key}", "anthropic-version": API_VERSION}
        with accounts.inquiry(self.label, self._base_url, headers, secret=self._key) as wire:
            wire.inquire(f"{self._base_url}/v1/models?limit=1")
        return Account(note="Anthropic takes the key; it tells no balance. See its console.")

    def published(self) -> Published:
        return Published()

    def adopt(self, prices: dict[str, dict[str, int]]) -> None:
        return None

    def estimate(self, request: ChatRequest) -> int:
        return self.tariff.likely(request)

    def most(self, request: ChatRequest) -> int:
        return self.tariff.most(request)

    def complete(self, request: ChatRequest) -> ChatReply:
        body = self._fields(self._post(request))
        usage = fields(body.get("usage"))
        asked, told = int(usage.get("input_tokens") or 0), int(usage.get("output_tokens") or 0)
        micros = self.tariff.cost(asked, told) if told else self.tariff.most(request)
        try:
            data = read_answer(self._text(body, request))
        except (BadAnswer, ProviderFailure) as answer:
            answer.cost_micros = micros if usage or isinstance(answer, BadAnswer) else 0
            raise
        return ChatReply(
            data=data,
            model=str(body.get("model") or self.model),
            provider=self.name,
            input_tokens=asked,
            output_tokens=told,
            cost_micros=micros,
        )

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _post(self, request: ChatRequest) -> bytes:
        import anthropic

        try:
            with (
                deadline(self._limits.total_s),
                self._open().messages.with_streaming_response.create(
                    model=self.model,
                    max_tokens=request.max_output_tokens,
                    system=request.system,
                    messages=[{"role": "user", "content": _content(request)}],
                    output_config={"format": {"type": "json_schema", "schema": request.answer_schema}},
                ) as response,
            ):
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST_ANSWER:
                        raise self._failing.failure("transient", "its answer is too large", charged=True)
                return bytes(body)
        except anthropic.APIStatusError as error:
            raise self._refused(error) from None
        except anthropic.APIConnectionError as error:
            raise self._failing.failure(
                "transient", str(error.__cause__ or error), charged=not never_sent(error)
            ) from None
        except ProviderFailure:
            raise
        except Exception as error:  # the HTTP package's own errors while the body arrives
            if not type(error).__module__.startswith(("httpx", "anthropic", "httpcore")):
                raise
            raise self._failing.failure("transient", f"{type(error).__name__}: {error}", charged=True) from None

    def _fields(self, raw: bytes) -> dict[str, Any]:
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            said = raw[:200].decode("utf-8", "replace")
            raise self._failing.failure("transient", f"no JSON came back but {said!r}", charged=True)
        if body.get("type") == "error" or isinstance(body.get("error"), dict):
            said = str(fields(body.get("error")).get("message") or "")
            raise self._failing.failure("transient", said, charged=True)
        return body

    def _text(self, body: dict[str, Any], request: ChatRequest) -> str:
        stop = body.get("stop_reason")
        if stop == "refusal":
            said = str(fields(body.get("stop_details")).get("explanation") or "")
            raise self._failing.failure("moderation", said, charged=True)
        if stop in ("max_tokens", "model_context_window_exceeded"):
            raise BadAnswer(f"The answer was cut off after {request.max_output_tokens} tokens; answer more briefly.")
        content = body.get("content")
        parts = content if isinstance(content, list) else []
        return "".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))

    def _refused(self, error: Any) -> ProviderFailure:
        inner = fields(fields(error.body).get("error"))
        said = str(inner.get("message") or error.message)
        kind = kind_of_refusal(error.status_code, f"{said} {inner.get('type')}")
        after = told_to_wait(error.response.headers)
        return self._failing.failure(kind, said, retry_after_s=after, charged=kind == "transient")

    def _open(self) -> Client:
        if self._client is None:
            import anthropic

            self._client = anthropic.Anthropic(
                api_key=self._key,
                base_url=self._base_url,
                max_retries=0,
                timeout=anthropic.Timeout(self._limits.read_s, connect=self._limits.connect_s),
                http_client=bounded_client(anthropic.DefaultHttpxClient(follow_redirects=False)),
            )
        return self._client


def _content(request: ChatRequest) -> Any:
    """The prompt, and after it the pictures that go along."""
    if not request.images:
        return request.prompt
    sources = ({"type": "base64", "media_type": "image/jpeg", "data": as_base64(image)} for image in request.images)
    return [{"type": "text", "text": request.prompt}, *({"type": "image", "source": source} for source in sources)]
