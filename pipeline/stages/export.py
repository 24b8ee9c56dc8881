"""The film: clips joined, narration muxed, captions, chapters, poster. Nothing is drawn or encoded here but stand-ins.

A missing clip shows its frame, and without a frame a plain card; the film says what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import FilmForm, Lane, digest
from pipeline.errors import MediaMissing
from pipeline.film import captions
from pipeline.film.clips import accept_clip, card, still_clip
from pipeline.film.join import Chapter, export_film, poster
from pipeline.film.timeline import slot_frames
from pipeline.stage import Note, Outcome, StageContext, Unit, about_shot, frame_key, lipsync_key, shot_label, video_key
from pipeline.store.deliveries import show_film
from pipeline.store.models import Project, Scene, ScriptSegment, Shot
from pipeline.store.spoken import spoken_segments

CAPTIONS = "export/captions"
POSTER = "export/poster"
FILM = "export/film"


@dataclass(frozen=True)
class Part:
    """One shot's place in the film, and the best picture there is for it."""

    index: int
    frames: int
    clip_url: str | None
    still_url: str | None


class ExportStage:
    name: ClassVar[str] = "export"
    lane: ClassVar[Lane] = Lane.CPU
    after: ClassVar[tuple[str, ...]] = ("audio", "shots")
    attempts: ClassVar[int] = 2
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = True
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        query = select(Shot.id, Shot.kind, Shot.speaker_id).where(Shot.project_id == ctx.project_id).order_by(Shot.idx)
        with ctx.read() as session:
            shots = session.execute(query).all()
        clips = tuple(video_key(shot_id) for shot_id, _, _ in shots)
        lips = tuple(lipsync_key(shot_id) for shot_id, kind, speaker in shots if kind == "dialogue" and speaker)
        return [
            Unit(CAPTIONS, "the captions", derived=True),
            Unit(POSTER, "the poster", tuple(frame_key(shot_id) for shot_id, _, _ in shots), derived=True),
            Unit(FILM, "the film", (CAPTIONS, POSTER, *clips, *lips), derived=True),
        ]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        if unit.key == CAPTIONS:
            return digest([(one.text, one.start_ms, one.end_ms) for one in spoken_segments(session, project.id)])
        if unit.key == POSTER:
            return digest(_poster_frame(session, project), ctx.form(project))
        chapters = [(one.start_ms, one.title) for one in _chapters(session, project)]
        return digest(
            [(part.frames, part.clip_url, part.still_url) for part in _parts(session, project, ctx.form(project))],
            [project.narration_url, project.narration_ms, project.title, chapters],
            ctx.output(session, CAPTIONS).get("media"),
            ctx.form(project),
        )

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        return {CAPTIONS: self._captions, POSTER: self._poster, FILM: self._film}[unit.key](ctx)

    def _captions(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            cues = captions.cues(spoken_segments(session, ctx.project_id))
        with ctx.draft(".srt") as srt, ctx.draft(".vtt") as vtt:
            captions.write_srt(cues, srt)
            captions.write_vtt(cues, vtt)
            subtitles, web = ctx.publish(srt, ext="srt"), ctx.publish(vtt, ext="vtt")

        def apply(session: Session) -> None:
            project = ctx.project(session)
            project.film_meta = {**(project.film_meta or {}), "srt_url": subtitles.url, "vtt_url": web.url}

        return Outcome(f"Wrote {len(cues)} captions.", media=(subtitles.url, web.url), apply=apply)

    def _poster(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            url, form = _poster_frame(session, project), ctx.form(project)
        if url is None:
            return Outcome("There is no picture for a poster yet.", status="skipped")
        with ctx.draft(".jpg") as draft:
            poster(ctx.file(url), draft, width=form.width)
            picture = ctx.publish(draft, ext="jpg")

        def apply(session: Session) -> None:
            ctx.project(session).poster_url = picture.url

        return Outcome("Made the poster.", media=(picture.url,), apply=apply)

    def _film(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            form = ctx.form(project)
            parts, chapters = _parts(session, project, form), _chapters(session, project)
            title, narration, duration_ms = project.title, project.narration_url or "", project.narration_ms or 0
            subtitles = captions.Captions(captions.cues(spoken_segments(session, project.id)), project.language or "en")
        with ExitStack() as open_files:
            out = open_files.enter_context(ctx.draft(".mp4"))
            files, problems = [], []
            for part in parts:
                file, problem = open_files.enter_context(_picture(ctx, part, form))
                files.append(file)
                problems.extend(problem)
            export_film(
                files,
                [part.frames for part in parts],
                ctx.file(narration),
                duration_ms,
                form,
                out=out,
                captions=subtitles,
                chapters=chapters,
                title=title,
                cancel=ctx.halt,
            )
            film = ctx.publish(out, ext="mp4")

        def apply(session: Session) -> None:
            show_film(session, ctx.project(session), film)

        text = f"The film is {duration_ms / 1000:.1f} s long and has {len(parts)} shots."
        return Outcome(text, media=(film.url,), problems=tuple(problems), apply=apply)

    def verify(self, ctx: StageContext) -> None:
        return None


@contextmanager
def _picture(ctx: StageContext, part: Part, form: FilmForm) -> Iterator[tuple[Path, list[Note]]]:
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


def _parts(session: Session, project: Project, form: FilmForm) -> list[Part]:
    rows = session.execute(
        select(Shot.idx, Shot.start_ms, Shot.end_ms, Shot.lipsync_url, Shot.video_url, Shot.first_frame_url)
        .where(Shot.project_id == project.id)
        .order_by(Shot.idx)
    )
    return [
        Part(index, slot_frames(start, end, form.fps)[1], lips or clip, still)
        for index, start, end, lips, clip, still in rows
    ]


def _chapters(session: Session, project: Project) -> list[Chapter]:
    scenes = session.execute(
        select(Scene.idx, Scene.title, ScriptSegment.start_time_ms)
        .join(
            ScriptSegment,
            (ScriptSegment.project_id == Scene.project_id) & (ScriptSegment.idx == Scene.first_segment_idx),
        )
        .where(Scene.project_id == project.id)
        .order_by(Scene.idx)
    )
    starts = [(start or 0, title or f"Scene {index + 1}") for index, title, start in scenes]
    ends = [start for start, _ in starts[1:]] + [project.narration_ms or 0]
    return [Chapter(start, end, title) for (start, title), end in zip(starts, ends, strict=True)]


def _poster_frame(session: Session, project: Project) -> str | None:
    """The first picture with somebody in it, else the first."""
    rows = session.execute(
        select(Shot.first_frame_url, Shot.subjects)
        .where(Shot.project_id == project.id, Shot.first_frame_url.is_not(None))
        .order_by(Shot.idx)
        .limit(40)
    ).all()
    peopled = [url for url, subjects in rows if subjects]
    return (peopled or [url for url, _ in rows] or [None])[0]
