"""Published files by their content. An address never changes its meaning, so it may be kept forever."""

from __future__ import annotations

from flask import Blueprint, Response

from pipeline.errors import InvalidInput, NotFound
from server.contract import Raw, api
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
