from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pipeline.errors import DataFolderInUse, InvalidInput, StoreUnavailable
from pipeline.generation.moderation.clearances import assembled
from pipeline.store import DataFolder, Store, open_store
from pipeline.store.backup import Manifest, backup, check, restore
from pipeline.store.integrity import complaints_of
from pipeline.store.models import Project
from tests.store.kit import at_work, killed_after, new_project, wait_for


def fill(store: Store, title: str, pictures: int = 3) -> list[str]:
    """Gives the store a project of this title and some media; returns their addresses."""
    with store.db.write() as session:
        session.add(Project(title=title))
    urls = []
    for number in range(pictures):
        with store.media.draft(".png") as draft:
            draft.write_bytes(f"{title} {number}".encode() * 50)
            urls.append(store.media.publish(draft, ext="png", verdict=assembled()).url)
    return urls


def titles(store: Store) -> list[str]:
    with store.db.read() as session:
        return [row[0] for row in session.query(Project.title).order_by(Project.id)]


@pytest.fixture
def saved(data: Path, tmp_path: Path) -> Path:
    """A backup of a folder that has changed since: "one" is in both, "two" only in the folder."""
    with open_store(data) as store:
        fill(store, "one")
        backup(store.folder, tmp_path / "saved")
        fill(store, "two")
    return tmp_path / "saved"


def test_a_live_folder_is_copied_and_verified(store: Store, tmp_path: Path) -> None:
    urls = fill(store, "one")
    with store.db.write() as session:  # a write that is under way is not in it
        session.add(Project(title="unfinished"))
        session.flush()
        manifest = backup(store.folder, tmp_path / "deep" / "saved")
    saved = DataFolder(tmp_path / "deep" / "saved")
    assert complaints_of(saved.db_path) == []
    assert {f"/media/{name}" for name in manifest.media} == set(urls)
    assert manifest == Manifest.model_validate_json((saved.path / "manifest.json").read_bytes())
    assert check(saved) == []
    assert sorted(path.name for path in saved.path.iterdir()) == ["manifest.json", "media", "video-story.db"]
    with pytest.raises(InvalidInput, match="exists"):
        backup(store.folder, saved.path)


def test_a_backup_says_what_was_missing(store: Store, tmp_path: Path) -> None:
    first, second, _ = fill(store, "one")
    store.media.path(first).unlink()
    store.media.path(second).write_bytes(b"damaged")
    manifest = backup(store.folder, tmp_path / "saved")
    assert {f"/media/{name}" for name in manifest.missing} == {first, second}
    assert len(check(store.folder)) == 2


def test_restore_brings_back_all_of_it(data: Path, saved: Path) -> None:
    shutil.rmtree(data / "media")
    restore(DataFolder(data), saved)
    assert check(DataFolder(data)) == []
    with open_store(data) as store:
        assert titles(store) == ["one"]
        assert new_project(store)
    [kept] = (data / "backups").glob("replaced-*")
    assert complaints_of(kept / "video-story.db") == []
    linked = [path for path in data.glob("media/*/*") if path.stat().st_nlink > 1]
    assert linked == [], "what was restored is independent of the backup"


def test_restore_into_an_empty_place(saved: Path, tmp_path: Path) -> None:
    restore(DataFolder(tmp_path / "elsewhere"), saved)
    with open_store(tmp_path / "elsewhere") as store:
        assert titles(store) == ["one"]
    assert check(store.folder) == []


def test_restore_ends_every_kind_of_damage(data: Path, saved: Path) -> None:
    (data / "video-story.db").write_bytes(b"garbage" * 999)
    (data / "video-story.db-wal").write_bytes(b"more garbage")
    with pytest.raises(StoreUnavailable):
        open_store(data)
    restore(DataFolder(data), saved)
    with open_store(data) as store:
        assert titles(store) == ["one"]


def test_a_bare_database_file_can_be_restored(data: Path, saved: Path) -> None:
    restore(DataFolder(data), saved / "video-story.db")
    with open_store(data) as store:
        assert titles(store) == ["one"]
    assert check(store.folder) == []


