"""The schema's history, and what a kill in the middle of a migration leaves."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from pipeline.errors import StoreUnavailable
from pipeline.store import DataFolder, migrations, open_store
from pipeline.store.integrity import complaints_of
from pipeline.store.migrations import History
from pipeline.store.models import Base
from tests.store.kit import killed_after, new_project


def test_the_migrated_schema_is_that_of_the_models(data: Path) -> None:
    open_store(data).close()
    engine = create_engine(f"sqlite:///{data / 'video-story.db'}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        for name, table in Base.metadata.tables.items():  # what Alembic does not compare
            made = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).scalar() or ""
            options = table.dialect_options["sqlite"]
            assert ("WITHOUT ROWID" in made) == (options["with_rowid"] is False), name
            assert ("AUTOINCREMENT" in made) == options["autoincrement"], name
        partial = connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE sql LIKE '% WHERE %'").scalar()
        assert partial == 5
    engine.dispose()


def test_the_list_of_revisions_is_that_of_the_scripts() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations.HISTORY.scripts))
    scripts = ScriptDirectory.from_config(config)
    assert [script.revision for script in scripts.walk_revisions()][::-1] == list(migrations.HISTORY.revisions)


NEXT = """
import time
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0003", "0002", None, None


def upgrade():
    op.add_column("projects", sa.Column("mark", sa.Text()))
    _reached(1)
    op.execute("UPDATE projects SET mark = 'x', title = title || '!'")
    _reached(2)
    with op.batch_alter_table("settings") as settings:  # SQLite: a new table, a copy, a rename
        settings.alter_column("value", new_column_name="content")
    _reached(3)
    op.drop_table("guide_images")
    _reached(4)


def _reached(point):
    folder = Path(__file__).parent.parent.parent
    (folder / f"reached-{point}").touch()
    if (folder / f"halt-{point}").exists():
        time.sleep(60)
"""


@pytest.fixture
def later(tmp_path: Path) -> History:
    """The history of a later version of the program."""
    copy = tmp_path / "scripts"
    shutil.copytree(migrations.HISTORY.scripts, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / "0003_next.py").write_text(NEXT)
    return History((*migrations.HISTORY.revisions, "0003"), copy)


def _upgrade(path: Path, later: History, done: Path) -> None:
    migrations.upgrade(path, later)
    done.touch()


def _state_of(path: Path) -> tuple[object, ...]:
    with closing(sqlite3.connect(path)) as driver:
        columns = {row[1] for row in driver.execute("PRAGMA table_info(projects)")}
        settings = {row[1] for row in driver.execute("PRAGMA table_info(settings)")}
        tables = {row[0] for row in driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        [title] = driver.execute("SELECT DISTINCT title FROM projects").fetchone()
    leftovers = {table for table in tables if table.startswith("_alembic")}
    return (
        migrations.revision_of(path),
        "mark" in columns,
        "content" in settings,
        "guide_images" in tables,
        title,
        leftovers,
    )


OLD: tuple[object, ...] = ("0002", False, False, True, "A film", set())
NEW: tuple[object, ...] = ("0003", True, True, False, "A film!", set())


@pytest.mark.parametrize("point", [1, 2, 3, 4, 5])
def test_a_kill_in_a_migration_leaves_before_or_after(data: Path, tmp_path: Path, later: History, point: int) -> None:
    with open_store(data) as store:
        for _ in range(50):
            new_project(store)
    path = store.folder.db_path
    (tmp_path / f"halt-{point}").touch()
    reached = tmp_path / f"reached-{point}" if point < 5 else tmp_path / "done"
    killed_after(0.0, _upgrade, path, later, tmp_path / "done", ready=reached)
    assert reached.exists()
    assert complaints_of(path) == []
    assert _state_of(path) == (OLD if point < 5 else NEW)
    for halt in tmp_path.glob("halt-*"):
        halt.unlink()
    if point < 5:
        open_store(data).close()  # the old program still takes it
        migrations.upgrade(path, later)
    assert _state_of(path) == NEW


def test_a_kill_while_the_first_database_is_made(data: Path) -> None:
    """There is a whole database or none, and the next start makes one."""
    for delay_ms in (0, 40, 90, 140):
        killed_after(delay_ms / 1000, lambda: open_store(data).close())
        assert not (data / "video-story.db").exists() or complaints_of(data / "video-story.db") == []
    with open_store(data) as store:
        assert new_project(store)


def test_a_copy_is_made_before_an_older_database_is_migrated(data: Path, later: History) -> None:
    with open_store(data) as store:
        new_project(store)
    migrations.migrate(DataFolder(data), later)
    assert _state_of(data / "video-story.db") == NEW
    [copy] = (data / "backups").iterdir()
    assert copy.name.startswith("before-0003-")
    assert _state_of(copy) == OLD
    migrations.migrate(DataFolder(data), later)
    assert len(list((data / "backups").iterdir())) == 1, "no copy when there is nothing to migrate"
    with pytest.raises(StoreUnavailable, match="newer version"):
        open_store(data)


@pytest.mark.parametrize("table", ["money_entries", "credit_entries", "verdicts"])
def test_what_was_written_in_a_ledger_stays(data: Path, table: str) -> None:
    open_store(data).close()
    with closing(sqlite3.connect(data / "video-story.db")) as driver:
        columns = [row for row in driver.execute(f"PRAGMA table_info({table})") if row[3] and not row[5]]
        names = ", ".join(row[1] for row in columns)
        driver.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('1' for _ in columns)})")
        for change in (f"UPDATE {table} SET {columns[0][1]} = 2", f"DELETE FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                driver.execute(change)
