"""A language model behind any address that speaks OpenAI's protocol, a local one as a rule; its key may be empty."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from pipeline.addresses import of_own_network
from pipeline.providers import Account, accounts
from pipeline.providers.chat import LIMITS, Failing, Limits
from pipeline.providers.failures import ProviderFailure
from pipeline.providers.openai_protocol import OpenAIChat, OpenAIProtocol
from pipeline.providers.token_prices import Tariff, default_model
from pipeline.settings import Settings

NO_KEY = "none"  # the openai package sends no request without one


class OpenAICompatible(OpenAIChat):
    name: ClassVar[str] = "openai_compatible"
    label: ClassVar[str] = "Own language model"
    key_setting: ClassVar[str] = "openai_compatible_api_key"

    def __init__(self, settings: Settings, *, limits: Limits = LIMITS) -> None:
        key = settings.openai_compatible_api_key
        self._key = key.get_secret_value() if key else NO_KEY
        self._base_url = settings.openai_compatible_base_url
        model = settings.openai_compatible_model or default_model(self.name)
        own = of_own_network(urlsplit(self._base_url or "").hostname or "")
        super().__init__(Tariff(model, settings.model_prices, own_server=own))
        self._limits = limits

    def ready(self) -> str | None:
        return None if self._base_url else "Set OPENAI_COMPATIBLE_BASE_URL."

    def missing(self) -> str | None:
        return None if self._base_url else "OPENAI_COMPATIBLE_BASE_URL"

    def account(self) -> Account:
        base_url, secret = self._base_url or "", self._key if self._key != NO_KEY else ""
        with accounts.inquiry(self.label, base_url, {"Authorization": f"Bearer {self._key}"}, secret=secret) as wire:
            try:
                wire.inquire(f"{base_url}/models")
            except ProviderFailure as failure:
                if failure.kind != "invalid_input":  # a server need not list its models
                    raise
        return Account(note="It answers; there is no account behind it that could be asked.")

    def _connect(self) -> OpenAIProtocol:
        return OpenAIProtocol(
            Failing(self.name, "The language model's server", "OPENAI_COMPATIBLE_API_KEY", self._key),
            provider=self.name,
            tariff=self.tariff,
            base_url=self._base_url or "",
            key=self._key,
            tokens="max_tokens",
            limits=self._limits,
        )
