from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from pipeline.store import Store, states
from pipeline.store.models import Generation, ImageAnalysis, Job, Media, Project, Run, Scene, Shot
from tests.store.kit import new_project

MACHINES: dict[str, tuple[states.Edges, Any, str, set[str]]] = {
    "run": (states.RUN_EDGES, states.RunState, "running", {"cancelled", "failed", "done"}),
    "step": (states.STEP_EDGES, states.StepStatus, "pending", set()),
    "generation": (
        states.GENERATION_EDGES,
        states.GenerationStatus,
        "prepared",
        {"finished", "failed", "cancelled"},
    ),
    "video": (states.VIDEO_EDGES, states.VideoStatus, "pending", set()),
    "lipsync": (states.LIPSYNC_EDGES, states.LipsyncStatus, "none", set()),
    "analysis": (states.ANALYSIS_EDGES, states.AnalysisStatus, "pending", set()),
    "media": (states.MEDIA_EDGES, states.MediaStatus, "accepted", {"finished"}),
    "job": (states.JOB_EDGES, states.JobStatus, "queued", {"done"}),
}


@pytest.mark.parametrize("name", MACHINES)
def test_the_edges_speak_of_every_state_and_of_no_other(name: str) -> None:
    edges, literal, born, terminal = MACHINES[name]
    known = set(get_args(literal))
    assert set(edges) == known
    assert {source for origins in edges.values() for source in origins} <= known
    assert all(reason for origins in edges.values() for reason in origins.values())
    assert {state for state in known if states.is_terminal(edges, state)} == terminal
    reached = {born}
    while more := {to for to, origins in edges.items() if to not in reached and reached & set(origins)}:
        reached |= more
    assert reached == known, "every state can be reached"


def run_mover(session: Session, project: int) -> tuple[Callable[[str], bool], Callable[[], str]]:
    run_id = uuid.uuid4().hex
    assert states.new_run(session, run_id=run_id, project_id=project, boot_id="b")
    return lambda to: states.run_state(session, run_id, to), lambda: session.get_one(Run, run_id).state


def generation_mover(session: Session, project: int) -> tuple[Callable[[str], bool], Callable[[], str]]:
    row = Generation(id=uuid.uuid4().hex, project_id=project, capability="image", request_digest="d")
    session.add(row)
    session.flush()
    return lambda to: states.generation_state(session, row.id, to), lambda: row.status


def shot_mover(column: str) -> Callable[[Session, int], tuple[Callable[[str], bool], Callable[[], str]]]:
    move: Any = states.video_status if column == "video_status" else states.lipsync_status

    def mover(session: Session, project: int) -> tuple[Callable[[str], bool], Callable[[], str]]:
        shot = new_shot(session, project)
        return lambda to: move(session, shot.id, to), lambda: getattr(shot, column)

    return mover


def new_shot(session: Session, project: int) -> Shot:
    scene = Scene(project_id=project, idx=0, first_segment_idx=0, last_segment_idx=0)
    session.add(scene)
    session.flush()
    shot = Shot(project_id=project, scene_id=scene.id, idx=0, kind="narration", start_ms=0, end_ms=900, duration_ms=900)
    session.add(shot)
    session.flush()
    return shot


MOVERS = {
    "run": run_mover,
    "generation": generation_mover,
    "video": shot_mover("video_status"),
    "lipsync": shot_mover("lipsync_status"),
}


@pytest.mark.parametrize("name", MOVERS)
@settings(max_examples=30)
@given(data=st.data())
def test_only_the_edges_can_be_walked(shared: Store, name: str, data: st.DataObject) -> None:
    edges, literal, born, terminal = MACHINES[name]
    wishes = data.draw(st.lists(st.sampled_from(get_args(literal)), max_size=12))
    project = new_project(shared)
    with shared.db.write() as session:
        move, now = MOVERS[name](session, project)
        state = born
        assert now() == state
        for wish in wishes:
            allowed = state in edges[wish]
            assert move(wish) == allowed
            if state in terminal:
                assert not allowed
            state = wish if allowed else state
            assert now() == state
    # and what was loaded is what was stored
    with shared.db.write() as session:
        assert now() == state


def test_a_project_has_one_live_run(store: Store, project: int) -> None:
    def start(number: int) -> bool:
        with store.db.write() as session:
            return states.new_run(session, run_id=f"r{number}", project_id=project, boot_id=store.boot_id)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(start, range(16))) == 1
    with store.db.write() as session:
        [run] = session.query(Run).all()
        assert states.run_state(session, run.id, "paused", code="budget_reached")
        assert (run.state, run.code, run.ended_at) == ("paused", "budget_reached", None)
    assert not start(20), "a paused run is live"
    with store.db.write() as session:
        assert states.run_state(session, run.id, "cancelled")
    assert start(21)
    with store.db.read() as session:
        assert session.get_one(Run, run.id).ended_at is not None


def test_a_run_is_what_was_asked_for(store: Store, project: int) -> None:
    asked = {"from_stage": "frames", "stale": "redo", "force": True, "estimate_micros": 70}
    with store.db.write() as session:
        assert states.new_run(session, run_id="plain", project_id=project, boot_id="b")
        assert states.new_run(session, run_id="rich", project_id=new_project_in(session), boot_id="b", **asked)
        plain, rich = session.get_one(Run, "plain"), session.get_one(Run, "rich")
    assert (plain.state, plain.boot_id, plain.project_id) == ("running", "b", project)
    assert (plain.from_stage, plain.stale, plain.force, plain.estimate_micros) == (None, None, False, 0)
    assert {name: getattr(rich, name) for name in asked} == asked


