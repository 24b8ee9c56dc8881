from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.store import Store, open_store
from tests.store.kit import new_project, wait_for


def test_events_come_back_as_they_were_said(store: Store, project: int) -> None:
    with store.db.write() as session:
        place: dict[str, Any] = {"project_id": project, "run_id": "r", "stage": "audio", "unit": "k"}
        first = store.events.append(session, **place, level="warning", text="夜 \ud800!", data={"n": 1})
    second = store.events.say(kind="project", text="b")
    one, two = store.events.since(0)
    assert one | {"at": ""} == {
        "seq": first,
        "project_id": project,
        "run_id": "r",
        "at": "",
        "level": "warning",
        "kind": "log",
        "stage": "audio",
        "unit": "k",
        "text": "夜 ?!",  # half a surrogate pair cannot be stored
        "data": {"n": 1},
    }
    assert (two["seq"], two["project_id"], two["data"]) == (second, None, None)


def test_since_and_last_choose_by_project_and_kind(store: Store, project: int) -> None:
    other = new_project(store)
    for number in range(6):
        kind = "step" if number > 3 else "log"
        store.events.say(project_id=other if number % 2 else project, kind=kind, text=str(number))
    assert [event["text"] for event in store.events.since(0, project_id=project)] == ["0", "2", "4"]
    assert [event["text"] for event in store.events.since(0, kind="step")] == ["4", "5"]
    assert [event["text"] for event in store.events.since(2, limit=2)] == ["2", "3"]
    assert [event["text"] for event in store.events.last(project, 5)] == ["0", "2"]
    assert [event["text"] for event in store.events.last(None, 2, kind=None)] == ["4", "5"]
    assert store.events.newest(project) == 5
    assert store.events.newest() == 6
    assert store.events.newest(4711) == 0


def test_a_cursor_never_skips(store: Store, project: int) -> None:
    """Four threads write as fast as they can; a fifth follows by cursor and sees every number, in order."""
    writing = threading.Event()
    writing.set()
    seen: list[int] = []

    def follow() -> None:
        while writing.is_set() or store.events.newest() > len(seen):
            seen.extend(event["seq"] for event in store.events.since(seen[-1] if seen else 0, limit=7))

    def write(thread: int) -> None:
        for number in range(40):
            if number % 3 == 0:
                store.ledger.claim(project, f"{thread}/{number}", stage="s", digest="d", run_id="r")
            else:
                store.events.say(project_id=project, text=f"{thread}/{number}")

    follower = threading.Thread(target=follow)
    follower.start()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))
    writing.clear()
    follower.join(20)
    assert seen == list(range(1, 161))


def test_waiting_ends_with_the_next_commit(store: Store, project: int) -> None:
    assert not store.events.wait(0, 0.01, project)
    woken: list[bool] = []
    waiter = threading.Thread(target=lambda: woken.append(store.events.wait(0, 20.0, project)))
    waiter.start()
    store.events.say(text="of no project")
    time.sleep(0.05)
    assert woken == []
    store.events.say(project_id=project, text="now")
    waiter.join(20)
    assert woken == [True]
    assert store.events.wait(0, 0, project)
    assert store.events.wait(1, 0)
    assert not store.events.wait(2, 0)


def test_what_was_there_before_this_boot_counts(store: Store, project: int) -> None:
    store.events.say(project_id=project)
    store.close()
    with open_store(store.folder.path) as again:
        assert again.events.wait(0, 0, project)
        assert not again.events.wait(1, 0, project)


def test_closing_sends_waiters_home(store: Store) -> None:
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(store.events.wait(0, 60.0)))
    waiter.start()
    wait_for(waiter.is_alive)
    store.events.close()
    waiter.join(20)
    assert answers == [False]
