"""Noticing that a database is damaged, before anything is built on it.

Hidden here: SQLite's own checks, and the one loss that they cannot see. A database whose write-ahead log was cut off
is sound, but of an earlier hour, and handles of paid work are missing in it. So the number of the last durable event is
noted in a small file beside it (the witness) after the commit: a database that does not reach it has lost something.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from pipeline.errors import StoreUnavailable
from pipeline.store import failures
from pipeline.store.db import DataFolder, connect


class Witness:
    """The number of the last durable event, written in place after each commit; never ahead of the disk."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)

    def record(self, fresh: list[tuple[int, int | None]], durable: bool) -> None:
        """A commit listener (see Database.on_commit)."""
        if durable:
            with suppress(OSError):  # a witness that is behind only notices less
                os.pwrite(self._handle, b"%020d\n" % fresh[-1][0], 0)

    def close(self) -> None:
        os.close(self._handle)

    @staticmethod
    def read(path: Path) -> int:
        try:
            return int(path.read_text())
        except (OSError, ValueError):
            return 0


def require_sound(folder: DataFolder) -> None:
    """Raises StoreUnavailable, naming the way back, when the database is damaged, has lost its newest records, or is
    gone while its files are there.
    """
    if not folder.db_path.exists():
        _require_new(folder)
        return
    if folder.db_path.stat().st_size == 0:
        raise failures.damaged(folder.db_path, "the file is empty")
    try:
        with closing(connect(folder.db_path, read_only=True)) as driver:  # what is damaged is not to be touched
            complaints = [row[0] for row in driver.execute("PRAGMA quick_check(3)")]
            newest = _newest_event(driver)
    except sqlite3.Error as problem:
        raise failures.of_sqlite(problem, folder.db_path) or failures.damaged(folder.db_path, str(problem)) from problem
    if complaints != ["ok"]:
        raise failures.damaged(folder.db_path, "; ".join(complaints))
    if newest < Witness.read(folder.witness_path):
        raise StoreUnavailable(
            f"The database {folder.db_path} has lost its newest records: its write-ahead log is damaged or missing.",
            hint=failures.RESTORE_HINT,
        )


def complaints_of(path: Path) -> list[str]:
    """Everything that a thorough check of a database file has to say; empty when it is sound. Changes nothing."""
    try:
        with closing(connect(path, read_only=True)) as driver:
            found = [row[0] for row in driver.execute("PRAGMA integrity_check(20)")]
            found = [] if found == ["ok"] else found
            for table, rowid, parent, _ in driver.execute("PRAGMA foreign_key_check"):
                found.append(f"a row of {table} ({rowid}) names a row of {parent} that does not exist")
            return found
    except sqlite3.Error as problem:
        return [str(problem)]


def _newest_event(driver: sqlite3.Connection) -> int:
    if driver.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone() is None:
        return 0
    row = driver.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return 0 if row is None else int(row[0])


def _require_new(folder: DataFolder) -> None:
    leftovers = [folder.wal_path, folder.witness_path, *folder.media.glob("??/*")]
    if any(path.exists() and path.stat().st_size > 0 for path in leftovers):
        raise StoreUnavailable(
            f"The database {folder.db_path} is gone, but files of its projects are there.",
            hint=f"{failures.RESTORE_HINT} To begin anew, move the folder {folder.path} away.",
        )
