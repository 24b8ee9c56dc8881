"""The bill: one charge for everything a provider accepted, whether or not the client ever learned of it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Charge:
    """One accepted piece of work.

    micro_dollars: what it costs (0 once it failed or was cancelled, unless the provider bills failures).
    answer_delivered: the answer to the accepting request was written in full. output_fetched: an output of it was
    downloaded in full. digest: of provider, model and input, where files count by their content. generation: the
    client's own id for the work (webhook URL, Idempotency-Key or metadata), empty if it sent none.
    """

    number: int
    at: float
    provider: str
    operation: str
    model: str
    job: str
    digest: str
    generation: str
    micro_dollars: int
    state: str = "accepted"
    answer_delivered: bool = False
    output_fetched: bool = False
    faults: tuple[str, ...] = ()


class Bill:
    """Charges in the order of acceptance; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._charges: list[Charge] = []
        self._numbers = itertools.count(1)

    def charge(self, **values: Any) -> Charge:
        with self._lock:
            charge = Charge(number=next(self._numbers), **values)
            self._charges.append(charge)
            return charge

    def charges(self, provider: str = "", operation: str = "", model: str = "") -> list[Charge]:
        with self._lock:
            return [
                charge
                for charge in self._charges
                if provider in ("", charge.provider)
                and operation in ("", charge.operation)
                and model in ("", charge.model)
            ]

    def total(self) -> int:
        """Micro-dollars of everything billed."""
        return sum(charge.micro_dollars for charge in self.charges())

    def lost(self) -> list[Charge]:
        """Accepted work whose accepting answer never reached the client."""
        return [charge for charge in self.charges() if not charge.answer_delivered]

    def duplicates(self, operation: str = "") -> list[list[Charge]]:
        """Groups of two and more charges for the same input, or for the same id of the client. Chats are left out
        unless asked for: re-sending them is allowed."""
        charges = [one for one in self.charges(operation=operation) if operation or one.operation != "chat"]
        groups: list[list[Charge]] = []
        for key in (_by_input, _by_generation):
            found: dict[tuple[str, ...], list[Charge]] = {}
            for charge in charges:
                if name := key(charge):
                    found.setdefault(name, []).append(charge)
            groups += [group for group in found.values() if len(group) > 1 and group not in groups]
        return groups

    def clear(self) -> None:
        with self._lock:
            self._charges.clear()

    def shown(self, choose: Callable[[Charge], bool] = lambda charge: True) -> list[dict[str, Any]]:
        return [asdict(charge) for charge in self.charges() if choose(charge)]


def _by_input(charge: Charge) -> tuple[str, ...]:
    return (charge.provider, charge.operation, charge.digest)


def _by_generation(charge: Charge) -> tuple[str, ...]:
    return (charge.generation,) if charge.generation else ()
