"""Projects over HTTP: what is taken, what is refused with which words, and that a repeat makes nothing twice."""

from __future__ import annotations

import json
import threading

import pytest
from flask.testing import FlaskClient

from server.wiring import Services
from tests.naughty import CONTROLS, STRINGS

STORY = "Once upon a time there was a bell."


def test_a_new_project_is_answered_with_its_columns(client: FlaskClient) -> None:
    answer = client.post("/api/projects", json={"story": STORY, "title": "The Bell", "aspect_ratio": "9:16"})
    assert answer.status_code == 201
    made = answer.get_json()
    assert answer.headers["Location"] == f"/api/projects/{made['id']}"
    assert (made["title"], made["story"], made["aspect_ratio"]) == ("The Bell", STORY, "9:16")
    assert (made["state"], made["script_mode"], made["render_image"], made["film_url"]) == (
        "idle",
        "faithful",
        "auto",
        None,
    )
    assert client.get(f"/api/projects/{made['id']}").get_json() == made


@pytest.mark.parametrize(
    ("story", "title"),
    [
        ("The Lost Bell\n\nMira ran.", "The Lost Bell"),
        ("# A Heading\nText", "A Heading"),
        ("Short. Rest.", "Short. Rest"),
        ("One two three four five six seven eight nine ten eleven twelve thirteen fourteen.", None),
    ],
)
def test_a_story_without_a_title_gets_one(client: FlaskClient, story: str, title: str | None) -> None:
    given = client.post("/api/projects", json={"story": story}).get_json()["title"]
    assert given == title if title else given.endswith("…") and len(given) <= 61


@pytest.mark.parametrize("story", [None, "", " \n"])
def test_an_idea_is_enough(client: FlaskClient, story: str | None) -> None:
    body = {"idea": "A girl looks for her bell."} | ({} if story is None else {"story": story})
    made = client.post("/api/projects", json=body)
    assert made.status_code == 201
    project = made.get_json()
    assert (project["story"], project["idea"], project["title"]) == ("", body["idea"], "A girl looks for her bell")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"idea": "…"}, "story"),
        ({"idea": 7}, "idea"),
        ({}, "story"),
        ({"story": ""}, "story"),
        ({"story": " \n\t "}, "story"),
        ({"story": CONTROLS.replace("[31m", "")}, "story"),
        ({"story": "… — ?! 😀"}, "story"),
        ({"story": "word " * 201}, "story"),
        ({"story": "字" * 201}, "story"),
        ({"story": "x" * 5000}, "story"),
        ({"story": None}, "story"),
        ({"story": 7}, "story"),
        ({"story": ["a"]}, "story"),
        ({"story": STORY, "aspect_ratio": "4:3"}, "aspect_ratio"),
        ({"story": STORY, "script_mode": "free"}, "script_mode"),
        ({"story": STORY, "render_video": "later"}, "render_video"),
        ({"story": STORY, "budget_cents": -1}, "budget_cents"),
        ({"story": STORY, "budget_cents": 1.5}, "budget_cents"),
        ({"story": STORY, "budget_cents": 10**30}, "budget_cents"),
        ({"story": STORY, "language": "English please"}, "language"),
        ({"story": STORY, "title": "t" * 501}, "title"),
        ({"story": STORY, "title": "a\x00b"}, "title"),
        ({"story": STORY, "style": "half \ud83d"}, "style"),
        ({"story": STORY, "title": None}, "title"),
        ({"story": STORY, "id": 5}, "id"),
        ({"story": STORY, "session": 5}, "session"),
        ({"story": STORY, "film_url": "/media/x"}, "film_url"),
    ],
)
def test_bad_fields_are_named_and_nothing_is_kept(client: FlaskClient, body: dict[str, object], field: str) -> None:
    answer = client.post("/api/projects", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert (problem["code"], problem["field"]) == ("invalid_input", field)
    assert len(problem["detail"]) > 15
    assert client.get("/api/projects").get_json()["items"] == []


def test_a_story_of_one_megabyte_is_refused_in_words(client: FlaskClient) -> None:
    answer = client.post("/api/projects", json={"story": "lorem ipsum " * 90_000})
    assert answer.status_code == 422
    assert "limit is 200 words" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("raw", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "bad_request"),
        (b"[1]", "application/json", 400, "bad_request"),
        (b'"text"', "application/json", 400, "bad_request"),
        (b'{"story": NaN}', "application/json", 400, "bad_request"),
        (b"[" * 100_000, "application/json", 400, "bad_request"),
        (b"\xff\xfe\x00", "application/json", 400, "bad_request"),
        (b"story=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"story": "x"}', "text/plain", 415, "unsupported_media_type"),
        (b'{"story": "' + b"x" * (3 << 20) + b'"}', "application/json", 413, "too_large"),
    ],
)
def test_bodies_that_are_no_json_objects(client: FlaskClient, raw: bytes, kind: str, status: int, code: str) -> None:
    answer = client.post("/api/projects", data=raw, content_type=kind)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_naughty_text_comes_back_as_it_was_given(client: FlaskClient) -> None:
    for text in STRINGS:
        story = f"Once there was {text} and then more."
        fields = {"story": story, "title": text, "style": text, "idea": text, "video_model": text[:200]}
        made = client.post("/api/projects", json=fields)
        assert made.status_code == 201, made.get_json()
        read = client.get(f"/api/projects/{made.get_json()['id']}").get_json()
        assert (read["title"], read["style"], read["idea"]) == (text, text, text)
        assert read["story"].split() == story.replace("\ufeff", "").split()


