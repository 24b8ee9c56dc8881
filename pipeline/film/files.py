"""Files that are made whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import DiskFull


@contextmanager
def making(*outs: Path) -> Iterator[None]:
    """Around the making of files: a failure leaves none of them, and a full disk is told as DiskFull."""
    try:
        yield
    except BaseException as error:
        for out in outs:
            out.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull("The disk is full.", hint="Free some space and go on.") from error
        raise
