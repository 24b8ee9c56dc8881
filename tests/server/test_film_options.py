"""Choices about the finished film over HTTP: kept, shown, refused with words, and taken along by a copy."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

STORY = "Once upon a time there was a bell."
PLAIN = {
    "captions": "track", "title_card": False, "end_card": False, "fades": True, "quality": "full", "sound_bed": "auto"
}  # fmt: skip
CHOSEN = {
    "captions": "burned", "title_card": True, "end_card": True, "fades": False, "quality": "draft", "sound_bed": "off"
}  # fmt: skip


def made(client: FlaskClient, **fields: Any) -> dict[str, Any]:
    answer = client.post("/api/projects", json={"story": STORY, **fields})
    assert answer.status_code == 201, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def choices(project: dict[str, Any]) -> dict[str, Any]:
    return {name: project[name] for name in PLAIN}


def test_a_film_is_plain_unless_something_is_chosen(client: FlaskClient) -> None:
    assert choices(made(client)) == PLAIN
    project = made(client, **CHOSEN)
    assert choices(project) == CHOSEN
    listed = client.get("/api/projects").get_json()["items"]
    assert [choices(one) for one in listed] == [CHOSEN, PLAIN]


def test_choices_change_one_by_one_and_leave_the_rest(client: FlaskClient) -> None:
    project = made(client, title_card=True)
    changed = client.patch(f"/api/projects/{project['id']}", json={"captions": "burned", "version": 1}).get_json()
    assert choices(changed) == PLAIN | {"title_card": True, "captions": "burned"}
    assert changed["version"] == 2
    back = client.patch(f"/api/projects/{project['id']}", json={"title_card": False}).get_json()
    assert choices(back) == PLAIN | {"captions": "burned"}


def test_a_copy_has_the_same_choices(client: FlaskClient) -> None:
    project = made(client, **CHOSEN)
    copy = client.post(f"/api/projects/{project['id']}/duplicate").get_json()
    assert choices(copy) == CHOSEN


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"captions": "sung"}, "captions"),
        ({"captions": None}, "captions"),
        ({"title_card": "yes"}, "title_card"),
        ({"end_card": 1}, "end_card"),
        ({"fades": "off"}, "fades"),
        ({"quality": "best"}, "quality"),
        ({"sound_bed": True}, "sound_bed"),
        ({"sound_bed": "loud"}, "sound_bed"),
        ({"quality": "draft", "render_image": "paid"}, "quality"),
        ({"quality": "draft", "render_lipsync": "paid"}, "quality"),
    ],
)
def test_what_cannot_be_chosen_is_refused_and_changes_nothing(
    client: FlaskClient, body: dict[str, Any], field: str
) -> None:
    project = made(client, end_card=True)
    for answer in (
        client.patch(f"/api/projects/{project['id']}", json=body),
        client.post("/api/projects", json={"story": STORY, **body}),
    ):
        assert answer.status_code in (400, 422)
        assert answer.get_json()["field"] == field
    assert client.get(f"/api/projects/{project['id']}").get_json() == project
    assert len(client.get("/api/projects").get_json()["items"]) == 1


def test_a_draft_costs_nothing_for_its_pictures(client: FlaskClient) -> None:
    project = made(client, quality="draft")
    refused = client.patch(f"/api/projects/{project['id']}", json={"render_video": "paid"})
    assert (refused.status_code, refused.get_json()["field"]) == (422, "quality")
