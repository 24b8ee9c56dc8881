"""Work at providers: what waits for the user's word, and what providers tell by themselves."""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, request

from pipeline.errors import InvalidInput, NotFound
from pipeline.generation.choices import shown
from pipeline.generation.record import Row
from pipeline.providers import ADAPTERS
from pipeline.providers.failures import ProviderFailure
from server.contract import Answer, Body, Page, api
from server.http import Refused, services

room = Blueprint("generations", __name__, url_prefix="/api")

_LARGEST_WEBHOOK = 1 << 20


class Settlement(Body):
    """{"choice": "resend" | "abandon"}; `{"resend": true}` and `{"abandon": true}` say the same."""

    choice: Literal["resend", "abandon"] | None = None
    resend: Literal[True] | None = None
    abandon: Literal[True] | None = None

    def chosen(self) -> str:
        """Raises InvalidInput unless exactly one thing is said."""
        said = {self.choice} | {name for name in ("resend", "abandon") if getattr(self, name)}
        said.discard(None)
        if len(said) != 1:
            raise InvalidInput("Say what is to be done: resend or abandon.", field="choice")
        return str(said.pop())


class GenerationAnswer(Answer):
    """A request to a provider. `error` is what is known of how it ended."""

    id: str
    project_id: int | None
    unit: str
    capability: str
    provider: str
    model: str
    status: str
    submitted_at: str
    error: dict[str, Any] | None


class WebhookAnswer(Answer):
    """Whether the word was of use."""

    used: bool


@room.get("/projects/<int:project_id>/unresolved")
@api(answers={200: Page[GenerationAnswer]})
def unresolved(project_id: int) -> Page[GenerationAnswer]:
    """Lists requests whose answer was lost and that nobody has found again, oldest first."""
    rows = reversed(services().runner.generator.unresolved(project_id))
    return Page[GenerationAnswer](items=[_view(row) for row in rows])


@room.post("/generations/<generation_id>/resolve")
@api(body=Settlement, answers={200: GenerationAnswer}, problems=("conflict",))
def resolve(generation_id: str, body: Settlement) -> GenerationAnswer:
    """Settles a request whose answer was lost: it is sent again, or given up."""
    runner = services().runner
    row = runner.loose.resolve(generation_id, body.chosen())
    return _view(runner.generator.records.row(row.id) or row)


@room.post("/generations/<generation_id>/recheck")
@api(
    answers={200: GenerationAnswer},
    problems=("conflict", "moderation_refused", "moderation_unavailable", "media_missing"),
)
def recheck(generation_id: str) -> GenerationAnswer:
    """Checks a result again that is kept hidden because no checker could be asked.

    It is not made again. Once it has passed, resuming the film takes it up.
    """
    return _view(services().runner.generator.recheck(generation_id, services().closing))


def _view(row: Row) -> GenerationAnswer:
    return GenerationAnswer(
        id=row.id,
        project_id=row.project_id,
        unit=row.unit_key,
        capability=row.capability,
        provider=row.provider,
        model=shown(row.model),
        status=row.status,
        submitted_at=row.submitted_at.isoformat(),
        error=row.error or None,
    )


@room.post("/webhooks/<provider>")
@api(takes=("application/json",), answers={200: WebhookAnswer}, problems=("too_large", "forbidden"), security=None)
def webhook(provider: str) -> WebhookAnswer:
    """Takes a provider's word about a job.

    It is believed only with a right signature, and then only for where to look.
    """
    if provider not in ADAPTERS:
        raise NotFound("There is no such provider.")
    if (request.content_length or 0) > _LARGEST_WEBHOOK:
        raise Refused("The webhook is too large.", code="too_large")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        used = services().runner.loose.called_back(provider, headers, request.get_data(), request.args.to_dict())
    except ProviderFailure:
        raise Refused("The webhook's signature is not right.", code="forbidden") from None
    return WebhookAnswer(used=used)
