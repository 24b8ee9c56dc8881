"""What bounds work at providers, and what bounds our own work on what they send. Hides how one gives way to the other.

A slot stands for one job at a provider. It is let go once the provider has finished, so that the next job is sent while
the result is fetched, checked and brought to the film's form; sending again takes it back first.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from pipeline.errors import Cancelled

_LOOK_S = 0.2


class Slot(Protocol):
    def let_go(self) -> None:
        """The provider has finished. A second call does nothing."""
        ...

    def take_back(self, cancel: threading.Event) -> None:
        """Waits for a slot where this one was let go. Raises Cancelled when asked to stop meanwhile."""
        ...


class Unbounded:
    """The slot of work that no lane bounds."""

    def let_go(self) -> None:
        return None

    def take_back(self, cancel: threading.Event) -> None:
        return None


class OwnWork:
    """At most `width` clips at a time are decoded and encoded here, however many providers send at once."""

    def __init__(self, width: int) -> None:
        self._free = threading.Semaphore(width)

    @contextmanager
    def turn(self, cancel: threading.Event) -> Iterator[None]:
        """Blocks until it is this clip's turn. Raises Cancelled when asked to stop meanwhile."""
        while not self._free.acquire(timeout=_LOOK_S):
            if cancel.is_set():
                raise Cancelled("The run was stopped before the clip was checked.")
        try:
            yield
        finally:
            self._free.release()
