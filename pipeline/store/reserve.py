"""A little space kept back on the disk, so that a full disk can still be written down as the reason for a pause."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import suppress
from pathlib import Path

RESERVE_BYTES = 256 * 1024
_COMFORT = 16 * RESERVE_BYTES  # take the space back only when nobody would miss it


class Reserve:
    """A file of `RESERVE_BYTES` that is given up when a write meets a full disk and taken back when space returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._held = False

    def hold(self) -> None:
        """Takes the space, if the disk has plenty. Never fails: without a reserve everything else still works."""
        with self._lock, suppress(OSError):
            if self._held:
                return
            if shutil.disk_usage(self._path.parent).free < _COMFORT:
                return
            with self._path.open("wb") as file:
                # Zeros are written: a file system that keeps no promise for an empty range would give nothing back.
                file.write(bytes(RESERVE_BYTES))
                file.flush()
                os.fsync(file.fileno())
            self._held = True

    def release(self) -> None:
        """Gives the space up. The next writes, which record what happened, need it."""
        with self._lock, suppress(OSError):
            self._held = False
            self._path.unlink(missing_ok=True)
