"""What is sent for an entity's own picture: guides, extras and the present one in order, the cap, the model, words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from pipeline.contracts import ImageRequest
from pipeline.errors import InvalidInput, MediaMissing
from pipeline.generation.entities import seed_of
from pipeline.generation.moderation.clearances import assembled
from pipeline.generation.reference_images import (
    Plan,
    Wish,
    kept_prompt,
    model_for,
    plan,
    shown_model,
    split,
    stored_prompt,
)
from pipeline.store import MediaStore, Store, open_store
from pipeline.store.models import Character, GuideImage, Project, Prop, Set
from tests.projects.films import picture

CAPS = {"": 3, "pulid": 1, "edit": 2}


@dataclass
class Desk:
    """A project to make references for; everything is rolled back after the test."""

    session: Session
    media: MediaStore
    pictures: list[str]
    sound: str
    project: Project

    def entity(self, kind: type[Any], **columns: Any) -> Any:
        row = kind(**({"project_id": self.project.id, "name": "Anna"} | columns))
        self.session.add(row)
        self.session.flush()
        return row

    def guided(self, entity: Any, entity_type: str, number: int) -> list[str]:
        """Gives the entity so many guides, the last of them first in the table."""
        urls = [self.pictures.pop() for _ in range(number)]
        for place, url in reversed(list(enumerate(urls))):
            guide = GuideImage(entity_type=entity_type, entity_id=entity.id, image_url=url, sort_order=place)
            self.session.add(guide)
            self.session.flush()
        return urls

    def plan(self, entity: Any, **wish: Any) -> Plan:
        asked = Wish(**wish) if wish else None
        return plan(self.session, self.media, self.project, entity, CAPS.__getitem__, asked)

    def request(self, entity: Any, **wish: Any) -> ImageRequest:
        return self.plan(entity, **wish).request


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[str], str]]:
    """A store, and pictures and a sound in it to be had."""
    with open_store(tmp_path_factory.mktemp("reference_images") / "data") as store:
        with store.media.draft(".mp3") as draft:
            draft.write_bytes(b"a sound")
            sound = store.media.publish(draft, ext="mp3", verdict=assembled()).url
        yield store, [picture(store) for _ in range(8)], sound


@pytest.fixture
def desk(shelf: tuple[Store, list[str], str]) -> Iterator[Desk]:
    store, pictures, sound = shelf
    with store.db.write() as session:
        project = Project(title="The Quay", style="ink drawing")
        session.add(project)
        session.flush()
        yield Desk(session, store.media, list(pictures), sound, project)
        session.rollback()


def urls(request: ImageRequest) -> list[str]:
    return [one.url for one in request.references]


def images(guides: Any) -> list[str]:
    return [one.image_url for one in guides]


# --- Which pictures go along -------------------------------------------------------------------------------------


def test_a_characters_first_guide_goes_to_the_model_that_keeps_faces(desk: Desk) -> None:
    anna = desk.entity(Character)
    guides = desk.guided(anna, "characters", 3)
    desk.guided(desk.entity(Character, name="Tom"), "characters", 1)
    desk.guided(desk.entity(Set, id=anna.id, name="Quay"), "sets", 1)
    found = desk.plan(anna)
    assert (found.request.model, urls(found.request)) == ("pulid", guides[:1])
    assert (images(found.active), images(found.overflow)) == (guides[:1], guides[1:])


@pytest.mark.parametrize(("kind", "entity_type"), [(Set, "sets"), (Prop, "props")])
def test_places_and_things_send_all_guides_up_to_the_cap(desk: Desk, kind: type[Any], entity_type: str) -> None:
    entity = desk.entity(kind)
    guides = desk.guided(entity, entity_type, 4)
    found = desk.plan(entity)
    assert (found.request.model, urls(found.request)) == ("", guides[:3])
    assert (images(found.active), images(found.overflow)) == (guides[:3], guides[3:])


def test_without_guides_nothing_goes_along(desk: Desk) -> None:
    anna = desk.entity(Character, reference_image_url=desk.pictures.pop())
    found = desk.plan(anna)
    assert (found.request.model, found.request.references, found.active, found.overflow) == ("", (), (), ())


def test_extras_come_after_the_guides_and_the_present_picture_before_them(desk: Desk) -> None:
    present = desk.pictures.pop()
    boat = desk.entity(Prop, name="Boat", reference_image_url=present)
    [guide] = desk.guided(boat, "props", 1)
    extra = (desk.pictures.pop(), desk.pictures.pop())
    assert urls(desk.request(boat, extra=extra)) == [guide, *extra]
    assert urls(desk.request(boat, extra=extra, edit_existing=True)) == [present, guide, extra[0]], "the cap is 3"
    assert urls(desk.request(boat, edit_existing=True, model="edit")) == [present, guide]
    boat.reference_image_url = None
    assert urls(desk.request(boat, edit_existing=True)) == [guide]


def test_the_present_picture_takes_the_room_of_a_guide(desk: Desk) -> None:
    present = desk.pictures.pop()
    anna = desk.entity(Character, reference_image_url=present)
    guides = desk.guided(anna, "characters", 2)
    found = desk.plan(anna, edit_existing=True)
    assert urls(found.request) == [present]
    assert (found.active, images(found.overflow)) == ((), guides)
    found = desk.plan(anna, edit_existing=True, model="edit")
    assert urls(found.request) == [present, guides[0]]
    assert (images(found.active), images(found.overflow)) == (guides[:1], guides[1:])


@pytest.mark.parametrize("before", [0, 3], ids=["within the cap", "past the cap"])
def test_what_is_no_picture_of_ours_is_refused(desk: Desk, before: int) -> None:
    boat = desk.entity(Prop)
    extra = tuple(desk.pictures.pop() for _ in range(before))
    with pytest.raises(InvalidInput):
        desk.plan(boat, extra=(*extra, "http://example.org/boat.png"))
    with pytest.raises(MediaMissing):
        desk.plan(boat, extra=(*extra, f"/media/{'0' * 64}.png"))
    with pytest.raises(InvalidInput, match=f"^{desk.sound} is no picture") as refused:
        desk.plan(boat, extra=(*extra, desk.sound))
    assert refused.value.hint.startswith("Use the address")


# --- Which model -------------------------------------------------------------------------------------------------


def test_the_users_choice_of_a_model_comes_first_then_the_projects(desk: Desk) -> None:
    anna, boat = desk.entity(Character), desk.entity(Prop)
    own = [GuideImage(entity_type="characters", entity_id=anna.id, image_url="/media/x.png")]
    assert [model_for(desk.project, one, own) for one in (anna, boat)] == ["pulid", ""]
    assert model_for(desk.project, anna, []) == ""
    assert model_for(desk.project, anna, own, "edit") == "edit"
    desk.project.reference_image_model = "reve"
    assert [model_for(desk.project, one, own) for one in (anna, boat)] == ["reve", "reve"]
    assert model_for(desk.project, anna, own, "edit") == "edit"
    assert model_for(desk.project, anna, own, "default") == "pulid"
    assert model_for(desk.project, boat, own, "default") == ""


def test_the_model_that_keeps_faces_has_no_name_of_its_own() -> None:
    assert [shown_model(name) for name in ("pulid", "", "edit")] == ["", "", "edit"]


def test_guides_are_split_as_the_chosen_model_would_get_them(desk: Desk) -> None:
    anna = desk.entity(Character)
    own = [GuideImage(entity_type="characters", entity_id=anna.id, image_url=name) for name in "abcd"]
    for model, cap in (("", 1), ("edit", 2), ("default", 1)):
        assert split(desk.project, anna, own, CAPS.__getitem__, model) == (own[:cap], own[cap:])
    assert split(desk.project, desk.entity(Set), own, CAPS.__getitem__) == (own[:3], own[3:])


# --- What is said ------------------------------------------------------------------------------------------------


def test_a_portrait_says_how_the_character_looks(desk: Desk) -> None:
    looks = {"appearance": "grey coat", "age_group": "elder", "gender": "female"}
    anna = desk.entity(Character, reference_image_url=desk.pictures.pop(), **looks)
    request = desk.request(anna)
    assert request.prompt == "Portrait of Anna: grey coat. Plain background, alone, facing us. ink drawing."
    assert (request.width, request.height) == (768, 960)
    brief: Any = request.brief
    assert (brief.task, brief.style, brief.subject.image) == ("reference", "ink drawing", None)
    assert brief.subject.model_dump(include={"kind", "name", *looks}) == {"kind": "character", "name": "Anna"} | looks


def test_a_place_has_the_films_form_and_its_own_light(desk: Desk) -> None:
    desk.project.aspect_ratio = "9:16"
    quay = desk.entity(Set, name="Quay", description="a stone quay", mood="calm", time_of_day="dusk")
    request = desk.request(quay)
    assert request.prompt == (
        "An empty place: a stone quay. calm. Time of day: dusk. "
        "No people, no animals, no figures, no text. ink drawing."
    )
    assert (request.width, request.height) == (720, 1280)


def test_a_thing_is_shown_alone(desk: Desk) -> None:
    request = desk.request(desk.entity(Prop, name="Boat", description="a red boat"))
    assert request.prompt == (
        "a red boat, the object alone on a plain background. No people, no animals, no figures, no text. ink drawing."
    )
    assert (request.width, request.height) == (768, 768)


@pytest.mark.parametrize(
    ("kind", "prompt"),
    [
        (Character, "Portrait of Anna: Anna. "),
        (Set, "An empty place: Anna. "),
        (Prop, "Anna, the object alone on a plain background. "),
    ],
)
def test_what_nobody_has_described_is_made_from_its_name(desk: Desk, kind: type[Any], prompt: str) -> None:
    assert desk.request(desk.entity(kind)).prompt.startswith(prompt)


def test_a_prompt_that_was_given_is_sent_as_it_is_with_no_style(desk: Desk) -> None:
    request = desk.request(desk.entity(Character, appearance="grey coat"), prompt="Anna as a child")
    brief: Any = request.brief
    assert (request.prompt, brief.style) == ("Anna as a child", "")
    assert (brief.subject.name, brief.subject.appearance) == ("Anna", "Anna as a child")


def test_a_run_sends_the_prompt_that_was_kept(desk: Desk) -> None:
    anna = desk.entity(Character, appearance="grey coat")
    wish = Wish(prompt="Anna as a child", model="edit")
    anna.reference_image_prompt = stored_prompt(wish, desk.request(anna))
    assert anna.reference_image_prompt == "[ADVANCED:edit] Anna as a child"
    assert kept_prompt(anna) == "Anna as a child"
    assert desk.request(anna).prompt == "Anna as a child"
    assert desk.request(anna, model="edit").prompt.startswith("Portrait of Anna"), "a wish says all of it"


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        (None, ""),
        ("", ""),
        ("Portrait of Anna [old].", ""),
        ("[CUSTOM_UPLOAD]", ""),
        ("[ADVANCED:default] Anna [as] a child", "Anna [as] a child"),
    ],
)
def test_only_words_of_the_users_own_are_kept(desk: Desk, stored: str | None, kept: str) -> None:
    assert kept_prompt(desk.entity(Character, reference_image_prompt=stored)) == kept


def test_what_is_stored_with_a_picture_says_whose_words_it_was_made_from(desk: Desk) -> None:
    request = desk.request(desk.entity(Prop, name="Boat"))
    assert stored_prompt(Wish(prompt="a toy"), request) == "[ADVANCED:default] a toy"
    assert stored_prompt(Wish(model="edit"), request) == request.prompt


def test_the_same_entity_gets_the_same_picture_until_another_is_asked_for(desk: Desk) -> None:
    anna = desk.entity(Character)
    first = desk.request(anna).seed
    assert first == seed_of("character", "Anna")
    anna.appearance = "grey coat"
    assert desk.request(anna).seed == first
    seeds = {first, desk.request(desk.entity(Prop)).seed, desk.request(desk.entity(Character, name="Tom")).seed}
    for variation in (1, 2):
        anna.variation = variation
        seeds.add(desk.request(anna).seed)
    assert len(seeds) == 5


def test_the_digest_of_the_words_changes_with_them_alone(desk: Desk) -> None:
    anna = desk.entity(Character, appearance="grey coat")
    before = desk.plan(anna).text_digest
    desk.guided(anna, "characters", 1)
    anna.variation = 3
    assert desk.plan(anna).text_digest == before
    anna.age_group = "child"
    after = desk.plan(anna).text_digest
    anna.appearance = "red coat"
    assert len({before, after, desk.plan(anna).text_digest}) == 3


def test_a_plain_wish_asks_for_nothing() -> None:
    assert Wish().plain
    asked: list[dict[str, Any]] = [{"model": "edit"}, {"prompt": "x"}, {"extra": ("x",)}, {"edit_existing": True}]
    assert not any(Wish(**one).plain for one in asked)
