"""A story is written from the project's idea, where it has no story yet. A story that users wrote is never replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy.orm import Session

from pipeline.contracts import Lane, digest
from pipeline.stage import Outcome, StageContext, StageFailed, Unit

KEY = "story"


class StoryStage:
    name: ClassVar[str] = "story"
    lane: ClassVar[Lane] = Lane.LLM
    after: ClassVar[tuple[str, ...]] = ()
    attempts: ClassVar[int] = 3
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = True
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        with ctx.read() as session:
            project = ctx.project(session)
            if not project.idea.strip():
                return []
            # Its own earlier work may be redone when asked for; what users wrote or changed may not.
            written = ctx.output(session, KEY).get("story")
            own = written is not None and written == digest(project.story)
            return [Unit(KEY, "the story")] if own or not project.story.strip() else []

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        return digest(project.idea, project.language)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            idea, language, before = project.idea, project.language, project.story
        story = ctx.story_writer(unit).story(idea, language, most_words=ctx.settings.max_story_words)

        def apply(session: Session) -> None:
            project = ctx.project(session)
            if project.story != before:
                return  # a user has written meanwhile
            project.story = story.text
            if (project.options or {}).get("title") == "idea" and story.title:
                project.title = story.title

        return Outcome(f"Wrote the story: {story.title}.", data={"story": digest(story.text)}, apply=apply)

    def verify(self, ctx: StageContext) -> None:
        with ctx.read() as session:
            if not ctx.project(session).story.strip():
                raise StageFailed("The project has no story.", hint="Write one, or an idea for one.", field=self.name)
