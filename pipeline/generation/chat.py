"""Questions to language models, asked until the answer can be used.

Hides which provider answers, how often it is asked, and what happens in between: an answer is held against its schema
and then against the asker's own rules; one that breaks them is asked for again with the reason; a provider that cannot
answer is followed by the next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline.contracts import ChatReply, ChatRequest, Render
from pipeline.errors import Cancelled, NeedsSetup, ProductError
from pipeline.generation.questions import Errand, Questions
from pipeline.generation.record import Records
from pipeline.generation.throttle import Throttle
from pipeline.providers import CHAT_ADAPTERS, ChatAdapter, load_chat_adapter
from pipeline.providers.deadline import broken_off_by
from pipeline.providers.failures import BadAnswer, ProviderFailure
from pipeline.settings import Settings
from pipeline.store import Store

T = TypeVar("T")

MOST_ASKS = 3  # of one question: the first, and twice with the reason why the answer before cannot be used
MOST_SENDS = 3  # of one question to one provider: the first, and twice after a failure that may pass
LONGEST_PAUSE_S = 120.0  # a provider that asks for a longer one is passed over
BACKOFF_S = (1.0, 4.0)
MOST_REFUSALS = 2  # a text that is refused is shown to one other model, no more
# (questions at a time, questions per minute). Anthropic's own limits are narrow; a local model has one machine.
PACE: Mapping[str, tuple[int, float]] = {
    "openrouter": (8, 240.0),
    "anthropic": (2, 50.0),
    "openai_compatible": (2, 600.0),
}
USUAL_PACE = (4, 120.0)
DEGRADED = {"anthropic": "Anthropic alone answers slowly (two questions at a time); add OPENROUTER_API_KEY."}
KEYS = "OPENROUTER_API_KEY (or ANTHROPIC_API_KEY, or OPENAI_COMPATIBLE_BASE_URL)"
_AGAIN = (
    "\n\nYour last answer to this could not be used: {reason}\n"
    "Answer again from the beginning, whole, and put that right."
)


class AsksUsedUp(ProductError):
    """Every answer broke a rule; `detail` names the last one. `final`: the attempts are used up, one per ask."""

    code = "bad_answer"
    final = True


def delay_before_resend(failure: ProviderFailure, sends: int) -> float | None:
    """Seconds until the same question may be sent to the same provider again after `sends` sends; None: it may not."""
    if failure.kind not in ("transient", "rate_limit") or sends >= MOST_SENDS:
        return None
    pause = BACKOFF_S[min(sends, len(BACKOFF_S)) - 1]
    asked = pause if failure.retry_after_s is None else failure.retry_after_s
    return None if asked > LONGEST_PAUSE_S else asked


@dataclass
class _Sent:
    """What came of the sends of a question: answers that were lost and may be charged, and what is known to be."""

    lost: int = 0
    micros: int = 0


@dataclass
class _Asking:
    """One question on its way: what is asked now, and what happened so far."""

    request: ChatRequest
    providers: list[ChatAdapter]
    attempt: int = 0
    bad: int = 0
    refusals: int = 0
    first: ProductError | None = None


class TextChain:
    """Adapters in order of preference, shared by all threads. `pace` scales every wait (tests)."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        adapters: Sequence[ChatAdapter] | None = None,
        pace: float = 1.0,
    ) -> None:
        self._settings = settings
        self._questions = Questions(store, Records(store, spend_cap_cents=settings.spend_cap_cents))
        self._given = adapters
        self._loaded: list[ChatAdapter] | None = None
        self._throttles: dict[str, Throttle] = {}
        self._pace = pace
        self._lock = threading.Lock()

    # --- Who answers ----------------------------------------------------------------------------

    def wanted(self, render: Render | str) -> bool:
        """Whether language models are to write: `auto` where one is set up, `preview` never.

        Raises NeedsSetup for `paid` without one.
        """
        if render == "preview":
            return False
        ready = bool(self._ready())
        if render == "paid" and not ready:
            raise NeedsSetup(
                "No language model is set up, and this project asks for paid text only.",
                hint=f"Set {KEYS}, or set render_text to auto or preview.",
                field="render_text",
            )
        return ready

    def first_choice(self, render: Render | str) -> ChatAdapter | None:
        """Who would be asked first; None where the built-in writer serves. Raises NeedsSetup."""
        return self._ready()[0] if self.wanted(render) else None

    def degraded(self) -> str | None:
        """What is poor about the present set-up, in words; None: nothing."""
        names = [one.name for one in self._ready()]
        return DEGRADED.get(names[0]) if len(names) == 1 else None

    def price_notes(self, asked: Collection[tuple[str, str]]) -> list[str]:
        """What a payer has to know of the prices of those (provider, model) that are set up."""
        return [one.tariff.note for one in self._ready() if (one.name, one.model) in asked and one.tariff.note]

    def ready(self) -> tuple[ChatAdapter, ...]:
        """Those that are set up, in order of preference."""
        return tuple(self._ready())

    def recover(self) -> None:
        """At process start: closes what a dead process had asked."""
        self._questions.close_left_behind()

    def close(self) -> None:
        with self._lock:
            for adapter in self._loaded or ():
                adapter.close()
            self._loaded = None

    def _ready(self) -> list[ChatAdapter]:
        with self._lock:
            if self._loaded is None:
                given = self._given
                self._loaded = (
                    [load_chat_adapter(name, self._settings) for name in CHAT_ADAPTERS]
                    if given is None
                    else list(given)
                )
            return [one for one in self._loaded if one.ready() is None]

    def _throttle(self, name: str) -> Throttle:
        with self._lock:
            if name not in self._throttles:
                parallel, per_minute = PACE.get(name, USUAL_PACE)
                self._throttles[name] = Throttle(parallel, per_minute / self._pace)
            return self._throttles[name]

    # --- Asking ---------------------------------------------------------------------------------

    def ask(self, request: ChatRequest, errand: Errand, read: Callable[[dict[str, Any]], T]) -> T:
        """What `read` makes of the first answer that it accepts; it raises BadAnswer with the reason for others.

        Blocks. Raises AsksUsedUp, ProviderFailure (the first provider's, when none could answer), BudgetReached,
        NeedsSetup, Cancelled.
        """
        key = self._questions.key(request, errand)
        kept = self._questions.kept(key)
        if kept is not None:
            try:
                return read(kept)
            except BadAnswer:
                pass  # kept by a version with other rules: asked anew
        asking = _Asking(request, self._ready())
        if not asking.providers:
            raise NeedsSetup("No language model is set up.", hint=f"Set {KEYS}.", field="render_text")
        while True:
            try:
                return self._one_ask(asking, key, errand, read)
            except BadAnswer as answer:
                self._ask_again(asking, answer, request, errand)
            except ProviderFailure as failure:
                self._next_provider(asking, failure, errand)

    def _ask_again(self, asking: _Asking, answer: BadAnswer, request: ChatRequest, errand: Errand) -> None:
        asking.bad += 1
        if asking.bad >= MOST_ASKS:
            raise AsksUsedUp(
                f"The language model gave no usable answer ({request.purpose}): {answer.detail}",
                hint="Try again, change the text, or choose another model.",
            ) from None
        errand.say(f"The language model's answer cannot be used, so it is asked again. {answer.detail}")
        reason = _AGAIN.format(reason=answer.detail)
        asking.request = request.model_copy(update={"prompt": request.prompt + reason})
        if asking.bad == MOST_ASKS - 1 and len(asking.providers) > 1:
            asking.providers.pop(0)

    def _next_provider(self, asking: _Asking, failure: ProviderFailure, errand: Errand) -> None:
        asking.first = asking.first or failure
        asking.refusals += failure.kind == "moderation"
        asking.providers.pop(0)
        if not asking.providers or asking.refusals >= MOST_REFUSALS:
            raise asking.first
        errand.say(f"{failure.detail} Asking {asking.providers[0].name} instead.")

    def _one_ask(self, asking: _Asking, key: str, errand: Errand, read: Callable[[dict[str, Any]], T]) -> T:
        """One question to one provider, sent again where that may help."""
        adapter, request = asking.providers[0], asking.request
        asking.attempt += 1
        question = self._questions.open(
            request,
            key,
            errand,
            provider=adapter.name,
            model=adapter.model,
            estimate=adapter.most(request),
            attempt=asking.attempt,
        )
        sent = _Sent()
        try:
            reply = self._send(adapter, request, errand.cancel, sent)
            _hold_against(reply.data, request.answer_schema)
            value = read(reply.data)
        except Exception as failure:
            self._questions.fail(question, _said(failure), cost_micros=sent.micros, lost=sent.lost)
            raise
        self._questions.close(question, reply, cost_micros=sent.micros, lost=sent.lost)
        return value

    def _send(self, adapter: ChatAdapter, request: ChatRequest, cancel: threading.Event, sent: _Sent) -> ChatReply:
        """Keeps `sent` up to date, whatever comes of it."""
        throttle = self._throttle(adapter.name)
        sends = 0
        while True:
            with throttle.turn(cancel):
                sends += 1
                try:
                    with broken_off_by(cancel):
                        reply = adapter.complete(request)
                    sent.micros += reply.cost_micros
                    return reply
                except Cancelled:
                    sent.lost += 1
                    raise
                except BadAnswer as answer:
                    sent.micros += answer.cost_micros
                    raise
                except ProviderFailure as failure:
                    sent.micros += failure.cost_micros
                    sent.lost += failure.accepted and not failure.cost_micros
                    if cancel.is_set():
                        raise Cancelled("The run was stopped.") from None
                    delay = delay_before_resend(failure, sends)
                    if failure.kind == "rate_limit" and failure.retry_after_s is not None:
                        throttle.hold(min(failure.retry_after_s, LONGEST_PAUSE_S) * self._pace)
                    if delay is None:
                        raise
            if cancel.wait(delay * self._pace):
                raise Cancelled("The run was stopped.")


def _said(failure: Exception) -> ProductError:
    """What a record says of it: a mistake of our own must not leave a question open either."""
    return failure if isinstance(failure, ProductError) else ProductError(f"An unexpected {type(failure).__name__}.")


def _hold_against(data: dict[str, Any], schema: dict[str, Any]) -> None:
    """Raises BadAnswer naming the first places where the answer breaks its schema."""
    from jsonschema import Draft202012Validator  # slow to load, and not needed while nothing is asked

    errors = sorted(
        Draft202012Validator(schema).iter_errors(data), key=lambda error: list(map(str, error.absolute_path))
    )
    if not errors:
        return
    said = []
    for error in errors[:3]:
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
        said.append(f"at {place.lstrip('.') or 'the top'}: {error.message[:160]}")
    raise BadAnswer(f"The answer does not fit its schema: {'; '.join(said)}.")
