"""The tables: everything that a project is, everything that was made for it, and the record of the making.

Hidden here: SQLite types. JSON columns hold plain lists and objects and are not tracked for changes inside them,
so assign a new value instead of altering the old one. Times of day are UTC ISO text with milliseconds
(`utc_now`); times on the narration's clock are integer milliseconds (`*_ms`); money is integer micro-dollars.
Status columns are written by `states.py` and `ledger.py` alone; the defaults here are the states things are born in.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, MetaData, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

Object = dict[str, Any]
Names = list[str]
Indices = list[int]
Objects = list[dict[str, Any]]

_PLAIN_JSON = JSON(none_as_null=True)


def utc_now() -> str:
    """The time of day in UTC, e.g. `2031-05-06T07:08:09.123Z`; sorts as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Base(DeclarativeBase):
    """The declarative base; constraints are named so that migrations can find them again."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {
        str: Text(),
        Object: _PLAIN_JSON,
        Names: _PLAIN_JSON,
        Indices: _PLAIN_JSON,
        Objects: _PLAIN_JSON,
    }


class Timed:
    """When a row was made and last changed."""

    created_at: Mapped[str] = mapped_column(default=utc_now)
    updated_at: Mapped[str] = mapped_column(default=utc_now, onupdate=utc_now)


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
    sort_order: Mapped[int] = mapped_column(default=0)


class Set(Timed, Base):
    __tablename__ = "sets"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    mood: Mapped[str] = mapped_column(default="")
    time_of_day: Mapped[str] = mapped_column(default="day")
    reference_image_url: Mapped[str | None]
    reference_image_prompt: Mapped[str | None]
    guide_image_url: Mapped[str | None]
    edited_fields: Mapped[Names] = mapped_column(default=list)
    sort_order: Mapped[int] = mapped_column(default=0)


class Prop(Timed, Base):
    __tablename__ = "props"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    reference_image_url: Mapped[str | None]
    reference_image_prompt: Mapped[str | None]
    guide_image_url: Mapped[str | None]
    edited_fields: Mapped[Names] = mapped_column(default=list)
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


class ScriptSegment(Timed, Base):
    __tablename__ = "script_segments"
    __table_args__ = (Index(None, "project_id", "idx"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    idx: Mapped[int]
    segment_type: Mapped[str]
    speaker_id: Mapped[int | None] = mapped_column(ForeignKey("characters.id", ondelete="SET NULL"), index=True)
    text: Mapped[str]
    source_start: Mapped[int] = mapped_column(default=0)
    source_end: Mapped[int] = mapped_column(default=0)
    audio_url: Mapped[str | None]
    audio_ms: Mapped[int | None]
    words: Mapped[Objects | None]
    start_time_ms: Mapped[int | None]
    end_time_ms: Mapped[int | None]


class Scene(Timed, Base):
    __tablename__ = "scenes"
    __table_args__ = (Index(None, "project_id", "idx"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    idx: Mapped[int]
    title: Mapped[str] = mapped_column(default="")
    set_id: Mapped[int | None] = mapped_column(ForeignKey("sets.id", ondelete="SET NULL"), index=True)
    first_segment_idx: Mapped[int]
    last_segment_idx: Mapped[int]
    time_of_day: Mapped[str] = mapped_column(default="day")
    weather: Mapped[str] = mapped_column(default="clear")
    mood: Mapped[str] = mapped_column(default="")


class SceneCharacter(Base):
    __tablename__ = "scene_characters"

    scene_id: Mapped[int] = mapped_column(ForeignKey("scenes.id", ondelete="CASCADE"), primary_key=True)
    character_id: Mapped[int] = mapped_column(
        ForeignKey("characters.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class SceneProp(Base):
    __tablename__ = "scene_props"

    scene_id: Mapped[int] = mapped_column(ForeignKey("scenes.id", ondelete="CASCADE"), primary_key=True)
    prop_id: Mapped[int] = mapped_column(ForeignKey("props.id", ondelete="CASCADE"), primary_key=True, index=True)


class Shot(Timed, Base):
    """One take. `idx` is its place in the project; `segments` are segment indices; `subjects` are names."""

    __tablename__ = "shots"
    __table_args__ = (Index(None, "project_id", "idx"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    scene_id: Mapped[int] = mapped_column(ForeignKey("scenes.id", ondelete="CASCADE"), index=True)
    idx: Mapped[int]
    kind: Mapped[str]
    speaker_id: Mapped[int | None] = mapped_column(ForeignKey("characters.id", ondelete="SET NULL"), index=True)
    start_ms: Mapped[int]
    end_ms: Mapped[int]
    duration_ms: Mapped[int]
    actual_video_duration_ms: Mapped[int | None]
    framing: Mapped[str] = mapped_column(default="medium")
    angle: Mapped[str] = mapped_column(default="eye")
    move: Mapped[str] = mapped_column(default="hold")
    subjects: Mapped[Names] = mapped_column(default=list)
    action: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    segments: Mapped[Indices] = mapped_column(default=list)
    first_frame_url: Mapped[str | None]
    last_frame_url: Mapped[str | None]
    frame_meta: Mapped[Object | None]
    video_url: Mapped[str | None]
    video_status: Mapped[str] = mapped_column(default="pending")
    video_meta: Mapped[Object | None]
    video_problem: Mapped[str | None]
    lipsync_url: Mapped[str | None]
    lipsync_status: Mapped[str] = mapped_column(default="none")
    lipsync_problem: Mapped[str | None]


class Run(Base):
    """One making of a film. At most one run of a project is live (running or paused)."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("uq_runs_live", "project_id", unique=True, sqlite_where=text("state IN ('running', 'paused')")),
        Index(None, "project_id", "started_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(default="running")
    code: Mapped[str | None]
    from_stage: Mapped[str | None]
    stale: Mapped[str | None]
    force: Mapped[bool] = mapped_column(default=False)
    boot_id: Mapped[str]
    started_at: Mapped[str] = mapped_column(default=utc_now)
    ended_at: Mapped[str | None]
    problems: Mapped[Objects] = mapped_column(default=list)
    spend_micros: Mapped[int] = mapped_column(default=0)
    estimate_micros: Mapped[int] = mapped_column(default=0)


class Step(Base):
    """The run ledger: one row for each unit of work. `attempts` counts the present digest, `starts` every start."""

    __tablename__ = "steps"
    __table_args__ = (Index(None, "project_id", "stage", "status"), {"sqlite_with_rowid": False})

    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    stage: Mapped[str]
    digest: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="pending")
    run_id: Mapped[str | None]
    boot_id: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    starts: Mapped[int] = mapped_column(default=0)
    provider: Mapped[str | None]
    handle: Mapped[Object | None]
    output: Mapped[Object | None]
    error: Mapped[Object | None]
    started_at: Mapped[str | None]
    ended_at: Mapped[str | None]
    seconds: Mapped[float | None]


