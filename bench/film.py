"""The film room: what export, normalising and camera motion cost beside the least that they could cost."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
import typing
import wave
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bench._process import row
from pipeline.contracts import CameraMove, FilmForm
from pipeline.drawn import DrawnMeta
from pipeline.film import camera, clips, ffmpeg, form, join, sound
from pipeline.film.timeline import ms_of_frame
from pipeline.inference import motion

MOVES: tuple[CameraMove, ...] = typing.get_args(CameraMove)
HD = FilmForm.of("16:9")
TINY = FilmForm(width=320, height=180)
CLIPS, FEW, MANY = 60, 50, 1_000
REPEATS = 3


def illustration(width: int, height: int) -> NDArray[np.uint8]:
    """A picture with a soft sky, many edges and a little grain, as the drawing engine's have (BGR)."""
    chance = np.random.default_rng(1)
    down = np.linspace(0, 1, height)[:, None, None]
    picture = ((1 - down) * (90, 50, 30) + down * (180, 160, 220)) * np.ones((height, width, 1))
    picture = np.ascontiguousarray(picture, np.uint8)
    for _ in range(250):
        centre = int(chance.integers(0, width)), int(chance.integers(height // 2, height))
        axes = tuple(int(side) for side in chance.integers(4, max(5, height // 15), 2))
        colour = tuple(int(part) for part in chance.integers(20, 230, 3))
        cv2.ellipse(picture, centre, axes, int(chance.integers(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return np.clip(picture + chance.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)


class Cost(typing.NamedTuple):
    """Wall and CPU seconds, and the largest single process started, in MB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def _cost(work: Callable[..., object], *args: object) -> Cost:
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work(*args)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.monotonic() - began, cpu, after.ru_maxrss / 1024)


def cost(work: Callable[..., object], *args: object, repeats: int = REPEATS) -> Cost:
    """The least of several runs, each in a process of its own (so that each has its own peak)."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        runs = [pool.submit(_cost, work, *args).result() for _ in range(repeats)]
    return Cost(*(min(run[part] for run in runs) for part in range(3)))


def moving(folder: Path, film: FilmForm, number: int, frames: int) -> Path:
    """A clip that the motion engine made of the illustration."""
    picture = folder / f"picture{film.width}.png"
    if not picture.exists():
        cv2.imwrite(str(picture), illustration(film.width * 5 // 4, film.height * 5 // 4))
    out = folder / f"{film.width}_{number}.mp4"
    motion.animate(picture, DrawnMeta(engine="bench"), MOVES[number % len(MOVES)], frames, film, number, out)
    return out


def narration(folder: Path, duration_ms: int) -> Path:
    wav, aac = folder / f"{duration_ms}.wav", folder / f"{duration_ms}.m4a"
    second = np.random.default_rng(0).normal(0, 2_000, 48_000).astype("<i2").tobytes()
    with wave.open(str(wav), "wb") as file:
        file.setframerate(48_000)
        file.setnchannels(1)
        file.setsampwidth(2)
        for at in range(0, duration_ms, 1_000):
            file.writeframesraw(second[: 96 * min(1_000, duration_ms - at)])
    sound.encode_aac(wav, aac)
    return aac


def export(parts: list[Path], counts: list[int], aac: Path, film: FilmForm, out: Path) -> None:
    join.export_film(parts, counts, aac, ms_of_frame(sum(counts), film.fps), film, out=out)


def stream_copy(film: Path, out: Path) -> None:
    ffmpeg.run(["-i", str(film), "-map", "0:v", "-map", "0:a", "-c", "copy", str(out)], timeout_s=300)


def joining(folder: Path) -> list[bool]:
    chance = np.random.default_rng(5)
    counts = [int(count) for count in chance.integers(60, 150, CLIPS)]
    parts = [moving(folder, HD, number, count) for number, count in enumerate(counts)]
    film = folder / "film.mp4"
    made = cost(export, parts, counts, narration(folder, ms_of_frame(sum(counts), HD.fps)), HD, film)
    copied = cost(stream_copy, film, folder / "copy.mp4")
    times = made.wall_s / copied.wall_s
    print(f"{CLIPS} clips, {sum(counts) / HD.fps:.0f} s: {made.wall_s:.2f} s; stream copy {copied.wall_s:.2f} s")
    return [
        row(f"export of {CLIPS} clips beside a stream copy of the film", f"{times:.1f}x", "<= 8x", holds=times <= 8),
        row(f"memory of that export ({CLIPS} clips)", f"{made.peak_mb:.0f} MB", "<= 100 MB", holds=made.peak_mb <= 100),
    ]


def scaling(folder: Path) -> list[bool]:
    parts = [moving(folder, TINY, number, 24) for number in range(FEW)]
    costs = []
    for number in (FEW, MANY):
        aac = narration(folder, 1_000 * number)
        clips_of = (parts * (number // FEW))[:number]
        costs.append(cost(export, clips_of, [24] * number, aac, TINY, folder / f"{number}.mp4"))
    few, many = costs
    each = (many.wall_s / MANY) / (few.wall_s / FEW)
    print(f"{FEW} clips: {few.wall_s:.2f} s, {few.peak_mb:.0f} MB; {MANY}: {many.wall_s:.2f} s, {many.peak_mb:.0f} MB")
    return [
        row(f"export memory, {MANY} clips", f"{many.peak_mb:.0f} MB", "<= 100 MB", holds=many.peak_mb <= 100),
        row(f"export time per clip, {MANY} clips beside {FEW}", f"{each:.2f}x", "<= 1.2x", holds=each <= 1.2),
    ]


def encode_raw(raw: Path, out: Path) -> None:
    options = [text for key, value in form.raw_options(HD).items() for text in (f"-{key}", str(value))]
    settings = [text for key, value in form.encoder_options(HD).items() for text in (f"-{key}", str(value))]
    ffmpeg.run([*options, "-i", str(raw), *settings, str(out)], timeout_s=300)


def normalising(folder: Path) -> list[bool]:
    """A provider's clip (5 s, 720p, 16 fps, B-frames) brought to the film form, beside encoding those frames."""
    source, raw = folder / "provider.mp4", folder / "frames.yuv"
    take = moving(folder, HD, 3, 121)
    ffmpeg.run(["-i", str(take), "-r", "16", "-c:v", "libx264", "-bf", "3", str(source)], timeout_s=60)
    clips.accept_clip(source, 120, HD, folder / "accepted.mp4")
    ffmpeg.run(["-i", str(folder / "accepted.mp4"), "-f", "rawvideo", str(raw)], timeout_s=60)
    accepted = cost(clips.accept_clip, source, 120, HD, folder / "accepted.mp4", repeats=5)
    encoded = cost(encode_raw, raw, folder / "floor.mp4", repeats=5)
    ratio = accepted.cpu_s / encoded.cpu_s
    print(f"normalising: {accepted.cpu_s:.2f} s CPU; raw encode {encoded.cpu_s:.2f} s")
    return [
        row("normalising a clip beside encoding its raw frames (CPU)", f"{ratio:.2f}x", "<= 1.25x", holds=ratio <= 1.25)
    ]


def step(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far nine places of one frame have moved in the next, from all that can be tracked."""
    points = cv2.goodFeaturesToTrack(before, 300, 0.01, 12)
    found, state, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, winSize=(21, 21))
    ok = state.ravel() == 1
    moved, _ = cv2.estimateAffinePartial2D(points[ok], found[ok], ransacReprojThreshold=0.5)
    height, width = before.shape
    places = np.array([(width * x, height * y) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9)])
    return np.asarray(places @ moved[:, :2].T + moved[:, 2] - places)


def jitter(clip: Path, frames: int) -> float:
    """Root mean square of the acceleration seen on the decoded picture, pixels per frame per frame."""
    with ffmpeg.decoder(clip, HD, frames) as film:
        luma = [np.frombuffer(raw, np.uint8)[: HD.width * HD.height].reshape(HD.height, HD.width) for raw in film]
    steps = np.array([step(a, b) for a, b in pairwise(luma)])
    return float(np.sqrt((np.diff(steps, axis=0) ** 2).sum(axis=-1).mean()))


def moves(folder: Path) -> list[bool]:
    seen = {move: jitter(moving(folder, HD, number, 96), 96) for number, move in enumerate(MOVES)}
    print("jitter: " + ", ".join(f"{move} {value:.3f}" for move, value in seen.items()))
    worst = max(seen.values())
    path = max(
        float(
            np.abs(np.diff(camera.matrices(move, 96, 0, image_size=(1600, 900), form=HD)[:, :, 2], n=2, axis=0)).max()
        )
        for move in MOVES
    )
    print(f"of that by the path itself: at most {path:.3f}")
    return [row("camera motion on the decoded picture (px/frame²)", f"{worst:.3f}", "<= 0.06", holds=worst <= 0.06)]


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        held = [held for part in (moves, normalising, joining, scaling) for held in part(Path(name))]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
