"""Who can do a piece of work, by name. An adapter translates between our requests and one provider's, nothing more.

Adapters are loaded when first asked for, so that a provider's SDK costs nothing until it is used. They know nothing of
the store: files come in as paths and go out as `Output`s in the job's work folder, or as `RemoteMedia` to be fetched.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pipeline.contracts import (
    Capability,
    ChatReply,
    ChatRequest,
    JobRequest,
    MediaRef,
    Output,
    RemoteMedia,
    Voice,
)
from pipeline.providers.token_prices import Tariff
from pipeline.settings import Settings

# name → "module:Class", in order of preference; a new provider is one file and one line here.
ADAPTERS: dict[str, str] = {
    "local": "pipeline.providers.local:Local",
    "replicate": "pipeline.providers.replicate:Replicate",
    "fal": "pipeline.providers.fal:Fal",
    "wavespeed": "pipeline.providers.wavespeed:WaveSpeed",
    "atlas": "pipeline.providers.atlas:Atlas",
    "runpod": "pipeline.providers.runpod:RunPod",
    "openai": "pipeline.providers.openai_speech:OpenAISpeech",
}
# The same for language models.
CHAT_ADAPTERS: dict[str, str] = {
    "openrouter": "pipeline.providers.openrouter:OpenRouter",
    "anthropic": "pipeline.providers.anthropic:Anthropic",
    "openai_compatible": "pipeline.providers.openai_compatible:OpenAICompatible",
}


@dataclass(frozen=True)
class Model:
    """A model that an adapter can serve. `name` is the catalogue's, `label` is what users read.

    `references`: how many reference pictures it takes (0: none); `most_ms`: the longest clip or sound that it makes or
    takes, `least_ms` the shortest (0: no limit). `synchronous`: the answer to the request is the result, so there is no
    job to look up, and a lost answer may be asked for again at the risk of an extra charge.
    """

    name: str
    capability: Capability
    label: str = ""
    references: int = 0
    least_ms: int = 0
    most_ms: int = 0
    synchronous: bool = False


@dataclass(frozen=True)
class Job:
    """One submit: what is asked, where its files are, where its outputs go, and the flag that asks it to stop.

    `model` is the catalogue's name of the model to use. `generation_id` goes into the webhook's address
    (`PUBLIC_URL/api/webhooks/<adapter's name>?generation=<id>`), where PUBLIC_URL is set.
    """

    request: JobRequest
    file: Callable[[MediaRef], Path]
    folder: Path
    cancel: threading.Event
    generation_id: str = ""
    model: str = ""


@dataclass(frozen=True)
class Finished:
    """The provider is done. The first output is the result; `meta` says what the provider reports of it.

    `cost_micros`: what the provider says it costs; None where it does not say (the estimate stands then).
    """

    outputs: tuple[Output | RemoteMedia, ...]
    meta: dict[str, Any]
    cost_micros: int | None = 0


@dataclass(frozen=True)
class JobHandle:
    """What is needed to find an accepted job again after a crash, as the provider returned it.

    `data` is JSON: the request's id (always under "id") and the addresses as returned (status, response, cancel).
    """

    provider: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Pending:
    """Not done yet: `phase` is "queued" or "running"; `raw_status` is the provider's own word."""

    phase: str
    raw_status: str = ""


@dataclass(frozen=True)
class Callback:
    """A webhook whose signature was right. `generation_id` is ours, where the address carried it.

    `handle` is the job that it speaks of, complete enough to be polled; `status` is the provider's own word.
    """

    id: str
    generation_id: str | None
    status: str
    handle: JobHandle | None = field(default=None)


# For one question about an account; whoever shows the answer waits for less, and takes it when it comes.
INQUIRY_S = 20.0


@dataclass(frozen=True)
class Account:
    """What a provider tells of the account behind a key. `balance_micros`: millionths of one `currency`, None where no
    balance is told; `note` says why, or what there is to know about the number."""

    identity: str | None = None
    balance_micros: int | None = None
    currency: str = "USD"
    note: str = ""


