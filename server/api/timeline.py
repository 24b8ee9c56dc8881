"""The script and its scenes: lists, and every change of them by hand. Shots are next door (`cutting`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from pipeline.contracts import Render, TimeOfDay, Weather
from pipeline.projects import live_project
from pipeline.projects.documents import SceneView, SegmentView, ShotView, has_project, row_json, timeline_json
from pipeline.projects.editing import (
    MOST_CHARACTERS,
    change_scene,
    change_segment,
    insert_segment,
    merge_scene,
    merge_segment,
    order_scenes,
    order_segments,
    remove_scene,
    remove_segment,
    split_scene,
    split_segment,
)
from server.api.jobs import JobView, job_view
from server.contract import WORK_PROBLEMS, Body, Page, Text, Turn, Version, api, json_text, of_project
from server.http import services

room = Blueprint("timeline", __name__, url_prefix="/api")

What = Literal["segments", "scenes", "shots"]
EDITS = ("conflict", "stale_version")
_SHARED_S = 0.25
_PROJECT = "/projects/<int:project_id>"
Words = Annotated[Text, Field(min_length=1, max_length=MOST_CHARACTERS)]
Id = Annotated[int, Field(ge=1, lt=1 << 63)]
Ids = Annotated[list[Id], Field(max_length=100_000)]
SegmentType = Literal["narration", "dialogue"]


class SegmentChanges(Body):
    """Only what is given changes. Narration has no speaker."""

    text: Words = ""
    segment_type: SegmentType = "narration"
    speaker_id: Id | None = None
    version: Version = None


class NewSegment(Body):
    """`after`: the id of the segment that it comes behind, in the same scene; null: at the beginning."""

    text: Words
    segment_type: SegmentType = "narration"
    speaker_id: Id | None = None
    after: Id | None = None


class TextCut(Body):
    """`char`: where in the text the second segment begins."""

    char: Annotated[int, Field(ge=1, lt=MOST_CHARACTERS)]
    version: Version = None


class Seen(Body):
    version: Version = None


class Order(Body):
    """All ids, in their new order."""

    order: Ids


class SceneChanges(Body):
    """Only what is given changes; `characters` and `props` are lists of ids."""

    title: Annotated[Text, Field(max_length=500)] = ""
    set_id: Id | None = None
    time_of_day: TimeOfDay = "day"
    weather: Weather = "clear"
    mood: Annotated[Text, Field(max_length=500)] = ""
    characters: Annotated[Ids, Field(default_factory=list)]
    props: Annotated[Ids, Field(default_factory=list)]
    version: Version = None


class SceneCut(Body):
    """`segment_id`: with which of its segments the second scene begins."""

    segment_id: Id
    version: Version = None


class AudioWish(Body):
    """`render`: for this once, in place of the project's own."""

    render: Render | None = None


@room.get(f"{_PROJECT}/segments")
@api(answers={200: Page[SegmentView]}, polled=of_project, shared_s=_SHARED_S)
def segments(project_id: int) -> Response:
    """Lists the script's segments in order."""
    return _list(project_id, "segments")


@room.get(f"{_PROJECT}/scenes")
@api(answers={200: Page[SceneView]}, polled=of_project, shared_s=_SHARED_S)
def scenes(project_id: int) -> Response:
    """Lists the scenes in order."""
    return _list(project_id, "scenes")


@room.get(f"{_PROJECT}/shots")
@api(answers={200: Page[ShotView]}, polled=of_project, shared_s=_SHARED_S)
def shots(project_id: int) -> Response:
    """Lists the shots in order."""
    return _list(project_id, "shots")


def _list(project_id: int, what: What) -> Response:
    with services().store.db.reading() as connection:
        has_project(connection, project_id)
        return _items(connection, project_id, what)


def listed(session: Session, project_id: int, what: What) -> Response:
    """All of a kind, also as it stands inside a write."""
    return _items(session.connection(), project_id, what)


def _items(connection: Connection, project_id: int, what: What) -> Response:
    return json_text(b'{"items":' + timeline_json(connection, project_id, what) + b',"next":null}')


@contextmanager
def edit() -> Iterator[Session]:
    """A write that changes the timeline; say what was changed with `told`."""
    with services().store.db.write(durable=True) as session:
        yield session


def told(session: Session, project_id: int, text: str) -> None:
    """An event, so that whoever watches looks again."""
    session.flush()
    services().store.events.append(session, project_id=project_id, kind="timeline", text=text)


# --- Segments ------------------------------------------------------------------------------------------


@room.patch("/segments/<int:segment_id>")
@api(body=SegmentChanges, answers={200: SegmentView}, problems=EDITS)
def change_one_segment(segment_id: int, body: SegmentChanges) -> Response:
    """Changes a segment's words or its speaker.

    Its sound stays until it is asked for anew (`stale`); then what follows is timed anew, and nothing else is made.
    """
    with edit() as session:
        fields = body.model_dump(exclude_unset=True, exclude={"version"})
        segment = change_segment(session, segment_id, fields, seen=body.version)
        told(session, segment.project_id, f"Segment {segment.idx + 1} was changed.")
        return json_text(row_json(session.connection(), segment.id, "segments"))


