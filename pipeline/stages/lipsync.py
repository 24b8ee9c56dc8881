"""Lips that move with the words, on dialogue shots. A failure here never stops a film: it shows the plain clip.

Paid lips are bought for a clip as it came and for the words under it. Where only the silence after the words has
another length now, they are cut to their slot again.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import FilmForm, Lane, LipsyncRequest, MediaRef, digest
from pipeline.errors import Cancelled, MediaMissing, ProductError
from pipeline.film import sound
from pipeline.film.clips import accept_clip
from pipeline.film.timeline import frame_at, slot_frames
from pipeline.generation.chain import EMBEDDED
from pipeline.generation.entities import render_of
from pipeline.generation.lipsync import LEAST_MS, pad_with_silence
from pipeline.stage import Outcome, StageContext, Unit, about_shot, lipsync_key, shot_label, video_key
from pipeline.store.laying import clear
from pipeline.store.models import Character, Project, ScriptSegment, Shot
from pipeline.store.places import keep_late, show
from pipeline.store.states import LipsyncStatus, lipsync_status

_MOST_HELD_MS = 200  # at the end, in silence: little more than the pause between two segments


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
        sounds = [(url, start) for url, start, _ in _heard(session, shot)]
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
            look, before = _look(session, shot), ctx.output(session, unit.key)
            session.expunge_all()
        if not any(face["name"] == speaker for face in _faces(shot)) and _is_ours(shot):
            return self._skipped(unit, f"{speaker}'s face is not seen.")
        request = self._request(ctx, project, shot, speaker, form)
        paid = ctx.is_paid(request, render)
        if paid and before.get("look") == look:
            clip = self._cut_again(ctx, request, str(before["came"]))
            if clip is not None:
                return _shown(unit, clip, f"Cut {unit.label} anew to their slot.", dict(before))
        if paid and shot.duration_ms < LEAST_MS:
            request = self._lengthened(ctx, request, shot)
        synced = ctx.generate(unit, request, render=render)
        clip, _ = ctx.fit(synced, slot_frames(shot.start_ms, shot.end_ms, form.fps)[1], form)
        bought = {} if synced.provider == EMBEDDED else {"look": look, "came": synced.media.url}
        return _shown(unit, clip, f"Moved {unit.label}.", bought)

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

    @staticmethod
    def _cut_again(ctx: StageContext, request: LipsyncRequest, came: str) -> MediaRef | None:
        """Lips as they were bought, in their present slot; None where they are gone, or end too long before it does."""
        with ctx.draft(".mp4") as draft:
            try:
                found = accept_clip(ctx.file(came), request.frames, request.form, draft, cancel=ctx.halt)
            except MediaMissing:
                return None
            if found.shortfall_ms > _MOST_HELD_MS:
                return None
            meta = {"measured": {"frames": request.frames}, "raw": came}
            return ctx.publish(draft, ext="mp4", meta=meta, of=came)

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


def _shown(unit: Unit, clip: MediaRef, text: str, bought: dict[str, Any]) -> Outcome:
    """`bought`: what they were made from but for the silence at the end, and the file as it came; empty for our own."""

    def apply(session: Session) -> None:
        show(session, session.get_one(Shot, unit.subject), "lipsync", clip.url)
        lipsync_status(session, unit.subject, "done")

    return Outcome(
        text,
        media=(clip.url,),
        data={name: bought[name] for name in ("look", "came") if name in bought},
        apply=apply,
        late=lambda session, earlier: keep_late(session, unit.subject, "lipsync", clip.url, earlier_text=earlier),
    )


def _heard(session: Session, shot: Shot) -> list[tuple[str | None, int, int]]:
    """(sound, its start, its end) of what is said in a shot. Times are relative to the shot, so that its lips stay when
    it only moves along the narration."""
    rows = session.execute(
        select(ScriptSegment.audio_url, ScriptSegment.start_time_ms, ScriptSegment.end_time_ms)
        .where(ScriptSegment.project_id == shot.project_id, ScriptSegment.idx.in_(shot.segments))
        .order_by(ScriptSegment.idx)
    )
    return [(url, (start or 0) - shot.start_ms, (end or 0) - shot.start_ms) for url, start, end in rows]


def _look(session: Session, shot: Shot) -> str:
    """What lips are made from but for the silence after the last word: the clip as it came, and the words."""
    heard = _heard(session, shot)
    last = min(max((end for _, _, end in heard), default=0), shot.duration_ms)
    sounds = [(url, start) for url, start, _ in heard]
    return digest((shot.video_meta or {}).get("raw") or shot.video_url, sounds, last, shot.speaker_id)


def _is_ours(shot: Shot) -> bool:
    return "picture" in (shot.video_meta or {})


def _faces(shot: Shot) -> Sequence[dict[str, object]]:
    picture = (shot.video_meta or {}).get("picture") or {}
    faces: Sequence[dict[str, object]] = picture.get("faces", ())
    return faces
