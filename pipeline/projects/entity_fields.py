"""What a user may say about a character, a set or a prop, and how it is shown. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from pipeline.contracts import AgeGroup, Gender, TimeOfDay
from pipeline.generation.entities import EntityType
from pipeline.projects.documents import AnalysisView, Document
from pipeline.projects.fields import storable

MOST_ALIASES = 40


def _named(text: str) -> str:
    storable(text)
    name = " ".join(text.split())
    if not name:
        raise ValueError("it is empty")
    return name


Name = Annotated[str, Field(max_length=200), AfterValidator(_named)]
Words = Annotated[str, Field(max_length=4_000), AfterValidator(storable)]
Line = Annotated[str, Field(max_length=400), AfterValidator(storable)]
Aliases = Annotated[list[Name], Field(max_length=MOST_ALIASES)]


class EntityFields(BaseModel):
    """The fields that all entities have. All are optional here: what is not given stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Name = ""
    aliases: Aliases = []
    description: Words = ""


class CharacterFields(EntityFields):
    appearance: Words = ""
    personality: Words = ""
    age_group: AgeGroup = "adult"
    gender: Gender = "neutral"
    voice: Line | None = None


class SetFields(EntityFields):
    mood: Line = ""
    time_of_day: TimeOfDay = "day"


class PropFields(EntityFields):
    pass


FIELDS: dict[EntityType, type[EntityFields]] = {
    "characters": CharacterFields,
    "sets": SetFields,
    "props": PropFields,
}
# Saving one of these makes a stored prompt tell of what was.
FEEDS_PROMPT: dict[EntityType, frozenset[str]] = {
    "characters": frozenset({"name", "description", "appearance", "age_group", "gender"}),
    "sets": frozenset({"name", "description", "mood", "time_of_day"}),
    "props": frozenset({"name", "description"}),
}
# Saving one of these makes the frames that show the entity tell of what was. A scene has a mood and a time of its own.
SHAPES_FRAMES: dict[EntityType, frozenset[str]] = {
    "characters": frozenset({"appearance", "age_group", "gender"}),
    "sets": frozenset({"description"}),
    "props": frozenset({"description"}),
}


class GuideView(Document):
    """`analysis`: what is seen in it."""

    id: int
    entity_type: EntityType
    entity_id: int
    image_url: str
    sort_order: int
    analysis: AnalysisView | None
    created_at: str


class EntityView(Document):
    """`active_guides` go along with the next reference picture; `overflow_guides` are past the chosen model's cap
    (`reference_cap`). `guide_image_url` is the first guide's. `reference_image_analysis`: what is seen in the reference
    picture."""

    id: int
    project_id: int
    name: str
    aliases: list[str]
    description: str
    reference_image_url: str | None
    reference_image_prompt: str | None
    reference_image_analysis: AnalysisView | None
    guide_image_url: str | None
    guide_images: list[GuideView]
    active_guides: list[GuideView]
    overflow_guides: list[GuideView]
    reference_cap: int
    edited_fields: list[str]
    sort_order: int
    version: int
    created_at: str
    updated_at: str


class CharacterView(EntityView):
    appearance: str
    personality: str
    age_group: AgeGroup
    gender: Gender
    voice: str | None
    voice_chosen: bool


class SetView(EntityView):
    mood: str
    time_of_day: TimeOfDay


class PropView(EntityView):
    pass


VIEWS: dict[EntityType, type[EntityView]] = {"characters": CharacterView, "sets": SetView, "props": PropView}


class VersionView(Document):
    """A picture or clip that is or was shown. `current`: it is shown now. `earlier_text`: what it was made from had
    changed when it came."""

    id: int
    subject_type: Literal["characters", "sets", "props", "shots"]
    subject_id: int
    slot: Literal["reference_image", "first_frame", "last_frame", "video", "lipsync"]
    media_url: str
    source: Literal["generated", "upload", "edit"]
    earlier_text: bool
    prompt: str
    generation_id: str | None
    created_at: str
    current: bool


def columns_of(row: Any, view: type[BaseModel]) -> dict[str, Any]:
    """The fields of a view that are columns of the row."""
    return {name: getattr(row, name) for name in view.model_fields if hasattr(row, name)}
