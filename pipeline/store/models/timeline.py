"""What is heard and seen, in order: segments, scenes, shots."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.store.models.base import Base, Counts, Indices, Names, Object, Objects, Timed


class ScriptSegment(Timed, Base):
    """One spoken unit. `stale` says what no longer fits since an edit, and why: `{"audio": "words"}`."""

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
    stale: Mapped[Object] = mapped_column(default=dict, server_default="{}")
    edited_fields: Mapped[Names] = mapped_column(default=list, server_default="[]")
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class Scene(Timed, Base):
    """A run of segments in one set.

    `cuts`: where the user wants its shots to begin, in order, as {"segment": id, "char": place in its text, "ms": place
    in its sound, "audio": the sound that `ms` is of}; null: the clock cuts the scene itself.
    """

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
    cuts: Mapped[Objects | None]
    edited_fields: Mapped[Names] = mapped_column(default=list, server_default="[]")
    version: Mapped[int] = mapped_column(default=1, server_default="1")


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
    """One take. `idx` is its place in the project; `segments` are segment indices; `subjects` are names.

    `seed` is what its pictures are varied by: its place when it was first laid. `stale` says, by slot, what no longer
    fits since an edit, and why. `own_slots` names what the user gave (first_frame, last_frame, video);
    `pinned_references` are media addresses that come first in every request; `variations` counts, by slot, how often
    another version of the same was asked for.
    """

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
    own_slots: Mapped[Names] = mapped_column(default=list, server_default="[]")
    pinned_references: Mapped[Names] = mapped_column(default=list, server_default="[]")
    variations: Mapped[Counts] = mapped_column(default=dict, server_default="{}")
    seed: Mapped[int] = mapped_column(default=0, server_default="0")
    stale: Mapped[Object] = mapped_column(default=dict, server_default="{}")
    edited_fields: Mapped[Names] = mapped_column(default=list, server_default="[]")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