def new_project_in(session: Session) -> int:
    project = Project(title="Another film")
    session.add(project)
    session.flush()
    return project.id


def test_a_run_that_goes_on_has_neither_end_nor_reason(store: Store, project: int) -> None:
    with store.db.write() as session:
        assert states.new_run(session, run_id="r", project_id=project, boot_id="b")
        run = session.get_one(Run, "r")
        assert states.run_state(session, "r", "paused", code="budget_reached")
        assert states.run_state(session, "r", "running")
        assert (run.state, run.code, run.ended_at) == ("running", None, None)
        assert states.run_state(session, "r", "failed", code="scene_without_shots")
        assert (run.state, run.code) == ("failed", "scene_without_shots")
        assert run.ended_at is not None


def test_an_item_of_the_media_generator_has_an_end_when_it_ended(store: Store) -> None:
    with store.db.write() as session:
        first, second = Media(type="IMAGE"), Media(type="IMAGE")
        session.add_all([first, second])
        session.flush()
        assert not states.media_status(session, first.id, "finished"), "it has not begun"
        assert states.media_status(session, first.id, "running")
        assert first.ended_at is None
        assert states.media_status(session, first.id, "failed", failure_reason="nudity")
        assert (first.status, first.failure_reason) == ("failed", "nudity")
        assert first.ended_at is not None
        assert states.media_status(session, first.id, "accepted", failure_reason=None)
        assert (first.status, first.failure_reason, first.ended_at) == ("accepted", None, None)
        assert states.media_status(session, first.id, "running")
        assert states.media_status(session, first.id, "finished", result={"url": "u"}, ended_at="2031-05-06T07:08:09Z")
        assert (first.result, first.ended_at) == ({"url": "u"}, "2031-05-06T07:08:09Z")
        assert not states.media_status(session, first.id, "failed")
        assert second.status == "accepted", "each moves by itself"
        assert states.media_status(session, second.id, "running")
        assert states.media_status(session, second.id, "finished")
        assert second.ended_at is not None


def test_a_job_keeps_when_it_began_and_ended(store: Store, project: int) -> None:
    with store.db.write() as session:
        job = Job(id="j", project_id=project, kind="edit", target_type="shots", target_id=1, updated_at="long ago")
        session.add(job)
        session.flush()
        assert not states.job_state(session, "j", "done")
        assert (job.status, job.updated_at) == ("queued", "long ago")
        assert states.job_state(session, "j", "running", phase="drawing")
        assert job.started_at == job.updated_at != "long ago"
        assert (job.status, job.phase, job.ended_at) == ("running", "drawing", None)
        job.updated_at = "then"
        assert states.job_state(session, "j", "failed", error={"code": "bad_media"})
        assert job.ended_at == job.updated_at != "then"
        assert (job.status, job.error) == ("failed", {"code": "bad_media"})
        assert job.started_at is not None
        assert states.job_state(session, "j", "queued", error=None, attempt=2)
        assert (job.status, job.error, job.attempt, job.started_at, job.ended_at) == ("queued", None, 2, None, None)


def test_what_is_told_of_a_picture_is_stored_with_its_status(store: Store) -> None:
    with store.db.write() as session:
        row = ImageAnalysis(sha256="a" * 64, status="pending", updated_at="long ago")
        other = ImageAnalysis(sha256="b" * 64, status="pending", updated_at="long ago")
        session.add_all([row, other])
        session.flush()
        assert states.analysis_status(session, row.sha256, "done", caption="A boat.", provider="openrouter")
        assert (row.status, row.caption, row.provider) == ("done", "A boat.", "openrouter")
        assert row.updated_at != "long ago"
        assert not states.analysis_status(session, row.sha256, "needs_setup")
        assert (other.status, other.updated_at) == ("pending", "long ago")


def test_a_generation_keeps_its_times_and_columns(store: Store, project: int) -> None:
    with store.db.write(durable=True) as session:
        row = Generation(id="g", project_id=project, capability="video", request_digest="d", request={"prompt": "x"})
        session.add(row)
        session.flush()
        assert states.generation_state(session, "g", "submitting")
        assert states.generation_state(session, "g", "accepted", handle={"id": "p1"})
        assert states.generation_state(session, "g", "finished", output={"url": "u"}, actual_micros=12)
        assert not states.generation_state(session, "g", "failed", error={"code": "late"})
    with store.db.read() as session:
        row = session.get_one(Generation, "g")
    assert row.submitted_at and row.accepted_at and row.ended_at
    assert (row.handle, row.output, row.actual_micros, row.error) == ({"id": "p1"}, {"url": "u"}, 12, None)


def test_a_shots_problem_comes_and_goes_with_its_status(store: Store, project: int) -> None:
    with store.db.write() as session:
        shot = new_shot(session, project)
        shot.action = "runs"
        assert states.video_status(session, shot.id, "failed", problem="The frame is gone.")
        assert (shot.video_status, shot.video_problem, shot.action) == ("failed", "The frame is gone.", "runs")
        assert states.video_status(session, shot.id, "queued")
        assert shot.video_problem is None
        assert not states.video_status(session, 4711, "done")


def test_a_state_that_does_not_exist_is_a_mistake(store: Store) -> None:
    with store.db.write() as session, pytest.raises(ValueError, match="no state"):
        states.run_state(session, "r", "finished")  # type: ignore[arg-type]
