"""A shot's frame as a job over HTTP: joined, cancelled, made again, taken up by the next process; bought once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from pipeline.store.models import Job, Scene, Shot
from tests.server.studio import COLOURS, Studio, open_studio
from tests.server.test_reads import counted
from tests.simulator import Simulator


def shots_of(studio: Studio, number: int = 1) -> list[str]:
    """The addresses of a scene's shots."""
    with studio.services.store.db.write() as session:
        scene = Scene(project_id=studio.project, idx=0, first_segment_idx=0, last_segment_idx=0)
        session.add(scene)
        session.flush()
        belongs = {"project_id": studio.project, "scene_id": scene.id, "kind": "narration", "duration_ms": 1000}
        shots = [
            Shot(
                **belongs, idx=at, seed=at, start_ms=at * 1000, end_ms=at * 1000 + 1000, action=f"The bell rings {at}."
            )
            for at in range(number)
        ]
        session.add_all(shots)
        session.flush()
        return [f"/api/shots/{shot.id}" for shot in shots]


def shown(studio: Studio, at: int = 0) -> dict[str, Any]:
    shot: dict[str, Any] = studio.see(f"/api/projects/{studio.project}/shots")["items"][at]
    return shot


def framed(studio: Studio, shot: str) -> str:
    """The shot's frame, once it has been made."""
    return str(studio.made(shot, "frame")["result"]["media_url"])


def cancel(studio: Studio, job: dict[str, Any]) -> None:
    answer = studio.client.post(f"/api/jobs/{job['id']}/cancel")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "cancelled")


def kept(studio: Studio, shot: str, number: int) -> list[dict[str, Any]]:
    """The shot's versions, newest first, once there are so many."""
    return list(studio.until(lambda: studio.ready() or (len(all_ := studio.versions(shot)) == number and all_)))


def test_a_frame_is_a_job_that_says_what_it_is_about_and_what_it_cost(studio: Studio) -> None:
    [shot] = shots_of(studio)
    job = studio.ask(shot, "frame")
    number = int(shot.rpartition("/")[2])
    assert (job["kind"], job["target_type"], job["target_id"]) == ("frame", "shots", number)
    assert (job["status"], job["phase"], job["unit"]) == ("queued", "waiting", f"frames/{number}")
    assert job["estimate_micros"] > 0 and job["cost_micros"] is None
    studio.at_provider()
    running = studio.until(lambda: (now := studio.job(job["id"]))["phase"] in ("queued", "running") and now)
    assert running["status"] == "running"
    assert studio.ask(shot, "frame", status=200)["id"] == job["id"]
    assert [one["id"] for one in studio.see("/api/jobs", active="true", kind="frame")["items"]] == [job["id"]]
    done = studio.ended(job)
    assert (done["status"], done["error"]) == ("done", None)
    assert done["result"] == {"media_url": shown(studio)["first_frame_url"], "skipped": None, "notes": []}
    assert abs(done["cost_micros"] - studio.simulator.bill.charges()[0].micro_dollars) <= 1, "rounded up"
    again = studio.ended(studio.ask(shot, "frame"))
    assert again["id"] != job["id"] and again["result"]["media_url"] != done["result"]["media_url"]
    assert abs(again["cost_micros"] - studio.simulator.bill.charges()[1].micro_dollars) <= 1, "of this job alone"
    assert len(studio.versions(shot)) == 2 == len(studio.submits())


def test_what_is_cancelled_is_kept_hidden_and_shown_for_nothing_when_asked_for_again(studio: Studio) -> None:
    [shot] = shots_of(studio)
    job = studio.ask(shot, "frame")
    studio.at_provider()
    cancel(studio, job)
    assert studio.client.post(f"/api/jobs/{job['id']}/cancel").status_code == 409
    [version] = kept(studio, shot, 1)
    assert (version["current"], version["earlier_text"]) == (False, False)
    assert shown(studio)["first_frame_url"] is None
    assert framed(studio, shot) == version["media_url"] == shown(studio)["first_frame_url"]
    assert len(studio.submits()) == 1


