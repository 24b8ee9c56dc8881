"""The media generator: single pictures, sequences, clips and larger pictures, paid for in credits.

Hides the life of an item. It is priced, charged for and written down in one transaction, so a request is either
accepted and paid or leaves nothing behind; what a restart finds unfinished is taken up where it was; what could not be
made is given back as a line of its own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, false, func, or_, select
from sqlalchemy.orm import Session

from pipeline.contracts import PICTURES, JobRequest, MediaRef
from pipeline.errors import Cancelled, InvalidInput, NeedsSetup, NotFound, ProductError
from pipeline.generation.generate import Generated, Generator
from pipeline.generation.moderation.policy import GRAVEST
from pipeline.generation.outcomes import Unresolved
from pipeline.generation.record import Row
from pipeline.media.prices import MediaType, Price, model_of, price, terms
from pipeline.media.wanted import Wanted, requests
from pipeline.store import Store, credits, money
from pipeline.store.models import Generation, Media, MoneyEntry
from pipeline.store.states import media_status

__all__ = ["InsufficientCredits", "MediaDesk", "UsageLimit", "Wanted"]

log = logging.getLogger(__name__)

PARALLEL = 4
REFUSED = "moderation_refused"
_LOOK_EVERY_S = 0.5
_HIDDEN = and_(Media.status == "failed", Media.failure_reason == "moderation_unavailable")


class InsufficientCredits(ProductError):
    """The balance is smaller than the price; nothing was started."""

    code = "insufficient_credits"


class UsageLimit(ProductError):
    """The day's number of items of this type is reached."""

    code = "usage_limit"


@dataclass(frozen=True)
class Plan:
    """What an item would be made by, and for how much. `provider`: the only one that may serve it, "" for any."""

    kind: MediaType
    model: str
    provider: str
    price: Price


