"""Work for the pool's tests to run in its processes."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.contracts import FilmForm
from pipeline.errors import InvalidInput
from pipeline.film import ffmpeg


def pid() -> int:
    return os.getpid()


def add(a: int, b: int) -> int:
    return a + b


def times(seconds: float) -> tuple[float, float]:
    start = time.monotonic()
    time.sleep(seconds)
    return start, time.monotonic()


def manners() -> tuple[bool, int, int]:
    import cv2

    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN, os.nice(0), cv2.getNumThreads()


def refuse() -> None:
    raise InvalidInput("No such voice.", hint="Choose another.", field="voice")


def blunder() -> None:
    raise KeyError("mouth")


def fill_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def unpicklable() -> Callable[[], None]:
    return lambda: None


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave() -> None:
    os._exit(3)


def encode_for_ever(folder: Path) -> None:
    """Starts an encoder that waits for frames; a file named for each process tells that they are there."""
    form = FilmForm(width=64, height=64)
    with ffmpeg.encoder(folder / f"{os.getpid()}.mp4", form, 100) as sink:
        sink.write(bytes(64 * 64 * 3 // 2))
        mine = [os.getpid(), *children(os.getpid())]
        for number in mine:
            (folder / f"{number}.pid").touch()
        (folder / f"ready-{os.getpid()}").touch()
        time.sleep(600)


def children(parent: int) -> list[int]:
    """The processes that a process has started, from /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def alive(process: int) -> bool:
    """Whether any thread of it is left: a killed leader is a zombie while others still hold its files."""
    try:
        if len(list(Path(f"/proc/{process}/task").iterdir())) > 1:
            return True
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
