"""A request that the user has sent again is sent by whoever waits for it, or it ends and says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from pipeline.store.models import Event, Shot
from tests.paid.site import Site, open_site
from tests.simulator import Simulator
from tests.simulator.call import Call

ENDED = ("finished", "failed", "cancelled")
LOST = {"provider": "fal", "operation": "submit"}


def lose_the_answer(site: Site, **where: Any) -> None:
    """The next submit is turned away, and its client cannot know; fal cannot list its jobs."""
    site.simulator.script("server_error", **(LOST | where))
    site.simulator.script("webhook_lost", **(LOST | where))


def lost_frame(site: Site) -> tuple[Shot, str]:
    """A shot whose frame was asked for, and the request whose answer was lost."""
    lose_the_answer(site)
    shot = site.shots("narration")[0]
    assert site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "paid"}).status_code == 202
    [case] = site.until(site.unresolved)
    site.finish_jobs()
    return shot, case["id"]


def resend(site: Site, generation: str) -> None:
    assert site.client.post(f"/api/generations/{generation}/resolve", json={"choice": "resend"}).status_code == 200


def open_rows(site: Site) -> list[str]:
    return [f"{row.unit_key} {row.status}" for row in site.generations() if row.status not in ENDED]


def said_of(site: Site, unit: str) -> list[str]:
    with site.services.store.db.read() as session:
        return list(session.scalars(select(Event.text).where(Event.unit == unit).order_by(Event.seq)))


def test_what_nobody_wants_any_more_is_not_sent(fal_site: Site) -> None:
    shot, case = lost_frame(fal_site)
    with fal_site.services.store.db.write() as session:
        session.get_one(Shot, shot.id).action = "Mira waves from the pier"
    resend(fal_site, case)
    fal_site.until(lambda: open_rows(fal_site) == [])
    [row] = fal_site.generations()
    assert row.status == "cancelled" and row.error and row.error["code"] == "superseded"
    assert fal_site.submits() == 1
    told = fal_site.until(lambda: [text for text in said_of(fal_site, row.unit_key) if "not sent again" in text])
    assert len(told) == 1
    assert fal_site.shots("narration")[0].first_frame_url == shot.first_frame_url


def test_what_was_finished_otherwise_is_not_sent(fal_site: Site) -> None:
    """The same frame is made by the built-in engines while its lost answer waits for the user."""
    shot, case = lost_frame(fal_site)
    made = fal_site.client.post(f"/api/shots/{shot.id}/frame", json={"render": "preview"})
    assert made.status_code == 202
    fal_site.finish_jobs()
    resend(fal_site, case)
    fal_site.until(lambda: open_rows(fal_site) == [])
    assert [row.status for row in fal_site.generations()] == ["cancelled"]
    assert fal_site.submits() == 1


def test_lips_are_sent_again_while_their_film_is_still_being_made(fal_site: Site) -> None:
    """A run goes on without the lips, so it is not the run that waits for the user's word."""
    site, [speaking] = fal_site, fal_site.shots("dialogue")
    slow = [shot.action or shot.text for shot in site.shots("narration")]
    changes = {"render_image": "paid", "render_video": "paid", "render_lipsync": "paid"}
    assert site.client.patch("/api/projects/1", json=changes).status_code == 200
    lose_the_answer(site, model="*lip*")

    def is_slow(call: Call) -> bool:
        return any(words in str(call.body) for words in slow)

    site.simulator.script("stuck", operation="submit", model="*wan*", times=0, when=is_slow)
    site.services.runner.start(1, from_stage="frames", force=True)
    [case] = site.until(site.unresolved)
    assert case["unit"] == f"lipsync/{speaking.id}"
    site.until(lambda: site.shots("dialogue")[0].lipsync_status == "failed")
    assert site.services.runner.status(1)["state"] == "running"
    resend(site, case["id"])
    site.until(lambda: site.shots("dialogue")[0].lipsync_status == "done")
    assert site.services.runner.status(1)["state"] == "running", "the lips did not wait for the end of the film"
    assert len([row for row in site.generations() if row.id == case["id"] and row.status == "finished"]) == 1


def test_a_kill_before_it_is_sent_again_does_not_lose_it(previewed: Path, simulator: Simulator) -> None:
    with open_site(previewed, simulator, replicate_api_token="") as site:
        shot, case = lost_frame(site)
    with open_site(previewed, simulator, replicate_api_token="") as site:
        # As a kill leaves it that comes after the user's word and before the request: here nobody sees to what is left.
        site.services.runner.generator.resolve(case, "resend")
    with open_site(previewed, simulator, replicate_api_token="") as site:
        site.services.runner.recover()
        site.until(lambda: site.shots("narration")[0].first_frame_url != shot.first_frame_url)
        assert [row.status for row in site.generations()] == ["finished"]
        assert site.submits() == 2


def test_what_fails_while_a_film_waits_for_its_user_is_not_bought_again(fal_site: Site) -> None:
    """A late webhook brings one of two lost answers back; what it brings cannot be used, and the film waits on."""
    site = fal_site
    for kind, which in (("reset_after", 1), ("reset_after", 2), ("truncated_output", 1), ("webhook_lost", 2)):
        site.simulator.script(kind, nth=which, **LOST)
    site.simulator.script("webhook_late", nth=1, seconds=1.5, **LOST)
    assert site.client.patch("/api/projects/1", json={"render_image": "paid"}).status_code == 200
    assert site.client.post("/api/projects/1/yolo", json={"from": "frames", "force": True}).status_code == 202
    site.until(lambda: site.services.runner.status(1)["state"] == "paused")
    brought, lost = site.until(lambda: [row for row in site.generations() if row.status in ("failed", "ambiguous")][:2])
    brought, lost = sorted((brought, lost), key=lambda row: row.status == "ambiguous")
    site.until(lambda: next(row.status for row in site.generations() if row.id == brought.id) == "failed")
    resend(site, lost.id)
    site.until(lambda: site.services.runner.status(1)["state"] not in ("running", "paused"))
    asked = [row.unit_key for row in site.generations()]
    assert asked.count(brought.unit_key) == 1, "it stays failed until its user asks again"
    assert site.submits() == len(asked) + 1, "only what the user had sent again was sent twice"
