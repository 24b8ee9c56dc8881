"""The checkers over the wire: what each says of a picture, and that an error is never taken for an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pipeline.providers.failures import ProviderFailure
from pipeline.providers.moderators import MODERATORS, ModerationAdapter, load_moderator
from tests.providers.kit import settings_for
from tests.simulator import Simulator

# checker → (the simulator's provider, operation)
WIRES = {
    "rekognition": ("aws", "moderate"),
    "openai": ("openai", "moderate"),
    "vision": ("openrouter", "chat"),
    "fal": ("fal", "run"),
}
CALM = {"nudity": 0.0, "suggestive": 0.1, "offensive": 0.0, "illegal": 0.0, "people": True, "minor": 0.1}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        running.respond("chat", lambda request: CALM)
        yield running
    assert running.errors == []


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Path, ...]:
    paths = tuple(tmp_path / f"{name}.jpg" for name in ("one", "two"))
    for number, path in enumerate(paths):
        Image.new("RGB", (640, 360), (40 * number, 120, 160)).save(path)
    return paths


def no_pool(function: Callable[..., Any], *args: Any, timeout_s: float) -> Any:
    return function(*args)


@contextmanager
def moderator(name: str, simulator: Simulator, **more: Any) -> Iterator[ModerationAdapter]:
    adapter = load_moderator(name, settings_for(simulator, vision_model="openai/gpt-5-mini", **more), no_pool)
    try:
        yield adapter
    finally:
        adapter.close()


def flag(simulator: Simulator, name: str) -> None:
    answers: dict[str, tuple[str, str, Any]] = {
        "rekognition": (
            "aws",
            "DetectModerationLabels",
            {"ModerationLabels": [{"Name": "Exposed Buttocks or Anus", "ParentName": "Explicit Nudity",
                                   "TaxonomyLevel": 3, "Confidence": 97.5}]},
        ),
        "openai": ("openai", "moderate", {"sexual": 0.975}),
        "vision": ("openrouter", "chat", {**CALM, "nudity": 0.975}),
        "fal": ("fal", "moderate", [False, True]),
    }  # fmt: skip
    provider, operation, said = answers[name]
    simulator.respond(operation, lambda request: said, provider=provider)


@pytest.mark.parametrize("name", WIRES)
def test_a_picture_passes(name: str, simulator: Simulator, pictures: tuple[Path, ...]) -> None:
    with moderator(name, simulator) as checker:
        answer = checker.check("visual", pictures)
    assert answer.known
    assert answer.scores["nudity"] < 0.01
    assert len(simulator.requests(operation=WIRES[name][1])) == (2 if name in ("rekognition", "openai") else 1)


@pytest.mark.parametrize("name", WIRES)
def test_the_worst_picture_counts(name: str, simulator: Simulator, pictures: tuple[Path, ...]) -> None:
    flag(simulator, name)
    with moderator(name, simulator) as checker:
        assert checker.check("visual", pictures).scores["nudity"] >= 0.97


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize(
    "fault", ["unauthorised", "rate_limit", "server_error", "html", "reset_after", "cut_body",
              "malformed_json", "half_json", "wrong_types"]
)  # fmt: skip
def test_trouble_is_an_error_and_no_verdict(
    name: str, fault: str, simulator: Simulator, pictures: tuple[Path, ...]
) -> None:
    provider, operation = WIRES[name]
    simulator.script(fault, provider=provider, operation=operation)
    with moderator(name, simulator) as checker, pytest.raises(ProviderFailure) as caught:
        checker.check("visual", pictures)
    for secret in ("simulated-secret", "sk-simulated", "sk-or-simulated", "simulated:key"):
        assert secret not in caught.value.sentence + caught.value.raw


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_nobody_waits_for_ever(name: str, fault: str, simulator: Simulator, pictures: tuple[Path, ...]) -> None:
    provider, operation = WIRES[name]
    simulator.script(fault, provider=provider, operation=operation)
    with moderator(name, simulator, provider_timeout_s=0.5) as checker, pytest.raises(ProviderFailure):
        checker.check("visual", pictures)


def test_ages_are_ranges_and_the_youngest_face_counts(simulator: Simulator, pictures: tuple[Path, ...]) -> None:
    faces = [{"AgeRange": {"Low": 30, "High": 40}}, {"AgeRange": {"Low": 14, "High": 21}}]
    simulator.respond("DetectFaces", lambda picture: {"FaceDetails": faces}, provider="aws")
    with moderator("rekognition", simulator) as checker:
        assert checker.check("age", pictures).scores == {"minor": 0.5}


@pytest.mark.parametrize("name", ["rekognition", "vision"])
def test_no_face_is_no_verdict_on_ages(name: str, simulator: Simulator, pictures: tuple[Path, ...]) -> None:
    simulator.respond("chat", lambda request: {**CALM, "people": False})
    with moderator(name, simulator) as checker:
        answer = checker.check("age", pictures)
    assert (answer.known, dict(answer.scores)) == (False, {})


def test_a_known_face_is_named_by_how_sure_it_is(simulator: Simulator, pictures: tuple[Path, ...]) -> None:
    known = {"CelebrityFaces": [{"Name": "Somebody", "Id": "1", "MatchConfidence": 99.0}], "UnrecognizedFaces": []}
    simulator.respond("RecognizeCelebrities", lambda picture: known, provider="aws")
    with moderator("rekognition", simulator) as checker:
        assert checker.check("celebrity", pictures).scores == {"celebrity": 0.99}


def test_a_model_that_sees_gets_the_pictures(simulator: Simulator, pictures: tuple[Path, ...]) -> None:
    seen = []
    simulator.respond("chat", lambda request: seen.append(request) or CALM)
    with moderator("vision", simulator) as checker:
        assert checker.check("visual", pictures).cost_micros > 0
    assert seen[0].images == tuple(picture.read_bytes() for picture in pictures)


@pytest.mark.parametrize(
    ("name", "taken", "told"),
    [
        ("rekognition", "aws_access_key_id", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("openai", "openai_api_key", "OPENAI_API_KEY"),
        ("vision", "openrouter_api_key", "OPENROUTER_API_KEY"),
        ("fal", "fal_key", "FAL_KEY"),
    ],
)
def test_what_is_missing_is_named(name: str, taken: str, told: str, simulator: Simulator) -> None:
    with moderator(name, simulator, **{taken: ""}) as checker:
        assert checker.missing() == told


def test_every_checker_is_in_this_file() -> None:
    assert set(MODERATORS) == {*WIRES, "bundled"}