class MediaDesk:
    """One per process. Every method may be called from any thread. `full_access`: whether the account has it."""

    def __init__(self, store: Store, generator: Generator, *, full_access: Callable[[], bool]) -> None:
        self._store = store
        self._generator = generator
        self._full_access = full_access
        self._closing = threading.Event()
        generator.rechecked = self._rechecked
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="media")

    # --- Asking ---------------------------------------------------------------------------------

    def quote(self, wanted: Wanted) -> Price:
        """The price of an item; nothing is started. Raises as `accept`, but for money."""
        with self._store.db.read() as session:
            return self._plan(session, wanted).price

    def accept(self, wanted: Wanted, *, also: Callable[[Session, Media], None] = lambda session, item: None) -> Media:
        """Writes an item down, charges for it and has it made. `also` runs in the same transaction.

        Raises InvalidInput, NotFound (the source), NeedsSetup, UsageLimit, InsufficientCredits: then nothing is kept.
        """
        with self._store.db.read() as session:
            plan = self._plan(session, wanted)
        with self._store.db.write(durable=True) as session:
            self._within_limit(session, plan.kind)
            inputs = wanted.model_dump(mode="json", exclude_unset=True)
            inputs |= {"type": plan.kind, "model": plan.model, "provider": plan.provider}
            item = Media(
                type=plan.kind,
                rating=wanted.rating,
                inputs=inputs,
                price_credits=plan.price.credits,
                source_id=wanted.source_id,
            )
            session.add(item)
            session.flush()
            if not credits.charge(session, plan.price.credits, item.id):
                raise InsufficientCredits(
                    f"It costs {plan.price.credits} credits, and {credits.balance(session)} are left."
                )
            self._tell(session, item, "It was accepted.")
            also(session, item)
            session.flush()
            session.refresh(item)
            session.expunge(item)
        self._begin(item.id)
        return item

    def _plan(self, session: Session, wanted: Wanted) -> Plan:
        if wanted.type == "REFERENCE_TO_VIDEO":
            raise NeedsSetup("This version does not make REFERENCE_TO_VIDEO items.", field="type")
        if wanted.workflow_name is not None:
            raise NeedsSetup("This version runs no workflows on media items.", field="workflow_name")
        if wanted.rating == "mature":
            raise NeedsSetup(
                "Media items are made at the general rating only.",
                hint="Ask for the general rating.",
                field="rating",
            )
        kind: MediaType = wanted.type
        model = model_of(kind, wanted.model)
        source = self._source(session, wanted)
        work = requests(wanted, model, "quote", self._picture, source)
        render = "paid" if kind == "UPSCALE_IMAGE" else wanted.render  # there is no engine of our own for it
        only = wanted.provider.lower()
        first = self._generator.first_choice(work[0], render, only)
        reedit = source is not None and self._type_of(session, wanted.source_id) == kind
        cost = price(
            kind,
            work,
            model=model,
            rating=wanted.rating,
            embedded=not first.paid,
            full_access=self._full_access(),
            reedit=reedit,
        )
        # A clip is made by the provider that was named, or by the first that can: never by another one.
        return Plan(kind, model, first.adapter.name if kind == "VIDEO" else only, cost)

    def _within_limit(self, session: Session, kind: MediaType) -> None:
        today = datetime.now(UTC).date().isoformat()
        query = select(func.count()).select_from(Media).where(Media.type == kind, Media.created_at >= today)
        most = terms()[kind].per_day
        if (session.scalar(query) or 0) >= most:
            raise UsageLimit(f"No more than {most} {kind} items are made in a day.", field="type")

    def _picture(self, url: str) -> MediaRef:
        ref = self._store.media.ref(url)
        if ref.ext not in PICTURES:
            raise InvalidInput(f"{url} is no picture.", field="image_url")
        return ref

    def _source(self, session: Session, wanted: Wanted) -> MediaRef | None:
        if wanted.source_id is None:
            return None
        item = session.get(Media, wanted.source_id)
        if item is None:
            raise NotFound("There is no item of this source_id.")
        made = (item.result or {}).get("items") or []
        if not made:
            raise InvalidInput("The item of this source_id has no result.", field="source_id")
        return self._picture(made[0]["url"])

    @staticmethod
    def _type_of(session: Session, item_id: int | None) -> str:
        item = session.get(Media, item_id)
        return item.type if item is not None else ""

    # --- Reading --------------------------------------------------------------------------------

    def items(self, *, before: int | None, limit: int) -> list[Media]:
        """The newest first; `before`: only items with a smaller id."""
        query = select(Media).order_by(Media.id.desc()).limit(limit)
        if before is not None:
            query = query.where(Media.id < before)
        with self._store.db.read() as session:
            return list(session.scalars(query))

    def item(self, item_id: int) -> Media:
        with self._store.db.read() as session:
            found = session.get(Media, item_id)
        if found is None:
            raise NotFound("There is no such item.")
        return found

    # --- Making ---------------------------------------------------------------------------------

    def resume(self) -> None:
        """At process start: takes up what was left."""
        with self._store.db.read() as session:
            left = session.scalars(select(Media.id).where(Media.status.in_(("accepted", "running")))).all()
            waiting = session.scalars(select(Media.id).where(_HIDDEN)).all()
            unit = [Generation.unit_key.startswith(f"media/{item_id}/") for item_id in waiting]
            found = session.scalars(select(Generation.id).where(or_(false(), *unit))).all()
        for item_id in left:
            self._begin(item_id)
        for generation_id in found:
            row = self._generator.records.row(generation_id)
            self._rechecked(row) if row is not None else None

    def close(self, timeout_s: float = 5.0) -> None:
        """Stops what is under way; it is taken up at the next start."""
        self._closing.set()
        self._pool.shutdown(wait=timeout_s > 0, cancel_futures=True)

    def _begin(self, item_id: int) -> None:
        if not self._closing.is_set():
            self._pool.submit(self._carry_out, item_id)

    def _carry_out(self, item_id: int) -> None:
        try:
            self._make(item_id)
        except Cancelled:
            return
        except ProductError as failure:
            self._end_badly(item_id, failure)
        except Exception as failure:
            log.exception("media item %s", item_id)
            self._end_badly(item_id, ProductError(f"An unexpected {type(failure).__name__}."))

    def _make(self, item_id: int) -> None:
        with self._store.db.write(durable=True) as session:
            if not media_status(session, item_id, "running"):
                return
            item = session.get_one(Media, item_id)
            wanted = Wanted.model_validate(item.inputs)
            work = requests(wanted, wanted.model, f"{item_id}", self._picture, self._source(session, wanted))
        made: list[dict[str, Any]] = []
        refused: dict[int, ProductError] = {}
        for number, request in enumerate(work):
            try:
                generated = self._one(item_id, number, request, wanted)
            except ProductError as failure:
                # A picture of a sequence that is refused is left out; the rest is still a sequence.
                if failure.code != REFUSED:
                    raise
                refused[number] = failure
                continue
            made.append({"url": generated.media.url, "index": number, **_seen(generated)})
        if not made:
            raise min(refused.values(), key=_gravity)
        result = {"items": made, "left_out": len(refused), "refused": [_left_out(*one) for one in refused.items()]}
        with self._store.db.write(durable=True) as session:
            if media_status(session, item_id, "finished", result=result):
                self._tell(session, session.get_one(Media, item_id), _said_of(len(work), refused))

    def _rechecked(self, row: Row) -> None:
        """An item whose result is hidden has failed, and its charge stands; now it is known what becomes of it.

        It is taken up where its parts were left, and ends as any other. Only a result that is gone is given back.
        """
        part = row.unit_key.split("/")
        if part[0] != "media" or row.status not in ("finished", "failed"):
            return
        item_id = int(part[1])
        with self._store.db.write(durable=True) as session:
            item = session.scalars(select(Media).where(Media.id == item_id, _HIDDEN)).first()
            if item is None or credits.given_back(session, item_id):
                return
            if row.status == "failed" and "reason" not in row.error:
                credits.refund(session, item_id, "media_missing")
                return
            media_status(session, item_id, "accepted", failure_reason=None, failure_detail=None)
            self._tell(session, item, "What was hidden has been checked.")
        self._begin(item_id)

    def _one(self, item_id: int, number: int, request: JobRequest, wanted: Wanted) -> Generated:
        """Waits while a lost answer is the user's to settle; then goes on as was decided."""
        render = "paid" if request.capability == "upscale" else wanted.render
        while True:
            try:
                return self._generator.generate(
                    request,
                    project_id=None,
                    unit_key=f"media/{item_id}/{number}",
                    render=render,
                    cancel=self._closing,
                    only=wanted.provider,
                )
            except Unresolved as case:
                self._wait_for(case.generation_id)

    def _wait_for(self, generation_id: str) -> None:
        while not self._closing.wait(_LOOK_EVERY_S):
            row = self._generator.records.row(generation_id)
            if row is None or row.status != "ambiguous":
                return
        raise Cancelled("The program ends.")

    def _end_badly(self, item_id: int, failure: ProductError) -> None:
        """Gives the credits back, but for an output that was made, charged for and then refused, or kept hidden."""
        hidden = getattr(failure, "generation_id", None) is not None
        try:
            with self._store.db.write(durable=True) as session:
                reason = (
                    "moderation_unavailable"
                    if hidden
                    else _reason(failure)
                    if failure.code == REFUSED
                    else failure.code
                )
                if not media_status(session, item_id, "failed", failure_reason=reason, failure_detail=failure.sentence):
                    return
                billed = money.spent(session, MoneyEntry.unit_key.startswith(f"media/{item_id}/"))
                back = 0
                if not hidden and (failure.code != REFUSED or billed == 0):
                    back = credits.refund(session, item_id, failure.code)
                said = f" {back} credits were given back." if back else ""
                self._tell(session, session.get_one(Media, item_id), failure.sentence + said)
        except ProductError:
            log.warning("the failure of media item %s could not be written; it is taken up at the next start", item_id)

    def _tell(self, session: Session, item: Media, text: str) -> None:
        level = "error" if item.status == "failed" else "info"
        data = {"media": item.id, "status": item.status}
        self._store.events.append(session, kind="media", unit=f"media/{item.id}", level=level, text=text, data=data)


def _reason(refusal: ProductError) -> str:
    """A provider that refuses does not say for what."""
    return str(getattr(refusal, "reason", "moderation"))


def _gravity(refusal: ProductError) -> int:
    """The smaller, the graver."""
    reasons: tuple[str, ...] = GRAVEST
    reason = _reason(refusal)
    return reasons.index(reason) if reason in reasons else len(reasons)


def _left_out(number: int, refusal: ProductError) -> dict[str, Any]:
    return {"index": number, "reason": _reason(refusal), "detail": refusal.sentence}


def _said_of(wanted: int, refused: Mapping[int, ProductError]) -> str:
    if not refused:
        return "It is made."
    left_out = ", ".join(f"number {number + 1} ({_reason(one)})" for number, one in refused.items())
    return f"It is made: {wanted - len(refused)} of {wanted} pictures. Refused and left out: {left_out}."


def _seen(generated: Generated) -> dict[str, Any]:
    names = ("width", "height", "duration_ms")
    return {name: generated.details[name] for name in names if name in generated.details}
