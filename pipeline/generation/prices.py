"""Prices that providers publish, asked for now and then and kept with their time and source.

Hides the thread that asks. Estimates use what was kept last; without it, and wherever an answer cannot be believed, the
catalogue's list price stands. Nothing ever waits for a price.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.errors import ProductError
from pipeline.generation.chain import EMBEDDED, ProviderChain
from pipeline.generation.chat import TextChain
from pipeline.providers import ADAPTERS, ChatAdapter, JobAdapter
from pipeline.store import Store
from pipeline.store.models import Setting, utc_now

log = logging.getLogger(__name__)

KEY = "published-prices"
FRESH = timedelta(hours=24)


class PublishedPrices:
    """One per store."""

    def __init__(self, store: Store, chain: ProviderChain, text: TextChain) -> None:
        self._store = store
        self._chain = chain
        self._text = text
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        with store.db.read() as session:
            row = session.get(Setting, KEY)
            self._kept: dict[str, dict[str, Any]] = dict(row.value) if row is not None else {}

    def refresh(self, *, force: bool = False) -> threading.Thread:
        """Uses what is kept, and asks the providers whose prices are older than a day. Returns at once; the thread is
        for those who want to wait.
        """
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._ask_all, args=(force,), name="prices", daemon=True)
                self._thread.start()
            return self._thread

    def _ask_all(self, force: bool) -> None:
        jobs = [self._chain.adapter(name) for name in ADAPTERS if name != EMBEDDED]
        everyone: list[JobAdapter | ChatAdapter] = [*jobs, *self._text.ready()]
        for one in everyone:
            try:
                self._ask(one, force)
            except ProductError as failure:
                log.info("prices of %s: %s", one.name, failure)
            except Exception:
                log.exception("prices of %s", one.name)

    def _ask(self, provider: JobAdapter | ChatAdapter, force: bool) -> None:
        name = provider.name
        kept = self._kept.get(name)
        if kept is not None:
            provider.adopt(kept["prices"])
        fresh = kept is not None and datetime.now(UTC) - _time(kept["at"]) < FRESH
        if provider.missing() is not None or (fresh and not force):
            return
        found = provider.published()
        if found.ignored:
            log.warning("prices of %s that cannot be believed are ignored: %s", name, ", ".join(found.ignored))
            self._store.events.say(
                level="warning",
                kind="prices",
                text=f"{name} tells prices that cannot be believed; the list prices stand.",
                data={"provider": name, "ignored": list(found.ignored)},
            )
        if not found.prices:
            return
        provider.adopt(found.prices)
        self._kept = {**self._kept, name: {"at": utc_now(), "source": found.source, "prices": found.prices}}
        with self._store.db.write() as session:
            session.merge(Setting(key=KEY, value=self._kept))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
