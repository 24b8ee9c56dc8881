"""The two ledgers, media items, moderation verdicts, versions of pictures and clips, jobs, and row versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OBJECT = sa.JSON(none_as_null=True)


def upgrade() -> None:
    _new_columns()
    _money_entries()
    _credit_entries()
    _media()
    _versions()
    _image_analyses()
    _verdicts()
    _jobs()
    _answers()
    _hermes()


def _text(*names: str, null: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=null) for name in names]


def _integer(*names: str, null: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=null) for name in names]


def _json(*names: str, null: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, OBJECT, nullable=null) for name in names]


def _belongs(table: str, column: str, parent: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=f"fk_{table}_{column}", ondelete=ondelete)


def _new_columns() -> None:
    op.add_column("projects", sa.Column("rating", sa.Text(), nullable=False, server_default="general"))
    op.add_column("projects", sa.Column("callback_url", sa.Text()))
    op.add_column("projects", sa.Column("delivered_at", sa.Text()))
    for table in ("characters", "sets", "props"):
        if table != "characters":
            op.add_column(table, sa.Column("aliases", OBJECT, nullable=False, server_default="[]"))
        op.add_column(table, sa.Column("variation", sa.Integer(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    for table in ("script_segments", "scenes", "shots"):
        op.add_column(table, sa.Column("edited_fields", OBJECT, nullable=False, server_default="[]"))
        op.add_column(table, sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("shots", sa.Column("own_slots", OBJECT, nullable=False, server_default="[]"))
    op.add_column("shots", sa.Column("pinned_references", OBJECT, nullable=False, server_default="[]"))
    op.add_column("shots", sa.Column("variations", OBJECT, nullable=False, server_default="{}"))
    op.add_column("shots", sa.Column("seed", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE shots SET seed = idx")
    op.add_column("shots", sa.Column("stale", OBJECT, nullable=False, server_default="{}"))
    op.add_column("script_segments", sa.Column("stale", OBJECT, nullable=False, server_default="{}"))
    op.add_column("scenes", sa.Column("cuts", OBJECT))


def _money_entries() -> None:
    op.create_table(
        "money_entries",
        *_integer("id"),
        *_text("at", "generation_id"),
        *_integer("project_id", null=True),
        *_text("unit_key", "provider", "model", "kind"),
        *_integer("micros"),
        *_text("note"),
        sa.PrimaryKeyConstraint("id", name="pk_money_entries"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_money_entries_project_id", "money_entries", ["project_id"])
    op.create_index("ix_money_entries_generation_id", "money_entries", ["generation_id"])
    # What was spent before there was a ledger.
    op.execute("""
        INSERT INTO money_entries (at, generation_id, project_id, unit_key, provider, model, kind, micros, note)
        SELECT coalesce(ended_at, prepared_at), id, project_id, unit_key, provider, model,
               CASE WHEN ended THEN 'settle' ELSE 'estimate' END, micros, 'carried over'
        FROM (SELECT *, status IN ('finished', 'failed', 'cancelled') AS ended,
                     CASE WHEN status IN ('finished', 'failed', 'cancelled') THEN coalesce(actual_micros, 0)
                          ELSE estimate_micros END AS micros
              FROM generations)
        WHERE micros <> 0
    """)
    _append_only("money_entries")


def _credit_entries() -> None:
    op.create_table(
        "credit_entries",
        *_integer("id"),
        *_text("at", "kind"),
        *_integer("credits"),
        *_integer("media_id", null=True),
        *_text("note"),
        sa.PrimaryKeyConstraint("id", name="pk_credit_entries"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_credit_entries_media_id", "credit_entries", ["media_id"])
    once = sa.text("media_id IS NOT NULL")
    op.create_index("uq_credit_entries_once", "credit_entries", ["media_id", "kind"], unique=True, sqlite_where=once)
    _append_only("credit_entries")


def _append_only(table: str) -> None:
    """What was written in a ledger stays as it was: a correction is another line."""
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _media() -> None:
    op.create_table(
        "media",
        *_integer("id"),
        *_text("type", "status", "rating"),
        *_json("inputs"),
        *_integer("price_credits"),
        *_integer("source_id", null=True),
        *_text("workflow_name", null=True),
        *_json("result", null=True),
        *_text("failure_reason", "failure_detail", null=True),
        *_json("events", null=True),
        *_text("ended_at", null=True),
        *_text("created_at", "updated_at"),
        _belongs("media", "source_id", "media", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_media"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_media_created_at", "media", ["created_at"])


def _versions() -> None:
    op.create_table(
        "versions",
        *_integer("id", "project_id"),
        *_text("subject_type"),
        *_integer("subject_id"),
        *_text("slot", "media_url"),
        *_json("meta", null=True),
        *_text("source"),
        sa.Column("earlier_text", sa.Boolean(), nullable=False),
        *_text("generation_id", null=True),
        *_text("prompt", "created_at"),
        _belongs("versions", "project_id", "projects", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_versions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_versions_project_id", "versions", ["project_id"])
    op.create_index(
        "ix_versions_subject_type_subject_id_slot_id", "versions", ["subject_type", "subject_id", "slot", "id"]
    )


def _image_analyses() -> None:
    op.create_table(
        "image_analyses",
        *_text("sha256", "status", "caption"),
        *_json("details", null=True),
        *_text("provider", "model"),
        *_json("error", null=True),
        *_text("created_at", "updated_at"),
        sa.PrimaryKeyConstraint("sha256", name="pk_image_analyses"),
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        *_integer("id"),
        *_text("at"),
        *_integer("project_id", null=True),
        *_text("generation_id", "sha256", null=True),
        *_text("checkpoint", "check_name", "provider", "rating", "outcome"),
        *_text("reason", null=True),
        *_json("scores", "thresholds"),
        sa.PrimaryKeyConstraint("id", name="pk_verdicts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_verdicts_sha256", "verdicts", ["sha256"])
    op.create_index("ix_verdicts_generation_id", "verdicts", ["generation_id"])
    _append_only("verdicts")


def _jobs() -> None:
    op.create_table(
        "jobs",
        *_text("id"),
        *_integer("project_id", null=True),
        *_text("kind", "target_type"),
        *_integer("target_id"),
        *_text("status", "phase", "model"),
        *_json("inputs"),
        *_text("inputs_digest"),
        *_integer("estimate_micros"),
        *_integer("cost_micros", null=True),
        *_json("result", "error", null=True),
        *_integer("attempt"),
        *_text("boot_id"),
        *_text("started_at", "ended_at", null=True),
        *_text("created_at", "updated_at"),
        _belongs("jobs", "project_id", "projects", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    live = sa.text("status IN ('queued', 'running')")
    target = ["kind", "target_type", "target_id", "inputs_digest"]
    op.create_index("uq_jobs_live", "jobs", target, unique=True, sqlite_where=live)
    op.create_index("ix_jobs_project_id_created_at", "jobs", ["project_id", "created_at"])


def _answers() -> None:
    """Answers under an Idempotency-Key lived among the settings."""
    op.create_table(
        "answers",
        *_text("key", "request"),
        *_integer("status"),
        *_json("body"),
        *_integer("at"),
        sa.PrimaryKeyConstraint("key", name="pk_answers"),
    )
    op.create_index("ix_answers_at", "answers", ["at"])
    op.execute("DELETE FROM settings WHERE key LIKE 'idempotency:%'")


def _hermes() -> None:
    op.create_table(
        "deliveries",
        *_integer("project_id"),
        *_text("etag"),
        *_integer("size"),
        *_json("covered"),
        *_text("delivered_at", null=True),
        *_text("created_at", "updated_at"),
        _belongs("deliveries", "project_id", "projects", "CASCADE"),
        sa.PrimaryKeyConstraint("project_id", "etag", name="pk_deliveries"),
    )
    op.create_table(
        "callbacks",
        *_integer("event_seq", "project_id"),
        *_text("url"),
        *_json("body"),
        *_integer("attempts", "next_at"),
        *_text("sent_at", "given_up_at", "problem", null=True),
        *_text("created_at", "updated_at"),
        _belongs("callbacks", "project_id", "projects", "CASCADE"),
        sa.PrimaryKeyConstraint("event_seq", name="pk_callbacks"),
    )
    waiting = sa.text("sent_at IS NULL AND given_up_at IS NULL")
    op.create_index("ix_callbacks_waiting", "callbacks", ["next_at"], sqlite_where=waiting)
    op.create_index("ix_callbacks_project_id_event_seq", "callbacks", ["project_id", "event_seq"])
