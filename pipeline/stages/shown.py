"""What each shot shows in the film: the best picture there is for it, and the last touches that this one gets.

Hides where stand-ins come from, and where pictures dim because time passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import FilmForm
from pipeline.errors import MediaMissing
from pipeline.film import captions
from pipeline.film.clips import accept_clip, card, still_clip
from pipeline.film.finish import NO_DIMMING, Dimming, Overlay, finish_clip
from pipeline.film.options import film_options
from pipeline.film.timeline import frame_at, slot_frames
from pipeline.generation.entities import film_form
from pipeline.stage import Note, StageContext, about_shot, shot_label
from pipeline.store.models import Project, Scene, ScriptSegment, Shot
from pipeline.store.spoken import spoken_segments
from pipeline.writer.passing import time_passes

_DIM_MS = 420  # for how long a picture goes into the dark; and as long comes the next one out of it
_DRAWING_S = 60.0
_DIM_SHARE = 3  # never longer than this part of the shot


@dataclass(frozen=True)
class Part:
    """One shot's place in the film, and the best picture there is for it."""

    index: int
    frames: int
    clip_url: str | None
    still_url: str | None


@dataclass(frozen=True)
class ShownCue:
    """A caption in the picture: its lines, and the frames of the shot on which it is seen."""

    lines: tuple[str, ...]
    first: int
    frames: int


@dataclass(frozen=True)
class Touches:
    """What a shot gets in the film besides its own picture."""

    cues: tuple[ShownCue, ...] = ()
    dimming: Dimming = NO_DIMMING

    def __bool__(self) -> bool:
        return bool(self.cues) or self.dimming != NO_DIMMING


def parts(session: Session, project: Project) -> list[Part]:
    """The film's shots in order."""
    form = film_form(project)
    rows = session.execute(
        select(Shot.idx, Shot.start_ms, Shot.end_ms, Shot.lipsync_url, Shot.video_url, Shot.first_frame_url)
        .where(Shot.project_id == project.id)
        .order_by(Shot.idx)
    )
    return [
        Part(index, slot_frames(start, end, form.fps)[1], lips or clip, still)
        for index, start, end, lips, clip, still in rows
    ]


def part_of(project: Project, shot: Shot) -> Part:
    """One shot's."""
    frames = slot_frames(shot.start_ms, shot.end_ms, film_form(project).fps)[1]
    return Part(shot.idx, frames, shot.lipsync_url or shot.video_url, shot.first_frame_url)


def touches_of(session: Session, project: Project, shot: Shot) -> Touches:
    """The touches that the project's options ask for."""
    cues: tuple[ShownCue, ...] = ()
    if film_options(project.options).captions == "burned" and shot.segments:
        cues = _cues_in(session, project, shot)
    return Touches(cues, dimmings(session, project, around=shot).get(shot.id, Dimming()))


def _cues_in(session: Session, project: Project, shot: Shot) -> tuple[ShownCue, ...]:
    form = film_form(project)
    said = spoken_segments(session, project.id, first=min(shot.segments), last=max(shot.segments))
    begin, length = slot_frames(shot.start_ms, shot.end_ms, form.fps)
    found = []
    for cue in captions.cues(said, width=captions.line_width(form)):
        first = max(0, frame_at(cue.start_ms, form.fps) - begin)
        end = min(length, frame_at(cue.end_ms, form.fps) - begin)
        if end > first:
            found.append(ShownCue(cue.lines, first, end - first))
    return tuple(found)


def dimmings(session: Session, project: Project, *, around: Shot | None = None) -> dict[int, Dimming]:
    """By shot id, how its picture dims where time passes before or after its scene; only shots that do.

    `around`: only what can be told of this shot.
    """
    if not film_options(project.options).fades:
        return {}
    fps = film_form(project).fps
    query = (
        select(Shot.id, Shot.scene_id, Shot.start_ms, Shot.end_ms)
        .where(Shot.project_id == project.id)
        .order_by(Shot.idx)
    )
    if around is not None:
        query = query.where(Shot.idx.between(around.idx - 1, around.idx + 1))
    shots = session.execute(query).all()
    later = _later_scenes(session, project, {shot.scene_id for shot in shots})
    found: dict[int, Dimming] = {}
    for last, first in pairwise(shots):
        if last.scene_id != first.scene_id and first.scene_id in later:
            rise = found.get(last.id, Dimming()).rise
            found[last.id] = Dimming(rise, _dim_frames(last.start_ms, last.end_ms, fps))
            found[first.id] = Dimming(_dim_frames(first.start_ms, first.end_ms, fps))
    return found


