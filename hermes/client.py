"""A client for Hermes, Video Story's API for automation: from a story to a delivered film. Standard library only.

    from client import Hermes

    hermes = Hermes("http://127.0.0.1:8000", token)
    order = hermes.create_and_run(story=text, key="story-17")     # the same key again: the same project
    ready = hermes.wait(order.project_id, told=print)             # returns when the film is ready, or raises
    hermes.download(order.project_id, Path("film.mp4"))           # goes on where it was broken off

Or from a shell, with the token in HERMES_TOKEN: `python client.py story.txt film.mp4`. It prints how far it is, and
ends with 0 (delivered), 1 (failed, or the server refused), 2 (paused: a person has something to do first).

A film is delivered once every byte of it was sent in answers that arrived whole. So `download` asks for parts, and a
part that broke off is asked for again; the server's `delivered_at` is waited for at the end.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, cast

PART = 8 << 20  # bytes
_AGAIN = (429, 502, 503, 504)  # the server is away or busy


class Refused(Exception):
    """The answer was a problem. `code` is stable; `state` is the making's, where that is what stands in the way."""

    def __init__(self, status: int, said: dict[str, Any]) -> None:
        super().__init__(f"{said.get('detail', f'status {status}')} {said.get('hint', '')}".strip())
        self.status = status
        self.code = str(said.get("code", ""))
        self.state: str | None = said.get("state")


class NotFinished(Exception):
    """The making has stopped without a film. `status` is the last answer, with its problems in words."""

    def __init__(self, status: dict[str, Any]) -> None:
        said = " ".join(one["text"] for one in status["problems"]) or "It says no more."
        super().__init__(f"The making is {status['state']} ({status['code'] or 'no code'}). {said}")
        self.status = status


