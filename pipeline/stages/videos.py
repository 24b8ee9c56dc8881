"""A clip for every frame, cut to its slot in the film's form. The video lane is the video queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline import prompts
from pipeline.contracts import FilmForm, Lane, VideoRequest, digest
from pipeline.errors import Cancelled, ProductError
from pipeline.film.clips import accept_clip
from pipeline.film.timeline import slot_frames
from pipeline.generation.entities import render_of, seed_of
from pipeline.generation.variations import ask_for_another
from pipeline.stage import Note, Outcome, StageContext, Unit, about_shot, frame_key, lipsync_key, shot_label, video_key
from pipeline.store.laying import covers, frames_of, needs_recut
from pipeline.store.looks import looks_fit
from pipeline.store.models import Project, Shot
from pipeline.store.places import keep_late, show
from pipeline.store.states import video_status
from pipeline.store.versions import Source


class NoFrame(ProductError):
    """The shot has no frame to start from."""

    code = "no_frame"


class VideosStage:
    name: ClassVar[str] = "videos"
    lane: ClassVar[Lane] = Lane.VIDEO
    after: ClassVar[tuple[str, ...]] = ("shots",)
    attempts: ClassVar[int] = 2
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = False
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        with ctx.read() as session:
            fps = ctx.form(ctx.project(session)).fps
            shots = session.scalars(select(Shot).where(Shot.project_id == ctx.project_id).order_by(Shot.idx))
            return [
                Unit(
                    video_key(shot.id),
                    f"the clip of {shot_label(shot.idx)}",
                    (frame_key(shot.id),),
                    derived=needs_recut(shot, fps),
                    subject=shot.id,
                    about=about_shot(shot.idx, shot.id),
                )
                for shot in shots
            ]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project, shot = ctx.project(session), session.get_one(Shot, unit.subject)
        form = ctx.form(project)
        _, frames = slot_frames(shot.start_ms, shot.end_ms, form.fps)
        # A clip that covers its slot, whatever its slot was when it was made, is what is wanted.
        fits = covers(shot, form.fps)
        frames = frames_of(shot) if fits else frames
        if "video" in shot.own_slots:
            return digest("own", shot.video_url if fits else frames)
        parts = [shot.first_frame_url, shot.move, shot.action, frames, form, project.video_model]
        again = shot.variations.get("video", 0)
        return digest(*parts, again) if again else digest(*parts)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            project, shot = ctx.project(session), session.get_one(Shot, unit.subject)
            form, look = ctx.form(project), _look(project, shot)
            recut = needs_recut(shot, form.fps) and (
                "video" in shot.own_slots or ctx.output(session, unit.key).get("look") == look
            )
        if recut:
            return self._recut(ctx, unit, shot, form, look)
        if "video" in shot.own_slots:
            own = (shot.video_url or "",)
            return Outcome(f"Kept {unit.label}, which is your own.", status="skipped", media=own)
        with ctx.store.db.write() as session:
            video_status(session, unit.subject, "generating")
        try:
            return self._make(ctx, unit, look)
        except ProductError as failure:
            self._note_failure(ctx, unit, failure)
            raise

    def _recut(self, ctx: StageContext, unit: Unit, shot: Shot, form: FilmForm, look: str) -> Outcome:
        """The slot has outgrown the clip as it is cut, but not as it came: it is cut again, at no cost."""
        frames = slot_frames(shot.start_ms, shot.end_ms, form.fps)[1]
        raw = str((shot.video_meta or {})["raw"])
        with ctx.draft(".mp4") as draft:
            accept_clip(ctx.file(raw), frames, form, draft, cancel=ctx.halt)
            meta = {**(shot.video_meta or {}), "measured": {"frames": frames}}
            clip = ctx.publish(draft, ext="mp4", meta=meta, of=raw)
        source: Source = "upload" if "video" in shot.own_slots else "generated"

        def apply(session: Session) -> None:
            show(session, session.get_one(Shot, unit.subject), "video", clip.url, meta, source=source)
            video_status(session, unit.subject, "done")

        text = f"Cut {unit.label} anew to its slot ({frames} frames)."
        outdated = (lipsync_key(unit.subject),) if shot.lipsync_url else ()
        return Outcome(text, media=(clip.url,), data={"look": look}, apply=apply, outdates=outdated)

    def _make(self, ctx: StageContext, unit: Unit, look: str) -> Outcome:
        with ctx.read() as session:
            project, shot = ctx.project(session), session.get_one(Shot, unit.subject)
            form = ctx.form(project)
            request = _request(ctx, project, shot, form)
            render = render_of(project, "video")
        made = ctx.generate(unit, request, render=render)
        clip, shortfall_ms = ctx.fit(made, request.frames, form)
        actual_ms = made.details.get("duration_ms") or made.details["frames"] * 1000 // form.fps

        def apply(session: Session) -> None:
            shot = session.get_one(Shot, unit.subject)
            show(session, shot, "video", clip.url, clip.meta)
            shot.actual_video_duration_ms = actual_ms
            video_status(session, unit.subject, "done")

        problems: tuple[Note, ...] = ()
        if shortfall_ms:
            problems = (Note("short_clip", f"the clip is {shortfall_ms} ms too short; its last frame is held."),)
        return Outcome(
            f"Made {unit.label} ({request.frames} frames).",
            media=(clip.url,),
            data={"look": look},
            problems=problems,
            apply=apply,
            outdates=(lipsync_key(unit.subject),) if shot.lipsync_url and shot.video_url != clip.url else (),
            late=lambda session, earlier: keep_late(
                session, unit.subject, "video", clip.url, clip.meta, earlier_text=earlier
            ),
        )

    def _note_failure(self, ctx: StageContext, unit: Unit, failure: ProductError) -> None:
        with ctx.store.db.write() as session:
            if isinstance(failure, Cancelled):
                video_status(session, unit.subject, "pending")
            else:
                video_status(session, unit.subject, "failed", problem=failure.sentence)

    def stands(self, ctx: StageContext, unit: Unit) -> None:
        looks_fit(ctx.store.db, ctx.store.events, unit.subject, "video")

    def vary(self, session: Session, unit: Unit) -> None:
        ask_for_another(session, unit.subject, "video")

    def verify(self, ctx: StageContext) -> None:
        return None


def _look(project: Project, shot: Shot) -> str:
    """What a clip is made from but for its length."""
    again = shot.variations.get("video", 0)
    return digest(shot.first_frame_url, shot.move, shot.action, project.video_model, again)


def _request(ctx: StageContext, project: Project, shot: Shot, form: FilmForm) -> VideoRequest:
    if not shot.first_frame_url:
        raise NoFrame(f"Shot {shot.idx + 1} has no frame to start from.", hint="Make its frame first.")
    _, frames = slot_frames(shot.start_ms, shot.end_ms, form.fps)
    again = shot.variations.get("video", 0)
    return VideoRequest(
        model=project.video_model,
        needs_720p=shot.kind == "dialogue" and shot.speaker_id is not None,
        prompt=prompts.clip(action=shot.action or shot.text, move=shot.move),
        image=ctx.store.media.ref(shot.first_frame_url).model_copy(update={"meta": dict(shot.frame_meta or {})}),
        move=shot.move,  # type: ignore[arg-type]
        form=form,
        frames=frames,
        seed=seed_of(shot.seed, shot.text, *([again] if again else [])),
    )
