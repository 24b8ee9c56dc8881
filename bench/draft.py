"""A draft beside the full film of the 600-word example: how much sooner it is there, and that it is the same film.

Run by hand (`python -m bench.draft [STORY.txt]`) or by `make bench`. The baseline is the full film, made in the same
run; processor time is measured too, since it tells the same on a machine that is busy with other things.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench._process import PYTHON, Measured, measure, row
from bench.whole_film import STORY

# What has to be the same in both: the cuts, what is seen in each shot, who speaks, and the words.
_SAME = ("start_ms", "end_ms", "first_frame", "framing", "angle", "move", "subjects", "speaker", "fade_ms")


def film(folder: Path, story: Path, quality: str) -> tuple[Measured, dict[str, Any]]:
    """What making it took, and its report."""
    report = folder / f"{quality}.json"
    command = [PYTHON, "-m", "pipeline", "film", str(story), "-o", str(folder / f"{quality}.mp4")]
    command += ["--report", str(report), "--quality", quality]
    measured = measure(command, env={"DATA_DIR": str(folder / quality)})
    return measured, json.loads(report.read_text())


def shots(report: dict[str, Any]) -> list[list[Any]]:
    return [[shot[name] for name in _SAME] for shot in report["shots"]]


def main(story: Path) -> int:
    with tempfile.TemporaryDirectory() as name:
        full, whole = film(Path(name), story, "full")
        draft, small = film(Path(name), story, "draft")
    length = whole["duration_ms"] / 1000
    for quality, made, report in (("full", full, whole), ("draft", draft, small)):
        size = f"{report['width']}x{report['height']}"
        print(
            f"{quality:<6} {size:<10} {made.wall_s:7.1f} s, {made.cpu_s:7.1f} s of processor for {length:.1f} s of film"
        )
        print("       seconds of work by stage:", json.dumps(report["stages"]))
    same = shots(whole) == shots(small) and whole["segments"] == small["segments"]
    times, work = full.wall_s / draft.wall_s, full.cpu_s / draft.cpu_s
    held = [
        row("cuts, framings, people and words of the draft", "the same" if same else "other", "the same", holds=same),
        row("how many times as fast the draft is made", f"{times:.2f}x", ">= 2x", holds=times >= 2),
        row("processor time of the full film beside the draft's", f"{work:.2f}x", ">= 2x", holds=work >= 2),
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else STORY))
