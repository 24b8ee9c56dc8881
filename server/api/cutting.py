"""Shots by hand: what is seen, where the cuts are, own pictures and clips, earlier versions."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import Field
from werkzeug.datastructures import FileStorage

from pipeline.contracts import Angle, CameraMove, Framing
from pipeline.generation.reference_images import picture_of
from pipeline.projects.clips import MOST_CLIP_BYTES, take_clip
from pipeline.projects.documents import ShotView, row_json
from pipeline.projects.editing import (
    bring_back,
    change_shot,
    clear_frame,
    merge_shot,
    order_shots,
    remove_shot,
    split_shot,
    use_own,
)
from pipeline.projects.editing.arrangement import find
from pipeline.projects.entity_fields import VersionView, columns_of
from pipeline.projects.uploads import MOST_BYTES
from pipeline.store import versions
from pipeline.store.models import Shot
from pipeline.store.places import ShotSlot
from server.api.images import noticed, start_all
from server.api.timeline import EDITS, Order, Seen, edit, listed, told
from server.contract import Body, Files, Page, Text, Version, api, json_text
from server.http import services

room = Blueprint("cutting", __name__, url_prefix="/api")

_FRAMES: dict[str, ShotSlot] = {"first-frame": "first_frame", "last-frame": "last_frame"}
_FRAME = "<any('first-frame', 'last-frame'):frame>"
_UPLOAD_PROBLEMS = ("bad_media", "too_large")
Name = Annotated[Text, Field(max_length=500)]
Address = Annotated[Text, Field(max_length=200)]


class ShotChanges(Body):
    """Only what is given changes. `subjects` names who and what is seen, the focal one first; `pinned_references` are
    addresses of pictures (`/media/…`) that come first in every request for this shot."""

    framing: Framing = "medium"
    angle: Angle = "eye"
    move: CameraMove = "hold"
    subjects: Annotated[list[Name], Field(max_length=50, default_factory=list)]
    action: Annotated[Text, Field(max_length=2_000)] = ""
    pinned_references: Annotated[list[Address], Field(max_length=14, default_factory=list)]
    version: Version = None


class TimeCut(Body):
    """`at_ms`: where in the narration the second shot begins; moved to the nearest word. Null: about the middle."""

    at_ms: Annotated[int | None, Field(ge=0, lt=1 << 40)] = None
    version: Version = None


@room.patch("/shots/<int:shot_id>")
@api(body=ShotChanges, answers={200: ShotView}, problems=(*EDITS, "media_missing"))
def change_one_shot(shot_id: int, body: ShotChanges) -> Response:
    """Changes what is seen in a shot, and how. What was made before stays in use, and is marked stale."""
    parts = services()
    for url in body.pinned_references:
        picture_of(parts.store.media, url)
    with edit() as session:
        fields = body.model_dump(exclude_unset=True, exclude={"version"})
        shot = change_shot(session, shot_id, fields, seen=body.version)
        told(session, shot.project_id, f"Shot {shot.idx + 1} was changed.")
        return json_text(row_json(session.connection(), shot.id, "shots"))


@room.post("/shots/<int:shot_id>/split")
@api(body=TimeCut, answers={200: Page[ShotView]}, problems=EDITS)
def split_one_shot(shot_id: int, body: TimeCut) -> Response:
    """Cuts a shot in two; answers with all of them. The first keeps its picture and its clip."""
    with edit() as session:
        project = split_shot(session, shot_id, body.at_ms, seen=body.version)
        told(session, project.id, "A shot was split.")
        return listed(session, project.id, "shots")


@room.post("/shots/<int:shot_id>/merge")
@api(body=Seen, answers={200: Page[ShotView]}, problems=EDITS)
def merge_one_shot(shot_id: int, body: Seen) -> Response:
    """Makes one shot of this and the next, which shows what this one shows; answers with all of them."""
    with edit() as session:
        project = merge_shot(session, shot_id, seen=body.version)
        told(session, project.id, "Two shots were merged.")
        return listed(session, project.id, "shots")


@room.delete("/shots/<int:shot_id>")
@api(answers={204: None}, problems=EDITS)
def delete_shot(shot_id: int) -> None:
    """Takes a shot out; a neighbour with the same voice is seen for longer."""
    with edit() as session:
        told(session, remove_shot(session, shot_id).id, "A shot was deleted.")


@room.put("/scenes/<int:scene_id>/shots/order")
@api(body=Order, answers={200: Page[ShotView]}, problems=EDITS)
def put_shots_in_order(scene_id: int, body: Order) -> Response:
    """Shows a scene's pictures in another order. What is said, and when, stays."""
    with edit() as session:
        project = order_shots(session, scene_id, body.order)
        told(session, project.id, "The shots of a scene were put in another order.")
        return listed(session, project.id, "shots")