def test_control_characters_are_taken_out_of_a_story(client: FlaskClient) -> None:
    body = json.dumps({"story": f"\ufeffA\x00 bell{CONTROLS}\r\nrang.\rTwice\ud83d"})
    made = client.post("/api/projects", data=body, content_type="application/json").get_json()
    assert made["story"] == "A bell[31m\nrang.\nTwice"


def test_a_repeat_with_the_same_key_makes_one_project(client: FlaskClient) -> None:
    headers = {"Idempotency-Key": "tap-1"}
    first = client.post("/api/projects", json={"story": STORY}, headers=headers)
    again = client.post("/api/projects", json={"story": STORY}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    other = client.post("/api/projects", json={"story": STORY + " Ding."}, headers=headers)
    assert (other.status_code, other.get_json()["field"]) == (422, "Idempotency-Key")
    assert len(client.get("/api/projects").get_json()["items"]) == 1


def test_repeats_at_the_same_moment_make_one_project(client: FlaskClient, parts: Services) -> None:
    ids = []

    def post() -> None:
        answer = client.application.test_client().post(
            "/api/projects", json={"story": STORY}, headers={"Idempotency-Key": "tap"}
        )
        ids.append(answer.get_json()["id"])

    taps = [threading.Thread(target=post) for _ in range(8)]
    for tap in taps:
        tap.start()
    for tap in taps:
        tap.join()
    assert len(ids) == 8 and len(set(ids)) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é"])
def test_keys_that_are_none(client: FlaskClient, key: str) -> None:
    answer = client.post("/api/projects", json={"story": STORY}, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.get_json()["field"]) == (422, "Idempotency-Key")


def test_the_list_goes_from_the_newest_in_pages(client: FlaskClient) -> None:
    ids = [client.post("/api/projects", json={"story": f"Story {n}"}).get_json()["id"] for n in range(5)]
    seen, cursor = [], None
    while True:
        page = client.get(
            "/api/projects", query_string={"limit": 2} | ({"cursor": cursor} if cursor else {})
        ).get_json()
        assert len(page["items"]) <= 2
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ids[::-1]
    assert "story" not in page["items"][0]
    for query in ("cursor=x", "cursor=-1", "limit=0", "limit=x", "limit=101"):
        assert client.get(f"/api/projects?{query}").status_code == 422


def test_unchanged_reads_cost_no_body(client: FlaskClient, project: int) -> None:
    for address in ("/api/projects", f"/api/projects/{project}", f"/api/projects/{project}/shots"):
        first = client.get(address)
        again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code, again.data) == (200, 304, b"")
        client.patch(f"/api/projects/{project}", json={"title": f"New {address}"})
        assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_fields_can_be_changed(client: FlaskClient, project: int) -> None:
    changed = client.patch(f"/api/projects/{project}", json={"title": "T", "narrator_voice": "v", "budget_cents": 5})
    assert changed.status_code == 200
    body = changed.get_json()
    assert (body["title"], body["narrator_voice_chosen"], body["budget_cents"]) == ("T", True, 5)
    cleared = client.patch(f"/api/projects/{project}", json={"narrator_voice": None, "budget_cents": None}).get_json()
    assert (cleared["narrator_voice_chosen"], cleared["budget_cents"]) == (False, None)
    assert client.patch(f"/api/projects/{project}", json={"story": ""}).status_code == 422
    assert client.get(f"/api/projects/{project}").get_json()["title"] == "T"


def test_a_deleted_project_is_gone(client: FlaskClient, project: int) -> None:
    assert client.delete(f"/api/projects/{project}").status_code == 204
    for method, path in (("get", ""), ("patch", ""), ("delete", ""), ("get", "/yolo-status"), ("post", "/yolo")):
        answer = getattr(client, method)(f"/api/projects/{project}{path}")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "not_found"), (method, path)
    assert client.get("/api/projects").get_json()["items"] == []


@pytest.mark.parametrize("name", ["0", "-1", "abc", "9" * 30, "1.5", "%00", "1%2f2"])
def test_ids_that_are_none(client: FlaskClient, name: str) -> None:
    for path in ("", "/yolo-status", "/events", "/shots", "/video-status", "/download-video"):
        assert client.get(f"/api/projects/{name}{path}").status_code == 404
