"""Taking a data folder into use: the lock, leftovers, damage, strangers."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import DataFolderInUse, StoreUnavailable
from pipeline.generation.moderation.clearances import assembled
from pipeline.store import Store, open_store
from pipeline.store.models import Project
from tests.store.kit import at_work, new_project, wait_for


def _keep_open(data: Path, ready: Path) -> None:
    store = open_store(data)
    assert store
    ready.touch()
    time.sleep(60)


def test_a_folder_is_used_by_one_process(data: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with at_work(_keep_open, data, ready):
        wait_for(ready.exists)
        (data / "tmp" / "work-under-way").touch()
        with pytest.raises(DataFolderInUse, match="in use"):
            open_store(data)
        assert (data / "tmp" / "work-under-way").exists(), "only the holder of the lock may sweep"
        with open_store(data, exclusive=False) as beside:
            assert beside.events.newest() == 0
    with open_store(data):  # a killed process keeps nothing
        assert not (data / "tmp" / "work-under-way").exists()
        with pytest.raises(DataFolderInUse):
            open_store(data)
    open_store(data).close()


def _outlive(lock_holder_gone: Path) -> None:
    wait_for(lock_holder_gone.exists, 60)


def _fork_and_die(data: Path, alive: Path, gone: Path) -> None:
    store = open_store(data)
    if os.fork() == 0:
        _outlive(gone)
        os._exit(0)
    alive.touch()
    assert store
    time.sleep(60)


def test_a_dead_process_does_not_keep_the_lock_through_its_children(data: Path, tmp_path: Path) -> None:
    alive, gone = tmp_path / "alive", tmp_path / "gone"
    with at_work(_fork_and_die, data, alive, gone):
        wait_for(alive.exists)
    try:
        open_store(data).close()
    finally:
        gone.touch()


def test_leftovers_are_swept(data: Path) -> None:
    open_store(data).close()
    (data / "tmp" / "half.mp4").write_bytes(b"x")
    (data / "tmp" / "work").mkdir()
    (data / "tmp" / "work" / "frame.png").write_bytes(b"x")
    with open_store(data) as store:
        assert list(store.folder.tmp.iterdir()) == []


def test_every_boot_has_a_name_of_its_own(data: Path) -> None:
    with open_store(data) as one:
        pass
    with open_store(data) as two:
        assert one.boot_id != two.boot_id


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match="file"):
        open_store(tmp_path / "file" / "data")


def test_beside_needs_a_database(data: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no database"):
        open_store(data, exclusive=False)
    assert not data.exists()


def _filled(data: Path) -> Store:
    """A folder with some work in it, closed."""
    with open_store(data) as store:
        project = new_project(store)
        for number in range(300):
            store.ledger.claim(project, f"unit/{number}", stage="audio", digest="d", run_id="r")
        with store.media.draft(".png") as draft:
            draft.write_bytes(b"picture")
            store.media.publish(draft, ext="png", verdict=assembled())
    return store


def _refused(data: Path, words: str) -> None:
    before = _content(data)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=words) as caught:
            open_store(data)
        assert "python -m server restore" in caught.value.sentence
    assert _content(data) == before, "what is damaged is not touched"


def _content(data: Path) -> dict[str, bytes]:
    """The database and its log; an empty log is as good as none."""
    files = [data / "video-story.db", data / "video-story.db-wal"]
    return {path.name: path.read_bytes() for path in files if path.exists() and path.stat().st_size}


def test_a_damaged_page_starts_nothing_new(data: Path) -> None:
    path = _filled(data).folder.db_path
    pages = [path.read_bytes()[at : at + 4096] for at in range(0, path.stat().st_size, 4096)]
    path.write_bytes(b"".join(os.urandom(512) + page[512:] if b"unit/" in page else page for page in pages))
    _refused(data, "damaged")
    with open_store(data, read_only=True) as store:
        with store.db.read() as session:
            assert session.query(Project.title).all() == [("A film",)], "what can be read is read"
        with pytest.raises(StoreUnavailable, match="damaged"):
            store.ledger.records(1)
        with pytest.raises(StoreUnavailable, match="reading only"):
            store.events.say(text="hello")


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"not a database at all" * 500])
def test_a_file_that_is_no_database_is_not_written_over(data: Path, content: bytes) -> None:
    path = _filled(data).folder.db_path
    path.write_bytes(content)
    _refused(data, "damaged|empty")
    with pytest.raises(StoreUnavailable):
        open_store(data, exclusive=False)
    with open_store(data, read_only=True) as store, pytest.raises(StoreUnavailable):
        store.events.newest()


def test_half_a_file(data: Path) -> None:
    path = _filled(data).folder.db_path
    os.truncate(path, path.stat().st_size // 2)
    _refused(data, "damaged")


def test_a_missing_database_is_not_made_anew_over_its_media(data: Path) -> None:
    _filled(data).folder.db_path.unlink()
    _refused(data, "gone")
    assert not (data / "video-story.db").exists()


def _work_until_killed(data: Path, ready: Path) -> None:
    store = open_store(data)
    project = new_project(store)
    for number in range(20):
        store.ledger.claim(project, f"unit/{number}", stage="video", digest="d", run_id="r")
        store.ledger.park(project, f"unit/{number}", provider="p", handle={"id": number})
    ready.touch()
    time.sleep(60)


@pytest.mark.parametrize("loss", ["all", "half", "header", "a torn frame"])
def test_a_truncated_log_is_noticed(data: Path, tmp_path: Path, loss: str) -> None:
    """The database that is left is sound, but it has forgotten which work is being paid for."""
    ready = tmp_path / "ready"
    with at_work(_work_until_killed, data, ready):
        wait_for(ready.exists)
    wal = data / "video-story.db-wal"
    size = wal.stat().st_size
    assert size > 100_000
    if loss == "all":
        wal.unlink()
    elif loss == "header":
        with wal.open("r+b") as file:
            file.write(bytes(32))
    else:
        os.truncate(wal, size // 2 if loss == "half" else size - 100)
    _refused(data, "newest records")
    with open_store(data, read_only=True) as store:
        assert store.events.newest() < 40


def test_an_untouched_log_is_played_back(data: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with at_work(_work_until_killed, data, ready):
        wait_for(ready.exists)
    with open_store(data) as store:
        assert store.events.newest() == 40
        assert [step.handle for step in store.ledger.rehydrate()] == [
            {"id": number} for number in sorted(range(20), key=str)
        ]


def test_a_database_from_the_future_is_refused(data: Path) -> None:
    path = _filled(data).folder.db_path
    with closing(sqlite3.connect(path, isolation_level=None)) as driver:
        driver.execute("UPDATE alembic_version SET version_num = '9999'")
    _refused(data, "newer version")


def test_a_database_of_another_program_is_refused(data: Path) -> None:
    data.mkdir()
    with closing(sqlite3.connect(data / "video-story.db")) as driver:
        driver.execute("CREATE TABLE songs (id)")
    with pytest.raises(StoreUnavailable, match="not a database of this program"):
        open_store(data)
