"""The estimate of a film, as lines of text: a range of money and time per stage, by the model that would be asked."""

from __future__ import annotations

from pipeline.cli.exits import printable
from pipeline.runner.estimate import Estimate, StageEstimate


def lines(found: Estimate) -> list[str]:
    """A heading, the stages that have work left, and the sum."""
    left = [one for one in found.stages if one.units]
    if not left:
        return ["Nothing that costs anything is left to do."]
    width = max(len(one.stage) for one in left)
    low, high = found.seconds
    return [
        "Left to do (a guess where the number has a ~):",
        *(printable(_line(one, width)) for one in left),
        f"In all {_dollars(found.low_micros, found.high_micros)}, {_minutes(low)} to {_minutes(high)};"
        f" spent so far ${found.spent_micros / 1e6:.2f}.",
        *(printable(f"Note: {note}") for note in found.notes),
    ]


def _line(one: StageEstimate, width: int) -> str:
    number = f"{'' if one.known else '~'}{one.units}"
    if one.problem:
        return f"  {one.stage:<{width}}  {number:>5}  cannot be done: {one.problem}"
    place = f"{one.provider} {one.model}".strip() if one.provider != "local" else "built in"
    return f"  {one.stage:<{width}}  {number:>5}  {_dollars(one.low_micros, one.high_micros):<16}  {place}"


def _dollars(low: int, high: int) -> str:
    return "free" if high == 0 else f"${low / 1e6:.2f} to ${high / 1e6:.2f}"


def _minutes(seconds: int) -> str:
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
