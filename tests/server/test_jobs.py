"""Jobs over HTTP: listed, joined, cancelled, made again, taken up by the next process."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from pipeline.store.models import Generation
from tests.server.studio import Studio, open_studio
from tests.simulator import Simulator


def test_a_job_says_what_it_is_about_and_what_it_cost(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    job = studio.ask(bell)
    assert (job["status"], job["phase"], job["target_type"], job["target_id"]) == ("queued", "waiting", "props", 1)
    assert (job["cost_micros"], job["error"], job["attempt"]) == (None, None, 1)
    assert job["estimate_micros"] > 0
    studio.at_provider()
    running = studio.until(lambda: (now := studio.job(job["id"]))["phase"] in ("queued", "running") and now)
    assert running["status"] == "running"
    assert running["started_at"]
    done = studio.ended(job)
    assert (done["status"], done["phase"], done["error"]) == ("done", "", None)
    assert abs(done["cost_micros"] - studio.simulator.bill.charges()[0].micro_dollars) <= 1, "rounded up"
    assert done["result"]["media_url"] == studio.see(bell)["reference_image_url"]
    assert done["ended_at"] >= done["started_at"] >= done["created_at"]


def test_the_same_again_while_it_is_at_work_is_the_same_job(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    first = studio.ask(bell)
    for _ in range(3):
        assert studio.ask(bell, status=200)["id"] == first["id"]
    assert studio.ask(bell, "generate-advanced", status=200, prompt="")["id"] == first["id"]
    other = studio.ask(bell, "generate-advanced", prompt="Another bell")
    assert other["id"] != first["id"]
    studio.ended(first)
    studio.ended(other)
    assert len(studio.submits()) == 2
    again = studio.ask(bell)
    assert again["id"] != first["id"]


def test_a_repeat_with_its_key_gives_the_same_answer_for_ever(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    headers = {"Idempotency-Key": "tap"}
    answers = [studio.client.post(f"{bell}/generate", json={}, headers=headers) for _ in range(2)]
    studio.ended(answers[0].get_json())
    answers.append(studio.client.post(f"{bell}/generate", json={}, headers=headers))
    assert {answer.get_json()["id"] for answer in answers} == {answers[0].get_json()["id"]}
    assert {answer.status_code for answer in answers} == {202}
    assert len(studio.submits()) == 1


def test_many_are_at_work_side_by_side(studio: Studio) -> None:
    jobs = [studio.ask(studio.add("props", f"Bell {number}")) for number in range(5)]
    studio.at_provider(5)
    active = studio.client.get("/api/jobs?active=true").get_json()["items"]
    assert {job["id"] for job in active} == {job["id"] for job in jobs}
    assert {studio.ended(job)["status"] for job in jobs} == {"done"}
    assert studio.client.get("/api/jobs?active=true").get_json()["items"] == []


def test_jobs_are_listed_newest_first_and_page_by_page(studio: Studio) -> None:
    jobs = [studio.ended(studio.ask(studio.add("props", f"Bell {number}"))) for number in range(3)]
    newest_first = [job["id"] for job in reversed(jobs)]
    seen, cursor = [], ""
    while cursor is not None:
        page = studio.client.get(f"/api/jobs?limit=2{f'&cursor={cursor}' if cursor else ''}").get_json()
        seen += [job["id"] for job in page["items"]]
        cursor = page["next"]
    assert seen == newest_first
    project = studio.client.get(f"/api/jobs?project_id={studio.project}").get_json()["items"]
    assert [job["id"] for job in project] == newest_first
    one = studio.client.get("/api/jobs?target_type=props&target_id=2").get_json()["items"]
    assert [job["id"] for job in one] == [jobs[1]["id"]]
    for wrong, status in (("cursor=x", 422), ("active=yes", 422), ("project_id=999", 404), ("limit=0", 422)):
        assert studio.client.get(f"/api/jobs?{wrong}").status_code == status, wrong
    assert studio.client.get("/api/jobs/none").status_code == 404


def test_a_failed_job_says_why_and_can_be_made_again_from_the_same_inputs(studio: Studio) -> None:
    studio.simulator.script("unauthorised", operation="submit", times=9)
    bell = studio.add("props", "Bell", description="brass")
    failed = studio.ended(studio.ask(bell))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "queue_halted")
    assert "key" in failed["error"]["detail"]
    assert studio.see(bell)["reference_image_url"] is None
    studio.simulator.calm()
    again = studio.client.post(f"/api/jobs/{failed['id']}/retry")
    assert (again.status_code, again.get_json()["id"], again.get_json()["attempt"]) == (202, failed["id"], 2)
    done = studio.ended(failed)
    assert (done["status"], done["error"], done["result"]["shown"]) == ("done", None, True)
    late = studio.client.post(f"/api/jobs/{failed['id']}/retry")
    assert (late.status_code, late.get_json()["code"]) == (409, "conflict")


def test_a_cancelled_job_shows_nothing_and_keeps_what_was_paid_for(studio: Studio) -> None:
    bell = studio.add("props", "Bell")
    job = studio.ask(bell)
    studio.at_provider()
    cancelled = studio.client.post(f"/api/jobs/{job['id']}/cancel")
    assert (cancelled.status_code, cancelled.get_json()["status"]) == (200, "cancelled")
    assert studio.client.post(f"/api/jobs/{job['id']}/cancel").status_code == 409
    studio.services.runner.loose.watch()
    kept = studio.until(lambda: studio.ready() or studio.versions(bell))
    assert [one["current"] for one in kept] == [False]
    assert studio.see(bell)["reference_image_url"] is None
    assert len(studio.submits()) == 1


def test_a_deleted_projects_jobs_end_with_it(studio: Studio) -> None:
    job = studio.ask(studio.add("props", "Bell"))
    studio.at_provider()
    assert studio.client.delete(f"/api/projects/{studio.project}").status_code == 204
    assert studio.job(job["id"])["status"] == "cancelled"


def test_a_job_that_waits_is_cancelled_before_anything_is_sent(studio: Studio) -> None:
    wide = studio.services.runner.lanes["image"].parallel  # type: ignore[index]
    jobs = [studio.ask(studio.add("props", f"Bell {number}")) for number in range(wide + 1)]
    studio.at_provider(wide)
    waiting = next(job for job in jobs if studio.job(job["id"])["status"] == "queued")
    assert studio.client.post(f"/api/jobs/{waiting['id']}/cancel").status_code == 200
    for job in jobs:
        studio.ended(job)
    assert len(studio.submits()) == wide


def test_what_a_provider_has_is_taken_up_by_the_next_process(tmp_path: Path) -> None:
    with Simulator(scale=1.0) as simulator:
        before = open_studio(simulator, tmp_path / "data")
        bell = before.add("props", "Bell")
        jobs = [before.ask(bell), before.ask(before.add("sets", "Hill"))]
        before.at_provider(2)
        for job in jobs:
            before.until(lambda job=job: before.job(job["id"])["phase"] in ("queued", "running"))  # type: ignore[misc]
        before.services.close(5)
        after = open_studio(simulator, tmp_path / "data", before.project)
        done = [after.ended(job) for job in jobs]
        assert [job["status"] for job in done] == ["done", "done"]
        assert after.see(bell)["reference_image_url"] == done[0]["result"]["media_url"]
        assert len(after.submits()) == 2, "nothing is sent twice"
        after.services.close(5)
        assert simulator.errors == []


def test_a_job_that_had_not_begun_is_begun_by_the_next_process(tmp_path: Path) -> None:
    with Simulator() as simulator:
        before = open_studio(simulator, tmp_path / "data")
        bell = before.add("props", "Bell")
        with simulator.unreachable():
            job = before.ask(bell)
            before.services.close(5)
        after = open_studio(simulator, tmp_path / "data", before.project)
        assert after.ended(job)["status"] == "done"
        assert len(after.submits()) == 1
        after.services.close(5)


def test_a_lost_answer_waits_for_the_users_word(studio: Studio) -> None:
    studio.simulator.script("reset_after", operation="submit", provider="fal")
    bell = studio.add("props", "Bell", guides=1)
    failed = studio.ended(studio.ask(bell, model="kontext"))
    assert (failed["status"], failed["error"]["code"]) == ("failed", "submit_ambiguous")
    generation = failed["error"]["generation_id"]
    settled = studio.client.post(f"/api/generations/{generation}/resolve", json={"choice": "resend"})
    assert settled.status_code in (200, 202), settled.get_json()
    done = studio.until(lambda: studio.ready() or ((now := studio.job(failed["id"]))["status"] == "done" and now))
    assert studio.see(bell)["reference_image_url"] == done["result"]["media_url"]
    with studio.services.store.db.read() as session:
        assert set(session.scalars(select(Generation.status))) == {"finished"}


def test_without_a_key_the_built_in_engine_draws_it(tmp_path: Path) -> None:
    with Simulator() as simulator:
        keys = [name.lower() for name in simulator.env() if name.endswith(("_KEY", "_TOKEN"))]
        studio = open_studio(simulator, tmp_path / "data", **dict.fromkeys(keys), render="auto")
        bell = studio.add("props", "Bell")
        done = studio.ended(studio.ask(bell))
        assert (done["status"], done["cost_micros"], done["estimate_micros"]) == ("done", 0, 0)
        assert studio.see(bell)["reference_image_url"] == done["result"]["media_url"]
        assert studio.submits() == []
        studio.services.close(5)


def test_paid_work_without_a_key_is_refused_with_what_to_set(tmp_path: Path) -> None:
    with Simulator() as simulator:
        keys = [name.lower() for name in simulator.env() if name.endswith(("_KEY", "_TOKEN"))]
        studio = open_studio(simulator, tmp_path / "data", **dict.fromkeys(keys))
        bell = studio.add("props", "Bell")
        refused = studio.client.post(f"{bell}/generate", json={})
        assert (refused.status_code, refused.get_json()["code"]) == (409, "needs_setup")
        assert "REPLICATE_API_TOKEN" in refused.get_json()["hint"]
        assert studio.client.get("/api/jobs").get_json()["items"] == []
        studio.services.close(5)
