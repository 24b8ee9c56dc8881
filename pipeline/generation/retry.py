"""What follows a provider's failure: a pure function of the failures so far, with no clock and no record.

The rule behind all of it: nothing is paid for twice. A request whose answer was lost may have been accepted, so it is
never sent again by itself; one that certainly was not accepted may be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "auth", "billing", "rate_limit", "invalid_input", "moderation", "transient", "ambiguous", "expired", "bad_output"
]
Action = Literal["resend", "again", "elsewhere", "other_model", "ambiguous", "halt", "give_up"]

MOST_SENDS = 3  # of one request to one provider, where none was accepted
MOST_WAITS = 8  # for a provider that asks to be left alone for a while
MOST_JOBS = 3  # accepted jobs that ended badly
LONGEST_WAIT_S = 900.0
_BACKOFF_S = (1.0, 4.0, 10.0, 20.0, 30.0, 60.0)


@dataclass(frozen=True)
class Failed:
    """One failure. `place` is the provider and model, `accepted` whether the provider had taken the job.

    `bad_output`: the job ended well and its result, fetched more than once, cannot be used.
    """

    place: str
    kind: Kind
    accepted: bool = False
    retry_after_s: float | None = None


@dataclass(frozen=True)
class Decision:
    """`resend`: the same request in the same record, nothing was accepted. `again`: a new, counted job.

    `elsewhere`: the next provider of the same model. `other_model`: another model. `ambiguous`: look it up or ask the
    user. `halt`: it would refuse everything else too. `give_up`: say what is wrong.
    """

    action: Action
    delay_s: float = 0.0


def decide(
    failures: Sequence[Failed],
    *,
    synchronous: bool,
    elsewhere: bool,
    other_model: bool,
    fallback: bool = False,
    rebuy: bool = False,
) -> Decision:
    """What follows the last of `failures`, which are all of one request, oldest first.

    `synchronous`: the answer is the result, so a lost one may be asked for again at the risk of an extra charge.
    `elsewhere`, `other_model`: whether there is another provider of the same model, another model. `fallback`: another
    model stands in whatever the cause, not only for a refusal. `rebuy`: so cheap that what was paid for and cannot be
    used is bought again without asking.
    """
    decision = _decided(failures, synchronous=synchronous, elsewhere=elsewhere, other_model=other_model, rebuy=rebuy)
    if decision.action == "give_up" and fallback and other_model:
        return Decision("other_model")
    return decision


def _decided(
    failures: Sequence[Failed], *, synchronous: bool, elsewhere: bool, other_model: bool, rebuy: bool
) -> Decision:
    last = failures[-1]
    here = [one for one in failures if one.place == last.place]
    if last.kind in ("auth", "billing"):
        return Decision("halt")
    if last.kind == "invalid_input" or (last.kind in ("expired", "bad_output") and not rebuy):
        return Decision("give_up")
    if last.kind == "moderation":
        first = sum(one.kind == "moderation" for one in failures) == 1
        return Decision("other_model") if first and other_model else Decision("give_up")
    if last.kind == "ambiguous" and not synchronous:
        return Decision("ambiguous")
    if last.accepted or last.kind in ("expired", "bad_output"):
        jobs = sum(one.accepted or one.kind in ("expired", "bad_output") for one in failures)
        return Decision("again", _backoff(jobs)) if jobs < MOST_JOBS else Decision("give_up")
    return _not_accepted(last, here, elsewhere=elsewhere)


def _not_accepted(last: Failed, here: Sequence[Failed], *, elsewhere: bool) -> Decision:
    alike = sum((one.kind == "rate_limit") == (last.kind == "rate_limit") and not one.accepted for one in here)
    limit = MOST_WAITS if last.kind == "rate_limit" else MOST_SENDS
    asked = last.retry_after_s or 0.0
    if alike < limit and asked <= LONGEST_WAIT_S:
        return Decision("resend", max(asked, _backoff(alike) if last.retry_after_s is None else asked))
    return Decision("elsewhere") if elsewhere and last.kind != "ambiguous" else Decision("give_up")


def _backoff(times: int) -> float:
    return _BACKOFF_S[min(max(times, 1), len(_BACKOFF_S)) - 1]
