"""A voice for the narrator and for everyone who may speak: distinct while the catalogue allows, fitting gender and age.

Voices are given one after another, because each choice depends on those before it. What a user chose is never replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy.orm import Session

from pipeline.contracts import AgeGroup, Gender, Lane, Voice, digest
from pipeline.errors import NeedsSetup
from pipeline.generation.entities import cast
from pipeline.stage import Outcome, StageContext, Unit
from pipeline.store.models import Character, Project

NARRATOR = "voices/narrator"
LATE = "voices/late"


def choose_voice(voices: Sequence[Voice], taken: Counter[str], gender: Gender, age_group: AgeGroup) -> Voice:
    """The least used voice among those that fit best: gender and age, then gender, then age, then any.

    A fitting voice that is free comes before a better fitting one that is taken. `voices` is in order of preference.
    """

    def cost(place: int) -> tuple[int, int, int]:
        voice = voices[place]
        misfit = 2 * (gender != "neutral" and voice.gender != gender) + (voice.age_group != age_group)
        return (taken[voice.id], misfit, place)

    return voices[min(range(len(voices)), key=cost)]


class VoicesStage:
    name: ClassVar[str] = "voices"
    lane: ClassVar[Lane] = Lane.CPU
    after: ClassVar[tuple[str, ...]] = ("analysis",)
    attempts: ClassVar[int] = 2
    tries_anew: ClassVar[bool] = False
    blocking: ClassVar[bool] = True
    waits: ClassVar[bool] = True
    failure_code: ClassVar[str] = "stage_failed"

    def units(self, ctx: StageContext) -> Sequence[Unit]:
        units = [Unit(NARRATOR, "the narrator")]
        with ctx.read() as session:
            for character in cast(session, ctx.project_id):
                about = {"entity_type": "characters", "entity_id": character.id}
                key = f"voices/{character.id}"
                units.append(Unit(key, character.name, (units[-1].key,), subject=character.id, about=about))
        # Speakers whom only the script has found are voiced once it is written, before anything is spoken.
        return [*units, Unit(LATE, "speakers found in the script", (units[-1].key, "script/join"), derived=True)]

    def digest(self, ctx: StageContext, session: Session, unit: Unit) -> str:
        project = ctx.project(session)
        base = (project.language, project.render_speech)
        if unit.key == NARRATOR:
            return digest(*base, project.narrator_voice if project.narrator_voice_chosen else None)
        if unit.key == LATE:
            return digest(*base, [one.name for one in cast(session, ctx.project_id)])
        character = session.get_one(Character, unit.subject)
        chosen = character.voice if character.voice_chosen else None
        return digest(*base, character.name, character.gender, character.age_group, chosen)

    def run(self, ctx: StageContext, unit: Unit) -> Outcome:
        with ctx.read() as session:
            project = ctx.project(session)
            voices = ctx.voices(project.language or "en", project.render_speech)
            if not voices:
                raise NeedsSetup(
                    f"No voice speaks the project's language ({project.language}).", hint="Choose another language."
                )
            if unit.key == NARRATOR:
                return self._narrator(project, voices)
            everyone = cast(session, ctx.project_id)
            wanted = [one for one in everyone if one.id == unit.subject or (unit.key == LATE and not one.voice)]
            # Within the chain only earlier choices count, so that a repeated run gives the same voices.
            earlier = [
                one for one in everyone if one.voice and (unit.key == LATE or one.voice_chosen or _before(one, wanted))
            ]
            return self._characters(project, wanted, Counter(one.voice for one in earlier), voices)

    def _narrator(self, project: Project, voices: Sequence[Voice]) -> Outcome:
        if project.narrator_voice_chosen and project.narrator_voice:
            return Outcome("The narrator keeps the chosen voice.")
        voice = choose_voice(voices, Counter(), "neutral", "adult")
        project_id = project.id

        def apply(session: Session) -> None:
            session.get_one(Project, project_id).narrator_voice = voice.id

        return Outcome(f"The narrator speaks as {voice.name}.", apply=apply)

    def _characters(
        self, project: Project, wanted: Sequence[Character], taken: Counter[str | None], voices: Sequence[Voice]
    ) -> Outcome:
        used: Counter[str] = Counter({voice: number for voice, number in taken.items() if voice})
        # The narrator's voice is the last that a character should get.
        used[project.narrator_voice or ""] += 1
        given: dict[int, Voice] = {}
        for character in wanted:
            if character.voice_chosen and character.voice:
                continue
            voice = choose_voice(voices, used, character.gender, character.age_group)  # type: ignore[arg-type]
            used[voice.id] += 1
            given[character.id] = voice

        def apply(session: Session) -> None:
            for character_id, voice in given.items():
                session.get_one(Character, character_id).voice = voice.id

        names = {one.id: one.name for one in wanted}
        lines = "; ".join(f"{names[one]} speaks as {voice.name}" for one, voice in given.items())
        return Outcome(f"{lines}." if lines else "Everyone has a voice.", apply=apply)

    def verify(self, ctx: StageContext) -> None:
        return None


def _before(one: Character, wanted: Sequence[Character]) -> bool:
    return bool(wanted) and (one.sort_order, one.id) < (wanted[0].sort_order, wanted[0].id)
