"""The data folder: where everything of one installation lies, and who may use it.

Hidden here: the names of the files, and the lock that a dead process cannot keep.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import DataFolderInUse


@dataclass(frozen=True)
class DataFolder:
    """Where everything of one installation lies."""

    path: Path

    @property
    def db_path(self) -> Path:
        return self.path / "video-story.db"

    @property
    def media(self) -> Path:
        return self.path / "media"

    @property
    def tmp(self) -> Path:
        return self.path / "tmp"

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A folder of its own for one piece of work, gone afterwards."""
        folder = self.tmp / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @property
    def held(self) -> Path:
        """Results that nobody could check yet: beside the media, where no address leads."""
        return self.path / "held"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def lock_path(self) -> Path:
        return self.path / "lock"

    @property
    def reserve_path(self) -> Path:
        return self.path / "reserve"

    @property
    def witness_path(self) -> Path:
        return self.path / "witness"

    @property
    def wal_path(self) -> Path:
        return self.path / "video-story.db-wal"

    @property
    def shm_path(self) -> Path:
        return self.path / "video-story.db-shm"

    @property
    def restore_path(self) -> Path:
        """A restored database that waits to take the place of the present one (see backup.py)."""
        return self.path / "video-story.db.restore"


def locked(folder: DataFolder) -> FileLock:
    """The folder's lock, taken; a context manager. Raises DataFolderInUse when another process has it."""
    lock = FileLock(folder.lock_path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise DataFolderInUse(
            f"The data folder {folder.path} is in use by another process.",
            hint="Stop that one first, or set DATA_DIR to another folder.",
        ) from None
    return lock


def sweep(tmp: Path) -> None:
    """Removes what a killed process left. Only the holder of the lock may: to others it is work under way."""
    for entry in os.scandir(tmp):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            with suppress(OSError):
                Path(entry.path).unlink()
