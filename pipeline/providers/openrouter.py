"""OpenRouter, the first choice for text. Hides its routing: only hosts that keep to the answer's schema are asked."""

from __future__ import annotations

from typing import ClassVar

from pipeline.providers import Account, Published, accounts
from pipeline.providers.chat import LIMITS, Failing, Limits
from pipeline.providers.openai_protocol import OpenAIChat, OpenAIProtocol
from pipeline.providers.prices import believed_tokens
from pipeline.providers.token_prices import Tariff, default_model, list_price
from pipeline.settings import Settings


class OpenRouter(OpenAIChat):
    name: ClassVar[str] = "openrouter"
    label: ClassVar[str] = "OpenRouter"
    key_setting: ClassVar[str] = "openrouter_api_key"

    def __init__(self, settings: Settings, *, limits: Limits = LIMITS) -> None:
        self._key = settings.openrouter_api_key.get_secret_value() if settings.openrouter_api_key else ""
        super().__init__(Tariff(settings.openrouter_model or default_model(self.name), settings.model_prices))
        self._settings = settings
        self._limits = limits

    def ready(self) -> str | None:
        return None if self._key else "Set OPENROUTER_API_KEY."

    def missing(self) -> str | None:
        return None if self._key else "OPENROUTER_API_KEY"

    def account(self) -> Account:
        """The account's balance is told to a management key only; others know what they may still spend."""
        base_url = self._settings.openrouter_base_url
        with accounts.inquiry(self.label, base_url, {"Authorization": f"Bearer {self._key}"}, secret=self._key) as wire:
            key = accounts.inside(wire.inquire(f"{base_url}/key"), "data")
            identity = accounts.name(wire, key.get("label"))
            if key.get("is_management_key") is True:
                found = accounts.inside(wire.inquire(f"{base_url}/credits"), "data")
                bought, used = accounts.micros(found.get("total_credits")), accounts.micros(found.get("total_usage"))
                if bought is not None and used is not None:
                    return Account(identity, bought - used)
                return Account(identity, note=accounts.UNREADABLE)
        left = accounts.micros(key.get("limit_remaining"))
        if left is not None:
            return Account(identity, left, note="What this key may still spend; the account may have less.")
        if "limit_remaining" in key and key["limit_remaining"] is None:
            return Account(identity, note="This key has no limit; OpenRouter tells a balance to management keys only.")
        return Account(identity, note=accounts.UNREADABLE)

    def published(self) -> Published:
        """Of the model that is asked, alone: the list has hundreds."""
        source = f"{self._settings.openrouter_base_url}/models"
        headers = {"Authorization": f"Bearer {self._key}"}
        with accounts.inquiry(self.label, self._settings.openrouter_base_url, headers, secret=self._key) as wire:
            told = wire.inquire(source).fields.get("data")
        entered = [one for one in (told if isinstance(told, list) else []) if isinstance(one, dict)]
        mine = next((one for one in entered if one.get("id") == self.model), None)
        if mine is None:
            return Published(source)
        price = believed_tokens(mine.get("pricing"), list_price(self.model))
        return Published(source, {self.model: price}) if price else Published(source, ignored=(self.model,))

    def _connect(self) -> OpenAIProtocol:
        return OpenAIProtocol(
            Failing(self.name, "OpenRouter", "OPENROUTER_API_KEY", self._key),
            provider=self.name,
            tariff=self.tariff,
            base_url=self._settings.openrouter_base_url,
            key=self._key,
            tokens="max_completion_tokens",
            # Without this, hosts that do not know response_format drop it in silence.
            extra={"provider": {"require_parameters": True}},
            limits=self._limits,
        )
