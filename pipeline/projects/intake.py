"""An archive comes in: names, sizes, sums and types are checked before anything is kept, and then all of it or nothing.

Hidden here: what a zip can be besides an archive: names that lead out of the folder, links, bombs, other content than
its name says. Only names that we give ourselves are taken, so no name is ever used as a path.
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
from typing import IO, Any

from pipeline.errors import InvalidInput
from pipeline.generation.moderation.clearances import uploaded
from pipeline.projects.archived import ADDRESS, check_form, insert_project
from pipeline.projects.fields import checked_story
from pipeline.store import Store
from pipeline.store.models import Project

MOST_BYTES = 4 << 30
_MOST_DATA = 64 << 20
_MOST_FILE = 2 << 30
_MOST_ENTRIES = 50_000
_PIECE = 1 << 20
_DATA = "project.json"
_ENTRY = re.compile(r"media/([0-9a-f]{64})\.([a-z0-9]{1,8})")
# How files begin, by their type; texts have to be UTF-8.
_BEGINS: dict[str, re.Pattern[bytes]] = {
    "png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "jpg": re.compile(rb"\xff\xd8\xff"),
    "jpeg": re.compile(rb"\xff\xd8\xff"),
    "webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "gif": re.compile(rb"GIF8[79]a"),
    "mp4": re.compile(rb"....ftyp", re.DOTALL),
    "mov": re.compile(rb"....(ftyp|moov|mdat|wide|free)", re.DOTALL),
    "m4a": re.compile(rb"....ftyp", re.DOTALL),
    "webm": re.compile(rb"\x1a\x45\xdf\xa3"),
    "wav": re.compile(rb"RIFF....WAVE", re.DOTALL),
    "mp3": re.compile(rb"ID3|\xff[\xe0-\xff]"),
    "aac": re.compile(rb"\xff[\xf0-\xff]"),
}
_TEXTS = frozenset({"srt", "vtt", "json", "txt"})


def take_in(store: Store, file: IO[bytes], *, max_story_words: int) -> int:
    """Makes a project of an archive; returns its number. Raises InvalidInput, DiskFull; nothing is left then."""
    with store.media.draft("") as folder:
        folder.mkdir()
        try:
            data, files = _unpacked(file, folder)
            _check(data, files, max_story_words)
            return _kept(store, data, files)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _unpacked(file: IO[bytes], folder: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = _checked_entries(archive, _length(file))
            data = _data(archive, entries)
            files = {f"/{info.filename}": _copied(archive, info, folder) for info in entries if info.filename != _DATA}
            return data, files
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as failure:
        raise _bad("This is not a zip file, or it is damaged.") from failure


def _length(file: IO[bytes]) -> int:
    length = file.seek(0, 2)
    file.seek(0)
    return length


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
        if info.file_size > (_MOST_DATA if info.filename == _DATA else _MOST_FILE):
            raise _bad(f"The archive's file {info.filename} is too large.")
        if info.filename != _DATA and info.compress_type != zipfile.ZIP_STORED:
            raise _bad("The archive's media are packed, which an archive of ours never has.")
    # Entries that share their bytes would make much out of little.
    if sum(info.compress_size for info in entries) > length or sum(info.file_size for info in entries) > MOST_BYTES:
        raise _bad("The archive is larger than it says.")
    return entries


def _data(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> dict[str, Any]:
    info = next(one for one in entries if one.filename == _DATA)
    with archive.open(info) as entry:
        text = entry.read(_MOST_DATA + 1)
    if len(text) > _MOST_DATA:
        raise _bad("The archive's data are too large.")
    try:
        data = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _bad("The archive's data cannot be read.") from None
    check_form(data)
    return dict(data)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _copied(archive: zipfile.ZipFile, info: zipfile.ZipInfo, folder: Path) -> Path:
    """The entry as a file of ours, its sum and its type checked."""
    match = _ENTRY.fullmatch(info.filename)
    assert match is not None
    sha256, ext = match[1], match[2]
    target = folder / sha256
    total, left, begin = hashlib.sha256(), info.file_size, b""
    with archive.open(info) as entry, target.open("wb") as out:
        while piece := entry.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise _bad("The archive is larger than it says.")
            begin = begin or piece[:64]
            total.update(piece)
            out.write(piece)
    if total.hexdigest() != sha256:
        raise _bad(f"The archive's file {info.filename} is damaged.")
    if not _is(ext, begin, target):
        raise _bad(f"The archive's file {info.filename} is not what its name says.")
    return target


def _is(ext: str, begin: bytes, file: Path) -> bool:
    if ext in _TEXTS:
        try:
            return "\0" not in file.read_text(encoding="utf-8")
        except ValueError:
            return False
    return ext in _BEGINS and _BEGINS[ext].match(begin) is not None


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


def _kept(store: Store, data: dict[str, Any], files: dict[str, Path]) -> int:
    # The rows are tried first: what they refuse leaves no file behind.
    with store.db.write() as session:
        insert_project(session, data)
        session.rollback()
    for url, path in files.items():
        meta = dict(data["media"][url].get("meta") or {})
        store.media.publish(path, ext=url.rsplit(".", 1)[1], origin="upload", verdict=uploaded(), meta=meta)
    with store.db.write(durable=True) as session:
        project: Project = insert_project(session, data)
        text = "The project was taken in from an archive."
        store.events.append(session, project_id=project.id, kind="project", text=text)
        return project.id


def _bad(detail: str) -> InvalidInput:
    return InvalidInput(detail, hint="Export the project again and send that file as it is.", field="file")
