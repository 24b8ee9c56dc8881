"""Edits of a timeline that are refused in words, with nothing changed; and any text in any field, back as it came."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from pipeline.store.states import new_run
from server.wiring import Services
from tests.naughty import STRINGS
from tests.projects.films import little_film, picture

WHAT = ("segments", "scenes", "shots")


@pytest.fixture
def film(parts: Services) -> int:
    return little_film(parts.store)


def rows(client: FlaskClient, film: int) -> dict[str, list[dict[str, Any]]]:
    return {what: client.get(f"/api/projects/{film}/{what}").get_json()["items"] for what in WHAT}


CHANGES = {"segments": {"text": "The crow sang again."}, "scenes": {"title": "Dusk"}, "shots": {"action": "A bow."}}


@pytest.mark.parametrize("what", WHAT)
def test_two_screens_do_not_write_over_each_other(client: FlaskClient, film: int, what: str) -> None:
    row = rows(client, film)[what][0]
    address, change = f"/api/{what}/{row['id']}", CHANGES[what]
    first = client.patch(address, json=change | {"version": row["version"]})
    assert (first.status_code, first.get_json()["version"]) == (200, row["version"] + 1)
    assert first.get_json()["edited_fields"] == list(change)
    late = client.patch(address, json=change | {"version": row["version"]})
    assert (late.status_code, late.get_json()["code"], late.get_json()["field"]) == (409, "stale_version", "version")
    assert client.patch(address, json=change).get_json()["version"] == row["version"] + 1, "nothing changed by it"
    assert client.patch(f"/api/{what}/999", json=change).status_code == 404
    client.delete(f"/api/projects/{film}")
    assert client.patch(address, json=change).status_code == 404


@pytest.mark.parametrize(
    ("method", "address", "body", "code", "field"),
    [
        ("PATCH", "segments/{0}", {"text": ""}, "invalid_input", "text"),
        ("PATCH", "segments/{0}", {"text": "…!"}, "invalid_input", "text"),
        ("PATCH", "segments/{0}", {"text": "a\x00b"}, "invalid_input", "text"),
        ("PATCH", "segments/{0}", {"text": "word " * 1_001}, "invalid_input", "text"),
        ("PATCH", "segments/{0}", {"speaker_id": 1}, "invalid_input", "speaker_id"),
        ("PATCH", "segments/{0}", {"segment_type": "dialogue", "speaker_id": 999}, "invalid_input", "speaker_id"),
        ("PATCH", "segments/{0}", {"start_time_ms": 5}, "invalid_input", "start_time_ms"),
        ("POST", "segments/{0}/split", {"char": 400}, "invalid_input", "char"),
        ("POST", "segments/{0}/split", {"char": 0}, "invalid_input", "char"),
        ("POST", "segments/{0}/merge", {}, "conflict", None),
        ("POST", "projects/{film}/segments", {"text": "More.", "after": 999}, "not_found", None),
        ("PUT", "projects/{film}/segments/order", {"order": [1, 1, 2]}, "invalid_input", "order"),
        ("PUT", "projects/{film}/segments/order", {}, "invalid_input", "order"),
        ("PATCH", "scenes/{1}", {"set_id": 999}, "invalid_input", "set_id"),
        ("PATCH", "scenes/{1}", {"characters": [1, 999]}, "invalid_input", "characters"),
        ("PATCH", "scenes/{1}", {"weather": "odd"}, "invalid_input", "weather"),
        ("POST", "scenes/{1}/split", {"segment_id": 1}, "invalid_input", "segment_id"),
        ("POST", "scenes/{last}/merge", {}, "conflict", None),
        ("PUT", "projects/{film}/scenes/order", {"order": []}, "invalid_input", "order"),
        ("PATCH", "shots/{2}", {"subjects": ["Nobody"]}, "invalid_input", "subjects"),
        ("PATCH", "shots/{2}", {"framing": "odd"}, "invalid_input", "framing"),
        ("PATCH", "shots/{2}", {"pinned_references": ["https://example.org/a.png"]}, "invalid_input", None),
        ("PATCH", "shots/{2}", {"pinned_references": [f"/media/{'a' * 64}.png"]}, "media_missing", None),
        ("POST", "shots/{2}/split", {"at_ms": -1}, "invalid_input", "at_ms"),
        ("POST", "shots/{2}/merge", {}, "conflict", None),
        ("DELETE", "shots/{2}", None, "conflict", None),
        ("PUT", "scenes/{1}/shots/order", {"order": [999]}, "conflict", None),
        ("POST", "shots/{2}/versions/999/restore", None, "not_found", None),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    client: FlaskClient, film: int, method: str, address: str, body: Any, code: str, field: str | None
) -> None:
    before = rows(client, film)
    first = [before[what][0]["id"] for what in WHAT]
    path = address.format(*first, film=film, last=before["scenes"][-1]["id"])
    answer = client.open(f"/api/{path}", method=method, json=body)
    problem = answer.get_json()
    assert answer.mimetype == "application/problem+json", problem
    assert (problem["code"], problem.get("field")) == (code, field), problem
    assert len(problem["detail"]) > 10
    assert rows(client, film) == before


def test_the_order_is_kept_while_the_film_is_being_made(client: FlaskClient, parts: Services, film: int) -> None:
    before = rows(client, film)
    with parts.store.db.write() as session:
        new_run(session, run_id="r", project_id=film, boot_id=parts.store.boot_id)
    for method, path in [
        ("DELETE", f"segments/{before['segments'][0]['id']}"),
        ("POST", f"scenes/{before['scenes'][0]['id']}/merge"),
        ("POST", f"shots/{before['shots'][0]['id']}/split"),
    ]:
        answer = client.open(f"/api/{path}", method=method, json={})
        assert (answer.status_code, answer.get_json()["code"]) == (409, "conflict")
    assert rows(client, film) == before
    words = client.patch(f"/api/segments/{before['segments'][0]['id']}", json={"text": "Words may change."})
    assert words.status_code == 200


def test_any_text_comes_back_as_it_was_given(client: FlaskClient, film: int) -> None:
    shown = rows(client, film)
    for text in STRINGS:
        words = f"Words: {text}"
        for what, field in (("segments", "text"), ("scenes", "title"), ("scenes", "mood"), ("shots", "action")):
            answer = client.patch(f"/api/{what}/{shown[what][0]['id']}", json={field: words})
            assert (answer.status_code, answer.get_json()[field]) == (200, words)
            assert rows(client, film)[what][0][field] == words


def test_what_is_no_picture_and_no_clip_is_refused(client: FlaskClient, parts: Services, film: int) -> None:
    shot, media = rows(client, film)["shots"][0], sorted(parts.store.folder.media.glob("??/*"))
    playlist = b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1/secret.ts\n"
    concat = b"ffconcat version 1.0\nfile /etc/passwd\n"
    picture_file = parts.store.media.path(picture(parts.store)).read_bytes()
    media = sorted(parts.store.folder.media.glob("??/*"))
    for content in (playlist, concat, b"", b"\x00" * 4096, picture_file, b"<svg xmlns='http://www.w3.org/2000/svg'/>"):
        form = {"file": (io.BytesIO(content), "clip.mp4")}
        answer = client.post(f"/api/shots/{shot['id']}/clip", data=form, content_type="multipart/form-data")
        assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_media"), (content[:20], answer.get_json())
    for content in (playlist, b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>"):
        form = {"file": (io.BytesIO(content), "a.png")}
        answer = client.post(f"/api/shots/{shot['id']}/last-frame", data=form, content_type="multipart/form-data")
        assert (answer.status_code, answer.get_json()["code"]) == (422, "bad_media"), answer.get_json()
    assert rows(client, film)["shots"][0] == shot
    assert sorted(parts.store.folder.media.glob("??/*")) == media
