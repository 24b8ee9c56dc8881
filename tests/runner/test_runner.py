"""Starting, pausing, resuming, cancelling, redoing and recovering runs, on a real store with stages that do nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import Conflict, EngineTimeout, InvalidInput, NotFound, ProductError
from pipeline.runner import Runner
from pipeline.settings import load_settings
from pipeline.stage import StageFailed, Unit
from pipeline.store import Store, open_store
from pipeline.store.models import Project
from tests.runner.plain_stages import PlainStage

WAIT_S = 20.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def project(store: Store) -> int:
    with store.db.write() as session:
        row = Project(title="Three words", story="Once upon a time.")
        session.add(row)
        session.flush()
        return row.id


def runner_of(store: Store, *stages: PlainStage) -> Runner:
    return Runner(store, load_settings(engine_workers=2), stages=stages)


def two_stages(**kwargs) -> tuple[PlainStage, PlainStage]:
    first = PlainStage("first", [Unit("first/1", "one"), Unit("first/2", "two")])
    second = PlainStage("second", [Unit("second/1", "three", ("first/1", "first/2"))], after=("first",), **kwargs)
    return first, second


def test_a_run_makes_everything_and_a_second_start_makes_nothing_again(store, project):
    first, second = two_stages()
    runner = runner_of(store, first, second)
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "done"
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "done"
    assert first.starts + second.starts == {"first/1": 1, "first/2": 1, "second/1": 1}
    status = runner.status(project)
    assert status["percent"] == 100 and status["yoloStep"] is None
    assert status["stages"]["first"] == {"total": 2, "done": 2, "running": 0, "failed": 0}
    runner.close()


def test_two_starts_at_once_give_one_run(store, project):
    gate = threading.Event()
    stage = PlainStage("only", [Unit("only/1", "one")], work=lambda unit: gate.wait(WAIT_S) and None)
    runner = runner_of(store, stage)
    ids = set()
    threads = [threading.Thread(target=lambda: ids.add(runner.start(project))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gate.set()
    assert runner.wait(project, WAIT_S) == "done"
    assert len(ids) == 1
    assert stage.starts == {"only/1": 1}
    runner.close()


def test_a_pause_keeps_what_is_done_and_resuming_goes_on(store, project):
    started, gate = threading.Event(), threading.Event()

    def work(unit: Unit) -> None:
        if unit.key == "only/1":
            started.set()
            gate.wait(WAIT_S)

    units = [Unit("only/1", "one"), Unit("only/2", "two", ("only/1",))]
    stage = PlainStage("only", units, work=work)
    runner = runner_of(store, stage)
    runner.start(project)
    assert started.wait(WAIT_S)
    runner.pause(project)
    assert runner.status(project)["state"] == "paused"
    gate.set()
    with pytest.raises(Conflict):
        runner.pause(project)
    runner.resume(project)
    assert runner.wait(project, WAIT_S) == "done"
    assert stage.starts == {"only/1": 1, "only/2": 1}, "the unit at work when the pause came was kept"
    runner.close()


def test_a_cancelled_run_leaves_its_work_and_a_new_start_goes_on(store, project):
    started, gate = threading.Event(), threading.Event()

    def work(unit: Unit) -> None:
        started.set()
        gate.wait(WAIT_S)

    stage = PlainStage("only", [Unit("only/1", "one"), Unit("only/2", "two", ("only/1",))], work=work)
    runner = runner_of(store, stage)
    runner.start(project)
    assert started.wait(WAIT_S)
    runner.cancel(project)
    gate.set()
    assert runner.wait(project, WAIT_S) == "cancelled"
    with pytest.raises(Conflict):
        runner.resume(project)
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "done"
    runner.close()


def test_how_far_a_run_is_never_goes_back_when_more_turns_out_to_be_left(store, project):
    seen: list[tuple[int, int]] = []

    def work(unit: Unit) -> None:
        seen.append((runner.status(project)["percent"], runner.progress_of([project])[project][0]))

    few = PlainStage("few", [Unit(f"few/{n}", "one", (f"few/{n - 1}",) if n else ()) for n in range(4)], work=work)
    many = PlainStage("many", [Unit(f"many/{n}", "one") for n in range(40)], after=("few",), work=work)
    runner = runner_of(store, few, many)
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "done"
    assert len(seen) == 44 and max(seen)[0] > 50
    assert [one for pair in seen for one in pair] == sorted(one for pair in seen for one in pair)
    runner.close()


def test_a_failing_unit_is_tried_as_often_as_its_stage_says(store, project):
    def work(unit: Unit) -> None:
        raise EngineTimeout("It took too long.")

    stage = PlainStage("only", [Unit("only/1", "one")], attempts=3, work=work)
    runner = runner_of(store, stage)
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "done", "a stage that does not block lets the film go on"
    assert stage.starts["only/1"] == 3
    [problem] = runner.status(project)["problems"]
    assert problem["code"] == "engine_timeout" and "one" in problem["text"]
    runner.start(project)
    runner.wait(project, WAIT_S)
    assert stage.starts["only/1"] == 6, "a new run has its own attempts"
    runner.close()


def test_a_failure_that_cannot_pass_is_not_tried_again(store, project):
    def work(unit: Unit) -> None:
        raise ProductError("Broken for good.", code="broken")

    stage = PlainStage("only", [Unit("only/1", "one")], attempts=3, work=work)
    runner = runner_of(store, stage)
    runner.start(project)
    runner.wait(project, WAIT_S)
    assert stage.starts["only/1"] == 1
    runner.close()


def test_an_unexpected_error_fails_its_unit_in_words(store, project):
    def work(unit: Unit) -> None:
        raise ZeroDivisionError("secret internals")

    runner = runner_of(store, PlainStage("only", [Unit("only/1", "one")], blocking=True, work=work))
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "failed"
    status = runner.status(project)
    assert "secret internals" not in str(status)
    assert status["problems"]
    runner.close()


def test_the_gate_stops_the_run_and_says_where(store, project):
    first, second = two_stages()
    first.incomplete = StageFailed("Scene 2 has no shots.", field="first", code="scene_without_shots")
    runner = runner_of(store, first, second)
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "failed"
    status = runner.status(project)
    assert status["code"] == "scene_without_shots"
    assert second.starts == {}
    first.incomplete = None
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "done"
    assert first.starts == {"first/1": 1, "first/2": 1}
    runner.close()


@pytest.mark.parametrize(
    ("options", "redone"),
    [
        ({}, set()),
        ({"stale": "redo"}, {"first/1"}),
        ({"from_stage": "second"}, set()),
        ({"from_stage": "first"}, {"first/1"}),
        ({"from_stage": "second", "force": True}, {"second/1"}),
        ({"force": True}, {"first/1", "first/2", "second/1"}),
    ],
)
def test_what_a_start_redoes(store, project, options, redone):
    first, second = two_stages()
    runner = runner_of(store, first, second)
    runner.start(project)
    runner.wait(project, WAIT_S)
    first.inputs["first/1"] = "edited"
    first.starts.clear()
    second.starts.clear()
    runner.start(project, **options)
    assert runner.wait(project, WAIT_S) == "done"
    assert set(first.starts) | set(second.starts) == redone
    runner.close()


def test_derived_work_follows_its_inputs_without_being_asked(store, project):
    stage = PlainStage("only", [Unit("only/1", "one", derived=True)])
    runner = runner_of(store, stage)
    runner.start(project)
    runner.wait(project, WAIT_S)
    stage.inputs["only/1"] = "edited"
    runner.start(project)
    runner.wait(project, WAIT_S)
    assert stage.starts["only/1"] == 2
    runner.close()


def test_inputs_that_change_under_a_unit_make_it_run_again(store, project):
    stage = PlainStage("only", [Unit("only/1", "one")])

    def work(unit: Unit) -> None:
        if stage.starts[unit.key] == 1:
            stage.inputs[unit.key] = "edited while it ran"

    stage.work = work
    runner = runner_of(store, stage)
    runner.start(project)
    assert runner.wait(project, WAIT_S) == "done"
    assert stage.starts["only/1"] == 2
    runner.close()


def test_a_run_that_a_dead_process_left_goes_on(tmp_path, project, store):
    started, gate = threading.Event(), threading.Event()

    def work(unit: Unit) -> None:
        if unit.key == "second/1":
            started.set()
            gate.wait(WAIT_S)

    first, second = two_stages(work=work)
    runner = runner_of(store, first, second)
    runner.start(project)
    assert started.wait(WAIT_S)
    gate.set()
    runner.close()
    store.close()
    with open_store(tmp_path / "data") as again:
        first_again, second_again = two_stages()
        follower = runner_of(again, first_again, second_again)
        follower.recover()
        assert follower.wait(project, WAIT_S) == "done"
        assert first_again.starts == {}, "settled units are not started again"
        follower.close()


def test_what_does_not_exist_is_said(store, project):
    runner = runner_of(store, PlainStage("only", []))
    with pytest.raises(NotFound):
        runner.start(project + 1)
    with pytest.raises(NotFound):
        runner.status(project + 1)
    with pytest.raises(InvalidInput) as wrong:
        runner.start(project, from_stage="sleeping")
    assert wrong.value.field == "from"
    with pytest.raises(Conflict):
        runner.cancel(project)
    assert runner.status(project)["state"] == "idle"
    runner.close()


def test_the_status_tells_what_happened_in_order(store, project):
    runner = runner_of(store, *two_stages())
    runner.start(project)
    runner.wait(project, WAIT_S)
    lines = runner.status(project)["logs"]
    assert lines[0]["text"] == "The making of the film has started."
    assert {"one is done.", "two is done.", "three is done."} < {line["text"] for line in lines}
    assert lines == sorted(lines, key=lambda line: line["seq"])
    assert set(lines[0]) == {"seq", "at", "level", "stage", "unit", "text"}
    runner.close()
