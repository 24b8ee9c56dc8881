"""Paid work over HTTP: one shot upgraded, lips of a film, lost answers settled by the user or by a webhook."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from server.app import create_app
from tests.paid.site import Site


def test_one_shot_is_upgraded_and_nothing_moves(site: Site) -> None:
    site.simulator.world.clock.scale = 0.05  # so that the three wishes meet one job
    shot = site.shots("narration")[0]
    before = (shot.start_ms, shot.end_ms)
    asked = [site.client.post(f"/api/shots/{shot.id}/video", json={"render": "paid"}) for _ in range(3)]
    assert [one.status_code for one in asked] == [202, 200, 200]
    site.until(lambda: (now := site.shots("narration")[0]).video_url != shot.video_url and now.video_status == "done")
    assert len(site.simulator.bill.charges()) == 1
    after = site.shots("narration")[0]
    assert (after.start_ms, after.end_ms) == before
    assert after.actual_video_duration_ms and after.actual_video_duration_ms > 5000
    film = site.services.runner
    film.start(site.project_id)
    assert film.wait(site.project_id, 60) == "done"
    assert len(site.simulator.bill.charges()) == 1, "the film is put together anew, and nothing else is made"


def test_lips_wait_for_their_result_and_requests_join(site: Site) -> None:
    shot = site.shots("dialogue")[0]
    answers = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(
                create_app(site.services).test_client().post(f"/api/shots/{shot.id}/lipsync", json={"render": "paid"})
            )
        )
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert [one.status_code for one in answers] == [200, 200, 200], [one.get_json() for one in answers]
    assert len({one.get_json()["lipsync_url"] for one in answers}) == 1
    assert len(site.simulator.bill.charges()) == 1
    status = site.client.get(f"/api/projects/{site.project_id}/lipsync-status").get_json()
    assert status["items"][0]["lipsync_status"] == "done" and status["left_estimate_micros"] == 0


def test_lips_that_are_cancelled_leave_those_before_and_come_as_a_version(site: Site) -> None:
    site.simulator.world.clock.scale = 1.0
    before = site.shots("dialogue")[0]

    def ask() -> Any:
        headers = {"Prefer": "respond-async"}
        return site.client.post(f"/api/shots/{before.id}/lipsync", json={"render": "paid"}, headers=headers)

    asked, joined = ask(), ask()
    assert (asked.status_code, joined.status_code) == (202, 200)
    assert asked.get_json()["id"] == joined.get_json()["id"]
    site.until(lambda: "accepted" in [row.status for row in site.generations()])
    assert site.shots("dialogue")[0].lipsync_status == "generating"
    assert site.client.post(f"/api/jobs/{asked.get_json()['id']}/cancel").status_code == 200
    site.until(lambda: site.shots("dialogue")[0].lipsync_status == before.lipsync_status)
    site.simulator.world.clock.scale = 0.0
    site.simulator.advance(600)
    site.services.runner.loose.watch()

    def late() -> list[dict[str, Any]]:
        versions = site.client.get(f"/api/shots/{before.id}/versions").get_json()["items"]
        return [one for one in versions if one["slot"] == "lipsync" and one["media_url"] != before.lipsync_url]

    [version] = site.until(late)
    assert (version["current"], version["earlier_text"]) == (False, False)
    assert site.shots("dialogue")[0].lipsync_url == before.lipsync_url
    ask()
    site.finish_jobs()
    assert site.shots("dialogue")[0].lipsync_url == version["media_url"]
    assert len(site.simulator.bill.charges()) == 1


def test_lips_that_fail_say_why_to_whoever_waits(site: Site) -> None:
    site.simulator.script("unauthorised", operation="submit", times=0)
    shot = site.shots("dialogue")[0]
    answer = site.client.post(f"/api/shots/{shot.id}/lipsync", json={"render": "paid"})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "queue_halted")
    assert "REPLICATE_API_TOKEN" in answer.get_json()["hint"]
    [job] = site.jobs()
    assert (job["status"], job["error"]["code"]) == ("failed", "queue_halted")


def test_lips_that_somebody_else_has_only_just_asked_for_are_waited_for_too(site: Site) -> None:
    shot, services = site.shots("dialogue")[0], site.services
    with services.store.db.write(durable=True) as session:
        services.runner.units["lipsync"].ask(session, shot.id, render="paid")
    joined = site.client.post(f"/api/shots/{shot.id}/lipsync", json={"render": "paid"})
    assert joined.status_code == 200 and joined.get_json()["lipsync_url"], joined.get_json()
    assert len(site.simulator.bill.charges()) == 1


def test_a_lost_answer_is_told_by_the_webhook(fal_site: Site) -> None:
    fal_site.simulator.script("reset_after", provider="fal", operation="submit")
    shot = fal_site.shots("narration")[0]
    fal_site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "paid"})
    fal_site.until(lambda: fal_site.shots("narration")[0].first_frame_url != shot.first_frame_url)
    assert len(fal_site.simulator.requests(operation="submit")) == 1
    assert fal_site.unresolved() == []


@pytest.mark.parametrize("choice", ["resend", "abandon"])
def test_a_lost_answer_is_settled_by_the_user(fal_site: Site, choice: str) -> None:
    fal_site.simulator.script("reset_after", provider="fal", operation="submit")
    fal_site.simulator.script("webhook_lost", provider="fal", operation="submit")
    shot = fal_site.shots("narration")[0]
    fal_site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "paid"})
    [case] = fal_site.until(fal_site.unresolved)
    assert case["status"] == "ambiguous" and case["provider"] == "fal"
    assert fal_site.client.post(f"/api/generations/{case['id']}/resolve", json={}).status_code == 422
    settled = fal_site.client.post(f"/api/generations/{case['id']}/resolve", json={"choice": choice})
    assert settled.status_code == 200
    if choice == "resend":
        fal_site.until(lambda: fal_site.shots("narration")[0].first_frame_url != shot.first_frame_url)
    submits = len(fal_site.simulator.requests(operation="submit"))
    assert submits == (2 if choice == "resend" else 1)
    assert fal_site.client.post(f"/api/generations/{case['id']}/resolve", json={"choice": choice}).status_code == 409


@pytest.mark.parametrize("kind", ["webhook_repeated", "webhook_out_of_order", "webhook_forged"])
def test_what_a_webhook_says_of_known_work_changes_nothing(site: Site, kind: str) -> None:
    """FAULT 26: repeated, in a wrong order or forged."""
    site.simulator.script(kind, operation="submit")
    shot = site.shots("narration")[0]
    site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "paid"})
    site.until(lambda: site.shots("narration")[0].first_frame_url != shot.first_frame_url)
    site.until(lambda: site.simulator.webhooks)
    assert len(site.simulator.bill.charges()) == 1
    assert site.unresolved() == []


def test_a_webhook_without_a_right_signature_is_refused(site: Site) -> None:
    forged = site.client.post("/api/webhooks/fal?generation=x", json={"request_id": "x", "status": "OK"})
    assert forged.status_code == 403
    assert site.client.post("/api/webhooks/nobody", json={}).status_code == 404
