"""fal's NSFW check: one yes or no for each picture, up to ten at a time."""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pipeline.providers.http import Wire, authenticated
from pipeline.providers.moderators import Answer, Check, Compute
from pipeline.settings import Settings

ENDPOINT = "fal-ai/x-ailab/nsfw"
MOST_AT_ONCE = 10
PRICE_MICROS = 1_000  # a request


class FalNsfw:
    name: ClassVar[str] = "fal"
    label: ClassVar[str] = "fal"
    checks: ClassVar[frozenset[Check]] = frozenset({"visual"})
    grown_up: ClassVar[bool] = True

    def __init__(self, settings: Settings, compute: Compute) -> None:
        self._settings = settings
        self._key = settings.fal_key.get_secret_value() if settings.fal_key else ""
        self._wire: Wire | None = None
        self._lock = threading.Lock()

    def missing(self) -> str | None:
        return None if self._key else "FAL_KEY"

    def check(self, check: Check, pictures: Sequence[Path]) -> Answer:
        batches = [pictures[at : at + MOST_AT_ONCE] for at in range(0, len(pictures), MOST_AT_ONCE)]
        found = [self._batch(batch) for batch in batches]
        return Answer({"nudity": 1.0 if any(found) else 0.0}, cost_micros=self.price(check, len(pictures)))

    def price(self, check: Check, pictures: int) -> int:
        return -(-pictures // MOST_AT_ONCE) * PRICE_MICROS

    def close(self) -> None:
        with self._lock:
            wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _batch(self, pictures: Sequence[Path]) -> bool:
        urls = ["data:image/jpeg;base64," + base64.b64encode(one.read_bytes()).decode() for one in pictures]
        wire = self._connected()
        reply = wire.submit(f"{self._settings.fal_run_base_url}/{ENDPOINT}", {"image_urls": urls})
        marks = reply.fields.get("has_nsfw_concepts")
        if not isinstance(marks, list) or len(marks) != len(urls) or not all(isinstance(one, bool) for one in marks):
            raise wire.failure("transient", "gave no verdict that can be read", accepted=True, raw=reply.text)
        return any(marks)

    def _connected(self) -> Wire:
        with self._lock:
            if self._wire is None:
                base_url = self._settings.fal_run_base_url
                self._wire = Wire(
                    self.label,
                    authenticated({"Authorization": f"Key {self._key}"}),
                    base_urls=(base_url,),
                    secret=self._key,
                    timeout_s=self._settings.provider_timeout_s,
                )
            return self._wire
