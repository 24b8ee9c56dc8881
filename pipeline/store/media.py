"""Files by their content: DATA_DIR/media/<2 hex>/<sha256>.<ext>, written whole or not at all, and never changed.

Hidden here: hashing, fsync and rename, and which addresses are ours. A file's row is written after the file is in its
place, so the database only points at files that exist.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.contracts import MediaRef
from pipeline.errors import BadMedia, InvalidInput, MediaMissing
from pipeline.store import failures
from pipeline.store.clearance import Clearance, NotCleared
from pipeline.store.db import Database, DataFolder
from pipeline.store.models import utc_now

_URL = re.compile(r"/media/([0-9a-f]{64})\.([a-z0-9]{1,8})")
_EXT = re.compile(r"[a-z0-9]{1,8}")
_MIME = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mov": "video/quicktime",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "json": "application/json",
    "txt": "text/plain",
}
_INSERT = """
INSERT INTO media_files (sha256, ext, size, mime, meta, origin, verdict, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (sha256) DO UPDATE SET meta = excluded.meta WHERE meta = '{}'
"""
_SELECT = "SELECT ext, size, meta FROM media_files WHERE sha256 = ?"


class MediaStore:
    """Publishes files and finds them again. `url` is always `/media/<sha256>.<ext>`."""

    def __init__(self, db: Database, folder: DataFolder) -> None:
        self._db = db
        self._folder = folder

    @contextmanager
    def draft(self, suffix: str) -> Iterator[Path]:
        """A path for a file to be made, in the temporary folder; what is still there afterwards is removed.

        `suffix` is e.g. ".png". The file itself is not created. A full disk inside the block becomes DiskFull;
        raises StoreUnavailable when there is no temporary folder to be had.
        """
        folder = self._folder.tmp
        path = folder / f"{uuid.uuid4().hex}{suffix}"
        with self._disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            yield path
        except OSError as problem:
            if problem.errno != errno.ENOSPC:  # the others may be about files of the caller's own
                raise
            with self._disk(folder):
                raise
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def publish(
        self,
        path: Path,
        *,
        ext: str,
        origin: str = "engine",
        verdict: Clearance,
        meta: dict[str, Any] | None = None,
    ) -> MediaRef:
        """Moves a finished file into the store. A file that is there already is put in place afresh (it may have been
        damaged); of two descriptions (`meta`) of the same content the first that says anything is kept.

        `verdict` is the leave to do so; what it says is kept in the transaction that makes the file known.

        Raises BadMedia (there is no such file), NotCleared, DiskFull, StoreUnavailable (naming the folder).
        """
        if not isinstance(verdict, Clearance):
            raise NotCleared(f"The file {path.name} has not been checked.")
        ext = ext.lower().lstrip(".")
        if not _EXT.fullmatch(ext):
            raise ValueError(f"{ext!r} is no file extension")
        if not path.is_file():
            raise BadMedia(f"The file {path.name} was not made.", hint="Try again.")
        with self._disk(self._folder.media):
            source = self._beside(path)
            try:
                sha256, size = _hashed(source)
                if not verdict.admits(sha256):
                    raise NotCleared(f"The file {path.name} was refused, or it is another one than was checked.")
                known = self._row(sha256)
                self._place(source, sha256, known[0] if known else ext)
            finally:
                if source != path:
                    source.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        values = (sha256, ext, size, _MIME.get(ext, "application/octet-stream"))
        described = (_packed(meta or {}), origin, _packed(verdict.summary), utc_now())
        with self._db.write() as session:
            session.connection().exec_driver_sql(_INSERT, values + described)
            verdict.record(session, sha256)
        row = self._row(sha256)
        assert row is not None
        return MediaRef(sha256=sha256, ext=row[0], size=row[1], meta=row[2])

    @contextmanager
    def holding(self, path: Path, name: str) -> Iterator[Path]:
        """Moves a finished file out of sight (`held/<name>`), for good; taken back if the block raises.

        Raises DiskFull, StoreUnavailable.
        """
        held = self._folder.held / name
        with self._disk(self._folder.held):
            held.parent.mkdir(parents=True, exist_ok=True)
            source = self._beside(path)
            _hashed(source)
            source.replace(held)
            _sync_folder(held.parent)
        try:
            yield held
        except BaseException:
            held.unlink(missing_ok=True)
            raise

    def origin(self, url: str) -> str:
        """Where the file came from first: engine, provider or upload. Raises as `ref`."""
        ref = self.ref(url)
        with self._db.reading() as connection:
            row = connection.exec_driver_sql("SELECT origin FROM media_files WHERE sha256 = ?", (ref.sha256,)).one()
        return str(row[0])

    def ref(self, url: str) -> MediaRef:
        """What is known of a file. Raises InvalidInput (no address of ours) and MediaMissing (never published)."""
        sha256, ext = _parsed(url)
        row = self._row(sha256)
        if row is None or row[0] != ext:
            raise _missing(f"{sha256}.{ext}", "is not known")
        return MediaRef(sha256=sha256, ext=ext, size=row[1], meta=row[2])

    def path(self, url_or_ref: str | MediaRef) -> Path:
        """Where a published file lies. Raises InvalidInput, and MediaMissing when it is gone or its size is wrong."""
        ref = self.ref(url_or_ref) if isinstance(url_or_ref, str) else url_or_ref
        path = self._target(ref.sha256, ref.ext)
        try:
            size = path.stat().st_size
        except OSError as problem:
            raise _missing(path.name, "is gone") from problem
        if size != ref.size:
            raise _missing(path.name, f"is damaged ({size} of {ref.size} bytes)")
        return path

    def exists(self, url: str) -> bool:
        """Whether `path` would give a file."""
        try:
            self.path(url)
        except (MediaMissing, InvalidInput):
            return False
        return True

    def verify(self, url: str) -> Path:
        """Reads the whole file and compares it with its name. Raises as `path`, and MediaMissing when it differs."""
        path = self.path(url)
        try:
            sha256, _ = _hashed(path, sync=False)
        except OSError as problem:
            raise _missing(path.name, f"cannot be read ({problem.strerror})") from problem
        if not path.name.startswith(sha256):
            raise _missing(path.name, "is damaged (its content has changed)")
        return path

    def _row(self, sha256: str) -> tuple[str, int, dict[str, Any]] | None:
        with self._db.reading() as connection:
            row = connection.exec_driver_sql(_SELECT, (sha256,)).first()
        return None if row is None else (row[0], row[1], json.loads(row[2]))

    def _target(self, sha256: str, ext: str) -> Path:
        return self._folder.media / sha256[:2] / f"{sha256}.{ext}"

    def _beside(self, path: Path) -> Path:
        """The file on the store's own disk, where a rename is one step: itself, or a copy in the temporary folder."""
        self._folder.media.mkdir(parents=True, exist_ok=True)
        if path.stat().st_dev == self._folder.media.stat().st_dev:
            return path
        copy = self._folder.tmp / f"{uuid.uuid4().hex}{path.suffix}"
        try:
            shutil.copyfile(path, copy)
        except OSError:
            copy.unlink(missing_ok=True)
            raise
        return copy

    def _place(self, source: Path, sha256: str, ext: str) -> None:
        target = self._target(sha256, ext)
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            _sync_folder(target.parent.parent)
        os.utime(source)  # what tidies up spares what came a moment ago, whenever it was made
        source.replace(target)
        _sync_folder(target.parent)

    @contextmanager
    def _disk(self, folder: Path) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            product = failures.of_os(problem, folder)
            if product is None:
                raise
            if problem.errno == errno.ENOSPC:
                self._db.give_way()
            raise product from problem


def _hashed(path: Path, *, sync: bool = True) -> tuple[str, int]:
    """The file's SHA-256 (hex) and size in bytes; with `sync`, its content is on the disk afterwards."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if sync:
            os.fsync(file.fileno())
        return sha256, os.fstat(file.fileno()).st_size


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _parsed(url: str) -> tuple[str, str]:
    match = _URL.fullmatch(url)
    if match is None:
        raise InvalidInput(
            f"{url[:200]!r} is not the address of a media file.", hint="Use an address that the API gave."
        )
    return match[1], match[2]


def _missing(name: str, what: str) -> MediaMissing:
    return MediaMissing(f"The media file {name} {what}.", hint="Make it again, or restore it from a backup.")


def _packed(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))