def _later_scenes(session: Session, project: Project, among: set[int]) -> set[int]:
    """Those of these scenes before which time passes; the one before has to be among them too."""
    rows = session.execute(
        select(Scene.id, Scene.time_of_day, ScriptSegment.text)
        .join(
            ScriptSegment,
            (ScriptSegment.project_id == Scene.project_id) & (ScriptSegment.idx == Scene.first_segment_idx),
        )
        .where(Scene.project_id == project.id, Scene.id.in_(among))
        .order_by(Scene.idx)
    ).all()
    return {
        scene.id for before, scene in pairwise(rows) if time_passes(before.time_of_day, scene.time_of_day, scene.text)
    }


def _dim_frames(start_ms: int, end_ms: int, fps: int) -> int:
    _, frames = slot_frames(start_ms, end_ms, fps)
    return min(frame_at(_DIM_MS, fps), frames // _DIM_SHARE)


@contextmanager
def picture(ctx: StageContext, part: Part, form: FilmForm) -> Iterator[tuple[Path, list[Note]]]:
    """A clip of exactly the part's frames (the shot's, else its still, else a plain card), and what is to be said."""
    name = shot_label(part.index)
    with ctx.draft(".mp4") as stand_in:
        try:
            if part.clip_url is not None:
                clip = ctx.file(part.clip_url)
                meta = ctx.store.media.ref(part.clip_url).meta
                if meta.get("measured", {}).get("frames") == part.frames:
                    yield clip, []
                    return
                accepted = accept_clip(clip, part.frames, form, stand_in, cancel=ctx.halt)
                short = [
                    Note(
                        "short_clip",
                        f"the clip of {name} is too short; its last frame is held.",
                        about_shot(part.index),
                    )
                ]
                # One frame is what the film's grid can add to a slot that only moved.
                yield stand_in, short if accepted.shortfall_ms > 1500 // form.fps else []
                return
        except MediaMissing as failure:
            missing = [Note("missing_clip", f"{name}: {failure.detail}", about_shot(part.index))]
        else:
            missing = [Note("missing_clip", f"{name} has no clip; its still is shown.", about_shot(part.index))]
        yield stand_in, _stand_in(ctx, part, form, stand_in) or missing


def _stand_in(ctx: StageContext, part: Part, form: FilmForm, out: Path) -> list[Note]:
    try:
        if part.still_url is not None:
            still_clip(ctx.file(part.still_url), part.frames, form, out, cancel=ctx.halt)
            return []
    except MediaMissing:
        pass
    card(part.frames, form, out, cancel=ctx.halt)
    said = f"{shot_label(part.index)} has neither clip nor frame; a plain card is shown."
    return [Note("missing_picture", said, about_shot(part.index))]


def touch(
    ctx: StageContext, clip: Path, frames: int, touches: Touches, language: str, form: FilmForm, out: Path
) -> str:
    """Writes the clip with its touches; the letters of its captions that no font has."""
    from pipeline.inference.drawing import lettering  # only here: a server that starts would wait for the engine

    with ExitStack() as drafts:
        pictures = [drafts.enter_context(ctx.draft(".png")) for _ in touches.cues]
        places: list[tuple[int, int]] = []
        missing = ""
        if touches.cues:
            lines = [cue.lines for cue in touches.cues]
            places, missing = ctx.compute(
                lettering.draw_captions, lines, language, form, pictures, timeout_s=_DRAWING_S
            )
        overlays = [
            Overlay(picture, x, y, cue.first, cue.frames)
            for picture, (x, y), cue in zip(pictures, places, touches.cues, strict=True)
        ]
        finish_clip(clip, frames, form, out, overlays=overlays, dimming=touches.dimming, cancel=ctx.halt)
    return missing


def card_clip(
    ctx: StageContext, words: str, language: str, frame: str | None, form: FilmForm, ms: int, out: Path
) -> None:
    """A clip of a card with these words, before a frame of the film where there is one."""
    from pipeline.inference.drawing import cards  # as above

    frames = frame_at(ms, form.fps)
    behind = ctx.file(frame) if frame is not None else None
    with ctx.draft(".png") as drawing, ctx.draft(".mp4") as still:
        ctx.compute(cards.draw_card, words, language, behind, form, drawing, timeout_s=_DRAWING_S)
        still_clip(drawing, frames, form, still, cancel=ctx.halt)
        dim = frame_at(_DIM_MS, form.fps)
        finish_clip(still, frames, form, out, dimming=Dimming(dim, dim), cancel=ctx.halt)
