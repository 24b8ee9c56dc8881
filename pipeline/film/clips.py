"""A clip from anywhere is brought to the film form, once, when it arrives; stand-ins where there is none.

Hides sizes, rates, rotation, pixel formats, colour and broken files. What is accepted has been decoded whole.
"""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.contracts import FilmForm
from pipeline.errors import BadMedia
from pipeline.film import ffmpeg
from pipeline.film import form as film_form
from pipeline.film.files import making
from pipeline.film.probe import Decoded, Probe
from pipeline.film.timeline import frame_at, ms_of_frame

if TYPE_CHECKING:
    import numpy as np

_MOST_MS = 15 * 60_000
_MOST_SIDE = 8_192
_HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
_STILL_ZOOM = 1.25  # a still is read this much larger than the film, so that its drift stays sharp
_CARD_COLOUR = "0x39424e"


@dataclass(frozen=True, slots=True)
class AcceptedClip:
    """A clip in film form. `actual_ms`: how long the source was; `shortfall_ms`: how much of the slot its last
    frame had to be held for (0 where it covers the slot)."""

    frames: int
    actual_ms: int
    shortfall_ms: int


def accept_clip(
    src: Path, frames: int, form: FilmForm, out: Path, *, cancel: threading.Event | None = None
) -> AcceptedClip:
    """Checks a clip and writes it to `out` in film form, exactly `frames` frames long.

    Type by content, every frame decoded, upright, 8-bit BT.709, covering the frame without distortion, rate by
    repeating or leaving out frames, sound dropped. A clip that is in the form already is copied.
    Raises BadMedia, EngineTimeout, Cancelled, DiskFull; no file is left then.
    """
    report = ffmpeg.probe(src, count=True)
    refuse_unusable(report, src.name)
    with making(out):
        if is_in_form(report, form) and report.frames == frames:
            found = ffmpeg.decode_check(src, cancel=cancel)
            if found.steady and found.frames == frames:
                shutil.copyfile(src, out)
                return AcceptedClip(frames, found.duration_ms, 0)
        found = _normalise(src, report, frames, form, out, cancel)
        _check_decoded(found, report, src.name)
    missing = frames - frame_at(found.duration_ms, form.fps)
    shortfall_ms = ms_of_frame(frames, form.fps) - found.duration_ms if missing > 0 else 0
    return AcceptedClip(frames, found.duration_ms, shortfall_ms)


def refuse_unusable(report: Probe, name: str, *, most_ms: int = _MOST_MS) -> None:
    """Raises BadMedia for what cannot be a clip, by its headers and (where they were counted) its packets."""
    again = "It has to be made or fetched again."
    if report.kind != "video":
        raise BadMedia(f"{name} is a {report.container} file, not a clip.", hint=again)
    if report.packets == 0:
        raise BadMedia(f"{name} has no frames.", hint=again)
    if report.packets < report.frames:
        raise BadMedia(f"{name} is cut off: {report.packets} of {report.frames} frames are there.", hint=again)
    if not 2 <= min(report.width, report.height) <= max(report.width, report.height) <= _MOST_SIDE:
        raise BadMedia(f"{name} is {report.width}x{report.height} pixels, which is not usable.")
    if report.duration_ms > most_ms:
        raise BadMedia(f"{name} is longer than {most_ms // 60_000} minutes.", hint="Cut it to the part that is needed.")


def _check_decoded(found: Decoded, report: Probe, name: str) -> None:
    if found.frames == 0:
        raise BadMedia(f"{name} has no frames that can be shown.")
    # Without a count in its headers (WebM) a truncated file can only be told by its length.
    if not report.frames and found.duration_ms < report.duration_ms - 500:
        raise BadMedia(f"{name} is cut off: {found.duration_ms} of {report.duration_ms} ms are there.")


def is_in_form(report: Probe, form: FilmForm) -> bool:
    """Whether such a clip can stand in a film of this form without being encoded anew."""
    return (
        (report.container, report.codec, report.profile, report.pix_fmt) == ("mp4", "h264", "High", "yuv420p")
        and (report.width, report.height) == (form.width, form.height)
        and report.fps == Fraction(form.fps)
        and report.time_base == f"1/{film_form.timescale(form)}"
        and (report.start_ms, report.rotation) == (0, 0)
        and report.sample_aspect == Fraction(1)
        and report.colour_space == "bt709"
        and not report.b_frames
        and not report.has_audio
    )


