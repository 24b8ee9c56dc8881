"""The bundled check: what it finds, and, more important, what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from pipeline.contracts import FilmForm, Look, ReferenceBrief
from pipeline.errors import BadMedia
from pipeline.film.clips import still_clip
from pipeline.inference import drawing, safety

REFUSED_FROM = 0.8
TONES = {"pale": (236, 188, 165), "fair": (214, 160, 135), "brown": (160, 104, 80), "dark": (110, 70, 55)}


def body(tone: tuple[int, int, int]) -> Image.Image:
    """A torso with arms, lit from one side, in front of a dull wall."""
    size = (480, 640)
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    draw.ellipse((90, 20, 390, 330), fill=255)
    draw.rounded_rectangle((120, 120, 360, 640), 90, fill=255)
    draw.line((110, 150, 40, 600), fill=255, width=80)
    draw.line((370, 150, 440, 600), fill=255, width=80)
    mask = mask.filter(ImageFilter.GaussianBlur(6))
    light = np.linspace(1.1, 0.65, size[0])[None, :, None] * np.linspace(1.05, 0.9, size[1])[:, None, None]
    skin = Image.fromarray((np.array(tone)[None, None, :] * light).clip(0, 255).astype(np.uint8))
    return Image.composite(skin, Image.new("RGB", size, (105, 115, 120)), mask)


def score(picture: Image.Image, folder: Path) -> float:
    path = folder / "picture.jpg"
    picture.convert("RGB").save(path, quality=92)
    return safety.bare_skin([path])


@pytest.mark.parametrize("tone", TONES.values(), ids=TONES)
def test_a_bare_body_is_found_whatever_its_colour(tone: tuple[int, int, int], tmp_path: Path) -> None:
    assert score(body(tone), tmp_path) >= REFUSED_FROM


def scenes() -> dict[str, Image.Image]:
    """What stories are full of, in colours near to skin."""
    rows = np.linspace(0, 1, 480)[:, None, None]
    noise = np.random.default_rng(3).normal(0, 9, (480, 640, 1))
    sunset = np.array([250, 120, 60]) * (1 - rows) + np.array([90, 40, 80]) * rows + np.zeros((1, 640, 1))
    desert = np.array([222, 184, 135]) * (1 - 0.3 * rows) + np.zeros((1, 640, 1))
    fur = np.array([196, 140, 110]) + 5 * noise
    clothed = body(TONES["fair"])
    ImageDraw.Draw(clothed).rectangle((0, 200, 480, 640), fill=(40, 70, 160))
    return {
        "a sunset": Image.fromarray(sunset.clip(0, 255).astype(np.uint8)),
        "a desert": Image.fromarray((desert + noise).clip(0, 255).astype(np.uint8)),
        "a fawn's fur": Image.fromarray(fur.clip(0, 255).astype(np.uint8)),
        "a pink wall": Image.new("RGB", (640, 480), TONES["pale"]),
        "night": Image.new("RGB", (640, 480), (8, 8, 20)),
        "snow": Image.new("RGB", (640, 480), "white"),
        "somebody clothed": clothed,
    }


@pytest.mark.parametrize("name", scenes())
def test_what_is_no_body_passes(name: str, tmp_path: Path) -> None:
    assert score(scenes()[name], tmp_path) < REFUSED_FROM / 2


@pytest.mark.parametrize("age", ["child", "teen", "adult", "elder"])
def test_drawn_people_pass_at_any_age(age: str, tmp_path: Path) -> None:
    out = tmp_path / "drawn.jpg"
    look = Look(kind="character", name="Mira", appearance="a girl with red hair", age_group=age)  # type: ignore[arg-type]
    drawing.draw_reference(ReferenceBrief(subject=look), 512, 512, 5, out)
    assert safety.bare_skin([out]) < REFUSED_FROM / 2


def test_the_worst_of_several_counts(tmp_path: Path) -> None:
    calm, bare = tmp_path / "calm.jpg", tmp_path / "bare.jpg"
    Image.new("RGB", (64, 64)).save(calm)
    body(TONES["fair"]).save(bare)
    assert safety.bare_skin([calm, bare]) == safety.bare_skin([bare]) > safety.bare_skin([calm])


def test_a_see_through_picture_is_seen_as_it_is_shown(tmp_path: Path) -> None:
    """What lies behind full transparency is not seen; what lies on it is."""
    source = tmp_path / "picture.png"
    hidden = body(TONES["fair"]).convert("RGBA")
    hidden.putalpha(0)
    hidden.save(source)
    assert safety.bare_skin(safety.views(source, "image", 0, tmp_path)) == 0


def test_a_clip_is_seen_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    form = FilmForm(width=320, height=180)
    picture, clip = tmp_path / "picture.png", tmp_path / "clip.mp4"
    Image.new("RGB", (320, 180), (20, 90, 160)).save(picture)
    still_clip(picture, 144, form, clip)
    seen = safety.views(clip, "video", 6_000, tmp_path)
    assert len(seen) == 4
    assert {Image.open(path).size for path in seen} == {(320, 180)}


def test_what_is_no_picture_cannot_be_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(b"nothing")
    with pytest.raises(BadMedia):
        safety.views(path, "image", 0, tmp_path)
    with pytest.raises(BadMedia):
        safety.bare_skin([path])
