"""Work at providers: what waits for the user's word, and what providers tell by themselves."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict

from pipeline.errors import InvalidInput, NotFound
from pipeline.generation.record import Row
from pipeline.providers import ADAPTERS
from pipeline.providers.failures import ProviderFailure
from server.http import Refused, body_as, json_object, services

room = Blueprint("generations", __name__, url_prefix="/api")

_LARGEST_WEBHOOK = 1 << 20


class Settlement(BaseModel):
    """{"choice": "resend" | "abandon"}; `{"resend": true}` and `{"abandon": true}` say the same."""

    model_config = ConfigDict(extra="forbid", strict=True)

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


@room.get("/projects/<int:project_id>/unresolved")
def unresolved(project_id: int) -> Response:
    """Requests whose answer was lost and that nobody has found again, oldest first."""
    rows = reversed(services().runner.generator.unresolved(project_id))
    return jsonify({"items": [_view(row) for row in rows], "next": None})


@room.post("/generations/<generation_id>/resolve")
def resolve(generation_id: str) -> Response:
    choice = body_as(Settlement, json_object()).chosen()
    runner = services().runner
    row = runner.loose.resolve(generation_id, choice)
    return jsonify(_view(runner.generator.records.row(row.id) or row))


def _view(row: Row) -> dict[str, object]:
    return {
        "id": row.id,
        "project_id": row.project_id,
        "unit": row.unit_key,
        "capability": row.capability,
        "provider": row.provider,
        "model": row.model,
        "status": row.status,
        "submitted_at": row.submitted_at.isoformat(),
        "error": row.error or None,
    }


@room.post("/webhooks/<provider>")
def webhook(provider: str) -> tuple[Response, int]:
    """A provider's word about a job, believed only with a right signature, and then only for where to look."""
    if provider not in ADAPTERS:
        raise NotFound("There is no such provider.")
    if (request.content_length or 0) > _LARGEST_WEBHOOK:
        raise Refused("The webhook is too large.", code="too_large")
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        used = services().runner.loose.called_back(provider, headers, request.get_data(), request.args.to_dict())
    except ProviderFailure:
        raise Refused("The webhook's signature is not right.", code="forbidden") from None
    return jsonify({"used": used}), 200
