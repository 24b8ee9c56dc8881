"""Starting and steering a film over HTTP, and following it by status, polls and the stream."""

from __future__ import annotations

import json
import threading

import pytest
from flask.testing import FlaskClient

from server.wiring import MOST_STREAMS, Services
from tests.runner.plain_stages import PlainStage

WAIT_S = 20.0


def waits(gate: threading.Event) -> None:
    gate.wait(WAIT_S)


def test_a_film_is_started_and_watched_to_its_end(client: FlaskClient, parts: Services, project: int) -> None:
    idle = client.get(f"/api/projects/{project}/yolo-status").get_json()
    assert (idle["state"], idle["percent"], idle["yoloStep"]) == ("idle", 0, None)
    assert [line["text"] for line in idle["logs"]] == ["The project was created."]
    started = client.post(f"/api/projects/{project}/yolo")
    assert started.status_code == 202
    assert started.headers["Location"] == f"/api/projects/{project}/yolo-status"
    assert parts.runner.wait(project, WAIT_S) == "done"
    status = client.get(started.headers["Location"]).get_json()
    names = {"state", "code", "yoloStep", "percent", "stages", "etaSeconds", "spendCents", "estimateCents", "problems"}
    assert set(status) == names | {"logs"}
    assert (status["state"], status["percent"]) == ("done", 100)
    assert status["stages"]["script"] == {"total": 2, "done": 2, "running": 0, "failed": 0}
    assert client.get("/api/projects").get_json()["items"][0]["state"] == "done"


def test_two_starts_give_one_run(client: FlaskClient, project: int, stage: PlainStage) -> None:
    gate = threading.Event()
    stage.work = lambda unit: waits(gate)
    ids = {client.post(f"/api/projects/{project}/yolo").get_json()["run_id"] for _ in range(3)}
    gate.set()
    assert len(ids) == 1


def test_a_repeated_start_after_the_end_starts_nothing(client: FlaskClient, parts: Services, project: int) -> None:
    headers = {"Idempotency-Key": "k"}
    first = client.post(f"/api/projects/{project}/yolo", headers=headers).get_json()["run_id"]
    parts.runner.wait(project, WAIT_S)
    assert client.post(f"/api/projects/{project}/yolo", headers=headers).get_json()["run_id"] == first
    assert client.post(f"/api/projects/{project}/yolo").get_json()["run_id"] != first


def test_a_film_can_be_paused_resumed_and_cancelled(
    client: FlaskClient, parts: Services, project: int, stage: PlainStage
) -> None:
    gate, begun = threading.Event(), threading.Event()

    def work(unit: object) -> None:
        begun.set()
        gate.wait(WAIT_S)

    stage.work = work
    address = f"/api/projects/{project}/yolo"
    for command in ("pause", "resume", "cancel"):
        early = client.post(f"{address}/{command}")
        assert (early.status_code, early.get_json()["code"]) == (409, "conflict")
    client.post(address)
    assert begun.wait(WAIT_S)
    changed = client.patch(f"/api/projects/{project}", json={"story": "Another story."})
    assert (changed.status_code, changed.get_json()["code"]) == (409, "conflict")
    assert client.post(f"{address}/pause").get_json()["state"] == "paused"
    assert client.post(f"{address}/pause").status_code == 409
    gate.set()
    assert client.post(f"{address}/resume").status_code == 202
    assert parts.runner.wait(project, WAIT_S) == "done"
    assert client.post(f"{address}/cancel").status_code == 409


def test_deleting_a_project_stops_its_film(
    client: FlaskClient, parts: Services, project: int, stage: PlainStage
) -> None:
    gate = threading.Event()
    stage.work = lambda unit: waits(gate)
    client.post(f"/api/projects/{project}/yolo")
    assert client.delete(f"/api/projects/{project}").status_code == 204
    gate.set()
    assert client.get(f"/api/projects/{project}/yolo-status").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "dreams"}, "from"),
        ({"from": 3}, "from"),
        ({"stale": "all"}, "stale"),
        ({"force": "yes"}, "force"),
        ({"speed": 2}, "speed"),
    ],
)
def test_starts_that_make_no_sense(client: FlaskClient, project: int, body: dict[str, object], field: str) -> None:
    answer = client.post(f"/api/projects/{project}/yolo", json=body)
    assert (answer.status_code, answer.get_json()["field"]) == (422, field)
    assert client.get(f"/api/projects/{project}/yolo-status").get_json()["state"] == "idle"


