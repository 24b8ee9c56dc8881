"""A clip for every frame, cut to its slot in the film's form. The video lane is the video queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline import prompts
from pipeline.contracts import FilmForm, Lane, VideoRequest, digest
from pipeline.errors import Cancelled, ProductError
from pipeline.film.timeline import slot_frames
from pipeline.generation.entities import seed_of
from pipeline.stage import Outcome, StageContext, Unit, frame_key, shot_label, video_key
from pipeline.store.models import Project, Shot
from pipeline.store.states import video_status


class NoFrame(ProductError):
    """The shot has no frame to start from."""

    code = "no_frame"


class VideosStage:
    name: ClassVar[str] = "videos"
    lane: ClassVar[Lane] = Lane.VIDEO
    after: ClassVar[tuple[str, ...]] = ("shots",)
    attempts: ClassVar[int] = 2
    blocking: ClassVar[bool] = False

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        query = select(Shot.id, Shot.idx).where(Shot.project_id == ctx.project_id).order_by(Shot.idx)
        with ctx.read() as session:
            return [
                Unit(video_key(shot_id), f"the clip of {shot_label(index)}", (frame_key(shot_id),), subject=shot_id)
                for shot_id, index in session.execute(query)
            ]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project, shot = ctx.project(session), session.get_one(Shot, unit.subject)
        form = ctx.form(project)
        _, frames = slot_frames(shot.start_ms, shot.end_ms, form.fps)
        return digest(shot.first_frame_url, shot.move, shot.action, frames, form, project.video_model)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.store.db.write() as session:
            video_status(session, unit.subject, "generating")
        try:
            return self._make(ctx, unit)
        except ProductError as failure:
            self._note_failure(ctx, unit, failure)
            raise

    def _make(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            project, shot = ctx.project(session), session.get_one(Shot, unit.subject)
            form = ctx.form(project)
            request = _request(ctx, project, shot, form)
            render = project.render_video
        made = ctx.generate(unit, request, render=render)
        clip, shortfall_ms = ctx.fit(made, request.frames, form)
        actual_ms = made.details.get("duration_ms") or made.details["frames"] * 1000 // form.fps

        def apply(session: Session) -> None:
            shot = session.get_one(Shot, unit.subject)
            shot.video_url, shot.video_meta = clip.url, clip.meta
            shot.actual_video_duration_ms = actual_ms
            video_status(session, unit.subject, "done")

        problems: tuple[tuple[str, str], ...] = ()
        if shortfall_ms:
            problems = (("short_clip", f"the clip is {shortfall_ms} ms too short; its last frame is held."),)
        return Outcome(
            f"Made {unit.label} ({request.frames} frames).", media=(clip.url,), problems=problems, apply=apply
        )

    def _note_failure(self, ctx: StageContext, unit: Unit, failure: ProductError) -> None:
        with ctx.store.db.write() as session:
            if isinstance(failure, Cancelled):
                video_status(session, unit.subject, "pending")
            else:
                video_status(session, unit.subject, "failed", problem=failure.sentence)

    def verify(self, ctx: StageContext) -> None:
        return None


def _request(ctx: StageContext, project: Project, shot: Shot, form: FilmForm) -> VideoRequest:
    if not shot.first_frame_url:
        raise NoFrame(f"Shot {shot.idx + 1} has no frame to start from.", hint="Make its frame first.")
    _, frames = slot_frames(shot.start_ms, shot.end_ms, form.fps)
    return VideoRequest(
        model=project.video_model,
        needs_720p=shot.kind == "dialogue" and shot.speaker_id is not None,
        prompt=prompts.clip(action=shot.action or shot.text, move=shot.move),
        image=ctx.store.media.ref(shot.first_frame_url).model_copy(update={"meta": dict(shot.frame_meta or {})}),
        move=shot.move,  # type: ignore[arg-type]
        form=form,
        frames=frames,
        seed=seed_of(shot.idx, shot.text),
    )
