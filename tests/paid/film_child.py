"""A paid film in a process of its own, for tests that kill it: `python -m tests.paid.film_child DATA_DIR`.

The simulator's addresses come by the environment. Exit code 0: done; 4: paused or failed; 5: it waits for the user.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(data_dir: Path) -> int:
    from sqlalchemy import select

    from pipeline.runner import Runner
    from pipeline.settings import load_settings
    from pipeline.store import open_store
    from pipeline.store.models import Project, Run
    from tests.paid.kit import QUICK, new_project

    settings = load_settings(data_dir=data_dir, engine_workers=2)
    with open_store(data_dir) as store:
        with store.db.read() as session:
            project_id = session.scalar(select(Project.id))
        runner = Runner(store, settings, timing=QUICK)
        if project_id is None:
            project_id = new_project(store)
        if project_id not in runner.recover():
            with store.db.read() as session:
                paused = session.scalar(select(Run.id).where(Run.state == "paused"))
            runner.resume(project_id) if paused else runner.start(project_id)
        state = runner.wait(project_id)
        code = runner.status(project_id)["code"]
        runner.close()
    return 0 if state == "done" else 5 if code == "submit_ambiguous" else 4


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
