"""A finished film edited by hand over HTTP: what is made anew, what stays, and what no run undoes."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.contracts import FilmForm
from pipeline.film.clips import card
from pipeline.store.models import Shot
from tests.paid.site import Site

LONGER = "Mira ran all the way down to the windy harbour, past the boats and the nets, to look for it at the pier."


def listed(site: Site, what: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = site.client.get(f"/api/projects/{site.project_id}/{what}").get_json()["items"]
    return items


def made(site: Site, **options: Any) -> dict[str, Any]:
    """Runs the film to its end; how often each unit was started since the beginning."""
    answer = site.client.post(f"/api/projects/{site.project_id}/yolo", json=options)
    assert answer.status_code == 202, answer.get_json()
    runner = site.services.runner
    assert runner.wait(site.project_id, 120) == "done", runner.status(site.project_id)["problems"]
    return starts(site)


def starts(site: Site) -> dict[str, int]:
    return {key: step.starts for key, step in site.services.store.ledger.records(site.project_id).items()}


def again(before: dict[str, int], after: dict[str, int], *stages: str) -> set[str]:
    """The units of these stages that were started since."""
    return {key for key, number in after.items() if key.split("/")[0] in stages and number != before.get(key, 0)}


def tiles(site: Site) -> None:
    shots = listed(site, "shots")
    project = site.client.get(f"/api/projects/{site.project_id}").get_json()
    assert (shots[0]["start_ms"], shots[-1]["end_ms"]) == (0, project["narration_ms"])
    assert all(one["end_ms"] == two["start_ms"] for one, two in pairwise(shots))
    assert site.client.get(f"/api/projects/{site.project_id}/film").status_code == 200


def own_picture() -> dict[str, Any]:
    out = io.BytesIO()
    Image.new("RGB", (640, 360), (200, 30, 90)).save(out, "PNG")
    return {"file": (io.BytesIO(out.getvalue()), "mine.png")}


def own_clip(tmp_path: Path, frames: int) -> dict[str, Any]:
    card(frames, FilmForm(width=640, height=360), tmp_path / "mine.mp4")
    return {"file": (io.BytesIO((tmp_path / "mine.mp4").read_bytes()), "mine.mp4")}


def upload(site: Site, address: str, form: dict[str, Any]) -> Any:
    return site.client.post(address, data=form, content_type="multipart/form-data")


def test_an_edited_line_is_spoken_anew_and_what_follows_is_timed_anew(site: Site) -> None:
    """SPEC 4.5."""
    segments, shots, before = listed(site, "segments"), listed(site, "shots"), starts(site)
    first = segments[0]
    answer = site.client.patch(f"/api/segments/{first['id']}", json={"text": LONGER, "version": first["version"]})
    assert answer.status_code == 200
    assert answer.get_json()["stale"] == {"audio": "words"} and answer.get_json()["edited_fields"] == ["text"]
    unasked = made(site)
    assert again(before, unasked, "audio", "scenes", "shots", "frames", "videos") <= {
        "audio/narration",
        "shots/timeline",
    }
    assert listed(site, "segments")[0]["audio_url"] == first["audio_url"], "stale work is redone only when asked for"
    assert site.client.post(f"/api/segments/{first['id']}/audio").status_code == 202
    site.until(lambda: not listed(site, "segments")[0]["stale"])
    timed = made(site)
    now, laid = listed(site, "segments"), listed(site, "shots")
    assert now[0]["audio_url"] != first["audio_url"] and now[0]["text"] == LONGER
    shift = now[1]["start_time_ms"] - segments[1]["start_time_ms"]
    assert shift > 1000
    assert [one["audio_url"] for one in now[1:]] == [one["audio_url"] for one in segments[1:]]
    assert [one["start_time_ms"] - shift for one in now[1:]] == [one["start_time_ms"] for one in segments[1:]]
    assert again(unasked, timed, "script", "voices", "scenes", "frames", "videos") == set()
    assert again(unasked, timed, "audio", "shots") == {"audio/0", "audio/narration", "shots/timeline"}
    # Its clip is too short now: it is kept, and shown as stale. The others cover their slots, which only moved.
    assert (laid[0]["video_status"], laid[0]["stale"]["video"]) == ("stale", "slot")
    assert laid[0]["video_url"] == shots[0]["video_url"]
    others = {one["text"]: one for one in shots[1:]}
    for one in laid:
        if one["text"] in others:
            assert one["video_url"] == others[one["text"]]["video_url"] and one["video_status"] == "done"
    tiles(site)
    redone = made(site, stale="redo")
    assert again(timed, redone, "scenes", "shots", "frames") <= {f"frames/{one['id']}" for one in laid[:2]}
    assert not any(one["stale"] for one in listed(site, "shots"))
    tiles(site)


def test_a_new_picture_and_an_own_clip_are_never_made_over(site: Site, tmp_path: Path) -> None:
    """SPEC 3.12: neither a redo, nor `from`, nor `force`."""
    narration, dialogue = site.shots("narration")[0], site.shots("dialogue")[0]
    picture = upload(site, f"/api/shots/{narration.id}/first-frame", own_picture())
    assert picture.status_code == 200, picture.get_json()
    assert picture.get_json()["own_slots"] == ["first_frame"]
    assert (picture.get_json()["video_status"], picture.get_json()["stale"]) == ("stale", {"video": "frame"})
    frames = 24 * (dialogue.duration_ms + 2000) // 1000
    clip = upload(site, f"/api/shots/{dialogue.id}/clip", own_clip(tmp_path, frames))
    assert clip.status_code == 200, clip.get_json()
    shown = clip.get_json()
    assert (shown["own_slots"], shown["video_status"]) == (["video"], "done")
    assert shown["actual_video_duration_ms"] == pytest.approx(frames * 1000 / 24, abs=50)
    assert shown["lipsync_url"] is None, "the lips were another clip's"
    site.client.patch(f"/api/shots/{narration.id}", json={"action": "Mira jumps over a rope."})
    for options in ({"stale": "redo"}, {"from": "frames", "force": True}):
        made(site, **options)
        rows = {one["id"]: one for one in listed(site, "shots")}
        assert rows[narration.id]["first_frame_url"] == picture.get_json()["first_frame_url"]
        assert rows[narration.id]["video_status"] == "done" and rows[narration.id]["stale"] == {}
        assert rows[dialogue.id]["video_url"] == shown["video_url"]
    tiles(site)
    site.client.post(f"/api/shots/{narration.id}/frame", json={})
    own = picture.get_json()["first_frame_url"]
    site.until(lambda: site.shots("narration")[0].first_frame_url != own)
    versions = site.client.get(f"/api/shots/{narration.id}/versions").get_json()["items"]
    kept = next(one for one in versions if one["media_url"] == own)
    assert (kept["source"], kept["current"]) == ("upload", False)
    back = site.client.post(f"/api/shots/{narration.id}/versions/{kept['id']}/restore")
    assert back.status_code == 200 and back.get_json()["first_frame_url"] == own
    assert site.client.post(f"/api/shots/{dialogue.id}/versions/{kept['id']}/restore").status_code == 404


def test_a_clip_that_came_longer_is_cut_again_for_nothing(site: Site, tmp_path: Path) -> None:
    """SPEC 4.4, 4.5: the slot grows, and the clip as it came covers it still."""
    shot = site.shots("narration")[0]
    clip = upload(site, f"/api/shots/{shot.id}/clip", own_clip(tmp_path, 24 * 14)).get_json()
    segment = listed(site, "segments")[0]["id"]
    site.client.patch(f"/api/segments/{segment}", json={"text": "Mira ran down to the harbour at dawn."})
    made(site, stale="redo")
    now = listed(site, "shots")[0]
    assert now["duration_ms"] > shot.duration_ms
    assert (now["video_status"], now["own_slots"], now["stale"]) == ("done", ["video"], {})
    assert now["video_url"] != clip["video_url"] and now["video_meta"]["raw"] == clip["video_meta"]["raw"]
    tiles(site)


def test_lips_that_were_bought_are_cut_again_when_only_the_silence_after_the_words_grows(site: Site) -> None:
    """SPEC 7.2: the clip is cut anew, and the words under it are the same."""
    assert site.client.delete(f"/api/segments/{listed(site, 'segments')[-1]['id']}").status_code == 204
    made(site)
    shot = site.shots("dialogue")[0]
    assert shot.idx == len(listed(site, "shots")) - 1
    paid = {"render_video": "paid", "render_lipsync": "paid"}
    assert site.client.patch(f"/api/projects/{site.project_id}", json=paid).status_code == 200
    for render in ("preview", "paid"):
        assert site.client.post(f"/api/shots/{shot.id}/video", json={"render": render}).status_code == 202
        site.finish_jobs()
    lips = site.client.post(f"/api/shots/{shot.id}/lipsync", json={}).get_json()
    body = {"text": "The harbour was quiet.", "after": listed(site, "segments")[-1]["id"]}
    assert site.client.post(f"/api/projects/{site.project_id}/segments", json=body).status_code == 201
    made(site)
    now = _row(site, shot)
    assert now["duration_ms"] > shot.duration_ms
    assert (now["lipsync_status"], now["stale"]) == ("done", {}) and now["lipsync_url"] != lips["lipsync_url"]
    bought = [row.capability for row in site.generations() if row.status == "finished"]
    assert (bought.count("lipsync"), bought.count("video")) == (1, 2), "lips once; a clip for each of the two shots"
    assert all(one["first_frame_url"] and one["video_url"] for one in listed(site, "shots")), "the new one's, too"
    assert shot.id + 1 not in [one["id"] for one in listed(site, "shots")], "a number that was taken is not given again"
    tiles(site)


def test_a_cleared_frame_is_that_frame_alone_and_another_is_made(site: Site) -> None:
    """SPEC 5.7."""
    shot = site.shots("narration")[0]
    assert site.client.delete(f"/api/shots/{shot.id}/first-frame").status_code == 204
    cleared = listed(site, "shots")[shot.idx]
    assert cleared["first_frame_url"] is None
    assert (cleared["video_url"], cleared["action"]) == (shot.video_url, shot.action)
    versions = site.client.get(f"/api/shots/{shot.id}/versions").get_json()["items"]
    [kept] = [one for one in versions if one["media_url"] == shot.first_frame_url]
    before = starts(site)
    after = made(site)
    assert f"frames/{shot.id}" in again(before, after, "frames")
    now = listed(site, "shots")[shot.idx]
    assert now["first_frame_url"] is not None and now["video_url"] == shot.video_url
    assert now["stale"] == ({} if now["first_frame_url"] == shot.first_frame_url else {"video": "frame"})
    back = site.client.post(f"/api/shots/{shot.id}/versions/{kept['id']}/restore")
    assert (back.status_code, back.get_json()["stale"]) == (200, {})
    assert site.client.delete(f"/api/shots/{shot.id}/last-frame").status_code == 204


@pytest.mark.parametrize("change", ["edit", "clear"])
def test_a_late_result_is_a_version_from_earlier_text(fal_site: Site, change: str) -> None:
    """SPEC 6.6, FAULT 26: the provider is at work while the user changes what it works from."""
    site, shot = fal_site, fal_site.shots("narration")[0]
    site.simulator.world.clock.scale = 0.02
    assert site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "paid"}).status_code == 202
    site.until(lambda: any(row.status == "accepted" for row in site.generations()))
    if change == "edit":
        answer = site.client.patch(f"/api/shots/{shot.id}", json={"action": "Mira climbs a tree."})
        assert answer.status_code == 200
    else:
        assert site.client.delete(f"/api/shots/{shot.id}/first-frame").status_code == 204
    site.simulator.world.clock.scale = 1.0

    def late() -> list[dict[str, Any]]:
        versions = site.client.get(f"/api/shots/{shot.id}/versions").get_json()["items"]
        return [one for one in versions if one["earlier_text"]]

    [version] = site.until(late)
    assert version["slot"] == "first_frame" and not version["current"]
    assert site.client.get(version["media_url"]).status_code == 200


def test_cuts_by_hand_stay_through_new_speech_and_new_runs(site: Site) -> None:
    """SPEC 4.1, 7.2: a shot split, its parts merged again, and neither undone by a run."""
    shot = max(listed(site, "shots"), key=lambda one: one["duration_ms"])
    number = len(listed(site, "shots"))
    answer = site.client.post(f"/api/shots/{shot['id']}/split", json={"version": shot["version"]})
    assert answer.status_code == 200, answer.get_json()
    after = answer.get_json()["items"]
    assert len(after) == number + 1
    first, second = after[shot["idx"]], after[shot["idx"] + 1]
    assert (first["id"], first["start_ms"], second["end_ms"]) == (shot["id"], shot["start_ms"], shot["end_ms"])
    assert f"{first['text']} {second['text']}" == shot["text"]
    assert first["video_url"] == shot["video_url"] and second["first_frame_url"] is None
    made(site)
    tiles(site)
    texts = [one["text"] for one in listed(site, "shots")]
    assert texts == [one["text"] for one in after] and all(one["video_url"] for one in listed(site, "shots"))
    site.client.patch(f"/api/segments/{listed(site, 'segments')[0]['id']}", json={"text": LONGER})
    made(site, stale="redo")
    tiles(site)
    assert {first["text"], second["text"]} <= {one["text"] for one in listed(site, "shots")} or shot["idx"] == 0
    merged = site.client.post(f"/api/shots/{listed(site, 'shots')[-1]['id']}/merge", json={})
    assert (merged.status_code, merged.get_json()["code"]) == (409, "conflict")


def test_the_script_can_be_taken_apart_and_the_film_follows(site: Site) -> None:
    """Insert, split, merge, move and delete segments; each time the next start makes just what is missing."""
    segments, before = listed(site, "segments"), starts(site)
    body = {"text": "It was a cold, grey morning.", "after": segments[0]["id"]}
    added = site.client.post(f"/api/projects/{site.project_id}/segments", json=body)
    assert added.status_code == 201 and added.get_json()["idx"] == 1
    after = made(site)
    assert again(before, after, "scenes") == set()
    tiles(site)
    now = listed(site, "segments")
    kept = {one["text"]: one["audio_url"] for one in segments}
    assert all(one["audio_url"] == kept[one["text"]] for one in now if one["text"] in kept)
    split = site.client.post(f"/api/segments/{now[1]['id']}/split", json={"char": 9})
    assert [one["text"] for one in split.get_json()["items"][1:3]] == ["It was a", "cold, grey morning."]
    made(site)
    tiles(site)
    joined = site.client.post(f"/api/segments/{now[1]['id']}/merge", json={})
    assert joined.get_json()["items"][1]["text"] == "It was a cold, grey morning."
    assert site.client.delete(f"/api/segments/{now[1]['id']}").status_code == 204
    made(site, **{"from": "script", "force": True})
    assert [one["text"] for one in listed(site, "segments")] == [one["text"] for one in segments], "no run undoes it"
    tiles(site)


def test_a_shot_that_is_changed_is_made_again_on_request(site: Site) -> None:
    shot = site.shots("narration")[0]
    changed = site.client.patch(f"/api/shots/{shot.id}", json={"framing": "close_up", "move": "push_in"})
    assert changed.get_json()["stale"] == {"first_frame": "shot", "video": "shot"}
    assert changed.get_json()["edited_fields"] == ["framing", "move"]
    made(site)
    assert _row(site, shot)["first_frame_url"] == shot.first_frame_url
    made(site, **{"from": "shots", "force": True})
    now = _row(site, shot)
    assert (now["framing"], now["move"], now["stale"]) == ("close_up", "push_in", {})
    assert now["first_frame_url"] != shot.first_frame_url and now["video_url"] != shot.video_url
    scene = listed(site, "scenes")[0]
    answer = site.client.patch(f"/api/scenes/{scene['id']}", json={"weather": "storm", "version": scene["version"]})
    assert answer.get_json()["weather"] == "storm"
    assert _row(site, shot)["stale"] == {"first_frame": "scene"}


def _row(site: Site, shot: Shot) -> dict[str, Any]:
    return next(one for one in listed(site, "shots") if one["id"] == shot.id)
