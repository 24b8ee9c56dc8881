"""Copies of a whole installation, and the way back.

A backup is a folder: `video-story.db`, `media/…` as in the data folder, and `manifest.json`, which is written last.
Hidden here: copying a live database, and how a restore is all or nothing. Media files are named by their content, so
putting them in place first harms nobody; the restored database then waits under a name of its own
(DataFolder.restore_path), and from that moment the restore is decided: whoever opens the folder next completes it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline.contracts import Value
from pipeline.errors import InvalidInput, StoreUnavailable
from pipeline.store import failures
from pipeline.store.db import connect
from pipeline.store.folder import DataFolder, locked
from pipeline.store.integrity import complaints_of
from pipeline.store.migrations import copy_database, require_known, revision_of
from pipeline.store.models import utc_now

_MANIFEST = "manifest.json"
_DATABASE = "video-story.db"


class Manifest(Value):
    """What a backup holds. `media` gives each file's size in bytes by its name, `missing` the files that were gone."""

    made_at: str
    revision: str
    database_sha256: str
    media: dict[str, int]
    missing: tuple[str, ...] = ()


def backup(folder: DataFolder, dest: Path) -> Manifest:
    """Copies a folder that may be in use to the new folder `dest`, verifies the copy, and says what is in it.

    `dest` appears only when it is whole. Media files are hard links where the disk allows it. Raises InvalidInput (dest
    exists), StoreUnavailable (damaged), DiskFull.
    """
    dest = dest.absolute()
    if dest.exists():
        raise InvalidInput(f"{dest} exists already.", hint="Name a folder that does not exist yet.", field="dest")
    partial = dest.with_name(f".{dest.name}.partial")
    with _translated(folder.db_path, dest.parent):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            manifest = _fill(folder, partial)
            partial.replace(dest)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _sync(dest.parent)
    return manifest


def restore(folder: DataFolder, src: Path) -> None:
    """Puts a backup (its folder, or a bare database file out of backups/) in the place of what is there.

    All or nothing: until the end everything is as it was. The database that was there is kept in backups/replaced-….
    Media files that the backup does not know stay. Raises DataFolderInUse, InvalidInput (no such backup),
    StoreUnavailable (the backup is damaged, or newer than the code), DiskFull.
    """
    source = DataFolder(src) if src.is_dir() else None
    database = src if source is None else source.db_path
    if not database.is_file():
        raise InvalidInput(f"{src} is no backup.", hint="Name a folder that `backup` made.", field="src")
    with _translated(database, folder.path):
        _verify(database, source)
        for path in (folder.path, folder.media, folder.tmp, folder.backups):
            path.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            finish_restore(folder)
            if source is not None:
                _bring_media(source, folder)
            staged = folder.tmp / "restore.db"
            staged.unlink(missing_ok=True)
            shutil.copyfile(database, staged)
            _sync(staged)
            staged.replace(folder.restore_path)
            _sync(folder.path)
            finish_restore(folder)


def finish_restore(folder: DataFolder) -> None:
    """Completes a restore that was decided; does nothing when there is none. The caller holds the folder's lock."""
    if not folder.restore_path.exists():
        return
    kept = folder.backups / f"replaced-{utc_now().replace(':', '')}"
    kept.mkdir(parents=True, exist_ok=True)
    # The old log must not meet the new database: SQLite would play it into it.
    for old in (folder.wal_path, folder.shm_path, folder.db_path):
        if old.exists():
            old.replace(kept / old.name)
    folder.witness_path.unlink(missing_ok=True)
    folder.restore_path.replace(folder.db_path)
    _sync(folder.path)


def check(folder: DataFolder) -> list[str]:
    """Everything that is wrong with a folder, in sentences; empty when it is sound. Reads it all, changes nothing."""
    if not folder.db_path.exists():
        return [f"There is no database in {folder.path}."]
    found = [f"The database says: {complaint}." for complaint in complaints_of(folder.db_path)]
    try:
        require_known(folder.db_path, revision_of(folder.db_path))
        known = _known_media(folder.db_path)
        found += _unknown_addresses(folder.db_path, set(known))
    except StoreUnavailable as problem:
        return [*found, problem.sentence]
    except sqlite3.Error as problem:
        return [*found, f"The database cannot be read: {problem}."]
    for name, size in known.items():
        complaint = _complaint(_place(folder, name), size)
        if complaint:
            found.append(f"The media file {name} {complaint}.")
    return found


