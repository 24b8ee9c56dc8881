"""fal through its own package (whose hosts are patched) and over plain HTTP."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import fal_client.client
import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fal_client import FalClientHTTPError, SyncClient
from PIL import Image

from tests.simulator import Simulator, media
from tests.simulator_tests.conftest import Listener, data_uri, picture

KEY = {"Authorization": "Key id:secret"}
NANO = "fal-ai/nano-banana/edit"
QWEN_PRO = "fal-ai/qwen-image-2/pro/edit"
FLUX = "fal-ai/flux-2-pro/edit"
WAN = "fal-ai/wan/v2.2-a14b/image-to-video/lora"
KLING = "fal-ai/kling-video/lipsync/audio-to-video"


@pytest.fixture
def client(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> SyncClient:
    bases = simulator.base_urls()
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", bases["FAL_QUEUE_BASE_URL"] + "/")
    monkeypatch.setattr(fal_client.client, "RUN_URL_FORMAT", bases["FAL_RUN_BASE_URL"] + "/")
    monkeypatch.setattr(fal_client.client, "REST_URL", bases["FAL_REST_BASE_URL"])
    monkeypatch.setattr(fal_client.client, "CDN_URL", bases["FAL_CDN_BASE_URL"])
    return SyncClient(key="id:secret")


def run(client: SyncClient, endpoint: str, **inputs: Any) -> Any:
    handle = client.submit(endpoint, inputs)
    for _ in handle.iter_events(interval=0.01):
        pass
    return handle.get()


def refused(client: SyncClient, endpoint: str, **inputs: Any) -> Any:
    """The `detail` of the 422 that the result is."""
    with pytest.raises(FalClientHTTPError) as caught:
        run(client, endpoint, **inputs)
    assert caught.value.status_code == 422
    return caught.value.response.json()["detail"]


def test_an_edit_from_a_data_uri(client: SyncClient, http: httpx.Client) -> None:
    done = run(
        client, "fal-ai/flux-2-pro/edit", prompt="x", image_urls=[picture(1600, 900)], image_size="landscape_16_9"
    )
    with Image.open(io.BytesIO(http.get(done["images"][0]["url"]).content)) as image:
        assert (image.size, image.format) == ((1024, 576), "JPEG")


def test_an_edit_from_an_upload(client: SyncClient, http: httpx.Client) -> None:
    url = client.upload(media.picture(800, 600, "png", "up"), "image/png")
    done = run(
        client, "fal-ai/qwen-image-2/pro/edit", prompt="x", image_urls=[url], image_size={"width": 640, "height": 960}
    )
    assert media.size_of(http.get(done["images"][0]["url"]).content) == (640, 960)
    other = client.upload(media.picture(800, 600, "png", "up"), "image/png", repository="fal")
    assert run(client, "fal-ai/nano-banana/edit", prompt="xyz", image_urls=[other])["description"] == ""


def test_sync_runs(client: SyncClient) -> None:
    assert client.run("fal-ai/x-ailab/nsfw", {"image_urls": [picture()]}) == {"has_nsfw_concepts": [False]}
    with pytest.raises(FalClientHTTPError) as caught:
        client.run("fal-ai/x-ailab/nsfw", {"image_url": picture()})
    assert caught.value.status_code == 422


@pytest.mark.parametrize(
    ("endpoint", "inputs", "field", "kind"),
    [
        (QWEN_PRO, {"prompt": "x", "image_urls": [picture()] * 4}, "image_urls", "too_long"),
        (QWEN_PRO, {"prompt": "x" * 801, "image_urls": [picture()]}, "prompt", "string_too_long"),
        (QWEN_PRO, {"prompt": "x", "image_urls": [picture(300, 600)]}, "image_urls", "image_too_small"),
        ("fal-ai/qwen-image-edit", {"prompt": "x", "image_urls": [picture()]}, "image_url", "missing"),
        ("fal-ai/flux-pulid", {"prompt": "x", "image_url": picture()}, "image_url", "extra_forbidden"),
        (FLUX, {"prompt": "x", "image_urls": [picture()], "safety_tolerance": 2}, "safety_tolerance", "literal_error"),
        (FLUX, {"prompt": "x", "image_urls": [picture()], "num_images": 1}, "num_images", "extra_forbidden"),
        (FLUX, {"prompt": "x", "image_urls": [picture()] * 10}, "image_urls", "too_long"),
        (NANO, {"prompt": "xyz", "image_urls": ["https://example.org/x.png"]}, "image_urls", "file_download_error"),
        (WAN, {"prompt": "x", "image_url": picture(), "num_frames": 16}, "num_frames", "greater_than_equal"),
        (KLING, {"video_url": "data:a/b;base64,AAAA", "audio_url": "data:a/b;base64,AA=="}, "video_url", "unsupported"),
    ],
)  # fmt: skip
def test_wrong_inputs_are_accepted_and_refused_as_result(
    client: SyncClient, endpoint: str, inputs: dict[str, Any], field: str, kind: str
) -> None:
    details = refused(client, endpoint, **inputs)
    assert any(one["loc"][:2] == ["body", field] and one["type"].startswith(kind) for one in details), details


def test_alpha_is_refused_where_the_endpoint_says_so(client: SyncClient) -> None:
    clear = data_uri(media.encoded(Image.new("RGBA", (500, 500)), "png"), "image/png")
    assert "alpha" in refused(client, "fal-ai/qwen-image-2/pro/edit", prompt="x", image_urls=[clear])[0]["msg"]


def test_an_unknown_endpoint_is_refused_at_once(client: SyncClient, simulator: Simulator) -> None:
    with pytest.raises(FalClientHTTPError) as caught:
        client.submit("fal-ai/no-such-thing", {})
    assert caught.value.status_code == 404 and simulator.bill.charges() == []


def test_speech_with_word_times(client: SyncClient, http: httpx.Client) -> None:
    done = run(client, "fal-ai/elevenlabs/tts/turbo-v2.5", text="One two three.", timestamps=True)
    assert [word.get("word") or word.get("text") for word in done["timestamps"]] == ["One", "two", "three."]
    assert media.probe(http.get(done["audio"]["url"]).content).seconds >= done["timestamps"][-1]["end"]
    spoken = run(client, "fal-ai/minimax/speech-02-turbo", text="One two.", output_format="url")
    assert spoken["audio"]["url"] and spoken["duration_ms"] > 300
    assert "url" not in run(client, "fal-ai/minimax/speech-02-turbo", text="One two.")["audio"]


def test_film_lips_and_upscale(client: SyncClient, http: httpx.Client) -> None:
    film = run(client, "fal-ai/wan/v2.2-a14b/image-to-video/turbo", prompt="x", image_url=picture(1600, 900))
    seen = media.probe(http.get(film["video"]["url"]).content)
    assert (seen.width, seen.height, seen.frames) == (1280, 720, 81)
    sound = data_uri(media.speech("Hello my friend.", "x", 1, "wav")[0], "audio/wav")
    lips = run(client, "fal-ai/sync-lipsync/v2", video_url=film["video"]["url"], audio_url=sound)
    assert media.probe(http.get(lips["video"]["url"]).content).has_audio
    larger = run(client, "fal-ai/seedvr/upscale/image", image_url=picture(), upscale_factor=2, output_format="jpg")
    assert media.size_of(http.get(larger["image"]["url"]).content) == (1280, 1280)


def test_moderation_flags_and_failures(client: SyncClient, simulator: Simulator) -> None:
    simulator.script("moderation")
    detail = refused(client, "fal-ai/nano-banana-2", prompt="a fight")
    assert isinstance(detail, str) or detail[0]["type"] == "content_policy_violation"
    simulator.script("result_422")
    with pytest.raises(FalClientHTTPError) as caught:
        run(client, "fal-ai/nano-banana-2", prompt="nothing")
    assert caught.value.error_type == "no_media_generated"
    simulator.script("job_failed")
    with pytest.raises(FalClientHTTPError) as caught:
        run(client, "fal-ai/nano-banana-2", prompt="broken")
    assert caught.value.status_code == 500
    simulator.script("nsfw_flagged")
    assert run(client, "fal-ai/qwen-image", prompt="nude")["has_nsfw_concepts"] == [True]


def test_statuses_and_cancel(client: SyncClient, simulator: Simulator, http: httpx.Client) -> None:
    simulator.world.clock.scale = 1.0
    handle = client.submit("fal-ai/flux-2-pro/edit", {"prompt": "x", "image_urls": [picture()]})
    job = simulator.jobs("fal")[0]
    where = f"{simulator.base_urls()['FAL_QUEUE_BASE_URL']}/fal-ai/flux-2-pro/requests/{handle.request_id}"
    assert http.get(where, headers=KEY).status_code == 400
    assert http.get(f"{where}/status", headers=KEY).json()["status"] == "IN_QUEUE"
    simulator.advance(2)
    assert http.get(f"{where}/status?logs=1", headers=KEY).json()["logs"][0]["message"]
    assert http.put(f"{where}/cancel", headers=KEY).json()["status"] == "CANCELLATION_REQUESTED"
    simulator.advance(60)
    assert simulator.wait_for(job.over.is_set)
    assert http.put(f"{where}/cancel", headers=KEY).status_code == 400
    long_way = where.replace("/requests", "/edit/requests")
    assert http.get(long_way, headers=KEY).status_code == 404
    second = client.submit("fal-ai/flux-2-pro", {"prompt": "x"})
    second.cancel()
    assert simulator.jobs("fal")[0].canceled


def test_only_so_many_at_once(client: SyncClient, simulator: Simulator) -> None:
    simulator.world.clock.scale = 1.0
    simulator.world.jobs.room["fal"] = 2
    for number in range(4):
        client.submit("fal-ai/flux-2-pro", {"prompt": str(number)})
    waits = [round(job.starts_at - job.created_at) for job in reversed(simulator.jobs("fal"))]
    assert waits == [0, 0, 10, 10]


def test_webhooks_are_signed_with_a_published_key(
    client: SyncClient, simulator: Simulator, listener: Listener, http: httpx.Client
) -> None:
    client.submit("fal-ai/flux-2-pro", {"prompt": "x"}, webhook_url=f"{listener.url}/gen-7")
    assert simulator.wait_for(lambda: len(listener.heard) == 1)
    headers, raw = listener.heard[0]
    names = ("Request-Id", "User-Id", "Timestamp")
    message = "\n".join([*(headers[f"X-Fal-Webhook-{name}"] for name in names), hashlib.sha256(raw).hexdigest()])
    keys = http.get(f"{simulator.base_urls()['FAL_REST_BASE_URL']}/.well-known/jwks.json").json()["keys"]

    def holds(key: dict[str, str]) -> bool:
        public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
        try:
            public.verify(bytes.fromhex(headers["X-Fal-Webhook-Signature"]), message.encode())
        except InvalidSignature:
            return False
        return True

    assert [holds(key) for key in keys] == [False, True]
    assert listener.bodies()[0]["payload"]["images"]


def test_platform(simulator: Simulator, http: httpx.Client) -> None:
    base = simulator.base_urls()["FAL_API_BASE_URL"]
    billing = f"{base}/account/billing?expand=credits"
    assert http.get(billing, headers=KEY).status_code == 403
    assert http.get(billing, headers={"Authorization": "Key id:admin"}).json()["credits"]["current_balance"] == 100
    slug = "fal-ai/nano-banana/edit"
    price = http.get(f"{base}/models/pricing", params={"endpoint_id": slug}, headers=KEY).json()["prices"][0]
    assert price == {"endpoint_id": slug, "unit_price": 0.039, "unit": "images", "currency": "USD"}
    found = http.get(f"{base}/models", params={"endpoint_id": slug, "expand": "openapi-3.0"}, headers=KEY).json()[
        "models"
    ]
    assert "image_urls" in found[0]["openapi"]["components"]["schemas"]["Input"]["properties"]
    assert http.get(billing, headers={"Authorization": "Bearer x"}).status_code == 401


def test_how_long_outputs_live(simulator: Simulator, http: httpx.Client) -> None:
    run_url = f"{simulator.base_urls()['FAL_RUN_BASE_URL']}/fal-ai/flux-2-pro"
    short = {**KEY, "X-Fal-Object-Lifecycle-Preference": '{"expiration_duration_seconds": 60}'}
    urls = [http.post(run_url, json={"prompt": "x"}, headers=one).json()["images"][0]["url"] for one in (KEY, short)]
    simulator.advance(61)
    assert [http.get(url).status_code for url in urls] == [200, 404]
