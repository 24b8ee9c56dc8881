"""A run's problems as clients see them: code, text, stage, unit, what to do, and which input each is about.

Hides where a problem comes from: a failure, what a unit noted, a failure that the ledger kept, or the run as a whole.
`text` is whole, the hint included, so that whoever shows nothing else has said everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import ProductError
from pipeline.problems import hint_of
from pipeline.stage import Unit

Entry = dict[str, Any]


def met(failure: ProductError, stage: str, unit: Unit | None = None) -> Entry:
    """A failure, of a unit or of the whole stage."""
    about = {"field": failure.field} if unit is not None else {}
    about |= {"provider": getattr(failure, "provider", None), "generation": getattr(failure, "generation_id", None)}
    return _entry(failure.code, failure.detail, failure.hint, stage, unit, about)


def kept(error: Mapping[str, Any], stage: str, unit: Unit) -> Entry:
    """A failure as the ledger has it."""
    code = str(error.get("code", "internal"))
    hint = str(error.get("hint") or hint_of(code))
    return _entry(code, str(error.get("detail", "")), hint, stage, unit, {"field": error.get("field")})


def noted(note: Sequence[Any], stage: str, unit: Unit) -> Entry:
    """A thing to know; from the ledger it comes as [code, text] or [code, text, about]."""
    code, text, *about = note
    return _entry(code, text, hint_of(code), stage, unit, dict(about[0] or {}) if about else {})


def general(code: str, text: str) -> Entry:
    """Of the run as a whole."""
    return _entry(code, text, hint_of(code), None, None, {})


def _entry(code: str, said: str, hint: str, stage: str | None, unit: Unit | None, about: Mapping[str, object]) -> Entry:
    known = {"label": unit.label, **unit.about} if unit is not None else {}
    words = f"{unit.label}: {said}" if unit is not None else said
    return {
        "code": code,
        "text": words if hint in words else f"{words} {hint}".strip(),
        "stage": stage,
        "unit": unit.key if unit is not None else None if stage is None else "",
        "hint": hint,
        "about": {**known, **{name: value for name, value in about.items() if value is not None}},
    }