@dataclass(frozen=True)
class Order:
    """What was ordered, and where to ask for it."""

    project_id: int
    status_url: str
    export_url: str


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Hermes:
    """One server. Every call may be repeated: none does its work twice.

    `breaks_s` are the waits, in seconds, after a lost connection or a server that is away; after the last it is raised.
    """

    def __init__(
        self, url: str, token: str, *, timeout_s: float = 60.0, breaks_s: Sequence[float] = (1, 2, 4, 8, 15, 30)
    ) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        self._breaks_s = tuple(breaks_s)

    def create_and_run(
        self, *, story: str | None = None, idea: str | None = None, key: str | None = None, **fields: Any
    ) -> Order:
        """Orders a film from a story, or from an idea for one; `fields` are a project's (title, style, portrait,
        budget_cents, callback_url …).

        `key` stands for this order: choose it from what you are doing (at most 255 visible characters), and a repeat,
        even after a crash of either side, gets the same project. Raises Refused.
        """
        given = {"story": story, "idea": idea, **fields}
        body = json.dumps({name: value for name, value in given.items() if value is not None}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": key or uuid.uuid4().hex}
        return Order(**self._ask("POST", "/api/hermes/projects/create-and-run", headers, body).json)

    def status(self, project_id: int) -> dict[str, Any]:
        """How the order stands: state, percent, problems, delivered_at and more. Raises Refused."""
        return cast(dict[str, Any], self._ask("GET", self._of(project_id, "status")).json)

    def wait(
        self, project_id: int, *, told: Callable[[str], object] = lambda line: None, limit_s: float = 24 * 3600
    ) -> dict[str, Any]:
        """Asks as often as the server likes to be asked, until the film is ready; returns that status.

        `told` gets a line whenever there is something new. Raises NotFinished when it has failed, was cancelled or is
        paused, TimeoutError after `limit_s`, and Refused.
        """
        ends, last, seen = time.monotonic() + limit_s, "", None
        while True:
            answer = self._ask("GET", self._of(project_id, "status"), {"If-None-Match": seen} if seen else {})
            if answer.status == 200:
                now = answer.json
                seen = answer.headers.get("etag")
                line = f"{now['state']} {now['percent']} % {now['step'] or ''}".strip()
                if line != last:
                    told(line)
                    last = line
                if now["state"] == "done":
                    return cast(dict[str, Any], now)
                if now["state"] != "running":
                    raise NotFinished(now)
            if time.monotonic() > ends:
                raise TimeoutError(f"The film of project {project_id} is not ready: {last}.")
            time.sleep(now["ask_again_s"])

    def download(self, project_id: int, out: Path, *, part: int = PART) -> str:
        """Fetches the film into `out`, by way of `out` with `.part` added, and returns when it was delivered.

        Called again after it was broken off, it goes on from the last whole part, and starts anew when the film is
        another one. Raises Refused (409: not ready, see `state`) and OSError.
        """
        out = Path(out)
        half, note = out.with_name(out.name + ".part"), out.with_name(out.name + ".etag")
        etag, have = note.read_text() if note.exists() and half.exists() else "", 0
        if etag:
            have = max(0, half.stat().st_size - 1) // part * part
        while True:
            headers = {"Range": f"bytes={have}-{have + part - 1}", **({"If-Range": etag} if etag else {})}
            answer = self._ask("GET", self._of(project_id, "export"), headers)
            if answer.status == 200 and have:  # another film than before
                have = 0
            if answer.headers["etag"] != etag:
                etag = answer.headers["etag"]
                note.write_text(etag)
            _put(half, have, answer.body)
            have += len(answer.body)
            if have >= _whole(answer):
                break
        half.replace(out)
        note.unlink()
        return self._delivered(project_id, etag)

    def _delivered(self, project_id: int, etag: str) -> str:
        """When the film was delivered: the server notes it a moment after the last byte, and asks for what it did not
        see arrive."""
        for _ in range(50):
            now = self.status(project_id)
            if now["delivered_at"]:
                return str(now["delivered_at"])
            film = now["film"]
            if film is None or film["etag"] != etag:
                raise Refused(409, {"code": "conflict", "detail": "The film was made anew meanwhile.", **now})
            time.sleep(0.2)
            for gap in self.status(project_id)["film"]["missing"]:
                first, last = gap["first"], min(gap["last"], gap["first"] + PART - 1)
                self._ask("GET", self._of(project_id, "export"), {"Range": f"bytes={first}-{last}"})
        raise Refused(409, {"code": "conflict", "detail": "The server does not confirm the delivery."})

    @staticmethod
    def _of(project_id: int, what: str) -> str:
        return f"/api/hermes/projects/{project_id}/{what}"

    def _ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> _Answer:
        """The answer; a lost connection and a server that is away for a moment are asked again."""
        for wait_s in (*self._breaks_s, None):
            request = urllib.request.Request(self._url + path, data=body, method=method, headers=headers or {})
            request.add_header("Authorization", f"Bearer {self._token}")
            try:
                with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                    found = {name.lower(): value for name, value in answer.headers.items()}
                    return _Answer(answer.status, found, answer.read())
            except urllib.error.HTTPError as failure:
                if failure.code == 304:
                    return _Answer(304, {}, b"")
                if wait_s is None or failure.code not in _AGAIN:
                    raise Refused(failure.code, _problem(failure.read())) from None
            except (OSError, HTTPException):
                if wait_s is None:
                    raise
            time.sleep(wait_s)
        raise AssertionError("the last attempt has returned or raised")


def _put(path: Path, first: int, content: bytes) -> None:
    with path.open("r+b" if path.exists() else "w+b") as file:
        file.truncate(first)
        file.seek(first)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _whole(answer: _Answer) -> int:
    """The film's size in bytes."""
    return int(answer.headers.get("content-range", f"/{len(answer.body)}").rpartition("/")[2])


def _problem(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or not os.environ.get("HERMES_TOKEN"):
        print("usage: HERMES_TOKEN=… python client.py STORY.txt FILM.mp4", file=sys.stderr)
        return 1
    story, out = Path(arguments[0]), Path(arguments[1])
    hermes = Hermes(os.environ.get("VIDEO_STORY_URL", "http://127.0.0.1:8000"), os.environ["HERMES_TOKEN"])
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, story.read_text(encoding="utf-8")))
    try:
        order = hermes.create_and_run(story=story.read_text(encoding="utf-8"), key=key)
        print(f"project {order.project_id}", flush=True)
        hermes.wait(order.project_id, told=lambda line: print(line, flush=True))
        print(f"delivered {hermes.download(order.project_id, out)}")
    except NotFinished as stopped:
        print(stopped, file=sys.stderr)
        return 2 if stopped.status["state"] == "paused" else 1
    except (Refused, OSError) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
