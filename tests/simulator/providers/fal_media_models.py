"""fal's endpoints for film, lips, voices and checks, as PROVIDERS.md tells them. Prices in micro-dollars."""

from __future__ import annotations

from typing import Any

from tests.simulator.providers.base import Model
from tests.simulator.providers.fal_models import IMAGE_MODELS, shown
from tests.simulator.providers.shapes import wan_size
from tests.simulator.schemas import Schema, choice, file, files, flag, integer, number, obj, text
from tests.simulator.studio import Studio

Params = dict[str, Any]
MB = 1_000_000
KLING_VIDEO = {"max_bytes": 100 * MB, "min_seconds": 2, "max_seconds": 10, "min_side": 720, "max_side": 1920}
KLING_AUDIO = {"max_bytes": 5 * MB - 1}


def film(studio: Studio, params: Params) -> dict[str, Any]:
    size = wan_size(studio.size_of(params["image_url"]), params["resolution"])
    frames, fps = params.get("num_frames", 81), params.get("frames_per_second", 16)
    return {
        "video": shown(studio.clip(*size, fps, frames)),
        "seed": params.get("seed", 1),
        "prompt": params.get("prompt", ""),
    }


def film_speech(studio: Studio, params: Params) -> dict[str, Any]:
    size = wan_size(studio.size_of(params["image_url"]), params["resolution"])
    return {"video": shown(studio.clip(*size, params["frames_per_second"], params["num_frames"]))}


def kling_lips(studio: Studio, params: Params) -> dict[str, Any]:
    return {"video": shown(studio.lips(params["video_url"], params["audio_url"], "keep"))}


def sync_lips(studio: Studio, params: Params) -> dict[str, Any]:
    return {"video": shown(studio.lips(params["video_url"], params["audio_url"], params["sync_mode"]))}


def elevenlabs(studio: Studio, params: Params) -> dict[str, Any]:
    made = studio.speech(params["text"], params["voice"], params.get("speed", 1.0), "mp3")
    found: dict[str, Any] = {"audio": shown(made)}
    if params.get("timestamps"):
        # The documents leave open what the word is called, so both names occur.
        name = "word" if int(studio.job.digest[0], 16) % 2 else "text"
        found["timestamps"] = [{name: word.text, "start": word.start, "end": word.end} for word in made.words]
    return found


def minimax(field: str) -> Any:
    def make(studio: Studio, params: Params) -> dict[str, Any]:
        voice = params.get("voice_setting") or {}
        made = studio.speech(params[field], voice.get("voice_id", "Wise_Woman"), voice.get("speed", 1.0), "mp3")
        audio = shown(made) if params["output_format"] == "url" else {"content": made.stored.data.hex()}
        return {"audio": audio, "duration_ms": round(made.seconds * 1000)}

    return make


def heard(studio: Studio, params: Params) -> list[str]:
    said = studio.world.scripted_answer("fal", "transcribe", params) or "a voice says something"
    return str(said).split()


def scribe(studio: Studio, params: Params) -> dict[str, Any]:
    words = [
        {"text": word, "start": 0.3 * number_, "end": 0.3 * number_ + 0.25, "type": "word", "speaker_id": "speaker_0"}
        for number_, word in enumerate(heard(studio, params))
    ]
    return {
        "text": " ".join(heard(studio, params)),
        "language_code": "eng",
        "language_probability": 0.99,
        "words": words,
    }


def wizper(studio: Studio, params: Params) -> dict[str, Any]:
    words = heard(studio, params)
    chunk = {"text": " ".join(words), "timestamp": [0.0, 0.3 * len(words)]}
    return {"text": " ".join(words), "chunks": [chunk], "languages": ["en"]}


def nsfw_many(studio: Studio, params: Params) -> dict[str, Any]:
    scripted = studio.world.scripted_answer("fal", "moderate", params)
    return {"has_nsfw_concepts": scripted or [False] * len(params["image_urls"])}


def nsfw_one(studio: Studio, params: Params) -> dict[str, Any]:
    scripted = studio.world.scripted_answer("fal", "moderate", params)
    return {"nsfw_probability": 0.01 if scripted is None else scripted}


def voice(longest: int, **more: Schema) -> Schema:
    return obj(
        ("text",),
        text=text(longest, shortest=1),
        voice=text(default="Rachel"),
        stability=number(0, 1, 0.5),
        similarity_boost=number(0, 1, 0.75),
        style=number(0, 1),
        language_code=text(),
        timestamps=flag(False),
        apply_text_normalization=choice("auto", "on", "off", default="auto"),
        **more,
    )


