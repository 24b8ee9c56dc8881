"""A film in a process of its own, which can be told to die in the middle of a stage.

`python -m tests.chaos.film_child DATA_DIR [STAGE DELAY_MS]`: makes the short story's film in DATA_DIR, going on where
an earlier process stopped. With STAGE, the whole process group gets SIGKILL DELAY_MS after a unit of that stage has
started while another unit of it has settled.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Every engine process imports this module again as its main one, so all that is heavy is imported inside `main`.
if TYPE_CHECKING:
    from pipeline.stage import Outcome, Stage, StageContext, Unit

STORY = """The Lost Bell

Mira ran down to the harbour at dawn. The old fisherman Tomas was mending his net.

"Have you seen my bell?" asked Mira.

"I heard it ring in the forest," said Tomas.

At night Mira walked into the forest with a lantern. A small fox sat under a tree.

"Is this yours?" asked the fox.

"Yes!" cried Mira. She rang the bell, and they walked home together.
"""
FORM = {"width": 320, "height": 180, "fps": 24}


class Deadly:
    """A stage that has the process group killed while one of its units runs and another has settled."""

    def __init__(self, stage: Stage, delay_ms: float) -> None:
        self._stage = stage
        self._delay_s = delay_ms / 1000
        self._first = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        if not self._another_settled(ctx) and self._first.acquire(blocking=False):
            return self._stage.run(ctx, unit)
        while not self._another_settled(ctx):  # units of a wide lane start together
            time.sleep(0.01)
        if self._delay_s == 0:
            os.killpg(0, signal.SIGKILL)
        threading.Timer(self._delay_s, os.killpg, (0, signal.SIGKILL)).start()
        return self._stage.run(ctx, unit)

    def _another_settled(self, ctx: StageContext) -> bool:
        records = ctx.store.ledger.records(ctx.project_id, self._stage.name)
        return any(record.status in ("done", "skipped") for record in records.values())


def main(data_dir: Path, deadly: str | None = None, delay_ms: float = 0.0) -> int:
    from sqlalchemy import select

    from pipeline.runner import Runner
    from pipeline.settings import load_settings
    from pipeline.stages import all_stages
    from pipeline.store import open_store
    from pipeline.store.models import Project

    settings = load_settings(data_dir=data_dir, engine_workers=2)
    with open_store(data_dir) as store:
        stages = tuple(Deadly(one, delay_ms) if one.name == deadly else one for one in all_stages())
        runner = Runner(store, settings, stages=stages)
        with store.db.write() as session:
            project = session.scalars(select(Project)).first()
            if project is None:
                project = Project(title="The Lost Bell", story=STORY, options={"form": FORM})
                session.add(project)
                session.flush()
            project_id = project.id
        if project_id not in runner.recover():
            runner.start(project_id)
        state = runner.wait(project_id)
        runner.close()
    return 0 if state == "done" else 4


if __name__ == "__main__":
    deadly, delay = (sys.argv[2], float(sys.argv[3])) if len(sys.argv) > 3 else (None, 0.0)
    sys.exit(main(Path(sys.argv[1]), deadly, delay))
