"""How commands end: the exit codes, and the one sentence that goes with a failure. Never a stack trace.

0 done; 1 an unexpected failure (the log has the details); 2 wrong use or a story that cannot be used; 3 another process
has the data folder; 4 the film could not be finished (it failed, or it paused, e.g. for a full disk); 5 the data folder
or the place for the film cannot be used; 6 something has to be set up first; 130 and 143 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import (
    BadMedia,
    DataFolderInUse,
    DiskFull,
    EngineFailed,
    InvalidInput,
    NeedsSetup,
    NotFound,
    ProductError,
    StoreUnavailable,
)

DONE, INTERNAL, USAGE, IN_USE, UNFINISHED, UNAVAILABLE, NEEDS_SETUP = range(7)
INTERRUPTED, TERMINATED = 130, 143
_CODES: tuple[tuple[type[ProductError], int], ...] = (
    (DataFolderInUse, IN_USE),
    (StoreUnavailable, UNAVAILABLE),
    (DiskFull, UNAVAILABLE),
    (NeedsSetup, NEEDS_SETUP),
    (InvalidInput, USAGE),
    (NotFound, USAGE),
    (EngineFailed, UNFINISHED),
    (BadMedia, UNFINISHED),
)
log = logging.getLogger(__name__)


def guarded(work: Callable[[], int]) -> int:
    """Runs a command; turns whatever it raises into a sentence on stderr and an exit code."""
    try:
        return work()
    except ProductError as failure:
        complain(failure.sentence)
        return next((code for kind, code in _CODES if isinstance(failure, kind)), UNFINISHED)
    except BrokenPipeError:
        return DONE  # whoever read our lines has seen enough
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        reference = uuid.uuid4().hex[:8]
        log.exception("reference %s", reference)
        place = _log_place()
        where = f" Details are in {place} under that reference." if place else ""
        complain(f"Something went wrong that should not have (reference {reference}).{where}")
        return INTERNAL


def complain(sentence: str) -> None:
    print(f"video-story: {printable(sentence)}", file=sys.stderr, flush=True)


def printable(text: str) -> str:
    """Text that cannot move a terminal's cursor or break its encoding."""
    kept = "".join(char if char.isprintable() or char == "\n" else "�" for char in text)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return kept.encode(encoding, "replace").decode(encoding)


def log_to(folder: Path) -> None:
    """Sends the details of what goes wrong to a file beside the work."""
    root = logging.getLogger()
    if _log_place() is None:
        handler = logging.handlers.RotatingFileHandler(
            folder / "details.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        logging.getLogger("alembic").setLevel(logging.WARNING)


def silent_log() -> None:
    """Until there is a file to log to, nothing is logged: a stack trace on the screen helps nobody."""
    logging.getLogger().addHandler(logging.NullHandler())


def _log_place() -> str | None:
    handlers = logging.getLogger().handlers
    files = (one for one in handlers if isinstance(one, logging.FileHandler))
    return next((one.baseFilename for one in files), None)
