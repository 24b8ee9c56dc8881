"""The film: clips in film form, one after the other, with the narration, captions and chapters. Joins and muxes only.

Nothing is decoded or encoded here. Every clip has an exact place on the film's frame grid, so neither a clip's own
idea of its length nor their number moves a cut.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg as graphs

from pipeline.contracts import FilmForm
from pipeline.errors import EngineFailed, MediaMissing
from pipeline.film import captions as caption_files
from pipeline.film import ffmpeg, probe
from pipeline.film import form as film_form
from pipeline.film.captions import Captions
from pipeline.film.files import making
from pipeline.film.timeline import frame_at

_MICROSECONDS = 1_000_000
_MOST_HEAD = 32 << 20  # what lies before the pictures and sounds of a film: about 2.5 MB an hour
# ISO 639-1 → 639-2, which MP4 wants, for the languages that captions are likely to be in.
_LANGUAGES = dict(
    re.findall(
        r"(\w+):(\w+)",
        "ar:ara bg:bul bn:ben ca:cat cs:ces da:dan de:deu el:ell en:eng es:spa et:est fa:fas fi:fin fr:fra ga:gle "
        "he:heb hi:hin hr:hrv hu:hun id:ind is:isl it:ita ja:jpn ko:kor la:lat lt:lit lv:lav nb:nob nl:nld no:nor "
        "pl:pol pt:por ro:ron ru:rus sk:slk sl:slv sr:srp sv:swe sw:swa ta:tam th:tha tr:tur uk:ukr ur:urd vi:vie "
        "zh:zho",
    )
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named stretch of the film."""

    start_ms: int
    end_ms: int
    title: str


@dataclass(frozen=True, slots=True)
class FilmFile:
    """A finished film as measured: `duration_ms` of its picture, `audio_ms` of its sound."""

    frames: int
    duration_ms: int
    audio_ms: int
    size: int


def export_film(
    parts: Sequence[Path],
    frame_counts: Sequence[int],
    narration_aac: Path,
    duration_ms: int,
    form: FilmForm,
    *,
    out: Path,
    captions: Captions | None = None,
    chapters: Sequence[Chapter] = (),
    title: str = "",
    cancel: threading.Event | None = None,
    timeout_s: float | None = None,
) -> FilmFile:
    """Joins clips in film form (`frame_counts[i]` frames of `parts[i]`, all of them) into the film `out`.

    The counts have to tile the narration: their sum is frame_at(duration_ms). The film is made under another name in
    the folder of `out`, checked, and renamed, so `out` is always whole: the new film or what was there.
    Raises MediaMissing (naming the clip), EngineFailed, EngineTimeout, Cancelled, DiskFull.
    """
    if len(parts) != len(frame_counts) or sum(frame_counts) != frame_at(duration_ms, form.fps):
        raise ValueError("the clips do not tile the narration")
    for path in (*parts, narration_aac):
        if not path.is_file():
            raise MediaMissing(f"{path.name} is gone.", hint="Make it again, then export again.")
    limit_s = timeout_s if timeout_s is not None else 300 + 0.5 * len(parts)
    with making(), tempfile.TemporaryDirectory(prefix=".film-", dir=out.parent) as folder:
        film = Path(folder) / "film.mp4"
        args = _join_args(Path(folder), parts, frame_counts, narration_aac, form, captions, chapters, title, film)
        ffmpeg.run(["-xerror", *args], timeout_s=limit_s, cancel=cancel)
        if captions is not None and captions.cues and not captions.by_default:
            _show_only_when_asked(film)
        found = _checked(film, parts, frame_counts, duration_ms, form)
        _publish(film, out)
    return found


def _join_args(
    folder: Path,
    parts: Sequence[Path],
    frame_counts: Sequence[int],
    narration_aac: Path,
    form: FilmForm,
    captions: Captions | None,
    chapters: Sequence[Chapter],
    title: str,
    film: Path,
) -> list[str]:
    clips, about = folder / "clips.txt", folder / "about.txt"
    clips.write_text(_clip_list(parts, frame_counts, form.fps), encoding="utf-8", errors="surrogateescape")
    about.write_text(_about(title, chapters), encoding="utf-8", errors="replace")
    mov = probe.CONTAINERS["mp4"][1]
    streams: list[Any] = [
        graphs.input(
            str(clips.absolute()),
            f="concat",
            safe=0,
            protocol_whitelist=ffmpeg.LOCAL_ONLY,
            format_whitelist=f"concat,{mov},mp4,m4a,3gp,3g2,mj2",
        ).video,
        ffmpeg.source(narration_aac, "mp4").audio,
    ]
    options: dict[str, Any] = {"c": "copy", "map_metadata": 2, "map_chapters": 2}
    if captions is not None and captions.cues:
        subtitles = folder / "captions.vtt"
        caption_files.write_vtt(captions.cues, subtitles, for_muxing=True)
        streams.append(graphs.input(str(subtitles.absolute()), f="webvtt", protocol_whitelist=ffmpeg.LOCAL_ONLY)["s"])
        language = _LANGUAGES.get(captions.language[:2].lower(), "und")
        options |= {"c:s": "mov_text", "map_metadata": 3, "map_chapters": 3}
        options |= {"metadata:s:a:0": f"language={language}", "metadata:s:s:0": f"language={language}"}
    options |= {"video_track_timescale": film_form.timescale(form), "movflags": "+faststart", "fflags": "+bitexact"}
    args: list[str] = graphs.output(*streams, str(film.absolute()), **options, f="mp4").get_args()
    # An input of which no stream is used has no place in ffmpeg-python's graph.
    at = args.index("-map")
    return [*args[:at], "-f", "ffmetadata", "-i", str(about.absolute()), *args[at:]]


