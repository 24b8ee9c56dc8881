"""Scripted and random faults. Hides which call meets which fault; where a fault bites is told by its kind.

A fault is addressed by provider, operation, model (patterns like `*lip*`) and the nth matching call. A storm draws for
every call that meets no scripted fault; what it draws depends on the seed and on what is asked for the how-manieth
time, not on the order in which threads arrive.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulator.call import Call

CHAT = frozenset({"chat"})
SUBMIT = frozenset({"submit", "run", "speech"})
ANY = frozenset({"*"})

# Kind → (operations it may meet, whether the work is accepted although the answer is bad).
KINDS: dict[str, frozenset[str]] = {
    # The request is turned away: nothing is accepted, nothing is billed.
    "rate_limit": ANY,
    "server_error": ANY,
    "html": ANY,
    "reset_before": ANY,
    "hang": ANY,
    "unauthorised": ANY,
    "no_credit": CHAT | SUBMIT,
    # The request is carried out, the answer suffers.
    "reset_after": ANY,
    "server_error_after": ANY,
    "html_after": ANY,
    "hang_after": ANY,
    "drip": ANY,
    "cut_body": ANY,
    "malformed_json": ANY,
    "half_json": ANY,
    "wrong_types": ANY,
    "embedded_error": CHAT | SUBMIT | {"status"},
    # What a language model says.
    "refusal": CHAT,
    "schema_breaking": CHAT,
    "malformed_content": CHAT,
    "half_content": CHAT,
    "empty_content": CHAT,
    # What becomes of an accepted job (and, for moderation, of a chat).
    "moderation": CHAT | SUBMIT,
    "result_422": SUBMIT,
    "job_failed": SUBMIT,
    "stuck": SUBMIT,
    "unknown_status": SUBMIT,
    "nsfw_flagged": SUBMIT,
    "empty_output": SUBMIT,
    "truncated_output": SUBMIT,
    "wrong_type_output": SUBMIT,
    "bit_flipped_output": SUBMIT,
    "short_output": SUBMIT,
    "expired_output": SUBMIT,
    # How its webhooks arrive.
    "webhook_lost": SUBMIT,
    "webhook_repeated": SUBMIT,
    "webhook_late": SUBMIT,
    "webhook_out_of_order": SUBMIT,
    "webhook_forged": SUBMIT,
}
TURNED_AWAY = ("unauthorised", "no_credit", "rate_limit", "server_error", "html", "reset_before", "hang")
SPOILED = (
    "reset_after", "server_error_after", "html_after", "hang_after", "drip", "cut_body", "malformed_json", "half_json",
    "wrong_types",
)  # fmt: skip

# What a storm draws from unless told otherwise: nothing that costs a client its whole time limit, nothing that needs a
# new key, and no bad answer where no answer of ours is parsed.
STORM: dict[str, tuple[str, ...]] = {
    "chat": (
        "rate_limit", "server_error", "reset_before", "reset_after", "html", "embedded_error", "malformed_content",
        "half_content", "schema_breaking", "refusal", "moderation", "half_json",
    ),
    "submit": (
        "rate_limit", "server_error", "reset_before", "reset_after", "server_error_after", "html_after", "half_json",
        "moderation", "job_failed", "result_422", "unknown_status", "truncated_output", "wrong_type_output",
        "bit_flipped_output", "expired_output", "webhook_repeated", "webhook_late", "webhook_out_of_order",
        "webhook_lost",
    ),
    "speech": ("rate_limit", "server_error", "reset_before", "reset_after", "html", "truncated_output", "moderation"),
    "run": ("rate_limit", "server_error", "reset_before", "reset_after", "moderation", "half_json"),
    "download": ("server_error", "reset_before", "html", "cut_body"),
    "*": ("rate_limit", "server_error", "reset_before", "reset_after", "html", "malformed_json"),
}  # fmt: skip


@dataclass
class Fault:
    """One scripted fault.

    nth: the nth matching call from now on meets it (1: the next one). times: that many calls in a row; 0: all.
    status, html: of a server error (status 403: of an `unauthorised`). retry_after: seconds in the header of a 429.
    seconds: how long a hang lasts, or the pause between the bytes of a drip, or how late a late webhook is (not told:
    two scaled minutes). text: what a message or content says;
    of a 429: `date` for a Retry-After that is one.
    content: `html`, `png` or `mp4` inside an output of the wrong type. polls: how many polls show an unknown status.
    """

    kind: str
    provider: str = "*"
    operation: str = "*"
    model: str = "*"
    nth: int = 1
    times: int = 1
    status: int = 0
    html: bool = False
    retry_after: float | None = None
    seconds: float | None = None
    text: str = ""
    content: str = ""
    polls: int = 2
    when: Callable[[Call], bool] | None = None
    number: int = 0
    seen: int = 0
    met: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault of kind {self.kind!r}; there are {', '.join(sorted(KINDS))}")

    def fits(self, call: Call) -> bool:
        operations = KINDS[self.kind]
        own = "*" in operations or call.operation in operations
        return (
            own
            and fnmatchcase(call.provider, self.provider)
            and fnmatchcase(call.operation, self.operation)
            and fnmatchcase(call.model, self.model)
            and (self.when is None or self.when(call))
        )

    def shown(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "when"}


@dataclass
class Storm:
    """Each call meets, with probability `p`, one of the kinds that suit its operation."""

    p: float
    seed: int = 0
    kinds: Sequence[str] = ()
    providers: Sequence[str] = ("*",)
    operations: Sequence[str] = ("*",)
    counts: Counter[str] = field(default_factory=Counter)

    def draw(self, call: Call, what: str) -> Fault | None:
        """`what` names the thing asked for; each further time it is asked for, the draw is a new one."""
        if not any(fnmatchcase(call.provider, one) for one in self.providers):
            return None
        if not any(fnmatchcase(call.operation, one) for one in self.operations):
            return None
        kinds = STORM.get(call.operation, STORM["*"])
        if self.kinds:
            kinds = tuple(kind for kind in self.kinds if "*" in KINDS[kind] or call.operation in KINDS[kind])
        if call.provider != "fal":
            kinds = tuple(kind for kind in kinds if kind != "result_422")
        key = f"{self.seed}|{call.provider}|{call.operation}|{what}"
        self.counts[key] += 1
        lot = hashlib.sha256(f"{key}|{self.counts[key]}".encode()).digest()
        if not kinds or int.from_bytes(lot[:8], "big") / 2**64 >= self.p:
            return None
        kind = kinds[int.from_bytes(lot[8:12], "big") % len(kinds)]
        content = ("html", "png", "mp4")[lot[12] % 3]
        return Fault(kind, html=lot[13] % 2 == 0, status=(500, 502, 503, 504)[lot[14] % 4], content=content)


class FaultBook:
    """All scripted faults and the storm; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)
        self.storm: Storm | None = None

    def add(self, fault: Fault) -> Fault:
        with self._lock:
            fault.number = next(self._numbers)
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()
            self.storm = None

    def all(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def meet(self, call: Call, what: str) -> list[Fault]:
        """The faults of this call. Scripted ones first; only a call without any can meet the storm."""
        with self._lock:
            met = list(self._scripted(call))
            if not met and self.storm and (drawn := self.storm.draw(call, what)):
                met.append(drawn)
            return met

    def _scripted(self, call: Call) -> Iterable[Fault]:
        for fault in self._faults:
            if fault.fits(call):
                fault.seen += 1
                if fault.seen >= fault.nth and (fault.times == 0 or fault.met < fault.times):
                    fault.met += 1
                    yield fault
