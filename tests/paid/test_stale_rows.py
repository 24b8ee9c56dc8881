"""FAULT 10: clips that claim to be in the making while nothing makes them are put right when the status is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.store.models import Shot
from tests.paid.site import Site, open_site
from tests.simulator import Simulator


def claim(site: Site) -> Shot:
    """The first clip as a killed process leaves it."""
    shot = site.shots("narration")[0]
    with site.services.store.db.write() as session:
        session.get_one(Shot, shot.id).video_status = "generating"
    return shot


def status(site: Site, shot: Shot) -> dict[str, Any]:
    answer = site.client.get("/api/projects/1/video-status").get_json()
    rows = {row["id"]: row for row in answer["shots"]}
    return {"queue": (answer["active"], answer["waiting"]), **rows[shot.id]}


def test_without_a_handle_it_waits_again(site: Site) -> None:
    found = status(site, claim(site))
    assert found["queue"] == (0, 0) and found["video_status"] == "pending"
    assert site.submits() == 0


def test_with_a_saved_handle_it_is_attached_to_its_job(previewed: Path, simulator: Simulator) -> None:
    simulator.world.clock.scale = 1.0
    with open_site(previewed, simulator) as site:
        shot = site.shots("narration")[0]
        assert site.client.post(f"/api/shots/{shot.id}/video", json={"render": "paid"}).status_code == 202
        site.until(lambda: [row.status for row in site.generations()] == ["accepted"])
    simulator.world.clock.scale = 0.0
    with open_site(previewed, simulator) as site:
        claim(site)
        assert status(site, shot)["video_status"] == "generating", "a provider is at work on it"
        simulator.advance(600)
        site.until(lambda: status(site, shot)["video_status"] == "done")
        assert [row.status for row in site.generations()] == ["finished"]
        assert site.submits() == 1 == len(simulator.bill.charges())
        assert site.shots("narration")[0].video_url != shot.video_url
