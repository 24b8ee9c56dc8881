"""Speech for every segment, then the narration track: the clock of the film."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane, SpeechRequest, digest
from pipeline.film import sound
from pipeline.stage import Outcome, StageContext, StageFailed, Unit
from pipeline.store.laying import clear, mark
from pipeline.store.models import Character, Project, ScriptSegment, Shot
from pipeline.store.states import lipsync_status

NARRATION = "audio/narration"
GAP_MS = 150


def segments_of(session: Session, project_id: int) -> list[ScriptSegment]:
    query = select(ScriptSegment).where(ScriptSegment.project_id == project_id).order_by(ScriptSegment.idx)
    return list(session.scalars(query))


class AudioStage:
    name: ClassVar[str] = "audio"
    lane: ClassVar[Lane] = Lane.SPEECH
    after: ClassVar[tuple[str, ...]] = ("voices", "script")
    attempts: ClassVar[int] = 3
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = True
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        query = select(ScriptSegment.idx).where(ScriptSegment.project_id == ctx.project_id).order_by(ScriptSegment.idx)
        with ctx.read() as session:
            parts = [
                Unit(f"audio/{index}", f"segment {index + 1}", subject=index, about={"segment": index + 1})
                for index in session.scalars(query)
            ]
        return [*parts, Unit(NARRATION, "the narration", tuple(part.key for part in parts), derived=True)]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        if unit.key == NARRATION:
            return digest([segment.audio_url for segment in segments_of(session, ctx.project_id)])
        return digest(self._request(ctx, session, unit))

    def _request(self, ctx: StageContext, session: Session, unit: Unit) -> SpeechRequest:
        project = ctx.project(session)
        segment = self._segment(session, ctx.project_id, unit.subject)
        speaker = session.get(Character, segment.speaker_id) if segment.speaker_id else None
        voice = (speaker.voice if speaker else None) or project.narrator_voice or ""
        return SpeechRequest(text=segment.text, voice=voice, language=project.language or "en")

    @staticmethod
    def _segment(session: Session, project_id: int, index: int) -> ScriptSegment:
        query = select(ScriptSegment).where(ScriptSegment.project_id == project_id, ScriptSegment.idx == index)
        return session.scalars(query).one()

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        if unit.key == NARRATION:
            return self._narration(ctx)
        with ctx.read() as session:
            request = self._request(ctx, session, unit)
            render = ctx.project(session).render_speech
        spoken = ctx.generate(unit, request, render=render)

        def apply(session: Session) -> None:
            segment = self._segment(session, ctx.project_id, unit.subject)
            before = segment.audio_url
            segment.audio_url = spoken.media.url
            segment.audio_ms = spoken.details["duration_ms"]
            segment.words = spoken.details.get("words")
            clear(segment, "audio")
            if before != spoken.media.url:
                _lips_are_of_other_words(session, ctx.project_id, unit.subject)

        seconds = spoken.details["duration_ms"] / 1000
        return Outcome(f"Spoke {unit.label} ({seconds:.1f} s).", media=(spoken.media.url,), apply=apply)

    def _narration(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            rows = [(row.idx, row.audio_url) for row in segments_of(session, ctx.project_id)]
        silent = [index + 1 for index, url in rows if not url]
        if silent:
            raise StageFailed(f"Segment {silent[0]} has no sound yet.", field=self.name)
        files = [ctx.file(url) for _, url in rows if url]
        with ctx.draft(".wav") as wav, ctx.draft(".m4a") as aac:
            times = sound.join_narration(files, gap_ms=GAP_MS, out_wav=wav, out_aac=aac, cancel=ctx.halt)
            track, encoded = ctx.publish(wav, ext="wav"), ctx.publish(aac, ext="m4a")

        def apply(session: Session) -> None:
            project = session.get_one(Project, ctx.project_id)
            project.narration_wav_url, project.narration_url = track.url, encoded.url
            project.narration_ms = times.duration_ms
            for segment, (start, end) in zip(segments_of(session, ctx.project_id), times.spans, strict=True):
                segment.start_time_ms, segment.end_time_ms = start, end

        text = f"The narration is {times.duration_ms / 1000:.1f} s long."
        return Outcome(text, media=(track.url, encoded.url), apply=apply)

    def verify(self, ctx: StageContext) -> None:
        with ctx.read() as session:
            if not ctx.project(session).narration_ms:
                raise StageFailed("There is no narration.", field=self.name)


def _lips_are_of_other_words(session: Session, project_id: int, index: int) -> None:
    for shot in session.scalars(select(Shot).where(Shot.project_id == project_id, Shot.lipsync_url.is_not(None))):
        if index in shot.segments:
            lipsync_status(session, shot.id, "stale")
            mark(shot, "lipsync", "sound")
