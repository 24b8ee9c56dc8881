"""What a failing disk or database means to a user: the one translation from errno and SQLite codes to product errors.

Hidden here: SQLite's result codes, and that a full disk shows itself under several names.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

from pipeline.errors import DiskFull, ProductError, StoreUnavailable

RESTORE_HINT = "Restore a backup with `python -m server restore`, or see what is wrong with `python -m server check`."
ROOM_HINT = "Free some space and resume; nothing that was finished is lost."

_NO_ROOM = 256 * 1024  # SQLite needs some pages for its journal and its shared memory before it can begin


def damaged(path: Path, why: str) -> StoreUnavailable:
    """The error for a database that must not be written to; names the way back."""
    return StoreUnavailable(f"The database {path} is damaged: {why}.", hint=RESTORE_HINT)


def of_sqlite(problem: sqlite3.Error, path: Path) -> ProductError | None:
    """The product error for a failed statement on the database at `path`; None if it is a mistake in the statement."""
    code = getattr(problem, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or (primary in _MAYBE_FULL and _free_bytes(path.parent) < _NO_ROOM):
        return DiskFull(f"There is no space left on the disk that holds {path.parent}.", hint=ROOM_HINT)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(path, str(problem))
    if primary in _UNUSABLE:
        return StoreUnavailable(f"The database {path} cannot be used: {problem}.", hint=_UNUSABLE[primary])
    return None


_MAYBE_FULL = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_UNUSABLE = {
    sqlite3.SQLITE_BUSY: "Another program holds it. Close that program and try again.",
    sqlite3.SQLITE_LOCKED: "Another program holds it. Close that program and try again.",
    sqlite3.SQLITE_READONLY: "Make the data folder writable, or set DATA_DIR to a folder that is.",
    sqlite3.SQLITE_PERM: "Make the data folder writable, or set DATA_DIR to a folder that is.",
    sqlite3.SQLITE_CANTOPEN: "Make sure that the data folder exists and can be read and written.",
    sqlite3.SQLITE_IOERR: "The disk reports an error. Check the disk, then try again.",
    sqlite3.SQLITE_NOMEM: "The machine has no memory left. Close other programs and try again.",
}


_UNUSABLE_FOLDER = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR, errno.EEXIST)


def of_os(problem: OSError, path: Path) -> ProductError | None:
    """The product error for a failed file operation on `path`; None if it is none of the disk's own failures."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"There is no space left on the disk that holds {path}.", hint=ROOM_HINT)
    if problem.errno in _UNUSABLE_FOLDER:
        return StoreUnavailable(
            f"The folder {path} cannot be used.",
            hint="Make it a folder that can be written to, or set DATA_DIR to one.",
        )
    if problem.errno in (errno.ENOTDIR, errno.EEXIST, errno.EIO, errno.ENAMETOOLONG, errno.ELOOP):
        return StoreUnavailable(
            f"The folder {path} cannot be used: {problem.strerror}.", hint="Set DATA_DIR to another folder."
        )
    return None


def _free_bytes(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return _NO_ROOM
