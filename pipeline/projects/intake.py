"""An archive comes in: names, sizes, sums and types are checked before anything is kept, and then all of it or nothing.

Hidden here: what a zip can be besides an archive: names that lead out of the folder, links, bombs, a table of contents
that fills the memory. Only names that we give ourselves are taken, so no name is ever used as a path.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, cast

from pipeline.errors import BadMedia, InvalidInput
from pipeline.generation.entities import film_form
from pipeline.generation.moderation.clearances import uploaded
from pipeline.projects.archived import ADDRESS, check_form, insert_project
from pipeline.projects.fields import checked_story
from pipeline.projects.inspection import KNOWN, MOST_TEXT, TEXTS, inspected
from pipeline.projects.uploads import Uploads
from pipeline.store import Store
from pipeline.store.models import Project

MOST_BYTES = 4 << 30
_MOST_DATA = 64 << 20
_MOST_VALUES = 3_000_000  # in the data; the smallest take a hundred bytes of memory each, and two of the file
_MOST_FILE = 2 << 30
_MOST_ENTRIES = 50_000
_MOST_AT_ONCE = 10 << 20  # the table of contents of so many entries, with room to spare
_PIECE = 1 << 20
_DATA = "project.json"
_HINT = "Export the project again and send that file as it is."
_ENTRY = re.compile(r"media/([0-9a-f]{64})\.([a-z0-9]{1,8})")


def take_in(store: Store, uploads: Uploads, file: IO[bytes], *, max_story_words: int) -> int:
    """Makes a project of an archive; returns its number.

    Raises InvalidInput, BadMedia (a file in it), EngineTimeout, DiskFull; nothing is left then.
    """
    with store.media.draft("") as folder:
        folder.mkdir()
        try:
            data, files = _unpacked(file, folder)
            _check(data, files, max_story_words)
            return _kept(store, uploads, data, files)
        except RecursionError:
            raise _bad("The archive's data are nested too deeply.") from None
        finally:
            shutil.rmtree(folder, ignore_errors=True)


class _Bounded:
    """A file of which nobody reads much at once, nor outside it.

    zipfile reads the table of contents in one piece, as long as the file says that it is, before it can be asked how
    many entries there are; and it seeks wherever the file says.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.length = file.seek(0, 2)
        file.seek(0)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size if 0 <= size <= _MOST_AT_ONCE else _MOST_AT_ONCE + 1)
        if len(data) > _MOST_AT_ONCE or data.count(b"PK\x01\x02") > _MOST_ENTRIES:
            raise _bad(f"The archive has more than {_MOST_ENTRIES:,} files, or names that are too long.")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        place = offset + (0, self._file.tell(), self.length)[whence]
        if not 0 <= place <= self.length:
            raise zipfile.BadZipFile("a place outside the file")
        return self._file.seek(place)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _unpacked(file: IO[bytes], folder: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    bounded = _Bounded(file)
    try:
        with zipfile.ZipFile(cast(IO[bytes], bounded)) as archive:
            entries = _checked_entries(archive, bounded.length)
            data = _data(archive, entries)
            files = {f"/{info.filename}": _copied(archive, info, folder) for info in entries if info.filename != _DATA}
            return data, files
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as failure:
        raise _bad("This is not a zip file, or it is damaged.") from failure


def _checked_entries(archive: zipfile.ZipFile, length: int) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES:
        raise _bad(f"The archive has {len(entries):,} files; at most {_MOST_ENTRIES:,} are taken.")
    names = [info.filename for info in entries]
    if len(set(names)) != len(names) or names.count(_DATA) != 1:
        raise _bad("The archive has no project in it, or a file twice.")
    for info in entries:
        # The name as it is in the file: the reader cuts it at a NUL.
        if info.orig_filename != info.filename or not (info.filename == _DATA or _ENTRY.fullmatch(info.filename)):
            raise _bad(f"The archive has a file {info.orig_filename[:80]!r}, which is none of an archive's.")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG) or info.is_dir() or info.flag_bits & 0x1:
            raise _bad("The archive has an entry that is no plain file.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _bad("The archive is packed in a way that is not known here.")
        if info.file_size > _most_of(info.filename):
            raise _bad(f"The archive's file {info.filename} is too large.")
        if info.filename != _DATA and info.compress_type != zipfile.ZIP_STORED:
            raise _bad("The archive's media are packed, which an archive of ours never has.")
    # Entries that share their bytes would make much out of little.
    if sum(info.compress_size for info in entries) > length or sum(info.file_size for info in entries) > MOST_BYTES:
        raise _bad("The archive is larger than it says.")
    return entries


def _most_of(name: str) -> int:
    """How large a file of an archive may be, in bytes; 0 for one of a type that is not known here."""
    ext = name.rpartition(".")[2]
    if name == _DATA:
        return _MOST_DATA
    return MOST_TEXT if ext in TEXTS else _MOST_FILE if ext in KNOWN else 0


def _data(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> dict[str, Any]:
    info = next(one for one in entries if one.filename == _DATA)
    parts: list[bytes] = []
    values = length = 0
    with archive.open(info) as entry:
        while piece := entry.read(_PIECE):
            length += len(piece)
            values += sum(piece.count(sign) for sign in (b",", b"[", b"{"))
            if length > _MOST_DATA or values > _MOST_VALUES:
                raise _bad("The archive's data are too large.")
            parts.append(piece)
    text = b"".join(parts)
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _bad("The archive's data cannot be read.") from None
    check_form(data)
    return dict(data)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _copied(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> Path:
    """The entry as a file of ours, its sum checked."""
    match = _ENTRY.fullmatch(info.filename)
    assert match is not None
    sha256, ext = match[1], match[2]
    target = folder / f"{sha256}.{ext}"
    total, left = hashlib.sha256(), info.file_size
    with archive.open(info) as entry, target.open("wb") as out:
        while piece := entry.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise _bad("The archive is larger than it says.")
            total.update(piece)
            out.write(piece)
    if total.hexdigest() != sha256:
        raise _bad(f"The archive's file {info.filename} is damaged.")
    return target


def _check(data: dict[str, Any], files: dict[str, Path], max_story_words: int) -> None:
    described, missing = data.get("media"), data.get("missing")
    if not isinstance(described, dict) or not isinstance(missing, list):
        raise _bad("The archive's data are not complete.")
    named = {found[0] for found in ADDRESS.finditer(json.dumps({**data, "missing": None}))}
    if files.keys() != described.keys() or not named <= files.keys() | {str(one) for one in missing}:
        raise _bad("The archive's files are not those that it names.")
    if not all(isinstance(one, dict) and isinstance(one.get("meta", {}), dict) for one in described.values()):
        raise _bad("The archive's data are not complete.")
    story = data["project"].get("story")
    if not isinstance(story, str):
        raise _bad("The archive has no story.")
    if story:
        data["project"]["story"] = checked_story(story, max_story_words=max_story_words)


def _kept(store: Store, uploads: Uploads, data: dict[str, Any], files: dict[str, Path]) -> int:
    # The rows are tried first: what they refuse leaves no file behind.
    with store.db.write() as session:
        form = film_form(insert_project(session, data))
        session.rollback()
    try:
        measured = inspected(files, uploads, form)
    except BadMedia as failure:
        said = f"{failure.detail} It cannot be part of a film."
        raise BadMedia(said, hint=_HINT, field="file") from failure
    for url, path in files.items():
        meta = {**data["media"][url].get("meta", {}), "measured": measured[url]}
        store.media.publish(path, ext=path.suffix, origin="upload", verdict=uploaded(), meta=meta)
    with store.db.write(durable=True) as session:
        project: Project = insert_project(session, data)
        text = "The project was taken in from an archive."
        store.events.append(session, project_id=project.id, kind="project", text=text)
        return project.id


def _bad(detail: str) -> InvalidInput:
    return InvalidInput(detail, hint=_HINT, field="file")
