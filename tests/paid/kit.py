"""A film at simulated providers: settings that point there, a project, and the run to its end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pipeline.generation.timing import Timing
from pipeline.runner import Runner
from pipeline.settings import Settings, load_settings
from pipeline.store import Store
from pipeline.store.models import Project

FORM = {"width": 320, "height": 180, "fps": 24}
# Pauses a hundredth as long: the simulator answers at once.
QUICK = Timing(pace=0.01, fetch_s=20.0, queued_s=60.0, running_s=60.0)
STORY = """The Lost Bell

Mira ran down to the harbour at dawn. The old fisherman Tomas was mending his net.

"Have you seen my bell?" asked Mira.

"I heard it ring in the forest," said Tomas.

At night Mira walked into the forest with a lantern. A small fox sat under a tree.

"Is this yours?" asked the fox.

"Yes!" cried Mira. She rang the bell, and they walked home together.
"""
# Twenty-four shots: a speaker's words never share a shot with the narrator's, nor with another's.
LONG_STORY = """The Lost Bell

Mira ran down to the harbour. Tomas was mending his net.

"Have you seen my bell?" asked Mira.

"No," said Tomas.

Mira sat down on a box.

"It was my mother's bell," said Mira.

"Then we must find it," said Tomas.

They walked along the beach. A gull sat on a post.

"Ask the gull," said Tomas.

"Gull, where is my bell?" asked Mira.

The gull flew to the forest.

"Follow it!" cried Tomas.

Mira ran into the forest with a lantern.

"It is dark here," said Mira.

A small fox sat under a tree.

"Is this yours?" asked the fox.

"Yes!" cried Mira.

The fox gave her the bell.

"Thank you," said Mira.

"Ring it," said the fox.

Mira rang the bell. Tomas heard it at the harbour.

"She has found it!" cried Tomas.

They walked home together.

"Good night, gull," said Mira.

The stars came out.
"""
STUCK_S = 90.0
KINDS = ("text", "speech", "image", "video", "lipsync")
RENDER = {f"render_{kind}": "paid" for kind in KINDS}


def settings_at(env: dict[str, str], data_dir: Path, **more: Any) -> Settings:
    """Settings that know the simulator's addresses and keys; a value of None takes a key away.

    The bundled check alone looks at what is made, so that a bill is that of the film.
    """
    values: dict[str, Any] = {"moderation_checkers": "bundled"} | {name.lower(): value for name, value in env.items()}
    values |= more
    return load_settings(data_dir=data_dir, engine_workers=2, **values)


def new_project(store: Store, *, story: str = STORY, **fields: Any) -> int:
    with store.db.write(durable=True) as session:
        project = Project(title="The Lost Bell", story=story, options={"form": FORM}, **(RENDER | fields))
        session.add(project)
        session.flush()
        return project.id


def run_to_end(runner: Runner, project_id: int, *, most_resolved: int = 100) -> list[str]:
    """Makes the film, settling each case whose answer was lost by having it sent again; the cases' ids.

    A run that pauses for a reason of the storm's own (a key refused) is resumed.
    """
    resolved: list[str] = []
    alone = 0
    runner.start(project_id)
    while True:
        state = _until_it_stops(runner, project_id)
        status = runner.status(project_id)
        if state == "paused" and status["state"] == "running":
            continue  # what was lost has been found again, and the run goes on by itself
        if state != "paused" or len(resolved) > most_resolved:
            assert state == "done", (state, status["code"], status["problems"], status["logs"][-5:])
            return resolved
        assert status["code"] == "submit_ambiguous", (status["code"], status["problems"])
        rows = runner.generator.unresolved(project_id)
        alone += not rows
        assert alone < 100, "it waits for the user, who has nothing to settle"
        time.sleep(0 if rows else 0.1)
        for row in rows:
            resolved.append(row.id)
            runner.loose.resolve(row.id, "resend")


def _until_it_stops(runner: Runner, project_id: int) -> str:
    """The run's state then. A busy machine makes it slow; a run whose log stands still is stuck."""
    seen, since = -1, time.monotonic()
    while (state := runner.wait(project_id, 2.0)) == "running":
        newest = max((line["seq"] for line in runner.status(project_id)["logs"]), default=0)
        if newest != seen:
            seen, since = newest, time.monotonic()
        assert time.monotonic() - since < STUCK_S, runner.status(project_id)
    return state
