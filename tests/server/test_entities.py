"""Characters, sets and props over HTTP: added, changed, merged, taken out, and known again by another Analysis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select

from pipeline.contracts import Analysis, CharacterDraft, PropDraft, SetDraft
from pipeline.generation.entities import lay_over
from pipeline.store.models import (
    Character,
    GuideImage,
    Project,
    Prop,
    Scene,
    SceneCharacter,
    SceneProp,
    ScriptSegment,
    Set,
    Shot,
)
from server.wiring import Services
from tests.naughty import STRINGS

KINDS = ("characters", "sets", "props")
FEEDS = {
    "characters": {"name": "Other", "description": "x", "appearance": "x", "age_group": "child", "gender": "male"},
    "sets": {"name": "Other", "description": "x", "mood": "x", "time_of_day": "night"},
    "props": {"name": "Other", "description": "x"},
}


def add(client: FlaskClient, project: int, kind: str, name: str, **fields: Any) -> dict[str, Any]:
    made = client.post(f"/api/projects/{project}/{kind}", json={"name": name, **fields})
    assert made.status_code == 201, made.get_json()
    assert made.headers["Location"] == f"/api/{kind}/{made.get_json()['id']}"
    entity: dict[str, Any] = made.get_json()
    return entity


def put(parts: Services, *rows: Any) -> None:
    with parts.store.db.write() as session:
        for row in rows:
            session.add(row)
            session.flush()


def column(parts: Services, kind: type[Any], row_id: int, name: str) -> Any:
    with parts.store.db.read() as session:
        return getattr(session.get_one(kind, row_id), name)


@contextmanager
def counted(parts: Services) -> Iterator[list[str]]:
    """The statements that readers send meanwhile."""
    said: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    engine = parts.store.db._readers
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def of_story(client: FlaskClient, parts: Services, project: int, *names: str) -> None:
    """Another Analysis, which finds these characters."""
    found = Analysis(language="en", characters=tuple(CharacterDraft(name=name) for name in names), sets=(), props=())
    with parts.store.db.write() as session:
        lay_over(session, session.get_one(Project, project), found)


def names(client: FlaskClient, project: int, kind: str) -> list[str]:
    return [item["name"] for item in client.get(f"/api/projects/{project}/{kind}").get_json()["items"]]


@pytest.mark.parametrize("kind", KINDS)
def test_an_entity_is_added_read_changed_and_taken_out(client: FlaskClient, project: int, kind: str) -> None:
    made = add(client, project, kind, "Mira", description="as found")
    assert (made["guide_images"], made["reference_image_url"], made["version"]) == ([], None, 1)
    address = f"/api/{kind}/{made['id']}"
    assert client.get(address).get_json() == made
    changed = client.patch(address, json={"description": "as I want it"})
    assert changed.status_code == 200
    assert (changed.get_json()["description"], changed.get_json()["version"]) == ("as I want it", 2)
    assert "description" in changed.get_json()["edited_fields"]
    assert client.get(f"/api/projects/{project}/{kind}").get_json() == {"items": [changed.get_json()], "next": None}
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert names(client, project, kind) == []


def test_two_screens_do_not_overwrite_each_other(client: FlaskClient, project: int) -> None:
    made = add(client, project, "sets", "Harbour")
    address = f"/api/sets/{made['id']}"
    assert client.patch(address, json={"mood": "calm", "version": 1}).status_code == 200
    late = client.patch(address, json={"mood": "wild", "version": 1})
    assert (late.status_code, late.get_json()["code"], late.get_json()["field"]) == (409, "stale_version", "version")
    assert client.get(address).get_json()["mood"] == "calm"
    assert client.delete(f"{address}?version=1").status_code == 409
    assert client.patch(address, json={"mood": "wild", "version": 2}).status_code == 200


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("characters", {}, "name"),
        ("characters", {"name": "  "}, "name"),
        ("characters", {"name": "x" * 201}, "name"),
        ("characters", {"name": "Mira", "age_group": "ancient"}, "age_group"),
        ("characters", {"name": "Mira", "mood": "calm"}, "mood"),
        ("sets", {"name": "Hill", "time_of_day": "noonish"}, "time_of_day"),
        ("props", {"name": "Bell", "appearance": "brass"}, "appearance"),
        ("props", {"name": "Be\x00ll"}, "name"),
        ("props", {"name": "Bell", "reference_image_url": "/media/x"}, "reference_image_url"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    client: FlaskClient, project: int, kind: str, body: dict[str, Any], field: str
) -> None:
    refused = client.post(f"/api/projects/{project}/{kind}", json=body)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "invalid_input")
    assert refused.get_json()["field"] == field
    assert names(client, project, kind) == []


def test_a_name_is_one_entitys_among_those_that_shots_name(client: FlaskClient, project: int) -> None:
    add(client, project, "characters", "Mira", aliases=["the girl"])
    for kind, name in (("characters", "mira"), ("characters", "The Girl"), ("props", "Mira")):
        refused = client.post(f"/api/projects/{project}/{kind}", json={"name": name})
        assert (refused.status_code, refused.get_json()["field"]) == (422, "name"), name
    add(client, project, "sets", "Mira")
    bell = add(client, project, "props", "Bell")
    assert client.patch(f"/api/props/{bell['id']}", json={"name": "The girl"}).status_code == 422


def test_any_text_comes_back_as_it_was_given(client: FlaskClient, project: int) -> None:
    address = f"/api/characters/{add(client, project, 'characters', 'Mira')['id']}"
    for text in STRINGS:
        changed = client.patch(address, json={"appearance": text, "personality": text})
        assert changed.status_code == 200, text
        assert client.get(address).get_json()["appearance"] == text


# --- Prompts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in KINDS for field in FEEDS[kind]])
def test_a_field_that_feeds_the_prompt_drops_the_stored_one(
    client: FlaskClient, parts: Services, project: int, kind: str, field: str
) -> None:
    table = {"characters": Character, "sets": Set, "props": Prop}[kind]
    made = add(client, project, kind, "Mira")
    kept = add(client, project, kind, "Tomas")
    own = add(client, project, kind, "Fox")
    with parts.store.db.write() as session:
        session.get_one(table, made["id"]).reference_image_prompt = "Portrait of Mira."
        session.get_one(table, kept["id"]).reference_image_prompt = "[ADVANCED:default] a girl by the sea"
        session.get_one(table, own["id"]).reference_image_prompt = "[CUSTOM_UPLOAD]"
    value = FEEDS[kind][field]
    for entity in (made, kept, own):
        given = f"{value} {entity['id']}" if field == "name" else value
        assert client.patch(f"/api/{kind}/{entity['id']}", json={field: given}).status_code == 200
    assert column(parts, table, made["id"], "reference_image_prompt") is None
    assert column(parts, table, kept["id"], "reference_image_prompt") == "[ADVANCED:default] a girl by the sea"
    assert column(parts, table, own["id"], "reference_image_prompt") == "[CUSTOM_UPLOAD]"


def test_a_field_that_feeds_none_and_an_equal_value_leave_the_prompt(
    client: FlaskClient, parts: Services, project: int
) -> None:
    made = add(client, project, "characters", "Mira", appearance="red coat")
    with parts.store.db.write() as session:
        session.get_one(Character, made["id"]).reference_image_prompt = "Portrait of Mira."
    body = {"personality": "brave", "appearance": "red coat", "voice": "en/1"}
    changed = client.patch(f"/api/characters/{made['id']}", json=body).get_json()
    assert changed["reference_image_prompt"] == "Portrait of Mira."
    assert changed["voice_chosen"] is True


def test_the_projects_style_feeds_every_prompt(client: FlaskClient, parts: Services, project: int) -> None:
    made, kept = add(client, project, "props", "Bell"), add(client, project, "sets", "Hill")
    with parts.store.db.write() as session:
        session.get_one(Prop, made["id"]).reference_image_prompt = "The bell alone."
        session.get_one(Set, kept["id"]).reference_image_prompt = "[ADVANCED:default] my hill"
    client.patch(f"/api/projects/{project}", json={"title": "Another title"})
    assert column(parts, Prop, made["id"], "reference_image_prompt") == "The bell alone."
    client.patch(f"/api/projects/{project}", json={"style": "woodcut"})
    assert column(parts, Prop, made["id"], "reference_image_prompt") is None
    assert column(parts, Set, kept["id"], "reference_image_prompt") == "[ADVANCED:default] my hill"


# --- Who knows them -----------------------------------------------------------------------------------


def scene_of(parts: Services, project: int, **shot: Any) -> int:
    """A scene with one shot; the shot's id."""
    scene = Scene(project_id=project, idx=0, first_segment_idx=0, last_segment_idx=0)
    put(parts, scene)
    values: dict[str, Any] = {"kind": "narration", "start_ms": 0, "end_ms": 1000, "duration_ms": 1000, "idx": 0}
    row = Shot(project_id=project, scene_id=scene.id, **(values | shot))
    put(parts, row)
    return row.id


