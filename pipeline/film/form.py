"""What the film form is in ffmpeg's terms: the one place that holds the encoder's settings. Pure.

Every clip of a film is made with `encoder_options`, so clips can be joined by copying packets: H.264 High, yuv420p,
BT.709 limited range, constant rate, no B-frames (so a packet's place is its frame's place, and a join is exact),
closed groups of at most two seconds.
"""

from __future__ import annotations

from pipeline.contracts import FilmForm

CRF = 20
_TICKS_PER_FRAME = 1000


def timescale(form: FilmForm) -> int:
    """Ticks per second of a clip's video track; a frame lasts exactly 1000 of them."""
    return form.fps * _TICKS_PER_FRAME


def frame_bytes(form: FilmForm) -> int:
    """The size of one frame as raw planes: Y, then U, then V at half width and height."""
    return form.width * form.height * 3 // 2


def raw_options(form: FilmForm) -> dict[str, str | int]:
    """ffmpeg's options for raw frames of this form, on either end of a pipe."""
    return {"f": "rawvideo", "pix_fmt": "yuv420p", "s": f"{form.width}x{form.height}", "r": form.fps}


def encoder_options(form: FilmForm, crf: int = CRF) -> dict[str, str | int]:
    """ffmpeg's output options for a clip in film form (the keywords of ffmpeg-python's `output`)."""
    return {
        "c:v": "libx264",
        "preset": "veryfast",
        "crf": crf,
        "profile:v": "high",
        "pix_fmt": "yuv420p",
        "g": 2 * form.fps,
        "bf": 0,
        "flags:v": "+cgop+bitexact",
        # x264 makes other bytes with another number of threads, and the pool of engines keeps the cores busy.
        "threads": 1,
        "color_primaries": "bt709",
        "color_trc": "bt709",
        "colorspace": "bt709",
        "color_range": "tv",
        "video_track_timescale": timescale(form),
        "fflags": "+bitexact",
        "movflags": "+faststart",
        "map_metadata": -1,
        "f": "mp4",
    }
