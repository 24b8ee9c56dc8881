"""A small film in the database, as a run would have left it, with files that are what their names say."""

from __future__ import annotations

import io
from itertools import count

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.generation.moderation.clearances import assembled
from pipeline.store import Store, versions
from pipeline.store.models import (
    Character,
    GuideImage,
    Project,
    Scene,
    SceneCharacter,
    ScriptSegment,
    Set,
    Shot,
    Step,
)

_colours = count(1)


def picture(store: Store, **meta: object) -> str:
    """Publishes a picture unlike any other; its address."""
    out = io.BytesIO()
    number = next(_colours)
    Image.new("RGB", (8, 8), (number % 256, number // 256 % 256, 7)).save(out, "PNG")
    with store.media.draft(".png") as draft:
        draft.write_bytes(out.getvalue())
        return store.media.publish(draft, ext="png", verdict=assembled(), meta=dict(meta)).url


def little_film(store: Store, *, title: str = "The Crow", words: str = "The crow sang.") -> int:
    """Two scenes, three segments, three shots, a guide, a version that is not shown; the number of the project."""
    pictures = [picture(store) for _ in range(6)]
    with store.db.write() as session:
        project = Project(
            title=title,
            story="The crow sang. Mira heard it.",
            style=words,
            options={"cli": {"digest": "d"}, "film": {"captions": "burned"}},
        )
        session.add(project)
        session.flush()
        mira = Character(project_id=project.id, name="Mira", reference_image_url=pictures[0])
        place = Set(project_id=project.id, name="the wood")
        session.add_all([mira, place])
        session.flush()
        session.add(GuideImage(entity_type="characters", entity_id=mira.id, image_url=pictures[1], sort_order=0))
        mira.guide_image_url = pictures[1]
        for at, (kind, text, speaker) in enumerate(
            [("narration", words, None), ("dialogue", "Who is there?", mira.id), ("narration", "The end.", None)]
        ):
            session.add(
                ScriptSegment(
                    project_id=project.id,
                    idx=at,
                    segment_type=kind,
                    speaker_id=speaker,
                    text=text,
                    start_time_ms=at * 1150,
                    end_time_ms=at * 1150 + 1000,
                    audio_ms=1000,
                )
            )
        _scenes(session, project, place, mira)
        shots = session.scalars(select(Shot).where(Shot.project_id == project.id).order_by(Shot.idx)).all()
        for shot, url in zip(shots, pictures[2:], strict=False):
            shot.first_frame_url = url
            versions.keep(session, project.id, "shots", shot.id, "first_frame", url, source="generated")
            output = {"media": [url], "problems": []}
            key = f"frames/{shot.id}"
            session.add(Step(project_id=project.id, key=key, stage="frames", status="done", digest="d", output=output))
        versions.keep(session, project.id, "shots", shots[0].id, "first_frame", pictures[5], source="upload")
        return project.id


def _scenes(session: Session, project: Project, place: Set, mira: Character) -> None:
    project.narration_ms = 3300
    segments = list(session.scalars(select(ScriptSegment.id).where(ScriptSegment.project_id == project.id)))
    for at, (first, last) in enumerate([(0, 1), (2, 2)]):
        scene = Scene(project_id=project.id, idx=at, first_segment_idx=first, last_segment_idx=last, set_id=place.id)
        scene.cuts = [{"segment": segments[1], "char": 0, "ms": 0, "audio": None}] if at == 0 else None
        session.add(scene)
        session.flush()
        session.add(SceneCharacter(scene_id=scene.id, character_id=mira.id))
        for number in range(first, last + 1):
            session.add(
                Shot(
                    project_id=project.id,
                    scene_id=scene.id,
                    idx=number,
                    kind="dialogue" if number == 1 else "narration",
                    speaker_id=mira.id if number == 1 else None,
                    start_ms=number * 1150,
                    end_ms=(number + 1) * 1150 if number < 2 else 3300,
                    duration_ms=1150 if number < 2 else 1000,
                    segments=[number],
                    subjects=["Mira"],
                )
            )
    session.flush()
