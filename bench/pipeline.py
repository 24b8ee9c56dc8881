"""A paid film of 60 shots at simulated providers: how close the runner comes to the shortest time there can be.

`python -m bench.pipeline [SCALE [VIDEOS]]`. The wire simulator takes as long as real providers do (chat 8 s, picture
10 s, speech 3 s, clip 60 s, lip sync 40 s), times SCALE; the program's own pauses are scaled alike. VIDEOS clips are in
the making at once (default: the product's own default), the other lanes have the product's widths.

The bound that is held: the larger of the critical path and of each lane's work ÷ its width, where work is the
providers' latency alone. All that the program does itself (ledger, uploads, fetching, checking, converting, polling
late, starting late) counts against the runner, and does not shrink with SCALE: at 1 it takes 22 minutes and measures
the runner, at a tenth of that it measures the machine.

Said besides: the shortest time that any schedule can take, as a lane has its work only between the shortest way to it
and the shortest way from it; and the same units with each stage waiting for the one before, as computed.
"""

from __future__ import annotations

import heapq
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench._process import row
from pipeline.contracts import Lane
from pipeline.generation.timing import Timing
from pipeline.projects import create_project
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.stage import Outcome, Stage, StageContext, Unit
from pipeline.stages import all_stages
from pipeline.store import Store, open_store
from pipeline.store.models import Generation, Shot
from tests.simulator import Simulator
from tests.writer.answering import Answering

SPOKEN = 27  # lines; with the narration between them that makes 60 shots
SCALE = 1.0
MOST = 1.10
FORM = {"width": 320, "height": 180, "fps": 24}
PAID = {f"render_{kind}": "paid" for kind in ("text", "speech", "image", "video", "lipsync")}
LATENCY_S = {"text": 8.0, "image": 10.0, "speech": 3.0, "video": 60.0, "lipsync": 40.0}
SAID = "I have looked for the {} bell in every corner"
TOLD = "A thin {} mist lay over the ground."
WORDS = "old grey small great silver broken golden hidden wooden quiet lonely silent pale cold dark warm soft wild"


def story(lines: int) -> str:
    """Spoken lines and narration in turn, no two alike, somewhere else every ten shots."""
    places = ("kitchen", "forest", "harbour", "market", "garden")
    words = WORDS.split()
    told = ["The Bell"]
    for number in range(lines):
        if number % 5 == 0:
            told.append(f"Tom and Anna walked into the {places[number // 5 % len(places)]}.")
        word = f"{words[number % len(words)]} {words[number * 7 // len(words) % len(words)]}"
        told.append(f'"{SAID.format(word)}," said {("Tom", "Anna")[number % 2]}.')
        told.append(TOLD.format(word))
    return "\n\n".join(told)


