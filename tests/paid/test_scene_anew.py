"""A scene of a finished film filmed anew by request: what is planned again, what stays, and what is stale then."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest

from tests.paid.site import Site
from tests.paid.test_edits import listed, made, own_picture, tiles, upload
from tests.simulator import ChatRequest

LOOKS = ("framing", "angle", "move", "subjects", "action")
OPEN = threading.Event()
OPEN.set()


def plans(site: Site, framing: str, gate: threading.Event = OPEN) -> None:
    """What the language model answers from now on, once the gate is open: shots of this framing."""

    def answer(request: ChatRequest) -> Any:
        gate.wait(60)
        takes = re.findall(r"^\d+\. \(\d+\.\d s\) ", request.prompt, re.MULTILINE)
        looks = {"framing": framing, "angle": "low", "move": "pan_left", "subjects": ["Mira"], "action": "Mira runs."}
        return {"shots": [{"take": at, **looks} for at in range(len(takes))]}

    site.simulator.respond("chat", answer)


def ask(site: Site, status: int = 202, **body: Any) -> dict[str, Any]:
    scene = listed(site, "scenes")[0]
    answer = site.client.post(f"/api/scenes/{scene['id']}/shots", json={"render": "paid", **body})
    assert answer.status_code == status, answer.get_json()
    found: dict[str, Any] = answer.get_json()
    return found


def filmed(site: Site, **body: Any) -> dict[str, Any]:
    """What the job says has become of the shots."""
    job = ask(site, **body)
    assert (job["kind"], job["target_type"], job["unit"]) == ("scene", "scenes", "shots/0")
    site.finish_jobs()
    ended: dict[str, Any] = site.client.get(f"/api/jobs/{job['id']}").get_json()
    assert ended["status"] == "done", ended
    result: dict[str, Any] = ended["result"]
    return result


def looks(shot: dict[str, Any]) -> list[Any]:
    return [shot[name] for name in LOOKS]


def test_its_shots_are_planned_again_and_what_they_show_is_stale_until_it_is_redone(site: Site) -> None:
    before = listed(site, "shots")
    plans(site, "close_up")
    result = filmed(site)
    now = listed(site, "shots")
    ids = [one["id"] for one in before]
    assert result == {"total": len(ids), "changed": ids, "added": [], "removed": [], "kept": []}
    assert [one["id"] for one in now] == ids and {one["action"] for one in now} == {"Mira runs."}
    for old, new in zip(before, now, strict=True):
        assert (new["first_frame_url"], new["video_url"]) == (old["first_frame_url"], old["video_url"])
        assert (new["stale"], new["video_status"]) == ({"first_frame": "shot", "video": "shot"}, "stale")
    tiles(site)
    made(site)
    assert [looks(one) for one in listed(site, "shots")] == [looks(one) for one in now], "no run undoes it"
    made(site, stale="redo")
    redone = listed(site, "shots")
    assert [looks(one) for one in redone] == [looks(one) for one in now]
    assert not any(one["stale"] for one in redone)
    assert all(new["video_url"] != old["video_url"] for old, new in zip(before, redone, strict=True))
    versions = site.client.get(f"/api/shots/{ids[0]}/versions").get_json()["items"]
    assert before[0]["first_frame_url"] in [one["media_url"] for one in versions]
    tiles(site)


def test_the_same_plan_leaves_everything_as_it_is(site: Site) -> None:
    before = listed(site, "shots")
    assert filmed(site, render="preview")["changed"] == []
    assert listed(site, "shots") == before


def test_what_was_changed_by_hand_stays_unless_it_is_given_up(site: Site) -> None:
    first, *others = listed(site, "shots")
    edited = site.client.patch(f"/api/shots/{first['id']}", json={"framing": "insert"}).get_json()
    plans(site, "wide")
    result = filmed(site)
    assert (result["kept"], result["changed"]) == ([first["id"]], [one["id"] for one in others])
    assert looks(listed(site, "shots")[0]) == looks(edited)
    made(site, **{"from": "shots", "force": True, "stale": "redo"})
    assert looks(listed(site, "shots")[0])[0] == "insert"
    result = filmed(site, force=True)
    now = listed(site, "shots")[0]
    assert (result["kept"], result["changed"][:1]) == ([], [first["id"]])
    assert (now["framing"], now["action"], now["edited_fields"]) == ("wide", "Mira runs.", [])


def test_cuts_by_hand_stay_unless_they_are_given_up_and_no_picture_is_lost(site: Site) -> None:
    shot = max(listed(site, "shots"), key=lambda one: one["duration_ms"])
    number = len(listed(site, "shots"))
    assert site.client.post(f"/api/shots/{shot['id']}/split", json={}).status_code == 200
    second = listed(site, "shots")[shot["idx"] + 1]
    own = upload(site, f"/api/shots/{second['id']}/first-frame", own_picture()).get_json()["first_frame_url"]
    plans(site, "medium")
    result = filmed(site)
    assert (result["total"], result["removed"], result["kept"]) == (number + 1, [], [shot["id"]])
    result = filmed(site, force=True)
    assert (result["total"], result["removed"]) == (number, [second["id"]])
    versions = site.client.get(f"/api/shots/{shot['id']}/versions").get_json()["items"]
    assert {own, shot["first_frame_url"]} <= {one["media_url"] for one in versions}
    tiles(site)
    made(site)
    assert [one["text"] for one in listed(site, "shots")].count(shot["text"]) == 1
    tiles(site)


def test_nothing_else_is_made_of_the_scene_meanwhile_and_a_cancel_changes_nothing(site: Site) -> None:
    before = listed(site, "shots")
    gate = threading.Event()
    plans(site, "wide", gate)
    job = ask(site)
    assert ask(site, 200)["id"] == job["id"]
    refused = site.client.post(f"/api/shots/{before[0]['id']}/frame", json={})
    assert (refused.status_code, refused.get_json()["code"]) == (409, "conflict")
    site.until(lambda: site.simulator.requests(operation="chat"))
    assert site.client.post(f"/api/jobs/{job['id']}/cancel").status_code == 200
    gate.set()
    made(site)
    assert [looks(one) for one in listed(site, "shots")] == [looks(one) for one in before]
    assert site.client.post(f"/api/jobs/{job['id']}/retry").status_code == 202
    site.finish_jobs()
    assert {one["framing"] for one in listed(site, "shots")} == {"wide"}


@pytest.mark.parametrize("why", ["shot", "script", "version"])
def test_it_is_refused_where_it_cannot_be_done(site: Site, why: str) -> None:
    scene, shot = listed(site, "scenes")[0], listed(site, "shots")[0]
    body: dict[str, Any] = {}
    if why == "shot":
        site.simulator.world.clock.scale = 1.0
        assert site.client.post(f"/api/shots/{shot['id']}/frame", json={"render": "paid"}).status_code == 202
    elif why == "script":
        added = site.client.post(f"/api/projects/{site.project_id}/segments", json={"text": "It was a cold day."})
        assert added.status_code == 201
    else:
        assert site.client.patch(f"/api/scenes/{scene['id']}", json={"title": "Dawn"}).status_code == 200
        body = {"version": scene["version"]}
    answer = ask(site, 409, **body)
    assert answer["code"] == ("stale_version" if why == "version" else "conflict")
    assert [one for one in site.jobs() if one["kind"] == "scene"] == []
    assert site.client.post("/api/scenes/999/shots", json={}).status_code == 404
