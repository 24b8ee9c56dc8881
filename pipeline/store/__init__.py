"""What the program keeps: one database, one media folder, and the record of all work, opened as one `Store`.

Hidden here: the order in which a data folder is taken into use. Lock, interrupted restore, leftovers, damage, revision,
and only then the tables.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import ExitStack
from pathlib import Path

from pipeline.errors import StoreUnavailable
from pipeline.store import failures, migrations
from pipeline.store.backup import finish_restore
from pipeline.store.db import Database, DataFolder
from pipeline.store.events import EventLog
from pipeline.store.folder import locked, sweep
from pipeline.store.integrity import Witness, require_sound
from pipeline.store.ledger import Ledger, StepRecord
from pipeline.store.media import MediaStore
from pipeline.store.reserve import Reserve

__all__ = ["DataFolder", "Database", "EventLog", "Ledger", "MediaStore", "StepRecord", "Store", "open_store"]


class Store:
    """An open data folder. `boot_id` is new each time, and tells our work from that of a process that died."""

    def __init__(self, folder: DataFolder, db: Database, closing: ExitStack) -> None:
        self.folder = folder
        self.db = db
        self.boot_id = uuid.uuid4().hex
        self.events = EventLog(db)
        self.ledger = Ledger(db, self.boot_id)
        self.media = MediaStore(db, folder)
        self._closing = closing

    def close(self) -> None:
        """Wakes the waiters, closes the database, gives up the lock. May be called twice."""
        self.events.close()
        self._closing.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(path: Path, *, exclusive: bool = True, read_only: bool = False) -> Store:
    """Takes a data folder into use: makes it where it is missing, and migrates it where it is old.

    `exclusive=False` is for a second process beside the one that holds the folder: it takes no lock, sweeps nothing
    and migrates nothing, and wants a database of the present revision. `read_only` is the door into a damaged
    folder: it takes no lock, changes nothing, and gives what can be read; every write, and every read of what is
    damaged, raises StoreUnavailable.

    Raises DataFolderInUse, StoreUnavailable (damaged, newer than the code, not writable), DiskFull.
    """
    folder = DataFolder(Path(path))
    if read_only:
        return _opened(folder, Database(folder.db_path, read_only=True))
    try:
        if not exclusive:
            return _open_beside(folder)
        return _open_alone(folder)
    except OSError as problem:
        product = failures.of_os(problem, folder.path)
        if product is None:
            raise
        raise product from problem


def _open_alone(folder: DataFolder) -> Store:
    for path in (folder.path, folder.media, folder.tmp, folder.backups):
        path.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(locked(folder))
        sweep(folder.tmp)
        finish_restore(folder)
        require_sound(folder)
        migrations.migrate(folder)
        reserve = Reserve(folder.reserve_path)
        reserve.hold()
        db = Database(folder.db_path, reserve=reserve)
        witness = Witness(folder.witness_path)
        stack.callback(witness.close)
        db.on_commit(witness.record)
        return _opened(folder, db, stack.pop_all())


def _open_beside(folder: DataFolder) -> Store:
    if not folder.db_path.exists() or folder.restore_path.exists():
        raise StoreUnavailable(f"There is no database in {folder.path}.", hint="Start the server once.")
    try:
        revision = migrations.revision_of(folder.db_path)
    except sqlite3.Error as problem:
        raise failures.of_sqlite(problem, folder.db_path) or failures.damaged(folder.db_path, str(problem)) from problem
    if revision != migrations.HISTORY.head:
        raise StoreUnavailable(
            f"The database in {folder.path} is of another version of the program.", hint="Restart the server."
        )
    return _opened(folder, Database(folder.db_path))


def _opened(folder: DataFolder, db: Database, closing: ExitStack | None = None) -> Store:
    closing = closing or ExitStack()
    closing.callback(db.close)
    return Store(folder, db, closing)
