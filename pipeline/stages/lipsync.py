"""Lips that move with the words, on dialogue shots. A failure here never stops a film: it shows the plain clip."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import FilmForm, Lane, LipsyncRequest, digest
from pipeline.errors import Cancelled, MediaMissing, ProductError
from pipeline.film import sound
from pipeline.film.clips import accept_clip
from pipeline.film.timeline import frame_at, slot_frames
from pipeline.generation.entities import render_of
from pipeline.generation.lipsync import LEAST_MS, pad_with_silence
from pipeline.stage import Outcome, StageContext, Unit, about_shot, lipsync_key, shot_label, video_key
from pipeline.store.laying import clear
from pipeline.store.models import Character, Project, ScriptSegment, Shot
from pipeline.store.places import keep_late, show
from pipeline.store.states import LipsyncStatus, lipsync_status


class LipsyncStage:
    name: ClassVar[str] = "lipsync"
    lane: ClassVar[Lane] = Lane.LIPSYNC
    after: ClassVar[tuple[str, ...]] = ("shots",)
    attempts: ClassVar[int] = 2
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = False
    waits: ClassVar[bool] = False
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        query = (
            select(Shot.id, Shot.idx)
            .where(Shot.project_id == ctx.project_id, Shot.kind == "dialogue", Shot.speaker_id.is_not(None))
            .order_by(Shot.idx)
        )
        with ctx.read() as session:
            return [
                Unit(
                    lipsync_key(shot_id),
                    f"the lips of {shot_label(index)}",
                    (video_key(shot_id),),
                    subject=shot_id,
                    about=about_shot(index, shot_id),
                )
                for shot_id, index in session.execute(query)
            ]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        shot = session.get_one(Shot, unit.subject)
        if "lipsync" in shot.own_slots:
            return digest("own", shot.lipsync_url)
        heard = session.execute(
            select(ScriptSegment.audio_url, ScriptSegment.start_time_ms)
            .where(ScriptSegment.project_id == ctx.project_id, ScriptSegment.idx.in_(shot.segments))
            .order_by(ScriptSegment.idx)
        )
        # Times relative to the shot: lips stay when the whole shot only moves along the narration.
        sounds = [(url, (start or 0) - shot.start_ms) for url, start in heard]
        return digest(shot.video_url, sounds, shot.duration_ms, shot.speaker_id)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            chosen = session.get_one(Shot, unit.subject)
        if "lipsync" in chosen.own_slots:
            return Outcome(f"Kept {unit.label}, which you chose.", status="skipped", media=(chosen.lipsync_url or "",))
        with ctx.store.db.write() as session:
            lipsync_status(session, unit.subject, "generating")
        try:
            return self._make(ctx, unit)
        except Cancelled:
            self._note(ctx, unit, "pending", None)
            raise
        except MediaMissing as failure:
            self._note(ctx, unit, "failed", failure.sentence)
            raise
        except ProductError as failure:
            if failure.code != "no_face":
                self._note(ctx, unit, "failed", failure.sentence)
                raise
            return self._skipped(unit, failure.detail)

    def _make(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            project, shot = ctx.project(session), session.get_one(Shot, unit.subject)
            speaker = session.get_one(Character, shot.speaker_id).name
            if not shot.video_url:
                return self._skipped(unit, "there is no clip to move the lips of.")
            form, render = ctx.form(project), render_of(project, "lipsync")
            session.expunge_all()
        if not any(face["name"] == speaker for face in _faces(shot)) and _is_ours(shot):
            return self._skipped(unit, f"{speaker}'s face is not seen.")
        request = self._request(ctx, project, shot, speaker, form)
        if shot.duration_ms < LEAST_MS and ctx.is_paid(request, render):
            request = self._lengthened(ctx, request, shot)
        synced = ctx.generate(unit, request, render=render)
        clip, _ = ctx.fit(synced, slot_frames(shot.start_ms, shot.end_ms, form.fps)[1], form)

        def apply(session: Session) -> None:
            show(session, session.get_one(Shot, unit.subject), "lipsync", clip.url)
            lipsync_status(session, unit.subject, "done")

        return Outcome(
            f"Moved {unit.label}.",
            media=(clip.url,),
            apply=apply,
            late=lambda session: keep_late(session, unit.subject, "lipsync", clip.url),
        )

    def _request(self, ctx: StageContext, project: Project, shot: Shot, speaker: str, form: FilmForm) -> LipsyncRequest:
        assert shot.video_url and project.narration_wav_url
        with ctx.draft(".wav") as draft:
            sound.slice(ctx.file(project.narration_wav_url), shot.start_ms, shot.end_ms, draft)
            audio = ctx.publish(draft, ext="wav")
        return LipsyncRequest(
            clip=ctx.store.media.ref(shot.video_url).model_copy(update={"meta": dict(shot.video_meta or {})}),
            audio=audio,
            speaker=speaker,
            form=form,
            frames=slot_frames(shot.start_ms, shot.end_ms, form.fps)[1],
        )

    def _lengthened(self, ctx: StageContext, request: LipsyncRequest, shot: Shot) -> LipsyncRequest:
        """A slot shorter than providers take: two seconds of the clip as it was made, with silence after the words."""
        frames = frame_at(LEAST_MS, request.form.fps)
        whole = str((shot.video_meta or {}).get("raw") or shot.video_url)
        with ctx.draft(".wav") as wav, ctx.draft(".mp4") as mp4:
            shutil.copyfile(ctx.file(request.audio.url), wav)
            pad_with_silence(wav, LEAST_MS)
            accept_clip(ctx.file(whole), frames, request.form, mp4, cancel=ctx.halt)
            changed = {
                "audio": ctx.publish(wav, ext="wav"),
                "clip": ctx.publish(mp4, ext="mp4", of=whole),
                "frames": frames,
            }
        return request.model_copy(update=changed)

    def _skipped(self, unit: Unit, reason: str) -> Outcome:
        def apply(session: Session) -> None:
            shot = session.get_one(Shot, unit.subject)
            shot.lipsync_url = None
            clear(shot, "lipsync")
            lipsync_status(session, unit.subject, "skipped", problem=reason)

        return Outcome(f"Left {unit.label} as they are: {reason}", status="skipped", apply=apply)

    def _note(self, ctx: StageContext, unit: Unit, status: LipsyncStatus, problem: str | None) -> None:
        with ctx.store.db.write() as session:
            lipsync_status(session, unit.subject, status, problem=problem)

    def verify(self, ctx: StageContext) -> None:
        return None


def _is_ours(shot: Shot) -> bool:
    return "picture" in (shot.video_meta or {})


def _faces(shot: Shot) -> Sequence[dict[str, object]]:
    picture = (shot.video_meta or {}).get("picture") or {}
    faces: Sequence[dict[str, object]] = picture.get("faces", ())
    return faces
