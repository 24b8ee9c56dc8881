"""The line of a scene: whoever talks looks the same way in all of its shots, and the other one back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.contracts import FilmForm, FrameBrief
from pipeline.generation.references import eyeline, frame_request
from pipeline.store import Store, open_store
from pipeline.store.models import Character, Project, Scene, SceneCharacter, Shot

FORM = FilmForm.of("16:9")
CAST = ("Mira", "the fox", "Oda", "Tom")
FRAMINGS = ("wide", "medium", "close_up", "over_shoulder")
Take = tuple[int | None, int, bool]  # who speaks, the framing, whether somebody else is seen too


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("line")) as found:
        yield found


def briefs(store: Store, takes: list[Take], present: int) -> list[tuple[FrameBrief, str]]:
    """The frames' briefs of a scene with these takes, and their prompts."""
    with store.db.write() as session:
        project = Project(title="A talk", story="They talk.")
        session.add(project)
        session.flush()
        cast = [Character(project_id=project.id, name=name, sort_order=at) for at, name in enumerate(CAST)]
        scene = Scene(project_id=project.id, idx=0, first_segment_idx=0, last_segment_idx=len(takes))
        session.add_all([*cast, scene])
        session.flush()
        session.add_all([SceneCharacter(scene_id=scene.id, character_id=one.id) for one in cast[:present]])
        shots = []
        for at, (who, framing, together) in enumerate(takes):
            speaker = None if who is None else cast[who % present]
            seen = [] if speaker is None else [speaker.name]
            seen += [CAST[(at + 1) % present]] if together else []
            shots.append(
                Shot(
                    project_id=project.id,
                    scene_id=scene.id,
                    idx=at,
                    kind="narration" if speaker is None else "dialogue",
                    speaker_id=None if speaker is None else speaker.id,
                    start_ms=at * 2_000,
                    end_ms=at * 2_000 + 2_000,
                    duration_ms=2_000,
                    framing=FRAMINGS[framing],
                    subjects=list(dict.fromkeys(seen)),
                    segments=[at],
                )
            )
        session.add_all(shots)
        session.flush()
        made = [frame_request(session, store.media, project, shot, FORM, cap=8).request for shot in shots]
        session.rollback()
    return [(one.brief, one.prompt) for one in made if isinstance(one.brief, FrameBrief)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    takes=st.lists(st.tuples(st.none() | st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=12),
    present=st.integers(1, 4),
)
def test_nobody_crosses_the_line_within_a_scene(store: Store, takes: list[Take], present: int) -> None:
    made = briefs(store, takes, present)
    assert len(made) == len(takes)
    assert {brief.line for brief, _ in made} == {CAST[:present]}
    ways: dict[tuple[str, str], str] = {}
    for brief, prompt in made:
        if brief.speaker is None or brief.partner is None:
            assert "looks to the" not in prompt
            continue
        assert brief.partner != brief.speaker and brief.partner in CAST
        way = eyeline(brief.line, brief.speaker, brief.partner)
        assert way in prompt
        side = "right" if "to the right" in way else "left"
        assert ways.setdefault((brief.speaker, brief.partner), side) == side
    for (speaker, partner), side in ways.items():
        assert ways.get((partner, speaker), "") != side, f"{speaker} and {partner} look the same way"


def test_whoever_talks_alone_in_the_picture_looks_at_who_answers(store: Store) -> None:
    close_up = FRAMINGS.index("close_up")
    made = briefs(store, [(0, close_up, False), (None, 1, False), (1, close_up, False), (0, close_up, False)], 2)
    assert [brief.partner for brief, _ in made] == ["the fox", None, "Mira", "the fox"]
    assert "Mira looks to the right, towards the fox." in made[0][1]
    assert "the fox looks to the left, towards Mira." in made[2][1]
