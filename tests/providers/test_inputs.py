"""Requests fitted to what slugs take: sizes, prompts, lengths, pictures. Properties, and real files."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.contracts import FilmForm, SpeechRequest
from pipeline.errors import BadMedia
from pipeline.providers.catalogue import Frames, PictureLimits, Sides, Slug, entries, estimate, slug_for, slug_named
from pipeline.providers.failures import ProviderFailure
from pipeline.providers.inputs import build, check_clip, cut_words, fit_picture, nearest_aspect
from tests.providers.kit import Files, clip, lips, picture

some_ms = st.integers(42, 7500)
QWEN_PRO = PictureLimits(least=384, most=5000, bytes=10_000_000, alpha=False)


@given(st.integers(16, 8000), st.integers(16, 8000))
def test_a_size_stays_within_its_sides_and_keeps_its_shape(width: int, height: int) -> None:
    sides = Sides(least=256, most=2048, step=16)
    found = sides.fit(width, height)
    assert all(256 <= side <= 2048 and side % 16 == 0 for side in found)
    if 0.2 < width / height < 5:
        assert found[0] / found[1] == pytest.approx(width / height, rel=0.07)


@given(st.text(st.sampled_from("ab ,\n"), max_size=120), st.integers(1, 60))
def test_a_prompt_is_cut_to_whole_words(text: str, limit: int) -> None:
    cut = cut_words(text, limit)
    assert len(cut) <= limit
    assert text.startswith(cut)
    if cut != text and " " in text[:limit].strip():
        assert text[len(cut)].isspace()


@given(some_ms)
def test_frames_cover_the_slot(ms: int) -> None:
    for rule, least, most in (("wan_fast", 81, 121), ("least", 17, 161), ("slower", 81, 100)):
        frames, fps = Frames(rule=rule, fps=16, least=least, most=most).ask(ms)  # type: ignore[arg-type]
        assert least <= frames <= most
        assert frames * 1000 >= ms * fps
        assert 12 <= fps <= 16


@given(some_ms)
@settings(max_examples=40)
def test_seconds_are_the_smallest_on_offer_that_cover_the_slot(ms: int) -> None:
    slug = slug_named("wavespeed", "wavespeed-ai/wan-2.2/i2v-480p-ultra-fast")
    assert slug is not None
    assert slug.seconds(ms) == (5.0 if ms <= 5000 else 8.0)


def test_shapes_go_to_the_nearest_that_is_on_offer() -> None:
    assert nearest_aspect(1600 / 900, ("1:1", "16:9", "9:16"), ":") == "16:9"
    assert nearest_aspect(768 / 960, ("1:1", "16:9", "4:5"), ":") == "4:5"
    assert nearest_aspect(720 / 1280, ("1280*720", "720*1280"), "*") == "720*1280"


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_a_picture_that_fits_is_sent_as_it_is(files: Files) -> None:
    path = files.path(files.picture(800, 600))
    assert fit_picture(path, QWEN_PRO) == (path.read_bytes(), "image/png")


@pytest.mark.parametrize(("width", "height"), [(100, 80), (6000, 400), (300, 5600), (5001, 5001), (40, 6000)])
def test_a_picture_is_brought_within_its_sides(width: int, height: int, files: Files) -> None:
    content, mime = fit_picture(files.path(files.picture(width, height)), QWEN_PRO)
    assert mime == "image/jpeg"
    assert min(opened(content).size) >= 384
    assert max(opened(content).size) <= 5000


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_alpha_is_laid_on_white_where_it_is_not_taken(mode: str, files: Files) -> None:
    path = files.folder / f"alpha-{mode}.png"
    made = Image.new("RGBA", (500, 500), (200, 0, 0, 0))
    (made.convert(mode) if mode != "P" else made.quantize()).save(path)
    content, _ = fit_picture(path, QWEN_PRO)
    assert opened(content).mode == "RGB"
    assert min(opened(content).convert("L").getextrema()) > 240  # type: ignore[type-var]
    assert fit_picture(path, PictureLimits())[1] == "image/png"


def test_a_picture_is_brought_below_its_bytes(files: Files) -> None:
    limits = PictureLimits(bytes=200_000)
    content, _ = fit_picture(files.path(files.noise(1000, 800)), limits)
    assert len(content) <= limits.bytes
    assert opened(content).width / opened(content).height == pytest.approx(1000 / 800, rel=0.01)


def test_a_portrait_is_extended_to_a_wide_frame_and_stays_whole(files: Files) -> None:
    path = files.path(files.picture(480, 600, 200))
    content, _ = fit_picture(path, PictureLimits(), (1600, 900))
    image = opened(content)
    assert image.width / image.height == pytest.approx(16 / 9, rel=0.01)
    assert image.height == 600
    assert fit_picture(path, PictureLimits(), (960, 1200))[1] == "image/png"


def test_what_is_no_picture_is_said_so(files: Files) -> None:
    path = files.folder / "no.png"
    path.write_bytes(b"<html>")
    with pytest.raises(BadMedia):
        fit_picture(path, QWEN_PRO)


def kling() -> Slug:
    found = slug_named("fal", "fal-ai/kling-video/lipsync/audio-to-video")
    assert found is not None
    return found


def test_clips_outside_klings_limits_are_refused_with_the_reason(files: Files) -> None:
    for ms in (2000, 10_000):
        check_clip(kling(), lips(files, ms))
    for ms, why in ((1500, "2 to 10 s"), (10_500, "2 to 10 s")):
        with pytest.raises(ProviderFailure, match=why):
            check_clip(kling(), lips(files, ms))
    with pytest.raises(ProviderFailure, match="720 to 1920 pixels"):
        check_clip(kling(), lips(files, 3000, form=FilmForm(width=832, height=480)))
    heavy = lips(files, 3000)
    heavy = heavy.model_copy(update={"audio": heavy.audio.model_copy(update={"size": 5_000_000})})
    with pytest.raises(ProviderFailure, match="less than 5 MB"):
        check_clip(kling(), heavy)


def test_a_spoken_text_is_never_cut() -> None:
    slug = slug_named("fal", "fal-ai/minimax/speech-02-turbo")
    assert slug is not None
    long = SpeechRequest(text="a" * 5001, voice="minimax/Calm_Woman", language="en")
    with pytest.raises(ProviderFailure, match="5000 characters"):
        build(slug, long, lambda ref, kind, shape=None: "")


def test_a_long_prompt_is_cut_for_qwen_pro() -> None:
    slug = slug_for("fal", "qwen-pro", picture())
    assert slug is not None
    body = build(slug, picture(prompt="a tall lighthouse " * 100), lambda ref, kind, shape=None: "")
    assert 780 < len(body["prompt"]) <= 800


def test_seven_dialogue_shots_of_22_seconds_are_estimated_at_31_cents(files: Files) -> None:
    lengths = (2000, 2500, 3000, 3500, 4000, 4000, 3000)
    assert sum(lengths) == 22_000
    micros = sum(estimate(kling(), lips(files, ms)) for ms in lengths)
    assert round(micros / 10_000) == 31
    sync = slug_named("fal", "fal-ai/sync-lipsync/v2")
    assert sync is not None
    assert estimate(sync, lips(files, 2000)) == 100_000


def test_clips_go_to_the_slug_that_covers_them(files: Files) -> None:
    image = files.picture()
    short, long = slug_for("fal", "wan-2.2", clip(image, 5000)), slug_for("fal", "wan-2.2", clip(image, 5100))
    assert short is not None and short.slug.endswith("/turbo")
    assert long is not None and long.slug.endswith("/lora")
    sharp = slug_for("wavespeed", "wan-2.2", clip(image, 3000, needs_720p=True))
    assert sharp is not None and "720p" in sharp.slug
    assert slug_for("atlas", "wan-2.2", clip(image, 3000, needs_720p=True)) is None
    assert slug_for("replicate", "wan-2.2", clip(image, 8000)) is None
    assert slug_for("replicate", "qwen-edit", picture()) is None


CAPS = {"pulid": 1, "reve": 1, "qwen": 1, "kontext": 1, "qwen-pro": 3, "nano-banana": 4, "flux-2-pro": 8,
        "flux-2-edit": 9, "nano-banana-2": 14, "nano-banana-pro": 14}  # fmt: skip


def test_caps_and_defaults_are_the_products_own() -> None:
    assert {name: entries()[name].cap for name in CAPS} == CAPS
    first = {}
    for entry in entries().values():
        first.setdefault(entry.kind, entry.name)
    assert (first["image"], first["video"], first["lipsync"]) == ("flux-2-pro", "wan-2.2", "kling-lipsync")
    assert entries()["pulid"].label == "Default (FLUX.2 Pro)"
    assert not entries()["pulid"].offered
