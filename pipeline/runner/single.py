"""One unit made by itself, beside any run: "make this shot's clip again", "take up what a provider still has".

Hides that it is a run of one: the same driver, lanes, ledger and generation core.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from pipeline.errors import Cancelled
from pipeline.runner.driver import Driver, Ending
from pipeline.runner.problems import Entry, general
from pipeline.stage import Outcome, Stage, StageContext, Unit

Begin = Callable[[], bool]
_STOP_WITHIN_S = 10.0


def only(stage: Stage, unit: Unit, begin: Begin | None = None) -> Stage:
    """The stage as if it had this unit alone. `begin` is asked when its turn has come; False: it is to be stopped."""
    return cast(Stage, _OneUnit(stage, unit, begin))


class _OneUnit:
    """A stage with only one of its units, which waits for nothing."""

    after: tuple[str, ...] = ()
    blocking = False

    def __init__(self, stage: Stage, unit: Unit, begin: Begin | None) -> None:
        self._stage = stage
        self._begin = begin
        self._unit = replace(unit, needs=())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        return [self._unit]

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        if self._begin is not None and not self._begin():
            ctx.pausing.wait(_STOP_WITHIN_S)  # whoever wants it no more is about to stop the driver
            raise Cancelled("It is not wanted any more.")
        return self._stage.run(ctx, unit)

    def verify(self, ctx: StageContext) -> None:
        return None


@dataclass
class Single:
    """A unit in the making. `ending`, `failure` and `notes` are whole once `done` is set."""

    driver: Driver
    done: threading.Event
    ending: Ending | None = None

    @property
    def failure(self) -> Entry | None:
        """What went wrong, as {"code", "text", ...}."""
        if self._is_made:
            return None
        if self.driver.problems:
            return self.driver.problems[-1]
        code, text = (self.ending.code, self.ending.detail) if self.ending is not None else (None, "")
        return general(code or "internal", text or "It ended unexpectedly.")

    @property
    def notes(self) -> list[Entry]:
        """Things to know of what was made."""
        return list(self.driver.problems) if self._is_made else []

    @property
    def _is_made(self) -> bool:
        failed = any(node.state == "failed" for node in self.driver.graph.nodes.values())
        return self.ending is not None and self.ending.state == "done" and not failed

    def start(self, name: str, finally_: Callable[[], None]) -> Single:
        def work() -> None:
            try:
                self.ending = self.driver.run()
            finally:
                finally_()
                self.done.set()

        threading.Thread(target=work, name=name, daemon=True).start()
        return self
