"""Prices that providers publish, held against the catalogue before they are believed.

Hides the units and forms in which they are told. A price is taken only where it says the same thing as the catalogue's
(one price per one unit, in dollars) and is within a factor of ten of it: an absurd answer must not open a budget.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from pipeline.providers.catalogue import PriceUnit, Slug

FACTOR = 10
MOST_PER_1000_TOKENS = 1_000_000  # micro-dollars: a dollar
Price = dict[PriceUnit, int]
_UNITS: Mapping[str, PriceUnit] = {
    "images": "run",
    "image": "run",
    "requests": "run",
    "videos": "run",
    "video": "run",
    "megapixels": "mp_out",
    "megapixel": "mp_out",
    "seconds": "second",
    "second": "second",
    "1000 characters": "kchar",
}


def believed(slug: Slug, told: object) -> Price | None:
    """The price of an entry {unit_price, unit, currency}; None where it cannot be used."""
    if not isinstance(told, dict) or told.get("currency") != "USD" or len(slug.price) != 1:
        return None
    [(unit, listed)] = slug.price.items()
    amount = _micros(told.get("unit_price"))
    if amount is None or _UNITS.get(str(told.get("unit"))) != unit or not _plausible(amount, listed):
        return None
    return {unit: amount}


def believed_tokens(told: object, listed: Mapping[str, int]) -> dict[str, int] | None:
    """A language model's price {prompt, completion} in dollars per token, as micro-dollars per 1,000 tokens, input and
    output; `listed` is the list price, zeros where there is none. None where it cannot be used."""
    if not isinstance(told, dict):
        return None
    found: dict[str, int] = {}
    for ours, theirs in (("input", "prompt"), ("output", "completion")):
        amount = _micros(told.get(theirs), 1000)
        known = listed.get(ours, 0)
        if amount is None or amount > MOST_PER_1000_TOKENS or (known and not _plausible(amount, known)):
            return None
        found[ours] = amount
    return found


def _plausible(amount: int, listed: int) -> bool:
    return listed <= amount * FACTOR and amount <= listed * FACTOR


def _micros(value: object, times: int = 1) -> int | None:
    """Rounded up, so that nothing that costs something counts as free."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = float(value) * 1_000_000 * times
    except ValueError:
        return None
    return math.ceil(round(amount, 6)) if math.isfinite(amount) and amount > 0 else None
