"""Every model of every table makes its output from the least input that it takes, and from all that it takes."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.simulator import Simulator, media
from tests.simulator.providers import fal_media_models, replicate_models
from tests.simulator.schemas import Schema, problems
from tests.simulator_tests.conftest import data_uri, picture

FILES = {
    "image": picture(512, 512),
    "any": picture(512, 512),
    "audio": data_uri(media.speech("Hello, how are you?", "x", 1, "wav")[0], "audio/wav"),
}
VALUES: dict[str, Any] = {"string": "a fox", "integer": 1, "number": 1.0, "boolean": False, "array": [], "object": {}}


def least(schema: Schema, addresses: dict[str, str], *, everything: bool) -> dict[str, Any]:
    """An input with the required parameters, or with each that has no default."""
    needed = set(schema["required"])
    for part in schema.get("allOf", [schema] if "anyOf" in schema else []):
        needed |= set(part["anyOf"][0]["required"])
    found = {}
    for name, sub in schema["properties"].items():
        if name in needed or (everything and "default" not in sub and name != "video_id"):
            found[name] = value(sub, addresses)
    return found


def value(sub: Schema, addresses: dict[str, str]) -> Any:
    if "x-file" in sub:
        return addresses[sub["x-file"]["kind"]]
    if "enum" in sub:
        return sub["enum"][0]
    if sub.get("type") == "array" and "items" in sub:
        return [value(sub["items"], addresses)]
    if sub.get("type") == "object":
        return {name: value(one, addresses) for name, one in sub.get("properties", {}).items()}
    if "minimum" in sub:
        step = sub.get("multipleOf", 1)
        return -(-sub["minimum"] // step) * step
    return VALUES[sub["type"]]


@pytest.mark.parametrize("everything", [False, True])
def test_every_model_of_fal_and_replicate(simulator: Simulator, http: httpx.Client, everything: bool) -> None:
    clip = media.clip(1280, 720, 16, 40, "input")
    bases, fal_key = simulator.base_urls(), {"Authorization": "Key id:secret"}
    upload = http.post(f"{bases['FAL_CDN_BASE_URL']}/files/upload", content=clip, headers=fal_key).json()["access_url"]
    addresses = {**FILES, "video": upload}
    for slug, model in fal_media_models.MODELS.items():
        inputs = least(model.schema, addresses, everything=everything)
        assert problems(model.schema, inputs) == [], slug
        answer = http.post(f"{bases['FAL_RUN_BASE_URL']}/{slug}", json=inputs, headers=fal_key)
        assert answer.status_code == 200, (slug, answer.text)
    key = {"Authorization": "Bearer r8_x", "Prefer": "wait"}
    for slug, model in replicate_models.MODELS.items():
        inputs = least(model.schema, addresses, everything=everything)
        version = f"{slug}:{model.facts['version']}" if "version" in model.facts else slug
        url = f"{bases['REPLICATE_BASE_URL']}/v1/predictions"
        told = http.post(url, json={"version": version, "input": inputs}, headers=key).json()
        assert told.get("status") == "succeeded", (slug, told)
    states = {charge.state for charge in simulator.bill.charges()}
    assert states == {"succeeded"} and all(charge.micro_dollars > 0 for charge in simulator.bill.charges())


def test_prices_of_every_endpoint(simulator: Simulator, http: httpx.Client) -> None:
    url = f"{simulator.base_urls()['FAL_API_BASE_URL']}/models/pricing"
    for slug in fal_media_models.MODELS:
        found = http.get(url, params={"endpoint_id": slug}, headers={"Authorization": "Key id:secret"}).json()
        assert found["prices"][0]["unit_price"] > 0
