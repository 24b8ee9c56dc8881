"""The timeline rearranged over HTTP: cut, joined, put in order, given clips of one's own, and brought back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from pipeline.generation.moderation.clearances import assembled
from pipeline.store.models import Project, ScriptSegment
from server.wiring import Services
from tests.film.pictures import make_clip
from tests.projects.films import little_film

Rows = list[dict[str, Any]]


@pytest.fixture
def film(parts: Services) -> int:
    return little_film(parts.store)


def items(answer: Any, status: int = 200) -> Rows:
    assert answer.status_code == status, answer.get_json()
    found: Rows = answer.get_json()["items"]
    assert [row["idx"] for row in found] == list(range(len(found)))
    return found


def rows(client: FlaskClient, film: int, what: str) -> Rows:
    return items(client.get(f"/api/projects/{film}/{what}"))


def last_line(client: FlaskClient, film: int) -> str:
    events = client.get(f"/api/projects/{film}/events?after=0").get_json()["items"]
    return str(events[-1]["text"])


def test_segments_are_split_merged_and_put_in_order(client: FlaskClient, film: int) -> None:
    first = rows(client, film, "segments")[0]
    split = items(client.post(f"/api/segments/{first['id']}/split", json={"char": 8}))
    assert [row["text"] for row in split[:2]] == ["The crow", "sang."]
    assert last_line(client, film) == "Segment 1 was split."
    merged = items(client.post(f"/api/segments/{first['id']}/merge", json={"version": split[0]["version"]}))
    assert [row["text"] for row in merged] == ["The crow sang.", "Who is there?", "The end."]
    order = [merged[2]["id"], merged[0]["id"], merged[1]["id"]]
    ordered = items(client.put(f"/api/projects/{film}/segments/order", json={"order": order}))
    assert [row["id"] for row in ordered] == order


def test_scenes_are_split_merged_put_in_order_and_taken_out(client: FlaskClient, film: int) -> None:
    scenes, segments = rows(client, film, "scenes"), rows(client, film, "segments")
    cut = {"segment_id": segments[1]["id"]}
    split = items(client.post(f"/api/scenes/{scenes[0]['id']}/split", json=cut))
    ranges = [(row["first_segment_idx"], row["last_segment_idx"]) for row in split]
    assert ranges == [(0, 0), (1, 1), (2, 2)]
    merged = items(client.post(f"/api/scenes/{scenes[0]['id']}/merge", json={}))
    assert [row["id"] for row in merged] == [row["id"] for row in scenes]
    order = [row["id"] for row in reversed(merged)]
    ordered = items(client.put(f"/api/projects/{film}/scenes/order", json={"order": order}))
    assert [row["id"] for row in ordered] == order
    assert [row["text"] for row in rows(client, film, "segments")] == ["The end.", "The crow sang.", "Who is there?"]
    assert client.delete(f"/api/scenes/{order[0]}").status_code == 204
    assert len(rows(client, film, "scenes")) == 1
    assert last_line(client, film) == "A scene was deleted."


def test_shots_are_split_merged_and_put_in_order(client: FlaskClient, parts: Services, film: int) -> None:
    before = rows(client, film, "shots")[0]
    early = client.post(f"/api/shots/{before['id']}/split", json={})
    assert (early.status_code, early.get_json()["code"]) == (409, "conflict"), "nothing is spoken yet"
    with parts.store.db.write() as session:
        for segment in session.query(ScriptSegment):
            segment.audio_url = f"/media/{'a' * 64}.wav"
    shots = rows(client, film, "shots")
    split = items(client.post(f"/api/shots/{shots[0]['id']}/split", json={}))
    assert len(split) == 4 and split[0]["end_ms"] == split[1]["start_ms"]
    assert split[0]["first_frame_url"] == shots[0]["first_frame_url"]
    scene = split[0]["scene_id"]
    pictures = [row["first_frame_url"] for row in split[:2]]
    order = [split[1]["id"], split[0]["id"], *(row["id"] for row in split[2:] if row["scene_id"] == scene)]
    ordered = items(client.put(f"/api/scenes/{scene}/shots/order", json={"order": order}))
    assert [row["first_frame_url"] for row in ordered[:2]] == pictures[::-1]
    assert [(row["start_ms"], row["end_ms"]) for row in ordered] == [(row["start_ms"], row["end_ms"]) for row in split]
    merged = items(client.post(f"/api/shots/{ordered[0]['id']}/merge", json={}))
    assert len(merged) == 3
    assert (merged[0]["start_ms"], merged[0]["end_ms"]) == (shots[0]["start_ms"], shots[0]["end_ms"])


def test_a_clip_of_ones_own_is_cut_to_the_shot_and_an_earlier_frame_comes_back(
    client: FlaskClient, parts: Services, film: int, tmp_path: Path
) -> None:
    shot = rows(client, film, "shots")[0]
    given = make_clip(tmp_path / "mine.mp4", range(48), size=(64, 48)).read_bytes()
    form = {"file": (io.BytesIO(given), "../mine.mov")}
    answer = client.post(f"/api/shots/{shot['id']}/clip", data=form, content_type="multipart/form-data")
    assert answer.status_code == 200, answer.get_json()
    changed = answer.get_json()
    assert (changed["video_status"], changed["own_slots"]) == ("done", ["video"])
    assert changed["actual_video_duration_ms"] == 2_000
    frames = round((shot["end_ms"] - shot["start_ms"]) * 24 / 1000)
    assert abs(parts.store.media.ref(changed["video_url"]).meta["measured"]["frames"] - frames) <= 1
    assert client.get(changed["video_url"]).mimetype == "video/mp4"
    versions = client.get(f"/api/shots/{shot['id']}/versions").get_json()["items"]
    other = next(one for one in versions if one["slot"] == "first_frame" and not one["current"])
    back = client.post(f"/api/shots/{shot['id']}/versions/{other['id']}/restore").get_json()
    assert back["first_frame_url"] == other["media_url"] != shot["first_frame_url"]
    assert client.post(f"/api/shots/{shot['id']}/versions/999/restore").status_code == 404


def test_what_belongs_to_the_film_is_sent_once_it_is_there(client: FlaskClient, parts: Services, film: int) -> None:
    there = f"/api/projects/{film}"
    for what in ("film", "poster", "captions.vtt", "captions.srt", "download-video"):
        refused = client.get(f"{there}/{what}")
        assert (refused.status_code, refused.get_json()["code"]) == (409, "conflict"), what
    urls = {}
    for ext in ("mp4", "jpg", "vtt", "srt"):
        with parts.store.media.draft(f".{ext}") as draft:
            draft.write_bytes(f"a film's {ext}".encode())
            urls[ext] = parts.store.media.publish(draft, ext=ext, verdict=assembled()).url
    with parts.store.db.write() as session:
        project = session.get_one(Project, film)
        project.film_url, project.poster_url = urls["mp4"], urls["jpg"]
        project.film_meta = {"srt_url": urls["srt"], "vtt_url": urls["vtt"]}
    for what, kind in (("film", "mp4"), ("poster", "jpg"), ("captions.vtt", "vtt"), ("captions.srt", "srt")):
        assert client.get(f"{there}/{what}").data == f"a film's {kind}".encode()
    part = client.get(f"{there}/download-video", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.data) == (206, b"film")
    assert "The Crow.mp4" in part.headers["Content-Disposition"]
    assert client.get(f"{there}/download-video", headers={"Range": "bytes=99-"}).status_code == 416


def test_lists_refuse_a_cursor_that_they_did_not_give(client: FlaskClient) -> None:
    for address in ("/api/credits", "/api/media"):
        for cursor in ("x", "-1", "٣", "1" * 19):
            refused = client.get(f"{address}?cursor={cursor}")
            assert (refused.status_code, refused.get_json()["field"]) == (422, "cursor"), (address, cursor)
        assert client.get(f"{address}?cursor=7").get_json()["items"] == []


def test_a_key_that_comes_again_with_another_request_is_refused(client: FlaskClient) -> None:
    there, headers = "/api/credits/grants", {"Idempotency-Key": "grant-1"}
    first = client.post(there, json={"credits": 5, "note": "a"}, headers=headers)
    again = client.post(there, json={"credits": 5, "note": "a"}, headers=headers)
    assert (first.status_code, first.get_json()) == (201, again.get_json())
    other = client.post(there, json={"credits": 6, "note": "a"}, headers=headers)
    assert (other.status_code, other.get_json()["field"]) == (422, "Idempotency-Key")
    assert json.loads(client.get("/api/credits").data)["balance"] == 5
