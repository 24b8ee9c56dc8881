"""The run ledger: who has a unit of work, and how it ended. The one truth that survives a kill.

Hidden here: compare-and-set statements. A claim and a settle are each one durable transaction with their event; both
say whether they won. The statements are plain SQL, given to the driver through SQLAlchemy's connection: a durable
step costs a fraction of a millisecond, which building statements from objects would multiply.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy.orm import Session

from pipeline.store.db import Database, driver_of
from pipeline.store.events import log_event
from pipeline.store.models import Step, utc_now
from pipeline.store.states import STEP_EDGES, StepStatus, sources

Settled = Literal["done", "failed", "skipped", "pending"]


@dataclass(frozen=True)
class StepRecord:
    """A row of the ledger. `attempts` counts starts with the present digest in the present run, `starts` all of them;
    `seconds` the last took.
    """

    project_id: int
    key: str
    stage: str
    digest: str
    status: StepStatus
    attempts: int
    starts: int
    provider: str | None
    handle: dict[str, Any] | None
    output: dict[str, Any] | None
    error: dict[str, Any] | None
    seconds: float | None
    run_id: str | None


def _in(statuses: Iterable[str]) -> str:
    return "(" + ", ".join(f"'{status}'" for status in statuses) + ")"


_COLUMNS = "project_id, key, stage, digest, status, attempts, starts, provider, handle, output, error, seconds, run_id"

# Free to be claimed: not finished with this digest (unless by force), and in nobody's hands. A parked row is never
# claimed, whatever its boot: a provider is working on it, and claiming it would buy the work twice.
_CLAIM = f"""
INSERT INTO steps (project_id, key, stage, digest, status, run_id, boot_id, attempts, starts, started_at)
VALUES (?, ?, ?, ?, 'running', ?, ?, 1, 1, ?)
ON CONFLICT (project_id, key) DO UPDATE SET
    stage = excluded.stage, digest = excluded.digest, status = 'running', run_id = excluded.run_id,
    boot_id = excluded.boot_id, started_at = excluded.started_at, ended_at = NULL,
    attempts = CASE WHEN digest = excluded.digest AND run_id IS excluded.run_id THEN attempts + 1 ELSE 1 END,
    starts = starts + 1,
    provider = NULL, handle = NULL, error = NULL
WHERE status IN {_in(sources(STEP_EDGES, "running"))}
    AND (status NOT IN ('done', 'skipped') OR digest <> excluded.digest OR ?)
    AND (status <> 'running' OR boot_id <> excluded.boot_id)
RETURNING {_COLUMNS}
"""
_PARK = f"""
UPDATE steps SET status = 'parked', provider = ?, handle = ?
WHERE project_id = ? AND key = ? AND boot_id = ? AND status IN {_in(sources(STEP_EDGES, "parked"))}
RETURNING stage, run_id
"""
# A hand-back without an error is no attempt: a pause must not use up what a retry policy counts. What a unit made the
# time before stays until it makes something new.
_SETTLE = """
UPDATE steps SET status = :status, output = coalesce(:output, output), error = :error, ended_at = :now,
    attempts = attempts - (:status = 'pending' AND :error IS NULL),
    provider = CASE :status WHEN 'pending' THEN NULL ELSE provider END,
    handle = CASE :status WHEN 'pending' THEN NULL ELSE handle END,
    seconds = coalesce(:seconds, round((julianday(:now) - julianday(started_at)) * 86400, 3))
WHERE project_id = :project_id AND key = :key AND digest = :digest AND boot_id = :boot_id
    AND status IN ('running', 'parked')