def test_a_damaged_backup_changes_nothing(data: Path, saved: Path) -> None:
    victim = next(saved.glob("media/*/*"))
    content = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(content[:-1] + b"?")
    with pytest.raises(StoreUnavailable, match=victim.name):
        restore(DataFolder(data), saved)
    with (saved / "video-story.db").open("r+b") as file:
        file.seek(5000)
        file.write(bytes(3000))
    with pytest.raises(StoreUnavailable, match="damaged"):
        restore(DataFolder(data), saved)
    with open_store(data) as store:
        assert titles(store) == ["one", "two"]


def test_what_is_no_backup_is_refused(data: Path, saved: Path, tmp_path: Path) -> None:
    for place in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(InvalidInput):
            restore(DataFolder(data), place)
    (saved / "manifest.json").unlink()
    with pytest.raises(InvalidInput, match=r"manifest\.json"):
        restore(DataFolder(data), saved)


def test_a_folder_in_use_is_not_restored_into(data: Path, saved: Path) -> None:
    with open_store(data) as store:
        with pytest.raises(DataFolderInUse):
            restore(store.folder, saved)
        assert titles(store) == ["one", "two"]


def test_check_tells_what_is_wrong(store: Store) -> None:
    assert check(store.folder) == []
    urls = fill(store, "one")
    store.media.path(urls[0]).unlink()
    with store.db.write() as session:
        session.query(Project).update({"film_url": f"/media/{'0' * 64}.mp4"})
    problems = check(store.folder)
    assert len(problems) == 2
    assert "film_url of projects 1" in problems[0]
    assert problems[1].endswith("is gone.")
    store.close()
    os.truncate(store.folder.db_path, 30_000)
    assert any("database" in problem.lower() for problem in check(store.folder))
    store.folder.db_path.unlink()
    assert check(store.folder) == [f"There is no database in {store.folder.path}."]


# --- Kills ---------------------------------------------------------------------------------------


def _write_for_ever(data: Path, ready: Path) -> None:
    store = open_store(data)
    for number in range(1_000_000):
        fill(store, f"film {number}", pictures=1)
        if number == 5:
            ready.touch()


def test_a_backup_beside_a_busy_writer_is_consistent(data: Path, tmp_path: Path) -> None:
    with at_work(_write_for_ever, data, tmp_path / "ready"):
        wait_for((tmp_path / "ready").exists)
        for number in range(5):
            backup(DataFolder(data), tmp_path / f"saved-{number}")
    for number in range(5):
        assert check(DataFolder(tmp_path / f"saved-{number}")) == []
    with open_store(data) as store:
        assert check(store.folder) == []


def _back_up_for_ever(data: Path, dest: Path) -> None:
    for number in range(1_000_000):
        backup(DataFolder(data), dest / str(number))


def test_a_kill_leaves_no_half_backup(data: Path, tmp_path: Path) -> None:
    with open_store(data) as store:
        fill(store, "one", pictures=30)
    dest = tmp_path / "saved"
    for attempt in range(6):
        killed_after(0.02 * attempt, _back_up_for_ever, data, dest, ready=dest)
        for made in dest.iterdir():
            if not made.name.startswith("."):
                assert check(DataFolder(made)) == []
        shutil.rmtree(dest)
    backup(DataFolder(data), dest)


def _restore_for_ever(data: Path, sources: list[Path], started: Path) -> None:
    started.touch()
    while True:
        for source in sources:
            restore(DataFolder(data), source)


def test_a_restore_is_all_or_nothing(data: Path, saved: Path, tmp_path: Path) -> None:
    with open_store(data) as store:
        backup(store.folder, tmp_path / "both")
    started = tmp_path / "started"
    for attempt in range(12):
        started.unlink(missing_ok=True)
        killed_after(0.004 * attempt, _restore_for_ever, data, [saved, tmp_path / "both"], started, ready=started)
        if attempt % 3 == 0:  # the kill may also fall into what completes a restore
            killed_after(0.001 * attempt, lambda: open_store(data).close())
        with open_store(data) as store:
            found = tuple(titles(store))
        assert found in {("one",), ("one", "two")}
        assert check(store.folder) == []


def test_an_interrupted_restore_is_completed_by_the_next_start(data: Path, saved: Path) -> None:
    folder = DataFolder(data)
    shutil.copyfile(saved / "video-story.db", folder.restore_path)
    folder.wal_path.write_bytes(b"the log of the old database")
    with open_store(data) as store:
        assert titles(store) == ["one"]
    assert not folder.restore_path.exists()
