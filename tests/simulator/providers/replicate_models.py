"""What Replicate's models take and give, as PROVIDERS.md tells it. Prices in micro-dollars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulator.providers.base import Model
from tests.simulator.providers.shapes import by_area, ratio_of, wan_size
from tests.simulator.schemas import Schema, choice, file, files, flag, integer, number, obj, text
from tests.simulator.studio import Studio

Params = dict[str, Any]
MB = 1_000_000
FLUX_ASPECTS = ("match_input_image", "custom", "1:1", "16:9", "3:2", "2:3", "4:5", "5:4", "9:16", "3:4", "4:3")
NANO_ASPECTS = ("match_input_image", "1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
KLING_VIDEO = {"max_bytes": 100 * MB, "min_seconds": 2, "max_seconds": 10, "min_side": 720, "max_side": 1920}
KLING_AUDIO = {"max_bytes": 5 * MB - 1, "formats": ["mp3", "wav", "mov", "m4a", "aac"]}
# Community models: `version` is one hash that exists, `versions` what counts as one. Of PuLID's the ends are known.
PULID_FACTS = {"version": f"8baa7ef2{'0' * 52}525b", "versions": "8baa7ef2[0-9a-f]{52}525b"}
WHISPER_FACTS = {"version": "3ab8" + "0" * 60, "versions": "[0-9a-f]{64}"}


def flux2(most: int, **more: Schema) -> Schema:
    return obj(
        ("prompt",),
        prompt=text(),
        input_images=files("image", most=most),
        aspect_ratio=choice(*FLUX_ASPECTS, default="1:1"),
        resolution=choice("match_input_image", "0.5 MP", "1 MP", "2 MP", "4 MP", default="1 MP"),
        width=integer(256, 2048, step=16),
        height=integer(256, 2048, step=16),
        safety_tolerance=integer(1, 5, 2),
        seed=integer(),
        output_format=choice("webp", "jpg", "png", default="webp"),
        output_quality=integer(0, 100, 80),
        **more,
    )


def draw_flux2(studio: Studio, params: Params) -> str:
    images = params.get("input_images") or []
    first = studio.size_of(images[0]) if images else (1, 1)
    if params["aspect_ratio"] == "custom":
        size = params.get("width", 1024), params.get("height", 1024)
    else:
        resolution = params["resolution"]
        area = 1.0 if resolution == "match_input_image" else float(resolution.split()[0])
        size = by_area(ratio_of(params["aspect_ratio"], first[0] / first[1]), area)
    return studio.picture(*size, params["output_format"]).url


def flux2_price(run: int, megapixel: int) -> Callable[[Studio, Params], int]:
    """So much a run, and so much a megapixel made and sent; a picture that is sent counts as one."""
    return lambda studio, params: round(run + megapixel * (studio.megapixels + len(params.get("input_images") or [])))


def by_second(price: int, clip: str) -> Callable[[Studio, Params], int]:
    """So much a second of the clip that is sent."""
    return lambda studio, params: round(price * studio.seconds_of(params[clip]))


def draw_aspect(studio: Studio, params: Params) -> list[str]:
    """Models that answer with a list."""
    images = params.get("images") or ([params["image"]] if "image" in params else [])
    first = studio.size_of(images[0]) if images else (1, 1)
    size = by_area(ratio_of(params.get("aspect_ratio", ""), first[0] / first[1]), 1.0)
    return [studio.picture(*size, params.get("output_format", "webp")).url]


def draw_nano(studio: Studio, params: Params) -> str:
    images = params.get("image_input") or []
    first = studio.size_of(images[0]) if images else (1, 1)
    area = {"1K": 1.0, "2K": 4.0, "4K": 16.0}[params.get("resolution", "1K")]
    return studio.picture(
        *by_area(ratio_of(params["aspect_ratio"], first[0] / first[1]), area), params["output_format"]
    ).url


def draw_pulid(studio: Studio, params: Params) -> list[str]:
    return [studio.picture(params["width"], params["height"], params["output_format"]).url]


def film_wan(studio: Studio, params: Params) -> str:
    size = wan_size(studio.size_of(params["image"]), params["resolution"])
    fps, frames = params["frames_per_second"], params["num_frames"]
    if params.get("interpolate_output"):
        fps, frames = 30, round(frames * 30 / fps)
    return studio.clip(*size, fps, frames).url


def film_speech(studio: Studio, params: Params) -> str:
    return studio.clip(*wan_size(studio.size_of(params["image"]), "480p"), 16, 81).url


def kling_lips(studio: Studio, params: Params) -> str:
    if "audio_file" not in params:
        spoken = studio.speech(params["text"], params["voice_id"], params["voice_speed"], "wav")
        studio.loaded[spoken.url] = spoken.stored.data
        params = {**params, "audio_file": spoken.url}
    return studio.lips(params["video_url"], params["audio_file"], "keep").url


def sync_lips(studio: Studio, params: Params) -> str:
    return studio.lips(params["video"], params["audio"], params["sync_mode"]).url


def say(studio: Studio, params: Params) -> str:
    return studio.speech(params["text"], params["voice_id"], params["speed"], "mp3").url


def hear(studio: Studio, params: Params) -> dict[str, Any]:
    said = studio.world.scripted_answer("replicate", "transcribe", params) or "a voice says something"
    chunks = [{"text": word, "timestamp": [0.3 * n, 0.3 * n + 0.25]} for n, word in enumerate(str(said).split())]
    return {"text": said, "chunks": chunks}


WAN: dict[str, Schema] = {
    "image": file("image"),
    "prompt": text(),
    "num_frames": integer(81, 121, 81),
    "frames_per_second": integer(5, 30, 16),
    "resolution": choice("480p", "720p", default="480p"),
    "seed": integer(),
}
WAN_FAST = obj(
    ("image", "prompt"),
    **WAN,
    last_image=file("image"),
    go_fast=flag(True),
    interpolate_output=flag(False),
    sample_shift=number(1, 20, 12),
    disable_safety_checker=flag(False),
    lora_weights_transformer=text(),
    lora_scale_transformer=number(),
    lora_weights_transformer_2=text(),
    lora_scale_transformer_2=number(),
)
WAN_A14B = obj(
    ("image", "prompt"),
    **{**WAN, "num_frames": integer(81, 100, 81), "frames_per_second": integer(5, 24, 16)},
)
KLING: Schema = {
    **obj(
        (),
        video_url=file("video", formats=["mp4", "mov"], **KLING_VIDEO),
        video_id=text(),
        audio_file=file("audio", **KLING_AUDIO),
        text=text(),
        voice_id=text(default="en_AOT"),
        voice_speed=number(0.8, 2.0, 1.0),
    ),
    "allOf": [
        {"anyOf": [{"required": ["video_url"]}, {"required": ["video_id"]}]},
        {"anyOf": [{"required": ["audio_file"]}, {"required": ["text"]}]},
    ],
}
SYNC = obj(
    ("video", "audio"),
    video=file("video", formats=["mp4"]),
    audio=file("audio", formats=["wav"]),
    sync_mode=choice("loop", "bounce", "cut_off", "silence", "remap", default="loop"),
    temperature=number(0, 1, 0.5),
    active_speaker=flag(False),
)
PULID = obj(
    ("main_face_image", "prompt"),
    main_face_image=file("image"),
    prompt=text(),
    negative_prompt=text(),
    width=integer(256, 1536, 896),
    height=integer(256, 1536, 1152),
    num_steps=integer(1, 20, 20),
    start_step=integer(0, 10, 0),
    guidance_scale=number(1, 10, 4),
    id_weight=number(0, 3, 1),
    true_cfg=number(1, 10, 1),
    max_sequence_length=integer(128, 512, 128),
    seed=integer(),
    num_outputs=integer(1, 4, 1),
    output_format=choice("webp", "jpg", "png", default="webp"),
    output_quality=integer(0, 100, 80),
)
SPEECH = obj(
    ("text",),
    text=text(10_000, shortest=1),
    voice_id=text(default="Wise_Woman"),
    speed=number(0.5, 2, 1),
    pitch=integer(-12, 12, 0),
    volume=number(0, 10, 1),
    emotion=text(default="auto"),
    language_boost=text(),
    sample_rate=integer(8000, 44100, 32000),
    bitrate=integer(),
    channel=choice("mono", "stereo", default="mono"),
    english_normalization=flag(),
)
WHISPER = obj(
    ("audio",),
    audio=file("audio"),
    task=choice("transcribe", "translate", default="transcribe"),
    language=text(),
    timestamp=choice("chunk", "word", default="chunk"),
    batch_size=integer(1, default=24),
    diarise_audio=flag(False),
)
KLEIN = obj(
    ("prompt",),
    prompt=text(),
    images=files("image", most=5),
    aspect_ratio=choice(*FLUX_ASPECTS, "21:9", "9:21", default="1:1"),
    output_megapixels=choice("0.25", "0.5", "1", "2", "4", default="1"),
    output_format=choice("webp", "jpg", "png", default="jpg"),
    output_quality=integer(0, 100, 95),
    go_fast=flag(False),
    disable_safety_checker=flag(False),
    seed=integer(),
)
NANO: dict[str, Schema] = {
    "prompt": text(),
    "aspect_ratio": choice(*NANO_ASPECTS, default="match_input_image"),
    "output_format": choice("jpg", "png", default="jpg"),
}
QWEN_EDIT = obj(
    ("image", "prompt"),
    image=file("image"),
    prompt=text(),
    go_fast=flag(True),
    disable_safety_checker=flag(False),
    aspect_ratio=choice("1:1", "16:9", "9:16", "4:3", "3:4", "match_input_image", default="match_input_image"),
    seed=integer(),
    output_format=choice("webp", "jpg", "png", default="webp"),
    output_quality=integer(0, 100, 95),
)


def _seconds(params: Params) -> float:
    return float(params["num_frames"]) / float(params["frames_per_second"])


MODELS = {
    model.slug: model
    for model in (
        Model("black-forest-labs/flux-2-pro", "image", flux2(8), draw_flux2, lambda p: 30_000,
              metered=flux2_price(15_000, 15_000)),
        Model("black-forest-labs/flux-2-max", "image", flux2(8), draw_flux2, lambda p: 70_000,
              metered=flux2_price(40_000, 30_000)),
        Model(
            "black-forest-labs/flux-2-flex", "image",
            flux2(10, steps=integer(1, 50, 30), guidance=number(1.5, 10, 4.5), prompt_upsampling=flag(True)),
            draw_flux2, lambda p: 60_000, metered=flux2_price(0, 60_000),
        ),
        Model("black-forest-labs/flux-2-klein-4b", "image", KLEIN, draw_aspect, lambda p: 14_000),
        Model(
            "black-forest-labs/flux-2-dev", "image",
            obj(("prompt",), prompt=text(), input_images=files("image", most=5),
                aspect_ratio=choice(*FLUX_ASPECTS, default="1:1"), seed=integer(), go_fast=flag(True),
                output_format=choice("webp", "jpg", "png", default="jpg"), output_quality=integer(0, 100, 80)),
            draw_aspect, lambda p: 12_000,
        ),
        Model("google/nano-banana", "image", obj(("prompt",), **NANO, image_input=files("image")), draw_nano,
              lambda p: 39_000),
        Model(
            "google/nano-banana-2", "image",
            obj(("prompt",), **NANO, image_input=files("image", most=14),
                resolution=choice("1K", "2K", "4K", default="1K")),
            draw_nano, lambda p: 67_000,
        ),
        Model("qwen/qwen-image-edit", "image", QWEN_EDIT, draw_aspect, lambda p: 30_000),
        Model("wan-video/wan-2.2-i2v-fast", "video", WAN_FAST, film_wan,
              lambda p: round(p["num_frames"] / 16 * (10_000 if p["resolution"] == "480p" else 21_000))),
        Model("wan-video/wan-2.2-i2v-a14b", "video", WAN_A14B, film_wan, lambda p: round(_seconds(p) * 80_000)),
        Model("wan-video/wan-2.2-s2v", "video", obj(("image", "audio", "prompt"), image=file("image"),
              audio=file("audio"), prompt=text()), film_speech, lambda p: 100_000),
        Model("kwaivgi/kling-lip-sync", "lips", KLING, kling_lips, lambda p: 70_000,
              metered=by_second(14_000, "video_url")),
        Model("sync/lipsync-2", "lips", SYNC, sync_lips, lambda p: 250_000, metered=by_second(50_000, "video")),
        Model("sync/lipsync-2-pro", "lips", SYNC, sync_lips, lambda p: 415_000,
              metered=by_second(83_000, "video")),
        Model("minimax/speech-02-turbo", "speech", SPEECH, say, lambda p: len(p["text"]) * 60),
        Model("bytedance/flux-pulid", "image", PULID, draw_pulid, lambda p: 20_000, PULID_FACTS),
        Model("vaibhavs10/incredibly-fast-whisper", "transcribe", WHISPER, hear, lambda p: 4_000, WHISPER_FACTS),
    )
}  # fmt: skip
