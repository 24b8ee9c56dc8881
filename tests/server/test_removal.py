"""What is deleted is gone, with every file that nothing else needs, and no other."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pipeline.generation.record import Records
from pipeline.projects.removal import purge
from pipeline.store import open_store
from pipeline.store.models import Generation, Project
from server.wiring import Services
from tests.projects.films import little_film, picture
from tests.runner.plain_stages import PlainStage

WAIT_S = 20.0


def media_of(parts: Services) -> set[str]:
    return {path.name for path in parts.store.folder.media.glob("??/*")}


def name(url: str) -> str:
    return url.removeprefix("/media/")


def generation(parts: Services, project_id: int, url: str, **columns: object) -> str:
    ref = parts.store.media.ref(url)
    with parts.store.db.write() as session:
        row = Generation(
            id=f"g-{url[-20:]}",
            project_id=project_id,
            capability="image",
            request_digest=url,
            output={"media": ref.model_dump(), "details": {}},
            **{"status": "finished", **columns},
        )
        session.add(row)
        return row.id


def test_a_deleted_project_takes_its_files_along(client: FlaskClient, parts: Services) -> None:
    project = little_film(parts.store)
    made = picture(parts.store)
    record = generation(parts, project, made)
    assert len(media_of(parts)) == 7
    assert client.delete(f"/api/projects/{project}").status_code == 204
    assert client.get(f"/api/projects/{project}").status_code == 404
    assert purge(parts.store, grace_s=0) == 7
    assert media_of(parts) == set()
    with parts.store.db.read() as session:
        assert session.get(Project, project) is None
        kept = session.get(Generation, record)
        assert kept is not None and kept.project_id is None  # the account outlives it
    assert Records(parts.store).result([made]) is None  # an equal request is made anew
    assert client.get(made).status_code == 404


def test_files_that_something_else_needs_stay(client: FlaskClient, parts: Services) -> None:
    project = little_film(parts.store)
    other = client.post(f"/api/projects/{project}/duplicate").get_json()["id"]
    whole = picture(parts.store)
    cut = picture(parts.store, raw=whole)
    shown = client.get(f"/api/projects/{other}/shots").get_json()["items"]
    with parts.store.db.write() as session:
        session.get_one(Project, other).poster_url = cut
    before = media_of(parts)
    client.delete(f"/api/projects/{project}")
    assert purge(parts.store, grace_s=0) == 0
    assert media_of(parts) == before
    assert client.get(shown[0]["first_frame_url"]).status_code == 200
    client.delete(f"/api/projects/{other}")
    assert purge(parts.store, grace_s=0) == len(before)


def test_a_request_that_is_open_at_a_provider_keeps_its_project(client: FlaskClient, parts: Services) -> None:
    project = little_film(parts.store)
    generation(parts, project, picture(parts.store), status="ambiguous")
    client.delete(f"/api/projects/{project}")
    purge(parts.store, grace_s=0)
    with parts.store.db.read() as session:
        assert session.scalar(select(Project.id)) == project
    assert client.get(f"/api/projects/{project}").status_code == 404


def test_what_was_made_a_moment_ago_is_left_alone(client: FlaskClient, parts: Services) -> None:
    url = picture(parts.store)
    assert purge(parts.store) == 0
    assert client.get(url).status_code == 200


def test_leftovers_of_a_crash_are_swept(parts: Services) -> None:
    stray = parts.store.folder.media / "ab" / f"{'ab' * 32}.png"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"no row")
    foreign = parts.store.folder.media / "ab" / "notes.txt"
    foreign.write_text("somebody's own")
    assert purge(parts.store, grace_s=0) == 1
    assert not stray.exists() and foreign.exists()


def test_the_cleaner_waits_until_nothing_is_made(
    client: FlaskClient, parts: Services, project: int, stage: PlainStage
) -> None:
    gate, begun = threading.Event(), threading.Event()

    def work(unit: object) -> None:
        begun.set()
        gate.wait(WAIT_S)

    stage.work = work
    client.post(f"/api/projects/{project}/yolo")
    assert begun.wait(WAIT_S)
    deleted = little_film(parts.store)
    assert client.delete(f"/api/projects/{deleted}").status_code == 204
    assert not parts.runner.idle()
    gate.set()
    assert parts.runner.wait(project, WAIT_S) == "done"
    deadline = time.monotonic() + WAIT_S
    while _is_there(parts, deleted):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_there(parts: Services, project_id: int) -> bool:
    with parts.store.db.read() as session:
        return session.get(Project, project_id) is not None


@pytest.mark.parametrize("times", [1, 2])
def test_purging_twice_changes_nothing_more(tmp_path: Path, times: int) -> None:
    with open_store(tmp_path / "data") as store:
        little_film(store)
        before = sorted(store.folder.media.glob("??/*"))
        for _ in range(times):
            assert purge(store, grace_s=0) == 0
        assert sorted(store.folder.media.glob("??/*")) == before