def test_a_new_name_follows_wherever_the_old_one_stood(client: FlaskClient, parts: Services, project: int) -> None:
    made = add(client, project, "characters", "Mira")
    shot = scene_of(parts, project, subjects=["Tomas", "Mira"])
    renamed = client.patch(f"/api/characters/{made['id']}", json={"name": "Mirabel"}).get_json()
    assert (renamed["name"], renamed["aliases"]) == ("Mirabel", ["Mira"])
    assert column(parts, Shot, shot, "subjects") == ["Tomas", "Mirabel"]
    of_story(client, parts, project, "Mira")
    assert names(client, project, "characters") == ["Mirabel"]


def test_merging_moves_everything(client: FlaskClient, parts: Services, project: int) -> None:
    one = add(client, project, "characters", "Mira", appearance="")
    two = add(client, project, "characters", "The girl", aliases=["child"], appearance="red coat")
    shot = scene_of(parts, project, subjects=["The girl", "Mira", "Tomas"], speaker_id=two["id"])
    with parts.store.db.read() as session:
        scene = session.get_one(Shot, shot).scene_id
    put(
        parts,
        ScriptSegment(project_id=project, idx=0, segment_type="dialogue", speaker_id=two["id"], text="Hello"),
        SceneCharacter(scene_id=scene, character_id=two["id"]),
        SceneCharacter(scene_id=scene, character_id=one["id"]),
        GuideImage(entity_type="characters", entity_id=one["id"], image_url="/media/a", sort_order=0),
        GuideImage(entity_type="characters", entity_id=two["id"], image_url="/media/b", sort_order=0),
    )
    merged = client.post(f"/api/characters/{one['id']}/merge", json={"other_id": two["id"], "version": 1})
    assert merged.status_code == 200, merged.get_json()
    answer = merged.get_json()
    assert (answer["name"], answer["aliases"]) == ("Mira", ["The girl", "child"])
    assert answer["appearance"] == "red coat"
    assert [guide["image_url"] for guide in answer["guide_images"]] == ["/media/a", "/media/b"]
    assert answer["guide_image_url"] == "/media/a"
    assert column(parts, Shot, shot, "subjects") == ["Mira", "Tomas"]
    assert column(parts, Shot, shot, "speaker_id") == one["id"]
    with parts.store.db.read() as session:
        assert session.scalars(select(ScriptSegment.speaker_id)).all() == [one["id"]]
        assert session.scalars(select(SceneCharacter.character_id)).all() == [one["id"]]
    assert client.get(f"/api/characters/{two['id']}").status_code == 404
    of_story(client, parts, project, "Mira", "The girl")
    assert names(client, project, "characters") == ["Mira"], "what was merged stays merged"


