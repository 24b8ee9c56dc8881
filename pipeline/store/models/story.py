"""A project and who and what is in its story."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.models.base import Base, Names, Object, Timed


class Project(Timed, Base):
    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(default="")
    story: Mapped[str] = mapped_column(default="")
    idea: Mapped[str] = mapped_column(default="")
    style: Mapped[str] = mapped_column(default="")
    aspect_ratio: Mapped[str] = mapped_column(default="16:9")
    reference_image_model: Mapped[str] = mapped_column(default="")
    frame_image_model: Mapped[str] = mapped_column(default="")
    video_model: Mapped[str] = mapped_column(default="")
    narrator_voice: Mapped[str | None]
    narrator_voice_chosen: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str] = mapped_column(default="")
    script_mode: Mapped[str] = mapped_column(default="faithful")
    budget_cents: Mapped[int | None]
    render_text: Mapped[str] = mapped_column(default="auto")
    render_speech: Mapped[str] = mapped_column(default="auto")
    render_image: Mapped[str] = mapped_column(default="auto")
    render_video: Mapped[str] = mapped_column(default="auto")
    render_lipsync: Mapped[str] = mapped_column(default="auto")
    narration_url: Mapped[str | None]
    narration_wav_url: Mapped[str | None]
    narration_ms: Mapped[int | None]
    film_url: Mapped[str | None]
    poster_url: Mapped[str | None]
    film_meta: Mapped[Object | None]
    options: Mapped[Object] = mapped_column(default=dict)
    rating: Mapped[str] = mapped_column(default="general", server_default="general")
    callback_url: Mapped[str | None]
    delivered_at: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[str | None]


class Character(Timed, Base):
    __tablename__ = "characters"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    aliases: Mapped[Names] = mapped_column(default=list)
    description: Mapped[str] = mapped_column(default="")
    appearance: Mapped[str] = mapped_column(default="")
    personality: Mapped[str] = mapped_column(default="")
    age_group: Mapped[str] = mapped_column(default="adult")
    gender: Mapped[str] = mapped_column(default="neutral")
    voice: Mapped[str | None]
    voice_chosen: Mapped[bool] = mapped_column(default=False)
    reference_image_url: Mapped[str | None]
    reference_image_prompt: Mapped[str | None]
    guide_image_url: Mapped[str | None]
    edited_fields: Mapped[Names] = mapped_column(default=list)
    variation: Mapped[int] = mapped_column(default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    sort_order: Mapped[int] = mapped_column(default=0)


class Set(Timed, Base):
    __tablename__ = "sets"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    aliases: Mapped[Names] = mapped_column(default=list, server_default="[]")
    description: Mapped[str] = mapped_column(default="")
    mood: Mapped[str] = mapped_column(default="")
    time_of_day: Mapped[str] = mapped_column(default="day")
    reference_image_url: Mapped[str | None]
    reference_image_prompt: Mapped[str | None]
    guide_image_url: Mapped[str | None]
    edited_fields: Mapped[Names] = mapped_column(default=list)
    variation: Mapped[int] = mapped_column(default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    sort_order: Mapped[int] = mapped_column(default=0)


class Prop(Timed, Base):
    __tablename__ = "props"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    aliases: Mapped[Names] = mapped_column(default=list, server_default="[]")
    description: Mapped[str] = mapped_column(default="")
    reference_image_url: Mapped[str | None]
    reference_image_prompt: Mapped[str | None]
    guide_image_url: Mapped[str | None]
    edited_fields: Mapped[Names] = mapped_column(default=list)
    variation: Mapped[int] = mapped_column(default=0, server_default="0")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    sort_order: Mapped[int] = mapped_column(default=0)


class GuideImage(Timed, Base):
    """A photo that a user gave for an entity. `entity_type` is characters, sets or props."""

    __tablename__ = "guide_images"
    __table_args__ = (Index(None, "entity_type", "entity_id", "sort_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entity_type: Mapped[str]
    entity_id: Mapped[int]
    image_url: Mapped[str]
    sort_order: Mapped[int] = mapped_column(default=0)
