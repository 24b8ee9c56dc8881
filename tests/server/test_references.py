"""Reference pictures and guides over HTTP and the wire: what is sent to a provider, and what becomes of the answer."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.store.models import Scene, Shot
from tests.server.studio import COLOURS, Studio, open_studio
from tests.simulator import Simulator
from tests.simulator.call import Call


def sent_pictures(call: Call, name: str) -> list[tuple[int, int, int]]:
    """The colours of the pictures in a parameter of a request, in order."""
    value = call.body.get("input", call.body)[name]
    return [_colour(uri) for uri in (value if isinstance(value, list) else [value])]


def _colour(uri: str) -> tuple[int, int, int]:
    with Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2]))) as image:
        found = image.convert("RGB").getpixel((20, 20))
    assert isinstance(found, tuple)
    near = min(COLOURS, key=lambda colour: sum(abs(a - b) for a, b in zip(colour, found, strict=True)))
    return near if sum(abs(a - b) for a, b in zip(near, found, strict=True)) < 20 else (0, 0, 0)


def said(call: Call) -> str:
    return str(call.body.get("input", call.body)["prompt"])


# --- Guides -------------------------------------------------------------------------------------------


def test_the_older_column_always_says_what_the_first_guide_is(studio: Studio) -> None:
    bell = studio.add("props", "Bell", guides=3)
    seen = studio.see(bell)
    urls = [guide["image_url"] for guide in seen["guide_images"]]
    assert len(set(urls)) == 3
    assert seen["guide_image_url"] == urls[0]
    ids = [guide["id"] for guide in seen["guide_images"]]
    ordered = studio.client.put(f"{bell}/guide-images/order", json={"ids": [ids[2], ids[0], ids[1]]})
    assert [guide["id"] for guide in ordered.get_json()["items"]] == [ids[2], ids[0], ids[1]]
    assert studio.see(bell)["guide_image_url"] == urls[2]
    assert studio.client.delete(f"/api/guide-images/{ids[2]}").status_code == 204
    assert studio.see(bell)["guide_image_url"] == urls[0]
    assert studio.client.delete(f"/api/guide-images/{ids[2]}").status_code == 404
    for wrong in ([ids[0]], [ids[0], ids[0]], [ids[0], ids[1], 999], []):
        assert studio.client.put(f"{bell}/guide-images/order", json={"ids": wrong}).status_code == 422
    for number in (ids[0], ids[1]):
        studio.client.delete(f"/api/guide-images/{number}")
    assert (studio.see(bell)["guide_image_url"], studio.see(bell)["guide_images"]) == (None, [])


CAPS = {"": 8, "default": 8, "qwen": 1, "kontext": 1, "reve": 1, "qwen-pro": 3, "nano-banana": 4, "flux-2-edit": 9}
CAPS |= {"flux-2-pro": 8, "nano-banana-2": 14, "nano-banana-pro": 14}


@pytest.mark.parametrize("keys", [True, False])
def test_what_the_chosen_model_gets_and_what_is_past_its_cap(tmp_path: Path, keys: bool) -> None:
    """The caps are facts of the models, whether a key is set or not."""
    with Simulator() as simulator:
        studio = open_studio(simulator, tmp_path / "data", **({} if keys else dict.fromkeys(_keys(simulator))))
        bell, mira = studio.add("props", "Bell", guides=9), studio.add("characters", "Mira", guides=2)
        for model, cap in CAPS.items():
            for seen in (studio.see(bell, model=model), studio.see(f"{bell}/guide-images", model=model)):
                shown = seen.get("guide_images", seen.get("items"))
                assert seen["reference_cap"] == cap, model
                assert (seen["active_guides"], seen["overflow_guides"]) == (shown[:cap], shown[cap:])
        by_default = studio.see(mira)
        assert (len(by_default["active_guides"]), len(by_default["overflow_guides"])) == (1, 1)
        assert len(studio.see(mira, model="flux-2-pro")["active_guides"]) == 2
        studio.services.close(5)


def _keys(simulator: Simulator) -> list[str]:
    return [name.lower() for name in simulator.env() if name.endswith(("_KEY", "_TOKEN"))]


# --- What is sent -------------------------------------------------------------------------------------


def test_places_are_empty_and_things_alone(studio: Studio) -> None:
    for kind in ("sets", "props"):
        studio.made(studio.add(kind, f"One of {kind}", description="old and grey"))
    for call in studio.submits():
        assert "No people" in said(call)
        assert "old and grey" in said(call)
        assert "woodcut" in said(call)


def test_a_thing_gets_all_its_guides_up_to_the_cap(studio: Studio) -> None:
    bell = studio.add("props", "Bell", guides=9)
    studio.made(bell)
    assert sent_pictures(studio.submits()[-1], "input_images") == COLOURS[:8]
    studio.made(bell, model="nano-banana")
    assert sent_pictures(studio.submits()[-1], "image_input") == COLOURS[:4]


def test_a_face_is_kept_by_the_model_for_that_unless_another_is_chosen(studio: Studio) -> None:
    mira = studio.add("characters", "Mira", guides=3, appearance="red coat")
    job = studio.made(mira)
    assert sent_pictures(studio.submits()[-1], "main_face_image") == COLOURS[:1]
    assert "red coat" in said(studio.submits()[-1])
    shown = json.dumps([job, studio.see(mira), studio.client.get("/api/jobs").get_json()])
    assert "pulid" not in shown.lower()
    assert job["model"] == ""
    studio.made(mira, model="flux-2-pro")
    assert sent_pictures(studio.submits()[-1], "input_images") == COLOURS[:3]
    tomas = studio.add("characters", "Tomas")
    studio.made(tomas)
    assert "input_images" not in studio.submits()[-1].body["input"], "without guides there is no face to keep"
    for model in ("pulid", "wan-2.2", "no such model"):
        refused = studio.client.post(f"{mira}/generate", json={"model": model})
        assert (refused.status_code, refused.get_json()["field"]) == (422, "model")


def test_a_prompt_is_sent_as_it_is_and_an_empty_one_is_built(studio: Studio) -> None:
    hill = studio.add("sets", "Hill", description="windy", mood="calm")
    studio.made(hill)
    plain = said(studio.submits()[-1])
    assert "woodcut" in plain
    assert studio.see(hill)["reference_image_prompt"] == plain
    studio.made(hill, "generate-advanced", prompt="")
    assert said(studio.submits()[-1]) == plain
    studio.made(hill, "generate-advanced", prompt="  A hill, as I see it;  no more ")
    assert said(studio.submits()[-1]) == "  A hill, as I see it;  no more "
    kept = studio.see(hill)["reference_image_prompt"]
    assert kept.startswith("[ADVANCED:")
    studio.client.patch(hill, json={"mood": "wild"})
    assert studio.see(hill)["reference_image_prompt"] == kept


def test_the_present_reference_goes_along_only_when_asked(studio: Studio) -> None:
    bell = studio.add("props", "Bell", guides=2)
    early = studio.client.post(f"{bell}/generate", json={"edit_existing": True})
    assert (early.status_code, early.get_json()["field"]) == (409, "edit_existing")
    assert studio.upload(f"{bell}/reference-image", COLOURS[5]).status_code == 201
    extra = studio.upload(f"{studio.add('props', 'Gong')}/reference-image", COLOURS[6]).get_json()
    url = extra["reference_image_url"]
    studio.made(bell)
    assert sent_pictures(studio.submits()[-1], "input_images") == COLOURS[:2]
    studio.client.post(f"{bell}/versions/{studio.versions(bell)[-1]['id']}/restore")
    studio.made(bell, extra_references=[url])
    assert sent_pictures(studio.submits()[-1], "input_images") == [*COLOURS[:2], COLOURS[6]]
    studio.client.post(f"{bell}/versions/{studio.versions(bell)[-1]['id']}/restore")
    job = studio.made(bell, edit_existing=True, extra_references=[url])
    assert sent_pictures(studio.submits()[-1], "input_images") == [COLOURS[5], *COLOURS[:2], COLOURS[6]]
    assert [one["source"] for one in studio.versions(bell) if one["id"] == job["result"]["version_id"]] == ["edit"]
    for wrong, status in (("/media/" + "0" * 64 + ".png", 404), ("file:///etc/passwd", 422), ("http://x/y", 422)):
        refused = studio.client.post(f"{bell}/generate", json={"extra_references": [wrong]})
        assert refused.status_code == status, wrong


def shot_of(studio: Studio, **fields: Any) -> int:
    """A scene with one shot; the shot's id."""
    with studio.services.store.db.write() as session:
        scene = Scene(project_id=studio.project, idx=0, first_segment_idx=0, last_segment_idx=0)
        session.add(scene)
        session.flush()
        times = {"start_ms": 0, "end_ms": 1000, "duration_ms": 1000}
        shot = Shot(project_id=studio.project, scene_id=scene.id, idx=0, kind="narration", **times, **fields)
        session.add(shot)
        session.flush()
        return shot.id


