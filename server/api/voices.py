"""The voices that can be chosen, and what they sound like."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

from flask import Blueprint, Response
from pydantic import Field

from pipeline.contracts import AgeGroup, Gender, Render
from server.contract import Answer, Page, Query, Raw, Text, api
from server.files import send_media
from server.http import services

room = Blueprint("voices", __name__, url_prefix="/api/voices")

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=40)]


class Choice(Query):
    """`render`: as the project's `render_speech`."""

    language: Language = "en"
    render: Render = "auto"


class VoiceAnswer(Answer):
    """`sample_url`: where the voice can be heard; null for one that only speaks for money."""

    id: str
    name: str
    language: str
    gender: Gender
    age_group: AgeGroup
    sample_url: str | None


class Sample(Query):
    voice: Annotated[Text, Field(min_length=1, max_length=200)]
    language: Language = "en"


@room.get("")
@api(query=Choice, answers={200: Page[VoiceAnswer]}, problems=("needs_setup",))
def index(query: Choice) -> Page[VoiceAnswer]:
    """Lists the voices for a language, of the speech provider that would be used."""
    runner = services().runner
    items = [
        VoiceAnswer(**voice.model_dump(), sample_url=_sample(voice.id, voice.language) if free else None)
        for voice, free in runner.samples.among(runner.generator.voices(query.language, query.render))
    ]
    return Page[VoiceAnswer](items=items)


def _sample(voice: str, language: str) -> str:
    return f"/api/voices/sample?{urlencode({'voice': voice, 'language': language}, quote_via=quote)}"


@room.get("/sample")
@api(
    query=Sample,
    answers={200: Raw(("audio/mp4",), ranges=True)},
    problems=("not_found", "engine_failed", "engine_timeout", "disk_full"),
)
def sample(query: Sample) -> Response:
    """Sends a sentence in a built-in voice; it is spoken when it is first asked for."""
    parts = services()
    return send_media(parts.store.media, parts.runner.samples.url(query.voice, query.language))