# --- Own pictures and clips, and earlier ones ------------------------------------------------------------


@room.delete(f"/shots/<int:shot_id>/{_FRAME}")
@api(answers={204: None})
def delete_frame(shot_id: int, frame: Literal["first-frame", "last-frame"]) -> None:
    """Clears a shot's first or last frame, and nothing else. It can be brought back from its versions."""
    with edit() as session:
        shot = clear_frame(session, shot_id, _FRAMES[frame])
        told(session, shot.project_id, f"The {frame.replace('-', ' ')} of shot {shot.idx + 1} was cleared.")


@room.post(f"/shots/<int:shot_id>/{_FRAME}")
@api(files=Files("file", MOST_BYTES), answers={200: ShotView}, problems=_UPLOAD_PROBLEMS)
def put_frame(shot_id: int, frame: Literal["first-frame", "last-frame"], files: list[FileStorage]) -> Response:
    """Shows a picture of the user's own; no run replaces it. The clip that was made from another one becomes stale."""
    parts = services()
    _there(shot_id)
    ref = parts.uploads.take(parts.store.media, [files[0].stream])[0]
    with edit() as session:
        shot = use_own(session, shot_id, _FRAMES[frame], ref.url, dict(ref.meta))
        told(session, shot.project_id, f"Shot {shot.idx + 1} has a picture of your own.")
        jobs = noticed(session, shot.project_id, [ref])
        answer = json_text(row_json(session.connection(), shot.id, "shots"))
    start_all(jobs)
    return answer


@room.post("/shots/<int:shot_id>/clip")
@api(
    files=Files("file", MOST_CLIP_BYTES, types=("video/*",)),
    answers={200: ShotView},
    problems=(*_UPLOAD_PROBLEMS, "engine_timeout"),
)
def put_clip(shot_id: int, files: list[FileStorage]) -> Response:
    """Shows a clip of the user's own, brought to the film's form and cut to the shot; no run replaces it."""
    parts = services()
    _there(shot_id)
    clip = take_clip(parts.store, shot_id, files[0].stream)
    with edit() as session:
        shot = use_own(session, shot_id, "video", clip.url, clip.meta, clip.actual_ms)
        told(session, shot.project_id, f"Shot {shot.idx + 1} has a clip of your own.")
        return json_text(row_json(session.connection(), shot.id, "shots"))


def _there(shot_id: int) -> None:
    with services().store.db.read() as session:
        find(session, Shot, shot_id)


@room.get("/shots/<int:shot_id>/versions")
@api(answers={200: Page[VersionView]})
def versions_of(shot_id: int) -> Page[VersionView]:
    """Lists the frames, clips and lip-synced clips that were made or given for a shot, newest first."""
    with services().store.db.read() as session:
        find(session, Shot, shot_id)
        rows = versions.of(session, "shots", shot_id)
        items = [columns_of(row, VersionView) | {"current": versions.shown(session, row)} for row in rows]
        return Page[VersionView].model_validate({"items": items})


@room.post("/shots/<int:shot_id>/versions/<int:version_id>/restore")
@api(answers={200: ShotView})
def restore(shot_id: int, version_id: int) -> Response:
    """Shows an earlier frame or clip again; no run replaces it."""
    with edit() as session:
        bring_back(session, shot_id, version_id)
        _, shot = find(session, Shot, shot_id)
        told(session, shot.project_id, f"Shot {shot.idx + 1} shows an earlier version again.")
        return json_text(row_json(session.connection(), shot_id, "shots"))
