"""The build graph: whatever the order in which units settle, needs come first and every unit is handed out once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.runner.graph import Graph
from pipeline.stage import Unit
from tests.runner.plain_stages import PlainStage


@st.composite
def chains(draw: st.DrawFn) -> list[PlainStage]:
    """Up to four stages; units need earlier units of any stage that is listed by then, or of their own."""
    stages: list[PlainStage] = []
    known: list[str] = []
    for at in range(draw(st.integers(1, 4))):
        units = []
        for number in range(draw(st.integers(0, 5))):
            needs = draw(st.lists(st.sampled_from(known), max_size=3, unique=True)) if known else []
            units.append(Unit(f"s{at}/{number}", f"unit {number}", tuple(needs)))
            known.append(units[-1].key)
        after = (f"s{draw(st.integers(0, at - 1))}",) if at and draw(st.booleans()) else ()
        stages.append(PlainStage(f"s{at}", units, after=after))
    return stages


@given(chains(), st.randoms(use_true_random=False), st.data())
def test_every_unit_is_handed_out_once_and_after_its_needs(stages, random, data):
    graph = Graph(stages)
    handed: list[str] = []
    running: list[str] = []
    settled: set[str] = set()
    while not graph.finished():
        for stage in graph.expandable():
            graph.expand(stage, stage.units(None))
        for node in graph.take_ready():
            assert set(node.unit.needs) <= settled
            graph.start(node.unit.key)
            handed.append(node.unit.key)
            running.append(node.unit.key)
        if not running:
            assert graph.finished() or graph.expandable()
            continue
        key = running.pop(random.randrange(len(running)))
        graph.settle(key, data.draw(st.sampled_from(["done", "skipped", "failed"])))
        settled.add(key)
    assert len(handed) == len(set(handed)) == sum(len(stage.units(None)) for stage in stages)


def test_a_failed_unit_of_a_blocking_stage_ends_the_walk_there():
    first = PlainStage("first", [Unit("a", "a"), Unit("b", "b")], blocking=True)
    graph = Graph([first, PlainStage("second", [Unit("c", "c")], after=("first",))])
    graph.expand(first, first.units(None))
    for node in graph.take_ready():
        graph.start(node.unit.key)
    graph.settle("a", "failed")
    assert graph.failed_for_good() is None, "b is still at work"
    graph.settle("b", "done")
    assert graph.failed_for_good() is first
    assert [unit.key for unit in graph.failures("first")] == ["a"]
    assert graph.expandable() == []


def test_a_unit_settles_once():
    stage = PlainStage("only", [Unit("a", "a")])
    graph = Graph([stage])
    graph.expand(stage, stage.units(None))
    graph.settle("a", "done")
    with pytest.raises(ValueError, match="settled"):
        graph.settle("a", "done")


def test_units_that_wait_for_what_no_stage_makes_are_named():
    stage = PlainStage("only", [Unit("a", "a", ("nowhere",))])
    graph = Graph([stage])
    graph.expand(stage, stage.units(None))
    assert graph.take_ready() == []
    assert graph.stuck() == ["a"]


def handed_out(*stages: PlainStage) -> list[str]:
    """The order in which units are taken, each settling before the next are asked for."""
    graph = Graph(stages)
    for stage in stages:
        graph.expand(stage, stage.units(None))
    order: list[str] = []
    while taken := graph.take_ready():
        order += [node.unit.key for node in taken]
        for node in taken:
            graph.start(node.unit.key)
            graph.settle(node.unit.key, "done")
    return order


CLIPS = PlainStage("clips", [Unit(f"clip/{number}", "") for number in range(4)])
LIPS = PlainStage("lips", [Unit("lips/2", "", ("clip/2",))])
EXPORT = PlainStage("export", [Unit("film", "", (*(f"clip/{number}" for number in range(4)), "lips/2"))])


def test_urgency_is_the_longest_way_to_the_end():
    graph = Graph([CLIPS, LIPS, EXPORT])
    for stage in graph.order:
        graph.expand(stage, stage.units(None))
    found = {key: graph.urgency(key) for key in graph.nodes}
    assert found == {"clip/0": 1, "clip/1": 1, "clip/2": 2, "clip/3": 1, "lips/2": 1, "film": 0}


def test_the_more_urgent_is_handed_out_first_and_equals_in_the_film_s_order():
    assert handed_out(CLIPS, LIPS, EXPORT) == ["clip/2", "clip/0", "clip/1", "clip/3", "lips/2", "film"]


def test_urgency_grows_as_later_stages_are_listed_and_through_needs_of_the_same_stage():
    chain = PlainStage("chain", [Unit("one", ""), Unit("two", "", ("one",)), Unit("three", "", ("two",))])
    graph = Graph([chain, PlainStage("late", [Unit("end", "", ("three",))])])
    graph.expand(chain, chain.units(None))
    assert [graph.urgency(key) for key in ("one", "two", "three")] == [2, 1, 0]
    graph.expand(graph.order[1], graph.order[1].units(None))
    assert [graph.urgency(key) for key in ("one", "two", "three", "end")] == [3, 2, 1, 0]


@given(chains())
def test_no_unit_is_less_urgent_than_what_waits_for_it(stages):
    graph = Graph(stages)
    for stage in stages:
        graph.expand(stage, stage.units(None))
    for node in graph.nodes.values():
        for need in node.unit.needs:
            assert graph.urgency(need) > graph.urgency(node.unit.key)
