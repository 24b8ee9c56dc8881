"""The clip queue's places are places at providers: our own work on a clip holds none."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

from tests.paid.site import Site, open_site
from tests.simulator import Simulator


def queue(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.client.get(f"/api/projects/{site.project_id}/video-status").get_json()
    return found


def counts(site: Site) -> tuple[int, int]:
    now = queue(site)
    return now["active"], now["checking"]


def test_the_next_clip_is_sent_while_those_that_came_are_checked(previewed: Path, simulator: Simulator) -> None:
    with open_site(previewed, simulator, max_concurrent_videos=1) as site:
        clips = len(queue(site)["shots"])
        assert clips > 2
        project = f"/api/projects/{site.project_id}"
        assert site.client.patch(project, json={"render_video": "paid"}).status_code == 200
        own_work = site.services.runner.generator.own_work
        with own_work.turn(Event()), own_work.turn(Event()):  # both are taken: nothing can be checked meanwhile
            site.client.post(f"{project}/yolo", json={"from": "videos", "force": True})
            site.until(lambda: counts(site) == (0, 2))
            assert queue(site)["waiting"] == clips - 2, "what has come is to be checked before more is sent"
            assert site.submits() == 2
            assert {row.status for row in site.generations()} == {"accepted"}
        site.until(lambda: site.client.get(f"{project}/yolo-status").get_json()["state"] != "running")
        assert {one["video_status"] for one in queue(site)["shots"]} == {"done"}
        assert counts(site) == (0, 0)
        assert site.submits() == clips
        jobs = sorted(simulator.jobs("replicate"), key=lambda job: job.created_at)
        assert all(before.finished_at <= after.created_at for before, after in pairwise(jobs))


def test_a_bought_picture_is_put_into_motion_here(previewed: Path, simulator: Simulator) -> None:
    """fal says the size of each of its pictures; nobody took that for the description of a drawing."""
    with open_site(previewed, simulator, replicate_api_token="") as site:
        project = f"/api/projects/{site.project_id}"
        assert site.client.patch(project, json={"render_image": "paid"}).status_code == 200
        site.client.post(f"{project}/yolo", json={"from": "frames", "force": True})
        site.until(lambda: site.client.get(f"{project}/yolo-status").get_json()["state"] != "running")
        assert site.client.get(f"{project}/yolo-status").get_json()["state"] == "done"
        assert {one["video_status"] for one in queue(site)["shots"]} == {"done"}
