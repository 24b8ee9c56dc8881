"""A disk that is full, and a disk that may not be written to: on small file systems of their own."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import DiskFull, MediaMissing, StoreUnavailable
from pipeline.generation.moderation.clearances import assembled
from pipeline.store import Store, open_store
from pipeline.store.backup import backup, check, restore
from pipeline.store.models import Project
from pipeline.store.states import new_run, run_state
from tests.store.kit import new_project

pytestmark = pytest.mark.root

MEGABYTE = 1 << 20
_MS_RDONLY, _MS_REMOUNT, _MNT_DETACH = 1, 32, 2
_libc = ctypes.CDLL(None, use_errno=True)


def mount(place: Path, flags: int = 0, options: str = "") -> None:
    if _libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", flags, options.encode()):
        raise OSError(ctypes.get_errno(), "mount")


@contextmanager
def disk(place: Path, size: str) -> Iterator[Path]:
    """A disk of its own, mounted while the context is open."""
    place.mkdir()
    mount(place, options=f"size={size}")
    try:
        yield place
    finally:
        _libc.umount2(os.fsencode(place), _MNT_DETACH)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    with disk(tmp_path / "disk", "8m") as place:
        yield place


def fill_up(place: Path, leave: int = 0) -> Path:
    """Takes all the space there is but `leave` bytes."""
    ballast = place / "ballast"
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    os.truncate(ballast, max(0, ballast.stat().st_size - leave))
    return ballast


def write_until_full(store: Store, project: int) -> int:
    """Settles units until the disk refuses; returns how many were settled."""
    for number in range(10_000):
        try:
            store.ledger.claim(project, f"unit/{number}", stage="s", digest="d", run_id="r")
            store.ledger.settle(project, f"unit/{number}", "done", digest="d", output={"text": "x" * 2000})
        except DiskFull as problem:
            assert "no space left" in problem.detail
            assert problem.hint
            return number
    raise AssertionError("the disk was never full")


def test_a_full_disk_stops_writes_plainly_and_they_go_on_afterwards(small: Path) -> None:
    with open_store(small / "data") as store:
        project = new_project(store)
        with store.db.write() as session:
            assert new_run(session, run_id="r", project_id=project, boot_id=store.boot_id)
        ballast = fill_up(small, leave=600_000)
        settled = write_until_full(store, project)
        assert settled > 3
        # The log and what was kept back give their space, and that is enough to write the pause down.
        assert not store.folder.reserve_path.exists()
        assert store.folder.wal_path.stat().st_size == 0
        with store.db.write(durable=True) as session:
            assert run_state(session, "r", "paused", code="disk_full")
            store.events.append(session, project_id=project, kind="run", text="The disk is full.")
        assert store.ledger.counts(project)["s"]["done"] >= settled
        ballast.unlink()
        assert store.ledger.claim(project, "later", stage="s", digest="d", run_id="r")
        assert store.ledger.settle(project, "later", "done", digest="d")
        assert store.folder.reserve_path.exists(), "taken back when there is space again"
    assert check(store.folder) == []


def test_media_on_a_full_disk(small: Path) -> None:
    with open_store(small / "data") as store:
        ballast = fill_up(small, leave=MEGABYTE)
        with pytest.raises(DiskFull), store.media.draft(".mp4") as draft:
            draft.write_bytes(bytes(3 * MEGABYTE))
        assert list(store.folder.tmp.iterdir()) == []
        assert store.events.say(text="Paused: the disk is full.")
        ballast.unlink()
        with store.media.draft(".mp4") as draft:
            draft.write_bytes(bytes(3 * MEGABYTE))
            ref = store.media.publish(draft, ext="mp4", verdict=assembled())
        assert store.media.verify(ref.url)


def test_a_full_disk_while_starting(small: Path) -> None:
    with open_store(small / "data") as store:
        new_project(store)
        store.events.say(text="before")
    ballast = fill_up(small)
    with pytest.raises(DiskFull), open_store(small / "data") as store:
        write_until_full(store, 1)
        raise DiskFull("found at the first write")
    ballast.unlink()
    with open_store(small / "data") as store:
        assert store.events.since(0)[0]["text"] == "before"
    fill_up(small)
    with pytest.raises(DiskFull):
        open_store(small / "fresh")
    assert not (small / "fresh" / "video-story.db").exists()


def test_backup_and_restore_on_a_full_disk(small: Path, tmp_path: Path) -> None:
    with open_store(small / "data") as store:
        new_project(store)
        with store.media.draft(".mp4") as draft:
            draft.write_bytes(bytes(2 * MEGABYTE))
            store.media.publish(draft, ext="mp4", verdict=assembled())
        backup(store.folder, tmp_path / "saved")  # another disk: copied
        with store.db.write() as session:
            session.add(Project(title="later"))
        ballast = fill_up(small, leave=50_000)
        with pytest.raises(DiskFull):
            backup(store.folder, small / "saved")
        assert not (small / "saved").exists()
    for file in store.folder.media.glob("*/*"):
        file.unlink()
    fill_up(small, leave=50_000)
    with pytest.raises(DiskFull):
        restore(store.folder, tmp_path / "saved")
    ballast.unlink()
    with open_store(small / "data") as store, store.db.read() as session:
        assert session.query(Project).count() == 2, "a restore that failed has changed nothing"
    restore(store.folder, tmp_path / "saved")
    with open_store(small / "data") as store, store.db.read() as session:
        assert session.query(Project).count() == 1
    assert check(store.folder) == []


def test_a_disk_that_may_not_be_written_to(small: Path) -> None:
    with open_store(small / "data") as store:
        store.events.say(text="before")
        with store.media.draft(".png") as draft:
            draft.write_bytes(b"picture")
            ref = store.media.publish(draft, ext="png", verdict=assembled())
    mount(small, _MS_REMOUNT | _MS_RDONLY, "size=8m")
    with pytest.raises(StoreUnavailable, match="disk"):
        open_store(small / "data")
    with open_store(small / "data", read_only=True) as store:
        assert [event["text"] for event in store.events.since(0)] == ["before"]
        assert store.media.verify(ref.url)
        with pytest.raises(StoreUnavailable):
            store.events.say(text="no")
    mount(small, _MS_REMOUNT, "size=8m")
    with open_store(small / "data") as store:
        assert store.events.say(text="again")


def test_a_media_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    with open_store(tmp_path / "data") as store:
        with store.media.draft(".png") as draft:
            draft.write_bytes(b"old")
            old = store.media.publish(draft, ext="png", verdict=assembled())
        mount(store.folder.media, _MS_RDONLY)
        try:
            with pytest.raises(StoreUnavailable, match="media"), store.media.draft(".png") as draft:
                draft.write_bytes(b"new")
                store.media.publish(draft, ext="png", verdict=assembled())
            with pytest.raises(MediaMissing):  # hidden under the mount
                store.media.path(old.url)
            assert list(store.folder.tmp.iterdir()) == []
        finally:
            _libc.umount2(os.fsencode(store.folder.media), _MNT_DETACH)
        with store.media.draft(".png") as draft:
            draft.write_bytes(b"new")
            assert store.media.publish(draft, ext="png", verdict=assembled())
        assert store.media.path(old.url)
