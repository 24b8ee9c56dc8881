"""The table in docs/moderation.md, written from the rules: `python -m tests.generation.moderation_table`."""

from __future__ import annotations

from pipeline.generation.moderation import policy
from pipeline.generation.moderation.policy import Said
from pipeline.providers.moderators import Check
from pipeline.store.clearance import Checkpoint, Rating
from tests.arch.sources import ROOT

PAGE = ROOT / "docs" / "moderation.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
CALM = {"nudity": 0.0, "suggestive": 0.0, "offensive": 0.0, "illegal": 0.0}
ADULT, CHILD = {"minor": 0.05}, {"minor": 0.95}


def answered(check: Check, scores: dict[str, float]) -> Said:
    return Said(check, "answered", "rekognition", scores)


def quiet(check: Check, state: policy.State) -> Said:
    return Said(check, state)


VISUAL: dict[str, Said] = {
    "calm": answered("visual", CALM),
    "suggestive": answered("visual", CALM | {"suggestive": 0.9}),
    "nudity": answered("visual", CALM | {"nudity": 0.9}),
    "cruelty": answered("visual", CALM | {"offensive": 0.95}),
    "every checker down": quiet("visual", "error"),
}
AGE: dict[str, Said] = {
    "adults": answered("age", ADULT),
    "a child": answered("age", CHILD),
    "unsure (no face)": quiet("age", "unknown"),
    "every checker down": quiet("age", "error"),
    "not set up": quiet("age", "missing"),
}
CELEBRITY: dict[str, Said] = {
    "nobody known": answered("celebrity", {"celebrity": 0.0}),
    "somebody known": answered("celebrity", {"celebrity": 0.99}),
    "every checker down": quiet("celebrity", "error"),
    "not set up": quiet("celebrity", "missing"),
}
NOT_MADE = "not made"
Row = tuple[Checkpoint, Rating, str, str, str]


def rows() -> list[Row]:
    found: list[Row] = [("input", rating, visual, NOT_MADE, NOT_MADE) for rating in _RATINGS for visual in VISUAL]
    found += [("output", "general", visual, age, NOT_MADE) for visual in VISUAL for age in AGE]
    found += [("output", "mature", visual, age, "nobody known") for visual in VISUAL for age in AGE]
    found += [("output", "mature", "calm", "adults", known) for known in CELEBRITY if known != "nobody known"]
    return found


_RATINGS: tuple[Rating, ...] = ("general", "mature")


def outcome(row: Row) -> str:
    checkpoint, rating, visual, age, celebrity = row
    said: dict[Check, Said] = {"visual": VISUAL[visual]}
    if age != NOT_MADE:
        said["age"] = AGE[age]
    if celebrity != NOT_MADE:
        said["celebrity"] = CELEBRITY[celebrity]
    decision = policy.decide(checkpoint, rating, said)
    if decision.act == "refuse":
        return f"refused: {decision.reason}"
    return {"pass": "passes", "hold": "not decided: hidden" if checkpoint == "output" else "not decided: not begun"}[
        decision.act
    ]


def table() -> str:
    head = "| checkpoint | rating | visual | age | celebrity | what follows |\n|---|---|---|---|---|---|\n"
    return head + "".join(f"| {' | '.join((*row, outcome(row)))} |\n" for row in rows())


def page() -> str:
    """The page with its table as the rules are now."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + table() + END + after


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
