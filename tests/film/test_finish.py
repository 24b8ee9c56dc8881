"""The last touches on a clip, measured on its decoded frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.errors import EngineFailed
from pipeline.film import ffmpeg
from pipeline.film.clips import is_in_form
from pipeline.film.finish import Dimming, Overlay, finish_clip
from tests.film.pictures import SMALL, picture

FRAMES = 36


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grey clip that does not move."""
    out = tmp_path_factory.mktemp("finish") / "clip.mp4"
    grey = picture(0, SMALL.width, SMALL.height)
    planes = np.concatenate([grey.ravel(), np.full(grey.size // 2, 128, np.uint8)])
    with ffmpeg.encoder(out, SMALL, FRAMES) as sink:
        for _ in range(FRAMES):
            sink.write(planes.data)
    return out


def luma(clip: Path) -> NDArray[np.float64]:
    with ffmpeg.decoder(clip, SMALL, FRAMES) as film:
        frames = [np.frombuffer(raw, np.uint8)[: SMALL.width * SMALL.height] for raw in film]
    return np.stack(frames).reshape(FRAMES, SMALL.height, SMALL.width).astype(float)


def patch(folder: Path) -> Path:
    """A white square of 20 pixels with a clear rim."""
    pixels = np.zeros((24, 24, 4), np.uint8)
    pixels[2:22, 2:22] = 255
    out = folder / "patch.png"
    cv2.imwrite(str(out), pixels)
    return out


def test_an_overlay_is_seen_in_its_place_on_its_frames_alone(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    finish_clip(clip, FRAMES, SMALL, out, overlays=[Overlay(patch(tmp_path), 10, 6, first=5, frames=7)])
    there = luma(out)[:, 10:26, 14:30].mean(axis=(1, 2)) > 200
    assert np.flatnonzero(there).tolist() == list(range(5, 12))
    beside = np.abs(luma(out) - luma(clip))[:, 40:, 60:].mean()
    assert beside < 2


def test_a_clip_comes_out_of_the_dark_and_goes_into_it(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    finish_clip(clip, FRAMES, SMALL, out, dimming=Dimming(rise=8, fall=10))
    seen = luma(out).mean(axis=(1, 2))
    plain = luma(clip).mean()
    assert (np.diff(seen[:9]) > 0).all() and (np.diff(seen[FRAMES - 10 :]) < 0).all()
    assert np.abs(seen[8 : FRAMES - 10] - plain).max() < 2
    assert 30 < seen[0] < plain * 0.6, "dusk, not black"
    assert seen[-1] < plain * 0.6


def test_what_is_on_a_clip_stays_bright_while_the_picture_dims(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    shown = Overlay(patch(tmp_path), 10, 6, first=0, frames=FRAMES)
    finish_clip(clip, FRAMES, SMALL, out, overlays=[shown], dimming=Dimming(fall=10))
    assert luma(out)[-1, 10:26, 14:30].min() > 200


def test_a_finished_clip_joins_like_any_other(clip: Path, tmp_path: Path) -> None:
    finish_clip(clip, FRAMES, SMALL, tmp_path / "out.mp4", dimming=Dimming(4, 4))
    finish_clip(clip, FRAMES, SMALL, tmp_path / "again.mp4", dimming=Dimming(4, 4))
    report = ffmpeg.probe(tmp_path / "out.mp4")
    assert is_in_form(report, SMALL) and report.frames == FRAMES
    assert (tmp_path / "out.mp4").read_bytes() == (tmp_path / "again.mp4").read_bytes()


def test_nothing_is_left_of_a_clip_that_cannot_be_finished(clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nno picture at all")
    out = tmp_path / "out.mp4"
    with pytest.raises(EngineFailed):
        finish_clip(clip, FRAMES, SMALL, out, overlays=[Overlay(broken, 0, 0, 0, 5)])
    assert not out.exists()
