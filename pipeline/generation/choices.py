"""The models that users choose from, in their words: what each takes, what it costs, and where it is to be had.

Hides slugs, and the models that only serve as a default: those are offered under the default's name alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from pipeline.contracts import Capability
from pipeline.generation.chain import DEFAULT_MODEL, EMBEDDED, FIRST
from pipeline.providers import ADAPTERS
from pipeline.providers.catalogue import EMBEDDED_MODELS, Entry, PriceUnit, Slug, entries
from pipeline.providers.token_prices import Tariff

KINDS: tuple[str, ...] = ("text", "speech", "image", "video", "lipsync", "upscale")
_CHECKS = ("visual", "age", "celebrity")
PER: Mapping[PriceUnit, str] = {
    "run": "result",
    "run_720p": "result at 720p",
    "mp_in": "megapixel sent",
    "mp_out": "megapixel made",
    "second": "second",
    "second_720p": "second at 720p",
    "kchar": "1,000 characters",
}


@dataclass(frozen=True)
class Price:
    """A share of the list price: micro-dollars per unit. A result costs the sum of its shares."""

    micros: int
    per: str


@dataclass(frozen=True)
class Offer:
    """A model at one provider. `reference_cap`: how many reference pictures it takes there."""

    model: str
    label: str
    kind: str
    reference_cap: int = 0
    price: tuple[Price, ...] = ()


@dataclass(frozen=True)
class Place:
    """A provider that has the model. `missing`: the setting that it lacks, None where it is set up."""

    provider: str
    missing: str | None
    price: tuple[Price, ...]


@dataclass(frozen=True)
class Choice:
    """What a user may choose. `model` is what requests name it by: "" for the default. Free ones have no price."""

    model: str
    label: str
    kind: str
    reference_cap: int
    places: tuple[Place, ...]

    @property
    def ready(self) -> bool:
        return any(place.missing is None for place in self.places)


@cache
def offers(provider: str) -> tuple[Offer, ...]:
    """What the provider serves, the default of each kind first. Language models are named by settings: see `text`."""
    if provider == EMBEDDED:
        return tuple(Offer(one.name, one.label, one.capability) for one in EMBEDDED_MODELS)
    found = []
    for entry in entries().values():
        slugs = entry.slugs(provider)
        if slugs and entry.offered:
            found.append(Offer(entry.name, entry.label, entry.kind, _cap(slugs), _price(slugs[0])))
    return tuple(found)


def check_offers() -> tuple[Offer, ...]:
    """Who looks at pictures on the AWS account, by the names of its checks."""
    from pipeline.providers.moderators import rekognition  # with HTTP packages, which no start has to wait for

    share = (Price(rekognition.PRICE_MICROS, "picture and check"),)
    return tuple(Offer(f"rekognition/{one}", f"Rekognition: {one} check", "moderation", 0, share) for one in _CHECKS)


def shown(model: str) -> str:
    """A model's name as users may see it: one that is not offered goes by its label."""
    entry = entries().get(model)
    return model if entry is None or entry.offered else entry.label


def text_offer(tariff: Tariff) -> Offer:
    """A language model, by the name that its provider knows it by."""
    price = tariff.price
    shares = (Price(price.input, "1,000 tokens read"), Price(price.output, "1,000 tokens written"))
    return Offer(tariff.model, tariff.model, "text", price=shares if price.input or price.output else ())


def choices(missing: Mapping[str, str | None], text_models: Mapping[str, Tariff]) -> tuple[Choice, ...]:
    """Everything that can be chosen, kind by kind, each kind's default first and the built-in engine last.

    `missing`: per provider the setting that it lacks. `text_models`: per provider of language models the one set.
    """
    found: list[Choice] = [_text(provider, tariff, missing) for provider, tariff in text_models.items()]
    for kind in KINDS[1:]:
        of_kind = [entry for entry in entries().values() if entry.kind == kind]
        offered = [_choice(entry, missing) for entry in of_kind if entry.offered]
        found += [*_default(of_kind, missing), *offered]
        found += [
            Choice(one.name, one.label, kind, 0, (Place(EMBEDDED, None, ()),))
            for one in EMBEDDED_MODELS
            if one.capability == kind
        ]
    return tuple(found)


def _text(provider: str, tariff: Tariff, missing: Mapping[str, str | None]) -> Choice:
    offer = text_offer(tariff)
    return Choice(offer.model, offer.label, "text", 0, (Place(provider, missing.get(provider), offer.price),))


def _default(of_kind: Iterable[Entry], missing: Mapping[str, str | None]) -> list[Choice]:
    """The choice of nobody in particular: it is called after the model that serves it as a rule."""
    first = next((entry for entry in of_kind if entry.offered), None)
    if first is None:
        return []
    usual = entries()[DEFAULT_MODEL] if first.kind == "image" else first
    known = _choice(usual, missing)
    return [Choice("", f"Default ({usual.label})", known.kind, known.reference_cap, known.places)]


def _choice(entry: Entry, missing: Mapping[str, str | None]) -> Choice:
    """Its cap is that of the place that would serve it, so that it agrees with what is sent."""
    places = [
        Place(name, missing.get(name), _price(slugs[0])) for name in _order(entry.kind) if (slugs := entry.slugs(name))
    ]
    serving = next((place.provider for place in places if place.missing is None), None)
    cap = _cap(entry.slugs(serving)) if serving else entry.cap
    return Choice(entry.name, entry.label, entry.kind, cap, tuple(places))


def _order(kind: Capability) -> list[str]:
    first = FIRST.get(kind, ())
    return [*first, *(name for name in ADAPTERS if name not in first and name != EMBEDDED)]


def _cap(slugs: Iterable[Slug]) -> int:
    return max((one.cap for one in slugs), default=0)


def _price(slug: Slug) -> tuple[Price, ...]:
    return tuple(Price(micros, PER[unit]) for unit, micros in slug.price.items())
