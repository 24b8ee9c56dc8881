"""Who serves a request. Hides the order in which providers are asked, what `auto`, `preview` and `paid` mean, and which
providers are to be left alone for a while or altogether.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from pipeline.contracts import Capability, JobRequest, SpeechRequest, Voice
from pipeline.errors import InvalidInput, NeedsSetup
from pipeline.generation.preferences import PreferenceBook
from pipeline.providers import ADAPTERS, JobAdapter, Model, load_adapter
from pipeline.settings import Settings

if TYPE_CHECKING:  # loaded when first used, because it brings the engines along
    from pipeline.providers.local import Local

T = TypeVar("T")

EMBEDDED = "local"
# Speech with word times comes before speech without; elsewhere the registry's order holds.
FIRST: dict[Capability, tuple[str, ...]] = {"speech": ("fal",), "upscale": ("fal",)}
DEFAULT_MODEL = "flux-2-pro"


@dataclass(frozen=True)
class Candidate:
    """One way to serve a request: a provider and a model of the catalogue."""

    adapter: JobAdapter
    model: Model

    @property
    def place(self) -> str:
        return f"{self.adapter.name}/{self.model.name}"

    @property
    def called(self) -> str:
        """The same in words for users, who know models by their labels."""
        return f"{self.model.label or self.model.name} at {self.adapter.label}"

    @property
    def paid(self) -> bool:
        return self.adapter.name != EMBEDDED

    @property
    def local_addresses(self) -> bool:
        """Whether its results may lie on this machine: only where it lives there itself."""
        return any(_is_local(url) for url in self.adapter.base_urls())


class ProviderChain:
    """Adapters in order of preference, loaded on first use and shared by all threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._adapters: dict[str, JobAdapter] = {}
        self._lock = threading.Lock()
        self._held: dict[str, float] = {}
        self.preferences: PreferenceBook | None = None

    @property
    def settings(self) -> Settings:
        return self._settings

    def adapter(self, name: str) -> JobAdapter:
        with self._lock:
            if name not in self._adapters:
                self._adapters[name] = load_adapter(name, self._settings)
            return self._adapters[name]

    # --- Who serves -----------------------------------------------------------------------------

    def candidates(self, request: JobRequest, render: str, only: str = "") -> tuple[Candidate, ...]:
        """Those that can serve the request, the first choice first; all of one render kind. With `only`, the first
        choice of that provider alone.

        Raises NeedsSetup, naming the keys: for `paid` without one, and for a model that no provider with a key has.
        """
        if only and only != EMBEDDED:
            return (self._the_one(request, only),)
        paid = () if render == "preview" or only else tuple(self._paid(request))
        if paid:
            return paid
        if render == "paid":
            raise self._needs_setup(request.capability)
        return (Candidate(self.adapter(EMBEDDED), Model(self._own_model(request), request.capability)),)

    def _the_one(self, request: JobRequest, provider: str) -> Candidate:
        if provider not in ADAPTERS:
            raise InvalidInput(f"There is no provider {provider}.", field="provider")
        missing = self.adapter(provider).ready(request.capability)
        if missing is not None:
            raise NeedsSetup(f"{provider} is not set up for {request.capability}.", hint=missing, field="provider")
        wanted = getattr(request, "model", "")
        found = next((one for one in self._paid(request) if one.adapter.name == provider), None)
        if found is None or wanted not in ("", found.model.name):
            raise NeedsSetup(f"{provider} has no model for {request.capability}.", field="provider")
        return found

    def _own_model(self, request: JobRequest) -> str:
        return self.adapter(EMBEDDED).model(request)

    def _paid(self, request: JobRequest) -> Iterator[Candidate]:
        wanted = getattr(request, "model", "")
        ready = [one for one in self._ready(request.capability) if _speaks(one, request)]
        if self.preferences is not None and request.capability == "image":
            ready = self.preferences.ordered([(one.name, one) for one in ready], request)
        served = [(one, model) for one in ready if (model := _served(one, request, wanted)) is not None]
        if ready and not served:
            raise NeedsSetup(
                f"No provider that is set up has the model {wanted}.",
                hint="Choose another model, or set the key of a provider that has it.",
                field="model",
            )
        names = {model.name for _, model in served}
        first = served[0][1].name if served else ""
        same = [Candidate(one, model) for one, model in served if model.name == first]
        yield from same
        yield from (Candidate(one, model) for one, model in served if model.name != first)
        # Other models come last: they are used when a model refuses, and where lips need another engine.
        for one in ready:
            for model in one.models():
                if model.capability == request.capability and model.name not in names:
                    names.add(model.name)
                    yield Candidate(one, model)

    def _ready(self, capability: Capability) -> list[JobAdapter]:
        return [one for one in self._remote(capability) if one.ready(capability) is None]

    def _remote(self, capability: Capability) -> list[JobAdapter]:
        """All but the embedded engines, the first choice for this kind of work first."""
        first = FIRST.get(capability, ())
        names = [*(name for name in first if name in ADAPTERS), *(name for name in ADAPTERS if name not in first)]
        return [self.adapter(name) for name in names if name != EMBEDDED]

    def _needs_setup(self, capability: Capability) -> NeedsSetup:
        return NeedsSetup(
            f"No provider for {capability} is set up, and this project asks for paid {capability} only.",
            hint=f"Set {self._keys(capability)}, or set render to auto or preview.",
            field=f"render_{capability}",
        )

    def _keys(self, capability: Capability) -> str:
        """The settings that each make this kind of work possible, as the adapters name them, the first choice first."""
        able = (one for one in self._remote(capability) if any(has.capability == capability for has in one.models()))
        return " or ".join(missing for one in able if (missing := one.missing()) is not None)

    def voices(self, language: str, render: str) -> tuple[Voice, ...]:
        """The voices of the first speech provider that speaks the language."""
        if render != "preview":
            for adapter in self._ready("speech"):
                voices = adapter.voices(language)
                if voices:
                    return voices
        if render == "paid":
            raise self._needs_setup("speech")
        return self.adapter(EMBEDDED).voices(language)

    def reference_cap(self, model: str, render: str) -> int:
        """How many reference pictures the model takes at the provider that would serve it; the catalogue's cap where
        nothing paid is set up, so that previews agree with it."""
        wanted = model or DEFAULT_MODEL
        ready = self._ready("image") if render != "preview" else []
        caps = [one.references for adapter in ready for one in adapter.models() if one.name == wanted]
        if caps:
            return caps[0]
        from pipeline.providers.catalogue import entries  # loaded when first used, as the adapters are

        return entries()[wanted].cap if wanted in entries() else 0

    # --- Who is to be left alone ----------------------------------------------------------------

    def hold(self, provider: str, seconds: float) -> None:
        """The provider asked for a pause: nothing is sent to it until then."""
        with self._lock:
            self._held[provider] = max(self._held.get(provider, 0.0), time.monotonic() + seconds)

    def held_for(self, provider: str) -> float:
        """For how many seconds nothing may be sent to the provider."""
        with self._lock:
            return max(0.0, self._held.get(provider, 0.0) - time.monotonic())

    # --- The embedded engines' pool -------------------------------------------------------------

    def compute(self, function: Callable[..., T], *args: object, timeout_s: float) -> T:
        """Run a function of ours in the embedded engines' process pool, so that this process stays quick."""
        local = cast("Local", self.adapter(EMBEDDED))
        return local.compute(function, *args, timeout_s=timeout_s)

    def close(self) -> None:
        with self._lock:
            for adapter in self._adapters.values():
                adapter.close()
            self._adapters.clear()


def _speaks(adapter: JobAdapter, request: JobRequest) -> bool:
    """A voice is one provider's own: only that one can serve a speech request."""
    if not isinstance(request, SpeechRequest):
        return True
    return any(voice.id == request.voice for voice in adapter.voices(request.language))


def _served(adapter: JobAdapter, request: JobRequest, wanted: str) -> Model | None:
    models = [one for one in adapter.models() if one.capability == request.capability]
    name = wanted or adapter.model(request)
    return next((one for one in models if one.name == name), None)


def after(candidates: Sequence[Candidate], current: Candidate, *, other_model: bool) -> Candidate | None:
    """The next candidate: of another model, or of the same model at another provider."""
    left = candidates[candidates.index(current) + 1 :]
    same = [one for one in left if (one.model.name != current.model.name) == other_model]
    return same[0] if same else None


def _is_local(url: str) -> bool:
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name in ("localhost", "::1") or name.startswith("127.")
