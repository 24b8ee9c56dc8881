"""The build graph of one run: which units exist, which may start, which have settled. Pure; no I/O, no threads.

The driver feeds it (`expand`, `settle`) and asks it (`take_ready`, `complete`). A unit may start when every key it
needs has settled, in whatever way: what to do about a missing input is the stage's decision, not the graph's.

Which of them goes first where a lane is narrow: the one with the longest way to the film's end (`urgency`).
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.stage import Stage, Unit

Ending = Literal["done", "skipped", "failed"]
NodeState = Literal["waiting", "ready", "running", "held", "done", "skipped", "failed"]
SETTLED: frozenset[str] = frozenset({"done", "skipped", "failed"})


@dataclass
class Node:
    stage: Stage
    unit: Unit
    state: NodeState = "waiting"
    missing: int = 0


@dataclass
class Graph:
    """Units of the stages in `order`; a stage's are listed (`expand`) once the stages it comes after are complete."""

    order: Sequence[Stage]
    nodes: dict[str, Node] = field(default_factory=dict)
    _by_stage: dict[str, list[Node]] = field(default_factory=dict)
    _dependants: dict[str, list[str]] = field(default_factory=dict)
    _ready: deque[str] = field(default_factory=deque)
    _tally: dict[str, Counter[str]] = field(default_factory=dict)
    _way: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def expandable(self) -> list[Stage]:
        """Stages whose units are not listed yet and whose predecessors are complete without a blocking failure."""
        return [
            stage
            for stage in self.order
            if stage.name not in self._by_stage and all(self.complete(name) for name in stage.after)
        ]

    def expand(self, stage: Stage, units: Iterable[Unit]) -> None:
        nodes = [Node(stage, unit) for unit in units]
        self._by_stage[stage.name] = nodes
        self._tally[stage.name] = Counter(waiting=len(nodes))
        for node in nodes:
            if node.unit.key in self.nodes:
                raise ValueError(f"two units are called {node.unit.key}")
            self.nodes[node.unit.key] = node
        for node in nodes:
            self._connect(node)
        for node in reversed(nodes):
            self._lengthen(node.unit.key)

    def _lengthen(self, key: str) -> None:
        """The ways of what the unit needs lead through it too. No way is longer than all units: stages may err in a
        circle."""
        grown = [key]
        while grown:
            key = grown.pop()
            for need in self.nodes[key].unit.needs if key in self.nodes else ():
                if self._way[need] <= self._way[key] < len(self.nodes):
                    self._way[need] = self._way[key] + 1
                    grown.append(need)

    def urgency(self, key: str) -> int:
        """How many listed units come after this one on the longest way to the end. What has more to come must start
        sooner: a clip whose lips are still to be moved, begun last, would keep a finished film waiting for both."""
        return self._way[key]

    def _connect(self, node: Node) -> None:
        for need in node.unit.needs:
            # A need may belong to a stage that is listed later; `stuck` tells if it never is.
            known = self.nodes.get(need)
            if known is None or known.state not in SETTLED:
                node.missing += 1
                self._dependants.setdefault(need, []).append(node.unit.key)
        if node.missing == 0:
            self._move(node, "ready")
            self._ready.append(node.unit.key)

    def _move(self, node: Node, state: NodeState) -> None:
        tally = self._tally[node.stage.name]
        tally[node.state] -= 1
        tally[state] += 1
        node.state = state

    def take_ready(self) -> list[Node]:
        """The units that may start now, the most urgent first, else in the film's order; each is handed out once."""
        taken = [self.nodes[key] for key in sorted(self._ready, key=self.urgency, reverse=True)]
        self._ready.clear()
        return taken

    def start(self, key: str) -> None:
        self._move(self.nodes[key], "running")

    def put_back(self, key: str) -> None:
        """A unit that was taken or started is to be handed out again (a retry)."""
        self._move(self.nodes[key], "ready")
        self._ready.append(key)

    def hold(self, key: str) -> None:
        """A unit that only the user can let go on; those that need it wait with it."""
        self._move(self.nodes[key], "held")

    def held(self) -> list[str]:
        return [key for key, node in self.nodes.items() if node.state == "held"]

    def idle(self) -> bool:
        """Nothing is at work, can start, or can be listed."""
        busy = any(tally["ready"] or tally["running"] for tally in self._tally.values())
        return not busy and not self.expandable()

    def settle(self, key: str, ending: Ending) -> None:
        node = self.nodes[key]
        if node.state in SETTLED:
            raise ValueError(f"{key} has settled already")
        self._move(node, ending)
        for dependant in self._dependants.pop(key, ()):
            waiting = self.nodes[dependant]
            waiting.missing -= 1
            if waiting.missing == 0:
                self._move(waiting, "ready")
                self._ready.append(dependant)

    def listed(self, stage: str) -> bool:
        return stage in self._by_stage

    def complete(self, stage: str) -> bool:
        """The stage's units are listed and settled, and none failed if the stage is one that blocks."""
        if stage not in self._tally:
            return False
        tally = self._tally[stage]
        unsettled = tally["waiting"] + tally["ready"] + tally["running"] + tally["held"]
        return unsettled == 0 and not (self._stage(stage).blocking and tally["failed"])

    def failed_for_good(self) -> Stage | None:
        """The first blocking stage that has failed units and nothing left to try."""
        for stage in self.order:
            tally = self._tally.get(stage.name)
            if tally and stage.blocking and tally["failed"] and not tally["running"] and not tally["ready"]:
                return stage
        return None

    def _stage(self, name: str) -> Stage:
        return next(stage for stage in self.order if stage.name == name)

    def finished(self) -> bool:
        return all(self.complete(stage.name) for stage in self.order)

    def stuck(self) -> list[str]:
        """Units that wait for keys which no stage makes, once nothing else is left to do: a mistake in a stage."""
        if not self.idle():
            return []
        return [node.unit.key for node in self.nodes.values() if node.state == "waiting"]

    def counts(self, stage: str) -> Counter[str]:
        """Units of the stage by state; empty while they are not listed."""
        return self._tally.get(stage, Counter())

    def failures(self, stage: str) -> list[Unit]:
        return [node.unit for node in self._by_stage.get(stage, ()) if node.state == "failed"]
