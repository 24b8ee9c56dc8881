"""What is sent, per slug: every name and value, typed from the providers' documents and not from the catalogue.

`FILE` stands for an address of a file. The simulator holds each body against schemas of its own as well: an unknown
name, a value outside its range or a file beyond a limit would fail the job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pipeline.providers import JobAdapter
from pipeline.providers.catalogue import entries
from tests.providers.kit import Case, Files, carry_out, clip, job, larger, lips, picture, remote, speech
from tests.simulator.simulator import Simulator

FILE = "<file>"
# The simulator's own name for a provider, where it is another.
NAMES = {"atlas": "atlascloud"}
PULID = "8baa7ef2255075b46f4d91cd238c21d31181b3e6a864463f967960bb0112525b"


@dataclass(frozen=True)
class Wire:
    """`path`: the end of the address that the paid request goes to; `body`: all of what it carries."""

    provider: str
    model: str
    ask: Case
    path: str
    body: dict[str, Any]
    slug: str = ""

    def __str__(self) -> str:
        return f"{self.provider} {self.slug or self.path}"


def plain(files: Files) -> Any:
    return picture()


def square(files: Files) -> Any:
    return picture(width=768, height=768)


def referenced(count: int) -> Case:
    return lambda files: picture(refs=tuple(files.picture(shade=shade) for shade in range(count)))


def wide_refs(count: int) -> Case:
    """References of the asked shape, so that none is extended."""
    return lambda files: picture(refs=tuple(files.picture(1280, 720, shade) for shade in range(count)))


def film(ms: int, **more: Any) -> Case:
    return lambda files: clip(files.picture(1280, 720), ms, **more)


def film_to(ms: int) -> Case:
    return lambda files: clip(files.picture(1280, 720), ms, last_image=files.picture(1280, 720, 9))


def speaking(voice: str) -> Case:
    return lambda files: speech(voice)


SIZE = {"width": 1600, "height": 896}
FLUX = {"prompt": "a lighthouse", "aspect_ratio": "custom", **SIZE, "seed": 7, "output_format": "png"}
FAL_FLUX = {"prompt": "a lighthouse", "image_size": SIZE, "seed": 7, "output_format": "png"}
EXACT = {"width": 1600, "height": 900}
WIDE = {"prompt": "a lighthouse", "aspect_ratio": "16:9"}
WAN = {"prompt": "waves", "image": FILE}
TTS = "The tide turns at dawn."


def replicate(owner_name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"path": f"/v1/models/{owner_name}/predictions", "body": {"input": inputs}}


def fal(slug: str, inputs: dict[str, Any]) -> dict[str, Any]:
    return {"path": f"/fal-queue/{slug}", "body": inputs}


SENT = [
    # Replicate: pictures
    Wire("replicate", "flux-2-pro", plain, **replicate("black-forest-labs/flux-2-pro", FLUX)),
    Wire("replicate", "flux-2-pro", referenced(8),
         **replicate("black-forest-labs/flux-2-pro", {**FLUX, "input_images": [FILE] * 8})),
    Wire("replicate", "flux-2-max", referenced(1),
         **replicate("black-forest-labs/flux-2-max", {**FLUX, "input_images": [FILE]})),
    Wire("replicate", "flux-2-flex", referenced(2),
         **replicate("black-forest-labs/flux-2-flex", {**FLUX, "input_images": [FILE] * 2})),
    Wire("replicate", "flux-2-klein", referenced(5),
         **replicate("black-forest-labs/flux-2-klein-4b", {**WIDE, "images": [FILE] * 5})),
    Wire("replicate", "nano-banana", referenced(4),
         **replicate("google/nano-banana", {**WIDE, "image_input": [FILE] * 4, "output_format": "png"})),
    Wire("replicate", "nano-banana-2", referenced(14),
         **replicate("google/nano-banana-2",
                     {**WIDE, "image_input": [FILE] * 14, "output_format": "png", "resolution": "1K"})),
    Wire("replicate", "qwen-edit", wide_refs(1),
         **replicate("qwen/qwen-image-edit", {"prompt": "a lighthouse", "image": FILE})),
    Wire("replicate", "pulid", referenced(1), "/v1/predictions",
         {"version": f"bytedance/flux-pulid:{PULID}",
          "input": {"prompt": "a lighthouse", "main_face_image": FILE, "width": 1536, "height": 864,
                    "output_format": "png"}}, "bytedance/flux-pulid"),
    # Replicate: clips; 81 frames cover 5.06 s, and beyond it is ceil(16 d) + 1
    Wire("replicate", "wan-2.2", film(4000),
         **replicate("wan-video/wan-2.2-i2v-fast",
                     {**WAN, "num_frames": 81, "frames_per_second": 16, "resolution": "480p", "seed": 7})),
    Wire("replicate", "wan-2.2", film(7500),
         **replicate("wan-video/wan-2.2-i2v-fast",
                     {**WAN, "num_frames": 121, "frames_per_second": 16, "resolution": "480p", "seed": 7})),
    Wire("replicate", "wan-2.2", film(6000, needs_720p=True),
         **replicate("wan-video/wan-2.2-i2v-fast",
                     {**WAN, "num_frames": 97, "frames_per_second": 16, "resolution": "720p", "seed": 7})),
    Wire("replicate", "wan-2.2", film_to(3000),
         **replicate("wan-video/wan-2.2-i2v-fast",
                     {**WAN, "last_image": FILE, "num_frames": 81, "frames_per_second": 16, "resolution": "480p",
                      "seed": 7})),
    Wire("replicate", "wan-2.2-a14b", film(7500),
         **replicate("wan-video/wan-2.2-i2v-a14b",
                     {**WAN, "num_frames": 100, "frames_per_second": 13, "resolution": "480p"})),
    # Replicate: lips and voices
    Wire("replicate", "kling-lipsync", lips,
         **replicate("kwaivgi/kling-lip-sync", {"video_url": FILE, "audio_file": FILE})),
    Wire("replicate", "sync-lipsync-2", lips,
         **replicate("sync/lipsync-2", {"video": FILE, "audio": FILE, "sync_mode": "cut_off"})),
    Wire("replicate", "minimax-turbo", speaking("minimax/Calm_Woman"),
         **replicate("minimax/speech-02-turbo", {"text": TTS, "voice_id": "Calm_Woman"})),
    # fal: pictures
    Wire("fal", "flux-2-pro", plain, **fal("fal-ai/flux-2-pro", FAL_FLUX)),
    Wire("fal", "flux-2-pro", referenced(8), **fal("fal-ai/flux-2-pro/edit", {**FAL_FLUX, "image_urls": [FILE] * 8})),
    Wire("fal", "flux-2-edit", referenced(9), **fal("fal-ai/flux-2-pro/edit", {**FAL_FLUX, "image_urls": [FILE] * 9})),
    Wire("fal", "flux-2-max", referenced(1), **fal("fal-ai/flux-2-max/edit", {**FAL_FLUX, "image_urls": [FILE]})),
    Wire("fal", "flux-2-flex", referenced(1), **fal("fal-ai/flux-2-flex/edit", {**FAL_FLUX, "image_urls": [FILE]})),
    Wire("fal", "flux-2-dev", wide_refs(4),
         **fal("fal-ai/flux-2/edit", {"prompt": "a lighthouse", "image_urls": [FILE] * 4})),
    Wire("fal", "kontext", referenced(1), **fal("fal-ai/flux-pro/kontext", {**WIDE, "image_url": FILE})),
    Wire("fal", "kontext", plain, **fal("fal-ai/flux-pro/kontext/text-to-image", WIDE)),
    Wire("fal", "reve", referenced(1), **fal("reve/2.1/edit", {**WIDE, "image_url": FILE, "output_format": "png"})),
    Wire("fal", "reve", plain, **fal("reve/2.1/text-to-image", {**WIDE, "output_format": "png"})),
    Wire("fal", "qwen", wide_refs(1),
         **fal("fal-ai/qwen-image-edit-2511", {"prompt": "a lighthouse", "image_urls": [FILE]})),
    Wire("fal", "qwen", plain, **fal("fal-ai/qwen-image", {"prompt": "a lighthouse", "image_size": EXACT})),
    Wire("fal", "qwen-edit", wide_refs(1),
         **fal("fal-ai/qwen-image-edit", {"prompt": "a lighthouse", "image_url": FILE})),
    Wire("fal", "qwen-edit-plus", wide_refs(1),
         **fal("fal-ai/qwen-image-edit-plus", {"prompt": "a lighthouse", "image_urls": [FILE]})),
    Wire("fal", "qwen-edit-2509", wide_refs(1),
         **fal("fal-ai/qwen-image-edit-2509", {"prompt": "a lighthouse", "image_urls": [FILE]})),
    Wire("fal", "qwen-pro", referenced(3),
         **fal("fal-ai/qwen-image-2/pro/edit",
               {"prompt": "a lighthouse", "image_urls": [FILE] * 3, "image_size": EXACT})),
    Wire("fal", "qwen-pro", plain,
         **fal("fal-ai/qwen-image-2/pro/text-to-image", {"prompt": "a lighthouse", "image_size": EXACT})),
    Wire("fal", "qwen-2", referenced(3),
         **fal("fal-ai/qwen-image-2/edit", {"prompt": "a lighthouse", "image_urls": [FILE] * 3, "image_size": EXACT})),
    Wire("fal", "qwen-max", referenced(3),
         **fal("fal-ai/qwen-image-max/edit",
               {"prompt": "a lighthouse", "image_urls": [FILE] * 3, "image_size": EXACT})),
    Wire("fal", "nano-banana", referenced(4), **fal("fal-ai/nano-banana/edit", {**WIDE, "image_urls": [FILE] * 4})),
    Wire("fal", "nano-banana", square, **fal("fal-ai/nano-banana", {**WIDE, "aspect_ratio": "1:1"})),
    Wire("fal", "nano-banana-2", referenced(14),
         **fal("fal-ai/nano-banana-2/edit", {**WIDE, "image_urls": [FILE] * 14, "resolution": "1K"})),
    Wire("fal", "nano-banana-2", plain, **fal("fal-ai/nano-banana-2", {**WIDE, "resolution": "1K"})),
    Wire("fal", "nano-banana-pro", referenced(14),
         **fal("fal-ai/nano-banana-pro/edit", {**WIDE, "image_urls": [FILE] * 14, "resolution": "2K"})),
    Wire("fal", "nano-banana-pro", plain, **fal("fal-ai/nano-banana-pro", {**WIDE, "resolution": "2K"})),
    Wire("fal", "pulid", referenced(1),
         **fal("fal-ai/flux-pulid",
               {"prompt": "a lighthouse", "reference_image_url": FILE, "image_size": {"width": 1536, "height": 864}})),
    # fal: clips, lips, voices, larger pictures
    Wire("fal", "wan-2.2", film(4000),
         **fal("fal-ai/wan/v2.2-a14b/image-to-video/turbo",
               {"prompt": "waves", "image_url": FILE, "resolution": "480p"})),
    Wire("fal", "wan-2.2", film_to(4000),
         **fal("fal-ai/wan/v2.2-a14b/image-to-video/turbo",
               {"prompt": "waves", "image_url": FILE, "end_image_url": FILE, "resolution": "480p"})),
    Wire("fal", "wan-2.2", film(4000, needs_720p=True),
         **fal("fal-ai/wan/v2.2-a14b/image-to-video/turbo",
               {"prompt": "waves", "image_url": FILE, "resolution": "720p"})),
    Wire("fal", "wan-2.2", film(7500),
         **fal("fal-ai/wan/v2.2-a14b/image-to-video/lora",
               {"prompt": "waves", "image_url": FILE, "num_frames": 121, "frames_per_second": 16})),
    Wire("fal", "kling-lipsync", lips,
         **fal("fal-ai/kling-video/lipsync/audio-to-video", {"video_url": FILE, "audio_url": FILE})),
    Wire("fal", "sync-lipsync-2", lips,
         **fal("fal-ai/sync-lipsync/v2",
               {"video_url": FILE, "audio_url": FILE, "sync_mode": "cut_off", "model": "lipsync-2"})),
    Wire("fal", "elevenlabs-turbo", speaking("elevenlabs/Rachel"),
         **fal("fal-ai/elevenlabs/tts/turbo-v2.5",
               {"text": TTS, "voice": "Rachel", "language_code": "en", "timestamps": True})),
    Wire("fal", "elevenlabs-v3", speaking("elevenlabs/George"),
         **fal("fal-ai/elevenlabs/tts/eleven-v3",
               {"text": TTS, "voice": "George", "language_code": "en", "timestamps": True})),
    Wire("fal", "elevenlabs-multilingual", speaking("elevenlabs/Lily"),
         **fal("fal-ai/elevenlabs/tts/multilingual-v2", {"text": TTS, "voice": "Lily", "timestamps": True})),
    Wire("fal", "minimax-turbo", speaking("minimax/Wise_Woman"),
         **fal("fal-ai/minimax/speech-02-turbo",
               {"text": TTS, "voice_setting": {"voice_id": "Wise_Woman"}, "output_format": "url"})),
    Wire("fal", "seedvr", lambda files: larger(files.picture(320, 200)),
         **fal("fal-ai/seedvr/upscale/image", {"image_url": FILE, "upscale_factor": 2, "output_format": "jpg"})),
    # WaveSpeed: five or eight seconds; Atlas; RunPod
    Wire("wavespeed", "wan-2.2", film(4000), "/api/v3/wavespeed-ai/wan-2.2/i2v-480p-ultra-fast",
         {**WAN, "duration": 5, "seed": 7}),
    Wire("wavespeed", "wan-2.2", film(6000, needs_720p=True), "/api/v3/wavespeed-ai/wan-2.2/i2v-720p",
         {**WAN, "duration": 8, "seed": 7}),
    Wire("wavespeed", "wan-2.2", film_to(5000), "/api/v3/wavespeed-ai/wan-2.2/i2v-480p-ultra-fast",
         {**WAN, "last_image": FILE, "duration": 5, "seed": 7}),
    Wire("wavespeed", "kling-lipsync", lips, "/api/v3/kwaivgi/kling-lipsync/audio-to-video",
         {"video": FILE, "audio": FILE}),
    Wire("atlas", "wan-2.2", film(4000), "/api/v1/model/generateVideo",
         {"model": "atlascloud/wan-2.2/image-to-video", "prompt": "waves", "image_url": FILE},
         "atlascloud/wan-2.2/image-to-video"),
    Wire("runpod", "wan-2.2", film(6000), "/v2/wan-2-2-i2v-720/run",
         {"input": {**WAN, "duration": 8, "size": "1280*720", "seed": 7}}),
    Wire("openai", "openai-tts", speaking("openai/nova"), "/v1/audio/speech",
         {"model": "gpt-4o-mini-tts", "input": TTS, "voice": "nova", "response_format": "wav"}, "gpt-4o-mini-tts"),
]  # fmt: skip


@pytest.mark.parametrize("sent", SENT, ids=str)
def test_what_is_sent_is_what_the_documents_ask_for(
    sent: Wire, simulator: Simulator, adapters: dict[str, JobAdapter], files: Files
) -> None:
    request = sent.ask(files)
    finished = carry_out(adapters[sent.provider], job(request, files, sent.model))
    paid = [
        call
        for call in simulator.requests(NAMES.get(sent.provider, sent.provider))
        if call.job and call.method == "POST"
    ]
    assert [call.path.endswith(sent.path) for call in paid] == [True], [call.path for call in paid]
    assert shown(paid[0].body) == sent.body
    assert len(simulator.bill.charges()) == 1
    assert finished.outputs
    if sent.provider != "openai":
        assert remote(finished).url.startswith(simulator.url)


def shown(value: Any) -> Any:
    """The body with every address of a file as FILE."""
    if isinstance(value, dict):
        return {key: shown(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return FILE if isinstance(value, str) and value.startswith(("data:", "http://", "https://")) else value


def test_every_slug_of_the_catalogue_is_in_the_table() -> None:
    known = {(at.provider, at.slug) for entry in entries().values() for at in entry.at}
    told = {
        (sent.provider, at.slug)
        for sent in SENT
        for at in entries()[sent.model].slugs(sent.provider)
        if at.slug in (sent.slug or sent.path)
    }
    assert known - told == set()


def test_more_references_than_the_cap_are_never_sent(
    simulator: Simulator, adapters: dict[str, JobAdapter], files: Files
) -> None:
    for provider, model, name, cap in (
        ("replicate", "flux-2-pro", "input_images", 8),
        ("fal", "flux-2-edit", "image_urls", 9),
        ("fal", "nano-banana", "image_urls", 4),
        ("fal", "qwen", "image_urls", 1),
        ("fal", "qwen-pro", "image_urls", 3),
        ("fal", "nano-banana-pro", "image_urls", 14),
    ):
        simulator.world.reset()
        carry_out(adapters[provider], job(referenced(16)(files), files, model))
        (paid,) = [call for call in simulator.requests(provider, "submit") if call.job]
        assert len(paid.body.get("input", paid.body)[name]) == cap


def test_large_files_are_uploaded_once_and_small_ones_travel_inside(
    simulator: Simulator, adapters: dict[str, JobAdapter], files: Files
) -> None:
    large = files.noise(1000, 800)
    for provider in ("replicate", "fal"):
        for _ in range(2):
            carry_out(adapters[provider], job(picture(refs=(large, files.picture())), files, "flux-2-pro"))
        uploads = [call for call in simulator.requests(provider, "upload") if call.method == "POST"]
        assert len(uploads) == 1
        inputs = [call.body.get("input", call.body) for call in simulator.requests(provider, "submit") if call.job]
        first, second = (body.get("input_images") or body["image_urls"] for body in inputs)
        assert first[0] == second[0]
        assert first[0].startswith("http")
        assert first[1].startswith("data:image/png")


def test_the_webhook_carries_our_id(simulator: Simulator, files: Files) -> None:
    from pipeline.providers import load_adapter
    from tests.providers.kit import settings_for

    settings = settings_for(simulator, public_url="https://films.example.org")
    work = job(picture(), files, "flux-2-pro", generation="abc")
    load_adapter("replicate", settings).submit(work)
    load_adapter("fal", settings).submit(work)
    (first,) = simulator.requests("replicate", "submit")
    assert first.body["webhook"] == "https://films.example.org/api/webhooks/replicate?generation=abc"
    assert first.body["webhook_events_filter"] == ["completed"]
    (second,) = simulator.requests("fal", "submit")
    assert second.query["fal_webhook"].startswith("https://films.example.org/api/webhooks/fal?generation=abc&slug=")
