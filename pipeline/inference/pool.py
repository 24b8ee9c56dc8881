"""The processes that heavy work runs in: started, watched, replaced, and never left behind.

Hides how they are started (forked from a small server process that has loaded what engines share, and has never
run one), how an error comes back, and how each of them ends: when its work takes too long or is cancelled, when the
pool is closed, or when the process that owns the pool dies, whatever it dies of.
"""

from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from pipeline.errors import Cancelled, DiskFull, EngineFailed, EngineTimeout, ProductError

T = TypeVar("T")

# Loaded once and shared by every process; nothing here may start a thread or initialise an engine.
_PRELOAD = ["pipeline.inference.pool", "pipeline.inference.speech", "pipeline.inference.intake"]
_TICK_S = 0.05
_NICENESS = 10
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


class EnginePool:
    """At most `workers` pieces of work at a time, each in a process of its own. Usable from many threads.

    Functions and their values travel by pickle, so a function has to stand at the top of an importable module.
    `prepare` is called once in each process, before its first work.
    """

    def __init__(self, workers: int, *, prepare: Callable[[], None] | None = None) -> None:
        self._prepare = prepare
        self._workers = workers
        self._places = threading.Semaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._closing = threading.Event()
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOAD)

    def run(
        self,
        function: Callable[..., T],
        *args: Any,
        fresh: bool = False,
        timeout_s: float,
        cancel: threading.Event | None = None,
    ) -> T:
        """What `function(*args)` returns, or raises, in another process; in a brand-new one if `fresh`.

        A ProductError comes back as it is; anything else as EngineFailed with its class and message, or DiskFull.
        `timeout_s` counts from when the work begins, not while it waits for its turn; then EngineTimeout. `cancel`
        (or closing the pool) raises Cancelled at once. A process that crashes raises EngineFailed, `transient`.
        """
        self._await_place(cancel)
        try:
            worker = self._take(fresh)
            try:
                answer = self._await_answer(worker, (function, args), timeout_s, cancel)
            except BaseException:
                worker.end()
                raise
            self._give_back(worker, fresh)
        finally:
            self._places.release()
        if answer.error is not None:
            raise answer.error from _Elsewhere(answer.trace)
        value: T = answer.value
        return value

    def close(self) -> None:
        """Stops everything that runs (it raises Cancelled) and waits until no process is left."""
        self._closing.set()
        for _ in range(self._workers):
            self._places.acquire()
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()
        for _ in range(self._workers):
            self._places.release()

    def _await_place(self, cancel: threading.Event | None) -> None:
        while True:
            self._check(cancel)
            if self._places.acquire(timeout=_TICK_S):
                break
        try:
            self._check(cancel)
        except Cancelled:
            self._places.release()
            raise

    def _check(self, cancel: threading.Event | None) -> None:
        if self._closing.is_set():
            raise Cancelled("The program is stopping.")
        if cancel is not None and cancel.is_set():
            raise Cancelled("The work was stopped.")

    def _take(self, fresh: bool) -> _Worker:
        while not fresh:
            with self._lock:
                worker = self._idle.pop() if self._idle else None
            if worker is None:
                break
            if not worker.connection.poll():
                return worker
            worker.end()  # it has nothing to say, so the line is dead, and so is the process
        try:
            return _Worker(self._context, self._prepare, warm=not fresh)
        except (OSError, EOFError) as error:
            raise _transient(f"No process could be started for the work ({error}).") from error

    def _give_back(self, worker: _Worker, fresh: bool) -> None:
        if fresh:
            worker.end()
            return
        with self._lock:
            self._idle.append(worker)

    def _await_answer(self, worker: _Worker, work: object, timeout_s: float, cancel: threading.Event | None) -> _Answer:
        deadline = time.monotonic() + timeout_s
        try:
            worker.connection.send(work)
            while not wait([worker.connection, worker.process.sentinel], timeout=_TICK_S):
                self._check(cancel)
                if time.monotonic() >= deadline:
                    raise EngineTimeout(f"The work was still not done after {timeout_s:g} s and was ended.")
            answer: _Answer = worker.connection.recv()
        except (EOFError, ConnectionError) as error:
            raise _crash(worker) from error
        return answer


class _Worker:
    """One process and the line to it."""

    def __init__(
        self, context: multiprocessing.context.ForkServerContext, prepare: Callable[[], None] | None, *, warm: bool
    ) -> None:
        self.connection, far = context.Pipe()
        self.process = context.Process(target=_work, args=(far, prepare, warm), name="engine", daemon=True)
        self.process.start()
        far.close()

    def end(self) -> None:
        """Kills the process; what it has started dies with it (film.ffmpeg sees to that)."""
        self.process.kill()
        self.process.join()
        self.process.close()
        self.connection.close()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What comes back: a value, or an error and the traceback that it had over there."""

    value: Any = None
    error: ProductError | None = None
    trace: str = ""


class _Elsewhere(Exception):
    """Shows the other process's traceback as the cause of an error."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def _crash(worker: _Worker) -> EngineFailed:
    worker.process.join(timeout=5)
    code = worker.process.exitcode
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    hint = "The machine may be out of memory." if code == -signal.SIGKILL else ""
    return _transient(f"The process that did the work ended early ({how}).", hint)


def _transient(detail: str, hint: str = "") -> EngineFailed:
    failure = EngineFailed(detail, hint=hint)
    failure.transient = True
    return failure


def _work(connection: Connection, prepare: Callable[[], None] | None, warm: bool) -> None:
    """The life of a worker: one piece of work after the other, until the line is cut."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the owner decides
    os.nice(_NICENESS)
    _die_with_owner()
    if warm:
        import cv2

        cv2.setNumThreads(1)
    if prepare is not None:
        prepare()
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send_bytes(_answered(connection.recv_bytes()))


def _die_with_owner() -> None:
    if sys.platform == "linux":  # at once, even in the middle of native code
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    owner = multiprocessing.parent_process()
    assert owner is not None

    def watch() -> None:
        owner.join()
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="watch", daemon=True).start()


def _answered(work: bytes) -> bytes:
    try:
        function, args = pickle.loads(work)
        return pickle.dumps(_Answer(function(*args)))
    except BaseException as error:
        return pickle.dumps(_Answer(error=_as_product_error(error), trace=traceback.format_exc()))


def _as_product_error(error: BaseException) -> ProductError:
    if isinstance(error, ProductError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("The disk is full.", hint="Free some space and go on.")
    return EngineFailed(f"{type(error).__name__}: {error}")
