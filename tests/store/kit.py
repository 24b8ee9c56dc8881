"""What the store's tests share: a project to hang work on, and real processes to kill."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pipeline.store import Store
from pipeline.store.models import Project

# Forked, so that a child is at work at once; the parent must hold no open store of the same folder at that moment.
_processes = multiprocessing.get_context("fork")


def new_project(store: Store) -> int:
    with store.db.write() as session:
        project = Project(title="A film")
        session.add(project)
        session.flush()
        return project.id


@contextmanager
def at_work(job: Callable[..., None], *arguments: Any) -> Iterator[BaseProcess]:
    """Another process doing `job`; it is killed at the end."""
    child = _processes.Process(target=job, args=arguments, daemon=True)
    child.start()
    try:
        yield child
    finally:
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
        child.join()


def killed_after(delay_s: float, job: Callable[..., None], *arguments: Any, ready: Path | None = None) -> bool:
    """Runs `job` in another process and sends it SIGKILL after a while (counted from when the file `ready` exists).

    Returns whether the kill came before the job's own end.
    """
    with at_work(job, *arguments) as child:
        if ready is not None:
            wait_for(lambda: ready.exists() or not child.is_alive())
        time.sleep(delay_s)
        return child.is_alive()


def wait_for(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)
