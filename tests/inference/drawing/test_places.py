"""Every family of places in every hour and weather, and which words lead to which."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts import ReferenceBrief
from pipeline.inference.drawing import draw_reference
from pipeline.inference.drawing.places import INDOOR, OUTDOOR, family_of
from tests.inference.drawing.kit import brightness, place, read

WORDS = {family: words[0] for family, (_, words) in {**INDOOR, **OUTDOOR}.items()}
BY_ITS_OWN_LIGHT = {"spaceship", "space"}


def _brightness(look: object, out: Path) -> float:
    draw_reference(ReferenceBrief.model_validate({"subject": look}), 192, 108, 1, out)
    return brightness(read(out))


@pytest.mark.parametrize("family", sorted(WORDS))
def test_every_place_at_every_hour_and_night_is_darker(tmp_path: Path, family: str) -> None:
    assert family_of(WORDS[family], "") == family
    out = tmp_path / "place.png"
    light = {time: _brightness(place(WORDS[family], time), out) for time in ("dawn", "morning", "day", "dusk", "night")}
    assert all(value > 12 for value in light.values())
    if family not in BY_ITS_OWN_LIGHT:
        assert light["night"] < 0.8 * light["day"]
        assert light["night"] < light["dusk"] < light["day"] + 1


@pytest.mark.parametrize("weather", ["clear", "cloudy", "rain", "storm", "snow", "fog", "wind"])
@pytest.mark.parametrize("name", ["forest", "city street", "cottage"])
def test_every_weather(tmp_path: Path, name: str, weather: str) -> None:
    out = tmp_path / "place.png"
    clear = _brightness(place(name), out)
    here = _brightness(place(name, weather=weather), out)
    assert here > 30
    if weather == "storm" and name != "cottage":
        assert here < clear


@pytest.mark.parametrize(
    ("name", "description", "family"),
    [
        ("Kitchen of the castle", "", "kitchen"),
        ("Castle kitchen", "", "kitchen"),
        ("The harbour", "boats at the quay", "harbour"),
        ("Grandmother's house", "a cottage room", "room"),
        ("The old lighthouse", "a tower above the rocks", "lighthouse"),
        ("Lamp room", "", "lantern_room"),
        ("Edge of the forest", "", "forest"),
        ("Train station", "", "platform"),
        ("Somewhere", "a long sandy beach below cliffs", "beach"),
        ("Outside the cottage", "", "village"),
        ("小屋", "", "room"),
        ("", "", "field"),
    ],
)
def test_which_place_the_words_mean(name: str, description: str, family: str) -> None:
    assert family_of(name, description) == family
