"""What a user can change while the server runs, beside any project: kept in the store, read once, in force at once.

Hides how the values are kept. Secrets are not among them; those are the operator's (`settings`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.orm import Session

from pipeline.contracts import digest
from pipeline.providers import ADAPTERS
from pipeline.store import Store
from pipeline.store.models import Setting

T = TypeVar("T")

_NAMES = tuple(name for name in ADAPTERS if name != "local")
TRAFFIC_SPLIT = "inference-traffic-split"
FULL_ACCESS = "full-access"


class Share(BaseModel):
    """So many percent of the pictures ask the providers in this order; those not named come after, as usual."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    order: Annotated[list[str], Field(min_length=1, max_length=len(_NAMES))]
    percent: Annotated[int, Field(ge=0, le=100)]

    @model_validator(mode="after")
    def _are_providers(self) -> Share:
        unknown = [name for name in self.order if name not in _NAMES]
        if unknown:
            raise ValueError(f"there is no provider called {unknown[0][:40]}; there are {', '.join(_NAMES)}")
        if len(set(self.order)) < len(self.order):
            raise ValueError("an order names each provider once")
        return self


class Preferences(BaseModel):
    """The runtime settings, named as they are kept. Null: the built-in way."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    traffic_split: Annotated[list[Share] | None, Field(alias=TRAFFIC_SPLIT, max_length=20)] = None
    # Types of media items that the price table includes in full access cost nothing.
    full_access: Annotated[bool, Field(alias=FULL_ACCESS)] = False

    @model_validator(mode="after")
    def _adds_up(self) -> Preferences:
        if self.traffic_split is not None and sum(share.percent for share in self.traffic_split) != 100:
            raise ValueError("the percentages have to add up to 100")
        return self


class PreferenceBook:
    """One per store. Safe for any number of threads."""

    def __init__(self, store: Store) -> None:
        self._lock = threading.Lock()
        with store.db.read() as session:
            self._current = _kept(session)

    @property
    def current(self) -> Preferences:
        return self._current

    def change(self, session: Session, wanted: Preferences) -> Preferences:
        """Adds the fields that `wanted` was given to a write that is under way; they hold from then on."""
        for name in wanted.model_fields_set:
            key = Preferences.model_fields[name].alias or name
            session.merge(Setting(key=key, value=wanted.model_dump(mode="json", by_alias=True)[key]))
        session.flush()
        with self._lock:
            self._current = _kept(session)
            return self._current

    def ordered(self, places: Sequence[tuple[str, T]], lot: object) -> list[T]:
        """The (provider, place) pairs in the order that the traffic split has for this lot: equal lots, equal order."""
        share = _drawn(self._current.traffic_split or (), lot)
        if share is None:
            return [place for _, place in places]
        rank = {name: number for number, name in enumerate(share.order)}
        return [place for _, place in sorted(places, key=lambda pair: rank.get(pair[0], len(rank)))]


def _drawn(shares: Sequence[Share], lot: object) -> Share | None:
    point = int(digest(lot)[:12], 16) % 100
    for share in shares:
        if point < share.percent:
            return share
        point -= share.percent
    return None


def _kept(session: Session) -> Preferences:
    """What is kept; a value that an older version wrote and this one cannot use counts as not set."""
    names = [info.alias or name for name, info in Preferences.model_fields.items()]
    rows = {name: row.value for name in names if (row := session.get(Setting, name)) is not None}
    try:
        return Preferences.model_validate(rows)
    except ValidationError:
        return Preferences()
