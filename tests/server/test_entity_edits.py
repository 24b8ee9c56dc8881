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


def shown_in_a_shot(studio: Studio, entity: str, name: str) -> dict[str, Any]:
    """A shot that shows the entity, with a frame and a clip."""
    place = entity.startswith("/api/sets/")
    shot = shot_of(studio, subjects=[] if place else [name], video_url="/media/clip", video_status="done")
    with studio.services.store.db.write() as session:
        if place:
            session.get_one(Scene, session.get_one(Shot, shot).scene_id).set_id = int(entity.rpartition("/")[2])
    unit(studio, f"frames/{shot}")
    with studio.services.store.db.write() as session:
        row = session.get_one(Shot, shot)
        row.stale, row.video_status = {}, "done"
    return _only_shot(studio)


MARKED = {"first_frame": "entity", "video": "entity"}


@pytest.mark.parametrize("kind", ["characters", "sets", "props"])
def test_another_reference_picture_marks_the_shots_that_show_the_entity(studio: Studio, kind: str) -> None:
    """Given, cleared, brought back or made: what the shots show stays in use, and says that it is of another look."""
    entity, other = studio.add(kind, "Mira"), studio.add(kind, "Tomas")
    assert studio.upload(f"{entity}/reference-image", COLOURS[1]).status_code == 201
    before = shown_in_a_shot(studio, entity, "Mira")
    given = before["first_frame_url"], before["video_url"]
    assert given[0] and before["stale"] == {}

    assert studio.upload(f"{other}/reference-image", COLOURS[2]).status_code == 201
    assert _only_shot(studio)["stale"] == {}, "it does not show the other one"
    first = studio.versions(entity)[0]["id"]
    for change in (
        lambda: studio.upload(f"{entity}/reference-image", COLOURS[3]),
        lambda: studio.client.delete(f"{entity}/reference-image"),
        lambda: studio.client.post(f"{entity}/versions/{first}/restore"),
        lambda: studio.made(entity),
    ):
        change()
        shot = _only_shot(studio)
        assert (shot["stale"], shot["video_status"]) == (MARKED, "stale")
        assert (shot["first_frame_url"], shot["video_url"]) == given
        with studio.services.store.db.write() as session:
            row = session.get_one(Shot, shot["id"])
            row.stale, row.video_status = {}, "done"


def test_a_picture_that_comes_back_fits_what_was_made_with_it(studio: Studio) -> None:
    """Nothing is made anew then, and nothing goes on saying that it should be."""
    mira = studio.add("characters", "Mira")
    assert studio.upload(f"{mira}/reference-image", COLOURS[1]).status_code == 201
    shot = shown_in_a_shot(studio, mira, "Mira")
    first = studio.versions(mira)[0]["id"]
    studio.upload(f"{mira}/reference-image", COLOURS[2])
    studio.client.post(f"{mira}/versions/{first}/restore")
    assert _only_shot(studio)["stale"] == MARKED
    sent = len(studio.submits())
    unit(studio, f"frames/{shot['id']}", force=False)
    now = _only_shot(studio)
    assert (now["stale"], now["first_frame_url"]) == ({"video": "entity"}, shot["first_frame_url"])
    assert len(studio.submits()) == sent


@pytest.mark.parametrize("how", ["merged", "merged the other way", "taken out"])
def test_shots_are_marked_when_who_they_show_becomes_somebody_else(studio: Studio, how: str) -> None:
    mira, girl = studio.add("characters", "Mira"), studio.add("characters", "The girl")
    studio.upload(f"{mira}/reference-image", COLOURS[1])
    before = shown_in_a_shot(studio, girl, "The girl")
    if how == "taken out":
        assert studio.client.delete(girl).status_code == 204
    else:
        stays, goes = (mira, girl) if how == "merged" else (girl, mira)
        other = {"other_id": int(goes.rpartition("/")[2])}
        assert studio.client.post(f"{stays}/merge", json=other).status_code == 200
    shot = _only_shot(studio)
    assert shot["stale"] == MARKED and shot["first_frame_url"] == before["first_frame_url"]
    assert shot["subjects"] == {"merged": ["Mira"], "merged the other way": ["The girl"], "taken out": []}[how]


def _only_shot(studio: Studio) -> dict[str, Any]:
    (shot,) = studio.client.get(f"/api/projects/{studio.project}/shots").get_json()["items"]
    found: dict[str, Any] = shot
    return found