def test_the_status_is_not_sent_twice(client: FlaskClient, parts: Services, project: int) -> None:
    address = f"/api/projects/{project}/yolo-status"
    first = client.get(address)
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    client.post(f"/api/projects/{project}/yolo")
    parts.runner.wait(project, WAIT_S)
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_events_are_polled_by_a_cursor(client: FlaskClient, parts: Services, project: int) -> None:
    client.post(f"/api/projects/{project}/yolo")
    parts.runner.wait(project, WAIT_S)
    address = f"/api/projects/{project}/events"
    first = client.get(address).get_json()
    seqs = [event["seq"] for event in first["items"]]
    assert seqs == sorted(seqs) and len(seqs) > 3 and first["next"] is None
    assert {event["project_id"] for event in first["items"]} == {project}
    later = client.get(f"{address}?after={seqs[1]}").get_json()
    assert [event["seq"] for event in later["items"]] == seqs[2:]
    end = client.get(f"{address}?after={first['cursor']}")
    assert end.get_json()["items"] == []
    version = {"If-None-Match": end.headers["ETag"]}
    assert client.get(f"{address}?after={first['cursor']}", headers=version).status_code == 304
    assert client.get(f"{address}?after=-1").status_code == 422
    assert [event["seq"] for event in client.get("/api/events").get_json()["items"]] == seqs


def test_the_stream_goes_on_after_the_last_event_that_was_seen(
    client: FlaskClient, parts: Services, project: int
) -> None:
    client.post(f"/api/projects/{project}/yolo")
    parts.runner.wait(project, WAIT_S)
    seqs = [event["seq"] for event in parts.store.events.since(0, project_id=project)]
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(seqs[0])}
    with client.get(f"/api/projects/{project}/events", headers=headers) as answer:
        assert answer.mimetype == "text/event-stream"
        frames = iter(answer.response)
        assert next(frames).startswith(b"retry:")
        said = next(frames).decode().removesuffix("\n\n").split("\n\n")
        for seq, frame in zip(seqs[1:], said, strict=True):
            number, data = frame.split("\n")
            assert number == f"id: {seq}"
            assert json.loads(data.removeprefix("data: "))["seq"] == seq
        parts.store.events.say(project_id=project, text="news\nwith a line end")
        assert b"news\\nwith a line end" in next(frames)


def test_streams_have_a_cap_and_give_their_place_back(client: FlaskClient, project: int) -> None:
    headers = {"Accept": "text/event-stream"}
    address = f"/api/projects/{project}/events"
    open_streams = [client.get(address, headers=headers) for _ in range(MOST_STREAMS)]
    assert {answer.status_code for answer in open_streams} == {200}
    refused = client.get(address, headers=headers)
    assert (refused.status_code, refused.get_json()["code"]) == (503, "too_many_streams")
    assert client.get(address).status_code == 200
    for answer in open_streams:
        answer.close()
    with client.get(address, headers=headers) as answer:
        assert answer.status_code == 200


def test_what_is_not_made_yet_is_a_conflict_that_names_the_state(client: FlaskClient, project: int) -> None:
    for name in ("download-video", "film", "poster", "captions.vtt", "captions.srt"):
        answer = client.get(f"/api/projects/{project}/{name}")
        assert (answer.status_code, answer.get_json()["code"]) == (409, "conflict"), name
        assert "idle" in answer.get_json()["detail"]
    for name in ("segments", "scenes", "shots"):
        assert client.get(f"/api/projects/{project}/{name}").get_json() == {"items": [], "next": None}
