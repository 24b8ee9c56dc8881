"""What every provider beyond this machine has in common: its key, its share of the catalogue, its files' way there, and
the order of a submit. An adapter adds how its provider is spoken to.

Hides the provider's package until the first request, so that a process without keys never loads it.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr

from pipeline.contracts import Capability, ImageRequest, JobRequest, MediaRef, SpeechRequest, Voice
from pipeline.errors import NeedsSetup
from pipeline.providers import Account, Callback, Finished, Job, JobHandle, Model, Published
from pipeline.providers.catalogue import Slug, entries, estimate, models_of, slug_for, voices
from pipeline.providers.failures import ProviderFailure
from pipeline.providers.http import Wire
from pipeline.providers.inputs import FileKind, Link, build, fit_picture
from pipeline.settings import Settings

T = TypeVar("T")

FRESH_S = 60.0
LINKS_LAST_S = 1200.0  # well below the shortest time for which a provider keeps an upload
TYPES = {".mp4": "video/mp4", ".mov": "video/quicktime", ".wav": "audio/wav", ".mp3": "audio/mpeg", ".m4a": "audio/mp4"}


class RemoteAdapter:
    """`label` is what users read; `key_setting` names the setting that holds the key."""

    name: ClassVar[str]
    label: ClassVar[str]
    key_setting: ClassVar[str]

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._open: Wire | None = None
        self._links: dict[tuple[str, ...], tuple[str, float]] = {}
        self._prices: dict[str, dict[str, int]] = {}

    # --- What it can do -------------------------------------------------------------------------

    def ready(self, capability: Capability) -> str | None:
        if not any(model.capability == capability for model in self.models()):
            return f"{self.name} has no models for {capability}."
        return None if self._key() else f"Set {self.key_setting.upper()}."

    def missing(self) -> str | None:
        return None if self._key() else self.key_setting.upper()

    def account(self) -> Account:
        return Account(note=f"{self.label} tells nothing about its accounts; the key is first tried with real work.")

    def models(self) -> tuple[Model, ...]:
        return models_of(self.name)

    def model(self, request: JobRequest) -> str:
        mine = [one.name for one in self.models() if one.capability == request.capability]
        named: str = getattr(request, "model", "")
        if named in mine:
            return named
        if isinstance(request, SpeechRequest):  # a voice speaks with one model only
            family = request.voice.partition("/")[0]
            mine = [one for one in mine if any(at.voices == family for at in entries()[one].slugs(self.name))] or mine
        return mine[0] if mine else ""

    def estimate(self, request: JobRequest, model: str, made: Mapping[str, Any] | None = None) -> int:
        slug = slug_for(self.name, model, request)
        if slug is None:
            return 0
        told = self._prices.get(slug.slug)
        return estimate(slug if told is None else slug.model_copy(update={"price": told}), request, made)

    def published(self) -> Published:
        return Published()

    def adopt(self, prices: dict[str, dict[str, int]]) -> None:
        self._prices = prices

    def voices(self, language: str) -> tuple[Voice, ...]:
        families: list[str] = []
        for entry in entries().values():
            families += [one.voices for one in entry.slugs(self.name) if one.voices and one.voices not in families]
        return tuple(voice for family in families for voice in voices(family, language))

    def base_urls(self) -> tuple[str, ...]:
        raise NotImplementedError

    # --- Work -----------------------------------------------------------------------------------

    def submit(self, job: Job) -> JobHandle | Finished:
        slug = self._slug(job)
        inputs = build(slug, job.request, self._linker(slug, job))
        return self._post(slug, inputs, job)

    def lookup(self, job: Job, submitted_after: datetime) -> JobHandle | None:
        return None

    def webhook(self, headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> Callback:
        raise self._unsigned("sends no signed webhooks")

    def close(self) -> None:
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None

    # --- What an adapter adds -------------------------------------------------------------------

    def _post(self, slug: Slug, inputs: dict[str, object], job: Job) -> JobHandle | Finished:
        """The one paid request."""
        raise NotImplementedError

    def _connect(self, key: str) -> Wire:
        """The provider's HTTP, through its package's authenticated client."""
        raise NotImplementedError

    def _upload(self, content: bytes, name: str, mime: str) -> str:
        """Brings a file to the provider and returns the address that inputs name it by."""
        raise NotImplementedError

    def _inline(self, kind: FileKind, size: int) -> bool:
        """Whether a file may travel inside the request, as a data URI."""
        return False

    # --- Inside ---------------------------------------------------------------------------------

    def _key(self) -> str:
        secret: SecretStr | None = getattr(self._settings, self.key_setting)
        return secret.get_secret_value() if secret is not None else ""

    @property
    def _wire(self) -> Wire:
        with self._lock:
            if self._open is None:
                key = self._key()
                if not key:
                    raise NeedsSetup(f"{self.name} has no key.", hint=f"Set {self.key_setting.upper()}.")
                self._open = self._connect(key)
            return self._open

    def _slug(self, job: Job) -> Slug:
        name = job.model or self.model(job.request)
        slug = slug_for(self.name, name, job.request)
        if slug is None:
            label = entries()[name].label if name in entries() else name
            raise ProviderFailure(
                f"{label} at {self.name} cannot do this: {_why_not(job.request)}.",
                provider=self.name,
                kind="invalid_input",
            )
        return slug

    def _linker(self, slug: Slug, job: Job) -> Link:
        def link(ref: MediaRef, kind: FileKind, shape: tuple[int, int] | None = None) -> str:
            # The same reference goes into many requests: one upload serves them all.
            limits = (slug.picture.model_dump_json(), str(shape)) if kind == "image" else ()
            key = (ref.sha256, *limits)
            with self._lock:
                url, until = self._links.get(key, ("", 0.0))
            if time.monotonic() < until:
                return url
            content, mime = self._content(slug, job.file(ref), kind, shape)
            if self._inline(kind, len(content)):
                return data_uri(content, mime)
            url = self._upload(content, f"{ref.sha256[:16]}{_suffix(mime)}", mime)
            with self._lock:
                self._links[key] = (url, time.monotonic() + LINKS_LAST_S)
            return url

        return link

    def _content(self, slug: Slug, path: Path, kind: FileKind, shape: tuple[int, int] | None) -> tuple[bytes, str]:
        if kind == "image":
            return fit_picture(path, slug.picture, shape)
        return path.read_bytes(), TYPES.get(path.suffix.lower(), "application/octet-stream")

    def _forget_uploads(self) -> None:
        """After a job that could not read its inputs: the next one brings them anew."""
        with self._lock:
            self._links.clear()

    def _webhook_url(self, job: Job, **more: str) -> str | None:
        if self._settings.public_url is None or not job.generation_id:
            return None
        query = urlencode({"generation": job.generation_id, **more})
        return f"{self._settings.public_url}/api/webhooks/{self.name}?{query}"

    def _unsigned(self, why: str) -> ProviderFailure:
        return ProviderFailure(f"A webhook was turned away: {self.name} {why}.", provider=self.name, kind="auth")


class Remembered(Generic[T]):
    """A value that is fetched when first needed, and anew when it proved wrong and is not fresh (a changed key)."""

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._found: tuple[T, float] | None = None

    def try_with(self, use: Callable[[T], bool]) -> bool:
        """Whether `use` holds for the value, or for one fetched anew. Raises ProviderFailure where there is none."""
        with self._lock:
            if self._found is not None and use(self._found[0]):
                return True
            if self._found is not None and time.monotonic() - self._found[1] < FRESH_S:
                return False
            self._found = (self._fetch(), time.monotonic())
            return use(self._found[0])


def data_uri(content: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def _suffix(mime: str) -> str:
    pictures = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}
    return pictures.get(mime) or next((suffix for suffix, one in TYPES.items() if one == mime), ".bin")


def _why_not(request: JobRequest) -> str:
    if isinstance(request, ImageRequest):
        return "it needs a reference picture" if not request.references else "it takes no reference pictures"
    return "the clip's length, size or last picture is outside its limits"
