"""The media generator's items, and published files by their content.

A file's address never changes its meaning, so it may be kept forever.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import Session

from pipeline.errors import InvalidInput, NotFound
from pipeline.media import Wanted
from pipeline.store.models import Media
from server.api.credits import cursor_of
from server.contract import Answer, Page, Paged, Raw, Turn, api
from server.files import send_media
from server.http import services

room = Blueprint("media", __name__)

ANY_FILE = Raw(("video/mp4", "image/*", "audio/*", "text/vtt", "application/x-subrip", "application/json"), ranges=True)


@room.get("/media/<name>")
@api(answers={200: ANY_FILE}, problems=("media_missing",))
def show(name: str) -> Response:
    """Sends a published file, whole or in ranges."""
    try:
        return send_media(services().store.media, f"/media/{name}", forever=True)
    except InvalidInput:
        raise NotFound("There is no such file.") from None


class PriceAnswer(Answer):
    """`credits`: what is charged; `list_credits`: what it would be without a reason to be free (`free_because`)."""

    credits: int
    list_credits: int
    free_because: str


class LeftOut(Answer):
    """A picture of a sequence that was refused for its content. `index` counts from 0; `detail` says it in words."""

    index: int
    reason: str
    detail: str


class MediaResult(Answer):
    """`items`: what was made, as {url, index, width, height, duration_ms} as far as it is known; `left_out`: how many
    pictures of a sequence were refused, which `refused` has one by one."""

    items: list[dict[str, Any]]
    left_out: int
    refused: list[LeftOut] = Field(default_factory=list)


class MediaAnswer(Answer):
    """An item. `status`: accepted, running, finished or failed; then `media_failure_reason` is a problem's code, or for
    content that was refused one of underage, celebrity, nudity, illegal, offensive, moderation;
    `media_failure_detail` says it in words."""

    id: int
    type: str
    status: str
    rating: str
    inputs: dict[str, Any]
    price_credits: int
    source_id: int | None
    workflow_name: str | None
    result: MediaResult | None
    media_failure_reason: str | None
    media_failure_detail: str | None
    created_at: str
    ended_at: str | None


@room.post("/api/media/price")
@api(body=Wanted, answers={200: PriceAnswer}, problems=("needs_setup", "media_missing"))
def price(body: Wanted) -> PriceAnswer:
    """Says what an item would cost; nothing is started."""
    return PriceAnswer(**services().media.quote(body).model_dump())


@room.post("/api/media")
@api(
    body=Wanted,
    answers={202: MediaAnswer},
    problems=("needs_setup", "media_missing", "insufficient_credits", "usage_limit"),
    spends=True,
    location="/api/media/{id}",
)
def create(body: Wanted, turn: Turn) -> MediaAnswer:
    """Accepts an item, charges its price, and has it made."""

    def keep(session: Session, item: Media) -> None:
        turn.keep(session, _item(item))

    return _item(services().media.accept(body, also=keep))


@room.get("/api/media")
@api(query=Paged, answers={200: Page[MediaAnswer]})
def index(query: Paged) -> Page[MediaAnswer]:
    """Lists the items, newest first."""
    found = services().media.items(before=cursor_of(query), limit=query.limit + 1)
    shown = found[: query.limit]
    following = str(shown[-1].id) if len(found) > query.limit else None
    return Page[MediaAnswer](items=[_item(one) for one in shown], next=following)


@room.get("/api/media/<int:media_id>")
@api(answers={200: MediaAnswer})
def read(media_id: int) -> MediaAnswer:
    """Reads an item."""
    return _item(services().media.item(media_id))


def _item(item: Media) -> MediaAnswer:
    return MediaAnswer(
        id=item.id,
        type=item.type,
        status=item.status,
        rating=item.rating,
        inputs=item.inputs,
        price_credits=item.price_credits,
        source_id=item.source_id,
        workflow_name=item.workflow_name,
        result=MediaResult(**item.result) if item.result else None,
        media_failure_reason=item.failure_reason,
        media_failure_detail=item.failure_detail,
        created_at=item.created_at,
        ended_at=item.ended_at,
    )
