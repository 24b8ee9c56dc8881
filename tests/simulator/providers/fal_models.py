"""What fal's endpoints take and give, as PROVIDERS.md tells it. Prices in micro-dollars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulator.providers.base import Model
from tests.simulator.providers.shapes import FAL_SIZES, by_area, ratio_of
from tests.simulator.schemas import Schema, choice, file, files, flag, integer, number, obj, text
from tests.simulator.studio import CONTENT_TYPES, Made, Studio

Params = dict[str, Any]
Metered = Callable[[Studio, Params], int]
MIB = 1024 * 1024
SIDES: dict[str, Schema] = {"width": integer(64, 14142), "height": integer(64, 14142)}
ASPECTS = ("21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21", "5:4", "4:5")
QWEN_PRO = {"min_side": 384, "max_side": 5000, "max_bytes": 10 * MIB, "alpha": False}


def image_size(*more: str, default: str = "landscape_4_3") -> Schema:
    sized = obj(("width", "height"), **SIDES)
    return {"anyOf": [{"enum": [*FAL_SIZES, *more]}, sized], "default": default}


def shown(made: Made) -> dict[str, Any]:
    """One file as fal tells it."""
    name = made.stored.name
    found = {
        "url": made.url,
        "content_type": made.stored.content_type,
        "file_name": name,
        "file_size": len(made.stored.data),
    }
    return {**found, "width": made.width, "height": made.height} if made.width else found


def draw(*, seed: bool = True, nsfw: bool = False, more: dict[str, Any] | None = None) -> Any:
    """A maker of images; `seed`, `nsfw`: whether the answer names a seed and the flags of a safety check."""

    def make(studio: Studio, params: Params) -> dict[str, Any]:
        count = params.get("num_images", 1)
        flagged = studio.job.fault("nsfw_flagged") is not None
        form = params.get("output_format", "png")
        images = [] if studio.job.fault("empty_output") else [
            shown(studio.picture(*size_asked(studio, params), form)) for _ in range(count)
        ]  # fmt: skip
        found: dict[str, Any] = {"images": images, **(more or {})}
        if seed:
            found["seed"] = params.get("seed", int(studio.job.digest[:6], 16))
        if nsfw:
            found |= {
                "has_nsfw_concepts": [flagged] * count,
                "prompt": params.get("prompt", ""),
                "timings": {"inference": 1.5},
            }
        return found

    return make


def size_asked(studio: Studio, params: Params) -> tuple[int, int]:
    references = params.get("image_urls") or [
        params[name] for name in ("image_url", "reference_image_url") if params.get(name)
    ]
    ratio = 1.0
    if references:
        width, height = studio.size_of(references[0])
        ratio = width / height
    size = params.get("image_size")
    if isinstance(size, dict):
        return size["width"], size["height"]
    if size in FAL_SIZES:
        return FAL_SIZES[size]
    area = {"0.5K": 0.25, "1K": 1.0, "2K": 4.0, "4K": 16.0}[params.get("resolution", "1K")]
    return by_area(ratio_of(params.get("aspect_ratio", "auto"), ratio), area)


COMMON: dict[str, Schema] = {
    "prompt": text(),
    "seed": integer(),
    "sync_mode": flag(False),
    "output_format": choice("jpeg", "png", default="jpeg"),
}
FLUX: dict[str, Schema] = {
    **COMMON,
    "safety_tolerance": choice("1", "2", "3", "4", "5", default="2"),
    "enable_safety_checker": flag(True),
}
STEPS: dict[str, Schema] = {"guidance_scale": number(0, 20), "num_inference_steps": integer(1, 100)}
MANY: dict[str, Schema] = {"num_images": integer(1, 4, 1)}
KONTEXT: dict[str, Schema] = {
    **COMMON,
    **MANY,
    "aspect_ratio": choice(*ASPECTS),
    "guidance_scale": number(1, 20, 3.5),
    "safety_tolerance": choice("1", "2", "3", "4", "5", "6", default="2"),
    "enhance_prompt": flag(False),
}
QWEN: dict[str, Schema] = {
    **COMMON,
    **MANY,
    **STEPS,
    "image_size": image_size(),
    "acceleration": choice("none", "regular", "high", default="regular"),
    "negative_prompt": text(),
    "enable_safety_checker": flag(True),
}
QWEN_2: dict[str, Schema] = {
    **MANY,
    "prompt": text(800),
    "negative_prompt": text(500),
    "image_size": image_size(),
    "seed": integer(),
    "sync_mode": flag(False),
    "output_format": choice("jpeg", "png", "webp", default="png"),
    "enable_prompt_expansion": flag(),
    "enable_safety_checker": flag(True),
}
NANO: dict[str, Schema] = {
    **MANY,
    "prompt": text(50_000, shortest=3),
    "aspect_ratio": choice("auto", *ASPECTS, default="auto"),
    "output_format": choice("jpeg", "png", "webp", default="png"),
    "sync_mode": flag(False),
    "safety_tolerance": choice("1", "2", "3", "4", "5", "6", default="4"),
    "limit_generations": flag(True),
}
NANO_PRO: dict[str, Schema] = {
    **NANO,
    "resolution": choice("1K", "2K", "4K", default="1K"),
    "enable_web_search": flag(False),
    "system_prompt": text(),
    "seed": integer(),
}
NANO_2: dict[str, Schema] = {
    **NANO,
    "resolution": choice("0.5K", "1K", "2K", "4K", default="1K"),
    "thinking_level": choice("minimal", "high"),
    "enable_web_search": flag(False),
    "seed": integer(),
}
PULID: dict[str, Schema] = {
    "prompt": text(),
    "reference_image_url": file("image"),
    "image_size": image_size(),
    "num_inference_steps": integer(1, 50, 20),
    "guidance_scale": number(1.5, 20, 4),
    "negative_prompt": text(),
    "true_cfg": number(1, 10, 1),
    "id_weight": number(0, 1, 1),
    "start_step": integer(0, 50, 0),
    "max_sequence_length": choice("128", "256", "512", default="128"),
    "seed": integer(),
    "sync_mode": flag(False),
    "enable_safety_checker": flag(True),
}
REVE: dict[str, Schema] = {
    **MANY,
    "prompt": text(2560),
    "sync_mode": flag(False),
    "output_format": choice("png", "jpeg", "webp", default="png"),
}


def edit(slug: str, shared: dict[str, Schema], most: int | None, price: int, *, fewest: int = 1, **more: Any) -> Model:
    """An endpoint with `image_urls`."""
    limits = more.pop("limits", {})
    make = more.pop("make", draw())
    metered = more.pop("metered", None)
    schema = obj(("prompt", "image_urls"), **{**shared, **more}, image_urls=files("image", fewest, most, **limits))
    return Model(slug, "image", schema, make, lambda params: price * params.get("num_images", 1), metered=metered)


def single(slug: str, shared: dict[str, Schema], price: int, make: Any, **more: Any) -> Model:
    """An endpoint with one `image_url`."""
    metered = more.pop("metered", None)
    schema = obj(("prompt", "image_url"), **{**shared, **more}, image_url=file("image"))
    return Model(slug, "image", schema, make, lambda params: price * params.get("num_images", 1), metered=metered)


def plain(slug: str, shared: dict[str, Schema], price: int, make: Any = None, **more: Any) -> Model:
    """An endpoint without references."""
    metered = more.pop("metered", None)
    schema = obj(("prompt",), **{**shared, **more})
    return Model(slug, "image", schema, make or draw(), lambda p: price * p.get("num_images", 1), metered=metered)


def by_megapixel(price: int) -> Metered:
    """So much a megapixel made."""
    return lambda studio, params: round(price * studio.megapixels)


def flux_price(run: int, megapixel: int) -> Metered:
    """So much a run, and so much a megapixel made and sent; a picture that is sent counts as one."""
    return lambda studio, params: round(run + megapixel * (studio.megapixels + len(params.get("image_urls") or [])))


def upscale(studio: Studio, params: Params) -> dict[str, Any]:
    return {
        "image": shown(studio.upscaled(params["image_url"], params["upscale_factor"], params["output_format"])),
        "seed": 1,
    }


UPSCALE = obj(
    ("image_url",),
    image_url=file("image"),
    upscale_mode=choice("factor", "target", default="factor"),
    upscale_factor=number(1, 10, 2),
    output_format=choice("png", "jpg", "webp", default="jpg"),
    seed=integer(),
    noise_scale=number(0, 1),
    sync_mode=flag(False),
)

AUTO = image_size("auto", default="auto")
IMAGE_MODELS = (
    edit("fal-ai/flux-2-pro/edit", FLUX, 9, 45_000, image_size=AUTO, metered=flux_price(15_000, 15_000)),
    edit("fal-ai/flux-2-max/edit", FLUX, 9, 100_000, image_size=AUTO, metered=flux_price(40_000, 30_000)),
    edit("fal-ai/flux-2-flex/edit", {**FLUX, **STEPS}, 9, 120_000, image_size=AUTO, metered=flux_price(0, 60_000)),
    edit("fal-ai/flux-2/edit", {**FLUX, **STEPS, **MANY}, None, 12_000, image_size=image_size(),
         metered=flux_price(0, 12_000),
         acceleration=choice("none", "regular", "high", default="regular"),
         output_format=choice("jpeg", "png", "webp", default="png"), make=draw(nsfw=True)),
    single("fal-ai/flux-pro/kontext", KONTEXT, 40_000, draw(nsfw=True)),
    edit("fal-ai/flux-pro/kontext/multi", KONTEXT, None, 40_000, make=draw(nsfw=True)),
    single("reve/2.1/edit", REVE, 40_000, draw(seed=False), aspect_ratio=choice(*ASPECTS)),
    edit("reve/2.1/remix", REVE, 8, 40_000, limits={"max_bytes": 10 * MIB - 1}, make=draw(seed=False),
         aspect_ratio=choice(*ASPECTS)),
    single("fal-ai/qwen-image-edit", QWEN, 30_000, draw(nsfw=True), metered=by_megapixel(30_000)),
    edit("fal-ai/qwen-image-edit-plus", QWEN, None, 30_000, make=draw(nsfw=True), metered=by_megapixel(30_000)),
    edit("fal-ai/qwen-image-edit-2509", QWEN, None, 30_000, make=draw(nsfw=True), metered=by_megapixel(30_000)),
    edit("fal-ai/qwen-image-edit-2511", QWEN, 1, 30_000, make=draw(nsfw=True), metered=by_megapixel(30_000)),
    edit("fal-ai/qwen-image-2/pro/edit", QWEN_2, 3, 75_000, limits=QWEN_PRO),
    edit("fal-ai/qwen-image-2/edit", QWEN_2, 3, 35_000, limits=QWEN_PRO),
    edit("fal-ai/qwen-image-max/edit", QWEN_2, 3, 75_000, limits=QWEN_PRO),
    edit("fal-ai/nano-banana/edit", NANO, 4, 39_000, make=draw(seed=False, more={"description": ""})),
    edit("fal-ai/nano-banana-pro/edit", NANO_PRO, 14, 150_000, make=draw(seed=False, more={"description": ""})),
    Model("fal-ai/nano-banana-2/edit", "image", {
        **obj(("prompt",), **NANO_2, image_urls=files("image", 1, 14), video_url=file("video"),
              audio_url=file("audio")),
        "anyOf": [{"required": [name]} for name in ("image_urls", "video_url", "audio_url")],
    }, draw(seed=False, more={"description": ""}), lambda p: 80_000 * p["num_images"]),
    Model("fal-ai/flux-pulid", "image", obj(("prompt", "reference_image_url"), **PULID), draw(nsfw=True),
          lambda p: 33_300, metered=by_megapixel(33_300)),
    plain("fal-ai/flux-2-pro", FLUX, 30_000, image_size=image_size(), metered=flux_price(15_000, 15_000)),
    plain("fal-ai/qwen-image", QWEN, 20_000, draw(nsfw=True), metered=by_megapixel(20_000)),
    plain("fal-ai/qwen-image-2/pro/text-to-image", QWEN_2, 75_000),
    plain("fal-ai/nano-banana", NANO, 39_000, draw(seed=False, more={"description": ""})),
    plain("fal-ai/nano-banana-pro", NANO_PRO, 150_000, draw(seed=False, more={"description": ""})),
    plain("fal-ai/nano-banana-2", NANO_2, 80_000, draw(seed=False, more={"description": ""})),
    plain("fal-ai/flux-pro/kontext/text-to-image", KONTEXT, 40_000, draw(nsfw=True)),
    plain("reve/2.1/text-to-image", REVE, 40_000, draw(seed=False), aspect_ratio=choice(*ASPECTS)),
    Model("fal-ai/seedvr/upscale/image", "upscale", UPSCALE, upscale, lambda p: 1_000, metered=by_megapixel(1_000)),
)  # fmt: skip
assert set(CONTENT_TYPES) >= {"png", "jpeg", "webp"}
