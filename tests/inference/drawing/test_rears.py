"""From behind a character keeps its palette: hair, ears, clothes, fur, feathers, beak and scarf are as in front."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.contracts import Look
from pipeline.inference.drawing import draw_frame
from pipeline.inference.drawing.animals import beak_colour
from pipeline.inference.drawing.design import design_of
from pipeline.inference.drawing.palette import darker
from tests.inference.drawing.kit import FOX, OWL, ROSE, TOM, frame, place, read, share_near

CROW = Look(kind="character", name="Crow", appearance="a black crow with a blue scarf")
MABEL = Look(
    kind="character", name="Mabel", age_group="elder", gender="female",
    appearance="an old woman with grey hair in a bun and a red dress",
)  # fmt: skip
BRANDT = Look(
    kind="character", name="Brandt", age_group="adult", gender="male",
    appearance="a bald man with pale skin, a brown beard and a blue coat",
)  # fmt: skip


def _more_of(colour: str, back: Look, tmp_path: Path) -> float:
    """How much more of a colour there is with `back` in the foreground than without."""
    front = TOM if back is not TOM else ROSE
    where = place("snowfield")
    out = tmp_path / "frame.png"
    draw_frame(frame("over_shoulder", front, at=where), {}, 640, 360, 1, out)
    alone = share_near(read(out), colour, 34)
    draw_frame(frame("over_shoulder", front, back, at=where), {}, 640, 360, 1, out)
    return share_near(read(out), colour, 34) - alone


@pytest.mark.parametrize(
    ("look", "part"),
    [(ROSE, "hair"), (MABEL, "hair"), (BRANDT, "skin"), (BRANDT, "top"), (FOX, "coat"), (CROW, "coat"),
     (CROW, "scarf"), (OWL, "coat"), (TOM, "top")],
    ids=lambda value: value if isinstance(value, str) else value.name,
)  # fmt: skip
def test_a_back_has_the_colours_of_the_front(tmp_path: Path, look: Look, part: str) -> None:
    least = {"scarf": 0.0015, "top": 0.003}.get(part, 0.01)
    assert _more_of(darker(getattr(design_of(look), part), 0.10), look, tmp_path) > least


def test_a_crow_has_one_beak(tmp_path: Path) -> None:
    beak = beak_colour(design_of(CROW))
    assert beak == "#5d5a66"
    assert _more_of(darker(beak, 0.10), CROW, tmp_path) > 0.002
    assert _more_of("#a87a34", CROW, tmp_path) < 0.002


@pytest.mark.parametrize(
    "kind",
    ["fox", "crow", "owl", "cat", "rabbit", "tortoise", "horse", "frog", "elephant", "heron", "swan", "hedgehog"],
)
def test_every_kind_has_a_back(tmp_path: Path, kind: str) -> None:
    back = Look(kind="character", name="Somebody", appearance=f"a {kind}")
    coat = design_of(back).coat
    assert _more_of(darker(coat, 0.10), back, tmp_path) > 0.002