def test_sets_and_props_merge_too(client: FlaskClient, parts: Services, project: int) -> None:
    hill, mount = add(client, project, "sets", "Hill"), add(client, project, "sets", "Mount")
    bell, gong = add(client, project, "props", "Bell"), add(client, project, "props", "Gong")
    shot = scene_of(parts, project, subjects=["Gong"])
    with parts.store.db.write() as session:
        scene = session.get_one(Scene, session.get_one(Shot, shot).scene_id)
        scene.set_id = mount["id"]
        session.add(SceneProp(scene_id=scene.id, prop_id=gong["id"]))
    assert client.post(f"/api/sets/{hill['id']}/merge", json={"other_id": mount["id"]}).status_code == 200
    assert client.post(f"/api/props/{bell['id']}/merge", json={"other_id": gong["id"]}).status_code == 200
    assert column(parts, Scene, scene.id, "set_id") == hill["id"]
    assert column(parts, Shot, shot, "subjects") == ["Bell"]
    with parts.store.db.read() as session:
        assert session.scalars(select(SceneProp.prop_id)).all() == [bell["id"]]


def test_nothing_merges_with_itself_or_across_projects(client: FlaskClient, project: int) -> None:
    other = client.post("/api/projects", json={"story": "Another story."}).get_json()["id"]
    one, far = add(client, project, "props", "Bell"), add(client, other, "props", "Gong")
    for other_id, status in ((one["id"], 422), (far["id"], 422), (9_999, 404)):
        assert client.post(f"/api/props/{one['id']}/merge", json={"other_id": other_id}).status_code == status


