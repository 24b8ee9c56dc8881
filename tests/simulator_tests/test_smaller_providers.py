"""WaveSpeed, Atlas Cloud, RunPod and Rekognition over plain HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import httpx

from tests.simulator import Simulator, media
from tests.simulator_tests.conftest import Listener, picture

KEY = {"Authorization": "Bearer k"}


def poll(simulator: Simulator, http: httpx.Client, url: str, pending: tuple[str, ...]) -> Any:
    """The answer once its status is none of `pending`."""
    seen: list[Any] = []

    def over() -> bool:
        body = http.get(url, headers=KEY).json()
        seen.append(body.get("data", body))
        return seen[-1]["status"] not in pending

    assert simulator.wait_for(over)
    return seen[-1]


def test_wavespeed(simulator: Simulator, http: httpx.Client) -> None:
    base = simulator.base_urls()["WAVESPEED_BASE_URL"]
    model = f"{base}/wavespeed-ai/wan-2.2/i2v-480p-ultra-fast"
    image = media.picture(1600, 900, "jpeg", "w")
    told = {"filename": "a.jpg", "size": len(image), "content_type": "image/jpeg"}
    place = http.post(f"{base}/media/uploads", json=told, headers=KEY).json()["data"]
    assert http.put(place["upload"]["url"], content=image, headers=place["upload"]["headers"]).status_code == 200
    inputs = {"image": place["download_url"], "prompt": "x", "duration": 5}
    job = http.post(model, json=inputs, headers=KEY).json()["data"]
    done = poll(simulator, http, f"{base}/predictions/{job['id']}/result", ("created", "processing"))
    assert media.probe(http.get(done["outputs"][0]).content).frames == 81
    refused = http.post(model, json={**inputs, "duration": 6}, headers=KEY)
    assert refused.status_code == 400 and refused.json()["code"] == 400
    assert http.post(f"{base}/no/such", json={}, headers=KEY).status_code == 404
    simulator.script("embedded_error")
    assert http.post(model, json=inputs, headers=KEY).json()["code"] == 500
    simulator.script("moderation")
    job = http.post(model, json=inputs, headers=KEY).json()["data"]
    failed = poll(simulator, http, f"{base}/predictions/{job['id']}/result", ("created", "processing"))
    assert failed["status"] == "failed" and "policy" in failed["error"]


def test_wavespeed_reference_to_video(simulator: Simulator, http: httpx.Client) -> None:
    base = simulator.base_urls()["WAVESPEED_BASE_URL"]
    model = f"{base}/alibaba/wan-2.6/reference-to-video-flash"
    answer = http.post(model, json={"prompt": "x", "reference_files": [picture(), picture()]}, headers=KEY).json()[
        "data"
    ]
    done = poll(simulator, http, answer["urls"]["get"], ("created", "processing"))
    assert media.probe(http.get(done["outputs"][0]).content).width == 1280
    assert http.post(model, json={"prompt": "x", "reference_files": [picture()] * 6}, headers=KEY).status_code == 400


def test_atlas_cloud(simulator: Simulator, http: httpx.Client) -> None:
    base = simulator.base_urls()["ATLASCLOUD_BASE_URL"]
    urls = []
    for extra in (b"", b"x"):
        data = media.picture(600, 800, "jpeg", "a") + extra
        body = http.post(f"{base}/model/uploadMedia", files={"file": ("a.jpg", data, "image/jpeg")}, headers=KEY).json()
        urls.append(body.get("url") or body["data"]["download_url"])
    inputs = {"model": "alibaba/wan-2.2/i2v-480p", "prompt": "x", "image": urls[0]}
    states = set()
    for prompt in "abcdefgh":
        job = http.post(f"{base}/model/generateVideo", json={**inputs, "prompt": prompt}, headers=KEY).json()["data"]
        done = poll(simulator, http, f"{base}/model/prediction/{job['id']}", ("created", "processing"))
        states.add(done["status"])
    assert states == {"completed", "succeeded"}
    seen = media.probe(http.get(done["outputs"][0]).content)
    assert (seen.width, seen.height) == (480, 832)
    short = {**KEY, "X-AtlasCloud-Object-Expiration-Hours": "1"}
    job = http.post(f"{base}/model/generateVideo", json={**inputs, "prompt": "short"}, headers=short).json()["data"]
    done = poll(simulator, http, f"{base}/model/prediction/{job['id']}", ("created", "processing"))
    simulator.advance(3601)
    assert http.get(done["outputs"][0]).status_code == 404
    assert http.post(f"{base}/model/generateVideo", json={**inputs, "model": "what"}, headers=KEY).status_code == 400
    happy = {"model": "alibaba/happyhorse-1.0/reference-to-video", "prompt": "x", "duration": 3}
    assert http.post(f"{base}/model/generateVideo", json={**happy, "images": [urls[1]]}, headers=KEY).status_code == 200
    assert (
        http.post(f"{base}/model/generateVideo", json={**happy, "images": [urls[1]] * 10}, headers=KEY).status_code
        == 400
    )


def test_runpod(simulator: Simulator, http: httpx.Client, listener: Listener) -> None:
    base = f"{simulator.base_urls()['RUNPOD_BASE_URL']}/wan-2-2-i2v-720"
    inputs = {"prompt": "x", "image": picture(1600, 900), "size": "1280*720", "duration": 5}
    started = http.post(f"{base}/run", json={"input": inputs, "webhook": f"{listener.url}/1"}, headers=KEY).json()
    assert started["status"] == "IN_QUEUE"
    done = poll(simulator, http, f"{base}/status/{started['id']}", ("IN_QUEUE", "IN_PROGRESS"))
    assert done["status"] == "COMPLETED"
    assert media.probe(http.get(done["output"]["video_url"]).content).width == 1280
    assert simulator.wait_for(lambda: len(listener.heard) == 1)
    sync = http.post(f"{base}/runsync", json={"input": {**inputs, "fps": 24}}, headers=KEY).json()
    assert sync["status"] == "FAILED" and "fps" in sync["error"]
    assert http.post(f"{base}/run", json={"prompt": "x"}, headers=KEY).status_code == 400
    simulator.advance(1801)
    assert http.get(f"{base}/status/{started['id']}", headers=KEY).status_code == 404
    simulator.world.clock.scale = 1.0
    queued = http.post(f"{base}/run", json={"input": {**inputs, "seed": 5}}, headers=KEY).json()
    assert http.post(f"{base}/cancel/{queued['id']}", headers=KEY).json()["status"] == "CANCELLED"


def signed(url: str, action: str, body: bytes, secret: str) -> dict[str, str]:
    """Headers of a request with signature version 4, written down from AWS's description."""
    host = url.split("/")[2]
    headers = {"content-type": "application/x-amz-json-1.1", "host": host, "x-amz-date": "20261101T000000Z",
               "x-amz-target": f"RekognitionService.{action}"}  # fmt: skip
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"POST\n/aws\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = "20261101/us-east-1/rekognition/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n20261101T000000Z\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential=AKIASIMULATED/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": credential}


