"""The wire itself. Hides sockets: threads, keep-alive, resets that are real RSTs, hangs and drips."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.simulator.app import App, Outcome
from tests.simulator.call import Call

LARGEST_BODY = 300_000_000
LOOK = 0.05


class Server(ThreadingHTTPServer):
    """Listens as soon as it exists; `serve` in a thread, `close` ends every connection, too."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, host: str, port: int, app: App) -> None:
        self.app = app
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((host, port), Handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), name="simulator", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is nothing to tell."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """The request log is the app's."""

    def _serve(self) -> None:
        call = self._read()
        outcome = self.server.app.handle(call)
        try:
            whole = self._act(call, outcome)
        except OSError:
            whole, self.close_connection = False, True
        if not whole:
            self.server.app.sent(call, outcome.answer, False)

    def _read(self) -> Call:
        parts = urlsplit(self.path)
        query: dict[str, str] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query[name] = f"{query[name]},{value}" if name in query else value
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raw = self._chunks()
        else:
            raw = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY))
        world = self.server.app.world
        host, port = self.server.server_address[:2]
        headers = {name.lower(): value for name, value in self.headers.items()}
        origin = f"http://{headers.get('host', f'{host!s}:{port}')}"
        return Call(
            world.next_number(), world.clock.now(), self.command, unquote(parts.path), query, headers, raw, origin
        )

    def _chunks(self) -> bytes:
        found = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def _act(self, call: Call, outcome: Outcome) -> bool:
        """True if the whole answer went out to a client that was still there."""
        if outcome.manner == "hang":
            self._hang(outcome.seconds)
        if outcome.answer is None:
            self._reset()
            return False
        answer = outcome.answer
        head = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **answer.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        start = f"HTTP/1.1 {answer.status} {responses.get(answer.status, 'Unknown')}\r\n{lines}\r\n".encode()
        body = b"" if self.command == "HEAD" else answer.body
        if self._gone():
            self.close_connection = True
            return False
        if outcome.manner == "cut":
            self.connection.sendall(start + body[: len(body) // 2])
            self.close_connection = True
            return False
        if outcome.manner == "drip":
            dripped = self._drip(start, body, outcome.seconds)
            if dripped:
                self.server.app.sent(call, answer, True)
            return dripped
        # The books are kept before the last byte goes, so that whoever has the answer finds them right.
        whole = start + body
        self.connection.sendall(whole[:-1])
        self.server.app.sent(call, answer, True)
        self.connection.sendall(whole[-1:])
        return True

    def _drip(self, start: bytes, body: bytes, pause: float) -> bool:
        self.connection.sendall(start)
        for number in range(len(body)):
            if self.server.stopping.wait(pause) or self._gone():
                self.close_connection = True
                return False
            self.connection.sendall(body[number : number + 1])
        return True

    def _hang(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._gone() and not self.server.stopping.wait(LOOK):
            pass

    def _gone(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], 0)
        if not readable:
            return False
        try:
            return bool(self.connection.recv(1, socket.MSG_PEEK) == b"")
        except OSError:
            return True

    def _reset(self) -> None:
        """The connection ends with RST, whatever the client has sent or still sends."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # close() would wait for the files made from the socket; the descriptor has to go now.
        socket.close(self.connection.detach())
