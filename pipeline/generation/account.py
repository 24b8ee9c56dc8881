"""What the providers say of the accounts behind the keys: state, owner, balance, and what each can make.

Hides the threads that ask. All providers are asked at once; whoever takes too long is shown as such, and its answer is
kept when it comes. No number is ever made up: a balance is what a provider told, or there is none and a sentence why.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

from pipeline.generation.chain import EMBEDDED
from pipeline.generation.chat import DEGRADED
from pipeline.generation.choices import Choice, Offer, check_offers, choices, offers, text_offer
from pipeline.providers import (
    ADAPTERS,
    CHAT_ADAPTERS,
    Account,
    ChatAdapter,
    JobAdapter,
    load_adapter,
    load_chat_adapter,
)
from pipeline.providers.failures import ProviderFailure
from pipeline.providers.token_prices import Tariff
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.providers.aws import Aws

log = logging.getLogger(__name__)

State = Literal["ready", "needs_key", "degraded", "error"]
Halts = Mapping[tuple[str, str], str]
Asked: TypeAlias = "JobAdapter | ChatAdapter | Aws"

FRESH_S = 60.0
WAIT_S = 2.2  # for an answer: leaves room for all the rest within three seconds
SLOW = "It did not answer in time; look again in a moment."
_STATES: Mapping[str, State] = {
    "auth": "error",
    "billing": "error",
    "transient": "error",
    "rate_limit": "degraded",
    "moderation": "ready",
    "invalid_input": "ready",
    "expired": "ready",
    "ambiguous": "error",
}
_BUILT_IN = "Built-in engines"
_FREE = "Runs on this machine, at no cost."


@dataclass(frozen=True)
class Standing:
    """One provider. `missing`: the setting to add; `halted`: the kinds of work that are held back, and why;
    `asked_at`: when its answer came (None: it was not asked, or has not answered)."""

    name: str
    label: str
    state: State
    account: Account
    offers: tuple[Offer, ...]
    missing: str | None = None
    halted: Mapping[str, str] | None = None
    asked_at: datetime | None = None


@dataclass
class _Question:
    begun: float
    answered: float | None = None
    state: State = "ready"
    account: Account = field(default_factory=Account)
    at: datetime | None = None

    def __post_init__(self) -> None:
        self.done = threading.Event()


class Accounts:
    """One per process. Every method may be called from any thread. `halts`: what the generation core holds back."""

    def __init__(
        self,
        settings: Settings,
        *,
        halts: Callable[[], Halts] = dict,
        wait_s: float = WAIT_S,
        fresh_s: float = FRESH_S,
    ) -> None:
        self._settings = settings
        self._halts = halts
        self._wait_s = wait_s
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._adapters: dict[str, Asked] = {}
        self._questions: dict[str, _Question] = {}

    def overview(self, *, refresh: bool = False) -> tuple[Standing, ...]:
        """Every provider, language models first, and last who checks pictures. Takes no longer than the slowest answer
        or `wait_s`.

        Answers are kept for a minute; `refresh` asks again.
        """
        adapters = self._loaded()
        questions = {
            name: self._ask(name, adapter, refresh) for name, adapter in adapters.items() if adapter.missing() is None
        }
        for question in questions.values():
            question.done.wait(max(0.0, question.begun + self._wait_s - time.monotonic()))
        alone = self._only_text(adapters)
        halts = self._halts()
        standings = [self._standing(adapter, questions.get(name), alone) for name, adapter in adapters.items()]
        return (*(_with_halts(one, halts) for one in standings), _built_in())

    def states(self) -> tuple[Standing, ...]:
        """The same as far as settings tell it: nobody is asked."""
        adapters = self._loaded()
        alone = self._only_text(adapters)
        return (*(self._standing(one, _Question(0.0, 0.0), alone) for one in adapters.values()), _built_in())

    def models(self) -> tuple[Choice, ...]:
        """The catalogue for those who choose. Asks nobody."""
        adapters = self._loaded()
        missing = {name: adapter.missing() for name, adapter in adapters.items()}
        text = {name: tariff for name, one in adapters.items() if (tariff := _tariff(one)) is not None}
        return choices(missing, text)

    # --- Asking ---------------------------------------------------------------------------------

    def _loaded(self) -> dict[str, Asked]:
        from pipeline.providers.aws import Aws  # with HTTP packages, which no start has to wait for

        with self._lock:
            if not self._adapters:
                self._adapters = {name: load_chat_adapter(name, self._settings) for name in CHAT_ADAPTERS}
                self._adapters |= {name: load_adapter(name, self._settings) for name in ADAPTERS if name != EMBEDDED}
                self._adapters[Aws.name] = Aws(self._settings)
            return self._adapters

    def _ask(self, name: str, adapter: Asked, refresh: bool) -> _Question:
        """The question that is on its way or still fresh, else a new one."""
        with self._lock:
            known = self._questions.get(name)
            if known is not None:
                if known.answered is None:
                    return known
                if not refresh and time.monotonic() - known.answered < self._fresh_s:
                    return known
            question = self._questions[name] = _Question(time.monotonic())
        threading.Thread(target=_put, args=(adapter, question), name=f"account-{name}", daemon=True).start()
        return question

    @staticmethod
    def _only_text(adapters: Mapping[str, Asked]) -> str | None:
        """The one provider of language models, where there is only one."""
        ready = [name for name in CHAT_ADAPTERS if adapters[name].missing() is None]
        return ready[0] if len(ready) == 1 else None

    def _standing(self, adapter: Asked, question: _Question | None, alone: str | None) -> Standing:
        name, missing = adapter.name, adapter.missing()
        base = Standing(name, adapter.label, "needs_key", Account(note=f"Set {missing}."), _inventory(adapter), missing)
        if question is None or missing is not None:
            return base
        if question.answered is None:
            return replace(base, state="error", account=Account(note=SLOW))
        standing = replace(base, state=question.state, account=question.account, asked_at=question.at)
        if name == alone and name in DEGRADED and standing.state == "ready":
            note = f"{DEGRADED[name]} {question.account.note}".strip()
            return replace(standing, state="degraded", account=replace(question.account, note=note))
        return standing


def _tariff(adapter: Asked) -> Tariff | None:
    found = getattr(adapter, "tariff", None)  # language models have one; jobs have a price for each model
    return found if isinstance(found, Tariff) else None


def _inventory(adapter: Asked) -> tuple[Offer, ...]:
    tariff = _tariff(adapter)
    if tariff is not None:
        return (text_offer(tariff),)
    return offers(adapter.name) if adapter.name in ADAPTERS else check_offers()


def _put(adapter: Asked, question: _Question) -> None:
    """Asks, and keeps the answer whenever it comes."""
    try:
        question.account = adapter.account()
    except ProviderFailure as failure:
        question.state = _STATES[failure.kind]
        question.account = Account(note=_note(adapter, failure))
    except Exception as failure:
        # Whatever a provider sends, the others are still shown. The type alone: a message might quote a header.
        log.warning("account at %s: %s", adapter.name, type(failure).__name__)
        question.state = "error"
        question.account = Account(note="Its answer could not be read; look again later.")
    question.at = datetime.now(UTC)
    question.answered = time.monotonic()
    question.done.set()


def _note(adapter: Asked, failure: ProviderFailure) -> str:
    if failure.kind == "auth":
        return f"{failure.detail} Check {adapter.key_setting.upper()}, and start the program again."
    return failure.sentence


def _with_halts(standing: Standing, halts: Halts) -> Standing:
    held = {kind: why for (provider, kind), why in halts.items() if provider == standing.name}
    if not held:
        return standing
    state: State = "degraded" if standing.state == "ready" else standing.state
    return replace(standing, halted=held, state=state)


def _built_in() -> Standing:
    return Standing(EMBEDDED, _BUILT_IN, "ready", Account(note=_FREE), offers(EMBEDDED))
