from __future__ import annotations

from itertools import pairwise

import pytest

from pipeline.writer.rules.actions import plural, present
from tests.writer.kit import EXAMPLES, WRITER, Film, make, takes_of

STORY = """Mira walked along the pier with her lantern. She was afraid.

"Is anybody there?" she asked.

"Only me," whispered the fox.

The lantern lay on the stones. Nobody was near it.

The fox laughed. "You can come closer," said the fox. "I do not bite on Mondays."

She picked up the lantern.
"""


@pytest.fixture(scope="module")
def film() -> Film:
    return make(STORY)


def test_a_scene_opens_wide(film: Film) -> None:
    assert film.shots[0][0].framing == "wide"
    assert film.shots[0][0].subjects[0] == "Mira"


def test_speech_shows_its_speaker_first(film: Film) -> None:
    for scene, shots in zip(film.scenes, film.shots, strict=True):
        for take, shot in zip(takes_of(scene, film.segments), shots, strict=True):
            if take.speaker:
                assert shot.subjects[0] == take.speaker
                assert shot.framing in {"wide", "medium", "close_up", "over_shoulder"}
            if shot.framing == "over_shoulder":
                assert len(shot.subjects) == 2


def test_a_thing_alone_is_an_insert(film: Film) -> None:
    shot = film.shot_of("The lantern lay")
    assert (shot.framing, shot.subjects[0]) == ("insert", "lantern")


def test_actions_are_plain_sentences_in_the_present(film: Film) -> None:
    assert film.shot_of("walked along").action.startswith("Mira walks along the pier with her lantern")
    assert film.shot_of("Is anybody").action == "Mira asks the fox a question"
    assert film.shot_of("Only me").action == "The fox whispers to Mira"
    assert film.shot_of("picked up").action == "Mira picks up the lantern"


def test_pronouns_are_who_they_mean(film: Film) -> None:
    assert film.shot_of("picked up").subjects == ("lantern", "Mira")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.txt")), ids=lambda path: path.stem)
def test_no_framing_twice_in_a_row(path: object) -> None:
    film = make((EXAMPLES / str(path)).read_text(encoding="utf-8"))
    shots = [shot for scene in film.shots for shot in scene]
    assert all(a.framing != b.framing for a, b in pairwise(shots))
    assert all(shot.action for shot in shots)
    assert {"wide", "medium", "close_up", "over_shoulder"} <= {shot.framing for shot in shots}
    assert len({shot.move for shot in shots}) >= 3


def test_every_take_of_a_split_slot_gets_its_shot(film: Film) -> None:
    takes = takes_of(film.scenes[0], film.segments)
    doubled = tuple(take for take in takes for _ in range(2))
    shots = WRITER.shots(film.scenes[0], doubled, film.analysis)
    assert len(shots) == len(doubled)
    assert all(a.framing != b.framing for a, b in pairwise(shots))


@pytest.mark.parametrize(
    ("past", "now", "many"),
    [
        ("walked", "walks", "walk"),
        ("ran", "runs", "run"),
        ("cried", "cries", "cry"),
        ("stopped", "stops", "stop"),
        ("smiled", "smiles", "smile"),
        ("looked", "looks", "look"),
        ("watched", "watches", "watch"),
        ("danced", "dances", "dance"),
        ("went", "goes", "go"),
        ("was", "is", "are"),
        ("waited", "waits", "wait"),
        ("listened", "listens", "listen"),
        ("called", "calls", "call"),
        ("pushed", "pushes", "push"),
        ("stared", "stares", "stare"),
        ("moved", "moves", "move"),
        ("closed", "closes", "close"),
        ("climbed", "climbs", "climb"),
        ("whistled", "whistles", "whistle"),
        ("sailed", "sails", "sail"),
        ("hurried", "hurries", "hurry"),
    ],
)
def test_verbs(past: str, now: str, many: str) -> None:
    assert present(past) == now
    assert plural(now) == many
