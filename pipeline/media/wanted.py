"""What a request for a media item says, and the provider work that follows from it.

Hides how each type is put as requests to engines. The same words and the same item give the same requests, so that an
item is taken up after a crash where it was, and nothing is bought twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pipeline.contracts import (
    FilmForm,
    FrameBrief,
    ImageRequest,
    JobRequest,
    Look,
    MediaRef,
    Render,
    UpscaleRequest,
    VideoRequest,
    digest,
)
from pipeline.media.prices import MediaType, Rating

Refer = Callable[[str], MediaRef]


def _storable(text: str) -> str:
    """Text that a database can carry."""
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("it has characters that no text may have")
    return text


Side = Annotated[int, Field(ge=256, le=2048)]
Words = Annotated[str, Field(max_length=4000), AfterValidator(_storable)]
Address = Annotated[str, Field(max_length=200, pattern=r"^/media/")]


class Wanted(BaseModel):
    """An item as it is asked for. Fields that its type has no use for are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["IMAGE", "IMAGE_SEQUENCE", "VIDEO", "UPSCALE_IMAGE", "REFERENCE_TO_VIDEO"]
    rating: Rating = "general"
    render: Render = "auto"
    prompt: Words = ""
    prompts: Annotated[list[Words], Field(max_length=12)] = []
    model: Annotated[Words, Field(max_length=80)] = ""
    provider: Annotated[Words, Field(max_length=40)] = ""
    width: Side = 1024
    height: Side = 1024
    seconds: Annotated[float, Field(ge=0.5, le=10)] = 5.0
    factor: Annotated[int, Field(ge=2, le=4)] = 2
    image_url: Address | None = None
    reference_image_urls: Annotated[list[Address], Field(max_length=14)] = []
    source_id: int | None = None
    workflow_name: Annotated[str, Field(max_length=80)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.type in ("IMAGE", "VIDEO") and not self.prompt.strip():
            raise ValueError("prompt says what is to be seen")
        if self.type == "IMAGE_SEQUENCE" and not (len(self.prompts) >= 2 and all(one.strip() for one in self.prompts)):
            raise ValueError("prompts has a text for each of two to twelve pictures")
        if self.type in ("VIDEO", "UPSCALE_IMAGE") and self.image_url is None and self.source_id is None:
            raise ValueError("image_url or source_id names the picture that it is made from")
        unused = self.model_fields_set - _USED[self.type] - _ALWAYS
        if unused:
            raise ValueError(f"{self.type} has no use for {', '.join(sorted(unused))}")
        return self


_ALWAYS = {"type", "rating", "render", "model", "provider", "source_id", "workflow_name"}
_USED: dict[str, set[str]] = {
    "IMAGE": {"prompt", "width", "height", "reference_image_urls"},
    "IMAGE_SEQUENCE": {"prompts", "width", "height", "reference_image_urls"},
    "VIDEO": {"prompt", "image_url", "seconds"},
    "UPSCALE_IMAGE": {"image_url", "factor"},
    "REFERENCE_TO_VIDEO": {"prompt", "image_url", "seconds", "width", "height", "reference_image_urls"},
}


def requests(wanted: Wanted, model: str, lot: str, refer: Refer, source: MediaRef | None) -> list[JobRequest]:
    """The provider work, one request for each picture or clip. `lot`: what makes this item differ from an equal one;
    `source`: the picture of the item that `source_id` names. Raises InvalidInput and MediaMissing for addresses.
    """
    kind: MediaType = wanted.type  # type: ignore[assignment]
    if kind in ("IMAGE", "IMAGE_SEQUENCE"):
        given = [refer(url) for url in wanted.reference_image_urls]
        references = tuple([source, *given] if source is not None else given)
        prompts = [wanted.prompt] if kind == "IMAGE" else wanted.prompts
        return [
            _picture(wanted, model, prompt, _seed(lot, number), references) for number, prompt in enumerate(prompts)
        ]
    image = refer(wanted.image_url) if wanted.image_url is not None else source
    assert image is not None
    if kind == "UPSCALE_IMAGE":
        return [UpscaleRequest(model=model, image=image, factor=wanted.factor)]
    form = FilmForm.of(_aspect(image))
    return [
        VideoRequest(
            model=model,
            prompt=wanted.prompt,
            image=image,
            move="push_in",
            form=form,
            frames=max(1, round(wanted.seconds * form.fps)),
            seed=_seed(lot, 0),
        )
    ]


def _picture(wanted: Wanted, model: str, prompt: str, seed: int, references: tuple[MediaRef, ...]) -> ImageRequest:
    place = Look(kind="set", name=prompt[:60], appearance=prompt)
    return ImageRequest(
        model=model,
        prompt=prompt,
        width=wanted.width,
        height=wanted.height,
        seed=seed,
        references=references,
        brief=FrameBrief(framing="wide", action=prompt, place=place),
    )


def _aspect(image: MediaRef) -> Literal["16:9", "9:16", "1:1"]:
    measured = image.meta.get("measured") or image.meta
    width, height = int(measured.get("width") or 16), int(measured.get("height") or 9)
    if abs(width - height) * 8 < max(width, height):
        return "1:1"
    return "16:9" if width > height else "9:16"


def _seed(lot: str, number: int) -> int:
    return int(digest("media", lot, number)[:7], 16)
