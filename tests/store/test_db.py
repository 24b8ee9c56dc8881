from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from pipeline.errors import StoreUnavailable
from pipeline.store import Database, Store
from pipeline.store.models import Character, Event, Project, Setting
from tests.store.kit import at_work, new_project, wait_for


def test_what_is_written_is_read_back(store: Store) -> None:
    with store.db.write() as session:
        project = Project(title="Zoë’s 夜 \x00 'film'", options={"form": {"width": 320}}, language="en")
        session.add(project)
    with store.db.read() as session:
        read = session.get_one(Project, project.id)
    assert (read.title, read.options, read.aspect_ratio) == ("Zoë’s 夜 \x00 'film'", {"form": {"width": 320}}, "16:9")
    assert read.budget_cents is None
    assert read.created_at.endswith("Z")


def test_an_error_undoes_the_whole_block(store: Store, project: int) -> None:
    with pytest.raises(RuntimeError), store.db.write() as session:
        session.get_one(Project, project).title = "changed"
        session.add(Setting(key="a", value=1))
        session.flush()
        raise RuntimeError
    with store.db.read() as session:
        assert session.get_one(Project, project).title == "A film"
        assert session.get(Setting, "a") is None


def test_foreign_keys_are_enforced(store: Store) -> None:
    with pytest.raises(IntegrityError), store.db.write() as session:
        session.add(Character(project_id=4711, name="Nobody"))
    assert new_project(store)


def test_a_reader_sees_one_moment(store: Store, project: int) -> None:
    with store.db.read() as reader:
        assert reader.scalar(select(func.count()).select_from(Project)) == 1
        new_project(store)
        assert reader.scalar(select(func.count()).select_from(Project)) == 1
    with store.db.read() as reader:
        assert reader.scalar(select(func.count()).select_from(Project)) == 2


def test_a_reading_session_cannot_write(store: Store) -> None:
    with pytest.raises(OperationalError), store.db.read() as session:
        session.add(Project(title="b"))
        session.flush()


def test_a_write_inside_a_write_says_so_instead_of_hanging(store: Store) -> None:
    with store.db.write(), pytest.raises(RuntimeError, match="inside a write"):
        store.events.say(text="hello")
    assert store.events.say(text="hello")


def test_a_rollback_inside_writes_and_tells_nothing(store: Store) -> None:
    told: list[object] = []
    store.db.on_commit(lambda fresh, durable: told.append(fresh))
    with store.db.write() as session:
        store.events.append(session, text="gone")
        session.rollback()
    assert (store.events.newest(), told) == (0, [])
    store.events.say(text="here")
    assert len(told) == 1


@pytest.mark.parametrize("durable", [True, False])
def test_durable_writes_wait_for_the_disk(store: Store, durable: bool) -> None:
    with store.db.writing(durable=not durable):
        pass
    with store.db.writing(durable=durable) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == (2 if durable else 1)
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_no_update_is_lost_between_threads(store: Store) -> None:
    with store.db.write() as session:
        session.add(Setting(key="n", value=0))

    def increment(_: int) -> None:
        with store.db.write() as session:
            setting = session.get_one(Setting, "n")
            setting.value += 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(increment, range(200)))
    with store.db.read() as session:
        assert session.get_one(Setting, "n").value == 200


def _hold_the_lock(path: Path, held: Path, let_go: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO settings VALUES ('theirs', '1')")
    held.touch()
    wait_for(let_go.exists, 60)
    other.execute("COMMIT")
    time.sleep(60)


def test_a_lock_of_another_process_is_waited_for(store: Store, tmp_path: Path) -> None:
    held, let_go = tmp_path / "held", tmp_path / "let-go"
    with at_work(_hold_the_lock, store.folder.db_path, held, let_go):
        wait_for(held.exists)
        waiter = threading.Thread(target=store.events.say, kwargs={"text": "at last"})
        waiter.start()
        wait_for(lambda: store.db.blocked_s > 0.3)
        assert store.events.newest() == 0  # reading goes on meanwhile
        let_go.touch()
        waiter.join(20)
    assert store.db.blocked_s == 0.0
    assert [event["text"] for event in store.events.since(0)] == ["at last"]
    with store.db.read() as session:
        assert session.get_one(Setting, "theirs").value == 1


def test_a_lock_that_is_never_given_up_becomes_an_error(store: Store, tmp_path: Path) -> None:
    held = tmp_path / "held"
    hurried = Database(store.folder.db_path, lock_timeout_s=0.5)
    with at_work(_hold_the_lock, store.folder.db_path, held, tmp_path / "never"):
        wait_for(held.exists)
        with pytest.raises(StoreUnavailable, match="cannot be used") as caught, hurried.write() as session:
            session.add(Event(at="now"))
        assert "Another program" in caught.value.hint
    with hurried.write() as session:  # the holder is dead, and its work undone
        session.add(Event(at="now"))
    with hurried.read() as session:
        assert session.get(Setting, "theirs") is None
    hurried.close()


def test_after_close_the_log_is_folded_in(store: Store, project: int) -> None:
    store.close()
    assert not store.folder.wal_path.exists()
