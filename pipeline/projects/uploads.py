"""Pictures that users give: limited, read by a process of their own, and made anew before anything else sees them.

Hides where they are decoded, and what becomes of those that cannot be. Nothing of what a client said about a file is
believed: not its name, not its type.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from pipeline.contracts import MediaRef
from pipeline.errors import BadMedia, EngineFailed, InvalidInput
from pipeline.generation.moderation.clearances import uploaded
from pipeline.inference.intake import measure, take_in
from pipeline.inference.pool import EnginePool
from pipeline.store import MediaStore

MOST_BYTES = 40 << 20
MOST_AT_ONCE = 20
_SIDE_BY_SIDE = 2
_TIMEOUT_S = 30.0
_BATCH = 24
_PIECE = 1 << 20


class Uploads:
    """Usable from many threads. Its processes are its own: a picture never waits for a film."""

    def __init__(self) -> None:
        self._pool: EnginePool | None = None
        self._lock = threading.Lock()

    def take(self, media: MediaStore, files: Sequence[IO[bytes]], *, field: str = "file") -> list[MediaRef]:
        """Publishes the pictures in these files, in their order: all of them, or none.

        Raises InvalidInput (none, too many, too large) and BadMedia (no picture, damaged), which say which one it was.
        """
        if not files:
            raise InvalidInput("There is no picture in this request.", hint="Send one as a file.", field=field)
        if len(files) > MOST_AT_ONCE:
            hint = f"Send at most {MOST_AT_ONCE} at once."
            raise InvalidInput(f"These are {len(files)} pictures.", hint=hint, field=field, code="too_large")
        with media.draft("") as folder:
            folder.mkdir()
            try:
                made = [self._read(file, place, folder, len(files), field) for place, file in enumerate(files, 1)]
                return [self._publish(media, path, said) for path, said in made]
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def measured(self, files: Sequence[tuple[Path, str]]) -> list[tuple[int, int]]:
        """(width, height) of each of these pictures, which stay as they are. With each goes the extension that fits.

        Raises BadMedia and InvalidInput, as `inference.intake.measure` does.
        """
        sizes: list[tuple[int, int]] = []
        for first in range(0, len(files), _BATCH):
            batch = list(files[first : first + _BATCH])
            try:
                sizes += self._processes().run(measure, batch, fresh=True, timeout_s=_TIMEOUT_S + 5.0 * len(batch))
            except EngineFailed as failure:
                raise BadMedia("One of the pictures cannot be read.") from failure
        return sizes

    def _read(
        self, file: IO[bytes], place: int, folder: Path, among: int, field: str
    ) -> tuple[Path, dict[str, object]]:
        which = "The picture" if among == 1 else f"Picture {place} of {among}"
        own = folder / str(place)
        own.mkdir()
        source = own / "upload"
        _copy(file, source, which, field)
        try:
            return self._processes().run(take_in, source, own, fresh=True, timeout_s=_TIMEOUT_S)
        except (BadMedia, InvalidInput) as failure:
            raise type(failure)(
                failure.detail.replace("The picture", which, 1), hint=failure.hint, field=field, code=failure.code
            ) from failure
        except EngineFailed as failure:
            # Its process died over it, of the limits or of a decoder's fault.
            raise BadMedia(f"{which} cannot be read.", hint="Save it again and send that.", field=field) from failure

    @staticmethod
    def _publish(media: MediaStore, path: Path, said: dict[str, Any]) -> MediaRef:
        measured = {"width": said["width"], "height": said["height"]}
        return media.publish(path, ext=path.suffix, origin="upload", verdict=uploaded(), meta={"measured": measured})

    def _processes(self) -> EnginePool:
        with self._lock:
            if self._pool is None:
                self._pool = EnginePool(_SIDE_BY_SIDE)
            return self._pool

    def close(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()


def _copy(file: IO[bytes], target: Path, which: str, field: str) -> None:
    left = MOST_BYTES
    with target.open("wb") as out:
        while piece := file.read(_PIECE):
            left -= len(piece)
            if left < 0:
                hint = f"Send a copy of at most {MOST_BYTES >> 20} MB."
                raise InvalidInput(f"{which} is too large.", hint=hint, field=field, code="too_large")
            out.write(piece)
    if left == MOST_BYTES:
        raise BadMedia(f"{which} is empty.", hint="Choose it again.", field=field)
