"""How provider work can end without a result, in words for the user and codes for clients."""

from __future__ import annotations

from pipeline.errors import NeedsSetup, ProductError
from pipeline.providers.failures import ProviderFailure


class Unresolved(ProductError):
    """It is not known whether the provider took the request: the user decides (`generation_id` names the record)."""

    code = "submit_ambiguous"

    def __init__(self, generation_id: str, provider: str) -> None:
        super().__init__(
            f"{provider}'s answer was lost, so it is not known whether it has taken the work.",
            hint=f"Look at your account there, then have it sent again or give it up (generation {generation_id}).",
        )
        self.generation_id = generation_id


class Halted(ProductError):
    """The provider refuses for a cause that would refuse all the rest: nothing more is sent until resumed."""

    code = "queue_halted"

    def __init__(self, detail: str, provider: str, *, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.provider = provider


class BudgetReached(ProductError):
    """The next piece of work could cost more than is left. `generation_id`: what is hidden until it can be checked."""

    code = "budget_reached"
    generation_id: str | None = None


class Abandoned(ProductError):
    """The user gave up a request whose answer was lost."""

    code = "abandoned"


class AskedAgain(ProductError):
    """Not a failure: the mark of a request that the user has asked to be sent again."""

    code = "asked_again"

    def __init__(self) -> None:
        super().__init__("Its answer was lost, and the user asked for it to be sent again.")


class Superseded(ProductError):
    """A request that was to be sent again, and that nothing waits for any more: it was not sent."""

    code = "superseded"


class ProviderSilent(ProductError):
    """A phase took longer than it may. The job is still the provider's, and is taken up again later."""

    code = "provider_timeout"


class DownloadFailed(ProductError):
    """The result is there but could not be fetched. It is paid for, and is fetched again later."""

    code = "download_failed"


class ContentRefused(ProductError):
    """Our own check has found what may not be used (`subject` "input") or shown ("output"). It is final.

    `reason` is one of underage, celebrity, nudity, illegal, offensive, moderation.
    """

    code = "moderation_refused"

    def __init__(self, reason: str, *, subject: str) -> None:
        what = "A picture that this is to be made from" if subject == "input" else "The result"
        then = "nothing was made of it" if subject == "input" else "it is not shown"
        super().__init__(
            f"{what} was refused by the content check ({_REASONS[reason]}), so {then}.", hint=_TO_DO[subject]
        )
        self.reason = reason


_REASONS = {
    "underage": "underage: a minor who may not be shown in this way",
    "celebrity": "celebrity: a known person",
    "nudity": "nudity",
    "illegal": "illegal: what the law forbids",
    "offensive": "offensive: cruelty, self-harm or hate",
    "moderation": "moderation: the age of an undressed person cannot be told",
}
_TO_DO = {
    "input": "Swap the reference picture for another one.",
    "output": "Soften the prompt, swap the reference pictures, or choose another model; a clip's still can stand in.",
}


class ModerationUnavailable(ProductError):
    """Every checker has erred: nobody knows whether it may be used or shown. `generation_id`: what is hidden."""

    code = "moderation_unavailable"

    def __init__(self, check: str, *, subject: str, generation_id: str | None = None) -> None:
        kept = "nothing was begun" if subject == "input" else "the result stays hidden"
        super().__init__(f"The {check} check could not be made, so {kept}.")
        self.check = check
        self.generation_id = generation_id


def stops_everything(failure: ProductError) -> bool:
    """Causes that lie with the user and would stop all other work of the kind: money, keys, set-up."""
    if isinstance(failure, ProviderFailure):
        return failure.kind in ("auth", "billing")
    if isinstance(failure, NeedsSetup):
        return (failure.field or "").startswith("render_") or failure.field in ("model", "rating")
    return isinstance(failure, Halted | BudgetReached)
