"""One unit made by itself, beside any run: "make this shot's clip again", "take up what a provider still has".

Hides that it is a run of one: the same driver, lanes, ledger and generation core.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from pipeline.runner.driver import Driver, Ending
from pipeline.stage import Stage, StageContext, Unit


def only(stage: Stage, unit: Unit) -> Stage:
    """The stage as if it had this unit alone."""
    return cast(Stage, _OneUnit(stage, unit))


class _OneUnit:
    """A stage with only one of its units, which waits for nothing."""

    after: tuple[str, ...] = ()
    blocking = False

    def __init__(self, stage: Stage, unit: Unit) -> None:
        self._stage = stage
        self._unit = replace(unit, needs=())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        return [self._unit]

    def verify(self, ctx: StageContext) -> None:
        return None


@dataclass
class Single:
    """A unit in the making. `ending` and the driver's `problems` are whole once `done` is set."""

    driver: Driver
    done: threading.Event
    ending: Ending | None = None

    @property
    def failure(self) -> dict[str, Any] | None:
        """What went wrong, as {"code", "text", ...}."""
        return next(iter(self.driver.problems), None)

    def start(self, name: str, finally_: Callable[[], None]) -> Single:
        def work() -> None:
            try:
                self.ending = self.driver.run()
            finally:
                finally_()
                self.done.set()

        threading.Thread(target=work, name=name, daemon=True).start()
        return self


def unit_of(ctx: StageContext, stage: Stage, key: str) -> Unit | None:
    return next((unit for unit in stage.units(ctx) if unit.key == key), None)