def test_a_cancel_brings_back_what_was_there_before(studio: Studio) -> None:
    [shot] = shots_of(studio)
    first = framed(studio, shot)
    units = studio.services.store.ledger
    before = units.records(studio.project)
    job = studio.ask(shot, "frame")
    studio.at_provider(2)
    cancel(studio, job)
    newest = kept(studio, shot, 2)[0]
    assert not newest["current"] and shown(studio)["first_frame_url"] == first
    now = units.records(studio.project)
    assert {(key, one.status, one.digest) for key, one in now.items()} == {
        (key, one.status, one.digest) for key, one in before.items()
    }, "no run makes it again"
    retried = studio.client.post(f"/api/jobs/{job['id']}/retry")
    assert (retried.status_code, retried.get_json()["attempt"]) == (202, 2)
    assert studio.ended(job)["result"]["media_url"] == newest["media_url"] == shown(studio)["first_frame_url"]
    assert len(studio.submits()) == 2


def test_a_cancel_leaves_the_users_own_picture_theirs(studio: Studio) -> None:
    [shot] = shots_of(studio)
    own = studio.upload(f"{shot}/first-frame", COLOURS[2]).get_json()["first_frame_url"]
    job = studio.ask(shot, "frame")
    studio.at_provider()
    cancel(studio, job)
    kept(studio, shot, 2)
    assert (shown(studio)["first_frame_url"], shown(studio)["own_slots"]) == (own, ["first_frame"])
    assert framed(studio, shot) != own
    assert shown(studio)["own_slots"] == [] and len(studio.submits()) == 1


def test_a_job_that_waits_for_its_turn_is_cancelled_before_anything_is_sent(studio: Studio) -> None:
    wide = studio.services.runner.lanes["image"].parallel  # type: ignore[index]
    jobs = [studio.ask(shot, "frame") for shot in shots_of(studio, wide + 1)]
    studio.at_provider(wide)
    waiting = next(job for job in jobs if studio.job(job["id"])["status"] == "queued")
    cancel(studio, waiting)
    assert {studio.ended(job)["status"] for job in jobs if job is not waiting} == {"done"}
    assert len(studio.submits()) == wide


def test_a_failed_job_is_made_again_from_the_same_inputs(studio: Studio) -> None:
    studio.simulator.script("unauthorised", operation="submit", times=9)
    [shot] = shots_of(studio)
    failed = studio.ended(studio.ask(shot, "frame"))
    assert (failed["status"], failed["error"]["code"], failed["attempt"]) == ("failed", "queue_halted", 1)
    assert "REPLICATE_API_TOKEN" in failed["error"]["hint"]
    studio.simulator.calm()
    assert studio.client.post(f"/api/jobs/{failed['id']}/retry").status_code == 202
    done = studio.ended(failed)
    assert (done["status"], done["error"], done["attempt"]) == ("done", None, 2)
    first, second = (call.body["input"] for call in studio.submits())
    assert first == second
    assert studio.client.post(f"/api/jobs/{failed['id']}/retry").status_code == 409


def test_another_quality_is_another_job_that_waits_its_turn(studio: Studio) -> None:
    [shot] = shots_of(studio)
    paid = studio.ask(shot, "frame")
    drawn = studio.ask(shot, "frame", render="preview")
    assert drawn["id"] != paid["id"] and drawn["estimate_micros"] == 0
    paid, drawn = studio.ended(paid), studio.ended(drawn)
    assert (paid["status"], drawn["status"]) == ("done", "done")
    assert paid["result"]["media_url"] != drawn["result"]["media_url"] == shown(studio)["first_frame_url"]
    assert len(studio.submits()) == 1
    assert (paid["cost_micros"] > 0, drawn["cost_micros"]) == (True, 0)


def test_an_edit_meanwhile_is_another_wish_and_each_is_bought_once(studio: Studio) -> None:
    [shot] = shots_of(studio)
    first = studio.ask(shot, "frame")
    studio.at_provider()
    assert studio.client.patch(shot, json={"action": "The bell falls silent."}).status_code == 200
    second = studio.ask(shot, "frame")
    assert second["id"] != first["id"]
    assert {studio.ended(job)["status"] for job in (first, second)} == {"done"}
    assert "silent" in studio.submits()[1].body["input"]["prompt"]
    assert len(studio.submits()) == 2
    assert [one["earlier_text"] for one in kept(studio, shot, 2)] == [False, True]


