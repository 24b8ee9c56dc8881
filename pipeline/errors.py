"""Every failure that a user can meet, by its stable code.

A `ProductError` says what happened (`detail`) and what to do (`hint`), in words fit for a screen; the code is the
contract with clients, never changes, and is in the list of `pipeline.problems`. Which HTTP status a code gets is the
server's affair (`server/http.py`), which exit code the CLI's (`pipeline/cli/exits.py`).
"""

from __future__ import annotations

from pipeline.problems import hint_of


class ProductError(Exception):
    """A failure with a stable code, a plain sentence, and what to do about it."""

    code = "internal"

    def __init__(self, detail: str, *, hint: str = "", field: str | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        if code is not None:
            self.code = code
        self.hint = hint or hint_of(self.code)

    def __reduce__(self) -> tuple[object, ...]:
        # Engines run in other processes, so an error has to survive pickling with its keywords.
        return (_rebuild, (type(self), self.detail, self.hint, self.field, self.code))

    @property
    def sentence(self) -> str:
        return f"{self.detail} {self.hint}".strip()


def _rebuild(kind: type[ProductError], detail: str, hint: str, field: str | None, code: str) -> ProductError:
    return kind(detail, hint=hint, field=field, code=code)


class InvalidInput(ProductError):
    """What the user gave cannot be used; `field` names it."""

    code = "invalid_input"


class NotFound(ProductError):
    code = "not_found"


class Conflict(ProductError):
    """The request does not fit the present state (e.g. pausing a run that is not running)."""

    code = "conflict"


class NeedsSetup(ProductError):
    """A key, file or package is missing; `hint` names it."""

    code = "needs_setup"


class Cancelled(ProductError):
    """Not a failure: the work was asked to stop (pause, cancel, shutdown)."""

    code = "cancelled"


class DiskFull(ProductError):
    code = "disk_full"


class StoreUnavailable(ProductError):
    """The database or the media folder cannot be used (locked, damaged, read-only, newer than the code)."""

    code = "store_unavailable"


class DataFolderInUse(StoreUnavailable):
    code = "data_folder_in_use"


class MediaMissing(ProductError):
    """A file that the database names is gone or damaged."""

    code = "media_missing"


class EngineFailed(ProductError):
    """An embedded engine or ffmpeg failed. Trying again may help where `transient` is true."""

    code = "engine_failed"
    transient = False


class EngineTimeout(EngineFailed):
    code = "engine_timeout"
    transient = True


class BadMedia(ProductError):
    """A file is not what it should be: wrong type, damaged, no frames."""

    code = "bad_media"