class Watched:
    """A stage whose units are noted as they are listed, and timed from where a lane takes them to where they settle."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.listed: list[Unit] = []
        self.ran: dict[str, tuple[float, float]] = {}
        self._taken: dict[str, float] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        self.listed = list(self._stage.units(ctx))
        return self.listed

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        self._taken.setdefault(unit.key, time.monotonic())
        return self._stage.digest(ctx, session, unit)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        outcome = self._stage.run(ctx, unit)

        def apply(session: Session) -> None:
            outcome.apply(session)
            self.ran[unit.key] = (self._taken[unit.key], time.monotonic())

        return replace(outcome, apply=apply)


def packed(seconds: Sequence[float], width: int) -> float:
    """The least time in which so many at a time get through work of these lengths."""
    rounds = -(-len(seconds) // width)
    return max(sum(seconds) / width, sum(sorted(seconds)[:rounds]))


@dataclass
class Work:
    """What is to be scheduled: units in the order in which they are listed. `seconds`: their providers' latency;
    `local`: what each took beyond the wait for its providers."""

    lane: dict[str, Lane] = field(default_factory=dict)
    stage: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    local: dict[str, float] = field(default_factory=dict)
    needs: dict[str, set[str]] = field(default_factory=dict)
    after: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def longest(self, neighbours: Mapping[str, set[str]]) -> dict[str, float]:
        """Seconds of the longest chain that leads through `neighbours` to each unit, without the unit's own."""
        known: dict[str, float] = {}

        def before(key: str) -> float:
            if key not in known:
                known[key] = max((before(one) + self.seconds[one] for one in neighbours[key]), default=0.0)
            return known[key]

        for key in self.lane:
            before(key)
        return known

    def earliest(self, width: Mapping[Lane, int]) -> dict[str, float]:
        """When each unit can start at the earliest: stages that it waits for have to get through their lane first."""
        heads: dict[str, float] = {}
        ends: dict[str, float] = {}
        for name, after in self.after.items():
            gate = max((ends[one] for one in after), default=0.0)
            keys = [key for key, stage in self.stage.items() if stage == name]
            for key in keys:
                heads[key] = max(gate, self._through([one for one in self.needs[key] if one in heads], heads, width))
            ends[name] = max(gate, self._through(keys, heads, width))
        return heads

    def _through(self, keys: Sequence[str], heads: Mapping[str, float], width: Mapping[Lane, int]) -> float:
        """When all of these can have been done at the earliest; 0 for none."""
        end = max((heads[key] + self.seconds[key] for key in keys), default=0.0)
        for lane in {self.lane[key] for key in keys}:
            busy = [key for key in keys if self.lane[key] == lane and self.seconds[key]]
            if busy:
                start = min(heads[key] for key in busy)
                end = max(end, start + packed([self.seconds[key] for key in busy], width[lane]))
        return end

    def bounds(self, width: Mapping[Lane, int]) -> tuple[dict[str, float], float]:
        """(each lower bound by its name, the largest of critical path and work ÷ width alone)."""
        following: dict[str, set[str]] = {key: set() for key in self.lane}
        for key, needs in self.needs.items():
            for need in needs:
                following[need].add(key)
        heads, tails = self.earliest(width), self.longest(following)
        plain = max(tails[key] + self.seconds[key] for key in self.lane)
        found = {"chains of units": max(heads[key] + self.seconds[key] + tails[key] for key in self.lane)}
        for lane in Lane:
            keys = [key for key in self.lane if self.lane[key] == lane and self.seconds[key]]
            if keys:
                seconds = [self.seconds[key] for key in keys]
                ways = min(heads[key] for key in keys) + min(tails[key] for key in keys)
                found[f"lane {lane}"] = ways + packed(seconds, width[lane])
                plain = max(plain, sum(seconds) / width[lane])
        return found, plain

    def one_after_another(self, width: Mapping[Lane, int]) -> float:
        """Seconds when a stage starts once the one before is complete; within a stage, as the runner does it."""
        at = 0.0
        for name in dict.fromkeys(self.stage.values()):
            at = self._scheduled([key for key in self.lane if self.stage[key] == name], at, width)
        return at

    def _scheduled(self, keys: Sequence[str], start: float, width: Mapping[Lane, int]) -> float:
        free = {lane: [start] * width[lane] for lane in Lane}
        ended: dict[str, float] = {}
        waiting = list(keys)
        while waiting:  # first come, first served
            ready = [key for key in waiting if not (self.needs[key] & set(waiting))]
            for key in ready:
                begin = max([heapq.heappop(free[self.lane[key]]), *(ended.get(one, start) for one in self.needs[key])])
                ended[key] = begin + self.seconds[key]
                heapq.heappush(free[self.lane[key]], ended[key])
            waiting = [key for key in waiting if key not in ended]
        return max(ended.values(), default=start)


def provided(store: Store, simulator: Simulator, scale: float) -> tuple[dict[str, float], dict[str, float]]:
    """For each unit: (its providers' latency, how long it waited for them until it knew), in seconds at full length."""
    looked: dict[str, float] = {}
    for call in simulator.requests():
        if call.job and call.operation == "status":
            looked[call.job] = max(looked.get(call.job, 0.0), call.at)
    began = {job.id: job.created_at for job in simulator.jobs()}
    latency, waited = defaultdict[str, float](float), defaultdict[str, float](float)
    with store.db.read() as session:
        for one in session.scalars(select(Generation).where(Generation.status == "finished")):
            job = str((one.handle or {}).get("id", ""))
            latency[one.unit_key] += LATENCY_S[one.capability]
            known = job in began and job in looked
            waited[one.unit_key] += (looked[job] - began[job]) / scale if known else LATENCY_S[one.capability]
    return latency, waited


