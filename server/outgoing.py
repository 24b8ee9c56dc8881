"""Whether what was sent has left: the one place that looks behind waitress at a client's connection.

A WSGI server takes an answer from its iterator into buffers of its own, then hands it to the system, which has buffers
too; and `close()` is called for an aborted answer as for a whole one. So the end of the iterator says nothing. Asked
here: nothing waits in waitress, the client's machine has acknowledged every byte (Linux; elsewhere the system has taken
every byte), and the client has not torn the connection down, as one does that leaves with bytes unread.
"""

from __future__ import annotations

import array
import fcntl
import socket
import struct
import termios
import time
from collections.abc import Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

MOST_WAITING = 1 << 20  # bytes that wait in waitress for one client
STALL_S = 60.0  # a client that takes nothing for so long is given up
_LOOK_EVERY_S = 0.01
_ESTABLISHED, _CLOSE_WAIT = 1, 8  # the client is there; it has said goodbye and has torn nothing down


class Outgoing:
    """The way to one client, for as long as one answer is written. Use it as a context."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        # waitress gives the application this method of the client's channel; the channel itself is behind it.
        ask = environ.get("waitress.client_disconnected")
        self._channel: Any = getattr(ask, "__self__", None)
        self._socket: socket.socket | None = None

    def __enter__(self) -> Outgoing:
        # A handle of our own: waitress closes its own as soon as it sees the client leave, contented or not.
        if self._channel is not None:
            self._socket = self._channel.socket.dup()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self._socket is not None:
            self._socket.close()

    def copied(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The blocks, each once there is room for it. Raises TimeoutError for a client that takes nothing."""
        for block in blocks:
            if not self._falls_to(MOST_WAITING):
                raise TimeoutError("the client takes nothing")
            yield block

    def written(self) -> bool:
        """Waits until everything has left; False where it has not, or where nobody can tell."""
        return self._socket is not None and self._falls_to(0) and self._alive()

    def _falls_to(self, most: int) -> bool:
        """Waits until at most so many bytes are on the way; False when none has moved for `STALL_S`."""
        least, since = None, time.monotonic()
        while (waiting := self._waiting(unacknowledged=most == 0)) > most:
            if not self._alive():
                return False
            if least is None or waiting < least:
                least, since = waiting, time.monotonic()
            if time.monotonic() - since > STALL_S:
                return False
            time.sleep(_LOOK_EVERY_S)
        return True

    def _waiting(self, *, unacknowledged: bool) -> int:
        if self._channel is None or self._socket is None:
            return 0
        waiting = int(self._channel.total_outbufs_len)
        if unacknowledged and hasattr(socket, "TCP_INFO"):
            queued = array.array("i", [0])
            fcntl.ioctl(self._socket, termios.TIOCOUTQ, queued)
            waiting += queued[0]
        return waiting

    def _alive(self) -> bool:
        if self._socket is None:
            return False
        if not hasattr(socket, "TCP_INFO"):
            return bool(self._channel.connected)
        (state,) = struct.unpack("B", self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1))
        return state in (_ESTABLISHED, _CLOSE_WAIT)
