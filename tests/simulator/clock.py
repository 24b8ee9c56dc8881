"""The simulator's time: real time that a test may push forward, latencies scaled down, and calls at a later time."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable


class Clock:
    """Seconds since 1970. `scale` multiplies latencies (0.01: a minute takes 0.6 s); expiry times are not scaled."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self._base = time.time() - time.monotonic()
        self._ahead = 0.0
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="simulator-clock", daemon=True)
        self._thread.start()

    def now(self) -> float:
        return self._base + time.monotonic() + self._ahead

    def scaled(self, seconds: float) -> float:
        return seconds * self.scale

    def advance(self, seconds: float) -> None:
        """Time jumps forward: waiting jobs get ready, URLs expire."""
        with self._changed:
            self._ahead += seconds
            self._changed.notify_all()

    def wait_until(self, due: float) -> None:
        with self._changed:
            while (left := due - self.now()) > 0 and not self._stopped:
                self._changed.wait(min(left, 3600))

    def call_at(self, due: float, call: Callable[[], None]) -> None:
        """`call` runs once at `due` on the clock's own thread, which it must not hold."""
        with self._changed:
            heapq.heappush(self._due, (due, next(self._order), call))
            self._changed.notify_all()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and (not self._due or self._due[0][0] > self.now()):
                    self._changed.wait(max(0.0, min(self._due[0][0] - self.now(), 3600)) if self._due else None)
                if self._stopped:
                    return
                call = heapq.heappop(self._due)[2]
            call()
