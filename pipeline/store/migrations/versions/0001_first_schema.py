"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OBJECT = sa.JSON(none_as_null=True)


def upgrade() -> None:
    _projects()
    _characters()
    _sets()
    _props()
    _guide_images()
    _script_segments()
    _scenes()
    _scene_characters()
    _scene_props()
    _shots()
    _runs()
    _steps()
    _generations()
    _events()
    _media_files()
    _settings()


def _text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _integer(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=null) for name in names]


def _json(*names: str, null: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, OBJECT, nullable=null) for name in names]


def _boolean(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean(), nullable=False) for name in names]


def _belongs(table: str, column: str, parent: str, ondelete: str = "CASCADE") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=f"fk_{table}_{column}", ondelete=ondelete)


def _projects() -> None:
    op.create_table(
        "projects",
        *_integer("id"),
        *_text(
            "title",
            "story",
            "idea",
            "style",
            "aspect_ratio",
            "reference_image_model",
            "frame_image_model",
            "video_model",
        ),
        *_text("narrator_voice", null=True),
        *_boolean("narrator_voice_chosen"),
        *_text("language", "script_mode"),
        *_integer("budget_cents", null=True),
        *_text("render_text", "render_speech", "render_image", "render_video", "render_lipsync"),
        *_text("narration_url", "narration_wav_url", null=True),
        *_integer("narration_ms", null=True),
        *_text("film_url", "poster_url", null=True),
        *_json("film_meta", null=True),
        *_json("options"),
        *_integer("version"),
        *_text("deleted_at", null=True),
        *_text("created_at", "updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
    )


def _characters() -> None:
    op.create_table(
        "characters",
        *_integer("id", "project_id"),
        *_text("name"),
        *_json("aliases"),
        *_text("description", "appearance", "personality", "age_group", "gender"),
        *_text("voice", null=True),
        *_boolean("voice_chosen"),
        *_text("reference_image_url", "reference_image_prompt", "guide_image_url", null=True),
        *_json("edited_fields"),
        *_integer("sort_order"),
        *_text("created_at", "updated_at"),
        _belongs("characters", "project_id", "projects"),
        sa.PrimaryKeyConstraint("id", name="pk_characters"),
    )
    op.create_index("ix_characters_project_id", "characters", ["project_id"])


def _sets() -> None:
    op.create_table(
        "sets",
        *_integer("id", "project_id"),
        *_text("name", "description", "mood", "time_of_day"),
        *_text("reference_image_url", "reference_image_prompt", "guide_image_url", null=True),
        *_json("edited_fields"),
        *_integer("sort_order"),
        *_text("created_at", "updated_at"),
        _belongs("sets", "project_id", "projects"),
        sa.PrimaryKeyConstraint("id", name="pk_sets"),
    )
    op.create_index("ix_sets_project_id", "sets", ["project_id"])


def _props() -> None:
    op.create_table(
        "props",
        *_integer("id", "project_id"),
        *_text("name", "description"),
        *_text("reference_image_url", "reference_image_prompt", "guide_image_url", null=True),
        *_json("edited_fields"),
        *_integer("sort_order"),
        *_text("created_at", "updated_at"),
        _belongs("props", "project_id", "projects"),
        sa.PrimaryKeyConstraint("id", name="pk_props"),
    )
    op.create_index("ix_props_project_id", "props", ["project_id"])


def _guide_images() -> None:
    op.create_table(
        "guide_images",
        *_integer("id"),
        *_text("entity_type"),
        *_integer("entity_id"),
        *_text("image_url"),
        *_integer("sort_order"),
        *_text("created_at", "updated_at"),
        sa.PrimaryKeyConstraint("id", name="pk_guide_images"),
    )
    op.create_index(
        "ix_guide_images_entity_type_entity_id_sort_order",
        "guide_images",
        ["entity_type", "entity_id", "sort_order"],
    )


def _script_segments() -> None:
    op.create_table(
        "script_segments",
        *_integer("id", "project_id", "idx"),
        *_text("segment_type"),
        *_integer("speaker_id", null=True),
        *_text("text"),
        *_integer("source_start", "source_end"),
        *_text("audio_url", null=True),
        *_integer("audio_ms", null=True),
        *_json("words", null=True),
        *_integer("start_time_ms", "end_time_ms", null=True),
        *_text("created_at", "updated_at"),
        _belongs("script_segments", "project_id", "projects"),
        _belongs("script_segments", "speaker_id", "characters", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_script_segments"),
    )
    op.create_index("ix_script_segments_project_id_idx", "script_segments", ["project_id", "idx"])
    op.create_index("ix_script_segments_speaker_id", "script_segments", ["speaker_id"])


def _scenes() -> None:
    op.create_table(
        "scenes",
        *_integer("id", "project_id", "idx"),
        *_text("title"),
        *_integer("set_id", null=True),
        *_integer("first_segment_idx", "last_segment_idx"),
        *_text("time_of_day", "weather", "mood", "created_at", "updated_at"),
        _belongs("scenes", "project_id", "projects"),
        _belongs("scenes", "set_id", "sets", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_scenes"),
    )
    op.create_index("ix_scenes_project_id_idx", "scenes", ["project_id", "idx"])
    op.create_index("ix_scenes_set_id", "scenes", ["set_id"])


def _scene_characters() -> None:
    op.create_table(
        "scene_characters",
        *_integer("scene_id", "character_id"),
        _belongs("scene_characters", "character_id", "characters"),
        _belongs("scene_characters", "scene_id", "scenes"),
        sa.PrimaryKeyConstraint("scene_id", "character_id", name="pk_scene_characters"),
    )
    op.create_index("ix_scene_characters_character_id", "scene_characters", ["character_id"])


def _scene_props() -> None:
    op.create_table(
        "scene_props",
        *_integer("scene_id", "prop_id"),
        _belongs("scene_props", "prop_id", "props"),
        _belongs("scene_props", "scene_id", "scenes"),
        sa.PrimaryKeyConstraint("scene_id", "prop_id", name="pk_scene_props"),
    )
    op.create_index("ix_scene_props_prop_id", "scene_props", ["prop_id"])


def _shots() -> None:
    op.create_table(
        "shots",
        *_integer("id", "project_id", "scene_id", "idx"),
        *_text("kind"),
        *_integer("speaker_id", null=True),
        *_integer("start_ms", "end_ms", "duration_ms"),
        *_integer("actual_video_duration_ms", null=True),
        *_text("framing", "angle", "move"),
        *_json("subjects"),
        *_text("action", "text"),
        *_json("segments"),
        *_text("first_frame_url", "last_frame_url", null=True),
        *_json("frame_meta", null=True),
        *_text("video_url", null=True),
        *_text("video_status"),
        *_json("video_meta", null=True),
        *_text("video_problem", "lipsync_url", null=True),
        *_text("lipsync_status"),
        *_text("lipsync_problem", null=True),
        *_text("created_at", "updated_at"),
        _belongs("shots", "project_id", "projects"),
        _belongs("shots", "scene_id", "scenes"),
        _belongs("shots", "speaker_id", "characters", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_shots"),
    )
    op.create_index("ix_shots_project_id_idx", "shots", ["project_id", "idx"])
    op.create_index("ix_shots_scene_id", "shots", ["scene_id"])
    op.create_index("ix_shots_speaker_id", "shots", ["speaker_id"])


def _runs() -> None:
    op.create_table(
        "runs",
        *_text("id"),
        *_integer("project_id"),
        *_text("state"),
        *_text("code", "from_stage", "stale", null=True),
        *_boolean("force"),
        *_text("boot_id", "started_at"),
        *_text("ended_at", null=True),
        *_json("problems"),
        *_integer("spend_micros", "estimate_micros"),
        _belongs("runs", "project_id", "projects"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_project_id_started_at", "runs", ["project_id", "started_at"])
    op.create_index(
        "uq_runs_live",
        "runs",
        ["project_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('running', 'paused')"),
    )


def _steps() -> None:
    op.create_table(
        "steps",
        *_integer("project_id"),
        *_text("key", "stage", "digest", "status"),
        *_text("run_id", null=True),
        *_text("boot_id"),
        *_integer("attempts", "starts"),
        *_text("provider", null=True),
        *_json("handle", "output", "error", null=True),
        *_text("started_at", "ended_at", null=True),
        sa.Column("seconds", sa.Double(), nullable=True),
        _belongs("steps", "project_id", "projects"),
        sa.PrimaryKeyConstraint("project_id", "key", name="pk_steps"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_steps_project_id_stage_status", "steps", ["project_id", "stage", "status"])


def _generations() -> None:
    op.create_table(
        "generations",
        *_text("id"),
        *_integer("project_id", null=True),
        *_text("unit_key", "capability", "provider", "model"),
        *_json("request"),
        *_text("request_digest", "status"),
        *_json("handle", "output", "verdict", "error", null=True),
        *_integer("attempt", "estimate_micros"),
        *_integer("actual_micros", null=True),
        *_text("boot_id", "prepared_at"),
        *_text("submitted_at", "accepted_at", "ended_at", null=True),
        _belongs("generations", "project_id", "projects", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_generations"),
    )
    op.create_index(
        "ix_generations_open",
        "generations",
        ["status"],
        sqlite_where=sa.text("status NOT IN ('finished', 'failed', 'cancelled')"),
    )
    op.create_index("ix_generations_project_id_unit_key", "generations", ["project_id", "unit_key"])
    op.create_index("ix_generations_request_digest_status", "generations", ["request_digest", "status"])


def _events() -> None:
    op.create_table(
        "events",
        *_integer("seq"),
        *_integer("project_id", null=True),
        *_text("run_id", null=True),
        *_text("at", "level", "kind", "stage", "unit", "text"),
        *_json("data", null=True),
        sa.PrimaryKeyConstraint("seq", name="pk_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_project_id_kind_seq", "events", ["project_id", "kind", "seq"])


def _media_files() -> None:
    op.create_table(
        "media_files",
        *_text("sha256", "ext"),
        *_integer("size"),
        *_text("mime"),
        *_json("meta"),
        *_text("origin"),
        *_json("verdict"),
        *_text("created_at"),
        sa.PrimaryKeyConstraint("sha256", name="pk_media_files"),
    )


def _settings() -> None:
    op.create_table(
        "settings",
        *_text("key"),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_settings"),
    )
