"""Where time passes between two scenes: told by the hour or by the words, and not by a mere change of place."""

from __future__ import annotations

import pytest

from pipeline.contracts import TimeOfDay
from pipeline.writer.passing import time_passes


@pytest.mark.parametrize(
    ("before", "after", "opening"),
    [
        ("day", "night", "The kitchen was dark."),
        ("night", "dawn", "A cock crowed."),
        ("day", "day", "The next morning the sea was calm."),
        ("day", "day", "Three days later the ship came in."),
        ("night", "night", "But the following night nobody slept."),
    ],
)
def test_time_passes(before: TimeOfDay, after: TimeOfDay, opening: str) -> None:
    assert time_passes(before, after, opening)


@pytest.mark.parametrize(
    ("before", "after", "opening"),
    [
        ("day", "day", "In the market a goat was shouting."),
        ("day", "day", "Nell ran to the harbour."),
        ("day", "night", "Meanwhile the captain looked at the stars."),
        ("day", "day", "昔々、港に船がありました。"),
        ("day", "day", ""),
    ],
)
def test_time_does_not_pass(before: TimeOfDay, after: TimeOfDay, opening: str) -> None:
    assert not time_passes(before, after, opening)
