"""Published files by their content. An address never changes its meaning, so it may be kept forever."""

from __future__ import annotations

from flask import Blueprint, Response

from pipeline.errors import InvalidInput, NotFound
from server.files import send_media
from server.http import services

room = Blueprint("media", __name__)


@room.get("/media/<name>")
def show(name: str) -> Response:
    try:
        return send_media(services().store.media, f"/media/{name}", forever=True)
    except InvalidInput:
        raise NotFound("There is no such file.") from None
