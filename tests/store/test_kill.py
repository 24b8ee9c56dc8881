"""SIGKILL at work: what was said to be done is done, and nothing is half there."""

from __future__ import annotations

import random
from pathlib import Path

from sqlalchemy.orm import Session

from pipeline.generation.moderation.clearances import assembled
from pipeline.store import Store, open_store
from pipeline.store.backup import check
from pipeline.store.models import Setting
from tests.store.kit import killed_after, new_project

UNITS = 30


def _work(data: Path, acknowledged: Path, ready: Path) -> None:
    """Makes units one after the other, and writes each that is settled down where the test can see it."""
    with open_store(data) as store, acknowledged.open("a", buffering=1) as log:
        store.ledger.rehydrate()
        for number in range(UNITS):
            key = f"unit/{number:02}"
            if store.ledger.claim(1, key, stage="videos", digest="d", run_id="r") is None:
                continue
            ready.touch()
            _make(store, key)
            log.write(f"{key}\n")


def _make(store: Store, key: str) -> None:
    with store.media.draft(".mp4") as draft:
        draft.write_bytes(key.encode() * 5000)
        ref = store.media.publish(draft, ext="mp4", verdict=assembled())

    def count(session: Session) -> None:
        setting = session.get_one(Setting, "made")
        setting.value += 1

    assert store.ledger.settle(1, key, "done", digest="d", output={"media": ref.url}, apply=count)


def test_no_settled_work_is_lost_or_done_twice(data: Path, tmp_path: Path) -> None:
    with open_store(data) as store:
        assert new_project(store) == 1
        with store.db.write() as session:
            session.add(Setting(key="made", value=0))
    acknowledged, ready, chance = tmp_path / "acknowledged", tmp_path / "ready", random.Random(7)
    kills, finished = 0, False
    for _ in range(200):
        ready.unlink(missing_ok=True)
        finished = not killed_after(chance.uniform(0, 0.03), _work, data, acknowledged, ready, ready=ready)
        with open_store(data) as store:
            kills += not finished
            _consistent(store, acknowledged, kills)
        if finished:
            break
    assert finished
    assert kills >= 3, "the kills came too late to show anything"
    with open_store(data) as store:
        records = store.ledger.records(1)
        assert len(records) == UNITS
        assert sum(record.starts - 1 for record in records.values()) <= kills, "only what was under way was redone"


def _consistent(store: Store, acknowledged: Path, kills: int) -> None:
    records = store.ledger.records(1)
    done = {key for key, record in records.items() if record.status == "done"}
    said = acknowledged.read_text().split()
    assert set(said) <= done
    assert len(done) - len(said) <= kills, "each kill comes at most between one settle and its line in the log"
    assert len(said) == len(set(said)), "nothing settled was started again"
    with store.db.read() as session:
        assert session.get_one(Setting, "made").value == len(done), "the domain and the ledger agree"
    for key in done:
        assert store.media.verify(records[key].output["media"])  # type: ignore[index]
    assert check(store.folder) == []
    assert list(store.folder.tmp.iterdir()) == []
    endings = [event["unit"] for event in store.events.since(0, limit=10_000) if event["data"]["status"] == "done"]
    assert sorted(endings) == sorted(done), "one event for each"
