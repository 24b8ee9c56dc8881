"""The event log: one growing list that progress, streams and the activity panel read by a cursor.

Hidden here: that `seq` becomes visible in commit order (writers take turns and the number is given inside the
turn), so a reader who has seen `seq` has seen everything before it; and that waiting readers are woken by commits,
so a stream need not poll.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from pipeline.store.db import Database, driver_of
from pipeline.store.models import utc_now

_INSERT = (
    "INSERT INTO events (project_id, run_id, at, level, kind, stage, unit, text, data)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_COLUMNS = "seq, project_id, run_id, at, level, kind, stage, unit, text, data"
_AS_JSON = (
    "json_object('seq', seq, 'project_id', project_id, 'run_id', run_id, 'at', at, 'level', level, 'kind', kind,"
    " 'stage', stage, 'unit', unit, 'text', text, 'data', json(data))"
)


def log_event(
    db: Database,
    driver: sqlite3.Connection,
    *,
    project_id: int | None,
    run_id: str | None,
    level: str,
    kind: str,
    stage: str,
    unit: str,
    text: str,
    data: dict[str, Any] | None,
) -> int:
    """Adds an event to a write of `db` that is under way, and returns its `seq`."""
    packed = None if data is None else json.dumps(data, separators=(",", ":"))
    cursor = driver.execute(
        _INSERT, (project_id, run_id, utc_now(), level, kind, stage, _storable(unit), _storable(text), packed)
    )
    seq = cursor.lastrowid
    assert seq is not None
    db.logged(seq, project_id)
    return seq


class EventLog:
    """Appends to and reads from the log. Safe for any number of threads."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._changed = threading.Condition()
        self._newest: dict[int | None, int] = {}
        self._closed = False
        db.on_commit(self._committed)

    def append(
        self,
        session: Session | Connection,
        *,
        project_id: int | None = None,
        run_id: str | None = None,
        level: str = "info",
        kind: str = "log",
        stage: str = "",
        unit: str = "",
        text: str = "",
        data: dict[str, Any] | None = None,
    ) -> int:
        """Adds an event to a write that is under way and returns its `seq`; it is seen once that write commits."""
        return log_event(
            self._db,
            driver_of(session.connection() if isinstance(session, Session) else session),
            project_id=project_id,
            run_id=run_id,
            level=level,
            kind=kind,
            stage=stage,
            unit=unit,
            text=text,
            data=data,
        )

    def say(
        self,
        *,
        project_id: int | None = None,
        run_id: str | None = None,
        level: str = "info",
        kind: str = "log",
        stage: str = "",
        unit: str = "",
        text: str = "",
        data: dict[str, Any] | None = None,
    ) -> int:
        """Appends in a transaction of its own."""
        with self._db.writing() as connection:
            return self.append(
                connection,
                project_id=project_id,
                run_id=run_id,
                level=level,
                kind=kind,
                stage=stage,
                unit=unit,
                text=text,
                data=data,
            )

    def since(
        self, cursor: int, *, project_id: int | None = None, limit: int = 500, kind: str | None = None
    ) -> list[dict[str, Any]]:
        """The events after `cursor`, oldest first, at most `limit`; of one project or of all, of one kind or of all."""
        where, values = _conditions(project_id, kind)
        statement = f"SELECT {_COLUMNS} FROM events WHERE seq > ?{where} ORDER BY seq LIMIT ?"
        with self._db.reading() as connection:
            return [_event(row) for row in connection.exec_driver_sql(statement, (cursor, *values, limit))]

    def since_json(
        self,
        cursor: int,
        *,
        project_id: int | None = None,
        limit: int = 500,
        kind: str | None = None,
        unless_deleted: bool = False,
    ) -> list[tuple[int, str]]:
        """The same as (seq, the event as JSON), by the database. `unless_deleted`: none of a deleted project."""
        where, values = _conditions(project_id, kind)
        if unless_deleted and project_id is not None:
            where += " AND EXISTS (SELECT 1 FROM projects WHERE id = ? AND deleted_at IS NULL)"
            values = [*values, project_id]
        statement = f"SELECT seq, {_AS_JSON} FROM events WHERE seq > ?{where} ORDER BY seq LIMIT ?"
        with self._db.reading() as connection:
            found = connection.exec_driver_sql(statement, (cursor, *values, limit))
            return [(row[0], row[1]) for row in found]

    def last(self, project_id: int | None, n: int, kind: str | None = "log") -> list[dict[str, Any]]:
        """The newest `n` events, oldest first."""
        where, values = _conditions(project_id, kind)
        statement = f"SELECT {_COLUMNS} FROM events WHERE 1{where} ORDER BY seq DESC LIMIT ?"
        with self._db.reading() as connection:
            rows = connection.exec_driver_sql(statement, (*values, n)).all()
        return [_event(row) for row in reversed(rows)]

    def lines(self, project_id: int, n: int) -> list[dict[str, Any]]:
        """The newest `n` events that say something to a reader, whatever their kind, oldest first."""
        where, values = _conditions(project_id, None)
        statement = f"SELECT {_COLUMNS} FROM events WHERE text <> ''{where} ORDER BY seq DESC LIMIT ?"
        with self._db.reading() as connection:
            rows = connection.exec_driver_sql(statement, (*values, n)).all()
        return [_event(row) for row in reversed(rows)]

    def newest(self, project_id: int | None = None) -> int:
        """The highest `seq`, of one project or of all; 0 when there is none.

        Known by heart after the first question, for every commit tells: this process is the only one that writes.
        """
        known = self._newest.get(project_id)
        if known is not None:
            return known
        where, values = _conditions(project_id, None)
        with self._db.reading() as connection:
            row = connection.exec_driver_sql(f"SELECT max(seq) FROM events WHERE 1{where}", tuple(values)).one()
        found = int(row[0] or 0)
        if not found and project_id is not None:
            return 0  # asked for by a number that may be any: nothing to remember
        with self._changed:
            return self._newest.setdefault(project_id, found)

    def wait(self, cursor: int, timeout_s: float, project_id: int | None = None) -> bool:
        """Waits until there is an event after `cursor`; False when there is none in time, or the store is closing."""
        self.newest(project_id)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._newest.get(project_id, 0) > cursor, timeout_s)
            return self._newest.get(project_id, 0) > cursor and not self._closed

    def close(self) -> None:
        """Sends every waiter home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _committed(self, fresh: list[tuple[int, int | None]], durable: bool) -> None:
        with self._changed:
            for seq, project_id in fresh:
                if project_id is not None:
                    self._newest[project_id] = max(seq, self._newest.get(project_id, 0))
            self._newest[None] = max(fresh[-1][0], self._newest.get(None, 0))
            self._changed.notify_all()


def _conditions(project_id: int | None, kind: str | None) -> tuple[str, list[Any]]:
    where, values = "", list[Any]()
    if project_id is not None:
        where, values = " AND project_id = ?", [project_id]
    if kind is not None:
        where, values = f"{where} AND kind = ?", [*values, kind]
    return where, values


def _event(row: Any) -> dict[str, Any]:
    event = dict(zip(_COLUMNS.split(", "), row, strict=True))
    event["data"] = None if event["data"] is None else json.loads(event["data"])
    return event


def _storable(text: str) -> str:
    """A half of a surrogate pair has no place in UTF-8, and a log line is no reason to fail."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
