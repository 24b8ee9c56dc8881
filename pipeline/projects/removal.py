"""Deleted projects leave for good: their rows, then every file that nothing needs any more.

Hidden here: what "needs" means. A file stays while a row names it: what a project shows or has shown, a job, a media
item, a request that is open at a provider, a generation of a project that is there (an equal request would be answered
with it). Generations themselves stay, as the account; where their file is gone, an equal request is made anew.
File and row go in one write, which keeps publishers out; what a crash leaves of either, the next sweep takes.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Text, delete, select
from sqlalchemy.orm import Session

from pipeline.errors import ProductError
from pipeline.store import Store
from pipeline.store.models import Base, Character, Generation, GuideImage, Job, Project, Prop, Set

log = logging.getLogger(__name__)

_ADDRESS = re.compile(r"/media/([0-9a-f]{64})\.[a-z0-9]{1,8}")
_NAME = re.compile(r"([0-9a-f]{64})\.[a-z0-9]{1,8}")
_OPEN = ("prepared", "submitting", "accepted", "ambiguous")
# Logs and accounts tell of files that are gone; what is known of a file does not keep it.
_TELLING = frozenset(
    {"events", "verdicts", "money_entries", "credit_entries", "answers", "generations", "media_files", "image_analyses"}
)
_ENTITIES: dict[str, Any] = {"characters": Character, "sets": Set, "props": Prop}
GRACE_S = 15.0  # what was published a moment ago is about to be named by a row


def purge(store: Store, *, grace_s: float = GRACE_S) -> int:
    """Removes deleted projects that nothing works for any more, then unneeded files; how many files have gone.

    Only while nothing is being made: work in progress holds files that no row names yet.
    """
    with store.db.write(durable=True) as session:
        for project_id in _removable(session):
            session.execute(delete(Project).where(Project.id == project_id))
        for kind, table in _ENTITIES.items():  # guides name their entity without a foreign key
            left = GuideImage.entity_id.not_in(select(table.id))
            session.execute(delete(GuideImage).where(GuideImage.entity_type == kind, left))
    with store.db.writing(durable=True) as connection:
        # Listed inside the write too: a file is in its place before its row, so every row that is seen has its file.
        files = dict(_files(store.folder.media))
        old = {name: path for name, path in files.items() if _is_older(path, grace_s)}
        known = set(connection.exec_driver_sql("SELECT sha256 FROM media_files").scalars())
        unneeded = known - _needed(connection)
        gone = sorted(name for name in unneeded if name in old or name not in files)
        for name in gone:
            connection.exec_driver_sql("DELETE FROM media_files WHERE sha256 = ?", (name,))
            connection.exec_driver_sql("DELETE FROM image_analyses WHERE sha256 = ?", (name,))
        lost = [old[name] for name in (*gone, *(old.keys() - known)) if name in old]
        # Inside the write: nobody can make the same content known between the look and the removal.
        for path in lost:
            with suppress(OSError):
                path.unlink()
    return len(lost)


def _removable(session: Session) -> list[int]:
    """Deleted projects for which nothing is on at a provider or in the queue."""
    open_work = select(Generation.project_id).where(Generation.status.in_(_OPEN), Generation.project_id.is_not(None))
    jobs = select(Job.project_id).where(Job.status.in_(("queued", "running")), Job.project_id.is_not(None))
    query = select(Project.id).where(
        Project.deleted_at.is_not(None), Project.id.not_in(open_work), Project.id.not_in(jobs)
    )
    return list(session.scalars(query))


def _files(media: Path) -> Iterable[tuple[str, Path]]:
    for path in media.glob("??/*"):
        match = _NAME.fullmatch(path.name)
        if match is not None and path.is_file():
            yield match[1], path


def _is_older(path: Path, grace_s: float) -> bool:
    try:
        return time.time() - path.stat().st_mtime >= grace_s
    except OSError:
        return False


def _needed(connection: Connection) -> set[str]:
    """The names of all files that a row needs, with those that their own descriptions name (a cut clip's original)."""
    needed: set[str] = set()
    for table in Base.metadata.sorted_tables:
        if table.name in _TELLING:
            continue
        for column in table.columns:
            if isinstance(column.type, Text | JSON):
                _collect(connection, needed, f"SELECT {column.name} FROM {table.name}", f"{column.name}")
    open_ones = ", ".join(f"'{status}'" for status in _OPEN)
    live = "project_id IN (SELECT id FROM projects WHERE deleted_at IS NULL)"
    _collect(connection, needed, f"SELECT output FROM generations WHERE {live}", "output")
    _collect(connection, needed, f"SELECT request FROM generations WHERE status IN ({open_ones})", "request")
    metas = {
        name: _ADDRESS.findall(meta)
        for name, meta in connection.exec_driver_sql("SELECT sha256, meta FROM media_files WHERE meta LIKE '%/media/%'")
    }
    fresh = needed & metas.keys()
    while fresh:
        more = {other for name in fresh for other in metas[name]} - needed
        needed |= more
        fresh = more & metas.keys()
    return needed


def _collect(connection: Connection, needed: set[str], select_: str, column: str) -> None:
    joint = " AND " if " WHERE " in select_ else " WHERE "
    for (text,) in connection.exec_driver_sql(f"{select_}{joint}{column} LIKE '%/media/%'"):
        needed.update(_ADDRESS.findall(text))


class Cleaner:
    """Purges in a thread of its own, once nothing is being made. `busy` says whether something is."""

    def __init__(self, store: Store, busy: Callable[[], bool], *, look_every_s: float = 2.0) -> None:
        self._store, self._busy = store, busy
        self._look_every_s = look_every_s
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._cleaning = threading.Lock()
        self._holders = 0
        self._thread: threading.Thread | None = None
        self._again = False

    def wake(self) -> None:
        """There may be something to clean up."""
        with self._lock:
            self._again = True
            if not self._closing.is_set() and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name="cleaner", daemon=True)
                self._thread.start()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is removed meanwhile: many files come before the rows that name them. Cleans up after a failure."""
        with self._cleaning:
            self._holders += 1
        try:
            yield
        except BaseException:
            self.wake()
            raise
        finally:
            with self._cleaning:
                self._holders -= 1

    def _work(self) -> None:
        while not self._closing.wait(self._look_every_s):
            if self._busy() or not self._cleaned():
                continue
            with self._lock:
                if not self._again:
                    self._thread = None
                    return

    def _cleaned(self) -> bool:
        """False while somebody holds the files."""
        with self._cleaning:
            if self._holders:
                return False
            with self._lock:
                self._again = False
            try:
                purge(self._store)
            except ProductError as failure:
                log.warning("cleaning up: %s", failure)
            return True

    def close(self) -> None:
        self._closing.set()
        thread = self._thread
        if thread is not None:
            thread.join(5)
