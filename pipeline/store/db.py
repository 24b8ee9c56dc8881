"""One SQLite file: who may read it, who may write it, and what its failures mean.

Hidden here: WAL, pragmas, pooling, BEGIN IMMEDIATE, and how a locked or full database is met. Readers get a snapshot
and never wait. There is one writing connection in a process, handed from thread to thread in turn: its prepared
statements stay warm, and SQLite's own lock (which sleeps and polls) is only met when another process holds it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from pipeline.errors import DiskFull, ProductError, StoreUnavailable
from pipeline.store import failures
from pipeline.store.folder import DataFolder as DataFolder
from pipeline.store.reserve import Reserve

LOCK_TIMEOUT_S = 30.0
_TURN_MS = 200  # how long SQLite itself polls before we look at the clock again
_CHECKPOINT_PAGES = 4000  # 16 MB of log: a checkpoint falls on one durable step in several hundred


class Database:
    """Reads and writes of one database file.

    Sessions do not outlive their `with` block, and objects loaded in one can be read after it. A write block
    must be short: no engine, provider or file work inside it.
    """

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        reserve: Reserve | None = None,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        self.path = path
        self.read_only = read_only
        self._reserve = reserve
        self._lock_timeout_s = lock_timeout_s
        self._readers = _engine(path, read_only=read_only, timeout_s=lock_timeout_s, pool_size=16)
        event.listen(self._readers, "begin", _begin_read)
        event.listen(self._readers, "connect", _only_query)
        self._writers = _engine(path, read_only=read_only, timeout_s=_TURN_MS / 1000, pool_size=1)
        self._turn = threading.Lock()
        self._holder: int | None = None
        self._writer: Connection | None = None
        self._full_sync = False
        self._blocked_since: float | None = None
        self._fresh: list[tuple[int, int | None]] = []
        self._on_commit: list[Callable[[list[tuple[int, int | None]], bool], None]] = []

    @property
    def blocked_s(self) -> float:
        """For how many seconds a write has been waiting for another process; 0.0 when none is."""
        since = self._blocked_since
        return 0.0 if since is None else time.monotonic() - since

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on a consistent snapshot, which later commits do not change. Raises StoreUnavailable."""
        with self._translated(reading=True), Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The same for plain statements."""
        with self._translated(reading=True), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def write(self, durable: bool = False) -> Iterator[Session]:
        """A session in a BEGIN IMMEDIATE transaction: committed at the end of the block, rolled back on any error.

        `durable` commits survive a power cut; the others survive the death of the process. Raises StoreUnavailable
        (locked for too long, read-only, damaged) and DiskFull. Not to be nested.
        """
        with self.writing(durable) as connection, Session(connection, expire_on_commit=False) as session:
            yield session
            session.commit()  # flushes; the transaction itself is the connection's

    @contextmanager
    def writing(self, durable: bool = False) -> Iterator[Connection]:
        """The same for plain statements."""
        with self._translated(), self._my_turn():
            try:
                connection = self._begin_write(durable)
                with connection.begin() as transaction:
                    yield connection
                    if not transaction.is_active:  # rolled back inside: nothing was written, so nothing is told
                        self._fresh.clear()
            except BaseException:
                self._fresh.clear()
                self._abandon_write()
                raise
            fresh, self._fresh = self._fresh, []
            for listener in self._on_commit if fresh else ():
                listener(fresh, durable)
        if self._reserve is not None:
            self._reserve.hold()

    def on_commit(self, listener: Callable[[list[tuple[int, int | None]], bool], None]) -> None:
        """Calls `listener([(event seq, project id)], durable)` after each commit that logged events."""
        self._on_commit.append(listener)

    def logged(self, seq: int, project_id: int | None) -> None:
        """Notes that the present write has logged an event."""
        self._fresh.append((seq, project_id))

    def give_way(self) -> None:
        """Makes room on a full disk, so that it can be written down: frees the space that was kept back, and folds the
        log into the database (the log holds every version of a page, the database one).
        """
        if self._reserve is not None:
            self._reserve.release()
        with suppress(sqlite3.Error), closing(connect(self.path, timeout_s=_TURN_MS / 1000)) as driver:
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Waits for the writer's turn, then closes every connection; the log is folded into the database."""
        with self._turn:
            self._drop_writer()
        self._readers.dispose()
        self._writers.dispose()

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._holder == me:
            raise RuntimeError("a write inside a write: use the session of the outer one")
        if self.read_only:
            raise StoreUnavailable(f"The database {self.path} was opened for reading only.", hint=failures.RESTORE_HINT)
        if not self._turn.acquire(timeout=self._lock_timeout_s * 2):
            raise StoreUnavailable("The database has been busy for too long.", hint="Try again in a moment.")
        self._holder = me
        try:
            yield
        finally:
            self._holder = None
            self._turn.release()

    def _begin_write(self, durable: bool) -> Connection:
        """Opens the write transaction on the writing connection, waiting for other processes up to the limit."""
        if self._writer is None:
            self._writer = self._writers.connect()
            self._full_sync = False
        connection = self._writer
        driver = driver_of(connection)
        if durable != self._full_sync:
            driver.execute("PRAGMA synchronous=FULL" if durable else "PRAGMA synchronous=NORMAL")
            self._full_sync = durable
        deadline = time.monotonic() + self._lock_timeout_s
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE")
                self._blocked_since = None
                return connection
            except sqlite3.OperationalError as problem:
                if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                    self._blocked_since = None
                    raise
                self._blocked_since = self._blocked_since or time.monotonic()

    def _abandon_write(self) -> None:
        """Makes sure that nothing of a failed write is left open; a connection that cannot roll back is dropped."""
        if self._writer is None:
            return
        try:
            driver = driver_of(self._writer)
            if driver.in_transaction:
                driver.rollback()
        except Exception:
            self._drop_writer()

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(Exception):
                writer.invalidate()
            with suppress(Exception):
                writer.close()

    @contextmanager
    def _translated(self, *, reading: bool = False) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error) as problem:
            product = self._meaning(problem, reading)
            if product is None:
                raise
            raise product from problem

    def _meaning(self, problem: DBAPIError | sqlite3.Error, reading: bool) -> ProductError | None:
        cause = problem.orig if isinstance(problem, DBAPIError) else problem
        if not isinstance(cause, sqlite3.Error):
            return None
        if reading and getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY:
            return None  # a change in a reading session: a mistake in the program
        product = failures.of_sqlite(cause, self.path)
        if isinstance(product, DiskFull) and not self.read_only:
            self.give_way()
        if product is None and self.read_only and isinstance(cause, sqlite3.OperationalError):
            return failures.damaged(self.path, str(cause))  # e.g. a table is gone
        return product


