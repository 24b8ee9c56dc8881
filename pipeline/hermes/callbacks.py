"""Tells a project's callback URL that its film is done, has failed or is paused.

Hidden here: that a message is written down before it is sent and kept until it has arrived or was given up, over
restarts; the waiting between attempts; that a receiver which is slow holds nobody up but itself; and the signature. A
message can arrive twice (its answer may be lost), so each has the number of its event.

Signature: `X-Video-Story-Signature: sha256=<hex>` is the HMAC-SHA256, under HERMES_TOKEN, of the value of
`X-Video-Story-Timestamp` (Unix seconds), a full stop, and the body as it came.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.addresses import leads_inside
from pipeline.errors import InvalidInput, ProductError
from pipeline.store import Store
from pipeline.store.fetch import Forbidden, post
from pipeline.store.models import Callback, Project, Setting, utc_now

TOLD = frozenset({"done", "failed", "paused"})
WAITS_S = (1, 5, 30, 120, 600, 3_600, 21_600)  # before the second attempt, the third …; then it is given up
_SEEN = "hermes.callbacks.seen"  # the newest event that was looked at
_LOOK_EVERY_S = 5.0
_AT_MOST_EVERY_S = 0.25  # a film that is being made says many things, and few of them matter here
_ROOM = 500
_SIDE_BY_SIDE = 8  # messages on their way at once, one to each receiver
log = logging.getLogger(__name__)


def check_callback(url: str, *, private: bool) -> None:
    """Refuses an address that no message can go to. A name's address is looked up when a message is sent."""
    try:
        parts = urlsplit(url)
        host, usable = parts.hostname or "", parts.port != 0
    except ValueError:
        host, usable = "", False
    if not host or not usable or parts.username or parts.scheme not in (("https", "http") if private else ("https",)):
        raise _unusable("It has to be an https:// address, with no name and password in it.")
    if leads_inside(host) and not private:
        raise _unusable("It leads into a private network.")


def _unusable(why: str) -> InvalidInput:
    hint = "Give an https address; private ones are taken where the server sets HERMES_CALLBACKS_PRIVATE."
    return InvalidInput(f"The callback address cannot be used. {why}", hint=hint, field="callback_url")


