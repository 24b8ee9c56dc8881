"""OpenRouter, the first choice for text. Hides its routing: only hosts that keep to the answer's schema are asked."""

from __future__ import annotations

from typing import ClassVar

from pipeline.providers.chat import LIMITS, Failing, Limits, default_model
from pipeline.providers.openai_protocol import OpenAIChat, OpenAIProtocol
from pipeline.settings import Settings


class OpenRouter(OpenAIChat):
    name: ClassVar[str] = "openrouter"

    def __init__(self, settings: Settings, *, limits: Limits = LIMITS) -> None:
        self._key = settings.openrouter_api_key.get_secret_value() if settings.openrouter_api_key else ""
        super().__init__()
        self._settings = settings
        self._limits = limits
        self.model = settings.openrouter_model or default_model(self.name)

    def ready(self) -> str | None:
        return None if self._key else "Set OPENROUTER_API_KEY."

    def _connect(self) -> OpenAIProtocol:
        return OpenAIProtocol(
            Failing(self.name, "OpenRouter", "OPENROUTER_API_KEY", self._key),
            provider=self.name,
            model=self.model,
            base_url=self._settings.openrouter_base_url,
            key=self._key,
            tokens="max_completion_tokens",
            # Without this, hosts that do not know response_format drop it in silence.
            extra={"provider": {"require_parameters": True}},
            limits=self._limits,
        )
