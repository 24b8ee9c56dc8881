"""Sequences of pictures: what is refused is left out, counted and said; the rest is delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from pipeline.store.models import Event, Generation
from tests.media.conftest import Shop

PANELS = ["a boat leaves", "a boat sails", "a boat is home"]
SEQUENCE = {"type": "IMAGE_SEQUENCE", "prompts": PANELS, "width": 512, "height": 512}
PRICE = 6
NUDE, CRUEL = "Explicit Nudity", "Graphic Violence"


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    shop = open_shop(moderation_checkers="rekognition")
    shop.grant(PRICE)
    return shop


def find(shop: Shop, *labels: str) -> None:
    """What is found in the pictures that are looked at from now on, one after the other; "" is nothing."""
    left = list(labels)

    def look(picture: bytes) -> dict[str, Any]:
        label = left.pop(0) if left else ""
        return {"ModerationLabels": [{"Name": label, "ParentName": "", "Confidence": 99.0}] if label else []}

    shop.simulator.respond("DetectModerationLabels", look, provider="aws")


def said(shop: Shop) -> str:
    with shop.services.store.db.read() as session:
        return str(session.scalars(select(Event.text).where(Event.kind == "media").order_by(Event.seq.desc())).first())


def images(shop: Shop) -> list[Generation]:
    with shop.services.store.db.read() as session:
        return list(session.scalars(select(Generation).where(Generation.capability == "image")))


def test_a_refused_picture_is_left_out_and_the_rest_delivered(shop: Shop) -> None:
    find(shop, "", NUDE, "")
    item = shop.made(**SEQUENCE)
    assert (item["status"], item["media_failure_reason"]) == ("finished", None)
    assert [one["index"] for one in item["result"]["items"]] == [0, 2]
    assert item["result"]["left_out"] == 1
    [refused] = item["result"]["refused"]
    assert (refused["index"], refused["reason"]) == (1, "nudity") and refused["detail"]
    assert "2 of 3" in said(shop) and "number 2 (nudity)" in said(shop)
    assert shop.lines() == [("charge", -PRICE), ("grant", PRICE)], "an output that is refused is not given back"
    addresses = {one["url"] for one in item["result"]["items"]}
    assert len(addresses) == 2 == len(list(shop.services.store.folder.media.rglob("*.*")))
    assert sorted(row.status for row in images(shop)) == ["failed", "finished", "finished"]


def test_a_sequence_of_which_nothing_is_left_is_refused_for_the_gravest_reason(shop: Shop) -> None:
    find(shop, CRUEL, NUDE, CRUEL)
    item = shop.made(**SEQUENCE)
    assert (item["status"], item["media_failure_reason"], item["result"]) == ("failed", "nudity", None)
    assert item["media_failure_detail"]
    assert shop.lines() == [("charge", -PRICE), ("grant", PRICE)]
    assert [path for path in shop.services.store.folder.media.rglob("*") if path.is_file()] == []


def test_a_refused_reference_is_found_before_anything_is_sent_and_given_back(shop: Shop) -> None:
    find(shop, *[NUDE] * len(PANELS))
    shop.grant(10)
    item = shop.made(**SEQUENCE, reference_image_urls=[shop.picture()])
    assert (item["status"], item["media_failure_reason"]) == ("failed", "nudity")
    assert shop.simulator.requests(operation="submit") == [] and images(shop) == []
    price = item["price_credits"]
    assert shop.lines()[:2] == [("refund", price), ("charge", -price)] and shop.balance() == PRICE + 10


def test_pictures_that_providers_refuse_unbilled_are_given_back_only_when_none_is_left(shop: Shop) -> None:
    """A provider that refuses does not charge, and says no more than that it was the content."""
    find(shop)
    shop.simulator.script("moderation", operation="submit", times=0)
    item = shop.made(**SEQUENCE)
    assert (item["status"], item["media_failure_reason"]) == ("failed", "moderation")
    assert shop.simulator.bill.total() == 0 and shop.balance() == PRICE


def test_a_picture_that_could_not_be_checked_comes_in_later_or_is_left_out_then(shop: Shop) -> None:
    find(shop, "")
    shop.simulator.script("server_error", provider="aws", model="DetectFaces", nth=2)
    item = shop.made(**SEQUENCE)
    assert (item["status"], item["media_failure_reason"]) == ("failed", "moderation_unavailable")
    [held] = [row.id for row in images(shop) if row.status == "held"]
    find(shop, NUDE, "")
    assert shop.client.post(f"/api/generations/{held}/recheck").status_code == 422
    found = shop.ended(item["id"])
    assert (found["status"], [one["index"] for one in found["result"]["items"]]) == ("finished", [0, 2])
    assert [one["reason"] for one in found["result"]["refused"]] == ["nudity"]
    assert shop.lines() == [("charge", -PRICE), ("grant", PRICE)]
    assert len(shop.simulator.requests(operation="submit")) == 3, "nothing is made twice"
