"""What holds for all projects: the runtime settings, the voices with their samples, and the server in figures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient

from pipeline.settings import load_settings
from server.app import create_app
from server.wiring import Services, open_services

SPLIT = "inference-traffic-split"


def test_the_traffic_split_is_kept_and_comes_back(client: FlaskClient, parts: Services) -> None:
    first = client.get("/api/settings")
    assert first.get_json()[SPLIT] is None
    wanted = [{"order": ["fal", "replicate"], "percent": 30}, {"order": ["replicate"], "percent": 70}]
    changed = client.patch("/api/settings", json={SPLIT: wanted})
    assert (changed.status_code, changed.get_json()[SPLIT]) == (200, wanted)
    again = client.get("/api/settings", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.get_json()[SPLIT]) == (200, wanted)
    data_dir = parts.settings.data_dir
    parts.close(5)
    opened = open_services(load_settings(data_dir=data_dir))
    try:
        after = create_app(opened).test_client()
        assert after.get("/api/settings").get_json()[SPLIT] == wanted
        assert after.patch("/api/settings", json={SPLIT: None}).get_json()[SPLIT] is None
    finally:
        opened.close(5)


@pytest.mark.parametrize(
    "split",
    [
        [{"order": ["fal"], "percent": 99}],
        [{"order": ["fal"], "percent": 60}, {"order": ["replicate"], "percent": 60}],
        [{"order": ["nobody"], "percent": 100}],
        [{"order": ["fal", "fal"], "percent": 100}],
        [{"order": [], "percent": 100}],
        [{"order": ["fal"], "percent": "100"}],
        [{"order": ["fal"], "percent": 100, "more": 1}],
        "fal",
        [],
    ],
)
def test_splits_that_cannot_be_used(client: FlaskClient, split: object) -> None:
    answer = client.patch("/api/settings", json={SPLIT: split})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_input")
    assert client.get("/api/settings").get_json()[SPLIT] is None


def test_settings_show_neither_secrets_nor_answers(client: FlaskClient) -> None:
    client.post("/api/projects", json={"story": "A bell."}, headers={"Idempotency-Key": "k"})
    assert set(client.get("/api/settings").get_json()) == {SPLIT, "full-access"}
    assert client.patch("/api/settings", json={"fal_key": "x"}).status_code == 422


def test_every_voice_can_be_heard(client: FlaskClient) -> None:
    voices = client.get("/api/voices?language=de").get_json()["items"]
    assert len(voices) > 8 and {voice["language"] for voice in voices} == {"de"}
    heard = client.get(voices[0]["sample_url"])
    assert (heard.status_code, heard.mimetype) == (200, "audio/mp4") and len(heard.data) > 5000
    again = client.get(voices[0]["sample_url"], headers={"Range": "bytes=0-99"})
    assert (again.status_code, again.data) == (206, heard.data[:100])
    other = client.get(voices[1]["sample_url"]).data
    assert other != heard.data


def test_a_sample_is_made_once_however_many_ask(client: FlaskClient, parts: Services) -> None:
    address = client.get("/api/voices").get_json()["items"][0]["sample_url"]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.application.test_client().get(address).data, range(4)))
    assert len(set(answers)) == 1
    assert len(list(parts.store.folder.media.rglob("*.m4a"))) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("voice=espeak:de%2BAnnie:p50:s160&language=xx", 404),
        ("voice=Rachel", 404),
        ("voice=", 422),
        ("", 422),
        ("voice=a%00b", 422),
        ("voice=x&language=English", 422),
    ],
)
def test_samples_that_are_none(client: FlaskClient, query: str, status: int) -> None:
    assert client.get(f"/api/voices/sample?{query}").status_code == status


def test_the_server_tells_its_figures(client: FlaskClient, project: int) -> None:
    client.get(f"/api/projects/{project}")
    client.get("/no/such/place")
    answer = client.get("/metrics")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    lines = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    route = '{method="GET",route="/api/projects/<int:project_id>",status="200"}'
    assert lines[f"video_story_request_seconds_count{route}"] == "1.0"
    assert lines['video_story_lane_jobs{lane="video",state="waiting"}'] == "0.0"
    assert float(lines["video_story_disk_free_bytes"]) > 0 and float(lines["video_story_events"]) >= 1
    assert "/no/such/place" not in answer.text
