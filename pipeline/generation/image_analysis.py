"""What a picture shows, as a model that sees tells it: the question, who is asked, and what of an answer is kept.

Hides that only a small copy of the picture is sent. Nothing is ever told of a picture that no model has looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict

from pipeline.contracts import AgeGroup, ChatRequest, Gender, MediaRef, ShownImage
from pipeline.errors import NeedsSetup
from pipeline.generation.chat import TextChain
from pipeline.generation.questions import Errand
from pipeline.prompts import writing
from pipeline.providers import ChatAdapter, load_chat_adapter
from pipeline.providers.failures import BadAnswer
from pipeline.settings import Settings
from pipeline.store import Store

LONGEST_SIDE = 1024  # pixels of the copy that is sent
_COPY_TIMEOUT_S = 60.0
_LONGEST_TEXT = 600
_MOST = 40  # people, objects, pieces of writing
_KEYS = "OPENROUTER_API_KEY (or ANTHROPIC_API_KEY, or OPENAI_COMPATIBLE_BASE_URL)"

Compute = Callable[..., Any]


class Person(BaseModel):
    """Somebody in a picture: how they look, and how old and of which gender they seem."""

    model_config = ConfigDict(extra="forbid")

    looks: str
    age_group: AgeGroup
    gender: Gender


class Seen(BaseModel):
    """What is in a picture; lists are empty and texts are "" where there is none of it."""

    model_config = ConfigDict(extra="forbid")

    people: list[Person]
    place: str
    objects: list[str]
    text: list[str]
    mood: str


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_PERSON = _object(
    looks=_TEXT,
    age_group={"type": "string", "enum": list(get_args(AgeGroup))},
    gender={"type": "string", "enum": list(get_args(Gender))},
)
SCHEMA = _object(
    caption=_TEXT,
    people={"type": "array", "items": _PERSON},
    place=_TEXT,
    objects=_TEXTS,
    text=_TEXTS,
    mood=_TEXT,
)


def read(answer: dict[str, Any]) -> tuple[str, Seen]:
    """(caption, details) of an answer that fits the schema. Raises BadAnswer."""
    caption = _line(answer["caption"])
    if not caption:
        raise BadAnswer("The caption is empty; say in one sentence what the picture shows.")
    people = [Person(**{**one, "looks": _line(one["looks"])}) for one in answer["people"][:_MOST]]
    return caption, Seen(
        people=people,
        place=_line(answer["place"]),
        objects=_lines(answer["objects"]),
        text=_lines(answer["text"]),
        mood=_line(answer["mood"]),
    )


def _line(text: str) -> str:
    """One line that can be shown and kept."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_LONGEST_TEXT].rstrip()


def _lines(texts: list[str]) -> list[str]:
    return [line for line in map(_line, texts[:_MOST]) if line]


def seer_of(settings: Settings) -> ChatAdapter:
    """Who looks at pictures: the provider whose kind of name VISION_MODEL is. Raises NeedsSetup with what to set.

    A name with a maker (`maker/model`) is OpenRouter's, `claude-…` Anthropic's; any is asked of a server of the user's
    own where the key for those is not set.
    """
    model = settings.vision_model
    if not model:
        raise NeedsSetup("No vision model is set up.", hint=f"Set VISION_MODEL, and {_KEYS}.", field="VISION_MODEL")
    if "/" in model and settings.openrouter_api_key:
        return load_chat_adapter("openrouter", settings.model_copy(update={"openrouter_model": model}))
    if model.startswith("claude-") and settings.anthropic_api_key:
        return load_chat_adapter("anthropic", settings.model_copy(update={"anthropic_model": model}))
    if settings.openai_compatible_base_url:
        own = settings.model_copy(update={"openai_compatible_model": model})
        return load_chat_adapter("openai_compatible", own)
    wanted = "OPENROUTER_API_KEY" if "/" in model else "ANTHROPIC_API_KEY" if model.startswith("claude-") else ""
    own_server = "OPENAI_COMPATIBLE_BASE_URL"
    hint = f"Set {wanted} (or {own_server})." if wanted else f"Set {own_server}, or another VISION_MODEL."
    raise NeedsSetup(f"Nobody who is set up has the vision model {model}.", hint=hint, field=wanted or own_server)


class PictureReader:
    """One per runner; usable from any thread. `pace` scales every wait (tests)."""

    def __init__(self, store: Store, settings: Settings, compute: Compute, *, pace: float = 1.0) -> None:
        self._store = store
        self._compute = compute
        self.missing: NeedsSetup | None = None
        self._adapter: ChatAdapter | None = None
        try:
            self._adapter = seer_of(settings)
        except NeedsSetup as missing:
            self.missing = missing
        # A chain of its own: its pauses and its throttle are not those of the questions that a film waits for.
        self._chain = TextChain(store, settings, adapters=[self._adapter] if self._adapter else [], pace=pace)

    @property
    def provider(self) -> str:
        return self._adapter.name if self._adapter else ""

    @property
    def model(self) -> str:
        return self._adapter.model if self._adapter else ""

    def estimate(self) -> int:
        """What looking at a picture is expected to cost, in micro-dollars."""
        return self._adapter.estimate(_question(ShownImage(path=Path()))) if self._adapter else 0

    def require(self) -> None:
        """Raises NeedsSetup, with what to set."""
        if self.missing is not None:
            raise NeedsSetup(self.missing.detail, hint=self.missing.hint, field=self.missing.field)

    def look(
        self, ref: MediaRef, *, project_id: int | None, unit_key: str, cancel: threading.Event
    ) -> tuple[str, Seen]:
        """(caption, details). Blocks. Raises NeedsSetup, MediaMissing, BadMedia, and what TextChain.ask raises."""
        from pipeline.inference import safety  # it loads numpy, which a server's start must not wait for

        self.require()
        errand = Errand(project_id=project_id, run_id=unit_key, unit_key=unit_key, cancel=cancel)
        with self._store.folder.work() as folder:
            path = self._compute(
                safety.view, self._store.media.path(ref), folder, LONGEST_SIDE, timeout_s=_COPY_TIMEOUT_S
            )
            return self._chain.ask(_question(ShownImage(sha256=ref.sha256, path=path)), errand, read)

    def close(self) -> None:
        self._chain.close()


def _question(image: ShownImage) -> ChatRequest:
    return ChatRequest(
        purpose="image_analysis",
        system=writing.question("image_analysis"),
        prompt="Describe this picture.",
        schema_name="image_analysis",
        answer_schema=SCHEMA,
        max_output_tokens=1_500,
        images=(image,),
    )