RETURNING stage, run_id, seconds
"""
_FREE = f"""
UPDATE steps SET status = 'pending', boot_id = :boot_id
WHERE status = 'running' AND boot_id <> :boot_id AND (:project_id IS NULL OR project_id = :project_id)
RETURNING {_COLUMNS}
"""
_RELEASE = "UPDATE steps SET status = 'pending' WHERE status = 'running' AND project_id = ? AND boot_id = ?"
_ADOPT = f"""
UPDATE steps SET boot_id = :boot_id
WHERE status = 'parked' AND boot_id <> :boot_id AND (:project_id IS NULL OR project_id = :project_id)
RETURNING {_COLUMNS}
"""
_FORGET = """
UPDATE steps SET status = 'pending', digest = '', attempts = 0
WHERE project_id = ? AND key = ? AND status <> 'parked'
"""


class Ledger:
    """Claims, parks and settles units for one boot of the program. Safe for any number of threads."""

    def __init__(self, db: Database, boot_id: str) -> None:
        self._db = db
        self._boot_id = boot_id
        self._began: dict[tuple[int, str], float] = {}  # monotonic: the time of day may jump under a long step

    def claim(
        self, project_id: int, key: str, *, stage: str, digest: str, run_id: str, force: bool = False
    ) -> StepRecord | None:
        """Takes a unit: it is `running` under this boot, and counted. None when it is not to be had:
        done or skipped with this digest (unless `force`), running under this boot, or parked.

        A row that another boot left running can be had: that process is dead. `output` of the claimed record is
        the one of the time before.
        """
        with self._db.writing(durable=True) as connection:
            driver = driver_of(connection)
            row = driver.execute(
                _CLAIM, (project_id, key, stage, digest, run_id, self._boot_id, utc_now(), force)
            ).fetchone()
            if row is None:
                return None
            record = _record(row)
            data = {"status": "running", "attempt": record.attempts}
            self._tell(driver, project_id, run_id, stage, key, data)
        self._began[project_id, key] = time.monotonic()
        return record

    def park(self, project_id: int, key: str, *, provider: str, handle: dict[str, Any]) -> bool:
        """Notes durably that a provider owns the work now, and the handle to ask for it by. False: not ours to park."""
        with self._db.writing(durable=True) as connection:
            driver = driver_of(connection)
            row = driver.execute(_PARK, (provider, _packed(handle), project_id, key, self._boot_id)).fetchone()
            if row is None:
                return False
            data = {"status": "parked", "provider": provider}
            self._tell(driver, project_id, row[1], row[0], key, data)
            return True

    def settle(
        self,
        project_id: int,
        key: str,
        status: Settled,
        *,
        digest: str,
        output: dict[str, Any] | None = None,
        error: dict[str, Any] | None = None,
        apply: Callable[[Session], None] | None = None,
        text: str = "",
    ) -> bool:
        """Ends what this boot claimed with this digest; `apply` changes the domain rows in the same transaction.

        False when it did not win (it was marked stale or claimed anew meanwhile): then nothing at all is written.
        `pending` hands the unit back: with an `error` as a failed attempt, without one as not tried.
        """
        began = self._began.get((project_id, key))
        values = {
            "status": status,
            "output": _packed(output),
            "error": _packed(error),
            "now": utc_now(),
            "seconds": None if began is None else round(time.monotonic() - began, 3),
            "project_id": project_id,
            "key": key,
            "digest": digest,
            "boot_id": self._boot_id,
        }
        with self._db.writing(durable=True) as connection:
            driver = driver_of(connection)
            row = driver.execute(_SETTLE, values).fetchone()
            if row is None:
                return False
            stage, run_id, seconds = row
            if apply is not None:
                with Session(connection, expire_on_commit=False) as session:
                    apply(session)
                    session.commit()
            data = {"status": status, "seconds": seconds} | ({"error": error} if error else {})
            self._tell(driver, project_id, run_id, stage, key, data, text)
        self._began.pop((project_id, key), None)
        return True

    def rehydrate(self, project_id: int | None = None) -> list[StepRecord]:
        """Takes over what other boots left: running rows become pending; parked rows stay parked and become ours
        to settle. Returns both.
        """
        values = {"boot_id": self._boot_id, "project_id": project_id}
        with self._db.writing(durable=True) as connection:
            rows = [row for statement in (_FREE, _ADOPT) for row in connection.exec_driver_sql(statement, values).all()]
        return [_record(row) for row in rows]

    def release(self, project_id: int) -> None:
        """Hands back what this boot left running in a project, for a run that starts anew after its settles failed."""
        with self._db.writing(durable=True) as connection:
            connection.exec_driver_sql(_RELEASE, (project_id, self._boot_id))

    def records(self, project_id: int, stage: str | None = None) -> dict[str, StepRecord]:
        """The rows of a project, or of one stage of it, by key."""
        statement = f"SELECT {_COLUMNS} FROM steps WHERE project_id = ?"
        values: tuple[Any, ...] = (project_id,)
        if stage is not None:
            statement, values = f"{statement} AND stage = ?", (project_id, stage)
        with self._db.reading() as connection:
            rows = connection.exec_driver_sql(f"{statement} ORDER BY key", values).all()
        return {row[1]: _record(row) for row in rows}

    def record(self, project_id: int, key: str) -> StepRecord | None:
        """One row as it stands now."""
        statement = f"SELECT {_COLUMNS} FROM steps WHERE project_id = ? AND key = ?"
        with self._db.reading() as connection:
            row = connection.exec_driver_sql(statement, (project_id, key)).first()
        return None if row is None else _record(row)

    def counts(self, project_id: int) -> dict[str, dict[str, int]]:
        """How many units of each stage are in each status."""
        statement = "SELECT stage, status, count(*) FROM steps WHERE project_id = ? GROUP BY stage, status"
        counted: dict[str, dict[str, int]] = {}
        with self._db.reading() as connection:
            for stage, status, number in connection.exec_driver_sql(statement, (project_id,)):
                counted.setdefault(stage, {})[status] = number
        return counted

    def forget(self, project_id: int, keys: Iterable[str]) -> int:
        """Marks units stale: pending, with no digest. Who is at work on one will not win its settle.

        Parked units are left alone, because a provider is being paid for them. Returns how many were marked.
        """
        with self._db.writing(durable=True) as connection:
            return sum(connection.exec_driver_sql(_FORGET, (project_id, key)).rowcount for key in keys)

    def has(self, project_id: int, key: str, digest: str) -> bool:
        """Whether the unit is finished (done or skipped) with this digest."""
        statement = (
            "SELECT 1 FROM steps WHERE project_id = ? AND key = ? AND digest = ? AND status IN ('done', 'skipped')"
        )
        with self._db.reading() as connection:
            return connection.exec_driver_sql(statement, (project_id, key, digest)).first() is not None

    def _tell(
        self,
        driver: sqlite3.Connection,
        project_id: int,
        run_id: str | None,
        stage: str,
        key: str,
        data: dict[str, Any],
        text: str = "",
    ) -> None:
        log_event(
            self._db,
            driver,
            project_id=project_id,
            run_id=run_id,
            level="error" if data["status"] == "failed" else "info",
            kind="step",
            stage=stage,
            unit=key,
            text=text,
            data=data,
        )


def forget_units(session: Session, project_id: int, keys: Iterable[str]) -> None:
    """As `Ledger.forget`, in the caller's transaction."""
    for key in keys:
        session.connection().exec_driver_sql(_FORGET, (project_id, key))


