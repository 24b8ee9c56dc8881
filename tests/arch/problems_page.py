"""docs/problems.md, written from the list of problems: `python -m tests.arch.problems_page` after a change of it."""

from __future__ import annotations

from pipeline.cli import exits
from pipeline.problems import PROBLEMS
from server.http import STATUS
from tests.arch.sources import ROOT

PAGE = ROOT / "docs" / "problems.md"
HEAD = """# Problems, and what to do about them

Every failure has a stable code. The API answers with `application/problem+json` (`status`, `code`, `title`, `detail`,
`hint`, `field`); a run's status lists `problems` (`code`, `text`, `stage`, `unit`, `hint`, `about`); the log has the
same words. `text` is whole: it ends with the hint. `about` names the input: the unit and its label, the shot or segment
by its number, the entity, the field. What stands below is said where nothing more fitting is known.

The status is that of a request which meets the problem; most of those of a film are met by its run, and end no request.

| code | status | it means that | what to do |
|---|---|---|---|
"""


def page() -> str:
    rows = [
        f"| `{code}` | {STATUS[code]} | {problem.means} | {problem.hint} |"
        for code, problem in sorted(PROBLEMS.items())
    ]
    _, _, ends = (exits.__doc__ or "").partition("\n\n")
    return HEAD + "\n".join(rows) + f"\n\n## How commands end\n\nExit codes: {ends.strip()}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