def _show_only_when_asked(film: Path) -> None:
    """Takes the mark off the captions' track by which players show it unasked; ffmpeg's muxer always sets it."""
    with film.open("r+b") as file:
        head = file.read(_MOST_HEAD)
        track = head.rfind(b"tkhd", 0, head.find(b"hdlr\0\0\0\0\0\0\0\0sbtl"))
        flags = track + 7  # past the box's name and its version
        if track < 0 or not head[flags] & 1:
            raise EngineFailed("The film's captions have no track of their own.", hint="Export it again.")
        file.seek(flags)
        file.write(bytes([head[flags] & ~1]))


def _clip_list(parts: Sequence[Path], frame_counts: Sequence[int], fps: int) -> str:
    """ffmpeg's concat script. Each duration is the difference of absolute times, so that rounding does not add up."""
    lines = ["ffconcat version 1.0"]
    first = 0
    for path, frames in zip(parts, frame_counts, strict=True):
        start, end = (_MICROSECONDS * frame // fps for frame in (first, first + frames))
        name = str(path.absolute()).replace("'", r"'\''")
        lines += [f"file '{name}'", f"duration {end - start}us"]
        first += frames
    return "\n".join(lines) + "\n"


def _about(title: str, chapters: Sequence[Chapter]) -> str:
    lines = [";FFMETADATA1", f"title={_escaped(title)}"]
    for chapter in chapters:
        lines += ["[CHAPTER]", "TIMEBASE=1/1000", f"START={chapter.start_ms}", f"END={chapter.end_ms}"]
        lines.append(f"title={_escaped(chapter.title)}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", text).strip()
    return re.sub(r"([=;#\\])", r"\\\1", plain)


def _checked(
    film: Path, parts: Sequence[Path], frame_counts: Sequence[int], duration_ms: int, form: FilmForm
) -> FilmFile:
    report = ffmpeg.probe(film)
    frames = sum(frame_counts)
    a_frame_ms = -(-1000 // form.fps)
    if report.frames != frames or abs(report.duration_ms - 1000 * frames // form.fps) > 1:
        for path, wanted in zip(parts, frame_counts, strict=True):
            found = ffmpeg.probe(path).frames
            if found != wanted:
                raise EngineFailed(f"The clip {path.name} has {found} frames, not {wanted}.", hint="Make it again.")
        raise EngineFailed(f"The film has {report.frames} frames, not {frames}.", hint="Export it again.")
    if abs(report.audio_duration_ms - duration_ms) > a_frame_ms:
        raise EngineFailed(
            f"The narration is {report.audio_duration_ms} ms long, not {duration_ms} ms.", hint="Make it again."
        )
    return FilmFile(frames, report.duration_ms, report.audio_duration_ms, film.stat().st_size)


def _publish(film: Path, out: Path) -> None:
    with film.open("rb") as file:
        os.fsync(file.fileno())
    film.replace(out)
    folder = os.open(out.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def poster(source: Path, out: Path, *, at_ms: int = 0, width: int = 1280) -> None:
    """A JPEG of a picture, or of a clip's frame at `at_ms`, at most `width` pixels wide.

    Raises BadMedia if the source is neither.
    """
    report = ffmpeg.probe(source)
    seek = {"ss": at_ms / 1000} if report.kind == "video" else {}
    picture = ffmpeg.source(source, report.container, **seek).video
    scaled = picture.filter("scale", f"min({width},iw)", -2, out_color_matrix="bt601", out_range="pc")
    output = scaled.output(str(out.absolute()), f="image2", update=1, pix_fmt="yuvj420p", **{"frames:v": 1, "q:v": 3})
    with making(out):
        ffmpeg.run(output.get_args(), timeout_s=60)
