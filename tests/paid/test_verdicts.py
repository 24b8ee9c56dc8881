"""Nothing is published without its verdict: a walk over database and disk after films, with providers and without."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pipeline.runner import Runner
from pipeline.store import open_store
from tests.paid.kit import QUICK, new_project, run_to_end, settings_at
from tests.simulator import Simulator

CHILDREN = """The Kite

Anna, a girl of six, and her little brother Ben ran to the beach. A brown dog swam in the sea.

"Look, a baby seal!" cried Anna.

The seal slept in the warm sand. The children sat beside it in their swimsuits until the sun went down.
"""


def walk(folder: Path) -> list[tuple[str, set[str]]]:
    """Every file that has an address: (its name, the checks in its verdict rows). Fails where the two do not agree."""
    found = []
    with sqlite3.connect(folder / "video-story.db") as db:
        known = {f"{sha256}.{ext}": sha256 for sha256, ext in db.execute("SELECT sha256, ext FROM media_files")}
        on_disk = {path.name for path in (folder / "media").rglob("*") if path.is_file()}
        assert on_disk == set(known)
        for name, sha256 in sorted(known.items()):
            rows = db.execute("SELECT check_name, outcome FROM verdicts WHERE sha256 = ?", (sha256,)).fetchall()
            assert rows, f"{name} has no verdict"
            assert all(outcome in ("passed", "unknown") for _, outcome in rows), (name, rows)
            found.append((name, {check for check, _ in rows}))
        providers = db.execute("SELECT sha256, mime FROM media_files WHERE origin = 'provider'").fetchall()
        for sha256, mime in providers:
            if mime.startswith(("image/", "video/")):
                passed = (
                    "SELECT count(*) FROM verdicts WHERE sha256 = ? AND check_name = 'visual' AND outcome = 'passed'"
                )
                assert db.execute(passed, (sha256,)).fetchone()[0] >= 1, sha256
    return found


def test_a_film_through_a_storm_has_a_verdict_for_each_file(simulator: Simulator, tmp_path: Path) -> None:
    """Children, animals, swimsuits: they pass at the general rating with the bundled check alone."""
    folder = tmp_path / "data"
    simulator.storm(0.05, seed=7, kinds=("rate_limit", "server_error", "reset_before", "truncated_output"))
    with open_store(folder) as store:
        project_id = new_project(store, story=CHILDREN, render_text="preview")
        runner = Runner(store, settings_at(simulator.env(), folder), timing=QUICK)
        try:
            run_to_end(runner, project_id)
            problems = {problem["code"] for problem in runner.status(project_id)["problems"]}
        finally:
            runner.close()
    assert problems.isdisjoint({"moderation_refused", "moderation_unavailable"})
    looked_at = [name for name, checks in walk(folder) if "visual" in checks]
    assert {name.rpartition(".")[2] for name in looked_at} >= {"mp4"}
    assert len(looked_at) >= 4
    assert not (folder / "held").exists()


def test_a_film_by_the_built_in_engines_is_recorded_as_such(preview: Path) -> None:
    checks = [one for _, said in walk(preview) for one in said]
    assert checks and set(checks) == {"none"}
    with sqlite3.connect(preview / "video-story.db") as db:
        assert db.execute("SELECT DISTINCT provider FROM verdicts ORDER BY 1").fetchall() == [
            ("assembled",),
            ("embedded",),
        ]
