"""A project as a file: out, in again the same, and what is refused without a trace. FAULTS 31 and 34."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from server.wiring import Services
from tests.naughty import STRINGS
from tests.projects.films import little_film, picture
from tests.server.hostile_archives import HOSTILE, Entries, a_clip, packed, with_file

KEPT = ("title", "story", "style", "aspect_ratio", "narration_ms", "script_mode")


def taken_out(client: FlaskClient, project_id: int) -> bytes:
    answer = client.get(f"/api/projects/{project_id}/archive")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    return answer.data


def brought_in(client: FlaskClient, data: bytes) -> Any:
    form = {"file": (io.BytesIO(data), "../../x.zip")}
    return client.post("/api/projects/import", data=form, content_type="multipart/form-data")


def entries_of(data: bytes) -> Entries:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def told(client: FlaskClient, project_id: int) -> dict[str, Any]:
    """What a user sees of a project, without the numbers of its rows."""
    shown = {name: client.get(f"/api/projects/{project_id}").get_json()[name] for name in KEPT}
    for what in ("segments", "scenes", "shots", "characters", "sets", "props"):
        rows = client.get(f"/api/projects/{project_id}/{what}").get_json()["items"]
        shown[what] = [_without_numbers(row) for row in rows]
    shots = client.get(f"/api/projects/{project_id}/shots").get_json()["items"]
    shown["versions"] = [
        [(one["slot"], one["media_url"], one["current"]) for one in versions["items"]]
        for versions in (client.get(f"/api/shots/{shot['id']}/versions").get_json() for shot in shots)
    ]
    return shown


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        dropped = ("id", "created_at", "updated_at")
        # What is seen in pictures is an installation's own knowledge; the archive carries the pictures.
        own = ("_id", "analysis")
        return {k: _without_numbers(v) for k, v in value.items() if k not in dropped and not k.endswith(own)}
    return [_without_numbers(one) for one in value] if isinstance(value, list) else value


def files_in(parts: Services) -> set[str]:
    return {str(path) for path in parts.store.folder.path.rglob("*") if path.is_file() and "db" not in path.name}


def test_a_project_comes_back_as_it_was(client: FlaskClient, parts: Services) -> None:
    project = little_film(parts.store)
    data = taken_out(client, project)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        media = [info for info in archive.infolist() if info.filename.startswith("media/")]
        assert len(media) == 6 and {info.compress_type for info in media} == {zipfile.ZIP_STORED}
    before = told(client, project)
    answer = brought_in(client, data)
    assert answer.status_code == 201, answer.get_json()
    other = answer.get_json()["id"]
    assert other != project and answer.headers["Location"] == f"/api/projects/{other}"
    assert told(client, other) == before
    assert entries_of(taken_out(client, other)).keys() == entries_of(data).keys()


def test_a_project_moves_to_an_empty_installation(
    client: FlaskClient, parts: Services, tmp_path: Path, elsewhere: FlaskClient
) -> None:
    project = little_film(parts.store)
    answer = brought_in(elsewhere, taken_out(client, project))
    assert answer.status_code == 201
    other = answer.get_json()["id"]
    assert told(elsewhere, other) == told(client, project)
    url = elsewhere.get(f"/api/projects/{other}/shots").get_json()["items"][0]["first_frame_url"]
    assert elsewhere.get(url).data == client.get(url).data


def test_a_duplicate_shares_the_files_and_nothing_else(client: FlaskClient, parts: Services) -> None:
    project = little_film(parts.store)
    before, files = told(client, project), files_in(parts)
    headers = {"Idempotency-Key": "k"}
    answers = [client.post(f"/api/projects/{project}/duplicate", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    other = answers[0].get_json()["id"]
    assert answers[1].get_json()["id"] == other
    assert files_in(parts) == files
    assert told(client, other) == before | {"title": "The Crow (copy)"}
    segment = client.get(f"/api/projects/{other}/segments").get_json()["items"][0]["id"]
    assert client.patch(f"/api/segments/{segment}", json={"text": "Another bird sang."}).status_code == 200
    assert told(client, project) == before
    assert client.post("/api/projects/999/duplicate").status_code == 404
    assert client.get("/api/projects/999/archive").status_code == 404


def test_any_text_survives_the_journey(client: FlaskClient, parts: Services) -> None:
    for text in STRINGS:
        project = little_film(parts.store, title=text, words=text)
        answer = brought_in(client, taken_out(client, project))
        assert answer.status_code == 201, (text, answer.get_json())
        shown = told(client, answer.get_json()["id"])
        assert shown == told(client, project)
        assert (shown["title"], shown["style"], shown["segments"][0]["text"]) == (text, text, text)


def test_a_file_that_is_gone_is_told_and_the_rest_travels(client: FlaskClient, parts: Services) -> None:
    project = little_film(parts.store)
    url = client.get(f"/api/projects/{project}/shots").get_json()["items"][0]["first_frame_url"]
    parts.store.media.path(url).unlink()
    data = taken_out(client, project)
    assert json.loads(entries_of(data)["project.json"])["missing"] == [url]
    assert brought_in(client, data).status_code == 201


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_is_refused_and_leaves_nothing(client: FlaskClient, parts: Services, kind: str) -> None:
    project = little_film(parts.store)
    entries = entries_of(taken_out(client, project))
    client.delete(f"/api/projects/{project}")
    before, rows = files_in(parts), _rows(parts)
    outside = sorted(parts.store.folder.path.parent.rglob("*evil*"))
    answer = brought_in(client, HOSTILE[kind](entries))
    problem = answer.get_json()
    assert answer.status_code in (413, 422), problem
    assert (
        problem["code"] in ("invalid_input", "too_large", "bad_media")
        and len(problem["detail"]) > 15
        and problem["hint"]
    )
    assert (files_in(parts), _rows(parts)) == (before, rows)
    assert sorted(parts.store.folder.path.parent.rglob("*evil*")) == outside == []


def _rows(parts: Services) -> list[int]:
    tables = ("projects", "characters", "script_segments", "shots", "versions", "steps")
    with parts.store.db.reading() as connection:
        return [connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in tables]


def test_a_picture_that_is_known_here_is_not_written_over(client: FlaskClient, parts: Services) -> None:
    url = picture(parts.store, note="ours")
    data = taken_out(client, little_film(parts.store))
    assert brought_in(client, data).status_code == 201
    assert parts.store.media.ref(url).meta == {"note": "ours"}
    parts.store.media.verify(url)


def test_what_an_archive_says_of_its_files_is_not_believed(client: FlaskClient, parts: Services) -> None:
    """Films are cut by what is known of clips: a lie would end in a film that cannot be joined."""
    data = taken_out(client, little_film(parts.store))
    lie = {"measured": {"frames": 9_000, "width": -1, "duration_ms": "x"}, "engine": "drawing/1"}
    answer = brought_in(client, with_file("mp4", a_clip, **lie)(entries_of(data)))
    assert answer.status_code == 201, answer.get_json()
    url = answer.get_json()["poster_url"]
    again = json.loads(entries_of(taken_out(client, answer.get_json()["id"]))["project.json"])
    said = again["media"].pop(url)["meta"]
    assert said == {"engine": "drawing/1", "measured": {"duration_ms": 333, "width": 64, "height": 48}}
    assert [one["meta"] for one in again["media"].values()] == 6 * [{"measured": {"width": 8, "height": 8}}]


ODD: list[Any] = [None, 0, -1, 10**12, 1.5, "", "odd", "\n", "a'b", True, [], ["x"], {}, {"a": 1}, {"measured": None}]
READ = ["", "/segments", "/scenes", "/shots", "/characters", "/sets", "/props", "/yolo-status", "/video-status"]
READ += ["/lipsync-status", "/estimate", "/spend", "/report", "/events?after=0", "/film", "/captions.vtt", "/archive"]


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield from _places(one, (*at, name))


def test_whatever_is_taken_in_can_be_read(client: FlaskClient, parts: Services) -> None:
    """One odd value anywhere in the data: it is refused, or nothing that shows the project stumbles over it."""
    entries = entries_of(taken_out(client, little_film(parts.store)))
    good, lot = json.loads(entries["project.json"]), random.Random(4)
    places = [at for at in _places({name: good[name] for name in ("project", "tables")}) if len(at) > 1]
    taken = 0
    for _ in range(40):
        data, at, value = json.loads(entries["project.json"]), lot.choice(places), lot.choice(ODD)
        holder = data
        for name in at[:-1]:
            holder = holder[name]
        holder[at[-1]] = value
        answer = brought_in(client, packed(entries | {"project.json": json.dumps(data).encode()}))
        assert answer.status_code in (201, 422), (at, value, answer.get_json())
        if answer.status_code == 201:
            taken += 1
            there = f"/api/projects/{answer.get_json()['id']}"
            assert [what for what in READ if client.get(f"{there}{what}").status_code >= 500] == [], (at, value)
            assert client.post(f"{there}/duplicate").status_code == 201, (at, value)
    assert taken
