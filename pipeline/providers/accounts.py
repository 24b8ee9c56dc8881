"""What a provider tells of the account behind a key: whose it is, and what is left on it.

Hides the short-lived connection that asks. Only a number that the provider gave for a balance becomes one; whatever
else comes back (an error, a page of HTML, a string where a number is due) is a note in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pipeline.providers import INQUIRY_S
from pipeline.providers.http import Reply, Wire, authenticated

UNREADABLE = "The provider gave no balance that can be read."
_MOST_UNITS = 1e12
_LONGEST_NAME = 120


@contextmanager
def inquiry(label: str, base_url: str, headers: Mapping[str, str], *, secret: str) -> Iterator[Wire]:
    """A connection for questions about an account. The key goes to this address alone, and into no message."""
    wire = Wire(label, authenticated(headers), base_urls=(base_url,), secret=secret, timeout_s=INQUIRY_S)
    try:
        yield wire
    finally:
        wire.close()


def micros(value: object) -> int | None:
    """Millionths of a unit for a number of units; None for what is no plain number (true, "12", NaN, 1e300)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _MOST_UNITS:
        return None
    return round(value * 1_000_000)


def currency(value: object) -> str | None:
    """A currency's code, where it looks like one; USD where none is told."""
    if value is None:
        return "USD"
    known = isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha()
    return str(value).upper() if known else None


def name(wire: Wire, value: object) -> str | None:
    """A name as it may be shown: one line, without the key. Some services name a key after its first letters."""
    if not isinstance(value, str) or value.startswith(("sk-", "r8_")):
        return None
    return wire.clean(value)[:_LONGEST_NAME] or None


def inside(reply: Reply, key: str) -> dict[str, object]:
    """The object under `key`; empty where there is none."""
    found = reply.fields.get(key)
    return found if isinstance(found, dict) else {}