def unit(studio: Studio, key: str, *, force: bool = True) -> None:
    """One unit of a run, made by itself."""
    single = studio.services.runner.loose.make(studio.project, key, force=force)
    studio.until(lambda: studio.ready() or single.done.is_set())
    assert single.failure is None


def test_a_frame_gets_what_is_pinned_first_and_names_what_the_cap_leaves_out(studio: Studio) -> None:
    urls = []
    for place, name in enumerate(("Bell", "Gong")):
        entity = studio.add("props", name)
        urls.append(studio.upload(f"{entity}/reference-image", COLOURS[place]).get_json()["reference_image_url"])
    pinned = [studio.upload(f"{studio.add('props', 'Photo')}/reference-image", COLOURS[7]).get_json()]
    shot = shot_of(studio, subjects=["Gong", "Bell"], pinned_references=[one["reference_image_url"] for one in pinned])
    unit(studio, f"frames/{shot}")
    assert sent_pictures(studio.submits()[-1], "input_images") == [COLOURS[7], COLOURS[1], COLOURS[0]]
    studio.client.patch(f"/api/projects/{studio.project}", json={"frame_image_model": "kontext"})
    unit(studio, f"frames/{shot}")
    assert sent_pictures(studio.submits()[-1], "image_url") == [COLOURS[7]]
    step = studio.services.store.ledger.record(studio.project, f"frames/{shot}")
    assert step is not None
    assert (step.output or {})["overflow"] == ["Gong", "Bell"]


