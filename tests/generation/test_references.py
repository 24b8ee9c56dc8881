"""What a frame is made from: which pictures, in which order, what a cap leaves out, and whom a film shows at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from pipeline.contracts import FilmForm
from pipeline.generation.entities import seed_of
from pipeline.generation.references import FrameRequest, frame_request, used_entities
from pipeline.store import MediaStore, Store, open_store
from pipeline.store.models import Character, Project, Prop, Scene, SceneCharacter, SceneProp, Set, Shot
from tests.projects.films import picture

FORM = FilmForm.of("16:9")


@dataclass
class Film:
    """One scene on the quay, with one shot; everything is rolled back after the test."""

    session: Session
    media: MediaStore
    pictures: list[str]
    project: Project
    scene: Scene
    shot: Shot

    def add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def character(self, name: str, **columns: Any) -> Character:
        return self._entity(Character, name, columns)

    def prop(self, name: str, **columns: Any) -> Prop:
        return self._entity(Prop, name, columns)

    def place(self, name: str, **columns: Any) -> Set:
        row: Set = self._entity(Set, name, columns)
        self.scene.set_id = row.id
        return row

    def _entity(self, kind: type[Any], name: str, columns: dict[str, Any]) -> Any:
        shown = {"project_id": self.project.id, "name": name, "reference_image_url": self.pictures.pop()}
        return self.add(kind(**(shown | columns)))

    def request(self, cap: int = 8, form: FilmForm = FORM) -> FrameRequest:
        self.session.flush()
        return frame_request(self.session, self.media, self.project, self.shot, form, cap=cap)

    def sent(self, cap: int = 8) -> list[str]:
        return [one.url for one in self.request(cap).request.references]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[str]]]:
    """A store, and pictures in it to be had."""
    with open_store(tmp_path_factory.mktemp("references") / "data") as store:
        yield store, [picture(store) for _ in range(12)]


@pytest.fixture
def film(shelf: tuple[Store, list[str]]) -> Iterator[Film]:
    store, pictures = shelf
    with store.db.write() as session:
        project = Project(title="The Quay", style="ink drawing", frame_image_model="flux")
        session.add(project)
        session.flush()
        scene = Scene(project_id=project.id, idx=0, first_segment_idx=0, last_segment_idx=0)
        session.add(scene)
        session.flush()
        shot = Shot(
            project_id=project.id,
            scene_id=scene.id,
            idx=0,
            kind="narration",
            start_ms=0,
            end_ms=3_000,
            duration_ms=3_000,
        )
        session.add(shot)
        session.flush()
        yield Film(session, store.media, list(pictures), project, scene, shot)
        session.rollback()


def crowded(film: Film) -> dict[str, str]:
    """A quay with two people and two things, and two pictures pinned to the shot; their addresses by name."""
    rows = [film.character("Anna"), film.character("Tom"), film.prop("Boat"), film.prop("Lamp"), film.place("Quay")]
    film.shot.subjects = ["Lamp", "Tom", "Boat", "Anna"]
    pinned = [film.pictures.pop(), film.pictures.pop()]
    film.shot.pinned_references = pinned
    return {row.name: row.reference_image_url for row in rows} | {"first": pinned[0], "second": pinned[1]}


# --- Which pictures ----------------------------------------------------------------------------------------------


def test_the_rank_is_pinned_focal_set_others_things(film: Film) -> None:
    url = crowded(film)
    assert film.sent() == [url[name] for name in ("first", "second", "Tom", "Quay", "Anna", "Lamp", "Boat")]
    assert film.request().overflow == ()


@pytest.mark.parametrize(
    ("cap", "sent", "overflow"),
    [
        (7, ["first", "second", "Tom", "Quay", "Anna", "Lamp", "Boat"], ()),
        (6, ["first", "second", "Tom", "Quay", "Anna", "Lamp"], ("Boat",)),
        (3, ["first", "second", "Tom"], ("Quay", "Anna", "Lamp", "Boat")),
        (2, ["first", "second"], ("Tom", "Quay", "Anna", "Lamp", "Boat")),
        (1, ["first"], ("pinned picture 2", "Tom", "Quay", "Anna", "Lamp", "Boat")),
        (0, [], ("pinned picture 1", "pinned picture 2", "Tom", "Quay", "Anna", "Lamp", "Boat")),
    ],
)
def test_the_cap_cuts_from_the_end_and_what_is_cut_is_named(
    film: Film, cap: int, sent: list[str], overflow: tuple[str, ...]
) -> None:
    url = crowded(film)
    assert film.sent(cap) == [url[name] for name in sent]
    assert film.request(cap).overflow == overflow


def test_what_has_no_picture_takes_no_room(film: Film) -> None:
    url = crowded(film)
    for name in ("Tom", "Quay"):
        model: type[Any] = Character if name == "Tom" else Set
        film.session.query(model).filter_by(name=name, project_id=film.project.id).one().reference_image_url = None
    assert film.sent(3) == [url[name] for name in ("first", "second", "Anna")]
    request = film.request(3)
    assert request.overflow == ("Lamp", "Boat")
    assert [one.name for one in request.request.brief.characters] == ["Tom", "Anna"], "it is drawn from words"  # type: ignore[union-attr]


def test_only_what_the_shot_names_out_of_its_own_film_is_shown(film: Film) -> None:
    anna = film.character("Anna")
    film.character("Tom")
    film.prop("Lamp")
    other = film.add(Project(title="Another film"))
    for project_id in (film.project.id, other.id):
        film.character("Bystander", project_id=project_id)
    film.character("Anna", project_id=other.id)
    film.prop("Boat", project_id=other.id)
    film.shot.subjects = ["Anna", "Boat"]
    request = film.request()
    assert film.sent() == [anna.reference_image_url]
    assert [one.name for one in request.request.brief.characters] == ["Anna"]  # type: ignore[union-attr]
    assert request.request.brief.props == ()  # type: ignore[union-attr]


def test_a_scene_in_no_place_has_none(film: Film) -> None:
    anna = film.character("Anna")
    film.shot.subjects = ["Anna"]
    assert film.sent() == [anna.reference_image_url]
    assert film.request().request.brief.place is None  # type: ignore[union-attr]


# --- What is said to the engine ----------------------------------------------------------------------------------


def test_the_brief_says_what_is_seen(film: Film) -> None:
    crowded(film)
    tom = film.session.query(Character).filter_by(name="Tom", project_id=film.project.id).one()
    film.shot.speaker_id = tom.id
    film.shot.framing, film.shot.angle, film.shot.action = "wide", "low", "Tom lights the lamp"
    film.scene.mood, film.scene.weather, film.scene.time_of_day = "tense", "rain", "dusk"
    brief = film.request().request.brief
    assert brief.task == "frame"
    assert (brief.framing, brief.angle, brief.action) == ("wide", "low", "Tom lights the lamp")
    assert (brief.subjects, brief.speaker) == (("Lamp", "Tom", "Boat", "Anna"), "Tom")
    assert (brief.mood, brief.style) == ("tense", "ink drawing")
    assert [one.name for one in brief.characters] == ["Tom", "Anna"]
    assert [one.name for one in brief.props] == ["Lamp", "Boat"]
    assert brief.place is not None
    assert (brief.place.name, brief.place.image) == ("Quay", film.request().request.references[3])


def test_a_shot_without_a_speaker_has_none(film: Film) -> None:
    crowded(film)
    assert film.request().request.brief.speaker is None  # type: ignore[union-attr]


def test_the_scenes_light_falls_on_its_place_and_on_nobody_else(film: Film) -> None:
    crowded(film)
    film.place("Wood", mood="calm", time_of_day="morning")
    film.scene.mood, film.scene.weather, film.scene.time_of_day = "tense", "fog", "night"
    brief: Any = film.request().request.brief
    assert (brief.place.mood, brief.place.weather, brief.place.time_of_day) == ("tense", "fog", "night")
    for one in (*brief.characters, *brief.props):
        assert (one.mood, one.weather, one.time_of_day) == ("", "clear", "day")


def test_the_prompt_says_it_in_words(film: Film) -> None:
    film.character("Anna", appearance="grey coat")
    film.character("Tom", appearance="")
    film.place("Quay", description="a stone quay")
    film.shot.subjects = ["Anna", "Tom"]
    film.shot.framing, film.shot.angle = "close_up", "high"
    film.shot.action, film.shot.text = "Anna waits", "She waited for an hour."
    film.scene.mood, film.scene.weather, film.scene.time_of_day = "tense", "rain", "dusk"
    assert film.request().request.prompt == (
        "close-up of the face, from a high angle. Anna waits. a stone quay. dusk, rain weather, tense. "
        "Anna: grey coat. ink drawing."
    )
    film.shot.action, film.scene.mood, film.scene.set_id = "", "", None
    assert film.request().request.prompt == (
        "close-up of the face, from a high angle. She waited for an hour. dusk, rain weather. "
        "Anna: grey coat. ink drawing."
    )


# --- Who looks where ---------------------------------------------------------------------------------------------


def talk(film: Film, *names: str, outside: str = "") -> dict[str, Character]:
    """These stand in the scene in this order, but for the one outside; the shot in the middle of five is film.shot."""
    people = {name: film.character(name, sort_order=place) for place, name in reversed(list(enumerate(names)))}
    for name in names:
        if name != outside:
            film.add(SceneCharacter(scene_id=film.scene.id, character_id=people[name].id))
    film.shot.idx = 2
    return people


def says(film: Film, idx: int, speaker: Character | None, scene: Scene | None = None) -> None:
    times = {"kind": "dialogue", "start_ms": 0, "end_ms": 900, "duration_ms": 900}
    who = speaker.id if speaker else None
    where = (scene or film.scene).id
    film.add(Shot(project_id=film.project.id, scene_id=where, idx=idx, speaker_id=who, **times))


def looking(film: Film) -> tuple[str | None, str]:
    """(partner, what the prompt says of it)."""
    request = film.request().request
    said = [one for one in request.prompt.split(". ") if " looks to " in one]
    return request.brief.partner, "".join(said)  # type: ignore[union-attr]


def test_two_who_talk_look_at_each_other_and_keep_their_sides(film: Film) -> None:
    people = talk(film, "Anna", "Tom", "Mary")
    film.add(SceneCharacter(scene_id=film.add(a_scene(film)).id, character_id=film.character("Elsewhere").id))
    film.shot.subjects = ["Tom", "Anna"]
    film.shot.speaker_id = people["Tom"].id
    assert looking(film) == ("Anna", "Tom looks to the left, towards Anna")
    assert film.request().request.brief.line == ("Anna", "Tom", "Mary")  # type: ignore[union-attr]
    film.shot.speaker_id = people["Anna"].id
    assert looking(film) == ("Tom", "Anna looks to the right, towards Tom")
    film.shot.subjects = ["Lamp", "Anna", "Mary", "Tom"]
    assert looking(film) == ("Mary", "Anna looks to the right, towards Mary")


def a_scene(film: Film) -> Scene:
    return Scene(project_id=film.project.id, idx=1, first_segment_idx=1, last_segment_idx=1)


def test_who_is_alone_in_the_picture_talks_with_who_speaks_next_to_them(film: Film) -> None:
    people = talk(film, "Anna", "Tom", "Mary", "Paul")
    film.shot.subjects = ["Tom"]
    film.shot.speaker_id = people["Tom"].id
    assert looking(film) == (None, "")
    says(film, 2, people["Paul"], film.add(a_scene(film)))
    says(film, 1, None)
    assert looking(film) == (None, ""), "nobody speaks with him in this scene"
    says(film, 0, people["Paul"])
    assert looking(film)[0] == "Paul"
    says(film, 3, people["Mary"])
    says(film, 4, people["Tom"])
    assert looking(film) == ("Mary", "Tom looks to the right, towards Mary")
    says(film, 1, people["Anna"])
    assert looking(film) == ("Anna", "Tom looks to the left, towards Anna"), "she spoke before him"


def test_where_somebody_outside_the_scene_talks_nothing_is_said_of_looks(film: Film) -> None:
    people = talk(film, "Anna", "Tom", outside="Tom")
    film.shot.subjects = ["Anna"]
    film.shot.speaker_id = people["Tom"].id
    assert looking(film) == ("Anna", "")
    film.shot.subjects, film.shot.speaker_id = ["Tom"], people["Anna"].id
    assert looking(film) == ("Tom", "")


def test_who_only_tells_looks_nowhere(film: Film) -> None:
    people = talk(film, "Anna", "Tom")
    film.shot.subjects = ["Anna", "Tom"]
    says(film, 1, people["Anna"])
    assert looking(film) == (None, "")


def test_a_namesake_in_another_film_is_no_partner(film: Film) -> None:
    people = talk(film, "Anna")
    film.character("Tom", project_id=film.add(Project(title="Another film")).id)
    film.shot.subjects, film.shot.speaker_id = ["Tom", "Anna"], people["Anna"].id
    assert looking(film) == (None, "")


@pytest.mark.parametrize(
    ("form", "size"),
    [
        (FilmForm.of("16:9"), (1_600, 900)),
        (FilmForm.of("9:16"), (900, 1_600)),
        (FilmForm.of("1:1"), (1_200, 1_200)),
        (FilmForm(width=322, height=182), (402, 228)),
    ],
)
def test_a_frame_is_a_quarter_larger_than_the_film_and_even(film: Film, form: FilmForm, size: tuple[int, int]) -> None:
    request = film.request(form=form).request
    assert (request.width, request.height) == size
    assert request.model == "flux"


def test_the_same_shot_gets_the_same_picture_until_another_is_asked_for(film: Film) -> None:
    film.shot.action = "Anna waits"

    def seed(**columns: Any) -> int:
        for name, value in columns.items():
            setattr(film.shot, name, value)
        return film.request().request.seed

    first = seed()
    assert first == seed_of(0, "Anna waits")
    assert seed(variations={"last_frame": 2}, angle="low", idx=4) == first
    others = [
        seed(variations={"first_frame": 1}),
        seed(variations={"first_frame": 2}),
        seed(action="Anna leaves", variations={}),
        seed(action="Anna waits", seed=7),
    ]
    assert len({first, *others}) == 5
    assert seed(seed=0) == first


# --- Whom the film shows -----------------------------------------------------------------------------------------


def names(film: Film) -> list[str]:
    film.session.flush()
    return [one.name for one in used_entities(film.session, film.project.id)]


def test_who_is_named_present_or_heard_is_used(film: Film) -> None:
    film.character("Nobody")
    film.prop("Unseen")
    film.character("Named")
    present, speaker = film.character("Present"), film.character("Speaker")
    film.prop("Named thing")
    lying = film.prop("Lying there")
    film.place("Unused place")
    film.place("Quay")
    assert names(film) == ["Quay"]
    film.add(SceneCharacter(scene_id=film.scene.id, character_id=present.id))
    film.add(SceneProp(scene_id=film.scene.id, prop_id=lying.id))
    assert names(film) == ["Present", "Quay", "Lying there"]
    film.shot.subjects = ["Named", "Named thing"]
    film.shot.speaker_id = speaker.id
    assert names(film) == ["Named", "Present", "Speaker", "Quay", "Named thing", "Lying there"]


def test_used_ones_come_in_their_order_of_the_story(film: Film) -> None:
    film.shot.subjects = ["Anna", "Tom", "Mary", "Lamp", "Boat", "Rope"]
    for kind, order in ((film.character, ("Anna", "Tom", "Mary")), (film.prop, ("Lamp", "Boat", "Rope"))):
        for name, place in zip(order, (1, 0, 0), strict=True):
            kind(name, sort_order=place)
    film.place("Wood", sort_order=1)
    second = Scene(project_id=film.project.id, idx=1, first_segment_idx=1, last_segment_idx=1)
    second.set_id = film.add(Set(project_id=film.project.id, name="Quay", sort_order=0)).id
    film.add(second)
    assert names(film) == ["Tom", "Mary", "Anna", "Quay", "Wood", "Boat", "Rope", "Lamp"]


def test_another_films_people_places_and_things_are_not_used(film: Film) -> None:
    film.shot.subjects = ["Anna", "Boat"]
    other = film.add(Project(title="Another film"))
    anna = film.character("Anna", project_id=other.id)
    boat = film.prop("Boat", project_id=other.id)
    wood = film.add(Set(project_id=other.id, name="Wood"))
    scene = Scene(project_id=other.id, idx=0, first_segment_idx=0, last_segment_idx=0, set_id=wood.id)
    film.add(scene)
    film.add(SceneCharacter(scene_id=scene.id, character_id=anna.id))
    film.add(SceneProp(scene_id=scene.id, prop_id=boat.id))
    columns = {"kind": "dialogue", "start_ms": 0, "end_ms": 900, "duration_ms": 900, "speaker_id": anna.id}
    film.add(Shot(project_id=other.id, scene_id=scene.id, idx=0, subjects=["Tom", "Lamp"], **columns))
    film.character("Tom")
    film.prop("Lamp")
    assert names(film) == []
    assert [one.name for one in used_entities(film.session, other.id)] == ["Anna", "Wood", "Boat"]
