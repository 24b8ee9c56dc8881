"""Which pictures a frame is made from, in which order, and what a model's cap leaves out.

The rank: what the user has pinned to the shot; the focal or speaking character; the set; other characters as the shot
names them; props. What is cut is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline import prompts
from pipeline.contracts import FilmForm, FrameBrief, ImageRequest, Look
from pipeline.generation.entities import Entity, MediaLookup, look, seed_of
from pipeline.store.models import Character, Project, Prop, Scene, SceneCharacter, SceneProp, Shot
from pipeline.store.models import Set as SetRow

# Frames are made larger than the film, so that no camera move ever has to enlarge them.
OVERSCAN = 1.25


@dataclass(frozen=True)
class Cast:
    """What a shot can show: its scene's set, its people and its things, those it names first."""

    place: SetRow | None
    characters: tuple[Character, ...]
    props: tuple[Prop, ...]

    def entities(self) -> tuple[Entity, ...]:
        place: tuple[Entity, ...] = (self.place,) if self.place is not None else ()
        return (*place, *self.characters, *self.props)


@dataclass(frozen=True)
class FrameRequest:
    """`overflow` names whose pictures were left out because of the cap."""

    request: ImageRequest
    overflow: tuple[str, ...]


def cast_of(session: Session, shot: Shot, scene: Scene) -> Cast:
    """Everyone and everything that the shot names, out of its scene (a speaker may be heard from outside it)."""
    place = session.get(SetRow, scene.set_id) if scene.set_id else None
    people = session.scalars(
        select(Character).where(Character.project_id == shot.project_id, Character.name.in_(shot.subjects))
    )
    things = session.scalars(select(Prop).where(Prop.project_id == shot.project_id, Prop.name.in_(shot.subjects)))
    order = {name: place for place, name in enumerate(shot.subjects)}
    return Cast(
        place,
        tuple(sorted(people, key=lambda one: order[one.name])),
        tuple(sorted(things, key=lambda one: order[one.name])),
    )


def ranked(cast: Cast) -> tuple[Entity, ...]:
    """Focal character, set, other characters, props."""
    place: tuple[Entity, ...] = (cast.place,) if cast.place is not None else ()
    return (*cast.characters[:1], *place, *cast.characters[1:], *cast.props)


def cut_to_cap(pictures: Sequence[Entity], cap: int) -> tuple[tuple[Entity, ...], tuple[Entity, ...]]:
    """(sent, left out): those with a picture, in rank, cut from the end."""
    having = [one for one in pictures if one.reference_image_url]
    return tuple(having[:cap]), tuple(having[cap:])


def frame_request(
    session: Session, media: MediaLookup, project: Project, shot: Shot, form: FilmForm, *, cap: int
) -> FrameRequest:
    """What is sent for the shot's first frame."""
    scene = session.get_one(Scene, shot.scene_id)
    cast = cast_of(session, shot, scene)
    pinned = [media.ref(url) for url in shot.pinned_references or ()]
    sent, left_out = cut_to_cap(ranked(cast), max(0, cap - len(pinned)))
    unpinned = tuple(f"pinned picture {place}" for place in range(cap + 1, len(pinned) + 1))
    speaker = session.get(Character, shot.speaker_id) if shot.speaker_id else None
    light = {"time_of_day": scene.time_of_day, "weather": scene.weather, "mood": scene.mood}
    looks = {one: look(media, one, **light) for one in cast.entities()}
    line, partner = line_of(session, scene), partner_of(session, shot)
    again = shot.variations.get("first_frame")
    width, height = (round(side * OVERSCAN / 2) * 2 for side in (form.width, form.height))
    return FrameRequest(
        ImageRequest(
            model=project.frame_image_model,
            prompt=_prompt(project, shot, scene, cast, looks, eyeline(line, speaker.name if speaker else "", partner)),
            width=width,
            height=height,
            seed=seed_of(shot.seed, shot.action, *([again] if again else [])),
            references=(
                *pinned[:cap],
                *(image for one in sent if (image := looks[one].image) is not None),
            ),
            brief=FrameBrief(
                framing=shot.framing,  # type: ignore[arg-type]
                angle=shot.angle,  # type: ignore[arg-type]
                subjects=tuple(shot.subjects),
                speaker=speaker.name if speaker else None,
                action=shot.action,
                mood=scene.mood,
                place=looks[cast.place] if cast.place is not None else None,
                characters=tuple(looks[one] for one in cast.characters),
                props=tuple(looks[one] for one in cast.props),
                style=project.style,
                line=line,
                partner=partner,
            ),
        ),
        (*unpinned, *(one.name for one in left_out)),
    )


