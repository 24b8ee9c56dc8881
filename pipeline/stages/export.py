"""The film: clips joined, narration muxed, captions, chapters, poster. Only what has touches of its own is encoded.

A missing clip shows its frame, and without a frame a plain card; the film says what is missing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane, digest
from pipeline.film import captions, sound
from pipeline.film.join import Chapter, export_film, poster
from pipeline.film.options import CARD_MS, FilmOptions, film_options
from pipeline.film.timeline import frame_at
from pipeline.inference import soundtrack
from pipeline.stage import Note, Outcome, StageContext, Unit, about_shot, frame_key, lipsync_key, shot_label, video_key
from pipeline.stages import shown
from pipeline.stages.film_sound import MAKING_PER_MS, MAKING_S, score_of
from pipeline.store.deliveries import show_film
from pipeline.store.models import Project, Scene, ScriptSegment, Shot
from pipeline.store.spoken import spoken_segments

CAPTIONS = "export/captions"
POSTER = "export/poster"
TITLE_CARD = "export/title_card"
END_CARD = "export/end_card"
SOUND = "export/sound"
FILM = "export/film"
_CLOSING_WORDS = Path(__file__).with_name("closing_words.toml")


def touched_key(shot_id: int) -> str:
    return f"export/shot/{shot_id}"


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
        with ctx.read() as session:
            project = ctx.project(session)
            options, dimmed = film_options(project.options), shown.dimmings(session, project)
            shots = session.execute(
                select(Shot.id, Shot.idx, Shot.kind, Shot.speaker_id)
                .where(Shot.project_id == project.id)
                .order_by(Shot.idx)
            ).all()
        frames = tuple(frame_key(shot.id) for shot in shots)
        made = {
            shot.id: (video_key(shot.id), *([lipsync_key(shot.id)] if _speaks(shot.kind, shot.speaker_id) else []))
            for shot in shots
        }
        touched = [
            Unit(
                touched_key(shot.id),
                f"the picture of {shot_label(shot.idx)}",
                made[shot.id],
                derived=True,
                subject=shot.id,
                about=about_shot(shot.idx, shot.id),
            )
            for shot in shots
            if options.captions == "burned" or shot.id in dimmed
        ]
        cards = [Unit(key, f"the {key.split('/')[1]} card", frames, derived=True) for key in _cards(options)]
        parts = [Unit(CAPTIONS, "the captions", derived=True), Unit(POSTER, "the poster", frames, derived=True)]
        parts += [Unit(SOUND, "the sound", derived=True), *touched, *cards]
        needs = (*(part.key for part in parts), *(key for keys in made.values() for key in keys))
        return [*parts, Unit(FILM, "the film", needs, derived=True)]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        options, form = film_options(project.options), ctx.form(project)
        if unit.key == CAPTIONS:
            said = [(one.text, one.start_ms, one.end_ms) for one in spoken_segments(session, project.id)]
            return digest(said, options.lead_ms) if options.lead_ms else digest(said)
        if unit.key == POSTER:
            return digest(_poster_frame(session, project), form)
        if unit.key in (TITLE_CARD, END_CARD):
            return digest(unit.key, _card_words(project, unit.key), _card_frame(session, project, unit.key), form)
        if unit.key == SOUND:
            return digest(project.narration_wav_url, score_of(session, project))
        if unit.subject:
            shot = session.get_one(Shot, unit.subject)
            touches = shown.touches_of(session, project, shot)
            return digest(asdict(shown.part_of(project, shot)), asdict(touches), project.language, form)
        return self._film_digest(ctx, session, project)

    def _film_digest(self, ctx: StageContext, session: Session, project: Project) -> str:
        form, options = ctx.form(project), film_options(project.options)
        parts = [
            digest([(part.frames, part.clip_url, part.still_url) for part in shown.parts(session, project)]),
            [project.narration_url, project.narration_ms, project.title],
            [(one.start_ms, one.title) for one in _chapters(session, project)],
            ctx.output(session, CAPTIONS).get("media"),
            form,
        ]
        extras = [SOUND, *_touched(session, project).values(), *_cards(options)]
        return digest(*parts, options.captions, [ctx.output(session, key).get("media") for key in extras])

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        if unit.subject:
            return self._touch(ctx, unit)
        if unit.key in (TITLE_CARD, END_CARD):
            return self._card(ctx, unit.key)
        return {CAPTIONS: self._captions, POSTER: self._poster, SOUND: self._sound, FILM: self._film}[unit.key](ctx)

    def _captions(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            cues = _film_cues(session, ctx.project(session))
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

    def _touch(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            project, shot = ctx.project(session), session.get_one(Shot, unit.subject)
            part, form, language = shown.part_of(project, shot), ctx.form(project), project.language or "en"
            touches = shown.touches_of(session, project, shot)
        if not touches:
            return Outcome(f"Left {unit.label} as it is.", status="skipped")
        with shown.picture(ctx, part, form) as (clip, notes), ctx.draft(".mp4") as out:
            missing = shown.touch(ctx, clip, part.frames, touches, language, form, out)
            picture = ctx.publish(out, ext="mp4", meta={"measured": {"frames": part.frames}})
        notes += [Note("letters_missing", f"no font here has these letters: {missing}")] if missing else []
        said = [[note.code, note.text, dict(note.about or {})] for note in notes]
        return Outcome(f"Finished {unit.label}.", media=(picture.url,), data={"notes": said})

    def _card(self, ctx: StageContext, key: str) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            frame = _card_frame(session, project, key)
            words, form, language = _card_words(project, key), ctx.form(project), project.language or "en"
        with ctx.draft(".mp4") as out:
            shown.card_clip(ctx, words, language, frame, form, CARD_MS, out)
            clip = ctx.publish(out, ext="mp4")
        return Outcome(f"Drew the {key.split('/')[1]} card.", media=(clip.url,))

    def _sound(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            score, narration = score_of(session, project), project.narration_wav_url or ""
        with ctx.draft(".wav") as wav, ctx.draft(".m4a") as aac:
            limit_s = MAKING_S + MAKING_PER_MS * score.duration_ms
            ctx.compute(soundtrack.make, ctx.file(narration), score, wav, timeout_s=limit_s)
            sound.encode_aac(wav, aac, bitrate="192k", cancel=ctx.halt)
            track = ctx.publish(aac, ext="m4a")
        bed = " over a quiet bed of music" if score.settings else ""
        return Outcome(f"Brought the voices to one loudness{bed}.", media=(track.url,))

    def _film(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            form, options = ctx.form(project), film_options(project.options)
            parts, chapters = shown.parts(session, project), _chapters(session, project)
            touched = {index: ctx.output(session, key) for index, key in _touched(session, project).items()}
            cards = {key: str(ctx.output(session, key)["media"][0]) for key in _cards(options)}
            track = str(ctx.output(session, SOUND)["media"][0])
            title, duration_ms = project.title, (project.narration_ms or 0) + options.lead_ms + options.tail_ms
            subtitles = captions.Captions(
                _film_cues(session, project), project.language or "en", by_default=options.captions == "track"
            )
        with ExitStack() as open_files:
            out = open_files.enter_context(ctx.draft(".mp4"))
            problems: list[Note] = []
            pictures: list[tuple[Path, int]] = []
            if TITLE_CARD in cards:
                pictures.append((ctx.file(cards[TITLE_CARD]), frame_at(options.lead_ms, form.fps)))
            for part in parts:
                made = touched.get(part.index, {})
                if made.get("media"):
                    file, notes = ctx.file(made["media"][0]), [Note(*note) for note in made.get("notes", ())]
                else:
                    file, notes = open_files.enter_context(shown.picture(ctx, part, form))
                pictures.append((file, part.frames))
                problems += notes
            if END_CARD in cards:
                pictures.append((ctx.file(cards[END_CARD]), frame_at(options.tail_ms, form.fps)))
            export_film(
                [file for file, _ in pictures],
                [frames for _, frames in pictures],
                ctx.file(track),
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


def _speaks(kind: str, speaker: int | None) -> bool:
    return kind == "dialogue" and speaker is not None


def _cards(options: FilmOptions) -> list[str]:
    return [key for key, wanted in ((TITLE_CARD, options.title_card), (END_CARD, options.end_card)) if wanted]


def _touched(session: Session, project: Project) -> dict[int, str]:
    """By their place in the film, the units of the shots that get touches."""
    dimmed, burned = shown.dimmings(session, project), film_options(project.options).captions == "burned"
    rows = session.execute(select(Shot.idx, Shot.id).where(Shot.project_id == project.id).order_by(Shot.idx))
    return {index: touched_key(shot_id) for index, shot_id in rows if burned or shot_id in dimmed}


def _film_cues(session: Session, project: Project) -> tuple[captions.Cue, ...]:
    """The captions on the film's clock."""
    lead = film_options(project.options).lead_ms
    return captions.later(captions.cues(spoken_segments(session, project.id)), lead)


def _card_words(project: Project, key: str) -> str:
    """The title; or the words that films in the project's language end with."""
    if key == TITLE_CARD:
        return project.title
    return _closing_words().get((project.language or "en").partition("-")[0], project.title)


@cache
def _closing_words() -> dict[str, str]:
    return tomllib.loads(_CLOSING_WORDS.read_text(encoding="utf-8"))


def _card_frame(session: Session, project: Project, key: str) -> str | None:
    """The picture that a card stands before: the film's first one, or its last."""
    order = Shot.idx if key == TITLE_CARD else Shot.idx.desc()
    return session.scalars(
        select(Shot.first_frame_url)
        .where(Shot.project_id == project.id, Shot.first_frame_url.is_not(None))
        .order_by(order)
        .limit(1)
    ).first()


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
    options = film_options(project.options)
    lead = options.lead_ms
    starts = [((start or 0) + lead, title or f"Scene {index + 1}") for index, title, start in scenes]
    starts[:1] = [(0, title) for _, title in starts[:1]]  # the title card belongs to the first scene
    ends = [start for start, _ in starts[1:]] + [(project.narration_ms or 0) + lead + options.tail_ms]
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
