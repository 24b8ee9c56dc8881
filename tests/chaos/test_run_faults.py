"""What a run meets while it works: files that vanish, a folder that may not be written, a database that is locked."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.projects import change_project, report
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.store import Store, open_store
from pipeline.store.models import Project, Shot
from tests.chaos.film_child import FORM, STORY
from tests.chaos.test_kill import run_child

WAIT_S = 120.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a finished film."""
    data_dir = tmp_path_factory.mktemp("made")
    assert run_child(data_dir) == 0
    return data_dir


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    os.system(f"cp -r '{made}' '{tmp_path}/data'")
    return tmp_path / "data"


@pytest.fixture
def opened(copy: Path) -> Iterator[tuple[Store, Runner]]:
    with open_store(copy) as store:
        runner = Runner(store, load_settings(data_dir=copy, engine_workers=2))
        yield store, runner
        runner.close()


def until(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within ten seconds."""
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


def starts(store: Store) -> dict[str, int]:
    return {key: record.starts for key, record in store.ledger.records(1).items()}


def test_a_file_that_vanished_is_made_again_and_nothing_else(opened: tuple[Store, Runner]) -> None:
    store, runner = opened
    with store.db.read() as session:
        shot = session.query(Shot).filter(Shot.video_url.is_not(None), Shot.lipsync_url.is_(None)).first()
        assert shot is not None and shot.video_url is not None
    before = starts(store)
    lost = store.media.path(shot.video_url)
    lost.unlink()
    runner.start(1)
    assert runner.wait(1, WAIT_S) == "done"
    assert lost.exists(), "equal inputs give the same file"
    again = {key for key, number in starts(store).items() if number != before[key]}
    assert again == {f"videos/{shot.id}"}


def test_a_clip_that_cannot_be_made_is_shown_as_its_still_and_said(opened: tuple[Store, Runner]) -> None:
    store, runner = opened
    with store.db.read() as session:
        shot = session.query(Shot).filter(Shot.lipsync_url.is_(None)).first()
        assert shot is not None and shot.video_url and shot.first_frame_url
        clip, index = shot.video_url, shot.idx
    with store.db.write() as session:
        session.get_one(Shot, shot.id).video_url = None
    # Exported with what there is: the ledger holds the clip's unit as done, so only the film is made anew.
    runner.start(1)
    assert runner.wait(1, WAIT_S) == "done"
    problems = runner.status(1)["problems"]
    assert [problem["code"] for problem in problems] == ["preview_used", "missing_clip"]
    assert f"shot {index + 1}" in problems[1]["text"]
    whole = report(store, 1)
    assert whole["duration_ms"] and store.media.path(clip).exists()


def test_a_locked_database_is_waited_for(opened: tuple[Store, Runner]) -> None:
    store, runner = opened
    with store.db.write() as session:
        change_project(session, 1, {"title": "Another title"}, max_story_words=1000)
    other = sqlite3.connect(store.folder.db_path, timeout=5, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    starting = threading.Thread(target=runner.start, args=(1,))
    starting.start()
    assert until(lambda: [one["code"] for one in runner.status(1)["problems"]][:1] == ["store_waiting"])
    other.rollback()
    starting.join(WAIT_S)
    assert runner.wait(1, WAIT_S) == "done"
    assert "store_waiting" not in {one["code"] for one in runner.status(1)["problems"]}
    with store.db.read() as session:
        assert session.get_one(Project, 1).title == "Another title"


def test_a_kill_in_a_second_export_leaves_the_old_film_to_be_served(copy: Path) -> None:
    with open_store(copy) as store, store.db.write() as session:
        old = session.get_one(Project, 1).film_url
        change_project(session, 1, {"title": "A new title in the file"}, max_story_words=1000)
    assert run_child(copy, "export", "0") == -signal.SIGKILL
    with open_store(copy) as store, store.db.read() as session:
        assert session.get_one(Project, 1).film_url == old
        assert store.media.path(old or "").exists()
        assert list(store.folder.tmp.iterdir()) == []
    assert run_child(copy) == 0
    with open_store(copy) as store, store.db.read() as session:
        assert session.get_one(Project, 1).film_url not in (None, old)


@pytest.mark.parametrize(
    "title",
    [
        "It's a 'quoted' film",
        "line\nbreak",
        "; # = \\ [CHAPTER]",
        "../../etc/passwd",
        "%s %d {0}",
        "🎬 فيلم 電影",
        "\u202eRTL",
    ],
)
def test_no_title_breaks_the_export(opened: tuple[Store, Runner], title: str) -> None:
    store, runner = opened
    with store.db.write() as session:
        session.get_one(Project, 1).title = title
    runner.start(1)
    assert runner.wait(1, WAIT_S) == "done"


NAUGHTY = [
    "No letters follow: 🎬🎬🎬 ... but here is one.",
    "他说:“你好!”她笑了。夜里下雨了。",
    'قال الرجل: "مرحبا". ثم ذهب إلى السوق.',
    "Robert'); DROP TABLE shots;-- said hello. <script>alert(1)</script> & &amp; {{7*7}} ${HOME}",
    "A \"quote that never ends. And then 'another. — And a dash",
    "Z\u0334\u0321a\u0338\u0322l\u0335g\u0336o is here. \u202eRight to left.\u202c e\u0301\u0301\u0301",
]


@pytest.mark.parametrize("story", NAUGHTY)
def test_naughty_stories_become_films(tmp_path: Path, story: str) -> None:
    with open_store(tmp_path) as store:
        runner = Runner(store, load_settings(data_dir=tmp_path, engine_workers=2))
        with store.db.write() as session:
            session.add(Project(title=story[:20], story=story, options={"form": FORM}))
        runner.start(1)
        assert runner.wait(1, WAIT_S) == "done", runner.status(1)
        whole = report(store, 1)
        runner.close()
    assert whole["shots"] and whole["duration_ms"] > 0


def test_only_narration_and_only_dialogue_become_films(tmp_path: Path) -> None:
    assert '"' in STORY
    for number, story in enumerate(("The sea was calm.", '"Who is there?"\n\n"It is me."')):
        with open_store(tmp_path / str(number)) as store:
            runner = Runner(store, load_settings(data_dir=tmp_path, engine_workers=2))
            with store.db.write() as session:
                session.add(Project(title="One kind", story=story, options={"form": FORM}))
            runner.start(1)
            assert runner.wait(1, WAIT_S) == "done", runner.status(1)
            runner.close()