def test_what_was_taken_out_stays_out_until_it_is_added_again(
    client: FlaskClient, parts: Services, project: int
) -> None:
    made = add(client, project, "characters", "Mira")
    shot = scene_of(parts, project, subjects=["Mira", "Tomas"], speaker_id=made["id"])
    put(parts, GuideImage(entity_type="characters", entity_id=made["id"], image_url="/media/a", sort_order=0))
    assert client.delete(f"/api/characters/{made['id']}").status_code == 204
    assert column(parts, Shot, shot, "subjects") == ["Tomas"]
    assert column(parts, Shot, shot, "speaker_id") is None
    with parts.store.db.read() as session:
        assert session.scalars(select(GuideImage)).all() == []
    of_story(client, parts, project, "Mira", "Tomas")
    assert names(client, project, "characters") == ["Tomas"]
    add(client, project, "characters", "Mira")
    of_story(client, parts, project, "Mira", "Tomas")
    assert sorted(names(client, project, "characters")) == ["Mira", "Tomas"]


def test_another_analysis_keeps_what_the_user_did(client: FlaskClient, parts: Services, project: int) -> None:
    found = Analysis(
        language="en",
        characters=(
            CharacterDraft(name="Mira", aliases=("girl",), appearance="blue coat"),
            CharacterDraft(name="X"),
        ),
        sets=(SetDraft(name="Harbour", mood="grey"),),
        props=(PropDraft(name="Bell", description="brass"),),
    )
    again = found.model_copy(
        update={"characters": (CharacterDraft(name="Girl", appearance="green coat", personality="brave"),)}
    )
    with parts.store.db.write() as session:
        lay_over(session, session.get_one(Project, project), found)
    mira = client.get(f"/api/projects/{project}/characters").get_json()["items"][0]
    client.patch(f"/api/characters/{mira['id']}", json={"appearance": "red coat"})
    with parts.store.db.write() as session:
        lay_over(session, session.get_one(Project, project), again)
    items = client.get(f"/api/projects/{project}/characters").get_json()["items"]
    assert [(item["id"], item["name"], item["appearance"], item["personality"]) for item in items] == [
        (mira["id"], "Mira", "red coat", "brave")
    ]
    assert items[0]["aliases"] == ["Girl"]


def test_renamed_places_and_things_are_known_again(client: FlaskClient, parts: Services, project: int) -> None:
    found = Analysis(language="en", characters=(), sets=(SetDraft(name="Harbour"),), props=(PropDraft(name="Bell"),))
    for _ in range(2):
        with parts.store.db.write() as session:
            lay_over(session, session.get_one(Project, project), found)
        for kind, name in (("sets", "Old harbour"), ("props", "Brass bell")):
            items = client.get(f"/api/projects/{project}/{kind}").get_json()["items"]
            assert len(items) == 1
            client.patch(f"/api/{kind}/{items[0]['id']}", json={"name": name})


# --- Lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_costs_as_many_queries_for_one_as_for_a_hundred(
    client: FlaskClient, parts: Services, project: int, kind: str
) -> None:
    def listed() -> tuple[int, list[dict[str, Any]]]:
        with counted(parts) as said:
            items = client.get(f"/api/projects/{project}/{kind}").get_json()["items"]
        return len(said), items

    made = [add(client, project, kind, "Number 0")]
    put(parts, GuideImage(entity_type=kind, entity_id=made[0]["id"], image_url="/media/0", sort_order=0))
    one, items = listed()
    assert len(items[0]["guide_images"]) == 1
    table = {"characters": Character, "sets": Set, "props": Prop}[kind]
    rows = [table(project_id=project, name=f"Number {number}", sort_order=number) for number in range(1, 100)]
    put(parts, *rows)
    put(
        parts,
        *(
            GuideImage(entity_type=kind, entity_id=row.id, image_url=f"/media/{row.id}-{place}", sort_order=place)
            for row in rows
            for place in range(3)
        ),
    )
    with parts.store.db.write() as session:
        parts.store.events.append(session, project_id=project, text="")
    hundred, items = listed()
    assert [len(item["guide_images"]) for item in items] == [1] + [3] * 99
    assert hundred == one


def test_a_list_says_when_nothing_has_changed(client: FlaskClient, project: int) -> None:
    address = f"/api/projects/{project}/props"
    made = add(client, project, "props", "Bell")
    etag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304
    client.patch(f"/api/props/{made['id']}", json={"description": "brass"})
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 200
