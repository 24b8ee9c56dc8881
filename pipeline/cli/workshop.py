"""The command line's own data folder: which project belongs to which story, and one film made in it at a time.

Hides the store, the runner and the signals. A story with its options is known by a digest that is kept with its
project, so the same command finds its work again.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from sqlalchemy import select

from pipeline.cli.exits import INTERRUPTED, TERMINATED, log_to
from pipeline.cli.progress import Display
from pipeline.contracts import Render, digest
from pipeline.errors import MediaMissing, ProductError, StoreUnavailable
from pipeline.projects import create_project, delete_project, live_project
from pipeline.projects.removal import purge
from pipeline.runner import Runner
from pipeline.runner.estimate import Estimate
from pipeline.settings import Settings
from pipeline.stage import frame_key, lipsync_key, video_key
from pipeline.store import Store, open_store
from pipeline.store.models import Project, Run, Shot

_TICK_S = 0.4
_CLOSE_S = 9.0
_HARMLESS = {"preview_used", "text_degraded"}


@dataclass(frozen=True)
class Order:
    """What was asked for. `fields` are project columns; `out` and `report` are absolute paths."""

    fields: dict[str, Any]
    out: Path
    report: Path | None = None

    @property
    def digest(self) -> str:
        return digest(self.fields)


class Stopped(Exception):
    """A signal came; the work is kept. `code` is the exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Workshop:
    """An open data folder with its runner."""

    def __init__(self, settings: Settings, store: Store, stop: StopSign) -> None:
        self.settings = settings
        self.store = store
        self._stop = stop
        self._runner = Runner(store, settings)

    def project_for(self, order: Order, *, new: bool) -> tuple[int, bool]:
        """The project of this story and these options, and whether it was there before. `new` starts over, and what was
        made before is removed.
        """
        if new:
            self._remove(order)
        known = Project.options["cli"]["digest"].as_string() == order.digest
        with self.store.db.write(durable=True) as session:
            found = session.scalars(select(Project).where(known, Project.deleted_at.is_(None))).all()
            remembered = {"digest": order.digest, "out": str(order.out)}
            if order.report:
                remembered["report"] = str(order.report)
            if found:
                project = found[-1]
                project.options = {**(project.options or {}), "cli": remembered}
                return project.id, True
            project = create_project(
                session, order.fields, max_story_words=self.settings.max_story_words, options={"cli": remembered}
            )
            return project.id, False

    def _remove(self, order: Order) -> None:
        known = Project.options["cli"]["digest"].as_string() == order.digest
        with self.store.db.write(durable=True) as session:
            for project in session.scalars(select(Project).where(known, Project.deleted_at.is_(None))).all():
                delete_project(session, project.id)
        purge(self.store, grace_s=0)

    def unfinished(self) -> tuple[int, Order] | None:
        """The film that was being made last and is not finished."""
        found = self._last_run()
        return None if found is None or found[2] == "done" else found[:2]

    def latest(self) -> tuple[int, Order] | None:
        """The film that was made last, finished or not."""
        found = self._last_run()
        return None if found is None else found[:2]

    def _last_run(self) -> tuple[int, Order, str] | None:
        with self.store.db.read() as session:
            row = session.execute(
                select(Project, Run.state)
                .join(Run, Run.project_id == Project.id)
                .where(Project.deleted_at.is_(None), Project.options["cli"]["out"].as_string().is_not(None))
                .order_by(Run.started_at.desc())
            ).first()
        if row is None:
            return None
        asked = row.Project.options["cli"]
        report = Path(asked["report"]) if asked.get("report") else None
        return row.Project.id, Order({}, Path(asked["out"]), report), str(row.state)

    def shots(self, project_id: int) -> list[Shot]:
        """The film's shots in order."""
        with self.store.db.read() as session:
            return list(session.scalars(select(Shot).where(Shot.project_id == project_id).order_by(Shot.idx)))

    def remake(self, project_id: int, shot: Shot, kind: str, render: Render) -> str | None:
        """Makes a shot's frame, clip or lips by itself; what went wrong, in words. Raises Stopped."""
        key = {"frame": frame_key, "video": video_key, "lipsync": lipsync_key}[kind](shot.id)
        single = self._runner.loose.make(project_id, key, render=render)
        while not single.done.is_set():
            self._stop.wait(_TICK_S)
        return single.failure["text"] if single.failure else None

    def estimate(self, project_id: int) -> Estimate:
        """What is left of the film, in money and time."""
        return self._runner.estimate(project_id)

    def finished(self, project_id: int) -> bool:
        """Whether the film is there already, whole, and with nothing left to try again."""
        status = self._runner.status(project_id)
        if status["state"] != "done" or any(one["code"] not in _HARMLESS for one in status["problems"]):
            return False
        try:
            self.film(project_id)
        except ProductError:
            return False
        return True

    def make(self, project_id: int, display: Display) -> dict[str, Any]:
        """Starts or goes on with the film until it stops; returns its status then. Raises Stopped."""
        self._stop.check()
        self._runner.start(project_id)
        while True:
            status = self._runner.status(project_id)
            display.show(status)
            if status["state"] != "running":
                return status
            self._stop.wait(_TICK_S)

    def film(self, project_id: int) -> dict[str, Path]:
        """The film's files by kind: mp4, and srt, vtt, jpg where they were made. Raises MediaMissing."""
        with self.store.db.read() as session:
            project = live_project(session, project_id)
        meta = project.film_meta or {}
        urls = {
            "mp4": project.film_url,
            "srt": meta.get("srt_url"),
            "vtt": meta.get("vtt_url"),
            "jpg": project.poster_url,
        }
        if not project.film_url:
            raise MediaMissing("The film has not been made.", hint="Run the command again.")
        return {kind: self.store.media.path(url) for kind, url in urls.items() if url}

    def close(self) -> None:
        self._runner.close(_CLOSE_S)
        self.store.close()


class StopSign:
    """Ctrl-C and SIGTERM, noticed between two looks at the film. A second one ends the process at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._code = INTERRUPTED
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._code = INTERRUPTED if number == signal.SIGINT else TERMINATED
        self._asked.set()
        signal.signal(number, signal.SIG_DFL)

    def check(self) -> None:
        if self._asked.is_set():
            raise Stopped(self._code)

    def wait(self, seconds: float) -> None:
        self._asked.wait(seconds)
        self.check()


@contextmanager
def open_workshop(settings: Settings, stop: StopSign) -> Iterator[Workshop]:
    """Takes DATA_DIR/cli. Raises DataFolderInUse, StoreUnavailable, DiskFull."""
    folder = settings.data_dir / "cli"
    try:
        store = open_store(folder)
    except OSError as failure:  # what no disk says, e.g. a folder under /proc
        raise StoreUnavailable(
            f"The folder {folder} cannot be used: {failure.strerror}.", hint="Choose another."
        ) from None
    log_to(store.folder.path)
    workshop = None
    try:
        workshop = Workshop(settings, store, stop)
        yield workshop
    finally:
        if workshop is not None:
            workshop.close()
        else:
            store.close()
