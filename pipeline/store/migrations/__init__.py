"""The schema's history: which revisions there are, and how an older database is brought to the newest.

Hidden here: Alembic. It is imported only when there is something to migrate, because a restart must be quick. The
upgrade is one transaction with its own version row, so a kill leaves the database of before or of after.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StoreUnavailable
from pipeline.store import failures
from pipeline.store.db import DataFolder, connect
from pipeline.store.models import utc_now


@dataclass(frozen=True)
class History:
    """The revisions of a version of the program, oldest first, and the folder of their scripts."""

    revisions: tuple[str, ...]
    scripts: Path

    @property
    def head(self) -> str:
        return self.revisions[-1]


# Written down, not looked up, because a look-up would import Alembic at every start; a test compares them.
HISTORY = History(revisions=("0001", "0002"), scripts=Path(__file__).parent)


def revision_of(path: Path) -> str | None:
    """The revision of a database file; None when it has none. Raises sqlite3.Error."""
    with closing(connect(path, read_only=True)) as driver:
        if driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is None:
            return None
        row = driver.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])


def require_known(path: Path, revision: str | None, history: History = HISTORY) -> None:
    """Raises StoreUnavailable for a database that this program does not understand."""
    if revision is None:
        raise StoreUnavailable(
            f"The file {path} is not a database of this program.", hint="Set DATA_DIR to another folder."
        )
    if revision not in history.revisions:
        raise StoreUnavailable(
            f"The database {path} was made by a newer version of the program (its revision is {revision}).",
            hint="Update the program, or restore an older backup with `python -m server restore`.",
        )


def migrate(folder: DataFolder, history: History = HISTORY) -> None:
    """Brings the database to the newest revision: makes one when there is none, and copies an older one to backups/
    first.

    The caller holds the folder's lock. Raises StoreUnavailable (newer than the code, damaged), DiskFull.
    """
    try:
        if not folder.db_path.exists():
            _create(folder, history)
            return
        revision = revision_of(folder.db_path)
        require_known(folder.db_path, revision, history)
        if revision != history.head:
            copy_database(folder.db_path, folder.backups / f"before-{history.head}-{_stamp()}.db")
            upgrade(folder.db_path, history)
        _use_wal(folder.db_path)  # a restored copy has come without it
    except sqlite3.Error as problem:
        product = failures.of_sqlite(problem, folder.db_path)
        if product is None:
            raise
        raise product from problem


def upgrade(path: Path, history: History = HISTORY) -> None:
    """Runs the scripts that a database file has not seen, in one transaction. Raises sqlite3.Error."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.pool import NullPool

    engine = create_engine("sqlite+pysqlite://", creator=lambda: connect(path), poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    config = Config()
    config.set_main_option("script_location", str(history.scripts).replace("%", "%%"))
    try:
        _use_wal(path)
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, history.head)
    except DBAPIError as problem:
        if isinstance(problem.orig, sqlite3.Error):
            raise problem.orig from problem
        raise


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database that may be in use, whole or not at all. Raises sqlite3.Error, OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    with closing(connect(source, read_only=True)) as reader, closing(connect(partial)) as writer:
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode=DELETE")  # a copy is one file
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    partial.replace(target)


def _use_wal(path: Path) -> None:
    with closing(connect(path)) as driver:
        driver.execute("PRAGMA journal_mode=WAL")


def _create(folder: DataFolder, history: History) -> None:
    """Makes a new database beside its place and moves it there, so that an empty file is never ours."""
    fresh = folder.tmp / "new.db"
    for leftover in folder.tmp.glob("new.db*"):
        leftover.unlink()
    upgrade(fresh, history)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(folder.db_path)


def _stamp() -> str:
    return utc_now().replace(":", "").replace("-", "").split(".")[0]
