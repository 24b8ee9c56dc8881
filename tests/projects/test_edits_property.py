"""Whatever a user does to a timeline, in whatever order, it stays one: numbered, tiled, one voice to a shot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.contracts import ShotDraft
from pipeline.errors import Conflict, InvalidInput
from pipeline.film.timeline import MAX_SLOT_MS, slot_frames
from pipeline.projects import editing
from pipeline.store import Store, open_store
from pipeline.store.laying import Filmed, all_takes, filmed_in, key_of, lay, scenes_of
from pipeline.store.models import Character, Project, Scene, ScriptSegment, Shot, Step

GAP_MS = 150
FPS = 24
WORDS = "the crow had a fiddle and played it all night long in the rain"

Edit = tuple[str, int, int]
EDITS = (
    "text",
    "speaker",
    "insert",
    "remove_segment",
    "split_segment",
    "merge_segment",
    "order_segments",
    "split_scene",
    "merge_scene",
    "order_scenes",
    "remove_scene",
    "split_shot",
    "merge_shot",
    "remove_shot",
    "order_shots",
    "look",
)
edits = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 50), st.integers(0, 50)), max_size=14)
lengths = st.lists(st.integers(300, 16_000), min_size=2, max_size=8)
voices = st.lists(st.sampled_from([0, 0, 1, 2]), min_size=8, max_size=8)

_numbers = count(1)


@contextmanager
def film(sounds: list[int], who: list[int]) -> Iterator[tuple[Store, int]]:
    """A film that has been spoken and laid, with two scenes where it has the segments for them."""
    with TemporaryDirectory() as folder, open_store(Path(folder)) as store:
        with store.db.write() as session:
            project = Project(title="t", story="s")
            session.add(project)
            session.flush()
            people = [Character(project_id=project.id, name=name) for name in ("Mira", "Tomas")]
            session.add_all(people)
            session.flush()
            for index, _ in enumerate(sounds):
                speaker = people[who[index] - 1].id if who[index] else None
                session.add(_segment(project.id, index, WORDS, speaker))
            middle = len(sounds) // 2
            for number, (first, last) in enumerate([(0, middle - 1), (middle, len(sounds) - 1)]):
                scene = Scene(project_id=project.id, idx=number, first_segment_idx=first, last_segment_idx=last)
                session.add(scene)
            session.flush()
            _speak(session, project, sounds)
            _film(session, project)
            lay(session, project, filmed_in(session, project.id), FPS)
            number = project.id
        yield store, number


def _segment(project_id: int, index: int, text: str, speaker: int | None) -> ScriptSegment:
    kind = "dialogue" if speaker else "narration"
    return ScriptSegment(project_id=project_id, idx=index, segment_type=kind, speaker_id=speaker, text=text)


def _rows(session: Session, project_id: int) -> list[ScriptSegment]:
    query = select(ScriptSegment).where(ScriptSegment.project_id == project_id).order_by(ScriptSegment.idx)
    return list(session.scalars(query))


def _speak(session: Session, project: Project, sounds: list[int] | None = None) -> None:
    """What speech and narration leave behind: every segment without a sound of its words gets one, then the times."""
    at = 0
    for row in _rows(session, project.id):
        if row.audio_url is None or row.stale:
            row.audio_url, row.stale = f"/media/{next(_numbers)}.wav", {}
            row.audio_ms = sounds[row.idx] if sounds else 70 * len(row.text)
            step = max(1, row.audio_ms // max(1, len(row.text)))
            starts = [0] + [place + 1 for place, char in enumerate(row.text) if char == " "]
            row.words = [
                {"start": start, "end": start + 1, "start_ms": start * step, "end_ms": start * step + 1}
                for start in starts
            ]
        assert row.audio_ms is not None
        row.start_time_ms, row.end_time_ms = at, at + row.audio_ms
        at = row.end_time_ms + GAP_MS
    project.narration_ms = at - GAP_MS
    session.flush()


def _film(session: Session, project: Project) -> None:
    """What the shots stage leaves for scenes that have nothing yet."""
    takes = all_takes(session, project)
    for scene in scenes_of(session, project.id):
        if session.get(Step, (project.id, f"shots/{scene.idx}")) is None:
            mine = [take for take in takes if take.scene == scene.idx]
            filmed = Filmed(
                tuple(ShotDraft(framing="wide", action=f"take {at}") for at, _ in enumerate(mine)),
                tuple(key_of(take.kind, take.speaker, take.text) for take in mine),
            )
            output = {
                "shots": [draft.model_dump() for draft in filmed.drafts],
                "takes": [list(take) for take in filmed.takes],
            }
            session.add(
                Step(project_id=project.id, key=f"shots/{scene.idx}", stage="shots", status="done", output=output)
            )
    session.flush()


def _run(session: Session, project: Project) -> None:
    _speak(session, project)
    _film(session, project)
    lay(session, project, filmed_in(session, project.id), FPS)


def _apply(session: Session, project: Project, edit: Edit) -> None:
    what, one, two = edit
    segments, scenes = _rows(session, project.id), scenes_of(session, project.id)
    shots = list(session.scalars(select(Shot).where(Shot.project_id == project.id).order_by(Shot.idx)))
    segment, scene = segments[one % len(segments)], scenes[one % len(scenes)]
    shot = shots[one % len(shots)]
    people = list(session.scalars(select(Character.id).where(Character.project_id == project.id)))
    turned = two % len(segments)
    if what == "text":
        editing.change_segment(session, segment.id, {"text": WORDS * (1 + two % 4)})
    elif what == "speaker":
        speaker = [None, *people][two % 3]
        kind = "dialogue" if speaker else "narration"
        editing.change_segment(session, segment.id, {"speaker_id": speaker, "segment_type": kind})
    elif what == "insert":
        after = [None, *(row.id for row in segments)][two % (len(segments) + 1)]
        editing.insert_segment(session, project, {"text": "and then it rang"}, after=after)
    elif what == "remove_segment":
        editing.remove_segment(session, segment.id)
    elif what == "split_segment":
        editing.split_segment(session, segment.id, two % len(segment.text))
    elif what == "merge_segment":
        editing.merge_segment(session, segment.id)
    elif what == "order_segments":
        ids = [row.id for row in segments]
        editing.order_segments(session, project, ids[turned:] + ids[:turned])
    elif what == "split_scene":
        editing.split_scene(session, scene.id, segments[turned].id)
    elif what == "merge_scene":
        editing.merge_scene(session, scene.id)
    elif what == "order_scenes":
        editing.order_scenes(session, project, [row.id for row in reversed(scenes)])
    elif what == "remove_scene":
        editing.remove_scene(session, scene.id)
    elif what == "split_shot":
        editing.split_shot(session, shot.id, shot.start_ms + shot.duration_ms * two // 51)
    elif what == "merge_shot":
        editing.merge_shot(session, shot.id)
    elif what == "remove_shot":
        editing.remove_shot(session, shot.id)
    elif what == "order_shots":
        ids = [row.id for row in shots if row.scene_id == scene.id]
        editing.order_shots(session, scene.id, ids[::-1])
    else:
        editing.change_shot(session, shot.id, {"action": f"action {two}", "move": "push_in"})


def _check_order(session: Session, project_id: int) -> None:
    segments, scenes = _rows(session, project_id), scenes_of(session, project_id)
    shots = list(session.scalars(select(Shot).where(Shot.project_id == project_id).order_by(Shot.idx)))
    assert [row.idx for row in segments] == list(range(len(segments))) and segments
    assert [row.idx for row in scenes] == list(range(len(scenes)))
    assert [at for row in scenes for at in range(row.first_segment_idx, row.last_segment_idx + 1)] == [
        row.idx for row in segments
    ]
    assert [row.idx for row in shots] == list(range(len(shots)))
    home = {row.id: row for row in scenes}
    for row in shots:
        scene = home[row.scene_id]
        assert row.segments and all(scene.first_segment_idx <= at <= scene.last_segment_idx for at in row.segments)


def _check_film(session: Session, project: Project) -> None:
    segments = _rows(session, project.id)
    shots = list(session.scalars(select(Shot).where(Shot.project_id == project.id).order_by(Shot.idx)))
    assert shots[0].start_ms == 0 and shots[-1].end_ms == project.narration_ms
    for row, following in pairwise(shots):
        assert row.end_ms == following.start_ms
    for row in shots:
        assert 0 < row.duration_ms == row.end_ms - row.start_ms <= MAX_SLOT_MS + 42
        assert slot_frames(row.start_ms, row.end_ms, FPS)[1] >= 1
        voices = {(segments[at].segment_type, segments[at].speaker_id) for at in row.segments}
        assert voices == {(row.kind, row.speaker_id)}
    heard = [at for row in shots for at in row.segments]
    assert sorted(set(heard)) == [row.idx for row in segments]
    assert heard == sorted(heard)


@given(sounds=lengths, who=voices, history=edits)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_a_timeline_survives_any_edits(sounds: list[int], who: list[int], history: list[Edit]) -> None:
    with film(sounds, who) as (store, number):
        for edit in history:
            try:
                with store.db.write() as session:
                    _apply(session, session.get_one(Project, number), edit)
            except (Conflict, InvalidInput):
                pass  # refused in words, and rolled back
            with store.db.read() as session:
                _check_order(session, number)
            if edit[1] % 3 == 0:
                with store.db.write() as session:
                    _run(session, session.get_one(Project, number))
                    _check_film(session, session.get_one(Project, number))
        with store.db.write() as session:
            project = session.get_one(Project, number)
            _run(session, project)
            _check_order(session, number)
            _check_film(session, project)
            before = [(row.id, row.start_ms, row.text) for row in session.scalars(select(Shot).order_by(Shot.idx))]
            _run(session, project)
            after = [(row.id, row.start_ms, row.text) for row in session.scalars(select(Shot).order_by(Shot.idx))]
            assert before == after  # a run that finds nothing new changes nothing
