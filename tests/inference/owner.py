"""A program that owns a pool, for a test to kill: `python -m tests.inference.owner FOLDER` works until then."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from pipeline.inference.pool import EnginePool
from tests.inference import jobs


def main() -> None:
    pool = EnginePool(2)
    for fresh in (False, True):
        work = {"fresh": fresh, "timeout_s": 600}
        threading.Thread(target=pool.run, args=(jobs.encode_for_ever, Path(sys.argv[1])), kwargs=work).start()


if __name__ == "__main__":
    main()
