"""Lips: they move to the voice, where the face is, and nothing else moves."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contracts import CameraMove, FilmForm
from pipeline.drawn import ClipMeta, DrawnMeta, Face
from pipeline.errors import BadMedia, EngineFailed
from pipeline.film import ffmpeg
from pipeline.inference import lips, motion
from pipeline.inference.lip_timing import mouths
from pipeline.inference.planes import Planes

FORM = FilmForm(width=640, height=360)
FRAMES = 48
SKIN, LIP = (170, 195, 230), (80, 75, 165)  # as OpenCV has them: blue, green, red
SIZE = (800, 450)
RATE = 48_000


@dataclass(frozen=True)
class Scene:
    clip: Path
    meta: ClipMeta


def face(name: str, x: float, y: float, width: float, tilt: float = 0.0) -> Face:
    return Face(
        name=name, mouth_x=x / SIZE[0], mouth_y=y / SIZE[1], mouth_width=width / SIZE[0], tilt=tilt,
        skin="#e6c3aa", lip="#a54b50",
    )  # fmt: skip


FACES = (face("Anna", 280, 250, 70), face("Bo", 580, 260, 60, 14), face("Far", 700, 100, 4))


def filmed(folder: Path, move: CameraMove = "hold", frames: int = FRAMES) -> Scene:
    """Two people with closed, smiling mouths, and the camera on them."""
    picture = np.full((SIZE[1], SIZE[0], 3), (110, 90, 60), np.uint8)
    for person in FACES[:2]:
        x, y, width = person.mouth_x * SIZE[0], person.mouth_y * SIZE[1], person.mouth_width * SIZE[0]
        cv2.circle(picture, (round(x), round(y - width * 0.6)), round(width * 1.7), SKIN, -1, cv2.LINE_AA)
        turn = np.radians(person.tilt)
        along = np.linspace(-0.5, 0.5, 15) * width
        down = -(along**2) / width * 0.5
        line = np.stack(
            [x + along * np.cos(turn) - down * np.sin(turn), y + along * np.sin(turn) + down * np.cos(turn)], axis=1
        )
        cv2.polylines(picture, [np.round(line * 16).astype(np.int32)], False, LIP, 6, cv2.LINE_AA, 4)
    cv2.imwrite(str(folder / "people.png"), picture)
    meta = DrawnMeta(engine="test", faces=FACES)
    return Scene(
        folder / "clip.mp4",
        motion.animate(folder / "people.png", meta, move, frames, FORM, 8, folder / "clip.mp4"),
    )


def voice(path: Path, seconds: float = 2.0, spoken: tuple[float, float] = (0.5, 1.5)) -> Path:
    """A vowel ("ah") between two moments, silence around it."""
    time = np.arange(round(seconds * RATE)) / RATE
    tones = sum(np.exp(-(((n * 120 - 700) / 260) ** 2)) * np.sin(2 * np.pi * 120 * n * time) for n in range(1, 25))
    sound = 0.25 * np.asarray(tones) * ((time >= spoken[0]) & (time < spoken[1]))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def decoded(clip: Path) -> list[NDArray[np.int16]]:
    with ffmpeg.decoder(clip, FORM, FRAMES) as film:
        return [Planes.over(np.frombuffer(raw, np.uint8), FORM.width, FORM.height).y.astype(np.int16) for raw in film]


def places(scene: Scene, person: Face) -> NDArray[np.float64]:
    """Where a mouth is in each frame (x, y)."""
    path, _ = motion.paths(scene.meta.move, scene.meta.frames, 8, SIZE, FORM, scene.meta.picture)
    found: NDArray[np.float64] = path @ np.array([person.mouth_x * SIZE[0] - 0.5, person.mouth_y * SIZE[1] - 0.5, 1])
    return found


def mask(place: NDArray[np.float64], reach: float) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[: FORM.height, : FORM.width]
    near: NDArray[np.bool_] = np.hypot(columns - place[0], rows - place[1]) < reach
    return near


@pytest.mark.parametrize("person", FACES[:2], ids=lambda person: person.name)
def test_the_mouth_opens_to_the_voice_and_nothing_else_moves(tmp_path: Path, person: Face) -> None:
    scene = filmed(tmp_path, "push_in")
    meta = lips.sync(
        scene.clip, scene.meta, voice(tmp_path / "a.wav"), person.name.upper(), FORM, FRAMES, tmp_path / "lips.mp4"
    )
    assert meta.picture == scene.meta.picture
    before, after = decoded(scene.clip), decoded(tmp_path / "lips.mp4")
    for number, place in enumerate(places(scene, person)):
        change = np.abs(after[number] - before[number])
        around = mask(place, person.mouth_width * FORM.width * 1.15)
        assert change[~around].mean() < 1 and change[~around].max() < 40, number
        inside = change[mask(place, person.mouth_width * FORM.width * 0.25)]
        moment = (number + 0.5) / FORM.fps
        if 0.6 < moment < 1.4:
            assert np.percentile(inside, 80) > 50, number  # dark inside, where there was skin
        elif moment < 0.42 or moment > 1.65:
            assert inside.mean() < 5, number


def test_the_mouth_goes_with_the_camera(tmp_path: Path) -> None:
    scene = filmed(tmp_path, "pan_right")
    sound = voice(tmp_path / "a.wav", spoken=(0.0, 2.0))
    lips.sync(scene.clip, scene.meta, sound, "Anna", FORM, FRAMES, tmp_path / "lips.mp4")
    before, after = decoded(scene.clip), decoded(tmp_path / "lips.mp4")
    expected = places(scene, FACES[0])
    assert np.ptp(expected[:, 0]) > 8
    middles = []
    for number in range(6, 42):
        dark = (before[number] - after[number]) > 40
        rows, columns = np.nonzero(dark & mask(expected[number], 60))
        middles.append((columns.mean() - expected[number, 0], rows.mean() - expected[number, 1]))
    assert np.ptp(np.array(middles)[:, 0]) < 1.2
    assert abs(np.array(middles)[:, 0].mean()) < 1.5


def test_silence_leaves_the_clip_as_it_is(tmp_path: Path) -> None:
    scene = filmed(tmp_path)
    sound = voice(tmp_path / "a.wav", spoken=(5.0, 5.0))
    lips.sync(scene.clip, scene.meta, sound, "Anna", FORM, FRAMES, tmp_path / "lips.mp4")
    for before, after in zip(decoded(scene.clip), decoded(tmp_path / "lips.mp4"), strict=True):
        assert np.abs(after - before).mean() < 1


def test_a_clip_that_was_cut_since_keeps_its_path(tmp_path: Path) -> None:
    """The camera's path is as long as the clip was when it was filmed."""
    scene = filmed(tmp_path, "pan_left", frames=96)
    cut = tmp_path / "cut.mp4"
    with ffmpeg.decoder(scene.clip, FORM, FRAMES) as film, ffmpeg.encoder(cut, FORM, FRAMES) as sink:
        for frame in film:
            sink.write(frame)
    sound = voice(tmp_path / "a.wav", spoken=(1.5, 2.0))
    lips.sync(cut, scene.meta, sound, "Anna", FORM, FRAMES, tmp_path / "lips.mp4")
    change = np.abs(decoded(tmp_path / "lips.mp4")[-3] - decoded(cut)[-3])
    columns = np.nonzero(change > 40)[1]
    place = places(scene, FACES[0])[FRAMES - 3]
    assert abs(columns.mean() - place[0]) < 3
    assert len(decoded(tmp_path / "lips.mp4")) == FRAMES


