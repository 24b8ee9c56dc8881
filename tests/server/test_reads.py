"""What many clients read again and again: how many queries that takes, what is shared, that nobody misses an event."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, insert

from pipeline.store.models import Character, Project, Scene, SceneCharacter, ScriptSegment, Set, Shot
from server.sharing import Shared
from server.wiring import Services

WAIT_S = 20.0


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that this thread asks the database meanwhile."""
    asked: list[str] = []
    here = threading.get_ident()

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        if threading.get_ident() == here:
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def film_of(parts: Services, project_id: int, number: int) -> None:
    """Scenes, segments and shots, `number` of each, with a character in each scene."""
    belongs = {"project_id": project_id}
    with parts.store.db.write() as session:
        who, place = Character(**belongs, name="Mira"), Set(**belongs, name="Harbour")
        session.add_all([who, place])
        session.flush()
        for at in range(number):
            scene = Scene(**belongs, idx=at, set_id=place.id, first_segment_idx=at, last_segment_idx=at)
            session.add(scene)
            session.flush()
            session.execute(insert(SceneCharacter).values(scene_id=scene.id, character_id=who.id))
            spoken = {"segment_type": "dialogue", "speaker_id": who.id, "text": "“Ding!”\n\u2028"}
            session.add(ScriptSegment(**belongs, idx=at, **spoken))
            times = {"start_ms": at * 900, "end_ms": at * 900 + 900, "duration_ms": 900}
            session.add(Shot(**belongs, scene_id=scene.id, idx=at, kind="dialogue", speaker_id=who.id, **times))


@pytest.mark.parametrize("what", ["segments", "scenes", "shots"])
def test_long_lists_take_as_many_queries_as_short_ones(
    client: FlaskClient, parts: Services, project: int, what: str
) -> None:
    other = client.post("/api/projects", json={"story": "Another bell."}).get_json()["id"]
    film_of(parts, project, 1)
    film_of(parts, other, 100)
    numbers = []
    for project_id, length in ((project, 1), (other, 100)):
        client.get(f"/api/projects/{project_id}")
        with counted() as asked:
            items = client.get(f"/api/projects/{project_id}/{what}").get_json()["items"]
        assert [item["idx"] for item in items] == list(range(length))
        numbers.append(len(asked))
    assert numbers[0] == numbers[1]
    assert [items[-1].get(name) for name in ("speaker", "set", "characters") if name in items[-1]] in (
        ["Mira"],
        ["Harbour", ["Mira"]],
    )


def test_a_long_list_of_projects_takes_as_many_queries_as_a_short_one(client: FlaskClient, parts: Services) -> None:
    def ended(title: str) -> None:
        made = client.post("/api/projects", json={"story": "A bell.", "title": title}).get_json()["id"]
        client.post(f"/api/projects/{made}/yolo")
        assert parts.runner.wait(made, WAIT_S) == "done"

    numbers = []
    for _ in range(2):
        ended("Bell")
        with counted() as asked:
            page = client.get("/api/projects?limit=100").get_json()
        numbers.append(len(asked))
        with parts.store.db.write() as session:
            session.execute(insert(Project), [{"title": f"Film {number}"} for number in range(1000)])
    assert numbers[0] == numbers[1]
    assert len(page["items"]) == 100 and page["items"][0]["percent"] == 100
    seen = 0
    cursor = None
    while True:
        page = client.get("/api/projects", query_string={"limit": 100, **({"cursor": cursor} if cursor else {})}).json
        seen += len(page["items"])
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == 2002


def test_a_stream_that_breaks_off_goes_on_without_a_gap(client: FlaskClient, parts: Services, project: int) -> None:
    log = parts.store.events
    written: list[int] = []

    def write() -> None:
        for number in range(120):
            written.append(log.say(project_id=project, text=f"line {number}"))

    writer = threading.Thread(target=write)
    address = f"/api/projects/{project}/events"
    seen: list[int] = []
    last = str(log.newest(project))
    writer.start()
    while len(seen) < 120:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": last}
        with client.get(address, headers=headers) as answer:
            frames = iter(answer.response)
            next(frames)
            said = next(frames).decode()
        got = [json.loads(line.removeprefix("data: ")) for line in said.split("\n") if line.startswith("data: ")]
        # The client has read only a part of what was sent when the line broke.
        for line in got[: max(1, len(got) // 2)]:
            seen.append(line["seq"])
        last = str(seen[-1])
    writer.join()
    assert seen == written


def test_a_value_is_made_once_for_all_who_ask_at_once() -> None:
    shared, made, gate = Shared(), [], threading.Event()

    def make() -> int:
        gate.wait(WAIT_S)
        made.append(1)
        return len(made)

    got: list[int] = []
    threads = [threading.Thread(target=lambda: got.append(shared.value("k", 1, 60, make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert (got, len(made)) == ([1] * 8, 1)
    assert shared.value("k", 2, 60, make) == 2, "another version"
    assert shared.value("k", 2, 0, make) == 2 and shared.value("other", 2, 0, make) == 3
    assert shared.value("other", 2, 60, make) == 4, "its time was over"
    for number in range(100):
        shared.value(number, 1, 60, make)
    assert shared.value("k", 2, 60, make) == 105, "forgotten"


def test_a_value_that_could_not_be_made_is_tried_again() -> None:
    shared = Shared()

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        shared.value("k", 1, 60, fail)
    assert shared.value("k", 1, 60, lambda: 7) == 7