def _fill(folder: DataFolder, dest: Path) -> Manifest:
    if not folder.db_path.exists():
        raise StoreUnavailable(f"There is no database in {folder.path}.", hint="There is nothing to back up.")
    database = dest / _DATABASE
    copy_database(folder.db_path, database)
    complaints = complaints_of(database)
    if complaints:
        raise failures.damaged(folder.db_path, "; ".join(complaints))
    media, missing = {}, []
    copy = DataFolder(dest)
    for name, size in _known_media(database).items():
        # A damaged file is worse than none: a restore would put it over a sound one.
        if _complaint(_place(folder, name), size):
            missing.append(name)
            continue
        _link(_place(folder, name), _place(copy, name))
        media[name] = size
    manifest = Manifest(
        made_at=utc_now(),
        revision=revision_of(database) or "",
        database_sha256=_sha256(database),
        media=media,
        missing=tuple(missing),
    )
    written = dest / _MANIFEST
    written.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    _sync(written)
    return manifest


def _verify(database: Path, source: DataFolder | None) -> None:
    """Refuses a backup that is not whole."""
    complaints = complaints_of(database)
    if complaints:
        raise StoreUnavailable(f"The backup {database} is damaged: {'; '.join(complaints)}.", hint="Use another one.")
    require_known(database, revision_of(database))
    if source is None:
        return
    try:
        manifest = Manifest.model_validate_json((source.path / _MANIFEST).read_bytes())
    except (OSError, ValueError) as problem:
        raise InvalidInput(
            f"{source.path} is no backup: its {_MANIFEST} cannot be read.", hint="Name a folder that `backup` made."
        ) from problem
    if _sha256(database) != manifest.database_sha256:
        raise StoreUnavailable(
            f"The backup {source.path} is damaged: its database has changed.", hint="Use another one."
        )
    for name, size in manifest.media.items():
        complaint = _complaint(_place(source, name), size)
        if complaint:
            raise StoreUnavailable(
                f"The backup {source.path} is damaged: the file {name} {complaint}.", hint="Use another one."
            )


def _bring_media(source: DataFolder, folder: DataFolder) -> None:
    for name, size in _known_media(source.db_path).items():
        origin, target = _place(source, name), _place(folder, name)
        if origin.exists() and _complaint(target, size):
            draft = folder.tmp / name
            draft.unlink(missing_ok=True)
            # Never a link: the installation must be able to lose its disk without the backup losing its file.
            shutil.copyfile(origin, draft)
            _sync(draft)
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.replace(target)


def _known_media(database: Path) -> dict[str, int]:
    with closing(connect(database, read_only=True)) as driver:
        return {f"{sha}.{ext}": size for sha, ext, size in driver.execute("SELECT sha256, ext, size FROM media_files")}


def _unknown_addresses(database: Path, known: set[str]) -> list[str]:
    """Media addresses in the tables of which the store has no record."""
    found = []
    with closing(connect(database, read_only=True)) as driver:
        tables = [row[0] for row in driver.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in driver.execute(f"PRAGMA table_info({table})") if row[1].endswith("_url")]
            for column in columns:
                rows = driver.execute(f"SELECT id, {column} FROM {table} WHERE {column} LIKE '/media/%'")
                found += [
                    f"{column} of {table} {row} names {url}, which was never published."
                    for row, url in rows
                    if url.removeprefix("/media/") not in known
                ]
    return found


def _place(folder: DataFolder, name: str) -> Path:
    return folder.media / name[:2] / name


def _complaint(path: Path, size: int) -> str:
    """What is wrong with a media file; empty when it is whole."""
    try:
        if path.stat().st_size != size:
            return f"is damaged ({path.stat().st_size} of {size} bytes)"
        return "" if path.name.startswith(_sha256(path)) else "is damaged (its content has changed)"
    except FileNotFoundError:
        return "is gone"
    except OSError as problem:
        return f"cannot be read ({problem.strerror})"


def _link(origin: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(origin, target)
    except OSError as problem:
        if problem.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP):
            raise
        shutil.copyfile(origin, target)
        _sync(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated(database: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        raise failures.of_sqlite(problem, database) or failures.damaged(database, str(problem)) from problem
    except OSError as problem:
        product = failures.of_os(problem, folder)
        if product is None:
            raise
        raise product from problem
