"""Reference pictures whose entity is edited or cleared while they are made, and the shots that show such an entity."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.store.models import Scene, Shot
from tests.server.studio import COLOURS, Studio
from tests.server.test_references import said, shot_of, unit


def test_a_result_from_earlier_text_is_shown_where_nothing_has_ever_been(studio: Studio) -> None:
    mira = studio.add("characters", "Mira", appearance="green coat")
    job = studio.ask(mira)
    studio.at_provider()
    studio.client.patch(mira, json={"appearance": "blue coat"})
    result = studio.ended(job)["result"]
    assert (result["shown"], result["earlier_text"]) == (True, True)
    seen = studio.see(mira)
    assert (seen["reference_image_url"], seen["reference_image_prompt"]) == (result["media_url"], None)
    studio.made(mira)
    assert "blue coat" in said(studio.submits()[-1])


@pytest.mark.parametrize("edited", [True, False])
def test_what_the_user_cleared_meanwhile_stays_empty(studio: Studio, edited: bool) -> None:
    mira = studio.add("characters", "Mira", appearance="green coat")
    studio.made(mira)
    job = studio.ask(mira)
    studio.at_provider(2)
    studio.client.delete(f"{mira}/reference-image")
    if edited:
        studio.client.patch(mira, json={"appearance": "blue coat"})
    result = studio.ended(job)["result"]
    assert (result["shown"], result["earlier_text"]) == (False, edited)
    assert studio.see(mira)["reference_image_url"] is None
    assert result["media_url"] in [one["media_url"] for one in studio.versions(mira)]
    assert studio.made(mira)["result"]["shown"] is True, "who asks after that wants one"


def test_an_upload_that_came_and_went_meanwhile_leaves_the_place_empty(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    job = studio.ask(bell)
    studio.at_provider()
    studio.upload(f"{bell}/reference-image", COLOURS[1])
    studio.client.delete(f"{bell}/reference-image")
    assert studio.ended(job)["result"]["shown"] is False
    assert studio.see(bell)["reference_image_url"] is None


# --- Shots that show an edited entity -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "marked"),
    [
        ("characters", {"appearance": "blue coat"}, True),
        ("characters", {"personality": "brave"}, False),
        ("props", {"description": "cracked"}, True),
    ],
)
def test_shots_that_show_an_edited_entity_are_marked_and_keep_what_they_show(
    studio: Studio, kind: str, fields: dict[str, str], marked: bool
) -> None:
    entity = studio.add(kind, "Mira")
    shot = shot_of(studio, subjects=["Mira"])
    unit(studio, f"frames/{shot}")
    before = _only_shot(studio)
    assert before["first_frame_url"]
    assert studio.client.patch(entity, json=fields).status_code == 200
    after = _only_shot(studio)
    assert after["stale"] == ({"first_frame": "entity"} if marked else {})
    assert after["first_frame_url"] == before["first_frame_url"]
    unit(studio, f"frames/{shot}")
    again = _only_shot(studio)
    assert again["stale"] == {}
    assert (again["first_frame_url"] != before["first_frame_url"]) is marked


def test_a_clip_and_a_place_are_marked_but_never_what_the_user_gave(studio: Studio) -> None:
    hill = studio.add("sets", "Hill", description="green")
    shot = shot_of(studio, subjects=[], video_url="/media/clip", video_status="done")
    with studio.services.store.db.write() as session:
        session.get_one(Scene, session.get_one(Shot, shot).scene_id).set_id = int(hill.rpartition("/")[2])
    own = studio.upload(f"/api/shots/{shot}/first-frame", COLOURS[2])
    assert own.status_code in (200, 201), own.get_json()
    marks = _only_shot(studio)["stale"]
    studio.client.patch(hill, json={"description": "bare"})
    assert _only_shot(studio)["stale"] == marks, "a frame of the user's own shows what they want"
    with studio.services.store.db.write() as session:
        row = session.get_one(Shot, shot)
        row.own_slots, row.stale = [], {}
    studio.client.patch(hill, json={"description": "snowy"})
    assert _only_shot(studio)["stale"] == {"first_frame": "entity", "video": "entity"}
    assert _only_shot(studio)["video_url"] == "/media/clip"


def _only_shot(studio: Studio) -> dict[str, Any]:
    (shot,) = studio.client.get(f"/api/projects/{studio.project}/shots").get_json()["items"]
    found: dict[str, Any] = shot
    return found