def work_of(stages: Sequence[Watched], store: Store, simulator: Simulator, scale: float) -> Work:
    latency, waited = provided(store, simulator, scale)
    work = Work()
    units = {stage.name: [unit.key for unit in stage.listed] for stage in stages}
    for stage in stages:
        work.after[stage.name] = stage.after
        waits_for = {key for name in stage.after for key in units[name]}
        for unit in stage.listed:
            key = unit.key
            began, ended = stage.ran.get(key, (0.0, 0.0))
            work.lane[key], work.stage[key] = stage.lane, stage.name
            work.local[key] = max(0.0, (ended - began) / scale - waited[key])
            work.seconds[key] = latency[key]
            work.needs[key] = waits_for | set(unit.needs)
    return work


def film(folder: Path, scale: float, videos: int) -> tuple[float, Work, dict[Lane, int], list[Watched]]:
    """(seconds it took, divided by `scale`; what was done; the lanes' widths; the stages, with their times)."""
    text = story(SPOKEN)
    stages = [Watched(stage) for stage in all_stages()]
    with Simulator(scale=scale, seed=1) as simulator, open_store(folder) as store:
        simulator.respond("chat", Answering(text))
        env = {name.lower(): value for name, value in simulator.env().items()}
        settings = load_settings(
            env_files=[], data_dir=folder, max_concurrent_videos=videos, moderation_checkers="bundled", **cast(Any, env)
        )
        runner = Runner(store, settings, stages=cast(Sequence[Stage], stages), timing=Timing(pace=scale))
        try:
            with store.db.write(durable=True) as session:
                fields = {"title": "The Bell", "story": text, **PAID}
                project_id = create_project(session, fields, max_story_words=100_000, options={"form": FORM}).id
            for package in ("openai", "replicate", "fal_client", "jsonschema"):  # a second or two of a process's start
                import_module(package)
            began = time.monotonic()
            runner.start(project_id)
            state = runner.wait(project_id)
            took = time.monotonic() - began
            if state != "done" or simulator.errors:
                raise RuntimeError(f"{state}: {runner.status(project_id)['problems']} {simulator.errors}")
            with store.db.read() as session:
                print(f"      {session.query(Shot).count()} shots, {len(simulator.bill.charges())} paid requests")
            width = {lane: queue.parallel for lane, queue in runner.lanes.items()}
        finally:
            runner.close()
        return took / scale, work_of(stages, store, simulator, scale), width, stages


def tell(stages: Sequence[Watched], work: Work, scale: float) -> None:
    """When each stage was at work, and what its units took: latency, local work, and what is neither."""
    start = min(began for stage in stages for began, _ in stage.ran.values())
    for stage in stages:
        if not stage.ran:
            continue
        times = [(began - start) / scale for began, _ in stage.ran.values()]
        ends = [(ended - start) / scale for _, ended in stage.ran.values()]
        local = sum(work.local[key] for key in stage.ran) / len(times)
        latency = sum(work.seconds[key] for key in stage.ran) / len(times)
        rest = (sum(ends) - sum(times)) / len(times) - local - latency
        print(
            f"      {stage.name:<9}{min(times):7.1f} to {max(ends):7.1f} s; {len(times):>3} units, on average"
            f" {latency:4.1f} s latency, {local:5.1f} s local, {rest:4.1f} s more"
        )


def main(arguments: Sequence[str] = ()) -> int:
    scale = float(arguments[0]) if arguments else SCALE
    videos = int(arguments[1]) if len(arguments) > 1 else load_settings(env_files=[]).max_concurrent_videos
    with tempfile.TemporaryDirectory() as name:
        took, work, width, stages = film(Path(name), scale, videos)
    tell(stages, work, scale)
    reachable, plain = work.bounds(width)
    for what, seconds in reachable.items():
        print(f"      no schedule is shorter, by {what:<15}{seconds:8.1f} s")
    print(f"      critical path and work / width alone    {plain:8.1f} s, with {videos} clips at once")
    print(f"      it took {took:.1f} s ({took * scale:.1f} s, times {1 / scale:.3g})")
    held = row(
        "a paid film, beside critical path and work / width",
        f"{took / plain:.2f} x",
        f"{MOST:.2f} x",
        holds=took / plain <= MOST,
    )
    least = max(reachable.values())
    row("  beside what a schedule can reach", f"{took / least:.2f} x", "none", holds=True)
    row("stage after stage, beside the same", f"{work.one_after_another(width) / least:.2f} x", "none", holds=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
