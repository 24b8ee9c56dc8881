"""The check that needs no key and no network. Hides that it runs in the engine pool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pipeline.errors import Cancelled, ProductError
from pipeline.inference.safety import bare_skin
from pipeline.providers.failures import ProviderFailure
from pipeline.providers.moderators import Answer, Check, Compute
from pipeline.settings import Settings

LOOK_TIMEOUT_S = 60.0


class Bundled:
    name: ClassVar[str] = "bundled"
    label: ClassVar[str] = "Built-in check"
    checks: ClassVar[frozenset[Check]] = frozenset({"visual"})
    grown_up: ClassVar[bool] = False

    def __init__(self, settings: Settings, compute: Compute) -> None:
        self._compute = compute

    def missing(self) -> None:
        return None

    def check(self, check: Check, pictures: Sequence[Path]) -> Answer:
        try:
            score = self._compute(bare_skin, tuple(pictures), timeout_s=LOOK_TIMEOUT_S)
        except Cancelled:
            raise
        except ProductError as failure:
            raise ProviderFailure(failure.detail, provider=self.name, kind="transient") from failure
        return Answer({"nudity": float(score)})

    def price(self, check: Check, pictures: int) -> int:
        return 0

    def close(self) -> None:
        return None
