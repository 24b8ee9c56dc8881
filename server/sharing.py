"""What many clients ask for at the same moment, made once: fifty pages that watch one film cost little more than one.

A value is shared while its version holds, for a time that the caller names, so that what changes without a new version
is not missed for long. Makers of one value wait for each other; values that nobody has asked for lately are forgotten.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 64


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    version: Hashable = None
    until: float = 0.0
    value: Any = None


class Shared:
    """One per server. Safe for any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def value(self, key: Hashable, version: Hashable, seconds: float, make: Callable[[], T]) -> T:
        """What `make` gave for this version at most `seconds` ago, else what it gives now."""
        with self._lock:
            kept = self._kept.setdefault(key, _Kept())
            self._kept.move_to_end(key)
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        with kept.lock:
            if kept.version != version or time.monotonic() >= kept.until:
                kept.value = make()
                kept.version, kept.until = version, time.monotonic() + seconds
            value: T = kept.value
            return value
