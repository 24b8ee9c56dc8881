"""1,000 short shots beside 50: memory must not grow with the film, nor the time per shot.

Both films are made by the same program in the same run, at 320×180; a spoken line and its tag are a shot each.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from bench._process import PYTHON, measure, row

FEW, MANY = 50, 1000
LINES = (
    "Go on now",
    "Look at that",
    "Not so fast",
    "Here we are",
    "Wait for me",
    "I hear it",
    "Over there",
    "It is late",
)


def story(shots: int) -> str:
    """A dialogue of two, by a line and a tag each; somewhere else every forty lines."""
    places = ("kitchen", "forest", "harbour", "market", "garden")
    lines = []
    for number in range(shots // 2):
        if number % 40 == 0:
            place = places[number // 40 % len(places)]
            lines.append(f"Tom and Anna walked into the {place}.\n\n")
        name = ("Tom", "Anna")[number % 2]
        lines.append(f'"{LINES[number % len(LINES)]}," said {name}.\n\n')
    return "".join(lines)


def made(folder: Path, shots: int) -> tuple[int, float, float]:
    """(shots, seconds, peak memory in MB) of one film."""
    text, report = folder / f"{shots}.txt", folder / f"{shots}.json"
    text.write_text(story(shots))
    command = [PYTHON, "-m", "bench._small_film", str(text), str(folder / f"data{shots}"), str(report)]
    measured = measure(command)
    number = json.loads(report.read_text())["shots"]
    print(
        f"{number} shots: {measured.wall_s:.1f} s, {measured.peak_mb:.0f} MB (main process {measured.main_peak_mb:.0f})"
    )
    return number, measured.wall_s, measured.peak_mb


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        few, few_s, few_mb = made(Path(name), FEW)
        many, many_s, many_mb = made(Path(name), MANY)
    memory = many_mb / few_mb
    # The first film of a process pays for its start; compare what each further shot costs.
    per_shot = (many_s / many) / (few_s / few)
    held = [
        row(f"memory, {many} shots beside {few}", f"{memory:.2f}x", "<= 1.5x", holds=memory <= 1.5),
        row(f"time per shot, {many} shots beside {few}", f"{per_shot:.2f}x", "<= 1.2x", holds=per_shot <= 1.2),
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
