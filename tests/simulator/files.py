"""Files at the providers: uploads and outputs, kept in a folder, each with an address that stops working in time.

Hides how an input that names a file (data URI, own upload, own output) becomes bytes, and how inputs are made
comparable although the same file travels under different addresses.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.simulator.call import read_data_uri
from tests.simulator.clock import Clock


class NoSuchFile(Exception):
    """The address names nothing that the provider could load. The text says why."""


@dataclass
class StoredFile:
    """`provider` may read it; `path` is the address without http://host:port; public files anybody may read."""

    provider: str
    path: str
    place: Path
    sha256: str
    content_type: str
    name: str
    expires_at: float
    public: bool
    job: str = ""

    @property
    def data(self) -> bytes:
        return self.place.read_bytes()

    def fill(self, data: bytes) -> None:
        """The content of an upload arrives after its address was given out."""
        self.place.write_bytes(data)
        self.sha256 = hashlib.sha256(data).hexdigest()

    @property
    def token(self) -> str:
        return self.path.split("/")[-2]


class Files:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._folder = tempfile.TemporaryDirectory(prefix="wire-simulator-", ignore_cleanup_errors=True)
        self._lock = threading.Lock()
        self._files: dict[str, StoredFile] = {}
        self._numbers = itertools.count(1)

    def put(self, provider: str, where: str, name: str, data: bytes, content_type: str, *, seconds: float,
            public: bool = True, job: str = "") -> StoredFile:  # fmt: skip
        """A new file below `where` (a path without trailing slash), reachable for `seconds`."""
        with self._lock:
            seed = f"{provider}|{next(self._numbers)}|{hashlib.sha256(data).hexdigest()}"
            token = hashlib.sha256(seed.encode()).hexdigest()[:24]
            path = f"{where}/{token}/{name}"
            expires = self._clock.now() + seconds
            stored = StoredFile(
                provider, path, Path(self._folder.name) / token, "", content_type, name, expires, public, job
            )
            self._files[path] = stored
        stored.fill(data)
        return stored

    def close(self) -> None:
        self._folder.cleanup()

    def at(self, path: str) -> StoredFile | None:
        """The file, or None where there is none or it has expired."""
        with self._lock:
            stored = self._files.get(path)
        if stored is None or stored.expires_at <= self._clock.now():
            return None
        return stored

    def of_job(self, job: str) -> list[StoredFile]:
        with self._lock:
            return [stored for stored in self._files.values() if stored.job == job]

    def token(self, token: str) -> StoredFile | None:
        with self._lock:
            found = next((path for path, stored in self._files.items() if stored.token == token), None)
        return self.at(found) if found else None

    def load(self, provider: str, address: str) -> bytes:
        """The content behind an input's address, as that provider's servers would load it. Raises NoSuchFile."""
        if address.startswith("data:"):
            data = read_data_uri(address)
            if data is None:
                raise NoSuchFile("the data URI is not base64")
            return data[1]
        stored = self._named(provider, address)
        if stored is None:
            raise NoSuchFile(f"no file can be loaded from {address[:200]}")
        if not stored.public and stored.provider != provider:
            raise NoSuchFile(f"{address[:200]} answered 401")
        return stored.data

    def digest(self, provider: str, *values: Any) -> str:
        """A digest of JSON values in which a file counts by its content, not by its address."""
        return hashlib.sha256(json.dumps(self._plain(provider, values), sort_keys=True).encode()).hexdigest()

    def _plain(self, provider: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._plain(provider, item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._plain(provider, item) for item in value]
        if isinstance(value, str) and value.startswith(("data:", "http://", "https://")):
            if value.startswith("data:"):
                data = read_data_uri(value)
                return f"sha256:{hashlib.sha256(data[1]).hexdigest()}" if data else value
            stored = self._named(provider, value)
            return f"sha256:{stored.sha256}" if stored else value
        return value

    def _named(self, provider: str, address: str) -> StoredFile | None:
        path = urlsplit(address).path
        if stored := self.at(path):
            return stored
        parts = path.rstrip("/").split("/")
        # Replicate names an upload by its id (…/v1/files/<id>), not by where its content lies.
        return self.token(parts[-1]) if len(parts) > 2 and parts[-2] == "files" else None
