"""A provider that refuses everything: the rest is not sent, everyone is told why, and resuming goes on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.paid.site import Site, open_site
from tests.simulator import Simulator

CAUSES = pytest.mark.parametrize(
    ("fault", "advice"), [("unauthorised", "REPLICATE_API_TOKEN"), ("no_credit", "Add credit")]
)


@pytest.fixture
def site(previewed: Path, simulator: Simulator) -> Iterator[Site]:
    """One clip at a time, so that it is known what would be the rest."""
    with open_site(previewed, simulator, max_concurrent_videos=1) as opened:
        yield opened


def status(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.client.get(f"/api/projects/{site.project_id}/yolo-status").get_json()
    return found


def halted(site: Site) -> str | None:
    said: str | None = site.client.get(f"/api/projects/{site.project_id}/video-status").get_json()["halted"]
    return said


def shown_in_account(site: Site) -> tuple[str, dict[str, str]]:
    providers = site.client.get("/api/account/overview").get_json()["providers"]
    [replicate] = [one for one in providers if one["name"] == "replicate"]
    return replicate["state"], replicate["halted"]


def shots(site: Site) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.client.get(f"/api/projects/{site.project_id}/video-status").get_json()["shots"]
    return found


@CAUSES
def test_the_rest_of_a_film_waits_for_the_cause_to_be_removed(site: Site, fault: str, advice: str) -> None:
    clips = len(shots(site))
    assert clips > 1
    site.simulator.script(fault, provider="replicate", operation="submit", times=0)
    changed = site.client.patch(f"/api/projects/{site.project_id}", json={"render_video": "paid"})
    assert changed.status_code == 200, changed.get_json()
    films = f"/api/projects/{site.project_id}/yolo"
    assert site.client.post(films, json={"from": "videos", "force": True}).status_code == 202
    site.until(lambda: status(site)["state"] != "running")
    now = status(site)
    assert (now["state"], now["code"]) == ("paused", "queue_halted")
    [problem] = [one for one in now["problems"] if one["code"] == "queue_halted"]
    assert advice in problem["hint"] and problem["text"].endswith(problem["hint"])
    assert problem["about"]["shot"] >= 1 and problem["about"]["provider"] == "replicate"
    assert advice in (halted(site) or "")
    state, kinds = shown_in_account(site)
    assert state == "degraded" and advice in kinds["video"]
    assert (site.submits(), site.simulator.bill.charges()) == (1, []), "the first was refused, the rest never sent"

    waiting = next(one for one in shots(site) if one["id"] != problem["about"]["shot_id"])
    site.client.post(f"/api/shots/{waiting['id']}/video", json={"render": "paid"})
    site.finish_jobs()
    assert site.submits() == 1, "a shot by itself is not sent either"

    site.simulator.calm()
    assert site.client.post(f"{films}/resume").status_code == 202
    site.until(lambda: status(site)["state"] != "running")
    assert status(site)["state"] == "done", status(site)
    assert halted(site) is None and shown_in_account(site) == ("ready", {})
    assert {one["video_status"] for one in shots(site)} == {"done"}
    assert (site.submits(), len(site.simulator.bill.charges())) == (1 + clips, clips), "each clip once"


@CAUSES
def test_single_shots_of_a_finished_film_wait_too(site: Site, fault: str, advice: str) -> None:
    shot = shots(site)[0]["id"]
    site.simulator.script(fault, provider="replicate", operation="submit", times=0)

    def ask() -> dict[str, Any]:
        assert site.client.post(f"/api/shots/{shot}/video", json={"render": "paid"}).status_code == 202
        site.finish_jobs()
        return next(one for one in shots(site) if one["id"] == shot)

    assert advice in str(ask()["video_problem"])
    assert advice in str(ask()["video_problem"]) and site.submits() == 1
    site.simulator.calm()
    resume = f"/api/projects/{site.project_id}/yolo/resume"
    assert site.client.post(resume).status_code == 202 and halted(site) is None
    assert ask()["video_status"] == "done"
    assert (site.submits(), len(site.simulator.bill.charges())) == (2, 1)
    assert site.client.post(resume).status_code == 409, "now there is nothing to resume"