def _normalise(
    src: Path, report: Probe, frames: int, form: FilmForm, out: Path, cancel: threading.Event | None
) -> Decoded:
    """One decode, two outputs: the list of all frames of the source, and as many as are wanted in film form."""
    # One thread: it is the cheapest in all, and the encoder is the one to wait for.
    source = ffmpeg.source(src, report.container, err_detect="explode", threads=1)
    whole = source.video.filter_multi_output("split")
    listing = whole[0].output("pipe:1", **ffmpeg.LISTING)
    film = whole[1].filter("setpts", "PTS-STARTPTS").filter("fps", fps=form.fps, round="near", start_time=0)
    hdr = report.colour_transfer in _HDR_TRANSFERS
    film = _cover(_to_sdr(film) if hdr else film, report.shown_size, (form.width, form.height), _matrix(report))
    film = film.filter("tpad", stop_mode="clone", stop=frames)
    options = film_form.encoder_options(form)
    clip = film.output(str(out.absolute()), **options, **{"frames:v": frames, "fps_mode": "passthrough"})
    timeout_s = 120 + report.duration_ms / 50
    return ffmpeg.decoded(ffmpeg.merged(listing, clip), src.name, timeout_s=timeout_s, cancel=cancel)


def _cover(picture: Any, shown: tuple[int, int], size: tuple[int, int], matrix: str) -> Any:
    """Scales a picture until it covers `size`, and cuts off evenly what is over."""
    ratio = max(size[0] / shown[0], size[1] / shown[1])
    width, height = (max(side, 2 * round(part * ratio / 2)) for side, part in zip(size, shown, strict=True))
    scaled = picture.filter(
        "scale", width, height, flags="bicubic", in_color_matrix=matrix, out_color_matrix="bt709", out_range="tv"
    )
    return scaled.filter("format", "yuv420p").filter("crop", size[0], size[1]).filter("setsar", 1)


def _matrix(report: Probe) -> str:
    """The colour matrix of the source; where it says nothing, what players assume from its size."""
    if report.colour_transfer in _HDR_TRANSFERS:
        return "bt709"  # it has been mapped by then
    known = {"bt709": "bt709", "smpte170m": "bt601", "bt470bg": "bt601", "bt2020nc": "bt2020", "bt2020c": "bt2020"}
    return known.get(report.colour_space, "bt709" if report.height >= 720 or report.width >= 1280 else "bt601")


def _to_sdr(picture: Any) -> Any:
    """HDR brought down to what a plain screen shows."""
    linear = picture.filter("zscale", t="linear", npl=100).filter("format", "gbrpf32le").filter("zscale", p="bt709")
    mapped = linear.filter("tonemap", "hable", desat=0).filter("zscale", t="bt709", m="bt709", r="tv")
    return mapped.filter("format", "yuv420p")


def still_clip(image: Path, frames: int, form: FilmForm, out: Path, *, cancel: threading.Event | None = None) -> None:
    """A clip that shows a picture for so many frames, drifting just enough not to look frozen.

    Raises BadMedia if the picture cannot be read.
    """
    # Only here: the rest of the film needs neither, and a server that starts again would wait for them.
    import cv2
    import numpy as np

    from pipeline.film import camera

    width, height = (2 * round(side * _STILL_ZOOM / 2) for side in (form.width, form.height))
    planes = _read_planes(image, width, height)
    motion = camera.matrices("hold", frames, 0, image_size=(width, height), form=form)
    sizes = [(form.width, form.height), *[(form.width // 2, form.height // 2)] * 2]
    with ffmpeg.encoder(out, form, frames, cancel=cancel) as sink:
        for matrix in motion:
            matrices = [matrix, *[camera.halved(matrix)] * 2]
            warped = [
                cv2.warpAffine(plane, m, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                for plane, m, size in zip(planes, matrices, sizes, strict=True)
            ]
            sink.write(np.concatenate([plane.ravel() for plane in warped]).data)


def _read_planes(image: Path, width: int, height: int) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    import numpy as np

    report = ffmpeg.probe(image)
    if report.kind != "image":
        raise BadMedia(f"{image.name} is not a picture.")
    picture = ffmpeg.source(image, report.container).video
    covered = _cover(picture, report.shown_size, (width, height), "bt601")
    args = covered.output("pipe:1", f="rawvideo", **{"frames:v": 1}).get_args()
    raw = np.frombuffer(ffmpeg.run(args, timeout_s=60).stdout, np.uint8)
    luma, quarter = width * height, width * height // 4
    if raw.size != luma + 2 * quarter:
        raise BadMedia(f"{image.name} cannot be read as a picture.")
    y, u, v = np.split(raw, [luma, luma + quarter])
    return [y.reshape(height, width), u.reshape(height // 2, -1), v.reshape(height // 2, -1)]


def card(frames: int, form: FilmForm, out: Path, *, cancel: threading.Event | None = None) -> None:
    """A plain card: a clip of one quiet colour, where there is no picture at all."""
    colour = ffmpeg.generated(f"color=c={_CARD_COLOUR}:s={form.width}x{form.height}:r={form.fps}")
    options = film_form.encoder_options(form)
    args = colour.output(str(out.absolute()), **options, **{"frames:v": frames}).get_args()
    with making(out):
        ffmpeg.run(args, timeout_s=300, cancel=cancel)
