"""The rules of the two ratings, row by row."""

from __future__ import annotations

import pytest

from pipeline.generation.moderation import policy
from pipeline.generation.moderation.policy import Decision, Said
from tests.generation.moderation_table import ADULT, AGE, CALM, CELEBRITY, CHILD, PAGE, VISUAL, answered, page


def decided(rating: str, visual: Said, age: Said, celebrity: Said | None = None) -> Decision:
    said = {"visual": visual, "age": age} | ({"celebrity": celebrity} if celebrity else {})
    return policy.decide("output", rating, said)  # type: ignore[arg-type]


def test_the_page_says_what_the_rules_do() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.generation.moderation_table"


@pytest.mark.parametrize("age", AGE.values(), ids=AGE)
def test_general_calm(age: Said) -> None:
    expected = Decision("hold", check="age") if age.state == "error" else Decision("pass")
    assert decided("general", VISUAL["calm"], age) == expected


@pytest.mark.parametrize(
    ("visual", "age", "reason"),
    [
        ("nudity", "adults", "nudity"),
        ("nudity", "a child", "underage"),
        ("suggestive", "a child", "underage"),
        ("suggestive", "adults", None),
        ("suggestive", "unsure (no face)", None),
        ("suggestive", "not set up", None),
        ("nudity", "every checker down", "nudity"),
        ("cruelty", "a child", "offensive"),
    ],
)
def test_general_refusals(visual: str, age: str, reason: str | None) -> None:
    expected = Decision("refuse", reason) if reason else Decision("pass")  # type: ignore[arg-type]
    assert decided("general", VISUAL[visual], AGE[age]) == expected


@pytest.mark.parametrize(
    ("visual", "age", "expected"),
    [
        ("calm", "a child", Decision("refuse", "underage")),
        ("nudity", "adults", Decision("pass")),
        ("suggestive", "adults", Decision("pass")),
        ("nudity", "unsure (no face)", Decision("refuse", "moderation")),
        ("calm", "unsure (no face)", Decision("pass")),
        ("calm", "every checker down", Decision("hold", check="age")),
        ("calm", "not set up", Decision("hold", check="age")),
        ("every checker down", "adults", Decision("hold", check="visual")),
        ("every checker down", "a child", Decision("refuse", "underage")),
        ("cruelty", "adults", Decision("refuse", "offensive")),
    ],
)
def test_mature(visual: str, age: str, expected: Decision) -> None:
    assert decided("mature", VISUAL[visual], AGE[age], CELEBRITY["nobody known"]) == expected


@pytest.mark.parametrize(
    ("celebrity", "expected"),
    [
        ("somebody known", Decision("refuse", "celebrity")),
        ("every checker down", Decision("hold", check="celebrity")),
        ("not set up", Decision("hold", check="celebrity")),
    ],
)
def test_known_faces_at_mature(celebrity: str, expected: Decision) -> None:
    assert decided("mature", VISUAL["calm"], AGE["adults"], CELEBRITY[celebrity]) == expected


@pytest.mark.parametrize(("score", "act"), [(0.49, "pass"), (0.5, "refuse")])
def test_thresholds_are_reached_not_passed(score: float, act: str) -> None:
    assert decided("general", answered("visual", CALM | {"nudity": score}), AGE["adults"]).act == act


@pytest.mark.parametrize(("minor", "act"), [(0.49, "pass"), (0.5, "refuse")])
def test_a_likely_minor_is_one_more_likely_than_not(minor: float, act: str) -> None:
    assert decided("mature", VISUAL["calm"], answered("age", {"minor": minor}), CELEBRITY["nobody known"]).act == act


def test_checkers_have_scales_of_their_own() -> None:
    """The bundled check is rough: it takes more for it to refuse, and with a child in the picture too."""
    rough = Said("visual", "answered", "bundled", {"nudity": 0.7})
    assert decided("general", rough, answered("age", ADULT)).act == "pass"
    assert decided("general", rough, answered("age", CHILD)).act == "pass"
    worse = Said("visual", "answered", "bundled", {"nudity": 0.9})
    assert decided("general", worse, answered("age", CHILD)) == Decision("refuse", "underage")
    words = Said("visual", "answered", "openai", {"nudity": 0.25, "suggestive": 0.25})
    assert decided("general", words, answered("age", CHILD)) == Decision("refuse", "underage")


def test_inputs_get_the_visual_check_alone() -> None:
    assert policy.wanted("input", "mature") == ("visual",)
    assert policy.decide("input", "general", {"visual": VISUAL["nudity"]}) == Decision("refuse", "nudity")
    assert policy.decide("input", "general", {"visual": VISUAL["every checker down"]}).act == "hold"
