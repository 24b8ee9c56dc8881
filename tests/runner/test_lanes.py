"""Lanes: who goes first, and what gives way to whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.contracts import Lane
from pipeline.errors import Cancelled
from pipeline.runner.lanes import LaneQueue, Place

WAIT_S = 20.0


class Narrow:
    """A lane for one job at a time, held until `let`; `order` is how the others were carried out."""

    def __init__(self) -> None:
        self.lane = LaneQueue(Lane.VIDEO, 1)
        self.order: list[str] = []
        self._held, self._busy, self._ended = threading.Event(), threading.Event(), threading.Condition()
        self.lane.submit(0, "first", self._hold)
        assert self._busy.wait(WAIT_S)

    def _hold(self, place: Place) -> None:
        self._busy.set()
        self._held.wait(WAIT_S)

    def add(self, key: str, owner: object, urgency: int, *, ahead: bool = False) -> None:
        def work(place: Place) -> None:
            with self._ended:
                self.order.append(key)
                self._ended.notify_all()

        self.lane.submit(0, key, work, owner=owner, urgency=urgency, ahead=ahead)

    def let(self, number: int) -> list[str]:
        self._held.set()
        with self._ended:
            assert self._ended.wait_for(lambda: len(self.order) == number, WAIT_S)
        return self.order


@pytest.fixture
def narrow() -> Iterator[Narrow]:
    found = Narrow()
    yield found
    found.lane.close()


def test_of_one_film_the_more_urgent_goes_first_and_equals_keep_their_order(narrow: Narrow) -> None:
    for key, urgency in (("a", 1), ("b", 2), ("c", 1), ("d", 3), ("e", 2)):
        narrow.add(key, "film", urgency)
    assert narrow.let(5) == ["d", "b", "e", "a", "c"]


def test_the_urgency_of_one_film_takes_no_place_of_another(narrow: Narrow) -> None:
    narrow.add("one/calm", "one", 0)
    narrow.add("two/first", "two", 1)
    narrow.add("one/urgent", "one", 9)
    narrow.add("two/second", "two", 1)
    assert narrow.let(4) == ["one/urgent", "two/first", "one/calm", "two/second"]


def test_what_somebody_waits_for_goes_before_films(narrow: Narrow) -> None:
    narrow.add("film", "film", 9)
    narrow.add("single", "single", 0, ahead=True)
    assert narrow.let(2) == ["single", "film"]


class Steps:
    """Jobs that let go of their place, or take it back, when they are told."""

    def __init__(self, lane: LaneQueue) -> None:
        self.lane = lane
        self.go: dict[str, threading.Event] = {}
        self.at: dict[str, threading.Event] = {}

    def add(self, key: str, *steps: str, cancel: threading.Event | None = None) -> None:
        for step in steps:
            self.go[f"{key} {step}"], self.at[f"{key} {step}"] = threading.Event(), threading.Event()

        def work(place: Place) -> None:
            for step in steps:
                if not self.go[f"{key} {step}"].wait(WAIT_S):
                    return
                if step == "lets go":
                    place.let_go()
                elif step == "returns":
                    try:
                        place.take_back(cancel or threading.Event())
                    except Cancelled:
                        return
                self.at[f"{key} {step}"].set()

        self.lane.submit(7, key, work, owner=self)

    def tell(self, what: str) -> None:
        self.go[what].set()

    def reached(self, what: str) -> bool:
        return self.at[what].wait(WAIT_S)


@pytest.fixture
def steps() -> Iterator[Steps]:
    lane = LaneQueue(Lane.VIDEO, 1)
    found = Steps(lane)
    yield found
    for event in found.go.values():
        event.set()
    lane.close()


def until(lane: LaneQueue, active: list[str], settling: list[str], waiting: list[str]) -> None:
    deadline = time.monotonic() + WAIT_S
    while (found := (lane.active(), lane.settling(), lane.waiting())) != (active, settling, waiting):
        assert time.monotonic() < deadline, found
        time.sleep(0.005)


def test_a_place_that_is_let_go_is_the_next_one_s_and_the_film_is_still_served(steps: Steps) -> None:
    steps.add("a", "lets go", "ends")
    steps.add("b", "ends")
    steps.tell("a lets go")
    until(steps.lane, ["b"], ["a"], [])
    assert steps.lane.active(7) == ["b"] and steps.lane.settling(8) == []
    steps.tell("b ends")
    until(steps.lane, [], ["a"], [])
    assert steps.lane.serves(steps) and not steps.lane.idle(7) and steps.lane.idle(8)
    steps.tell("a ends")
    until(steps.lane, [], [], [])
    assert not steps.lane.serves(steps) and steps.lane.idle()


def test_no_more_begin_while_twice_as_many_are_settling_as_there_are_places(steps: Steps) -> None:
    for key in "ab":
        steps.add(key, "lets go", "ends")
    steps.add("c", "ends")
    steps.tell("a lets go")
    steps.tell("b lets go")
    until(steps.lane, [], ["a", "b"], ["c"])
    steps.tell("b ends")
    until(steps.lane, ["c"], ["a"], [])


def test_a_place_is_taken_back_as_soon_as_there_is_one(steps: Steps) -> None:
    steps.add("a", "lets go", "returns", "ends")
    steps.add("b", "ends")
    steps.tell("a lets go")
    until(steps.lane, ["b"], ["a"], [])
    steps.tell("a returns")
    steps.tell("b ends")
    until(steps.lane, ["a"], [], [])
    assert steps.reached("a returns")


def test_who_wants_to_return_can_be_stopped(steps: Steps) -> None:
    cancel = threading.Event()
    steps.add("a", "lets go", "returns", cancel=cancel)
    steps.add("b", "ends")
    steps.tell("a lets go")
    until(steps.lane, ["b"], ["a"], [])
    steps.tell("a returns")
    cancel.set()
    until(steps.lane, ["b"], [], [])
