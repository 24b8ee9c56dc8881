"""Who can say what is in a picture, by name. An adapter asks one service and puts its answer in the product's labels.

Hides every service's own categories and scales. Nothing here decides: what is too much is said in
`generation/moderation`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from pipeline.settings import Settings

Check = Literal["visual", "age", "celebrity"]
Label = str
"""nudity, suggestive, offensive, illegal, minor or celebrity."""

# name → "module:Class".
MODERATORS: dict[str, str] = {
    "rekognition": "pipeline.providers.moderators.rekognition:Rekognition",
    "openai": "pipeline.providers.moderators.openai:OpenAIModeration",
    "vision": "pipeline.providers.moderators.vision:Vision",
    "fal": "pipeline.providers.moderators.fal:FalNsfw",
    "bundled": "pipeline.providers.moderators.bundled:Bundled",
}
Compute = Callable[..., Any]
"""`compute(function, *args, timeout_s=…)`: runs a function of ours in the engine pool."""


@dataclass(frozen=True)
class Answer:
    """The worst of all pictures for each label, 0 to 1. `known` False: it looked, and cannot tell ("no verdict")."""

    scores: Mapping[Label, float]
    known: bool = True
    cost_micros: int = 0


class ModerationAdapter(Protocol):
    """Safe for any number of threads. `grown_up`: it sees enough for the mature rating too."""

    name: ClassVar[str]
    label: ClassVar[str]
    checks: ClassVar[frozenset[Check]]
    grown_up: ClassVar[bool]

    def __init__(self, settings: Settings, compute: Compute) -> None: ...

    def missing(self) -> str | None:
        """The settings without which it does nothing, by their variables' names; None: they are there."""
        ...

    def check(self, check: Check, pictures: Sequence[Path]) -> Answer:
        """Looks at JPEG pictures of at most 1280 pixels a side. Raises ProviderFailure (it erred: ask another);
        there `accepted` says that the request had left and may be charged."""
        ...

    def price(self, check: Check, pictures: int) -> int:
        """The most that looking at so many pictures costs, in micro-dollars, by the list."""
        ...

    def close(self) -> None: ...


def load_moderator(name: str, settings: Settings, compute: Compute) -> ModerationAdapter:
    module, _, kind = MODERATORS[name].partition(":")
    import_module("httpx")  # as in `providers`: the openai package wants all of it loaded
    adapter: ModerationAdapter = getattr(import_module(module), kind)(settings, compute)
    return adapter


def worst(answers: Sequence[Mapping[Label, float]]) -> dict[Label, float]:
    """The highest score of each label."""
    found: dict[Label, float] = {}
    for answer in answers:
        for label, score in answer.items():
            found[label] = max(found.get(label, 0.0), min(1.0, max(0.0, score)))
    return found
