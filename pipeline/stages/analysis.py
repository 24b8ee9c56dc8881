"""Reading the story: who is in it, where it happens, which things matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy.orm import Session

from pipeline.contracts import Lane, digest
from pipeline.generation.entities import lay_over
from pipeline.stage import Outcome, StageContext, Unit


class AnalysisStage:
    name: ClassVar[str] = "analysis"
    lane: ClassVar[Lane] = Lane.LLM
    after: ClassVar[tuple[str, ...]] = ("story",)
    attempts: ClassVar[int] = 3
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = True
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        return [Unit("analysis", "the story")]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        return digest(ctx.project(session).story)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            story, language = project.story, project.language
        writer = ctx.writer(unit)
        analysis = writer.analyse(story, language=language or None)

        def apply(session: Session) -> None:
            lay_over(session, ctx.project(session), analysis)

        names = ", ".join(one.name for one in analysis.characters) or "nobody but the narrator"
        places = ", ".join(one.name for one in analysis.sets)
        text = f"Read the story: {names}; places: {places}."
        return Outcome(text, data={"writer": writer.name}, problems=ctx.poor_text(writer), apply=apply)

    def verify(self, ctx: StageContext) -> None:
        return None
