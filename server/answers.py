"""Answers that were given under an Idempotency-Key, so that a repeat of the request gets the same one.

Hides where they are kept and for how long, and that requests with one key take turns, so that two at once do the work
once. An answer is written in the transaction of the work itself where the view does that, so a crash leaves either both
or neither.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from sqlalchemy import delete
from sqlalchemy.orm import Session

from pipeline.contracts import digest
from pipeline.errors import InvalidInput
from pipeline.store import Database
from pipeline.store.models import Answer

KEPT_S = 7 * 24 * 3600
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass
class Turn:
    """A request's turn: `answer` is (status, content) when it was answered before; else `keep` the new one."""

    row: str | None
    request: str
    answer: tuple[int, dict[str, Any]] | None = None
    status: int = 200
    kept: bool = False

    def keep(self, session: Session, answer: BaseModel | dict[str, Any], status: int | None = None) -> None:
        """Adds the answer to a write that is under way; `status` is the route's own unless given."""
        self.kept = True
        if self.row is None:
            return
        body = answer.model_dump(mode="json", by_alias=True) if isinstance(answer, BaseModel) else answer
        session.merge(
            Answer(
                key=self.row,
                request=self.request,
                status=self.status if status is None else status,
                body=body,
                at=int(time.time()),
            )
        )


class Answers:
    """One per server."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._turns: dict[str, tuple[threading.Lock, int]] = {}
        self._forget_old()

    @contextmanager
    def turn(self, key: str | None, path: str, request: Callable[[], Any]) -> Iterator[Turn]:
        """`request` gives what a repeat has to have in common with the first: any JSON value.

        Raises InvalidInput for a key that cannot be one, or that came with another request before.
        """
        if key is None:
            yield Turn(None, "")
            return
        if not _KEY.fullmatch(key):
            raise InvalidInput("The Idempotency-Key has to be 1 to 255 visible characters.", field="Idempotency-Key")
        turn = Turn(hashlib.sha256(f"{path}\n{key}".encode()).hexdigest(), digest(path, request()))
        with self._alone(str(turn.row)):
            turn.answer = self._find(turn)
            yield turn

    @contextmanager
    def _alone(self, row: str) -> Iterator[None]:
        with self._lock:
            lock, waiting = self._turns.get(row, (threading.Lock(), 0))
            self._turns[row] = lock, waiting + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, waiting = self._turns.pop(row)
                if waiting > 1:
                    self._turns[row] = lock, waiting - 1

    def _find(self, turn: Turn) -> tuple[int, dict[str, Any]] | None:
        with self._db.read() as session:
            known = session.get(Answer, turn.row)
        if known is None:
            return None
        if known.request != turn.request:
            raise InvalidInput(
                "This Idempotency-Key came with another request before.",
                hint="Use a new key for a new request.",
                field="Idempotency-Key",
            )
        return known.status, known.body

    def _forget_old(self) -> None:
        with self._db.write() as session:
            session.execute(
                delete(Answer).where(Answer.at < int(time.time()) - KEPT_S),
                execution_options={"synchronize_session": False},
            )
