"""How long provider work may take, phase by phase, and how often it is looked at. Seconds on the monotonic clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import Cancelled


@dataclass(frozen=True)
class Timing:
    """`pace` scales every pause (polls, backoff), so that tests against a fast provider need not wait.

    Clips take a minute or so, and others wait for their places: for that long a look comes every second. Later a result
    is known at the latest when a thirtieth of its time more has.
    """

    polls_s: tuple[float, ...] = (1.0,) * 75 + (2.0,) * 60 + (5.0,)
    backoff_s: tuple[float, ...] = (1.0, 1.0, 2.0, 2.0, 3.0, 5.0, 8.0)
    queued_s: float = 3600.0
    running_s: float = 1800.0
    fetch_s: float = 300.0
    fetches: int = 4
    looks: int = 12  # looks in a row that may fail
    pace: float = 1.0

    def poll_pause(self, turn: int) -> float:
        return self.polls_s[min(turn, len(self.polls_s) - 1)] * self.pace

    def backoff(self, turn: int) -> float:
        """Before a look or a download that failed is tried again."""
        return self.backoff_s[min(turn, len(self.backoff_s) - 1)] * self.pace

    def limit(self, phase: str) -> float:
        return self.queued_s if phase == "queued" else self.running_s


def pause(seconds: float, cancel: threading.Event) -> None:
    """Raises Cancelled when the work is asked to stop meanwhile."""
    if cancel.wait(seconds):
        raise Cancelled("The run was stopped while a provider was at work.")


class PhaseClock:
    """Says each phase once, and when one has taken too long."""

    def __init__(self, timing: Timing, say: Callable[[str], None]) -> None:
        self._timing, self._say = timing, say
        self.phase = ""
        self._since = time.monotonic()

    def enter(self, phase: str) -> None:
        if phase != self.phase:
            self.phase, self._since = phase, time.monotonic()
            self._say(phase)

    def overdue(self) -> bool:
        return time.monotonic() - self._since > self._timing.limit(self.phase)