def test_rekognition(simulator: Simulator, http: httpx.Client) -> None:
    url = simulator.base_urls()["AWS_ENDPOINT_URL"]

    def act(action: str, value: Any, secret: str = "simulated-secret") -> httpx.Response:
        body = json.dumps(value).encode()
        return http.post(url, content=body, headers=signed(url, action, body, secret))

    image = {"Image": {"Bytes": base64.b64encode(media.picture(300, 300, "jpeg", "r")).decode()}}
    assert act("DetectModerationLabels", {**image, "MinConfidence": 50}).json()["ModerationLabels"] == []
    simulator.respond("DetectFaces", lambda data: {"FaceDetails": [{"AgeRange": {"Low": 9, "High": 14}}]})
    assert act("DetectFaces", {**image, "Attributes": ["AGE_RANGE"]}).json()["FaceDetails"][0]["AgeRange"]["High"] == 14
    assert act("RecognizeCelebrities", image).json()["CelebrityFaces"] == []
    assert act("DetectFaces", image, "wrong").json()["__type"] == "InvalidSignatureException"
    webp = {"Image": {"Bytes": base64.b64encode(media.picture(300, 300, "webp", "r")).decode()}}
    assert act("DetectFaces", webp).json()["__type"] == "InvalidImageFormatException"
    simulator.script("rate_limit")
    assert act("DetectFaces", image).json()["__type"] in (
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
    )
