"""Builds what a server process works with, once, in one place."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from pipeline.generation.account import Accounts
from pipeline.hermes.callbacks import Callbacks
from pipeline.media import MediaDesk
from pipeline.projects.removal import Cleaner
from pipeline.projects.uploads import Uploads
from pipeline.runner import Runner
from pipeline.settings import Settings
from pipeline.store import Store, open_store
from server.answers import Answers
from server.sharing import Shared

MOST_STREAMS = 64  # of the server's 96 threads; a stream keeps one for as long as it is open


class Places:
    """So many places, taken and given back by threads; `taken` says how many are in use."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self.taken = 0

    def take(self) -> bool:
        """False when all are taken."""
        with self._lock:
            if self.taken >= self._most:
                return False
            self.taken += 1
            return True

    def give_back(self) -> None:
        with self._lock:
            self.taken -= 1


@dataclass(frozen=True)
class Services:
    """The parts of a running server. `closing` is set when the process is about to end."""

    settings: Settings
    store: Store
    runner: Runner
    answers: Answers
    closing: threading.Event = field(default_factory=threading.Event)
    shared: Shared = field(default_factory=Shared)
    streams: Places = field(default_factory=lambda: Places(MOST_STREAMS))
    uploads: Uploads = field(default_factory=Uploads)
    accounts: Accounts = field(init=False)
    media: MediaDesk = field(init=False)
    cleaner: Cleaner = field(init=False)
    callbacks: Callbacks | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "accounts", Accounts(self.settings, halts=self.runner.generator.halts))
        runner = self.runner
        desk = MediaDesk(self.store, runner.generator, full_access=lambda: runner.preferences.current.full_access)
        object.__setattr__(self, "media", desk)
        object.__setattr__(self, "cleaner", Cleaner(self.store, lambda: not runner.idle()))
        token, private = self.settings.hermes_token, self.settings.hermes_callbacks_private
        if token is not None:
            callbacks = Callbacks(self.store, token.get_secret_value(), private=private)
            object.__setattr__(self, "callbacks", callbacks)
            callbacks.start()

    def close(self, timeout_s: float = 9.0) -> None:
        """Puts running work away and gives up the data folder."""
        self.closing.set()
        self.store.events.close()
        self.cleaner.close()
        if self.callbacks is not None:
            self.callbacks.close()
        self.media.close()
        self.runner.close(timeout_s)
        self.uploads.close()
        self.store.close()


def open_services(settings: Settings) -> Services:
    """Takes the data folder. Raises DataFolderInUse, StoreUnavailable, DiskFull."""
    store = open_store(settings.data_dir)
    try:
        return Services(settings=settings, store=store, runner=Runner(store, settings), answers=Answers(store.db))
    except BaseException:
        store.close()
        raise
