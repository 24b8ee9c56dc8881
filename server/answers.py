"""Answers that were given under an Idempotency-Key, so that a repeat of the request gets the same one.

Hides where they are kept and for how long. An answer is written in the transaction of the work itself, so a crash
leaves either both or neither.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from pipeline.contracts import digest
from pipeline.errors import InvalidInput
from pipeline.store import Database
from pipeline.store.models import Setting

KEPT_S = 7 * 24 * 3600
_PREFIX = "idempotency:"
_STRIPES = 16
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass
class Turn:
    """A request's turn: `answer` is (status, body) when it was answered before; else `keep` the new one."""

    row: str | None
    request: str
    answer: tuple[int, dict[str, Any]] | None = None

    def keep(self, session: Session, status: int, body: dict[str, Any]) -> None:
        if self.row is not None:
            value = {"request": self.request, "status": status, "body": body, "at": int(time.time())}
            session.merge(Setting(key=self.row, value=value))


class Answers:
    """One per server. Requests with one key take turns, so two at once do the work once."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._stripes = [threading.Lock() for _ in range(_STRIPES)]
        self._forget_old()

    @contextmanager
    def turn(self, key: str | None, path: str, body: dict[str, Any]) -> Iterator[Turn]:
        """Raises InvalidInput for a key that cannot be one, or that came with another request before."""
        if key is None:
            yield Turn(None, "")
            return
        if not _KEY.fullmatch(key):
            raise InvalidInput("The Idempotency-Key has to be 1 to 255 visible characters.", field="Idempotency-Key")
        name = hashlib.sha256(f"{path}\n{key}".encode()).hexdigest()
        turn = Turn(_PREFIX + name, digest(path, json.dumps(body, sort_keys=True)))
        with self._stripes[int(name[:4], 16) % _STRIPES]:
            turn.answer = self._find(turn)
            yield turn

    def _find(self, turn: Turn) -> tuple[int, dict[str, Any]] | None:
        with self._db.read() as session:
            known = session.get(Setting, turn.row)
        if known is None:
            return None
        if known.value["request"] != turn.request:
            raise InvalidInput(
                "This Idempotency-Key came with another request before.",
                hint="Use a new key for a new request.",
                field="Idempotency-Key",
            )
        return known.value["status"], known.value["body"]

    def _forget_old(self) -> None:
        at = Setting.value["at"].as_integer()
        with self._db.write() as session:
            session.execute(
                delete(Setting).where(Setting.key.startswith(_PREFIX), at < int(time.time()) - KEPT_S),
                execution_options={"synchronize_session": False},
            )