# --- Own pictures, clearing, versions -------------------------------------------------------------------


def test_clearing_nulls_the_address_alone(studio: Studio) -> None:
    bell = studio.add("props", "Bell", guides=2)
    studio.made(bell)
    before = studio.see(bell)
    cleared = studio.client.delete(f"{bell}/reference-image")
    assert cleared.status_code == 200
    after = cleared.get_json()
    changed = {name for name in before if before[name] != after[name]}
    # What is seen in the picture goes with its address.
    assert changed == {"reference_image_url", "reference_image_analysis", "version", "updated_at"}
    assert after["reference_image_url"] is None
    shown = studio.versions(bell)
    assert [one["current"] for one in shown] == [False]
    restored = studio.client.post(f"{bell}/versions/{shown[0]['id']}/restore").get_json()
    assert restored["reference_image_url"] == before["reference_image_url"]
    assert studio.client.post(f"{bell}/versions/999/restore").status_code == 404


def test_every_picture_is_a_version_and_can_come_back(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    first = studio.made(bell)["result"]["media_url"]
    second = studio.made(bell)["result"]["media_url"]
    assert first != second, "again means another one"
    own = studio.upload(f"{bell}/reference-image", COLOURS[1]).get_json()
    assert own["reference_image_prompt"] == "[CUSTOM_UPLOAD]"
    items = studio.versions(bell)
    assert [one["media_url"] for one in items] == [own["reference_image_url"], second, first]
    assert [one["source"] for one in items] == ["upload", "generated", "generated"]
    assert [one["current"] for one in items] == [True, False, False]
    studio.client.post(f"{bell}/versions/{items[2]['id']}/restore")
    assert studio.see(bell)["reference_image_url"] == first
    other = studio.add("props", "Gong")
    assert studio.client.post(f"{other}/versions/{items[2]['id']}/restore").status_code == 404


def test_a_run_leaves_the_users_own_pictures_alone_and_makes_a_cleared_one_anew(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    number = int(bell.rpartition("/")[2])
    shot_of(studio, subjects=["Bell"])

    def run(force: bool = True) -> str | None:
        unit(studio, f"refs/prop/{number}", force=force)
        url: str | None = studio.see(bell)["reference_image_url"]
        return url

    made = run()
    assert made is not None
    own = studio.upload(f"{bell}/reference-image", COLOURS[1]).get_json()["reference_image_url"]
    assert run() == own
    studio.made(bell, "generate-advanced", prompt="My bell, and no other")
    mine = studio.see(bell)["reference_image_url"]
    assert run() == mine
    studio.client.delete(f"{bell}/reference-image")
    assert run(force=False) is not None
    assert said(studio.submits()[-1]) == "My bell, and no other"


# --- While a job is at work -----------------------------------------------------------------------------


def test_an_edit_meanwhile_makes_the_result_a_version_from_earlier_text(studio: Studio) -> None:
    mira = studio.add("characters", "Mira", appearance="green coat")
    shown = studio.made(mira)["result"]["media_url"]
    job = studio.ask(mira)
    studio.at_provider(2)
    studio.client.patch(mira, json={"appearance": "blue coat"})
    result = studio.ended(job)["result"]
    assert (result["shown"], result["earlier_text"]) == (False, True)
    assert studio.see(mira)["reference_image_url"] == shown
    newest = studio.versions(mira)[0]
    assert (newest["media_url"], newest["earlier_text"], newest["current"]) == (result["media_url"], True, False)
    assert "blue coat" in said(_after(studio, lambda: studio.made(mira)))


def _after(studio: Studio, act: Callable[[], Any]) -> Call:
    act()
    return studio.submits()[-1]


def test_an_edit_that_feeds_no_prompt_is_none(studio: Studio) -> None:
    mira = studio.add("characters", "Mira")
    job = studio.ask(mira)
    studio.at_provider()
    studio.client.patch(mira, json={"personality": "brave"})
    assert studio.ended(job)["result"]["shown"] is True


def test_what_the_user_put_there_meanwhile_stays(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    job = studio.ask(bell)
    studio.at_provider()
    own = studio.upload(f"{bell}/reference-image", COLOURS[1]).get_json()["reference_image_url"]
    result = studio.ended(job)["result"]
    assert (result["shown"], result["earlier_text"]) == (False, False)
    assert studio.see(bell)["reference_image_url"] == own
    assert result["media_url"] in [one["media_url"] for one in studio.versions(bell)]


def test_of_two_at_once_the_one_asked_for_later_is_shown(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    one, two = studio.ask(bell), studio.ask(bell, model="nano-banana")
    assert one["id"] != two["id"]
    studio.at_provider(2)
    results = [studio.ended(job)["result"] for job in (one, two)]
    assert studio.see(bell)["reference_image_url"] == results[1]["media_url"]
    assert {item["media_url"] for item in studio.versions(bell)} == {one["media_url"] for one in results}


def test_taking_the_entity_out_ends_its_jobs(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    job = studio.ask(bell)
    studio.at_provider()
    assert studio.client.delete(bell).status_code == 204
    assert studio.job(job["id"])["status"] == "cancelled"