def line_of(session: Session, scene: Scene) -> tuple[str, ...]:
    """Who stands left of whom in the scene: one order for all its shots, so that nobody changes sides at a cut."""
    query = (
        select(Character.name)
        .join(SceneCharacter, SceneCharacter.character_id == Character.id)
        .where(SceneCharacter.scene_id == scene.id)
        .order_by(Character.sort_order, Character.id)
    )
    return tuple(session.scalars(query))


def partner_of(session: Session, shot: Shot) -> str | None:
    """With whom the shot's speaker talks: who else is in the picture, else who speaks next to them in the scene."""
    if shot.speaker_id is None:
        return None
    query = select(Character.id, Character.name).where(Character.project_id == shot.project_id)
    names = dict(session.execute(query).all())
    others = {name for number, name in names.items() if number != shot.speaker_id}
    seen = next((name for name in shot.subjects if name in others), None)
    if seen is not None:
        return seen
    talk = session.execute(
        select(Shot.idx, Shot.speaker_id).where(
            Shot.scene_id == shot.scene_id, Shot.speaker_id.is_not(None), Shot.speaker_id != shot.speaker_id
        )
    ).all()
    # Who spoke last answers more often than who speaks next.
    nearest = min(talk, key=lambda one: (abs(one.idx - shot.idx), one.idx > shot.idx), default=None)
    return None if nearest is None else names.get(nearest.speaker_id)


def eyeline(line: Sequence[str], speaker: str, partner: str | None) -> str:
    """Where a speaker looks, in words: the same way through a whole scene. Empty where nothing can be said."""
    if partner not in line or speaker not in line or partner == speaker:
        return ""
    left = line.index(speaker) < line.index(partner or "")
    return f"{speaker} looks to the {'right' if left else 'left'}, towards {partner}"


def _prompt(project: Project, shot: Shot, scene: Scene, cast: Cast, looks: dict[Entity, Look], looking: str) -> str:
    return prompts.frame(
        framing=shot.framing,
        angle=shot.angle,
        action=shot.action or shot.text,
        looking=looking,
        place=looks[cast.place].appearance if cast.place is not None else "",
        light=f"{scene.time_of_day}, {scene.weather} weather" + (f", {scene.mood}" if scene.mood else ""),
        looks={one.name: looks[one].appearance for one in cast.characters},
        style=project.style,
    )


def used_entities(session: Session, project_id: int) -> tuple[Entity, ...]:
    """Every entity that the film shows: in a scene, or named by a shot."""
    scenes = select(Scene.id).where(Scene.project_id == project_id)
    named = {
        name for names in session.scalars(select(Shot.subjects).where(Shot.project_id == project_id)) for name in names
    }
    speakers = select(Shot.speaker_id).where(Shot.project_id == project_id)
    present = select(SceneCharacter.character_id).where(SceneCharacter.scene_id.in_(scenes))
    used = select(SceneProp.prop_id).where(SceneProp.scene_id.in_(scenes))
    places = select(Scene.set_id).where(Scene.project_id == project_id)
    people = session.scalars(
        select(Character)
        .where(Character.project_id == project_id)
        .where(Character.name.in_(named) | Character.id.in_(present) | Character.id.in_(speakers))
        .order_by(Character.sort_order, Character.id)
    )
    sets = session.scalars(select(SetRow).where(SetRow.id.in_(places)).order_by(SetRow.sort_order, SetRow.id))
    things = session.scalars(
        select(Prop)
        .where(Prop.project_id == project_id, Prop.name.in_(named) | Prop.id.in_(used))
        .order_by(Prop.sort_order, Prop.id)
    )
    return (*people, *sets, *things)