MINIMAX: dict[str, Schema] = {
    "voice_setting": obj(voice_id=text(), speed=number(0.5, 2), vol=number(0.01, 10), pitch=integer(-12, 12),
                         emotion=text(), english_normalization=flag()),
    "audio_setting": obj(sample_rate=choice(8000, 16000, 22050, 24000, 32000, 44100),
                         bitrate=choice(32000, 64000, 128000, 256000), format=choice("mp3", "pcm", "flac"),
                         channel=choice(1, 2)),
    "language_boost": text(),
    "output_format": choice("url", "hex", default="hex"),
    "pronunciation_dict": {"type": "object"},
}  # fmt: skip
WAN: dict[str, Schema] = {
    "image_url": file("image"),
    "prompt": text(),
    "end_image_url": file("image"),
    "resolution": choice("480p", "580p", "720p", default="720p"),
    "aspect_ratio": choice("auto", "16:9", "9:16", "1:1", default="auto"),
    "seed": integer(),
    "enable_safety_checker": flag(False),
    "enable_output_safety_checker": flag(False),
    "enable_prompt_expansion": flag(False),
    "acceleration": choice("none", "regular"),
    "negative_prompt": text(),
}
SPOKEN: dict[str, Schema] = {
    "image_url": file("image"),
    "audio_url": file("audio"),
    "prompt": text(),
    "negative_prompt": text(),
    "num_frames": integer(40, 120, 80, step=4),
    "frames_per_second": integer(4, 60, 16),
    "resolution": choice("480p", "580p", "720p", default="480p"),
    "seed": integer(),
}
MULTI_VOICE: dict[str, Schema] = {"speed": number(0.7, 1.2, 1.0), "previous_text": text(), "next_text": text()}
KLING = obj(
    ("video_url", "audio_url"),
    video_url=file("video", **KLING_VIDEO),
    audio_url=file("audio", **KLING_AUDIO),
)
SYNC = obj(
    ("video_url", "audio_url"),
    video_url=file("video"),
    audio_url=file("audio"),
    sync_mode=choice("cut_off", "loop", "bounce", "silence", "remap", default="cut_off"),
    model=choice("lipsync-2", "lipsync-2-pro", default="lipsync-2"),
)
SCRIBE = obj(
    ("audio_url",), audio_url=file("audio"), language_code=text(), diarize=flag(True), tag_audio_events=flag(True)
)
WIZPER = obj(
    ("audio_url",),
    audio_url=file("audio"),
    task=choice("transcribe", "translate", default="transcribe"),
    language=text(),
    chunk_level=choice("segment", default="segment"),
    max_segment_len=integer(10, 29, 29),
    merge_chunks=flag(True),
    version=text(),
)


def by_second(price: int) -> Any:
    """So much a second of the clip that is sent."""
    return lambda studio, params: round(price * studio.seconds_of(params["video_url"]))


TTS = "fal-ai/elevenlabs/tts"

MODELS = {
    model.slug: model
    for model in (
        *IMAGE_MODELS,
        Model("fal-ai/wan/v2.2-a14b/image-to-video/turbo", "video", obj(("image_url", "prompt"), **WAN), film,
              lambda p: {"480p": 50_000, "580p": 75_000, "720p": 100_000}[p["resolution"]]),
        Model("fal-ai/wan/v2.2-a14b/image-to-video/lora", "video",
              obj(("image_url", "prompt"), **WAN, num_frames=integer(17, 161, 81), frames_per_second=integer(4, 60, 16),
                  num_inference_steps=integer(2, 40, 27), guidance_scale=number(1, 10), loras={"type": "array"}),
              film, lambda p: round(p["num_frames"] / 16 * 80_000)),
        Model("fal-ai/wan/v2.2-14b/speech-to-video", "video", obj(("image_url", "audio_url", "prompt"), **SPOKEN),
              film_speech, lambda p: round(p["num_frames"] / 16 * 200_000)),
        Model("fal-ai/kling-video/lipsync/audio-to-video", "lips", KLING, kling_lips, lambda p: 70_000,
              metered=by_second(14_000)),
        Model("fal-ai/sync-lipsync/v2", "lips", SYNC, sync_lips, lambda p: 250_000, metered=by_second(50_000)),
        Model(f"{TTS}/eleven-v3", "speech", voice(5000), elevenlabs, lambda p: len(p["text"]) * 100),
        Model(f"{TTS}/turbo-v2.5", "speech", voice(40_000, **MULTI_VOICE), elevenlabs, lambda p: len(p["text"]) * 50),
        Model(f"{TTS}/multilingual-v2", "speech", voice(10_000, **MULTI_VOICE), elevenlabs,
              lambda p: len(p["text"]) * 100),
        Model("fal-ai/minimax/speech-02-turbo", "speech", obj(("text",), text=text(5000, shortest=1), **MINIMAX),
              minimax("text"), lambda p: len(p["text"]) * 60),
        Model("fal-ai/minimax/speech-2.8-turbo", "speech", obj(("prompt",), prompt=text(10_000, shortest=1), **MINIMAX),
              minimax("prompt"), lambda p: len(p["prompt"]) * 60),
        Model("fal-ai/elevenlabs/speech-to-text", "transcribe", SCRIBE, scribe, lambda p: 30_000),
        Model("fal-ai/elevenlabs/speech-to-text/scribe-v2", "transcribe", SCRIBE, scribe, lambda p: 8_000),
        Model("fal-ai/wizper", "transcribe", WIZPER, wizper, lambda p: 500),
        Model("fal-ai/x-ailab/nsfw", "check", obj(("image_urls",), image_urls=files("image", 1, 10)), nsfw_many,
              lambda p: 1_000),
        Model("fal-ai/imageutils/nsfw", "check", obj(("image_url",), image_url=file("image")), nsfw_one, lambda p: 500),
    )
}  # fmt: skip