def test_a_face_that_is_not_seen_is_said_to_be(tmp_path: Path) -> None:
    scene = filmed(tmp_path, frames=4)
    sound = voice(tmp_path / "a.wav")
    for speaker, why in (("Carl", "Carl is not seen"), ("Far", "too far away"), ("", "speaker is not seen")):
        with pytest.raises(EngineFailed, match=why) as refused:
            lips.sync(scene.clip, scene.meta, sound, speaker, FORM, 4, tmp_path / "lips.mp4")
        assert refused.value.code == "no_face"
    outside = scene.meta.model_copy(update={"picture": DrawnMeta(engine="test", faces=(face("Out", 2, 2, 60),))})
    with pytest.raises(EngineFailed, match="out of the picture"):
        lips.sync(scene.clip, outside, sound, "Out", FORM, 4, tmp_path / "lips.mp4")
    assert not (tmp_path / "lips.mp4").exists()


def test_mouths_open_on_vowels_and_close_in_silence(tmp_path: Path) -> None:
    shapes = mouths(voice(tmp_path / "a.wav"), FORM, FRAMES)
    opening = np.array([mouth.open for mouth in shapes])
    assert not opening[:11].any() and not opening[39:].any()
    assert opening[14:34].min() > 0.5
    assert all(0 <= mouth.open <= 1 and 0 <= mouth.width <= 1 for mouth in shapes)


def test_sound_shorter_than_the_clip_ends_in_silence(tmp_path: Path) -> None:
    shapes = mouths(voice(tmp_path / "a.wav", seconds=0.5, spoken=(0, 0.5)), FORM, 100)
    assert len(shapes) == 100
    assert shapes[6].open > 0.5 and not any(mouth.open for mouth in shapes[20:])


def test_what_is_no_sound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF....WAVE")
    with pytest.raises(BadMedia):
        mouths(tmp_path / "a.wav", FORM, 10)