@room.post(f"{_PROJECT}/segments")
@api(body=NewSegment, answers={201: SegmentView}, problems=EDITS)
def add_segment(project_id: int, body: NewSegment) -> SegmentView:
    """Adds a segment to the script; the next run speaks it."""
    with edit() as session:
        project = live_project(session, project_id)
        segment = insert_segment(session, project, body.model_dump(exclude={"after"}), after=body.after)
        told(session, project_id, f"Segment {segment.idx + 1} was added.")
        return SegmentView.model_validate_json(row_json(session.connection(), segment.id, "segments"))


@room.delete("/segments/<int:segment_id>")
@api(answers={204: None}, problems=EDITS)
def delete_segment(segment_id: int) -> None:
    """Takes a segment out of the script; a scene that was nothing else goes with it."""
    with edit() as session:
        told(session, remove_segment(session, segment_id).id, "A segment was deleted.")


@room.post("/segments/<int:segment_id>/split")
@api(body=TextCut, answers={200: Page[SegmentView]}, problems=EDITS)
def split_one_segment(segment_id: int, body: TextCut) -> Response:
    """Makes two segments of one; answers with all of them. The next run speaks both."""
    with edit() as session:
        segment = split_segment(session, segment_id, body.char, seen=body.version)
        told(session, segment.project_id, f"Segment {segment.idx} was split.")
        return listed(session, segment.project_id, "segments")


@room.post("/segments/<int:segment_id>/merge")
@api(body=Seen, answers={200: Page[SegmentView]}, problems=EDITS)
def merge_one_segment(segment_id: int, body: Seen) -> Response:
    """Makes one segment of this and the next; answers with all of them. The next run speaks it."""
    with edit() as session:
        segment = merge_segment(session, segment_id, seen=body.version)
        told(session, segment.project_id, f"Segment {segment.idx + 1} was merged with the next.")
        return listed(session, segment.project_id, "segments")


@room.put(f"{_PROJECT}/segments/order")
@api(body=Order, answers={200: Page[SegmentView]}, problems=EDITS)
def put_segments_in_order(project_id: int, body: Order) -> Response:
    """Puts the segments in another order; each scene keeps how many it has."""
    with edit() as session:
        order_segments(session, live_project(session, project_id), body.order)
        told(session, project_id, "The segments were put in another order.")
        return listed(session, project_id, "segments")


@room.post("/segments/<int:segment_id>/audio")
@api(body=AudioWish, answers={202: JobView, 200: JobView}, problems=WORK_PROBLEMS, spends=True)
def speak(segment_id: int, body: AudioWish, turn: Turn) -> tuple[JobView, int]:
    """Speaks one segment anew: 202 with the job, 200 with one that is at it already. The next run times what follows
    by it."""
    parts = services()
    with parts.store.db.write(durable=True) as session:
        row, fresh = parts.runner.units["speech"].ask(session, segment_id, render=body.render)
        answer, status = job_view(row), 202 if fresh else 200
        turn.keep(session, answer, status)
    if fresh:
        parts.runner.jobs.start(row.id)
    return answer, status


# --- Scenes --------------------------------------------------------------------------------------------


@room.patch("/scenes/<int:scene_id>")
@api(body=SceneChanges, answers={200: SceneView}, problems=EDITS)
def change_one_scene(scene_id: int, body: SceneChanges) -> Response:
    """Changes a scene: its title, its set and light, who and what is in it. Frames made before are marked stale."""
    with edit() as session:
        fields = body.model_dump(exclude_unset=True, exclude={"version"})
        scene = change_scene(session, scene_id, fields, seen=body.version)
        told(session, scene.project_id, f"Scene {scene.idx + 1} was changed.")
        return json_text(row_json(session.connection(), scene.id, "scenes"))


@room.delete("/scenes/<int:scene_id>")
@api(answers={204: None}, problems=EDITS)
def delete_scene(scene_id: int) -> None:
    """Takes a scene out of the film, with all that is said in it."""
    with edit() as session:
        told(session, remove_scene(session, scene_id).id, "A scene was deleted.")


@room.post("/scenes/<int:scene_id>/split")
@api(body=SceneCut, answers={200: Page[SceneView]}, problems=EDITS)
def split_one_scene(scene_id: int, body: SceneCut) -> Response:
    """Makes two scenes of one; answers with all of them."""
    with edit() as session:
        scene = split_scene(session, scene_id, body.segment_id, seen=body.version)
        told(session, scene.project_id, f"Scene {scene.idx} was split.")
        return listed(session, scene.project_id, "scenes")


@room.post("/scenes/<int:scene_id>/merge")
@api(body=Seen, answers={200: Page[SceneView]}, problems=EDITS)
def merge_one_scene(scene_id: int, body: Seen) -> Response:
    """Makes one scene of this and the next; answers with all of them."""
    with edit() as session:
        scene = merge_scene(session, scene_id, seen=body.version)
        told(session, scene.project_id, f"Scene {scene.idx + 1} was merged with the next.")
        return listed(session, scene.project_id, "scenes")


@room.put(f"{_PROJECT}/scenes/order")
@api(body=Order, answers={200: Page[SceneView]}, problems=EDITS)
def put_scenes_in_order(project_id: int, body: Order) -> Response:
    """Puts the scenes, with what is said in them, in another order."""
    with edit() as session:
        order_scenes(session, live_project(session, project_id), body.order)
        told(session, project_id, "The scenes were put in another order.")
        return listed(session, project_id, "scenes")