@pytest.mark.parametrize("at_provider", [True, False])
def test_the_next_process_goes_on_with_it(tmp_path: Path, at_provider: bool) -> None:
    with Simulator(scale=1.0) as simulator:
        before = open_studio(simulator, tmp_path / "data")
        [shot] = shots_of(before)
        job = before.ask(shot, "frame")
        if at_provider:
            before.at_provider()
            before.until(lambda: before.job(job["id"])["phase"] in ("queued", "running"))
        before.services.close(5)
        after = open_studio(simulator, tmp_path / "data", before.project)
        done = after.ended(job)
        assert (done["status"], done["attempt"]) == ("done", 1)
        assert after.see(f"/api/projects/{after.project}/shots")["items"][0]["first_frame_url"]
        assert len(after.submits()) == 1 == len(simulator.bill.charges())
        assert done["cost_micros"] > 0
        after.services.close(5)
        assert simulator.errors == []


def test_a_lost_answer_waits_for_the_users_word_and_the_job_goes_on(studio: Studio) -> None:
    for fault in ("reset_after", "webhook_lost"):
        studio.simulator.script(fault, operation="submit", provider="fal")
    assert (
        studio.client.patch(f"/api/projects/{studio.project}", json={"frame_image_model": "kontext"}).status_code == 200
    )
    [shot] = shots_of(studio)
    bell = studio.add("props", "Bell")
    studio.upload(f"{bell}/reference-image", COLOURS[1])
    studio.client.patch(shot, json={"subjects": ["Bell"]})
    failed = studio.ended(studio.ask(shot, "frame"))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "submit_ambiguous")
    generation = failed["error"]["generation_id"]
    settled = studio.client.post(f"/api/generations/{generation}/resolve", json={"choice": "resend"})
    assert settled.status_code == 200
    done = studio.until(lambda: studio.ready() or ((now := studio.job(failed["id"]))["status"] == "done" and now))
    assert done["result"]["media_url"] == shown(studio)["first_frame_url"]


def test_what_cannot_be_made_is_refused_and_leaves_no_job(tmp_path: Path) -> None:
    with Simulator() as simulator:
        keys = [name.lower() for name in simulator.env() if name.endswith(("_KEY", "_TOKEN"))]
        studio = open_studio(simulator, tmp_path / "data", **dict.fromkeys(keys))
        [shot] = shots_of(studio)
        refused = studio.client.post(f"{shot}/frame", json={"render": "paid"})
        assert (refused.status_code, refused.get_json()["code"]) == (409, "needs_setup")
        assert studio.client.post(f"{shot}/lipsync", json={}).status_code == 404, "nobody speaks in it"
        assert studio.client.post("/api/shots/999/frame", json={}).status_code == 404
        assert studio.client.post("/api/segments/999/audio", json={}).status_code == 404
        assert studio.see("/api/jobs")["items"] == []
        studio.services.close(5)


def test_a_long_list_of_jobs_takes_as_many_queries_as_a_short_one(studio: Studio) -> None:
    [shot] = shots_of(studio)
    other = studio.client.post("/api/projects", json={"story": "Another bell."}).get_json()["id"]
    target = {"kind": "frame", "target_type": "shots", "target_id": int(shot.rpartition("/")[2]), "status": "done"}
    rows = [(studio.project, 0)] + [(other, at) for at in range(100)]
    with studio.services.store.db.write() as session:
        session.execute(
            insert(Job),
            [
                {"id": f"{project}-{at}", "project_id": project, "inputs": {"unit": "frames/1"}, **target}
                for project, at in rows
            ],
        )
    numbers = []
    for project, length in ((studio.project, 1), (other, 100)):
        with counted() as asked:
            items = studio.see("/api/jobs", project_id=project, limit=100)["items"]
        assert len(items) == length
        numbers.append(len(asked))
    assert numbers[0] == numbers[1]