def take_back(
    session: Session,
    project_id: int,
    key: str,
    *,
    run_id: str,
    status: Literal["done", "skipped", "pending"],
    digest: str,
) -> bool:
    """A unit that a run of this id has begun is as it was before, in the caller's transaction: whoever is at work on it
    will not win its settle. False when it is finished, or another run's."""
    origins = set(sources(STEP_EDGES, status)) & {"running", "parked", "pending"}
    statement = (
        "UPDATE steps SET status = ?, digest = ?, error = NULL, provider = NULL, handle = NULL"
        f" WHERE project_id = ? AND key = ? AND run_id = ? AND status IN {_in(sorted(origins))}"
    )
    return session.connection().exec_driver_sql(statement, (status, digest, project_id, key, run_id)).rowcount == 1


def move_units(session: Session, project_id: int, moves: Mapping[str, str | None]) -> None:
    """Gives units other keys, because what they make has another place now; None: it has none any more.

    In the caller's transaction, and not while a run is under way. All moves happen at once, so keys may be swapped.
    """
    connection = session.connection()
    for key, to in moves.items():
        if to is None:
            connection.exec_driver_sql("DELETE FROM steps WHERE project_id = ? AND key = ?", (project_id, key))
    moved = {key: to for key, to in moves.items() if to is not None and to != key}
    for key in moved:
        statement = "UPDATE steps SET key = ? WHERE project_id = ? AND key = ?"
        connection.exec_driver_sql(statement, (f"moving:{key}", project_id, key))
    for key, to in moved.items():
        connection.exec_driver_sql("DELETE FROM steps WHERE project_id = ? AND key = ?", (project_id, to))
        statement = "UPDATE steps SET key = ? WHERE project_id = ? AND key = ?"
        connection.exec_driver_sql(statement, (to, project_id, f"moving:{key}"))


def copy_unit(session: Session, project_id: int, key: str, to: str) -> None:
    """What a unit has made counts for another too, in the caller's transaction."""
    connection = session.connection()
    connection.exec_driver_sql("DELETE FROM steps WHERE project_id = ? AND key = ?", (project_id, to))
    names = [column.name for column in Step.__table__.columns if column.name != "key"]
    connection.exec_driver_sql(
        f"INSERT INTO steps (key, {', '.join(names)}) SELECT ?, {', '.join(names)} FROM steps"
        " WHERE project_id = ? AND key = ?",
        (to, project_id, key),
    )


def _packed(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"))


def _record(row: Any) -> StepRecord:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    for name in ("handle", "output", "error"):
        values[name] = None if values[name] is None else json.loads(values[name])
    return StepRecord(**values)
