"""Where time passes between two scenes, as far as a story's words and hours tell it. Pure."""

from __future__ import annotations

import re

from pipeline.contracts import TimeOfDay
from pipeline.writer.rules.places import transition

_AT_ONCE = re.compile(r"\W*(?:but |and |then |so )?(?:meanwhile|at once|suddenly|at that moment|just then)\b", re.I)


def time_passes(before: TimeOfDay, after: TimeOfDay, opening: str) -> bool:
    """Whether time passes between a scene at one hour and the next at another, which begins with these words."""
    if _AT_ONCE.match(opening):
        return False
    return before != after or transition(opening) is not None
