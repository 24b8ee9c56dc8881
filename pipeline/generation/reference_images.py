"""What is sent for an entity's reference picture: one function for every path that makes one, by hand or in a run.

Hides the prompt, the choice of the model, which of the user's pictures go along, and what the model's cap leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from pipeline import prompts
from pipeline.contracts import PICTURES, FilmForm, ImageRequest, MediaRef, ReferenceBrief, Value, digest
from pipeline.errors import InvalidInput
from pipeline.generation.entities import (
    ADVANCED,
    Entity,
    MediaLookup,
    film_form,
    guides_of,
    kind_of,
    look,
    seed_of,
    type_of,
)
from pipeline.store.models import Character, GuideImage, Project
from pipeline.store.models import Set as SetRow

PORTRAIT = (768, 960)
OBJECT = (768, 768)
# Keeps a face that is shown to it. Users do not choose it by name: it is part of what "default" means.
IDENTITY_MODEL = "pulid"
DEFAULT = "default"


class Wish(Value):
    """What a user asks of a reference picture beyond the project's own settings.

    `model`: empty for the project's choice. `prompt`: sent as it is; empty for the one built from the entity's fields.
    `extra`: media addresses to go along after the guides. `edit_existing`: the present reference goes along, first.
    """

    model: str = ""
    prompt: str = ""
    extra: tuple[str, ...] = ()
    edit_existing: bool = False

    @property
    def plain(self) -> bool:
        """Nothing that a run would not do as well."""
        return self == Wish()


@dataclass(frozen=True)
class Plan:
    """A request, the guides that go along with it, and those that the model's cap leaves out."""

    request: ImageRequest
    active: tuple[GuideImage, ...]
    overflow: tuple[GuideImage, ...]

    @property
    def text_digest(self) -> str:
        """Changes when a field is edited that the picture is made from."""
        return digest(self.request.prompt, self.request.brief)


def plan(
    session: Session,
    media: MediaLookup,
    project: Project,
    entity: Entity,
    cap_of: Callable[[str], int],
    wish: Wish | None = None,
) -> Plan:
    """What is sent for the entity's reference picture. `cap_of` says how many pictures a model takes.

    Without a wish it is what a run sends: with the user's own prompt where one was kept. Raises InvalidInput and
    MediaMissing for an `extra` that is no picture of ours.
    """
    wish = wish or Wish(prompt=kept_prompt(entity))
    own = guides_of(session, type_of(entity), [entity.id]).get(entity.id, [])
    model = model_for(project, entity, own, wish.model)
    existing = [entity.reference_image_url] if wish.edit_existing and entity.reference_image_url else []
    cap = cap_of(model)
    room = max(0, cap - len(existing))
    extra = [picture_of(media, url) for url in wish.extra]  # past the cap too: a wrong address is a mistake
    sent = [*map(media.ref, [*existing, *(guide.image_url for guide in own[:room])]), *extra][:cap]
    request = _request(media, project, entity, wish, model=model, references=tuple(sent))
    return Plan(request, tuple(own[:room]), tuple(own[room:]))


def picture_of(media: MediaLookup, url: str) -> MediaRef:
    """A picture that a user names. Raises InvalidInput (no picture of ours) and MediaMissing."""
    ref = media.ref(url)
    if ref.ext not in PICTURES:
        raise InvalidInput(f"{url} is no picture.", hint="Use the address of one that the API gave.")
    return ref


def split(
    project: Project, entity: Entity, own: Sequence[GuideImage], cap_of: Callable[[str], int], model: str = ""
) -> tuple[Sequence[GuideImage], Sequence[GuideImage]]:
    """(active, overflow): which of the entity's guides the chosen model would get."""
    cap = cap_of(model_for(project, entity, own, model))
    return own[:cap], own[cap:]


def model_for(project: Project, entity: Entity, own: Sequence[GuideImage], model: str = "") -> str:
    """The user's choice, else the project's; by default a face is kept by the model made for that (empty: the
    provider's default)."""
    chosen = "" if model == DEFAULT else model or project.reference_image_model
    if chosen:
        return chosen
    return IDENTITY_MODEL if own and isinstance(entity, Character) else ""


def shown_model(model: str) -> str:
    """How users know the model: the one behind the default has no name of its own."""
    return "" if model == IDENTITY_MODEL else model


def kept_prompt(entity: Entity) -> str:
    """The prompt that the user wrote by hand for the reference, if one is kept."""
    stored = entity.reference_image_prompt or ""
    return stored.partition("]")[2].strip() if stored.startswith(ADVANCED) else ""


def stored_prompt(wish: Wish, request: ImageRequest) -> str:
    """What is kept in `reference_image_prompt` with the picture."""
    return f"{ADVANCED}{wish.model or DEFAULT}] {wish.prompt}" if wish.prompt else request.prompt


def _request(
    media: MediaLookup, project: Project, entity: Entity, wish: Wish, *, model: str, references: tuple[MediaRef, ...]
) -> ImageRequest:
    subject = look(media, entity).model_copy(update={"image": None})
    style = project.style
    form: FilmForm = film_form(project)
    if isinstance(entity, Character):
        prompt = prompts.character_reference(entity.name, entity.appearance, style)
        width, height = PORTRAIT
    elif isinstance(entity, SetRow):
        prompt = prompts.set_reference(entity.name, entity.description, entity.mood, entity.time_of_day, style)
        width, height = form.width, form.height
    else:
        prompt = prompts.prop_reference(entity.name, entity.description, style)
        width, height = OBJECT
    if wish.prompt:  # engines that draw take it from the brief, where it stands for looks and style alike
        prompt, style = wish.prompt, ""
        subject = subject.model_copy(update={"appearance": wish.prompt})
    seed = (kind_of(entity), entity.name, *((entity.variation,) if entity.variation else ()))
    return ImageRequest(
        model=model,
        references=references,
        prompt=prompt,
        width=width,
        height=height,
        seed=seed_of(*seed),
        brief=ReferenceBrief(subject=subject, style=style),
    )
