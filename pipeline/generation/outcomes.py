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
    """The next piece of work would cost more than is left."""

    code = "budget_reached"


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


def stops_everything(failure: ProductError) -> bool:
    """Causes that lie with the user and would stop all other work of the kind: money, keys, set-up."""
    if isinstance(failure, ProviderFailure):
        return failure.kind in ("auth", "billing")
    if isinstance(failure, NeedsSetup):
        return (failure.field or "").startswith("render_") or failure.field == "model"
    return isinstance(failure, Halted | BudgetReached)
