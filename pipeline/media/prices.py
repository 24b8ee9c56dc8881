"""What an item of the media generator costs, in credits: one table (prices.toml) over the catalogue's list prices.

Hides the arithmetic. A price is fixed: it does not hang on which provider happens to serve, nor on what it bills.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from pipeline.contracts import Capability, JobRequest, Value
from pipeline.errors import InvalidInput
from pipeline.providers.catalogue import entries, estimate
from pipeline.store.money import MICROS_PER_CENT

MediaType = Literal["IMAGE", "IMAGE_SEQUENCE", "VIDEO", "UPSCALE_IMAGE"]
Rating = Literal["general", "mature"]

_TABLE = Path(__file__).with_name("prices.toml")


class Terms(Value):
    """A row of the table; prices.toml explains the fields."""

    kind: Capability
    model: str
    mature_percent: int = Field(ge=100)
    full_access: bool
    free_reedit: bool
    per_day: int = Field(gt=0)


class Price(Value):
    """`credits`: what is charged; `list_credits`: what it would be without a reason to be free (`free_because`)."""

    credits: int
    list_credits: int
    free_because: str = ""


@cache
def terms() -> dict[MediaType, Terms]:
    """The whole table."""
    with _TABLE.open("rb") as file:
        return {kind: Terms(**row) for kind, row in tomllib.load(file).items()}  # type: ignore[misc]


def model_of(kind: MediaType, named: str) -> str:
    """The catalogue's name of the model that is priced and asked for. Raises InvalidInput for one of another kind."""
    row = terms()[kind]
    entry = entries().get(named or row.model)
    if entry is None or entry.kind != row.kind:
        raise InvalidInput(
            f"There is no model {named} for {kind}.", hint="GET /api/models names those there are.", field="model"
        )
    return entry.name


def price(
    kind: MediaType,
    requests: Sequence[JobRequest],
    *,
    model: str,
    rating: Rating,
    embedded: bool = False,
    full_access: bool = False,
    reedit: bool = False,
) -> Price:
    """The price of an item that is made by these requests.

    `embedded`: our own engines make it; `full_access`: the account has full access; `reedit`: it is made from an item
    of the same type. Raises InvalidInput where no place that has the model can do what is asked.
    """
    row = terms()[kind]
    percent = row.mature_percent if rating == "mature" else 100
    list_credits = _credits([_list_price(model, one) for one in requests], percent)
    reasons = (
        (embedded, "built-in engines cost nothing"),
        (full_access and row.full_access, "included in full access"),
        (reedit and row.free_reedit, "a re-edit of an item of one's own"),
    )
    free = next((why for holds, why in reasons if holds), "")
    return Price(credits=0 if free else list_credits, list_credits=list_credits, free_because=free)


def _credits(micros: Sequence[int], percent: int) -> int:
    """Rounded up once, for the whole item."""
    return -(-sum(micros) * percent // (100 * MICROS_PER_CENT))


def _list_price(model: str, request: JobRequest) -> int:
    able = [one for one in entries()[model].at if one.fits(request)]
    if not able:
        raise InvalidInput(f"{model} cannot do this: its size or length is outside the model's limits.", field="model")
    return max(estimate(one, request) for one in able)