@dataclass(frozen=True)
class Published:
    """Prices that a provider tells by itself: by slug or model, micro-dollars per unit as the catalogue has them.

    `ignored`: what it tells of these cannot be believed.
    """

    source: str = ""
    prices: dict[str, dict[str, int]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


class JobAdapter(Protocol):
    """Raises ProviderFailure (failures.py), or another ProductError where the cause is our own.

    Safe for any number of threads.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    key_setting: ClassVar[str]

    def __init__(self, settings: Settings) -> None: ...

    def missing(self) -> str | None:
        """The setting without which it does nothing, by its variable's name; None: it is there."""
        ...

    def account(self) -> Account:
        """Asks whose account it is and what is left on it; costs nothing. Raises ProviderFailure."""
        ...

    def published(self) -> Published:
        """Asks what its models cost; empty where it tells no prices. Costs nothing. Raises ProviderFailure."""
        ...

    def adopt(self, prices: dict[str, dict[str, int]]) -> None:
        """Estimates go by these prices from now on; what is not among them keeps its list price."""
        ...

    def ready(self, capability: Capability) -> str | None:
        """None, or the set-up that is missing, in words."""
        ...

    def models(self) -> tuple[Model, ...]:
        """What it can serve, the default of each capability first. Needs no key and no network."""
        ...

    def model(self, request: JobRequest) -> str:
        """The name of the model that would serve the request: the one it names if that is served here, else the
        default of its capability."""
        ...

    def voices(self, language: str) -> tuple[Voice, ...]:
        """Voices that speak the language; empty where the provider has no speech."""
        ...

    def estimate(self, request: JobRequest, model: str, made: Mapping[str, Any] | None = None) -> int:
        """What the request is expected to cost, in micro-dollars; with `made` (what was measured of the result), what
        it does cost where the provider's answer does not say."""
        ...

    def base_urls(self) -> tuple[str, ...]:
        """The addresses it talks to: its results may lie at a local address only where one of these is local."""
        ...

    def submit(self, job: Job) -> JobHandle | Finished:
        """ONE paid request, never repeated by itself; uploads before it may be.

        Raises ProviderFailure: kind "ambiguous" on a timeout, a reset or a 5xx after the body was sent; "transient"
        with accepted=False when it failed before that.
        """
        ...

    def poll(self, handle: JobHandle, job: Job) -> Pending | Finished:
        """One look. Raises ProviderFailure with accepted=True when the job itself failed, was refused or has expired;
        with kind "transient" and accepted=False when only the look failed (to be repeated)."""
        ...

    def cancel(self, handle: JobHandle) -> None:
        """Asks the provider to stop; that it is too late is no failure."""
        ...

    def lookup(self, job: Job, submitted_after: datetime) -> JobHandle | None:
        """The job of a submit whose answer was lost, where the provider can list jobs; else None."""
        ...

    def webhook(self, headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> Callback:
        """Checks the signature and reads it. Raises ProviderFailure (kind "auth") when it does not hold."""
        ...

    def close(self) -> None: ...


class ChatAdapter(Protocol):
    """A language model's provider; `model` is the one that it asks, at `tariff`. Safe for any number of threads."""

    name: ClassVar[str]
    label: ClassVar[str]
    key_setting: ClassVar[str]
    model: str
    tariff: Tariff

    def __init__(self, settings: Settings) -> None: ...

    def missing(self) -> str | None:
        """The setting without which it does nothing, by its variable's name; None: it is there."""
        ...

    def account(self) -> Account:
        """Asks whose account it is and what is left on it; costs nothing. Raises ProviderFailure."""
        ...

    def published(self) -> Published:
        """Asks what its models cost; empty where it tells no prices. Costs nothing. Raises ProviderFailure."""
        ...

    def adopt(self, prices: dict[str, dict[str, int]]) -> None:
        """Estimates go by these prices from now on; what is not among them keeps its list price."""
        ...

    def ready(self) -> str | None:
        """None, or the set-up that is missing, in words."""
        ...

    def estimate(self, request: ChatRequest) -> int:
        """What the answer is likely to cost, in micro-dollars."""
        ...

    def most(self, request: ChatRequest) -> int:
        """The most that one send can be billed with, in micro-dollars: what is reserved before it is sent."""
        ...

    def complete(self, request: ChatRequest) -> ChatReply:
        """ONE request. Raises BadAnswer (failures.py) with the reason when the answer is no JSON object (cut off,
        malformed), and ProviderFailure; there `accepted` says that the request had left and may be charged."""
        ...

    def close(self) -> None: ...


def load_adapter(name: str, settings: Settings) -> JobAdapter:
    if name != "local":
        _load_http()
    adapter: JobAdapter = _load(ADAPTERS[name], settings)
    return adapter


def load_chat_adapter(name: str, settings: Settings) -> ChatAdapter:
    _load_http()
    adapter: ChatAdapter = _load(CHAT_ADAPTERS[name], settings)
    return adapter


def _load_http() -> None:
    # The openai package looks at whatever of httpx another thread has loaded so far, so that has to be all of it.
    import_module("httpx")


def _load(place: str, settings: Settings) -> Any:
    module, _, kind = place.partition(":")
    return getattr(import_module(module), kind)(settings)