class Generation(Base):
    """One piece of provider work, from the intent to the bill. Rows outlive their project: they are the account."""

    __tablename__ = "generations"
    __table_args__ = (
        Index(None, "request_digest", "status"),
        Index(None, "project_id", "unit_key"),
        Index("ix_generations_open", "status", sqlite_where=text("status NOT IN ('finished', 'failed', 'cancelled')")),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("projects.id", ondelete="SET NULL"))
    unit_key: Mapped[str] = mapped_column(default="")
    capability: Mapped[str]
    provider: Mapped[str] = mapped_column(default="")
    model: Mapped[str] = mapped_column(default="")
    request: Mapped[Object] = mapped_column(default=dict)
    request_digest: Mapped[str]
    status: Mapped[str] = mapped_column(default="prepared")
    handle: Mapped[Object | None]
    output: Mapped[Object | None]
    verdict: Mapped[Object | None]
    error: Mapped[Object | None]
    attempt: Mapped[int] = mapped_column(default=1)
    estimate_micros: Mapped[int] = mapped_column(default=0)
    actual_micros: Mapped[int | None]
    boot_id: Mapped[str] = mapped_column(default="")
    prepared_at: Mapped[str] = mapped_column(default=utc_now)
    submitted_at: Mapped[str | None]
    accepted_at: Mapped[str | None]
    ended_at: Mapped[str | None]


class Event(Base):
    """A line of the event log; `seq` is the cursor. No foreign key: the log outlives what it speaks of."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "project_id", "kind", "seq"), {"sqlite_autoincrement": True})

    seq: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int | None]
    run_id: Mapped[str | None]
    at: Mapped[str]
    level: Mapped[str] = mapped_column(default="info")
    kind: Mapped[str] = mapped_column(default="log")
    stage: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    data: Mapped[Object | None]


class MediaFile(Base):
    """A file in the media folder, named by its content. `origin` is engine, provider or upload."""

    __tablename__ = "media_files"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    ext: Mapped[str]
    size: Mapped[int]
    mime: Mapped[str]
    meta: Mapped[Object] = mapped_column(default=dict)
    origin: Mapped[str] = mapped_column(default="engine")
    verdict: Mapped[Object] = mapped_column(default=dict)
    created_at: Mapped[str] = mapped_column(default=utc_now)


class Setting(Base):
    """A runtime setting; `value` is any JSON value."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSON())
