"""The simulator as a test holds it: start, stop, script, inspect."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any

from tests.simulator.app import PROVIDERS, App
from tests.simulator.bill import Bill
from tests.simulator.call import Call
from tests.simulator.faults import Fault, Storm
from tests.simulator.jobs import Job
from tests.simulator.server import Server
from tests.simulator.webhooks import Sent
from tests.simulator.world import Responder, Scripted, World

BASES = {name: path for kind in PROVIDERS for name, path in kind.bases.items()}
KEYS = {name: key for kind in PROVIDERS for name, key in kind.keys.items()}


class Simulator:
    """A running simulator within `with`, or between `start` and `stop`.

    port 0: a free one. scale: times every latency (0: at once). The same seed gives the same keys, ids and storms.
    """

    def __init__(self, *, port: int = 0, scale: float = 0.0, seed: int = 0, host: str = "127.0.0.1") -> None:
        self.world = World(scale, seed)
        self._app = App(self.world)
        self._host, self._port = host, port
        self._server: Server | None = None

    def __enter__(self) -> Simulator:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> Simulator:
        self._listen()
        return self

    def stop(self) -> None:
        self._deaf()
        self.world.close()

    @property
    def url(self) -> str:
        """http://host:port"""
        return f"http://{self._host}:{self._port}"

    def base_urls(self) -> dict[str, str]:
        """One address for every base URL that the product can be set to, by the name of the setting."""
        return {name: self.url + path for name, path in BASES.items()}

    def env(self) -> dict[str, str]:
        """Base URLs and keys, ready for an environment."""
        return {**self.base_urls(), **KEYS}

    def script(self, kind: str, **where: Any) -> Fault:
        """Adds a fault; see `faults.Fault` for what can be told."""
        return self.world.faults.add(Fault(kind, **where))

    def storm(self, p: float, seed: int = 0, *, kinds: Sequence[str] = (), providers: Sequence[str] = ("*",),
              operations: Sequence[str] = ("*",)) -> None:  # fmt: skip
        """From now on every call meets a fault with probability p."""
        self.world.faults.storm = Storm(p, seed, kinds, providers, operations)

    def calm(self) -> None:
        """No faults any more."""
        self.world.faults.clear()

    def respond(self, operation: str, responder: Responder, *, provider: str = "*", times: int = 0) -> None:
        """`responder` answers in place of the default: for `chat` it gets an llm.ChatRequest and gives a JSON value, a
        string that is sent as it is, or an llm.Reply; None leaves the call to the next responder."""
        self.world.respond(Scripted(provider, operation, responder, times))

    def requests(self, provider: str = "", operation: str = "") -> list[Call]:
        """The request log, oldest first."""
        return self.world.calls(provider, operation)

    @property
    def bill(self) -> Bill:
        return self.world.bill

    def jobs(self, provider: str = "") -> list[Job]:
        """Newest first."""
        return self.world.jobs.of(provider)

    @property
    def webhooks(self) -> list[Sent]:
        return list(self.world.mailer.log)

    @property
    def errors(self) -> list[str]:
        """Tracebacks of the simulator's own mistakes."""
        return self._app.errors

    def advance(self, seconds: float) -> None:
        """Time jumps: jobs get ready, addresses expire."""
        self.world.clock.advance(seconds)

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[None]:
        """Connections are refused meanwhile; jobs go on."""
        self._deaf()
        try:
            yield
        finally:
            self._listen()

    def wait_for(self, true: Callable[[], bool], seconds: float = 20.0) -> bool:
        """Whether it becomes true in time."""
        end = time.monotonic() + seconds
        while not (done := true()) and time.monotonic() < end:
            time.sleep(0.01)
        return done

    def _listen(self) -> None:
        self._server = Server(self._host, self._port, self._app)
        self._port = int(self._server.server_address[1])
        self._server.start()

    def _deaf(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
