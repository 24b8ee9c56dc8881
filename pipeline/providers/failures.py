"""The ways in which work at a provider fails, told apart by what may be done about them.

Hides every provider's own error shapes from those who decide on retries: they read `kind`, `accepted` and
`retry_after_s`, never a status code or a message.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from pipeline.errors import ProductError

FailureKind = Literal[
    "auth",  # the key is missing, wrong or not allowed: refuses all the rest too
    "billing",  # no credit: refuses all the rest too
    "rate_limit",  # not accepted; may be sent again after `retry_after_s`
    "invalid_input",  # this request will never be taken
    "moderation",  # refused for its content; never again to the same model
    "transient",  # may work if tried again
    "ambiguous",  # the job may exist and may be billed: never sent again by itself
    "expired",  # the job or its result is no longer at the provider
]

CODES: dict[FailureKind, str] = {
    "auth": "provider_auth",
    "billing": "provider_billing",
    "rate_limit": "provider_rate_limit",
    "invalid_input": "provider_invalid_input",
    "moderation": "moderation_refused",
    "transient": "provider_unavailable",
    "ambiguous": "submit_ambiguous",
    "expired": "result_expired",
}


class ProviderFailure(ProductError):
    """Work at a provider that failed.

    `accepted`: the provider had taken the job, and it has come to an end. False means that no job was taken, or (from
    a poll) that only the look at it failed. `raw` is the provider's own wording, shortened, without secrets.
    `billed`: the provider did the work, and will charge for it all the same. `cost_micros`: what it has charged, as far
    as its answer told.
    """

    billed = False
    cost_micros = 0

    def __init__(
        self,
        detail: str,
        *,
        provider: str,
        kind: FailureKind,
        retry_after_s: float | None = None,
        accepted: bool = False,
        field: str | None = None,
        hint: str = "",
        raw: str = "",
    ) -> None:
        super().__init__(detail, hint=hint, field=field, code=CODES[kind])
        self.provider = provider
        self.kind: FailureKind = kind
        self.retry_after_s = retry_after_s
        self.accepted = accepted
        self.raw = raw

    def __reduce__(self) -> tuple[object, ...]:
        fields = (self.provider, self.kind, self.retry_after_s, self.accepted, self.field, self.hint, self.raw)
        return (_rebuild_failure, (type(self), self.detail, fields))


class BadAnswer(ProductError):
    """A language model's answer that cannot be used: cut off, no JSON, or not of the schema. `detail` is the reason,
    in words that can be sent back to the model; `cost_micros` what it cost all the same."""

    code = "bad_answer"
    cost_micros = 0


def told_to_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer's Retry-After header stands for; None where it says nothing.

    A date counts from the answer's own `Date`: our clock may be wrong, or jump.
    """
    told = headers.get("retry-after", "").strip()
    with contextlib.suppress(ValueError):
        return max(0.0, float(told))
    with contextlib.suppress(ValueError, TypeError):
        now = headers.get("date")
        began = parsedate_to_datetime(now) if now else datetime.now(UTC)
        return max(0.0, (parsedate_to_datetime(told) - began).total_seconds())
    return None


def _rebuild_failure(
    cls: type[ProviderFailure],
    detail: str,
    fields: tuple[str, FailureKind, float | None, bool, str | None, str, str],
) -> ProviderFailure:
    provider, kind, retry_after_s, accepted, field, hint, raw = fields
    return cls(
        detail,
        provider=provider,
        kind=kind,
        retry_after_s=retry_after_s,
        accepted=accepted,
        field=field,
        hint=hint,
        raw=raw,
    )
