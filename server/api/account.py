"""What there is to work with: the accounts at providers, and the models that can be chosen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Literal

from flask import Blueprint

from pipeline.generation.account import Standing, State
from pipeline.generation.choices import Choice
from server.contract import Answer, Page, Query, api
from server.http import services

room = Blueprint("account", __name__, url_prefix="/api")


class Price(Answer):
    """A share of the list price: `micros` millionths of a dollar per unit. The shares of a result add up."""

    micros: int
    per: str


class Offer(Answer):
    model: str
    label: str
    kind: str
    reference_cap: int
    price: list[Price]


class Balance(Answer):
    """`micros`: millionths of one `currency`."""

    micros: int
    currency: str


class Provider(Answer):
    """`note` says why there is no balance, or what is wrong; `missing` names the setting to add; `halted` has the kinds
    of work that are held back, each with the reason."""

    name: str
    label: str
    state: Literal["ready", "needs_key", "degraded", "error"]
    identity: str | None
    balance: Balance | None
    note: str | None
    missing: str | None
    halted: dict[str, str]
    asked_at: str | None
    models: list[Offer]


class Overview(Answer):
    providers: list[Provider]


class Wish(Query):
    refresh: Literal["0", "1", "false", "true"] = "0"


class Place(Answer):
    provider: str
    label: str
    ready: bool
    missing: str | None
    price: list[Price]


class Model(Answer):
    """`model` is the name that requests carry: empty for the default of its kind."""

    model: str
    label: str
    kind: str
    ready: bool
    reference_cap: int
    places: list[Place]


@room.get("/account/overview")
@api(query=Wish, answers={200: Overview})
def overview(query: Wish) -> Overview:
    """Every provider's state, owner, balance and models.

    All are asked at once, and the answer comes within three seconds whatever they do. A balance that a provider does
    not tell is null, and `note` says why. Answers are kept for a minute; `refresh=1` asks again.
    """
    standings = services().accounts.overview(refresh=query.refresh in ("1", "true"))
    return Overview(providers=[_provider(one) for one in standings])


@room.get("/models")
@api(answers={200: Page[Model]})
def models() -> Page[Model]:
    """The models that can be chosen, kind by kind, with where they are to be had and at what price."""
    accounts = services().accounts
    labels = {one.name: one.label for one in accounts.states()}
    return Page[Model](items=[_model(one, labels) for one in accounts.models()])


def _provider(standing: Standing) -> Provider:
    account = standing.account
    micros = account.balance_micros
    state: State = standing.state
    return Provider(
        name=standing.name,
        label=standing.label,
        state=state,
        identity=account.identity,
        balance=None if micros is None else Balance(micros=micros, currency=account.currency),
        note=account.note or None,
        missing=standing.missing,
        halted=dict(standing.halted or {}),
        asked_at=standing.asked_at.isoformat() if standing.asked_at else None,
        models=[Offer.model_validate(asdict(one)) for one in standing.offers],
    )


def _model(choice: Choice, labels: dict[str, str]) -> Model:
    return Model(
        model=choice.model,
        label=choice.label,
        kind=choice.kind,
        ready=choice.ready,
        reference_cap=choice.reference_cap,
        places=[
            Place(
                provider=place.provider,
                label=labels[place.provider],
                ready=place.missing is None,
                missing=place.missing,
                price=[Price(micros=one.micros, per=one.per) for one in place.price],
            )
            for place in choice.places
        ],
    )
