"""A server on loopback whose answers are written byte by byte, for what no well-behaved server would send."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Behaviour = Callable[[socket.socket, bytes], None]


@dataclass
class Loopback:
    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(behave: Behaviour) -> Iterator[Loopback]:
    """`behave` gets each connection with the whole request that came over it; afterwards it is closed."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Loopback(listener.getsockname()[1])

    def answer(connection: socket.socket) -> None:
        with connection:
            request = _whole_request(connection)
            server.requests.append(request)
            try:
                behave(connection, request)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        listener.close()


def _whole_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0]) if lengths else 0
    while len(body) < wanted:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def response(status: int, body: bytes, *headers: str, content_type: str = "application/json") -> bytes:
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", f"Content-Type: {content_type}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def saying(status: int, body: bytes, *headers: str, content_type: str = "application/json") -> Behaviour:
    return lambda connection, request: connection.sendall(response(status, body, *headers, content_type=content_type))
