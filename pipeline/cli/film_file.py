"""Putting a finished film where the user wants it: whole or not at all, with captions and poster beside it."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.errors import DiskFull, InvalidInput, ProductError, StoreUnavailable
from pipeline.store.failures import of_os

_SUFFIXES = (".mp4", ".m4v")
_LEAST_FREE = 16 << 20


def checked_output(out: Path, story: str | None) -> Path:
    """Where the film will be written, made absolute, before any work is done. Raises InvalidInput, StoreUnavailable."""
    place = _absolute(out)
    named = out if out.is_symlink() else place
    if place.is_dir():
        raise InvalidInput(f"{out} is a folder.", hint=f"Name a file, e.g. {out}/film.mp4.", field="output")
    if named.suffix.lower() not in _SUFFIXES:
        raise InvalidInput(f"The film is an MP4 file, and {out} is not named like one.", hint="Call it film.mp4.")
    if place.exists() and not place.is_file():
        raise InvalidInput(f"{out} is not a file that can be replaced.", hint="Choose another name.", field="output")
    if story not in (None, "-") and Path(story or "").resolve() in {place, *beside(place).values()}:
        raise InvalidInput(f"Writing {out} would overwrite the story.", hint="Choose another name.", field="output")
    _try_to_write(place.parent, out)
    return place


def checked_report(path: Path | None) -> Path | None:
    """As `checked_output`, for the report."""
    if path is None:
        return None
    place = _absolute(path)
    if place.exists() and not place.is_file():
        raise InvalidInput(f"{path} is not a file that can be written.", hint="Choose another name.", field="report")
    _try_to_write(place.parent, path)
    return place


def _absolute(path: Path) -> Path:
    """A link is followed: what it points to is replaced, and the link stays."""
    try:
        place = path.expanduser().resolve()
        place.exists()
        return place
    except (OSError, RuntimeError, ValueError):  # too long, a loop of links, ~nobody, a NUL
        raise InvalidInput(f"{path} cannot be a file's name.", hint="Choose another name.", field="output") from None


def beside(film: Path) -> dict[str, Path]:
    """The files that go with a film, by their kind."""
    return {kind: film.with_suffix(f".{kind}") for kind in ("srt", "vtt", "jpg")}


def _try_to_write(folder: Path, asked: Path) -> None:
    trial = folder / f".video-story-{uuid.uuid4().hex}"
    try:
        trial.touch()
        free = shutil.disk_usage(folder).free
    except FileNotFoundError:
        raise InvalidInput(f"There is no folder {folder}.", hint="Make it first.", field="output") from None
    except OSError as failure:
        why = failure.strerror or "the system refuses"
        raise StoreUnavailable(f"{asked} cannot be written: {why}.", hint="Choose another place.") from None
    finally:
        with suppress(OSError):
            trial.unlink()
    if free < _LEAST_FREE:
        raise DiskFull(
            f"There is no space left for a film in {folder}.", hint="Free some space, or choose another place."
        )


def put(source: Path, target: Path) -> None:
    """Copies a file into place. Until the last step whatever was there stays. Raises DiskFull or StoreUnavailable."""

    def fill(file: BinaryIO) -> None:
        with source.open("rb") as found:
            shutil.copyfileobj(found, file, 1 << 20)

    _replace(target, fill)


def put_json(value: dict[str, Any], target: Path) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    _replace(target, lambda file: file.write(text.encode("utf-8", "replace")))


def _replace(target: Path, fill: Any) -> None:
    draft = target.with_name(f".{target.name[:80]}.part")
    try:
        with draft.open("wb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as failure:
        raise _meaning(failure, target) from failure
    finally:
        with suppress(OSError):
            draft.unlink()


def _meaning(failure: OSError, target: Path) -> ProductError:
    known = of_os(failure, target.parent)
    if isinstance(known, DiskFull):
        return DiskFull(
            f"There is no space left to write {target}.", hint="The film is made; free some space and run this again."
        )
    why = failure.strerror or "the system refuses"
    return StoreUnavailable(f"{target} cannot be written: {why}.", hint="The film is made; choose another place.")
