"""A film whose results nobody could check: it goes on without them, and they come in by a second look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paid.site import Site, open_site
from tests.simulator import Simulator


@pytest.fixture
def site(previewed: Path, simulator: Simulator) -> Iterator[Site]:
    with open_site(previewed, simulator, moderation_checkers="rekognition") as opened:
        yield opened


def test_a_hidden_clip_is_checked_again_over_http(site: Site, simulator: Simulator) -> None:
    simulator.script("server_error", provider="aws", operation="moderate", times=0)
    project = f"/api/projects/{site.project_id}"
    assert site.client.patch(project, json={"render_video": "paid"}).status_code == 200
    assert site.client.post(f"{project}/yolo", json={"from": "videos", "force": True}).status_code == 202
    site.services.runner.wait(site.project_id, 120)
    held = [row for row in site.generations() if row.status == "held"]
    assert held, [(row.capability, row.status, row.error) for row in site.generations()]
    problems = site.services.runner.status(site.project_id)["problems"]
    assert "moderation_unavailable" in {problem["code"] for problem in problems}
    submits, files = site.submits(), len(list(site.services.store.folder.media.rglob("*.mp4")))

    answer = site.client.post(f"/api/generations/{held[0].id}/recheck")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "moderation_unavailable")
    assert len(list(site.services.store.folder.media.rglob("*.mp4"))) == files

    simulator.calm()
    for row in held:
        answer = site.client.post(f"/api/generations/{row.id}/recheck")
        assert (answer.status_code, answer.get_json()["status"]) == (200, "finished")
    assert site.client.post(f"/api/generations/{held[0].id}/recheck").status_code == 409
    assert site.client.post("/api/generations/nothing/recheck").status_code == 404
    assert site.client.post(f"{project}/yolo").status_code == 202
    assert site.services.runner.wait(site.project_id, 120) == "done"
    assert site.submits() == submits
    assert {row.status for row in site.generations() if row.capability != "check"} == {"finished"}
