"""How many questions a language model's provider is asked at once and per minute. Hides who waits for whom.

A provider that asks for a pause is left alone by everyone; other providers are not touched by it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import Cancelled

_LOOK_S = 0.2  # how often a waiting thread looks whether it is asked to stop


class Throttle:
    """At most `parallel` turns at a time, and a turn begins at the earliest `60 / per_minute` seconds after another."""

    def __init__(self, parallel: int, per_minute: float) -> None:
        self._free = parallel
        self._gap_s = 60.0 / per_minute
        self._next = 0.0
        self._held_until = 0.0
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, cancel: threading.Event) -> Iterator[None]:
        """Waits for a turn. Raises Cancelled when asked to stop meanwhile."""
        self._take(cancel)
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def hold(self, seconds: float) -> None:
        """No turn begins within so many seconds."""
        with self._changed:
            self._held_until = max(self._held_until, time.monotonic() + seconds)

    def held_for(self) -> float:
        """For how many seconds no turn begins."""
        with self._changed:
            return max(0.0, self._held_until - time.monotonic())

    def _take(self, cancel: threading.Event) -> None:
        with self._changed:
            while True:
                if cancel.is_set():
                    raise Cancelled("The run was stopped.")
                now = time.monotonic()
                opens = max(self._next, self._held_until)
                if self._free > 0 and now >= opens:
                    self._free -= 1
                    self._next = now + self._gap_s
                    return
                self._changed.wait(_LOOK_S if self._free <= 0 else min(_LOOK_S, max(0.001, opens - now)))
