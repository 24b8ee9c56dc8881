"""A project as one file: its data and its media in a zip, made while it is sent, checked before anything of it is kept.

Hidden here: how rows get new numbers, and what an archive may not be. `project.json` holds the rows as they are in the
tables (VERSION names their form); every media file is stored beside it under its content's name. Runs, jobs and the
account of providers stay behind: they are of the installation, not of the film.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import MediaMissing
from pipeline.projects import live_project
from pipeline.projects.archived import ADDRESS, FORMAT, TABLES, VERSION, insert_project
from pipeline.projects.intake import take_in
from pipeline.store import MediaStore, Store
from pipeline.store.models import GuideImage, Project, Scene, utc_now

DATA = "project.json"
_PIECE = 1 << 20
_DATE = (1980, 1, 1, 0, 0, 0)  # the same content makes the same archive
_NOT_COPIED = frozenset({"id", "callback_url", "delivered_at", "deleted_at", "version", "created_at", "updated_at"})

__all__ = ["archive", "duplicate", "gathered", "take_in"]


def gathered(session: Session, project_id: int) -> dict[str, Any]:
    """The project's rows as plain data, media aside. Raises NotFound."""
    project = live_project(session, project_id)
    fields = {name: getattr(project, name) for name in Project.__table__.columns.keys() if name not in _NOT_COPIED}  # noqa: SIM118
    fields["options"] = {name: value for name, value in (project.options or {}).items() if name != "cli"}
    rows = {name: _rows(session, name, project_id) for name in TABLES}
    return {"format": FORMAT, "version": VERSION, "made_at": utc_now(), "project": fields, "tables": rows}


def _rows(session: Session, name: str, project_id: int) -> list[dict[str, Any]]:
    table = TABLES[name].__table__
    if "project_id" in table.columns:
        where = table.c.project_id == project_id
    elif table is GuideImage.__table__:
        where = _guides_of(session, project_id)
    else:
        where = table.c.scene_id.in_(select(Scene.id).where(Scene.project_id == project_id))
    names = [column.name for column in table.columns if column.name not in ("project_id", "created_at", "updated_at")]
    query = select(*(table.c[one] for one in names)).where(where)
    return [dict(row._mapping) for row in session.execute(query)]


def _guides_of(session: Session, project_id: int) -> Any:
    guides, found = GuideImage.__table__.c, None
    for name in ("characters", "sets", "props"):
        table = TABLES[name].__table__
        ids = select(table.c.id).where(table.c.project_id == project_id)
        mine = (guides.entity_type == name) & guides.entity_id.in_(ids)
        found = mine if found is None else found | mine
    return found


def archive(store: Store, project_id: int) -> Iterator[bytes]:
    """The archive, piece by piece; media are stored as they are, for they are compressed. Raises NotFound at once.

    A file that is gone is named as missing, and the project can be taken in without it.
    """
    with store.db.read() as session:
        data = gathered(session, project_id)
    names = sorted({found[0] for found in ADDRESS.finditer(json.dumps(data))})
    described, files = _media(store.media, names)
    data |= {"media": described, "missing": sorted(set(names) - files.keys())}
    return _written(data, files)


def _media(media: MediaStore, urls: list[str]) -> tuple[dict[str, Any], dict[str, Path]]:
    described: dict[str, Any] = {}
    files: dict[str, Path] = {}
    for url in urls:
        try:
            ref = media.ref(url)
            files[url] = media.path(ref)
        except MediaMissing:
            continue
        described[url] = {"size": ref.size, "meta": ref.meta}
    # A cut clip's description names the clip that it was cut from.
    more = sorted({found[0] for found in ADDRESS.finditer(json.dumps(described))} - set(urls))
    if more:
        others = _media(media, more)
        described |= others[0]
        files |= others[1]
    return described, files


class _Pipe(io.RawIOBase):
    """What a zip is written to: it cannot be sought in, and what was written is taken out at once."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _written(data: Mapping[str, Any], files: Mapping[str, Path]) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(cast(IO[bytes], pipe), "w", zipfile.ZIP_STORED) as out:
        text = zipfile.ZipInfo(DATA, _DATE)
        text.compress_type = zipfile.ZIP_DEFLATED
        out.writestr(text, json.dumps(data, ensure_ascii=True, separators=(",", ":")))
        yield pipe.taken()
        for url, path in sorted(files.items()):
            with path.open("rb") as source, out.open(zipfile.ZipInfo(url[1:], _DATE), "w", force_zip64=True) as entry:
                while piece := source.read(_PIECE):
                    entry.write(piece)
                    yield pipe.taken()
    yield pipe.taken()


def duplicate(session: Session, project_id: int) -> Project:
    """Another project like this one, with the same media, in the caller's transaction. Raises NotFound."""
    data = gathered(session, project_id)
    data["project"]["title"] = f"{data['project']['title'][:490]} (copy)"
    return insert_project(session, data)
