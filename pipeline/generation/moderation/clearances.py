"""Leave to publish what needs no look, and why it needs none. Nothing else makes a `Clearance`, but the moderator."""

from __future__ import annotations

from pipeline.store.clearance import Clearance, Finding

NOT_CHECKED = "none"  # the name of the check that was not made


def by_our_engine() -> Clearance:
    """Drawn, animated or spoken by an embedded engine: recorded as such."""
    return Clearance("embedded", (Finding(NOT_CHECKED, "embedded", "passed"),))


def assembled() -> Clearance:
    """Joined or cut by our own code out of files that had been published before."""
    return Clearance("assembled", (Finding(NOT_CHECKED, "assembled", "passed"),))


def sound(provider: str, generation_id: str) -> Clearance:
    """A voice by a provider: there is nothing to see in it, and no check of sounds."""
    findings = (Finding(NOT_CHECKED, provider, "unknown"),)
    return Clearance("sound", findings, generation_id=generation_id)


def uploaded() -> Clearance:
    """A user's own picture, for the user's own eyes. It is checked before anything is made of it."""
    return Clearance("upload", (Finding(NOT_CHECKED, "upload", "unknown"),), checkpoint="input")
