"""A limit on the whole of an HTTP exchange, a way to break it off, and a limit on where it may connect to.

Hides that the HTTP packages only know limits per read: a server that drips one byte a second keeps every one of
those and never ends. Works for httpx and httpx2 alike, because both hand out their network streams in one place.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pipeline.addresses import looked_up
from pipeline.errors import Cancelled

T = TypeVar("T")

_LOOK_S = 0.25  # how often a read that can be broken off looks whether it is
_LEAST_S = 0.001  # past the deadline: only what has arrived already is still read, then the package's own timeout fires
_current = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything that this thread reads or writes through a bounded transport has to be over in so many seconds."""
    before = getattr(_current, "at", None)
    _current.at = time.monotonic() + seconds
    try:
        yield
    finally:
        _current.at = before


@contextmanager
def broken_off_by(stop: threading.Event) -> Iterator[None]:
    """What this thread reads through a bounded transport ends soon after `stop` is set: Cancelled, connection closed.

    An SDK may turn that into its own connection error, so the caller looks at `stop` too.
    """
    before = getattr(_current, "stop", None)
    _current.stop = stop
    try:
        yield
    finally:
        _current.stop = before


def left(timeout: float | None) -> float | None:
    """How long one operation may take: its own timeout, or what the deadline leaves of it."""
    at: float | None = getattr(_current, "at", None)
    if at is None:
        return timeout
    rest = max(_LEAST_S, at - time.monotonic())
    return rest if timeout is None else min(timeout, rest)


def bounded(transport: T, *, public_only: bool = False) -> T:
    """An `HTTPTransport` of httpx or httpx2 that keeps the thread's deadline.

    `public_only`: it connects to no private, local or reserved address, whatever name leads there.
    """
    pool: Any = transport._pool  # type: ignore[attr-defined]  # neither package has a public door for this
    pool._network_backend = _Backend(pool._network_backend, public_only)
    return transport


def is_local(host: str) -> bool:
    """Whether a host's name or address means this machine or its private network."""
    if host.casefold() == "localhost":
        return True
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return False


class _Backend:
    def __init__(self, inner: Any, public_only: bool) -> None:
        self._inner = inner
        self._public_only = public_only

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Stream:
        # Connecting to the address that was checked, not to the name again, which could by then lead elsewhere.
        where = looked_up(host, port) if self._public_only else host
        return _Stream(self._inner.connect_tcp(where, port, timeout=left(timeout), **options))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Stream:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        stop: threading.Event | None = getattr(_current, "stop", None)
        whole = left(timeout)
        end = None if whole is None else time.monotonic() + whole
        while True:
            if stop is not None and stop.is_set():
                raise Cancelled("The work was stopped while a provider was answering.")
            rest = None if end is None else max(_LEAST_S, end - time.monotonic())
            last = stop is None or (rest is not None and rest <= _LOOK_S)
            try:
                data: bytes = self._inner.read(max_bytes, timeout=rest if last else _LOOK_S)
                return data
            except Exception as error:
                # Each package has a class of its own for this.
                if last or type(error).__name__ != "ReadTimeout":
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout=left(timeout))

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left(timeout)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