def signature(token: str, timestamp: str, body: bytes) -> str:
    """What the signature header says of a message."""
    return "sha256=" + hmac.new(token.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Callbacks:
    """One per server. Works in threads of its own from `start` to `close`."""

    def __init__(self, store: Store, token: str, *, private: bool) -> None:
        self._store, self._token, self._private = store, token, private
        self._seen: int | None = None
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._under_way: dict[str, threading.Thread] = {}  # by receiver
        self._thread = threading.Thread(target=self._work, name="callbacks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, timeout_s: float = 1.0) -> None:
        """What is being sent is sent again after the next start, if its answer does not come in time."""
        self._ending.set()
        until = time.monotonic() + timeout_s
        with self._lock:
            threads = [self._thread, *self._under_way.values()]
        for thread in threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while not self._ending.is_set():
            try:
                seen = self._note_events()
                due = self._send_due()
            except ProductError as failure:
                log.warning("callbacks wait: %s", failure)
                self._ending.wait(_LOOK_EVERY_S)
                continue
            except Exception:
                log.exception("callbacks")
                self._ending.wait(_LOOK_EVERY_S)
                continue
            self._ending.wait(_AT_MOST_EVERY_S)
            self._store.events.wait(seen, min(_LOOK_EVERY_S, due))

    def _note_events(self) -> int:
        """Writes a message down for each event that somebody wants to be told of; returns the newest event's number."""
        seen = self._seen_before() if self._seen is None else self._seen
        newest = self._store.events.newest()
        events = self._store.events.since(seen, kind="run", limit=_ROOM)
        told = [one for one in events if (one["data"] or {}).get("state") in TOLD]
        upto = int(events[-1]["seq"]) if len(events) == _ROOM else newest
        if told or upto >= seen + _ROOM:
            with self._store.db.write(durable=True) as session:
                for event in told:
                    self._note(session, event)
                session.merge(Setting(key=_SEEN, value=upto))
        self._seen = upto
        return upto

    def _seen_before(self) -> int:
        with self._store.db.read() as session:
            kept = session.get(Setting, _SEEN)
            return int(kept.value) if kept is not None else 0

    def _note(self, session: Session, event: dict[str, Any]) -> None:
        project = session.get(Project, event["project_id"])
        if project is None or not project.callback_url or session.get(Callback, event["seq"]) is not None:
            return
        address = f"/api/hermes/projects/{project.id}"
        body = {
            "event": event["seq"],
            "project_id": project.id,
            "state": event["data"]["state"],
            "code": event["data"].get("code"),
            "text": event["text"],
            "at": event["at"],
            "status_url": f"{address}/status",
            "export_url": f"{address}/export",
        }
        row = Callback(event_seq=event["seq"], project_id=project.id, url=project.callback_url, body=body)
        row.next_at = int(time.time())
        session.add(row)

    def _send_due(self) -> float:
        """Sends what is due, but to each receiver one message at a time; returns the seconds until to look again."""
        now = int(time.time())
        waiting = (Callback.sent_at.is_(None), Callback.given_up_at.is_(None))
        first = func.min(Callback.next_at)
        # With min() SQLite takes the other columns from the row that has the least.
        due = select(Callback.event_seq, Callback.url, Callback.body, first).where(*waiting, Callback.next_at <= now)
        with self._store.db.read() as session:
            rows = session.execute(due.group_by(Callback.url).order_by(first)).all()
            later = session.scalar(select(first).where(*waiting, Callback.next_at > now))
        for seq, url, body, _ in rows:
            self._hand_out(seq, url, body)
        if rows:
            return 0.0
        return _LOOK_EVERY_S if later is None else float(later - now)

    def _hand_out(self, seq: int, url: str, body: dict[str, Any]) -> None:
        receiver = urlsplit(url).netloc.rpartition("@")[2].lower()
        with self._lock:
            if self._ending.is_set() or receiver in self._under_way or len(self._under_way) >= _SIDE_BY_SIDE:
                return
            # Not a pool: its threads would keep the process from ending while a receiver is slow.
            thread = threading.Thread(
                target=self._deliver, args=(receiver, seq, url, body), name="callback", daemon=True
            )
            self._under_way[receiver] = thread
            thread.start()

    def _deliver(self, receiver: str, seq: int, url: str, body: dict[str, Any]) -> None:
        try:
            self._settle(seq, *self._send(url, body))
        except Exception:
            if not self._ending.is_set():  # else the database may be closed by now
                log.exception("callback %d", seq)
                self._ending.wait(_LOOK_EVERY_S)
        finally:
            with self._lock:
                del self._under_way[receiver]

    def _send(self, url: str, content: dict[str, Any]) -> tuple[str | None, bool]:
        """What went wrong, if anything, and whether it would again."""
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "video-story",
            "X-Video-Story-Event": str(content["event"]),
            "X-Video-Story-Timestamp": timestamp,
            "X-Video-Story-Signature": signature(self._token, timestamp, body),
        }
        try:
            answered = post(url, body, headers, private=self._private)
        except Forbidden as failure:
            return failure.detail, True
        except ProductError as failure:
            return failure.detail, False
        if 200 <= answered < 300:
            return None, False
        return f"The callback address answered {answered}.", answered == 410

    def _settle(self, seq: int, problem: str | None, for_good: bool) -> None:
        with self._store.db.write(durable=True) as session:
            row = session.get(Callback, seq)
            if row is None:
                return
            row.attempts += 1
            row.problem = problem
            if problem is None:
                row.sent_at = utc_now()
            elif for_good or row.attempts > len(WAITS_S):
                row.given_up_at = utc_now()
                text = f"The callback could not be delivered. {problem}"
                self._store.events.append(session, project_id=row.project_id, level="warning", text=text)
            else:
                row.next_at = int(time.time()) + WAITS_S[row.attempts - 1]