def connect(path: Path, *, read_only: bool = False, timeout_s: float = LOCK_TIMEOUT_S) -> sqlite3.Connection:
    """A bare connection in autocommit mode, for the few jobs below the tables: checks, copies, migrations.

    `read_only` never changes the file, nor makes one. Raises sqlite3.Error.
    """
    mode = "ro" if read_only else "rwc"
    wal = path.with_name(f"{path.name}-wal")
    if read_only and not os.access(path.parent, os.W_OK) and not wal.exists():
        mode = "ro&immutable=1"  # no log to be read, and no place for SQLite's shared memory
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={mode}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )


def _engine(path: Path, *, read_only: bool, timeout_s: float, pool_size: int) -> Engine:
    def creator() -> sqlite3.Connection:
        driver = connect(path, read_only=read_only, timeout_s=timeout_s)
        driver.execute("PRAGMA foreign_keys=ON")
        driver.execute("PRAGMA temp_store=MEMORY")
        if not read_only:
            driver.execute("PRAGMA synchronous=NORMAL")
            driver.execute(f"PRAGMA wal_autocheckpoint={_CHECKPOINT_PAGES}")
        return driver

    return create_engine(
        "sqlite+pysqlite://", creator=creator, poolclass=QueuePool, pool_size=pool_size, max_overflow=-1
    )


def _only_query(driver: Any, _record: Any) -> None:
    driver.execute("PRAGMA query_only=ON")


def _begin_read(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The bare connection under SQLAlchemy's, inside the same transaction: for statements run thousands of times."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
