"""Items of the media generator over HTTP: priced, charged for, made, given back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.media.prices import terms
from pipeline.runner import Runner
from pipeline.settings import Settings
from pipeline.store import open_store
from pipeline.store.models import CreditEntry, Generation, Media
from server.answers import Answers
from server.app import create_app
from server.wiring import Services
from tests.media.conftest import Shop
from tests.paid.kit import QUICK

IMAGE = {"type": "IMAGE", "prompt": "a red boat on a lake"}


def test_an_image_is_charged_when_it_is_accepted_and_made(shop: Shop) -> None:
    shop.grant(10)
    priced = shop.client.post("/api/media/price", json=IMAGE).get_json()
    assert priced == {"credits": 4, "list_credits": 4, "free_because": ""}, "0.015 a run and as much for a megapixel"
    item = shop.order(**IMAGE)
    assert item["status"] == "accepted" and item["price_credits"] == 4
    assert shop.balance() == 6
    made = shop.made(**IMAGE)
    assert made["status"] == "finished" and made["media_failure_reason"] is None
    [picture] = made["result"]["items"]
    assert (picture["width"], picture["height"]) == (1024, 1024)
    assert shop.client.get(picture["url"]).status_code == 200
    assert shop.balance() == 2
    assert len(shop.simulator.bill.charges()) == 2, "an equal wish is another picture"
    listed = shop.client.get("/api/media?limit=1").get_json()
    assert [one["id"] for one in listed["items"]] == [made["id"]] and listed["next"] == str(made["id"])


def test_too_few_credits_start_nothing(shop: Shop) -> None:
    shop.grant(3)
    refused = shop.client.post("/api/media", json=IMAGE)
    assert refused.status_code == 402 and refused.get_json()["code"] == "insufficient_credits"
    assert shop.client.get("/api/media").get_json()["items"] == []
    assert shop.balance() == 3 and shop.simulator.requests(operation="submit") == []


def test_a_provider_failure_gives_the_credits_back_as_a_line_of_its_own(shop: Shop) -> None:
    shop.grant(10)
    shop.simulator.script("job_failed", times=99)
    item = shop.made(**IMAGE)
    assert item["status"] == "failed" and item["media_failure_reason"] == "provider_unavailable"
    assert item["media_failure_detail"]
    assert shop.lines() == [("refund", 4), ("charge", -4), ("grant", 10)]
    assert shop.balance() == 10


def test_an_output_that_is_refused_after_it_was_billed_is_not_given_back(shop: Shop) -> None:
    shop.grant(20)
    shop.simulator.script("empty_output", provider="replicate", times=99)
    item = shop.made(**IMAGE, provider="replicate")
    assert item["media_failure_reason"] == "moderation"
    assert shop.simulator.bill.total() > 0
    assert shop.lines() == [("charge", -4), ("grant", 20)]


def test_the_same_idempotency_key_charges_once(shop: Shop) -> None:
    shop.grant(10)
    twice = [shop.client.post("/api/media", json=IMAGE, headers={"Idempotency-Key": "a"}) for _ in range(2)]
    assert twice[0].get_json() == twice[1].get_json()
    assert shop.balance() == 6


def test_built_in_engines_cost_nothing(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(keys=False)
    item = shop.made(**IMAGE)
    assert item["status"] == "finished" and item["price_credits"] == 0
    priced = shop.client.post("/api/media/price", json=IMAGE).get_json()
    assert priced["credits"] == 0 and priced["list_credits"] == 4 and priced["free_because"]
    again = shop.made(type="VIDEO", prompt="it sails", image_url=item["result"]["items"][0]["url"], seconds=1)
    assert again["status"] == "finished" and shop.lines() == []


def test_a_sequence_a_clip_and_a_larger_picture(shop: Shop) -> None:
    shop.grant(200)
    panels = ["a boat leaves", "a boat sails", "a boat is home"]
    sequence = shop.made(type="IMAGE_SEQUENCE", prompts=panels, width=512, height=512)
    assert [one["index"] for one in sequence["result"]["items"]] == [0, 1, 2]
    assert sequence["price_credits"] == 6, "three times 0.015 and 0.015 for 0.26 megapixels, rounded up once"
    picture = shop.picture()
    before = len(shop.simulator.bill.charges())
    clip = shop.made(type="VIDEO", prompt="it sails", image_url=picture, seconds=4, provider="WAVESPEED")
    assert clip["status"] == "finished", clip
    [charge] = shop.simulator.bill.charges()[before:]
    assert charge.provider == "wavespeed"
    larger = shop.made(type="UPSCALE_IMAGE", image_url=picture)
    [found] = larger["result"]["items"]
    assert (found["width"], found["height"]) == (1600, 900)
    with shop.services.store.db.read() as session:
        total = session.scalar(select(func.sum(CreditEntry.credits)))
    assert shop.balance() == total


def test_a_clip_stays_with_the_provider_that_was_named(shop: Shop) -> None:
    shop.grant(100)
    shop.simulator.script("job_failed", provider="wavespeed", times=99)
    item = shop.made(type="VIDEO", prompt="it sails", image_url=shop.picture(), seconds=4, provider="WAVESPEED")
    assert item["status"] == "failed"
    assert {charge.provider for charge in shop.simulator.bill.charges()} == {"wavespeed"}
    assert shop.balance() == 100


def test_a_re_edit_of_ones_own_picture_is_free_and_sends_it(shop: Shop) -> None:
    shop.grant(4)
    first = shop.made(**IMAGE)
    second = shop.made(type="IMAGE", prompt="the same boat in blue", source_id=first["id"])
    assert second["status"] == "finished" and second["price_credits"] == 0
    sent = shop.simulator.requests(operation="submit")[-1]
    assert len(sent.body["input"]["input_images"]) == 1
    gone = shop.client.post("/api/media", json={**IMAGE, "source_id": 999})
    assert gone.status_code == 404


def test_full_access_makes_included_types_free(shop: Shop) -> None:
    assert shop.client.patch("/api/settings", json={"full-access": True}).status_code == 200
    assert shop.client.post("/api/media/price", json=IMAGE).get_json()["credits"] == 0
    clip = {"type": "VIDEO", "prompt": "it sails", "image_url": shop.picture()}
    assert shop.client.post("/api/media/price", json=clip).get_json()["credits"] > 0


def test_the_days_limit_comes_before_the_price(shop: Shop) -> None:
    with shop.services.store.db.write() as session:
        session.add_all(Media(type="VIDEO") for _ in range(terms()["VIDEO"].per_day))
    refused = shop.client.post("/api/media", json={"type": "VIDEO", "prompt": "it sails", "image_url": shop.picture()})
    assert refused.status_code == 429 and refused.get_json()["code"] == "usage_limit"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"type": "IMAGE"}, 422),
        ({"type": "IMAGE", "prompt": "a boat", "seconds": 3}, 422),
        ({"type": "IMAGE", "prompt": "a boat", "model": "wan-2.2"}, 422),
        ({"type": "IMAGE", "prompt": "a boat", "provider": "nobody"}, 422),
        ({"type": "IMAGE", "prompt": "a\x00boat"}, 422),
        ({"type": "IMAGE", "prompt": "a boat", "rating": "mature"}, 409),
        ({"type": "REFERENCE_TO_VIDEO", "prompt": "a boat"}, 409),
        ({"type": "IMAGE", "prompt": "a boat", "workflow_name": "mine"}, 409),
        ({"type": "VIDEO", "prompt": "a boat", "image_url": f"/media/{'0' * 64}.png"}, 404),
        ({"type": "VIDEO", "prompt": "a boat", "image_url": "/media/x"}, 422),
        ({"type": "SONG", "prompt": "a boat"}, 422),
    ],
)
def test_bad_wishes_leave_nothing_behind(shop: Shop, wanted: dict[str, Any], status: int) -> None:
    shop.grant(100)
    refused = shop.client.post("/api/media", json=wanted)
    assert refused.status_code == status, refused.get_json()
    assert refused.get_json()["detail"]
    assert shop.balance() == 100 and shop.client.get("/api/media").get_json()["items"] == []


def test_fifty_threads_race_for_the_last_credits(shop: Shop) -> None:
    shop.grant(4 * 7 + 3)
    statuses: list[int] = []
    start = threading.Barrier(50, timeout=60)
    app = create_app(shop.services)

    def order() -> None:
        client = app.test_client()
        start.wait()
        statuses.append(client.post("/api/media", json=IMAGE).status_code)

    threads = [threading.Thread(target=order) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses.count(202) == 7 and statuses.count(402) == 43
    assert shop.balance() == 3
    assert len(shop.client.get("/api/media").get_json()["items"]) == 7


def test_what_a_restart_finds_is_taken_up_and_bought_once(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.grant(10)
    shop.simulator.world.clock.scale = 0.2
    item = shop.order(**IMAGE)
    while not shop.simulator.bill.charges():
        pass
    shop.services.close(5)
    shop.simulator.world.clock.scale = 0.0
    known = shop.services.settings
    again = _reopened(known)
    try:
        again.media.resume()
        client = create_app(again).test_client()
        while (now := client.get(f"/api/media/{item['id']}").get_json())["status"] == "running":
            pass
        assert now["status"] == "finished", now
        assert len(shop.simulator.bill.charges()) == 1
        assert client.get("/api/credits").get_json()["balance"] == 6
    finally:
        again.close(5)


def _reopened(known: Settings) -> Services:
    store = open_store(known.data_dir)
    return Services(known, store, Runner(store, known, timing=QUICK), Answers(store.db))


def test_a_hidden_picture_comes_in_after_another_look_and_is_charged_once(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(moderation_checkers="rekognition")
    shop.grant(10)
    shop.simulator.script("server_error", provider="aws", operation="moderate", times=0)
    item = shop.made(**IMAGE)
    assert (item["status"], item["media_failure_reason"]) == ("failed", "moderation_unavailable")
    assert shop.lines() == [("charge", -4), ("grant", 10)], "it is made and billed; only the check is missing"
    shop.simulator.calm()
    with shop.services.store.db.read() as session:
        [held] = session.scalars(select(Generation.id).where(Generation.status == "held"))
    assert shop.client.post(f"/api/generations/{held}/recheck").status_code == 200
    assert shop.client.post(f"/api/generations/{held}/recheck").status_code == 409
    found = shop.ended(item["id"])
    assert (found["status"], found["media_failure_reason"]) == ("finished", None)
    assert shop.client.get(found["result"]["items"][0]["url"]).status_code == 200
    assert shop.lines() == [("charge", -4), ("grant", 10)]
    assert len(shop.simulator.requests(operation="submit")) == 1, "it is not made again"
