"""`python -m bench._small_film STORY.txt DATA_DIR REPORT.json`: one film at 320×180, where many shots are wanted."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipeline.projects import create_project
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.store import open_store
from pipeline.store.models import Shot

FORM = {"width": 320, "height": 180, "fps": 24}


def main(story: Path, data_dir: Path, report: Path) -> int:
    settings = load_settings(data_dir=data_dir)
    with open_store(data_dir) as store:
        runner = Runner(store, settings)
        with store.db.write() as session:
            fields = {"title": story.stem, "story": story.read_text()}
            project_id = create_project(session, fields, max_story_words=100_000, options={"form": FORM}).id
        runner.start(project_id)
        state = runner.wait(project_id)
        runner.close()
        with store.db.read() as session:
            shots = session.query(Shot).filter_by(project_id=project_id).count()
    report.write_text(json.dumps({"shots": shots}))
    return 0 if state == "done" else 4


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
