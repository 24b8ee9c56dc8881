"""A callback tells the end of a film: signed, again until it arrives, and nowhere that it may not go."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import load_settings
from pipeline.store import open_store
from server.app import create_app
from server.wiring import open_services
from tests.hermes.kit import BEARER, ORDERS, TOKEN, finished, open_server, status_of
from tests.server.kit import SHORT, ServerProcess

PRIVATE = {"HERMES_CALLBACKS_PRIVATE": "1"}


class Receiver:
    """Takes callbacks, and answers with each status of `statuses` once, then with 204. One that is `held` answers only
    when it is let go."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.let_go = threading.Event()
        self.let_go.set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                receiver.let_go.wait(60)
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.send_header("Location", f"{receiver.url}elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


def until(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def paused(server: ServerProcess, **body: Any) -> int:
    """An order that pauses for want of a key."""
    answer = server.ask("POST", ORDERS, {"story": SHORT, "render_image": "paid", **body}, BEARER)
    assert answer.status == 202, answer.body
    return int(answer.json["project_id"])


def test_a_pause_is_told_once_it_arrives_and_signed(tmp_path: Path, receiver: Receiver) -> None:
    """The first attempts fail, one with a redirect, which is not followed; the server is killed in between."""
    receiver.statuses = [500, 302]
    with open_server(tmp_path / "data", **PRIVATE) as server:
        project = paused(server, callback_url=receiver.url)
        until(lambda: status_of(server, project)["callback"]["attempts"])
        assert status_of(server, project)["callback"]["problem"]
        server.kill_group()
    with open_server(tmp_path / "data", **PRIVATE) as server:
        until(lambda: status_of(server, project)["callback"]["sent_at"])
        told = status_of(server, project)["callback"]
        assert (told["state"], told["attempts"], told["problem"]) == ("paused", 3, None)
    assert len(receiver.got) == 3
    assert len({body for _, body in receiver.got}) == 1
    for headers, body in receiver.got:
        signed = headers["x-video-story-timestamp"].encode() + b"." + body
        expected = hmac.new(TOKEN.encode(), signed, hashlib.sha256).hexdigest()
        assert headers["x-video-story-signature"] == f"sha256={expected}"
        said = json.loads(body)
        assert (said["project_id"], said["state"], said["code"]) == (project, "paused", "needs_setup")
        assert said["status_url"] == f"/api/hermes/projects/{project}/status"


def test_the_end_of_a_film_is_told_after_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    """What happened while nobody could tell is told by the next process."""
    data = tmp_path / "data"
    project = finished(data, 1000, callback_url=receiver.url)
    with open_store(data) as store:
        store.events.say(project_id=project, kind="run", text="The film is finished.", data={"state": "done"})
    with open_server(data, **PRIVATE) as server:
        until(lambda: receiver.got)
        assert json.loads(receiver.got[0][1])["state"] == "done"
        until(lambda: status_of(server, project)["callback"]["sent_at"])


def test_a_private_address_behind_a_name_is_not_told(tmp_path: Path, receiver: Receiver) -> None:
    """The name is looked up when the message goes out; the project was made when the setting allowed it."""
    data = tmp_path / "data"
    with open_server(data, **PRIVATE) as server:
        receiver.statuses = [500] * 100
        project = paused(server, callback_url=receiver.url)
        until(lambda: status_of(server, project)["callback"]["attempts"])
        server.kill_group()
    before = len(receiver.got)
    finished(data, 10, callback_url="https://127.0.0.1:1/hook", project=project)
    with open_store(data) as store:
        store.events.say(project_id=project, kind="run", text="The film is finished.", data={"state": "done"})
    with open_server(data) as server:
        told = until(lambda: (now := status_of(server, project)["callback"])["given_up_at"] and now)
        assert (told["state"], told["sent_at"]) == ("done", None)
        assert "private" in told["problem"]
    assert len(receiver.got) == before


def test_a_receiver_that_does_not_answer_holds_up_nobody_else(tmp_path: Path, receiver: Receiver) -> None:
    """Nor gets a second message while the first is on its way."""
    data, slow = tmp_path / "data", Receiver()
    slow.let_go.clear()
    projects = [finished(data, 10, callback_url=f"{slow.url}{number}") for number in range(3)]
    projects.append(finished(data, 10, callback_url=receiver.url))
    with open_store(data) as store:
        for project in projects:
            store.events.say(project_id=project, kind="run", text="The film is finished.", data={"state": "done"})
    with open_server(data, **PRIVATE) as server:
        until(lambda: status_of(server, projects[-1])["callback"]["sent_at"])
        until(lambda: slow.got)
        assert len(slow.got) == 1
        assert [status_of(server, project)["callback"]["sent_at"] for project in projects[:3]] == [None] * 3
        slow.let_go.set()
        for project in projects[:3]:
            until(lambda project=project: status_of(server, project)["callback"]["sent_at"])
    assert sorted(json.loads(body)["project_id"] for _, body in slow.got) == projects[:3]
    slow.close()


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "[::ffff:10.0.0.1]", "[::127.0.0.1]", "localhost."])
def test_a_private_address_in_any_spelling_is_no_callback_address(tmp_path: Path, host: str) -> None:
    settings = load_settings(data_dir=tmp_path / "data", hermes_token=TOKEN)
    with closing(open_services(settings)) as services:
        body = {"story": SHORT, "callback_url": f"https://{host}/hook"}
        answer = create_app(services).test_client().post(ORDERS, json=body, headers=BEARER)
        assert (answer.status_code, answer.get_json()["field"]) == (422, "callback_url")
