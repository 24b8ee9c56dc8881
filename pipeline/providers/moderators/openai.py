"""OpenAI's moderation of pictures. It costs nothing, takes one picture at a time, and knows nothing of ages:
`sexual/minors` is only ever said of text."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pipeline.providers.chat import Failing, bounded_client, fields, kind_of_refusal, never_sent
from pipeline.providers.deadline import deadline
from pipeline.providers.failures import ProviderFailure, told_to_wait
from pipeline.providers.moderators import Answer, Check, Compute, Label, worst
from pipeline.settings import Settings

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import ModerationImageURLInputParam

MODEL = "omni-moderation-latest"
# What is said of pictures; the other categories are about words.
CATEGORIES: dict[str, tuple[Label, ...]] = {
    "sexual": ("nudity", "suggestive"),
    "violence/graphic": ("offensive",),
    "self-harm": ("offensive",),
    "self-harm/intent": ("offensive",),
    "self-harm/instructions": ("offensive",),
}


class OpenAIModeration:
    name: ClassVar[str] = "openai"
    label: ClassVar[str] = "OpenAI"
    checks: ClassVar[frozenset[Check]] = frozenset({"visual"})
    grown_up: ClassVar[bool] = True

    def __init__(self, settings: Settings, compute: Compute) -> None:
        self._settings = settings
        self._key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
        self._failing = Failing(self.name, self.label, "OPENAI_API_KEY", self._key)
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def missing(self) -> str | None:
        return None if self._key else "OPENAI_API_KEY"

    def check(self, check: Check, pictures: Sequence[Path]) -> Answer:
        return Answer(worst([self._one(picture) for picture in pictures]))

    def price(self, check: Check, pictures: int) -> int:
        return 0

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _one(self, picture: Path) -> dict[Label, float]:
        import openai

        url = "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode()
        shown: ModerationImageURLInputParam = {"type": "image_url", "image_url": {"url": url}}
        try:
            with deadline(self._settings.provider_timeout_s):
                reply = self._sdk().moderations.with_raw_response.create(model=MODEL, input=[shown])
                body = reply.content
        except openai.APIStatusError as error:
            kind = kind_of_refusal(error.status_code, str(error.message))
            after = told_to_wait(error.response.headers)
            raise self._failing.failure(kind, str(error.message), retry_after_s=after) from None
        except openai.APIConnectionError as error:
            cause = str(error.__cause__ or error)
            raise self._failing.failure("transient", cause, charged=not never_sent(error)) from None
        except Exception as error:  # the HTTP package's own errors while the body arrives
            if not type(error).__module__.startswith(("httpx", "openai", "httpcore")):
                raise
            raise self._failing.failure("transient", f"{type(error).__name__}: {error}") from None
        return self._read(body)

    def _read(self, body: bytes) -> dict[Label, float]:
        """Raises ProviderFailure for an answer that says nothing of pictures: silence is no pass."""
        try:
            found: Any = fields(json.loads(body)).get("results")
        except (ValueError, RecursionError):
            found = None
        scores = fields(fields(found[0]).get("category_scores")) if isinstance(found, list) and found else {}
        sexual = scores.get("sexual")
        if isinstance(sexual, bool) or not isinstance(sexual, (int, float)):
            raise self._unreadable(body)
        said: dict[Label, float] = {}
        for category, labels in CATEGORIES.items():
            value = scores.get(category)
            if isinstance(value, (int, float)):
                said = worst([said, dict.fromkeys(labels, float(value))])
        return said

    def _unreadable(self, body: bytes) -> ProviderFailure:
        return self._failing.failure("transient", f"no verdict came back but {body[:120].decode('utf-8', 'replace')!r}")

    def _sdk(self) -> OpenAI:
        import openai

        with self._lock:
            if self._client is None:
                self._client = openai.OpenAI(
                    api_key=self._key,
                    organization="",
                    project="",
                    base_url=self._settings.openai_base_url,
                    max_retries=0,
                    timeout=self._settings.provider_timeout_s,
                )
                bounded_client(self._client._client)
            return self._client
