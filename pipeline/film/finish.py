"""The last touches on a clip: pictures laid over it, and dimming at its ends. How many frames it has stays.

Hides the filter graph. What comes out is in film form again, so the export goes on joining packets.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import FilmForm
from pipeline.film import ffmpeg, probe
from pipeline.film import form as film_form
from pipeline.film.files import making

# Pictures dim into the blue of a night, not into black: a black frame looks like a fault.
DUSK = "0x23252f"


@dataclass(frozen=True, slots=True)
class Overlay:
    """A picture with transparency, its top left corner at (x, y), shown on `frames` frames from `first` on."""

    picture: Path
    x: int
    y: int
    first: int
    frames: int


@dataclass(frozen=True, slots=True)
class Dimming:
    """Over how many frames a clip comes out of the dark at its beginning, and goes into it at its end."""

    rise: int = 0
    fall: int = 0


NO_DIMMING = Dimming()


def finish_clip(
    clip: Path,
    frames: int,
    form: FilmForm,
    out: Path,
    *,
    overlays: Sequence[Overlay] = (),
    dimming: Dimming = NO_DIMMING,
    cancel: threading.Event | None = None,
) -> None:
    """Writes `clip` (in film form, `frames` frames) to `out` in film form with these touches.

    Raises BadMedia, EngineFailed, EngineTimeout, Cancelled, DiskFull; no file is left then.
    """
    film = ffmpeg.source(clip, probe.sniff(clip)).video
    if dimming.rise:
        film = film.filter("fade", type="in", start_frame=0, nb_frames=dimming.rise, color=DUSK)
    if dimming.fall:
        film = film.filter("fade", type="out", start_frame=frames - dimming.fall, nb_frames=dimming.fall, color=DUSK)
    for overlay in overlays:
        last = overlay.first + overlay.frames - 1
        picture = ffmpeg.source(overlay.picture, "png").video
        film = film.overlay(picture, x=overlay.x, y=overlay.y, enable=f"between(n,{overlay.first},{last})")
    options = {**film_form.encoder_options(form), "frames:v": frames, "fps_mode": "passthrough"}
    args = film.filter("format", "yuv420p").output(str(out.absolute()), **options).get_args()
    with making(out):
        ffmpeg.run(["-xerror", *args], timeout_s=120 + frames / 5, cancel=cancel)
