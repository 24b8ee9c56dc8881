"""What a run tells of its problems: in whole sentences, with what to do, and which input each is about."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InvalidInput
from pipeline.problems import PROBLEMS
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.stage import Note, Outcome, StageContext, StageFailed, Unit, about_shot
from pipeline.store import open_store
from pipeline.store.models import Project
from tests.runner.plain_stages import PlainStage

SHOT = Unit("videos/17", "the clip of shot 3", subject=17, about=about_shot(2, 17))


class Noting(PlainStage):
    """Its units succeed, and note something about another shot."""

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        super().run(ctx, unit)
        return Outcome("Done.", problems=(Note("missing_clip", "shot 9 has no clip.", about_shot(8)),))


@pytest.fixture
def problems_of(tmp_path: Path) -> Iterator[Any]:
    """Runs a film of these stages twice; the problems are the same when the second run takes over what is kept."""
    with open_store(tmp_path / "data") as store:
        with store.db.write() as session:
            session.add(Project(id=1, title="Three words", story="Once upon a time."))

        def made(*stages: PlainStage) -> list[dict[str, Any]]:
            runner = Runner(store, load_settings(engine_workers=2), stages=stages)
            found = []
            for _ in range(2):
                runner.start(1)
                runner.wait(1, 20)
                found.append(runner.status(1)["problems"])
            runner.close()
            assert found[0] == found[1]
            return found[0]

        yield made


def test_a_failure_names_its_shot_and_field(problems_of):
    def work(unit: Unit) -> None:
        raise InvalidInput("The clip is too long.", hint="Split the shot.", field="duration_ms")

    [problem] = problems_of(PlainStage("videos", [SHOT], work=work))
    assert problem == {
        "code": "invalid_input",
        "text": "the clip of shot 3: The clip is too long. Split the shot.",
        "stage": "videos",
        "unit": "videos/17",
        "hint": "Split the shot.",
        "about": {"label": "the clip of shot 3", "shot": 3, "shot_id": 17, "field": "duration_ms"},
    }


def test_a_failure_without_advice_gets_the_usual_one(problems_of):
    def work(unit: Unit) -> None:
        raise InvalidInput("That will not do.")

    [problem] = problems_of(PlainStage("videos", [SHOT], work=work))
    assert problem["hint"] == PROBLEMS["invalid_input"].hint
    assert problem["text"] == f"the clip of shot 3: That will not do. {problem['hint']}"


def test_a_note_may_be_about_another_input_than_its_units(problems_of):
    [problem] = problems_of(Noting("export", [Unit("export/film", "the film")]))
    assert problem["about"] == {"label": "the film", "shot": 9}
    assert problem["hint"] == PROBLEMS["missing_clip"].hint and problem["text"].endswith(problem["hint"])


def test_a_stage_that_ends_the_film_says_what_to_do(problems_of):
    script = PlainStage("script", [Unit("script/1", "one")])
    script.incomplete = StageFailed("The story has no scenes.", field="script")
    [problem] = problems_of(script, PlainStage("scenes", [], after=("script",)))
    assert problem["text"] == f"The story has no scenes. {PROBLEMS['stage_failed'].hint}"
    assert (problem["stage"], problem["unit"], problem["about"]) == ("script", "", {})
