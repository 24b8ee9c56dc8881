"""Every route asked with what its own description allows, and with what it does not: no failure of ours, every answer
as described, no status that is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.stage import Unit
from pipeline.store import open_store
from pipeline.store.models import Character, GuideImage, Project, Prop, Scene, ScriptSegment, Set, Shot
from server.answers import Answers
from server.api import ROOMS
from server.app import create_app
from server.openapi import description
from server.wiring import Services
from tests.runner.plain_stages import PlainStage

CHECKS: list[Any] = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 4


def _operations() -> list[tuple[str, str]]:
    app = Flask("routes")
    for room in ROOMS:
        app.register_blueprint(room)
    paths = description(app, title="", version="")["paths"]
    return [(method.upper(), path) for path, place in paths.items() for method in place]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    folder: Path = tmp_path_factory.mktemp("schema")
    read = load_settings(data_dir=folder / "data", engine_workers=1, max_story_words=200, env_files=[])
    store = open_store(read.data_dir)
    stage = PlainStage("script", [Unit("script/1", "one")])
    services = Services(read, store, Runner(store, read, stages=(stage,)), Answers(store.db))
    yield services
    services.close(5)


@pytest.fixture(scope="module")
def schema(parts: Services) -> Any:
    return schemathesis.openapi.from_wsgi("/api/openapi.json", create_app(parts))


@pytest.fixture
def known(parts: Services) -> dict[str, int]:
    """The ids of a project with one of everything, by the names that they have in addresses."""
    with parts.store.db.write() as session:
        project = Project(title="The Bell", story="Mira ran. “Ding!” said the bell.")
        session.add(project)
        session.flush()
        belongs = {"project_id": project.id}
        cast = [Character(**belongs, name="Mira"), Set(**belongs, name="Harbour"), Prop(**belongs, name="Bell")]
        session.add_all(cast)
        session.flush()
        spoken = ScriptSegment(**belongs, idx=0, segment_type="dialogue", speaker_id=cast[0].id, text="Ding!")
        scene = Scene(**belongs, idx=0, set_id=cast[1].id, first_segment_idx=0, last_segment_idx=0)
        session.add_all([spoken, scene])
        session.flush()
        shot = Shot(
            **belongs, scene_id=scene.id, idx=0, kind="dialogue", start_ms=0, end_ms=900, duration_ms=900, segments=[0]
        )
        guide = GuideImage(entity_type="characters", entity_id=cast[0].id, image_url=f"/media/{'0' * 64}.jpg")
        session.add_all([shot, guide])
        session.flush()
        parts.store.events.append(session, project_id=project.id, kind="project", text="The project was created.")
        ids = {"project_id": project.id, "shot_id": shot.id, "scene_id": scene.id, "segment_id": spoken.id}
        return ids | {"entity_id": cast[0].id, "guide_id": guide.id}


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), _operations())
def test_answers_are_as_described(
    schema: Any, known: dict[str, int], method: str, path: str, mode: GenerationMode
) -> None:
    operation = schema[path][method]
    named = {name: value for name, value in known.items() if f"{{{name}}}" in path}
    fixed = {"path_parameters": named} if named else {}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def ask(case: Case) -> None:
        response = case.call()
        case.validate_response(response, checks=CHECKS)

    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        ask()  # where nothing is asked for, nothing can be said wrongly
