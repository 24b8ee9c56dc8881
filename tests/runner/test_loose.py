"""The collector of work that providers still have: it may not go just as there is something for it."""

from __future__ import annotations

import threading
from typing import Any, cast

from pipeline.runner.loose import LooseWork, Scope


class Left:
    """Work left behind, which turns up while the collector's look at the store finds nothing yet."""

    def __init__(self) -> None:
        self.rows = ["the first"]
        self.looks = 0
        self.taken: list[str] = []
        self.all_taken = threading.Event()
        self.loose: LooseWork | None = None

    def left_behind(self) -> list[str]:
        self.looks += 1
        found = list(self.rows)
        if not found and len(self.taken) == 1:
            self.rows.append("the second")
            assert self.loose is not None
            self.loose.watch()  # whoever left it sees a collector at work, and relies on it
        return found

    def attend(self, row: str) -> bool:
        self.rows.remove(row)
        self.taken.append(row)
        if len(self.taken) == 2:
            self.all_taken.set()
        return True


def test_what_is_left_behind_while_the_collector_ends_is_taken_up() -> None:
    left = Left()
    other: Any = None
    scope = Scope(
        store=other, generator=cast(Any, left), stages=(), lanes={}, context=other, driver=other, resume=other,
        attend=cast(Any, left.attend),
    )  # fmt: skip
    left.loose = LooseWork(scope, look_every_s=0.01)
    left.loose.watch()
    assert left.all_taken.wait(10), "the second was overlooked"
    left.loose.close(1)
