"""The story becomes ordered segments. Long stories are written in windows, each kept as soon as it is done."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.contracts import Lane, SegmentDraft, digest
from pipeline.generation.entities import cast, read_analysis
from pipeline.stage import Note, Outcome, StageContext, StageFailed, Unit
from pipeline.store.models import Character, ScriptSegment
from pipeline.writer.protocol import check_adapted, check_script

WINDOW_CHARS = 9_000
JOIN = "script/join"
_KEPT = "it was edited by hand and does not line up with the script that the story gives now; it was left as it is."
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")


def windows(story: str, limit: int = WINDOW_CHARS) -> list[tuple[int, int]]:
    """Spans that tile the story, cut between paragraphs; a paragraph longer than the limit stays whole."""
    cuts = [match.end() for match in _PARAGRAPH.finditer(story)]
    spans: list[tuple[int, int]] = []
    start = 0
    for cut, following in pairwise([*cuts, len(story)]):
        # A window without a letter would have nothing to say.
        if following - start > limit and _speaks(story[start:cut]) and _speaks(story[cut:]):
            spans.append((start, cut))
            start = cut
    return [*spans, (start, len(story))]


def _speaks(text: str) -> bool:
    return any(char.isalnum() for char in text)


class ScriptStage:
    name: ClassVar[str] = "script"
    lane: ClassVar[Lane] = Lane.LLM
    after: ClassVar[tuple[str, ...]] = ("analysis",)
    attempts: ClassVar[int] = 3
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = True
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        with ctx.read() as session:
            spans = windows(ctx.project(session).story)
        parts = [
            Unit(f"script/{index}", f"part {index + 1} of the story", subject=index) for index in range(len(spans))
        ]
        return [*parts, Unit(JOIN, "the script", tuple(part.key for part in parts), derived=True)]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        spans = windows(project.story)
        if unit.key == JOIN:
            return digest([ctx.output(session, f"script/{index}").get("segments") for index in range(len(spans))])
        start, end = spans[unit.subject]
        names = [(one.name, one.aliases, one.gender, one.age_group) for one in cast(session, project.id)]
        return digest(project.story[start:end], start, project.script_mode, names)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        if unit.key == JOIN:
            return self._join(ctx)
        with ctx.read() as session:
            project = ctx.project(session)
            start, end = windows(project.story)[unit.subject]
            text, analysis = project.story[start:end], read_analysis(session, project)
            adapt = project.script_mode == "adapt"
        segments = ctx.writer(unit).script(text, analysis)
        if adapt:
            check_adapted(segments)
        else:
            check_script(text, segments)
        moved = [one.model_copy(update={"start": one.start + start, "end": one.end + start}) for one in segments]
        return Outcome(
            f"Wrote {unit.label}: {len(moved)} segments.",
            data={"segments": [segment.model_dump() for segment in moved]},
        )

    def _join(self, ctx: StageContext) -> Outcome:
        with ctx.read() as session:
            parts = len(windows(ctx.project(session).story))
            written = [ctx.output(session, f"script/{index}").get("segments") for index in range(parts)]
        missing = [index + 1 for index, part in enumerate(written) if not part]
        if missing:
            return Outcome(f"Part {missing[0]} of the script is missing.", status="skipped")
        drafts = [SegmentDraft.model_validate(segment) for part in written for segment in part or ()]

        with ctx.read() as session:
            kept = not fits_edits(session, ctx.project_id, drafts)
        if kept:
            return Outcome("The script stays as it was edited by hand.", problems=(Note("edits_kept", _KEPT),))

        def apply(session: Session) -> None:
            if fits_edits(session, ctx.project_id, drafts):  # nobody has edited it meanwhile
                write_segments(session, ctx.project_id, drafts)

        spoken = sum(draft.kind == "dialogue" for draft in drafts)
        return Outcome(f"The script has {len(drafts)} segments, {spoken} of them dialogue.", apply=apply)

    def verify(self, ctx: StageContext) -> None:
        with ctx.read() as session:
            if not session.scalar(select(ScriptSegment.id).where(ScriptSegment.project_id == ctx.project_id).limit(1)):
                raise StageFailed("The script is empty.", hint="Add some text to the story.", field=self.name)


def fits_edits(session: Session, project_id: int, drafts: Sequence[SegmentDraft]) -> bool:
    """Whether nothing that a user edited would be lost: no edits, or every segment has its place in the new script."""
    query = select(ScriptSegment).where(ScriptSegment.project_id == project_id).order_by(ScriptSegment.idx)
    rows = session.scalars(query).all()
    if not any(row.edited_fields for row in rows):
        return True
    places = [(draft.start, draft.end) for draft in drafts]
    return places == [(row.source_start, row.source_end) for row in rows]


def write_segments(session: Session, project_id: int, drafts: Sequence[SegmentDraft]) -> None:
    """Bring the project's segments to the drafts, place by place; a segment that stays the same keeps its sound, one
    that a user edited stays as it is."""
    speakers = _speakers(session, project_id, drafts)
    rows = {
        row.idx: row for row in session.scalars(select(ScriptSegment).where(ScriptSegment.project_id == project_id))
    }
    for index, draft in enumerate(drafts):
        row = rows.get(index)
        if row is None:
            row = ScriptSegment(project_id=project_id, idx=index)
            session.add(row)
        elif row.edited_fields:
            continue
        speaker_id = speakers[draft.speaker] if draft.speaker else None
        if (row.text, row.segment_type, row.speaker_id) != (draft.text, draft.kind, speaker_id):
            row.audio_url = row.audio_ms = row.words = row.start_time_ms = row.end_time_ms = None
        row.text, row.segment_type, row.speaker_id = draft.text, draft.kind, speaker_id
        row.source_start, row.source_end = draft.start, draft.end
    session.execute(
        delete(ScriptSegment).where(ScriptSegment.project_id == project_id, ScriptSegment.idx >= len(drafts))
    )


def _speakers(session: Session, project_id: int, drafts: Sequence[SegmentDraft]) -> dict[str, int]:
    """Ids by name; a speaker whom the Analysis did not know becomes a character."""
    everyone = cast(session, project_id)
    known = {one.name: one.id for one in everyone}
    for draft in drafts:
        if draft.speaker and draft.speaker not in known:
            character = Character(project_id=project_id, name=draft.speaker, sort_order=len(known))
            session.add(character)
            session.flush()
            known[draft.speaker] = character.id
    return known
