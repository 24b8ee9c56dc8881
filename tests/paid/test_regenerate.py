"""A finished frame or clip asked for again: another version of it, bought once however often the wish arrives."""

from __future__ import annotations

import pytest

from pipeline.store.models import Generation
from tests.paid.site import Site

URLS = {"frame": "first_frame_url", "video": "video_url"}


def ask(site: Site, what: str, key: str = "") -> dict[str, object]:
    headers = {"Idempotency-Key": key} if key else {}
    shot = site.shots("narration")[0]
    answer = site.client.post(f"/api/shots/{shot.id}/{what}", json={"render": "paid"}, headers=headers)
    assert answer.status_code in (200, 202)
    found: dict[str, object] = answer.get_json()
    return found


def url(site: Site, what: str) -> str:
    return str(getattr(site.shots("narration")[0], URLS[what]))


def seeds(rows: list[Generation]) -> list[int]:
    return [row.request["seed"] for row in rows]


@pytest.mark.parametrize("what", ["frame", "video"])
def test_each_wish_gives_another_version_and_the_older_one_is_kept(site: Site, what: str) -> None:
    made = [url(site, what)]
    for _ in range(2):
        ask(site, what)
        site.finish_jobs()
        made.append(url(site, what))
    assert made[0] != made[1] and all(site.services.store.media.exists(one) for one in made)
    rows = site.generations()
    assert [row.status for row in rows] == ["finished", "finished"]
    assert len(set(seeds(rows))) == 2 == site.submits()


def test_a_repeat_under_its_key_and_a_double_click_buy_nothing(site: Site) -> None:
    site.simulator.world.clock.scale = 0.1
    answers = [ask(site, "frame", key="once"), ask(site, "frame", key="once"), ask(site, "frame")]
    site.finish_jobs()
    assert answers[0] == answers[1] == ask(site, "frame", key="once") and answers[2]["id"] == answers[0]["id"]
    assert site.submits() == 1 == len(site.simulator.bill.charges())


def test_a_film_and_a_wish_of_the_same_shot_buy_it_once(site: Site) -> None:
    number = len(site.shots("narration") + site.shots("dialogue"))
    site.simulator.world.clock.scale = 1.0
    assert site.client.patch("/api/projects/1", json={"render_image": "paid"}).status_code == 200
    assert site.client.post("/api/projects/1/yolo", json={"from": "frames", "force": True}).status_code == 202
    site.until(lambda: [row.status for row in site.generations()] == ["accepted"] * number)
    ask(site, "frame")
    site.simulator.world.clock.scale = 0.0
    site.simulator.advance(600)
    site.finish_jobs()
    assert site.services.runner.wait(1, 60) == "done"
    assert {row["status"] for row in site.jobs()} == {"done"}
    assert site.submits() == number == len(site.simulator.bill.charges())


def test_a_wish_that_failed_is_tried_again_with_the_same_seed(fal_site: Site) -> None:
    ask(fal_site, "frame")
    fal_site.finish_jobs()
    before = url(fal_site, "frame")
    fal_site.simulator.script("job_failed", provider="fal", operation="submit", times=3)
    ask(fal_site, "frame")
    fal_site.finish_jobs()
    assert url(fal_site, "frame") == before
    ask(fal_site, "frame")
    fal_site.finish_jobs()
    first, *tried = fal_site.generations()
    assert len(tried) == 4 and len(set(seeds(tried))) == 1 and seeds(tried)[0] != seeds([first])[0]
    assert tried[-1].status == "finished" and url(fal_site, "frame") != before
