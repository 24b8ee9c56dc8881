"""Media that came in an archive: whole, of the kind that their names say, and measured anew.

Hides who reads them: pictures a process with limits of its own, clips and sounds ffprobe. What the archive says of a
file's size or length is not believed, for films are cut by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.contracts import FilmForm
from pipeline.errors import BadMedia
from pipeline.film import ffmpeg
from pipeline.film.clips import is_in_form, refuse_unusable
from pipeline.inference.intake import FORMATS_OF as PICTURES
from pipeline.projects.uploads import Uploads

MOST_TEXT = 8 << 20
TEXTS = frozenset({"srt", "vtt", "json", "txt"})
# Extension → container, as film/probe.py names them.
_CLIPS = {"mp4": "mp4", "mov": "mp4", "webm": "webm"}
_SOUNDS = {"wav": "wav", "mp3": "mp3", "m4a": "mp4"}
KNOWN = TEXTS | PICTURES.keys() | _CLIPS.keys() | _SOUNDS.keys()
_LONGEST_MS = 24 * 3_600_000
_SIDE_BY_SIDE = 4

Measured = dict[str, Any]


def inspected(files: Mapping[str, Path], uploads: Uploads, form: FilmForm) -> dict[str, Measured]:
    """What each file measures, by address; `form` is the form of the film that they belong to.

    Clips that can stand in the film as they are have a number of frames; of others it is counted when they are
    brought to its form. Raises BadMedia and InvalidInput (`too_large`), which name the file, and EngineTimeout.
    """
    pictures = [(path, path.suffix[1:]) for path in files.values() if path.suffix[1:] in PICTURES]
    sizes = dict(zip((path for path, _ in pictures), uploads.measured(pictures), strict=True))
    found: dict[str, Measured] = {}
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
        others = threads.map(partial(_one, form=form), files.values())
        for (url, path), measured in zip(files.items(), others, strict=True):
            found[url] = dict(zip(("width", "height"), sizes[path], strict=True)) if path in sizes else measured
    return found


def _one(path: Path, *, form: FilmForm) -> Measured:
    ext = path.suffix[1:]
    if ext in TEXTS:
        return _text(path)
    if ext in _CLIPS:
        return _clip(path, _CLIPS[ext], form)
    return _sound(path, _SOUNDS[ext]) if ext in _SOUNDS else {}


def _text(path: Path) -> Measured:
    try:
        whole = path.stat().st_size <= MOST_TEXT and "\0" not in path.read_text(encoding="utf-8")
    except ValueError:
        whole = False
    if not whole:
        raise BadMedia(f"{path.name} is no text.")
    return {}


def _clip(path: Path, container: str, form: FilmForm) -> Measured:
    report = ffmpeg.probe(path, count=True)
    if report.container != container:
        raise BadMedia(f"{path.name} is a {report.container} file.")
    refuse_unusable(report, path.name, most_ms=_LONGEST_MS)
    measured = {"duration_ms": report.duration_ms, "width": report.width, "height": report.height}
    return measured | ({"frames": report.packets} if is_in_form(report, form) else {})


def _sound(path: Path, container: str) -> Measured:
    report = ffmpeg.probe(path)
    if (report.kind, report.container) != ("audio", container):
        raise BadMedia(f"{path.name} is a {report.container} file, not a sound.")
    return {"duration_ms": report.audio_duration_ms}
