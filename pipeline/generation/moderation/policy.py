"""What follows from what the checkers said: the rating's rules, as a function without effects.

Hides nothing but the rules; docs/moderation.md shows them as a table, which a test compares with this.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pipeline.providers.moderators import Check
from pipeline.store.clearance import Checkpoint, Rating

Reason = Literal["underage", "celebrity", "nudity", "illegal", "offensive", "moderation"]
State = Literal["answered", "unknown", "error", "missing"]
"""answered: with scores. unknown: it looked and could not tell. error: nobody who was asked answered. missing: nobody
is set up."""

# Where several things are found, the gravest is told.
GRAVEST: tuple[Reason, ...] = ("underage", "illegal", "nudity", "offensive", "celebrity")


@dataclass(frozen=True)
class Said:
    """What came of one check, by the checker that spoke last."""

    check: Check
    state: State
    provider: str = ""
    scores: Mapping[str, float] | None = None

    def score(self, label: str) -> float:
        return (self.scores or {}).get(label, 0.0)


@dataclass(frozen=True)
class Decision:
    """pass: may be shown. refuse: for `reason`. hold: not decided, kept hidden until `check` can be made."""

    act: Literal["pass", "refuse", "hold"]
    reason: Reason | None = None
    check: Check | None = None


def wanted(checkpoint: Checkpoint, rating: Rating) -> tuple[Check, ...]:
    """The checks that are made; of these age at general rating only where it is set up."""
    if checkpoint == "input":
        return ("visual",)
    return ("visual", "age", "celebrity") if rating == "mature" else ("visual", "age")


def required(rating: Rating) -> tuple[Check, ...]:
    """The checks that have to be set up before anything is made."""
    return ("visual", "age", "celebrity") if rating == "mature" else ("visual",)


def decide(checkpoint: Checkpoint, rating: Rating, said: Mapping[Check, Said]) -> Decision:
    """`said` has an entry for each wanted check."""
    found = reasons(rating, said)
    if found:
        return Decision("refuse", next(one for one in GRAVEST if one in found))
    for check in wanted(checkpoint, rating):
        state = said[check].state
        silent = state == "error" or (state == "missing" and check in required(rating))
        if silent or (check == "visual" and state != "answered"):
            return Decision("hold", check=check)
    if rating == "mature" and "age" in said and said["age"].state != "answered" and _bares(said["visual"]):
        # Somebody is seen undressed, and nobody could tell the age: a second look would tell no more.
        return Decision("refuse", "moderation")
    return Decision("pass")


def reasons(rating: Rating, said: Mapping[Check, Said]) -> set[Reason]:
    """Every reason for which this is refused."""
    found: set[Reason] = set()
    for one in said.values():
        limits = thresholds(rating, one.provider)
        found |= {label for label in GRAVEST if label in limits and one.score(label) >= limits[label]}
    age = said.get("age")
    young = age is not None and age.score("minor") >= _facts()["underage"]["minor"]
    if young and (rating == "mature" or _bares(said["visual"])):
        found.add("underage")
    return found


def thresholds(rating: Rating, provider: str) -> dict[str, float]:
    """label → the score from which it is refused, for this checker."""
    own = _facts()["checker"].get(provider, {})
    return {label: float(own.get(label, limit)) for label, limit in _facts()["refused"][rating].items()}


def in_use(check: Check, rating: Rating, provider: str) -> dict[str, float]:
    """The thresholds that a check's answer is held against, for the record."""
    if check == "age":
        return {"minor": float(_facts()["underage"]["minor"])}
    limits = thresholds(rating, provider)
    if check == "celebrity":
        return {label: limit for label, limit in limits.items() if label == "celebrity"}
    return {label: limit for label, limit in limits.items() if label != "celebrity"}


def _bares(visual: Said) -> bool:
    """Whether there is any nudity or anything suggestive, by the lower limits that hold for minors."""
    own = _facts()["checker"].get(visual.provider, {})
    limits = {label: float(own.get(label, _facts()["underage"][label])) for label in ("nudity", "suggestive")}
    return any(visual.score(label) >= limit for label, limit in limits.items())


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("thresholds.toml").read_text(encoding="utf-8"))
