"""Replicate through its own package, and over plain HTTP where the package hides or breaks things."""

from __future__ import annotations

import io
from typing import Any

import httpx
import pytest
from PIL import Image
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.webhook import Webhooks, WebhookSigningSecret

from tests.simulator import Simulator, media
from tests.simulator_tests.conftest import Listener, data_uri, picture

PULID = "bytedance/flux-pulid:8baa7ef2" + "0" * 52 + "525b"
KEY = {"Authorization": "Bearer r8_x"}
WAN = "wan-video/wan-2.2-i2v-fast"


@pytest.fixture
def client(simulator: Simulator) -> Client:
    found = Client(api_token="r8_x", base_url=simulator.base_urls()["REPLICATE_BASE_URL"])
    found.poll_interval = 0.01
    return found


def run(client: Client, model: str, **inputs: Any) -> Any:
    prediction = client.models.predictions.create(model, input=inputs)
    prediction.wait()
    return prediction


def upload(simulator: Simulator, http: httpx.Client, data: bytes, name: str, content_type: str) -> str:
    url = f"{simulator.base_urls()['REPLICATE_BASE_URL']}/v1/files"
    answer = http.post(url, headers=KEY, files={"content": (name, data, content_type)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["urls"]["get"])


def test_a_picture_of_the_asked_aspect(client: Client, http: httpx.Client) -> None:
    done = run(client, "black-forest-labs/flux-2-pro", prompt="a fox", input_images=[picture()], aspect_ratio="16:9",
               output_format="png")  # fmt: skip
    assert done.status == "succeeded" and done.version == "hidden"
    with Image.open(io.BytesIO(http.get(done.output).content)) as image:
        assert image.format == "PNG" and image.width / image.height == pytest.approx(16 / 9, rel=0.02)
    listed = client.predictions.list()
    assert [one.id for one in listed.results] == [done.id]


def test_a_clip_of_the_asked_frames(client: Client, http: httpx.Client) -> None:
    done = run(client, "wan-video/wan-2.2-i2v-fast", image=picture(900, 1600), prompt="she walks", num_frames=81)
    seen = media.probe(http.get(done.output).content)
    assert (seen.width, seen.height, seen.frames, seen.fps) == (480, 832, 81, 16)


@pytest.mark.parametrize(
    ("model", "inputs", "told"),
    [
        (WAN, {"prompt": "x"}, "input.image: image is required"),
        (WAN, {"prompt": "x", "image": picture(), "duration": 5}, "input.duration"),
        (WAN, {"prompt": "x", "image": picture(), "num_frames": 122}, "less than or equal to 121"),
        ("black-forest-labs/flux-2-pro", {"prompt": "x", "image_urls": [picture()]}, "input.image_urls"),
        ("black-forest-labs/flux-2-pro", {"prompt": "x", "input_images": [picture()] * 9}, "at most 8"),
        ("kwaivgi/kling-lip-sync", {"video_url": "https://example.org/a.mp4"}, "is not valid"),
        ("sync/lipsync-2", {"video": "https://x.org/a", "audio": "https://x.org/b", "sync_mode": "cut"}, "Must be"),
    ],
)  # fmt: skip
def test_wrong_inputs_are_a_422(
    client: Client, simulator: Simulator, model: str, inputs: dict[str, Any], told: str
) -> None:
    with pytest.raises(ReplicateError) as caught:
        client.models.predictions.create(model, input=inputs)
    assert caught.value.status == 422 and told in str(caught.value.detail)
    assert simulator.bill.charges() == []


def test_community_models_need_their_version(client: Client, http: httpx.Client, simulator: Simulator) -> None:
    inputs = {"main_face_image": picture(), "prompt": "a captain"}
    with pytest.raises(ReplicateError) as caught:
        client.models.predictions.create("bytedance/flux-pulid", input=inputs)
    assert caught.value.status == 404
    done = client.predictions.create(version=PULID, input=inputs)
    done.wait()
    assert isinstance(done.output, list)
    assert media.size_of(http.get(done.output[0]).content) == (896, 1152)
    with pytest.raises(ReplicateError):
        client.predictions.create(version="bytedance/flux-pulid", input=inputs)


def test_lip_sync_checks_the_clip_after_it_was_accepted(
    client: Client, http: httpx.Client, simulator: Simulator
) -> None:
    sound = upload(simulator, http, media.speech("Hello my friend.", "x", 1, "wav")[0], "a.wav", "audio/wav")
    small = upload(simulator, http, media.clip(832, 480, 16, 40, "small"), "a.mp4", "video/mp4")
    failed = run(client, "kwaivgi/kling-lip-sync", video_url=small, audio_file=sound)
    assert failed.status == "failed" and "720 px" in failed.error
    large = upload(simulator, http, media.clip(1280, 720, 16, 40, "large"), "a.mp4", "video/mp4")
    done = run(client, "kwaivgi/kling-lip-sync", video_url=large, audio_file=sound)
    seen = media.probe(http.get(done.output).content)
    assert (seen.frames, seen.has_audio) == (40, True)
    looped = run(client, "sync/lipsync-2", video=large, audio=sound, sync_mode="cut_off")
    assert media.probe(http.get(looped.output).content).seconds == pytest.approx(2.0, abs=0.6)
    mp3 = upload(simulator, http, media.speech("Hello.", "x", 1, "mp3")[0], "a.mp3", "audio/mpeg")
    assert "wav" in run(client, "sync/lipsync-2", video=large, audio=mp3).error


def test_speech(client: Client, http: httpx.Client) -> None:
    done = run(client, "minimax/speech-02-turbo", text="One two three.")
    assert media.probe(http.get(done.output).content).form == "mp3"


def test_large_data_uris_have_to_be_uploaded(client: Client) -> None:
    large = data_uri(media.picture(900, 900, "png", "x") + b"\0" * 300_000, "image/png")
    with pytest.raises(ReplicateError, match="256 KB"):
        client.models.predictions.create("wan-video/wan-2.2-i2v-fast", input={"image": large, "prompt": "x"})


def test_moderation_and_failure(client: Client, simulator: Simulator) -> None:
    simulator.script("moderation")
    flagged = run(client, "black-forest-labs/flux-2-pro", prompt="x")
    assert flagged.status == "failed" and "(E005)" in flagged.error
    simulator.script("job_failed")
    assert "retry" in run(client, "black-forest-labs/flux-2-pro", prompt="y").error
    simulator.script("empty_output")
    assert run(client, "qwen/qwen-image-edit", prompt="y", image=picture()).output == []
    assert [charge.micro_dollars for charge in simulator.bill.charges()] == [0, 0, 30_000]


def test_everything_is_gone_after_an_hour(client: Client, http: httpx.Client, simulator: Simulator) -> None:
    done = run(client, "black-forest-labs/flux-2-pro", prompt="x")
    simulator.advance(3601)
    assert http.get(done.output).status_code == 404
    done.reload()
    assert done.status == "succeeded" and done.output is None and done.input == {}


def test_queue_cancel_and_hold(simulator: Simulator) -> None:
    simulator.world.clock.scale = 1.0
    client = Client(api_token="r8_x", base_url=simulator.base_urls()["REPLICATE_BASE_URL"])
    first = client.models.predictions.create("black-forest-labs/flux-2-pro", input={"prompt": "x"})
    assert first.status == "starting"
    simulator.advance(5)
    first.reload()
    assert str(first.status) == "processing"
    first.cancel()
    assert str(first.status) == "canceled" and simulator.bill.total() == 0
    simulator.world.clock.scale = 0.01
    held = client.predictions.create(version="black-forest-labs/flux-2-pro", input={"prompt": "x"}, wait=30)
    assert held.status == "succeeded"


def test_webhooks_are_signed(client: Client, simulator: Simulator, listener: Listener) -> None:
    client.models.predictions.create(
        "black-forest-labs/flux-2-pro",
        input={"prompt": "x"},
        webhook=f"{listener.url}/gen-1",
        webhook_events_filter=["completed"],
    )
    assert simulator.wait_for(lambda: len(listener.heard) == 1)
    headers, raw = listener.heard[0]
    secret: WebhookSigningSecret = client.webhooks.default.secret()
    lower: Any = {name.lower(): value for name, value in headers.items()}
    Webhooks.validate(headers=lower, body=raw.decode(), secret=secret, tolerance=300)
    with pytest.raises(Exception, match="signature"):
        Webhooks.validate(headers=lower, body=raw.decode() + " ", secret=secret, tolerance=300)
    assert listener.bodies()[0]["status"] == "succeeded"
    assert simulator.bill.charges()[0].generation.endswith("/gen-1")


def test_webhooks_go_wrong(client: Client, simulator: Simulator, listener: Listener) -> None:
    def create(prompt: str) -> None:
        client.models.predictions.create("black-forest-labs/flux-2-pro", input={"prompt": prompt}, webhook=listener.url)

    simulator.script("webhook_repeated")
    create("repeated")
    assert simulator.wait_for(lambda: [one["status"] for one in listener.bodies()].count("succeeded") == 3)
    listener.heard.clear()
    simulator.script("webhook_out_of_order")
    create("out of order")
    assert simulator.wait_for(lambda: len(listener.heard) == 3)
    assert [one["status"] for one in listener.bodies()] == ["succeeded", "processing", "processing"]
    listener.heard.clear()
    simulator.script("webhook_late", seconds=100)
    simulator.script("webhook_lost", nth=2)
    create("late")
    create("lost")
    assert simulator.wait_for(lambda: len(listener.heard) == 2)
    simulator.advance(101)
    assert simulator.wait_for(lambda: len(listener.heard) == 3)
    assert {one["input"]["prompt"] for one in listener.bodies()} == {"late"}
    listener.heard.clear()
    simulator.script("webhook_forged")
    create("forged")
    assert simulator.wait_for(lambda: len(listener.heard) == 3)
    headers, raw = listener.heard[0]
    with pytest.raises(Exception, match="signature"):
        Webhooks.validate(headers={name.lower(): value for name, value in headers.items()}, body=raw.decode(),
                          secret=client.webhooks.default.secret(), tolerance=300)  # fmt: skip


def test_the_rest_of_the_api(client: Client, http: httpx.Client, simulator: Simulator) -> None:
    base = simulator.base_urls()["REPLICATE_BASE_URL"]
    account = http.get(f"{base}/v1/account", headers=KEY).json()
    assert account["username"] and "name" not in account and "balance" not in account
    assert http.get(f"{base}/v1/account").status_code == 401
    described = http.get(f"{base}/v1/models/black-forest-labs/flux-2-dev", headers=KEY).json()
    assert "prompt" in described["latest_version"]["openapi_schema"]["components"]["schemas"]["Input"]["properties"]
    simulator.script("unknown_status", polls=2)
    created = client.models.predictions.create("black-forest-labs/flux-2-pro", input={"prompt": "z"})
    where = f"{base}/v1/predictions/{created.id}"
    seen: list[str] = []

    def succeeded() -> bool:
        seen.append(http.get(where, headers=KEY).json()["status"])
        return seen[-1] == "succeeded"

    assert simulator.wait_for(succeeded)
    assert seen.count("reticulating") == 2
