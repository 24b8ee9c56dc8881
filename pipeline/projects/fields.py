"""What a user may say about a project, and what is refused. Pure.

Hides the limits and the cleaning. Text is kept exactly as it was given, with two exceptions: a story's line ends become
`\\n` and its other control characters are taken out (they cannot be spoken or shown); elsewhere a NUL or half of a
surrogate pair, which no database and no file format carries, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.contracts import AspectRatio, Render
from pipeline.errors import Conflict, InvalidInput
from pipeline.film.options import CaptionStyle, Quality, SoundBed
from pipeline.writer.text import count_words, has_words

CHARACTERS_PER_WORD = 20  # a story of so many characters for each allowed word is refused unread
_TITLE_LENGTH = 60
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?|\x85|\u2028")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_SENTENCE_END = re.compile(r"[.!?…。！？]")


def storable(text: str) -> str:
    """The text itself. Raises ValueError for what no database and no file format carries."""
    if _UNSTORABLE.search(text):
        raise ValueError("it has a character that cannot be kept")
    return text


Text = Annotated[str, AfterValidator(storable)]


class ProjectFields(BaseModel):
    """The fields that a user may set, named as the columns or as in FilmOptions. What is left out gets its default, or
    keeps its value."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Text = Field("", max_length=500)
    story: str = ""
    idea: Text = Field("", max_length=20_000)
    style: Text = Field("", max_length=2_000)
    aspect_ratio: AspectRatio = "16:9"
    reference_image_model: Text = Field("", max_length=200)
    frame_image_model: Text = Field("", max_length=200)
    video_model: Text = Field("", max_length=200)
    narrator_voice: Text | None = Field(None, max_length=200)
    language: str = Field("", pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")
    script_mode: Literal["faithful", "adapt"] = "faithful"
    rating: Literal["general", "mature"] = "general"
    budget_cents: int | None = Field(None, ge=0, le=100_000_000)
    render_text: Render = "auto"
    render_speech: Render = "auto"
    render_image: Render = "auto"
    render_video: Render = "auto"
    render_lipsync: Render = "auto"
    captions: CaptionStyle = "track"
    title_card: bool = False
    end_card: bool = False
    fades: bool = True
    quality: Quality = "full"
    sound_bed: SoundBed = "auto"


def checked_fields(fields: Mapping[str, Any], *, max_story_words: int) -> dict[str, Any]:
    """The given fields, cleaned; those that were not given are left out. Raises InvalidInput with `field`."""
    try:
        given = ProjectFields.model_validate(dict(fields)).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise invalid(error) from None
    if "story" in given:
        given["story"] = checked_story(given["story"], max_story_words=max_story_words)
    return given


def check_version(current: int, seen: int | None) -> None:
    """Refuses a change that was made looking at an older version of the row; None changes whatever is there.

    Raises Conflict with the code `stale_version`.
    """
    if seen is not None and seen != current:
        raise Conflict(
            f"This was changed meanwhile: it is at version {current}, and the change was made to version {seen}.",
            hint="Look at it again, then repeat the change.",
            field="version",
            code="stale_version",
        )


def invalid(error: ValidationError) -> InvalidInput:
    """The first thing that pydantic found wrong, in words."""
    first = error.errors(include_url=False, include_context=False)[0]
    name = ".".join(str(part) for part in first["loc"]) or "body"
    if first["type"] == "extra_forbidden":
        return InvalidInput(f"There is no field called {name[:60]!r}.", field=name)
    said = str(first["msg"]).removeprefix("Value error, ")
    return InvalidInput(f"The {_words(name)} cannot be used: {said[:1].lower()}{said[1:]}.", field=name)


def checked_story(story: str, *, max_story_words: int) -> str:
    """The story as it is kept. Raises InvalidInput: empty, nothing that can be spoken, or too long."""
    if len(story) > max_story_words * CHARACTERS_PER_WORD:
        raise _too_long(f"{len(story):,} characters", max_story_words)
    clean = _UNSPEAKABLE.sub("", _LINE_END.sub("\n", story))
    if not clean.strip():
        raise InvalidInput("The story is empty.", hint="Write or paste a story of at least one word.", field="story")
    if not has_words(clean):
        raise InvalidInput(
            "The story has no words, so there is nothing to tell.", hint="Write or paste some text.", field="story"
        )
    words = count_words(clean)
    if words > max_story_words:
        raise _too_long(f"{words:,} words", max_story_words)
    return clean


def _too_long(length: str, max_story_words: int) -> InvalidInput:
    return InvalidInput(
        f"The story has {length}; the limit is {max_story_words:,} words.",
        hint="Shorten it, or split it into several films. MAX_STORY_WORDS sets the limit.",
        field="story",
    )


def title_of(story: str) -> str:
    """A title for a story that was given none: its own first line where that is a heading, else its first words."""
    first, _, rest = story.strip().partition("\n")
    first = " ".join(first.strip().lstrip("#").split())
    heading = len(first) <= _TITLE_LENGTH and rest.strip() and not _SENTENCE_END.search(first)
    if heading or len(first) <= _TITLE_LENGTH:
        return first.rstrip(" .,;:") or "Untitled"
    cut = first[:_TITLE_LENGTH]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" .,;:—–-") + "…"


def _words(name: str) -> str:
    return name.replace("_", " ")
